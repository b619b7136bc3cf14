//! What an event is.

use delivery_ledger::EventSummary;
use serde::Serialize;

use super::time::Time;

/// An event: ids, type, action and time, `null` where the log entry has none.
#[derive(Clone, Debug, Serialize)]
pub(super) struct SummaryJson {
    /// The id of what the event happened to.
    subject_id: Option<String>,
    event_type: Option<&'static str>,
    action: Option<&'static str>,
    created_at: Option<Time>,
}

impl From<Option<&EventSummary>> for SummaryJson {
    fn from(event: Option<&EventSummary>) -> Self {
        Self {
            subject_id: event.and_then(|event| event.subject).map(|subject| subject.to_string()),
            event_type: event.map(|event| event.event_type.as_str()),
            action: event.map(|event| event.action.as_str()),
            created_at: event.and_then(|event| event.created_at).map(Time),
        }
    }
}
