//! Text 0.0.4 and OpenMetrics 1.0 say the same, whatever is written.

use std::collections::BTreeMap;

use cotalker_webhook_exporter::exposition::{Family, Format, Kind, Point, Shared, Sink, Value};
use delivery_ledger::UnixMillis;
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::{option, prop_assert, prop_assert_eq, proptest};

/// One family, as a test makes it up.
#[derive(Clone, Debug)]
struct Made {
    kind: Kind,
    unit: &'static str,
    help: String,
    /// Each with a label of its own.
    metrics: Vec<(String, Option<i64>, Value)>,
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<u64>().prop_map(Value::Count),
        any::<i64>().prop_map(Value::Millis),
        any::<f64>().prop_map(Value::Float),
    ]
}

fn made() -> impl Strategy<Value = Made> {
    let kind = prop_oneof![
        proptest::strategy::Just(Kind::Counter),
        proptest::strategy::Just(Kind::Gauge),
        proptest::strategy::Just(Kind::Histogram),
    ];
    let unit = prop_oneof!["", "_seconds", "_bytes"].prop_map(|unit| match unit.as_str() {
        "_seconds" => "_seconds",
        "_bytes" => "_bytes",
        _ => "",
    });
    let metrics = vec(("\\PC*|[\\\\\"\n a]*", option::of(0..4_000_000_000_000_i64), value()), 0..4);
    let help = "\\PC*|[\\\\\"\n a]*";
    (kind, unit, help, metrics).prop_map(|(kind, unit, help, metrics)| Made { kind, unit, help, metrics })
}

fn write(families: &[Made], sink: &mut dyn Sink) {
    for (number, made) in families.iter().enumerate() {
        let total = if made.kind == Kind::Counter { "_total" } else { "" };
        let name = format!("family_{number}{}{total}", made.unit);
        sink.family(&Family { name: &name, kind: made.kind, help: &made.help });
        for (index, (label, since, value)) in made.metrics.iter().enumerate() {
            let shared = Shared::labels(&[("number", &index.to_string())]);
            let shared = shared.counting_since(since.map(UnixMillis::from_millis));
            let mut put = |point| sink.sample(&shared, &[("label", label)], point);
            if made.kind != Kind::Histogram {
                put(Point::Value(*value));
                continue;
            }
            for (upper, cumulative) in [(0.25, 1), (1.0, 2), (14_400.0, 3), (f64::INFINITY, 4)] {
                put(Point::Bucket { upper, cumulative });
            }
            put(Point::Sum(*value));
            put(Point::Count(4));
        }
    }
}

/// What a page says: each series with its value, each family with its type and HELP. Units and `_created` apart.
#[derive(Debug, Default, PartialEq)]
struct Said {
    samples: BTreeMap<String, String>,
    types: BTreeMap<String, String>,
    helps: BTreeMap<String, String>,
}

fn unescaped(help: &str) -> String {
    let (mut text, mut rest) = (String::new(), help.chars());
    while let Some(character) = rest.next() {
        text.push(match character {
            '\\' => match rest.next().expect("something escaped") {
                'n' => '\n',
                escaped => escaped,
            },
            plain => plain,
        });
    }
    text
}

fn said(page: &str) -> (Said, BTreeMap<String, String>, BTreeMap<String, String>) {
    let (mut said, mut units, mut created) = (Said::default(), BTreeMap::new(), BTreeMap::new());
    let pair = |line: &str| {
        let (name, rest) = line.split_once(' ').expect("a name and more");
        (name.to_owned(), rest.to_owned())
    };
    for line in page.split_terminator('\n') {
        let known = if let Some(line) = line.strip_prefix("# TYPE ") {
            let (name, kind) = pair(line);
            said.types.insert(name.trim_end_matches("_total").to_owned(), kind)
        } else if let Some(line) = line.strip_prefix("# HELP ") {
            let (name, help) = pair(line);
            said.helps.insert(name.trim_end_matches("_total").to_owned(), unescaped(&help))
        } else if let Some(line) = line.strip_prefix("# UNIT ") {
            let (name, unit) = pair(line);
            units.insert(name, unit)
        } else {
            let (series, value) = line.rsplit_once(' ').expect("a series and a value");
            if series.split('{').next().is_some_and(|name| name.ends_with("_created")) {
                created.insert(series.to_owned(), value.to_owned())
            } else {
                said.samples.insert(series.replace(".0\"}", "\"}"), value.to_owned())
            }
        };
        assert_eq!(known, None, "said twice: {line}");
    }
    (said, units, created)
}

proptest! {
    #[test]
    fn text_and_openmetrics_say_the_same_of_whatever_is_measured(families in vec(made(), 0..4)) {
        let page = |format: Format| {
            let mut page = Vec::new();
            format.encode(&mut page, |sink| write(&families, sink));
            String::from_utf8(page).expect("UTF-8")
        };
        let (text, no_units, no_created) = said(&page(Format::Text));
        let (openmetrics, units, created) = said(&page(Format::OpenMetrics));
        prop_assert_eq!(text, openmetrics);
        prop_assert_eq!((no_units.len(), no_created.len()), (0, 0));
        let with_unit = families.iter().filter(|made| !made.unit.is_empty()).count();
        prop_assert_eq!(units.len(), with_unit);
        let is_end = |(name, unit): (&String, &String)| name.rsplit_once('_').is_some_and(|(_, end)| end == unit);
        prop_assert!(units.iter().all(is_end));
        let counting = families.iter().filter(|made| made.kind != Kind::Gauge).flat_map(|made| &made.metrics);
        prop_assert_eq!(created.len(), counting.filter(|(_, since, _)| since.is_some()).count());
    }
}
