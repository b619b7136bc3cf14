//! PEM texts as they were read.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::error::ConfigError;

/// A PEM text, and where it came from. It may hold a private key, so nothing prints it.
pub(crate) struct Pem {
    /// The key of the web configuration file, and the path if there is one.
    pub(crate) origin: String,
    pub(crate) text: Vec<u8>,
}

impl Pem {
    /// A problem with this text.
    pub(crate) fn error(&self, problem: &str) -> ConfigError {
        ConfigError::at(&self.origin, problem)
    }

    /// The certificates in it, one or more.
    pub(crate) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.text).collect();
        certificates.ok().filter(|found| !found.is_empty()).ok_or_else(|| self.error("no PEM certificate in it"))
    }
}

/// The PEM texts that a file has or names.
pub(crate) struct Pems {
    pub(crate) certificate: Pem,
    pub(crate) key: Pem,
    pub(crate) client_ca: Option<Pem>,
}
