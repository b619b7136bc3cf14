//! A webhook that needs no attention: one line of a table.

use super::clocks::{Clocks, Moment};
use super::entry::Entry;
use super::webhook::{Chip, Identity, remarks};

/// One line of a table.
pub(super) struct QuietRow {
    pub(super) id: String,
    pub(super) who: Identity,
    pub(super) chip: Chip,
    pub(super) notes: Vec<String>,
    pub(super) last_success: Option<Moment>,
    pub(super) attempts: Count,
    pub(super) failures: Count,
    pub(super) delivered: Count,
    pub(super) pending: Count,
    pub(super) lost: Count,
    pub(super) read: Option<Moment>,
}

pub(super) struct Count {
    pub(super) text: String,
    pub(super) is_zero: bool,
}

pub(super) fn row(entry: &Entry<'_>, clocks: &Clocks) -> QuietRow {
    let (webhook, words) = (entry.webhook, clocks.words);
    let mut notes = Vec::new();
    if let Some(failure) = webhook.last_failure.filter(|_| webhook.consecutive_failures > 0) {
        notes.push(words.last_attempt_failed(&words.why(failure.reason, failure.status)));
    }
    notes.extend(remarks(webhook, words));
    let count = |number: u64| Count { text: words.number(number), is_zero: number == 0 };
    QuietRow {
        id: webhook.id.clone(),
        who: Identity::of(webhook),
        chip: Chip::of(entry.state, words),
        notes,
        last_success: webhook.last_success.map(|at| clocks.server_ago(at)),
        attempts: count(webhook.attempts),
        failures: count(webhook.failures),
        delivered: count(webhook.delivered),
        pending: count(webhook.pending),
        lost: count(webhook.lost),
        read: webhook.read_at.map(|at| clocks.local_ago(at)),
    }
}
