//! English.

use delivery_ledger::{FailureReason, Retention};

use super::grouping::{grouped, uncapitalised};
use super::labels::Labels;
use super::span::Span;
use super::vocabulary::{Calm, Headline, Summary, Troubles, Words};
use crate::api::{Advice, Cause};
use crate::webhook_state::WebhookState;

/// English.
#[derive(Debug)]
pub(super) struct English;

/// How long ago that is.
pub(crate) fn ago(millis: i64) -> String {
    English.ago(millis)
}

/// A length of time in its largest unit.
pub(crate) fn span(millis: i64) -> String {
    English.span(Span::of_millis(millis))
}

/// `1,234`.
pub(crate) fn count(number: u64) -> String {
    English.number(number)
}

/// `1 event`, `1,234 events`: a noun whose plural ends in `s`.
pub(crate) fn plural(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", English.number(number), if number == 1 { "" } else { "s" })
}

const fn one<'a>(number: u64, one: &'a str, many: &'a str) -> &'a str {
    if number == 1 { one } else { many }
}

fn summary(summary: &Summary) -> String {
    match summary {
        Summary::Trouble(troubles) => trouble(troubles),
        Summary::Calm(calm) => calm_words(calm),
    }
}

fn trouble(troubles: &Troubles) -> String {
    let Troubles { all, broken, blocked, failing, unreadable, stale, lost_events } = *troubles;
    let parts: Vec<String> = [
        (blocked, format!("{} blocked", English.number(blocked))),
        (failing, format!("{} failing", English.number(failing))),
        (lost_events, format!("{} lost", plural(lost_events, "event"))),
        (unreadable, format!("{} unreadable", plural(unreadable, "log"))),
        (stale, format!("{} stale", English.number(stale))),
    ]
    .into_iter()
    .filter_map(|(number, text)| (number > 0).then_some(text))
    .collect();
    let of = English.number(all);
    let subject = match (broken, all) {
        (1, 1) => String::from("The webhook needs"),
        (_, _) if broken == all => format!("All {of} webhooks need"),
        (1, _) => format!("1 of {of} webhooks needs"),
        (_, _) => format!("{} of {of} webhooks need", English.number(broken)),
    };
    format!("{subject} attention: {}", parts.join(", "))
}

fn calm_words(calm: &Calm) -> String {
    let Calm { healthy, unread, inactive } = *calm;
    let number = |number| English.number(number);
    let mut text = match (healthy, unread) {
        (0, 0) if inactive == 1 => return String::from("The webhook is switched off"),
        (0, 0) => return format!("All {} webhooks are switched off", number(inactive)),
        (0, _) => format!("{} not read yet", plural(unread, "webhook")),
        (1, 0) => String::from(if inactive == 0 { "The webhook delivers" } else { "The active webhook delivers" }),
        (_, 0) if inactive == 0 => format!("All {} webhooks deliver", number(healthy)),
        (_, 0) => format!("All {} active webhooks deliver", number(healthy)),
        (1, _) => format!("1 webhook delivers, {} not read yet", number(unread)),
        (_, _) => format!("{} webhooks deliver, {} not read yet", number(healthy), number(unread)),
    };
    if inactive > 0 {
        text.push_str(&format!(", {} switched off", number(inactive)));
    }
    text
}

