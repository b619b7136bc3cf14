//! What the exporter measures of itself: API calls, polls, the checkpoint, the process.

use std::sync::atomic::{AtomicI64, Ordering};

use prometheus::core::Collector;
#[cfg(target_os = "linux")]
use prometheus::process_collector::ProcessCollector;
use prometheus::proto::MetricFamily;
use prometheus::{Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry};

use delivery_ledger::UnixMillis;

use super::log_queue::take_dropped;
use super::results::{ReloadResult, WriteResult};
use crate::api::call::{CallResult, Endpoint};
use crate::clock;
use crate::exposition::{FamilyDoc, Format, Sink, own};
use delivery_ledger::fleet::PollResult;

/// Seconds; a call is cut off by `--cotalker.timeout`, 30 s by default. A convention.
const CALL_BUCKETS: [f64; 11] = [0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// Seconds; ten thousand webhooks at twenty calls a second take 500. A convention.
const POLL_BUCKETS: [f64; 11] = [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0];

/// Room for all of them in any format: measured, 17 and 27 KiB.
const CAPACITY: usize = 32 * 1024;

const TOKEN_EXPIRY: &str = "cotalker_api_token_expiry_timestamp_seconds";

/// The exporter's own instruments.
#[derive(Debug)]
pub struct Instruments {
    registry: Registry,
    /// When they were at 0.
    since: UnixMillis,
    api_requests: IntCounterVec,
    api_duration: HistogramVec,
    api_bytes: IntCounterVec,
    api_backoff_until: Gauge,
    backoff_until_millis: AtomicI64,
    /// Without labels: it has one series, or none.
    token_expiry: GaugeVec,
    polls: IntCounterVec,
    polls_skipped: IntCounter,
    poll_duration: Histogram,
    poll_interval: Gauge,
    leader: Gauge,
    webhook_read_interval: Gauge,
    last_poll_success: Gauge,
    state_writes: IntCounterVec,
    state_last_write: Gauge,
    state_recoveries: IntCounter,
    log_lines_dropped: IntCounter,
    web_config_reloads: IntCounterVec,
}

impl Instruments {
    /// All instruments at 0, in a registry of their own, for an exporter that polls every `poll_interval_seconds`.
    ///
    /// # Errors
    ///
    /// If two instruments had the same name.
    pub fn new(poll_interval_seconds: f64) -> prometheus::Result<Self> {
        let registry = Registry::new();
        let api_requests = register(
            &registry,
            IntCounterVec::new(
                Opts::new(
                    "cotalker_api_requests_total",
                    "Number of calls to the Cotalker API, by endpoint and result.",
                ),
                &["endpoint", "result"],
            ),
        )?;
        let api_duration = register(
            &registry,
            HistogramVec::new(
                HistogramOpts::new(
                    "cotalker_api_request_duration_seconds",
                    "Duration of calls to the Cotalker API, from connect to last byte.",
                )
                .buckets(CALL_BUCKETS.to_vec()),
                &["endpoint"],
            ),
        )?;
        let api_bytes = register(
            &registry,
            IntCounterVec::new(
                Opts::new(
                    "cotalker_api_response_bytes_total",
                    "Number of bytes in responses of the Cotalker API, after decompression.",
                ),
                &["endpoint"],
            ),
        )?;
        let api_backoff_until = register(
            &registry,
            Gauge::new(
                "cotalker_api_backoff_until_timestamp_seconds",
                "Unix time until which no call to the Cotalker API is made because the API asked for a pause or limits the rate; 0 while there is no pause.",
            ),
        )?;
        let token_expiry = register(
            &registry,
            GaugeVec::new(
                Opts::new(
                    TOKEN_EXPIRY,
                    "Unix time at which the token in use expires, as the token says it; absent if it is no JWT or has no expiry.",
                ),
                &[],
            ),
        )?;
        let polls = register(
            &registry,
            IntCounterVec::new(
                Opts::new(
                    "cotalker_exporter_polls_total",
                    "Number of polls that ended, by result: ok, partial (some log could not be read) or failed (the list could not be read).",
                ),
                &["result"],
            ),
        )?;
        let polls_skipped = register(
            &registry,
            IntCounter::new(
                "cotalker_exporter_polls_skipped_total",
                "Number of polls that were skipped because the previous one was still running.",
            ),
        )?;
        let poll_duration = register(
            &registry,
            Histogram::with_opts(
                HistogramOpts::new(
                    "cotalker_exporter_poll_duration_seconds",
                    "Duration of polls: one pass over the list of webhooks and their logs.",
                )
                .buckets(POLL_BUCKETS.to_vec()),
            ),
        )?;
        let poll_interval = register(
            &registry,
            Gauge::new(
                "cotalker_exporter_poll_interval_seconds",
                "Time between the starts of two polls: --poll.interval, or --replica.standby-interval while another replica holds the Lease.",
            ),
        )?;
        let leader = register(
            &registry,
            Gauge::new(
                "cotalker_exporter_leader",
                "1 if this replica polls each interval, 0 if it stands by because another one holds the Lease; always 1 without --replica.lease.",
            ),
        )?;
        let webhook_read_interval = register(
            &registry,
            Gauge::new(
                "cotalker_exporter_webhook_read_interval_seconds",
                "Longest planned time between two reads of a webhook's log, see cotalker_webhook_poll_interval_seconds; calls that take long make it longer.",
            ),
        )?;
        let last_poll_success = register(
            &registry,
            Gauge::new(
                "cotalker_exporter_last_poll_success_timestamp_seconds",
                "Unix time at which a poll last ended without any failure; 0 before the first one.",
            ),
        )?;
        let state_writes = register(
            &registry,
            IntCounterVec::new(
                Opts::new(
                    "cotalker_exporter_state_writes_total",
                    "Number of writes of the checkpoint (--state.path), by result: ok or error.",
                ),
                &["result"],
            ),
        )?;
        let state_last_write = register(
            &registry,
            Gauge::new(
                "cotalker_exporter_state_last_write_timestamp_seconds",
                "Unix time at which this process last wrote the checkpoint (--state.path); 0 before the first write.",
            ),
        )?;
        let state_recoveries = register(
            &registry,
            IntCounter::new(
                "cotalker_exporter_state_recoveries_total",
                "Number of checkpoints that could not be used at the start and were put aside.",
            ),
        )?;
        let log_lines_dropped = register(
            &registry,
            IntCounter::new(
                "cotalker_exporter_log_lines_dropped_total",
                "Number of log lines that were dropped because nobody read standard error fast enough.",
            ),
        )?;
        let web_config_reloads = register(
            &registry,
            IntCounterVec::new(
                Opts::new(
                    "cotalker_exporter_web_config_reloads_total",
                    "Number of reloads of --web.config.file and the files it names, by result: ok (in force) or error (the last good one stays in force).",
                ),
                &["result"],
            ),
        )?;
        let build_info = register(
            &registry,
            GaugeVec::new(
                Opts::new(
                    "cotalker_exporter_build_info",
                    "Always 1; the labels hold the exporter's version, its git revision and the compiler's version.",
                ),
                &["version", "revision", "rustc"],
            ),
        )?;
        #[cfg(target_os = "linux")]
        registry.register(Box::new(ProcessCollector::for_self()))?;

        // Every series from the start, so that `increase()` sees the first of each.
        for endpoint in Endpoint::ALL {
            for result in CallResult::ALL {
                api_requests.with_label_values(&[endpoint.as_str(), result.as_str()]);
            }
            api_duration.with_label_values(&[endpoint.as_str()]);
            api_bytes.with_label_values(&[endpoint.as_str()]);
        }
        for result in PollResult::ALL {
            polls.with_label_values(&[result.as_str()]);
        }
        for result in WriteResult::ALL {
            state_writes.with_label_values(&[result.as_str()]);
        }
        for result in ReloadResult::ALL {
            web_config_reloads.with_label_values(&[result.as_str()]);
        }
        poll_interval.set(poll_interval_seconds);
        leader.set(1.0);
        build_info.with_label_values(&[crate::build::VERSION, crate::build::REVISION, crate::build::RUSTC]).set(1.0);

        Ok(Self {
            registry,
            since: clock::now(),
            api_requests,
            api_duration,
            api_bytes,
            api_backoff_until,
            backoff_until_millis: AtomicI64::new(0),
            token_expiry,
            polls,
            polls_skipped,
            poll_duration,
            poll_interval,
            leader,
            webhook_read_interval,
            last_poll_success,
            state_writes,
            state_last_write,
            state_recoveries,
            log_lines_dropped,
            web_config_reloads,
        })
    }

    /// An API call ended after so many seconds, with so many bytes of a decompressed response.
    pub fn call_ended(&self, endpoint: Endpoint, result: CallResult, seconds: f64, bytes: u64) {
        self.api_requests.with_label_values(&[endpoint.as_str(), result.as_str()]).inc();
        self.api_duration.with_label_values(&[endpoint.as_str()]).observe(seconds);
        self.api_bytes.with_label_values(&[endpoint.as_str()]).inc_by(bytes);
    }

    /// The API asked for a pause until then, by the local clock.
    pub fn backing_off_until(&self, until: UnixMillis) {
        self.backoff_until_millis.store(until.as_millis(), Ordering::Relaxed);
    }

    /// The token in use expires then, in seconds since 1970; `None` if it does not say.
    pub fn token_expires_at(&self, seconds: Option<f64>) {
        match seconds {
            Some(seconds) => self.token_expiry.with_label_values::<&str>(&[]).set(seconds),
            None => self.token_expiry.reset(),
        }
    }

    /// A poll ended at `now`, by the local clock.
    pub fn poll_ended(&self, result: PollResult, seconds: f64, now: UnixMillis) {
        self.polls.with_label_values(&[result.as_str()]).inc();
        self.poll_duration.observe(seconds);
        if result == PollResult::Ok {
            self.last_poll_success.set(as_seconds(now));
        }
    }

    /// Whether this replica polls each interval from now on, and how many seconds there are between its polls.
    pub fn leads(&self, leads: bool, poll_interval_seconds: f64) {
        self.leader.set(if leads { 1.0 } else { 0.0 });
        self.poll_interval.set(poll_interval_seconds);
    }

    /// So many seconds lie between two reads of a webhook's log at most, as it is planned.
    pub fn reads_each_webhook_every(&self, seconds: f64) {
        self.webhook_read_interval.set(seconds);
    }

    /// Writing the checkpoint ended at `now`, by the local clock.
    pub fn state_written(&self, result: WriteResult, now: UnixMillis) {
        self.state_writes.with_label_values(&[result.as_str()]).inc();
        if result == WriteResult::Ok {
            self.state_last_write.set(as_seconds(now));
        }
    }

    /// So many checkpoints could not be used at the start.
    pub fn state_recovered(&self, checkpoints: u64) {
        self.state_recoveries.inc_by(checkpoints);
    }

    /// A changed web configuration was read.
    pub fn web_config_reloaded(&self, result: ReloadResult) {
        self.web_config_reloads.with_label_values(&[result.as_str()]).inc();
    }

    /// So many polls were left out because one overran.
    pub fn polls_skipped(&self, polls: u64) {
        self.polls_skipped.inc_by(polls);
    }

    /// Hands all of them to `sink`, as of `now` by the local clock.
    pub fn write(&self, now: UnixMillis, sink: &mut dyn Sink) {
        own::write(&self.gather(now), self.since, sink);
    }

    /// All of them as the last part of a page, as of `now` by the local clock.
    #[must_use]
    pub fn render(&self, format: Format, now: UnixMillis) -> Vec<u8> {
        let mut text = Vec::with_capacity(CAPACITY);
        format.encode(&mut text, |sink| self.write(now, sink));
        text.extend_from_slice(format.end());
        text
    }

    /// Every family, for the documentation.
    #[must_use]
    pub fn families(&self) -> Vec<FamilyDoc> {
        let mut families = self.registry.gather();
        if !families.iter().any(|family| family.name() == TOKEN_EXPIRY) {
            // The registry leaves out a family without series.
            families.extend(self.token_expiry.collect());
        }
        families.sort_by(|one, other| one.name().cmp(other.name()));
        own::docs(&families)
    }

    fn gather(&self, now: UnixMillis) -> Vec<MetricFamily> {
        let until = UnixMillis::from_millis(self.backoff_until_millis.load(Ordering::Relaxed));
        self.api_backoff_until.set(if until > now { as_seconds(until) } else { 0.0 });
        self.log_lines_dropped.inc_by(take_dropped());
        self.registry.gather()
    }
}

/// The collector, which `registry` gathers from now on.
fn register<C: Collector + Clone + 'static>(
    registry: &Registry,
    collector: prometheus::Result<C>,
) -> prometheus::Result<C> {
    let collector = collector?;
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}

