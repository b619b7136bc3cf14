//! `client_auth_type`: what is demanded of clients.

use crate::error::ConfigError;

/// What is demanded of clients. Source: Go's `tls.ClientAuthType`, which also gives the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientAuth {
    /// No certificate is asked for.
    None,
    /// A certificate is asked for; any certificate will do, and so will none.
    Request,
    /// Any certificate is needed.
    RequireAny,
    /// A certificate is asked for; if there is one, the CA must have signed it.
    VerifyIfGiven,
    /// A certificate that the CA has signed is needed.
    RequireAndVerify,
}

impl ClientAuth {
    const NAMES: [(&str, Self); 5] = [
        ("NoClientCert", Self::None),
        ("RequestClientCert", Self::Request),
        ("RequireAnyClientCert", Self::RequireAny),
        ("VerifyClientCertIfGiven", Self::VerifyIfGiven),
        ("RequireAndVerifyClientCert", Self::RequireAndVerify),
    ];

    /// The type with this name; none is asked for by default.
    pub(super) fn parse(text: Option<String>) -> Result<Self, ConfigError> {
        let Some(text) = text else { return Ok(Self::None) };
        // The toolkit's older name.
        let name = if text == "RequireClientCert" { "RequireAnyClientCert" } else { &text };
        let found = Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, auth)| *auth);
        found.ok_or_else(|| {
            let names: Vec<_> = Self::NAMES.iter().map(|(name, _)| *name).collect();
            ConfigError::value("tls_server_config.client_auth_type", &text, names.join(", "))
        })
    }

    /// Its name in the file.
    pub(crate) fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, auth)| *auth == self).map_or("", |(name, _)| name)
    }

    /// Whether a client without a certificate is turned away.
    pub(crate) fn is_mandatory(self) -> bool {
        matches!(self, Self::RequireAny | Self::RequireAndVerify)
    }

    /// Whether a certificate that the CA has not signed is turned away.
    pub(crate) fn is_verified(self) -> bool {
        matches!(self, Self::VerifyIfGiven | Self::RequireAndVerify)
    }
}
