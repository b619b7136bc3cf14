//! TLS as a file asks for it, done by rustls.
//!
//! What rustls cannot do, TLS 1.0 and 1.1, cipher suites with CBC or without forward secrecy, and the curve P-521, has
//! no name here, so the format refuses it. Sessions are not resumed: each connection shows its certificate anew, and a
//! reload leaves nothing of the old one behind.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::ring::{ALL_CIPHER_SUITES, ALL_KX_GROUPS, default_provider};
use rustls::crypto::{CryptoProvider, SupportedKxGroup, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, NamedGroup, RootCertStore, ServerConfig,
    SignatureScheme, SupportedCipherSuite, SupportedProtocolVersion, version,
};
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;

use super::Pem;
use super::format::{ClientAuth, Refused, Tls};

/// The version that Go calls so.
pub(super) fn version_named(name: &str) -> Option<&'static SupportedProtocolVersion> {
    match name {
        "TLS12" => Some(&version::TLS12),
        "TLS13" => Some(&version::TLS13),
        _ => None,
    }
}

/// Go's name of a suite is the registered one; rustls marks those of TLS 1.3.
fn name_of(suite: &SupportedCipherSuite) -> String {
    suite.suite().as_str().unwrap_or_default().replace("TLS13_", "TLS_")
}

/// The suite that Go calls so.
pub(super) fn cipher_suite_named(name: &str) -> Option<SupportedCipherSuite> {
    ALL_CIPHER_SUITES.iter().find(|suite| name_of(suite) == name).copied()
}

/// All that can be named.
pub(super) fn cipher_suite_names() -> Vec<String> {
    ALL_CIPHER_SUITES.iter().map(name_of).collect()
}

/// Go's names of the curves that there are. Source: Go's `tls.CurveID`.
const CURVES: [(&str, NamedGroup); 3] =
    [("X25519", NamedGroup::X25519), ("CurveP256", NamedGroup::secp256r1), ("CurveP384", NamedGroup::secp384r1)];

/// The curve that Go calls so.
pub(super) fn curve_named(name: &str) -> Option<&'static dyn SupportedKxGroup> {
    let group = CURVES.iter().find(|(known, _)| *known == name)?.1;
    ALL_KX_GROUPS.iter().find(|curve| curve.name() == group).copied()
}

/// All that can be named.
pub(super) fn curve_names() -> Vec<String> {
    CURVES.iter().map(|(name, _)| (*name).to_owned()).collect()
}

/// What a file names, as it was read.
pub(super) struct Pems {
    pub(super) certificate: Pem,
    pub(super) key: Pem,
    pub(super) client_ca: Option<Pem>,
}

/// What connections are accepted with.
pub(super) fn server(tls: &Tls, pems: &Pems) -> Result<Arc<ServerConfig>, Refused> {
    let provider = Arc::new(provider(tls));
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&tls.versions)
        .map_err(|_| {
            Refused::because(
                "tls_server_config.cipher_suites",
                "none of these is of a version from min_version to max_version",
            )
        })?;
    let builder = match client_certs(tls, pems.client_ca.as_ref(), &provider)? {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let chain = certificates(&pems.certificate)?;
    // Nothing of what the parser says: it may quote the line that it cannot read.
    let key = PrivateKeyDer::from_pem_slice(&pems.key.text)
        .map_err(|_| pems.key.refused("no PEM private key is in it; allowed is one that is not encrypted"))?;
    #[expect(clippy::wildcard_enum_match_arm, reason = "the library's other errors are all the same to the user")]
    let mut server = builder.with_single_cert(chain, key).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => pems.key.refused("the private key is not the certificate's"),
        rustls::Error::InvalidCertificate(_) => {
            pems.certificate.refused("the certificate cannot be used; needed is one of X.509 version 3")
        }
        _ => pems
            .key
            .refused("the private key cannot be used; allowed are RSA (2048 bits or more), P-256, P-384, Ed25519"),
    })?;
    server.ignore_client_order = tls.prefers_own_order;
    server.session_storage = Arc::new(NoServerSessionStorage {});
    server.send_tls13_tickets = 0;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(server))
}

