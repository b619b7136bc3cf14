//! How many intervals lie between two reads of a log, where the rate does not let all logs be read in each poll.
//!
//! Each log has a [`Wish`], which follows from its ledger alone, and the [`Plan`] is what the calls of a poll allow of
//! them: whole intervals, so that a poll's reads are a number, and no more than its budget.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::time::Duration;

use crate::ledger::Ledger;
use crate::time::UnixMillis;

/// A silent log is read at least once in so many intervals, if the rate allows that of all. Source: docs/specification.md,
/// "Calls of the API".
pub(super) const LONGEST: u32 = 10;

/// A log is read again after one part in so many of the time that nothing new has been in it for. Source:
/// docs/specification.md, "Calls of the API".
const PARTS_OF_SILENCE: i64 = 10;

/// A log is read again before one part in so many of its window can be new, at the pace of its newest attempts. A
/// convention: the pace may rise, and the alert CotalkerLogWindowShort says so where three intervals fill a window.
const PARTS_OF_WINDOW: i64 = 4;

/// A window is taken to hold at least so many entries, for a log that has only begun is short. A convention: no page of an
/// API is known to be shorter.
const SHORTEST_WINDOW: u64 = 10;

/// So much longer than it wishes a log may wait for its window's sake if there are too many such logs, the first that fits;
/// at last as if it had no such wish. A convention: half of the window, then all of it.
const WINDOW_SLACKS: [u32; 4] = [1, 2, 4, u32::MAX];

/// Whose window turns over no sooner than in so many intervals has no hurry. A convention: an hour of minutes.
const NO_HURRY: u32 = 60;

/// After how many intervals a log should be read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wish {
    /// So that what is new is known soon: from 1 to [`LONGEST`].
    by_silence: u32,
    /// So that nothing leaves the log before it has been read: from 1 to [`NO_HURRY`].
    by_window: u32,
}

impl Wish {
    /// Of a log that was never read: nothing is known of it.
    const SILENT: Self = Self { by_silence: LONGEST, by_window: NO_HURRY };

    /// What the log of this ledger showed when it was last read.
    pub(super) fn of(ledger: &Ledger, interval: Duration) -> Self {
        let Some(now) = ledger.as_of() else { return Self::SILENT };
        let in_intervals = |millis: i64, longest: u32| {
            let intervals = u128::try_from(millis).unwrap_or(0) / interval.as_millis().max(1);
            u32::try_from(intervals).unwrap_or(u32::MAX).clamp(1, longest)
        };
        let is_waited_for = ledger.has_under_way() || ledger.events().pending() > 0;
        let silence = ledger.newest_place().map(|newest| now.millis_since(newest));
        let by_silence = match silence {
            _ if is_waited_for => 1,
            Some(silence) => in_intervals(silence / PARTS_OF_SILENCE, LONGEST),
            None => LONGEST,
        };
        let turnover = turnover_millis(ledger, now);
        let by_window = turnover.map_or(NO_HURRY, |turnover| in_intervals(turnover / PARTS_OF_WINDOW, NO_HURRY));
        Self { by_silence, by_window }
    }
}

/// How long it takes until all of a log's window is new, at the pace of its newest attempts or at that of all of it,
/// whichever is faster. `None` if it has no attempts.
fn turnover_millis(ledger: &Ledger, now: UnixMillis) -> Option<i64> {
    let window = ledger.window();
    let entries = window.successes + window.failures;
    let longest = i64::try_from(entries.max(SHORTEST_WINDOW)).unwrap_or(i64::MAX);
    let at_pace = |oldest: UnixMillis, entries: u64| {
        let entries = i64::try_from(entries).unwrap_or(i64::MAX).max(1);
        longest.saturating_mul(now.millis_since(oldest).max(0)) / entries
    };
    let recent = ledger.recent().newest_first();
    let of_newest = recent.last().map(|oldest| at_pace(oldest.position().at, recent.len() as u64));
    let of_all = window.oldest.map(|oldest| at_pace(oldest, entries));
    [of_newest, of_all].into_iter().flatten().min()
}

/// What the budget of a poll allows of all wishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Logs that a poll may read.
    pub(super) budget: usize,
    /// No log waits longer than so many intervals: [`LONGEST`], or more if the rate does not let all be read so often.
    pub(super) bound: u32,
    /// The longest that any log is planned to wait.
    pub(super) longest: u32,
    /// So many logs have to be read in each poll for none to wait longer than the bound.
    share: usize,
    /// No log is read more often than once in so many intervals.
    low: u32,
    /// No log is read less often than once in so many intervals.
    high: u32,
    /// Those whose window would turn over are read more often than that: after so many times what they wish at the latest.
    window_slack: u32,
}

