//! What one look at a log says of its events, whatever was counted before: which are lost, and which are pending.
//!
//! A ledger lists the newest lost events only, so each event is judged on its own, by the rules of all events.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cmp::Reverse;

use crate::attempt::Attempt;
use crate::event::EventKey;
use crate::events::{Events, key_of};
use crate::ledger::LogResponse;
use crate::policy::Policy;
use crate::replay::{LostEvent, PendingEvent};
use crate::time::UnixMillis;

/// What has to be replayed, and what may have to be. The newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToReplay {
    /// The lost events: all that the log still shows.
    pub lost: Vec<LostEvent>,
    /// The events that may still be retried.
    pub pending: Vec<PendingEvent>,
}

impl ToReplay {
    /// What a response says that was read against a new ledger with its floor before every attempt.
    #[must_use]
    pub fn of(response: &LogResponse, policy: &Policy) -> Self {
        let now = response.now();
        let mut attempts: BTreeMap<EventKey, Vec<Attempt>> = BTreeMap::new();
        for attempt in response.fresh() {
            attempts.entry(key_of(&attempt)).or_default().push(attempt);
        }
        let mut found = Self::default();
        for attempts in attempts.into_values() {
            let mut event = Events::default();
            attempts.into_iter().for_each(|attempt| event.observe(&attempt, now.latest(), policy));
            if now.is_certain {
                event.expire(now.at, policy);
            }
            found.lost.extend(event.lost_events().newest().copied());
            found.pending.extend(event.pending_events().newest_first());
        }
        found.lost.sort_unstable_by_key(|lost| Reverse((lost.lost_at, lost.last.position)));
        found.pending.sort_unstable_by_key(|pending| Reverse(pending.last.position));
        found
    }

    /// Without what was lost, or last tried, before `from`.
    #[must_use]
    pub fn since(mut self, from: UnixMillis) -> Self {
        self.lost.retain(|lost| lost.lost_at >= from);
        self.pending.retain(|pending| pending.last.position.at >= from);
        self
    }
}