impl Words for English {
    fn labels(&self) -> &'static Labels {
        &LABELS
    }

    fn number(&self, number: u64) -> String {
        grouped(number, ',', 4)
    }

    fn span(&self, span: Span) -> String {
        match span {
            Span::Seconds(seconds) => format!("{seconds} s"),
            Span::Minutes(minutes) => plural(minutes, "minute"),
            Span::Hours(hours) => plural(hours, "hour"),
            Span::Days(days) => plural(days, "day"),
        }
    }

    fn ago(&self, millis: i64) -> String {
        if Span::is_now(millis) {
            return String::from("just now");
        }
        format!("{} ago", self.span(Span::of_millis(millis)))
    }

    fn every(&self, millis: i64) -> String {
        let span = self.span(Span::of_millis(millis));
        format!("every {}", span.strip_prefix("1 ").unwrap_or(&span))
    }

    fn webhooks(&self, number: u64) -> String {
        plural(number, "webhook")
    }

    fn state(&self, state: WebhookState) -> &'static str {
        match state {
            WebhookState::Blocked => "blocked",
            WebhookState::Failing => "failing",
            WebhookState::Lost => "lost events",
            WebhookState::Unreadable => "log unreadable",
            WebhookState::Stale => "stale",
            WebhookState::Unread => "not read yet",
            WebhookState::Inactive => "switched off",
            WebhookState::Healthy => "delivering",
        }
    }

    fn section(&self, state: WebhookState) -> &'static str {
        match state {
            WebhookState::Blocked => "Blocked",
            WebhookState::Failing => "Failing",
            WebhookState::Lost => "Lost events",
            WebhookState::Unreadable => "Not readable now",
            WebhookState::Stale => "Stale",
            WebhookState::Unread => "Not read yet",
            WebhookState::Inactive => "Switched off",
            WebhookState::Healthy => "Delivering",
        }
    }

    fn headline(&self, headline: &Headline) -> String {
        match headline {
            Headline::FirstPoll => String::from("The first poll is still running"),
            Headline::NoWebhooks => String::from("There are no webhooks to watch"),
            Headline::NoData => String::from("The Cotalker API cannot be read, and there is no data yet"),
            Headline::Known(known) => summary(known),
            Headline::LastKnown(known) => {
                format!("The Cotalker API cannot be read. Last known: {}", uncapitalised(&summary(known)))
            }
        }
    }

    fn why(&self, reason: FailureReason, status: Option<u16>) -> String {
        reason.explain(status)
    }

    fn remedy(&self, reason: FailureReason, status: Option<u16>, host: &str) -> String {
        let host = if host.is_empty() { "the receiver" } else { host };
        match (reason, status) {
            (FailureReason::Http3xx, _) => String::from("Set the webhook's URL to the target of the redirect."),
            (FailureReason::Http4xx, Some(401 | 403)) => {
                format!("Check the credentials that the webhook sends to {host}.")
            }
            (FailureReason::Http4xx, Some(404 | 405 | 410)) => {
                format!("Check the path in the webhook's URL on {host}.")
            }
            (FailureReason::Http4xx, Some(429)) => {
                format!("Raise the limit of requests on {host}: it receives more than it allows.")
            }
            (FailureReason::Http4xx | FailureReason::Http5xx | FailureReason::Reset, _) => {
                format!("Check the log of the service on {host}.")
            }
            (FailureReason::Timeout, _) => format!("Check that {host} is up and responds in time."),
            (FailureReason::Dns, _) => format!("Check the DNS record of {host}."),
            (FailureReason::Refused, _) => format!("Check that the service on {host} is running."),
            (FailureReason::Unreachable, _) => format!("Check the network path to {host}."),
            (FailureReason::CertificateExpired, _) => format!("Renew the certificate of {host}."),
            (FailureReason::Tls, _) => format!("Check the certificate chain and the TLS versions of {host}."),
            (FailureReason::Other, _) => String::from("Check the newest entries of the webhook's log in Cotalker."),
        }
    }

    fn cause(&self, cause: &Cause) -> String {
        cause.to_string()
    }

    fn advice(&self, advice: Advice) -> &'static str {
        advice.sentence()
    }

    fn attempts_failed(&self, attempts: u64, newest: i64) -> String {
        let newest = self.ago(newest);
        match attempts {
            0 | 1 => format!("The last attempt failed {newest}."),
            some => format!("The last {} attempts failed, the newest {newest}.", self.number(some)),
        }
    }

    fn failed_in_a_row(&self, attempts: u64) -> String {
        format!("{} failed in a row", plural(attempts, "attempt"))
    }

    fn events_pending(&self, events: u64, oldest: Option<i64>) -> String {
        let pending = plural(events, "event");
        match oldest.map(|millis| self.span(Span::of_millis(millis))) {
            Some(span) if events == 1 => format!("{pending} has been pending for {span}."),
            Some(span) => format!("{pending} are pending; the oldest has been pending for {span}."),
            None => format!("{pending} {} pending.", one(events, "is", "are")),
        }
    }

    fn pending(&self, events: u64) -> String {
        format!("{} pending", self.number(events))
    }

    fn events_lost(&self, events: u64) -> String {
        let (have, them) = (one(events, "has", "have"), one(events, "it", "them"));
        let lost = plural(events, "event");
        format!("{lost} {have} been lost since counting started. Cotalker will not send {them} again.")
    }

    fn lost(&self, events: u64) -> String {
        format!("{} lost", self.number(events))
    }

    fn recovered(&self, why: &str) -> String {
        format!("Deliveries work again. Last failure: {why}.")
    }

    fn last_attempt_failed(&self, why: &str) -> String {
        format!("The last attempt failed: {why}.")
    }

    fn replay(&self, events: u64) -> String {
        format!("Replay the lost {} by hand.", one(events, "event", "events"))
    }

    fn gaps(&self, polls: u64) -> String {
        let polls = if polls == 1 { String::from("A poll") } else { plural(polls, "poll") };
        format!(
            "{polls} had no overlap with the previous poll: entries may have been missed, and counts may be too low."
        )
    }

    fn logs_unreadable(&self, logs: u64, cause: Option<&str>) -> String {
        let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
        match logs {
            1 => format!("The log of this webhook cannot be read{cause}. No count changes until it can."),
            some => {
                format!("The logs of {} cannot be read{cause}. No count changes until they can.", self.webhooks(some))
            }
        }
    }

    fn logs_stale(&self, logs: u64, interval: i64) -> String {
        let logs = one(logs, "the log has", "the logs have");
        format!("The data is stale: a poll is due {}, but {logs} not been read.", self.every(interval))
    }

    fn list_stale(&self, interval: i64, read: i64) -> String {
        let (interval, read) = (self.every(interval), self.ago(read));
        format!("The data is stale: a poll is due {interval}, but the list of webhooks was last read {read}.")
    }

    fn list_last_read(&self, read: i64) -> String {
        let read = self.ago(read);
        format!("The data is stale, and no count changes. The list of webhooks was last read {read}.")
    }

    fn logs_of_api(&self, logs: u64) -> String {
        match logs {
            1 => String::from("1 log cannot be read because of this."),
            some => format!("{} cannot be read because of this.", plural(some, "log")),
        }
    }

    fn stands_by(&self, interval_millis: i64) -> String {
        let every = self.every(interval_millis);
        format!("Standby: another replica polls each interval. This one polls {every}, so its data lags.")
    }

    fn over_limit(&self, webhooks: u64) -> String {
        let further = plural(webhooks, "further webhook");
        let are = one(webhooks, "is", "are");
        format!("{further} {are} not watched and not shown: there are more than --webhook.limit.")
    }

    fn lasting(&self, millis: i64, clock: &str) -> String {
        format!("failing for {}, since {clock}", self.span(Span::of_millis(millis)))
    }

    fn last_failed(&self, millis: i64) -> String {
        format!("last failure {}", self.ago(millis))
    }

    fn last_read(&self, millis: i64, clock: &str) -> String {
        format!("last read {}, at {clock}", self.ago(millis))
    }

    fn list_read(&self, millis: i64) -> String {
        format!("List read {}.", self.ago(millis))
    }

    fn reloads(&self, seconds: u32) -> String {
        format!("Reloads every {seconds} s.")
    }

    fn reload(&self, seconds: u32) -> String {
        format!("Reload every {seconds} s")
    }

    fn lost_of(&self, webhooks: u64) -> String {
        format!("Lost events of {}", self.webhooks(webhooks))
    }

    fn logs_of(&self, webhooks: u64) -> String {
        format!("Logs of {}", self.webhooks(webhooks))
    }

    fn more(&self, webhooks: u64) -> String {
        format!("{} more", self.number(webhooks))
    }

    fn found(&self, found: u64, all: u64) -> String {
        format!("{} of {}", self.number(found), self.webhooks(all))
    }

    fn retention(&self, retention: Retention) -> String {
        match retention {
            Retention::Unknown => String::from("not known yet"),
            Retention::Newest(1) => String::from("the newest entry"),
            Retention::Newest(entries) => format!("the newest {} entries", self.number(entries)),
            Retention::ForMillis(millis) => {
                format!("entries for at least {}", self.span(Span::of_millis(millis)))
            }
        }
    }

    fn delivered_with(&self, status: u16) -> String {
        format!("delivered, {status}")
    }

    fn delivered_after_all(&self, at: &str) -> String {
        format!("Delivered after all at {at}: nothing to replay.")
    }

    fn listed(&self, listed: u64, all: u64) -> String {
        let all = self.number(all);
        match listed {
            0 => format!("None of the {all} can be listed: they were counted before lists were kept."),
            1 => format!("The newest of {all} is listed."),
            some => format!("The newest {} of {all} are listed.", self.number(some)),
        }
    }
}

