//! A fleet that is driven by hand, for scenarios: an interval of a minute, the server's time is the local one.

use std::sync::Arc;
use std::time::Duration;

use delivery_ledger::fleet::{
    AccountState, CallId, Effect, Fleet, FleetSettings, Notice, Now, PollResult, Reach, ResponseMark, WebhookState,
};
use delivery_ledger::{
    Attempt, AttemptId, History, Ledger, Outcome, Policy, Selected, ServerTime, UnixMillis, Webhook, WebhookId,
};

use crate::cloud::{BEGIN, Hook, dated, object_id};
use crate::failure::Failure;

/// The time between the starts of two polls, in seconds.
pub(crate) const INTERVAL: u64 = 60;

/// The `number`-th webhook; it was made long before everything else.
pub(crate) fn webhook(number: u32) -> Webhook {
    let id = WebhookId(object_id(UnixMillis::from_secs(1_600_000_000), number));
    Hook { id, code: format!("w-{number}"), is_there: true, log: Vec::new() }.webhook()
}

pub(crate) fn id(number: u32) -> WebhookId {
    webhook(number).id
}

/// A log call that the fleet asks for.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) call: CallId,
    pub(crate) id: WebhookId,
    ledger: Arc<Ledger>,
    pub(crate) mark: Option<ResponseMark>,
}

/// What the fleet asked for and said since it was last asked.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) lists: Vec<CallId>,
    pub(crate) describes: Vec<(CallId, WebhookId)>,
    pub(crate) reads: Vec<Read>,
    pub(crate) ended: Vec<PollResult>,
    pub(crate) shows: usize,
    pub(crate) notices: Vec<Notice<Failure>>,
}

impl Asked {
    pub(crate) fn list(&self) -> CallId {
        *self.lists.first().expect("a call of the list")
    }

    pub(crate) fn read_ids(&self) -> Vec<WebhookId> {
        self.reads.iter().map(|read| read.id).collect()
    }
}

/// A fleet, and the time in seconds since its process began.
#[derive(Debug)]
pub(crate) struct Hand {
    pub(crate) fleet: Fleet<Failure>,
    pub(crate) clock: Duration,
    /// What the fleet is given for jitter: the longest waits.
    random: f64,
    settings: FleetSettings,
}

impl Hand {
    pub(crate) fn new(ids: Vec<WebhookId>) -> Self {
        let settings = FleetSettings {
            policy: Policy { max_retries: 3, pending_timeout_millis: 900_000 },
            interval: Duration::from_secs(INTERVAL),
            concurrency: 8,
            history: History::Ignore,
            ids,
        };
        let fleet = Fleet::new(settings.clone(), now(Duration::ZERO));
        Self { fleet, clock: Duration::ZERO, random: 1.0, settings }
    }

    /// One whose first poll, at 0, found these webhooks with empty logs and ended well.
    pub(crate) fn watching(numbers: &[u32]) -> Self {
        let mut hand = Self::new(Vec::new());
        let asked = hand.at(0);
        hand.listed(asked.list(), numbers);
        hand.works_all(&asked);
        let asked = hand.works_until_the_poll_ends();
        assert_eq!(asked.ended, [PollResult::Ok]);
        hand
    }

    /// The same after a restart from all that there is to save.
    pub(crate) fn restarted(&self) -> Self {
        let (account, webhooks) = self.saved();
        let mut fleet = Fleet::new(self.settings.clone(), now(self.clock));
        fleet.restore(account, webhooks, false, now(self.clock));
        Self { fleet, clock: self.clock, random: self.random, settings: self.settings.clone() }
    }

    fn saved(&self) -> (AccountState, Vec<WebhookState>) {
        let webhooks = self.fleet.webhook_states().map(|(_, _, make)| make()).collect();
        (self.fleet.account_state().clone(), webhooks)
    }

    /// Polls once in so many seconds from now on.
    pub(crate) fn poll_every(&mut self, seconds: u64) {
        self.fleet.poll_every(Duration::from_secs(seconds), now(self.clock));
    }

    /// Moves on to this second, and says what is asked for there.
    pub(crate) fn at(&mut self, second: u64) -> Asked {
        self.at_time(Duration::from_secs(second))
    }

    pub(crate) fn at_time(&mut self, time: Duration) -> Asked {
        assert!(time >= self.clock);
        self.clock = time;
        self.fleet.advance(now(time), self.random);
        let mut asked = Asked::default();
        for effect in self.fleet.take_effects() {
            match effect {
                Effect::List { call, .. } => asked.lists.push(call),
                Effect::Describe { call, id } => asked.describes.push((call, id)),
                Effect::ReadLog { call, id, ledger, mark, .. } => asked.reads.push(Read { call, id, ledger, mark }),
                Effect::PollEnded { result, .. } => asked.ended.push(result),
                Effect::Show => asked.shows += 1,
                Effect::Notice(notice) => asked.notices.push(notice),
                Effect::PollsSkipped(_) => {}
            }
        }
        asked
    }

