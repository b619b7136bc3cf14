//! When to call and when to wait. Randomness is a number handed in.

use core::time::Duration;

/// The wait after a first failure is at most this, and doubles with each further one. A convention.
const BACKOFF_BASE: Duration = Duration::from_secs(1);

/// The longest wait between two tries of what keeps failing. A convention: five minutes, the usual `for` of an alert.
const BACKOFF_LONGEST: Duration = Duration::from_secs(5 * 60);

/// Of what keeps failing, at most so many polls in a row are left out, so that it recovers soon at a short interval.
pub(super) const BACKOFF_LONGEST_POLLS: u32 = 4;

/// How long to leave a target alone after its `failures`-th failure in a row: exponential, with full jitter
/// (`random` is uniform in `[0, 1)`), so that many exporters do not come back at once.
#[must_use]
pub fn backoff(failures: u32, interval: Duration, random: f64) -> Duration {
    let Some(doublings) = failures.checked_sub(1) else { return Duration::ZERO };
    let longest = BACKOFF_LONGEST.min(interval.saturating_mul(BACKOFF_LONGEST_POLLS));
    let ceiling =
        2_u32.checked_pow(doublings).map_or(longest, |factor| BACKOFF_BASE.saturating_mul(factor)).min(longest);
    ceiling.mul_f64(random.clamp(0.0, 1.0))
}

/// The longest pause between two log calls of a poll: few webhooks are read within seconds. A convention.
const LONGEST_SPACING: Duration = Duration::from_secs(1);

/// The pause between the starts of a poll's `calls`, so that they do not come in a burst: they fill half of the
/// interval and leave the other half to slow responses.
#[must_use]
pub fn spacing(calls: usize, interval: Duration) -> Duration {
    let calls = u32::try_from(calls).unwrap_or(u32::MAX).max(1);
    (interval / 2 / calls).min(LONGEST_SPACING)
}

/// The first of the times every `interval` since `previous` that lies after `now`, and how many were missed.
#[must_use]
pub fn next_tick(previous: Duration, interval: Duration, now: Duration) -> (Duration, u64) {
    let late = now.saturating_sub(previous).as_nanos();
    let missed = u64::try_from(late / interval.as_nanos().max(1)).unwrap_or(u64::MAX);
    let steps = u32::try_from(missed).unwrap_or(u32::MAX).saturating_add(1);
    (previous.saturating_add(interval.saturating_mul(steps)), missed)
}

/// The time between two polls of `calls` API calls each, of which there may be so many per second (0 for no limit): whole
/// intervals, because a poll that overruns skips the next ones.
#[must_use]
pub fn read_interval(calls: usize, calls_per_second: f64, interval: Duration) -> Duration {
    let calls = f64::from(u32::try_from(calls).unwrap_or(u32::MAX));
    // Without a limit this is infinite or no number, which is no duration.
    let needed = Duration::try_from_secs_f64(calls / calls_per_second).unwrap_or(Duration::ZERO);
    let intervals = needed.as_nanos().div_ceil(interval.as_nanos().max(1)).max(1);
    interval.saturating_mul(u32::try_from(intervals).unwrap_or(u32::MAX))
}

/// So much of an interval may go by until the last call of a poll starts, in percent; the rest is for its response, so that
/// the next poll starts on time.
const CALLS_PERCENT: u32 = 95;

/// How many logs a poll may read of which one starts every `interval`, if there may be so many calls per second and it
/// also reads the list. `None` if there is no limit, or if it does not even allow that of one log.
#[must_use]
pub fn budget(calls_per_second: f64, interval: Duration) -> Option<usize> {
    let between = Duration::try_from_secs_f64(calls_per_second.recip()).ok().filter(|between| !between.is_zero())?;
    let calls = (interval * CALLS_PERCENT / 100).as_nanos() / between.as_nanos();
    usize::try_from(calls).unwrap_or(usize::MAX).checked_sub(1).filter(|logs| *logs > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn backoff_doubles_with_full_jitter_up_to_four_polls_or_five_minutes() {
        assert_eq!(backoff(0, MINUTE, 0.9), Duration::ZERO);
        assert_eq!(backoff(1, MINUTE, 1.0), Duration::from_secs(1));
        assert_eq!(backoff(4, MINUTE, 0.5), Duration::from_secs(4));
        assert_eq!(backoff(40, MINUTE, 1.0), MINUTE * 4);
        assert_eq!(backoff(40, MINUTE * 10, 1.0), MINUTE * 5);
        assert_eq!(backoff(7, MINUTE, 0.0), Duration::ZERO);
    }

    #[test]
    fn few_calls_are_a_second_apart_at_most_and_many_fill_half_of_the_interval() {
        assert_eq!(spacing(3, MINUTE), Duration::from_secs(1));
        assert_eq!(spacing(300, MINUTE), Duration::from_millis(100));
        assert_eq!(spacing(0, MINUTE), Duration::from_secs(1));
    }

    #[test]
    fn a_poll_that_overruns_skips_whole_intervals_and_keeps_their_phase() {
        let start = MINUTE * 7;
        assert_eq!(next_tick(start, MINUTE, start + MINUTE / 2), (start + MINUTE, 0));
        assert_eq!(next_tick(start, MINUTE, start + MINUTE), (start + MINUTE * 2, 1));
        assert_eq!(next_tick(start, MINUTE, start + MINUTE * 5 / 2), (start + MINUTE * 3, 2));
    }

    #[test]
    fn logs_are_read_each_interval_or_as_often_as_the_rate_lets_all_of_them() {
        let read_interval = |calls, rate| read_interval(calls, rate, MINUTE);
        assert_eq!(read_interval(1, 20.0), MINUTE);
        assert_eq!(read_interval(1_200, 20.0), MINUTE);
        assert_eq!(read_interval(1_201, 20.0), MINUTE * 2);
        assert_eq!(read_interval(10_001, 20.0), MINUTE * 9);
        assert_eq!(read_interval(10_001, 0.0), MINUTE);
        assert_eq!(read_interval(0, 0.0), MINUTE);
    }

    #[test]
    fn the_calls_of_a_poll_leave_a_twentieth_of_the_interval_to_the_last_response() {
        assert_eq!(budget(20.0, MINUTE), Some(1_139), "57 s of 20 calls, one of them for the list");
        assert_eq!(budget(0.05, MINUTE), Some(1));
        assert_eq!(budget(0.03, MINUTE), None, "one call");
        assert_eq!(budget(0.0, MINUTE), None, "no limit");
    }
}
