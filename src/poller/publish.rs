//! Durable before visible: the checkpoint is written, then the snapshot is swapped.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use delivery_ledger::fleet::Fleet;
use delivery_ledger::{Policy, WebhookId};
use tokio::time::Instant;

use super::picture::Picture;
use super::role::Role;
use crate::api::CallError;
use crate::clock;
use crate::exposition::{AccountView, Page};
use crate::snapshot::{Overview, Part, Publisher, Snapshot};
use crate::store::record::{Records, encode_record};
use crate::store::writer::Writer;
use crate::telemetry::{Instruments, WriteResult};

/// The shortest time between two publications within a poll. A convention: what a person takes for "at once".
const PAUSE: Duration = Duration::from_millis(250);

/// A publication takes at most one part in so many of the time, however many webhooks there are.
const SHARE: u32 = 10;

/// Where counts go once they are known.
#[derive(Debug)]
pub(super) struct Publication {
    publisher: Publisher,
    writer: Option<Writer>,
    policy: Policy,
    /// What was shown last.
    picture: Picture,
    interval: Duration,
    part: Part,
    /// What is known of the present is of an earlier time, when this replica stood by.
    is_outdated: bool,
    next: Instant,
    /// The encoded record of each webhook, and the revision that it was made of.
    records: BTreeMap<WebhookId, (u64, Bytes)>,
    saving: Saving,
}

/// How writing the checkpoint goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Saving {
    /// The last write worked, or there was none.
    Works,
    /// The last write failed; it is tried again in the next poll.
    Failed,
    /// The last write failed; it may be tried again.
    FailedBefore,
}

impl Publication {
    pub(super) fn new(publisher: Publisher, writer: Option<Writer>, policy: Policy, role: &Role) -> Self {
        let (next, records, saving) = (Instant::now(), BTreeMap::new(), Saving::Works);
        let (interval, part, is_outdated) = (role.interval(), role.part(), !role.leads());
        let picture = Picture::default();
        Self { publisher, writer, policy, picture, interval, part, is_outdated, next, records, saving }
    }

    /// Takes in another role. Whoever begins to lead shows the present once it has polled.
    pub(super) fn take_part(&mut self, role: &Role) {
        (self.interval, self.part) = (role.interval(), role.part());
        self.is_outdated |= !role.leads();
    }

    /// Takes in that a poll has ended, or could not begin: if this replica leads, it knows the present.
    pub(super) fn knows_the_present(&mut self, role: &Role) {
        self.is_outdated = !role.leads();
    }

    /// No earlier than this should anything be published within a poll.
    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// A poll has ended: a write that failed in it may be tried again.
    pub(super) fn may_try_to_save(&mut self) {
        if self.saving == Saving::Failed {
            self.saving = Saving::FailedBefore;
        }
    }

    /// Shows how things stand now, once that is durable. If writing fails the counts are shown all the same.
    pub(super) async fn publish(&mut self, fleet: &mut Fleet<CallError>, instruments: &Instruments) {
        let started = Instant::now();
        self.save(fleet, instruments).await;
        instruments.reads_each_webhook_every(fleet.read_interval().as_secs_f64());
        self.show(fleet);
        fleet.shown();
        self.next = Instant::now() + PAUSE.max(started.elapsed() * SHARE);
    }

    /// Saves how things stand at the end, the time of the last list with it.
    pub(super) async fn save_at_stop(&mut self, fleet: &mut Fleet<CallError>, instruments: &Instruments) {
        if fleet.account_state().listed_at.is_some() {
            self.write(fleet, instruments).await;
        }
    }

    async fn save(&mut self, fleet: &mut Fleet<CallError>, instruments: &Instruments) {
        if self.writer.is_none() || self.saving == Saving::Failed || !fleet.is_unsaved(clock::moment()) {
            return;
        }
        self.write(fleet, instruments).await;
    }

    async fn write(&mut self, fleet: &mut Fleet<CallError>, instruments: &Instruments) {
        let revision = fleet.revision();
        let records = self.records(fleet);
        let Some(writer) = &self.writer else { return };
        let committed = match records {
            Ok(records) => writer.commit(records).await,
            Err(error) => Err(std::io::Error::other(error)),
        };
        match committed {
            Ok(()) => {
                fleet.saved(revision, clock::moment());
                instruments.state_written(WriteResult::Ok, clock::now());
                if self.saving != Saving::Works {
                    tracing::info!("the checkpoint can be written again");
                }
                self.saving = Saving::Works;
            }
            Err(error) => {
                instruments.state_written(WriteResult::Error, clock::now());
                if self.saving == Saving::Works {
                    tracing::error!(%error, "failed to write the checkpoint; continuing without it; it is retried after each poll");
                }
                self.saving = Saving::Failed;
            }
        }
    }

    /// The records of a checkpoint. Only what has changed is encoded again.
    fn records(&mut self, fleet: &Fleet<CallError>) -> postcard::Result<Records> {
        let mut old = std::mem::take(&mut self.records);
        let mut records = Records { account: encode_record(fleet.account_state())?, webhooks: BTreeMap::new() };
        for (id, revision, state) in fleet.webhook_states() {
            let record = match old.remove(&id) {
                Some((made_of, record)) if made_of == revision => record,
                _ => encode_record(&state())?,
            };
            records.webhooks.insert(id, record.clone());
            self.records.insert(id, (revision, record));
        }
        Ok(records)
    }

    /// Shows how things stand now.
    pub(super) fn show(&mut self, fleet: &Fleet<CallError>) {
        self.picture.follow(fleet.members(), &self.policy);
        let account = fleet.account();
        let (webhooks, active) = self.picture.sizes();
        let count = |webhooks| u64::try_from(webhooks).unwrap_or(u64::MAX);
        let facts = AccountView {
            is_up: account.is_up,
            active: count(active),
            inactive: count(webhooks - active),
            dropped: count(account.dropped),
            malformed: count(account.malformed),
            is_standby: self.is_outdated,
        };
        self.publisher.send_replace(Arc::new(Snapshot {
            is_ready: fleet.is_ready(),
            families: Page::new(facts, self.picture.blocks()).into(),
            overview: Overview {
                webhooks: self.picture.rows(),
                dropped: facts.dropped,
                is_api_up: account.is_up,
                api_problem: account.problem.cloned(),
                listed_at: account.list_read_at,
                server_ahead_millis: account.server_ahead_millis,
                poll_interval_millis: i64::try_from(self.interval.as_millis()).unwrap_or(i64::MAX),
                part: self.part,
            },
        }));
    }
}
