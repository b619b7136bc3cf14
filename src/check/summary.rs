//! What the documentation of the API leaves open, as lines that an operator can read.

use std::collections::BTreeMap;

use bytesize::ByteSize;
use delivery_ledger::{EventRows, Guess, LogOrder, Rows, Webhook, guess_retention};

use super::finding::{Findings, LogFound, Validator};
use crate::api::Transfer;
use crate::look::printable;
use crate::words::{count, plural, span};

/// So many webhooks are named where logs differ. A convention: what fits a line.
const MOST_NAMED: usize = 3;

/// The lines, in the order in which an operator asks.
pub(super) fn lines(findings: &Findings) -> Vec<String> {
    if findings.logs().next().is_none() {
        return Vec::new();
    }
    let all = |text: fn(&LogFound) -> Option<String>| agreed(findings.logs(), text);
    let size: u64 = findings.logs().map(|(_, log)| log.transfer.bytes).sum();
    let received: u64 = findings.logs().map(|(_, log)| log.transfer.received_bytes).sum();
    let compression = all(|log| Some(compression(&log.transfer))).unwrap_or_default();
    let order = all(|log| log.facts.order.map(|order| order_text(order).to_owned()));
    let mut lines = vec![
        format!("Entries: {}", entries(findings)),
        format!("Order: {}", order.as_deref().unwrap_or("unknown, no log has two entries to tell")),
        format!("Rows per event: {}", rows(event_rows(findings))),
        format!("ETag: {}", all(|log| Some(validator(log.validator).to_owned())).unwrap_or_default()),
        format!("Compression: {compression} ({} came as {})", ByteSize(size), ByteSize(received)),
        format!("Retention: {}", retention(findings)),
    ];
    lines.extend(findings.logs().filter_map(left_out));
    lines
}

/// What the events of all logs show together.
pub(super) fn event_rows(findings: &Findings) -> EventRows {
    findings.logs().map(|(_, log)| log.facts.rows).fold(EventRows::default(), EventRows::and)
}

/// What all logs suggest of how long they keep entries.
pub(super) fn retention_guess(findings: &Findings) -> Guess {
    let extents: Vec<_> = findings.logs().map(|(webhook, log)| log.extent(webhook)).collect();
    guess_retention(&extents)
}

/// One text if all logs that tell agree, else each with the logs that say so; `None` if none tells.
fn agreed<'a>(
    logs: impl Iterator<Item = (&'a Webhook, &'a LogFound)>,
    text: impl Fn(&LogFound) -> Option<String>,
) -> Option<String> {
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (webhook, log) in logs {
        if let Some(text) = text(log) {
            groups.entry(text).or_default().push(printable(&webhook.label()));
        }
    }
    if groups.len() < 2 {
        return groups.into_keys().next();
    }
    let mut groups: Vec<(String, Vec<String>)> = groups.into_iter().collect();
    groups.sort_by_key(|(_, labels)| std::cmp::Reverse(labels.len()));
    let parts = groups.into_iter().map(|(text, labels)| format!("{text} ({})", named(&labels)));
    Some(parts.collect::<Vec<_>>().join("; "))
}

fn named(labels: &[String]) -> String {
    if labels.len() <= MOST_NAMED { labels.join(", ") } else { plural(number(labels.len()), "log") }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn entries(findings: &Findings) -> String {
    let entries: u64 = findings.logs().map(|(_, log)| log.facts.attempts + log.facts.under_way).sum();
    let logs = findings.logs().count();
    let reach = |log: &LogFound| log.facts.oldest.map(|oldest| log.now.millis_since(oldest));
    let mut reaches: Vec<(i64, String)> =
        findings.logs().filter_map(|(webhook, log)| Some((reach(log)?, printable(&webhook.label())))).collect();
    reaches.sort_unstable();
    let all = format!("{} in {}", count(entries), plural(number(logs), "log"));
    match (reaches.first(), reaches.last()) {
        (Some((short, one)), Some((long, other))) if one != other => {
            format!("{all}, which reach back from {} ({one}) to {} ({other})", span(*short), span(*long))
        }
        (Some((reach, _)), _) => format!("{all}, reaching back {}", span(*reach)),
        (None, _) => all,
    }
}

pub(super) const fn order_text(order: LogOrder) -> &'static str {
    match order {
        LogOrder::NewestFirst => "newest first",
        LogOrder::OldestFirst => "oldest first",
        LogOrder::Unordered => "unordered",
    }
}

fn rows(found: EventRows) -> String {
    match found.rows() {
        None => "unknown, no event in the logs was retried".to_owned(),
        Some(Rows::EachAttempt) => format!("up to {} (each attempt is logged)", count(found.most)),
        Some(Rows::FinalOnly) => "1 (only the last attempt of an event is logged)".to_owned(),
        Some(Rows::Mixed) => format!(
            "up to {} ({} of {} have one row only)",
            count(found.most),
            count(found.single),
            plural(found.single + found.several, "retried event")
        ),
    }
}

const fn validator(validator: Validator) -> &'static str {
    match validator {
        Validator::None => "no, so an unchanged log is sent again",
        Validator::Honoured => "yes, unchanged logs cost 304",
        Validator::Ignored => "sent, but If-None-Match is ignored, so an unchanged log is sent again",
        Validator::Untested => "sent; whether an unchanged log costs 304 could not be seen",
    }
}

pub(super) fn compression(transfer: &Transfer) -> String {
    if transfer.encodings.is_empty() { "none".to_owned() } else { transfer.encodings.join(", ") }
}

fn retention(findings: &Findings) -> String {
    match retention_guess(findings) {
        Guess::Unknown => {
            "one look cannot tell; the daemon learns it from what vanishes between polls, and logs it".to_owned()
        }
        Guess::Newest { entries, logs } => {
            format!("perhaps the newest {} entries ({} logs have exactly so many)", count(entries), count(logs))
        }
        Guess::Age { millis, logs } => {
            format!("perhaps the last {} ({} logs reach back that far)", span(millis), count(logs))
        }
    }
}

/// What of a log makes no sense.
fn left_out((webhook, log): (&Webhook, &LogFound)) -> Option<String> {
    let window = log.ledger.window();
    let parts = [
        (window.malformed, "malformed (no usable _id)"),
        (window.foreign, "of another webhook"),
        (log.facts.ahead, "dated over 5 minutes ahead"),
        (log.facts.repeated, "repeated"),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{} {what}", count(number)))
        .collect();
    (!parts.is_empty())
        .then(|| format!("Odd entries in the log of {}: {}", printable(&webhook.label()), parts.join(", ")))
}
