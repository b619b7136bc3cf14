//! The API server's time, as far as its responses agree on it.
//!
//! Each response carries a date. Held against the monotonic clock, dates of one server differ by the same amount, so a
//! single wrong one stands out. The local wall clock is one more witness, for as long as there are few responses. What
//! is agreed on is the median, so that half of the witnesses may lie.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use crate::now::Now;
use crate::time::UnixMillis;

/// So many newest responses are asked. A convention: a poll of two webhooks fills it, and two wrong dates in a row do not
/// outvote the others.
const WITNESSES: usize = 5;

/// Dates that differ by no more than this agree. A convention: servers behind a balancer differ by seconds, and nothing
/// that is decided by the time is decided within a minute.
const TOLERANCE_MILLIS: i64 = 60_000;

/// The server's time at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerTime {
    /// The time.
    pub at: UnixMillis,
    /// Whether witnesses agree on it. If not, no floor may rise by it and no event may be given up.
    pub is_certain: bool,
    /// The local wall clock at that moment: what no first floor lies above, unless an entry does.
    pub local: UnixMillis,
}

impl ServerTime {
    /// A time that is beyond doubt.
    #[must_use]
    pub const fn certain(at: UnixMillis) -> Self {
        Self { at, is_certain: true, local: at }
    }

    /// The time if it is certain, and if not the local one.
    #[must_use]
    pub fn likely(self) -> UnixMillis {
        if self.is_certain { self.at } else { self.local }
    }

    /// The time if it is certain, and if not the later of it and the local time: nothing that is dated up to then lies
    /// ahead.
    #[must_use]
    pub fn latest(self) -> UnixMillis {
        if self.is_certain { self.at } else { self.at.max(self.local) }
    }

    /// The time if it is certain, and if not the earlier of it and the local time: what is dated by it hides nothing that
    /// is still to come.
    #[must_use]
    pub fn cautious(self) -> UnixMillis {
        if self.is_certain { self.at } else { self.at.min(self.local) }
    }
}

/// What the dates of the newest responses say.
#[derive(Clone, Debug, Default)]
pub struct ServerClock {
    /// By how much each date was ahead of the uptime, in milliseconds; the newest last.
    ahead: VecDeque<i64>,
    /// How many simulated milliseconds pass in a millisecond of uptime, less one.
    extra_speed: f64,
    is_odd: bool,
}

/// What one response's date is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reckoning {
    /// The server's time, as the witnesses have it.
    pub time: ServerTime,
    /// Whether dates disagree for the first time since they agreed: worth one log line.
    pub is_news: bool,
}

impl ServerClock {
    /// A clock for a server whose time passes `speed` times as fast as the uptime: 1 but for a simulated one.
    #[must_use]
    pub fn new(speed: f64) -> Self {
        Self { extra_speed: speed - 1.0, ..Self::default() }
    }

    /// Takes in a response that came at `now` with this date, and says what time it is. Without a date it is the local
    /// time, which is taken as it is.
    pub fn reckon(&mut self, date: Option<UnixMillis>, now: Now) -> Reckoning {
        let Some(date) = date else {
            let at = self.at(now).unwrap_or(now.wall);
            let time = ServerTime { at, is_certain: true, local: now.wall };
            return Reckoning { time, is_news: false };
        };
        let uptime = self.scaled(now.uptime);
        let own = date.as_millis().saturating_sub(uptime);
        if self.agrees(own, now.wall.as_millis().saturating_sub(uptime)) && !self.agrees(own, self.agreed(now)) {
            // Both clocks have made the same leap, as when a machine wakes up: what was before says nothing.
            self.ahead.clear();
        }
        if self.ahead.len() >= WITNESSES {
            self.ahead.pop_front();
        }
        self.ahead.push_back(own);
        let agreed = self.agreed(now);
        let witnesses = self.witnesses(now);
        let is_certain = witnesses.iter().filter(|ahead| self.agrees(**ahead, agreed)).count() * 2 > witnesses.len();
        let is_believed = self.agrees(own, agreed);
        let is_odd = self.ahead.len() > 1 && !self.ahead.iter().all(|ahead| self.agrees(*ahead, agreed));
        let was_odd = core::mem::replace(&mut self.is_odd, is_odd);
        let at = if is_believed { date } else { UnixMillis::from_millis(agreed.saturating_add(uptime)) };
        Reckoning { time: ServerTime { at, is_certain, local: now.wall }, is_news: self.is_odd && !was_odd }
    }

    /// The server's time at `now`; `None` before the first date.
    #[must_use]
    pub fn at(&self, now: Now) -> Option<UnixMillis> {
        (!self.ahead.is_empty())
            .then(|| UnixMillis::from_millis(self.agreed(now).saturating_add(self.scaled(now.uptime))))
    }

    /// What a date that came at an earlier moment is worth by now: itself, if the witnesses agree with it, and else what
    /// they say it was then.
    #[must_use]
    pub fn revise(&self, date: UnixMillis, came_at: Now) -> UnixMillis {
        let uptime = self.scaled(came_at.uptime);
        let agreed = self.agreed(came_at);
        if self.agrees(date.as_millis().saturating_sub(uptime), agreed) {
            date
        } else {
            UnixMillis::from_millis(agreed.saturating_add(uptime))
        }
    }

    fn witnesses(&self, now: Now) -> Vec<i64> {
        let mut witnesses: Vec<i64> = self.ahead.iter().copied().collect();
        if witnesses.len() < WITNESSES {
            witnesses.push(now.wall.as_millis().saturating_sub(self.scaled(now.uptime)));
        }
        witnesses
    }

