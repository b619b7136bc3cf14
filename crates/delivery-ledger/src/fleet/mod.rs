//! All watched webhooks: who comes, goes and returns, what is read next, and what the responses bring.
//!
//! A state machine without I/O. The shell tells it what happened (a list, a log, time that passed), with the clocks and
//! a random number handed in, and carries out the [`Effect`]s that come out, in order:
//!
//! ```text
//! advance(now) ─► Effect::List ─► listed(…) ─► Effect::ReadLog … ─► log_read(…) ─► Effect::Show, Effect::PollEnded
//! ```
//!
//! What a caller may rely on: a failed call changes no ledger; a response that was overtaken by a newer call of the same
//! webhook, or whose webhook has gone, changes nothing; a webhook is never read by two calls at once; and after every
//! input [`Fleet::wake_at`] says when `advance` is wanted next.

mod account;
mod intake;
mod io;
mod machine;
mod member;
mod notices;
mod plan;
mod planned;
mod poll;
mod run;
pub mod schedule;
mod state;
mod view;

pub use crate::now::Now;
pub use io::{
    BodyDigests, BodyMark, CallFailure, CallId, Effect, Listed, Notice, PollResult, Reach, ResponseMark, Subject,
};
pub use machine::{Fleet, FleetSettings};
pub use state::{AccountState, Turns, WebhookState};
pub use view::{AccountView, MemberView};
