//! What the metrics see of the account and of its webhooks.

use std::sync::Arc;

use delivery_ledger::{Figures, UnixMillis, Webhook};

use super::sample::Shared;

/// One webhook, as its metrics see it, but for when its log was last read and how often it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookView {
    pub(super) webhook: Arc<Webhook>,
    pub(super) ledger: Figures,
    pub(super) is_up: Option<bool>,
    shared: Shared,
}

impl WebhookView {
    /// What the list says of a webhook, what its log adds up to, and whether the last call for its log worked; `None`
    /// before the first.
    #[must_use]
    pub fn new(webhook: Arc<Webhook>, ledger: Figures, is_up: Option<bool>) -> Self {
        // Its counters do not count from before there was a webhook.
        let since = ledger.since().map(|since| since.max(webhook.id.0.made_at()));
        let labels = [("webhook_id", &*webhook.id.to_string()), ("webhook", &*webhook.label())];
        let shared = Shared::labels(&labels).counting_since(since);
        Self { webhook, ledger, is_up, shared }
    }

    /// The labels that all of its series have, and since when its counters count.
    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }
}

/// One webhook, as its metrics see it. Time that passes changes no more than the date and the plan.
#[derive(Clone, Debug)]
pub struct DatedView {
    /// The rest.
    pub view: Arc<WebhookView>,
    /// When its log was last read, by the local clock.
    pub read_at: Option<UnixMillis>,
    /// The planned milliseconds between two reads of it.
    pub interval_millis: i64,
}

/// The whole account, as its metrics see it.
#[derive(Clone, Copy, Debug, Default)]
pub struct AccountView {
    /// Whether the last list worked; `None` before the first.
    pub is_up: Option<bool>,
    /// Watched webhooks that are active.
    pub active: u64,
    /// Watched webhooks that are not.
    pub inactive: u64,
    /// Webhooks that are not watched because there are too many.
    pub dropped: u64,
    /// Malformed entries of the last list.
    pub malformed: u64,
    /// Whether another replica knows the present better: then only what counts up is written, which merely lags.
    pub is_standby: bool,
}
