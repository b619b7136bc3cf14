//! Status and response text → success, or a failure with one reason.
//!
//! The API logs a delivery that failed before any response with status 409 and the text of the sender's error, though no
//! receiver ever said 409. Only a text that *is* such an error counts as one: a receiver may respond 409 with a body that quotes
//! it. See `sender_error`.

use serde::{Deserialize, Serialize};

pub use crate::reason::FailureReason;
use crate::sender_error::{self, SenderError};

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The receiver took the event.
    Success {
        /// Its status code, 200–209.
        status: u16,
    },
    /// It did not.
    Failure {
        /// Why.
        reason: FailureReason,
        /// The receiver's status code; `None` where it gave none: the sender's own error that names none, or no usable
        /// status in the log.
        status: Option<u16>,
    },
}

/// The status that the API gives to an attempt that got no response. Source: the documented log entry.
const STATUS_OF_SENDER_ERRORS: u16 = 409;

impl Outcome {
    /// The outcome of an attempt with this `status` (`None` where the log holds no usable one, see [`usable_status`])
    /// and this `response` text.
    #[must_use]
    pub fn of(status: Option<u16>, response: Option<&str>) -> Self {
        match status {
            Some(status @ 200..=209) => Self::Success { status },
            None | Some(STATUS_OF_SENDER_ERRORS) => match response.and_then(sender_error::read) {
                Some(SenderError { reason, status }) => Self::Failure { reason, status },
                None => Self::Failure { reason: status.map_or(FailureReason::Other, FailureReason::of_status), status },
            },
            Some(status) => Self::Failure { reason: FailureReason::of_status(status), status: Some(status) },
        }
    }

    /// Whether the receiver took the event.
    #[must_use]
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Success { .. })
    }

    /// The receiver's status code, if it gave one.
    #[must_use]
    pub const fn status(self) -> Option<u16> {
        match self {
            Self::Success { status } => Some(status),
            Self::Failure { status, .. } => status,
        }
    }
}

/// The status code in `number`, if it is one: three digits, as in RFC 9110, section 15.
#[must_use]
pub fn usable_status(number: i64) -> Option<u16> {
    u16::try_from(number).ok().filter(|status| (100..=999).contains(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(status: impl Into<Option<u16>>, response: &str) -> FailureReason {
        match Outcome::of(status.into(), Some(response)) {
            Outcome::Failure { reason, .. } => reason,
            Outcome::Success { .. } => panic!("{response} is no success"),
        }
    }

    #[test]
    fn the_first_ten_statuses_of_the_200s_are_success_and_nothing_else_is() {
        for status in 100..=999 {
            let outcome = Outcome::of(Some(status), Some("connect ETIMEDOUT 10.0.0.1:443"));
            assert_eq!(outcome.is_success(), (200..=209).contains(&status), "{status}");
        }
    }

    #[test]
    fn a_failure_is_named_by_its_status() {
        use FailureReason::{Http3xx, Http4xx, Http5xx, Other};
        for (status, expected) in [
            (100, Other),
            (210, Other),
            (299, Other),
            (300, Http3xx),
            (399, Http3xx),
            (400, Http4xx),
            (410, Http4xx),
            (500, Http5xx),
            (599, Http5xx),
            (600, Other),
        ] {
            assert_eq!(reason(status, "connect ECONNREFUSED 10.0.0.1:80"), expected, "{status}");
            assert_eq!(Outcome::of(Some(status), None).status(), Some(status));
        }
    }

    #[test]
    fn a_transport_error_is_named_by_its_text_and_has_no_receivers_status() {
        use FailureReason::{CertificateExpired, Dns, Refused, Reset, Timeout, Tls, Unreachable};
        for (text, expected) in [
            ("connect ETIMEDOUT 67.225.146.248:443", Timeout),
            (" connect ETIMEDOUT 67.225.146.248:443\n", Timeout),
            ("connect ETIMEDOUT 67.225.146.248:443\nat TCPConnectWrap.afterConnect", Timeout),
            ("read ETIMEDOUT", Timeout),
            ("ESOCKETTIMEDOUT", Timeout),
            ("timeout of 10000ms exceeded", Timeout),
            ("getaddrinfo ENOTFOUND hooks.acme.example", Dns),
            ("getaddrinfo ENOTFOUND hooks.acme.example hooks.acme.example:443", Dns),
            ("getaddrinfo EAI_AGAIN hooks.acme.example:443", Dns),
            ("queryA ECONNREFUSED hooks.acme.example", Dns),
            ("connect ECONNREFUSED 127.0.0.1:8080", Refused),
            ("connect ECONNREFUSED ::1:8080", Refused),
            ("connect ECONNREFUSED 127.0.0.1:80 - Local (undefined:undefined)", Refused),
            ("read ECONNRESET", Reset),
            ("write EPIPE", Reset),
            ("socket hang up", Reset),
            ("Client network socket disconnected before secure TLS connection was established", Reset),
            ("connect EHOSTUNREACH 10.1.2.3:443", Unreachable),
            ("connect ENETUNREACH 2001:db8::1:443 - Local (:::0)", Unreachable),
            ("certificate has expired", CertificateExpired),
            ("CERT_HAS_EXPIRED", CertificateExpired),
            ("self signed certificate", Tls),
            ("self-signed certificate in certificate chain", Tls),
            ("unable to verify the first certificate", Tls),
            (
                "Hostname/IP does not match certificate's altnames: Host: a.example. is not in the cert's altnames: DNS:b.example",
                Tls,
            ),
            (
                "write EPROTO 139:error:1408F10B:SSL routines:ssl3_get_record:wrong version number:../deps/openssl/ssl/record/ssl3_record.c:332:",
                Tls,
            ),
            (
                "80AB2C:error:0A000410:SSL routines:ssl3_read_bytes:sslv3 alert handshake failure:../ssl/record/rec_layer_s3.c:1586:SSL alert number 40\n",
                Tls,
            ),
        ] {
            for status in [Some(409), None] {
                assert_eq!(reason(status, text), expected, "{text}");
                assert_eq!(Outcome::of(status, Some(text)).status(), None, "{text}");
            }
        }
    }

    #[test]
    fn a_body_that_quotes_an_error_or_says_anything_else_is_the_receivers_own_409() {
        for text in [
            "",
            "conflict",
            r#"{"error":"connect ETIMEDOUT 67.225.146.248:443"}"#,
            "upstream: connect ETIMEDOUT 67.225.146.248:443",
            "connect ETIMEDOUT 67.225.146.248:443 while calling the ERP",
            "the client certificate has expired",
            "certificate has expired for order 17",
            "<html>ECONNREFUSED</html>",
            "\"socket hang up\"",
            "timeout of ms exceeded",
            "error: the SSL routines: failed",
        ] {
            assert_eq!(reason(409, text), FailureReason::Http4xx, "{text}");
            assert_eq!(Outcome::of(Some(409), Some(text)).status(), Some(409), "{text}");
            assert_eq!(reason(None, text), FailureReason::Other, "{text}");
        }
    }
}
