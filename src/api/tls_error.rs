//! Why TLS failed, in plain words.

use rustls::{AlertDescription, CertificateError, Error};

/// Why TLS failed. Prints as what completes "failed to connect over TLS: …".
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TlsProblem {
    /// The API's certificate is not valid.
    #[error("the API's certificate {0}")]
    Certificate(CertificateProblem),
    /// What responds is no TLS.
    #[error("the server does not speak TLS on this port")]
    NoTls,
    /// Nothing in common; the library's words say what.
    #[error("the API and the exporter have no TLS version or cipher suite in common ({0})")]
    NothingInCommon(String),
    /// The server wants to know who calls.
    #[error("the server refused the connection: it requires a client certificate, and the exporter has none")]
    ClientCertificateRequired,
    /// The server has another name.
    #[error("the server refused the connection: it does not know this host name")]
    UnknownName,
    /// The server lets nobody in.
    #[error("the server refused the connection: access denied")]
    AccessDenied,
    /// The server is broken.
    #[error("the server refused the connection: it has an internal problem")]
    InternalError,
    /// Any other alert, by its name.
    #[error("the server refused the connection: TLS alert {0}")]
    Alert(String),
    /// The server has no certificate.
    #[error("the server sent no certificate")]
    NoCertificate,
    /// What comes is no proper TLS; the library's words say why.
    #[error("the server, or something in front of it, violated the TLS protocol ({0})")]
    RulesBroken(String),
    /// One of the many rare causes, in the library's words.
    #[error("{0}")]
    Rare(String),
}

/// What is wrong with a certificate. Prints as what completes "the API's certificate …".
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum CertificateProblem {
    /// Its CA is not trusted.
    #[error("is signed by a CA that is not trusted here")]
    UnknownCa,
    /// It is too old.
    #[error("has expired, or this machine's clock is wrong")]
    Expired,
    /// It is too young.
    #[error("is not valid yet, or this machine's clock is wrong")]
    NotValidYet,
    /// It is for another name.
    #[error("is for another host name")]
    OtherName,
    /// Its CA took it back.
    #[error("has been revoked")]
    Revoked,
    /// It cannot be read.
    #[error("cannot be read")]
    Unreadable,
    /// Its signature is wrong.
    #[error("has an invalid signature")]
    BadSignature,
    /// It is for something else.
    #[error("is not meant for servers")]
    OtherPurpose,
    /// One of the many rare causes, in the library's words.
    #[error("is not valid: {0}")]
    Rare(String),
}

impl TlsProblem {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the library's own text does for the many rare causes")]
    pub(super) fn of(error: &Error) -> Self {
        match error {
            Error::InvalidCertificate(error) => Self::Certificate(CertificateProblem::of(error)),
            Error::InvalidMessage(_) => Self::NoTls,
            Error::PeerIncompatible(_)
            | Error::AlertReceived(AlertDescription::HandshakeFailure | AlertDescription::ProtocolVersion) => {
                Self::NothingInCommon(error.to_string())
            }
            Error::AlertReceived(AlertDescription::CertificateRequired) => Self::ClientCertificateRequired,
            Error::AlertReceived(AlertDescription::UnrecognisedName) => Self::UnknownName,
            Error::AlertReceived(AlertDescription::AccessDenied) => Self::AccessDenied,
            Error::AlertReceived(AlertDescription::InternalError) => Self::InternalError,
            Error::AlertReceived(alert) => Self::Alert(format!("{alert:?}")),
            Error::NoCertificatesPresented => Self::NoCertificate,
            Error::DecryptError | Error::PeerMisbehaved(_) | Error::InappropriateMessage { .. } => {
                Self::RulesBroken(error.to_string())
            }
            other => Self::Rare(other.to_string()),
        }
    }
}

impl CertificateProblem {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the library's own text does for the many rare causes")]
    fn of(error: &CertificateError) -> Self {
        match error {
            CertificateError::UnknownIssuer => Self::UnknownCa,
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotValidYet,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Self::OtherName,
            CertificateError::Revoked => Self::Revoked,
            CertificateError::BadEncoding => Self::Unreadable,
            CertificateError::BadSignature => Self::BadSignature,
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => Self::OtherPurpose,
            other => Self::Rare(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use rustls::InvalidMessage;

    use super::*;

    #[test]
    fn common_causes_have_plain_words_and_rare_ones_the_librarys() {
        for (error, expected) in [
            (
                CertificateError::UnknownIssuer.into(),
                "the API's certificate is signed by a CA that is not trusted here",
            ),
            (CertificateError::Expired.into(), "the API's certificate has expired, or this machine's clock is wrong"),
            (CertificateError::NotValidForName.into(), "the API's certificate is for another host name"),
            (CertificateError::BadEncoding.into(), "the API's certificate cannot be read"),
            (
                CertificateError::UnhandledCriticalExtension.into(),
                "the API's certificate is not valid: UnhandledCriticalExtension",
            ),
            (
                Error::AlertReceived(AlertDescription::CertificateRequired),
                "the server refused the connection: it requires a client certificate, and the exporter has none",
            ),
            (
                Error::AlertReceived(AlertDescription::UserCanceled),
                "the server refused the connection: TLS alert UserCanceled",
            ),
            (InvalidMessage::InvalidContentType.into(), "the server does not speak TLS on this port"),
            (
                Error::DecryptError,
                "the server, or something in front of it, violated the TLS protocol (cannot decrypt peer's message)",
            ),
        ] {
            assert_eq!(TlsProblem::of(&error).to_string(), expected, "{error:?}");
        }
    }
}
