//! The fleet itself: its state, and how it starts.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::account::Account;
use super::io::{CallFailure, CallId, Effect, Now};
use super::member::{LogState, Member, Vanished};
use super::notices::Outbox;
use super::poll::Poll;
use super::state::{AccountState, WebhookState};
use crate::baseline::History;
use crate::id::WebhookId;
use crate::policy::Policy;
use crate::time::UnixMillis;

/// How long the ledger of a webhook that vanished is kept. Source: docs/specification.md, rule 3.
pub(super) const KEEP_VANISHED: Duration = Duration::from_secs(24 * 60 * 60);

/// What a fleet goes by.
#[derive(Clone, Debug)]
pub struct FleetSettings {
    /// When an attempt is an event's last.
    pub policy: Policy,
    /// The time between the starts of two polls.
    pub interval: Duration,
    /// Log calls under way at once, at least 1.
    pub concurrency: usize,
    /// What a first start does with what is in the logs.
    pub history: History,
    /// Only these webhooks, in order and each once, through the call by id; all that are listed if empty.
    pub ids: Vec<WebhookId>,
}

/// All watched webhooks.
#[derive(Clone, Debug)]
pub struct Fleet<E> {
    pub(super) settings: FleetSettings,
    pub(super) account: Account<E>,
    pub(super) members: BTreeMap<WebhookId, Member<E>>,
    pub(super) vanished: BTreeMap<WebhookId, Vanished>,
    /// The server's time at the last list before the restart; `None` on a first start, and once it has served.
    pub(super) restored_list: Option<UnixMillis>,
    /// Calls by id under way for webhooks that are not members yet.
    pub(super) describing: BTreeMap<WebhookId, CallId>,
    /// Log calls under way for webhooks that have gone since; a webhook may have returned. They change nothing any more.
    pub(super) abandoned: BTreeMap<WebhookId, CallId>,
    pub(super) ids: IdCalls<E>,
    pub(super) poll: Option<Poll>,
    /// When the next poll is due.
    pub(super) due: Duration,
    /// The API asked for a pause until then.
    pub(super) paused_until: Duration,
    /// The newest failure of any call: what a pause, or an API out of reach, is told by.
    pub(super) newest_failure: Option<E>,
    pub(super) is_ready: bool,
    pub(super) next_call: u64,
    pub(super) revision: u64,
    pub(super) saved_revision: u64,
    pub(super) has_news: bool,
    pub(super) outbox: Outbox<E>,
}

/// What the calls by id of a poll add up to: together they are the list.
#[derive(Clone, Debug)]
pub(super) struct IdCalls<E> {
    pub(super) first_server_time: Option<UnixMillis>,
    pub(super) problem: Option<E>,
}

impl<E> Default for IdCalls<E> {
    fn default() -> Self {
        Self { first_server_time: None, problem: None }
    }
}

impl<E: CallFailure> Fleet<E> {
    /// A fleet that has not polled yet, and is due at once.
    #[must_use]
    pub fn new(settings: FleetSettings, now: Now) -> Self {
        Self {
            settings,
            account: Account::new(AccountState::default()),
            members: BTreeMap::new(),
            vanished: BTreeMap::new(),
            restored_list: None,
            describing: BTreeMap::new(),
            abandoned: BTreeMap::new(),
            ids: IdCalls::default(),
            poll: None,
            due: now.uptime,
            paused_until: Duration::ZERO,
            newest_failure: None,
            is_ready: false,
            next_call: 0,
            revision: 0,
            saved_revision: 0,
            has_news: true,
            outbox: Outbox::new(),
        }
    }

    /// Goes on from a checkpoint. Counts that are behind what was once shown (`is_behind`, or said of a webhook) stay out
    /// of sight until the log has been read. Of chosen webhooks only the chosen ones are taken.
    pub fn restore(&mut self, account: AccountState, webhooks: Vec<WebhookState>, is_behind: bool, now: Now) {
        self.restored_list = account.listed_at;
        self.account = Account::new(account);
        for state in webhooks {
            let WebhookState { webhook, ledger, read_at, vanished_since, is_behind: was_behind } = state;
            let (id, ledger, is_behind) = (webhook.id, Arc::new(ledger), is_behind || was_behind);
            if !self.settings.ids.is_empty() && self.settings.ids.binary_search(&id).is_err() {
                continue;
            }
            if let Some(since) = vanished_since {
                // The clock may have been set: what was kept is kept for a while, and never for longer than a day more.
                let gone = u64::try_from(now.wall.millis_since(since)).unwrap_or(0);
                let left = KEEP_VANISHED.saturating_sub(Duration::from_millis(gone));
                let forget_at = now.uptime.saturating_add(left);
                self.vanished.insert(id, Vanished { webhook, ledger, since, forget_at, is_behind, revision: 0 });
            } else {
                let log = if is_behind { LogState::Behind } else { LogState::Unread };
                self.members.insert(id, Member { read_at, ..Member::new(webhook, ledger, log) });
            }
        }
        // What is restored is as good as a first poll, if it can be shown.
        self.is_ready = !self.members.is_empty() && !is_behind;
    }

    /// Takes what the shell has to do now.
    pub fn take_effects(&mut self) -> Vec<Effect<E>> {
        core::mem::take(&mut self.outbox.effects)
    }

    /// Takes in that everything up to `revision` (see [`Fleet::revision`]) is durable.
    pub fn saved(&mut self, revision: u64) {
        self.saved_revision = self.saved_revision.max(revision);
    }

    /// Goes up with every change that is worth saving.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether anything has changed since the last [`Fleet::saved`].
    #[must_use]
    pub fn is_unsaved(&self) -> bool {
        self.revision > self.saved_revision
    }

    /// Whether anything has changed since the last [`Fleet::shown`].
    #[must_use]
    pub fn has_news(&self) -> bool {
        self.has_news
    }

    /// Takes in that how things stand is shown.
    pub fn shown(&mut self) {
        self.has_news = false;
    }

    pub(super) fn call(&mut self) -> CallId {
        let call = CallId(self.next_call);
        self.next_call += 1;
        call
    }

    pub(super) fn change(&mut self) -> u64 {
        self.revision += 1;
        self.revision
    }
}
