//! What can go wrong with the API.

use std::time::Duration;

use delivery_ledger::WebhookId;

use super::recorder::Endpoint;

/// Which calls a fault is meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// The list of webhooks.
    List,
    /// One webhook by its id.
    Webhook(WebhookId),
    /// The log of one webhook.
    Logs(WebhookId),
    /// The log of any webhook.
    AllLogs,
    /// The login.
    Login,
    /// Every call.
    Everything,
}

impl Target {
    /// Whether it means such calls.
    pub(crate) fn is_meant(self, endpoint: Endpoint, webhook: Option<WebhookId>) -> bool {
        match self {
            Self::List => endpoint == Endpoint::List,
            Self::Webhook(id) => endpoint == Endpoint::Webhook && webhook == Some(id),
            Self::Logs(id) => endpoint == Endpoint::Logs && webhook == Some(id),
            Self::AllLogs => endpoint == Endpoint::Logs,
            Self::Login => endpoint == Endpoint::Login,
            Self::Everything => true,
        }
    }
}

/// What goes wrong. Where a fault bends the response of the healthy API, it is that response without compression and `ETag`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This status with a JSON message; `Retry-After` as given.
    Status {
        /// The status code.
        code: u16,
        /// The text of the `Retry-After` header: seconds, a date, or nonsense.
        retry_after: Option<String>,
    },
    /// No response, ever; the connection stays open.
    Hang,
    /// The right response, made up and sent as soon as the fault is cleared: lets a test stop a call midway.
    Hold,
    /// The right response after this time (tokio's, not the simulated).
    Delay(Duration),
    /// The right response, one byte a second.
    Drip,
    /// 200 with an HTML page, as from a proxy or a login portal.
    Html,
    /// 200 with a JSON object.
    NotAnArray,
    /// The connection ends in the middle of a body whose length was announced.
    CutOff,
    /// The first half of the right response, in a body that ends well.
    TruncatedJson,
    /// The right response and something behind it.
    TrailingGarbage,
    /// 200 with an empty body.
    EmptyBody,
    /// The right response, compressed, with a few bytes changed on the way.
    BrokenGzip,
    /// An array with nothing but white space in it, compressed a thousandfold.
    Bomb {
        /// Its size once decompressed, in bytes.
        decompressed_bytes: u64,
    },
    /// An array of many small malformed entries, in a body of unannounced length.
    Oversize {
        /// Its size, in bytes; a little more is sent.
        bytes: u64,
    },
    /// An array of one malformed entry, in a body of unannounced length.
    HugeEntry {
        /// Its size, in bytes; a little more is sent.
        bytes: u64,
    },
    /// 302 to this place.
    Redirect {
        /// The `Location`.
        to: String,
    },
    /// The connection is closed without a response.
    Reset,
    /// The right response without a `Date`. Goes together with the other faults.
    NoDate,
    /// The right response with a `Date` this many milliseconds off. Goes together with the other faults.
    DateOffset(i64),
}

impl Fault {
    /// Whether it bends the `Date` alone, and so goes together with others.
    pub(crate) const fn is_of_date(&self) -> bool {
        matches!(self, Self::NoDate | Self::DateOffset(_))
    }
}
