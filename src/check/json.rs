//! The findings as JSON, as docs/check.schema.json describes it. Its field names are part of the public interface.

use delivery_ledger::{EventRows, Guess, Policy, UnixMillis};
use serde::Serialize;

use super::finding::{Finding, Findings, LogFound};
use super::summary::{event_rows, retention_guess};
use crate::json::{Seconds, Time};
use crate::look::{ListFacts, pretty};

#[derive(Serialize)]
struct Document {
    checked_at: Time,
    api: String,
    readable: bool,
    problem: Option<String>,
    list: Option<ListFacts>,
    rows_per_event: RowsPerEvent,
    retention: Retention,
    webhooks: Vec<Webhook>,
}

#[derive(Serialize)]
struct RowsPerEvent {
    logged: Option<&'static str>,
    most: Option<u64>,
    retried_events_with_several: u64,
    retried_events_with_one: u64,
}

#[derive(Serialize)]
struct Retention {
    kind: &'static str,
    entries: Option<u64>,
    seconds: Option<Seconds>,
    logs: Option<u64>,
}

#[derive(Serialize)]
struct Webhook {
    webhook_id: String,
    webhook: String,
    active: Option<bool>,
    state: &'static str,
    problem: Option<String>,
    last_attempt: Option<Time>,
    reason: Option<&'static str>,
    status: Option<u16>,
    explanation: Option<String>,
    log: Option<Log>,
}

#[derive(Serialize)]
struct Log {
    read_at: Time,
    entries: Entries,
    oldest: Option<Time>,
    newest: Option<Time>,
    span_seconds: Option<Seconds>,
    order: Option<&'static str>,
    rows_per_event: RowsPerEvent,
    etag: &'static str,
    encodings: Vec<&'static str>,
    received_bytes: u64,
    bytes: u64,
}

#[derive(Serialize)]
struct Entries {
    success: u64,
    failed: u64,
    under_way: u64,
    malformed: u64,
    foreign: u64,
    repeated: u64,
    ahead: u64,
}

/// The document.
pub(super) fn document(findings: &Findings) -> String {
    let retention = match retention_guess(findings) {
        Guess::Unknown => Retention { kind: "unknown", entries: None, seconds: None, logs: None },
        Guess::Newest { entries, logs } => {
            Retention { kind: "newest", entries: Some(entries), seconds: None, logs: Some(logs) }
        }
        Guess::Age { millis, logs } => {
            Retention { kind: "age", entries: None, seconds: Some(Seconds(millis)), logs: Some(logs) }
        }
    };
    let missing = findings.missing.iter().map(|missing| Webhook {
        webhook_id: missing.id.to_string(),
        webhook: missing.label.clone(),
        active: None,
        state: "unreadable",
        problem: Some(missing.cause.to_string()),
        last_attempt: None,
        reason: None,
        status: None,
        explanation: None,
        log: None,
    });
    let found = findings.webhooks.iter().map(|finding| webhook(finding, &findings.policy));
    pretty(&Document {
        checked_at: Time(findings.at),
        api: findings.identity.clone(),
        readable: findings.failure.is_none(),
        problem: findings.failure.clone(),
        list: findings.list,
        rows_per_event: rows(event_rows(findings)),
        retention,
        webhooks: missing.chain(found).collect(),
    })
}

fn webhook(finding: &Finding, policy: &Policy) -> Webhook {
    let standing = finding.standing(policy);
    Webhook {
        webhook_id: finding.webhook.id.to_string(),
        webhook: finding.webhook.label(),
        active: Some(finding.webhook.active),
        state: standing.state.as_str(),
        problem: finding.log.as_ref().err().map(ToString::to_string),
        last_attempt: standing.last_attempt.map(Time),
        reason: standing.failure.map(|(reason, _)| reason.as_str()),
        status: standing.failure.and_then(|(_, status)| status),
        explanation: standing.failure.map(|(reason, status)| reason.explain(status)),
        log: finding.log.as_ref().ok().map(log),
    }
}

fn log(found: &LogFound) -> Log {
    let LogFound { ledger, facts, transfer, validator, now } = found;
    let window = ledger.window();
    let span = |(newest, oldest): (UnixMillis, UnixMillis)| Seconds(newest.millis_since(oldest));
    Log {
        read_at: Time(*now),
        entries: Entries {
            success: window.successes,
            failed: window.failures,
            under_way: facts.under_way,
            malformed: window.malformed,
            foreign: window.foreign,
            repeated: facts.repeated,
            ahead: facts.ahead,
        },
        oldest: facts.oldest.map(Time),
        newest: facts.newest.map(Time),
        span_seconds: facts.newest.zip(facts.oldest).map(span),
        order: facts.order.map(|order| order.as_str()),
        rows_per_event: rows(facts.rows),
        etag: validator.as_str(),
        encodings: transfer.encodings.clone(),
        received_bytes: transfer.received_bytes,
        bytes: transfer.bytes,
    }
}

fn rows(found: EventRows) -> RowsPerEvent {
    RowsPerEvent {
        logged: found.rows().map(|rows| rows.as_str()),
        most: (found.most > 0).then_some(found.most),
        retried_events_with_several: found.several,
        retried_events_with_one: found.single,
    }
}
