//! OpenMetrics 1.0 as text.
//! Source: <https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md>.

use super::family::{Family, Kind};
use super::line::{Bound, write_line};
use super::number::write_float;
use super::sample::{Label, Point, Shared, Sink, Value, escape};

/// What a page ends with. A page without it was cut off.
pub(super) const END: &[u8] = b"# EOF\n";

/// Writes families in OpenMetrics 1.0, without [`END`].
///
/// It says the same as the text format, and two things more: the unit of a family whose name ends in one, and since when
/// a counter or histogram has counted (`_created`), where that is known. A counter's family lacks `_total`, its samples have
/// it.
#[derive(Debug)]
pub struct OpenMetrics<'a> {
    text: &'a mut Vec<u8>,
    /// The name of the family that has begun, for a counter without `_total`.
    name: Vec<u8>,
    kind: Kind,
}

impl<'a> OpenMetrics<'a> {
    /// Writes at the end of `text`.
    #[must_use]
    pub fn new(text: &'a mut Vec<u8>) -> Self {
        Self { text, name: Vec::new(), kind: Kind::Gauge }
    }

    fn line(&mut self, suffix: &str, shared: &Shared, labels: &[Label<'_>], le: Option<Bound>, value: Value) {
        write_line(self.text, (&self.name, suffix), shared, labels, le, value);
    }

    fn created(&mut self, shared: &Shared, labels: &[Label<'_>]) {
        if let Some(since) = shared.since() {
            self.line("_created", shared, labels, None, since.into());
        }
    }
}

impl Sink for OpenMetrics<'_> {
    fn family(&mut self, family: &Family<'_>) {
        self.resume(family);
        let mut describe = |what: &str, value: &str| {
            self.text.extend_from_slice(what.as_bytes());
            self.text.extend_from_slice(&self.name);
            self.text.push(b' ');
            escape(self.text, value, |byte| matches!(byte, b'\\' | b'\n' | b'"'));
            self.text.push(b'\n');
        };
        describe("# TYPE ", family.kind.as_str());
        if !family.unit().is_empty() {
            describe("# UNIT ", family.unit());
        }
        describe("# HELP ", family.help);
    }

    fn resume(&mut self, family: &Family<'_>) {
        let name = match family.kind {
            Kind::Counter => family.name.strip_suffix("_total").unwrap_or(family.name),
            Kind::Gauge | Kind::Histogram => family.name,
        };
        self.kind = family.kind;
        self.name.clear();
        self.name.extend_from_slice(name.as_bytes());
    }

    fn sample(&mut self, shared: &Shared, labels: &[Label<'_>], point: Point) {
        match (point, self.kind) {
            (Point::Value(value), Kind::Counter) => {
                self.line("_total", shared, labels, None, value);
                self.created(shared, labels);
            }
            (Point::Value(value), Kind::Gauge | Kind::Histogram) => self.line("", shared, labels, None, value),
            (Point::Bucket { upper, cumulative }, _) => {
                self.line("_bucket", shared, labels, Some((upper, write_bound)), Value::Count(cumulative));
            }
            (Point::Sum(value), _) => self.line("_sum", shared, labels, None, value),
            (Point::Count(count), _) => {
                self.line("_count", shared, labels, None, Value::Count(count));
                self.created(shared, labels);
            }
        }
    }
}

/// A bucket's bound in its canonical form: with a point. Source: the standard's section "Considerations: Canonical Numbers".
fn write_bound(text: &mut Vec<u8>, bound: f64) {
    write_float(text, bound);
    if bound.is_finite() && bound.fract() == 0.0 {
        text.extend_from_slice(b".0");
    }
}

#[cfg(test)]
mod tests {
    use delivery_ledger::UnixMillis;

    use super::*;

    fn written(write: impl FnOnce(&mut OpenMetrics<'_>)) -> String {
        let mut text = Vec::new();
        write(&mut OpenMetrics::new(&mut text));
        String::from_utf8(text).expect("UTF-8")
    }

    #[test]
    fn a_counter_has_its_suffix_in_its_samples_only_and_each_tells_since_when_it_counts() {
        let text = written(|text| {
            let since = Some(UnixMillis::from_millis(1_700_000_000_250));
            let shared = Shared::labels(&[("a", "1")]).counting_since(since);
            text.family(&Family { name: "x_bytes_total", kind: Kind::Counter, help: "One \\ of\ntwo \"lines\"." });
            text.sample(&shared, &[], Point::Value(Value::Count(1)));
            text.sample(&shared, &[("b", "\"")], Point::Value(Value::Count(2)));
            text.sample(Shared::NONE, &[], Point::Value(Value::Count(3)));
        });
        let expected = "# TYPE x_bytes counter\n# UNIT x_bytes bytes\n# HELP x_bytes One \\\\ of\\ntwo \\\"lines\\\".\n\
                        x_bytes_total{a=\"1\"} 1\nx_bytes_created{a=\"1\"} 1700000000.250\n\
                        x_bytes_total{a=\"1\",b=\"\\\"\"} 2\nx_bytes_created{a=\"1\",b=\"\\\"\"} 1700000000.250\n\
                        x_bytes_total 3\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_histograms_bounds_are_canonical_and_a_gauge_is_not_created() {
        let text = written(|text| {
            let shared = Shared::NONE.clone().counting_since(Some(UnixMillis::from_secs(7)));
            text.family(&Family { name: "h", kind: Kind::Histogram, help: "" });
            for (upper, cumulative) in [(0.5, 1), (1.0, 2), (14_400.0, 3), (f64::INFINITY, 4)] {
                text.sample(&shared, &[], Point::Bucket { upper, cumulative });
            }
            text.sample(&shared, &[], Point::Sum(Value::Millis(1)));
            text.sample(&shared, &[], Point::Count(4));
            text.family(&Family { name: "g", kind: Kind::Gauge, help: "" });
            text.sample(&shared, &[], Point::Value(Value::Float(1.5)));
        });
        let expected = "# TYPE h histogram\n# HELP h \nh_bucket{le=\"0.5\"} 1\nh_bucket{le=\"1.0\"} 2\n\
                        h_bucket{le=\"14400.0\"} 3\nh_bucket{le=\"+Inf\"} 4\nh_sum 0.001\nh_count 4\nh_created 7\n\
                        # TYPE g gauge\n# HELP g \ng 1.5\n";
        assert_eq!(text, expected);
    }
}
