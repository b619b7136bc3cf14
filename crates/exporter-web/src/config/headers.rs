//! `http_server_config.headers`: headers that every response carries.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue};

use crate::error::ConfigError;

/// The headers that may be set, and their values where only some are allowed. Source: the toolkit's `web/handler.go`.
const HEADERS: [(&str, &[&str]); 5] = [
    ("Content-Security-Policy", &[]),
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-XSS-Protection", &[]),
];

/// The headers of this section. One with an empty value is not set.
pub(super) fn headers(
    section: BTreeMap<String, Option<String>>,
) -> Result<Vec<(HeaderName, HeaderValue)>, ConfigError> {
    let mut headers = Vec::new();
    for (name, value) in section {
        let Some((_, values)) = HEADERS.iter().find(|(known, _)| *known == name) else {
            let names: Vec<_> = HEADERS.iter().map(|(name, _)| *name).collect();
            return Err(ConfigError::value("http_server_config.headers", &name, names.join(", ")));
        };
        let key = format!("http_server_config.headers.{name}");
        let value = value.unwrap_or_default();
        if !values.is_empty() && !values.contains(&value.as_str()) {
            return Err(ConfigError::value(&key, &value, values.join(" or ")));
        }
        if value.is_empty() {
            continue;
        }
        let parsed = HeaderValue::from_str(&value)
            .map_err(|_| ConfigError::value(&key, &value, "one line of printable ASCII characters"))?;
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| ConfigError::value("http_server_config.headers", &name, "the name of a header"))?;
        headers.push((name, parsed));
    }
    Ok(headers)
}
