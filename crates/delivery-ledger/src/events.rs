//! The events of one webhook: each enters at its first counted attempt and is settled once, as delivered or as lost.

use alloc::string::ToString as _;
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::attempt::{Attempt, Position};
use crate::event::{Action, Event, EventKey, EventType};
use crate::outcome::Outcome;
use crate::policy::Policy;
use crate::replay::{EventSummary, LostEvent, LostEvents, PendingEvent, PendingEvents};
use crate::standing::Failure;
use crate::time::UnixMillis;
use crate::tracked::{Fate, TrackedEvents};

/// Upper bounds of the delivery delay's buckets, in seconds. Source: docs/specification.md, "Metrics".
pub const DELAY_BUCKETS_SECONDS: [f64; 13] =
    [1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 14400.0];

/// How long deliveries took: a histogram over [`DELAY_BUCKETS_SECONDS`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DelayHistogram {
    /// Deliveries per bucket, not cumulated; the last one holds what is over the greatest bound.
    pub buckets: [u64; DELAY_BUCKETS_SECONDS.len() + 1],
    /// The sum of all delays, in milliseconds, so that it stays exact.
    pub sum_millis: u64,
}

impl DelayHistogram {
    fn observe(&mut self, delay_millis: u64) {
        #[expect(clippy::cast_precision_loss, reason = "exact below 2^53 ms, which is 285,000 years")]
        let seconds = delay_millis as f64 / 1_000.0;
        let index = DELAY_BUCKETS_SECONDS.iter().position(|bound| seconds <= *bound);
        self.buckets[index.unwrap_or(DELAY_BUCKETS_SECONDS.len())] += 1;
        self.sum_millis = self.sum_millis.saturating_add(delay_millis);
    }
}

/// The event of an attempt that carries no usable one: told from others by the id of the entry.
fn own_event(attempt: &Attempt) -> Event {
    let key = EventKey::of([Some(attempt.id.to_string().as_str()), None, None, None, None]);
    Event { key, event_type: EventType::Other, action: Action::Other, created_at: None, subject: None }
}

/// The key of an attempt's event.
pub(crate) fn key_of(attempt: &Attempt) -> EventKey {
    attempt.event.as_ref().map_or_else(|| own_event(attempt).key, |event| event.key)
}

/// The events of one webhook. Σ [`entered`](Self::entered) = delivered + lost + pending, always.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Events {
    pub(crate) entered: [[u64; Action::ALL.len()]; EventType::ALL.len()],
    pub(crate) delivered: u64,
    pub(crate) lost: u64,
    pub(crate) delay: DelayHistogram,
    pub(crate) tracked: TrackedEvents,
    /// Of each tracked event that is pending, what it is. Shared with readers, as are the lost ones.
    pub(crate) pending_events: Arc<PendingEvents>,
    pub(crate) lost_events: Arc<LostEvents>,
}

impl Events {
    /// Makes room for the events with these keys, each of which is about to be observed.
    pub(crate) fn expect(&mut self, keys: impl Iterator<Item = EventKey>) {
        self.tracked.expect(keys);
    }

    /// Takes in one attempt that counts. Attempts of one response come in the order of their positions.
    pub(crate) fn observe(&mut self, attempt: &Attempt, now: UnixMillis, policy: &Policy) {
        let own;
        let event = match &attempt.event {
            Some(event) => event,
            // Not for each attempt: to hash an id costs more than all the rest.
            None => {
                own = own_event(attempt);
                &own
            }
        };
        let position = attempt.position();
        // An attempt cannot have been made after the response that shows it.
        let made_at = position.at.min(now);
        let fate = self.tracked.observe(event.key, position).unwrap_or_else(|| {
            self.entered[event.event_type.index()][event.action.index()] += 1;
            Fate::Pending
        });
        match (fate, attempt.outcome) {
            (Fate::Pending | Fate::Lost, Outcome::Success { .. }) => self.deliver(attempt, now),
            (Fate::Pending, Outcome::Failure { reason, status }) => {
                self.tracked.wait(event.key, made_at);
                let last = Failure { position, at: attempt.at, reason, status, retry: attempt.retry };
                let (key, summary) = (event.key, attempt.event.as_ref().map(EventSummary::from));
                Arc::make_mut(&mut self.pending_events).fail(key, PendingEvent { event: summary, last });
                if attempt.retry >= policy.max_retries {
                    self.lose(event.key, made_at);
                }
            }
            (Fate::Lost, Outcome::Failure { reason, status }) => {
                let last = Failure { position, at: attempt.at, reason, status, retry: attempt.retry };
                Arc::make_mut(&mut self.lost_events).fail(event.key, last);
            }
            (Fate::Delivered, _) => {}
        }
    }

