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

    /// Where the attempt with this id stands that the log dates to `told`: at the second of its id, which the database
    /// made; refined by what the log tells, if that lies within a minute of it. A date that is told by another clock, or
    /// that changes later, moves nothing.
    #[must_use]
    pub fn of(id: AttemptId, told: UnixMillis) -> Self {
        let made_at = id.0.made_at();
        let is_close = told.millis_since(made_at).unsigned_abs() <= REFINED_WITHIN_MILLIS.unsigned_abs();
        Self { at: if is_close { told } else { made_at }, id }
    }

    /// Before every attempt made at `at` or later.
    #[must_use]
    pub const fn before(at: UnixMillis) -> Self {
        Self { at, id: AttemptId(ObjectId::MIN) }
    }
}

/// `createdAt` refines the place of an entry if it lies this close to the second of its id. Source:
/// docs/specification.md, rule 2.
pub(crate) const REFINED_WITHIN_MILLIS: i64 = 60_000;

/// An attempt dated further than this after the server's time counts, and has no part in how the webhook stands. Source:
/// docs/specification.md, rule 2.
pub const AHEAD_MILLIS: i64 = 5 * 60_000;

/// One delivery attempt: one entry of a webhook's log, without anything that could be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The entry's `_id`.
    pub id: AttemptId,
    /// When the attempt was made, as the log tells it (`createdAt`); where it does not, the second of the id.
    pub at: UnixMillis,
    /// How it ended.
    pub outcome: Outcome,
    /// How many times the event had been tried before; 0 where the log does not say.
    pub retry: u32,
    /// The event it carried; `None` where the entry holds no usable event. Such an attempt is an event of its own.
    pub event: Option<Event>,
}

impl Attempt {
    /// Where it stands in the webhook's history.
    #[must_use]
    pub fn position(&self) -> Position {
        Position::of(self.id, self.at)
    }

    /// Whether it is dated so far after the server's time that it has no part in how the webhook stands.
    #[must_use]
    pub fn is_ahead(&self, now: UnixMillis) -> bool {
        self.at.max(self.position().at).millis_since(now) > AHEAD_MILLIS
    }
}
