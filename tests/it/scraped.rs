//! A real Prometheus looks on while the exporter is killed over and over: it sees no counter reset.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::kills::assert_shows_all;
use crate::page::MetricsPage;
use crate::survivor::{Flow, Process, Seen, exporter, free_port, simulator};

const PATIENCE: Duration = Duration::from_secs(30);

struct Prometheus {
    child: Child,
    root: String,
    http: reqwest::Client,
    _directory: tempfile::TempDir,
}

impl Prometheus {
    /// One that scrapes what listens on `port`, every second.
    async fn start(port: u16) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let config = directory.path().join("prometheus.yml");
        let text = format!(
            "global: {{ scrape_interval: 1s }}\nscrape_configs:\n  - job_name: cotalker\n    static_configs: [{{ targets: \
             [\"127.0.0.1:{port}\"] }}]\n"
        );
        fs::write(&config, text).expect("written");
        let own_port = free_port();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", directory.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{own_port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a Prometheus: scripts/test installs it");
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("a client");
        let prometheus = Self { child, root: format!("http://127.0.0.1:{own_port}"), http, _directory: directory };
        let since = Instant::now();
        while prometheus.get("/-/ready", &[]).await.is_none() {
            assert!(since.elapsed() < PATIENCE, "Prometheus does not start");
            sleep(Duration::from_millis(50)).await;
        }
        prometheus
    }

    async fn get(&self, path: &str, parameters: &[(&str, &str)]) -> Option<String> {
        let mut url: url::Url = format!("{}{path}", self.root).parse().expect("a URL");
        url.query_pairs_mut().extend_pairs(parameters);
        let answer = self.http.get(url).send().await.ok()?;
        if answer.status().is_success() { answer.text().await.ok() } else { None }
    }

    /// The values of a query.
    async fn query(&self, query: &str) -> Vec<f64> {
        let text = self.get("/api/v1/query", &[("query", query)]).await.expect("an answer");
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        let results = answer["data"]["result"].as_array().expect("a vector");
        let values = results.iter().map(|result| result["value"][1].as_str().expect("a value"));
        values.map(|value| value.parse().expect("a number")).collect()
    }

    /// What it knows of the webhooks, as a page.
    async fn page(&self) -> MetricsPage {
        let parameters = [("match[]", "{__name__=~\"cotalker_webhook_.*\"}")];
        let text = self.get("/federate", &parameters).await.expect("an answer");
        // Behind each value there is its time.
        let samples = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.rsplit_once(' '));
        MetricsPage(samples.map(|(sample, _)| format!("{sample}\n")).collect())
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_sees_no_reset_across_twenty_kills_and_the_truth_in_the_end() {
    const KILLS: u32 = 20;
    let simulator = simulator().await;
    let state = tempfile::tempdir().expect("a directory");
    let port = free_port();
    let prometheus = Prometheus::start(port).await;
    let flow = Flow::of(&simulator);
    let mut dice = StdRng::seed_from_u64(6);
    for _ in 0..KILLS {
        let mut process = Process::start(exporter(&simulator, state.path(), port), port);
        sleep(Duration::from_millis(dice.random_range(900..2_100))).await;
        assert_eq!(process.has_ended(), None, "{:?}", process.log());
        process.kill();
    }
    flow.stop().await;
    let process = Process::start(exporter(&simulator, state.path(), port), port);
    let page = process.at_rest(&mut Seen::default()).await;
    // Until Prometheus has come by, too.
    sleep(Duration::from_millis(2_500)).await;

    let families = page.0.lines().filter_map(|line| line.strip_prefix("# TYPE cotalker_webhook_"));
    let mut counters: Vec<String> = Vec::new();
    for family in families {
        match family.split_once(' ').expect("a type") {
            (name, "counter") => counters.push(format!("cotalker_webhook_{name}")),
            (name, "histogram") => {
                counters.extend(["bucket", "count", "sum"].map(|suffix| format!("cotalker_webhook_{name}_{suffix}")))
            }
            _ => {}
        }
    }
    let mut series = 0;
    for counter in &counters {
        let resets = prometheus.query(&format!("resets({counter}[15m])")).await;
        assert!(resets.iter().all(|resets| *resets == 0.0), "{counter} was reset: {resets:?}");
        series += resets.len();
    }
    let samples = prometheus.query("count_over_time(cotalker_webhook_delivery_attempts_total[15m])").await;
    let starts = prometheus.query("changes(process_start_time_seconds{job=\"cotalker\"}[15m])").await;
    let attempts = assert_shows_all(&prometheus.page().await, &simulator);
    println!(
        "{KILLS} kills, of which Prometheus saw {starts:?} starts in {samples:?} samples: no reset of {series} series of \
         {} counters; {attempts} attempts in the end",
        counters.len()
    );
    assert!(counters.len() >= 10 && series > 200 && samples.iter().all(|samples| *samples >= 15.0));
}
