//! The ledgers' metric families: one table, one row per family. A new metric is one row.
//!
//! They are made anew from the ledgers each time, so that no series is left of a webhook that is gone; the registry of the
//! `prometheus` crate would keep them, and costs 25 times as much per series.

use delivery_ledger::{Action, DELAY_BUCKETS_SECONDS, EventType, FailureReason};

use super::family::{Family, FamilyDoc, Kind};
use super::sample::{Point, Shared, Sink, Value};
use super::series::Series;
use super::view::{AccountView, DatedView, WebhookView};

/// One row of the table: a family, and how its samples follow from the ledgers.
#[derive(Clone, Copy, Debug)]
pub struct LedgerFamily {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Its labels, besides `webhook_id` and `webhook` of those of a webhook.
    pub labels: &'static [&'static str],
    /// Its meaning in full sentences, without the one on polling that all have.
    pub help: &'static str,
    samples: Samples,
}

impl LedgerFamily {
    /// The HELP text: the meaning, that it is polled in the background, and where the freshness is.
    #[must_use]
    pub fn full_help(&self) -> String {
        let freshness = match self.samples {
            Samples::Freshness | Samples::Plan => "",
            Samples::PerWebhook(_) => "; cotalker_webhook_last_poll_success_timestamp_seconds tells how fresh it is",
            Samples::OfAll(_) => "; cotalker_exporter_last_poll_success_timestamp_seconds tells how fresh it is",
        };
        format!("{} Polled in the background{freshness}.", self.help)
    }

    /// The same for the documentation, which says once what is the same for all.
    #[must_use]
    pub fn doc(&self) -> FamilyDoc {
        let common: &[&str] = match self.samples {
            Samples::PerWebhook(_) | Samples::Freshness | Samples::Plan => &["webhook_id", "webhook"],
            Samples::OfAll(_) => &[],
        };
        FamilyDoc {
            name: self.name.to_owned(),
            kind: self.kind,
            labels: common.iter().chain(self.labels).map(|label| (*label).to_owned()).collect(),
            help: self.help.to_owned(),
        }
    }

    /// Whether `account` shows it.
    pub(super) fn is_shown(&self, account: &AccountView) -> bool {
        !account.is_standby || self.kind != Kind::Gauge
    }

    /// Whether it has series of each webhook.
    pub(super) const fn is_per_webhook(&self) -> bool {
        matches!(self.samples, Samples::PerWebhook(_) | Samples::Freshness | Samples::Plan)
    }

    /// Whether it changes whenever a log is read, though nothing else may.
    pub(super) const fn passes_with_time(&self) -> bool {
        matches!(self.samples, Samples::Freshness)
    }

    /// Whether it changes with how often logs are to be read, though nothing else may.
    pub(super) const fn follows_plan(&self) -> bool {
        matches!(self.samples, Samples::Plan)
    }

    /// Writes its head, and its samples if they are of the whole account.
    pub(super) fn begin(&self, account: &AccountView, sink: &mut dyn Sink) {
        sink.family(&Family { name: self.name, kind: self.kind, help: &self.full_help() });
        if let Samples::OfAll(samples) = self.samples {
            samples(&mut Series::new(sink, Shared::NONE), account);
        }
    }

