//! All watched webhooks and their ledgers: who comes, goes and returns, and what their calls brought.
//!
//! No I/O and no clock; the poller hands times in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use tokio::time::Instant;

use super::Serial;
use crate::api::call::CallResult;
use crate::api::{CallError, Fetched, Validator};
use crate::exposition::{self, AccountView, Rendered, WebhookView};
use crate::schedule;
use crate::snapshot::{Overview, Snapshot, WebhookRow};
use crate::store::record::{Checkpoint, SavedAccount, SavedWebhook, encode_record};
use crate::telemetry::PollResult;
use delivery_ledger::{Answer, Ledger, Policy};
use delivery_ledger::{Position, UnixMillis, Webhook, WebhookId};

/// How long the ledger of a webhook that vanished is kept. Source: the contract, rule 3.
const KEEP_VANISHED_MILLIS: i64 = 24 * 60 * 60 * 1_000;

/// So many lines about single webhooks are logged in one round; a flood tells nothing more. A convention.
const NOTICES_PER_ROUND: u32 = 20;

/// All watched webhooks.
#[derive(Debug)]
pub(super) struct Fleet {
    policy: Policy,
    interval: Duration,
    watched: BTreeMap<WebhookId, Watched>,
    vanished: BTreeMap<WebhookId, Vanished>,
    /// The server's time at the last list that worked; `None` before the first.
    pub(super) listed_at: Option<UnixMillis>,
    /// Whether the first poll has ended.
    pub(super) is_ready: bool,
    account: AccountView,
    account_problem: Option<CallError>,
    /// When a list last worked, by the local clock.
    list_read_at: Option<UnixMillis>,
    server_ahead_millis: i64,
    next_serial: u64,
    ids: IdRound,
    has_failed_log: bool,
    has_failed_list: bool,
    /// Whether anything has changed since the last checkpoint.
    is_unsaved: bool,
    notices: Notices,
}

/// A watched webhook.
#[derive(Debug)]
struct Watched {
    webhook: Webhook,
    /// Shared with the call that reads its log; that one never changes it.
    ledger: Arc<Ledger>,
    is_up: Option<bool>,
    problem: Option<CallError>,
    read_at: Option<UnixMillis>,
    validator: Option<Validator>,
    failures: u32,
    not_before: Option<Instant>,
    in_flight: Option<Serial>,
    /// It has just appeared: it is shown first, and read from the next round on.
    is_new: bool,
    /// Its counts are older than what was once shown: it is not shown before its log has been read.
    is_behind: bool,
    has_odd_entries: bool,
    /// Its record, as long as it holds.
    saved: Option<Bytes>,
}

impl Watched {
    fn new(webhook: Webhook, ledger: Arc<Ledger>, is_new: bool) -> Self {
        Self {
            webhook,
            ledger,
            is_up: None,
            problem: None,
            read_at: None,
            validator: None,
            failures: 0,
            not_before: None,
            in_flight: None,
            is_new,
            is_behind: false,
            has_odd_entries: false,
            saved: None,
        }
    }
}

/// A webhook that is gone from the list, and may return.
#[derive(Debug)]
struct Vanished {
    webhook: Webhook,
    ledger: Arc<Ledger>,
    since: UnixMillis,
    is_behind: bool,
    saved: Option<Bytes>,
}

/// What the calls by id add up to since a round last ended: together they are the list.
#[derive(Debug, Default)]
struct IdRound {
    under_way: BTreeMap<WebhookId, Serial>,
    first_server_time: Option<UnixMillis>,
    problem: Option<CallError>,
}

/// What a call needs to know of a webhook that is known.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) ledger: Arc<Ledger>,
    pub(super) validator: Option<Validator>,
}

/// Bounds the lines about single webhooks.
#[derive(Debug, Default)]
struct Notices {
    given: u32,
}

impl Notices {
    fn give(&mut self, notice: impl FnOnce()) {
        self.given = self.given.saturating_add(1);
        if self.given <= NOTICES_PER_ROUND {
            notice();
        }
    }

