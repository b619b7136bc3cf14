//! One webhook's ledger: which attempts are dealt with, what they add up to, what its log holds now.
//!
//! An attempt counts if it lies above the *floor* and is not among those counted above it. Baseline, forgetting and
//! restart are this one rule: each only says where the floor is. The floor never goes down.
//!
//! A response of the API is read into a [`LogReading`], which changes nothing, and folded in as a whole once it has ended
//! well. Pure: no I/O and no clock; `now` is the server's time, handed in.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::attempt::{AHEAD_MILLIS, Attempt, Position, REFINED_WITHIN_MILLIS};
use crate::counted::{CountedAttempts, CountedRow};
use crate::events::{Events, key_of};
use crate::fresh::FreshAttempts;
use crate::id::AttemptId;
use crate::outcome::{FailureReason, Outcome};
use crate::policy::Policy;
use crate::recent::{self, RecentAttempts};
use crate::seen::Seen;
use crate::server_clock::ServerTime;
use crate::standing::{Newest, Standing};
use crate::time::UnixMillis;
use crate::window::{Retained, Retention, Shown};

/// Attempts younger than this are never forgotten. Source: docs/specification.md, rule 2.
pub const HORIZON_MILLIS: i64 = 60 * 60 * 1_000;

/// Of more counted attempts than this, the oldest are forgotten even within the horizon. Source: docs/specification.md, rule 2.
pub const MAX_COUNTED: usize = 20_000;

/// An attempt dated further than this after the server's time counts, but proves nothing. Source: docs/specification.md, rule 8.
pub const POISON_MILLIS: i64 = 24 * 60 * 60 * 1_000;

/// How many status codes of one webhook have a series of their own. Source: docs/specification.md, rule 9.
pub const MAX_STATUS_CODES: usize = 32;

/// Whether an attempt dated `at` is so far ahead of the server's time that its date proves nothing.
#[must_use]
pub fn is_poisoned(at: UnixMillis, now: UnixMillis) -> bool {
    at.millis_since(now) > POISON_MILLIS
}

/// What the counted attempts of one webhook add up to. None of it ever goes down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// All attempts.
    pub attempts: u64,
    /// Failed attempts, in the order of [`FailureReason::ALL`].
    pub failures: [u64; FailureReason::ALL.len()],
    /// Attempts per status code of the receiver, of at most [`MAX_STATUS_CODES`] codes.
    pub responses: BTreeMap<u16, u64>,
    /// Attempts with a further status code.
    pub responses_other: u64,
    /// Attempts that were not their event's first.
    pub retries: u64,
    /// Responses that may have left out entries.
    pub gaps: u64,
    /// Attempts that showed up after a younger one had been counted.
    pub late: u64,
}

impl Totals {
    fn count(&mut self, attempt: &Attempt) {
        self.attempts += 1;
        self.retries += u64::from(attempt.retry >= 1);
        if let Outcome::Failure { reason, .. } = attempt.outcome {
            self.failures[reason.index()] += 1;
        }
        let Some(status) = attempt.outcome.status() else { return };
        if self.responses.contains_key(&status) || self.responses.len() < MAX_STATUS_CODES {
            *self.responses.entry(status).or_default() += 1;
        } else {
            self.responses_other += 1;
        }
    }
}

/// What the log held when it was last read, counted or not. Each attempt once, however often the response repeats it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Attempts that succeeded.
    pub successes: u64,
    /// Attempts that failed.
    pub failures: u64,
    /// Entries that make no sense.
    pub malformed: u64,
    /// Entries of another webhook.
    pub foreign: u64,
    /// The oldest attempt; `None` if there is none.
    pub oldest: Option<UnixMillis>,
}

impl Window {
    /// How long the response was, for the question whether it reaches back to what is known.
    fn length(&self) -> u64 {
        self.successes + self.failures + self.malformed
    }
}

