//! TLS as a file asks for it, done by rustls.
//!
//! Sessions are not resumed: every connection shows its certificate, and after a reload nothing of the old configuration
//! is left.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::{ALL_CIPHER_SUITES, default_provider};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::server::NoServerSessionStorage;

use super::client_certs::client_certs;
use crate::config::TlsSettings;
use crate::error::ConfigError;
use crate::pem::Pems;

/// What connections are accepted with.
pub(crate) fn server_config(tls: &TlsSettings, pems: &Pems) -> Result<Arc<ServerConfig>, ConfigError> {
    let provider = Arc::new(provider(tls));
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&tls.versions)
        .map_err(|_| {
            ConfigError::at(
                "tls_server_config.cipher_suites",
                "none of these belongs to a version from min_version to max_version",
            )
        })?;
    let builder = match client_certs(tls, pems.client_ca.as_ref(), &provider)? {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let chain = pems.certificate.certificates()?;
    // The parser's own error is left out: it may quote the line that it cannot read.
    let key = PrivateKeyDer::from_pem_slice(&pems.key.text)
        .map_err(|_| pems.key.error("no PEM private key in it; use one that is not encrypted"))?;
    #[expect(clippy::wildcard_enum_match_arm, reason = "the library's other errors are all the same to the user")]
    let mut server = builder.with_single_cert(chain, key).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => pems.key.error("the private key does not match the certificate"),
        rustls::Error::InvalidCertificate(_) => {
            pems.certificate.error("the certificate cannot be used; use one of X.509 version 3")
        }
        _ => pems.key.error("the private key cannot be used; use RSA (2048 bits or more), P-256, P-384, Ed25519"),
    })?;
    server.ignore_client_order = tls.prefers_own_order;
    server.session_storage = Arc::new(NoServerSessionStorage {});
    server.send_tls13_tickets = 0;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(server))
}

/// The suites of the file, in its order, and the curves. Among the curves rustls lets the client choose, whatever their
/// order, as Go does from 1.24 on.
fn provider(tls: &TlsSettings) -> CryptoProvider {
    let mut provider = default_provider();
    if !tls.cipher_suites.is_empty() {
        // In the toolkit the list is of suites up to TLS 1.2, and those of 1.3 cannot be chosen. Here they can: if none
        // of them is named, all are on.
        let is_any_of_13 = tls.cipher_suites.iter().any(|suite| suite.tls13().is_some());
        let of_13 = ALL_CIPHER_SUITES.iter().filter(|suite| !is_any_of_13 && suite.tls13().is_some());
        provider.cipher_suites = of_13.chain(&tls.cipher_suites).copied().collect();
    }
    if !tls.curves.is_empty() {
        provider.kx_groups.clone_from(&tls.curves);
    }
    provider
}
