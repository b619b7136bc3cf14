//! The events to replay.

use delivery_ledger::{EventSummary, Failure, LostEvent, PendingEvent};
use serde::Serialize;

use super::summary::SummaryJson;
use super::time::Time;

/// What an event is, and its newest failed attempt: the ids to find it by in Cotalker.
#[derive(Clone, Debug, Serialize)]
struct Told {
    /// The `_id` of the log entry of the last failed attempt.
    entry_id: String,
    #[serde(flatten)]
    summary: SummaryJson,
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
            summary: event.into(),
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
