//! The one way in which tests run the exporter and read what it serves.
//!
//! ```text
//! program ─ a command line                         ─► Ended, or running
//! running ─ the program as a process               ─► its log, its end, its Site
//! daemon  ─ the exporter in this process           ─► its Site
//! site    ─ what an exporter serves, over HTTP     ─► metrics
//! metrics ─ a page of metrics                      ─► seen: no page takes back what an earlier one has shown
//! scene   ─ the simulated Cotalker that it watches
//! leases  ─ a simulated API server of Kubernetes, for replicas
//! web     ─ an exporter with a web configuration, the files of it, and clients
//! ```
//!
//! Only `daemon` knows the exporter's own modules. Everything listens on a free port of loopback, and ends when it is
//! dropped. Panics are how a test fails: no function here returns an error.

mod certificates;
mod daemon;
mod ended;
mod leases;
mod metrics;
mod output;
mod program;
mod running;
mod scene;
mod seen;
mod site;
mod wait;
pub mod web;

pub use certificates::ca;
pub use daemon::{Daemon, Setup};
pub use ended::Ended;
pub use leases::{Leases, Treatment};
pub use metrics::{MetricsPage, label_of};
pub use program::{Program, activated, program, program_under_test, release_build};
pub use running::Running;
pub use scene::{Flow, START, all_kinds, assert_shows_all, free_address, happen, serve};
pub use seen::Seen;
pub use site::{Site, client};
pub use wait::{PATIENCE, until};
