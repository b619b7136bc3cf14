//! Why a call failed, as a closed set, so that each cause has its words in every language. Each prints as a lowercase
//! fragment of an English sentence, without secrets.

use std::time::Duration;

use delivery_ledger::WebhookId;
use http::StatusCode;
use humantime::format_duration;
use thiserror::Error;

use super::credentials::SecretError;
use super::stream::FrameError;
use super::system_error::SystemError;
use super::tls_error::TlsProblem;

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Error)]
pub enum Cause {
    /// Not within `--cotalker.timeout`, where that is known to be the limit that was hit.
    #[error("no complete response {}", .0.map_or_else(|| "in time".to_owned(), |after| format!("within {}", format_duration(after))))]
    TimedOut(Option<Duration>),
    /// A response of more bytes than `--cotalker.max-response-size`.
    #[error("the response is larger than {0} bytes")]
    TooLarge(u64),
    /// The API has asked for a pause, which lasts for so long.
    #[error("rate limited: API calls pause for another {}", format_duration(*.0))]
    Paused(Duration),
    /// A login that was refused is not tried again at once.
    #[error("the login was refused a moment ago and is not retried yet")]
    LoginRefusedBefore,
    /// The login before the call failed.
    #[error("login failed: {0}")]
    InLogin(Box<Self>),
    /// The call about this webhook failed.
    #[error("webhook {0}: {1}")]
    About(WebhookId, Box<Self>),
    /// The token or password cannot be used.
    #[error("{0}")]
    Secret(SecretError),
    /// The API responded with this status.
    #[error("the API responded with {}: {}", .0.as_u16(), meaning(*.0))]
    Status(StatusCode),
    /// A web page came, with this status, where the API would respond with JSON.
    #[error("something in front of the API responded with {} and a web page, not JSON", .0.as_u16())]
    Intercepted(StatusCode),
    /// The response is not what it should be.
    #[error("{0}")]
    Malformed(Malformation),
    /// TLS failed.
    #[error("failed to connect over TLS: {0}")]
    Tls(TlsProblem),
    /// The connection ended while TLS was being set up.
    #[error("the server closed the connection during the TLS handshake")]
    HandshakeBrokenOff,
    /// The system refused the connection or broke it.
    #[error("connection failed: {0}")]
    Connection(SystemError),
    /// A proxy lets no call through.
    #[error("{0}")]
    Proxy(ProxyProblem),
    /// The API's name does not resolve.
    #[error("the API's host name does not resolve (DNS)")]
    Dns,
    /// No connection, and nothing says why.
    #[error("failed to connect")]
    NotConnected,
    /// The connection ended before the response did.
    #[error("the connection broke before the response ended")]
    BrokenOff,
}

/// What is wrong with a response.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Error)]
pub enum Malformation {
    /// It is a web page.
    #[error("the response is a web page, not JSON")]
    WebPage,
    /// It is empty.
    #[error("the response is empty")]
    Empty,
    /// It is no whole array.
    #[error("{0}")]
    Framing(FrameError),
    /// It is an object that holds an array under this key.
    #[error("the response is an object that wraps an array in \"{0}\", not an array")]
    Wrapped(String),
    /// It is about another webhook than was asked for.
    #[error("the response describes another webhook")]
    AnotherWebhook,
    /// It describes no webhook.
    #[error("the response is not a webhook")]
    NoWebhook,
    /// It is the response to a login, and has no token.
    #[error("the response has no token")]
    NoToken,
    /// It should be one object, and is far larger.
    #[error("the response is far larger than one object")]
    LongerThanAnObject,
    /// It is encoded in a way that was not asked for.
    #[error("the response has a Content-Encoding that was not asked for")]
    UnknownEncoding,
    /// It is compressed over and over.
    #[error("the response is compressed too many times")]
    TooManyEncodings,
    /// It cannot be decompressed.
    #[error("failed to decompress the response")]
    Compression,
    /// It is not HTTP.
    #[error("the response is not HTTP")]
    NotHttp,
    /// It says that nothing has changed since a response that there never was.
    #[error("304 without an If-None-Match")]
    NothingToCompare,
}

/// What a proxy did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum ProxyProblem {
    /// It responded with 407.
    #[error("the proxy responded with 407: it needs a login, or refuses the one that it was given")]
    Login,
    /// It did not connect.
    #[error("the proxy refused to connect to the API (CONNECT)")]
    Refused,
    /// It closed the connection.
    #[error("the proxy closed the connection instead of connecting to the API (CONNECT)")]
    Closed,
    /// It is no proxy.
    #[error("the proxy does not respond like a proxy (CONNECT)")]
    Strange,
}

impl ProxyProblem {
    /// What a proxy did, by the HTTP client's word for it. Source: the crate `hyper-util`, `TunnelError`, which only
    /// prints. What lies below it, such as a refused connection, is told by the cause itself.
    pub(super) fn of(word: &str) -> Option<Self> {
        match word {
            "proxy authorization required" => Some(Self::Login),
            "unsuccessful" => Some(Self::Refused),
            "unexpected end of file" => Some(Self::Closed),
            "proxy response headers too long" => Some(Self::Strange),
            _ => None,
        }
    }
}

/// What a status of the API's means.
fn meaning(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "the token or login is wrong or has expired",
        StatusCode::FORBIDDEN => "the token lacks the permission",
        StatusCode::NOT_FOUND => "no such webhook, or no Cotalker API at this URL",
        StatusCode::TOO_MANY_REQUESTS => "too many calls",
        _ if status.is_redirection() => "a redirect; redirects are not followed",
        _ if status.is_server_error() => "the API has an internal problem",
        _ => "an unexpected status",
    }
}
