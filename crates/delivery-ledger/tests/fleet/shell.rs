//! Carries out what the fleet asks for against the simulated API, as the poller does against the real one, and checks
//! after every input that nothing was started that may not be, and that what is shown is what the model knows.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Weak};
use std::time::Duration;

use delivery_ledger::fleet::{
    CallId, Effect, Fleet, FleetSettings, Now, PollResult, Reach, ResponseMark, WebhookState,
};
use delivery_ledger::{Ledger, Webhook, WebhookId, select};

use crate::cloud::{Cloud, TIMEOUT, Target, Weather, date, dated, server_time};
use crate::failure::Failure;
use crate::model::Model;
use crate::record::{Brought, Saved};

/// A replica that does not hold the Lease polls once in so many intervals.
const STANDBY_INTERVALS: u32 = 10;

/// A reproducible sequence of numbers (SplitMix64).
#[derive(Clone, Debug)]
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Uniform in `[0, 1)`.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// A call under way, of this process. It goes on if its webhook goes.
#[derive(Debug)]
pub(crate) struct Call {
    id: CallId,
    what: What,
    ends_at: Duration,
    result: Result<(), Failure>,
    /// The pause that the response asks for.
    pause: Option<Duration>,
}

#[derive(Debug)]
pub(crate) enum What {
    /// With what the response shows, where that was made when the call began.
    List {
        mark: Option<ResponseMark>,
        early: Option<(Vec<Webhook>, usize, Duration)>,
    },
    Describe {
        id: WebhookId,
        early: Option<(Option<Webhook>, Duration)>,
    },
    Log {
        id: WebhookId,
        since: u64,
        ledger: Arc<Ledger>,
        mark: Option<ResponseMark>,
        early: Option<Duration>,
    },
}

impl What {
    /// The webhook that is read.
    fn webhook(&self) -> Option<WebhookId> {
        match self {
            Self::List { .. } => None,
            Self::Describe { id, .. } | Self::Log { id, .. } => Some(*id),
        }
    }
}

/// The exporter without its network, its disk and its clock.
#[derive(Debug)]
pub(crate) struct Shell {
    pub(crate) cloud: Cloud,
    pub(crate) model: Model,
    pub(crate) fleet: Fleet<Failure>,
    pub(crate) settings: FleetSettings,
    /// The time between the starts of two polls now.
    pub(crate) every: Duration,
    pub(crate) limit: usize,
    pub(crate) has_etags: bool,
    /// Calls per second at most; 0 for no limit.
    pub(crate) rate: f64,
    pub(crate) numbers: Numbers,
    /// Since the beginning.
    pub(crate) clock: Duration,
    pub(crate) process_began: Duration,
    pub(crate) calls: Vec<Call>,
    pub(crate) paused_until: Duration,
    pub(crate) has_lost_sight: bool,
    pub(crate) was_ready: bool,
    pub(crate) brought: Vec<(Duration, Brought)>,
    pub(crate) records: BTreeMap<WebhookId, (u64, WebhookState)>,
    pub(crate) last: Option<Saved>,
    pub(crate) previous: Option<Saved>,
    pub(crate) idle_wakes: VecDeque<Duration>,
    /// The end of the last poll, or of what held up the next one.
    pub(crate) quiet_since: Duration,
    pub(crate) results: Vec<PollResult>,
    /// The ledgers that were shown last.
    pub(crate) seen: Vec<(Weak<Ledger>, Ledger)>,
}

impl Shell {
    pub(crate) fn new(
        cloud: Cloud,
        model: Model,
        settings: FleetSettings,
        limit: usize,
        has_etags: bool,
        seed: u64,
        clock: Duration,
    ) -> Self {
        let now = Now { uptime: Duration::ZERO, wall: server_time(clock) };
        Self {
            cloud,
            model,
            fleet: Fleet::new(settings.clone(), now),
            every: settings.interval,
            settings,
            limit,
            has_etags,
            rate: 0.0,
            numbers: Numbers(seed),
            clock,
            process_began: clock,
            calls: Vec::new(),
            paused_until: Duration::ZERO,
            has_lost_sight: false,
            was_ready: false,
            brought: Vec::new(),
            records: BTreeMap::new(),
            last: None,
            previous: None,
            idle_wakes: VecDeque::new(),
            quiet_since: clock,
            results: Vec::new(),
            seen: Vec::new(),
        }
    }

    pub(crate) fn limit_rate(&mut self, calls_per_second: f64) {
        self.rate = calls_per_second;
        self.fleet.limit_rate(calls_per_second);
    }

    pub(crate) fn now(&self) -> Now {
        Now { uptime: self.clock - self.process_began, wall: server_time(self.clock) }
    }

    pub(crate) fn is_by_id(&self) -> bool {
        !self.settings.ids.is_empty()
    }

    // -----------------------------------------------------------------------------------------------------------------
    // Time
    // -----------------------------------------------------------------------------------------------------------------

