//! A checkpoint with what its journal says, and what may be behind because a part of that is lost.

use std::collections::{BTreeMap, BTreeSet};

use delivery_ledger::WebhookId;
use delivery_ledger::fleet::WebhookState;

use super::journal::{Entries, Entry, Frame};
use super::record::{Checkpoint, Unusable};

/// A checkpoint, and what has changed since.
pub(super) struct Replay {
    checkpoint: Checkpoint,
    webhooks: BTreeMap<WebhookId, WebhookState>,
    /// Something was lost, and only these are known to be later than that; `None` if nothing was lost.
    later: Option<BTreeSet<WebhookId>>,
}

impl Replay {
    pub(super) fn of(mut checkpoint: Checkpoint) -> Self {
        let webhooks = std::mem::take(&mut checkpoint.webhooks);
        Self {
            checkpoint,
            webhooks: webhooks.into_iter().map(|state| (state.webhook.id, state)).collect(),
            later: None,
        }
    }

    /// Says whether the journal is whole.
    pub(super) fn take_in(&mut self, bytes: &[u8], generation: u64) -> Result<bool, Unusable> {
        let mut entries = Entries::new(bytes, generation);
        let mut is_whole = true;
        while let Some(entry) = entries.next()? {
            match entry {
                Entry::Frame(frame) => self.apply(*frame),
                Entry::Lost => {
                    is_whole = false;
                    self.lose();
                }
            }
        }
        Ok(is_whole)
    }

    fn apply(&mut self, frame: Frame) {
        self.checkpoint.account = frame.account;
        for id in frame.gone {
            self.webhooks.remove(&id);
        }
        for state in frame.changed {
            let id = state.webhook.id;
            if let Some(later) = &mut self.later {
                later.insert(id);
            }
            self.webhooks.insert(id, state);
        }
    }

    pub(super) fn lose(&mut self) {
        self.later = Some(BTreeSet::new());
    }

    /// How many webhooks may be behind.
    pub(super) fn behind(&self) -> usize {
        let Some(later) = &self.later else { return 0 };
        self.webhooks.keys().filter(|id| !later.contains(*id)).count()
    }

    /// Whether all of it may be behind, the account too.
    pub(super) fn is_all_behind(&self) -> bool {
        self.later.as_ref().is_some_and(BTreeSet::is_empty)
    }

    pub(super) fn finish(self) -> Checkpoint {
        let Self { mut checkpoint, webhooks, later } = self;
        let behind = |mut state: WebhookState| {
            state.is_behind |= later.as_ref().is_some_and(|later| !later.contains(&state.webhook.id));
            state
        };
        checkpoint.webhooks = webhooks.into_values().map(behind).collect();
        checkpoint
    }
}
