//! When to call and when to wait: pure policy. Times are instants handed in, randomness is a number handed in.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// The longest that a `Retry-After` is obeyed, so that one absurd header can't blind the exporter. A convention.
pub const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60 * 60);

/// The wait after a first failure is at most this, and doubles with each further one. A convention.
const BACKOFF_BASE: Duration = Duration::from_secs(1);

/// The longest wait between two tries of what keeps failing. A convention: five minutes, the usual `for` of an alert.
const BACKOFF_LONGEST: Duration = Duration::from_secs(5 * 60);

/// Of what keeps failing, at most so many rounds in a row are left out, so that it recovers soon at a short interval.
const BACKOFF_LONGEST_ROUNDS: u32 = 4;

/// How long to leave a target alone after its `failures`-th failure in a row: exponential, with full jitter
/// (`random` is uniform in `[0, 1)`), so that many exporters do not come back at once.
#[must_use]
pub fn backoff(failures: u32, interval: Duration, random: f64) -> Duration {
    let Some(doublings) = failures.checked_sub(1) else { return Duration::ZERO };
    let longest = BACKOFF_LONGEST.min(interval.saturating_mul(BACKOFF_LONGEST_ROUNDS));
    let ceiling =
        2_u32.checked_pow(doublings).map_or(longest, |factor| BACKOFF_BASE.saturating_mul(factor)).min(longest);
    ceiling.mul_f64(random.clamp(0.0, 1.0))
}

/// How long a `Retry-After` header asks to wait: seconds, or an HTTP date that is measured against the server's own
/// clock. `None` where it is neither; bounded to [`LONGEST_RETRY_AFTER`]. Source: RFC 9110, section 10.2.3.
#[must_use]
pub fn retry_after(header: &str, server_time: SystemTime) -> Option<Duration> {
    let header = header.trim();
    let wait = if !header.is_empty() && header.bytes().all(|b| b.is_ascii_digit()) {
        // So many digits that they do not fit say "very long".
        Duration::from_secs(header.parse().unwrap_or(u64::MAX))
    } else {
        httpdate::parse_http_date(header).ok()?.duration_since(server_time).unwrap_or(Duration::ZERO)
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}

/// Spaces calls so that no more than a given number start in any second.
#[derive(Debug)]
pub struct Pacer {
    gap: Duration,
    next: Option<Instant>,
}

impl Pacer {
    /// At most `per_second` calls a second; 0 = no limit.
    #[must_use]
    pub fn new(per_second: f64) -> Self {
        let gap = if per_second > 0.0 { Duration::try_from_secs_f64(per_second.recip()) } else { Ok(Duration::ZERO) };
        Self { gap: gap.unwrap_or(Duration::MAX), next: None }
    }

    /// Takes the next place in line, and says when it comes.
    pub fn take(&mut self, now: Instant) -> Instant {
        let turn = self.next.map_or(now, |next| next.max(now));
        self.next = turn.checked_add(self.gap);
        turn
    }
}

/// The longest pause between two log calls of a round: few webhooks are read within seconds.
const LONGEST_SPACING: Duration = Duration::from_secs(1);

/// The pause between the starts of a round's `calls`, so that they do not come in a burst: they fill half of the
/// interval and leave the other half to slow answers.
#[must_use]
pub fn spacing(calls: usize, interval: Duration) -> Duration {
    let calls = u32::try_from(calls).unwrap_or(u32::MAX).max(1);
    (interval / 2 / calls).min(LONGEST_SPACING)
}

/// The first tick after `now` of those every `interval` since `start`, and how many were missed since `previous`.
#[must_use]
pub fn next_tick(previous: Instant, interval: Duration, now: Instant) -> (Instant, u64) {
    let late = now.saturating_duration_since(previous).as_nanos();
    let missed = u64::try_from(late / interval.as_nanos().max(1)).unwrap_or(u64::MAX);
    let steps = u32::try_from(missed).unwrap_or(u32::MAX).saturating_add(1);
    (previous + interval * steps, missed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn the_wait_doubles_up_to_a_bound_and_is_spread_over_all_of_it() {
        assert_eq!(backoff(0, MINUTE, 0.9), Duration::ZERO);
        assert_eq!(backoff(1, MINUTE, 0.5), Duration::from_millis(500));
        assert_eq!(backoff(4, MINUTE, 0.5), Duration::from_secs(4));
        assert_eq!(backoff(4, MINUTE, 0.0), Duration::ZERO);
        assert_eq!(backoff(1_000, MINUTE, 0.5), MINUTE * 2);
        assert_eq!(backoff(1_000, Duration::from_secs(1), 0.5), Duration::from_secs(2));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_by_the_servers_clock_and_never_more_than_an_hour() {
        let now = httpdate::parse_http_date("Thu, 05 May 2022 20:04:40 GMT").expect("a date");
        assert_eq!(retry_after("7", now), Some(Duration::from_secs(7)));
        assert_eq!(retry_after(" 0 ", now), Some(Duration::ZERO));
        assert_eq!(retry_after("Thu, 05 May 2022 20:05:00 GMT", now), Some(Duration::from_secs(20)));
        assert_eq!(retry_after("Thu, 05 May 2022 20:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("86400", now), Some(LONGEST_RETRY_AFTER));
        assert_eq!(retry_after("99999999999999999999999", now), Some(LONGEST_RETRY_AFTER));
        for nonsense in ["", "-1", "soon", "1.5"] {
            assert_eq!(retry_after(nonsense, now), None, "{nonsense}");
        }
    }

    #[test]
    fn calls_take_turns_at_the_rate() {
        let start = Instant::now();
        let mut pacer = Pacer::new(20.0);
        let turns: Vec<_> = (0..3).map(|_| pacer.take(start) - start).collect();
        assert_eq!(turns, [0, 50, 100].map(Duration::from_millis));
        assert_eq!(pacer.take(start + MINUTE), start + MINUTE, "an idle minute saves up no burst");
        let mut unlimited = Pacer::new(0.0);
        assert_eq!((unlimited.take(start), unlimited.take(start)), (start, start));
    }

    #[test]
    fn few_calls_are_a_second_apart_at_most_and_many_fill_half_of_the_interval() {
        assert_eq!(spacing(3, MINUTE), Duration::from_secs(1));
        assert_eq!(spacing(300, MINUTE), Duration::from_millis(100));
        assert_eq!(spacing(0, MINUTE), Duration::from_secs(1));
    }

    #[test]
    fn a_round_that_overruns_skips_whole_ticks_and_keeps_the_beat() {
        let start = Instant::now();
        assert_eq!(next_tick(start, MINUTE, start + MINUTE / 2), (start + MINUTE, 0));
        assert_eq!(next_tick(start, MINUTE, start + MINUTE), (start + MINUTE * 2, 1));
        assert_eq!(next_tick(start, MINUTE, start + MINUTE * 5 / 2), (start + MINUTE * 3, 2));
    }
}
