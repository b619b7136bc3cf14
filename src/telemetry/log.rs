//! The exporter's log, on standard error.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::log_queue::LogQueue;

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
    /// The filter that `text` means: a level alone is this exporter's, and leaves its libraries at `warn`.
    ///
    /// # Errors
    ///
    /// If it is neither a level nor a filter.
    pub fn parse_filter(text: &str) -> Result<String, ParseError> {
        let text = text.trim();
        let level = text.to_ascii_lowercase();
        let filter = match level.as_str() {
            "error" | "off" => level,
            "warn" | "info" | "debug" | "trace" => {
                format!("warn,{}={level},exporter_web={level}", env!("CARGO_CRATE_NAME"))
            }
            _ => text.to_owned(),
        };
        EnvFilter::try_new(&filter).map(|_| filter)
    }

    /// Sends the log to standard error, through a queue: see [`super::flush_log`]. The first call in a process wins.
    pub fn install(&self) {
        let queue = LogQueue::start();
        let registry = tracing_subscriber::registry().with(EnvFilter::new(&self.filter));
        // An error means that there is a log already.
        let _ = match self.format {
            LogFormat::Logfmt => {
                registry.with(tracing_logfmt::builder().with_target(false).layer().with_writer(queue)).try_init()
            }
            LogFormat::Json => registry
                .with(tracing_subscriber::fmt::layer().json().flatten_event(true).with_target(false).with_writer(queue))
                .try_init(),
        };
    }
}