/// A point in time as the seconds that a metric shows.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "exact for every date until the year 287396")]
pub fn as_seconds(time: UnixMillis) -> f64 {
    time.as_millis() as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use prometheus::{Encoder as _, TextEncoder};

    use super::*;

    #[test]
    fn they_are_written_byte_for_byte_as_the_crate_would_write_them() {
        let instruments = Instruments::new(1.5).expect("instruments");
        let now = UnixMillis::from_millis(1_700_000_000_123);
        instruments.call_ended(Endpoint::Logs, CallResult::Ok, 0.3, 1 << 40);
        instruments.call_ended(Endpoint::Logs, CallResult::Timeout, 1e-9, 0);
        instruments.poll_ended(PollResult::Ok, 1e12, now);
        instruments.backing_off_until(now.plus_millis(1));
        let families = instruments.gather(now);
        let mut expected = Vec::new();
        TextEncoder::new().encode(&families, &mut expected).expect("encoded");
        let mut text = Vec::new();
        Format::Text.encode(&mut text, |sink| own::write(&families, now, sink));
        assert_eq!(String::from_utf8(text), String::from_utf8(expected));
    }

    #[test]
    fn a_pause_that_is_over_is_0() {
        let instruments = Instruments::new(60.0).expect("instruments");
        let until = UnixMillis::from_secs(1_700_000_000);
        instruments.backing_off_until(until);
        let shown = |now| {
            let text = String::from_utf8(instruments.render(Format::Text, now)).expect("UTF-8");
            let line = text.lines().find(|line| line.starts_with("cotalker_api_backoff_until_timestamp_seconds "));
            line.expect("a sample").to_owned()
        };
        assert!(shown(until.plus_millis(-1)).ends_with(" 1700000000"));
        assert!(shown(until).ends_with(" 0"));
    }
}
