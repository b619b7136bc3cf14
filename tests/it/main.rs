//! The one integration binary: a single link, whatever the number of modules. The counting core against an independent
//! model, and the real exporter against the simulated Cotalker, over HTTP.

mod alerts;
mod answers;
mod checkpoint;
mod conditional;
mod container;
mod counting;
mod crash;
mod credentials;
mod daemon;
mod entries;
mod exporter;
mod faults;
mod faulty_disk;
mod freshness;
mod full_disk;
mod history;
mod kills;
mod memory;
mod model;
mod page;
mod pauses;
mod process;
mod program;
mod prometheus;
mod promtool;
mod readme;
mod restarts;
mod rules;
mod scene;
mod scraped;
mod secrets;
mod survivor;
mod truth;
mod web_config;
mod webhooks;
