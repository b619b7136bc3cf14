//! What outlives a restart.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::ledger::Ledger;
use crate::time::UnixMillis;
use crate::webhook::Webhook;

/// What is kept about the account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountState {
    /// The server's time at the last list that worked; `None` before the first.
    pub listed_at: Option<UnixMillis>,
    /// When that was, by the local clock.
    pub list_read_at: Option<UnixMillis>,
    /// What to add to the local clock to get the server's time, in milliseconds.
    pub server_ahead_millis: i64,
    /// What the state is about: the API's URL and the company, as the shell spells them; empty where that is not known.
    pub identity: String,
}

/// What is kept about one webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookState {
    /// What the list says of it.
    pub webhook: Webhook,
    /// What its log adds up to.
    pub ledger: Ledger,
    /// When its log was last read, by the local clock.
    pub read_at: Option<UnixMillis>,
    /// Since when it is gone from the list, by the local clock; `None` if it is there.
    pub vanished_since: Option<UnixMillis>,
    /// Whether its counts are older than what was shown, and must not be shown before its log has been read.
    pub is_behind: bool,
}
