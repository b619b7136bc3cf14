//! The third parties that webhooks deliver to: how each behaves, how long it takes, and what Cotalker logs of it.
//!
//! A behaviour states its own verdict with every reply. Tests compare the exporter's classification against it, so it
//! must not come from the classifier under test.

use std::collections::VecDeque;

use super::dice::Dice;

/// Placed wherever something secret would be: in event data, diffs, receivers' responses and receivers' URLs (user info,
/// path and query, never the host). Nothing that an exporter shows or writes may contain it.
pub const SECRET_MARKER: &str = "s3cr3t-must-not-leak";

/// How an attempt ended, as the receiver that ended it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// The receiver took the event.
    Taken,
    /// It responded with a redirection.
    Redirected,
    /// It responded with a 4xx, a real 409 among them.
    Rejected,
    /// It responded with a 5xx.
    Broke,
    /// It responded with a status that means nothing here.
    Odd,
    /// No connection in time.
    Timeout,
    /// Its name does not resolve.
    Dns,
    /// Nothing listens there.
    Refused,
    /// The connection broke off.
    Reset,
    /// No route.
    Unreachable,
    /// Its certificate has expired.
    CertificateExpired,
    /// Any other failure of TLS.
    Tls,
}

impl Verdict {
    /// The failure's `reason` in the metrics; `None` for a success.
    #[must_use]
    pub const fn reason(self) -> Option<&'static str> {
        Some(match self {
            Self::Taken => return None,
            Self::Redirected => "http_3xx",
            Self::Rejected => "http_4xx",
            Self::Broke => "http_5xx",
            Self::Odd => "other",
            Self::Timeout => "timeout",
            Self::Dns => "dns",
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::Unreachable => "unreachable",
            Self::CertificateExpired => "certificate_expired",
            Self::Tls => "tls",
        })
    }

    /// Whether the receiver sent a response at all, so that the logged status is its own.
    #[must_use]
    pub const fn is_response(self) -> bool {
        matches!(self, Self::Taken | Self::Redirected | Self::Rejected | Self::Broke | Self::Odd)
    }
}

/// How one attempt ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What is logged as `status`; 409 for a transport error, `None` is logged as `null`.
    pub status: Option<u16>,
    /// What is logged as `response`.
    pub response: String,
    /// How many milliseconds pass between the start of the attempt and its log entry; at least 1 is taken.
    pub takes_ms: i64,
    /// How it ended.
    pub verdict: Verdict,
}

