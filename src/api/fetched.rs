//! What a call brings.

use delivery_ledger::fleet::EntityTag;
use delivery_ledger::{ServerTime, Webhook};

/// The result of a call that worked.
#[derive(Debug)]
pub enum Fetched<T> {
    /// A new response.
    Fresh {
        /// What it says.
        value: T,
        /// To be sent with the next call, so that an unchanged response is not sent again.
        tag: Option<EntityTag>,
        /// The server's time when it responded.
        server_time: ServerTime,
    },
    /// 304: the response is still the one that the tag came with.
    NotModified {
        /// The server's time when it responded.
        server_time: ServerTime,
    },
}

/// All webhooks that the token can see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Those that could be read.
    pub webhooks: Vec<Webhook>,
    /// How many malformed ones the list had.
    pub malformed: usize,
}
