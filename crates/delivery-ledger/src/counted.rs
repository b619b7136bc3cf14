//! The counted attempts of one webhook that are known one by one.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::attempt::Position;
use crate::id::AttemptId;
use crate::sorted::{Row, Sorted};
use crate::time::{CompactMillis, UnixMillis};

/// An attempt that has been counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counted {
    pub(crate) at: UnixMillis,
    pub(crate) failed: bool,
    /// Whether it has a part in how the webhook stands: not while it is dated ahead.
    pub(crate) stands: bool,
}

/// The same, and which it is: 22 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CountedRow {
    id: AttemptId,
    at: CompactMillis,
    pub(crate) failed: bool,
    pub(crate) stands: bool,
}

impl CountedRow {
    pub(crate) fn new(position: Position, failed: bool, stands: bool) -> Self {
        Self { id: position.id, at: position.at.into(), failed, stands }
    }

    pub(crate) fn position(&self) -> Position {
        Position { at: self.at.into(), id: self.id }
    }
}

impl Row for CountedRow {
    type Key = AttemptId;

    fn key(&self) -> AttemptId {
        self.id
    }
}

/// Counted attempts by their ids. In a checkpoint they are a map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CountedAttempts(Sorted<CountedRow>);

impl CountedAttempts {
    pub(crate) fn iter(&self) -> core::slice::Iter<'_, CountedRow> {
        self.0.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn contains(&self, id: AttemptId) -> bool {
        self.0.get(&id).is_some()
    }

    pub(crate) fn get(&self, id: AttemptId) -> Option<&CountedRow> {
        self.0.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: AttemptId) -> Option<&mut CountedRow> {
        self.0.get_mut(&id)
    }

    /// Adds attempts that are not there.
    pub(crate) fn add(&mut self, rows: Vec<CountedRow>) {
        self.0.add(rows);
    }

    /// Removes all up to `position`.
    pub(crate) fn forget(&mut self, position: Position) {
        self.0.retain(|row| row.position() > position);
    }
}

impl FromIterator<(AttemptId, Counted)> for CountedAttempts {
    fn from_iter<Rows: IntoIterator<Item = (AttemptId, Counted)>>(rows: Rows) -> Self {
        let row = |(id, Counted { at, failed, stands })| CountedRow::new(Position { at, id }, failed, stands);
        Self(rows.into_iter().map(row).collect())
    }
}

impl Serialize for CountedAttempts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|row| {
            let (Position { at, id }, failed, stands) = (row.position(), row.failed, row.stands);
            (id, Counted { at, failed, stands })
        }))
    }
}

impl<'de> Deserialize<'de> for CountedAttempts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(BTreeMap::deserialize(deserializer)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counted_attempt_takes_22_bytes() {
        assert!(size_of::<CountedRow>() <= 22);
    }
}
