//! Which webhooks there are, selected as the daemon does.

use std::collections::BTreeSet;

use delivery_ledger::{Webhook, WebhookId, select, select_ids};
use serde::Serialize;

use crate::api::{ApiClient as Client, CallError, Fetched, Listing};
use crate::poller::PollSettings;

/// What to say where nothing is selected.
pub(crate) const NO_WEBHOOK: &str = "there is no webhook to watch: check --webhook.include, --webhook.exclude, --cotalker.company, and what the token may read.";

/// The account, as the list or the calls by id show it.
#[derive(Debug)]
pub struct Account {
    /// The webhooks that the daemon would watch, by label.
    pub webhooks: Vec<Webhook>,
    /// What the list showed.
    pub list: ListFacts,
    /// Chosen webhooks that cannot be read.
    pub unreadable: Vec<Unreadable>,
}

/// What there is that the daemon would not watch. Its field names are part of the JSON of `check` and `lost`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ListFacts {
    /// All entries of the list; with `--webhook.id`, all webhooks that could be read.
    pub entries: usize,
    /// Entries without a usable `_id`.
    pub malformed: usize,
    /// Entries with the `_id` of an earlier one.
    pub repeated: usize,
    /// Webhooks whose codes the filter does not admit.
    pub filtered_out: usize,
    /// Webhooks over `--webhook.limit`.
    pub over_limit: usize,
}

impl ListFacts {
    /// What of the list makes no sense, or would not be watched, in sentences.
    pub(crate) fn sentences(&self) -> Vec<String> {
        let sentence = |count: usize, one: &str, many: &str, rest: &str| match count {
            0 => None,
            1 => Some(format!("1 {one} {rest}")),
            _ => Some(format!("{count} {many} {rest}")),
        };
        let sentences = [
            sentence(
                self.malformed,
                "entry of the list is",
                "entries of the list are",
                "malformed (no usable _id) and would not be watched.",
            ),
            sentence(
                self.repeated,
                "entry of the list repeats",
                "entries of the list repeat",
                "the _id of an earlier one.",
            ),
            sentence(
                self.filtered_out,
                "webhook is",
                "webhooks are",
                "left out by --webhook.include or --webhook.exclude.",
            ),
            sentence(
                self.over_limit,
                "more webhook is",
                "more webhooks are",
                "over --webhook.limit and would not be watched.",
            ),
        ];
        sentences.into_iter().flatten().collect()
    }
}

/// A webhook of which something cannot be read, and why.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// Which one.
    pub id: WebhookId,
    /// Its code, or its id where it has none or none is known.
    pub label: String,
    /// Why.
    pub cause: CallError,
}

/// Reads the list, or each chosen webhook by its id.
///
/// # Errors
///
/// If the list cannot be read.
pub async fn look(settings: &PollSettings, client: &Client) -> Result<Account, CallError> {
    let ids = select_ids(settings.ids.clone(), settings.limit);
    let (listing, unreadable) = if settings.ids.is_empty() {
        let (listing, _) = client.list(None).await?.fresh()?;
        (listing, Vec::new())
    } else {
        by_id(&ids.watched, client).await
    };
    let Listing { webhooks, malformed } = listing;
    let (readable, distinct) = (webhooks.len(), distinct(&webhooks));
    let selected = select(webhooks, |code| settings.filter.admits(code), settings.limit);
    let list = ListFacts {
        entries: readable + malformed,
        malformed,
        repeated: readable - distinct,
        filtered_out: distinct.saturating_sub(selected.watched.len() + selected.dropped),
        over_limit: ids.dropped + selected.dropped,
    };
    let mut webhooks = selected.watched;
    webhooks.sort_by_key(|webhook| (webhook.label(), webhook.id));
    Ok(Account { webhooks, list, unreadable })
}

async fn by_id(ids: &[WebhookId], client: &Client) -> (Listing, Vec<Unreadable>) {
    let (mut webhooks, mut unreadable) = (Vec::new(), Vec::new());
    for id in ids {
        match client.webhook(*id).await.and_then(Fetched::fresh) {
            Ok((webhook, _)) => webhooks.push(webhook),
            Err(cause) => unreadable.push(Unreadable { id: *id, label: id.to_string(), cause }),
        }
    }
    (Listing { webhooks, malformed: 0 }, unreadable)
}

fn distinct(webhooks: &[Webhook]) -> usize {
    webhooks.iter().map(|webhook| webhook.id).collect::<BTreeSet<_>>().len()
}
