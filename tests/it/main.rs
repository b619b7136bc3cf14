//! The real exporter against the simulated Cotalker, over HTTP.

mod answers;
mod conditional;
mod counting;
mod credentials;
mod daemon;
mod entries;
mod freshness;
mod history;
mod page;
mod pauses;
mod process;
mod program;
mod scene;
mod secrets;
mod webhooks;
