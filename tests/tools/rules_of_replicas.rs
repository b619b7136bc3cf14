//! The alert rules beside three replicas that share a Lease: while one takes over from another, while all of them are
//! replaced, and while a node is gone, nothing fires but what fires anyway.
//!
//! Each pod shows what the exporter shows in its part: a standby its counts, as of its last poll, and no gauge of a webhook.
//! Receiver `orders` takes everything but one event; `billing` is dead.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

const MINUTES: u32 = 100;

/// When `orders` loses its event, just before each of the scenes.
const LOSS: u32 = 27;

/// Minutes between two polls of a standby.
const STANDBY_INTERVAL: u32 = 10;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Gone,
    Unreachable,
    Standby,
    /// It has the Lease, and its first poll has not ended.
    TakesOver,
    Holder,
}

use Part::{Gone, Holder, Standby, TakesOver, Unreachable};

/// A metric, its labels beside those of all, and its value at each minute.
type Shown<'a, T> = (&'a str, &'a str, &'a dyn Fn(u32) -> T);

/// What a pod is, and from which minute on.
struct Pod {
    name: &'static str,
    parts: &'static [(u32, Part)],
}

impl Pod {
    fn part(&self, minute: u32) -> Part {
        self.parts.iter().rev().find(|(from, _)| *from <= minute).map_or(Gone, |(_, part)| *part)
    }

    /// The minute in which its process began.
    fn start(&self) -> u32 {
        self.parts.iter().find(|(_, part)| *part != Gone).map_or(0, |(from, _)| *from)
    }

    /// The minute of its last poll.
    fn polled(&self, minute: u32) -> u32 {
        let reads = |at: &u32| match self.part(*at) {
            Holder => true,
            Standby => (at - self.start()).is_multiple_of(STANDBY_INTERVAL),
            Gone | Unreachable | TakesOver => false,
        };
        (0..=minute).rev().find(reads).unwrap_or(minute)
    }

    /// The lines of a series; `value` is none where the pod does not show it.
    fn series(&self, lines: &mut String, name: &str, labels: &str, value: impl Fn(u32) -> Option<i64>) {
        let values: Vec<String> = (0..MINUTES)
            .map(|minute| value(minute).map_or_else(|| "stale".to_owned(), |value| value.to_string()))
            .collect();
        let pod = self.name;
        let labels = format!("{labels}job=\"cotalker\", pod=\"{pod}\", instance=\"{pod}:10942\"");
        write!(lines, "      - series: '{name}{{{labels}}}'\n        values: '{}'\n", values.join(" ")).expect("text");
    }

    fn page(&self, lines: &mut String) {
        let shows = |minute| matches!(self.part(minute), Standby | TakesOver | Holder);
        self.series(lines, "up", "", |minute| match self.part(minute) {
            Gone => None,
            Unreachable => Some(0),
            Standby | TakesOver | Holder => Some(1),
        });
        let start = i64::from(self.start()) * 60 - if self.start() == 0 { 36_000 } else { 0 };
        let own: [Shown<'_, i64>; 8] = [
            ("cotalker_exporter_build_info", "version=\"1\", ", &|_| 1),
            ("process_start_time_seconds", "", &|_| start),
            ("cotalker_exporter_leader", "", &|minute| i64::from(self.part(minute) != Standby)),
            ("cotalker_exporter_poll_interval_seconds", "", &|minute| {
                if self.part(minute) == Standby { 600 } else { 60 }
            }),
            ("cotalker_exporter_webhook_read_interval_seconds", "", &|minute| {
                if self.part(minute) == Standby { 600 } else { 60 }
            }),
            ("cotalker_exporter_polls_total", "result=\"ok\", ", &|minute| i64::from(self.polled(minute))),
            ("cotalker_exporter_polls_total", "result=\"partial\", ", &|_| 0),
            ("cotalker_api_token_expiry_timestamp_seconds", "", &|_| 30 * 86_400),
        ];
        for (name, labels, value) in own {
            self.series(lines, name, labels, |minute| shows(minute).then(|| value(minute)));
        }
        let is_holder = |minute| self.part(minute) == Holder;
        self.series(lines, "cotalker_up", "", |minute| is_holder(minute).then_some(1));
        self.series(lines, "cotalker_webhooks", "state=\"active\", ", |minute| is_holder(minute).then_some(2));
        for (webhook, is_dead) in [("orders", false), ("billing", true)] {
            let labels = format!("webhook_id=\"id-{webhook}\", webhook=\"{webhook}\", ");
            let failed_by = |minute: u32| if is_dead { minute } else { 4 * u32::from(minute >= LOSS) };
            let lost_by = |minute: u32| if is_dead { minute / 5 } else { u32::from(minute >= LOSS) };
            // A pod counts from its start on.
            let since = |count: &dyn Fn(u32) -> u32, minute| {
                i64::from(count(self.polled(minute)).saturating_sub(if self.start() == 0 {
                    0
                } else {
                    count(self.start())
                }))
            };
            let counts: [Shown<'_, u32>; 4] = [
                ("cotalker_webhook_delivery_attempts_total", "", &|minute| minute),
                ("cotalker_webhook_delivery_failures_total", "reason=\"refused\", ", &failed_by),
                ("cotalker_webhook_events_lost_total", "", &lost_by),
                ("cotalker_webhook_log_gaps_total", "", &|_| 0),
            ];
            for (name, more, count) in counts {
                let labels = format!("{more}{labels}");
                self.series(lines, name, &labels, |minute| shows(minute).then(|| since(count, minute)));
            }
            let dead = i64::from(is_dead);
            let gauges: [Shown<'_, i64>; 8] = [
                ("cotalker_webhook_up", "", &|_| 1),
                ("cotalker_webhook_active", "", &|_| 1),
                ("cotalker_webhook_info", "name=\"x\", trigger=\"t\", target_host=\"h\", company=\"c\", ", &|_| 1),
                ("cotalker_webhook_blocked", "", &|_| dead),
                ("cotalker_webhook_consecutive_failures", "", &|minute| dead * i64::from(100 + minute)),
                ("cotalker_webhook_last_poll_success_timestamp_seconds", "", &|minute| i64::from(minute) * 60),
                ("cotalker_webhook_poll_interval_seconds", "", &|_| 60),
                ("cotalker_webhook_log_window_entries", "result=\"success\", ", &|_| 100),
            ];
            for (name, more, gauge) in gauges {
                let labels = format!("{more}{labels}");
                self.series(lines, name, &labels, |minute| is_holder(minute).then(|| gauge(minute)));
            }
            if is_dead {
                let labels = format!("reason=\"refused\", {labels}");
                self.series(lines, "cotalker_webhook_failing", &labels, |minute| is_holder(minute).then_some(1));
            }
        }
    }
}