const LABELS: Labels = Labels {
    product: "Cotalker webhooks",
    as_of: "As of",
    all_times: "All times are UTC.",
    no_reload: "Does not reload.",
    stop_reload: "Stop reloading",
    all_webhooks: "All webhooks",
    needs_attention: "Needs attention",
    filter: "Filter",
    filter_text: "Code, name, id or host",
    filter_state: "State",
    any_state: "Any state",
    apply_filter: "Filter",
    clear_filter: "Clear the filter",
    webhook: "Webhook",
    state: "State",
    attempts: "Attempts",
    failed: "Failed",
    delivered: "Delivered",
    pending: "Pending",
    lost: "Lost",
    last_success: "Last success",
    log_read: "Log read",
    log_keeps: "Log keeps",
    never: "never",
    open_webhook: "Open this webhook",
    metrics: "Metrics",
    healthy: "Healthy",
    ready: "Ready",
    api_title: "Cotalker API",
    api_state: "not readable",
    blocked_why: "All later events wait: Cotalker delivers strictly in order.",
    unread_since_start: "The log has not been read since the start. The data is from before.",
    switched_off: "This webhook is switched off.",
    check_exporter: "Check the exporter's log.",
    no_data: "There is no data yet. Webhooks appear here once the list of webhooks has been read.",
    leads_unsure: "The Lease can be neither read nor renewed, so this replica polls as if it held it. The log says why.",
    first_poll_runs: "The first poll since the start is still running. The data is from before the start.",
    nothing_listed: "The API can be read, but lists no webhook to watch. If it should, check --cotalker.company, the token's permissions, --webhook.include and --webhook.exclude.",
    list_never_read: "The list of webhooks has not been read since the start.",
    see_log: "The exporter's log says why.",
    nothing_found: "No webhook matches the filter.",
    not_found_title: "Webhook not found",
    not_found: "No webhook with this id is watched. It may have been deleted in Cotalker, or the filters of the exporter leave it out.",
    lost_events: "Lost events",
    pending_events: "Pending events",
    newest_attempts: "Newest attempts",
    no_lost: "No lost event is known.",
    no_pending: "No event is pending.",
    no_attempts: "The log has shown no attempt yet.",
    ids: "To find an event in Cotalker: the log entry is an _id in the log of this webhook, the subject is the id of what the event is about.",
    log_entry: "Log entry",
    subject: "Subject",
    event: "Event",
    created: "Created",
    attempt_at: "Attempt",
    last_attempt: "Last attempt",
    retry: "Retry",
    result: "Result",
    settled: "Lost",
    no_event: "unknown",
};
