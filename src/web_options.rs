//! Where to serve, and to whom: the flags, and the settings that they make.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args};
use exporter_web::{ListenAddress, PassedSockets, WebConfigFile};

use crate::options::{Refused, one_line, variable};

/// The default of `--web.listen-address`.
pub const DEFAULT_LISTEN_ADDRESS: &str = ":10942";

#[derive(Args, Clone, Debug)]
pub(crate) struct WebOptions {
    /// Address to listen on: host:port, [v6]:port or :port; repeatable
    #[arg(long = "web.listen-address", value_name = "ADDRESS", default_value = DEFAULT_LISTEN_ADDRESS, value_delimiter = ',', value_parser = listen_address)]
    listen: Vec<ListenAddress>,
    /// Serve on the sockets that systemd passes, instead of --web.listen-address
    #[arg(long = "web.systemd-socket", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "false",
        default_missing_value = "true", value_parser = BoolishValueParser::new(), action = ArgAction::Set, hide_possible_values = true)]
    systemd_socket: bool,
    /// Path of the metrics
    #[arg(long = "web.telemetry-path", value_name = "PATH", default_value = "/metrics", value_parser = telemetry_path)]
    telemetry_path: String,
    /// File with TLS, logins, headers and a rate limit, in the exporter-toolkit's format; reloaded when it changes
    #[arg(long = "web.config.file", value_name = "FILE")]
    web_config_file: Option<PathBuf>,
}

/// Where to serve, and to whom.
#[derive(Clone, Debug)]
pub struct WebSettings {
    /// The addresses to listen on, unless sockets were passed.
    pub listen: Vec<ListenAddress>,
    /// The sockets that systemd passed, with `--web.systemd-socket`.
    pub passed: Option<PassedSockets>,
    /// The path of the metrics.
    pub telemetry_path: String,
    /// Who may see the pages, and over what; `None` for everybody over HTTP.
    pub protection: Option<WebConfigFile>,
}

impl WebOptions {
    /// The settings. The web configuration is read only if the process `is_to_serve`, so that the user learns of a wrong
    /// one at the start; and only then systemd's sockets are taken, while the process has one thread.
    pub(crate) fn build(self, is_to_serve: bool) -> Result<WebSettings, Refused> {
        let protection = match self.web_config_file.filter(|_| is_to_serve) {
            Some(path) => Some(WebConfigFile::read(&path).map_err(|error| {
                let flag = "web.config.file";
                Refused(one_line(&format!("--{flag} (or {}): {error}", variable(flag))))
            })?),
            None => None,
        };
        let passed = match self.systemd_socket && is_to_serve {
            true => Some(PassedSockets::take().map_err(|error| {
                let flag = "web.systemd-socket";
                Refused(format!("--{flag} (or {}): {error}", variable(flag)))
            })?),
            false => None,
        };
        Ok(WebSettings { listen: self.listen, passed, telemetry_path: self.telemetry_path, protection })
    }
}

impl WebSettings {
    /// The scheme of the pages' URLs.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.protection.as_ref().is_some_and(WebConfigFile::has_tls) { "https" } else { "http" }
    }
}

fn listen_address(text: &str) -> Result<ListenAddress, String> {
    text.parse().map_err(|_| ListenAddress::FORMS.to_owned())
}

fn telemetry_path(text: &str) -> Result<String, String> {
    let is_path = text.len() > 1
        && text.starts_with('/')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.' | b'~'));
    let is_taken = matches!(text, "/-/healthy" | "/-/ready");
    (is_path && !is_taken).then(|| text.to_owned()).ok_or_else(|| {
        "a path such as /metrics, of letters, digits and / - _ . ~, other than /, /-/healthy and /-/ready".to_owned()
    })
}
