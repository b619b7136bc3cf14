//! The ledgers' metric families in the text format 0.0.4: one table, one row per family. A new metric is one row.
//!
//! Written directly, because the registry of the `prometheus` crate costs 25 times as much per series, and because a
//! page that is made anew from the ledgers has no series left of what is gone.

use std::io::Write as _;
use std::sync::OnceLock;

use bytes::Bytes;

use crate::compression::Deflated;
use delivery_ledger::DELAY_BUCKETS_SECONDS;
use delivery_ledger::FailureReason;
use delivery_ledger::{Action, EventType, UnixMillis, Webhook};
use delivery_ledger::{Ledger, Policy};

/// What is appended to the HELP of everything that a scrape reads from memory.
const POLLED: &str =
    " Polled in the background; cotalker_webhook_last_poll_success_timestamp_seconds tells how fresh it is.";

/// Rendered families.
#[derive(Debug, Default)]
pub struct Page {
    plain: Bytes,
    deflated: OnceLock<Deflated>,
}

impl Page {
    /// A page of this text.
    #[must_use]
    pub fn new(plain: Bytes) -> Self {
        Self { plain, deflated: OnceLock::new() }
    }

    /// The families as text.
    #[must_use]
    pub fn plain(&self) -> &Bytes {
        &self.plain
    }

    /// The same compressed, if that has been done.
    #[must_use]
    pub fn deflated_already(&self) -> Option<&Deflated> {
        self.deflated.get()
    }

    /// The same compressed: once per page, at the first call, which is not for an async thread.
    #[must_use]
    pub fn deflated(&self) -> &Deflated {
        self.deflated.get_or_init(|| Deflated::of(&self.plain))
    }
}

/// One webhook, as its metrics see it.
#[derive(Clone, Copy, Debug)]
pub struct WebhookView<'a> {
    /// What the list says of it.
    pub webhook: &'a Webhook,
    /// What its log adds up to.
    pub ledger: &'a Ledger,
    /// Whether the last log call worked; `None` before the first.
    pub is_up: Option<bool>,
    /// When its log was last read, by the local clock.
    pub read_at: Option<UnixMillis>,
}

/// All of them, as the metrics about the whole account see them.
#[derive(Clone, Copy, Debug, Default)]
pub struct AccountView {
    /// Whether the last list worked; `None` before the first.
    pub is_up: Option<bool>,
    /// Webhooks that are not watched because there are too many.
    pub dropped: u64,
    /// Entries of the last list that could not be read.
    pub malformed: u64,
}

/// The type of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Never goes down, but by a restart without state.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Cumulated buckets, sum and count.
    Histogram,
}

impl Kind {
    /// Its name in a `# TYPE` line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// One metric family.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Its labels, besides `webhook_id` and `webhook` of those of a webhook.
    pub labels: &'static [&'static str],
    /// What it means, as a sentence.
    pub help: &'static str,
    samples: Samples,
}

impl Family {
    /// Whether it has series per webhook.
    #[must_use]
    pub const fn is_per_webhook(&self) -> bool {
        matches!(self.samples, Samples::PerWebhook(_))
    }
}

#[derive(Clone, Copy, Debug)]
enum Samples {
    PerWebhook(fn(&mut Series<'_>, &WebhookView<'_>, &Policy)),
    OfAll(fn(&mut Series<'_>, &AccountView, &[WebhookView<'_>])),
}

const fn counter(
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
    samples: fn(&mut Series<'_>, &WebhookView<'_>, &Policy),
) -> Family {
    Family { name, kind: Kind::Counter, labels, help, samples: Samples::PerWebhook(samples) }
}

const fn gauge(
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
    samples: fn(&mut Series<'_>, &WebhookView<'_>, &Policy),
) -> Family {
    Family { name, kind: Kind::Gauge, labels, help, samples: Samples::PerWebhook(samples) }
}

