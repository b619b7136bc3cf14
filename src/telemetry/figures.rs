//! What the exporter has counted of itself: plain numbers.

use delivery_ledger::UnixMillis;
use delivery_ledger::fleet::PollResult;

use super::results::{ReloadResult, WriteResult};
use crate::api::call::{CallResult, Endpoint};
use crate::exposition::{Label, Point, Series, Value};

/// Seconds; a call is cut off by `--cotalker.timeout`, 30 s by default. A convention.
const CALL_BUCKETS: [f64; 11] = [0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// Seconds; ten thousand webhooks at twenty calls a second take 500. A convention.
const POLL_BUCKETS: [f64; 11] = [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0];

/// All of it. Counts are since the start of the process, times by the local clock.
#[derive(Clone, Debug)]
pub(super) struct Figures {
    /// By endpoint.
    pub(super) calls: [Calls; Endpoint::ALL.len()],
    /// The API asked for a pause until then; `None` if there is none.
    pub(super) backoff_until: Option<UnixMillis>,
    /// In seconds since 1970; `None` if the token in use does not say.
    pub(super) token_expiry: Option<f64>,
    pub(super) polls: [u64; PollResult::ALL.len()],
    pub(super) polls_skipped: u64,
    pub(super) poll_durations: Durations,
    pub(super) poll_interval_seconds: f64,
    pub(super) leads: bool,
    pub(super) webhook_read_interval_seconds: f64,
    /// `None` before the first one without a failure.
    pub(super) last_good_poll: Option<UnixMillis>,
    pub(super) state_writes: [u64; WriteResult::ALL.len()],
    /// `None` before the first good one.
    pub(super) last_state_write: Option<UnixMillis>,
    pub(super) state_recoveries: u64,
    pub(super) web_config_reloads: [u64; ReloadResult::ALL.len()],
    pub(super) log_lines_dropped: u64,
}

/// The calls of one endpoint.
#[derive(Clone, Debug)]
pub(super) struct Calls {
    pub(super) results: [u64; CallResult::ALL.len()],
    pub(super) durations: Durations,
    /// Of responses, after decompression.
    pub(super) bytes: u64,
}

impl Figures {
    /// Nothing has happened yet to an exporter that polls every `poll_interval_seconds`.
    pub(super) fn new(poll_interval_seconds: f64) -> Self {
        let calls = || Calls { results: Default::default(), durations: Durations::new(&CALL_BUCKETS), bytes: 0 };
        Self {
            calls: std::array::from_fn(|_| calls()),
            backoff_until: None,
            token_expiry: None,
            polls: Default::default(),
            polls_skipped: 0,
            poll_durations: Durations::new(&POLL_BUCKETS),
            poll_interval_seconds,
            leads: true,
            webhook_read_interval_seconds: 0.0,
            last_good_poll: None,
            state_writes: Default::default(),
            last_state_write: None,
            state_recoveries: 0,
            web_config_reloads: Default::default(),
            log_lines_dropped: 0,
        }
    }

    /// Takes in what changes without a word, as of `now`. Says whether any of it has.
    pub(super) fn bring_up_to_date(&mut self, now: UnixMillis, log_lines_dropped: u64) -> bool {
        let before = (self.backoff_until, self.log_lines_dropped);
        self.backoff_until = self.backoff_until.filter(|until| *until > now);
        self.log_lines_dropped = log_lines_dropped;
        (self.backoff_until, self.log_lines_dropped) != before
    }
}

/// A histogram of durations in seconds.
#[derive(Clone, Debug)]
pub(super) struct Durations {
    /// The buckets' upper bounds, which are in them, in ascending order.
    bounds: &'static [f64; 11],
    /// How many are in each bucket alone.
    buckets: [u64; 11],
    count: u64,
    sum: f64,
}

impl Durations {
    const fn new(bounds: &'static [f64; 11]) -> Self {
        Self { bounds, buckets: [0; 11], count: 0, sum: 0.0 }
    }

    pub(super) fn observe(&mut self, seconds: f64) {
        if let Some(bucket) = self.bounds.iter().position(|bound| seconds <= *bound) {
            self.buckets[bucket] += 1;
        }
        self.count += 1;
        self.sum += seconds;
    }

    /// Hands it out with these labels.
    pub(super) fn write(&self, series: &mut Series<'_>, labels: &[Label<'_>]) {
        let mut cumulative = 0;
        for (upper, observations) in self.bounds.iter().zip(self.buckets) {
            cumulative += observations;
            series.put_point_with(labels, Point::Bucket { upper: *upper, cumulative });
        }
        series.put_point_with(labels, Point::Bucket { upper: f64::INFINITY, cumulative: self.count });
        series.put_point_with(labels, Point::Sum(Value::Float(self.sum)));
        series.put_point_with(labels, Point::Count(self.count));
    }
}
