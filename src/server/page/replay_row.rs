//! An event to replay, or an attempt: one line of a table, with the ids to find it by.

use delivery_ledger::{AttemptId, EventSummary, Failure, LostEvent, Outcome, PendingEvent, RecentAttempt, UnixMillis};

use super::clocks::{Clocks, Moment};

/// One line of a table.
pub(super) struct ReplayRow {
    /// The `_id` of the log entry.
    pub(super) entry: String,
    /// The id of what the event is about; empty where the log tells none.
    pub(super) subject: String,
    pub(super) event: String,
    pub(super) created: Option<Moment>,
    pub(super) attempt: Moment,
    pub(super) retry: u32,
    pub(super) result: String,
    pub(super) is_delivered: bool,
    pub(super) settled: Option<Moment>,
    pub(super) remark: Option<String>,
}

/// What is told of an attempt, and how it ended.
struct Tried<'a> {
    entry: AttemptId,
    at: UnixMillis,
    retry: u32,
    event: Option<&'a EventSummary>,
}

impl ReplayRow {
    fn of(tried: &Tried<'_>, result: String, clocks: &Clocks) -> Self {
        let Tried { entry, at, retry, event } = *tried;
        Self {
            entry: entry.to_string(),
            subject: event.and_then(|event| event.subject).map(|subject| subject.to_string()).unwrap_or_default(),
            event: event.map_or_else(|| clocks.words.labels().no_event.to_owned(), name),
            created: event.and_then(|event| event.created_at).map(|at| clocks.exact_time(at)),
            attempt: clocks.exact_time(at),
            retry,
            result,
            is_delivered: false,
            settled: None,
            remark: None,
        }
    }

    fn of_failure(event: Option<&EventSummary>, last: &Failure, clocks: &Clocks) -> Self {
        let tried = Tried { entry: last.position.id, at: last.at, retry: last.retry, event };
        Self::of(&tried, clocks.words.why(last.reason, last.status), clocks)
    }

    pub(super) fn of_lost(lost: &LostEvent, clocks: &Clocks) -> Self {
        let remark = lost.succeeded_at.map(|at| clocks.words.delivered_after_all(&clocks.exact_time(at).words));
        let row = Self::of_failure(lost.event.as_ref(), &lost.last, clocks);
        Self { settled: Some(clocks.exact_time(lost.lost_at)), is_delivered: remark.is_some(), remark, ..row }
    }

    pub(super) fn of_pending(pending: &PendingEvent, clocks: &Clocks) -> Self {
        Self::of_failure(pending.event.as_ref(), &pending.last, clocks)
    }

    pub(super) fn of_attempt(attempt: &RecentAttempt, clocks: &Clocks) -> Self {
        let RecentAttempt { id, at, retry, .. } = *attempt;
        let (result, is_delivered) = match attempt.outcome {
            Outcome::Success { status } => (clocks.words.delivered_with(status), true),
            Outcome::Failure { reason, status } => (clocks.words.why(reason, status), false),
        };
        let tried = Tried { entry: id, at, retry, event: attempt.event.as_ref() };
        Self { is_delivered, ..Self::of(&tried, result, clocks) }
    }
}

/// What happened to what, in the API's words.
fn name(event: &EventSummary) -> String {
    format!("{} {}", event.event_type.as_str(), event.action.as_str())
}