impl Plan {
    /// The plan for these wishes, if a poll may read `budget` logs, at least one.
    ///
    /// If there is room all that are read less often than each interval are read as often as each other, or as they wish if
    /// that is more often. If there is not, those are slowed down first that wish to be read most often and lose nothing by
    /// it: the others have their turn within the bound, whatever happens.
    pub(super) fn of(wishes: impl Iterator<Item = Wish>, budget: usize) -> Self {
        let mut numbers: BTreeMap<Wish, usize> = BTreeMap::new();
        wishes.for_each(|wish| *numbers.entry(wish).or_default() += 1);
        let all: usize = numbers.values().sum();
        let bound = u32::try_from(all.div_ceil(budget.max(1))).unwrap_or(u32::MAX).max(LONGEST);
        let share = all.div_ceil(usize::try_from(bound).unwrap_or(usize::MAX));
        let plan = |low, high, window_slack| Self { budget, bound, longest: 1, share, low, high, window_slack };
        let roomy = (1..=bound).map(|high| plan(1, high, 1));
        let tight = WINDOW_SLACKS.into_iter().flat_map(|slack| (2..=bound).map(move |low| plan(low, bound, slack)));
        let fits = |plan: &Self| plan.reads(&numbers) <= budget;
        let plan = roomy.chain(tight).find(fits).unwrap_or(plan(bound, bound, u32::MAX));
        let longest = numbers.keys().map(|wish| plan.intervals(*wish)).max().unwrap_or(1);
        Self { longest, ..plan }
    }

    /// After how many intervals a log with this wish is read again.
    pub(super) fn intervals(&self, wish: Wish) -> u32 {
        // Who is content with the longest wait takes whatever is left.
        let wished = if wish.by_silence == LONGEST { self.bound } else { wish.by_silence };
        let intervals = wished.clamp(self.low, self.high);
        if wish.by_window == NO_HURRY {
            return intervals;
        }
        intervals.min(wish.by_window.saturating_mul(self.window_slack))
    }

    /// How many reads there are in each interval, at most.
    fn reads(&self, numbers: &BTreeMap<Wish, usize>) -> usize {
        let mut by_intervals: BTreeMap<u32, usize> = BTreeMap::new();
        for (wish, number) in numbers {
            *by_intervals.entry(self.intervals(*wish)).or_default() += number;
        }
        by_intervals.iter().map(|(intervals, number)| number.div_ceil(usize::try_from(*intervals).unwrap_or(1))).sum()
    }
}

/// A log that could be read in a poll.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate<Id> {
    pub(super) id: Id,
    /// When it last had its turn, or appeared: milliseconds of the uptime.
    pub(super) waits_since: i64,
    /// So many intervals ago.
    pub(super) waited: u32,
    /// After how many it is planned to be read; `None` if nothing is known of it, or shown.
    pub(super) planned: Option<u32>,
}

/// How urgent it is to read a log, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    /// It is to be read in each poll. Whatever was put off does not crowd it out.
    EachPoll,
    Due,
    /// Nothing is known of it, or shown.
    Unknown,
    /// It is read early because there is room.
    Early,
}

impl<Id: Ord + Copy> Candidate<Id> {
    /// What it comes before others by: how urgent it is, then its deadline, then how long it waits. By its id only where
    /// all of that is the same.
    fn rank(&self) -> impl Ord + use<Id> {
        let urgency = match self.planned {
            None => Urgency::Unknown,
            Some(planned) if self.waited < planned => Urgency::Early,
            Some(1) => Urgency::EachPoll,
            Some(_) => Urgency::Due,
        };
        let late_by = i64::from(self.waited) - i64::from(self.planned.unwrap_or_default());
        (urgency, Reverse(late_by), self.waits_since, self.id)
    }
}

