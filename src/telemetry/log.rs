//! The exporter's log, on standard error.

use tracing_subscriber::filter::Targets;
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
    /// A filter of `tracing`: directives separated by commas.
    pub filter: String,
    /// How lines look.
    pub format: LogFormat,
}

/// The levels, by name: those of `tracing`, in the order of how much they let through.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Whether `text` is a level, or a target with one.
fn is_directive(text: &str) -> bool {
    let (target, level) = text.split_once('=').unwrap_or(("any", text));
    let is_target = target.split("::").all(|part| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    });
    is_target && LEVELS.contains(&level.trim())
}

impl LogConfig {
    /// The filter that `text` means: a level alone is this exporter's, and leaves its libraries at `warn`; otherwise levels
    /// and `target=level`, separated by commas. `None` if it is anything else: a word that is no level would be a target of
    /// that name, and silence the rest.
    #[must_use]
    pub fn parse_filter(text: &str) -> Option<String> {
        let text = text.trim().to_ascii_lowercase();
        match text.as_str() {
            "error" | "off" => Some(text),
            "warn" | "info" | "debug" | "trace" => {
                Some(format!("warn,{}={text},exporter_web={text}", env!("CARGO_CRATE_NAME")))
            }
            _ => text.split(',').all(is_directive).then_some(text),
        }
    }

    /// Sends the log to standard error, through a queue: see [`super::flush_log`]. The first call in a process wins.
    pub fn install(&self) {
        let queue = LogQueue::start();
        // What cannot be parsed has been refused before.
        let filter = self.filter.parse::<Targets>().unwrap_or_default();
        let registry = tracing_subscriber::registry().with(filter);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_alone_is_this_exporters_and_a_filter_stays_as_it_is() {
        let info = "warn,cotalker_webhook_exporter=info,exporter_web=info";
        assert_eq!(LogConfig::parse_filter(" INFO ").as_deref(), Some(info));
        for filter in
            ["off", "error", "info,hyper=debug", "cotalker_webhook_exporter::poller=trace", "warn,a-b=off,c=error"]
        {
            let parsed = LogConfig::parse_filter(filter).expect(filter);
            assert_eq!(parsed, filter);
            parsed.parse::<Targets>().expect("tracing takes it");
        }
    }

    #[test]
    fn what_is_no_level_and_no_filter_is_refused() {
        for text in
            ["", "warning", "inof", "5", "hyper", "info,", ",info", "x=y=z", "hyper=", "=info", "a::=info", "a[b]=info"]
        {
            assert_eq!(LogConfig::parse_filter(text), None, "{text:?}");
        }
    }
}
