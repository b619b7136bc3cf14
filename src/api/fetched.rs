//! What a call brings.

use delivery_ledger::fleet::ResponseMark;
use delivery_ledger::{ServerTime, Webhook};

use super::error::CallError;

/// The result of a call that worked.
#[derive(Debug)]
pub enum Fetched<T> {
    /// A new response.
    Fresh {
        /// What it says.
        value: T,
        /// For the next call, so that an unchanged response is not sent again, or not read again.
        mark: Option<ResponseMark>,
        /// The server's time when it responded.
        server_time: ServerTime,
        /// How the body came.
        transfer: Transfer,
    },
    /// The response is still the one that the mark came with: the API says so, or has sent the same body.
    NotModified {
        /// The server's time when it responded.
        server_time: ServerTime,
    },
}

impl<T> Fetched<T> {
    /// What a call without a mark brought, and the server's time.
    ///
    /// # Errors
    ///
    /// If it says that nothing has changed, which only a call with a mark may bring.
    pub(crate) fn fresh(self) -> Result<(T, ServerTime), CallError> {
        match self {
            Self::Fresh { value, server_time, .. } => Ok((value, server_time)),
            Self::NotModified { .. } => Err(CallError::not_conditional()),
        }
    }
}

/// How a body came over the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transfer {
    /// The encodings that it was compressed with, in the order in which they were applied; none if it was not.
    pub encodings: Vec<&'static str>,
    /// Its bytes as they came.
    pub received_bytes: u64,
    /// Its bytes after decompression.
    pub bytes: u64,
}

/// What a conditional call shows of an API that sends validators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revalidation {
    /// 304: an unchanged response is not sent again.
    NotModified,
    /// The same response with the same validator was sent again.
    Ignored,
    /// The response had changed meanwhile, so nothing is known.
    Changed,
}

/// All webhooks that the token can see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Those that could be read.
    pub webhooks: Vec<Webhook>,
    /// How many malformed ones the list had.
    pub malformed: usize,
}
