//! What readers are shown, and what is saved.

use alloc::sync::Arc;
use core::time::Duration;

use super::account::ListState;
use super::io::CallFailure;
use super::machine::Fleet;
use super::member::{Age, Member, Vanished};
use super::state::{AccountState, WebhookState};
use crate::id::WebhookId;
use crate::ledger::Ledger;
use crate::time::UnixMillis;
use crate::webhook::Webhook;

/// A watched webhook as it is shown.
///
/// What is the same allocation has not changed. Whoever wants to know whether a ledger has changed keeps a `Weak` of it: a
/// ledger that it is kept of is not changed in its place, and not copied either.
#[derive(Clone, Copy, Debug)]
pub struct MemberView<'a, E> {
    /// What the list says of it.
    pub webhook: &'a Arc<Webhook>,
    /// What its log adds up to.
    pub ledger: &'a Arc<Ledger>,
    /// Whether its log could be read last time; `None` before the first time in this process.
    pub is_up: Option<bool>,
    /// Why not.
    pub problem: Option<&'a E>,
    /// When its log was last read, by the local clock.
    pub read_at: Option<UnixMillis>,
    /// The planned time between two reads of its log.
    pub interval: Duration,
}

/// The account as it is shown.
#[derive(Clone, Copy, Debug)]
pub struct AccountView<'a, E> {
    /// Whether the last list could be read; `None` before the first.
    pub is_up: Option<bool>,
    /// Why not.
    pub problem: Option<&'a E>,
    /// Webhooks that are not watched because there are more than the limit.
    pub dropped: usize,
    /// Malformed entries of the last list.
    pub malformed: usize,
    /// When a list was last read, by the local clock.
    pub list_read_at: Option<UnixMillis>,
    /// What to add to the local clock to get the server's time, in milliseconds.
    pub server_ahead_millis: i64,
}

impl<E: CallFailure> Fleet<E> {
    /// The webhooks that are shown, in the order of their ids.
    pub fn members(&self) -> impl Iterator<Item = MemberView<'_, E>> {
        self.members.values().filter(|member| member.behind().is_none()).map(|member| MemberView {
            webhook: &member.webhook,
            ledger: &member.ledger,
            is_up: member.is_up(),
            problem: member.problem(),
            read_at: member.read_at,
            interval: self.planned_interval(member),
        })
    }

    /// The account as it is shown.
    #[must_use]
    pub fn account(&self) -> AccountView<'_, E> {
        let (is_up, problem) = match &self.account.list {
            ListState::Unknown => (None, None),
            ListState::Readable => (Some(true), None),
            ListState::Unreadable { cause, .. } => (Some(false), Some(cause)),
        };
        let AccountState { list_read_at, server_ahead_millis, .. } = &self.account.state;
        let (dropped, malformed) = (self.account.dropped, self.account.malformed);
        let (list_read_at, server_ahead_millis) = (*list_read_at, *server_ahead_millis);
        AccountView { is_up, problem, dropped, malformed, list_read_at, server_ahead_millis }
    }

    /// Whether the first poll has ended, well or badly, or restored counts are shown.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.is_ready
    }

    /// What is kept about the account.
    #[must_use]
    pub fn account_state(&self) -> &AccountState {
        &self.account.state
    }

    /// What is kept about each webhook: its id, its revision, and how to make the rest, which costs a copy of its ledger
    /// and is only worth it if the revision has changed since it was last made.
    pub fn webhook_states(&self) -> impl Iterator<Item = (WebhookId, u64, impl Fn() -> WebhookState + '_)> {
        let members = self.members.iter().map(|(id, member)| {
            let make = Make::Member(member);
            (*id, member.revision, make)
        });
        let vanished = self.vanished.iter().map(|(id, vanished)| (*id, vanished.revision, Make::Vanished(vanished)));
        members.chain(vanished).map(|(id, revision, make)| (id, revision, move || make.state()))
    }
}

enum Make<'a, E> {
    Member(&'a Member<E>),
    Vanished(&'a Vanished),
}

impl<E> Make<'_, E> {
    fn state(&self) -> WebhookState {
        match self {
            Self::Member(member) => WebhookState {
                webhook: Webhook::clone(&member.webhook),
                ledger: Ledger::clone(&member.ledger),
                read_at: member.read_at,
                vanished_since: None,
                is_behind: member.behind() == Some(Age::Outrun),
            },
            Self::Vanished(vanished) => WebhookState {
                webhook: Webhook::clone(&vanished.webhook),
                ledger: Ledger::clone(&vanished.ledger),
                read_at: None,
                vanished_since: Some(vanished.since),
                is_behind: vanished.is_behind,
            },
        }
    }
}
