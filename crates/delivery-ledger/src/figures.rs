//! What a ledger adds up to, without the entries it is made of: what readers are shown, small enough to be copied for
//! each of them.

use crate::event::{Action, EventType};
use crate::events::{DelayHistogram, Events};
use crate::ledger::{Ledger, Totals, Window};
use crate::policy::Policy;
use crate::standing::Standing;
use crate::time::UnixMillis;

/// What a ledger added up to at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    totals: Totals,
    events: EventFigures,
    standing: Standing,
    window: Window,
    is_blocked: bool,
    since: Option<UnixMillis>,
}

impl Figures {
    /// What `ledger` adds up to now. Two are equal if nothing is to be shown of what has changed in between.
    #[must_use]
    pub fn of(ledger: &Ledger, policy: &Policy) -> Self {
        Self {
            totals: ledger.totals().clone(),
            events: ledger.events().into(),
            standing: ledger.standing().clone(),
            window: *ledger.window(),
            is_blocked: ledger.is_blocked(policy),
            since: ledger.since(),
        }
    }

    /// What the counted attempts add up to.
    #[must_use]
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// What became of the events.
    #[must_use]
    pub fn events(&self) -> &EventFigures {
        &self.events
    }

    /// How the webhook stands, history included.
    #[must_use]
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// What the log held when it was last read.
    #[must_use]
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// Whether the newest attempt, as of the last response, is a failure that may still be retried.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        self.is_blocked
    }

    /// As [`Ledger::since`].
    #[must_use]
    pub fn since(&self) -> Option<UnixMillis> {
        self.since
    }
}

/// What became of the events of one webhook. Σ [`entered`](Self::entered) = delivered + lost + pending, always.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventFigures {
    entered: [[u64; Action::ALL.len()]; EventType::ALL.len()],
    delivered: u64,
    lost: u64,
    pending: u64,
    delay: DelayHistogram,
}

impl From<&Events> for EventFigures {
    fn from(events: &Events) -> Self {
        let mut entered = [[0; Action::ALL.len()]; EventType::ALL.len()];
        for event_type in EventType::ALL {
            for action in Action::ALL {
                entered[event_type.index()][action.index()] = events.entered(*event_type, *action);
            }
        }
        let (delivered, lost, pending) = (events.delivered(), events.lost(), events.pending());
        Self { entered, delivered, lost, pending, delay: events.delay().clone() }
    }
}

impl EventFigures {
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
        self.pending
    }

    /// From an event's creation to its delivery.
    #[must_use]
    pub fn delay(&self) -> &DelayHistogram {
        &self.delay
    }
}
