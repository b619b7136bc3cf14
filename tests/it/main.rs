//! The real exporter against the simulated Cotalker, over HTTP.

mod counting;
mod daemon;
mod freshness;
mod memory;
mod process;
mod prometheus;
mod promtool;
