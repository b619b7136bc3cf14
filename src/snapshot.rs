//! What readers get: an immutable snapshot of all ledgers, replaced as a whole. A scrape takes the newest and does no I/O.

use std::sync::Arc;

use tokio::sync::watch;

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
    /// The watched webhooks, in the order of their ids.
    pub webhooks: Vec<WebhookRow>,
    /// Webhooks that are not watched because there are too many.
    pub dropped: u64,
    /// Whether the last list could be read; `None` before the first.
    pub is_api_up: Option<bool>,
    /// Why not, and what to do about it, in one line without secrets.
    pub api_problem: Option<String>,
    /// When a list was last read, by the local clock.
    pub listed_at: Option<UnixMillis>,
    /// What to add to the local clock to get the server's time, in milliseconds.
    pub server_ahead_millis: i64,
    /// The milliseconds between the starts of two polls, for telling what is stale.
    pub poll_interval_millis: i64,
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
    /// Why not, in one line without secrets.
    pub problem: Option<String>,
    /// When its log was last read, by the local clock.
    pub read_at: Option<UnixMillis>,
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
