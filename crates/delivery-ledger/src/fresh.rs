//! The attempts of a response that are not dealt with, until the response has ended.

use alloc::vec::Vec;
use core::cmp::Reverse;

use crate::attempt::{Attempt, Position};
use crate::event::{Action, Event, EventKey, EventType};
use crate::id::{AttemptId, SubjectId};
use crate::outcome::Outcome;
use crate::time::{CompactMillis, UnixMillis};

/// While attempts are taken out, the room of so many is given back at once. A convention: some 300 KB.
const GIVEN_BACK: usize = 1 << 12;

/// An attempt: 72 bytes, for a response may have tens of thousands that are new.
#[derive(Clone, Copy, Debug)]
struct FreshRow {
    id: AttemptId,
    at: CompactMillis,
    outcome: Outcome,
    retry: u32,
    event: Option<FreshEvent>,
}

#[derive(Clone, Copy, Debug)]
struct FreshEvent {
    key: EventKey,
    event_type: EventType,
    action: Action,
    created_at: Option<CompactMillis>,
    subject: Option<SubjectId>,
}

impl FreshRow {
    fn position(&self) -> Position {
        Position::of(self.id, self.at.into())
    }
}

impl From<Attempt> for FreshRow {
    fn from(attempt: Attempt) -> Self {
        let Attempt { id, at, outcome, retry, event } = attempt;
        let event = event.map(|Event { key, event_type, action, created_at, subject }| {
            let created_at = created_at.map(CompactMillis::from);
            FreshEvent { key, event_type, action, created_at, subject }
        });
        Self { id, at: at.into(), outcome, retry, event }
    }
}

impl From<FreshRow> for Attempt {
    fn from(row: FreshRow) -> Self {
        let FreshRow { id, at, outcome, retry, event } = row;
        let event = event.map(|FreshEvent { key, event_type, action, created_at, subject }| {
            let created_at = created_at.map(UnixMillis::from);
            Event { key, event_type, action, created_at, subject }
        });
        Self { id, at: at.into(), outcome, retry, event }
    }
}

/// Attempts that are not dealt with.
#[derive(Clone, Debug, Default)]
pub(crate) struct FreshAttempts(Vec<FreshRow>);

impl FreshAttempts {
    pub(crate) fn push(&mut self, attempt: Attempt) {
        self.0.push(attempt.into());
    }

    /// Whether one of them failed.
    pub(crate) fn has_failures(&self) -> bool {
        self.0.iter().any(|row| !row.outcome.is_success())
    }

    /// Removes the attempts that are not to be kept.
    pub(crate) fn retain(&mut self, mut is_kept: impl FnMut(Position) -> bool) {
        self.0.retain(|row| is_kept(row.position()));
    }

    /// All of them, in any order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Attempt> {
        self.0.iter().map(|row| Attempt::from(*row))
    }

    /// Takes them out in the order of their positions.
    pub(crate) fn into_ordered(mut self) -> impl Iterator<Item = Attempt> {
        self.0.sort_unstable_by_key(|row| Reverse(row.position()));
        core::iter::from_fn(move || {
            let row = self.0.pop()?;
            // Beside what is made of them, less than all of them is in memory.
            if self.0.len().is_multiple_of(GIVEN_BACK) {
                self.0.shrink_to_fit();
            }
            Some(row.into())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_takes_72_bytes() {
        assert!(size_of::<FreshRow>() <= 72);
    }
}
