//! What is known of the list of webhooks.

use core::time::Duration;

use super::io::{CallId, ResponseMark};
use super::state::AccountState;

/// The account as the list shows it.
#[derive(Clone, Debug)]
pub(super) struct Account<E> {
    pub(super) state: AccountState,
    pub(super) list: ListState<E>,
    /// Whether a list has worked in this process.
    pub(super) has_worked: bool,
    pub(super) mark: Option<ResponseMark>,
    /// The list call under way.
    pub(super) call: Option<CallId>,
    pub(super) malformed: usize,
    /// So many of them were there while no watched webhook was missing: they stand for none.
    pub(super) strangers: usize,
    pub(super) dropped: usize,
}

/// How the last list call of this process ended.
#[derive(Clone, Debug)]
pub(super) enum ListState<E> {
    /// None has ended yet.
    Unknown,
    /// It worked.
    Readable,
    /// It failed.
    Unreadable {
        cause: E,
        /// Failures in a row.
        failures: u32,
        /// Not called before then.
        retry_at: Duration,
    },
}

impl<E> Account<E> {
    pub(super) fn new(state: AccountState) -> Self {
        Self {
            state,
            list: ListState::Unknown,
            has_worked: false,
            mark: None,
            call: None,
            malformed: 0,
            strangers: 0,
            dropped: 0,
        }
    }

    pub(super) fn failures(&self) -> u32 {
        match self.list {
            ListState::Unreadable { failures, .. } => failures,
            ListState::Unknown | ListState::Readable => 0,
        }
    }

    pub(super) fn is_backing_off(&self, uptime: Duration) -> bool {
        match self.list {
            ListState::Unreadable { retry_at, .. } => retry_at > uptime,
            ListState::Unknown | ListState::Readable => false,
        }
    }
}
