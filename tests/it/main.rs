//! The one integration binary: a single link, whatever the number of modules. The counting core against an independent
//! model, and the real exporter against the simulated Cotalker, over HTTP.

mod checkpoint;
mod counting;
mod crash;
mod daemon;
mod faults;
mod faulty_disk;
mod freshness;
mod full_disk;
mod kills;
mod model;
mod process;
mod readme;
mod scraped;
mod truth;