/// Every family, in the order of the page.
pub const FAMILIES: &[Family] = &[
    Family {
        name: "cotalker_up",
        kind: Kind::Gauge,
        labels: &[],
        help: "Whether the last list of webhooks could be read (with --webhook.id: at least one of them).",
        samples: Samples::OfAll(|series, account, _| series.put_opt(account.is_up.map(Value::from))),
    },
    Family {
        name: "cotalker_webhooks",
        kind: Kind::Gauge,
        labels: &["state"],
        help: "Webhooks that are watched, by whether they are switched on.",
        samples: Samples::OfAll(|series, _, webhooks| {
            let active = count(webhooks.iter().filter(|view| view.webhook.active));
            series.put_with(&[("state", "active")], Value::Count(active));
            series.put_with(&[("state", "inactive")], Value::Count(count(webhooks.iter()) - active));
        }),
    },
    Family {
        name: "cotalker_webhooks_dropped",
        kind: Kind::Gauge,
        labels: &[],
        help: "Webhooks that are not watched because there are more than --webhook.limit.",
        samples: Samples::OfAll(|series, account, _| series.put(Value::Count(account.dropped))),
    },
    Family {
        name: "cotalker_webhooks_malformed",
        kind: Kind::Gauge,
        labels: &[],
        help: "Entries of the last list that make no sense and are left out; while there are any, no webhook is taken for gone.",
        samples: Samples::OfAll(|series, account, _| series.put(Value::Count(account.malformed))),
    },
    gauge(
        "cotalker_webhook_info",
        &["name", "trigger", "target_host", "company"],
        "1, with what the list says of the webhook.",
        |series, view, _| {
            let webhook = view.webhook;
            let labels = [
                ("name", webhook.name.as_str()),
                ("trigger", webhook.trigger.as_str()),
                ("target_host", webhook.target_host.as_str()),
                ("company", webhook.company.as_str()),
            ];
            series.put_with(&labels, Value::Count(1));
        },
    ),
    gauge("cotalker_webhook_active", &[], "Whether the webhook is switched on.", |series, view, _| {
        series.put(view.webhook.active.into());
    }),
    gauge(
        "cotalker_webhook_up",
        &[],
        "Whether the webhook's log could be read last time; absent before the first.",
        |series, view, _| series.put_opt(view.is_up.map(Value::from)),
    ),
    gauge(
        "cotalker_webhook_last_poll_success_timestamp_seconds",
        &[],
        "When the webhook's log was last read, by the exporter's clock: the freshness of its other metrics.",
        |series, view, _| series.put_opt(view.read_at.map(Value::Time)),
    ),
    counter(
        "cotalker_webhook_delivery_attempts_total",
        &[],
        "Delivery attempts, each log entry once.",
        |series, view, _| series.put(Value::Count(view.ledger.totals().attempts)),
    ),
    counter(
        "cotalker_webhook_delivery_failures_total",
        &["reason"],
        "Delivery attempts that failed, by reason.",
        |series, view, _| {
            for reason in FailureReason::ALL {
                let failures = view.ledger.totals().failures[reason.index()];
                series.put_with(&[("reason", reason.as_str())], Value::Count(failures));
            }
        },
    ),
    counter(
        "cotalker_webhook_delivery_responses_total",
        &["code"],
        "Delivery attempts that the receiver answered, by its status code; after 32 codes the rest are in code=\"other\".",
        |series, view, _| {
            let totals = view.ledger.totals();
            for (code, responses) in &totals.responses {
                series.put_with(&[("code", itoa::Buffer::new().format(*code))], Value::Count(*responses));
            }
            if totals.responses_other > 0 {
                series.put_with(&[("code", "other")], Value::Count(totals.responses_other));
            }
        },
    ),
    counter(
        "cotalker_webhook_delivery_retries_total",
        &[],
        "Delivery attempts that repeat an earlier one of the same event.",
        |series, view, _| series.put(Value::Count(view.ledger.totals().retries)),
    ),
    counter(
        "cotalker_webhook_events_total",
        &["event_type", "action"],
        "Distinct events of which an attempt was counted; delivered + lost + pending.",
        |series, view, _| {
            let expected = view.webhook.expected_events();
            for event_type in EventType::ALL {
                for action in Action::ALL {
                    let events = view.ledger.events().entered(*event_type, *action);
                    if events > 0 || expected.contains(&(*event_type, *action)) {
                        let labels = [("event_type", event_type.as_str()), ("action", action.as_str())];
                        series.put_with(&labels, Value::Count(events));
                    }
                }
            }
        },
    ),
    counter(
        "cotalker_webhook_events_delivered_total",
        &[],
        "Distinct events that the receiver took.",
        |series, view, _| series.put(Value::Count(view.ledger.events().delivered())),
    ),
    counter(
        "cotalker_webhook_events_lost_total",
        &[],
        "Distinct events that will not be sent again: replay them by hand.",
        |series, view, _| series.put(Value::Count(view.ledger.events().lost())),
    ),
    gauge(
        "cotalker_webhook_events_pending",
        &[],
        "Events that have failed so far and may be sent again.",
        |series, view, _| series.put(Value::Count(view.ledger.events().pending())),
    ),
    Family {
        name: "cotalker_webhook_delivery_delay_seconds",
        kind: Kind::Histogram,
        labels: &[],
        help: "From an event's creation to its delivery.",
        samples: Samples::PerWebhook(|series, view, _| {
            let delay = view.ledger.events().delay();
            let mut below = 0;
            for (bound, deliveries) in DELAY_BUCKETS_SECONDS.iter().zip(delay.buckets) {
                below += deliveries;
                series.put_suffixed("_bucket", &[("le", &bound.to_string())], Value::Count(below));
            }
            let all = delay.buckets.iter().sum();
            series.put_suffixed("_bucket", &[("le", "+Inf")], Value::Count(all));
            let sum = UnixMillis::from_millis(i64::try_from(delay.sum_millis).unwrap_or(i64::MAX));
            series.put_suffixed("_sum", &[], Value::Time(sum));
            series.put_suffixed("_count", &[], Value::Count(all));
        }),
    },
    gauge(
        "cotalker_webhook_blocked",
        &[],
        "1 while the newest attempt is a failure that may still be retried: everything behind it waits.",
        |series, view, policy| series.put(view.ledger.is_blocked(policy).into()),
    ),
    gauge(
        "cotalker_webhook_consecutive_failures",
        &[],
        "Failed attempts since the last success, those before the exporter's start included.",
        |series, view, _| series.put(Value::Count(view.ledger.standing().consecutive_failures)),
    ),
    gauge(
        "cotalker_webhook_head_event_timestamp_seconds",
        &[],
        "When the newest event in the log was created; absent until there is one.",
        |series, view, _| series.put_opt(view.ledger.standing().head_event.map(Value::Time)),
    ),
    gauge(
        "cotalker_webhook_last_success_timestamp_seconds",
        &[],
        "When an attempt last succeeded; absent until one is seen.",
        |series, view, _| series.put_opt(view.ledger.standing().last_success.map(|last| Value::Time(last.at))),
    ),
    gauge(
        "cotalker_webhook_last_failure_timestamp_seconds",
        &[],
        "When an attempt last failed; absent until one is seen.",
        |series, view, _| series.put_opt(view.ledger.standing().last_failure.map(|last| Value::Time(last.position.at))),
    ),
    gauge(
        "cotalker_webhook_log_window_entries",
        &["result"],
        "Entries that the log holds now, counted or not: success, failed, malformed (left out) and foreign (another webhook's, left out).",
        |series, view, _| {
            let window = view.ledger.window();
            for (result, entries) in [
                ("success", window.successes),
                ("failed", window.failures),
                ("malformed", window.malformed),
                ("foreign", window.foreign),
            ] {
                series.put_with(&[("result", result)], Value::Count(entries));
            }
        },
    ),
    gauge(
        "cotalker_webhook_log_window_oldest_timestamp_seconds",
        &[],
        "When the oldest attempt that the log holds was made: the headroom before a gap; absent while it holds none.",
        |series, view, _| series.put_opt(view.ledger.window().oldest.map(Value::Time)),
    ),
    counter(
        "cotalker_webhook_log_gaps_total",
        &[],
        "Polls between which entries may have left the log unseen: a full log in which nothing was known.",
        |series, view, _| series.put(Value::Count(view.ledger.totals().gaps)),
    ),
    counter(
        "cotalker_webhook_log_late_entries_total",
        &[],
        "Attempts that showed up in the log after a younger one had been counted.",
        |series, view, _| series.put(Value::Count(view.ledger.totals().late)),
    ),
];

