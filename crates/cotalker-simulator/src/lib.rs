//! A simulated Cotalker: the same one for `demo`, the integration tests and the benchmarks.
//!
//! ```text
//! world     ─ webhooks, receivers, strict queues, logs, the truth   ─► pure: no I/O, no clock
//! payload   ─ webhooks and log entries as the API's JSON            ─► over world
//! shape     ─ which entries of a log are shown, in which order      ─► over payload
//! api       ─ connections, calls, accounts, faults, a record        ─► over shape and settings
//! simulator ─ the handle that tests hold: HTTP on loopback, a clock ─► over api
//! ```
//!
//! A [`World`] can be used alone. A [`Simulator`] serves one over HTTP. Time passes in it at the speed that its settings
//! say, or only when a test says so. Dropping it ends all of its tasks.

mod api;
pub mod demo;
pub mod payload;
mod settings;
mod shape;
mod simulator;
mod world;

pub use api::{Call, Endpoint, Fault, Target};
pub use settings::{Settings, Switches};
pub use shape::{LogShape, Order};
pub use simulator::Simulator;
pub use world::{
    Cycle, LoggedAttempt, LoggedEvent, MAX_RETRY, RETRY_AFTER_MS, Receiver, Reply, SECRET_MARKER, Trigger, Truth,
    Verdict, WebhookSpec, World,
};
