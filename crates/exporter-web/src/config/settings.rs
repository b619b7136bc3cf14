//! What a whole file asks for.

use std::collections::BTreeMap;
use std::path::Path;

use http::{HeaderName, HeaderValue};
use secrecy::SecretString;

use super::headers::headers;
use super::rate::{Rate, rate};
use super::tls::{TlsSettings, tls};
use super::users::users;
use super::values::{boolean, given};
use super::yaml::sections;
use crate::error::ConfigError;

/// What a file asks for.
pub(crate) struct Settings {
    /// `None` for plain HTTP.
    pub(crate) tls: Option<TlsSettings>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// The hash of each user's password; empty where no login is needed.
    pub(crate) users: BTreeMap<String, SecretString>,
    /// `None` for no limit.
    pub(crate) rate: Option<Rate>,
}

/// Reads the text of a file in `directory`, to which its paths are relative.
pub(crate) fn parse(text: &[u8], directory: &Path) -> Result<Settings, ConfigError> {
    let file = sections(text)?;
    let http = file.http_server_config.unwrap_or_default();
    if let Some(http2) = given(http.http2) {
        // Both values are honoured: client and server agree on a version, and this server offers HTTP/1.1 only.
        boolean("http_server_config.http2", &http2)?;
    }
    Ok(Settings {
        tls: tls(file.tls_server_config.unwrap_or_default(), directory)?,
        headers: headers(http.headers.unwrap_or_default())?,
        users: users(file.basic_auth_users.unwrap_or_default())?,
        rate: rate(file.rate_limit.unwrap_or_default())?,
    })
}
