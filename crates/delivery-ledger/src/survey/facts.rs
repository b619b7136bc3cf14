//! One response, entry by entry in the order in which they come, and what it shows.

use alloc::collections::BTreeSet;

use super::order::{LogOrder, OrderSeen};
use super::rows::{EventRows, RowsSeen};
use crate::attempt::Attempt;
use crate::id::AttemptId;
use crate::time::UnixMillis;

/// What one response shows of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogFacts {
    /// Attempts that have ended, each once.
    pub attempts: u64,
    /// Attempts that are under way, each once.
    pub under_way: u64,
    /// Entries that repeat an earlier one.
    pub repeated: u64,
    /// Attempts dated so far after the server's time that their date tells nothing.
    pub ahead: u64,
    /// The place of the oldest attempt that is not dated ahead; `None` if there is none.
    pub oldest: Option<UnixMillis>,
    /// The place of the newest one.
    pub newest: Option<UnixMillis>,
    /// In which order the entries come; `None` if too few tell.
    pub order: Option<LogOrder>,
    /// How many entries events have.
    pub rows: EventRows,
}

/// A response that is being looked at.
#[derive(Clone, Debug)]
pub struct LogSurvey {
    now: UnixMillis,
    seen: BTreeSet<AttemptId>,
    order: OrderSeen,
    rows: RowsSeen,
    facts: LogFacts,
}

impl LogSurvey {
    /// Begins with a response that the server gave at `now`.
    #[must_use]
    pub fn new(now: UnixMillis) -> Self {
        Self {
            now,
            seen: BTreeSet::new(),
            order: OrderSeen::default(),
            rows: RowsSeen::default(),
            facts: LogFacts::default(),
        }
    }

    /// Takes in the next attempt of this webhook.
    pub fn observe(&mut self, attempt: &Attempt, is_under_way: bool) {
        self.order.observe(attempt);
        let facts = &mut self.facts;
        if !self.seen.insert(attempt.id) {
            facts.repeated += 1;
            return;
        }
        match is_under_way {
            true => facts.under_way += 1,
            false => facts.attempts += 1,
        }
        self.rows.observe(attempt);
        if attempt.is_ahead(self.now) {
            facts.ahead += 1;
            return;
        }
        let place = attempt.position().at;
        facts.oldest = Some(facts.oldest.map_or(place, |oldest| oldest.min(place)));
        facts.newest = Some(facts.newest.map_or(place, |newest| newest.max(place)));
    }

    /// What the response shows, once it has ended.
    #[must_use]
    pub fn finish(self) -> LogFacts {
        LogFacts { order: self.order.order(), rows: self.rows.finish(), ..self.facts }
    }
}
