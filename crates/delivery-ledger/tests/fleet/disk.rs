//! What the simulated exporter keeps over restarts.

use std::time::Duration;

use delivery_ledger::WebhookId;
use delivery_ledger::fleet::Fleet;

use crate::model::Model;
use crate::record::{Checkpoint, Saved};
use crate::shell::Shell;

impl Shell {
    /// Saves what the fleet says has changed, as the poller does.
    pub(crate) fn save(&mut self) {
        if self.fleet.is_unsaved(self.now()) {
            let revision = self.fleet.revision();
            let mut old = std::mem::take(&mut self.records);
            for (id, revision, make) in self.fleet.webhook_states() {
                let state = match old.remove(&id) {
                    Some((made_of, state)) if made_of == revision => state,
                    _ => make(),
                };
                self.records.insert(id, (revision, state));
            }
            let webhooks = self.records.values().map(|(_, state)| state.clone()).collect();
            let saved = Saved { account: self.fleet.account_state().clone(), webhooks, model: self.model.clone() };
            self.previous = self.last.replace(saved);
            self.fleet.saved(revision, self.now());
        }
        // Durable before visible: what is shown now is what a restart would show.
        let Some(saved) = &self.last else {
            assert!(self.model.watched.is_empty(), "webhooks are shown that are not saved");
            return;
        };
        let counts = |model: &Model| -> Vec<(WebhookId, (u64, u64))> {
            let log = |id: &WebhookId| &self.cloud.hooks[self.cloud.index_of(*id)].log;
            model.watched.iter().map(|(id, watched)| (*id, watched.counts(log(id)))).collect()
        };
        assert_eq!(counts(&saved.model), counts(&self.model), "what is shown is not what is saved");
    }

    /// The process ends at this point, and a new one goes on from what was saved.
    pub(crate) fn restart(&mut self, from: Checkpoint) {
        let is_behind = from == Checkpoint::Previous && self.previous.is_some();
        let saved = if is_behind { self.previous.take() } else { self.last.clone() };
        self.process_began = self.clock;
        self.fleet = Fleet::new(self.settings.clone(), self.now());
        match saved {
            Some(saved) => {
                self.model = saved.model.clone();
                self.model.restart(saved.model.previous_list, is_behind);
                // A checkpoint that is no older than three intervals; what an older one does is an example of its own.
                let mut account = saved.account.clone();
                account.list_read_at = account.list_read_at.map(|_| self.now().wall);
                self.fleet.restore(account, saved.webhooks.clone(), is_behind, self.now());
                self.last = Some(saved);
            }
            None => self.model = self.model.first_start(),
        }
        self.fleet.poll_every(self.every, self.now());
        self.fleet.limit_rate(self.rate);
        self.calls.clear();
        self.paused_until = Duration::ZERO;
        (self.has_lost_sight, self.was_ready) = (false, false);
        self.brought.clear();
        self.records.clear();
        self.idle_wakes.clear();
        self.quiet_since = self.clock;
        self.compare();
    }
}
