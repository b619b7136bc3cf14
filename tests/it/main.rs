//! The real exporter against the simulated Cotalker, over HTTP.

mod answers;
mod conditional;
mod counting;
mod credentials;
mod daemon;
mod freshness;
mod page;
mod pauses;
mod scene;
mod webhooks;
