//! The Prometheus text format 0.0.4.
//! Source: <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>.

use std::io::Write as _;

use super::family::Family;
use super::sample::{Label, Point, SharedLabels, Sink, Value, escape_help, write_labels};

/// Writes families in the text format 0.0.4.
#[derive(Debug, Default)]
pub struct Text {
    text: Vec<u8>,
    /// The name of the family that has begun.
    name: Vec<u8>,
}

impl Text {
    /// An empty text with room for so many bytes.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self { text: Vec::with_capacity(bytes), name: Vec::new() }
    }

    /// What has been written.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.text
    }

    /// Writes a name with its labels, and the space before the value. `le` is the upper bound of a bucket.
    fn series(&mut self, suffix: &[u8], shared: &SharedLabels, labels: &[Label<'_>], le: Option<f64>) {
        let text = &mut self.text;
        text.extend_from_slice(&self.name);
        text.extend_from_slice(suffix);
        let shared = shared.as_bytes();
        let mut before = b'{';
        if !shared.is_empty() {
            text.push(before);
            text.extend_from_slice(shared);
            before = b',';
        }
        if !labels.is_empty() {
            text.push(before);
            write_labels(text, labels);
            before = b',';
        }
        if let Some(le) = le {
            text.push(before);
            text.extend_from_slice(b"le=\"");
            write_float(text, le);
            text.push(b'"');
            before = b',';
        }
        text.extend_from_slice(if before == b'{' { b" " } else { b"} " });
    }

    fn count(&mut self, count: u64) {
        self.text.extend_from_slice(itoa::Buffer::new().format(count).as_bytes());
        self.text.push(b'\n');
    }

    fn value(&mut self, value: Value) {
        match value {
            Value::Count(count) => return self.count(count),
            Value::Millis(millis) => write_seconds(&mut self.text, millis),
            Value::Float(value) => write_float(&mut self.text, value),
        }
        self.text.push(b'\n');
    }
}

impl Sink for Text {
    fn family(&mut self, family: &Family<'_>) {
        self.name.clear();
        self.name.extend_from_slice(family.name.as_bytes());
        let text = &mut self.text;
        text.extend_from_slice(b"# HELP ");
        text.extend_from_slice(&self.name);
        text.push(b' ');
        escape_help(text, family.help);
        text.extend_from_slice(b"\n# TYPE ");
        text.extend_from_slice(&self.name);
        text.push(b' ');
        text.extend_from_slice(family.kind.as_str().as_bytes());
        text.push(b'\n');
    }

    fn sample(&mut self, shared: &SharedLabels, labels: &[Label<'_>], point: Point) {
        match point {
            Point::Value(value) => {
                self.series(b"", shared, labels, None);
                self.value(value);
            }
            Point::Bucket { upper, cumulative } => {
                self.series(b"_bucket", shared, labels, Some(upper));
                self.count(cumulative);
            }
            Point::Sum(value) => {
                self.series(b"_sum", shared, labels, None);
                self.value(value);
            }
            Point::Count(count) => {
                self.series(b"_count", shared, labels, None);
                self.count(count);
            }
        }
    }
}

/// Milliseconds as seconds, exactly.
fn write_seconds(text: &mut Vec<u8>, millis: i64) {
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
fn write_float(text: &mut Vec<u8>, value: f64) {
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

#[cfg(test)]
mod tests {
    use super::super::family::Kind;
    use super::*;

    fn written(write: impl FnOnce(&mut Text)) -> String {
        let mut text = Text::default();
        write(&mut text);
        String::from_utf8(text.finish()).expect("UTF-8")
    }

    #[test]
    fn a_family_has_help_and_type_and_its_samples_have_its_name() {
        let text = written(|text| {
            let shared = SharedLabels::new(&[("a", "1")]);
            text.family(&Family { name: "x", kind: Kind::Gauge, help: "One \\ of\ntwo \"lines\"." });
            text.sample(SharedLabels::NONE, &[], Point::Value(Value::Count(1)));
            text.sample(&shared, &[], Point::Value(Value::Float(1.5)));
            text.sample(SharedLabels::NONE, &[("b", "\\ \n \"")], Point::Value(true.into()));
            text.sample(&shared, &[("b", ""), ("c", "ñ")], Point::Value(Value::Count(2)));
        });
        let expected = "# HELP x One \\\\ of\\ntwo \"lines\".\n# TYPE x gauge\nx 1\nx{a=\"1\"} 1.5\nx{b=\"\\\\ \\n \\\"\"} 1\n\
                        x{a=\"1\",b=\"\",c=\"ñ\"} 2\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_histogram_has_suffixes_and_its_bound_is_the_last_label() {
        let text = written(|text| {
            text.family(&Family { name: "h", kind: Kind::Histogram, help: "" });
            text.sample(SharedLabels::NONE, &[], Point::Bucket { upper: 2.5, cumulative: 1 });
            text.sample(SharedLabels::NONE, &[("b", "1")], Point::Bucket { upper: f64::INFINITY, cumulative: 2 });
            text.sample(SharedLabels::NONE, &[], Point::Sum(Value::Millis(10_084)));
            text.sample(SharedLabels::NONE, &[], Point::Count(2));
        });
        let (_, samples) = text.split_once("histogram\n").expect("a type");
        assert_eq!(samples, "h_bucket{le=\"2.5\"} 1\nh_bucket{b=\"1\",le=\"+Inf\"} 2\nh_sum 10.084\nh_count 2\n");
    }

    #[test]
    fn numbers_are_exact_and_have_no_exponent() {
        for (value, expected) in [
            (Value::Count(u64::MAX), "18446744073709551615"),
            (Value::Millis(-1_001), "-1.001"),
            (Value::Millis(i64::MIN), "-9223372036854775.808"),
            (Value::Float(1e21), "1000000000000000000000"),
            (Value::Float(0.1), "0.1"),
            (Value::Float(0.0), "0"),
            (Value::Float(-0.0), "-0"),
            (Value::Float(-3.0), "-3"),
            (Value::Float(1.0), "1"),
            (Value::Float(9_007_199_254_740_991.0), "9007199254740991"),
            (Value::Float(9_007_199_254_740_992.0), "9007199254740992"),
            (Value::Float(f64::NEG_INFINITY), "-Inf"),
            (Value::Float(f64::NAN), "NaN"),
        ] {
            let text = written(|text| text.sample(SharedLabels::NONE, &[], Point::Value(value)));
            assert_eq!(text, format!(" {expected}\n"));
        }
    }
}
