//! The rate limit.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use crate::config::Rate;

/// A bucket of tokens that is full at first and gains one each interval. As in the toolkit, all clients share it.
#[derive(Debug)]
pub(crate) struct Bucket {
    rate: Rate,
    /// When it is full again if nothing more is taken; `None` until the first token is taken.
    full_at: Mutex<Option<Instant>>,
}

impl Bucket {
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, full_at: Mutex::new(None) }
    }

    /// Takes a token if there is one.
    pub(crate) fn take(&self, now: Instant) -> bool {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let from = full_at.map_or(now, |at| at.max(now));
        // There is a token unless all of them are still to come.
        let longest = self.rate.interval.saturating_mul(self.rate.burst - 1);
        let is_there = from.duration_since(now) <= longest;
        if is_there {
            *full_at = Some(from + self.rate.interval);
        }
        is_there
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_burst_is_let_through_and_then_one_each_interval() {
        let interval = Duration::from_secs(10);
        let bucket = Bucket::new(Rate { interval, burst: 3 });
        let start = Instant::now();
        let taken = |seconds: f64| bucket.take(start + Duration::from_secs_f64(seconds));
        assert_eq!([0.0, 0.0, 1.0, 1.0, 9.9].map(taken), [true, true, true, false, false]);
        assert_eq!([10.0, 10.0, 19.9, 20.0, 20.0].map(taken), [true, false, false, true, false]);
        // After a rest it is full, and not more than full.
        assert_eq!([1_000.0; 4].map(taken), [true, true, true, false]);
    }
}
