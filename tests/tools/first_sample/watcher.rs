//! A Prometheus as a user runs it: the shipped rules, one scrape interval, and what it knows of the past.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;
use test_harness::until;

use super::past::{Past, store};
use crate::prometheus_server::{Prometheus, number};

const ALERT: &str = "CotalkerEventLost";

/// A Prometheus that scrapes, and evaluates the rules, every so many seconds.
pub(crate) struct Watcher {
    pub(crate) interval: u32,
    prometheus: Prometheus,
}

impl Watcher {
    /// One that finds its targets in `targets`, and has stored `pasts`.
    pub(crate) fn start(interval: u32, targets: &Path, pasts: &[Past]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        store(pasts, Timestamp::now().as_second(), interval, directory.path());
        let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/prometheus/rules.yml");
        let timeout = interval.min(10);
        let configuration = format!(
            "global: {{ scrape_interval: {interval}s, scrape_timeout: {timeout}s, evaluation_interval: {interval}s }}\nrule_files: [\"{}\"]\nscrape_configs:\n  - job_name: cotalker\n    file_sd_configs: [{{ files: [\"{}\"], refresh_interval: 1s }}]\n",
            rules.display(),
            targets.display()
        );
        Self { interval, prometheus: Prometheus::configured(&configuration, &[], directory) }
    }

    /// Waits until it has scraped each of these since it started.
    pub(crate) async fn sees(&self, targets: &[SocketAddr]) {
        self.wait_for_up(targets, 1.0).await;
    }

    /// Waits until it has missed each of these.
    pub(crate) async fn misses(&self, targets: &[SocketAddr]) {
        self.wait_for_up(targets, 0.0).await;
    }

    async fn wait_for_up(&self, targets: &[SocketAddr], up: f64) {
        let what = format!("up = {up} at {} s", self.interval);
        until(&what, async || {
            let shown = self.prometheus.values("up", ["instance"]).await;
            targets.iter().all(|target| shown.get(&[target.to_string()]) == Some(&up)).then_some(())
        })
        .await;
    }

    /// Waits until a series is `value`, or, with none, is no more.
    pub(crate) async fn shows(&self, series: &str, value: Option<u32>) {
        let what = format!("{series} = {value:?} at {} s", self.interval);
        let value = value.map(f64::from);
        until(&what, async || (self.prometheus.numbers(series).await.first().copied() == value).then_some(())).await;
    }

    /// Waits until it has evaluated the rules with all that it has scraped by now: for as long as two scrapes take.
    pub(crate) async fn evaluates(&self) {
        let scrapes = async || self.prometheus.values("count_over_time(up[1h])", ["instance"]).await;
        let before = scrapes().await;
        until("two more scrapes", async || {
            let now = scrapes().await;
            before.iter().all(|(target, scrapes)| now[target] >= scrapes + 2.0).then_some(())
        })
        .await;
    }

    /// The webhooks whose alert fires, with what it says.
    pub(crate) async fn firing(&self) -> BTreeMap<String, String> {
        let data = self.prometheus.get("alerts", &[]).await.unwrap_or_default();
        let alerts = data["alerts"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        alerts
            .iter()
            .filter(|alert| alert["labels"]["alertname"] == ALERT && alert["state"] == "firing")
            .map(|alert| (text(&alert["labels"]["webhook"]), text(&alert["annotations"]["description"])))
            .collect()
    }

    /// The webhooks whose alert has fired, even for one evaluation, and how often it began to.
    pub(crate) async fn has_fired(&self) -> BTreeMap<String, f64> {
        let query = format!("1 + changes(ALERTS_FOR_STATE{{alertname=\"{ALERT}\"}}[1h])");
        let begun = self.prometheus.values(&query, ["webhook"]).await;
        begun.into_iter().map(|([webhook], times)| (webhook, times)).collect()
    }

    /// The alert's expression, as Prometheus reads it.
    pub(crate) async fn expression(&self) -> String {
        let data = self.prometheus.get("rules", &[]).await.expect("a response");
        let groups = data["groups"].as_array().expect("groups").iter();
        let rules = groups.flat_map(|group| group["rules"].as_array().expect("rules").iter());
        let mut named = rules.filter(|rule| rule["name"] == ALERT);
        named.next().expect("the alert")["query"].as_str().expect("an expression").to_owned()
    }

    /// When it first scraped this value of a series, as a Unix time in seconds.
    pub(crate) async fn first_scrape(&self, series: &str, value: f64) -> f64 {
        let found = self.prometheus.query(&format!("{series}[1h]")).await;
        let mut samples = found[0]["values"].as_array().expect("samples").iter();
        let sample = samples.find(|sample| number(&sample[1]) == value).unwrap_or_else(|| panic!("{found:?}"));
        sample[0].as_f64().expect("a time")
    }

    /// How often a series went down.
    pub(crate) async fn resets(&self, series: &str) -> f64 {
        self.prometheus.numbers(&format!("resets({series}[4h])")).await[0]
    }

    /// The same one, an hour on: nothing has changed on any page since.
    pub(crate) async fn an_hour_on(self) -> Self {
        // A last sample without a stale marker is what the next scrapes would have brought as well.
        let flags = ["--query.lookback-delta=2h"];
        Self { interval: self.interval, prometheus: self.prometheus.reopened("", &flags).await }
    }

    /// For each webhook of which `expression` gives something within this range: when first, when last, and at how many of
    /// the seconds between.
    pub(crate) async fn stretches(&self, expression: &str, range: (f64, f64)) -> BTreeMap<String, (f64, f64, usize)> {
        let found = self.prometheus.query_range(expression, range, "1s").await;
        let stretch = |series: &Value| {
            let samples = series["values"].as_array().expect("samples");
            let at = |sample: &Value| sample[0].as_f64().expect("a time");
            let webhook = series["metric"]["webhook"].as_str().expect("a webhook").to_owned();
            (webhook, (at(&samples[0]), at(&samples[samples.len() - 1]), samples.len()))
        };
        found.iter().map(stretch).collect()
    }

    /// What `expression` gives at a point in time, by webhook.
    pub(crate) async fn at(&self, expression: &str, time: f64) -> BTreeMap<String, f64> {
        let found = self.prometheus.query_range(expression, (time, time), "1s").await;
        let value = |series: &Value| {
            let webhook = series["metric"]["webhook"].as_str().expect("a webhook").to_owned();
            (webhook, number(&series["values"][0][1]))
        };
        found.iter().map(value).collect()
    }
}

/// The Unix time in seconds.
pub(crate) fn now() -> f64 {
    Timestamp::now().as_duration().as_secs_f64()
}
