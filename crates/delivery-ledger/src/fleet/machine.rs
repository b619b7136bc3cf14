//! The fleet itself: its state, and how it starts.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::account::Account;
use super::io::{CallFailure, CallId, Effect, Notice};
use super::member::{Age, LogState, Member, Vanished};
use super::notices::Outbox;
use super::plan::Plan;
use super::poll::Poll;
use super::state::{AccountState, WebhookState};
use crate::baseline::History;
use crate::id::WebhookId;
use crate::now::Now;
use crate::policy::Policy;
use crate::time::UnixMillis;

/// How long the ledger of a webhook that vanished is kept. Source: docs/specification.md, rule 3.
pub(super) const KEEP_VANISHED: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a malformed entry of the list may stand for a webhook that is missing from it. Source: docs/specification.md,
/// rule 3.
pub(super) const KEEP_MISSING: Duration = Duration::from_secs(60 * 60);

/// A checkpoint older than so many intervals may be older than what was shown. Source: docs/specification.md, rule 3.
const STALE_INTERVALS: u32 = 3;

/// The time of the last list is saved at least this often though nothing else has changed, or every two intervals if that
/// is more often, so that a checkpoint is stale only if nothing ran.
const LONGEST_UNSAVED: Duration = Duration::from_secs(2 * 60);

/// What a fleet goes by.
#[derive(Clone, Debug)]
pub struct FleetSettings {
    /// When an attempt is an event's last.
    pub policy: Policy,
    /// The time between the starts of two polls, unless [`Fleet::poll_every`] says otherwise.
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
    /// The call under way for a webhook, whether it is a member or not yet.
    pub(super) calls: BTreeMap<WebhookId, CallId>,
    /// Log calls under way for webhooks that have gone since; a webhook may have returned. They change nothing any more.
    pub(super) abandoned: BTreeMap<WebhookId, CallId>,
    pub(super) ids: IdCalls<E>,
    pub(super) poll: Option<Poll>,
    /// The time between the starts of two polls now: the interval, or longer for a replica that stands by.
    pub(super) every: Duration,
    /// When the next poll is due.
    pub(super) due: Duration,
    /// The API asked for a pause until then.
    pub(super) paused_until: Duration,
    /// The newest failure of any call: what a pause, or an API out of reach, is told by.
    pub(super) newest_failure: Option<E>,
    /// When restored counts that are stale are shown as they are; `None` if there are none, or they have been.
    pub(super) stale_until: Option<Duration>,
    pub(super) is_ready: bool,
    pub(super) next_call: u64,
    pub(super) revision: u64,
    pub(super) saved_revision: u64,
    /// When anything was last saved.
    pub(super) saved_at: Duration,
    pub(super) has_news: bool,
    /// API calls per second at most; 0 for no limit.
    pub(super) calls_per_second: f64,
    /// How long a log may wait, as it was told last.
    pub(super) told_read_interval: Duration,
    /// How often each log is read; `None` if each poll reads them all.
    pub(super) plan: Option<Plan>,
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
        let interval = settings.interval;
        Self {
            every: settings.interval,
            settings,
            account: Account::new(AccountState::default()),
            members: BTreeMap::new(),
            vanished: BTreeMap::new(),
            restored_list: None,
            calls: BTreeMap::new(),
            abandoned: BTreeMap::new(),
            ids: IdCalls::default(),
            poll: None,
            due: now.uptime,
            paused_until: Duration::ZERO,
            newest_failure: None,
            stale_until: None,
            is_ready: false,
            next_call: 0,
            revision: 0,
            saved_revision: 0,
            saved_at: now.uptime,
            has_news: true,
            calls_per_second: 0.0,
            told_read_interval: interval,
            plan: None,
            outbox: Outbox::new(),
        }
    }

    /// Goes on from a checkpoint. Counts that are behind what was once shown (`is_behind`, or said of a webhook), or that
    /// may be because the checkpoint is older than three intervals, stay out of sight until the log has been read. Of chosen webhooks only the chosen ones are taken.
    pub fn restore(&mut self, account: AccountState, webhooks: Vec<WebhookState>, is_behind: bool, now: Now) {
        self.restored_list = account.listed_at;
        let patience = self.settings.interval.saturating_mul(STALE_INTERVALS);
        let age = account.list_read_at.map_or(0, |read_at| now.wall.millis_since(read_at));
        let is_stale = u64::try_from(age).is_ok_and(|age| Duration::from_millis(age) > patience);
        let stale = is_stale.then(|| Age::Stale { shown_at: now.uptime.saturating_add(patience) });
        if let Some(Age::Stale { shown_at }) = stale {
            self.stale_until = Some(shown_at);
        }
        self.saved_at = now.uptime;
        self.account = Account::new(account);
        for state in webhooks {
            let WebhookState { webhook, ledger, read_at, vanished_since, is_behind: was_behind } = state;
            let (id, is_behind) = (webhook.id, is_behind || was_behind);
            let (webhook, ledger) = (Arc::new(webhook), Arc::new(ledger));
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
                let behind = if is_behind { Some(Age::Outrun) } else { stale };
                let log = behind.map_or(LogState::Unread, |age| LogState::Behind { age });
                self.members.insert(id, Member { read_at, ..Member::new(webhook, ledger, log) });
            }
        }
        self.restore_turns(now);
        // What is restored is as good as a first poll, if it can be shown.
        self.is_ready = self.members.values().any(|member| member.behind().is_none());
    }

    /// Takes in that the shell makes no more API calls per second than this; 0 for no limit. Says so if that is too few for
    /// all logs to be read each interval.
    pub fn limit_rate(&mut self, calls_per_second: f64) {
        self.calls_per_second = calls_per_second;
        self.tell_read_interval();
    }

    /// Says what the state is about from now on: the API's URL and the company. Says so if a checkpoint was about another:
    /// what it does not know is then told from what is new by the webhooks' ids.
    pub fn identify(&mut self, identity: String) {
        let before = &self.account.state.identity;
        if !before.is_empty() && *before != identity {
            self.outbox.say(Notice::OtherAccount { before: before.clone(), now: identity.clone() });
        }
        if *before != identity {
            self.account.state.identity = identity;
            self.change();
        }
    }

    /// Takes what the shell has to do now.
    pub fn take_effects(&mut self) -> Vec<Effect<E>> {
        core::mem::take(&mut self.outbox.effects)
    }

    /// Takes in that everything up to `revision` (see [`Fleet::revision`]) is durable.
    pub fn saved(&mut self, revision: u64, now: Now) {
        self.saved_revision = self.saved_revision.max(revision);
        self.saved_at = now.uptime;
    }

    /// Goes up with every change that is worth saving.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether anything is worth saving: it has changed since the last [`Fleet::saved`], or that is long ago.
    #[must_use]
    pub fn is_unsaved(&self, now: Now) -> bool {
        let longest = LONGEST_UNSAVED.min(self.settings.interval.saturating_mul(2));
        let is_overdue = now.uptime.saturating_sub(self.saved_at) >= longest;
        self.revision > self.saved_revision || (is_overdue && self.account.has_worked)
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