impl Reply {
    /// The receiver takes the event within 20 ms.
    #[must_use]
    pub fn ok() -> Self {
        Self::response(200, format!(r#"{{"ok":true,"session":"{SECRET_MARKER}"}}"#))
    }

    /// The receiver responds with `status` and `body` within 20 ms.
    #[must_use]
    pub fn response(status: u16, body: impl Into<String>) -> Self {
        let verdict = match status {
            200..=209 => Verdict::Taken,
            300..=399 => Verdict::Redirected,
            400..=499 => Verdict::Rejected,
            500..=599 => Verdict::Broke,
            _ => Verdict::Odd,
        };
        Self { status: Some(status), response: body.into(), takes_ms: 20, verdict }
    }

    /// No response: the text of a transport error, logged with status 409 after 20 ms.
    #[must_use]
    pub fn transport_error(verdict: Verdict, text: impl Into<String>) -> Self {
        Self { status: Some(409), response: text.into(), takes_ms: 20, verdict }
    }

    /// The documented sample: no connection within 130 s.
    #[must_use]
    pub fn timeout() -> Self {
        Self::transport_error(Verdict::Timeout, "connect ETIMEDOUT 67.225.146.248:443").after_ms(130_000)
    }

    /// The same reply after another time.
    #[must_use]
    pub const fn after_ms(mut self, millis: i64) -> Self {
        self.takes_ms = millis;
        self
    }
}

/// How a receiver behaves.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Receiver {
    /// Takes everything, in 8 to 90 ms.
    #[default]
    Healthy,
    /// Responds to this share (0 to 1) of the attempts with 500, 503 or 404, and takes the rest.
    Flaky {
        /// The share of attempts that fail.
        failures: f64,
    },
    /// Takes everything, but slowly.
    Slow {
        /// The shortest time, in milliseconds.
        from_ms: i64,
        /// The longest time, in milliseconds.
        to_ms: i64,
    },
    /// Cannot be connected to: `connect ETIMEDOUT`, after some 130 s.
    Down,
    /// `connect ECONNREFUSED`, at once.
    Refused,
    /// `certificate has expired`, at once.
    CertificateExpired,
    /// `self-signed certificate`, or another failure of TLS, at once.
    SelfSigned,
    /// `getaddrinfo ENOTFOUND`, at once.
    DnsGone,
    /// `socket hang up` or `read ECONNRESET`, after up to 3 s.
    Reset,
    /// `connect EHOSTUNREACH`, after some 3 s.
    Unreachable,
    /// Responds with a 4xx: mostly a real 409 whose body may quote a transport error, else 400, 410 or 422.
    Rejecting,
    /// Responds with 301.
    Redirecting,
    /// Responds with a status that is neither success nor a known failure: 210, 299, 102, 600 or none.
    Weird,
    /// Gives these replies in turn, then behaves like [`Receiver::Healthy`].
    Scripted(VecDeque<Reply>),
}

impl Receiver {
    /// A receiver that gives these replies in turn, then is healthy.
    #[must_use]
    pub fn scripted(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::Scripted(replies.into_iter().collect())
    }
}

/// Where a receiver is, as transport errors name it.
#[derive(Clone, Debug)]
pub(crate) struct ReceiverHost {
    pub(crate) host: String,
    pub(crate) address: String,
}

impl Receiver {
    /// How the attempt that starts now will end.
    pub(crate) fn reply(&mut self, at: &ReceiverHost, dice: &mut Dice) -> Reply {
        let ReceiverHost { host, address } = at;
        match self {
            Self::Healthy => Reply::ok().after_ms(dice.between(8, 90)),
            Self::Flaky { failures } => {
                if !dice.happens(*failures) {
                    return Reply::ok().after_ms(dice.between(20, 400));
                }
                let (status, text) = match dice.between(0, 2) {
                    0 => (500, "Internal Server Error"),
                    1 => (503, "Service Unavailable"),
                    _ => (404, "Not Found"),
                };
                let body = format!("<html><body>{text}<!-- {SECRET_MARKER} --></body></html>");
                Reply::response(status, body).after_ms(dice.between(30, 900))
            }
            Self::Slow { from_ms, to_ms } => Reply::ok().after_ms(dice.between(*from_ms, *to_ms)),
            Self::Down => Reply::transport_error(Verdict::Timeout, format!("connect ETIMEDOUT {address}:443"))
                .after_ms(dice.between(129_900, 130_100)),
            Self::Refused => Reply::transport_error(Verdict::Refused, format!("connect ECONNREFUSED {address}:443"))
                .after_ms(dice.between(1, 40)),
            Self::CertificateExpired => Reply::transport_error(Verdict::CertificateExpired, "certificate has expired")
                .after_ms(dice.between(20, 120)),
            Self::SelfSigned => {
                let text = match dice.between(0, 2) {
                    0 => "self-signed certificate".to_owned(),
                    1 => "unable to verify the first certificate".to_owned(),
                    _ => format!(
                        "Hostname/IP does not match certificate's altnames: Host: {host}. is not in the cert's altnames: DNS:acme.example"
                    ),
                };
                Reply::transport_error(Verdict::Tls, text).after_ms(dice.between(20, 120))
            }
            Self::DnsGone => Reply::transport_error(Verdict::Dns, format!("getaddrinfo ENOTFOUND {host}"))
                .after_ms(dice.between(5, 60)),
            Self::Reset => {
                let text = if dice.happens(0.5) { "socket hang up" } else { "read ECONNRESET" };
                Reply::transport_error(Verdict::Reset, text).after_ms(dice.between(50, 3_000))
            }
            Self::Unreachable => {
                Reply::transport_error(Verdict::Unreachable, format!("connect EHOSTUNREACH {address}:443"))
                    .after_ms(dice.between(2_900, 3_100))
            }
            Self::Rejecting => {
                let (status, message) = match dice.between(0, 5) {
                    0 => (400, "unexpected field".to_owned()),
                    1 => (410, "gone".to_owned()),
                    2 => (422, "unknown work order".to_owned()),
                    3 => (409, format!("connect ETIMEDOUT {address}:443")),
                    _ => (409, "the work order is locked".to_owned()),
                };
                let body = format!(r#"{{"error":"{message}","session":"{SECRET_MARKER}"}}"#);
                Reply::response(status, body).after_ms(dice.between(20, 150))
            }
            Self::Redirecting => {
                let body = format!("Moved Permanently. Redirecting to https://{host}/{SECRET_MARKER}/login");
                Reply::response(301, body).after_ms(dice.between(20, 100))
            }
            Self::Weird => {
                let status = match dice.between(0, 4) {
                    0 => Some(210),
                    1 => Some(299),
                    2 => Some(102),
                    3 => Some(600),
                    _ => None,
                };
                let response = format!("??? {SECRET_MARKER}");
                Reply { status, response, takes_ms: dice.between(20, 100), verdict: Verdict::Odd }
            }
            Self::Scripted(replies) => replies.pop_front().unwrap_or_else(|| Reply::ok().after_ms(dice.between(8, 90))),
        }
    }
}
