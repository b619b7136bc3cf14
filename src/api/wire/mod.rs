//! The vendor's JSON → core types. What could be a secret is skipped or cut down here, and goes no further: a receiver's
//! URL becomes its host, and of an event's data only the id is read.

mod host;
mod lenient;
mod read;
mod scan;
mod types;

pub use self::read::{LogEntry, read_log_entry, read_login, read_webhook, wrapping_key};
pub(crate) use self::types::is_needed;
