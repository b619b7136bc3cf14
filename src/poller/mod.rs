//! The only loop: tick → list → logs (bounded) → fold → publish. It owns all ledgers; nobody else changes one.
//!
//! A round ends when all its calls have ended, or when the next one is due and only stragglers are left: calls that
//! hang go on beside the next round, until their own timeout, so that one bad webhook delays no other. What a call
//! brings is folded in and published as it comes.

mod fleet;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use regex::Regex;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

use self::fleet::{Fleet, Known};
use crate::api::call::CallResult;
use crate::api::{CallError, Client, Fetched, Listing, Validator};
use crate::clock;
use crate::schedule;
use crate::snapshot::Publisher;
use crate::store::Found;
use crate::store::writer::Writer;
use crate::telemetry::{Instruments, PollResult, WriteResult};
use delivery_ledger::{Answer, Ledger, Policy};
use delivery_ledger::{Position, UnixMillis, Webhook, WebhookId};

/// What a first start without state does with entries that are already in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    /// They are history and do not count.
    Ignore,
    /// They count.
    Count,
}

/// Which webhooks to watch, by their codes.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only those whose code matches.
    pub include: Option<Regex>,
    /// None of those whose code matches.
    pub exclude: Option<Regex>,
}

impl Filter {
    /// Whether a webhook with this code is watched.
    #[must_use]
    pub fn admits(&self, code: &str) -> bool {
        self.include.as_ref().is_none_or(|include| include.is_match(code))
            && !self.exclude.as_ref().is_some_and(|exclude| exclude.is_match(code))
    }
}

/// What to poll, and how often.
#[derive(Clone, Debug)]
pub struct Config {
    /// The time between the starts of two polls.
    pub interval: Duration,
    /// Log calls under way at once.
    pub concurrency: usize,
    /// What a first start does with what is in the logs.
    pub history: History,
    /// Only these webhooks, each through the call by id; all that are listed if empty.
    pub ids: Vec<WebhookId>,
    /// Which of them, by code.
    pub filter: Filter,
    /// How many at most.
    pub limit: usize,
    /// When an attempt is an event's last.
    pub policy: Policy,
}

/// The shortest time between two publications within a round. A convention: what a person takes for "at once".
const PUBLISH_PAUSE: Duration = Duration::from_millis(250);

/// A publication takes at most this part of the time, however many webhooks there are.
const PUBLISH_SHARE: u32 = 10;

/// The part of the interval after which a round leaves its stragglers behind; the rest is for starting on time.
const STRAGGLERS_AFTER: f64 = 0.95;

/// The poller: run it as one task.
#[derive(Debug)]
pub struct Poller {
    config: Config,
    client: Arc<Client>,
    instruments: Arc<Instruments>,
    publisher: Publisher,
    fleet: Fleet,
    calls: JoinSet<CallEnded>,
    list_validator: Option<Validator>,
    list_failures: u32,
    is_dirty: bool,
    next_publication: Instant,
    writer: Option<Writer>,
    /// Writing the checkpoint fails: it is tried again once per round, and said once.
    is_failing_to_save: bool,
    may_try_to_save: bool,
}

/// A call that is under way is told by this number, so that the answer of one that was given up is not folded in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Serial(u64);

/// What one job of a round brought.
#[derive(Debug)]
struct CallEnded {
    id: WebhookId,
    serial: Serial,
    /// By id: what the webhook is.
    described: Option<Result<Described, CallError>>,
    /// What its log says.
    read: Option<Result<Fetched<Answer>, CallError>>,
}

#[derive(Debug)]
struct Described {
    webhook: Webhook,
    server_time: UnixMillis,
    /// The new ledger that the log was read against, on a first start.
    baseline: Option<Ledger>,
}

/// One webhook's turn in a round.
#[derive(Debug)]
struct Turn {
    id: WebhookId,
    /// Whether to ask for the webhook itself first.
    by_id: bool,
}

