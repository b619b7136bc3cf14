//! The Prometheus text format 0.0.4.
//! Source: <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>.

use super::family::Family;
use super::line::write_line;
use super::number::write_float;
use super::sample::{Label, Point, Shared, Sink, Value, escape};

/// Writes families in the text format 0.0.4.
#[derive(Debug)]
pub struct Text<'a> {
    text: &'a mut Vec<u8>,
    /// The name of the family that has begun.
    name: Vec<u8>,
}

impl<'a> Text<'a> {
    /// Writes at the end of `text`.
    #[must_use]
    pub fn new(text: &'a mut Vec<u8>) -> Self {
        Self { text, name: Vec::new() }
    }
}

impl Sink for Text<'_> {
    fn family(&mut self, family: &Family<'_>) {
        self.resume(family);
        let text = &mut *self.text;
        text.extend_from_slice(b"# HELP ");
        text.extend_from_slice(&self.name);
        text.push(b' ');
        escape(text, family.help, |byte| matches!(byte, b'\\' | b'\n'));
        text.extend_from_slice(b"\n# TYPE ");
        text.extend_from_slice(&self.name);
        text.push(b' ');
        text.extend_from_slice(family.kind.as_str().as_bytes());
        text.push(b'\n');
    }

    fn resume(&mut self, family: &Family<'_>) {
        self.name.clear();
        self.name.extend_from_slice(family.name.as_bytes());
    }

    fn sample(&mut self, shared: &Shared, labels: &[Label<'_>], point: Point) {
        let (suffix, le, value) = match point {
            Point::Value(value) => ("", None, value),
            Point::Bucket { upper, cumulative } => {
                ("_bucket", Some((upper, write_float as fn(&mut Vec<u8>, f64))), Value::Count(cumulative))
            }
            Point::Sum(value) => ("_sum", None, value),
            Point::Count(count) => ("_count", None, Value::Count(count)),
        };
        write_line(self.text, (&self.name, suffix), shared, labels, le, value);
    }
}

#[cfg(test)]
mod tests {
    use super::super::family::Kind;
    use super::*;

    fn written(write: impl FnOnce(&mut Text<'_>)) -> String {
        let mut text = Vec::new();
        write(&mut Text::new(&mut text));
        String::from_utf8(text).expect("UTF-8")
    }

    #[test]
    fn a_family_has_help_and_type_and_its_samples_have_its_name() {
        let text = written(|text| {
            let shared = Shared::labels(&[("a", "1")]);
            text.family(&Family { name: "x", kind: Kind::Gauge, help: "One \\ of\ntwo \"lines\"." });
            text.sample(Shared::NONE, &[], Point::Value(Value::Count(1)));
            text.sample(&shared, &[], Point::Value(Value::Float(1.5)));
            text.sample(Shared::NONE, &[("b", "\\ \n \"")], Point::Value(true.into()));
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
            text.sample(Shared::NONE, &[], Point::Bucket { upper: 2.5, cumulative: 1 });
            text.sample(Shared::NONE, &[("b", "1")], Point::Bucket { upper: f64::INFINITY, cumulative: 2 });
            text.sample(Shared::NONE, &[], Point::Sum(Value::Millis(10_084)));
            text.sample(Shared::NONE, &[], Point::Count(2));
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
            let text = written(|text| text.sample(Shared::NONE, &[], Point::Value(value)));
            assert_eq!(text, format!(" {expected}\n"));
        }
    }
}
