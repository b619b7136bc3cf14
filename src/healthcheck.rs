//! `healthcheck`: asks the running daemon whether it works.
//!
//! A liveness probe tells a daemon that hangs from one that works, and nothing else: it must not restart a pod because a
//! certificate has expired. So the name and the issuer in the daemon's certificate are not checked: the call stays on its
//! own machine and sends nothing secret. A daemon that demands a client certificate works.
//!
//! The daemon chose between HTTP and HTTPS at its start. The web configuration may have changed since, be broken, or lie
//! on a disk that hangs, so it is not read: HTTP is tried first, then HTTPS.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::select_ok;
use http::StatusCode;
use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::time::timeout;

use crate::web_options::WebSettings;
use exporter_web::ListenAddress;

/// How long to wait for the daemon, in all. A convention: probes have a time limit of a second or more.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Calls `/-/healthy` at the first address that the daemon listens on; where that is all addresses of the machine, on
/// loopback of both IP families, one of which may not be served.
///
/// # Errors
///
/// If no response is 200, or none comes; the error is one line.
pub async fn ask(web: &WebSettings) -> Result<(), String> {
    let Some(address) = web.listen.first() else { return Err("no address to call".to_owned()) };
    let hosts: &[&str] = match address.host.as_deref() {
        None => &["127.0.0.1", "::1"],
        Some("0.0.0.0") => &["127.0.0.1"],
        Some("::") => &["::1", "127.0.0.1"],
        Some(host) => &[host],
    };
    let calls = hosts.iter().map(|host| {
        let address = ListenAddress { host: Some((*host).to_owned()), port: address.port };
        Box::pin(async move { ask_at(&address).await.map_err(|problem| format!("{address}: {problem}")) })
    });
    let healthy = timeout(TIMEOUT, select_ok(calls)).await;
    match healthy {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(problem)) => Err(format!("no healthy exporter at {problem}")),
        Err(_) => {
            let address = ListenAddress { host: hosts.first().map(|host| (*host).to_owned()), port: address.port };
            Err(format!("no healthy exporter at {address}: no response within {TIMEOUT:?}"))
        }
    }
}

/// Asks one address, over HTTP and then over HTTPS.
async fn ask_at(address: &ListenAddress) -> Result<(), String> {
    let plain = ask_over("http", address).await;
    if let Ok(StatusCode::OK) = plain {
        return Ok(());
    }
    let response = match (plain, ask_over("https", address).await) {
        (_, Ok(StatusCode::OK)) => return Ok(()),
        // The port does not speak HTTP.
        (Ok(StatusCode::BAD_REQUEST), over_tls) => over_tls,
        (plain, _) => plain,
    };
    match response {
        Ok(status) => Err(format!("it responded with {status}")),
        Err(error) => Err(format!("{error:#}")),
    }
}

/// The status of the response, or OK if the daemon demands a client certificate.
async fn ask_over(scheme: &str, address: &ListenAddress) -> anyhow::Result<StatusCode> {
    let is_certificate_demanded = Arc::new(AtomicBool::new(false));
    let client =
        reqwest::Client::builder().no_proxy().tls_backend_preconfigured(tls(&is_certificate_demanded)?).build()?;
    match client.get(format!("{scheme}://{address}/-/healthy")).send().await {
        Ok(response) => Ok(response.status()),
        Err(_) if is_certificate_demanded.load(Ordering::Relaxed) => Ok(StatusCode::OK),
        Err(error) => Err(error.without_url().into()),
    }
}

fn tls(is_certificate_demanded: &Arc<AtomicBool>) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyServer(provider)));
    Ok(builder.with_client_cert_resolver(Arc::new(NoCertificate(Arc::clone(is_certificate_demanded)))))
}

/// Trusts every server.
#[derive(Debug)]
struct AnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Has no client certificate, and notes that one was demanded.
#[derive(Debug)]
struct NoCertificate(Arc<AtomicBool>);

impl ResolvesClientCert for NoCertificate {
    fn resolve(&self, _issuers: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.store(true, Ordering::Relaxed);
        None
    }

    fn has_certs(&self) -> bool {
        // Otherwise rustls does not call `resolve`.
        true
    }
}
