//! The state of a webhook, derived from what is known of it.

use std::time::Duration;

use crate::snapshot::{Overview, WebhookRow};
use delivery_ledger::UnixMillis;

/// Data is stale once it has not been read for so many of the intervals that it is planned to be read at: one poll may fail and one may be late. A convention.
const INTERVALS_UNTIL_STALE: i64 = 3;

/// For how long after a webhook's newest failure its lost events need attention: over a long weekend. The counts of an
/// exporter with a state never go back, and nobody reads a page that is red for ever.
const LOSS_NEEDS_ATTENTION_FOR: Duration = Duration::from_secs(72 * 3600);

/// The state of a webhook in one word, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WebhookState {
    /// The newest attempt failed and may be retried: all later events wait.
    Blocked,
    /// The newest attempts failed.
    Failing,
    /// Deliveries work, but events were lost lately.
    Lost,
    /// The log cannot be read.
    Unreadable,
    /// The log has not been read for too long.
    Stale,
    /// The log has not been read since the start.
    Unread,
    /// It is switched off.
    Inactive,
    /// Its log is read, and its newest attempt succeeded, or there is none.
    Healthy,
}

impl WebhookState {
    /// All of them, the worst first.
    pub(crate) const ALL: [Self; 8] = [
        Self::Blocked,
        Self::Failing,
        Self::Lost,
        Self::Unreadable,
        Self::Stale,
        Self::Unread,
        Self::Inactive,
        Self::Healthy,
    ];

    /// The state of `webhook` at `now`, by the local clock.
    ///
    /// One that is switched off is not failing, whatever its last attempts were; but lost events are lost, and as long
    /// as an attempt may be retried it is blocked.
    #[must_use]
    pub fn of(webhook: &WebhookRow, overview: &Overview, now: UnixMillis) -> Self {
        let is_stale = webhook.read_at.is_some_and(|at| is_stale(at, webhook.poll_interval_millis, now));
        Self::of_log(webhook, webhook.is_readable, is_stale, overview, now)
    }

    /// Its place in [`Self::ALL`].
    pub(crate) const fn index(self) -> usize {
        self as usize
    }

    pub(crate) const fn needs_attention(self) -> bool {
        matches!(self, Self::Blocked | Self::Failing | Self::Lost | Self::Unreadable | Self::Stale)
    }

    /// The state without regard to whether, and when, the log was read.
    pub(crate) fn last_known(webhook: &WebhookRow, overview: &Overview, now: UnixMillis) -> Self {
        let is_readable = webhook.read_at.map(|_| true);
        Self::of_log(webhook, is_readable, false, overview, now)
    }

    fn of_log(
        webhook: &WebhookRow,
        is_readable: Option<bool>,
        is_stale: bool,
        overview: &Overview,
        now: UnixMillis,
    ) -> Self {
        match is_readable {
            _ if webhook.is_blocked => Self::Blocked,
            _ if webhook.consecutive_failures > 0 && webhook.is_active => Self::Failing,
            _ if recently_lost(webhook, server_time(overview, now)) > 0 => Self::Lost,
            Some(false) => Self::Unreadable,
            Some(true) if is_stale => Self::Stale,
            None => Self::Unread,
            Some(true) if !webhook.is_active => Self::Inactive,
            Some(true) => Self::Healthy,
        }
    }

    /// The colour, as a class.
    pub(crate) const fn tone(self) -> Tone {
        match self {
            Self::Blocked | Self::Failing | Self::Lost => Tone::Bad,
            Self::Unreadable | Self::Stale => Tone::Doubtful,
            Self::Unread | Self::Inactive => Tone::Idle,
            Self::Healthy => Tone::Good,
        }
    }

    pub(crate) const fn symbol(self) -> &'static str {
        match self {
            Self::Blocked => "■",
            Self::Failing => "✕",
            Self::Lost => "!",
            Self::Unreadable => "?",
            Self::Stale => "◷",
            Self::Unread => "…",
            Self::Inactive => "○",
            Self::Healthy => "✓",
        }
    }

    /// What it is called in a URL.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Failing => "failing",
            Self::Lost => "lost",
            Self::Unreadable => "unreadable",
            Self::Stale => "stale",
            Self::Unread => "unread",
            Self::Inactive => "inactive",
            Self::Healthy => "healthy",
        }
    }
}

/// How bad something is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tone {
    Bad,
    Doubtful,
    Idle,
    Good,
}

impl Tone {
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Doubtful => "doubtful",
            Self::Idle => "idle",
            Self::Good => "good",
        }
    }
}

/// Whether what was read at `at`, and is read once in so many milliseconds, should have been read again by now.
pub(crate) const fn is_stale(at: UnixMillis, interval_millis: i64, now: UnixMillis) -> bool {
    let limit = interval_millis.saturating_mul(INTERVALS_UNTIL_STALE);
    limit > 0 && now.millis_since(at) > limit
}

/// The server's time, which times in the log are by.
pub(crate) const fn server_time(overview: &Overview, now: UnixMillis) -> UnixMillis {
    now.plus_millis(overview.server_ahead_millis)
}

/// The lost events that still need attention: all that were counted, if the newest failure is not too old.
pub(crate) fn recently_lost(webhook: &WebhookRow, server_now: UnixMillis) -> u64 {
    let limit = i64::try_from(LOSS_NEEDS_ATTENTION_FOR.as_millis()).unwrap_or(i64::MAX);
    let is_recent = webhook.last_failure.is_none_or(|failure| server_now.millis_since(failure.at) <= limit);
    if is_recent { webhook.lost } else { 0 }
}
