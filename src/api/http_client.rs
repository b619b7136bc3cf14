//! The HTTP client that calls are made with: its limits, its trust, its proxy.

use std::time::Duration;

use reqwest::{Certificate, Client, Proxy};

use super::reuse::NoteConnecting;
use super::settings::ApiSettings;

/// Idle connections are closed after this long: before Node.js closes them (5 s by default, `server.keepAliveTimeout`),
/// so that few calls go out on a connection that is just being closed.
const POOL_IDLE: Duration = Duration::from_secs(4);

/// A client that trusts the CAs in `ca_pem` as well. It keeps connections for further calls if it `keeps_connections`.
/// Reads the system's CAs from disk.
pub(super) fn http_client(
    settings: &ApiSettings,
    ca_pem: Option<&[u8]>,
    keeps_connections: bool,
) -> Result<Client, BuildError> {
    // Both the client and the server side of the process use one provider; a second call changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .http1_only()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        // Bodies are decompressed in `decoding`.
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .pool_idle_timeout(POOL_IDLE)
        .connector_layer(NoteConnecting)
        .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")));
    if !keeps_connections {
        builder = builder.pool_max_idle_per_host(0);
    }
    if let Some(proxy) = &settings.proxy {
        builder = builder.proxy(Proxy::all(proxy.expose()).map_err(BuildError::Proxy)?);
    }
    if settings.base_url.scheme() == "http" {
        // No TLS is needed: a container without any CA must still be able to start.
        builder = builder.tls_certs_only([]);
    } else if let Some(pem) = ca_pem {
        let cas = Certificate::from_pem_bundle(pem).map_err(BuildError::BrokenPem)?;
        if cas.is_empty() {
            return Err(BuildError::NoCertificate);
        }
        builder = builder.tls_certs_merge(cas);
    }
    builder.build().map_err(BuildError::NoTls)
}

/// Why no client could be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The PEM of the additional CAs is broken.
    #[error("--cotalker.ca-file: broken PEM: {0}")]
    BrokenPem(#[source] reqwest::Error),
    /// The PEM of the additional CAs holds no certificate.
    #[error("--cotalker.ca-file: no certificate in it")]
    NoCertificate,
    /// The proxy cannot be used. The error itself may hold its password.
    #[error("the proxy in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY cannot be used")]
    Proxy(reqwest::Error),
    /// TLS cannot be set up. All that can be wrong by then is that the system has no CAs.
    #[error(
        "no trusted CA was found on this system ({}); install ca-certificates (/etc/ssl/certs/ca-certificates.crt), or give a PEM file in --cotalker.ca-file",
        root_cause(.0)
    )]
    NoTls(reqwest::Error),
}

/// What is behind an error that itself says too little.
fn root_cause(error: &reqwest::Error) -> &dyn std::error::Error {
    std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source()).last().unwrap_or(error)
}
