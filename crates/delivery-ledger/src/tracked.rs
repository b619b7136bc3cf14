//! The events of one webhook that are known one by one.

use alloc::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::attempt::Position;
use crate::event::EventKey;
use crate::id::AttemptId;
use crate::sorted::{Row, Sorted};
use crate::time::{CompactMillis, UnixMillis};

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fate {
    /// Failed so far, and may be sent again.
    Pending,
    /// The receiver took it.
    Delivered,
    /// Nothing will send it again.
    Lost,
}

/// An event that is still known one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackedEvent {
    /// What became of it.
    pub fate: Fate,
    /// Its newest counted attempt.
    pub newest: Position,
    /// Since when it waits for a further attempt: the time of the newest one, or when that was seen if it is dated absurdly.
    /// Of an event that is settled it says nothing.
    pub waits_since: UnixMillis,
}

/// An event, but for since when it waits: 37 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct EventRow {
    key: EventKey,
    newest_id: AttemptId,
    newest_at: CompactMillis,
    /// `None` while no attempt of it has been observed.
    fate: Option<Fate>,
}

impl EventRow {
    fn new(key: EventKey, newest: Position, fate: Option<Fate>) -> Self {
        Self { key, newest_id: newest.id, newest_at: newest.at.into(), fate }
    }

    fn newest(&self) -> Position {
        Position { at: self.newest_at.into(), id: self.newest_id }
    }
}

impl Row for EventRow {
    type Key = EventKey;

    fn key(&self) -> EventKey {
        self.key
    }
}

/// The events that are known one by one, by their keys. In a checkpoint they are a map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TrackedEvents {
    rows: Sorted<EventRow>,
    /// Since when each event waits that is pending.
    waiting: BTreeMap<EventKey, UnixMillis>,
}

impl TrackedEvents {
    /// Makes room for events that are about to be observed, in any order and whether they are known or not. For many
    /// events that takes less time than one by one.
    pub(crate) fn expect(&mut self, keys: impl Iterator<Item = EventKey>) {
        let row = |key| EventRow::new(key, Position::START, None);
        self.rows.add(keys.map(row).collect());
    }

    /// Takes in an attempt of this event. Says what became of the event before; `None` if it is new: then it is pending.
    pub(crate) fn observe(&mut self, key: EventKey, position: Position) -> Option<Fate> {
        if self.rows.get(&key).is_none() {
            self.expect(core::iter::once(key));
        }
        let row = self.rows.get_mut(&key)?;
        let before = row.fate;
        *row = EventRow::new(key, row.newest().max(position), before.or(Some(Fate::Pending)));
        before
    }

    /// What became of an event; `None` if it is not known.
    pub(crate) fn fate(&self, key: EventKey) -> Option<Fate> {
        self.rows.get(&key)?.fate
    }

    /// Takes in that an event that is pending has waited since `at`, at the earliest.
    pub(crate) fn wait(&mut self, key: EventKey, at: UnixMillis) {
        let since = self.waiting.entry(key).or_insert(at);
        *since = at.max(*since);
    }

    /// Takes in what became of an event that was pending.
    pub(crate) fn settle(&mut self, key: EventKey, fate: Fate) {
        self.waiting.remove(&key);
        if let Some(row) = self.rows.get_mut(&key) {
            row.fate = Some(fate);
        }
    }

    /// Since when each event waits that is pending, in the order of their keys.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (EventKey, UnixMillis)> {
        self.waiting.iter().map(|(key, since)| (*key, *since))
    }

    /// Forgets the events that are settled and have no attempt above `floor`.
    pub(crate) fn forget(&mut self, floor: Position) {
        self.rows.retain(|row| row.fate == Some(Fate::Pending) || row.newest() > floor);
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    fn iter(&self) -> impl ExactSizeIterator<Item = (EventKey, TrackedEvent)> {
        self.rows.iter().map(|row| {
            let (fate, newest) = (row.fate.unwrap_or(Fate::Pending), row.newest());
            let waits_since = self.waiting.get(&row.key).copied().unwrap_or(newest.at);
            (row.key, TrackedEvent { fate, newest, waits_since })
        })
    }
}

impl From<BTreeMap<EventKey, TrackedEvent>> for TrackedEvents {
    fn from(events: BTreeMap<EventKey, TrackedEvent>) -> Self {
        let pending = events.iter().filter(|(_, event)| event.fate == Fate::Pending);
        let waiting = pending.map(|(key, event)| (*key, event.waits_since)).collect();
        let row = |(key, event): (EventKey, TrackedEvent)| EventRow::new(key, event.newest, Some(event.fate));
        Self { rows: events.into_iter().map(row).collect(), waiting }
    }
}

impl Serialize for TrackedEvents {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for TrackedEvents {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_takes_37_bytes() {
        assert!(size_of::<EventRow>() <= 37);
    }
}
