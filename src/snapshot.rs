//! What readers get: an immutable snapshot of all ledgers, replaced as a whole. A scrape takes the newest and does no I/O.

use std::sync::Arc;

use tokio::sync::watch;

use crate::api::CallError;
use crate::exposition::Rendered;
use delivery_ledger::{Failure, LostEvents, PendingEvents, RecentAttempts, Retention, UnixMillis};

/// What all readers see until the next one is published.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Whether the first poll has ended, well or badly.
    pub is_ready: bool,
    /// The ledgers' metric families.
    pub families: Rendered,
    /// The same for the status page.
    pub overview: Overview,
}

/// Where the poller publishes snapshots.
pub type Publisher = watch::Sender<Arc<Snapshot>>;

/// Where readers find the newest snapshot.
pub type Subscriber = watch::Receiver<Arc<Snapshot>>;

/// A publisher of an empty snapshot that is not ready, and a subscriber to it.
#[must_use]
pub fn channel() -> (Publisher, Subscriber) {
    watch::channel(Arc::new(Snapshot::default()))
}

/// What the status page shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// The watched webhooks.
    pub webhooks: Rows,
    /// Webhooks that are not watched because there are too many.
    pub dropped: u64,
    /// Whether the last list could be read; `None` before the first.
    pub is_api_up: Option<bool>,
    /// Why not, and what to do about it.
    pub api_problem: Option<CallError>,
    /// When a list was last read, by the local clock.
    pub listed_at: Option<UnixMillis>,
    /// What to add to the local clock to get the server's time, in milliseconds.
    pub server_ahead_millis: i64,
    /// The milliseconds between the starts of two polls, for telling what is stale.
    pub poll_interval_millis: i64,
    /// This replica's part.
    pub part: Part,
}

/// The webhooks in the order of their ids, in blocks: those that have not changed are shared between snapshots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows(Vec<Arc<[Arc<WebhookRow>]>>);

impl Rows {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &WebhookRow> {
        self.0.iter().flat_map(|block| block.iter().map(Arc::as_ref))
    }

    /// The webhook with this id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&WebhookRow> {
        let is_before = |block: &Arc<[Arc<WebhookRow>]>| block.last().is_some_and(|last| last.id.as_str() < id);
        let block = self.0.get(self.0.partition_point(is_before))?;
        let index = block.binary_search_by(|webhook| webhook.id.as_str().cmp(id)).ok()?;
        block.get(index).map(Arc::as_ref)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|block| block.is_empty())
    }
}

impl FromIterator<Arc<[Arc<WebhookRow>]>> for Rows {
    /// Rows of these blocks, which are in the order of their ids, as are the webhooks in each.
    fn from_iter<Blocks: IntoIterator<Item = Arc<[Arc<WebhookRow>]>>>(blocks: Blocks) -> Self {
        Self(blocks.into_iter().collect())
    }
}

impl From<Vec<WebhookRow>> for Rows {
    /// Rows of these webhooks, which are in the order of their ids.
    fn from(webhooks: Vec<WebhookRow>) -> Self {
        std::iter::once(webhooks.into_iter().map(Arc::new).collect()).collect()
    }
}

/// A replica's part among those of one account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// It polls each interval: it holds the Lease, or there is no other.
    #[default]
    Leads,
    /// It polls each interval because it cannot know whether another does.
    LeadsUnsure,
    /// Another polls each interval.
    StandsBy,
}

/// One webhook on the status page. Times are the server's unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookRow {
    /// Its id in Cotalker.
    pub id: String,
    /// Its code, or its id where it has none.
    pub label: String,
    /// Its name, free text.
    pub name: String,
    /// The trigger that makes Cotalker send an event.
    pub trigger: String,
    /// The receiver's host.
    pub target_host: String,
    /// Whether it is active in Cotalker.
    pub is_active: bool,
    /// Whether its log could be read last time; `None` before the first.
    pub is_readable: Option<bool>,
    /// Why not, and what to do about it.
    pub problem: Option<CallError>,
    /// When its log was last read, by the local clock.
    pub read_at: Option<UnixMillis>,
    /// The planned milliseconds between two reads of it, for telling what is stale.
    pub poll_interval_millis: i64,
    /// Whether its newest attempt failed and may be retried: all later events wait.
    pub is_blocked: bool,
    /// Failed attempts since the last success, history included.
    pub consecutive_failures: u64,
    /// When the first of them was made.
    pub failing_since: Option<UnixMillis>,
    /// When an attempt last succeeded, history included.
    pub last_success: Option<UnixMillis>,
    /// The newest failed attempt, history included.
    pub last_failure: Option<Failure>,
    /// Counted attempts.
    pub attempts: u64,
    /// Counted attempts that failed.
    pub failures: u64,
    /// Events whose attempts have all failed so far and that may still be retried.
    pub pending: u64,
    /// Since when the oldest of them has been pending.
    pub pending_since: Option<UnixMillis>,
    /// Events that were delivered.
    pub delivered: u64,
    /// Events that will not be sent again.
    pub lost: u64,
    /// Polls of its log that had no overlap with the previous poll: entries may have been missed.
    pub gaps: u64,
    /// How the API's log lets go of entries, as far as that is known.
    pub retention: Retention,
    /// The newest lost events. Shared with the ledger, as are the other two lists, so that a snapshot costs no copy.
    pub lost_events: Arc<LostEvents>,
    /// The pending events.
    pub pending_events: Arc<PendingEvents>,
    /// The newest attempts, history included.
    pub recent: Arc<RecentAttempts>,
}
