//! One delivery attempt, and where it stands among a webhook's attempts.

use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::id::{AttemptId, ObjectId};
use crate::outcome::Outcome;
use crate::time::UnixMillis;

/// Where an attempt stands in a webhook's history: by time, then by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// When the attempt was made.
    pub at: UnixMillis,
    /// Tells attempts of one millisecond apart.
    pub id: AttemptId,
}

impl Position {
    /// Before every attempt.
    pub const START: Self = Self { at: UnixMillis::MIN, id: AttemptId(ObjectId::MIN) };

    /// After every attempt made at `at` or earlier.
    #[must_use]
    pub const fn after(at: UnixMillis) -> Self {
        Self { at, id: AttemptId(ObjectId::MAX) }
    }

    /// Before every attempt made at `at` or later.
    #[must_use]
    pub const fn before(at: UnixMillis) -> Self {
        Self { at, id: AttemptId(ObjectId::MIN) }
    }
}

/// One delivery attempt: one entry of a webhook's log, without anything that could be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The entry's `_id`.
    pub id: AttemptId,
    /// When the attempt was made.
    pub at: UnixMillis,
    /// How it ended.
    pub outcome: Outcome,
    /// How many times the event had been tried before; 0 where the log does not say.
    pub retry: u32,
    /// The event it carried; `None` where the entry holds no event at all.
    pub event: Option<Event>,
}

impl Attempt {
    /// Where it stands in the webhook's history.
    #[must_use]
    pub const fn position(&self) -> Position {
        Position { at: self.at, id: self.id }
    }
}
