//! Bounds the lines about single webhooks.

use alloc::vec::Vec;

use super::io::{Effect, Notice, Subject};
use crate::window::Retention;

/// So many lines about single webhooks are logged in one poll; a flood tells nothing more. A convention.
pub(super) const NOTICES_PER_POLL: u32 = 20;

/// Of more logs than this that fail, recover, or show how long they keep entries in one poll, one line tells how many. A convention: what fits a screen
/// beside everything else.
const LOGS_TOLD_ONE_BY_ONE: usize = 5;

/// Effects that wait for the shell, and what this poll has to say.
#[derive(Clone, Debug)]
pub(super) struct Outbox<E> {
    pub(super) effects: Vec<Effect<E>>,
    given: u32,
    failed: Vec<(Subject, E)>,
    recovered: Vec<Subject>,
    learnt: Vec<(Subject, Retention)>,
}

impl<E> Outbox<E> {
    pub(super) fn new() -> Self {
        Self { effects: Vec::new(), given: 0, failed: Vec::new(), recovered: Vec::new(), learnt: Vec::new() }
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

    /// A log could not be read, for a new reason: told when the poll ends.
    pub(super) fn say_log_failed(&mut self, subject: Subject, cause: E) {
        self.failed.push((subject, cause));
    }

    /// A log can be read again: told when the poll ends.
    pub(super) fn say_log_recovered(&mut self, subject: Subject) {
        self.recovered.push(subject);
    }

    /// It was learnt how a log lets go of entries: told when the poll ends.
    pub(super) fn say_log_learnt(&mut self, subject: Subject, retention: Retention) {
        self.learnt.push((subject, retention));
    }

    pub(super) fn end_poll(&mut self) {
        let failed = core::mem::take(&mut self.failed);
        if failed.len() > LOGS_TOLD_ONE_BY_ONE {
            let number = failed.len();
            let example = failed.into_iter().next();
            example.into_iter().for_each(|(subject, cause)| self.say(Notice::LogsFailed(number, subject, cause)));
        } else {
            failed.into_iter().for_each(|(subject, cause)| self.say(Notice::LogFailed(subject, cause)));
        }
        let recovered = core::mem::take(&mut self.recovered);
        if recovered.len() > LOGS_TOLD_ONE_BY_ONE {
            self.say(Notice::LogsRecovered(recovered.len()));
        } else {
            recovered.into_iter().for_each(|subject| self.say(Notice::LogRecovered(subject)));
        }
        let learnt = core::mem::take(&mut self.learnt);
        if learnt.len() > LOGS_TOLD_ONE_BY_ONE {
            self.say(Notice::LogsLearnt(learnt.len()));
        } else {
            learnt.into_iter().for_each(|(subject, retention)| self.say(Notice::LogLearnt(subject, retention)));
        }
        let left_out = self.given.saturating_sub(NOTICES_PER_POLL);
        if left_out > 0 {
            self.say(Notice::Suppressed(left_out));
        }
        self.given = 0;
    }
}
