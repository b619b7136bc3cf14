//! The counting rules, done the slow way: what the core is measured against.
//!
//! The model keeps every answer that ever ended well and works everything out again from the first of them. It knows no
//! deltas, forgets nothing and is written from docs/specification.md alone, so that it can't share a mistake with the
//! ledger. The only things taken from the core are its vocabulary and its [`Policy`].

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use delivery_ledger::Policy;
use delivery_ledger::{Action, Attempt, AttemptId, EventKey, EventType, Position, UnixMillis};
use delivery_ledger::{FailureReason, Outcome};

pub(crate) const SECOND: i64 = 1_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// Rule 2: the greatest number of positions that are remembered above the floor.
const MOST_POSITIONS: usize = 20_000;

/// Section 4: how many status codes have a series of their own.
const MOST_CODES: usize = 32;

/// Section 4: the buckets of the delivery delay, in milliseconds.
const DELAY_BOUNDS: [i64; 13] = [
    SECOND,
    2_500,
    5 * SECOND,
    10 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    4 * HOUR,
];

/// One good answer of the API.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// The log, or a part of it. `rows` may repeat a row and be in any order.
    Log { now: UnixMillis, rows: Vec<Attempt>, malformed: u64, foreign: u64 },
    /// "Not modified".
    Unchanged { now: UnixMillis },
}

impl Answer {
    fn now(&self) -> UnixMillis {
        match self {
            Self::Log { now, .. } | Self::Unchanged { now } => *now,
        }
    }

    /// The distinct rows, in the order of their positions.
    fn rows(&self) -> Vec<&Attempt> {
        let Self::Log { rows, .. } = self else { return Vec::new() };
        let distinct: HashMap<AttemptId, &Attempt> = rows.iter().map(|row| (row.id, row)).collect();
        let mut distinct: Vec<&Attempt> = distinct.into_values().collect();
        distinct.sort_by_key(|row| row.position());
        distinct
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Model {
    baseline: Position,
    policy: Policy,
    answers: Vec<Answer>,
}

/// Rules 1, 2, 6 and the counters over them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) attempts: u64,
    pub(crate) failures: BTreeMap<FailureReason, u64>,
    pub(crate) responses: BTreeMap<u16, u64>,
    pub(crate) responses_other: u64,
    pub(crate) retries: u64,
}

/// Rule 7.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EventFacts {
    pub(crate) entered: BTreeMap<(EventType, Action), u64>,
    pub(crate) delivered: u64,
    pub(crate) lost: u64,
    pub(crate) pending: u64,
    pub(crate) pending_since: Option<UnixMillis>,
    pub(crate) delays: [u64; 14],
    pub(crate) delay_sum_millis: u64,
    /// How many are still told apart: the pending ones, and the settled ones that rule 2 still remembers.
    pub(crate) remembered: usize,
}

/// Rule 2: what is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) floor: Position,
    pub(crate) positions: usize,
}

/// Rule 8 and its neighbour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Doubts {
    pub(crate) gaps_at_most: u64,
    pub(crate) late: u64,
}

/// What the log held at the last answer that was one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct WindowFacts {
    pub(crate) successes: u64,
    pub(crate) failures: u64,
    pub(crate) malformed: u64,
    pub(crate) foreign: u64,
    pub(crate) oldest: Option<UnixMillis>,
}

/// How the webhook stands, history included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StandingFacts {
    pub(crate) last_success: Option<Position>,
    pub(crate) last_failure: Option<(Position, FailureReason, Option<u16>, u32)>,
    pub(crate) head_event: Option<UnixMillis>,
    pub(crate) blocked: bool,
}

/// The failures since the last success, history included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Streak {
    pub(crate) failures: u64,
    pub(crate) since: Option<UnixMillis>,
}

/// A row that counts, and the answer that first showed it.
struct CountedRow<'a> {
    row: &'a Attempt,
    answer: usize,
    seen_at: UnixMillis,
}

impl CountedRow<'_> {
    /// No row was made after it was seen.
    fn made_at(&self) -> UnixMillis {
        self.row.position().at.min(self.seen_at)
    }
}

/// What rule 2 makes of all the answers.
struct Reckoning<'a> {
    /// In the order in which they count.
    counted: Vec<CountedRow<'a>>,
    /// The floor before each answer, and in the end the floor after the last.
    floors: Vec<Position>,
}