impl Plan {
    /// Which logs a poll reads that has room for so many, in order.
    ///
    /// What has waited for as long as the bound is read. In a poll those are no more than were read in the poll that many
    /// intervals ago; if they are more than there is room for, because nothing could be read for a while, they have
    /// their share and leave the rest to what is read more often.
    pub(super) fn choose<Id: Ord + Copy>(&self, mut candidates: Vec<Candidate<Id>>, room: usize) -> Vec<Id> {
        let is_at_bound = |candidate: &Candidate<Id>| candidate.waited >= self.bound;
        candidates.sort_unstable_by_key(|candidate| (!is_at_bound(candidate), candidate.waits_since, candidate.id));
        let at_bound = candidates.partition_point(is_at_bound);
        let first = if at_bound > room { self.share.min(room) } else { at_bound };
        if let Some(rest) = candidates.get_mut(first..) {
            rest.sort_unstable_by_key(Candidate::rank);
        }
        candidates.truncate(room);
        // Those of each poll begin it, so that they are an interval apart whatever else it reads.
        candidates.sort_by_key(|candidate| candidate.planned != Some(1));
        candidates.into_iter().map(|candidate| candidate.id).collect()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    const BUSY: Wish = Wish { by_silence: 1, by_window: NO_HURRY };

    fn plan(numbers: &[(Wish, usize)], budget: usize) -> Plan {
        Plan::of(numbers.iter().flat_map(|(wish, number)| core::iter::repeat_n(*wish, *number)), budget)
    }

    /// One that waits, and is read after so many intervals.
    fn candidate(id: u32, waited: u32, planned: Option<u32>) -> Candidate<u32> {
        Candidate { id, waits_since: -i64::from(waited) * 60_000, waited, planned }
    }

    #[test]
    fn silent_logs_share_what_the_busy_ones_leave() {
        for (busy, silent, expected) in [
            (100, 9_900, [Some(1), Some(10)]),
            (0, 10_000, [None, Some(9)]),
            (100, 1_900, [Some(1), Some(2)]),
            (10_000, 0, [Some(9), None]),
            (100, 30_000, [Some(4), Some(27)]),
        ] {
            let plan = plan(&[(BUSY, busy), (Wish::SILENT, silent)], 1_139);
            let of = |wish, number: usize| (number > 0).then(|| plan.intervals(wish));
            assert_eq!([of(BUSY, busy), of(Wish::SILENT, silent)], expected, "{busy} busy ones, {silent} silent ones");
            assert_eq!(Some(plan.longest), expected.into_iter().flatten().max());
        }
    }

    #[test]
    fn of_too_many_busy_logs_those_are_read_most_often_whose_window_could_turn_over() {
        let hurried = Wish { by_silence: 1, by_window: 2 };
        let of_some = plan(&[(hurried, 4), (BUSY, 36)], 7);
        assert_eq!((of_some.intervals(hurried), of_some.intervals(BUSY)), (2, 8));
        let of_many = plan(&[(hurried, 20), (BUSY, 20)], 7);
        assert_eq!((of_many.intervals(hurried), of_many.intervals(BUSY)), (4, 10), "half of a window may be new");
        let of_all = plan(&[(hurried, 40)], 4);
        assert_eq!(of_all.intervals(hurried), 10, "nothing else is left");
    }

    #[test]
    fn a_poll_takes_what_has_waited_for_as_long_as_any_may_and_begins_with_what_is_read_each_time() {
        let plan = plan(&[(BUSY, 10), (Wish::SILENT, 10)], 4);
        assert_eq!(plan.bound, 10);
        let busy = || (0..4).map(|id| candidate(id, 1, Some(1)));
        let mut all: Vec<_> = busy().collect();
        all.push(candidate(9, 10, Some(10)));
        assert_eq!(plan.choose(all, 4), [0, 1, 2, 9]);
        // More than could have been put off by one poll: they have their share.
        let starved = (10..20).map(|id| candidate(id, 30, Some(10)));
        assert_eq!(plan.choose(starved.chain(busy()).collect(), 4), [0, 1, 10, 11]);
        assert_eq!(plan.share, 2);
    }

    #[test]
    fn a_poll_goes_by_deadline_then_by_who_waits_longest() {
        let plan = plan(&[(Wish::SILENT, 40)], 6);
        let candidates = vec![
            candidate(1, 2, Some(9)),
            candidate(2, 4, Some(9)),
            candidate(3, 0, None),
            candidate(4, 5, Some(5)),
            candidate(5, 6, Some(5)),
            candidate(6, 1, Some(1)),
            candidate(7, 9, Some(9)),
        ];
        assert_eq!(plan.choose(candidates.clone(), 7), [6, 5, 7, 4, 3, 2, 1]);
        assert_eq!(plan.choose(candidates, 2), [6, 5]);
    }
}
