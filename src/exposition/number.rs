//! Numbers as the text formats spell them: without loss, and without an exponent.

use std::io::Write as _;

use super::sample::Value;

/// Writes any value.
pub(super) fn write_value(text: &mut Vec<u8>, value: Value) {
    match value {
        Value::Count(count) => text.extend_from_slice(itoa::Buffer::new().format(count).as_bytes()),
        Value::Millis(millis) => write_seconds(text, millis),
        Value::Float(value) => write_float(text, value),
    }
}

/// Milliseconds as seconds, exactly.
pub(super) fn write_seconds(text: &mut Vec<u8>, millis: i64) {
    if millis < 0 {
        text.push(b'-');
    }
    let (seconds, fraction) = (millis.unsigned_abs() / 1_000, millis.unsigned_abs() % 1_000);
    text.extend_from_slice(itoa::Buffer::new().format(seconds).as_bytes());
    if fraction > 0 {
        // Writing into memory does not fail.
        let _ = write!(text, ".{fraction:03}");
    }
}

/// A number as Go's `ParseFloat` reads it, without an exponent.
pub(super) fn write_float(text: &mut Vec<u8>, value: f64) {
    /// Up to here every whole number is one that `f64` tells apart from its neighbours: 2⁵³.
    const WHOLE_BELOW: f64 = 9_007_199_254_740_992.0;
    if value.is_infinite() {
        text.extend_from_slice(if value > 0.0 { b"+Inf" } else { b"-Inf" });
    } else if value.fract() == 0.0 && (1.0..WHOLE_BELOW).contains(&value) {
        // The same digits in a tenth of the time; most bounds of buckets are whole.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, and from 1 to 2⁵³")]
        let whole = value as u64;
        text.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes());
    } else {
        // `NaN` is spelled the same; and writing into memory does not fail.
        let _ = write!(text, "{value}");
    }
}
