//! What responses bring.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem::discriminant;
use core::time::Duration;

use super::account::ListState;
use super::io::{CallFailure, CallId, Effect, Listed, Notice, Reach, ResponseMark, Subject};
use super::machine::{Fleet, KEEP_MISSING, KEEP_VANISHED};
use super::member::{Age, LogState, Member, Vanished};
use super::planned::millis;
use super::poll::{Fuse, ListTurn};
use super::schedule;
use crate::attempt::Position;
use crate::baseline;
use crate::id::WebhookId;
use crate::ledger::{Ledger, LogResponse};
use crate::now::Now;
use crate::selection::Selected;
use crate::server_clock::ServerTime;
use crate::time::UnixMillis;
use crate::webhook::Webhook;

impl<E: CallFailure> Fleet<E> {
    /// Takes in a list that worked: what is selected of it, how many of its entries were malformed, and what it is
    /// known by.
    pub fn listed(
        &mut self,
        call: CallId,
        selected: Selected<Webhook>,
        malformed: usize,
        mark: Option<ResponseMark>,
        server_time: ServerTime,
        now: Now,
    ) {
        if !self.end_list_call(call) {
            return;
        }
        self.account.mark = mark;
        if malformed > 0 && self.account.malformed == 0 {
            self.outbox.say(Notice::ListMalformed(malformed));
        }
        self.account.malformed = malformed;
        self.over_limit(selected.dropped);

        let mut gone: BTreeMap<WebhookId, Member<E>> = core::mem::take(&mut self.members);
        // One that could not be read before may be among those that appear.
        let mut strangers = self.account.strangers;
        for webhook in selected.watched {
            match gone.remove(&webhook.id) {
                Some(member) => self.keep(webhook, member),
                None => {
                    strangers = strangers.saturating_sub(1);
                    self.welcome(webhook, server_time, now);
                }
            }
        }
        // Any of them could be one whose id cannot be read, unless that was so while all of them were there.
        let may_be_there = malformed > strangers;
        self.account.strangers = malformed.saturating_sub(if may_be_there { gone.len() } else { 0 });
        for (id, mut member) in gone {
            if may_be_there {
                member.missing_since.get_or_insert(now.uptime);
                self.members.insert(id, member);
            } else {
                self.retire(member, now);
            }
        }
        self.retire_missing(now);
        self.restored_list = None;
        self.list_worked(server_time, now);
        self.set_listed_at(server_time.cautious());
        self.tell_read_interval();
        self.outbox.push(Effect::Show);
        self.fill_turns(now.uptime);
    }

    /// Takes in that the list is as it was when it was read.
    pub fn list_unchanged(&mut self, call: CallId, server_time: ServerTime, now: Now) {
        if self.end_list_call(call) {
            self.retire_missing(now);
            self.list_worked(server_time, now);
            self.set_listed_at(server_time.cautious());
            self.outbox.push(Effect::Show);
            self.fill_turns(now.uptime);
        }
    }

    /// Takes in that the list failed. It removes nothing.
    pub fn list_failed(&mut self, call: CallId, failure: E, now: Now, random: f64) {
        if !self.end_list_call(call) {
            return;
        }
        let is_api = failure.reach() == Reach::Api;
        if let Some(poll) = &mut self.poll {
            poll.has_failed_list = true;
            if is_api {
                poll.fuse = Fuse::Armed { tried: None };
            }
        }
        self.note_list_failure(failure, now.uptime, random);
        self.outbox.push(Effect::Show);
        self.fill_turns(now.uptime);
    }

    fn end_list_call(&mut self, call: CallId) -> bool {
        if self.account.call != Some(call) {
            return false;
        }
        self.account.call = None;
        if let Some(poll) = &mut self.poll {
            poll.list = ListTurn::Done;
        }
        self.has_news = true;
        true
    }

    /// Takes in how many webhooks are not watched because there are too many.
    pub fn over_limit(&mut self, dropped: usize) {
        if dropped > 0 && self.account.dropped == 0 {
            self.outbox.say(Notice::OverLimit(dropped));
        }
        self.account.dropped = dropped;
    }

    pub(super) fn note_list_failure(&mut self, failure: E, uptime: Duration, random: f64) {
        let failures = self.account.failures().saturating_add(1);
        let is_news = match &self.account.list {
            ListState::Unreadable { cause, .. } => !cause.is_like(&failure),
            ListState::Unknown | ListState::Readable => true,
        };
        if is_news {
            self.outbox.say(Notice::ListFailed(failure.clone()));
        }
        self.newest_failure = Some(failure.clone());
        let wait = if self.account.has_worked {
            schedule::backoff(failures, self.settings.interval, random)
        } else {
            // The next poll comes early, and lists again.
            Duration::ZERO
        };
        self.account.list = ListState::Unreadable { cause: failure, failures, retry_at: uptime.saturating_add(wait) };
        self.has_news = true;
    }

