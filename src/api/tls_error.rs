//! Why TLS failed, in plain words.

use rustls::{AlertDescription, CertificateError, Error};

/// Completes "failed to connect over TLS: …".
#[expect(clippy::wildcard_enum_match_arm, reason = "the library's own text does for the many rare causes")]
pub(super) fn explain(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(error) => format!("the API's certificate {}", why_invalid(error)),
        Error::InvalidMessage(_) => "the server does not speak TLS on this port".to_owned(),
        Error::PeerIncompatible(_)
        | Error::AlertReceived(AlertDescription::HandshakeFailure | AlertDescription::ProtocolVersion) => {
            format!("the API and the exporter have no TLS version or cipher suite in common ({error})")
        }
        Error::AlertReceived(alert) => format!("the server refused the connection: {}", why_refused(*alert)),
        Error::NoCertificatesPresented => "the server sent no certificate".to_owned(),
        Error::DecryptError | Error::PeerMisbehaved(_) | Error::InappropriateMessage { .. } => {
            format!("the server, or something in front of it, violated the TLS protocol ({error})")
        }
        other => other.to_string(),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the library's own text does for the many rare causes")]
fn why_refused(alert: AlertDescription) -> String {
    let words = match alert {
        AlertDescription::CertificateRequired => "it requires a client certificate, and the exporter has none",
        AlertDescription::UnrecognisedName => "it does not know this host name",
        AlertDescription::AccessDenied => "access denied",
        AlertDescription::InternalError => "it has an internal problem",
        other => return format!("TLS alert {other:?}"),
    };
    words.to_owned()
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the library's own text does for the many rare causes")]
fn why_invalid(error: &CertificateError) -> String {
    let words = match error {
        CertificateError::UnknownIssuer => "is signed by a CA that is not trusted here",
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "has expired, or this machine's clock is wrong"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "is not valid yet, or this machine's clock is wrong"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "is for another host name"
        }
        CertificateError::Revoked => "has been revoked",
        CertificateError::BadEncoding => "cannot be read",
        CertificateError::BadSignature => "has an invalid signature",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => "is not meant for servers",
        other => return format!("is not valid: {other}"),
    };
    words.to_owned()
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
            assert_eq!(explain(&error), expected, "{error:?}");
        }
    }
}
