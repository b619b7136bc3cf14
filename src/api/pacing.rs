//! When a call may start: no more than so many in a second, and none during a pause that the API asked for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use delivery_ledger::UnixMillis;
use delivery_ledger::fleet::schedule::backoff;
use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use tokio::time::{Instant, sleep_until};

use super::call::Endpoint;
use super::error::CallError;
use crate::clock;
use crate::telemetry::Instruments;

/// The longest that a `Retry-After` is obeyed, so that one absurd header cannot stop the exporter. A convention.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60 * 60);

/// One account's calls: all of them, of all tasks, go through the same pacer and the same pause.
#[derive(Debug)]
pub(super) struct Pacing {
    pacer: Mutex<Pacer>,
    pause: Mutex<Pause>,
    poll_interval: Duration,
    instruments: Arc<Instruments>,
}

/// A pause that the API asked for.
#[derive(Debug, Default)]
struct Pause {
    until: Option<Instant>,
    /// 429 responses without a `Retry-After`, in a row.
    in_a_row: u32,
}

impl Pacing {
    pub(super) fn new(calls_per_second: f64, poll_interval: Duration, instruments: Arc<Instruments>) -> Self {
        Self { pacer: Mutex::new(Pacer::new(calls_per_second)), pause: Mutex::default(), poll_interval, instruments }
    }

    /// The end of the pause that is in force at `now`, if one is.
    pub(super) fn paused_until(&self, now: Instant) -> Option<Instant> {
        lock(&self.pause).until.filter(|until| *until > now)
    }

    /// Waits until a call may start: for its turn, and for the end of a pause that began meanwhile. A pause that lasts
    /// longer than `longest` is an error at once: whoever makes a single poll wants to know.
    pub(super) async fn turn(&self, longest: Duration) -> Result<(), CallError> {
        loop {
            let turn = lock(&self.pacer).take(Instant::now());
            sleep_until(turn).await;
            let now = Instant::now();
            match self.paused_until(now) {
                None => return Ok(()),
                Some(until) if until > now + longest => return Err(CallError::paused(until - now)),
                Some(until) => sleep_until(until).await,
            }
        }
    }

    /// Takes note of a response: of a pause of all calls that it asks for, or that follows from 429 alone. Where it
    /// asks to leave only its own webhook alone, says for how long.
    ///
    /// `Retry-After` is obeyed with 429, 503 and 403, which some rate limiters send in place of 429. A 503 of a call
    /// about one webhook is about that webhook: the others are read on.
    pub(super) fn note(
        &self,
        endpoint: Endpoint,
        status: StatusCode,
        headers: &HeaderMap,
        server_time: UnixMillis,
    ) -> Option<Duration> {
        let mut pause = lock(&self.pause);
        let is_rate_limited = status == StatusCode::TOO_MANY_REQUESTS;
        if !is_rate_limited && status != StatusCode::SERVICE_UNAVAILABLE {
            pause.in_a_row = 0;
        }
        if !is_rate_limited && !matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::FORBIDDEN) {
            return None;
        }
        let server_time = clock::system_time(server_time);
        let asked = headers.get(RETRY_AFTER).and_then(|header| retry_after(header.to_str().ok()?, server_time));
        let is_of_one_webhook = matches!(endpoint, Endpoint::Webhook | Endpoint::Logs);
        if status == StatusCode::SERVICE_UNAVAILABLE && is_of_one_webhook {
            return asked;
        }
        let wait = match asked {
            Some(wait) => wait,
            None if is_rate_limited => {
                pause.in_a_row = pause.in_a_row.saturating_add(1);
                backoff(pause.in_a_row, self.poll_interval, rand::random())
            }
            None => return None,
        };
        let until = Instant::now() + wait;
        if pause.until.is_none_or(|other| until > other) {
            pause.until = Some(until);
            self.instruments
                .backing_off_until(clock::now().plus_millis(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)));
            tracing::warn!(seconds = wait.as_secs_f64(), %status, "pausing API calls");
        }
        None
    }
}

/// Spaces calls so that no more than a given number start in any second.
#[derive(Debug)]
struct Pacer {
    gap: Duration,
    next: Option<Instant>,
}

impl Pacer {
    /// At most `per_second` calls a second; 0 = no limit.
    fn new(per_second: f64) -> Self {
        let gap = if per_second > 0.0 { Duration::try_from_secs_f64(per_second.recip()) } else { Ok(Duration::ZERO) };
        Self { gap: gap.unwrap_or(Duration::MAX), next: None }
    }

    /// Takes the next turn, and says when it comes.
    fn take(&mut self, now: Instant) -> Instant {
        let turn = self.next.map_or(now, |next| next.max(now));
        self.next = turn.checked_add(self.gap);
        turn
    }
}

/// How long a `Retry-After` header asks to wait: seconds, or an HTTP date that is measured against the server's own
/// clock. `None` where it is neither; bounded to [`LONGEST_RETRY_AFTER`]. Source: RFC 9110, section 10.2.3.
fn retry_after(header: &str, server_time: SystemTime) -> Option<Duration> {
    let header = header.trim();
    let wait = if !header.is_empty() && header.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than fit mean "very long".
        Duration::from_secs(header.parse().unwrap_or(u64::MAX))
    } else {
        httpdate::parse_http_date(header).ok()?.duration_since(server_time).unwrap_or(Duration::ZERO)
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}

/// A mutex that is never held across anything that can panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let minute = Duration::from_secs(60);
        assert_eq!(pacer.take(start + minute), start + minute, "an idle minute saves up no burst");
        let mut unlimited = Pacer::new(0.0);
        assert_eq!((unlimited.take(start), unlimited.take(start)), (start, start));
    }
}
