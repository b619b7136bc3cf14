//! The integration tests that need other programs (Prometheus, promtool, Alertmanager, strace, mount) or minutes, and the
//! thorough form of those that repeat something. `cargo test` leaves them out; `cargo test --test tools` runs them, and
//! `scripts/test` installs what they need. None of them is skipped where a program is missing: it fails.

/// See `tests/it/main.rs`.
const IS_THOROUGH: bool = true;

mod alerts;
mod container;
#[path = "../it/crash.rs"]
mod crash;
mod faults;
#[path = "../it/faulty_disk.rs"]
mod faulty_disk;
mod first_sample;
mod full_disk;
#[path = "../it/journal.rs"]
mod journal;
#[path = "../it/kills.rs"]
mod kills;
mod memory;
mod openmetrics;
mod prometheus;
mod prometheus_server;
mod promtool;
mod rules;
mod rules_of_replicas;
mod scraped;
mod web_config;
