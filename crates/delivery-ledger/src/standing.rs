//! How a webhook stands now, history included: facts about the newest attempts, whether they count or not.
//!
//! Attempts dated ahead of the server's time have no part in them: one such row would stay the newest for as long.

use serde::{Deserialize, Serialize};

use crate::attempt::{Attempt, Position};
use crate::outcome::{FailureReason, Outcome};
use crate::policy::Policy;
use crate::time::UnixMillis;

/// A failed attempt, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Where it stands.
    pub position: Position,
    /// When it was made, as the log tells it.
    pub at: UnixMillis,
    /// Why it failed.
    pub reason: FailureReason,
    /// The receiver's status code, if it gave one.
    pub status: Option<u16>,
    /// How many times the event had been tried before.
    pub retry: u32,
}

/// A successful attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Success {
    /// Where it stands.
    pub position: Position,
    /// When it was made, as the log tells it.
    pub at: UnixMillis,
}

/// How a webhook stands now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The newest successful attempt.
    pub last_success: Option<Success>,
    /// The newest failed attempt.
    pub last_failure: Option<Failure>,
    /// When the newest event in the log was created.
    pub head_event: Option<UnixMillis>,
    /// Failed attempts since the last success.
    pub consecutive_failures: u64,
    /// The first of them; `None` when there is none.
    pub failing_since: Option<UnixMillis>,
}

impl Standing {
    /// The newest attempt, if it failed.
    #[must_use]
    pub fn newest_if_failed(&self) -> Option<Failure> {
        self.last_failure.filter(|failure| self.last_success.is_none_or(|success| failure.position > success.position))
    }

    /// Whether the newest attempt is a failure that may still be retried: what holds up everything behind it.
    #[must_use]
    pub fn is_blocked(&self, now: UnixMillis, policy: &Policy) -> bool {
        self.newest_if_failed().is_some_and(|failure| {
            failure.retry < policy.max_retries && now.millis_since(failure.position.at) < policy.pending_timeout_millis
        })
    }

    /// Takes in the newest of what one response shows; says whether it brings a newer success.
    pub(crate) fn advance(&mut self, seen: &Newest) -> bool {
        // A success whose date is told anew is no new one, and stands where it stood.
        let known = self.last_success.map(|success| success.position);
        let is_newer = |position: Position| known.is_none_or(|known| position > known && position.id != known.id);
        let has_new_success = seen.success().is_some_and(is_newer);
        if has_new_success {
            self.last_success = seen.success;
        }
        if let Some(failure) = seen.failure
            && self.last_failure.is_none_or(|last| failure.position > last.position)
        {
            self.last_failure = Some(failure);
        }
        self.head_event = self.head_event.max(seen.event);
        has_new_success
    }
}

/// The newest of what one response shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Newest {
    success: Option<Success>,
    failure: Option<Failure>,
    event: Option<UnixMillis>,
}

impl Newest {
    /// Takes in an attempt that is not dated ahead and stands there, of an event created then.
    pub(crate) fn observe(&mut self, attempt: &Attempt, position: Position, event: Option<UnixMillis>) {
        let (at, retry) = (attempt.at, attempt.retry);
        match attempt.outcome {
            Outcome::Success { .. } => self.success = self.success.max(Some(Success { position, at })),
            Outcome::Failure { reason, status } => {
                if self.failure.is_none_or(|newest| position > newest.position) {
                    self.failure = Some(Failure { position, at, reason, status, retry });
                }
            }
        }
        self.event = self.event.max(event);
    }

    pub(crate) fn success(&self) -> Option<Position> {
        self.success.map(|success| success.position)
    }
}