    fn end_round(&mut self) {
        let left_out = self.given.saturating_sub(NOTICES_PER_ROUND);
        if left_out > 0 {
            tracing::warn!(left_out, "further messages about webhooks of this poll are left out");
        }
        self.given = 0;
    }
}

impl Fleet {
    pub(super) fn new(policy: Policy, interval: Duration) -> Self {
        Self {
            policy,
            interval,
            watched: BTreeMap::new(),
            vanished: BTreeMap::new(),
            listed_at: None,
            is_ready: false,
            account: AccountView::default(),
            account_problem: None,
            list_read_at: None,
            server_ahead_millis: 0,
            next_serial: 0,
            ids: IdRound::default(),
            has_failed_log: false,
            has_failed_list: false,
            is_unsaved: false,
            notices: Notices::default(),
        }
    }

    /// Goes on from a checkpoint. One that `is_behind` has counts older than what was shown: they stay out of sight until
    /// the logs have been read. Of chosen webhooks only those in `ids` are taken, unless that is empty.
    pub(super) fn restore(&mut self, checkpoint: Checkpoint, is_behind: bool, ids: &[WebhookId]) {
        let ids: BTreeSet<WebhookId> = ids.iter().copied().collect();
        let SavedAccount { listed_at, list_read_at, server_ahead_millis } = checkpoint.account;
        self.listed_at = listed_at;
        self.list_read_at = list_read_at;
        self.server_ahead_millis = server_ahead_millis;
        for saved in checkpoint.webhooks {
            let SavedWebhook { webhook, ledger, read_at, vanished_since, is_behind: was_behind } = saved;
            let (id, ledger, is_behind) = (webhook.id, Arc::new(ledger), is_behind || was_behind);
            if !ids.is_empty() && !ids.contains(&id) {
                continue;
            }
            if let Some(since) = vanished_since {
                self.vanished.insert(id, Vanished { webhook, ledger, since, is_behind, saved: None });
            } else {
                let watched = Watched { read_at, is_behind, ..Watched::new(webhook, ledger, false) };
                self.watched.insert(id, watched);
            }
        }
        // What is restored is as good as a first poll, if it can be shown.
        self.is_ready = !self.watched.is_empty() && !is_behind;
    }

    /// The records of a checkpoint of how things stand, if anything has changed since the last one that was
    /// [`saved`](Self::saved). Only what has changed is encoded anew.
    pub(super) fn checkpoint(&mut self) -> postcard::Result<Option<Vec<Bytes>>> {
        if !self.is_unsaved {
            return Ok(None);
        }
        let account = SavedAccount {
            listed_at: self.listed_at,
            list_read_at: self.list_read_at,
            server_ahead_millis: self.server_ahead_millis,
        };
        let mut records = Vec::with_capacity(1 + self.watched.len() + self.vanished.len());
        records.push(encode_record(&account)?);
        for watched in self.watched.values_mut() {
            let record = match &watched.saved {
                Some(record) => record.clone(),
                None => encode_record(&SavedWebhook {
                    webhook: watched.webhook.clone(),
                    ledger: Ledger::clone(&watched.ledger),
                    read_at: watched.read_at,
                    vanished_since: None,
                    is_behind: watched.is_behind,
                })?,
            };
            watched.saved = Some(record.clone());
            records.push(record);
        }
        for vanished in self.vanished.values_mut() {
            let record = match &vanished.saved {
                Some(record) => record.clone(),
                None => encode_record(&SavedWebhook {
                    webhook: vanished.webhook.clone(),
                    ledger: Ledger::clone(&vanished.ledger),
                    read_at: None,
                    vanished_since: Some(vanished.since),
                    is_behind: vanished.is_behind,
                })?,
            };
            vanished.saved = Some(record.clone());
            records.push(record);
        }
        Ok(Some(records))
    }

    /// Takes in that the last checkpoint is durable.
    pub(super) fn saved(&mut self) {
        self.is_unsaved = false;
    }

