//! `check`: one poll, and what it shows: how each webhook stands, and what the API's documentation leaves open. Each log
//! that comes with an `ETag` is asked for once more, to see whether an unchanged one costs 304.

mod finding;
mod json;
mod options;
mod summary;
mod table;

use std::sync::Arc;

use futures::stream::{self, StreamExt as _};

use delivery_ledger::{Ledger, Position, Webhook};

use self::finding::{Finding, Findings, LogFound, Validator};
pub use self::options::CheckOptions;
use crate::api::{ApiClient as Client, CallError, Fetched};
use crate::clock;
use crate::look::{Account, ListFacts, Output, look, printable};
use crate::poller::PollSettings;

/// What one poll found.
#[derive(Debug)]
pub struct Report {
    /// For standard output; may be empty.
    pub text: String,
    /// Why the API could not be read, and how to fix that, in one line; `None` if it could.
    pub failure: Option<String>,
}

/// Polls once. `width` is that of the terminal, if it is one.
pub async fn check(config: &PollSettings, client: Arc<Client>, options: CheckOptions, width: Option<u16>) -> Report {
    let findings = find(config, &client).await;
    let text = match options.output {
        Output::Json => json::document(&findings),
        Output::Table if findings.list.is_none() => String::new(),
        Output::Table => table::text(&findings, width),
    };
    Report { text, failure: findings.failure }
}

async fn find(config: &PollSettings, client: &Arc<Client>) -> Findings {
    let (account, list_failure) = match look(config, client).await {
        Ok(account) => (account, None),
        Err(error) => {
            let account = Account { webhooks: Vec::new(), list: ListFacts::default(), unreadable: Vec::new() };
            (account, Some(in_one_line("failed to read the list of webhooks", &error)))
        }
    };
    let webhooks: Vec<Finding> = stream::iter(account.webhooks)
        .map(|webhook| {
            let client = Arc::clone(client);
            async move { Finding { log: read(&webhook, config, &client).await, webhook } }
        })
        .buffered(config.concurrency)
        .collect()
        .await;
    let list = list_failure.is_none().then_some(account.list);
    let mut findings = Findings {
        identity: client.identity().to_owned(),
        at: clock::now(),
        policy: config.policy,
        list,
        webhooks,
        missing: account.unreadable,
        failure: list_failure,
    };
    let log_failure = no_log_readable(&findings);
    findings.failure = findings.failure.or(log_failure);
    findings
}

/// Why no log could be read; `None` if one could, or if there is none.
fn no_log_readable(findings: &Findings) -> Option<String> {
    let (label, error) = findings.unreadable().next()?;
    let what = format!("failed to read any webhook's log: {}", printable(&label));
    findings.logs().next().is_none().then(|| in_one_line(&what, error))
}

async fn read(webhook: &Webhook, config: &PollSettings, client: &Client) -> Result<LogFound, CallError> {
    let mut ledger = Ledger::new(Position::START);
    let fetched = client.survey(webhook.id, &ledger, &config.policy).await?;
    let Fetched::Fresh { value: (response, facts), mark, server_time, transfer } = fetched else {
        return Err(CallError::not_conditional());
    };
    ledger.fold(response, &config.policy);
    let validator = match mark.and_then(|mark| mark.etag) {
        Some(etag) => Validator::of(&client.revalidate(webhook.id, &etag).await),
        None => Validator::None,
    };
    Ok(LogFound { ledger, facts, transfer, validator, now: server_time.likely() })
}

fn in_one_line(what: &str, error: &CallError) -> String {
    format!("{what}: {error}. {}", error.advice())
}
