//! What was found, as text: the lost events, the pending ones, and how far the logs reach back.

use std::fmt::Write as _;

use comfy_table::{ColumnConstraint, Table, Width};
use delivery_ledger::{EventSummary, Failure, UnixMillis, Webhook};

use super::found::Found;
use crate::look::{ListFacts, NO_WEBHOOK, date, printable, table};
use crate::words::{format, plural};

/// An id with a blank on each side: it is copied, so it is never broken.
const ID_COLUMNS: u16 = 26;

/// The columns that hold ids.
const IDS: [usize; 2] = [1, 3];

/// What was found, for a terminal of `width` columns if it is one.
pub(super) fn text(found: &Found, width: Option<u16>) -> String {
    let mut text = String::new();
    if found.logs.is_empty() && found.unreadable.is_empty() {
        let _ = writeln!(text, "Nothing was read: {NO_WEBHOOK}");
        tell_list(&mut text, found);
        return text;
    }
    let (lost, pending) = (found.lost(), found.pending());
    let number = |count: usize| plural(u64::try_from(count).unwrap_or(u64::MAX), "event");
    if lost.is_empty() {
        let _ = writeln!(text, "Lost: no event.");
    } else {
        let _ = writeln!(text, "Lost: {}. Nothing sends them again: replay them by hand.\n", number(lost.len()));
        let mut table = events(
            ["webhook", "log entry", "event", "subject", "created (UTC)", "last attempt (UTC)", "lost (UTC)", "why"],
            width,
        );
        for (webhook, lost) in lost {
            let [label, entry, kind, subject, created, last, why] = row(webhook, lost.event.as_ref(), &lost.last);
            let why = match lost.succeeded_at {
                Some(at) => format!("delivered after all at {} UTC: nothing to replay", moment(at)),
                None => why,
            };
            table.add_row([label, entry, kind, subject, created, last, moment(lost.lost_at), why]);
        }
        let _ = writeln!(text, "{table}\n");
    }
    if pending.is_empty() {
        let _ = writeln!(text, "Pending: no event.");
    } else {
        let _ = writeln!(text, "Pending: {}. Cotalker may still retry them.\n", number(pending.len()));
        let mut table =
            events(["webhook", "log entry", "event", "subject", "created (UTC)", "last attempt (UTC)", "why"], width);
        for (webhook, pending) in pending {
            table.add_row(row(webhook, pending.event.as_ref(), &pending.last));
        }
        let _ = writeln!(text, "{table}\n");
    }
    tell_reach(&mut text, found);
    tell_list(&mut text, found);
    text
}

fn events<const COLUMNS: usize>(titles: [&str; COLUMNS], width: Option<u16>) -> Table {
    let mut table = table(titles, width);
    for column in IDS {
        if let Some(column) = table.column_mut(column) {
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(ID_COLUMNS)));
        }
    }
    table
}

fn row(webhook: &Webhook, event: Option<&EventSummary>, last: &Failure) -> [String; 7] {
    let unknown = || "-".to_owned();
    [
        printable(&webhook.label()),
        last.position.id.to_string(),
        event.map_or_else(unknown, |event| format!("{} {}", event.event_type.as_str(), event.action.as_str())),
        event.and_then(|event| event.subject).map_or_else(unknown, |subject| subject.to_string()),
        event.and_then(|event| event.created_at).map_or_else(unknown, moment),
        format!("{}, retry {}", moment(last.at), last.retry),
        last.reason.explain(last.status),
    ]
}

fn moment(at: UnixMillis) -> String {
    format(at, "%Y-%m-%d %H:%M:%S")
}

/// How far the logs reach back: what was lost before is not in them.
fn tell_reach(text: &mut String, found: &Found) {
    let logs = plural(u64::try_from(found.logs.len()).unwrap_or(u64::MAX), "log");
    let begun = found.logs.iter().filter_map(|log| Some((log.oldest?, log)));
    let _ = match begun.max_by_key(|(oldest, _)| *oldest) {
        Some((oldest, log)) => writeln!(
            text,
            "Read {logs}. The shortest is that of {}: it begins {}. What was lost before a log begins is not in it.",
            printable(&log.webhook.label()),
            date(oldest, log.now)
        ),
        None => writeln!(text, "Read {logs}, without any entry."),
    };
}

/// What of the list would not be watched, and so was not read.
fn tell_list(text: &mut String, found: &Found) {
    for line in found.list.iter().flat_map(ListFacts::sentences) {
        let _ = writeln!(text, "{line}");
    }
}
