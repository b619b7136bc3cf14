//! Many webhooks: what is read when the rate does not let all logs be read in each interval. Time is passed in; the API
//! responds at once, and takes calls no faster than the rate.

use std::collections::BTreeMap;
use std::time::Duration;

use delivery_ledger::fleet::{Effect, Fleet, FleetSettings, Now, PollResult, Turns};
use delivery_ledger::{
    Attempt, AttemptId, History, Outcome, Policy, Selected, ServerTime, UnixMillis, Webhook, WebhookId,
};

use crate::cloud::{BEGIN, Hook, object_id};
use crate::failure::Failure;

const INTERVAL: Duration = Duration::from_secs(60);

/// No webhook waits longer than so many intervals, if the rate allows that.
pub(crate) const LONGEST: u32 = 10;

const POLICY: Policy = Policy { max_retries: 3, pending_timeout_millis: 900_000 };

/// Logs show so many entries at most.
const WINDOW: usize = 20;

/// A webhook, and when it tries to deliver.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    webhook: Webhook,
    /// The time of its next attempt, and how far apart they are; none if it is silent.
    pub(crate) next: Option<Duration>,
    pub(crate) every: Duration,
    log: Vec<Attempt>,
    /// When its log was read last, and how long it was then.
    read_at: Duration,
    shown: usize,
    /// Attempts that have counted.
    counted: u64,
}

impl Sender {
    /// The attempts until then.
    fn act(&mut self, until: Duration, attempts: &mut u32) {
        while let Some(at) = self.next.filter(|at| *at <= until) {
            *attempts += 1;
            let at_server = server_time(at);
            let id = AttemptId(object_id(at_server, *attempts));
            let outcome = Outcome::Success { status: 200 };
            self.log.push(Attempt { id, at: at_server, outcome, retry: 0, event: None });
            self.next = Some(at + self.every);
        }
    }
}

/// What has been seen of the reads.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The poll in which each webhook was read last.
    pub(crate) read_in: BTreeMap<WebhookId, usize>,
    /// The longest that any has waited, in polls.
    pub(crate) longest: usize,
    /// The reads of each poll, in order.
    pub(crate) reads: Vec<Vec<WebhookId>>,
    pub(crate) results: Vec<PollResult>,
    pub(crate) skipped: u64,
    /// For each attempt that was counted, when it was made and how long it took until it was.
    pub(crate) delays: Vec<(WebhookId, Duration, Duration)>,
}

/// An account and its exporter.
#[derive(Debug)]
pub(crate) struct Scale {
    pub(crate) fleet: Fleet<Failure>,
    pub(crate) senders: Vec<Sender>,
    rate: f64,
    clock: Duration,
    process_began: Duration,
    attempts: u32,
    /// The next call starts no earlier.
    free_at: Duration,
    pub(crate) seen: Seen,
}

fn server_time(clock: Duration) -> UnixMillis {
    BEGIN.plus_millis(i64::try_from(clock.as_millis()).expect("some days"))
}

fn settings() -> FleetSettings {
    FleetSettings { policy: POLICY, interval: INTERVAL, concurrency: 8, history: History::Ignore, ids: Vec::new() }
}

impl Scale {
    /// So many webhooks, all silent, of which nothing is known yet.
    pub(crate) fn new(webhooks: usize, rate: f64) -> Self {
        let webhook = |number: usize| {
            let number = u32::try_from(number).expect("not so many");
            let id = WebhookId(object_id(UnixMillis::from_secs(1_600_000_000), number));
            Hook { id, code: format!("w-{number}"), is_there: true, log: Vec::new() }.webhook()
        };
        let sender = |number| Sender {
            webhook: webhook(number),
            next: None,
            every: INTERVAL,
            log: Vec::new(),
            read_at: Duration::ZERO,
            shown: 0,
            counted: 0,
        };
        let mut fleet = Fleet::new(settings(), Now { uptime: Duration::ZERO, wall: BEGIN });
        fleet.limit_rate(rate);
        Self {
            fleet,
            senders: (0..webhooks).map(sender).collect(),
            rate,
            clock: Duration::ZERO,
            process_began: Duration::ZERO,
            attempts: 0,
            free_at: Duration::ZERO,
            seen: Seen::default(),
        }
    }

    /// The webhook with this number tries to deliver every so often, from some time after now on.
    pub(crate) fn busy(&mut self, number: usize, every: Duration) {
        let phase = Duration::from_millis(u64::try_from(number * 7_919).expect("not so many") % 60_000);
        self.senders[number].next = Some(self.clock + phase);
        self.senders[number].every = every;
    }

    pub(crate) fn silent(&mut self, number: usize) {
        self.senders[number].next = None;
    }

    pub(crate) fn id(&self, number: usize) -> WebhookId {
        self.senders[number].webhook.id
    }

    /// The time since the beginning.
    pub(crate) fn clock(&self) -> Duration {
        self.clock
    }

    fn now(&self) -> Now {
        Now { uptime: self.clock - self.process_began, wall: server_time(self.clock) }
    }

    /// Logs that one poll may read by the promise: no more than the rate allows in an interval.
    pub(crate) fn most_reads(&self) -> usize {
        let mut calls = 0;
        while f64::from(u32::try_from(calls + 1).expect("not so many")) <= self.rate * INTERVAL.as_secs_f64() {
            calls += 1;
        }
        calls - 1
    }

