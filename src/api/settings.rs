//! How to reach the API.

use std::path::PathBuf;
use std::time::Duration;

use http::HeaderValue;
use url::{Host, Url};

use super::credentials::Credentials;
use crate::secret::Secret;

/// How to reach the API.
#[derive(Clone, Debug)]
pub struct ApiSettings {
    /// The API's root: http or https, a path prefix allowed, nothing behind it.
    pub base_url: Url,
    /// Where the token comes from.
    pub credentials: Credentials,
    /// Sent as the `Company` header.
    pub company: Option<HeaderValue>,
    /// Whether to send `admin: true`.
    pub admin: bool,
    /// PEM of additional trusted CAs.
    pub ca_pem: Option<Vec<u8>>,
    /// The file that `ca_pem` was read from; it is read again when new connections are made.
    pub ca_file: Option<PathBuf>,
    /// For one call, from connect to last byte.
    pub timeout: Duration,
    /// The most bytes that a response may have, decompressed.
    pub max_response_bytes: u64,
    /// The most calls that start in a second; 0 = no limit.
    pub calls_per_second: f64,
    /// The time between two polls: it bounds the backoff.
    pub poll_interval: Duration,
    /// How many seconds of the server pass in a second: 1, but for a simulated one.
    pub clock_speed: f64,
    /// The URL of the proxy to call through, which may hold a password.
    pub proxy: Option<Secret>,
}

impl ApiSettings {
    /// The API's host.
    #[must_use]
    pub fn host(&self) -> &str {
        self.base_url.host_str().unwrap_or_default()
    }

    /// What these settings read: the API's URL, which has no user info, and the company, if one is chosen.
    #[must_use]
    pub fn identity(&self) -> String {
        let url = self.base_url.as_str().trim_end_matches('/');
        match self.company.as_ref().and_then(|company| company.to_str().ok()) {
            Some(company) => format!("{url} (company {company})"),
            None => url.to_owned(),
        }
    }

    /// Whether the token would cross a network unencrypted: http to another machine than this one.
    #[must_use]
    pub fn exposes_token(&self) -> bool {
        let is_loopback = match self.base_url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        self.base_url.scheme() == "http" && !is_loopback
    }
}
