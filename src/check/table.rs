//! The findings as text: two tables, and below them what all logs have in common and how to fix what is wrong.

use std::fmt::Write as _;

use bytesize::ByteSize;
use delivery_ledger::Policy;

use super::finding::{Finding, Findings, LogFound, State, Validator};
use super::summary::{self, compression, order_text};
use crate::api::CallError;
use crate::look::{ListFacts, NO_WEBHOOK, date, printable, table};
use crate::words::{count, span};

/// The findings, for a terminal of `width` columns if it is one.
pub(super) fn text(findings: &Findings, width: Option<u16>) -> String {
    let mut text = String::new();
    let Findings { webhooks, policy, .. } = findings;
    if webhooks.is_empty() && findings.missing.is_empty() {
        let _ = writeln!(text, "The API can be read, but {NO_WEBHOOK}");
    }
    if !webhooks.is_empty() {
        let mut standings = table(["webhook", "state", "last attempt", "failures in the window", "why"], width);
        let mut logs =
            table(["webhook", "entries", "span", "order", "rows per event", "ETag", "encoding", "size"], width);
        for finding in webhooks {
            standings.add_row(standing_row(finding, policy));
            if let Ok(log) = &finding.log {
                logs.add_row(log_row(printable(&finding.webhook.label()), log));
            }
        }
        let _ = writeln!(text, "{standings}");
        if findings.logs().next().is_some() {
            let _ = writeln!(text, "\n{logs}\n");
        }
    }
    let of_list = findings.list.iter().flat_map(ListFacts::sentences);
    for line in summary::lines(findings).into_iter().chain(of_list) {
        let _ = writeln!(text, "{line}");
    }
    tell_failures(&mut text, findings);
    text
}

fn standing_row(finding: &Finding, policy: &Policy) -> [String; 5] {
    let webhook = printable(&finding.webhook.label());
    let switch = if finding.webhook.active { "" } else { " (inactive)" };
    let log = match &finding.log {
        Ok(log) => log,
        Err(error) => return [webhook, format!("log unreadable{switch}"), "-".into(), "-".into(), error.to_string()],
    };
    let (standing, window) = (finding.standing(policy), log.ledger.window());
    let state = match standing.state {
        State::Blocked => "blocked",
        State::Failing => "failing",
        State::Delivering => "delivering",
        State::Empty => "no delivery in the log",
        State::Unreadable => "log unreadable",
    };
    [
        webhook,
        format!("{state}{switch}"),
        standing.last_attempt.map_or_else(|| "-".to_owned(), |last| date(last, log.now)),
        format!("{} of {}", window.failures, window.successes + window.failures),
        standing.failure.map_or_else(String::new, |(reason, status)| reason.explain(status)),
    ]
}

fn log_row(webhook: String, log: &LogFound) -> [String; 8] {
    let LogFound { facts, transfer, .. } = log;
    let or_unknown = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let etag = match log.validator {
        Validator::None => "no",
        Validator::Honoured => "yes, 304",
        Validator::Ignored => "sent, ignored",
        Validator::Untested => "sent",
    };
    [
        webhook,
        count(facts.attempts + facts.under_way),
        or_unknown(facts.newest.zip(facts.oldest).map(|(newest, oldest)| span(newest.millis_since(oldest)))),
        or_unknown(facts.order.map(|order| order_text(order).to_owned())),
        or_unknown((facts.rows.most > 0).then(|| count(facts.rows.most))),
        etag.to_owned(),
        compression(transfer),
        ByteSize(transfer.bytes).to_string(),
    ]
}

/// What could not be read, and how to fix that; what is fixed the same way is told once.
fn tell_failures(text: &mut String, findings: &Findings) {
    let mut told: Vec<&CallError> = Vec::new();
    for (label, failure) in findings.unreadable() {
        if !told.iter().any(|other| other.advice == failure.advice) {
            let _ = writeln!(text, "{}: {failure}. {}", printable(&label), failure.advice());
            told.push(failure);
        }
    }
}