    /// How many intervals a webhook may wait, whatever the others do.
    pub(crate) fn bound(&self) -> usize {
        // A twentieth of the interval is for the last responses.
        let logs = (self.most_reads() + 1) * 19 / 20 - 1;
        self.senders.len().div_ceil(logs.max(1)).max(LONGEST as usize)
    }

    /// Lets so many polls end.
    pub(crate) fn polls(&mut self, polls: usize) {
        let end = self.seen.results.len() + polls;
        while self.seen.results.len() < end {
            self.fleet.advance(self.now(), 0.5);
            let effects = self.fleet.take_effects();
            if effects.is_empty() {
                self.clock = self.clock.max(self.process_began + self.fleet.wake_at());
            }
            for effect in effects {
                self.carry_out(effect);
            }
        }
    }

    fn carry_out(&mut self, effect: Effect<Failure>) {
        match effect {
            Effect::List { call, .. } => {
                self.seen.reads.push(Vec::new());
                self.spend_a_call();
                let watched = self.senders.iter().map(|sender| sender.webhook.clone()).collect();
                let selected = Selected { watched, dropped: 0 };
                self.fleet.listed(call, selected, 0, None, self.date(), self.now());
            }
            Effect::ReadLog { call, id, ledger, .. } => {
                self.spend_a_call();
                let clock = self.clock;
                let index = self.senders.binary_search_by_key(&id, |sender| sender.webhook.id).expect("it is there");
                let sender = &mut self.senders[index];
                sender.act(clock, &mut self.attempts);
                let mut reading = ledger.read(ServerTime::certain(server_time(clock)), &POLICY);
                let shown = sender.log.len().saturating_sub(WINDOW);
                sender.log[shown..].iter().for_each(|attempt| reading.observe(attempt.clone()));
                self.fleet.log_read(call, id, reading.finish(), None, self.date(), self.now());
                self.note(id, index);
            }
            Effect::PollEnded { result, .. } => {
                self.seen.results.push(result);
                self.note_counts();
            }
            Effect::PollsSkipped(polls) => self.seen.skipped += polls,
            Effect::Describe { .. } | Effect::Show | Effect::Notice(_) => {}
        }
    }

    fn note(&mut self, id: WebhookId, index: usize) {
        let poll = self.seen.reads.len() - 1;
        self.seen.reads[poll].push(id);
        if let Some(last) = self.seen.read_in.insert(id, poll) {
            assert!(poll > last, "a webhook is read twice in a poll");
            self.seen.longest = self.seen.longest.max(poll - last);
        }
        let sender = &mut self.senders[index];
        (sender.read_at, sender.shown) = (self.clock, sender.log.len());
    }

    /// What the reads of a poll have made count.
    fn note_counts(&mut self) {
        let counts: BTreeMap<_, _> =
            self.fleet.members().map(|member| (member.webhook.id, member.ledger.totals().attempts)).collect();
        for sender in &mut self.senders {
            let id = sender.webhook.id;
            let attempts = counts.get(&id).copied().unwrap_or(sender.counted);
            let new = usize::try_from(attempts - sender.counted).expect("not so many");
            sender.counted = attempts;
            for attempt in &sender.log[sender.shown - new..sender.shown] {
                let made = Duration::from_millis(u64::try_from(attempt.at.millis_since(BEGIN)).expect("later"));
                self.seen.delays.push((id, made, sender.read_at - made));
            }
        }
    }

    /// A call takes a turn of the rate.
    fn spend_a_call(&mut self) {
        self.clock = self.clock.max(self.free_at);
        self.free_at = self.clock + Duration::from_secs_f64(self.rate.recip());
    }

    fn date(&self) -> ServerTime {
        ServerTime::certain(server_time(self.clock))
    }

    /// Gaps that were told of this webhook.
    pub(crate) fn gaps(&self) -> u64 {
        self.fleet.members().map(|member| member.ledger.totals().gaps).sum()
    }

    /// The planned time between two reads of this webhook, in intervals.
    pub(crate) fn planned(&self, number: usize) -> u128 {
        let id = self.id(number);
        let member = self.fleet.members().find(|member| member.webhook.id == id).expect("it is watched");
        member.interval.as_nanos() / INTERVAL.as_nanos()
    }

    /// What the last process wrote of turns.
    pub(crate) fn turns(&self) -> &[Turns] {
        &self.fleet.account_state().turns
    }

    /// The process ends, a while passes, and another goes on from what was saved. What had not changed since the first poll
    /// was saved then.
    pub(crate) fn restart(&mut self, after: Duration) {
        let account = self.fleet.account_state().clone();
        let mut webhooks: Vec<_> = self.fleet.webhook_states().map(|(_, _, make)| make()).collect();
        webhooks.iter_mut().for_each(|webhook| webhook.read_at = Some(BEGIN));
        self.clock += after;
        self.process_began = self.clock;
        self.fleet = Fleet::new(settings(), self.now());
        self.fleet.restore(account, webhooks, false, self.now());
        self.fleet.limit_rate(self.rate);
    }
}