    /// How many webhooks are watched.
    pub(super) fn len(&self) -> usize {
        self.watched.len()
    }

    /// The webhooks whose log is to be read in the round that starts now.
    pub(super) fn due(&self, now: Instant) -> impl Iterator<Item = WebhookId> {
        self.watched.keys().copied().filter(move |id| self.is_due(*id, now))
    }

    /// Whether a webhook is to be called in the round that starts now. An unknown one is, if its last call has ended.
    pub(super) fn is_due(&self, id: WebhookId, now: Instant) -> bool {
        match self.watched.get(&id) {
            Some(watched) => {
                watched.in_flight.is_none() && !watched.is_new && watched.not_before.is_none_or(|until| until <= now)
            }
            None => !self.ids.under_way.contains_key(&id),
        }
    }

    /// Takes in a list that worked. `webhooks` are those to be watched, in the order of their ids.
    pub(super) fn listed(
        &mut self,
        webhooks: Vec<Webhook>,
        malformed: usize,
        dropped: usize,
        first_floor: Position,
        server_time: UnixMillis,
        now: UnixMillis,
    ) {
        if malformed > 0 && self.account.malformed == 0 {
            tracing::warn!(
                malformed,
                "the list has entries that make no sense; they are left out, and none is taken for gone"
            );
        }
        self.account.malformed = u64::try_from(malformed).unwrap_or(u64::MAX);
        self.drop_over_limit(dropped);

        let mut gone = std::mem::take(&mut self.watched);
        for webhook in webhooks {
            let watched = gone.remove(&webhook.id);
            self.watch(webhook, watched, first_floor, now);
        }
        if malformed > 0 {
            // Any of them could be the one that can't be read.
            self.watched.append(&mut gone);
        }
        for watched in gone.into_values() {
            self.retire(watched, now);
        }
        self.list_is_unchanged(server_time, now);
    }

    /// Takes in how many webhooks are not watched because there are too many.
    pub(super) fn drop_over_limit(&mut self, dropped: usize) {
        let dropped = u64::try_from(dropped).unwrap_or(u64::MAX);
        if dropped > 0 && self.account.dropped == 0 {
            tracing::warn!(dropped, "there are more webhooks than --webhook.limit; the youngest are not watched");
        }
        self.account.dropped = dropped;
    }

    /// Takes in that the list is as it was.
    pub(super) fn list_is_unchanged(&mut self, server_time: UnixMillis, now: UnixMillis) {
        self.list_worked(server_time, now);
        self.set_listed_at(server_time);
    }

    /// That there has been a list is worth a checkpoint even if nothing is in it: what comes after it is no history.
    fn set_listed_at(&mut self, server_time: UnixMillis) {
        self.is_unsaved |= self.listed_at.is_none();
        self.listed_at = Some(server_time);
    }

    fn list_worked(&mut self, server_time: UnixMillis, now: UnixMillis) {
        if self.account_problem.take().is_some() {
            tracing::info!("the list of webhooks can be read again");
        }
        self.account.is_up = Some(true);
        self.list_read_at = Some(now);
        self.server_ahead_millis = server_time.millis_since(now);
        let kept = self.vanished.len();
        self.vanished.retain(|_, vanished| now.millis_since(vanished.since) < KEEP_VANISHED_MILLIS);
        self.is_unsaved |= self.vanished.len() < kept;
    }

    /// Takes in that the list failed. It removes nothing.
    pub(super) fn list_failed(&mut self, error: &CallError) {
        self.has_failed_list = true;
        self.account.is_up = Some(false);
        if self.account_problem.as_ref() != Some(error) {
            tracing::warn!(cause = %error, advice = error.advice(), "failed to read the list of webhooks");
        }
        self.account_problem = Some(error.clone());
    }

