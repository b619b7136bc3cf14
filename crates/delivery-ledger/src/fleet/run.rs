//! When polls start and end, and whose turn it is.

use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::account::ListState;
use super::io::{CallFailure, CallId, Effect, PollResult, Reach};
use super::machine::Fleet;
use super::member::{Age, LogState, Member};
use super::poll::{Fuse, ListTurn, Poll, patience};
use super::schedule;
use crate::id::WebhookId;
use crate::now::Now;

impl<E: CallFailure> Fleet<E> {
    /// Takes in that time has passed: starts and ends polls, and starts calls. `random` is uniform in `[0, 1)`.
    pub fn advance(&mut self, now: Now, random: f64) {
        self.forget_vanished(now.uptime);
        self.show_stale(now.uptime);
        loop {
            let Some(poll) = &mut self.poll else {
                if !self.start_poll(now) {
                    return;
                }
                continue;
            };
            if let ListTurn::Awaited { turns_from } = poll.list
                && now.uptime >= turns_from
            {
                // The list takes long: what is known is read on.
                poll.list = ListTurn::Late;
                self.fill_turns(now.uptime);
            }
            self.end_turns(now.uptime);
            if !self.start_turn(now) && !self.end_poll(now, random) {
                return;
            }
        }
    }

    /// Polls every so often from now on. What is polled more often than before is polled at once, unless that is under way;
    /// what is polled less often, so long after the last poll. How a poll goes, and how long what fails is left alone,
    /// follows from the interval of the settings all the same.
    pub fn poll_every(&mut self, every: Duration, now: Now) {
        if self.poll.is_none() {
            if every < self.every {
                self.due = self.due.min(now.uptime);
            } else if self.account.has_worked {
                self.due = self.due.saturating_sub(self.every).saturating_add(every);
            }
        }
        if self.told_read_interval == self.every {
            // As often as the interval says, before and after: no news.
            self.told_read_interval = every;
        }
        self.every = every;
        self.make_plan();
    }

    /// Whether a poll is under way.
    #[must_use]
    pub fn is_polling(&self) -> bool {
        self.poll.is_some()
    }

    /// Takes in until when the API asked for a pause: no call starts before then.
    pub fn paused(&mut self, until: Duration) {
        self.paused_until = until;
    }

    /// When [`Fleet::advance`] is wanted next; an input may make it earlier.
    #[must_use]
    pub fn wake_at(&self) -> Duration {
        self.poll_wakes_at().min(self.stale_until.unwrap_or(Duration::MAX))
    }

    /// Leaves the turns that a poll had no time for to the next one.
    fn end_turns(&mut self, uptime: Duration) {
        if self.turns_end_at().is_some_and(|at| at <= uptime)
            && let Some(poll) = &mut self.poll
        {
            let left = core::mem::take(&mut poll.turns);
            self.put_off(left.into_iter());
        }
    }

    /// When the turns of the poll end that are left; not during a pause, which may mean more.
    fn turns_end_at(&self) -> Option<Duration> {
        let poll = self.poll.as_ref().filter(|poll| !poll.turns.is_empty())?;
        poll.bounds.map(|bounds| bounds.turns.max(self.paused_until))
    }

    fn poll_wakes_at(&self) -> Duration {
        let Some(poll) = &self.poll else { return self.due };
        let turn = poll.turn_at().filter(|_| self.has_room()).map(|at| at.max(self.paused_until));
        let list = match poll.list {
            ListTurn::Awaited { turns_from } => Some(turns_from),
            ListTurn::Late | ListTurn::Done => None,
        };
        let mut wake = [turn, list, self.turns_end_at()].into_iter().flatten().min().unwrap_or(Duration::MAX);
        if poll.turns.is_empty() && (poll.list == ListTurn::Done || self.has_something_to_show())
            || self.paused_until > poll.deadline
        {
            wake = wake.min(poll.deadline);
        }
        wake
    }

    /// Shows counts of an old checkpoint that could not be brought up to date for long enough.
    fn show_stale(&mut self, uptime: Duration) {
        if self.stale_until.is_none_or(|until| until > uptime) {
            return;
        }
        self.stale_until = None;
        for member in self.members.values_mut() {
            if matches!(member.behind(), Some(Age::Stale { shown_at }) if shown_at <= uptime) {
                member.come_up();
                self.has_news = true;
            }
        }
    }

    fn forget_vanished(&mut self, uptime: Duration) {
        let kept = self.vanished.len();
        self.vanished.retain(|_, vanished| vanished.forget_at > uptime);
        if self.vanished.len() < kept {
            self.change();
        }
    }

