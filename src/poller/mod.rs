//! The only task that owns ledgers. It carries out what the fleet asks for (calls, checkpoints, snapshots, log lines) and
//! tells it what came of that; all decisions are the fleet's.

mod filter;
mod notices;
pub(crate) mod options;
mod picture;
mod publish;
mod role;

use std::sync::Arc;
use std::time::Duration;

use delivery_ledger::fleet::{CallFailure, CallId, Effect, Fleet, FleetSettings, Reach};
use delivery_ledger::{History, LogResponse, Policy, Webhook, WebhookId, select, select_ids};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

pub use self::filter::Filter;
pub use self::options::PollSettings;
use self::publish::Publication;
use self::role::Role;
use crate::api::call::CallResult;
use crate::api::{ApiClient as Client, CallError, Fetched, Listing, Malformation};
use crate::clock;
use crate::replica::Seat;
use crate::snapshot::Publisher;
use crate::store::Found;
use crate::store::writer::Writer;
use crate::telemetry::Instruments;

/// The longest that the poller sleeps, so that a time far ahead is no overflow.
const LONGEST_SLEEP: Duration = Duration::from_secs(24 * 60 * 60);

/// The poller: run it as one task.
#[derive(Debug)]
pub struct Poller {
    client: Arc<Client>,
    instruments: Arc<Instruments>,
    filter: Filter,
    limit: usize,
    policy: Policy,
    fleet: Fleet<CallError>,
    calls: JoinSet<CallEnded>,
    publication: Publication,
    role: Role,
}

/// What one call brought.
#[derive(Debug)]
enum CallEnded {
    List { call: CallId, listed: Result<Fetched<Listing>, CallError> },
    Described { call: CallId, id: WebhookId, described: Result<Fetched<Webhook>, CallError> },
    Log { call: CallId, id: WebhookId, read: Box<Result<Fetched<LogResponse>, CallError>> },
}

impl Poller {
    /// A poller that has not begun. What `store` has is where it goes on; without one counts live in memory. With a `seat`
    /// among other replicas it stands by until that says otherwise.
    #[must_use]
    pub fn new(
        settings: PollSettings,
        client: Arc<Client>,
        instruments: Arc<Instruments>,
        publisher: Publisher,
        store: Option<(Writer, Found)>,
        seat: Option<Seat>,
    ) -> Self {
        let PollSettings { interval, concurrency, mut history, ids, filter, limit, policy } = settings;
        let ids = select_ids(ids, limit);
        let (writer, found) = store.map_or((None, Found::Nothing), |(writer, found)| (Some(writer), found));
        if matches!(found, Found::Lost) {
            // No first start: what the logs hold has been counted and shown before.
            history = History::Ignore;
        }
        let now = clock::moment();
        let settings = FleetSettings { policy, interval, concurrency, history, ids: ids.watched };
        let mut fleet = Fleet::new(settings, now);
        fleet.over_limit(ids.dropped);
        match found {
            Found::Nothing | Found::Lost => {}
            Found::Current(checkpoint) => fleet.restore(checkpoint.account, checkpoint.webhooks, false, now),
            Found::Previous(checkpoint) => fleet.restore(checkpoint.account, checkpoint.webhooks, true, now),
        }
        fleet.identify(client.identity().to_owned());
        let role = Role::new(seat, interval);
        fleet.poll_every(role.interval(), now);
        instruments.leads(role.leads(), role.interval().as_secs_f64());
        fleet.limit_rate(client.calls_per_second());
        instruments.reads_each_webhook_every(fleet.read_interval().as_secs_f64());
        let mut publication = Publication::new(publisher, writer, policy, &role);
        // Not only once it runs: the server may be asked before that.
        publication.show(&fleet);
        Self { client, instruments, filter, limit, policy, fleet, calls: JoinSet::new(), publication, role }
    }