/// One webhook's ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    pub(crate) floor: Position,
    pub(crate) counted: CountedAttempts,
    /// The newest attempt ever counted, for telling late ones.
    pub(crate) newest_counted: Option<Position>,
    pub(crate) totals: Totals,
    pub(crate) events: Events,
    pub(crate) standing: Standing,
    pub(crate) window: Window,
    /// How the log lets go of entries, for telling gaps.
    pub(crate) retained: Retained,
    /// The server's time at the last response; `None` before the first.
    pub(crate) as_of: Option<UnixMillis>,
    /// The oldest attempt that was under way in the last response: the floor stays below it, and the log is read again.
    pub(crate) under_way: Option<Position>,
    /// The newest attempts, history included. Shared with readers.
    pub(crate) recent: Arc<RecentAttempts>,
    /// Since when it counts: where the floor was at first. `None` if the checkpoint of an older version did not say.
    pub(crate) since: Option<UnixMillis>,
}

impl Ledger {
    /// A ledger in which everything up to `floor` is dealt with.
    #[must_use]
    pub fn new(floor: Position) -> Self {
        Self {
            floor,
            counted: CountedAttempts::default(),
            newest_counted: None,
            totals: Totals::default(),
            events: Events::default(),
            standing: Standing::default(),
            window: Window::default(),
            retained: Retained::default(),
            as_of: None,
            under_way: None,
            recent: Arc::default(),
            since: Some(floor.at),
        }
    }

