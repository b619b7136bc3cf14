//! Why a call failed, in a text without secrets: no URL beyond the host, no header, nothing of a body.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use http::StatusCode;

use super::call::CallResult;
use super::credentials::SecretError;
use super::stream::FrameError;
use super::tls_error;

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallError {
    /// The kind of failure: what a caller can tell apart.
    pub result: CallResult,
    /// The cause, as a lowercase fragment of a sentence for users.
    pub cause: String,
    /// What a user can do about it, as a sentence.
    pub advice: &'static str,
    /// How long the API wants the webhook of this call to be left alone; see [`CallError::retry_after`].
    pub retry_after: Option<Duration>,
    /// Whether something in front of the API responded, such as a proxy or a login page: it does so to every call.
    pub is_in_front: bool,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause)
    }
}

impl Error for CallError {}

impl CallError {
    fn new(result: CallResult, cause: impl Into<String>) -> Self {
        Self { result, cause: cause.into(), advice: advice(result), retry_after: None, is_in_front: false }
    }

    pub(crate) fn malformed(cause: &str) -> Self {
        Self::new(CallResult::Malformed, cause)
    }

    /// 304 to a call without a validator.
    pub(crate) fn not_conditional() -> Self {
        Self::malformed("the API responded with 304 to a call that was not conditional")
    }

    pub(super) fn timed_out(after: Duration) -> Self {
        Self::new(CallResult::Timeout, format!("no complete response within {}", humantime::format_duration(after)))
    }

    pub(super) fn too_large(limit: u64) -> Self {
        Self::new(CallResult::TooLarge, format!("the response is larger than {limit} bytes"))
    }

    pub(super) fn paused(left: Duration) -> Self {
        let left = humantime::format_duration(Duration::from_secs(left.as_secs()));
        Self::new(CallResult::RateLimited, format!("rate limited: API calls pause for another {left}"))
    }

    pub(super) fn login_refused() -> Self {
        Self::new(CallResult::Unauthorized, "the login was refused a moment ago and is not retried yet")
    }

    pub(super) fn in_login(self) -> Self {
        Self { cause: format!("login failed: {}", self.cause), ..self }
    }

    pub(super) fn from_secret(error: SecretError) -> Self {
        Self::new(CallResult::Unauthorized, error.to_string())
    }

    pub(super) fn from_status(status: StatusCode) -> Self {
        if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            return Self { advice: PROXY, is_in_front: true, ..Self::new(CallResult::HttpError, PROXY_LOGIN) };
        }
        let (result, meaning) = match status {
            StatusCode::UNAUTHORIZED => (CallResult::Unauthorized, "the token or login is wrong or has expired"),
            StatusCode::FORBIDDEN => (CallResult::Forbidden, "the token lacks the permission"),
            StatusCode::NOT_FOUND => (CallResult::NotFound, "no such webhook, or no Cotalker API at this URL"),
            StatusCode::TOO_MANY_REQUESTS => (CallResult::RateLimited, "too many calls"),
            _ if status.is_redirection() => (CallResult::HttpError, "a redirect; redirects are not followed"),
            _ if status.is_server_error() => (CallResult::HttpError, "the API has an internal problem"),
            _ => (CallResult::HttpError, "an unexpected status"),
        };
        Self::new(result, format!("the API responded with {}: {meaning}", status.as_u16()))
    }

    /// A status and a web page, where the API would respond with JSON: a firewall or a login page has intercepted the
    /// call, so neither the token nor its permissions are known to be wrong.
    pub(super) fn intercepted(status: StatusCode) -> Self {
        let status = status.as_u16();
        let cause = format!("something in front of the API responded with {status} and a web page, not JSON");
        Self { advice: INTERCEPTED, is_in_front: true, ..Self::new(CallResult::HttpError, cause) }
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
        match (error, first_byte) {
            (FrameError::NotAnArray, Some(b'<')) => Self::malformed("the response is a web page, not JSON"),
            (FrameError::NotAnArray, None) => Self::malformed("the response is empty"),
            _ => Self::malformed(&error.to_string()),
        }
    }

    pub(super) fn no_object(body: &[u8], cause: &str) -> Self {
        match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'<') => Self::malformed("the response is a web page, not JSON"),
            None => Self::malformed("the response is empty"),
            Some(_) => Self::malformed(cause),
        }
    }

    /// Tells apart what can go wrong below HTTP. The error itself may hold the URL, so only known parts of it are kept.
    pub(super) fn from_transport(error: reqwest::Error) -> Self {
        let error = error.without_url();
        if error.is_timeout() {
            return Self::new(CallResult::Timeout, "no complete response in time");
        }
        let mut is_of_connection = false;
        let mut link: Option<&(dyn Error + 'static)> = Some(&error);
        while let Some(cause) = link {
            if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
                return Self::new(CallResult::Tls, format!("failed to connect over TLS: {}", tls_error::explain(tls)));
            }
            if let Some(hyper) = cause.downcast_ref::<hyper::Error>() {
                // A body that breaks off is an error of hyper's, of whatever kind; one that cannot be decoded is not.
                is_of_connection = true;
                if hyper.is_parse() {
                    return Self::malformed("the response is not HTTP");
                }
            }
            let io = cause.downcast_ref::<io::Error>();
            if let Some(io) = io.filter(|io| io.raw_os_error().is_some()) {
                return Self::new(CallResult::Connect, format!("connection failed: {io}"));
            }
            if cause.to_string() == "tls handshake eof" {
                return Self::new(CallResult::Tls, "the server closed the connection during the TLS handshake");
            }
            if let Some(problem) = cause.to_string().strip_prefix("tunnel error: ").and_then(of_proxy) {
                return Self { advice: PROXY, is_in_front: true, ..Self::new(CallResult::Connect, problem) };
            }
            if cause.to_string().starts_with("dns error") {
                return Self::new(CallResult::Connect, "the API's host name does not resolve (DNS)");
            }
            link = match io.and_then(io::Error::get_ref) {
                // Its `source` would skip the error that it wraps, and TLS errors are wrapped twice.
                Some(wrapped) => Some(wrapped),
                None => cause.source(),
            };
        }
        if error.is_decode() && !is_of_connection {
            return Self::malformed("failed to decompress the response");
        }
        Self::new(
            CallResult::Connect,
            if error.is_connect() { "failed to connect" } else { "the connection broke before the response ended" },
        )
    }

    /// What a user can do about it, as a sentence.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        self.advice
    }
}

