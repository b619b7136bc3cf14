//! What version 1 of the checkpoint held, for reading it. Nothing writes it any more.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;

use serde::Deserialize;

use crate::attempt::Position;
use crate::counted;
use crate::fleet;
use crate::id::AttemptId;
use crate::ledger::{Ledger, Totals, Window};
use crate::outcome::FailureReason;
use crate::standing::{self, Success};
use crate::time::UnixMillis;
use crate::v2::Events;
use crate::webhook::Webhook;
use crate::window::Retained;

/// [`fleet::AccountState`] as it was.
#[derive(Debug, Deserialize)]
pub struct AccountState {
    listed_at: Option<UnixMillis>,
    list_read_at: Option<UnixMillis>,
    server_ahead_millis: i64,
}

impl From<AccountState> for fleet::AccountState {
    fn from(old: AccountState) -> Self {
        let AccountState { listed_at, list_read_at, server_ahead_millis } = old;
        Self { listed_at, list_read_at, server_ahead_millis, ..Self::default() }
    }
}

/// [`fleet::WebhookState`] as it was.
#[derive(Debug, Deserialize)]
pub struct WebhookState {
    webhook: Webhook,
    ledger: LedgerState,
    read_at: Option<UnixMillis>,
    vanished_since: Option<UnixMillis>,
    is_behind: bool,
}

impl From<WebhookState> for fleet::WebhookState {
    fn from(old: WebhookState) -> Self {
        let WebhookState { webhook, ledger, read_at, vanished_since, is_behind } = old;
        Self { webhook, ledger: ledger.into(), read_at, vanished_since, is_behind }
    }
}

#[derive(Debug, Deserialize)]
struct LedgerState {
    floor: Position,
    counted: BTreeMap<AttemptId, Counted>,
    newest_counted: Option<Position>,
    totals: Totals,
    events: Events,
    standing: Standing,
    window: Window,
    last_length: Option<u64>,
    as_of: Option<UnixMillis>,
}

#[derive(Debug, Deserialize)]
struct Counted {
    at: UnixMillis,
    failed: bool,
}

#[derive(Debug, Deserialize)]
struct Standing {
    last_success: Option<Position>,
    last_failure: Option<Failure>,
    head_event: Option<UnixMillis>,
    consecutive_failures: u64,
    failing_since: Option<UnixMillis>,
}

#[derive(Debug, Deserialize)]
struct Failure {
    position: Position,
    reason: FailureReason,
    status: Option<u16>,
    retry: u32,
}

impl From<LedgerState> for Ledger {
    fn from(old: LedgerState) -> Self {
        let counted = old.counted.into_iter().map(|(id, Counted { at, failed })| {
            let at = placed(Position { at, id }).at;
            (id, counted::Counted { at, failed, stands: true })
        });
        Self {
            floor: old.floor,
            counted: counted.collect(),
            newest_counted: old.newest_counted.map(placed),
            totals: old.totals,
            events: old.events.into(),
            standing: old.standing.into(),
            window: old.window,
            retained: Retained::since(old.as_of, old.last_length, old.window.oldest),
            as_of: old.as_of,
            under_way: None,
            recent: Arc::default(),
            since: None,
        }
    }
}

impl From<Standing> for standing::Standing {
    fn from(old: Standing) -> Self {
        let success = |told: Position| Success { position: placed(told), at: told.at };
        let failure = |Failure { position: told, reason, status, retry }| standing::Failure {
            position: placed(told),
            at: told.at,
            reason,
            status,
            retry,
        };
        Self {
            last_success: old.last_success.map(success),
            last_failure: old.last_failure.map(failure),
            head_event: old.head_event,
            consecutive_failures: old.consecutive_failures,
            failing_since: old.failing_since,
        }
    }
}

/// The place of an attempt that was placed by what the log told.
fn placed(told: Position) -> Position {
    Position::of(told.id, told.at)
}