    /// Watches a webhook that the list has: one that is known goes on, one that returned goes on from its ledger, one
    /// that appears starts at the previous list, and the first ones at `first_floor`.
    fn watch(&mut self, webhook: Webhook, watched: Option<Watched>, first_floor: Position, now: UnixMillis) {
        let id = webhook.id;
        let watched = match watched {
            Some(mut watched) => {
                if watched.webhook != webhook {
                    watched.webhook = webhook;
                    watched.saved = None;
                    self.is_unsaved = true;
                }
                watched
            }
            None => match (self.vanished.remove(&id), self.listed_at) {
                (Some(vanished), _) if now.millis_since(vanished.since) < KEEP_VANISHED_MILLIS => {
                    self.notices
                        .give(|| tracing::info!(webhook = webhook.label(), %id, "a webhook is back; its counts go on"));
                    self.is_unsaved = true;
                    Watched { is_behind: vanished.is_behind, ..Watched::new(webhook, vanished.ledger, false) }
                }
                (_, Some(previous)) => {
                    self.is_unsaved = true;
                    self.notices.give(|| tracing::info!(webhook = webhook.label(), %id, "a new webhook is watched"));
                    // From the first millisecond of that second on: it wasn't there yet, so all of it is its own.
                    Watched::new(webhook, Arc::new(Ledger::new(Position::before(previous.start_of_second()))), true)
                }
                (_, None) => {
                    self.is_unsaved = true;
                    Watched::new(webhook, Arc::new(Ledger::new(first_floor)), false)
                }
            },
        };
        self.watched.insert(id, watched);
    }

    /// Stops watching a webhook, and keeps its ledger for a while.
    fn retire(&mut self, watched: Watched, now: UnixMillis) {
        let id = watched.webhook.id;
        self.notices.give(|| tracing::info!(webhook = watched.webhook.label(), %id, "a webhook is gone from the list"));
        self.is_unsaved = true;
        let Watched { webhook, ledger, is_behind, .. } = watched;
        self.vanished.insert(id, Vanished { webhook, ledger, since: now, is_behind, saved: None });
    }

    /// Begins a round: what has been shown at 0 since the last one is read in this one.
    pub(super) fn begin_round(&mut self) {
        for watched in self.watched.values_mut() {
            watched.is_new = false;
        }
    }

    /// Ends a round of calls by id: together they are the list, which worked if one of them did. As long as one is out,
    /// it may be the one.
    pub(super) fn end_ids(&mut self) {
        if let Some(server_time) = self.ids.first_server_time.take() {
            self.ids.problem = None;
            self.set_listed_at(server_time);
            return;
        }
        let is_one_out =
            !self.ids.under_way.is_empty() || self.watched.values().any(|watched| watched.in_flight.is_some());
        if !is_one_out && let Some(problem) = self.ids.problem.take() {
            self.list_failed(&problem);
        }
    }

    /// Takes in what the call by id says. `baseline` is the new ledger that the log is read against, on a first start.
    pub(super) fn described(
        &mut self,
        webhook: Webhook,
        is_admitted: bool,
        baseline: Option<Ledger>,
        serial: Serial,
        server_time: UnixMillis,
        now: UnixMillis,
    ) {
        let id = webhook.id;
        self.ids.under_way.remove(&id);
        self.ids.first_server_time =
            Some(self.ids.first_server_time.map_or(server_time, |first| first.min(server_time)));
        self.list_worked(server_time, now);
        let watched = self.watched.remove(&id);
        if !is_admitted {
            if let Some(watched) = watched {
                self.retire(watched, now);
            }
            return;
        }
        match (watched, baseline) {
            (None, Some(ledger)) if !self.vanished.contains_key(&id) => {
                let mut watched = Watched::new(webhook, Arc::new(ledger), false);
                watched.in_flight = Some(serial);
                self.is_unsaved = true;
                self.watched.insert(id, watched);
            }
            (watched, _) => self.watch(webhook, watched, Position::after(server_time.end_of_second()), now),
        }
    }

