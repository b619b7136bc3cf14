//! The pages: the metrics, the status page, its JSON, and two for probes. The server itself is the crate `exporter-web`.

mod accept_language;
mod api;
mod negotiation;
pub mod page;
mod pages;
mod routes;
#[cfg(test)]
mod tests;

pub use self::routes::{PROBES, Site, router};
