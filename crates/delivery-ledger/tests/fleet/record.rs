//! What the shell keeps of what happened.

use delivery_ledger::WebhookId;
use delivery_ledger::fleet::{AccountState, WebhookState};

use crate::model::Model;

/// What calls brought, for the question how a poll ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Brought {
    List,
    NoList,
    Log(WebhookId),
    NoLog,
}

/// What is on disk.
#[derive(Clone, Debug)]
pub(crate) struct Saved {
    pub(crate) account: AccountState,
    pub(crate) webhooks: Vec<WebhookState>,
    pub(crate) model: Model,
}

/// From which checkpoint a restart goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checkpoint {
    Last,
    /// The last one is damaged.
    Previous,
}
