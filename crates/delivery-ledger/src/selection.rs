//! Which webhooks are watched: one rule for the daemon and for `check`.

use alloc::vec::Vec;

use crate::id::WebhookId;
use crate::webhook::Webhook;

/// What is watched of what there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selected<T> {
    /// In the order of the ids, each id once.
    pub watched: Vec<T>,
    /// How many are over the limit.
    pub dropped: usize,
}

/// Selects from a list: first the webhooks whose code `admits`, then the `limit` oldest. Ids grow with time, so the
/// oldest stay watched however the list is sorted and whatever is added to it. Of two entries with one id the first
/// counts.
#[must_use]
pub fn select(mut webhooks: Vec<Webhook>, admits: impl Fn(&str) -> bool, limit: usize) -> Selected<Webhook> {
    webhooks.sort_by_key(|webhook| webhook.id);
    webhooks.dedup_by_key(|webhook| webhook.id);
    webhooks.retain(|webhook| admits(&webhook.code));
    cut(webhooks, limit)
}

/// Selects from webhooks that are named by their ids. What they are called is not known yet, so a filter by code comes
/// later and drops none of them.
#[must_use]
pub fn select_ids(mut ids: Vec<WebhookId>, limit: usize) -> Selected<WebhookId> {
    ids.sort_unstable();
    ids.dedup();
    cut(ids, limit)
}

fn cut<T>(mut all: Vec<T>, limit: usize) -> Selected<T> {
    let dropped = all.len().saturating_sub(limit);
    all.truncate(limit);
    Selected { watched: all, dropped }
}
