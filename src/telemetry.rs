//! The exporter's own instruments, and its log.

use std::sync::atomic::{AtomicI64, Ordering};

use prometheus::{
    Encoder as _, Gauge, GaugeVec, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry, TextEncoder,
};

use delivery_ledger::fleet::PollResult;
use delivery_ledger::{UnixMillis, label_set};

label_set! {
    /// A call of the API.
    Endpoint {
        /// All webhooks of the company.
        List = "list",
        /// One webhook by its id.
        Webhook = "webhook",
        /// The delivery log of one webhook.
        Logs = "logs",
        /// E-mail and password for a token.
        Login = "login",
    }
}

label_set! {
    /// How an API call ended.
    CallResult {
        /// With an answer that could be used.
        Ok = "ok",
        /// With the word that nothing has changed.
        NotModified = "not_modified",
        /// 401: the token is wrong or has expired.
        Unauthorized = "unauthorized",
        /// 403: the token lacks the permission.
        Forbidden = "forbidden",
        /// 404.
        NotFound = "not_found",
        /// 429.
        RateLimited = "rate_limited",
        /// Any other status than 2xx.
        HttpError = "http_error",
        /// Not within `--cotalker.timeout`.
        Timeout = "timeout",
        /// No connection, or it broke.
        Connect = "connect",
        /// No trust in the API's certificate, or no common TLS.
        Tls = "tls",
        /// An answer over `--cotalker.max-response-size`.
        TooLarge = "too_large",
        /// An answer that is not what it should be.
        Malformed = "malformed",
    }
}

label_set! {
    /// How writing the checkpoint ended.
    WriteResult {
        /// It is durable.
        Ok = "ok",
        /// It is not, or that can't be said.
        Error = "error",
    }
}

label_set! {
    /// How reading a changed web configuration ended.
    ReloadResult {
        /// It is in force.
        Ok = "ok",
        /// It cannot be used, and the one before stays in force.
        Error = "error",
    }
}

