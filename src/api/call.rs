//! The calls of the API, and how they can end.

use delivery_ledger::label_set;

label_set! {
    /// Which call of the API it is, as the value of the label `endpoint`.
    Endpoint {
        /// All webhooks of the company.
        List = "list",
        /// One webhook by its id.
        Webhook = "webhook",
        /// The delivery log of one webhook.
        Logs = "logs",
        /// E-mail and password for a token.
        Login = "login",
    }
}

label_set! {
    /// How an API call ended, as the value of the label `result`.
    CallResult {
        /// With a response that could be used.
        Ok = "ok",
        /// 304: the response is still the one that the sent validator came with.
        NotModified = "not_modified",
        /// 401: the token is wrong or has expired.
        Unauthorized = "unauthorized",
        /// 403: the token lacks the permission.
        Forbidden = "forbidden",
        /// 404: there is no such webhook, or no such path.
        NotFound = "not_found",
        /// 429: too many calls.
        RateLimited = "rate_limited",
        /// Any other status than 2xx.
        HttpError = "http_error",
        /// Not within `--cotalker.timeout`.
        Timeout = "timeout",
        /// No connection, or it broke.
        Connect = "connect",
        /// No trust in the API's certificate, or no common TLS.
        Tls = "tls",
        /// A response over `--cotalker.max-response-size`.
        TooLarge = "too_large",
        /// A response that is not what it should be.
        Malformed = "malformed",
    }
}
