//! Bounds the lines about single webhooks.

use alloc::vec::Vec;

use super::io::{Effect, Notice};

/// So many lines about single webhooks are logged in one poll; a flood tells nothing more. A convention.
pub(super) const NOTICES_PER_POLL: u32 = 20;

/// Effects that wait for the shell, and how many notices this poll has given.
#[derive(Clone, Debug)]
pub(super) struct Outbox<E> {
    pub(super) effects: Vec<Effect<E>>,
    given: u32,
}

impl<E> Outbox<E> {
    pub(super) fn new() -> Self {
        Self { effects: Vec::new(), given: 0 }
    }

    pub(super) fn push(&mut self, effect: Effect<E>) {
        self.effects.push(effect);
    }

    /// A notice about the account: always given.
    pub(super) fn say(&mut self, notice: Notice<E>) {
        self.push(Effect::Notice(notice));
    }

    /// A notice about one webhook.
    pub(super) fn say_bounded(&mut self, notice: Notice<E>) {
        self.given = self.given.saturating_add(1);
        if self.given <= NOTICES_PER_POLL {
            self.say(notice);
        }
    }

    pub(super) fn end_poll(&mut self) {
        let left_out = self.given.saturating_sub(NOTICES_PER_POLL);
        if left_out > 0 {
            self.say(Notice::Suppressed(left_out));
        }
        self.given = 0;
    }
}
