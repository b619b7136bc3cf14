//! Webhooks that need attention for one cause stand together.

use std::collections::HashMap;

use delivery_ledger::FailureReason;

use super::entry::Entry;
use crate::api::CallError;
use crate::webhook_state::WebhookState;

/// Why webhooks need attention, as far as one look at it does for all of them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Cause<'a> {
    /// Deliveries to this host fail for this reason.
    Deliveries { host: &'a str, reason: FailureReason, status: Option<u16> },
    /// Events were lost, and deliveries work again: all of them are to be sent again.
    Lost,
    /// The log cannot be read for this reason.
    Unreadable(Option<&'a CallError>),
    /// The log has not been read for too long.
    Stale,
    /// Nothing that another webhook could have in common with this one.
    Own(&'a str),
}

impl<'a> Cause<'a> {
    fn of(entry: &Entry<'a>) -> Self {
        let webhook = entry.webhook;
        let own = Self::Own(&webhook.id);
        match (entry.state, &webhook.last_failure) {
            (WebhookState::Blocked | WebhookState::Failing, Some(failure)) if !webhook.target_host.is_empty() => {
                Self::Deliveries { host: &webhook.target_host, reason: failure.reason, status: failure.status }
            }
            (WebhookState::Lost, _) => Self::Lost,
            (WebhookState::Unreadable, _) => Self::Unreadable(webhook.problem.as_ref()),
            (WebhookState::Stale, _) => Self::Stale,
            (
                WebhookState::Blocked
                | WebhookState::Failing
                | WebhookState::Unread
                | WebhookState::Inactive
                | WebhookState::Healthy,
                _,
            ) => own,
        }
    }
}

/// A cause, and the webhooks that have it, the worst first; at least one.
pub(super) struct Affected<'a> {
    pub(super) cause: Cause<'a>,
    pub(super) worst: Entry<'a>,
    pub(super) others: Vec<Entry<'a>>,
}

impl<'a> Affected<'a> {
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry<'a>> {
        std::iter::once(&self.worst).chain(&self.others)
    }

    pub(super) fn count(&self) -> u64 {
        u64::try_from(self.others.len()).unwrap_or(u64::MAX).saturating_add(1)
    }
}

/// The causes in the order of their worst webhooks.
pub(super) fn causes<'a>(entries: impl Iterator<Item = Entry<'a>>) -> Vec<Affected<'a>> {
    let mut causes: Vec<Affected<'a>> = Vec::new();
    let mut places = HashMap::new();
    for entry in entries {
        let cause = Cause::of(&entry);
        match places.get(&cause).and_then(|place: &usize| causes.get_mut(*place)) {
            Some(affected) => affected.others.push(entry),
            None => {
                places.insert(cause, causes.len());
                causes.push(Affected { cause, worst: entry, others: Vec::new() });
            }
        }
    }
    causes
}
