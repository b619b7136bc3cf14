//! A webhook that needs no attention: one line of a table.

use super::clocks::{Clocks, Moment};
use super::webhook::{Identity, remarks};
use crate::snapshot::WebhookRow;
use crate::words::grouped;

/// One line of a table.
pub(super) struct QuietRow {
    pub(super) who: Identity,
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

impl Count {
    fn of(number: u64) -> Self {
        Self { text: grouped(number), is_zero: number == 0 }
    }
}

pub(super) fn row(webhook: &WebhookRow, clocks: &Clocks) -> QuietRow {
    let mut notes = Vec::new();
    if let Some(failure) = webhook.last_failure.filter(|_| webhook.consecutive_failures > 0) {
        notes.push(format!("The last attempt failed: {}.", failure.reason.explain(failure.status)));
    }
    notes.extend(remarks(webhook));
    QuietRow {
        who: Identity::of(webhook),
        notes,
        last_success: webhook.last_success.map(|at| clocks.server_ago(at)),
        attempts: Count::of(webhook.attempts),
        failures: Count::of(webhook.failures),
        delivered: Count::of(webhook.delivered),
        pending: Count::of(webhook.pending),
        lost: Count::of(webhook.lost),
        read: webhook.read_at.map(|at| clocks.local_ago(at)),
    }
}
