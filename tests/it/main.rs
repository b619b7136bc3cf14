//! The one integration binary: a single link, whatever the number of modules. The counting core against an independent
//! model, and the real exporter against the simulated Cotalker, over HTTP.

#![expect(clippy::print_stdout, reason = "a test says what it measured")]

mod answers;
mod checkpoint;
mod conditional;
mod counting;
mod credentials;
mod daemon;
mod entries;
mod exporter;
mod freshness;
mod history;
mod memory;
mod model;
mod page;
mod pauses;
mod process;
mod program;
mod prometheus;
mod promtool;
mod readme;
mod scene;
mod secrets;
mod truth;
mod webhooks;