    /// Starts a poll if one is due. While the API asks for a pause none is: then nothing of the present is known.
    fn start_poll(&mut self, now: Now) -> bool {
        if now.uptime < self.due {
            return false;
        }
        if self.paused_until > now.uptime {
            self.due = self.paused_until;
            self.lose_sight(now.uptime);
            self.is_ready = true;
            self.outbox.push(Effect::Show);
            return false;
        }
        let interval = self.settings.interval;
        for member in self.members.values_mut() {
            // It has been shown at 0 since the last poll.
            if matches!(member.log, LogState::Appeared) {
                member.log = LogState::Unread;
            }
        }
        let mut poll = Poll::new(now.uptime, interval);
        if !self.settings.ids.is_empty() {
            self.poll = Some(poll);
            self.fill_turns(now.uptime);
        } else if self.account.is_backing_off(now.uptime) {
            // The list keeps failing: it is left alone for a while, the logs are not.
            poll.has_failed_list = true;
            if self.is_api_out_of_reach() {
                poll.fuse = Fuse::Armed { tried: None };
            }
            self.poll = Some(poll);
            self.fill_turns(now.uptime);
        } else if self.account.call.is_some() {
            // The list of an earlier poll hangs.
            poll.list = ListTurn::Late;
            self.poll = Some(poll);
            self.fill_turns(now.uptime);
        } else {
            let call = self.call();
            self.account.call = Some(call);
            poll.await_list(interval);
            self.outbox.push(Effect::List { call, mark: self.account.mark.clone() });
            self.poll = Some(poll);
        }
        true
    }

    fn is_api_out_of_reach(&self) -> bool {
        match &self.account.list {
            ListState::Unreadable { cause, .. } => cause.reach() == Reach::Api,
            ListState::Unknown | ListState::Readable => false,
        }
    }

    /// Lines up whoever is due.
    pub(super) fn fill_turns(&mut self, uptime: Duration) {
        let interval = self.settings.interval;
        let Some(poll) = &self.poll else { return };
        // A poll reads a log once. Before a first list polls may follow early on each other; those read it no more often.
        let called_from = if self.account.has_worked { poll.started } else { uptime.saturating_sub(interval / 2) };
        // A call from before it went and returned still reads it.
        let is_due = |id: &WebhookId, member: &Member<E>| {
            let is_called = self.calls.contains_key(id) || self.abandoned.contains_key(id);
            member.is_due(uptime, called_from) && !is_called
        };
        let turns: Vec<WebhookId> = if self.settings.ids.is_empty() {
            let queued: BTreeSet<WebhookId> = poll.turns.iter().copied().collect();
            let due = self.members.iter().filter(|(id, member)| is_due(id, member)).map(|(id, _)| *id);
            let due = due.filter(|id| !queued.contains(id)).collect();
            self.choose(due)
        } else {
            // The calls by id are the list: until it has worked once, all of them are tried again in each poll.
            let is_first_list = !self.account.has_worked;
            let is_due = |id: &&WebhookId| match self.members.get(id) {
                Some(member) => is_due(id, member) || is_first_list && !self.calls.contains_key(id),
                None => !self.calls.contains_key(id),
            };
            self.settings.ids.iter().filter(is_due).copied().collect()
        };
        let Some(poll) = &mut self.poll else { return };
        poll.turns.extend(turns);
        // A first poll is over as soon as it can be: there is nothing to show before.
        let is_first = self.account.state.listed_at.is_none();
        poll.spacing = if is_first { Duration::ZERO } else { schedule::spacing(poll.turns.len(), interval) };
        poll.next_turn = uptime;
    }

    /// Whether a poll may end though its list hangs: before a first list there is nothing to show but what was restored.
    fn has_something_to_show(&self) -> bool {
        self.account.has_worked || !self.members.is_empty()
    }

    fn has_room(&self) -> bool {
        self.calls.len() + self.abandoned.len() < self.settings.concurrency.max(1)
    }

    /// Starts the next turn if it may start now.
    fn start_turn(&mut self, now: Now) -> bool {
        let may_start = self.poll.as_ref().and_then(Poll::turn_at).is_some_and(|at| at <= now.uptime)
            && self.paused_until <= now.uptime
            && self.has_room();
        let Some(poll) = self.poll.as_mut().filter(|_| may_start) else { return false };
        let Some(id) = poll.turns.pop_front() else { return false };
        poll.next_turn = now.uptime.saturating_add(poll.spacing);
        poll.call_starts(now.uptime, self.settings.interval);
        if let Fuse::Armed { tried } = &mut poll.fuse {
            *tried = Some(id);
        }
        let call = self.call();
        if self.settings.ids.is_empty() {
            self.read_log(id, call, now.uptime);
        } else {
            self.calls.insert(id, call);
            if let Some(member) = self.members.get_mut(&id) {
                Self::takes_turn(member, self.poll.as_ref(), now.uptime);
            }
            self.outbox.push(Effect::Describe { call, id });
        }
        true
    }

