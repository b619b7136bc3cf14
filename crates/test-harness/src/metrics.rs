//! A page of metrics as an exporter serves it, read the way a test asks about it.

use std::collections::BTreeMap;

use cotalker_simulator::Truth;
use delivery_ledger::WebhookId;

/// A page of metrics.
#[derive(Clone, Debug)]
pub struct MetricsPage(
    /// Its text.
    pub String,
);

impl MetricsPage {
    /// The sum of the samples of a family that carry all these parts of labels; `None` if there is none.
    #[must_use]
    pub fn sum(&self, family: &str, labels: &[&str]) -> Option<f64> {
        let samples = self.0.lines().filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            let (name, rest) = series.split_once('{').unwrap_or((series, ""));
            (name == family && labels.iter().all(|label| rest.contains(label)))
                .then(|| value.parse::<f64>().expect("a number"))
        });
        samples.fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
    }

    /// The value of a family `cotalker_webhook_…` of one webhook, summed up if it has further labels.
    #[must_use]
    pub fn of(&self, id: WebhookId, family: &str) -> Option<f64> {
        self.with(id, family, "")
    }

    /// The same of the series that carry these labels, in any order.
    #[must_use]
    pub fn with(&self, id: WebhookId, family: &str, labels: &str) -> Option<f64> {
        let id = label_of(id);
        let labels: Vec<&str> = labels.split(',').chain([id.as_str()]).collect();
        self.sum(&format!("cotalker_webhook_{family}"), &labels)
    }

    /// Polls that ended like this.
    #[must_use]
    pub fn polls(&self, result: &str) -> f64 {
        self.sum("cotalker_exporter_polls_total", &[&format!("result=\"{result}\"")]).unwrap_or(0.0)
    }

    /// All polls that have ended.
    #[must_use]
    pub fn all_polls(&self) -> f64 {
        self.sum("cotalker_exporter_polls_total", &[]).expect("polls")
    }

    /// The webhooks' counters by series, histograms included.
    #[must_use]
    pub fn webhook_counters(&self) -> BTreeMap<String, f64> {
        let mut counters = BTreeMap::new();
        let mut is_counter = false;
        for line in self.0.lines() {
            if let Some(family) = line.strip_prefix("# TYPE ") {
                is_counter = family.starts_with("cotalker_webhook_") && !family.ends_with(" gauge");
            } else if is_counter && !line.starts_with('#') {
                let (series, value) = line.rsplit_once(' ').expect("a sample");
                counters.insert(series.to_owned(), value.parse().expect("a number"));
            }
        }
        counters
    }

    /// API calls to this endpoint that ended like this.
    #[must_use]
    pub fn calls(&self, endpoint: &str, result: &str) -> f64 {
        let labels = [format!("endpoint=\"{endpoint}\""), format!("result=\"{result}\"")];
        self.sum("cotalker_api_requests_total", &labels.each_ref().map(String::as_str)).expect("a series")
    }

    /// How the calls to this endpoint ended, besides `ok` and `not_modified`.
    #[must_use]
    pub fn failures(&self, endpoint: &str) -> Vec<&str> {
        let head = format!("cotalker_api_requests_total{{endpoint=\"{endpoint}\",result=\"");
        let results = self.0.lines().filter_map(|line| {
            let (result, calls) = line.strip_prefix(&head)?.split_once("\"} ")?;
            (calls != "0" && !matches!(result, "ok" | "not_modified")).then_some(result)
        });
        results.collect()
    }

    /// Every line about this webhook.
    #[must_use]
    pub fn lines_of(&self, id: WebhookId) -> Vec<&str> {
        let label = label_of(id);
        self.0.lines().filter(|line| line.contains(&label)).collect()
    }

    /// Every line about this webhook that a failed call must leave as it is: counts, and what is known of its state.
    #[must_use]
    pub fn facts_of(&self, id: WebhookId) -> Vec<&str> {
        let mut lines = self.lines_of(id);
        lines.retain(|line| {
            !["cotalker_webhook_up{", "cotalker_webhook_last_poll_"].iter().any(|f| line.starts_with(f))
        });
        lines
    }

    /// How the page differs from what happened; `None` if it does not.
    #[expect(clippy::cast_precision_loss, reason = "counts of tests are small")]
    #[must_use]
    pub fn differs(&self, id: WebhookId, truth: &Truth) -> Option<String> {
        let mut expected = vec![
            ("delivery_attempts_total", String::new(), truth.attempts),
            ("delivery_failures_total", String::new(), truth.failed()),
            ("delivery_retries_total", String::new(), truth.retries),
            ("delivery_responses_total", String::new(), truth.responses.values().sum()),
            ("events_delivered_total", String::new(), truth.delivered),
            ("events_lost_total", String::new(), truth.lost),
            ("events_pending", String::new(), truth.pending),
            ("events_total", String::new(), truth.events.values().sum()),
            ("delivery_delay_seconds_count", String::new(), truth.delivered),
        ];
        for (reason, failures) in &truth.failures {
            expected.push(("delivery_failures_total", format!("reason=\"{reason}\""), *failures));
        }
        for (code, responses) in &truth.responses {
            expected.push(("delivery_responses_total", format!("code=\"{code}\""), *responses));
        }
        for ((event_type, action), events) in &truth.events {
            expected.push(("events_total", format!("event_type=\"{event_type}\",action=\"{action}\""), *events));
        }
        expected.into_iter().find_map(|(family, label, expected)| {
            let shown = self.with(id, family, &label);
            let is_absent_zero = family == "delivery_responses_total" && expected == 0 && shown.is_none();
            (shown != Some(expected as f64) && !is_absent_zero)
                .then(|| format!("{family}{{{label}}} of {id} is {shown:?} instead of {expected}"))
        })
    }

    /// Panics unless the page shows what happened.
    #[track_caller]
    pub fn assert_shows(&self, id: WebhookId, truth: &Truth) {
        if let Some(difference) = self.differs(id, truth) {
            panic!("{difference}");
        }
    }
}

/// The label that every series of this webhook has.
#[must_use]
pub fn label_of(id: WebhookId) -> String {
    format!("webhook_id=\"{id}\"")
}