    /// Lets time pass as it does for the poller.
    pub(crate) fn pass(&mut self, time: Duration) {
        let until = self.clock + time;
        loop {
            self.advance();
            let wake_at = self.process_began.saturating_add(self.fleet.wake_at());
            assert!(wake_at > self.clock, "it wants to be woken at once, again and again");
            let call_ends_at = self.calls.iter().map(|call| call.ends_at).min().unwrap_or(Duration::MAX);
            let next = wake_at.min(call_ends_at);
            if next > until {
                self.clock = until;
                return;
            }
            self.clock = self.clock.max(next);
            if call_ends_at <= self.clock {
                self.end_call();
            } else {
                self.idle_wakes.push_back(self.clock);
            }
        }
    }

    /// The replica polls each interval from now on, or less often.
    pub(crate) fn lead(&mut self, leads: bool) {
        self.every = self.settings.interval * if leads { 1 } else { STANDBY_INTERVALS };
        self.fleet.poll_every(self.every, self.now());
        self.quiet_since = self.clock;
    }

    /// The process stands still for a while. What ended meanwhile is told afterwards.
    pub(crate) fn stall(&mut self, time: Duration) {
        self.clock += time;
        self.quiet_since = self.clock;
    }

    fn advance(&mut self) {
        self.tell_of_pause();
        let random = self.numbers.fraction();
        self.fleet.advance(self.now(), random);
        let effects = self.fleet.take_effects();
        let have_ids_worked = self.is_by_id()
            && effects.iter().any(|effect| matches!(effect, Effect::PollEnded { .. }))
            && self.model.poll_of_ids_ended();
        for effect in effects {
            self.carry_out(effect, have_ids_worked);
        }
        self.compare();
        self.expect_progress();
    }

    fn tell_of_pause(&mut self) {
        if self.paused_until > self.clock {
            self.fleet.paused(self.paused_until - self.process_began);
            self.has_lost_sight = true;
            self.quiet_since = self.paused_until;
        }
    }

    // -----------------------------------------------------------------------------------------------------------------
    // Effects
    // -----------------------------------------------------------------------------------------------------------------

    fn carry_out(&mut self, effect: Effect<Failure>, have_ids_worked: bool) {
        match effect {
            Effect::List { call, mark } => {
                self.expect_no_pause();
                assert!(self.calls.iter().all(|call| call.what.webhook().is_some()), "two calls read the list");
                let (entries, malformed) = self.cloud.list();
                let early = self.is_early().then_some((entries, malformed, self.clock));
                self.begin(call, What::List { mark, early }, Target::List);
            }
            Effect::Describe { call, id } => {
                self.expect_room_for(id);
                let index = self.cloud.index_of(id);
                let early = self.is_early().then(|| (self.look_at(id), self.clock));
                self.begin(call, What::Describe { id, early }, Target::Describe(index));
            }
            Effect::ReadLog { call, id, ledger, mark, .. } => {
                self.expect_room_for(id);
                let watched = self.model.watched.get(&id).expect("only what is watched is read");
                assert!(!watched.has_appeared, "a webhook that appeared is read before it was shown at 0");
                let since = watched.since;
                let early = self.is_early().then_some(self.clock);
                let index = self.cloud.index_of(id);
                self.begin(call, What::Log { id, since, ledger, mark, early }, Target::Log(index));
            }
            Effect::Show => {
                self.save();
                self.fleet.shown();
                self.model.watched.values_mut().for_each(|watched| watched.has_appeared = false);
            }
            Effect::Notice(_) => {}
            Effect::PollEnded { result, took } => self.expect_result(result, self.clock - took, have_ids_worked),
            Effect::PollsSkipped(polls) => assert!(polls > 0),
        }
    }

    fn is_early(&mut self) -> bool {
        self.numbers.next().is_multiple_of(2)
    }

    fn look_at(&self, id: WebhookId) -> Option<Webhook> {
        let hook = &self.cloud.hooks[self.cloud.index_of(id)];
        hook.is_there.then(|| hook.webhook())
    }

    fn expect_no_pause(&self) {
        assert!(self.paused_until <= self.clock, "a call starts though the API asked for a pause");
    }

    fn expect_room_for(&self, id: WebhookId) {
        self.expect_no_pause();
        let under_way: Vec<WebhookId> = self.calls.iter().filter_map(|call| call.what.webhook()).collect();
        assert!(!under_way.contains(&id), "two calls read one webhook");
        assert!(under_way.len() < self.settings.concurrency, "more calls are under way than may be: {under_way:?}");
    }

    fn begin(&mut self, id: CallId, what: What, target: Target) {
        let weather = self.cloud.next_call(target);
        let (millis, result, pause) = match weather {
            Weather::Works(millis) => (millis, Ok(()), None),
            Weather::Fails(reach) => (30, Err(Failure(reach)), None),
            Weather::Hangs | Weather::Flaky => (30_000, Err(Failure(Reach::Api)), None),
            // A 429 concerns all calls, a 503 is that call's own failure; either may ask for a pause.
            Weather::Throttled(seconds) => {
                let reach = if seconds.is_multiple_of(2) { Reach::Call } else { Reach::Api };
                (30, Err(Failure(reach)), Some(Duration::from_secs(seconds)))
            }
        };
        let ends_at = self.clock + Duration::from_millis(millis).min(TIMEOUT);
        self.idle_wakes.pop_back_if(|at| *at == self.clock);
        self.calls.push(Call { id, what, ends_at, result, pause });
    }