    pub(super) fn list_worked(&mut self, server_time: ServerTime, now: Now) {
        if matches!(self.account.list, ListState::Unreadable { .. }) {
            self.outbox.say(Notice::ListRecovered);
        }
        self.account.list = ListState::Readable;
        self.account.has_worked = true;
        self.account.state.list_read_at = Some(now.wall);
        self.account.state.server_ahead_millis = server_time.at.millis_since(now.wall);
    }

    /// That there has been a list is worth a checkpoint even if nothing is in it: what comes after it is no history.
    pub(super) fn set_listed_at(&mut self, server_time: UnixMillis) {
        if self.account.state.listed_at.is_none() {
            self.change();
        }
        self.account.state.listed_at = Some(server_time);
    }

    /// A webhook that is watched is still there.
    fn keep(&mut self, webhook: Webhook, mut member: Member<E>) {
        member.missing_since = None;
        if *member.webhook != webhook {
            member.webhook = Arc::new(webhook);
            member.revision = self.change();
        }
        self.members.insert(member.webhook.id, member);
    }

    /// A webhook that is not watched is there: it returned, it appeared, or this is the first time that any is seen.
    fn welcome(&mut self, webhook: Webhook, server_time: ServerTime, now: Now) {
        let (id, webhook) = (webhook.id, Arc::new(webhook));
        let revision = self.change();
        let member = match self.vanished.remove(&id) {
            Some(vanished) if vanished.forget_at > now.uptime => {
                let age = Age::Outrun;
                let log = if vanished.is_behind { LogState::Behind { age } } else { LogState::Unread };
                let member = Member::new(webhook, vanished.ledger, log);
                self.outbox.say_bounded(Notice::Returned(member.subject()));
                member
            }
            _ => {
                let (floor, log) = self.baseline_of(id, server_time.cautious());
                let mut member = Member::new(webhook, Arc::new(Ledger::new(floor)), log);
                if floor == Position::after(server_time.cautious().end_of_second()) {
                    member.listed = Some(Listed { at: server_time.at, came_at: now });
                }
                if matches!(member.log, LogState::Appeared) {
                    self.outbox.say_bounded(Notice::Appeared(member.subject()));
                }
                member
            }
        };
        let waits_since = millis(self.poll.as_ref().map_or(now.uptime, |poll| poll.started));
        self.members.insert(id, Member { revision, waits_since, ..member });
    }

    /// Where counting starts for a webhook without a ledger, and whether its log is read in this poll.
    fn baseline_of(&self, id: WebhookId, server_time: UnixMillis) -> (Position, LogState<E>) {
        match (self.restored_list, self.account.state.listed_at) {
            (Some(last_list), _) => (baseline::after_restart(id, last_list, server_time), LogState::Appeared),
            (None, Some(previous)) => (baseline::appeared(previous), LogState::Appeared),
            (None, None) => (baseline::first_start(self.settings.history, server_time), LogState::Unread),
        }
    }

    /// Stops watching the webhooks that a malformed entry of the list has stood for long enough.
    fn retire_missing(&mut self, now: Now) {
        let is_over = |_: &WebhookId, member: &mut Member<E>| {
            member.missing_since.is_some_and(|since| now.uptime.saturating_sub(since) >= KEEP_MISSING)
        };
        let over: Vec<Member<E>> = self.members.extract_if(.., is_over).map(|(_, member)| member).collect();
        if !over.is_empty() {
            let missing = self.members.values().filter(|member| member.missing_since.is_some()).count();
            self.account.strangers = self.account.malformed.saturating_sub(missing);
        }
        over.into_iter().for_each(|member| self.retire(member, now));
    }

    /// Stops watching a webhook, and keeps its ledger for a while.
    fn retire(&mut self, member: Member<E>, now: Now) {
        self.outbox.say_bounded(Notice::Vanished(member.subject()));
        let revision = self.change();
        let is_behind = member.behind() == Some(Age::Outrun);
        let Member { webhook, ledger, .. } = member;
        self.abandoned.extend(self.calls.remove_entry(&webhook.id));
        let forget_at = now.uptime.saturating_add(KEEP_VANISHED);
        let vanished = Vanished { webhook, ledger, since: now.wall, forget_at, is_behind, revision };
        self.vanished.insert(vanished.webhook.id, vanished);
    }

