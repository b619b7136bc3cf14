//! Certificates, and clients and servers that have them.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use reqwest::{Certificate, Client, ClientBuilder, Identity};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate authority (CA).
pub struct Ca(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key, both PEM.
#[derive(Debug)]
pub struct Pair {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

impl Ca {
    /// A new one, which nobody trusts yet.
    #[must_use]
    pub fn new() -> Self {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(parameters, KeyPair::generate().expect("a key")).expect("a CA"))
    }

    /// Its own certificate.
    #[must_use]
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for whoever has these names.
    #[must_use]
    pub fn signs(&self, names: Vec<SanType>) -> Pair {
        let key = KeyPair::generate().expect("a key");
        let mut parameters = CertificateParams::default();
        parameters.subject_alt_names = names;
        let certificate = parameters.signed_by(&key, &self.0).expect("a certificate");
        Pair { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    /// A certificate for a server on 127.0.0.1.
    #[must_use]
    pub fn signs_server(&self) -> Pair {
        self.signs(vec![SanType::IpAddress([127, 0, 0, 1].into())])
    }

    /// A certificate for a client.
    #[must_use]
    pub fn signs_client(&self) -> Pair {
        self.signs(vec![dns("scraper.example")])
    }
}

impl Default for Ca {
    fn default() -> Self {
        Self::new()
    }
}

/// A host's name, as a certificate has it.
#[must_use]
pub fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().expect("a name"))
}

/// A new CA, as PEM, and a server with a certificate of it for this name or address.
#[must_use]
pub fn ca(name: &str) -> (String, Arc<ServerConfig>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ca = Ca::new();
    let names = CertificateParams::new([name.to_owned()]).expect("a name").subject_alt_names;
    let Pair { certificate, key } = ca.signs(names);
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a key");
    let server = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key);
    (ca.pem(), Arc::new(server.expect("a server")))
}

/// A client that trusts what `ca` signs, and nobody else.
#[must_use]
pub fn trusting(ca: &Ca, change: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let root = Certificate::from_pem(ca.pem().as_bytes()).expect("a certificate");
    change(Client::builder().no_proxy().tls_certs_only([root])).build().expect("a client")
}

/// What a client shows to a server.
#[must_use]
pub fn identity(pair: &Pair) -> Identity {
    Identity::from_pem(format!("{}{}", pair.certificate, pair.key).as_bytes()).expect("an identity")
}