/// That `expression` gives nothing from one minute to another.
fn nothing(lines: &mut String, expression: &str, minutes: std::ops::Range<u32>) {
    for minute in minutes {
        write!(lines, "      - expr: '{expression}'\n        eval_time: {minute}m\n        exp_samples: []\n")
            .expect("text");
    }
}

/// In such a fleet the alerts on the two receivers fire, and no other does.
fn assert_quiet(pods: &[Pod]) {
    let mut tests =
        "rule_files: [rules.yml]\nevaluation_interval: 1m\ntests:\n  - interval: 1m\n    input_series:\n".to_owned();
    for pod in pods {
        pod.page(&mut tests);
    }
    tests.push_str("    promql_expr_test:\n");
    let allowed = "alertname=~\"CotalkerWebhookBlocked|CotalkerEventLost|CotalkerRetriesRising\", webhook=\"billing\"";
    let of_orders = "alertname=\"CotalkerEventLost\", webhook=\"orders\"";
    let others = format!(
        "count by (alertname, webhook, pod) (ALERTS{{alertstate=\"firing\"}} unless ALERTS{{{allowed}}} unless ALERTS{{{of_orders}}})"
    );
    nothing(&mut tests, &others, 15..MINUTES);
    let firing = |labels: &str| format!("absent(ALERTS{{alertstate=\"firing\", {labels}}})");
    nothing(&mut tests, &firing("alertname=\"CotalkerWebhookBlocked\", webhook=\"billing\""), 15..MINUTES);
    nothing(&mut tests, &firing(of_orders), LOSS..LOSS + 14);
    nothing(&mut tests, &format!("count(ALERTS{{{of_orders}}})"), 15..LOSS);
    nothing(&mut tests, &format!("count(ALERTS{{{of_orders}}})"), LOSS + 30..MINUTES);

    let directory = tempfile::tempdir().expect("a directory");
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/prometheus/rules.yml");
    std::fs::copy(rules, directory.path().join("rules.yml")).expect("a copy");
    std::fs::write(directory.path().join("test.yml"), &tests).expect("a file");
    let mut promtool = Command::new("promtool");
    promtool.args(["test", "rules", "test.yml"]).current_dir(directory.path());
    let output = promtool.output().expect("promtool: scripts/test installs it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_hand_over_is_no_news() {
    assert_quiet(&[
        Pod { name: "a", parts: &[(0, Holder), (30, Standby)] },
        Pod { name: "b", parts: &[(0, Standby), (30, TakesOver), (31, Holder)] },
        Pod { name: "c", parts: &[(0, Standby)] },
    ]);
}

#[test]
fn a_rolling_update_is_no_news() {
    assert_quiet(&[
        Pod { name: "a", parts: &[(0, Holder), (34, Unreachable), (35, Gone)] },
        Pod { name: "b", parts: &[(0, Standby), (32, Unreachable), (33, Gone)] },
        Pod { name: "c", parts: &[(0, Standby), (30, Unreachable), (31, Gone)] },
        Pod { name: "d", parts: &[(29, Standby), (34, TakesOver), (35, Holder)] },
        Pod { name: "e", parts: &[(31, Standby)] },
        Pod { name: "f", parts: &[(33, Standby)] },
    ]);
}

#[test]
fn a_node_that_is_gone_is_no_news_while_another_replica_reads() {
    assert_quiet(&[
        Pod { name: "a", parts: &[(0, Holder), (30, Unreachable), (75, Gone)] },
        Pod { name: "b", parts: &[(0, Standby), (31, Holder)] },
        Pod { name: "c", parts: &[(0, Standby)] },
    ]);
}
