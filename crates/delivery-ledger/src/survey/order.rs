//! In which order a log comes.

use crate::attempt::Attempt;
use crate::id::AttemptId;
use crate::label_set;
use crate::time::UnixMillis;

label_set! {
    /// The order of a log's entries.
    LogOrder {
        /// The newest entry first.
        NewestFirst = "newest_first",
        /// The oldest entry first.
        OldestFirst = "oldest_first",
        /// Neither.
        Unordered = "unordered",
    }
}

/// Whether values rise or fall from one to the next.
#[derive(Clone, Debug)]
struct Direction<T> {
    last: Option<T>,
    rises: bool,
    falls: bool,
}

impl<T> Default for Direction<T> {
    fn default() -> Self {
        Self { last: None, rises: false, falls: false }
    }
}

impl<T: Copy + PartialOrd> Direction<T> {
    fn observe(&mut self, value: T) {
        self.rises |= self.last.is_some_and(|last| value > last);
        self.falls |= self.last.is_some_and(|last| value < last);
        self.last = Some(value);
    }

    fn order(&self) -> Option<LogOrder> {
        match (self.rises, self.falls) {
            (false, false) => None,
            (false, true) => Some(LogOrder::NewestFirst),
            (true, false) => Some(LogOrder::OldestFirst),
            (true, true) => Some(LogOrder::Unordered),
        }
    }
}

/// The order of the entries so far. A log may be sorted by time or by id, which differ where several processes write it:
/// it is in order if it is so by either.
#[derive(Clone, Debug, Default)]
pub(super) struct OrderSeen {
    by_time: Direction<UnixMillis>,
    by_id: Direction<AttemptId>,
}

impl OrderSeen {
    pub(super) fn observe(&mut self, attempt: &Attempt) {
        self.by_time.observe(attempt.at);
        self.by_id.observe(attempt.id);
    }

    /// `None` if too few entries tell.
    pub(super) fn order(&self) -> Option<LogOrder> {
        match (self.by_time.order(), self.by_id.order()) {
            (Some(LogOrder::Unordered) | None, by_id @ Some(LogOrder::NewestFirst | LogOrder::OldestFirst)) => by_id,
            (by_time, _) => by_time,
        }
    }
}
