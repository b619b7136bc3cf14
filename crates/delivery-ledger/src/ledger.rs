//! One webhook's ledger: which attempts are dealt with, what they add up to, what its log holds now.
//!
//! An attempt counts if it lies above the *floor* and is not among those counted above it. Baseline, forgetting and
//! restart are this one rule: each only says where the floor is. The floor never goes down.
//!
//! An answer of the API is read into a [`Reading`], which changes nothing, and folded in as a whole once it has ended
//! well. Pure: no I/O and no clock; `now` is the server's time, handed in.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::attempt::{Attempt, Position};
use crate::events::Events;
use crate::id::AttemptId;
use crate::outcome::{FailureReason, Outcome};
use crate::policy::Policy;
use crate::standing::{Newest, Standing};
use crate::time::UnixMillis;

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

/// An attempt above the floor that has been counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Counted {
    at: UnixMillis,
    failed: bool,
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
    /// Answers that may have left out entries.
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

/// What the log held when it was last read, counted or not. Each attempt once, however often the answer repeats it.
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
    /// How long the answer was, for the question whether it reaches back to what is known.
    fn length(&self) -> u64 {
        self.successes + self.failures + self.malformed
    }
}

/// One webhook's ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    floor: Position,
    counted: BTreeMap<AttemptId, Counted>,
    /// The newest attempt ever counted, for telling late ones.
    newest_counted: Option<Position>,
    totals: Totals,
    events: Events,
    standing: Standing,
    window: Window,
    /// The length of the last answer that was not empty, for telling gaps.
    last_length: Option<u64>,
    /// The server's time at the last answer; `None` before the first.
    as_of: Option<UnixMillis>,
}

impl Ledger {
    /// A ledger in which everything up to `floor` is dealt with.
    #[must_use]
    pub fn new(floor: Position) -> Self {
        Self {
            floor,
            counted: BTreeMap::new(),
            newest_counted: None,
            totals: Totals::default(),
            events: Events::default(),
            standing: Standing::default(),
            window: Window::default(),
            last_length: None,
            as_of: None,
        }
    }

