//! How many entries a log has per event: one for each attempt, or one in all.

use alloc::collections::BTreeMap;

use crate::attempt::{Attempt, Position};
use crate::event::EventKey;
use crate::label_set;

label_set! {
    /// Which attempts of an event have entries.
    Rows {
        /// Each attempt has one.
        EachAttempt = "each_attempt",
        /// The last one only.
        FinalOnly = "final_only",
        /// Some retried events have several, others one.
        Mixed = "mixed",
    }
}

/// What the entries of the events that were retried show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventRows {
    /// The most entries of one event; 0 if no entry tells its event.
    pub most: u64,
    /// Events with entries of several attempts.
    pub several: u64,
    /// Retried events with one entry, though the log reaches back further.
    pub single: u64,
}

impl EventRows {
    /// Which attempts have entries; `None` if no event shows it.
    #[must_use]
    pub const fn rows(self) -> Option<Rows> {
        match (self.several, self.single) {
            (0, 0) => None,
            (_, 0) => Some(Rows::EachAttempt),
            (0, _) => Some(Rows::FinalOnly),
            (_, _) => Some(Rows::Mixed),
        }
    }

    /// What several logs show together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            most: self.most.max(other.most),
            several: self.several + other.several,
            single: self.single + other.single,
        }
    }
}

/// The entries of each event so far.
#[derive(Clone, Debug, Default)]
pub(super) struct RowsSeen {
    events: BTreeMap<EventKey, SeenEvent>,
    oldest: Option<Position>,
}

#[derive(Clone, Copy, Debug)]
struct SeenEvent {
    rows: u64,
    greatest_retry: u32,
    oldest: Position,
}

impl RowsSeen {
    /// Takes in an entry that has not been seen before.
    pub(super) fn observe(&mut self, attempt: &Attempt) {
        let position = attempt.position();
        self.oldest = Some(self.oldest.map_or(position, |oldest| oldest.min(position)));
        let Some(event) = &attempt.event else { return };
        let seen = self.events.entry(event.key);
        let seen = seen.or_insert(SeenEvent { rows: 0, greatest_retry: 0, oldest: position });
        seen.rows += 1;
        seen.greatest_retry = seen.greatest_retry.max(attempt.retry);
        seen.oldest = seen.oldest.min(position);
    }

    pub(super) fn finish(&self) -> EventRows {
        let mut found = EventRows::default();
        for event in self.events.values() {
            found.most = found.most.max(event.rows);
            if event.greatest_retry == 0 {
                continue;
            }
            // Delivery is in strict order, so an older entry means that the log reaches back to before the event's
            // first attempt. The attempts of the oldest event may have left the log.
            let reaches_back = self.oldest.is_some_and(|oldest| oldest < event.oldest);
            found.several += u64::from(event.rows > 1);
            found.single += u64::from(event.rows == 1 && reaches_back);
        }
        found
    }
}
