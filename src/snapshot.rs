//! What readers get: an immutable picture of all ledgers, swapped in whole. A scrape takes the newest and does no I/O.

use std::sync::Arc;

use tokio::sync::watch;

use crate::exposition::Rendered;
use delivery_ledger::Failure;
use delivery_ledger::UnixMillis;

/// One picture of the state.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Whether the first poll has ended, well or badly.
    pub is_ready: bool,
    /// The ledgers' metric families.
    pub families: Rendered,
    /// The same for people.
    pub overview: Overview,
}

/// Where the poller puts pictures.
pub type Publisher = watch::Sender<Arc<Snapshot>>;

/// Where readers find the newest picture.
pub type Subscriber = watch::Receiver<Arc<Snapshot>>;

/// A publisher with an empty picture, and a subscriber of it.
#[must_use]
pub fn channel() -> (Publisher, Subscriber) {
    watch::channel(Arc::new(Snapshot::default()))
}

/// What the page for people shows.
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
    /// The seconds between two polls, for telling what is stale.
    pub poll_interval_millis: i64,
}

/// One webhook on the page. Times are the server's unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookRow {
    /// Its id.
    pub id: String,
    /// Its code, or its id where it has none.
    pub label: String,
    /// Its name, free text.
    pub name: String,
    /// What sets it off.
    pub trigger: String,
    /// The receiver's host.
    pub target_host: String,
    /// Whether it is switched on.
    pub is_active: bool,
    /// Whether its log could be read last time; `None` before the first.
    pub is_readable: Option<bool>,
    /// Why not, in one line without secrets.
    pub problem: Option<String>,
    /// When its log was last read, by the local clock.
    pub read_at: Option<UnixMillis>,
    /// Whether its newest attempt failed and may be retried: everything behind it waits.
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
    /// Events that failed so far and may be sent again.
    pub pending: u64,
    /// Since when the longest waiting of them waits.
    pub pending_since: Option<UnixMillis>,
    /// Events that the receiver took.
    pub delivered: u64,
    /// Events that nothing will send again.
    pub lost: u64,
    /// Answers that may have left out entries.
    pub gaps: u64,
}