    /// Takes in that the call by id failed: only the word that there is no such webhook removes it.
    pub(super) fn not_described(&mut self, id: WebhookId, serial: Serial, error: &CallError, now: UnixMillis) {
        self.ids.under_way.remove(&id);
        self.ids.problem = Some(error.clone());
        if error.result == CallResult::NotFound {
            if let Some(watched) = self.watched.remove(&id) {
                self.retire(watched, now);
            }
        } else if let Some(watched) = self.watched.get_mut(&id)
            && watched.in_flight == Some(serial)
        {
            watched.problem = Some(error.clone());
        }
        self.has_failed_log = true;
    }

    /// Marks a call as under way; gives the ledger and the validator to read the log with, if the webhook is known.
    pub(super) fn begin_call(&mut self, id: WebhookId) -> (Serial, Option<Known>) {
        let serial = Serial(self.next_serial);
        self.next_serial += 1;
        match self.watched.get_mut(&id) {
            Some(watched) => {
                watched.in_flight = Some(serial);
                let known = Known { ledger: Arc::clone(&watched.ledger), validator: watched.validator.clone() };
                (serial, Some(known))
            }
            None => {
                self.ids.under_way.insert(id, serial);
                (serial, None)
            }
        }
    }

    /// Takes in what reading a log brought, unless the webhook has gone, or is read by another call by now.
    pub(super) fn fold(
        &mut self,
        id: WebhookId,
        serial: Serial,
        read: Option<Result<Fetched<Answer>, CallError>>,
        now: UnixMillis,
        instant: Instant,
    ) {
        let Some(watched) = self.watched.get_mut(&id).filter(|watched| watched.in_flight == Some(serial)) else {
            return;
        };
        watched.in_flight = None;
        let (label, notices) = (watched.webhook.label(), &mut self.notices);
        let server_time = match read {
            // The call by id, which comes first, has failed.
            None => {
                if let Some(error) = watched.problem.clone() {
                    watched.fail(error, self.interval, instant, notices);
                }
                return;
            }
            Some(Err(error)) => {
                self.has_failed_log = true;
                watched.fail(error, self.interval, instant, notices);
                return;
            }
            Some(Ok(Fetched::NotModified { server_time })) => {
                if Arc::make_mut(&mut watched.ledger).unchanged(server_time, &self.policy) {
                    watched.saved = None;
                }
                server_time
            }
            Some(Ok(Fetched::Fresh { value, validator, server_time })) => {
                let before = (watched.ledger.events().lost(), watched.ledger.totals().gaps);
                let window = *value.window();
                let ledger = Arc::make_mut(&mut watched.ledger);
                if ledger.fold(value, &self.policy) {
                    watched.saved = None;
                }
                watched.validator = validator;

                let lost = ledger.events().lost() - before.0;
                if lost > 0 {
                    notices.give(|| {
                        tracing::warn!(webhook = label, lost, "events are lost: nothing will send them again")
                    });
                }
                if ledger.totals().gaps > before.1 {
                    notices.give(|| {
                        tracing::warn!(
                            webhook = label,
                            "the log holds nothing known: entries may have left it unseen; poll more often"
                        )
                    });
                }
                let has_odd_entries = window.malformed + window.foreign > 0;
                if has_odd_entries && !watched.has_odd_entries {
                    notices.give(|| {
                        tracing::warn!(
                            webhook = label,
                            malformed = window.malformed,
                            foreign = window.foreign,
                            "the log has entries that are left out"
                        );
                    });
                }
                watched.has_odd_entries = has_odd_entries;
                if std::mem::take(&mut watched.is_behind) {
                    watched.saved = None;
                    if watched.ledger.totals().gaps > before.1 {
                        // A step back would count everything again for PromQL; a step to 0 costs it nothing.
                        notices.give(|| {
                            tracing::warn!(
                                webhook = label,
                                "the log no longer reaches back to the checkpoint; counting begins anew"
                            )
                        });
                        watched.ledger = Arc::new(Ledger::new(Position::after(server_time.end_of_second())));
                        watched.validator = None;
                    }
                }
                server_time
            }
        };
        self.is_unsaved |= watched.saved.is_none();
        if watched.is_up == Some(false) {
            notices.give(|| tracing::info!(webhook = label, "the log can be read again"));
        }
        watched.is_up = Some(true);
        watched.problem = None;
        watched.read_at = Some(now);
        watched.failures = 0;
        watched.not_before = None;
        self.server_ahead_millis = server_time.millis_since(now);
    }

