//! The flags that say what to log, and how.

use clap::Args;

use crate::options::choice;
use crate::telemetry::{LogConfig, LogFormat};

#[derive(Args, Clone, Debug)]
pub(crate) struct LogOptions {
    /// error, warn, info, debug, trace, or a tracing filter such as warn,hyper=debug
    #[arg(long = "log.level", value_name = "LEVEL", default_value = "info", value_parser = level)]
    level: String,
    /// logfmt or json
    #[arg(long = "log.format", value_name = "FORMAT", default_value = "logfmt", value_parser = choice([("logfmt", LogFormat::Logfmt), ("json", LogFormat::Json)]))]
    format: LogFormat,
}

impl LogOptions {
    /// The settings.
    pub(crate) fn build(self) -> LogConfig {
        LogConfig { filter: self.level, format: self.format }
    }
}

fn level(text: &str) -> Result<String, String> {
    LogConfig::parse_filter(text).ok_or_else(|| {
        "error, warn, info, debug, trace, or a tracing filter of levels and target=level, separated by commas"
            .to_owned()
    })
}
