//! The newest attempts of one webhook, history included: what stands in its log, and what has stood there.

use alloc::vec::Vec;
use core::cmp::Reverse;

use serde::{Deserialize, Serialize};

use crate::attempt::{Attempt, Position};
use crate::id::AttemptId;
use crate::outcome::Outcome;
use crate::replay::EventSummary;
use crate::time::UnixMillis;

/// So many attempts are kept. Source: docs/specification.md, rule 11.
pub const MAX_RECENT: usize = 20;

/// An attempt, as it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecentAttempt {
    /// The entry's `_id`.
    pub id: AttemptId,
    /// When it was made, as the log tells it.
    pub at: UnixMillis,
    /// How it ended.
    pub outcome: Outcome,
    /// How many times the event had been tried before.
    pub retry: u32,
    /// What it delivers; `None` where the entry holds no usable event.
    pub event: Option<EventSummary>,
}

impl RecentAttempt {
    pub(crate) fn position(&self) -> Position {
        Position::of(self.id, self.at)
    }
}

impl From<&Attempt> for RecentAttempt {
    fn from(attempt: &Attempt) -> Self {
        let Attempt { id, at, outcome, retry, event } = attempt;
        Self { id: *id, at: *at, outcome: *outcome, retry: *retry, event: event.as_ref().map(EventSummary::from) }
    }
}

/// The newest attempts, [`MAX_RECENT`] at most, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecentAttempts(Vec<RecentAttempt>);

impl RecentAttempts {
    /// What is known once a response has shown these.
    pub(crate) fn with(&self, shown: Shown) -> Self {
        let mut attempts = shown.finish();
        // What the log tells now of an attempt holds, not what it told before.
        let is_shown = |id: AttemptId| attempts.iter().any(|shown| shown.id == id);
        let others: Vec<RecentAttempt> = self.0.iter().filter(|known| !is_shown(known.id)).copied().collect();
        attempts.extend(others);
        keep_newest(&mut attempts);
        // It stays for long, and had room for those that are not among the newest.
        attempts.shrink_to_fit();
        Self(attempts)
    }

    /// All of them, the newest first.
    #[must_use]
    pub fn newest_first(&self) -> &[RecentAttempt] {
        &self.0
    }
}

/// The newest attempts that one response shows, as they come, in any order, each once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    attempts: Vec<RecentAttempt>,
    /// Older than this is not among the newest.
    oldest: Option<Position>,
}

impl Shown {
    pub(crate) fn observe(&mut self, attempt: &Attempt) {
        if self.oldest.is_some_and(|oldest| attempt.position() < oldest) {
            return;
        }
        self.attempts.push(attempt.into());
        // Sorted once in a while, not for each: most logs are in order, and the order may be the wrong one.
        if self.attempts.len() >= 4 * MAX_RECENT {
            keep_newest(&mut self.attempts);
            self.oldest = self.attempts.last().map(RecentAttempt::position);
        }
    }

    fn finish(mut self) -> Vec<RecentAttempt> {
        keep_newest(&mut self.attempts);
        self.attempts
    }
}

fn keep_newest(attempts: &mut Vec<RecentAttempt>) {
    attempts.sort_unstable_by_key(|attempt| Reverse(attempt.position()));
    attempts.truncate(MAX_RECENT);
}
