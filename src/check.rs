//! `check`: one poll, printed as a table: a first look at an account.

use std::sync::Arc;

use comfy_table::presets::ASCII_BORDERS_ONLY_CONDENSED;
use comfy_table::{ContentArrangement, Table};
use futures::stream::{self, StreamExt as _};

use crate::api::{ApiClient as Client, CallError, Fetched};
use crate::clock;
use crate::poller::PollSettings;
use crate::words;
use delivery_ledger::{Ledger, Policy, WebhookId, select, select_ids};
use delivery_ledger::{Position, UnixMillis, Webhook};

/// What one poll found.
#[derive(Debug)]
pub struct Report {
    /// For standard output.
    pub text: String,
    /// Why the API could not be read, and how to fix that, in one line; `None` if it could.
    pub failure: Option<String>,
}

/// One webhook, and what its log says.
struct Finding {
    webhook: Webhook,
    ledger: Result<Ledger, CallError>,
}

/// Polls once.
pub async fn check(config: &PollSettings, client: Arc<Client>) -> Report {
    let ids = select_ids(config.ids.clone(), config.limit);
    let over_limit = ids.dropped;
    let (webhooks, mut failures) = if config.ids.is_empty() {
        match client.list(None).await {
            Ok(Fetched::Fresh { value, .. }) => (value.webhooks, Vec::new()),
            Ok(Fetched::NotModified { .. }) => (Vec::new(), Vec::new()),
            Err(error) => return failed("failed to read the list of webhooks", &error),
        }
    } else {
        by_id(&ids.watched, &client).await
    };
    let selected = select(webhooks, |code| config.filter.admits(code), config.limit);
    let (mut webhooks, dropped) = (selected.watched, over_limit + selected.dropped);
    webhooks.sort_by_key(|webhook| (webhook.label(), webhook.id));

    let findings: Vec<Finding> = stream::iter(webhooks)
        .map(|webhook| {
            let client = Arc::clone(&client);
            async move {
                let mut ledger = Ledger::new(Position::START);
                let ledger = match client.logs(webhook.id, None, &ledger, None, &config.policy).await {
                    Ok(Fetched::Fresh { value, .. }) => {
                        ledger.fold(value, &config.policy);
                        Ok(ledger)
                    }
                    Ok(Fetched::NotModified { .. }) => Ok(ledger),
                    Err(error) => Err(error),
                };
                Finding { webhook, ledger }
            }
        })
        .buffered(config.concurrency)
        .collect()
        .await;

    let has_readable = findings.iter().any(|finding| finding.ledger.is_ok());
    let unreadable = findings.iter().filter_map(|finding| finding.ledger.as_ref().err());
    failures.extend(unreadable.cloned());
    let failure = match failures.first() {
        Some(error) if !has_readable => failed("failed to read any webhook's log", error).failure,
        _ => None,
    };
    Report { text: tell(&findings, &failures, dropped, &config.policy, clock::now()), failure }
}

async fn by_id(ids: &[WebhookId], client: &Client) -> (Vec<Webhook>, Vec<CallError>) {
    let (mut webhooks, mut failures) = (Vec::new(), Vec::new());
    for id in ids {
        match client.webhook(*id).await {
            Ok(Fetched::Fresh { value, .. }) => webhooks.push(value),
            Ok(Fetched::NotModified { .. }) => {}
            Err(error) => failures.push(error.about(*id)),
        }
    }
    (webhooks, failures)
}

fn failed(what: &str, error: &CallError) -> Report {
    Report { text: String::new(), failure: Some(format!("{what}: {error}. {}", error.advice())) }
}

/// The findings as a table, and below it how to fix what could not be read.
fn tell(findings: &[Finding], failures: &[CallError], dropped: usize, policy: &Policy, now: UnixMillis) -> String {
    let mut text = String::new();
    if findings.is_empty() && failures.is_empty() {
        text.push_str("The API can be read, but there is no webhook to watch: check --webhook.include, --webhook.exclude, --cotalker.company, and what the token may read.\n");
    }
    if !findings.is_empty() {
        let mut table = Table::new();
        table
            .load_style(ASCII_BORDERS_ONLY_CONDENSED)
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_header(["webhook", "state", "last attempt", "failures in the window", "why"]);
        for finding in findings {
            table.add_row(row(finding, policy, now));
        }
        text.push_str(&table.to_string());
        text.push('\n');
    }
    let mut told: Vec<&CallError> = Vec::new();
    for failure in failures {
        if !told.iter().any(|other| other.advice == failure.advice) {
            text.push_str(&format!("{failure}. {}\n", failure.advice()));
            told.push(failure);
        }
    }
    if dropped > 0 {
        text.push_str(&format!("{dropped} more webhooks are over --webhook.limit and would not be watched.\n"));
    }
    text
}

fn row(finding: &Finding, policy: &Policy, now: UnixMillis) -> [String; 5] {
    let webhook = printable(&finding.webhook.label());
    let switch = if finding.webhook.active { "" } else { " (inactive)" };
    let ledger = match &finding.ledger {
        Ok(ledger) => ledger,
        Err(error) => return [webhook, format!("log unreadable{switch}"), "-".into(), "-".into(), error.to_string()],
    };
    let (standing, window) = (ledger.standing(), ledger.window());
    let newest_failure = standing.newest_if_failed();
    let state = match newest_failure {
        _ if ledger.is_blocked(policy) => "blocked",
        Some(_) => "failing",
        None if standing.last_success.is_some() => "delivering",
        None => "no delivery in the log",
    };
    let last = newest_failure.map(|failure| failure.at).or(standing.last_success.map(|success| success.at));
    [
        webhook,
        format!("{state}{switch}"),
        last.map_or_else(|| "-".to_owned(), |last| date(last, now)),
        format!("{} of {}", window.failures, window.successes + window.failures),
        newest_failure.map_or_else(String::new, |failure| failure.reason.explain(failure.status)),
    ]
}

/// A point in time to the second, and how long ago that is.
fn date(at: UnixMillis, now: UnixMillis) -> String {
    format!("{} ({})", words::format(at, "%Y-%m-%d %H:%M:%S UTC"), words::ago(now.millis_since(at)))
}

/// Free text without control characters, which could change what a terminal shows.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
