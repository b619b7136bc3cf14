//! The webhooks that a page shows, in the order in which it shows them.

use delivery_ledger::UnixMillis;
use delivery_ledger::fleet::{CallFailure as _, Reach};

use crate::snapshot::{Overview, WebhookRow};
use crate::webhook_state::WebhookState;

/// A webhook, and how it stands.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) webhook: &'a WebhookRow,
    pub(super) state: WebhookState,
    /// Whether it cannot be read because the API cannot: that is one cause, and told once.
    pub(super) is_of_api: bool,
}

impl<'a> Entry<'a> {
    pub(super) fn of(webhook: &'a WebhookRow, overview: &Overview, now: UnixMillis) -> Self {
        let has_own_problem = webhook.problem.as_ref().is_some_and(|problem| problem.reach() != Reach::Api);
        let is_of_api = overview.is_api_up == Some(false) && !has_own_problem;
        Self { webhook, state: WebhookState::of(webhook, overview, now), is_of_api }
    }

    /// Whether it has a cause of its own to look into.
    pub(super) fn needs_attention(&self) -> bool {
        self.state.needs_attention() && !self.is_hidden_by_api()
    }

    /// Whether nothing is known against it but that the API cannot be read.
    pub(super) fn is_hidden_by_api(&self) -> bool {
        self.is_of_api && matches!(self.state, WebhookState::Unreadable | WebhookState::Stale)
    }
}

/// All webhooks: the worst state first, in it the longest trouble, and the rest as one looks it up.
pub(super) fn entries(overview: &Overview, now: UnixMillis) -> Vec<Entry<'_>> {
    let mut entries: Vec<_> = overview.webhooks.iter().map(|webhook| Entry::of(webhook, overview, now)).collect();
    entries.sort_by_cached_key(|Entry { webhook, state, .. }| {
        let since = if state.needs_attention() { webhook.failing_since.or(webhook.read_at) } else { None };
        (*state, since.unwrap_or(UnixMillis::MAX), webhook.label.to_lowercase(), webhook.id.clone())
    });
    entries
}