    /// Takes in what the call by id says; `is_admitted` by the filter.
    pub fn described(&mut self, call: CallId, webhook: Webhook, is_admitted: bool, server_time: ServerTime, now: Now) {
        let id = webhook.id;
        if !self.ends_describing(id, call) {
            return;
        }
        let at = server_time.cautious();
        let first = self.ids.first_server_time.map_or(at, |first| first.min(at));
        self.ids.first_server_time = Some(first);
        let member = self.members.remove(&id);
        if !is_admitted {
            self.list_worked(server_time, now);
            if let Some(member) = member {
                self.retire(member, now);
            }
            return;
        }
        match member {
            Some(member) => self.keep(webhook, member),
            None => self.welcome(webhook, server_time, now),
        }
        self.list_worked(server_time, now);
        if self.members.get(&id).is_some_and(|member| matches!(member.log, LogState::Appeared)) {
            self.outbox.push(Effect::Show);
        } else {
            self.go_on_to_log(id, now.uptime);
        }
    }

    /// Reads a log after its call by id. During a pause no call starts: then both are made once it is over.
    fn go_on_to_log(&mut self, id: WebhookId, uptime: Duration) {
        if self.paused_until <= uptime {
            let call = self.call();
            self.read_log(id, call, uptime);
            if let Some(poll) = &mut self.poll {
                poll.call_starts(uptime, self.settings.interval);
            }
        } else if let Some(poll) = &mut self.poll {
            poll.turns.push_front(id);
        }
    }

    /// Takes in that the call by id failed: only the word that there is no such webhook removes it. If others may work,
    /// the log is read all the same.
    pub fn not_described(&mut self, call: CallId, id: WebhookId, failure: E, now: Now, random: f64) {
        if !self.ends_describing(id, call) {
            return;
        }
        if let Some(poll) = &mut self.poll {
            poll.has_failed_log = true;
        }
        let reach = failure.reach();
        self.newest_failure = Some(failure.clone());
        self.ids.problem = Some(failure.clone());
        match reach {
            Reach::Gone => {
                if let Some(member) = self.members.remove(&id) {
                    self.retire(member, now);
                }
            }
            Reach::Api => self.note_log_failure(id, failure, now.uptime, random),
            Reach::Call => {
                if self.members.contains_key(&id) {
                    self.go_on_to_log(id, now.uptime);
                }
            }
        }
    }

    fn ends_describing(&mut self, id: WebhookId, call: CallId) -> bool {
        self.has_news = true;
        self.ends_call(id, call)
    }

    /// Whether this call was under way for this webhook; then it is no longer.
    fn ends_call(&mut self, id: WebhookId, call: CallId) -> bool {
        let is_it = self.calls.get(&id) == Some(&call);
        if is_it {
            self.calls.remove(&id);
        }
        is_it
    }

    /// Whether `call` is still the one that reads this member: it may have gone, or be read by another by now.
    fn ends_reading(&mut self, id: WebhookId, call: CallId) -> bool {
        if self.abandoned.get(&id) == Some(&call) {
            self.abandoned.remove(&id);
            return false;
        }
        let is_it = self.ends_call(id, call);
        self.has_news |= is_it;
        is_it
    }

    /// Takes in what a log says.
    pub fn log_read(
        &mut self,
        call: CallId,
        id: WebhookId,
        response: LogResponse,
        mark: Option<ResponseMark>,
        server_time: ServerTime,
        now: Now,
    ) {
        if !self.ends_reading(id, call) {
            return;
        }
        let revision = self.revision + 1;
        let policy = self.settings.policy;
        let Some(member) = self.members.get_mut(&id) else { return };
        let subject = member.subject();
        let is_first = !matches!(member.log, LogState::Readable);
        let behind = member.behind();
        let had_left_out = !is_first && left_out(&member.ledger) > 0;
        let (lost, gaps) = (member.ledger.events().lost(), member.ledger.totals().gaps);

        let retention = member.ledger.retention();

        member.mark = mark.filter(|_| !response.says_more_later());
        let ledger = Arc::make_mut(&mut member.ledger);
        let mut has_changed = ledger.fold(response, &policy) || behind.is_some();
        let is_gap = ledger.totals().gaps > gaps;
        let window = *ledger.window();
        if discriminant(&ledger.retention()) != discriminant(&retention) {
            self.outbox.say_log_learnt(subject.clone(), ledger.retention());
        }
        let mut notices = Vec::new();
        notices.extend(lost_notice(&member.ledger, &subject, lost));
        if is_gap {
            notices.push(Notice::Gap(subject.clone()));
        }
        if window.malformed + window.foreign > 0 && !had_left_out {
            let (malformed, foreign) = (window.malformed, window.foreign);
            notices.push(Notice::LeftOut { subject: subject.clone(), malformed, foreign });
        }
        if behind == Some(Age::Outrun) && is_gap {
            // A step back would count everything again for PromQL; a step to 0 costs it nothing.
            notices.push(Notice::Reset(subject));
            member.ledger = Arc::new(Ledger::new(baseline::reset(server_time.at)));
            member.mark = None;
            has_changed = true;
        }
        if has_changed {
            member.revision = revision;
            self.revision = revision;
        }
        for notice in notices {
            self.outbox.say_bounded(notice);
        }
        self.log_worked(id, server_time, now);
    }

