//! When to call and when to wait: pure policy. Times are instants handed in, randomness is a number handed in.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// The longest that a `Retry-After` is obeyed, so that one absurd header can't blind the exporter. A convention.
pub const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60 * 60);

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

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

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
}
