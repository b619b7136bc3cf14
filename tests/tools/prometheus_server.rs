//! A real Prometheus.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use test_harness::{MetricsPage, Program, Running, client, free_address, until};

/// A Prometheus; it ends when it is dropped.
pub(crate) struct Prometheus {
    running: Running,
    address: SocketAddr,
    http: reqwest::Client,
    directory: TempDir,
}

impl Prometheus {
    /// One that scrapes `target` and does nothing else, with these further lines on how.
    pub(crate) fn start(target: SocketAddr, how: &str) -> Self {
        Self::with(&[target], how, tempfile::tempdir().expect("a directory"))
    }

    /// One that scrapes `targets`, with these further lines in its configuration, which may name files in `directory`.
    pub(crate) fn with(targets: &[SocketAddr], lines: &str, directory: TempDir) -> Self {
        let targets: Vec<String> = targets.iter().map(SocketAddr::to_string).collect();
        let targets = serde_json::to_string(&targets).expect("texts");
        let text = format!(
            "global: {{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }}\nscrape_configs:\n  - job_name: cotalker\n    static_configs: [{{ targets: {targets} }}]\n{lines}"
        );
        // Alertmanager takes an alert for gone after four times as long; what is over is sent at once.
        Self::configured(&text, &["--rules.alert.resend-delay=10s"], directory)
    }

    /// One with this configuration, which may name files in `directory`; its database is in `data` there.
    pub(crate) fn configured(configuration: &str, flags: &[&str], directory: TempDir) -> Self {
        let file = directory.path().join("prometheus.yml");
        std::fs::write(&file, configuration).expect("a file");
        let address = free_address();
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", directory.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .args(flags);
        let running = Program::of(command).spawn();
        Self { running, address, http: client(), directory }
    }

    /// Ends it, and starts one with this configuration on what it has stored.
    pub(crate) async fn reopened(self, configuration: &str, flags: &[&str]) -> Self {
        self.running.terminate();
        self.running.ended().await;
        let again = Self::configured(configuration, flags, self.directory);
        until("a response", async || again.get("query", &[("query", "1")]).await).await;
        again
    }

    /// The `data` of a response of its API; `None` while there is none.
    pub(crate) async fn get(&self, path: &str, parameters: &[(&str, &str)]) -> Option<Value> {
        let url = url::Url::parse_with_params(&format!("http://{}/api/v1/{path}", self.address), parameters);
        let response = self.http.get(url.expect("a URL")).send().await.ok()?;
        let text = response.text().await.ok()?;
        let mut response: Value = serde_json::from_str(&text).ok()?;
        assert_eq!(response["status"], "success", "{parameters:?}: {text}");
        Some(response["data"].take())
    }

    /// The series that a query gives at each step of a range, whose borders are Unix times in seconds.
    pub(crate) async fn query_range(&self, query: &str, (from, to): (f64, f64), step: &str) -> Vec<Value> {
        let [from, to] = [from, to].map(|at| format!("{at:.3}"));
        let range = [("query", query), ("start", &from), ("end", &to), ("step", step)];
        let data = self.get("query_range", &range).await.expect("a response");
        data["result"].as_array().cloned().expect("series")
    }

    /// The series that a query gives now.
    pub(crate) async fn query(&self, query: &str) -> Vec<Value> {
        let data = self.get("query", &[("query", query)]).await;
        data.and_then(|data| data["result"].as_array().cloned()).unwrap_or_default()
    }

    /// The values that a query gives, in any order.
    pub(crate) async fn numbers(&self, query: &str) -> Vec<f64> {
        self.query(query).await.iter().map(|series| number(&series["value"][1])).collect()
    }

    /// What it knows of the series that match, as a page.
    pub(crate) async fn page(&self, matching: &str) -> MetricsPage {
        let url = url::Url::parse_with_params(&format!("http://{}/federate", self.address), [("match[]", matching)]);
        let response = self.http.get(url.expect("a URL")).send().await.expect("a response");
        let text = response.error_for_status().expect("success").text().await.expect("text");
        // Behind each value there is its time.
        let samples = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.rsplit_once(' '));
        MetricsPage(samples.map(|(sample, _)| format!("{sample}\n")).collect())
    }

    /// The values that a query gives, by these labels.
    pub(crate) async fn values<const LABELS: usize>(
        &self,
        query: &str,
        labels: [&str; LABELS],
    ) -> BTreeMap<[String; LABELS], f64> {
        let series = self.query(query).await;
        let value = |series: &Value| {
            let labels = labels.map(|label| series["metric"][label].as_str().unwrap_or_default().to_owned());
            (labels, number(&series["value"][1]))
        };
        series.iter().map(value).collect()
    }

    /// Waits until a query gives so many series.
    pub(crate) async fn wait_for(&mut self, query: &str, series: usize) {
        until(query, async || {
            self.running.expect_running();
            (self.query(query).await.len() == series).then_some(())
        })
        .await;
    }
}

/// A sample's value: PromQL's responses have it in quotes.
pub(crate) fn number(value: &Value) -> f64 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{value} is no number"))
}
