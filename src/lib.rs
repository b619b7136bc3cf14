//! A Prometheus exporter for the delivery logs of Cotalker webhooks: exact per-webhook counts of deliveries, failures,
//! lost events and delays.
//!
//! A pure core that knows no I/O, no clock and no tokio, and a thin shell around it that does. Data runs one way:
//!
//! ```text
//! HTTP body ─ api         frame one entry at a time, wire → core types ─► Attempt
//! Attempt   ─ ledger      floor + set: counted once, or not            ─► counts, events, window facts
//! ledgers   ─ store       durable first                                ─► disk
//! ledgers   ─ exposition  families → samples → one encoder per format  ─► Bytes, once per change and format, not per scrape
//! GET       ─ server      hands out those bytes + the process's own few metrics
//! ```
//!
//! Invariants:
//!
//! 1. **Durable before visible.** With a store, a value that is shown is on disk. A value that goes back after a restart
//!    reads as a counter reset, and `rate()` counts everything again.
//! 2. **All or nothing per response.** A response is folded in when it has ended well, or not at all.
//! 3. **Counted once.** An attempt counts iff it is above the floor and not in the set. The floor never goes down.
//! 4. **One task owns the ledgers.** Readers get an immutable snapshot by swap. A scrape does no I/O.
//! 5. **A scrape never fails because the vendor does.** Old counts stay; freshness says how old.
//! 6. **Fetching is raced against shutdown, a commit never is**: it ends by itself, and nothing is shown of it before.
//! 7. **Secrets have a type** that prints as `[redacted]`; a receiver's URL becomes a host at the wire, and an event's
//!    data is skipped there, so that nothing behind the wire could leak them.

pub mod api;
pub mod app;
pub mod build;
pub mod check;
pub mod clock;
pub mod compression;
pub mod config;
pub mod crash;
pub mod demo;
pub mod exposition;
pub mod healthcheck;
pub mod json;
mod log_options;
pub mod look;
pub mod lost;
mod options;
pub mod poller;
pub mod replica;
pub mod secret;
pub mod server;
pub mod shutdown;
pub mod snapshot;
pub mod store;
pub mod telemetry;
pub mod terminal;
pub mod web_options;
pub mod webhook_state;
mod words;
