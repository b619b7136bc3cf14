//! One webhook of the fleet, and the states that it goes through.

use alloc::sync::Arc;
use core::time::Duration;

use super::io::{Listed, ResponseMark, Subject};
use super::plan::{Plan, Wish};
use super::schedule;
use crate::ledger::Ledger;
use crate::time::UnixMillis;
use crate::webhook::Webhook;

/// A watched webhook.
#[derive(Clone, Debug)]
pub(super) struct Member<E> {
    /// Shared with what is shown of it; it is replaced, never changed.
    pub(super) webhook: Arc<Webhook>,
    /// Shared with the call that reads the log; that one never changes it.
    pub(super) ledger: Arc<Ledger>,
    /// What to ask for the log with; it belongs to what `ledger` has taken in.
    pub(super) mark: Option<ResponseMark>,
    pub(super) log: LogState<E>,
    /// The list that the floor of a ledger without any response follows from.
    pub(super) listed: Option<Listed>,
    /// When its log was last read, by the local clock; over restarts.
    pub(super) read_at: Option<UnixMillis>,
    /// Since when it is missing from the list, which has a malformed entry that may be it; a moment of the uptime.
    pub(super) missing_since: Option<Duration>,
    /// When a call for it last started.
    pub(super) called_at: Option<Duration>,
    /// The start of the poll in which it last had its turn, or appeared: milliseconds of the uptime, negative if that was
    /// before the process began.
    pub(super) waits_since: i64,
    /// Whether this poll leaves it to a later one because there are too many.
    pub(super) is_put_off: bool,
    /// Goes up with every change that is worth saving.
    pub(super) revision: u64,
}

/// What is known of a webhook's log in this process.
#[derive(Clone, Debug)]
pub(super) enum LogState<E> {
    /// It is shown at 0, so that a scraper sees the step, and read from the next poll on.
    Appeared,
    /// It has not been read yet.
    Unread,
    /// Its restored counts are older than what was once shown: it is not shown before its log has been read.
    Behind {
        /// What is older than it should be.
        age: Age,
    },
    /// The last call worked.
    Readable,
    /// The last call failed, or was not made because it would have failed.
    Unreadable {
        cause: E,
        /// Failures in a row of calls for this log.
        failures: u32,
        /// Not called before then.
        retry_at: Duration,
        /// As in [`LogState::Behind`].
        behind: Option<Age>,
    },
}

/// In what way restored counts are behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    /// The checkpoint is the one before the last: what was shown is known to be more. Where the log does not reach back to
    /// it counts start from 0.
    Outrun,
    /// The checkpoint is old, as one from a backup is: more may have been shown. Counts that cannot be brought up to date
    /// until then are shown as they are.
    Stale {
        /// A moment of the uptime.
        shown_at: Duration,
    },
}

impl<E> Member<E> {
    pub(super) fn new(webhook: Arc<Webhook>, ledger: Arc<Ledger>, log: LogState<E>) -> Self {
        Self {
            webhook,
            ledger,
            mark: None,
            log,
            listed: None,
            read_at: None,
            missing_since: None,
            called_at: None,
            waits_since: 0,
            is_put_off: false,
            revision: 0,
        }
    }

    pub(super) fn subject(&self) -> Subject {
        Subject { id: self.webhook.id, label: self.webhook.label() }
    }

    /// In what way its counts are behind, if they are.
    pub(super) fn behind(&self) -> Option<Age> {
        match &self.log {
            LogState::Behind { age } => Some(*age),
            LogState::Unreadable { behind, .. } => *behind,
            LogState::Appeared | LogState::Unread | LogState::Readable => None,
        }
    }

    /// Takes in that its counts are shown as they are.
    pub(super) fn come_up(&mut self) {
        match &mut self.log {
            LogState::Behind { .. } => self.log = LogState::Unread,
            LogState::Unreadable { behind, .. } => *behind = None,
            LogState::Appeared | LogState::Unread | LogState::Readable => {}
        }
    }

    /// Whether the last log call worked; `None` before the first of this process.
    pub(super) fn is_up(&self) -> Option<bool> {
        match &self.log {
            LogState::Appeared | LogState::Unread | LogState::Behind { .. } => None,
            LogState::Readable => Some(true),
            LogState::Unreadable { .. } => Some(false),
        }
    }

    /// Whether its log should be readable by the end of a poll, and is not. One that is put off should be if calls for it
    /// keep failing.
    pub(super) fn is_unread(&self) -> bool {
        match &self.log {
            LogState::Appeared | LogState::Readable => false,
            LogState::Unread | LogState::Behind { .. } => !self.is_put_off,
            LogState::Unreadable { failures, .. } => !self.is_put_off || *failures > 0,
        }
    }

    /// After how many intervals its log is read again by this plan. One that fails waits for no longer than the longest
    /// backoff, wherever there is room.
    pub(super) fn planned(&self, plan: &Plan, interval: Duration) -> u32 {
        let planned = plan.intervals(Wish::of(&self.ledger, interval));
        match &self.log {
            LogState::Unreadable { failures: 1.., .. } => planned.min(schedule::BACKOFF_LONGEST_POLLS),
            LogState::Appeared
            | LogState::Unread
            | LogState::Behind { .. }
            | LogState::Readable
            | LogState::Unreadable { .. } => planned,
        }
    }

    /// Whether nothing is known of its log, or nothing that may be shown.
    pub(super) fn is_unknown(&self) -> bool {
        self.ledger.as_of().is_none() || self.behind().is_some()
    }

    pub(super) fn problem(&self) -> Option<&E> {
        match &self.log {
            LogState::Unreadable { cause, .. } => Some(cause),
            LogState::Appeared | LogState::Unread | LogState::Behind { .. } | LogState::Readable => None,
        }
    }

    /// Whether it waits longer than to the next poll because its log keeps failing.
    pub(super) fn is_backing_off(&self, uptime: Duration) -> bool {
        match &self.log {
            LogState::Unreadable { retry_at, .. } => *retry_at > uptime,
            LogState::Appeared | LogState::Unread | LogState::Behind { .. } | LogState::Readable => false,
        }
    }

    /// Whether its log is to be read now, if no call is under way: not if one was made at `called_from` or later.
    pub(super) fn is_due(&self, uptime: Duration, called_from: Duration) -> bool {
        !matches!(self.log, LogState::Appeared)
            && !self.is_backing_off(uptime)
            && self.called_at.is_none_or(|at| at < called_from)
    }
}

/// A webhook that is gone from the list, and may return.
#[derive(Clone, Debug)]
pub(super) struct Vanished {
    pub(super) webhook: Arc<Webhook>,
    pub(super) ledger: Arc<Ledger>,
    /// By the local clock, for the checkpoint.
    pub(super) since: UnixMillis,
    /// Its ledger is dropped then.
    pub(super) forget_at: Duration,
    pub(super) is_behind: bool,
    pub(super) revision: u64,
}
