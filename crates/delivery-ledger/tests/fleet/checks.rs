//! What has to hold after every input.

use std::sync::Arc;
use std::time::Duration;

use delivery_ledger::fleet::PollResult;
use delivery_ledger::{Ledger, Webhook};

use crate::cloud::TIMEOUT;
use crate::model::Watched;
use crate::record::Brought;
use crate::shell::Shell;

/// So many times per interval the fleet may want to be woken for nothing but its own deadlines.
const IDLE_WAKES_PER_INTERVAL: usize = 12;

impl Shell {
    pub(crate) fn expect_progress(&mut self) {
        let interval = self.settings.interval;
        while self.idle_wakes.front().is_some_and(|at| *at + interval < self.clock) {
            self.idle_wakes.pop_front();
        }
        assert!(self.idle_wakes.len() <= IDLE_WAKES_PER_INTERVAL, "it is woken again and again: {:?}", self.idle_wakes);
        let webhooks = u32::try_from(self.cloud.hooks.len()).expect("few");
        let longest = self.every * 2 + TIMEOUT * (4 + 2 * webhooks);
        assert!(self.clock <= self.quiet_since + longest, "no poll has ended for {:?}", self.clock - self.quiet_since);
    }

    pub(crate) fn compare(&mut self) {
        let shown: Vec<_> = self.fleet.members().collect();
        let expected: Vec<_> = self.model.watched.values().filter(|watched| !watched.known.is_hidden).collect();
        let ids = |webhooks: Vec<&Webhook>| webhooks.into_iter().map(|webhook| webhook.id).collect::<Vec<_>>();
        assert_eq!(
            ids(shown.iter().map(|member| member.webhook.as_ref()).collect()),
            ids(expected.iter().map(|watched| &watched.webhook).collect()),
            "other webhooks are shown than there are"
        );
        for (member, watched) in shown.iter().zip(&expected) {
            assert_eq!(**member.webhook, watched.webhook);
            let log = &self.cloud.hooks[self.cloud.index_of(member.webhook.id)].log;
            let totals = member.ledger.totals();
            let counts = (totals.attempts, totals.failures.iter().sum::<u64>());
            assert_eq!(counts, watched.counts(log), "{} of {log:?}: {watched:?}", member.webhook.code);
            assert_eq!(totals.gaps, 0, "a log that is shown whole has no gap");
            match (member.is_up, watched.is_up) {
                // A pause, or an API out of reach, says more than the last call.
                (Some(false), Some(true)) => {
                    assert!(self.has_lost_sight, "{} is said to be down", watched.webhook.code)
                }
                (is_up, expected) => assert_eq!(is_up, expected, "{}", watched.webhook.code),
            }
        }
        for (seen, ledger) in &self.seen {
            for member in shown.iter().filter(|member| Arc::as_ptr(member.ledger) == seen.as_ptr()) {
                assert_eq!(**member.ledger, *ledger, "the same allocation is the same ledger");
            }
        }
        let seen = shown.iter().map(|member| (Arc::downgrade(member.ledger), Ledger::clone(member.ledger)));
        self.seen = seen.collect();
        let account = self.fleet.account();
        if !self.is_by_id() {
            let said = (account.is_up, account.dropped, account.malformed);
            assert_eq!(said, (self.model.is_list_up, self.model.dropped, self.model.malformed));
        }
        assert!(self.fleet.is_ready() || !self.was_ready, "it is not ready any more");
        self.was_ready = self.fleet.is_ready();
    }

    /// Whether not all logs are read in each poll.
    pub(crate) fn takes_turns(&self) -> bool {
        self.rate > 0.0 && !self.is_by_id()
    }

    /// Whether a poll that ended now may have ended like this.
    pub(crate) fn expect_result(&mut self, result: PollResult, began: Duration, have_ids_worked: bool) {
        self.results.push(result);
        self.quiet_since = self.quiet_since.max(self.clock);
        // What came at the very moment when it began may belong to it or not.
        self.brought.retain(|(at, _)| *at + self.settings.interval / 2 >= began);
        let surely = |what: Brought| self.brought.iter().any(|(at, brought)| *at > began && *brought == what);
        let maybe = |what: Brought| self.brought.iter().any(|(at, brought)| *at >= began && *brought == what);
        // A poll is over if a pause outlasts it, even if the process only wakes up after both.
        let is_paused = self.paused_until > began + self.settings.interval * 9 / 10;
        let has_failed_list = match self.is_by_id() {
            true => !have_ids_worked,
            false => self.model.is_list_up == Some(false),
        };
        let code = |watched: &Watched| watched.webhook.code.clone();
        let unread = self
            .model
            .watched
            .values()
            .filter(|watched| watched.appeared_at.is_none_or(|at| at < began) && watched.is_up != Some(true));
        // What is left to a later poll has not failed.
        let is_left = |watched: &&Watched| self.takes_turns() && watched.is_up.is_none();
        let failed: Vec<String> = unread.clone().filter(|watched| !is_left(watched)).map(code).collect();
        let unread: Vec<String> = unread.map(code).collect();
        match result {
            PollResult::Ok => {
                // Of chosen webhooks, one whose call is under way is not asked again, and fails no list.
                let has_list = self.is_by_id() || maybe(Brought::List) && !has_failed_list;
                assert!(has_list && !surely(Brought::NoList), "a poll without a list is no success");
                assert!(failed.is_empty() && !surely(Brought::NoLog), "a log could not be read: {failed:?}");
            }
            PollResult::Partial => {
                assert!(!surely(Brought::NoList), "a poll whose list failed has failed");
                let hangs = !self.calls.is_empty();
                assert!(hangs || maybe(Brought::NoLog) || !unread.is_empty(), "every log was read: {:?}", self.brought);
            }
            PollResult::Failed => {
                assert!(has_failed_list || maybe(Brought::NoList) || is_paused, "the list was read");
            }
        }
    }
}
