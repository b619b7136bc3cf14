//! What an exporter has to show for a log.

use std::collections::{BTreeMap, BTreeSet};

use super::log::LoggedAttempt;
use super::receiver::Verdict;

/// What an exporter has to show for some attempts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// All attempts.
    pub attempts: u64,
    /// Failed attempts by reason; reasons without any are absent.
    pub failures: BTreeMap<&'static str, u64>,
    /// Receivers' own status codes; transport errors are left out.
    pub responses: BTreeMap<u16, u64>,
    /// Attempts that were not their event's first.
    pub retries: u64,
    /// Distinct events by type and action, as the API spells them.
    pub events: BTreeMap<(&'static str, &'static str), u64>,
    /// Events that were delivered.
    pub delivered: u64,
    /// Events that were given up.
    pub lost: u64,
    /// Events that have been tried and are neither.
    pub pending: u64,
    /// From an event's creation to its delivery, in milliseconds, per delivered event in order of delivery.
    pub delays_ms: Vec<i64>,
}

impl Truth {
    /// What these attempts amount to. An event enters at its first attempt among them, whatever was before.
    pub fn of<'a>(attempts: impl IntoIterator<Item = &'a LoggedAttempt>) -> Self {
        let mut truth = Self::default();
        let mut seen = BTreeSet::new();
        for attempt in attempts {
            let event = &attempt.event;
            truth.attempts += 1;
            truth.retries += u64::from(attempt.retry > 0);
            if let Some(reason) = attempt.verdict.reason() {
                *truth.failures.entry(reason).or_default() += 1;
            }
            if let (Some(status), true) = (attempt.status, attempt.verdict.is_response()) {
                *truth.responses.entry(status).or_default() += 1;
            }
            if seen.insert(event.number) {
                *truth.events.entry((event.trigger.event_type(), event.action.as_str())).or_default() += 1;
                truth.pending += 1;
            }
            if attempt.is_final {
                truth.pending -= 1;
                if attempt.verdict == Verdict::Taken {
                    truth.delivered += 1;
                    truth.delays_ms.push(attempt.at.millis_since(event.created_at));
                } else {
                    truth.lost += 1;
                }
            }
        }
        truth
    }

    /// All failed attempts.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failures.values().sum()
    }
}