/// What to do about a proxy that lets no call through.
const PROXY: &str = "Check HTTPS_PROXY, with user and password if the proxy needs them (http://user:password@host:port), or exempt the API's host in NO_PROXY.";

/// 407, from a proxy.
const PROXY_LOGIN: &str = "the proxy responded with 407: it needs a login, or refuses the one that it was given";

/// What a proxy did, by the HTTP client's word for it. Source: the crate `hyper-util`, `TunnelError`, which only prints.
/// What lies below it, such as a refused connection, is told by the cause itself.
fn of_proxy(word: &str) -> Option<&'static str> {
    match word {
        "proxy authorization required" => Some(PROXY_LOGIN),
        "unsuccessful" => Some("the proxy refused to connect to the API (CONNECT)"),
        "unexpected end of file" => Some("the proxy closed the connection instead of connecting to the API (CONNECT)"),
        "proxy response headers too long" => Some("the proxy does not respond like a proxy (CONNECT)"),
        _ => None,
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

/// What to do about a web page in place of a 401 or 403.
const INTERCEPTED: &str = "Check --cotalker.base-url, and the proxy, firewall or login page between this machine and the API; the token may be right.";

/// What to do about most failures with this result.
fn advice(result: CallResult) -> &'static str {
    match result {
        CallResult::Unauthorized => {
            "Give a valid token in --cotalker.token-file or COTALKER_TOKEN, or check --cotalker.email and --cotalker.password-file."
        }
        CallResult::Forbidden => {
            "Ask an administrator for a token that may read webhooks, try --cotalker.admin or --cotalker.company, or watch chosen webhooks with --webhook.id."
        }
        CallResult::NotFound => "Check --cotalker.base-url and, if given, the ids in --webhook.id.",
        CallResult::RateLimited => {
            "Lower --poll.rate or raise --poll.interval; all clients of the account share the limit."
        }
        CallResult::HttpError => "Check --cotalker.base-url; if it is right, the API has a problem: try again later.",
        CallResult::Timeout => {
            "Check that the network lets this machine reach --cotalker.base-url, or raise --cotalker.timeout."
        }
        CallResult::Connect => "Check the host name in --cotalker.base-url, the network, and the proxy (HTTPS_PROXY).",
        CallResult::Tls => {
            "Check --cotalker.base-url; behind a proxy that decrypts TLS, give the proxy's CA in --cotalker.ca-file."
        }
        CallResult::TooLarge => "Raise --cotalker.max-response-size.",
        CallResult::Malformed => "Check --cotalker.base-url: the Cotalker API does not respond like this.",
        CallResult::Ok | CallResult::NotModified => "",
    }
}
