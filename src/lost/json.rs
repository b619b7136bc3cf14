//! What was found as JSON, as docs/lost.schema.json describes it. Its field names are part of the public interface.

use delivery_ledger::Webhook;
use serde::Serialize;

use super::found::{Found, LogRead};
use crate::json::{LostEventJson, PendingEventJson, Seconds, Time};
use crate::look::{ListFacts, Unreadable, pretty};

#[derive(Serialize)]
struct Document {
    read_at: Time,
    api: String,
    since_seconds: Option<Seconds>,
    problem: Option<String>,
    list: Option<ListFacts>,
    lost: Vec<Of<LostEventJson>>,
    pending: Vec<Of<PendingEventJson>>,
    logs: Vec<Log>,
    unreadable: Vec<Problem>,
}

/// An event, and whose it is.
#[derive(Serialize)]
struct Of<E> {
    webhook_id: String,
    webhook: String,
    #[serde(flatten)]
    event: E,
}

#[derive(Serialize)]
struct Log {
    webhook_id: String,
    webhook: String,
    attempts: u64,
    oldest: Option<Time>,
}

#[derive(Serialize)]
struct Problem {
    webhook_id: String,
    webhook: String,
    problem: String,
}

/// The document.
pub(super) fn document(found: &Found) -> String {
    let lost = found.lost().into_iter().map(|(webhook, lost)| of(webhook, LostEventJson::from(lost)));
    let pending = found.pending().into_iter().map(|(webhook, pending)| of(webhook, PendingEventJson::from(pending)));
    pretty(&Document {
        read_at: Time(found.at),
        api: found.identity.clone(),
        since_seconds: found.since.map(|since| Seconds(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))),
        problem: found.failure.clone(),
        list: found.list,
        lost: lost.collect(),
        pending: pending.collect(),
        logs: found.logs.iter().map(log).collect(),
        unreadable: found.unreadable.iter().map(problem).collect(),
    })
}

fn of<E>(webhook: &Webhook, event: E) -> Of<E> {
    Of { webhook_id: webhook.id.to_string(), webhook: webhook.label(), event }
}

fn log(log: &LogRead) -> Log {
    Log {
        webhook_id: log.webhook.id.to_string(),
        webhook: log.webhook.label(),
        attempts: log.attempts,
        oldest: log.oldest.map(Time),
    }
}

fn problem(unreadable: &Unreadable) -> Problem {
    Problem {
        webhook_id: unreadable.id.to_string(),
        webhook: unreadable.label.clone(),
        problem: unreadable.cause.to_string(),
    }
}
