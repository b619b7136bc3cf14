//! Single attempts.

use delivery_ledger::{Outcome, RecentAttempt};
use serde::Serialize;

use super::time::Time;

/// An attempt, and how it ended.
#[derive(Clone, Debug, Serialize)]
pub struct AttemptJson {
    /// The `_id` of its log entry.
    entry_id: String,
    /// The id of what its event happened to.
    subject_id: Option<String>,
    event_type: Option<&'static str>,
    action: Option<&'static str>,
    created_at: Option<Time>,
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
        let event = attempt.event;
        let (outcome, reason) = match attempt.outcome {
            Outcome::Success { .. } => ("success", None),
            Outcome::Failure { reason, .. } => ("failure", Some(reason.as_str())),
        };
        Self {
            entry_id: attempt.id.to_string(),
            subject_id: event.and_then(|event| event.subject).map(|subject| subject.to_string()),
            event_type: event.map(|event| event.event_type.as_str()),
            action: event.map(|event| event.action.as_str()),
            created_at: event.and_then(|event| event.created_at).map(Time),
            attempted_at: Time(attempt.at),
            retry: attempt.retry,
            outcome,
            reason,
            status: attempt.outcome.status(),
        }
    }
}
