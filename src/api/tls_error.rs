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
        other => other.to_string(),
    }
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
            (CertificateError::BadEncoding.into(), "the API's certificate is not valid: BadEncoding"),
            (InvalidMessage::InvalidContentType.into(), "the server does not speak TLS on this port"),
            (Error::DecryptError, "cannot decrypt peer's message"),
        ] {
            assert_eq!(explain(&error), expected, "{error:?}");
        }
    }
}
