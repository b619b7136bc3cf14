//! What the JSON of `check` and `lost` is made of.

use delivery_ledger::UnixMillis;
use jiff::Timestamp;
use serde::Serialize;

/// A point in time as RFC 3339 writes it; `None` where the calendar has no such time.
pub(crate) fn time(at: UnixMillis) -> Option<String> {
    Timestamp::from_millisecond(at.as_millis()).ok().map(|at| at.to_string())
}

/// A duration in seconds.
pub(crate) fn seconds(millis: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "exact below 2^53 ms, which is 285,000 years")]
    let seconds = millis as f64 / 1_000.0;
    seconds
}

/// A document as text.
pub(crate) fn pretty(document: &impl Serialize) -> String {
    // Nothing in these documents can fail to be written: their keys are texts, and their numbers are finite.
    serde_json::to_string_pretty(document).unwrap_or_default()
}
