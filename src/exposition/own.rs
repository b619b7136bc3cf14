//! What a registry of the `prometheus` crate has gathered, as families and samples.

use delivery_ledger::UnixMillis;
use prometheus::proto::{Metric, MetricFamily, MetricType};

use super::family::{Family, FamilyDoc, Kind};
use super::sample::{Label, Point, Shared, Sink, Value};

/// Hands all families to `sink`, in their order. Their counters have counted since then.
pub fn write(families: &[MetricFamily], since: UnixMillis, sink: &mut dyn Sink) {
    let shared = Shared::NONE.clone().counting_since(Some(since));
    for family in families {
        let Some(kind) = kind_of(family) else { continue };
        sink.family(&Family { name: family.name(), kind, help: family.help() });
        for metric in family.get_metric() {
            write_metric(metric, kind, &shared, sink);
        }
    }
}

fn write_metric(metric: &Metric, kind: Kind, shared: &Shared, sink: &mut dyn Sink) {
    let labels: Vec<Label<'_>> = metric.get_label().iter().map(|label| (label.name(), label.value())).collect();
    let mut put = |point| sink.sample(shared, &labels, point);
    match kind {
        Kind::Counter => put(Point::Value(Value::Float(metric.get_counter().get_value()))),
        Kind::Gauge => put(Point::Value(Value::Float(metric.get_gauge().get_value()))),
        Kind::Histogram => {
            let histogram = metric.get_histogram();
            for bucket in histogram.get_bucket() {
                put(Point::Bucket { upper: bucket.upper_bound(), cumulative: bucket.cumulative_count() });
            }
            // The crate keeps finite buckets only.
            put(Point::Bucket { upper: f64::INFINITY, cumulative: histogram.get_sample_count() });
            put(Point::Sum(Value::Float(histogram.get_sample_sum())));
            put(Point::Count(histogram.get_sample_count()));
        }
    }
}

/// What the documentation says of these families. Labels are those of a family's first series.
#[must_use]
pub fn docs(families: &[MetricFamily]) -> Vec<FamilyDoc> {
    let doc = |family: &MetricFamily| {
        let labels = family.get_metric().first().map_or(&[][..], Metric::get_label);
        Some(FamilyDoc {
            name: family.name().to_owned(),
            kind: kind_of(family)?,
            labels: labels.iter().map(|label| label.name().to_owned()).collect(),
            help: family.help().to_owned(),
        })
    };
    families.iter().filter_map(doc).collect()
}

/// The type of a family; `None` for the two that no instrument of the exporter has.
fn kind_of(family: &MetricFamily) -> Option<Kind> {
    match family.get_field_type() {
        MetricType::COUNTER => Some(Kind::Counter),
        MetricType::GAUGE => Some(Kind::Gauge),
        MetricType::HISTOGRAM => Some(Kind::Histogram),
        MetricType::SUMMARY | MetricType::UNTYPED => None,
    }
}
