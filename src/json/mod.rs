//! What the JSON says of events and attempts, whoever writes it. `docs/api-v1.schema.json` describes it.
//!
//! Times are RFC 3339 in UTC, durations seconds, and what is not known is `null`. Of an event there are ids, type, action
//! and times, and nothing else.

mod attempt;
mod event;
mod failure;
mod summary;
mod time;

pub use self::attempt::AttemptJson;
pub use self::event::{LostEventJson, PendingEventJson};
pub use self::failure::FailureJson;
pub use self::time::{Seconds, Time};