/// Rule 8: dated more than 24 h after the server's time.
fn is_absurd(at: UnixMillis, now: UnixMillis) -> bool {
    at.as_millis() - now.as_millis() > DAY
}

/// Rule 2: dated more than 5 minutes after the server's time, by its id or by what is told.
fn is_ahead(row: &Attempt, now: UnixMillis) -> bool {
    row.at.max(row.position().at).as_millis() - now.as_millis() > 5 * MINUTE
}

/// Rule 7: what tells the event of a row. One without a usable event is an event of its own.
fn key_of(row: &Attempt) -> (Option<EventKey>, Option<AttemptId>) {
    match &row.event {
        Some(event) => (Some(event.key), None),
        None => (None, Some(row.id)),
    }
}

/// From an event's creation to this delivery of it, seen at `now`; never negative.
fn delay_of(row: &Attempt, now: UnixMillis) -> Option<i64> {
    let created_at = row.event.as_ref()?.created_at?;
    let at = if is_ahead(row, now) { now } else { row.at };
    Some((at.as_millis() - created_at.as_millis()).max(0))
}

fn is_failure(row: &Attempt) -> bool {
    matches!(row.outcome, Outcome::Failure { .. })
}

impl Model {
    pub(crate) fn new(baseline: Position, policy: Policy) -> Self {
        Self { baseline, policy, answers: Vec::new() }
    }

    pub(crate) fn take(&mut self, answer: Answer) {
        self.answers.push(answer);
    }

    fn now(&self) -> Option<UnixMillis> {
        self.answers.last().map(Answer::now)
    }