    /// Writes its samples of these webhooks, in their order; its head stands before.
    pub(super) fn go_on(&self, webhooks: &[DatedView], sink: &mut dyn Sink) {
        sink.resume(&Family { name: self.name, kind: self.kind, help: "" });
        for DatedView { view, read_at, interval_millis } in webhooks {
            let mut series = Series::new(sink, view.shared());
            match self.samples {
                Samples::PerWebhook(samples) => samples(&mut series, view),
                Samples::Freshness => series.put_opt(read_at.map(Value::from)),
                Samples::Plan => series.put(Value::Millis(*interval_millis)),
                Samples::OfAll(_) => {}
            }
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Samples {
    PerWebhook(fn(&mut Series<'_>, &WebhookView)),
    /// When the log was last read.
    Freshness,
    /// How often it is to be read.
    Plan,
    OfAll(fn(&mut Series<'_>, &AccountView)),
}

const fn counter(
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
    samples: fn(&mut Series<'_>, &WebhookView),
) -> LedgerFamily {
    LedgerFamily { name, kind: Kind::Counter, labels, help, samples: Samples::PerWebhook(samples) }
}

const fn gauge(
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
    samples: fn(&mut Series<'_>, &WebhookView),
) -> LedgerFamily {
    LedgerFamily { name, kind: Kind::Gauge, labels, help, samples: Samples::PerWebhook(samples) }
}

/// Every family, in the order of the page.
pub const FAMILIES: &[LedgerFamily] = &[
    LedgerFamily {
        name: "cotalker_up",
        kind: Kind::Gauge,
        labels: &[],
        help: "1 if the last list of webhooks could be read, 0 if not, absent before the first one; with --webhook.id, 1 if at least one of the webhooks could be read.",
        samples: Samples::OfAll(|series, account| series.put_opt(account.is_up.map(Value::from))),
    },
    LedgerFamily {
        name: "cotalker_webhooks",
        kind: Kind::Gauge,
        labels: &["state"],
        help: "Number of watched webhooks, by whether they are active in Cotalker.",
        samples: Samples::OfAll(|series, account| {
            series.put_with(&[("state", "active")], Value::Count(account.active));
            series.put_with(&[("state", "inactive")], Value::Count(account.inactive));
        }),
    },
    LedgerFamily {
        name: "cotalker_webhooks_dropped",
        kind: Kind::Gauge,
        labels: &[],
        help: "Number of webhooks that are not watched because there are more than --webhook.limit.",
        samples: Samples::OfAll(|series, account| series.put(Value::Count(account.dropped))),
    },
    LedgerFamily {
        name: "cotalker_webhooks_malformed",
        kind: Kind::Gauge,
        labels: &[],
        help: "Number of malformed entries in the last list of webhooks; they are left out, and while there are any, no webhook is treated as removed.",
        samples: Samples::OfAll(|series, account| series.put(Value::Count(account.malformed))),
    },
    gauge(
        "cotalker_webhook_info",
        &["name", "trigger", "target_host", "company"],
        "Always 1; the labels hold what the list says of the webhook. target_host is the receiver's host, and its port if the URL has one.",
        |series, view| {
            let webhook = &view.webhook;
            let labels = [
                ("name", webhook.name.as_str()),
                ("trigger", webhook.trigger.as_str()),
                ("target_host", webhook.target_host.as_str()),
                ("company", webhook.company.as_str()),
            ];
            series.put_with(&labels, Value::Count(1));
        },
    ),
    gauge("cotalker_webhook_active", &[], "1 if the webhook is active in Cotalker, 0 if it is not.", |series, view| {
        series.put(view.webhook.active.into());
    }),
    gauge(
        "cotalker_webhook_up",
        &[],
        "1 if the last read of the webhook's log succeeded, 0 if it failed or the API is unreachable or asks for a pause, absent before the first one.",
        |series, view| series.put_opt(view.is_up.map(Value::from)),
    ),
    LedgerFamily {
        name: "cotalker_webhook_last_poll_success_timestamp_seconds",
        kind: Kind::Gauge,
        labels: &[],
        help: "Unix time of the last successful read of the webhook's log, by the exporter's clock; the webhook's other metrics are as fresh as this.",
        samples: Samples::Freshness,
    },
    LedgerFamily {
        name: "cotalker_webhook_poll_interval_seconds",
        kind: Kind::Gauge,
        labels: &[],
        help: "Planned time between two reads of the webhook's log: that between two polls, or a multiple of it where --poll.rate does not let each poll read all logs.",
        samples: Samples::Plan,
    },
    counter(
        "cotalker_webhook_delivery_attempts_total",
        &[],
        "Number of delivery attempts; each log entry counts exactly once.",
        |series, view| series.put(Value::Count(view.ledger.totals().attempts)),
    ),
    counter(
        "cotalker_webhook_delivery_failures_total",
        &["reason"],
        "Number of failed delivery attempts, by reason.",
        |series, view| {
            for reason in FailureReason::ALL {
                let failures = view.ledger.totals().failures[reason.index()];
                series.put_with(&[("reason", reason.as_str())], Value::Count(failures));
            }
        },
    ),
    counter(
        "cotalker_webhook_delivery_responses_total",
        &["code"],
        "Number of delivery attempts that the receiver responded to, by HTTP status code; after 32 codes of one webhook, further ones count as code=\"other\".",
        |series, view| {
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
        "Number of delivery attempts that were a retry for the same event.",
        |series, view| series.put(Value::Count(view.ledger.totals().retries)),
    ),
    counter(
        "cotalker_webhook_events_total",
        &["event_type", "action"],
        "Number of distinct events with at least one counted attempt, by type and action; their sum is delivered + lost + pending.",
        |series, view| {
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
        "Number of distinct events that were delivered, by their first successful attempt.",
        |series, view| series.put(Value::Count(view.ledger.events().delivered())),
    ),
    counter(
        "cotalker_webhook_events_lost_total",
        &[],
        "Number of distinct events that were lost because the last retry failed or no other attempt followed within --webhook.pending-timeout; Cotalker will not send them again, so replay them by hand.",
        |series, view| series.put(Value::Count(view.ledger.events().lost())),
    ),
    gauge(
        "cotalker_webhook_events_pending",
        &[],
        "Number of events whose attempts have all failed so far and that may still be retried.",
        |series, view| series.put(Value::Count(view.ledger.events().pending())),
    ),
    LedgerFamily {
        name: "cotalker_webhook_delivery_delay_seconds",
        kind: Kind::Histogram,
        labels: &[],
        help: "Time from an event's creation to its delivery.",
        samples: Samples::PerWebhook(|series, view| {
            let delay = view.ledger.events().delay();
            let mut cumulative = 0;
            for (upper, deliveries) in DELAY_BUCKETS_SECONDS.iter().zip(delay.buckets) {
                cumulative += deliveries;
                series.put_point(Point::Bucket { upper: *upper, cumulative });
            }
            let all = delay.buckets.iter().sum();
            series.put_point(Point::Bucket { upper: f64::INFINITY, cumulative: all });
            series.put_point(Point::Sum(Value::Millis(i64::try_from(delay.sum_millis).unwrap_or(i64::MAX))));
            series.put_point(Point::Count(all));
        }),
    },
    gauge(
        "cotalker_webhook_blocked",
        &[],
        "1 while the newest attempt is a failure that may still be retried, otherwise 0; Cotalker delivers strictly in order, so everything behind it waits.",
        |series, view| series.put(view.ledger.is_blocked().into()),
    ),
    gauge(
        "cotalker_webhook_failing",
        &["reason"],
        "Always 1; present only while the newest attempt failed, those from before counting started included, with the reason of that failure.",
        |series, view| {
            if let Some(failure) = view.ledger.standing().newest_if_failed() {
                series.put_with(&[("reason", failure.reason.as_str())], Value::Count(1));
            }
        },
    ),
    gauge(
        "cotalker_webhook_consecutive_failures",
        &[],
        "Number of failed attempts since the last successful one, including those from before counting started.",
        |series, view| series.put(Value::Count(view.ledger.standing().consecutive_failures)),
    ),
    gauge(
        "cotalker_webhook_head_event_timestamp_seconds",
        &[],
        "Unix time at which the newest event in the log was created; absent until there is one.",
        |series, view| series.put_opt(view.ledger.standing().head_event.map(Value::from)),
    ),
    gauge(
        "cotalker_webhook_last_success_timestamp_seconds",
        &[],
        "Unix time of the newest successful attempt, including those from before counting started; absent until there is one.",
        |series, view| series.put_opt(view.ledger.standing().last_success.map(|last| Value::from(last.at))),
    ),
    gauge(
        "cotalker_webhook_last_failure_timestamp_seconds",
        &[],
        "Unix time of the newest failed attempt, including those from before counting started; absent until there is one.",
        |series, view| series.put_opt(view.ledger.standing().last_failure.map(|last| Value::from(last.at))),
    ),
    gauge(
        "cotalker_webhook_log_window_entries",
        &["result"],
        "Number of entries in the log when it was last read, counted or not, by result: success, failed, malformed (unreadable, left out) or foreign (of another webhook, left out).",
        |series, view| {
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
        "Unix time of the oldest attempt in the log when it was last read, which shows the headroom before a gap; absent while there is none.",
        |series, view| series.put_opt(view.ledger.window().oldest.map(Value::from)),
    ),
    counter(
        "cotalker_webhook_log_gaps_total",
        &[],
        "Number of gaps: polls of the log that had no overlap with the previous poll, so that entries may have been missed.",
        |series, view| series.put(Value::Count(view.ledger.totals().gaps)),
    ),
    counter(
        "cotalker_webhook_log_late_entries_total",
        &[],
        "Number of attempts that appeared in the log only after a newer one had been counted.",
        |series, view| series.put(Value::Count(view.ledger.totals().late)),
    ),
];

/// Hands all families to `sink` at once, as the parts of a page together have them.
#[cfg(test)]
pub(crate) fn write(account: &AccountView, webhooks: &[DatedView], sink: &mut dyn Sink) {
    for family in FAMILIES.iter().filter(|family| family.is_shown(account)) {
        family.begin(account, sink);
        family.go_on(webhooks, sink);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use delivery_ledger::{
        Attempt, AttemptId, Event, EventKey, Figures, Ledger, ObjectId, Outcome, Position, UnixMillis,
    };
    use delivery_ledger::{Policy, ServerTime, Webhook};

    use super::super::text::Text;
    use super::*;

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
        shown(&AccountView { is_up: Some(true), ..AccountView::default() }, webhook, ledger, (None, None))
    }

    fn shown(
        account: &AccountView,
        webhook: &Webhook,
        ledger: &Ledger,
        (is_up, read_at): (Option<bool>, Option<UnixMillis>),
    ) -> String {
        let view = WebhookView::new(Arc::new(webhook.clone()), Figures::of(ledger, &POLICY), is_up);
        let mut text = Vec::new();
        write(
            account,
            &[DatedView { view: Arc::new(view), read_at, interval_millis: 60_000 }],
            &mut Text::new(&mut text),
        );
        String::from_utf8(text).expect("UTF-8")
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
            "webhook_failing{",
        ] {
            assert!(!text.lines().any(|line| !line.starts_with('#') && line.contains(absent)), "{absent}");
        }
    }

    #[test]
    fn a_standby_shows_what_counts_up_and_nothing_of_the_present() {
        let (webhook, ledger) = (webhook("a", "b"), Ledger::new(Position::START));
        let account =
            AccountView { is_up: Some(true), active: 1, inactive: 1, dropped: 1, malformed: 1, is_standby: true };
        let text = shown(&account, &webhook, &ledger, (Some(true), Some(UnixMillis::MAX)));
        for family in FAMILIES {
            let shown =
                text.contains(&format!("\n{}", family.name)) || text.contains(&format!("# TYPE {} ", family.name));
            assert_eq!(shown, family.kind != Kind::Gauge, "{}", family.name);
        }
        assert!(text.contains("cotalker_webhook_events_lost_total{"), "{text}");
    }

    #[test]
    fn an_attempt_shows_with_exact_times() {
        let mut ledger = Ledger::new(Position::START);
        let now = UnixMillis::from_secs(1_651_781_100);
        let mut reading = ledger.read(ServerTime::certain(now), &POLICY);
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
                subject: None,
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
    fn a_webhook_fails_for_the_reason_of_its_newest_attempt_history_included_and_no_longer_than_it_does() {
        let webhook = webhook("wo_update", "x");
        let b = r#"webhook_id="62685990d918fb5557f9f992",webhook="wo_update""#;
        let now = UnixMillis::from_secs(1_700_000_000);
        let mut ledger = Ledger::new(Position::after(now));
        let attempt = |number: u8, outcome| Attempt {
            id: AttemptId(ObjectId::from_bytes([number; 12])),
            at: now.plus_millis(i64::from(number)),
            outcome,
            retry: 3,
            event: None,
        };
        let expired = Outcome::of(Some(409), Some("certificate has expired"));
        let mut log = Vec::new();
        for (outcome, reason) in [
            (Outcome::of(Some(503), None), Some("http_5xx")),
            (expired, Some("certificate_expired")),
            (Outcome::Success { status: 200 }, None),
        ] {
            log.push(attempt(u8::try_from(log.len()).expect("few"), outcome));
            let mut reading = ledger.read(ServerTime::certain(now), &POLICY);
            log.iter().for_each(|attempt| reading.observe(attempt.clone()));
            ledger.fold(reading.finish(), &POLICY);
            let text = page(&webhook, &ledger);
            let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("cotalker_webhook_failing{")).collect();
            let expected = reason.map(|reason| format!("cotalker_webhook_failing{{{b},reason=\"{reason}\"}} 1"));
            assert_eq!(lines, expected.iter().map(String::as_str).collect::<Vec<_>>());
        }
        assert_eq!(ledger.totals().attempts, 0, "all of it is history");
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