impl Poller {
    /// A poller that has not begun.
    #[must_use]
    pub fn new(mut config: Config, client: Arc<Client>, instruments: Arc<Instruments>, publisher: Publisher) -> Self {
        let mut fleet = Fleet::new(config.policy, config.interval);
        config.ids.sort_unstable();
        config.ids.dedup();
        fleet.drop_over_limit(config.ids.len().saturating_sub(config.limit));
        config.ids.truncate(config.limit);
        Self {
            fleet,
            writer: None,
            is_failing_to_save: false,
            may_try_to_save: true,
            config,
            client,
            instruments,
            publisher,
            calls: JoinSet::new(),
            list_validator: None,
            list_failures: 0,
            is_dirty: false,
            next_publication: Instant::now(),
        }
    }

    /// Keeps the state with `writer`, and goes on from what its store had.
    #[must_use]
    pub fn with_store(mut self, writer: Writer, found: Found) -> Self {
        match found {
            Found::Nothing => {}
            Found::Current(checkpoint) => self.fleet.restore(checkpoint, false, &self.config.ids),
            Found::Previous(checkpoint) => self.fleet.restore(checkpoint, true, &self.config.ids),
            // No first start: what the logs hold has been counted and shown before.
            Found::Lost => self.config.history = History::Ignore,
        }
        self.writer = Some(writer);
        // Not only once it runs: the server may be asked before that.
        self.publisher.send_replace(Arc::new(self.fleet.snapshot()));
        self
    }

    /// Polls until it is dropped. A commit that is under way then ends by itself, and nothing is shown of it.
    pub async fn run(mut self) {
        self.publisher.send_replace(Arc::new(self.fleet.snapshot()));
        let interval = self.config.interval;
        let mut due = Instant::now();
        loop {
            self.fold_until(due).await;
            let started = Instant::now();
            let result = self.round(started, due + interval.mul_f64(STRAGGLERS_AFTER)).await;
            self.fleet.is_ready = true;
            self.may_try_to_save = true;
            self.publish().await;
            self.fleet.end_round();
            self.instruments.poll_ended(result, started.elapsed().as_secs_f64(), clock::now());
            tracing::debug!(
                result = result.as_str(),
                seconds = started.elapsed().as_secs_f64(),
                webhooks = self.fleet.len(),
                "poll ended"
            );

            let now = Instant::now();
            let (next, missed) = schedule::next_tick(due, interval, now);
            self.instruments.polls_skipped(missed);
            due = next;
            // A pause is no overrun: the beat starts anew behind it.
            let backoff = schedule::backoff(self.list_failures, interval, rand::random());
            if let Some(until) = self.client.paused_until(now).max(Some(now + backoff)).filter(|until| *until > due) {
                due = until;
            }
        }
    }

    /// Waits, and folds in what stragglers bring meanwhile.
    async fn fold_until(&mut self, until: Instant) {
        loop {
            tokio::select! {
                Some(ended) = self.calls.join_next() => self.fold(ended),
                () = sleep_until(self.next_publication), if self.is_dirty => self.publish().await,
                () = sleep_until(until) => return,
            }
        }
    }