    /// What is asked for where time stands.
    pub(crate) fn ask(&mut self) -> Asked {
        self.at_time(self.clock)
    }

    /// Moves on to when the fleet next asks for anything.
    pub(crate) fn wake(&mut self) -> Asked {
        let asked = self.ask();
        let is_silent = asked.lists.is_empty() && asked.describes.is_empty() && asked.reads.is_empty();
        if is_silent && asked.ended.is_empty() { self.at_time(self.fleet.wake_at()) } else { asked }
    }

    pub(crate) fn listed(&mut self, call: CallId, numbers: &[u32]) {
        self.listed_with_malformed(call, numbers, 0);
    }

    pub(crate) fn listed_with_malformed(&mut self, call: CallId, numbers: &[u32], malformed: usize) {
        let watched = numbers.iter().map(|number| webhook(*number)).collect();
        self.fleet.listed(call, Selected { watched, dropped: 0 }, malformed, None, self.date(), now(self.clock));
    }

    pub(crate) fn list_fails(&mut self, call: CallId, reach: Reach) {
        self.fleet.list_failed(call, Failure(reach), now(self.clock), self.random);
    }

    /// The log call finds an attempt in each of these seconds.
    pub(crate) fn reads(&mut self, read: &Read, attempts: &[u64]) {
        self.reads_marked(read, attempts, None);
    }

    /// The same, in a response that is known by `mark`.
    pub(crate) fn reads_marked(&mut self, read: &Read, attempts: &[u64], mark: Option<ResponseMark>) {
        let mut reading = read.ledger.read(self.date(), &self.settings.policy);
        for second in attempts {
            let at = BEGIN.plus_millis(i64::try_from(second * 1_000).expect("some days"));
            let number = u32::try_from(*second).expect("some days");
            let id = AttemptId(object_id(at, number));
            reading.observe(Attempt { id, at, outcome: Outcome::Success { status: 200 }, retry: 0, event: None });
        }
        self.fleet.log_read(read.call, read.id, reading.finish(), mark, self.date(), now(self.clock));
    }

    pub(crate) fn fails(&mut self, read: &Read, reach: Reach) {
        self.fleet.log_failed(read.call, read.id, Failure(reach), now(self.clock), self.random);
    }

    /// All log calls asked for find empty logs.
    pub(crate) fn works_all(&mut self, asked: &Asked) {
        asked.reads.iter().for_each(|read| self.reads(read, &[]));
    }

    /// All log calls find empty logs until the poll ends; says what was asked for there.
    pub(crate) fn works_until_the_poll_ends(&mut self) -> Asked {
        self.reads_until_the_poll_ends(&[])
    }

    /// All log calls find attempts in each of these seconds until the poll ends; says what was asked for there.
    pub(crate) fn reads_until_the_poll_ends(&mut self, attempts: &[u64]) -> Asked {
        let mut asked = self.ask();
        while asked.ended.is_empty() {
            asked.reads.iter().for_each(|read| self.reads(read, attempts));
            asked = self.wake();
        }
        asked
    }

    pub(crate) fn described(&mut self, call: CallId, number: u32) {
        self.fleet.described(call, webhook(number), true, self.date(), now(self.clock));
    }

    pub(crate) fn not_described(&mut self, (call, id): (CallId, WebhookId), reach: Reach) {
        self.fleet.not_described(call, id, Failure(reach), now(self.clock), self.random);
    }

    /// The API asks for a pause until this second.
    pub(crate) fn paused_until(&mut self, second: u64) {
        self.fleet.paused(Duration::from_secs(second));
    }

    pub(crate) fn is_up(&self, number: u32) -> Option<bool> {
        self.fleet.members().find(|member| member.webhook.id == id(number)).expect("it is shown").is_up
    }

    pub(crate) fn attempts(&self, number: u32) -> Option<u64> {
        let mut members = self.fleet.members();
        members.find(|member| member.webhook.id == id(number)).map(|member| member.ledger.totals().attempts)
    }

    fn date(&self) -> ServerTime {
        dated(self.clock)
    }
}

fn now(uptime: Duration) -> Now {
    let millis = i64::try_from(uptime.as_millis()).expect("some days");
    Now { uptime, wall: BEGIN.plus_millis(millis) }
}