    // -----------------------------------------------------------------------------------------------------------------
    // Responses
    // -----------------------------------------------------------------------------------------------------------------

    fn end_call(&mut self) {
        let first = (0..self.calls.len()).min_by_key(|index| self.calls[*index].ends_at).expect("a call");
        let Call { id: call, what, result, pause, .. } = self.calls.remove(first);
        if let Some(pause) = pause {
            self.paused_until = self.paused_until.max(self.clock + pause);
            self.tell_of_pause();
        }
        self.has_lost_sight |= result == Err(Failure(Reach::Api));
        match what {
            What::List { mark, early } => self.list_ended(call, mark, early, result),
            What::Describe { id, early } => {
                let (seen, seen_at) = early.unwrap_or_else(|| (self.look_at(id), self.clock));
                let seen = result.and_then(|()| seen.ok_or(Failure(Reach::Gone)));
                self.describe_ended(call, id, seen, seen_at);
            }
            What::Log { id, since, ledger, mark, early } => {
                let seen_at = early.unwrap_or(self.clock);
                self.log_ended(call, (id, since), &ledger, mark.as_ref(), result.map(|()| seen_at));
            }
        }
    }

    fn list_ended(
        &mut self,
        call: CallId,
        mark: Option<ResponseMark>,
        early: Option<(Vec<Webhook>, usize, Duration)>,
        result: Result<(), Failure>,
    ) {
        let now = self.now();
        self.brought.push((self.clock, if result.is_ok() { Brought::List } else { Brought::NoList }));
        if let Err(failure) = result {
            self.model.is_list_up = Some(false);
            self.fleet.list_failed(call, failure, now, self.numbers.fraction());
            return;
        }
        let (entries, malformed, seen_at) = early.unwrap_or_else(|| {
            let (entries, malformed) = self.cloud.list();
            (entries, malformed, self.clock)
        });
        let fresh = self
            .has_etags
            .then(|| ResponseMark { etag: Some(format!("{entries:?} {malformed}").into_bytes().into()), body: None });
        if fresh.is_some() && fresh == mark {
            self.model.list_unchanged(date(seen_at), self.clock);
            self.fleet.list_unchanged(call, dated(seen_at), now);
            return;
        }
        self.model.listed(&entries, malformed, date(seen_at), self.clock);
        let selected = select(entries, |code| self.model.admits(code), self.limit);
        self.fleet.listed(call, selected, malformed, fresh, dated(seen_at), now);
    }

    fn describe_ended(&mut self, call: CallId, id: WebhookId, described: Result<Webhook, Failure>, seen_at: Duration) {
        let now = self.now();
        match described {
            Ok(webhook) => {
                self.model.described(&webhook, date(seen_at), self.clock);
                let is_admitted = self.model.admits(&webhook.code);
                self.fleet.described(call, webhook, is_admitted, dated(seen_at), now);
            }
            Err(failure) => {
                self.brought.push((self.clock, Brought::NoLog));
                match failure.0 {
                    Reach::Gone => self.model.is_gone(id, self.clock),
                    Reach::Api => {
                        let since = self.model.watched.get(&id).map_or(0, |watched| watched.since);
                        self.model.log_ended(id, since, None);
                    }
                    Reach::Call => {}
                }
                self.fleet.not_described(call, id, failure, now, self.numbers.fraction());
            }
        }
    }

    fn log_ended(
        &mut self,
        call: CallId,
        (id, since): (WebhookId, u64),
        ledger: &Ledger,
        mark: Option<&ResponseMark>,
        seen_at: Result<Duration, Failure>,
    ) {
        let now = self.now();
        let hook = &self.cloud.hooks[self.cloud.index_of(id)];
        let length = seen_at.map(|at| hook.length_at(at));
        if self.model.log_ended(id, since, length.ok()) {
            self.brought.push((self.clock, if length.is_ok() { Brought::Log(id) } else { Brought::NoLog }));
        }
        let (length, seen_at) = match (length, seen_at) {
            (Ok(length), Ok(seen_at)) => (length, seen_at),
            (Err(failure), _) | (_, Err(failure)) => {
                self.fleet.log_failed(call, id, failure, now, self.numbers.fraction());
                return;
            }
        };
        let fresh = self
            .has_etags
            .then(|| ResponseMark { etag: Some(format!("{id} {length}").into_bytes().into()), body: None });
        if fresh.is_some() && fresh.as_ref() == mark {
            self.fleet.log_unchanged(call, id, dated(seen_at), now);
            return;
        }
        let mut reading = ledger.read(dated(seen_at), &self.settings.policy);
        hook.log[..length].iter().rev().for_each(|attempt| reading.observe(attempt.clone()));
        self.fleet.log_read(call, id, reading.finish(), fresh, dated(seen_at), now);
    }
}
