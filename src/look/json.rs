//! What the JSON of `check` and `lost` is made of, besides [`crate::json`].

use serde::Serialize;

/// A document as text.
pub(crate) fn pretty(document: &impl Serialize) -> String {
    // Nothing in these documents can fail to be written: their keys are texts, and their numbers are finite.
    serde_json::to_string_pretty(document).unwrap_or_default()
}
