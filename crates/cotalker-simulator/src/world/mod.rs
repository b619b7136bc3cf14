//! The simulated Cotalker without its API: webhooks, what happens in the company, and the delivery of it. No I/O and no
//! clock: time passes when [`World::advance_to`] says so, and the same seed and calls give the same world.
//!
//! Webhooks have their own streams of chance, so that adding or changing one leaves the others as they were.

mod company;
mod dice;
mod ids;
mod log;
mod receiver;
mod spec;
#[cfg(test)]
mod tests;
mod trigger;
mod truth;
mod webhook;

pub use company::World;
pub use log::{LoggedAttempt, LoggedEvent};
pub use receiver::{Receiver, Reply, SECRET_MARKER, Verdict};
pub use spec::{Cycle, WebhookSpec};
pub use trigger::Trigger;
pub use truth::Truth;
pub use webhook::{MAX_RETRY, RETRY_AFTER_MS};

pub(crate) use dice::mix;
pub(crate) use webhook::SimulatedWebhook;
