//! The flags that say how to reach the API.

use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use clap::Args;
use http::HeaderValue;
use url::Url;

use super::credentials::{Credentials, Origin, parse_token, read_password, read_token};
use super::proxy;
use super::settings::ApiSettings;
use crate::options::{Refused, duration};

/// The variable that holds the token itself.
pub const TOKEN_VARIABLE: &str = "COTALKER_TOKEN";

const SHORTEST_TIMEOUT: Duration = Duration::from_millis(1);
const LONGEST_TIMEOUT: Duration = Duration::from_secs(60 * 60);

#[derive(Args, Clone, Debug)]
pub(crate) struct ApiOptions {
    /// API root, http or https; a path prefix is allowed
    #[arg(long = "cotalker.base-url", value_name = "URL", default_value = "https://www.cotalker.com", value_parser = base_url)]
    base_url: Url,
    /// File with the bearer token (COTALKER_TOKEN holds the token itself); read again when it changes and after a 401
    #[arg(long = "cotalker.token-file", value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Log in with this account instead of a token; needs --cotalker.password-file
    #[arg(long = "cotalker.email", value_name = "EMAIL", value_parser = nonempty)]
    email: Option<String>,
    /// File with the password of --cotalker.email
    #[arg(long = "cotalker.password-file", value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Send this in the Company header, to choose one company of several
    #[arg(long = "cotalker.company", value_name = "ID", value_parser = company)]
    company: Option<HeaderValue>,
    /// Send the header admin: true; some accounts need it to read webhooks
    #[arg(long = "cotalker.admin", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "false",
        default_missing_value = "true", value_parser = boolean, action = clap::ArgAction::Set, hide_possible_values = true)]
    admin: bool,
    /// PEM file with an additional trusted CA; read again when it changes
    #[arg(long = "cotalker.ca-file", value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Time limit of one API call, from connect to last byte
    #[arg(long = "cotalker.timeout", value_name = "DURATION", default_value = "30s", value_parser = duration(SHORTEST_TIMEOUT..=LONGEST_TIMEOUT, "30s"))]
    timeout: Duration,
    /// Largest response, decompressed; a call with a larger one fails
    #[arg(long = "cotalker.max-response-size", value_name = "SIZE", default_value = "1GiB", value_parser = size)]
    max_response_size: u64,
}

impl ApiOptions {
    /// The settings, for calls at this rate and for polls at this interval. Every file is read once, so that the user
    /// learns of a wrong one at the start.
    pub(crate) fn build(self, calls_per_second: f64, poll_interval: Duration) -> Result<ApiSettings, Refused> {
        let ca_pem = match &self.ca_file {
            Some(path) => Some(std::fs::read(path).map_err(|error| {
                Refused(format!("--cotalker.ca-file: {}: {error}; a readable PEM file is needed", path.display()))
            })?),
            None => None,
        };
        let proxy = proxy::from_environment(&self.base_url, |name| std::env::var(name).ok())?;
        let token = std::env::var(TOKEN_VARIABLE).ok().filter(|token| !token.is_empty());
        Ok(ApiSettings {
            credentials: credentials(self.token_file, token, self.email, self.password_file)?,
            base_url: self.base_url,
            company: self.company,
            admin: self.admin,
            ca_pem,
            ca_file: self.ca_file,
            timeout: self.timeout,
            max_response_bytes: self.max_response_size,
            calls_per_second,
            poll_interval,
            clock_speed: 1.0,
            proxy,
        })
    }
}

fn credentials(
    token_file: Option<PathBuf>,
    token: Option<String>,
    email: Option<String>,
    password_file: Option<PathBuf>,
) -> Result<Credentials, Refused> {
    let has_token = token_file.is_some() || token.is_some();
    match (email, password_file) {
        (Some(_), _) | (_, Some(_)) if has_token => Err(Refused(format!(
            "give either a token (--cotalker.token-file or {TOKEN_VARIABLE}) or a login (--cotalker.email with --cotalker.password-file), not both"
        ))),
        (Some(email), Some(password_file)) => {
            read_password(&password_file).map_err(|error| Refused(format!("--cotalker.password-file: {error}")))?;
            Ok(Credentials::Login { email, password_file })
        }
        (Some(_), None) => Err(Refused("--cotalker.email needs --cotalker.password-file".to_owned())),
        (None, Some(_)) => Err(Refused("--cotalker.password-file needs --cotalker.email".to_owned())),
        (None, None) => match (token_file, token) {
            (Some(path), _) => {
                read_token(&path).map_err(|error| Refused(format!("--cotalker.token-file: {error}")))?;
                Ok(Credentials::TokenFile(path))
            }
            (None, Some(token)) => parse_token(&token, Origin::Variable(TOKEN_VARIABLE))
                .map(Credentials::Token)
                .map_err(|error| Refused(error.to_string())),
            (None, None) => Err(Refused(format!(
                "no credentials: give a token in --cotalker.token-file or {TOKEN_VARIABLE}, or a login in --cotalker.email and --cotalker.password-file (or run the `demo`)"
            ))),
        },
    }
}

/// Yes or no, in the words that command lines usually take.
fn boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err("true or false".to_owned()),
    }
}

fn base_url(text: &str) -> Result<Url, String> {
    let allowed =
        || "an http or https URL with a host and an optional path, without user, query or fragment".to_owned();
    let url = Url::parse(text).map_err(|_| allowed())?;
    let is_allowed = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    is_allowed.then_some(url).ok_or_else(allowed)
}

fn nonempty(text: &str) -> Result<String, String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned()).ok_or_else(|| "a text that is not empty".to_owned())
}

fn company(text: &str) -> Result<HeaderValue, String> {
    let is_allowed = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    let header = HeaderValue::from_str(text).ok().filter(|_| is_allowed);
    header.ok_or_else(|| "the id of a company: letters and digits".to_owned())
}

fn size(text: &str) -> Result<u64, String> {
    let size = text.parse::<ByteSize>().ok().map(|size| size.as_u64()).filter(|size| *size > 0);
    size.ok_or_else(|| "a size of at least one byte, such as 64MiB, 1GiB or a number of bytes".to_owned())
}
