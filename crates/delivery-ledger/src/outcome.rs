//! Status and response text → success, or a failure with one reason.
//!
//! The API logs a transport error as the text of Node.js's error with status 409, though no receiver ever said 409.
//! Only a text that *is* such an error counts as one: a receiver may answer 409 with a body that quotes it.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::label_set;

label_set! {
    /// Why an attempt failed.
    FailureReason {
        /// The receiver redirected; Cotalker does not follow.
        Http3xx = "http_3xx",
        /// The receiver refused the event.
        Http4xx = "http_4xx",
        /// The receiver broke.
        Http5xx = "http_5xx",
        /// No connection or no answer in time.
        Timeout = "timeout",
        /// The receiver's name does not resolve.
        Dns = "dns",
        /// Nothing listens at the receiver's port.
        Refused = "refused",
        /// The connection was broken off.
        Reset = "reset",
        /// No route to the receiver.
        Unreachable = "unreachable",
        /// The receiver's certificate has expired.
        CertificateExpired = "certificate_expired",
        /// Any other failure of TLS.
        Tls = "tls",
        /// Anything else.
        Other = "other",
    }
}

impl FailureReason {
    /// Why it failed, as a lowercase sentence about the receiver, for people.
    #[must_use]
    pub fn explain(self, status: Option<u16>) -> String {
        let sentence = match (self, status) {
            (Self::Http3xx, Some(status)) => {
                return format!("the receiver answered {status}, a redirect that Cotalker does not follow");
            }
            (Self::Http4xx, Some(status)) => return format!("the receiver refused the event with {status}"),
            (Self::Http5xx | Self::Other, Some(status)) => return format!("the receiver answered {status}"),
            (Self::Timeout, _) => "the receiver does not answer (timeout)",
            (Self::Dns, _) => "the receiver's host name cannot be resolved",
            (Self::Refused, _) => "the receiver refuses connections",
            (Self::Reset, _) => "the receiver breaks off the connection",
            (Self::Unreachable, _) => "there is no network route to the receiver",
            (Self::CertificateExpired, _) => "the receiver's certificate has expired",
            (Self::Tls, _) => "no secure connection to the receiver can be made (TLS)",
            (Self::Http3xx | Self::Http4xx | Self::Http5xx | Self::Other, None) => {
                "the log gives no known reason for the failure"
            }
        };
        sentence.to_owned()
    }
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
        /// The receiver's status code; `None` where it gave none: a transport error, or no usable status in the log.
        status: Option<u16>,
    },
}

/// The status that the API gives to an attempt that no receiver answered. Source: the documented log entry.
const STATUS_OF_TRANSPORT_ERRORS: u16 = 409;