    /// Reads a member's log with this call, which takes the place of any other.
    pub(super) fn read_log(&mut self, id: WebhookId, call: CallId, uptime: Duration) {
        let Some(member) = self.members.get_mut(&id) else { return };
        self.calls.insert(id, call);
        Self::takes_turn(member, self.poll.as_ref(), uptime);
        // What becomes of an attempt that was under way takes a response to tell.
        let mark = member.mark.clone().filter(|_| !member.ledger.has_under_way());
        let (ledger, listed) = (Arc::clone(&member.ledger), member.listed);
        self.outbox.push(Effect::ReadLog { call, id, ledger, mark, listed });
    }

    /// Ends the poll if all its calls have ended, or if its time is up and nothing is left but calls that hang.
    fn end_poll(&mut self, now: Now, random: f64) -> bool {
        let Some(poll) = &self.poll else { return false };
        let is_time_up = now.uptime >= poll.deadline;
        let is_list_done = poll.list == ListTurn::Done;
        let is_over = poll.turns.is_empty() && is_list_done && self.calls.is_empty();
        // A pause of up to an hour is no poll.
        let is_paused = self.paused_until > poll.deadline;
        let may_leave_behind = poll.turns.is_empty() && (is_list_done || self.has_something_to_show());
        if !is_over && !(is_time_up && (may_leave_behind || is_paused)) {
            return false;
        }
        let Some(mut poll) = self.poll.take() else { return false };
        if !poll.turns.is_empty() {
            poll.has_failed_list = true;
            self.lose_sight(now.uptime);
        }
        if !self.settings.ids.is_empty() {
            poll.has_failed_list |= self.end_ids(poll.started, now.uptime, random);
        }
        // What hangs has failed, too, and so has what was left out for its failures or for an older call.
        poll.has_failed_log |= !is_list_done || self.has_call_that_hangs(now.uptime);
        poll.has_failed_log |= self.members.values().any(Member::is_unread);
        let result = match (poll.has_failed_list, poll.has_failed_log) {
            (true, _) => PollResult::Failed,
            (false, true) => PollResult::Partial,
            (false, false) => PollResult::Ok,
        };
        self.note_turns(&poll);
        self.is_ready = true;
        self.outbox.push(Effect::Show);
        self.outbox.end_poll();
        self.outbox.push(Effect::PollEnded { result, took: now.uptime.saturating_sub(poll.started) });
        self.plan_next(now.uptime, result, random);
        true
    }

    /// Whether a call has been under way for longer than it may hold up anything. Those that have begun at the very end of a
    /// poll, and go on beside the next one, have not.
    fn has_call_that_hangs(&self, uptime: Duration) -> bool {
        let patience = patience(self.settings.interval);
        let hangs = |at: Duration| at.saturating_add(patience) <= uptime;
        self.calls.keys().any(|id| self.members.get(id).and_then(|member| member.called_at).is_none_or(hangs))
    }

    fn plan_next(&mut self, uptime: Duration, result: PollResult, random: f64) {
        let interval = self.settings.interval;
        let (next, missed) = schedule::next_tick(self.due, self.every, uptime);
        if missed > 0 {
            self.outbox.push(Effect::PollsSkipped(missed));
        }
        self.due = next;
        if result == PollResult::Failed && !self.account.has_worked {
            // Nothing may ever have been read: it is tried again soon. What happens meanwhile would be history.
            let wait = schedule::backoff(self.account.failures().max(1), interval, random).min(interval);
            self.due = self.due.min(uptime.saturating_add(wait));
        }
    }

    /// Ends a poll of calls by id: together they are the list, which worked if one of them did. As long as one is out,
    /// it may be the one. Says whether the list failed.
    fn end_ids(&mut self, started: Duration, uptime: Duration, random: f64) -> bool {
        if let Some(server_time) = self.ids.first_server_time.take() {
            self.ids.problem = None;
            self.restored_list = None;
            self.set_listed_at(server_time);
            return false;
        }
        let was_not_asked = |member: &Member<E>| member.called_at.is_none_or(|at| at < started);
        let is_one_out =
            self.calls.keys().any(|id| !self.members.contains_key(id)) || self.members.values().any(was_not_asked);
        if !is_one_out && let Some(problem) = self.ids.problem.take() {
            self.note_list_failure(problem, uptime, random);
        }
        matches!(self.account.list, ListState::Unreadable { .. })
    }

    /// Nothing can be read: what was known of the present is not known any more.
    pub(super) fn lose_sight(&mut self, uptime: Duration) {
        let Some(cause) = self.newest_failure.clone() else { return };
        for (_, member) in self.members.iter_mut().filter(|(id, _)| !self.calls.contains_key(*id)) {
            Self::mark_unread(member, &cause, uptime);
        }
        if let Some(poll) = &mut self.poll {
            poll.turns.clear();
        }
        self.has_news = true;
    }

    /// Marks a log as not readable though no call of its own failed.
    fn mark_unread(member: &mut Member<E>, cause: &E, uptime: Duration) {
        if matches!(member.log, LogState::Readable) {
            member.log = LogState::Unreadable { cause: cause.clone(), failures: 0, retry_at: uptime, behind: None };
        }
    }
}