    /// Whether a success of the attempt's event is news: the event is pending, or listed as lost.
    pub(crate) fn awaits_success(&self, attempt: &Attempt) -> bool {
        let key = key_of(attempt);
        self.tracked.fate(key) == Some(Fate::Pending) || self.lost_events.is_open(key)
    }

    /// Takes in that an attempt that is dealt with turned out to be a success: its event, if it is pending, is delivered.
    /// Says whether that is news.
    pub(crate) fn recover(&mut self, attempt: &Attempt, now: UnixMillis) -> bool {
        let is_news = self.awaits_success(attempt);
        self.deliver(attempt, now);
        is_news
    }

    /// Settles the event of a successful attempt, if it is pending; if it is lost, it stays so, and the list says that it
    /// succeeded after all.
    fn deliver(&mut self, attempt: &Attempt, now: UnixMillis) {
        let key = key_of(attempt);
        let delivered_at = if attempt.is_ahead(now) { now } else { attempt.at };
        if self.lost_events.is_open(key) {
            Arc::make_mut(&mut self.lost_events).succeed(key, delivered_at);
        }
        if self.tracked.fate(key) != Some(Fate::Pending) {
            return;
        }
        self.tracked.settle(key, Fate::Delivered);
        self.delivered += 1;
        Arc::make_mut(&mut self.pending_events).settle(key);
        if let Some(created_at) = attempt.event.as_ref().and_then(|event| event.created_at) {
            self.delay.observe(u64::try_from(delivered_at.millis_since(created_at)).unwrap_or(0));
        }
    }

    /// Settles a pending event as lost, since `lost_at`.
    fn lose(&mut self, key: EventKey, lost_at: UnixMillis) {
        self.tracked.settle(key, Fate::Lost);
        self.lost += 1;
        if let Some(PendingEvent { event, last }) = Arc::make_mut(&mut self.pending_events).settle(key) {
            let lost = LostEvent { event, last, lost_at, succeeded_at: None };
            Arc::make_mut(&mut self.lost_events).lose(key, lost);
        }
    }

    /// Gives up the pending events whose last attempt is longer ago than the pending timeout.
    pub(crate) fn expire(&mut self, now: UnixMillis, policy: &Policy) {
        let timeout = policy.pending_timeout_millis;
        let over = self.tracked.waiting().filter(|(_, since)| now.millis_since(*since) > timeout);
        let over: Vec<(EventKey, UnixMillis)> = over.map(|(key, since)| (key, since.plus_millis(timeout))).collect();
        for (key, lost_at) in over {
            self.lose(key, lost_at);
        }
    }

    /// Forgets the settled events all of whose attempts lie at or below `floor`: none of them can count again.
    pub(crate) fn forget(&mut self, floor: Position) {
        self.tracked.forget(floor);
    }

    /// Distinct events of this kind.
    #[must_use]
    pub fn entered(&self, event_type: EventType, action: Action) -> u64 {
        self.entered[event_type.index()][action.index()]
    }

    /// Distinct events that the receiver took.
    #[must_use]
    pub fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Distinct events that nothing will send again.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// How many events have failed so far and may be sent again.
    #[must_use]
    pub fn pending(&self) -> u64 {
        let entered: u64 = self.entered.iter().flatten().sum();
        entered.saturating_sub(self.delivered).saturating_sub(self.lost)
    }

    /// Since when the longest waiting of the pending events waits; `None` when none does.
    #[must_use]
    pub fn pending_since(&self) -> Option<UnixMillis> {
        self.tracked.waiting().map(|(_, since)| since).min()
    }

    /// What the pending events are.
    #[must_use]
    pub fn pending_events(&self) -> &Arc<PendingEvents> {
        &self.pending_events
    }

    /// What the newest lost events are.
    #[must_use]
    pub fn lost_events(&self) -> &Arc<LostEvents> {
        &self.lost_events
    }

    /// From an event's creation to its delivery.
    #[must_use]
    pub fn delay(&self) -> &DelayHistogram {
        &self.delay
    }

    /// How many events are still known one by one.
    #[must_use]
    pub fn tracked(&self) -> usize {
        self.tracked.len()
    }
}
