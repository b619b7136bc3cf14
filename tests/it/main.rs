//! The integration tests that need nothing but Rust, in one binary: the counting core against an independent model, and
//! the real exporter against the simulated Cotalker, over HTTP. What needs other programs, or minutes, is in `tests/tools`.

/// Whether scenarios that repeat something do so as often as a release needs it, or as often as a quick test can.
const IS_THOROUGH: bool = false;

mod agreement;
mod answers;
mod ca_file;
mod check;
mod checkpoint;
mod conditional;
mod counting;
mod crash;
mod created;
mod credentials;
mod docs;
mod encodings;
mod entries;
mod faulty_disk;
mod formats;
mod freshness;
mod golden;
mod history;
mod interception;
mod journal;
mod json_api;
mod kept_connections;
mod kills;
mod lost;
mod lost_day;
mod model;
mod odd_disks;
mod odd_entries;
mod packages;
mod pages;
mod passed_sockets;
mod pauses;
mod present;
mod process;
mod proxies;
mod replay;
mod replicas;
mod responder;
mod restarts;
mod rules;
mod same_response;
mod schema;
mod secrets;
mod truth;
mod version;
mod web_config;
mod webhooks;