    /// Polls until `stop` is cancelled; then it saves what has not been saved. Calls that are under way are dropped, a
    /// commit is not.
    pub async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let mut sleep = LONGEST_SLEEP;
            if self.knows_its_role().await {
                self.tell_pause();
                self.fleet.advance(clock::moment(), rand::random());
                for effect in self.fleet.take_effects() {
                    self.carry_out(effect).await;
                }
                sleep = self.fleet.wake_at().saturating_sub(clock::moment().uptime).min(LONGEST_SLEEP);
            }
            tokio::select! {
                Some(ended) = self.calls.join_next() => self.take_in(ended),
                () = sleep_until(self.publication.next()), if self.fleet.has_news() => self.publish().await,
                () = self.role.changed() => {}
                () = tokio::time::sleep(sleep) => {}
                () = stop.cancelled() => {}
            }
        }
        self.publication.save_at_stop(&mut self.fleet, &self.instruments).await;
    }

    /// Takes in what this replica is to do now. While that is being found out nothing begins: a process that was paused, or
    /// cut off, may have been replaced.
    async fn knows_its_role(&mut self) -> bool {
        let Some(is_news) = self.role.take_in(clock::since_boot()) else { return false };
        if is_news {
            self.fleet.poll_every(self.role.interval(), clock::moment());
            self.instruments.leads(self.role.leads(), self.role.interval().as_secs_f64());
            self.publication.take_part(&self.role);
            self.publish().await;
        }
        true
    }

    /// Before anything that may start a call.
    fn tell_pause(&mut self) {
        let instant = Instant::now();
        if let Some(until) = self.client.paused_until(instant) {
            self.fleet.paused(clock::moment().uptime + until.saturating_duration_since(instant));
        }
    }

    async fn publish(&mut self) {
        self.publication.publish(&mut self.fleet, &self.instruments).await;
    }

    async fn carry_out(&mut self, effect: Effect<CallError>) {
        let client = Arc::clone(&self.client);
        match effect {
            Effect::List { call, mark } => {
                self.calls.spawn(async move { CallEnded::List { call, listed: client.list(mark.as_ref()).await } });
            }
            Effect::Describe { call, id } => {
                self.calls.spawn(async move { CallEnded::Described { call, id, described: client.webhook(id).await } });
            }
            Effect::ReadLog { call, id, ledger, mark, listed } => {
                let policy = self.policy;
                self.calls.spawn(async move {
                    let read = client.logs(id, mark.as_ref(), &ledger, listed, &policy).await;
                    CallEnded::Log { call, id, read: Box::new(read) }
                });
            }
            Effect::Show => {
                if !self.fleet.is_polling() {
                    self.publication.knows_the_present(&self.role);
                }
                self.publish().await;
            }
            Effect::Notice(notice) => notices::log(&notice),
            Effect::PollEnded { result, took } => {
                self.publication.may_try_to_save();
                self.instruments.poll_ended(result, took.as_secs_f64(), clock::now());
                let webhooks = self.fleet.members().count();
                tracing::debug!(result = result.as_str(), seconds = took.as_secs_f64(), webhooks, "poll ended");
            }
            Effect::PollsSkipped(polls) => self.instruments.polls_skipped(polls),
        }
    }

    /// Tells the fleet what a call brought.
    fn take_in(&mut self, ended: Result<CallEnded, JoinError>) {
        let ended = match ended {
            Ok(ended) => ended,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => return,
        };
        self.tell_pause();
        let (now, random) = (clock::moment(), rand::random());
        match ended {
            CallEnded::List { call, listed } => match listed {
                Ok(Fetched::Fresh { value, mark, server_time, .. }) => {
                    let selected = select(value.webhooks, |code| self.filter.admits(code), self.limit);
                    self.fleet.listed(call, selected, value.malformed, mark, server_time, now);
                }
                Ok(Fetched::NotModified { server_time }) => self.fleet.list_unchanged(call, server_time, now),
                Err(error) => self.fleet.list_failed(call, error, now, random),
            },
            CallEnded::Described { call, id, described } => match described {
                Ok(Fetched::Fresh { value, server_time, .. }) => {
                    let is_admitted = self.filter.admits(&value.code);
                    self.fleet.described(call, value, is_admitted, server_time, now);
                }
                // Not asked conditionally, so it cannot be unchanged.
                Ok(Fetched::NotModified { .. }) => {
                    self.fleet.not_described(
                        call,
                        id,
                        CallError::malformed(Malformation::NothingToCompare),
                        now,
                        random,
                    );
                }
                Err(error) => self.fleet.not_described(call, id, error, now, random),
            },
            CallEnded::Log { call, id, read } => match *read {
                Ok(Fetched::Fresh { value, mark, server_time, .. }) => {
                    self.fleet.log_read(call, id, value, mark, server_time, now);
                }
                Ok(Fetched::NotModified { server_time }) => self.fleet.log_unchanged(call, id, server_time, now),
                Err(error) => self.fleet.log_failed(call, id, error, now, random),
            },
        }
    }
}

impl CallFailure for CallError {
    fn reach(&self) -> Reach {
        if self.is_in_front {
            return Reach::Api;
        }
        match self.result {
            CallResult::Unauthorized
            | CallResult::RateLimited
            | CallResult::Timeout
            | CallResult::Connect
            | CallResult::Tls => Reach::Api,
            CallResult::NotFound => Reach::Gone,
            CallResult::Ok
            | CallResult::NotModified
            | CallResult::Forbidden
            | CallResult::HttpError
            | CallResult::TooLarge
            | CallResult::Malformed => Reach::Call,
        }
    }

    fn is_like(&self, other: &Self) -> bool {
        self.result == other.result && self.is_in_front == other.is_in_front
    }

    fn retry_after(&self) -> Option<Duration> {
        // The inherent method, of the same name.
        Self::retry_after(self)
    }
}