    /// Takes in that a log is as it was when it was read.
    pub fn log_unchanged(&mut self, call: CallId, id: WebhookId, server_time: ServerTime, now: Now) {
        if !self.ends_reading(id, call) {
            return;
        }
        let (revision, policy) = (self.revision + 1, self.settings.policy);
        if let Some(member) = self.members.get_mut(&id) {
            let (lost, retention) = (member.ledger.events().lost(), member.ledger.retention());
            if Arc::make_mut(&mut member.ledger).unchanged(server_time, &policy) {
                member.revision = revision;
                self.revision = revision;
            }
            if discriminant(&member.ledger.retention()) != discriminant(&retention) {
                self.outbox.say_log_learnt(member.subject(), member.ledger.retention());
            }
            let notice = lost_notice(&member.ledger, &member.subject(), lost);
            notice.into_iter().for_each(|notice| self.outbox.say_bounded(notice));
        }
        self.log_worked(id, server_time, now);
    }

    fn log_worked(&mut self, id: WebhookId, server_time: ServerTime, now: Now) {
        let Some(member) = self.members.get_mut(&id) else { return };
        let was_down = matches!(member.log, LogState::Unreadable { .. });
        member.log = LogState::Readable;
        member.read_at = Some(now.wall);
        let subject = member.subject();
        self.account.state.server_ahead_millis = server_time.at.millis_since(now.wall);
        if was_down {
            self.outbox.say_log_recovered(subject);
        }
        if let Some(poll) = &mut self.poll
            && poll.fuse == (Fuse::Armed { tried: Some(id) })
        {
            poll.fuse = Fuse::Off;
        }
    }

    /// Takes in that a log could not be read. All that is known of it stays.
    pub fn log_failed(&mut self, call: CallId, id: WebhookId, failure: E, now: Now, random: f64) {
        if self.ends_reading(id, call) {
            self.note_log_failure(id, failure, now.uptime, random);
        }
    }

    fn note_log_failure(&mut self, id: WebhookId, failure: E, uptime: Duration, random: f64) {
        let is_api = failure.reach() == Reach::Api;
        self.newest_failure = Some(failure.clone());
        if let Some(member) = self.members.get_mut(&id) {
            let (failures, is_news) = match &member.log {
                LogState::Unreadable { failures, cause, .. } => (*failures, !cause.is_like(&failure)),
                LogState::Appeared | LogState::Unread | LogState::Behind { .. } | LogState::Readable => (0, true),
            };
            let failures = failures.saturating_add(1);
            let backoff = schedule::backoff(failures, self.settings.interval, random);
            let wait = failure.retry_after().map_or(backoff, |asked| asked.max(backoff));
            let (subject, behind) = (member.subject(), member.behind());
            let retry_at = uptime.saturating_add(wait);
            member.log = LogState::Unreadable { cause: failure.clone(), failures, retry_at, behind };
            if is_news {
                self.outbox.say_log_failed(subject, failure);
            }
        }
        let Some(poll) = &mut self.poll else { return };
        poll.has_failed_log = true;
        if poll.fuse == (Fuse::Armed { tried: Some(id) }) {
            poll.fuse = Fuse::Off;
            if is_api {
                self.lose_sight(uptime);
            }
        }
    }
}

/// What is said if a webhook that had `lost_before` lost events has more of them now.
fn lost_notice<E>(ledger: &Ledger, subject: &Subject, lost_before: u64) -> Option<Notice<E>> {
    let events = ledger.events();
    let lost = events.lost().checked_sub(lost_before).filter(|lost| *lost > 0)?;
    let newest = events.lost_events().newest()?.last.position.id;
    Some(Notice::Lost { subject: subject.clone(), lost, newest })
}

fn left_out(ledger: &Ledger) -> u64 {
    ledger.window().malformed + ledger.window().foreign
}
