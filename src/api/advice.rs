//! What a user can do about a call that failed.

use super::call::CallResult;

/// What a user can do about a call that failed: one sentence each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Advice {
    /// The token or login is wrong.
    Credentials,
    /// The token may not do this.
    Permissions,
    /// The URL or an id is wrong.
    UrlAndIds,
    /// There are too many calls.
    FewerCalls,
    /// The URL is wrong, or the API has a problem.
    UrlOrWait,
    /// The network is slow, or lets nothing through.
    NetworkOrTimeout,
    /// The host, the network or the proxy is wrong.
    HostAndNetwork,
    /// The URL is wrong, or a CA is missing.
    TrustedCas,
    /// The response is larger than allowed.
    ResponseSize,
    /// What responds is no Cotalker API.
    OtherApi,
    /// A proxy lets no call through.
    Proxy,
    /// A web page came in place of a 401 or 403.
    Intercepted,
}

impl Advice {
    /// What to do about most failures with this result.
    pub(super) const fn of(result: CallResult) -> Self {
        match result {
            CallResult::Unauthorized => Self::Credentials,
            CallResult::Forbidden => Self::Permissions,
            CallResult::NotFound => Self::UrlAndIds,
            CallResult::RateLimited => Self::FewerCalls,
            // The last two are no failures.
            CallResult::HttpError | CallResult::Ok | CallResult::NotModified => Self::UrlOrWait,
            CallResult::Timeout => Self::NetworkOrTimeout,
            CallResult::Connect => Self::HostAndNetwork,
            CallResult::Tls => Self::TrustedCas,
            CallResult::TooLarge => Self::ResponseSize,
            CallResult::Malformed => Self::OtherApi,
        }
    }

    /// The sentence, in English.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Credentials => {
                "Give a valid token in --cotalker.token-file or COTALKER_TOKEN, or check --cotalker.email and --cotalker.password-file."
            }
            Self::Permissions => {
                "Ask an administrator for a token that may read webhooks, try --cotalker.admin or --cotalker.company, or watch chosen webhooks with --webhook.id."
            }
            Self::UrlAndIds => "Check --cotalker.base-url and, if given, the ids in --webhook.id.",
            Self::FewerCalls => {
                "Lower --poll.rate or raise --poll.interval; all clients of the account share the limit."
            }
            Self::UrlOrWait => "Check --cotalker.base-url; if it is right, the API has a problem: try again later.",
            Self::NetworkOrTimeout => {
                "Check that the network lets this machine reach --cotalker.base-url, or raise --cotalker.timeout."
            }
            Self::HostAndNetwork => {
                "Check the host name in --cotalker.base-url, the network, and the proxy (HTTPS_PROXY)."
            }
            Self::TrustedCas => {
                "Check --cotalker.base-url; behind a proxy that decrypts TLS, give the proxy's CA in --cotalker.ca-file."
            }
            Self::ResponseSize => "Raise --cotalker.max-response-size.",
            Self::OtherApi => "Check --cotalker.base-url: the Cotalker API does not respond like this.",
            Self::Proxy => {
                "Check HTTPS_PROXY, with user and password if the proxy needs them (http://user:password@host:port), or exempt the API's host in NO_PROXY."
            }
            Self::Intercepted => {
                "Check --cotalker.base-url, and the proxy, firewall or login page between this machine and the API; the token may be right."
            }
        }
    }
}
