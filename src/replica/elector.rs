//! The task that takes part in the election: it makes the calls, and publishes what this replica may do.

use std::time::Duration;

use lease_election::{Call, Election, Now, Outcome, Standing};
use rand::RngExt as _;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::lease_api::LeaseApi;
use super::settings::ReplicaSettings;
use crate::clock;

/// Giving the Lease back takes no longer than this; then it runs out by itself. Less than what the process has to end in.
const RESIGN_WITHIN: Duration = Duration::from_secs(3);

/// What the poller has to know.
#[derive(Clone, Debug)]
pub struct Seat {
    /// What this replica may do. Compare it with [`clock::since_boot`] right before doing anything.
    pub standing: watch::Receiver<Standing>,
    /// The time between the starts of two polls while another holds the Lease.
    pub standby_interval: Duration,
}

/// This replica's part in the election: run it as one task.
#[derive(Debug)]
pub struct Elector {
    api: LeaseApi,
    lease: String,
    election: Election,
    standing: watch::Sender<Standing>,
    told: Told,
    /// Why the last call failed.
    problem: String,
}

/// What the log said last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    Holds,
    StandsBy,
    Unsure,
}

impl Elector {
    /// One that has not called yet, and what it tells the poller.
    #[must_use]
    pub fn new(settings: ReplicaSettings) -> (Self, Seat) {
        // Another than that of the process before it in this pod, which may have left a Lease behind.
        let identity = format!("{}_{:016x}", settings.pod, rand::rng().random::<u64>());
        tracing::info!(lease = settings.lease, identity, "sharing the calls with other replicas");
        let election = Election::new(identity, settings.timing, now());
        let (standing, seen) = watch::channel(election.standing());
        let seat = Seat { standing: seen, standby_interval: settings.standby_interval };
        let lease = settings.lease.clone();
        let (told, problem) = (Told::Nothing, String::new());
        (Self { api: LeaseApi::new(settings), lease, election, standing, told, problem }, seat)
    }

    /// Takes part until `stop` is cancelled; then it gives the Lease back.
    pub async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let call = self.election.advance(now(), rand::random());
            self.publish();
            match call {
                Some(call) => self.call(call, &stop).await,
                None => {
                    let sleep = self.election.wake_at().saturating_sub(clock::since_boot());
                    stop.run_until_cancelled(tokio::time::sleep(sleep)).await;
                }
            }
            self.publish();
        }
        self.election.resign(now());
        self.publish();
        if timeout(RESIGN_WITHIN, self.resign()).await.is_err() {
            tracing::warn!(lease = self.lease, "failed to release the Lease in time; it runs out by itself");
        }
    }

    async fn call(&mut self, call: Call, stop: &CancellationToken) {
        // A write is not dropped half-way: it takes the result to give the Lease back.
        let outcome = if call == Call::Read {
            stop.run_until_cancelled(self.api.call(call)).await
        } else {
            Some(self.api.call(call).await)
        };
        let Some(outcome) = outcome else {
            self.election.ended(Outcome::Failed, now());
            return;
        };
        let outcome = outcome.unwrap_or_else(|problem| {
            self.problem = problem.to_string();
            tracing::debug!(lease = self.lease, problem = self.problem, "a call for the Lease failed");
            Outcome::Failed
        });
        self.election.ended(outcome, now());
    }

    async fn resign(&mut self) {
        let held = self.told == Told::Holds;
        loop {
            match self.election.advance(now(), rand::random()) {
                Some(call) => {
                    let outcome = self.api.call(call).await.unwrap_or(Outcome::Failed);
                    self.election.ended(outcome, now());
                }
                None if self.election.has_resigned() => break,
                None => tokio::time::sleep(self.election.wake_at().saturating_sub(clock::since_boot())).await,
            }
        }
        if held {
            tracing::info!(lease = self.lease, "released the Lease");
        }
    }

    fn publish(&mut self) {
        let standing = self.election.standing();
        self.standing.send_if_modified(|published| std::mem::replace(published, standing) != standing);
        let holder = self.election.holder();
        let told = match standing {
            Standing::Holder { .. } => Told::Holds,
            Standing::Unsure { .. } => Told::Unsure,
            Standing::Standby if holder.is_some() && !self.election.has_resigned() => Told::StandsBy,
            Standing::Standby | Standing::Checking => return,
        };
        if std::mem::replace(&mut self.told, told) == told {
            return;
        }
        let lease = self.lease.as_str();
        match told {
            Told::Holds => tracing::info!(lease, "holding the Lease: polling each interval"),
            Told::StandsBy => tracing::info!(lease, holder, "another replica holds the Lease: standing by"),
            Told::Unsure => tracing::warn!(
                lease,
                problem = self.problem,
                "failed to read or renew the Lease; polling as if this replica held it"
            ),
            Told::Nothing => {}
        }
    }
}

fn now() -> Now {
    Now { uptime: clock::since_boot(), wall_micros: clock::now().as_millis().saturating_mul(1_000) }
}