    /// How the round went. What is left out of it for its failures has failed, too, and so have stragglers.
    pub(super) fn round_result(&mut self, has_stragglers: bool) -> PollResult {
        let has_failed_list = std::mem::take(&mut self.has_failed_list);
        let has_failed_log = std::mem::take(&mut self.has_failed_log)
            || has_stragglers
            || self.watched.values().any(|watched| watched.not_before.is_some());
        match (has_failed_list, has_failed_log) {
            (true, _) => PollResult::Failed,
            (false, true) => PollResult::Partial,
            (false, false) => PollResult::Ok,
        }
    }

    /// Ends a round.
    pub(super) fn end_round(&mut self) {
        self.has_failed_list = false;
        self.notices.end_round();
    }

    /// How things stand.
    pub(super) fn snapshot(&self) -> Snapshot {
        let shown = || self.watched.values().filter(|watched| !watched.is_behind);
        let views: Vec<WebhookView<'_>> = shown()
            .map(|watched| WebhookView {
                webhook: &watched.webhook,
                ledger: &watched.ledger,
                is_up: watched.is_up,
                read_at: watched.read_at,
            })
            .collect();
        Snapshot {
            is_ready: self.is_ready,
            families: Rendered::new(exposition::render(&self.account, &views, &self.policy)),
            overview: Overview {
                webhooks: shown().map(|watched| watched.row(&self.policy)).collect(),
                dropped: self.account.dropped,
                is_api_up: self.account.is_up,
                api_problem: self.account_problem.as_ref().map(|error| format!("{error}. {}", error.advice())),
                listed_at: self.list_read_at,
                server_ahead_millis: self.server_ahead_millis,
                poll_interval_millis: i64::try_from(self.interval.as_millis()).unwrap_or(i64::MAX),
            },
        }
    }
}

impl Watched {
    /// Its log could not be read. All that is known of it stays.
    fn fail(&mut self, error: CallError, interval: Duration, now: Instant, notices: &mut Notices) {
        let is_news =
            self.is_up != Some(false) || self.problem.as_ref().is_none_or(|problem| problem.result != error.result);
        if is_news {
            let (webhook, id) = (self.webhook.label(), self.webhook.id);
            notices.give(|| tracing::warn!(webhook, %id, cause = %error, "failed to read the log of a webhook"));
        }
        self.is_up = Some(false);
        self.problem = Some(error);
        self.failures = self.failures.saturating_add(1);
        self.not_before = Some(now + schedule::backoff(self.failures, interval, rand::random()));
    }

    fn row(&self, policy: &Policy) -> WebhookRow {
        let (standing, totals, events) = (self.ledger.standing(), self.ledger.totals(), self.ledger.events());
        WebhookRow {
            id: self.webhook.id.to_string(),
            label: self.webhook.label(),
            name: self.webhook.name.clone(),
            trigger: self.webhook.trigger.clone(),
            target_host: self.webhook.target_host.clone(),
            is_active: self.webhook.active,
            is_readable: self.is_up,
            problem: self.problem.as_ref().map(ToString::to_string),
            read_at: self.read_at,
            is_blocked: self.ledger.is_blocked(policy),
            consecutive_failures: standing.consecutive_failures,
            failing_since: standing.failing_since,
            last_success: standing.last_success.map(|last| last.at),
            last_failure: standing.last_failure,
            attempts: totals.attempts,
            failures: totals.failures.iter().sum(),
            pending: events.pending(),
            pending_since: events.pending_since(),
            delivered: events.delivered(),
            lost: events.lost(),
            gaps: totals.gaps,
        }
    }
}