/// The HELP text of a family, as it stands on the page.
#[must_use]
pub fn help(family: &Family) -> String {
    format!("{}{POLLED}", family.help)
}

/// Renders all families. Webhooks come out in the order in which they are given.
#[must_use]
pub fn render(account: &AccountView, webhooks: &[WebhookView<'_>], policy: &Policy) -> Bytes {
    let labels: Vec<Vec<u8>> = webhooks.iter().map(|view| webhook_labels(view.webhook)).collect();
    // Sixty series of some 150 bytes per webhook.
    let mut text = Vec::with_capacity(8 * 1024 + webhooks.len() * 9 * 1024);
    for family in FAMILIES {
        for part in ["# HELP ", family.name, " "] {
            text.extend_from_slice(part.as_bytes());
        }
        escape(&mut text, &help(family), false);
        for part in ["\n# TYPE ", family.name, " ", family.kind.as_str(), "\n"] {
            text.extend_from_slice(part.as_bytes());
        }
        match family.samples {
            Samples::OfAll(samples) => {
                samples(&mut Series { text: &mut text, name: family.name, labels: &[] }, account, webhooks);
            }
            Samples::PerWebhook(samples) => {
                for (view, labels) in webhooks.iter().zip(&labels) {
                    samples(&mut Series { text: &mut text, name: family.name, labels }, view, policy);
                }
            }
        }
    }
    text.shrink_to_fit();
    text.into()
}

/// `webhook_id="…",webhook="…"`.
fn webhook_labels(webhook: &Webhook) -> Vec<u8> {
    let mut labels = format!("webhook_id=\"{}\",webhook=\"", webhook.id).into_bytes();
    escape(&mut labels, &webhook.label(), true);
    labels.push(b'"');
    labels
}

/// Writes the series of one family, of one webhook or of all.
struct Series<'a> {
    text: &'a mut Vec<u8>,
    name: &'static str,
    labels: &'a [u8],
}

