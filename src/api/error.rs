//! Why a call failed, in a text without secrets: no URL beyond the host, no header, nothing of a body.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use delivery_ledger::WebhookId;
use http::StatusCode;

use super::advice::Advice;
use super::call::CallResult;
use super::cause::{Cause, Malformation, ProxyProblem};
use super::credentials::SecretError;
use super::stream::FrameError;
use super::system_error::SystemError;
use super::tls_error::TlsProblem;

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CallError {
    /// The kind of failure: what a caller can tell apart.
    pub result: CallResult,
    /// The cause, which prints as a lowercase fragment of a sentence for users.
    pub cause: Cause,
    /// What a user can do about it.
    pub advice: Advice,
    /// How long the API wants the webhook of this call to be left alone; see [`CallError::retry_after`].
    pub retry_after: Option<Duration>,
    /// Whether something in front of the API responded, such as a proxy or a login page: it does so to every call.
    pub is_in_front: bool,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

impl Error for CallError {}

impl CallError {
    fn new(result: CallResult, cause: Cause) -> Self {
        Self { result, cause, advice: Advice::of(result), retry_after: None, is_in_front: false }
    }

    pub(crate) fn malformed(malformation: Malformation) -> Self {
        Self::new(CallResult::Malformed, Cause::Malformed(malformation))
    }

    /// 304 to a call without a validator.
    pub(crate) fn not_conditional() -> Self {
        Self::malformed(Malformation::NothingToCompare)
    }

    pub(super) fn timed_out(after: Duration) -> Self {
        Self::new(CallResult::Timeout, Cause::TimedOut(Some(after)))
    }

    pub(super) fn too_large(limit: u64) -> Self {
        Self::new(CallResult::TooLarge, Cause::TooLarge(limit))
    }

    pub(super) fn paused(left: Duration) -> Self {
        Self::new(CallResult::RateLimited, Cause::Paused(Duration::from_secs(left.as_secs())))
    }

    pub(super) fn login_refused() -> Self {
        Self::new(CallResult::Unauthorized, Cause::LoginRefusedBefore)
    }

    pub(super) fn in_login(self) -> Self {
        Self { cause: Cause::InLogin(Box::new(self.cause)), ..self }
    }

    /// The same, for a reader who does not know which webhook it is about.
    #[must_use]
    pub fn about(self, webhook: WebhookId) -> Self {
        Self { cause: Cause::About(webhook, Box::new(self.cause)), ..self }
    }

    pub(super) fn from_secret(error: SecretError) -> Self {
        Self::new(CallResult::Unauthorized, Cause::Secret(error))
    }

    pub(crate) fn from_status(status: StatusCode) -> Self {
        if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            return Self::of_proxy(CallResult::HttpError, ProxyProblem::Login);
        }
        let result = match status {
            StatusCode::UNAUTHORIZED => CallResult::Unauthorized,
            StatusCode::FORBIDDEN => CallResult::Forbidden,
            StatusCode::NOT_FOUND => CallResult::NotFound,
            StatusCode::TOO_MANY_REQUESTS => CallResult::RateLimited,
            _ => CallResult::HttpError,
        };
        Self::new(result, Cause::Status(status))
    }

    fn of_proxy(result: CallResult, problem: ProxyProblem) -> Self {
        Self { advice: Advice::Proxy, is_in_front: true, ..Self::new(result, Cause::Proxy(problem)) }
    }

    /// A status and a web page, where the API would respond with JSON: a firewall or a login page has intercepted the
    /// call, so neither the token nor its permissions are known to be wrong.
    pub(super) fn intercepted(status: StatusCode) -> Self {
        let error = Self::new(CallResult::HttpError, Cause::Intercepted(status));
        Self { advice: Advice::Intercepted, is_in_front: true, ..error }
    }

    pub(super) fn with_retry_after(self, retry_after: Option<Duration>) -> Self {
        Self { retry_after, ..self }
    }

    /// How long to wait before the next call about the same webhook, where the API said so of this one alone. A pause
    /// of all calls is not told here: [`super::ApiClient::paused_until`] has it.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    pub(super) fn from_framing(error: FrameError, first_byte: Option<u8>) -> Self {
        Self::malformed(match (error, first_byte) {
            (FrameError::NotAnArray, Some(b'<')) => Malformation::WebPage,
            (FrameError::NotAnArray, None) => Malformation::Empty,
            (error, _) => Malformation::Framing(error),
        })
    }

    pub(super) fn no_object(body: &[u8], otherwise: Malformation) -> Self {
        Self::malformed(match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'<') => Malformation::WebPage,
            None => Malformation::Empty,
            Some(_) => otherwise,
        })
    }

    /// Tells apart what can go wrong below HTTP. The error itself may hold the URL, so only known parts of it are kept.
    pub(super) fn from_transport(error: reqwest::Error) -> Self {
        let error = error.without_url();
        if error.is_timeout() {
            return Self::new(CallResult::Timeout, Cause::TimedOut(None));
        }
        let mut is_of_connection = false;
        let mut link: Option<&(dyn Error + 'static)> = Some(&error);
        while let Some(cause) = link {
            if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
                return Self::new(CallResult::Tls, Cause::Tls(TlsProblem::of(tls)));
            }
            if let Some(hyper) = cause.downcast_ref::<hyper::Error>() {
                // A body that breaks off is an error of hyper's, of whatever kind; one that cannot be decoded is not.
                is_of_connection = true;
                if hyper.is_parse() {
                    return Self::malformed(Malformation::NotHttp);
                }
            }
            let io = cause.downcast_ref::<io::Error>();
            if let Some(io) = io.filter(|io| io.raw_os_error().is_some()) {
                return Self::new(CallResult::Connect, Cause::Connection(SystemError::of(io)));
            }
            if cause.to_string() == "tls handshake eof" {
                return Self::new(CallResult::Tls, Cause::HandshakeBrokenOff);
            }
            if let Some(problem) = cause.to_string().strip_prefix("tunnel error: ").and_then(ProxyProblem::of) {
                return Self::of_proxy(CallResult::Connect, problem);
            }
            if cause.to_string().starts_with("dns error") {
                return Self::new(CallResult::Connect, Cause::Dns);
            }
            link = match io.and_then(io::Error::get_ref) {
                // Its `source` would skip the error that it wraps, and TLS errors are wrapped twice.
                Some(wrapped) => Some(wrapped),
                None => cause.source(),
            };
        }
        if error.is_decode() && !is_of_connection {
            return Self::malformed(Malformation::Compression);
        }
        Self::new(CallResult::Connect, if error.is_connect() { Cause::NotConnected } else { Cause::BrokenOff })
    }

    /// What a user can do about it, as a sentence.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        self.advice.sentence()
    }
}

/// Whether a call ended because the other side closed the connection before it had sent the head of a response.
pub(super) fn is_closed_connection(error: &reqwest::Error) -> bool {
    if !error.is_request() || error.is_connect() || error.is_timeout() {
        return false;
    }
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    causes.into_iter().any(|cause| {
        let is_cut_short = cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_incomplete_message);
        let io = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        is_cut_short
            || matches!(
                io,
                Some(
                    io::ErrorKind::ConnectionReset
                        | io::ErrorKind::ConnectionAborted
                        | io::ErrorKind::BrokenPipe
                        | io::ErrorKind::UnexpectedEof
                )
            )
    })
}
