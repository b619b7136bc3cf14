//! What to replay: the events that were lost, and those that may still be. Ids only; nothing else of an event's data.
//!
//! Source of all of it: docs/specification.md, rule 11.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cmp::Reverse;

use serde::{Deserialize, Serialize};

use crate::event::{Action, Event, EventKey, EventType};
use crate::id::SubjectId;
use crate::standing::Failure;
use crate::time::UnixMillis;

/// Of more lost events than this, the oldest are no longer listed. Source: docs/specification.md, rule 11.
pub const MAX_LOST: usize = 100;

/// What is told of an event, to find it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventSummary {
    /// What it happened to.
    pub event_type: EventType,
    /// What happened.
    pub action: Action,
    /// When it happened; `None` where the log does not say.
    pub created_at: Option<UnixMillis>,
    /// The id of what it happened to; `None` where the log gives none, or one that is no ObjectId.
    pub subject: Option<SubjectId>,
}

impl From<&Event> for EventSummary {
    fn from(event: &Event) -> Self {
        let Event { key: _, event_type, action, created_at, subject } = *event;
        Self { event_type, action, created_at, subject }
    }
}

/// An event whose attempts have all failed so far, and that may still be retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingEvent {
    /// What it is; `None` where the log entry holds no usable event, or where a checkpoint of version 2 did not say.
    pub event: Option<EventSummary>,
    /// Its newest failed attempt, whose entry's `_id` is the id to find it by.
    pub last: Failure,
}

/// The pending events of one webhook.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingEvents(BTreeMap<EventKey, PendingEvent>);

impl PendingEvents {
    /// Takes in a failed attempt of an event that is pending, the first or a further one.
    pub(crate) fn fail(&mut self, key: EventKey, failed: PendingEvent) {
        let newest = self.0.entry(key).or_insert(failed);
        if failed.last.position > newest.last.position {
            *newest = failed;
        }
    }

    /// Takes out an event that is settled.
    pub(crate) fn settle(&mut self, key: EventKey) -> Option<PendingEvent> {
        self.0.remove(&key)
    }

    /// All of them, by what tells them apart.
    pub fn by_key(&self) -> impl Iterator<Item = (&EventKey, &PendingEvent)> {
        self.0.iter()
    }

    /// All of them, the one with the newest attempt first.
    #[must_use]
    pub fn newest_first(&self) -> Vec<&PendingEvent> {
        let mut events: Vec<&PendingEvent> = self.0.values().collect();
        events.sort_unstable_by_key(|event| Reverse(event.last.position));
        events
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// An event that nothing will send again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostEvent {
    /// What it is; `None` where the log entry holds no usable event, or where a checkpoint of version 2 did not say.
    pub event: Option<EventSummary>,
    /// Its newest failed attempt, whose entry's `_id` is the id to find it by.
    pub last: Failure,
    /// When it was settled: when its last retry was made, or when the pending timeout after its last attempt was over.
    pub lost_at: UnixMillis,
    /// When an attempt of it succeeded after all, as the log tells it: then there is nothing to replay. An event is
    /// settled once, so it stays lost in the counts.
    pub succeeded_at: Option<UnixMillis>,
}

/// The newest lost events of one webhook, [`MAX_LOST`] at most. An event stands in it once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostEvents(BTreeMap<EventKey, LostEvent>);

impl LostEvents {
    /// Takes in an event that is lost. One that is lost again, because it had been forgotten meanwhile, keeps its success:
    /// whoever took it has it.
    pub(crate) fn lose(&mut self, key: EventKey, lost: LostEvent) {
        let succeeded_at = self.0.get(&key).and_then(|before| before.succeeded_at).or(lost.succeeded_at);
        self.0.insert(key, LostEvent { succeeded_at, ..lost });
        if self.0.len() > MAX_LOST
            && let Some(oldest) = self.0.iter().min_by_key(|(_, lost)| age(lost)).map(|(key, _)| *key)
        {
            self.0.remove(&oldest);
        }
    }

    /// Takes in a further failed attempt of a lost event.
    pub(crate) fn fail(&mut self, key: EventKey, last: Failure) {
        if let Some(lost) = self.0.get_mut(&key)
            && last.position > lost.last.position
        {
            lost.last = last;
        }
    }

    /// Whether the event is listed, and no attempt of it is known to have succeeded.
    pub(crate) fn is_open(&self, key: EventKey) -> bool {
        self.0.get(&key).is_some_and(|lost| lost.succeeded_at.is_none())
    }

    /// Takes in that an attempt of the event succeeded at `at`. The first one is told.
    pub(crate) fn succeed(&mut self, key: EventKey, at: UnixMillis) {
        if let Some(lost) = self.0.get_mut(&key) {
            lost.succeeded_at.get_or_insert(at);
        }
    }

    /// All of them, by what tells them apart.
    pub fn by_key(&self) -> impl Iterator<Item = (&EventKey, &LostEvent)> {
        self.0.iter()
    }

    /// All of them, the one that was lost last first.
    #[must_use]
    pub fn newest_first(&self) -> Vec<&LostEvent> {
        let mut events: Vec<&LostEvent> = self.0.values().collect();
        events.sort_unstable_by_key(|event| Reverse(age(event)));
        events
    }

    /// The one that was lost last.
    #[must_use]
    pub fn newest(&self) -> Option<&LostEvent> {
        self.0.values().max_by_key(|lost| age(lost))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What lost events go by, from the oldest to the newest.
fn age(lost: &LostEvent) -> impl Ord + use<> {
    (lost.lost_at, lost.last.position)
}