/// A sample's value.
enum Value {
    Count(u64),
    /// A date or a duration, shown in seconds.
    Time(UnixMillis),
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Count(u64::from(value))
    }
}

impl Series<'_> {
    fn put(&mut self, value: Value) {
        self.put_suffixed("", &[], value);
    }

    fn put_opt(&mut self, value: Option<Value>) {
        if let Some(value) = value {
            self.put(value);
        }
    }

    fn put_with(&mut self, labels: &[(&str, &str)], value: Value) {
        self.put_suffixed("", labels, value);
    }

    fn put_suffixed(&mut self, suffix: &str, labels: &[(&str, &str)], value: Value) {
        let text = &mut *self.text;
        text.extend_from_slice(self.name.as_bytes());
        text.extend_from_slice(suffix.as_bytes());
        if !self.labels.is_empty() || !labels.is_empty() {
            text.push(b'{');
            text.extend_from_slice(self.labels);
            for (index, (name, value)) in labels.iter().enumerate() {
                if index > 0 || !self.labels.is_empty() {
                    text.push(b',');
                }
                text.extend_from_slice(name.as_bytes());
                text.extend_from_slice(b"=\"");
                escape(text, value, true);
                text.push(b'"');
            }
            text.push(b'}');
        }
        text.push(b' ');
        match value {
            Value::Count(count) => text.extend_from_slice(itoa::Buffer::new().format(count).as_bytes()),
            Value::Time(time) => put_seconds(text, time.as_millis()),
        }
        text.push(b'\n');
    }
}

/// Milliseconds as seconds, exactly.
fn put_seconds(text: &mut Vec<u8>, millis: i64) {
    if millis < 0 {
        text.push(b'-');
    }
    let (seconds, fraction) = (millis.unsigned_abs() / 1_000, millis.unsigned_abs() % 1_000);
    text.extend_from_slice(itoa::Buffer::new().format(seconds).as_bytes());
    if fraction > 0 {
        // Writing into memory does not fail.
        let _ = write!(text, ".{fraction:03}");
    }
}

