//! What outlives a restart.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Deserializer, Serialize};

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
    /// For how long the logs of the webhooks had not had a turn when the last poll ended, in the order of their ids; nothing
    /// where each poll reads them all. It was added without a new version of the checkpoint: what comes after the fields that a
    /// reader knows it leaves alone, and where it is missing there is none.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "or_none")]
    pub turns: Vec<Turns>,
}

/// So many webhooks that follow one another, and for how many intervals their logs have not had a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turns(pub u32, pub u32);

/// A last field that may be missing.
fn or_none<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Turns>, D::Error> {
    Ok(Vec::deserialize(from).unwrap_or_default())
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
