//! `lost`: reads the logs once, without a daemon or its state, and tells which events were lost and which are pending,
//! whatever a daemon counted: what has to be replayed.

mod found;
mod json;
mod options;
mod table;

use std::sync::Arc;

use futures::stream::{self, StreamExt as _};

use delivery_ledger::{Ledger, Position, ToReplay, Webhook};

use self::found::{Found, LogRead};
pub use self::options::LostOptions;
use crate::api::{ApiClient as Client, CallError, Fetched};
use crate::clock;
use crate::look::{Output, Unreadable, look, printable};
use crate::poller::PollSettings;

/// The exit status if anything has to be replayed. Source: docs/specification.md, "Flags".
pub const SOME_LOST: u8 = 3;

/// What one look at the logs found.
#[derive(Debug)]
pub struct Report {
    /// For standard output; may be empty.
    pub text: String,
    /// What could not be read, and how to fix that, a line each: for standard error.
    pub failures: Vec<String>,
    /// Whether anything has to be replayed.
    pub has_lost: bool,
}

/// Reads all logs once. `width` is that of the terminal, if it is one.
pub async fn lost(config: &PollSettings, client: Arc<Client>, options: LostOptions, width: Option<u16>) -> Report {
    let found = find(config, &client, options).await;
    let text = match options.output {
        Output::Json => json::document(&found),
        Output::Table if found.logs.is_empty() && (found.failure.is_some() || !found.unreadable.is_empty()) => {
            String::new()
        }
        Output::Table => table::text(&found, width),
    };
    let unreadable = found.unreadable.iter().map(|Unreadable { label, cause, .. }| {
        format!("failed to read the log of {}: {cause}. {}", printable(label), cause.advice())
    });
    Report { text, failures: found.failure.iter().cloned().chain(unreadable).collect(), has_lost: found.has_lost() }
}

async fn find(config: &PollSettings, client: &Arc<Client>, options: LostOptions) -> Found {
    let mut found = Found {
        identity: client.identity().to_owned(),
        at: clock::now(),
        since: options.since,
        list: None,
        logs: Vec::new(),
        unreadable: Vec::new(),
        failure: None,
    };
    let account = match look(config, client).await {
        Ok(account) => account,
        Err(error) => {
            found.failure = Some(format!("failed to read the list of webhooks: {error}. {}", error.advice()));
            return found;
        }
    };
    found.list = Some(account.list);
    found.unreadable = account.unreadable;
    let mut logs = stream::iter(account.webhooks)
        .map(|webhook| {
            let client = Arc::clone(client);
            async move { read(webhook, config, options, &client).await }
        })
        .buffered(config.concurrency);
    while let Some(read) = logs.next().await {
        match read {
            Ok(log) => found.logs.push(log),
            Err(unreadable) => found.unreadable.push(unreadable),
        }
    }
    drop(logs);
    found
}

/// What one log says.
async fn read(
    webhook: Webhook,
    config: &PollSettings,
    options: LostOptions,
    client: &Client,
) -> Result<LogRead, Unreadable> {
    let ledger = Ledger::new(Position::START);
    let read = client.logs(webhook.id, None, &ledger, None, &config.policy).await.and_then(Fetched::fresh);
    let (response, server_time) = read.map_err(|cause| unreadable(&webhook, cause))?;
    let mut to_replay = ToReplay::of(&response, &config.policy);
    if let Some(since) = options.since {
        let millis = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        to_replay = to_replay.since(server_time.cautious().plus_millis(-millis));
    }
    let (window, now) = (response.window(), server_time.likely());
    Ok(LogRead { webhook, now, to_replay, attempts: window.successes + window.failures, oldest: window.oldest })
}

fn unreadable(webhook: &Webhook, cause: CallError) -> Unreadable {
    Unreadable { id: webhook.id, label: webhook.label(), cause }
}