impl Outcome {
    /// The outcome of an attempt with this `status` (`None` where the log holds no usable one, see [`usable_status`])
    /// and this `response` text.
    #[must_use]
    pub fn of(status: Option<u16>, response: Option<&str>) -> Self {
        let transport_error = || response.and_then(transport_error);
        let failure = |reason| Self::Failure { reason, status };
        match status {
            Some(status @ 200..=209) => Self::Success { status },
            None => failure(transport_error().unwrap_or(FailureReason::Other)),
            Some(STATUS_OF_TRANSPORT_ERRORS) => match transport_error() {
                Some(reason) => Self::Failure { reason, status: None },
                None => failure(FailureReason::Http4xx),
            },
            Some(300..=399) => failure(FailureReason::Http3xx),
            Some(400..=499) => failure(FailureReason::Http4xx),
            Some(500..=599) => failure(FailureReason::Http5xx),
            Some(_) => failure(FailureReason::Other),
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

/// The longest text that can be a transport error: the longest host name (253) in the longest known sentence, rounded up.
const LONGEST_TRANSPORT_ERROR: usize = 1024;

/// The reason that `text` gives, if it *is* the message of a Node.js or OpenSSL transport error, from its first letter
/// to its last.
fn transport_error(text: &str) -> Option<FailureReason> {
    let text = text.trim();
    if text.len() > LONGEST_TRANSPORT_ERROR || text.contains('\n') {
        return None;
    }
    system_error(text)
        .or_else(|| client_error(text))
        .or_else(|| certificate_error(text))
        .or_else(|| openssl_error(text))
}

/// `connect ETIMEDOUT 10.0.0.1:443`, `getaddrinfo ENOTFOUND host`, `read ECONNRESET`, or the bare code.
/// Source: Node.js documentation, "Errors" (common system errors) and `exceptionWithHostPort` in its `lib/internal/errors.js`.
fn system_error(text: &str) -> Option<FailureReason> {
    let text = match text.split_once(" - Local (") {
        Some((error, local)) if local.ends_with(')') && !local.contains(' ') => error,
        Some(_) => return None,
        None => text,
    };
    let words: Vec<&str> = text.split(' ').collect();
    match *words.as_slice() {
        [code] => reason_of_code(code),
        ["connect" | "read" | "write" | "shutdown", code] => reason_of_code(code),
        ["connect", code, address] if is_address(address) => reason_of_code(code),
        ["getaddrinfo", code] if code.starts_with('E') => reason_of_code(code).map(|_| FailureReason::Dns),
        // Node.js 8 and earlier named the host twice.
        ["getaddrinfo", code, host] | ["getaddrinfo", code, _, host] if is_address(host) => {
            reason_of_code(code).map(|_| FailureReason::Dns)
        }
        [query, code, host] if query.starts_with("query") && is_address(host) => {
            reason_of_code(code).map(|_| FailureReason::Dns)
        }
        // The rest is OpenSSL's own line; it is told by the code alone.
        ["connect" | "read" | "write", "EPROTO", ..] => Some(FailureReason::Tls),
        _ => None,
    }
}

/// Whether `word` can be what Node.js puts behind the code: a host, `host:port`, `[v6]:port` or a bare IPv6 address.
fn is_address(word: &str) -> bool {
    !word.is_empty()
        && word.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | ':' | '-' | '_' | '[' | ']' | '%'))
}

fn reason_of_code(code: &str) -> Option<FailureReason> {
    Some(match code {
        "ETIMEDOUT" | "ESOCKETTIMEDOUT" | "ERR_SOCKET_CONNECTION_TIMEOUT" => FailureReason::Timeout,
        "ENOTFOUND" | "EAI_AGAIN" | "EAI_FAIL" | "EAI_NODATA" | "EAI_NONAME" | "ENODATA" | "ESERVFAIL" | "ETIMEOUT"
        | "EREFUSED" => FailureReason::Dns,
        "ECONNREFUSED" => FailureReason::Refused,
        "ECONNRESET" | "ECONNABORTED" | "EPIPE" => FailureReason::Reset,
        "EHOSTUNREACH" | "ENETUNREACH" | "EHOSTDOWN" | "ENETDOWN" | "EADDRNOTAVAIL" => FailureReason::Unreachable,
        "CERT_HAS_EXPIRED" => FailureReason::CertificateExpired,
        "EPROTO"
        | "DEPTH_ZERO_SELF_SIGNED_CERT"
        | "SELF_SIGNED_CERT_IN_CHAIN"
        | "UNABLE_TO_VERIFY_LEAF_SIGNATURE"
        | "UNABLE_TO_GET_ISSUER_CERT"
        | "UNABLE_TO_GET_ISSUER_CERT_LOCALLY"
        | "CERT_NOT_YET_VALID"
        | "CERT_REVOKED"
        | "CERT_UNTRUSTED"
        | "CERT_REJECTED"
        | "CERT_SIGNATURE_FAILURE"
        | "CERT_CHAIN_TOO_LONG"
        | "INVALID_CA"
        | "INVALID_PURPOSE"
        | "HOSTNAME_MISMATCH"
        | "ERR_TLS_CERT_ALTNAME_INVALID"
        | "ERR_TLS_HANDSHAKE_TIMEOUT" => FailureReason::Tls,
        _ => return None,
    })
}

/// What Node.js itself and its usual HTTP clients (axios, node-fetch, request) say without a code.
fn client_error(text: &str) -> Option<FailureReason> {
    let is_axios_timeout = text
        .strip_prefix("timeout of ")
        .and_then(|rest| rest.strip_suffix("ms exceeded"))
        .is_some_and(|millis| !millis.is_empty() && millis.bytes().all(|b| b.is_ascii_digit()));
    match text {
        "socket hang up" | "Client network socket disconnected before secure TLS connection was established" => {
            Some(FailureReason::Reset)
        }
        _ if is_axios_timeout => Some(FailureReason::Timeout),
        _ => None,
    }
}

/// A failed verification of the receiver's certificate.
/// Source: OpenSSL, `X509_verify_cert_error_string` (1.1 writes "self signed", 3 "self-signed"); Node.js, `tls.checkServerIdentity`.
fn certificate_error(text: &str) -> Option<FailureReason> {
    const VERIFICATION_FAILED: &[&str] = &[
        "CA certificate key too weak",
        "CA md too weak",
        "CRL has expired",
        "CRL is not yet valid",
        "CRL signature failure",
        "EE certificate key too weak",
        "IP address mismatch",
        "certificate chain too long",
        "certificate is not yet valid",
        "certificate not trusted",
        "certificate rejected",
        "certificate revoked",
        "certificate signature failure",
        "excluded subtree violation",
        "format error in certificate's notAfter field",
        "format error in certificate's notBefore field",
        "hostname mismatch",
        "invalid CA certificate",
        "key usage does not include certificate signing",
        "path length constraint exceeded",
        "permitted subtree violation",
        "self signed certificate",
        "self signed certificate in certificate chain",
        "self-signed certificate",
        "self-signed certificate in certificate chain",
        "unable to decode issuer public key",
        "unable to get certificate CRL",
        "unable to get issuer certificate",
        "unable to get local issuer certificate",
        "unable to verify the first certificate",
        "unhandled critical extension",
        "unspecified certificate verification error",
        "unsuitable certificate purpose",
        "unsupported certificate purpose",
    ];
    if text == "certificate has expired" {
        return Some(FailureReason::CertificateExpired);
    }
    let is_wrong_name = text.starts_with("Hostname/IP does not match certificate's altnames")
        || text.starts_with("Hostname/IP doesn't match certificate's altnames");
    (is_wrong_name || VERIFICATION_FAILED.contains(&text)).then_some(FailureReason::Tls)
}

/// A line of OpenSSL's error queue: `140735:error:14094410:SSL routines:ssl3_read_bytes:…`, with or without the thread.
/// Source: OpenSSL, `ERR_error_string_n`.
fn openssl_error(text: &str) -> Option<FailureReason> {
    let is_hex = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_hexdigit());
    let fields: Vec<&str> = text.split(':').collect();
    let fields = match fields.as_slice() {
        [thread, rest @ ..] if is_hex(thread) => rest,
        fields => fields,
    };
    match fields {
        ["error", code, "SSL routines", _, ..] if is_hex(code) => Some(FailureReason::Tls),
        _ => None,
    }
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
            "connect ETIMEDOUT 67.225.146.248:443\nat TCPConnectWrap.afterConnect",
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
