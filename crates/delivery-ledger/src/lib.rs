//! The rules that decide what counts: delivery attempts and a time in, counts out.
//!
//! `no_std`, so that a rule cannot read a clock, a file or a random number, and cannot log: the compiler refuses it.
//! Times are the API server's unless a name says otherwise, and are handed in.

#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod label;

mod attempt;
pub mod baseline;
mod counted;
mod event;
mod events;
mod figures;
pub mod fleet;
mod fresh;
mod id;
mod ledger;
mod now;
mod outcome;
mod policy;
mod reason;
mod recent;
mod replay;
mod seen;
mod selection;
mod sender_error;
mod server_clock;
mod sorted;
mod standing;
mod survey;
mod time;
mod to_replay;
mod tracked;
pub mod v1;
pub mod v2;
mod webhook;
mod window;

pub use attempt::{AHEAD_MILLIS, Attempt, Position};
pub use baseline::History;
pub use event::{Action, Event, EventKey, EventType};
pub use events::{DELAY_BUCKETS_SECONDS, DelayHistogram, Events};
pub use figures::{EventFigures, Figures};
pub use id::{AttemptId, NotAnObjectId, ObjectId, SubjectId, WebhookId};
pub use ledger::{
    HORIZON_MILLIS, Ledger, LogReading, LogResponse, MAX_COUNTED, MAX_STATUS_CODES, POISON_MILLIS, Totals, Window,
    is_poisoned,
};
pub use outcome::{FailureReason, Outcome, usable_status};
pub use policy::Policy;
pub use recent::{MAX_RECENT, RecentAttempt, RecentAttempts};
pub use replay::{EventSummary, LostEvent, LostEvents, MAX_LOST, PendingEvent, PendingEvents};
pub use selection::{Selected, select, select_ids};
pub use server_clock::{Reckoning, ServerClock, ServerTime};
pub use standing::{Failure, Standing, Success};
pub use survey::{EventRows, Guess, LogExtent, LogFacts, LogOrder, LogSurvey, Rows, guess_retention};
pub use time::UnixMillis;
pub use to_replay::ToReplay;
pub use tracked::{Fate, TrackedEvent};
pub use webhook::Webhook;
pub use window::{Retained, Retention};
