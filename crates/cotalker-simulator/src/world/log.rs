//! What a delivery log records.

use std::sync::Arc;

use delivery_ledger::{Action, AttemptId, ObjectId, UnixMillis};

use super::receiver::Verdict;
use super::trigger::Trigger;

/// Something that happened in the company. The object that it happened to is not kept but made up again, always the
/// same, from `seed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoggedEvent {
    /// Counts the webhook's events from 0: what tells one from another.
    pub number: u64,
    /// The trigger that it set off, which gives its type.
    pub trigger: Trigger,
    /// What happened.
    pub action: Action,
    /// When it happened; unique within the webhook, unless made by [`World::emit`] several times at once.
    pub created_at: UnixMillis,
    /// The id of what it happened to: `data._id`, or `extraData.userId` for a logout.
    pub subject: ObjectId,
    /// What the rest of it is made from.
    pub seed: u64,
}

/// One delivery attempt: one entry of a webhook's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedAttempt {
    /// Its `_id`, whose seconds are those of `at`.
    pub id: AttemptId,
    /// Its `createdAt`: when it ended and was logged. Never the same twice in one webhook.
    pub at: UnixMillis,
    /// Its `status`; 409 for a transport error.
    pub status: Option<u16>,
    /// How many times the event had been tried before.
    pub retry: u32,
    /// The receiver's response, or the transport error.
    pub response: Arc<str>,
    /// The event that was sent.
    pub event: LoggedEvent,
    /// How it ended, by the receiver's own account.
    pub verdict: Verdict,
    /// Whether it settled the event: delivered or lost, no further attempt.
    pub is_final: bool,
}
