//! Single attempts.

use delivery_ledger::{Outcome, RecentAttempt};
use serde::Serialize;

use super::summary::SummaryJson;
use super::time::Time;

/// An attempt, and how it ended.
#[derive(Clone, Debug, Serialize)]
pub struct AttemptJson {
    /// The `_id` of its log entry.
    entry_id: String,
    #[serde(flatten)]
    summary: SummaryJson,
    attempted_at: Time,
    retry: u32,
    outcome: &'static str,
    /// Why it failed; `None` if it did not.
    reason: Option<&'static str>,
    /// The receiver's status code, if it gave one.
    status: Option<u16>,
}

impl From<&RecentAttempt> for AttemptJson {
    fn from(attempt: &RecentAttempt) -> Self {
        let (outcome, reason) = match attempt.outcome {
            Outcome::Success { .. } => ("success", None),
            Outcome::Failure { reason, .. } => ("failure", Some(reason.as_str())),
        };
        Self {
            entry_id: attempt.id.to_string(),
            summary: attempt.event.as_ref().into(),
            attempted_at: Time(attempt.at),
            retry: attempt.retry,
            outcome,
            reason,
            status: attempt.outcome.status(),
        }
    }
}