    /// Begins to read a response that the server gave at `now`.
    #[must_use]
    pub fn read(&self, now: ServerTime, policy: &Policy) -> LogReading<'_> {
        self.read_from(self.floor, now, policy)
    }

    /// Begins to read the first response of a ledger whose floor is only known now that it comes. Of a ledger that has
    /// taken in a response the floor stays.
    #[must_use]
    pub fn read_from(&self, first_floor: Position, now: ServerTime, policy: &Policy) -> LogReading<'_> {
        let floor = if self.as_of.is_none() { first_floor } else { self.floor };
        let (policy, response) = (*policy, LogResponse::new(now, floor));
        LogReading { ledger: self, policy, seen: Seen::default(), response }
    }

    /// Takes in a response that ended well. Says whether anything but the time has changed.
    pub fn fold(&mut self, mut response: LogResponse, policy: &Policy) -> bool {
        let before = self.essence(policy);
        let now = response.now.latest();
        if self.as_of.is_none() && response.floor != Position::START {
            // Nothing that is still to come is history, whatever a clock says.
            let newest =
                response.places.iter().chain(&response.disputed_places).copied().max().unwrap_or(UnixMillis::MIN);
            let latest = Position::after(newest.max(response.now.local).end_of_second());
            self.floor = response.floor.min(latest);
        } else if self.as_of.is_none() {
            self.floor = response.floor;
        }
        if self.as_of.is_none() {
            self.since = Some(self.floor.at);
        }
        // Nothing counts twice even if another response, read against the same state, has been folded in meanwhile.
        response.fresh.retain(|position| position > self.floor && !self.counted.contains(position.id));
        let shown = Shown {
            at: response.now.is_certain.then_some(now),
            length: response.window.length() + response.under_way_entries,
            places: response.places,
            disputed_places: response.disputed_places,
            has_attempts: response.window.successes + response.window.failures + response.under_way_entries > 0,
            has_present: response.has_present,
            has_known: response.has_known,
            has_known_ahead: response.has_known_ahead,
            is_news_ahead: response.is_news_ahead,
        };
        if self.retained.take_in(shown) {
            self.totals.gaps += 1;
        }
        self.window = response.window;
        self.under_way = response.under_way;
        let mut has_news = false;
        response.recovered.sort_unstable_by_key(Attempt::position);
        for attempt in &response.recovered {
            has_news |= self.events.recover(attempt, now);
        }
        let recent = self.recent.with(response.recent);
        if recent != *self.recent {
            self.recent = Arc::new(recent);
            has_news = true;
        }
        for (id, failed) in response.known {
            if let Some(counted) = self.counted.get_mut(id) {
                counted.failed = failed;
            }
        }

        let newest_before = self.newest_counted;
        let (mut counted, mut new_failures) = (Vec::new(), Vec::new());
        for batch in response.fresh.into_batches() {
            self.events.expect(batch.iter().map(|attempt| key_of(&attempt)));
            for attempt in batch.iter() {
                let position = attempt.position();
                self.totals.count(&attempt);
                self.totals.late += u64::from(newest_before.is_some_and(|newest| position.at < newest.at));
                self.events.observe(&attempt, now, policy);
                let (failed, stands) = (!attempt.outcome.is_success(), !attempt.is_ahead(now));
                counted.push(CountedRow::new(position, failed, stands));
                if stands {
                    self.newest_counted = self.newest_counted.max(Some(position));
                }
                if stands && failed {
                    new_failures.push(attempt.id);
                }
            }
        }
        self.counted.add(counted);
        for id in response.caught_up {
            if let Some(counted) = self.counted.get_mut(id) {
                counted.stands = true;
                if counted.failed {
                    new_failures.push(id);
                }
            }
        }
        new_failures.sort_unstable();
        self.follow_failures(&response.newest, &new_failures, &response.old_failures);
        self.pass_time(response.now, policy);
        has_news || self.essence(policy) != before
    }

    /// Takes in that the log is as it was when it was last read. Says whether anything but the time has changed.
    pub fn unchanged(&mut self, now: ServerTime, policy: &Policy) -> bool {
        let before = self.essence(policy);
        let says_nothing = self.window.length() > 0 && self.window.successes + self.window.failures == 0;
        if !says_nothing {
            self.retained.stays(now.is_certain.then_some(now.latest()));
        }
        self.pass_time(now, policy);
        self.essence(policy) != before
    }

    /// What differs if anything does that is worth writing down: what is shown. That something is forgotten is not. Without
    /// it a restart is one of a while ago, and reads the log as if it had been down since: what it knows then is more, and
    /// nothing has counted meanwhile.
    fn essence(&self, policy: &Policy) -> impl PartialEq + use<> {
        let counts = [self.totals.attempts, self.totals.gaps, self.events.lost(), self.events.delivered()];
        let standing = (self.standing.clone(), self.is_blocked(policy));
        (counts, self.events.pending(), standing, self.window, self.retained.retention(), self.as_of.is_some())
    }

    /// Brings the count of failures since the last success up to date; `self.counted` holds the new ones already: those
    /// that are fresh, and those that are no longer dated ahead. They come in order.
    ///
    /// Of failures at or below the floor only their number is known, not which they were. So there are two lower bounds:
    /// what was known before plus what is new, and what the log shows now plus what is known one by one. The second
    /// holds history that shows up after the first response; the first holds what has slid out of the log since.
    fn follow_failures(&mut self, newest: &Newest, new: &[AttemptId], old_failures: &BTreeSet<Position>) {
        let has_new_success = self.standing.advance(newest);
        let success = self.standing.last_success.map_or(Position::START, |success| success.position);
        let is_since = |position: &Position| *position > success;
        let known = self.counted.iter().filter(|counted| counted.failed && counted.stands);
        let known = known.map(CountedRow::position).filter(is_since);

        let mut kept = Tally::default();
        if !has_new_success {
            kept = Tally { count: self.standing.consecutive_failures, first: self.standing.failing_since };
            known
                .clone()
                .filter(|position| new.binary_search(&position.id).is_ok())
                .for_each(|position| kept.add(position));
        }
        let mut shown = Tally::default();
        known.chain(old_failures.iter().copied().filter(is_since)).for_each(|position| shown.add(position));

        self.standing.consecutive_failures = kept.count.max(shown.count);
        self.standing.failing_since = [kept.first, shown.first].into_iter().flatten().min();
    }

    /// Gives up events that wait for too long, and forgets attempts and events that are old enough.
    fn pass_time(&mut self, now: ServerTime, policy: &Policy) {
        let ServerTime { at: now, is_certain, .. } = now;
        self.as_of = Some(now);
        if !is_certain {
            // A date that may be wrong gives up no event and raises no floor.
            return;
        }
        self.events.expire(now, policy);
        let horizon = now.plus_millis(-HORIZON_MILLIS);
        self.forget(self.under_way.map_or(horizon, |oldest| horizon.min(oldest.at.plus_millis(-1))));
        // Whether the floor has risen or not: an event may have been given up long after its attempts were forgotten.
        self.events.forget(self.floor);
    }

    /// Forgets the attempts up to `horizon`, and what is too much; the floor rises to the newest of them. Their ids are
    /// remembered for as long as a date that is told anew could lift them over the floor.
    fn forget(&mut self, horizon: UnixMillis) {
        let over = self.counted.len().saturating_sub(MAX_COUNTED);
        let old = || self.counted.iter().map(CountedRow::position).filter(|position| position.at <= horizon);
        let newest_forgotten = if over > old().count() {
            let mut positions: Vec<Position> = self.counted.iter().map(CountedRow::position).collect();
            let (_, newest, _) = positions.select_nth_unstable(over - 1);
            *newest
        } else {
            let Some(newest) = old().max() else { return };
            newest
        };
        self.floor = self.floor.max(newest_forgotten);
        let kept_above =
            if over > 0 { self.floor } else { Position::before(self.floor.at.plus_millis(-2 * REFINED_WITHIN_MILLIS)) };
        self.counted.forget(kept_above);
    }

    /// At or below this position everything is dealt with.
    #[must_use]
    pub fn floor(&self) -> Position {
        self.floor
    }

    /// Since when it counts: what was made until then does not. [`UnixMillis::MIN`] if everything counts; `None` if a
    /// checkpoint of an older version did not say. Once a response has been taken in it stays as it is, over restarts.
    #[must_use]
    pub fn since(&self) -> Option<UnixMillis> {
        self.since
    }

    /// How many attempts above the floor are known one by one.
    #[must_use]
    pub fn counted(&self) -> usize {
        self.counted.iter().filter(|counted| counted.position() > self.floor).count()
    }

    /// What the counted attempts add up to.
    #[must_use]
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// What became of the events.
    #[must_use]
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// How the webhook stands, history included.
    #[must_use]
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// The newest attempts, history included.
    #[must_use]
    pub fn recent(&self) -> &Arc<RecentAttempts> {
        &self.recent
    }

    /// The place of the newest attempt that is known, history included.
    pub(crate) fn newest_place(&self) -> Option<UnixMillis> {
        let recent = self.recent.newest_first().first().map(|newest| newest.position().at);
        // One that is dated ahead is not among the recent ones.
        let counted = self.counted.iter().next_back().map(|row| row.position().id.0.made_at());
        recent.max(counted)
    }

    /// Whether the newest attempt, as of the last response, is a failure that may still be retried.
    #[must_use]
    pub fn is_blocked(&self, policy: &Policy) -> bool {
        self.as_of.is_some_and(|now| self.standing.is_blocked(now, policy))
    }

    /// How the log lets go of entries, as far as that is known.
    #[must_use]
    pub fn retention(&self) -> Retention {
        self.retained.retention()
    }

    /// Whether an attempt was under way in the last response: what becomes of it takes a response to tell, so the log has
    /// to be read whether it has changed or not.
    #[must_use]
    pub fn has_under_way(&self) -> bool {
        self.under_way.is_some()
    }

    /// Whether this is the oldest attempt that was under way in the last response.
    fn is_under_way(&self, id: AttemptId) -> bool {
        self.under_way.is_some_and(|oldest| oldest.id == id)
    }

    /// What the log held when it was last read.
    #[must_use]
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// The server's time at the last response; `None` before the first.
    #[must_use]
    pub fn as_of(&self) -> Option<UnixMillis> {
        self.as_of
    }
}

