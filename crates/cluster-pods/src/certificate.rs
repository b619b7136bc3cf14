//! A server's certificate that can be exchanged for one of another CA while it serves.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// The certificate of the simulated Cotalker, and the CA that signed it.
#[derive(Clone)]
pub(crate) struct Certificate {
    names: Vec<String>,
    current: Arc<Mutex<Current>>,
}

struct Current {
    ca_pem: String,
    key: Arc<CertifiedKey>,
}

impl Certificate {
    /// For a server with these names or addresses.
    pub(crate) fn new(names: Vec<String>) -> anyhow::Result<Self> {
        let current = Arc::new(Mutex::new(Current::new(&names)?));
        Ok(Self { names, current })
    }

    /// The CA to trust.
    pub(crate) fn ca_pem(&self) -> String {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).ca_pem.clone()
    }

    /// From the next handshake on, a certificate of a new CA, whose certificate is returned.
    pub(crate) fn exchange(&self) -> anyhow::Result<String> {
        let new = Current::new(&self.names)?;
        let ca_pem = new.ca_pem.clone();
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(ca_pem)
    }

    /// TLS with whichever certificate is the current one. No session is resumed: each connection sees the certificate.
    pub(crate) fn tls(&self) -> anyhow::Result<Arc<ServerConfig>> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(self.clone()));
        config.send_tls13_tickets = 0;
        Ok(Arc::new(config))
    }
}

impl Current {
    fn new(names: &[String]) -> anyhow::Result<Self> {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(parameters, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(names)?.signed_by(&key, &ca)?;
        let certificates: Vec<CertificateDer<'static>> = vec![certificate.der().clone()];
        let private = PrivateKeyDer::try_from(key.serialize_der()).ok().context("a private key")?;
        let key = CertifiedKey::from_der(certificates, private, &ring::default_provider())?;
        Ok(Self { ca_pem: ca.pem(), key: Arc::new(key) })
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.lock().unwrap_or_else(PoisonError::into_inner).key))
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Certificate").field("names", &self.names).finish_non_exhaustive()
    }
}
