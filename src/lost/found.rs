//! What one look at the logs found.

use std::time::Duration;

use delivery_ledger::{LostEvent, PendingEvent, ToReplay, UnixMillis, Webhook};

use crate::look::{ListFacts, Unreadable};

/// What one look at the logs found.
#[derive(Debug)]
pub(super) struct Found {
    /// What was read: the API's URL and the company.
    pub(super) identity: String,
    /// When, by the local clock.
    pub(super) at: UnixMillis,
    /// How far back was asked for.
    pub(super) since: Option<Duration>,
    /// What the list showed; `None` if it could not be read.
    pub(super) list: Option<ListFacts>,
    /// The logs that could be read, by label.
    pub(super) logs: Vec<LogRead>,
    /// What could not be read.
    pub(super) unreadable: Vec<Unreadable>,
    /// Why the list could not be read.
    pub(super) failure: Option<String>,
}

/// One log that could be read.
#[derive(Debug)]
pub(super) struct LogRead {
    pub(super) webhook: Webhook,
    /// The server's time.
    pub(super) now: UnixMillis,
    pub(super) to_replay: ToReplay,
    /// How many attempts it has.
    pub(super) attempts: u64,
    /// The oldest of them: nothing is known of what was before.
    pub(super) oldest: Option<UnixMillis>,
}

impl Found {
    /// All lost events, the newest first.
    pub(super) fn lost(&self) -> Vec<(&Webhook, &LostEvent)> {
        let mut all = Vec::new();
        for log in &self.logs {
            all.extend(log.to_replay.lost.iter().map(|lost| (&log.webhook, lost)));
        }
        all.sort_by_key(|(_, lost)| std::cmp::Reverse((lost.lost_at, lost.last.position)));
        all
    }

    /// All pending events, the newest first.
    pub(super) fn pending(&self) -> Vec<(&Webhook, &PendingEvent)> {
        let mut all = Vec::new();
        for log in &self.logs {
            all.extend(log.to_replay.pending.iter().map(|pending| (&log.webhook, pending)));
        }
        all.sort_by_key(|(_, pending)| std::cmp::Reverse(pending.last.position));
        all
    }

    /// Whether anything has to be replayed. What succeeded after all has not.
    pub(super) fn has_lost(&self) -> bool {
        self.logs.iter().flat_map(|log| &log.to_replay.lost).any(|lost| lost.succeeded_at.is_none())
    }
}