    async fn round(&mut self, started: Instant, deadline: Instant) -> PollResult {
        self.fleet.begin_round();
        let is_first = self.fleet.listed_at.is_none();
        let mut turns: VecDeque<Turn> = if self.config.ids.is_empty() {
            match self.list().await {
                Ok(()) => self.fleet.due(started).map(|id| Turn { id, by_id: false }).collect(),
                Err(error) => {
                    // If the API can still be talked to, the logs of what is known may be readable all the same.
                    if is_out_of_reach(error.result) {
                        return PollResult::Failed;
                    }
                    self.fleet.due(started).map(|id| Turn { id, by_id: false }).collect()
                }
            }
        } else {
            let ids = &self.config.ids;
            ids.iter().filter(|id| self.fleet.is_due(**id, started)).map(|id| Turn { id: *id, by_id: true }).collect()
        };
        self.publish().await;

        // A first round is over as soon as it can be: there is nothing to show before.
        let spacing = if is_first { Duration::ZERO } else { schedule::spacing(turns.len(), self.config.interval) };
        let mut next_start = Instant::now();
        while !(turns.is_empty() && self.calls.is_empty()) {
            let start_at = self.client.paused_until(Instant::now()).map_or(next_start, |until| next_start.max(until));
            if start_at > deadline && !self.fleet.is_ready {
                // A pause of up to an hour: nobody who waits for readiness should wait for the API.
                self.fleet.is_ready = true;
                self.publish().await;
            }
            let can_start = !turns.is_empty() && self.calls.len() < self.config.concurrency;
            tokio::select! {
                Some(ended) = self.calls.join_next() => self.fold(ended),
                () = sleep_until(start_at), if can_start => {
                    if let Some(turn) = turns.pop_front() {
                        self.start(turn, is_first);
                    }
                    next_start = Instant::now() + spacing;
                }
                () = sleep_until(self.next_publication), if self.is_dirty => self.publish().await,
                () = sleep_until(deadline), if turns.is_empty() => break,
            }
        }
        self.fleet.end_ids();
        self.fleet.round_result(!self.calls.is_empty())
    }

    /// Reads the list, folding in what stragglers bring meanwhile.
    async fn list(&mut self) -> Result<(), CallError> {
        let client = Arc::clone(&self.client);
        let validator = self.list_validator.clone();
        let listed = {
            let list = client.list(validator.as_ref());
            tokio::pin!(list);
            loop {
                tokio::select! {
                    listed = &mut list => break listed,
                    Some(ended) = self.calls.join_next() => self.fold(ended),
                    () = sleep_until(self.next_publication), if self.is_dirty => self.publish().await,
                }
            }
        };
        match listed {
            Ok(fetched) => {
                self.list_failures = 0;
                match fetched {
                    Fetched::Fresh { value, validator, server_time } => {
                        self.list_validator = validator;
                        self.reconcile(value, server_time);
                    }
                    Fetched::NotModified { server_time } => self.fleet.list_is_unchanged(server_time, clock::now()),
                }
                Ok(())
            }
            Err(error) => {
                self.list_failures = self.list_failures.saturating_add(1);
                self.fleet.list_failed(&error);
                Err(error)
            }
        }
    }

    /// Takes in a list: who came, who went, who is called otherwise.
    fn reconcile(&mut self, listing: Listing, server_time: UnixMillis) {
        let mut webhooks = listing.webhooks;
        webhooks.retain(|webhook| self.config.filter.admits(&webhook.code));
        // The oldest stay if there are too many, however the list is sorted: ids grow with time.
        webhooks.sort_by_key(|webhook| webhook.id);
        webhooks.dedup_by_key(|webhook| webhook.id);
        let dropped = webhooks.len().saturating_sub(self.config.limit);
        webhooks.truncate(self.config.limit);
        let first_floor = match self.config.history {
            History::Ignore => Position::after(server_time.end_of_second()),
            History::Count => Position::START,
        };
        self.fleet.listed(webhooks, listing.malformed, dropped, first_floor, server_time, clock::now());
    }

