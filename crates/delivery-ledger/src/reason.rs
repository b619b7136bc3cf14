//! Why an attempt failed: a closed set, each with a sentence that explains it.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;

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
        /// No connection or no response in time.
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
    /// The reason of a failure that `status` names.
    #[must_use]
    pub(crate) const fn of_status(status: u16) -> Self {
        match status {
            300..=399 => Self::Http3xx,
            400..=499 => Self::Http4xx,
            500..=599 => Self::Http5xx,
            _ => Self::Other,
        }
    }

    /// Why it failed, as a lowercase sentence about the receiver.
    #[must_use]
    pub fn explain(self, status: Option<u16>) -> String {
        let sentence = match (self, status) {
            (Self::Http3xx, Some(status)) => {
                return format!("the receiver responded with {status}, a redirect that Cotalker does not follow");
            }
            (Self::Http4xx, Some(status)) => return format!("the receiver refused the event with {status}"),
            (Self::Http5xx | Self::Other, Some(status)) => return format!("the receiver responded with {status}"),
            (Self::Timeout, _) => "the receiver does not respond (timeout)",
            (Self::Dns, _) => "the receiver's host name cannot be resolved",
            (Self::Refused, _) => "the receiver refuses connections",
            (Self::Reset, _) => "the receiver breaks off the connection",
            (Self::Unreachable, _) => "there is no network route to the receiver",
            (Self::CertificateExpired, _) => "the receiver's certificate has expired",
            (Self::Tls, _) => "no secure connection to the receiver can be made (TLS)",
            (Self::Http3xx, None) => "the receiver redirects, and Cotalker does not follow any further",
            (Self::Http4xx | Self::Http5xx | Self::Other, None) => "the log gives no known reason for the failure",
        };
        sentence.to_owned()
    }
}
