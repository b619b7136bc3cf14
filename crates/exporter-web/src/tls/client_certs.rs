//! Which client certificates are let in.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, RootCertStore, SignatureScheme};

use super::sans::sans;
use crate::config::{ClientAuth, TlsSettings};
use crate::error::ConfigError;
use crate::pem::Pem;

/// What is demanded of clients; `None` if nothing is.
pub(super) fn client_certs(
    tls: &TlsSettings,
    ca: Option<&Pem>,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, ConfigError> {
    if tls.client_auth == ClientAuth::None {
        return Ok(None);
    }
    let mut roots = RootCertStore::empty();
    if let Some(pem) = ca {
        for certificate in pem.certificates()? {
            roots.add(certificate).map_err(|_| pem.error("a certificate in it is malformed"))?;
        }
    }
    let hints = roots.subjects();
    let chain = match ca {
        Some(pem) if tls.client_auth.is_verified() => {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
            Some(verifier.build().map_err(|error| pem.error(&error.to_string()))?)
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

/// Checks what clients show. That a client has the key of its certificate is always checked.
#[derive(Debug)]
struct ClientCerts {
    is_mandatory: bool,
    /// Checks that the CA has signed it, if that matters.
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