    fn start(&mut self, turn: Turn, is_first: bool) {
        let Turn { id, by_id } = turn;
        let client = Arc::clone(&self.client);
        let (serial, known) = self.fleet.begin_call(id);
        let history = self.config.history;
        self.calls.spawn(async move {
            let mut ended = CallEnded { id, serial, described: None, read: None };
            if by_id {
                let described = match client.webhook(id).await {
                    Ok(Fetched::Fresh { value, server_time, .. }) => {
                        Ok(Described { webhook: value, server_time, baseline: None })
                    }
                    // Not asked conditionally, so it can't be unchanged.
                    Ok(Fetched::NotModified { .. }) => return ended,
                    Err(error) => Err(error),
                };
                let goes_on = match &described {
                    Ok(_) => true,
                    Err(error) => error.result != CallResult::NotFound && !is_out_of_reach(error.result),
                };
                ended.described = Some(described);
                if !goes_on {
                    return ended;
                }
            }
            let Known { ledger, validator } = match (known, &mut ended.described) {
                (Some(known), _) => known,
                (None, Some(Ok(described))) if is_first => {
                    let floor = match history {
                        History::Ignore => Position::after(described.server_time.end_of_second()),
                        History::Count => Position::START,
                    };
                    let ledger = Ledger::new(floor);
                    described.baseline = Some(ledger.clone());
                    Known { ledger: Arc::new(ledger), validator: None }
                }
                // It appeared while running: it is shown first, and read from the next round on.
                (None, _) => return ended,
            };
            ended.read = Some(client.logs(id, validator.as_ref(), &ledger).await);
            ended
        });
    }

    /// Takes in what a call brought.
    fn fold(&mut self, ended: Result<CallEnded, JoinError>) {
        let CallEnded { id, serial, described, read } = match ended {
            Ok(ended) => ended,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => return,
        };
        self.is_dirty = true;
        match described {
            None => {}
            Some(Ok(described)) => {
                let Described { webhook, server_time, baseline } = described;
                let is_admitted = self.config.filter.admits(&webhook.code);
                self.fleet.described(webhook, is_admitted, baseline, serial, server_time, clock::now());
            }
            Some(Err(error)) => self.fleet.not_described(id, serial, &error, clock::now()),
        }
        self.fleet.fold(id, serial, read, clock::now(), Instant::now());
    }

    /// Shows how things stand now, once that is durable.
    async fn publish(&mut self) {
        let started = Instant::now();
        self.save().await;
        self.publisher.send_replace(Arc::new(self.fleet.snapshot()));
        self.is_dirty = false;
        self.next_publication = Instant::now() + PUBLISH_PAUSE.max(started.elapsed() * PUBLISH_SHARE);
    }
}

impl Poller {
    /// Writes a checkpoint, if there is a store and anything has changed. If that fails the exporter goes on: the counts
    /// are shown all the same, the failure is counted, and writing is tried again in the next round.
    async fn save(&mut self) {
        let Some(writer) = self.writer.as_ref().filter(|_| self.may_try_to_save) else { return };
        let committed = match self.fleet.checkpoint() {
            Ok(None) => return,
            Ok(Some(records)) => writer.commit(records).await,
            Err(error) => Err(std::io::Error::other(error)),
        };
        self.save_ended(committed);
    }

    fn save_ended(&mut self, result: std::io::Result<()>) {
        let now = clock::now();
        match result {
            Ok(()) => {
                self.fleet.saved();
                self.instruments.state_written(WriteResult::Ok, now);
                if std::mem::take(&mut self.is_failing_to_save) {
                    tracing::info!("the checkpoint can be written again");
                }
            }
            Err(error) => {
                self.may_try_to_save = false;
                self.instruments.state_written(WriteResult::Error, now);
                if !std::mem::replace(&mut self.is_failing_to_save, true) {
                    tracing::error!(%error, "failed to write the checkpoint; going on without, and trying again each round");
                }
            }
        }
    }
}

/// Whether a failure says that further calls would only fail the same way.
fn is_out_of_reach(result: CallResult) -> bool {
    match result {
        CallResult::Unauthorized
        | CallResult::RateLimited
        | CallResult::Timeout
        | CallResult::Connect
        | CallResult::Tls => true,
        CallResult::Ok
        | CallResult::NotModified
        | CallResult::Forbidden
        | CallResult::NotFound
        | CallResult::HttpError
        | CallResult::TooLarge
        | CallResult::Malformed => false,
    }
}
