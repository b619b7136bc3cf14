//! What version 2 of the checkpoint held, for reading it. Nothing writes it any more.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;

use serde::Deserialize;

use crate::attempt::Position;
use crate::counted::Counted;
use crate::event::{Action, EventKey, EventType};
use crate::events::{self, DelayHistogram};
use crate::fleet;
use crate::id::AttemptId;
use crate::ledger::{Ledger, Totals, Window};
use crate::outcome::FailureReason;
use crate::replay::{LostEvents, PendingEvent, PendingEvents};
use crate::standing::{Failure, Standing};
use crate::time::UnixMillis;
use crate::tracked::{Fate, TrackedEvent};
use crate::webhook::Webhook;
use crate::window::Retained;

/// [`fleet::WebhookState`] as it was. [`fleet::AccountState`] is as it was.
#[derive(Debug, Deserialize)]
pub struct WebhookState {
    webhook: Webhook,
    ledger: LedgerState,
    read_at: Option<UnixMillis>,
    vanished_since: Option<UnixMillis>,
    is_behind: bool,
}

impl From<WebhookState> for fleet::WebhookState {
    fn from(old: WebhookState) -> Self {
        let WebhookState { webhook, ledger, read_at, vanished_since, is_behind } = old;
        Self { webhook, ledger: ledger.into(), read_at, vanished_since, is_behind }
    }
}

#[derive(Debug, Deserialize)]
struct LedgerState {
    floor: Position,
    counted: BTreeMap<AttemptId, Counted>,
    newest_counted: Option<Position>,
    totals: Totals,
    events: Events,
    standing: Standing,
    window: Window,
    retained: Retained,
    as_of: Option<UnixMillis>,
    under_way: Option<Position>,
}

impl From<LedgerState> for Ledger {
    fn from(old: LedgerState) -> Self {
        Self {
            floor: old.floor,
            counted: old.counted.into_iter().collect(),
            newest_counted: old.newest_counted,
            totals: old.totals,
            events: old.events.into(),
            standing: old.standing,
            window: old.window,
            retained: old.retained,
            as_of: old.as_of,
            under_way: old.under_way,
            recent: Arc::default(),
            since: None,
        }
    }
}

/// [`events::Events`] as they were.
#[derive(Debug, Deserialize)]
pub(crate) struct Events {
    entered: [[u64; Action::ALL.len()]; EventType::ALL.len()],
    delivered: u64,
    lost: u64,
    delay: DelayHistogram,
    tracked: BTreeMap<EventKey, TrackedEvent>,
}

impl From<Events> for events::Events {
    /// Of a pending event only the id and the time of its last attempt were kept; of a lost one nothing.
    fn from(old: Events) -> Self {
        let Events { entered, delivered, lost, delay, tracked } = old;
        let mut pending = PendingEvents::default();
        for (key, event) in tracked.iter().filter(|(_, event)| event.fate == Fate::Pending) {
            let (reason, status, retry) = (FailureReason::Other, None, 0);
            let last = Failure { position: event.newest, at: event.newest.at, reason, status, retry };
            pending.fail(*key, PendingEvent { event: None, last });
        }
        let pending_events = Arc::new(pending);
        let tracked = tracked.into();
        Self { entered, delivered, lost, delay, tracked, pending_events, lost_events: Arc::new(LostEvents::default()) }
    }
}
