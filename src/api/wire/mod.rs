//! The vendor's JSON → core types. What could be a secret is skipped or cut down here, and goes no further: a receiver's
//! URL becomes its host, and of an event's data only the id is read.

mod event;
mod host;
mod iso_time;
mod lenient;
mod plain;
mod read;
mod scan;
mod types;
mod walk;

pub use self::plain::read_plain_entry;
pub use self::read::{LogEntry, read_log_entry, read_login, read_webhook, wrapping_key};
pub(crate) use self::types::is_needed;
