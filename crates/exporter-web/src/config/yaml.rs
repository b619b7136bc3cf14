//! The file's text → its sections, and YAML's errors without the file's values.

use serde_saphyr::Error as YamlError;

use super::sections::{KEYS, Sections};
use crate::error::ConfigError;

/// Reads the text of a file. An empty one has no section.
pub(super) fn sections(text: &[u8]) -> Result<Sections, ConfigError> {
    let mut options = serde_saphyr::Options::default();
    // An error's excerpt of the file could show a secret.
    options.with_snippet = false;
    let text = std::str::from_utf8(text).map_err(|_| ConfigError::of_file("not valid UTF-8"))?;
    let sections: Option<Sections> =
        serde_saphyr::from_str_with_options(text, options).map_err(|error| without_values(&error, text))?;
    Ok(sections.unwrap_or_default())
}

/// What the library says, but without anything that stands in the file as a value.
fn without_values(error: &YamlError, text: &str) -> ConfigError {
    let error = error.without_snippet();
    let line = error.location().map_or(0, |location| location.line());
    // The key on that line, where it is a known one: nothing else of the line may be shown.
    let on_line = usize::try_from(line).ok().and_then(|line| text.lines().nth(line.checked_sub(1)?));
    let key = on_line.and_then(|line| line.split_once(':')).map(|(key, _)| key.trim()).filter(|key| KEYS.contains(key));
    let place = match key {
        Some(key) => format!("line {line}, {key}"),
        None => format!("line {line}"),
    };
    #[expect(clippy::wildcard_enum_match_arm, reason = "the library's other errors are all the same to the user")]
    let problem = match error {
        YamlError::SerdeUnknownField { field, expected, .. } => {
            let problem = format!("{} is not a key here; allowed are {}", shown(field), expected.join(", "));
            return ConfigError::at(&format!("line {line}"), problem);
        }
        YamlError::DuplicateMappingKey { key: Some(key), .. } => {
            return ConfigError::at(
                &format!("line {line}"),
                format_args!("{} is given twice; give it once", shown(key)),
            );
        }
        YamlError::DuplicateMappingKey { key: None, .. } => "a key is given twice; give it once",
        YamlError::Unexpected { expected: "mapping start", .. } => "a mapping (keys with values) is needed here",
        YamlError::Unexpected { expected: "sequence start", .. } => "a list is needed here",
        YamlError::Unexpected { .. } | YamlError::NullIntoString { .. } => "a string is needed here",
        YamlError::MultipleDocuments { .. } => "a second document begins; use one",
        _ => "not valid YAML",
    };
    ConfigError::at(&place, problem)
}

/// A key of the file, unless it may be more than a key: a name and a hash, or a text of several lines.
fn shown(key: &str) -> String {
    let is_name = !key.is_empty() && key.len() <= 64 && !key.contains([':', '$', '\n', '\r']);
    if is_name { format!("{key:?}") } else { "a key".to_owned() }
}