    /// Rules 1 and 2: which rows count, in which order, and where the floor is.
    fn reckon(&self) -> Reckoning<'_> {
        let mut counted: Vec<CountedRow<'_>> = Vec::new();
        let mut ids: HashSet<AttemptId> = HashSet::new();
        let mut floor = self.baseline;
        let mut floors = vec![floor];
        let mut remembered: Vec<Position> = Vec::new();
        for (index, answer) in self.answers.iter().enumerate() {
            for row in answer.rows() {
                if row.position() > floor && ids.insert(row.id) {
                    counted.push(CountedRow { row, answer: index, seen_at: answer.now() });
                    remembered.push(row.position());
                }
            }
            let horizon = answer.now().plus_millis(-HOUR);
            remembered.sort();
            let over = remembered.len().saturating_sub(MOST_POSITIONS);
            let forgotten = over.max(remembered.iter().filter(|position| position.at <= horizon).count());
            if let Some(newest) = forgotten.checked_sub(1).map(|last| remembered[last]) {
                floor = floor.max(newest);
                // A date that is told anew moves a row by two minutes at most.
                let slack = if over > 0 { floor } else { Position::before(floor.at.plus_millis(-2 * MINUTE)) };
                remembered.retain(|position| *position > slack);
            }
            floors.push(floor);
        }
        Reckoning { counted, floors }
    }

    pub(crate) fn memory(&self) -> Memory {
        let Reckoning { counted, floors } = self.reckon();
        let floor = floors.last().copied().unwrap_or(self.baseline);
        Memory { floor, positions: counted.iter().filter(|counted| counted.row.position() > floor).count() }
    }

    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for CountedRow { row, .. } in self.reckon().counted {
            counts.attempts += 1;
            counts.retries += u64::from(row.retry >= 1);
            let status = match row.outcome {
                Outcome::Success { status } => Some(status),
                Outcome::Failure { reason, status } => {
                    *counts.failures.entry(reason).or_default() += 1;
                    status
                }
            };
            let Some(status) = status else { continue };
            if counts.responses.contains_key(&status) || counts.responses.len() < MOST_CODES {
                *counts.responses.entry(status).or_default() += 1;
            } else {
                counts.responses_other += 1;
            }
        }
        counts
    }

    pub(crate) fn events(&self) -> EventFacts {
        let Reckoning { counted, floors, .. } = self.reckon();
        let keys: BTreeSet<_> = counted.iter().map(|counted| key_of(counted.row)).collect();
        let mut facts = EventFacts::default();
        for key in keys {
            let of_key = |counted: &&CountedRow<'_>| key_of(counted.row) == key;
            let rows: Vec<&CountedRow<'_>> = counted.iter().filter(of_key).collect();
            self.follow_event(&rows, &floors, &mut facts);
        }
        facts
    }

    /// The life of one event, or its lives, if it shows up again after it has been forgotten.
    fn follow_event(&self, rows: &[&CountedRow<'_>], floors: &[Position], facts: &mut EventFacts) {
        let mut seen: Vec<&CountedRow<'_>> = Vec::new();
        let mut is_settled = false;
        for (index, answer) in self.answers.iter().enumerate() {
            if !is_settled && !seen.is_empty() {
                // A success that is dealt with, and yet the event is pending.
                let key = key_of(seen[0].row);
                let is_known = |row: &&Attempt| {
                    row.position() <= floors[index] || seen.iter().any(|counted| counted.row.id == row.id)
                };
                let success =
                    answer.rows().into_iter().filter(|row| !is_failure(row) && key_of(row) == key).find(is_known);
                if let Some(success) = success {
                    is_settled = true;
                    facts.delivered += 1;
                    if let Some(delay) = delay_of(success, answer.now()) {
                        facts.delays[DELAY_BOUNDS.iter().filter(|bound| delay > **bound).count()] += 1;
                        facts.delay_sum_millis += u64::try_from(delay).expect("no delay is negative");
                    }
                }
            }
            for counted in rows.iter().filter(|counted| counted.answer == index) {
                if seen.is_empty() {
                    let kind = counted.row.event.as_ref().map(|event| (event.event_type, event.action));
                    *facts.entered.entry(kind.unwrap_or((EventType::Other, Action::Other))).or_default() += 1;
                }
                seen.push(counted);
                if is_settled {
                    continue;
                }
                if !is_failure(counted.row) {
                    is_settled = true;
                    facts.delivered += 1;
                    if let Some(delay) = delay_of(counted.row, counted.seen_at) {
                        facts.delays[DELAY_BOUNDS.iter().filter(|bound| delay > **bound).count()] += 1;
                        facts.delay_sum_millis += u64::try_from(delay).expect("no delay is negative");
                    }
                } else if counted.row.retry >= self.policy.max_retries {
                    is_settled = true;
                    facts.lost += 1;
                }
            }
            let Some(last_made_at) = seen.iter().map(|counted| counted.made_at()).max() else { continue };
            if !is_settled && answer.now().as_millis() - last_made_at.as_millis() > self.policy.pending_timeout_millis {
                is_settled = true;
                facts.lost += 1;
            }
            if is_settled && seen.iter().all(|counted| counted.row.position() <= floors[index + 1]) {
                seen.clear();
                is_settled = false;
            }
        }
        if let Some(waits_since) = seen.iter().map(|counted| counted.made_at()).max() {
            facts.remembered += 1;
            if !is_settled {
                facts.pending += 1;
                facts.pending_since = Some(facts.pending_since.map_or(waits_since, |since| since.min(waits_since)));
            }
        }
    }

    pub(crate) fn doubts(&self) -> Doubts {
        let Reckoning { counted, floors, .. } = self.reckon();
        let mut doubts = Doubts::default();
        let mut last_length = None;
        for (index, answer) in self.answers.iter().enumerate() {
            let newest_before = counted
                .iter()
                .filter(|counted| counted.answer < index && !is_ahead(counted.row, counted.seen_at))
                .map(|counted| counted.row.position())
                .max();
            let here = counted.iter().filter(|counted| counted.answer == index);
            let late = here.filter(|counted| newest_before.is_some_and(|newest| counted.row.position().at < newest.at));
            doubts.late += late.count() as u64;

            let Answer::Log { now, malformed, .. } = answer else { continue };
            let rows = answer.rows();
            let length = rows.len() as u64 + malformed;
            let known_before: HashSet<AttemptId> =
                counted.iter().filter(|counted| counted.answer < index).map(|counted| counted.row.id).collect();
            let telling: Vec<&&Attempt> = rows.iter().filter(|row| !is_absurd(row.position().at, *now)).collect();
            let is_known = |row: &Attempt| row.position() <= floors[index] || known_before.contains(&row.id);
            let is_blind = !telling.is_empty() && !telling.iter().any(|row| is_known(row));
            // No more than this: what a log is known to keep may prove that nothing was missed all the same.
            let is_empty = length == 0 && last_length.is_some_and(|last| last > 0);
            if is_empty || is_blind && last_length.is_some_and(|last| length >= 2 || last > length) {
                doubts.gaps_at_most += 1;
            }
            last_length = Some(length);
        }
        doubts
    }

    pub(crate) fn window(&self) -> WindowFacts {
        let last = self.answers.iter().rev().find(|answer| matches!(answer, Answer::Log { .. }));
        let Some(answer @ Answer::Log { malformed, foreign, .. }) = last else { return WindowFacts::default() };
        let (failures, successes): (Vec<&Attempt>, Vec<&Attempt>) =
            answer.rows().into_iter().partition(|row| is_failure(row));
        WindowFacts {
            successes: successes.len() as u64,
            failures: failures.len() as u64,
            malformed: *malformed,
            foreign: *foreign,
            oldest: failures.iter().chain(&successes).map(|row| row.position().at).min(),
        }
    }

    /// Every row that any of these answers showed, but for those dated ahead then, in the order of their positions.
    fn ever_seen(answers: &[Answer]) -> Vec<&Attempt> {
        let mut rows: BTreeMap<Position, &Attempt> = BTreeMap::new();
        for answer in answers {
            let now = answer.now();
            rows.extend(answer.rows().into_iter().filter(|row| !is_ahead(row, now)).map(|row| (row.position(), row)));
        }
        rows.into_values().collect()
    }

    pub(crate) fn standing(&self) -> StandingFacts {
        let rows = Self::ever_seen(&self.answers);
        let head_events = self.answers.iter().flat_map(|answer| {
            let sensible = |at: &UnixMillis| at.as_millis() - answer.now().as_millis() <= 5 * MINUTE;
            let rows = answer.rows().into_iter().filter(|row| !is_ahead(row, answer.now()));
            rows.filter_map(|row| row.event.as_ref()?.created_at).filter(sensible).collect::<Vec<_>>()
        });
        let blocked = match (self.now(), rows.last()) {
            (Some(now), Some(newest)) => {
                let age = now.as_millis() - newest.position().at.as_millis();
                is_failure(newest) && newest.retry < self.policy.max_retries && age < self.policy.pending_timeout_millis
            }
            _ => false,
        };
        let last_failure = rows.iter().rev().find_map(|row| match row.outcome {
            Outcome::Failure { reason, status } => Some((row.position(), reason, status, row.retry)),
            Outcome::Success { .. } => None,
        });
        StandingFacts {
            last_success: rows.iter().rev().find(|row| !is_failure(row)).map(|row| row.position()),
            last_failure,
            head_event: head_events.max(),
            blocked,
        }
    }

    pub(crate) fn streak(&self) -> Streak {
        let rows = Self::streak_rows(&self.answers);
        Streak { failures: rows.len() as u64, since: rows.first().map(|row| row.position().at) }
    }

    fn streak_rows(answers: &[Answer]) -> Vec<&Attempt> {
        let mut rows: Vec<&Attempt> =
            Self::ever_seen(answers).into_iter().rev().take_while(|row| is_failure(row)).collect();
        rows.reverse();
        rows
    }

    /// Whether a ledger that forgets can know the streak exactly, or only a lower bound of it.
    ///
    /// Of failures at or below the floor it remembers how many there were, not which. So it must start again from what
    /// the log shows when a success shows up that is older than such failures, or when such a failure itself shows up
    /// for the first time; it is exact again once the log shows all of them.
    pub(crate) fn streak_is_knowable(&self) -> bool {
        let floors = self.reckon().floors;
        let mut is_exact = true;
        for (index, answer) in self.answers.iter().enumerate() {
            let (before, after) = (&self.answers[..index], &self.answers[..=index]);
            let shown: HashSet<AttemptId> = answer.rows().iter().map(|row| row.id).collect();
            let seen_before: HashSet<AttemptId> = Self::ever_seen(before).iter().map(|row| row.id).collect();
            let last_success = |answers| Self::ever_seen(answers).into_iter().rfind(|row| !is_failure(row));
            let is_new_success = last_success(before) != last_success(after);
            let streak = Self::streak_rows(after);
            let below: Vec<&&Attempt> = streak.iter().filter(|row| row.position() <= floors[index]).collect();
            let shows_all = below.iter().all(|row| shown.contains(&row.id));
            let shows_new = below.iter().any(|row| !seen_before.contains(&row.id));
            is_exact = shows_all || is_exact && !is_new_success && !shows_new;
        }
        is_exact
    }
}
