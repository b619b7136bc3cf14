//! One poll: one pass over the list and the logs.

use alloc::collections::VecDeque;
use core::time::Duration;

use super::schedule;
use crate::id::WebhookId;

/// After this part of the interval a poll ends without the calls that still hang. They go on beside the next poll until
/// their own timeout, so that one bad webhook delays no other. In percent; the rest is for starting on time.
const LEAVE_BEHIND_AFTER_PERCENT: u32 = 95;

/// A list that takes longer than this part of the interval holds up the logs no further, and a log that does not its poll.
/// In percent. A convention: late enough for a call that is merely slow, early enough for every log to be read within the
/// interval.
const PATIENCE_PERCENT: u32 = 25;

/// The longest such patience, whatever the interval. A convention: ten times a slow list.
const LONGEST_PATIENCE: Duration = Duration::from_secs(10);

/// No call of a poll that does not read all logs starts in this last part of the interval, in percent. More than what
/// the budget leaves (see [`schedule::budget`]), for the list takes time as well.
const LAST_CALL_PERCENT: u32 = 3;

/// Such a poll ends by this last part of the interval, in percent; calls that have not ended go on beside the next one.
const LAST_END_PERCENT: u32 = 1;

/// Until when a poll goes on that does not read all logs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// No turn starts from then on.
    pub(super) turns: Duration,
    /// It ends then.
    pub(super) end: Duration,
}

impl Bounds {
    /// Those of a poll before one that starts at `next`.
    pub(super) fn before(next: Duration, interval: Duration) -> Self {
        let turns = next.saturating_sub(interval * LAST_CALL_PERCENT / 100);
        Self { turns, end: next.saturating_sub(interval * LAST_END_PERCENT / 100) }
    }
}

/// How long a call may take before it holds up nothing any more.
pub(super) fn patience(interval: Duration) -> Duration {
    (interval * PATIENCE_PERCENT / 100).min(LONGEST_PATIENCE)
}

/// A poll that has started and not ended.
#[derive(Clone, Debug)]
pub(super) struct Poll {
    pub(super) started: Duration,
    /// It ends then, if all that is left are calls that hang.
    pub(super) deadline: Duration,
    /// Whose turn it is, in order.
    pub(super) turns: VecDeque<WebhookId>,
    /// How many turns there have been, and are to come.
    pub(super) lined_up: usize,
    /// `None` if it reads all logs, however long it takes.
    pub(super) bounds: Option<Bounds>,
    /// Between the starts of two turns.
    pub(super) spacing: Duration,
    /// No turn starts before then.
    pub(super) next_turn: Duration,
    pub(super) list: ListTurn,
    pub(super) fuse: Fuse,
    pub(super) has_failed_list: bool,
    pub(super) has_failed_log: bool,
}

/// Where a poll is with the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListTurn {
    /// The list is being read; turns start when it has ended, or then.
    Awaited { turns_from: Duration },
    /// The list is being read, and turns wait for it no longer.
    Late,
    /// The list has ended, or none is read.
    Done,
}

/// Whether one failing log call ends the poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fuse {
    /// It does not: the API works.
    Off,
    /// The list failed in a way that suggests that every call does. One log is tried alone; if it fails the same way the
    /// poll ends, and if not it goes on.
    Armed { tried: Option<WebhookId> },
}

impl Poll {
    pub(super) fn new(started: Duration, interval: Duration) -> Self {
        Self {
            started,
            deadline: started.saturating_add(interval * LEAVE_BEHIND_AFTER_PERCENT / 100),
            turns: VecDeque::new(),
            lined_up: 0,
            bounds: None,
            spacing: Duration::ZERO,
            next_turn: started,
            list: ListTurn::Done,
            fuse: Fuse::Off,
            has_failed_list: false,
            has_failed_log: false,
        }
    }

    /// Waits with the turns for the list, for a while.
    pub(super) fn await_list(&mut self, interval: Duration) {
        self.list = ListTurn::Awaited { turns_from: self.started.saturating_add(patience(interval)) };
    }

    /// A call for a log starts now. It does not hang yet: a poll that overruns, because there are more logs than calls for
    /// them in an interval, waits for its last calls for as long as that holds up no further poll, or for a while.
    pub(super) fn call_starts(&mut self, now: Duration, interval: Duration) {
        if self.bounds.is_some() {
            return;
        }
        let first = self.started.saturating_add(interval * LEAVE_BEHIND_AFTER_PERCENT / 100);
        let in_time = if first < now { schedule::next_tick(first, interval, now).0 } else { first };
        self.deadline = in_time.max(now.saturating_add(patience(interval)));
    }

    /// When the next turn may start, as far as the poll itself is concerned; `None` if there is none, or if it waits for
    /// a response.
    pub(super) fn turn_at(&self) -> Option<Duration> {
        let is_held =
            matches!(self.list, ListTurn::Awaited { .. }) || matches!(self.fuse, Fuse::Armed { tried: Some(_) });
        (!self.turns.is_empty() && !is_held).then_some(self.next_turn)
    }
}