    /// Begins to read an answer that the server gave at `now`.
    #[must_use]
    pub fn read(&self, now: UnixMillis) -> Reading<'_> {
        Reading { ledger: self, seen: BTreeSet::new(), answer: Answer::new(now) }
    }

    /// Takes in an answer that ended well. Says whether anything but the time has changed.
    pub fn fold(&mut self, mut answer: Answer, policy: &Policy) -> bool {
        let before = self.essence(policy);
        let now = answer.now;
        // Nothing counts twice even if another answer, read against the same state, has been folded in meanwhile.
        answer.fresh.retain(|position, attempt| *position > self.floor && !self.counted.contains_key(&attempt.id));
        if self.is_gap(&answer) {
            self.totals.gaps += 1;
        }
        self.window = answer.window;
        if answer.window.length() > 0 {
            self.last_length = Some(answer.window.length());
        }
        for (id, at) in answer.moved {
            if let Some(counted) = self.counted.get_mut(&id) {
                counted.at = counted.at.max(at);
            }
        }

        let newest_before = self.newest_counted;
        for (position, attempt) in &answer.fresh {
            self.totals.count(attempt);
            self.totals.late += u64::from(newest_before.is_some_and(|newest| position.at < newest.at));
            self.events.observe(attempt, now, policy);
            self.counted.insert(attempt.id, Counted { at: attempt.at, failed: !attempt.outcome.is_success() });
            if !is_poisoned(attempt.at, now) {
                self.newest_counted = self.newest_counted.max(Some(*position));
            }
        }
        self.follow_failures(&answer.newest, &answer.fresh, &answer.old_failures, now);
        self.pass_time(now, policy);
        self.essence(policy) != before
    }

    /// Takes in that the log is as it was when it was last read. Says whether anything but the time has changed.
    pub fn unchanged(&mut self, now: UnixMillis, policy: &Policy) -> bool {
        let before = self.essence(policy);
        self.pass_time(now, policy);
        self.essence(policy) != before
    }

    /// What differs if anything does that is worth writing down.
    fn essence(&self, policy: &Policy) -> impl PartialEq + use<> {
        let counts = [self.totals.attempts, self.totals.gaps, self.events.lost()];
        let sizes = [self.counted.len(), self.events.tracked()];
        let standing = (self.standing.clone(), self.is_blocked(policy));
        (counts, sizes, self.floor, standing, self.window, self.last_length, self.as_of.is_some())
    }

    /// Whether entries may have been missed: an answer of full length that reaches back to nothing known.
    fn is_gap(&self, answer: &Answer) -> bool {
        let length = answer.window.length();
        length >= 2 && answer.has_proof && !answer.has_known && self.last_length.is_some_and(|last| length >= last)
    }

    /// Brings the count of failures since the last success up to date; `self.counted` holds the fresh ones already.
    ///
    /// Of failures at or below the floor only their number is known, not which they were. So there are two lower bounds:
    /// what was known before plus what is fresh, and what the log shows now plus what is known one by one. The second
    /// holds history that shows up after the first answer; the first holds what has slid out of the log since.
    fn follow_failures(
        &mut self,
        newest: &Newest,
        fresh: &BTreeMap<Position, Attempt>,
        old_failures: &BTreeSet<Position>,
        now: UnixMillis,
    ) {
        let has_new_success = self.standing.advance(newest);
        let success = self.standing.last_success.unwrap_or(Position::START);
        let is_since = |position: &Position| *position > success && !is_poisoned(position.at, now);

        let mut kept = Tally::default();
        if !has_new_success {
            kept = Tally { count: self.standing.consecutive_failures, first: self.standing.failing_since };
            let fresh_failures = fresh.iter().filter(|(_, attempt)| !attempt.outcome.is_success());
            fresh_failures.map(|(position, _)| *position).filter(is_since).for_each(|position| kept.add(position));
        }
        let mut shown = Tally::default();
        let known = self.counted.iter().filter(|(_, counted)| counted.failed);
        let known = known.map(|(id, counted)| Position { at: counted.at, id: *id });
        known.chain(old_failures.iter().copied()).filter(is_since).for_each(|position| shown.add(position));

        self.standing.consecutive_failures = kept.count.max(shown.count);
        self.standing.failing_since = [kept.first, shown.first].into_iter().flatten().min();
    }

    /// Gives up events that wait for too long, and forgets attempts and events that are old enough.
    fn pass_time(&mut self, now: UnixMillis, policy: &Policy) {
        self.as_of = Some(now);
        self.events.expire(now, policy);
        self.forget(now.plus_millis(-HORIZON_MILLIS));
        // Whether the floor has risen or not: an event may have been given up long after its attempts were forgotten.
        self.events.forget(self.floor);
    }

    /// Forgets the attempts up to `horizon`, and what is too much; the floor rises to the newest of them.
    fn forget(&mut self, horizon: UnixMillis) {
        let mut positions: Vec<Position> =
            self.counted.iter().map(|(id, counted)| Position { at: counted.at, id: *id }).collect();
        let over = positions.len().saturating_sub(MAX_COUNTED);
        let old = positions.iter().filter(|position| position.at <= horizon).count();
        let forgotten = over.max(old);
        let Some(last) = forgotten.checked_sub(1) else { return };
        let (_, newest_forgotten, _) = positions.select_nth_unstable(last);
        let newest_forgotten = *newest_forgotten;
        self.counted.retain(|id, counted| Position { at: counted.at, id: *id } > newest_forgotten);
        self.floor = self.floor.max(newest_forgotten);
    }

    /// At or below this position everything is dealt with.
    #[must_use]
    pub fn floor(&self) -> Position {
        self.floor
    }

    /// How many attempts above the floor are known one by one.
    #[must_use]
    pub fn counted(&self) -> usize {
        self.counted.len()
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

    /// Whether the newest attempt, as of the last answer, is a failure that may still be retried.
    #[must_use]
    pub fn is_blocked(&self, policy: &Policy) -> bool {
        self.as_of.is_some_and(|now| self.standing.is_blocked(now, policy))
    }

    /// What the log held when it was last read.
    #[must_use]
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// The server's time at the last answer; `None` before the first.
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

/// An answer that is being read against a ledger, entry by entry, in any order. The ledger stays as it is.
#[derive(Debug)]
pub struct Reading<'ledger> {
    ledger: &'ledger Ledger,
    seen: BTreeSet<AttemptId>,
    answer: Answer,
}

