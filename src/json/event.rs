//! The events to replay.

use delivery_ledger::{EventSummary, Failure, LostEvent, PendingEvent};
use serde::Serialize;

use super::time::Time;

/// What an event is, and its newest failed attempt: the ids to find it by in Cotalker.
#[derive(Clone, Debug, Serialize)]
struct Told {
    /// The `_id` of the log entry of the last failed attempt.
    entry_id: String,
    /// The id of what the event happened to.
    subject_id: Option<String>,
    event_type: Option<&'static str>,
    action: Option<&'static str>,
    created_at: Option<Time>,
    last_attempt_at: Time,
    /// How many times the event had been tried before the last attempt.
    retry: u32,
    reason: &'static str,
    status: Option<u16>,
}

impl Told {
    fn of(event: Option<&EventSummary>, last: &Failure) -> Self {
        Self {
            entry_id: last.position.id.to_string(),
            subject_id: event.and_then(|event| event.subject).map(|subject| subject.to_string()),
            event_type: event.map(|event| event.event_type.as_str()),
            action: event.map(|event| event.action.as_str()),
            created_at: event.and_then(|event| event.created_at).map(Time),
            last_attempt_at: Time(last.at),
            retry: last.retry,
            reason: last.reason.as_str(),
            status: last.status,
        }
    }
}

/// A lost event.
#[derive(Clone, Debug, Serialize)]
pub struct LostEventJson {
    #[serde(flatten)]
    told: Told,
    lost_at: Time,
    succeeded_at: Option<Time>,
}

impl From<&LostEvent> for LostEventJson {
    fn from(lost: &LostEvent) -> Self {
        Self {
            told: Told::of(lost.event.as_ref(), &lost.last),
            lost_at: Time(lost.lost_at),
            succeeded_at: lost.succeeded_at.map(Time),
        }
    }
}

/// A pending event.
#[derive(Clone, Debug, Serialize)]
pub struct PendingEventJson {
    #[serde(flatten)]
    told: Told,
}

impl From<&PendingEvent> for PendingEventJson {
    fn from(pending: &PendingEvent) -> Self {
        Self { told: Told::of(pending.event.as_ref(), &pending.last) }
    }
}
