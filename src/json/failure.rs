//! The newest failure of a webhook.

use delivery_ledger::Failure;
use serde::Serialize;

use super::time::Time;

/// A failed attempt, and why.
#[derive(Clone, Debug, Serialize)]
pub struct FailureJson {
    /// The `_id` of its log entry.
    entry_id: String,
    attempted_at: Time,
    retry: u32,
    reason: &'static str,
    /// The receiver's status code, if it gave one.
    status: Option<u16>,
    /// The reason as a sentence.
    message: String,
}

impl From<&Failure> for FailureJson {
    fn from(failure: &Failure) -> Self {
        Self {
            entry_id: failure.position.id.to_string(),
            attempted_at: Time(failure.at),
            retry: failure.retry,
            reason: failure.reason.as_str(),
            status: failure.status,
            message: failure.reason.explain(failure.status),
        }
    }
}