/// Seconds; a call is cut off by `--cotalker.timeout`, 30 s by default. A convention.
const CALL_BUCKETS: [f64; 11] = [0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// Seconds; ten thousand webhooks at twenty calls a second take 500. A convention.
const POLL_BUCKETS: [f64; 11] = [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0];

/// The exporter's own instruments.
#[derive(Debug)]
pub struct Instruments {
    registry: Registry,
    api_requests: IntCounterVec,
    api_duration: HistogramVec,
    api_bytes: IntCounterVec,
    api_backoff_until: Gauge,
    backoff_until_millis: AtomicI64,
    polls: IntCounterVec,
    polls_skipped: IntCounter,
    poll_duration: prometheus::Histogram,
    last_poll_success: Gauge,
    state_writes: IntCounterVec,
    state_last_write: Gauge,
    state_recoveries: IntCounter,
    web_config_reloads: IntCounterVec,
}

impl Instruments {
    /// A registry of its own with all instruments at 0, for an exporter that polls every `poll_interval_seconds`.
    ///
    /// # Errors
    ///
    /// If two instruments had the same name.
    pub fn new(poll_interval_seconds: f64) -> prometheus::Result<Self> {
        let registry = Registry::new();
        let api_requests = IntCounterVec::new(
            Opts::new("cotalker_api_requests_total", "Calls of the Cotalker API, by endpoint and how they ended."),
            &["endpoint", "result"],
        )?;
        let api_duration = HistogramVec::new(
            HistogramOpts::new(
                "cotalker_api_request_duration_seconds",
                "Duration of calls of the Cotalker API, from connect to last byte.",
            )
            .buckets(CALL_BUCKETS.to_vec()),
            &["endpoint"],
        )?;
        let api_bytes = IntCounterVec::new(
            Opts::new("cotalker_api_response_bytes_total", "Bytes of the Cotalker API's answers, decompressed."),
            &["endpoint"],
        )?;
        let api_backoff_until = Gauge::new(
            "cotalker_api_backoff_until_timestamp_seconds",
            "Until when no call is made because the Cotalker API asked for a pause (Retry-After); 0 when it does not.",
        )?;
        let polls = IntCounterVec::new(
            Opts::new(
                "cotalker_exporter_polls_total",
                "Polls that ended: ok, partial (some log could not be read) or failed (the list could not).",
            ),
            &["result"],
        )?;
        let polls_skipped = IntCounter::new(
            "cotalker_exporter_polls_skipped_total",
            "Polls that were left out because the previous one was still running.",
        )?;
        let poll_duration = prometheus::Histogram::with_opts(
            HistogramOpts::new("cotalker_exporter_poll_duration_seconds", "Duration of polls.")
                .buckets(POLL_BUCKETS.to_vec()),
        )?;
        let poll_interval = Gauge::new(
            "cotalker_exporter_poll_interval_seconds",
            "The time between the starts of two polls (--poll.interval).",
        )?;
        let last_poll_success = Gauge::new(
            "cotalker_exporter_last_poll_success_timestamp_seconds",
            "When a poll last ended without any failure; 0 before the first.",
        )?;
        let state_writes = IntCounterVec::new(
            Opts::new(
                "cotalker_exporter_state_writes_total",
                "Writes of the checkpoint (--state.path), by how they ended; 0 without one.",
            ),
            &["result"],
        )?;
        let state_last_write = Gauge::new(
            "cotalker_exporter_state_last_write_timestamp_seconds",
            "When the checkpoint was last written; 0 before the first write of this process.",
        )?;
        let state_recoveries = IntCounter::new(
            "cotalker_exporter_state_recoveries_total",
            "Checkpoints that could not be used at the start, and were put aside.",
        )?;
        let web_config_reloads = IntCounterVec::new(
            Opts::new(
                "cotalker_exporter_web_config_reloads_total",
                "Changes of --web.config.file and the files it names: ok (in force) or error (the last good one stays).",
            ),
            &["result"],
        )?;
        let build_info = GaugeVec::new(
            Opts::new("cotalker_exporter_build_info", "1, with version, revision and compiler of the exporter."),
            &["version", "revision", "rustc"],
        )?;

        registry.register(Box::new(api_requests.clone()))?;
        registry.register(Box::new(api_duration.clone()))?;
        registry.register(Box::new(api_bytes.clone()))?;
        registry.register(Box::new(api_backoff_until.clone()))?;
        registry.register(Box::new(polls.clone()))?;
        registry.register(Box::new(polls_skipped.clone()))?;
        registry.register(Box::new(poll_duration.clone()))?;
        registry.register(Box::new(poll_interval.clone()))?;
        registry.register(Box::new(last_poll_success.clone()))?;
        registry.register(Box::new(state_writes.clone()))?;
        registry.register(Box::new(state_last_write.clone()))?;
        registry.register(Box::new(state_recoveries.clone()))?;
        registry.register(Box::new(web_config_reloads.clone()))?;
        registry.register(Box::new(build_info.clone()))?;
        #[cfg(target_os = "linux")]
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;

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
        build_info.with_label_values(&[crate::build::VERSION, crate::build::REVISION, crate::build::RUSTC]).set(1.0);

        Ok(Self {
            registry,
            api_requests,
            api_duration,
            api_bytes,
            api_backoff_until,
            backoff_until_millis: AtomicI64::new(0),
            polls,
            polls_skipped,
            poll_duration,
            last_poll_success,
            state_writes,
            state_last_write,
            state_recoveries,
            web_config_reloads,
        })
    }

    /// An API call ended.
    pub fn call_ended(&self, endpoint: Endpoint, result: CallResult, seconds: f64, bytes: u64) {
        self.api_requests.with_label_values(&[endpoint.as_str(), result.as_str()]).inc();
        self.api_duration.with_label_values(&[endpoint.as_str()]).observe(seconds);
        self.api_bytes.with_label_values(&[endpoint.as_str()]).inc_by(bytes);
    }

    /// The API asked for a pause until then, by the local clock.
    pub fn backing_off_until(&self, until: UnixMillis) {
        self.backoff_until_millis.store(until.as_millis(), Ordering::Relaxed);
    }

    /// A poll ended at `now`, by the local clock.
    pub fn poll_ended(&self, result: PollResult, seconds: f64, now: UnixMillis) {
        self.polls.with_label_values(&[result.as_str()]).inc();
        self.poll_duration.observe(seconds);
        if result == PollResult::Ok {
            self.last_poll_success.set(as_seconds(now));
        }
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

    /// All of them in the text format 0.0.4, as of `now` by the local clock.
    #[must_use]
    pub fn render(&self, now: UnixMillis) -> Vec<u8> {
        let until = UnixMillis::from_millis(self.backoff_until_millis.load(Ordering::Relaxed));
        self.api_backoff_until.set(if until > now { as_seconds(until) } else { 0.0 });
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            tracing::error!(%error, "failed to render the exporter's own metrics");
        }
        text
    }

    /// Every family, for the README's table.
    #[must_use]
    pub fn families(&self) -> Vec<FamilyDoc> {
        let describe = |family: &prometheus::proto::MetricFamily| {
            let series = family.get_metric().first();
            FamilyDoc {
                name: family.name().to_owned(),
                kind: format!("{:?}", family.get_field_type()).to_lowercase(),
                labels: series.map_or_else(Vec::new, |series| {
                    series.get_label().iter().map(|label| label.name().to_owned()).collect()
                }),
                help: family.help().to_owned(),
            }
        };
        self.registry.gather().iter().map(describe).collect()
    }
}

/// A family of the exporter's own metrics, as the documentation lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FamilyDoc {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// Its labels.
    pub labels: Vec<String>,
    /// What it means, as a sentence.
    pub help: String,
}