/// The suites that are wanted, in the order in which they are, and the curves: of these rustls lets the client choose,
/// whatever their order, as Go does from 1.24 on.
fn provider(tls: &Tls) -> CryptoProvider {
    let mut provider = default_provider();
    if !tls.cipher_suites.is_empty() {
        // The list is of suites up to TLS 1.2, says the toolkit, and those of 1.3 are not chosen. Here they may be: if
        // none is named all are on.
        let is_any_of_13 = tls.cipher_suites.iter().any(|suite| suite.tls13().is_some());
        let of_13 = ALL_CIPHER_SUITES.iter().filter(|suite| !is_any_of_13 && suite.tls13().is_some());
        provider.cipher_suites = of_13.chain(&tls.cipher_suites).copied().collect();
    }
    if !tls.curves.is_empty() {
        provider.kx_groups.clone_from(&tls.curves);
    }
    provider
}

fn certificates(pem: &Pem) -> Result<Vec<CertificateDer<'static>>, Refused> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem.text).collect();
    certificates.ok().filter(|found| !found.is_empty()).ok_or_else(|| pem.refused("no PEM certificate is in it"))
}

/// What is demanded of clients; `None` if nothing is.
fn client_certs(
    tls: &Tls,
    ca: Option<&Pem>,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, Refused> {
    if tls.client_auth == ClientAuth::None {
        return Ok(None);
    }
    let mut roots = RootCertStore::empty();
    if let Some(pem) = ca {
        for certificate in certificates(pem)? {
            roots.add(certificate).map_err(|_| pem.refused("a certificate in it makes no sense"))?;
        }
    }
    let hints = roots.subjects();
    let chain = match ca {
        Some(pem) if tls.client_auth.is_verified() => {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
            Some(verifier.build().map_err(|error| pem.refused(&error.to_string()))?)
        }
        Some(_) | None => None,
    };
    Ok(Some(Arc::new(ClientCerts {
        is_mandatory: tls.client_auth.is_mandatory(),
        chain,
        hints,
        allowed_sans: tls.client_allowed_sans.clone(),
        provider: Arc::clone(provider),
    })))
}

/// Checks what clients show. That a client has the key of its certificate is checked always.
#[derive(Debug)]
struct ClientCerts {
    is_mandatory: bool,
    /// Checks who has signed it, if that matters.
    chain: Option<Arc<dyn ClientCertVerifier>>,
    hints: Vec<DistinguishedName>,
    allowed_sans: Option<Vec<String>>,
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for ClientCerts {
    fn client_auth_mandatory(&self) -> bool {
        self.is_mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        if let Some(chain) = &self.chain {
            chain.verify_client_cert(certificate, intermediates, now)?;
        }
        match &self.allowed_sans {
            Some(allowed) if !sans(certificate)?.iter().any(|san| allowed.contains(san)) => {
                Err(CertificateError::ApplicationVerificationFailure.into())
            }
            Some(_) | None => Ok(ClientCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The alternative names of a certificate, of the four kinds that Go reads, written as Go writes them.
fn sans(certificate: &CertificateDer<'_>) -> Result<Vec<String>, rustls::Error> {
    let malformed = || rustls::Error::from(CertificateError::BadEncoding);
    let (_, parsed) = parse_x509_certificate(certificate).map_err(|_| malformed())?;
    let Some(extension) = parsed.subject_alternative_name().map_err(|_| malformed())? else { return Ok(Vec::new()) };
    #[expect(clippy::wildcard_enum_match_arm, reason = "no other kind can be allowed")]
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(text) | GeneralName::RFC822Name(text) | GeneralName::URI(text) => Some((*text).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes),
        _ => None,
    };
    Ok(extension.value.general_names.iter().filter_map(name).collect())
}

fn address(bytes: &[u8]) -> Option<String> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(std::net::Ipv4Addr::from(v4).to_string());
    }
    let v6 = <[u8; 16]>::try_from(bytes).ok()?;
    Some(std::net::Ipv6Addr::from(v6).to_canonical().to_string())
}
