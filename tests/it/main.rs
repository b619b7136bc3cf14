//! The real exporter against the simulated Cotalker, over HTTP.

mod truth;
mod daemon;
mod freshness;
mod readme;