/// A point in time as the seconds that a metric shows.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "exact for every date until the year 287396")]
pub fn as_seconds(time: UnixMillis) -> f64 {
    time.as_millis() as f64 / 1_000.0
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// `key=value` pairs.
    Logfmt,
    /// One JSON object a line.
    Json,
}

/// What to log, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// A filter of `tracing`.
    pub filter: String,
    /// How lines look.
    pub format: LogFormat,
}

impl LogConfig {
    /// The filter that `text` means: a level alone is this exporter's, with its web server, and leaves its libraries at `warn`.
    ///
    /// # Errors
    ///
    /// If it is neither a level nor a filter.
    pub fn parse_filter(text: &str) -> Result<String, tracing_subscriber::filter::ParseError> {
        let text = text.trim();
        let level = text.to_ascii_lowercase();
        let filter = match level.as_str() {
            "error" | "off" => level,
            "warn" | "info" | "debug" | "trace" => {
                format!("warn,{}={level},exporter_web={level}", env!("CARGO_CRATE_NAME"))
            }
            _ => text.to_owned(),
        };
        tracing_subscriber::EnvFilter::try_new(&filter).map(|_| filter)
    }

    /// Sends the log to standard error. The first call in a process wins.
    pub fn install(&self) {
        use tracing_subscriber::layer::SubscriberExt as _;
        use tracing_subscriber::util::SubscriberInitExt as _;

        let registry = tracing_subscriber::registry().with(tracing_subscriber::EnvFilter::new(&self.filter));
        // An error means that there is a log already.
        let _ = match self.format {
            LogFormat::Logfmt => registry
                .with(tracing_logfmt::builder().with_target(false).layer().with_writer(std::io::stderr))
                .try_init(),
            LogFormat::Json => registry
                .with(
                    tracing_subscriber::fmt::layer()
                        .json()
                        .flatten_event(true)
                        .with_target(false)
                        .with_writer(std::io::stderr),
                )
                .try_init(),
        };
    }
}