/// Escapes as the text format asks: backslash and line feed, and in a label's value the quotation mark too.
fn escape(text: &mut Vec<u8>, value: &str, is_label: bool) {
    for &byte in value.as_bytes() {
        match byte {
            b'\\' => text.extend_from_slice(b"\\\\"),
            b'\n' => text.extend_from_slice(b"\\n"),
            b'"' if is_label => text.extend_from_slice(b"\\\""),
            _ => text.push(byte),
        }
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> u64 {
    u64::try_from(items.count()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use delivery_ledger::Outcome;
    use delivery_ledger::{Attempt, AttemptId, Event, EventKey, Position};

    const POLICY: Policy = Policy { max_retries: 3, pending_timeout_millis: 900_000 };

    fn webhook(code: &str, name: &str) -> Webhook {
        Webhook {
            id: "62685990d918fb5557f9f992".parse().expect("an id"),
            company: "625be93a286ef83c1c0e845f".into(),
            code: code.into(),
            name: name.into(),
            trigger: "create-edit-delete-task".into(),
            target_host: "www.server.com".into(),
            active: true,
        }
    }

    fn page(webhook: &Webhook, ledger: &Ledger) -> String {
        let view = WebhookView { webhook, ledger, is_up: None, read_at: None };
        let account = AccountView { is_up: Some(true), dropped: 0, malformed: 0 };
        String::from_utf8(render(&account, &[view], &POLICY).to_vec()).expect("text")
    }

    #[test]
    fn every_closed_set_is_at_zero_from_the_moment_a_webhook_is_shown() {
        let text = page(&webhook("wo_update", "Work Orders Update"), &Ledger::new(Position::START));
        let zeros = |name: &str| text.lines().filter(|line| line.starts_with(name) && line.ends_with(" 0")).count();
        assert_eq!(zeros("cotalker_webhook_delivery_failures_total{"), FailureReason::ALL.len());
        assert_eq!(zeros("cotalker_webhook_events_total{"), 3);
        assert_eq!(zeros("cotalker_webhook_log_window_entries{"), 4);
        assert_eq!(zeros("cotalker_webhook_delivery_delay_seconds_bucket{"), 14);
        for family in ["attempts_total", "retries_total", "delay_seconds_sum", "delay_seconds_count"] {
            assert_eq!(zeros(&format!("cotalker_webhook_delivery_{family}{{")), 1, "{family}");
        }
        for family in [
            "events_delivered_total",
            "events_lost_total",
            "events_pending",
            "blocked",
            "consecutive_failures",
            "log_gaps_total",
            "log_late_entries_total",
        ] {
            assert_eq!(zeros(&format!("cotalker_webhook_{family}{{")), 1, "{family}");
        }
        for absent in [
            "webhook_up{",
            "last_success_timestamp",
            "head_event_timestamp",
            "window_oldest_timestamp",
            "responses_total{",
        ] {
            assert!(!text.lines().any(|line| !line.starts_with('#') && line.contains(absent)), "{absent}");
        }
    }

    #[test]
    fn an_attempt_shows_with_exact_times() {
        let mut ledger = Ledger::new(Position::START);
        let now = UnixMillis::from_secs(1_651_781_100);
        let mut reading = ledger.read(now);
        reading.observe(Attempt {
            id: AttemptId("62742dd824c886d54e60f02b".parse().expect("an id")),
            at: UnixMillis::from_millis(1_651_781_080_084),
            outcome: Outcome::Success { status: 200 },
            retry: 1,
            event: Some(Event {
                key: EventKey::of([None; 5]),
                event_type: EventType::Task,
                action: Action::Edit,
                created_at: Some(UnixMillis::from_millis(1_651_781_070_000)),
            }),
        });
        ledger.fold(reading.finish(), &POLICY);
        let text = page(&webhook("wo_update", "x"), &ledger);
        let b = r#"webhook_id="62685990d918fb5557f9f992",webhook="wo_update""#;
        for line in [
            format!("cotalker_webhook_delivery_attempts_total{{{b}}} 1"),
            format!("cotalker_webhook_delivery_responses_total{{{b},code=\"200\"}} 1"),
            format!("cotalker_webhook_events_total{{{b},event_type=\"COTTask\",action=\"edit\"}} 1"),
            format!("cotalker_webhook_last_success_timestamp_seconds{{{b}}} 1651781080.084"),
            format!("cotalker_webhook_head_event_timestamp_seconds{{{b}}} 1651781070"),
            format!("cotalker_webhook_delivery_delay_seconds_bucket{{{b},le=\"10\"}} 0"),
            format!("cotalker_webhook_delivery_delay_seconds_bucket{{{b},le=\"30\"}} 1"),
            format!("cotalker_webhook_delivery_delay_seconds_bucket{{{b},le=\"2.5\"}} 0"),
            format!("cotalker_webhook_delivery_delay_seconds_sum{{{b}}} 10.084"),
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }

    #[test]
    fn names_are_escaped_and_a_webhook_without_a_code_goes_by_its_id() {
        let text = page(&webhook("", "a \"quoted\\\" name\nin two lines, ñ"), &Ledger::new(Position::START));
        assert!(text.contains(r#",name="a \"quoted\\\" name\nin two lines, ñ",trigger="#), "{text}");
        assert!(text.contains(r#"webhook_id="62685990d918fb5557f9f992",webhook="62685990d918fb5557f9f992""#));
    }

    #[test]
    fn help_and_type_stand_once_before_each_family() {
        let text = page(&webhook("a", "b"), &Ledger::new(Position::START));
        for family in FAMILIES {
            let (help, kind) =
                (format!("# HELP {} ", family.name), format!("# TYPE {} {}", family.name, family.kind.as_str()));
            assert_eq!(text.lines().filter(|line| line.starts_with(&help)).count(), 1, "{help}");
            assert_eq!(text.lines().filter(|line| *line == kind).count(), 1, "{kind}");
        }
    }
}