/// What an answer that ended well says: hand it to [`Ledger::fold`] of the same ledger.
#[derive(Debug)]
pub struct Answer {
    now: UnixMillis,
    window: Window,
    /// Attempts that are not dealt with, in the order of their positions.
    fresh: BTreeMap<Position, Attempt>,
    /// Counted attempts that the log now dates later than it did.
    moved: Vec<(AttemptId, UnixMillis)>,
    newest: Newest,
    /// Failures at or below the floor, younger than the newest success so far.
    old_failures: BTreeSet<Position>,
    /// Whether some attempt, not absurdly dated, is there that could be known.
    has_proof: bool,
    /// Whether such a one is known.
    has_known: bool,
}

impl Answer {
    fn new(now: UnixMillis) -> Self {
        Self {
            now,
            window: Window::default(),
            fresh: BTreeMap::new(),
            moved: Vec::new(),
            newest: Newest::default(),
            old_failures: BTreeSet::new(),
            has_proof: false,
            has_known: false,
        }
    }

    /// What the log holds, according to this answer.
    #[must_use]
    pub fn window(&self) -> &Window {
        &self.window
    }
}

impl Reading<'_> {
    /// Takes in one attempt of this webhook.
    pub fn observe(&mut self, attempt: Attempt) {
        if !self.seen.insert(attempt.id) {
            return;
        }
        let answer = &mut self.answer;
        let position = attempt.position();
        let is_failure = !attempt.outcome.is_success();
        match is_failure {
            true => answer.window.failures += 1,
            false => answer.window.successes += 1,
        }
        answer.window.oldest = Some(answer.window.oldest.map_or(position.at, |oldest| oldest.min(position.at)));

        let is_below_floor = position <= self.ledger.floor;
        let counted = self.ledger.counted.get(&attempt.id);
        if !is_poisoned(attempt.at, answer.now) {
            answer.has_proof = true;
            answer.has_known |= is_below_floor || counted.is_some();
            let created_at = attempt.event.as_ref().and_then(|event| event.created_at);
            let created_at = created_at.filter(|at| !is_poisoned(*at, answer.now));
            answer.newest.observe(position, attempt.outcome, attempt.retry, created_at);
            let success = answer.newest.success().max(self.ledger.standing.last_success);
            if is_failure && is_below_floor && counted.is_none() && Some(position) > success {
                answer.old_failures.insert(position);
            } else if Some(position) == success {
                answer.old_failures = answer.old_failures.split_off(&position);
            }
        }
        match counted {
            Some(counted) if attempt.at > counted.at => answer.moved.push((attempt.id, attempt.at)),
            Some(_) => {}
            None if is_below_floor => {}
            None => {
                answer.fresh.insert(position, attempt);
            }
        }
    }

    /// Takes in an entry that makes no sense.
    pub fn observe_malformed(&mut self) {
        self.answer.window.malformed += 1;
    }

    /// Takes in an entry of another webhook.
    pub fn observe_foreign(&mut self) {
        self.answer.window.foreign += 1;
    }

    /// Ends the answer. Call it only if the answer ended well: one that broke off must be dropped.
    #[must_use]
    pub fn finish(self) -> Answer {
        self.answer
    }
}
