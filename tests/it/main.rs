//! The real exporter against the simulated Cotalker, over HTTP.

mod counting;
mod credentials;
mod daemon;
mod freshness;
mod page;