    /// The median. Of two in the middle the one that the local clock does not make.
    fn agreed(&self, now: Now) -> i64 {
        let newest = self.ahead.back().copied();
        let mut witnesses = self.witnesses(now);
        witnesses.sort_unstable();
        let (upper, lower) = (witnesses.len() / 2, (witnesses.len() - 1) / 2);
        let (low, high) = (witnesses.get(lower).copied(), witnesses.get(upper).copied());
        if low.is_some() && low == newest { low } else { high.or(low) }.unwrap_or_default()
    }

    /// What takes a moment on the way takes longer where the server's time passes faster.
    fn agrees(&self, one: i64, other: i64) -> bool {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "a simulated time, to the second"
        )]
        let extra = (TOLERANCE_MILLIS as f64 * self.extra_speed.max(0.0)) as i64;
        let extra = extra.unsigned_abs();
        one.abs_diff(other) <= TOLERANCE_MILLIS.unsigned_abs().saturating_add(extra)
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a simulated time, to the second")]
    fn scaled(&self, uptime: Duration) -> i64 {
        let millis = i64::try_from(uptime.as_millis()).unwrap_or(i64::MAX);
        if self.extra_speed == 0.0 { millis } else { millis.saturating_add((millis as f64 * self.extra_speed) as i64) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_700_000_000_000;
    const HOUR: i64 = 3_600_000;

    /// A moment at which the local clock is right.
    fn now(second: u64) -> Now {
        let millis = i64::try_from(second * 1_000).expect("a second");
        Now { uptime: Duration::from_secs(second), wall: UnixMillis::from_millis(NOON + millis) }
    }

    fn dated(millis: i64) -> Option<UnixMillis> {
        Some(UnixMillis::from_millis(NOON + millis))
    }

    #[test]
    fn a_date_that_agrees_is_taken_as_it_is() {
        let mut clock = ServerClock::new(1.0);
        for second in 0..20 {
            let skew = if second % 2 == 0 { 900 } else { -4_000 };
            let date = dated(i64::try_from(second * 1_000).expect("a second") + skew);
            let reckoning = clock.reckon(date, now(second));
            assert_eq!((reckoning.time.at, reckoning.time.is_certain), (date.expect("a date"), true));
            assert!(!reckoning.is_news);
        }
    }

    #[test]
    fn one_date_that_disagrees_is_not_believed_and_is_news_once() {
        for wrong in [HOUR, -24 * HOUR, 8_000 * 365 * 24 * HOUR, -NOON] {
            let mut clock = ServerClock::new(1.0);
            (0..5).for_each(|second| {
                let _ = clock.reckon(dated(i64::try_from(second * 1_000).expect("a second")), now(second));
            });
            let reckoning = clock.reckon(dated(wrong), now(5));
            assert!(reckoning.is_news, "{wrong}");
            assert!(reckoning.time.at.millis_since(UnixMillis::from_millis(NOON + 5_000)).abs() < 1_000, "{wrong}");
            assert!(!clock.reckon(dated(wrong), now(6)).is_news, "{wrong}");
            assert_eq!(clock.reckon(dated(7_000), now(7)).time.at, UnixMillis::from_millis(NOON + 7_000));
        }
    }

    #[test]
    fn a_first_date_that_the_local_clock_denies_is_uncertain_until_others_agree() {
        let mut clock = ServerClock::new(1.0);
        assert!(!clock.reckon(dated(24 * HOUR), now(0)).time.is_certain);
        // It was the date that was wrong …
        let mut wrong = clock.clone();
        let second = wrong.reckon(dated(1_000), now(1));
        assert_eq!((second.time.at, second.time.is_certain), (UnixMillis::from_millis(NOON + 1_000), true));
        assert_eq!(wrong.revise(UnixMillis::from_millis(NOON + 24 * HOUR), now(0)), UnixMillis::from_millis(NOON));
        // … or the local clock.
        let second = clock.reckon(dated(24 * HOUR + 1_000), now(1));
        let tomorrow = UnixMillis::from_millis(NOON + 24 * HOUR + 1_000);
        assert_eq!((second.time.at, second.time.is_certain), (tomorrow, true));
    }

    #[test]
    fn a_server_whose_clock_is_set_is_believed_once_most_of_its_dates_say_so() {
        let mut clock = ServerClock::new(1.0);
        (0..5).for_each(|second| {
            let _ = clock.reckon(dated(0), now(second));
        });
        let believed = (5..10).map(|second| clock.reckon(dated(HOUR), now(second)).time.at.as_millis() - NOON >= HOUR);
        assert_eq!(believed.collect::<Vec<_>>(), [false, false, true, true, true]);
    }

    #[test]
    fn a_leap_of_both_clocks_is_believed_at_once() {
        let mut clock = ServerClock::new(1.0);
        (0..5).for_each(|second| {
            let _ = clock.reckon(dated(0), now(second));
        });
        let woken = Now { wall: UnixMillis::from_millis(NOON + HOUR), ..now(5) };
        let reckoning = clock.reckon(dated(HOUR), woken);
        assert_eq!((reckoning.time.at, reckoning.time.is_certain), (UnixMillis::from_millis(NOON + HOUR), true));
        assert!(!reckoning.is_news);
    }

    #[test]
    fn a_simulated_server_may_be_faster() {
        let mut clock = ServerClock::new(60.0);
        for second in 0..10 {
            let date = dated(i64::try_from(second * 60_000).expect("a second") - 1_000);
            let moment = Now { wall: UnixMillis::from_millis(NOON), ..now(second) };
            assert_eq!(clock.reckon(date, moment).time.at, date.expect("a date"));
        }
    }
}
