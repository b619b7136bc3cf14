//! How much of its log the API keeps.

use delivery_ledger::Retention;
use serde::Serialize;

use crate::json::Seconds;

/// How a log lets go of entries, as far as that is known.
#[derive(Serialize)]
pub(super) struct LogRetention {
    kind: &'static str,
    /// The newest so many stay.
    entries: Option<u64>,
    /// Entries stay for at least so long.
    seconds: Option<Seconds>,
}

impl From<Retention> for LogRetention {
    fn from(retention: Retention) -> Self {
        match retention {
            Retention::Unknown => Self { kind: "unknown", entries: None, seconds: None },
            Retention::Newest(entries) => Self { kind: "newest", entries: Some(entries), seconds: None },
            Retention::ForMillis(millis) => Self { kind: "age", entries: None, seconds: Some(Seconds(millis)) },
        }
    }
}
