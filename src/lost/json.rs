//! What was found as JSON, as docs/lost.schema.json describes it. Its field names are part of the public interface.

use delivery_ledger::{EventSummary, Failure, Webhook};
use serde::Serialize;

use super::found::{Found, LogRead};
use crate::look::{ListFacts, Unreadable, pretty, time};

#[derive(Serialize)]
struct Document {
    read_at: Option<String>,
    api: String,
    since_seconds: Option<f64>,
    problem: Option<String>,
    list: Option<ListFacts>,
    lost: Vec<Lost>,
    pending: Vec<Event>,
    logs: Vec<Log>,
    unreadable: Vec<Problem>,
}

#[derive(Serialize)]
struct Lost {
    #[serde(flatten)]
    event: Event,
    lost_at: Option<String>,
    succeeded_at: Option<String>,
}

#[derive(Serialize)]
struct Event {
    webhook_id: String,
    webhook: String,
    entry_id: String,
    event_type: Option<&'static str>,
    action: Option<&'static str>,
    subject_id: Option<String>,
    created_at: Option<String>,
    last_attempt_at: Option<String>,
    retry: u32,
    reason: &'static str,
    status: Option<u16>,
}

#[derive(Serialize)]
struct Log {
    webhook_id: String,
    webhook: String,
    attempts: u64,
    oldest: Option<String>,
}

#[derive(Serialize)]
struct Problem {
    webhook_id: String,
    webhook: String,
    problem: String,
}

/// The document.
pub(super) fn document(found: &Found) -> String {
    let lost = found.lost().into_iter().map(|(webhook, lost)| Lost {
        event: event(webhook, lost.event.as_ref(), &lost.last),
        lost_at: time(lost.lost_at),
        succeeded_at: lost.succeeded_at.and_then(time),
    });
    let pending = found.pending().into_iter();
    pretty(&Document {
        read_at: time(found.at),
        api: found.identity.clone(),
        since_seconds: found.since.map(|since| since.as_secs_f64()),
        problem: found.failure.clone(),
        list: found.list,
        lost: lost.collect(),
        pending: pending.map(|(webhook, pending)| event(webhook, pending.event.as_ref(), &pending.last)).collect(),
        logs: found.logs.iter().map(log).collect(),
        unreadable: found.unreadable.iter().map(problem).collect(),
    })
}

fn event(webhook: &Webhook, event: Option<&EventSummary>, last: &Failure) -> Event {
    Event {
        webhook_id: webhook.id.to_string(),
        webhook: webhook.label(),
        entry_id: last.position.id.to_string(),
        event_type: event.map(|event| event.event_type.as_str()),
        action: event.map(|event| event.action.as_str()),
        subject_id: event.and_then(|event| event.subject).map(|subject| subject.to_string()),
        created_at: event.and_then(|event| event.created_at).and_then(time),
        last_attempt_at: time(last.at),
        retry: last.retry,
        reason: last.reason.as_str(),
        status: last.status,
    }
}

fn log(log: &LogRead) -> Log {
    Log {
        webhook_id: log.webhook.id.to_string(),
        webhook: log.webhook.label(),
        attempts: log.attempts,
        oldest: log.oldest.and_then(time),
    }
}

fn problem(unreadable: &Unreadable) -> Problem {
    Problem {
        webhook_id: unreadable.id.to_string(),
        webhook: unreadable.label.clone(),
        problem: unreadable.cause.to_string(),
    }
}
