//! TLS: what connections are accepted with, and which clients.

mod client_certs;
mod sans;
mod server_config;

pub(crate) use self::server_config::server_config;
