//! OpenMetrics as others read it: the reference parser, which is strict, and a real Prometheus.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use cotalker_simulator::demo::demo_scenario;
use serde::Deserialize;
use test_harness::{START, client, program, serve};

use crate::prometheus_server::Prometheus;

/// A family, as the parser understood it.
#[derive(Debug, Deserialize)]
struct Said {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    unit: String,
    help: String,
    samples: Vec<Sample>,
}

#[derive(Debug, Deserialize)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: String,
}

impl Sample {
    /// The series. A bucket's bound is a number, however it is spelled.
    fn series(&self) -> (String, BTreeMap<String, String>) {
        let mut labels = self.labels.clone();
        if let Some(le) = labels.get_mut("le") {
            *le = le.parse::<f64>().expect("a bound").to_string();
        }
        (self.name.clone(), labels)
    }
}

fn parsed(format: &str, page: &str) -> Vec<Said> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut parser = Command::new(root.join("target/tools/python/bin/python"))
        .arg(root.join("tests/tools/openmetrics.py"))
        .arg(format)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("prometheus_client, which scripts/test installs");
    parser.stdin.take().expect("a pipe").write_all(page.as_bytes()).expect("written");
    let output = parser.wait_with_output().expect("its output");
    assert!(output.status.success(), "{format} is refused");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

async fn page(address: std::net::SocketAddr, accept: &str) -> String {
    let request = client().get(format!("http://{address}/metrics")).header("Accept", accept);
    request.send().await.expect("a response").error_for_status().expect("success").text().await.expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_strict_parser_reads_the_same_in_both_formats() {
    let simulator = serve(demo_scenario(START, 1)).await;
    let exporter = program(&["--poll.history=count"]).towards(&simulator).anywhere().quickly().spawn();
    let site = exporter.site().await;
    for _ in 0..3 {
        simulator.advance(Duration::from_secs(3_600));
        site.further_polls(1.0).await;
    }
    // So that every log was read once more since the last hour passed: the two pages are about the same.
    site.further_polls(2.0).await;
    let address = exporter.address().await;
    let openmetrics = parsed("openmetrics", &page(address, "application/openmetrics-text; version=1.0.0").await);
    let text = parsed("text", &page(address, "text/plain").await);

    let kinds = |families: &[Said]| -> BTreeMap<String, (String, String)> {
        families.iter().map(|family| (family.name.clone(), (family.kind.clone(), family.help.clone()))).collect()
    };
    assert_eq!(kinds(&openmetrics), kinds(&text));
    let samples = |families: &[Said]| -> BTreeMap<_, String> {
        let samples = families.iter().flat_map(|family| &family.samples);
        samples.map(|sample| (sample.series(), sample.value.clone())).collect()
    };
    let (mut openmetrics_samples, text_samples) = (samples(&openmetrics), samples(&text));
    let created: BTreeSet<_> =
        openmetrics_samples.keys().filter(|(name, _)| name.ends_with("_created")).cloned().collect();
    openmetrics_samples.retain(|series, _| !created.contains(series));
    assert_eq!(
        openmetrics_samples.keys().collect::<Vec<_>>(),
        text_samples.keys().collect::<Vec<_>>(),
        "the same series"
    );
    // What the exporter measures of itself has changed between the two requests, at the most.
    let differ = openmetrics_samples.iter().filter(|(series, value)| text_samples[*series] != **value);
    let differ: Vec<_> = differ.filter(|((name, _), _)| name.starts_with("cotalker_webhook_delivery_")).collect();
    assert!(differ.is_empty(), "{differ:?}");

    for family in openmetrics.iter().filter(|family| family.kind != "gauge" && !family.samples.is_empty()) {
        let counting = family.samples.iter().filter(|sample| sample.name.ends_with("_created")).count();
        let metrics = family.samples.iter().filter(|sample| {
            sample.name.ends_with("_total") || family.kind == "histogram" && sample.name.ends_with("_count")
        });
        assert_eq!(counting, metrics.count(), "each says since when it counts: {}", family.name);
    }
    for family in &openmetrics {
        let unit = ["seconds", "bytes"].into_iter().find(|unit| family.name.ends_with(&format!("_{unit}")));
        assert_eq!(family.unit, unit.unwrap_or_default(), "{}", family.name);
    }
    assert!(created.len() > 200 && openmetrics.len() > 40, "{} {}", created.len(), openmetrics.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_prometheus_takes_openmetrics_and_knows_the_units_and_since_when_counters_count() {
    let simulator = serve(demo_scenario(START, 1)).await;
    let webhooks = simulator.with_world(|world| world.ids().len());
    let exporter = program(&[]).towards(&simulator).anywhere().quickly().spawn();
    exporter.site().await.further_polls(1.0).await;
    let mut prometheus = Prometheus::start(exporter.address().await, "");
    prometheus.wait_for("cotalker_webhook_events_lost_total", webhooks).await;
    prometheus.wait_for("cotalker_webhook_events_lost_created", webhooks).await;
    prometheus.wait_for("up == 1", 1).await;
    for (family, unit) in [
        ("cotalker_webhook_delivery_delay_seconds", "seconds"),
        ("cotalker_api_response_bytes", "bytes"),
        ("cotalker_webhook_events_lost", ""),
    ] {
        let metadata = prometheus.get("metadata", &[("metric", family)]).await.expect("metadata");
        assert_eq!(metadata[family][0]["unit"], unit, "{family}: {metadata}");
    }
}