/// How many, and since when.
#[derive(Default)]
struct Tally {
    count: u64,
    first: Option<UnixMillis>,
}

impl Tally {
    fn add(&mut self, position: Position) {
        self.count += 1;
        self.first = Some(self.first.map_or(position.at, |first| first.min(position.at)));
    }
}

/// A response that is being read against a ledger, entry by entry, in any order. The ledger stays as it is.
#[derive(Debug)]
pub struct LogReading<'ledger> {
    ledger: &'ledger Ledger,
    policy: Policy,
    seen: Seen,
    response: LogResponse,
}

/// What a response that ended well says: hand it to [`Ledger::fold`] of the same ledger.
#[derive(Debug)]
pub struct LogResponse {
    now: ServerTime,
    /// The floor that it is read against.
    floor: Position,
    window: Window,
    /// Attempts that are not dealt with.
    fresh: FreshAttempts,
    /// Successes that are dealt with, of events that are pending or listed as lost.
    recovered: Vec<Attempt>,
    /// Counted attempts of which the log tells another end than before, and whether they failed.
    known: Vec<(AttemptId, bool)>,
    /// Counted attempts that were dated ahead and no longer are.
    caught_up: Vec<AttemptId>,
    newest: Newest,
    recent: recent::Shown,
    /// Failures at or below the floor, younger than the newest success so far.
    old_failures: BTreeSet<Position>,
    /// The places of all entries that are not dated absurdly, and whose date agrees with their id.
    places: Vec<UnixMillis>,
    /// The places of those whose date does not.
    disputed_places: Vec<UnixMillis>,
    /// Whether one that is not dated ahead is there.
    has_present: bool,
    /// Whether one that is not dated ahead is known.
    has_known: bool,
    /// Whether one that is dated ahead is known: in a log sorted by date it stays on top, whatever is missed below it.
    has_known_ahead: bool,
    /// Whether all are dated ahead that are new, that is, count now; `None` if there are none. In the first response all
    /// are new.
    is_news_ahead: Option<bool>,
    /// The oldest attempt that is under way.
    under_way: Option<Position>,
    under_way_entries: u64,
    holds_what_is_ahead: bool,
    /// Whether a success that is dealt with was of no event that was known.
    passed_over_success: bool,
}

