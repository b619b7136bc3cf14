//! The attempts of a response that are not dealt with, until the response has ended.

use alloc::vec::Vec;
use core::cmp::Reverse;

use crate::attempt::{Attempt, Position};
use crate::event::{Action, Event, EventKey, EventType};
use crate::id::{AttemptId, SubjectId};
use crate::outcome::Outcome;
use crate::time::{CompactMillis, UnixMillis};

/// So many attempts are taken out at once, and their room given back. A convention: 300 KB.
const BATCH: usize = 1 << 12;

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

/// Attempts that are not dealt with. Side by side: the system moves a long list that grows without a copy, and takes back
/// its end when it shrinks.
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

    /// Takes them out in the order of their positions, some at a time: of the others and what is made of them, less than
    /// all is in memory at once.
    pub(crate) fn into_batches(mut self) -> impl Iterator<Item = Batch> {
        self.0.sort_unstable_by_key(|row| Reverse(row.position()));
        core::iter::from_fn(move || {
            let batch = match self.0.len().checked_sub(BATCH) {
                None | Some(0) => core::mem::take(&mut self.0),
                Some(rest) => {
                    let batch = self.0.get(rest..)?.to_vec();
                    self.0.truncate(rest);
                    self.0.shrink_to_fit();
                    batch
                }
            };
            (!batch.is_empty()).then_some(Batch(batch))
        })
    }
}

/// Some attempts, the newest first.
#[derive(Debug)]
pub(crate) struct Batch(Vec<FreshRow>);

impl Batch {
    /// All of them, in the order of their positions.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Attempt> {
        self.0.iter().rev().map(|row| Attempt::from(*row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ObjectId;

    #[test]
    fn attempts_come_out_in_the_order_of_their_positions_whatever_their_order_and_number() {
        for number in [0, 1, BATCH, BATCH + 1, 3 * BATCH] {
            let mut fresh = FreshAttempts::default();
            let attempt = |index: usize| {
                // Each index once, and no two neighbours side by side.
                let second = u32::try_from(index * 7 % number).expect("few");
                let mut id = [0; 12];
                id[..4].copy_from_slice(&second.to_be_bytes());
                let id = AttemptId(ObjectId::from_bytes(id));
                let at = id.0.made_at().plus_millis(5);
                Attempt { id, at, outcome: Outcome::Success { status: 200 }, retry: second, event: None }
            };
            let attempts: Vec<Attempt> = (0..number).map(attempt).collect();
            attempts.iter().cloned().for_each(|attempt| fresh.push(attempt));
            let mut in_order = attempts;
            in_order.sort_unstable_by_key(Attempt::position);
            let taken: Vec<Attempt> = fresh.into_batches().flat_map(|batch| batch.iter().collect::<Vec<_>>()).collect();
            assert_eq!(taken, in_order);
        }
    }

    #[test]
    fn an_attempt_takes_72_bytes() {
        assert!(size_of::<FreshRow>() <= 72);
    }
}
