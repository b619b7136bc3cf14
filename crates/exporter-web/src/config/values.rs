//! What single values mean.

use crate::error::ConfigError;

/// The value, unless it is empty: then it counts as not given, as in the toolkit.
pub(super) fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// YAML 1.1's words for true and false, as the toolkit's library has them.
pub(super) fn boolean(key: &str, text: &str) -> Result<bool, ConfigError> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" => Ok(true),
        "false" | "no" | "off" | "n" => Ok(false),
        _ => Err(ConfigError::value(key, text, "true or false")),
    }
}