impl LogResponse {
    fn new(now: ServerTime, floor: Position) -> Self {
        Self {
            now,
            floor,
            window: Window::default(),
            fresh: FreshAttempts::default(),
            recovered: Vec::new(),
            known: Vec::new(),
            caught_up: Vec::new(),
            newest: Newest::default(),
            recent: recent::Shown::default(),
            old_failures: BTreeSet::new(),
            places: Vec::new(),
            disputed_places: Vec::new(),
            has_present: false,
            has_known: false,
            has_known_ahead: false,
            is_news_ahead: None,
            under_way: None,
            under_way_entries: 0,
            holds_what_is_ahead: false,
            passed_over_success: false,
        }
    }

    /// Whether the same log says more when it is read again: it holds something that is dated ahead, or a failure is new and
    /// a success of what may be the same event is not, which is looked at only if the event is known.
    #[must_use]
    pub fn says_more_later(&self) -> bool {
        self.holds_what_is_ahead || self.passed_over_success && self.fresh.has_failures()
    }

    /// What the log holds, according to this response.
    #[must_use]
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// Takes in where an attempt stands in the log, for telling gaps.
    fn place(&mut self, attempt: &Attempt, position: Position, is_known: bool, is_news: bool) {
        let now = self.now.latest();
        if !is_poisoned(position.at, now) {
            match attempt.at == position.at {
                true => self.places.push(position.at),
                false => self.disputed_places.push(position.at),
            }
        }
        if is_poisoned(attempt.at.max(position.at), now) {
            return;
        }
        let is_ahead = attempt.is_ahead(self.now.likely());
        self.has_present |= !is_ahead;
        self.has_known |= is_known && !is_ahead;
        self.has_known_ahead |= is_known && is_ahead;
        if is_news {
            self.is_news_ahead = Some(is_ahead && self.is_news_ahead.unwrap_or(true));
        }
    }

    /// The server's time when it responded.
    pub(crate) fn now(&self) -> ServerTime {
        self.now
    }

