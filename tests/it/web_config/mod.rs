//! `--web.config.file`: TLS, client certificates, logins, headers and a rate limit, by the real program.

mod healthchecks;
mod logins;
mod reloads;
mod tls;