    /// The attempts that were not dealt with before, in the order of their positions.
    pub(crate) fn fresh(&self) -> impl Iterator<Item = Attempt> {
        self.fresh.clone().into_batches().flat_map(|batch| batch.iter().collect::<Vec<_>>())
    }
}

impl LogReading<'_> {
    /// Takes in one attempt of this webhook.
    pub fn observe(&mut self, attempt: Attempt) {
        if !self.seen.insert(attempt.id) {
            return;
        }
        let response = &mut self.response;
        let now = response.now.latest();
        let position = attempt.position();
        let is_failure = !attempt.outcome.is_success();
        match is_failure {
            true => response.window.failures += 1,
            false => response.window.successes += 1,
        }
        response.window.oldest = Some(response.window.oldest.map_or(position.at, |oldest| oldest.min(position.at)));

        let is_below_floor = position <= response.floor;
        let counted = self.ledger.counted.get(attempt.id);
        // A date that is told anew moves nothing.
        let place = counted.map_or(position, CountedRow::position);
        let is_known = is_below_floor || counted.is_some() || self.ledger.is_under_way(attempt.id);
        let is_news = self.ledger.as_of.is_none() || (counted.is_none() && !is_below_floor);
        response.place(&attempt, position, is_known, is_news);
        response.holds_what_is_ahead |= attempt.is_ahead(now);
        if !attempt.is_ahead(now) {
            let told = attempt.event.as_ref().and_then(|event| event.created_at);
            let created_at = told.filter(|at| at.millis_since(now) <= AHEAD_MILLIS);
            response.holds_what_is_ahead |= told != created_at;
            response.newest.observe(&attempt, place, created_at);
            response.recent.observe(&attempt);
            if response.now.is_certain && counted.is_some_and(|counted| !counted.stands) {
                response.caught_up.push(attempt.id);
            }
            let success = response.newest.success();
            let success = success.max(self.ledger.standing.last_success.map(|success| success.position));
            if is_failure && is_below_floor && counted.is_none() && Some(place) > success {
                response.old_failures.insert(place);
            } else if Some(place) == success {
                response.old_failures = response.old_failures.split_off(&place);
            }
        }
        if let Some(counted) = counted
            && counted.failed != is_failure
        {
            response.known.push((attempt.id, is_failure));
        }
        if counted.is_none() && !is_below_floor {
            response.fresh.push(attempt);
        } else if !is_failure && self.ledger.events.awaits_success(&attempt) {
            response.recovered.push(attempt);
        } else {
            response.passed_over_success |= !is_failure;
        }
    }

    /// Takes in an entry that says nothing of how the attempt ended: it is under way. `given_up` is the attempt as it
    /// counts if nothing is ever said of it, once it is older than the pending timeout. Until then it does not count.
    pub fn observe_under_way(&mut self, given_up: Attempt) {
        let position = given_up.position();
        let ServerTime { at: now, is_certain, .. } = self.response.now;
        // A date that may be wrong gives up no attempt.
        let is_given_up = is_certain && now.millis_since(position.at) > self.policy.pending_timeout_millis;
        if is_given_up || self.ledger.counted.contains(given_up.id) {
            self.observe(given_up);
        } else if self.seen.insert(given_up.id) {
            let response = &mut self.response;
            response.under_way_entries += 1;
            response.place(&given_up, position, self.ledger.is_under_way(given_up.id), false);
            if position > response.floor {
                response.under_way = Some(response.under_way.map_or(position, |oldest| oldest.min(position)));
            }
        }
    }

    /// Takes in a malformed entry.
    pub fn observe_malformed(&mut self) {
        self.response.window.malformed += 1;
    }

    /// Takes in an entry of another webhook.
    pub fn observe_foreign(&mut self) {
        self.response.window.foreign += 1;
    }

    /// Ends the response. Call it only if it ended well: one that broke off must be dropped.
    #[must_use]
    pub fn finish(self) -> LogResponse {
        self.response
    }
}
