//! The counting rules, done the slow way: what the core is measured against.
//!
//! The model keeps every response that ever ended well and works everything out again from the first of them. It knows no
//! deltas, forgets nothing and is written from docs/specification.md alone, so that it can't share a mistake with the
//! ledger. The only things taken from the core are its vocabulary and its [`Policy`].

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use delivery_ledger::Policy;
use delivery_ledger::{Action, Attempt, AttemptId, EventKey, EventType, Position, SubjectId, UnixMillis};
use delivery_ledger::{FailureReason, Outcome};

pub(crate) const SECOND: i64 = 1_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// Rule 2: the greatest number of positions that are remembered above the floor.
const MOST_POSITIONS: usize = 20_000;

/// Rule 11: how many lost events and attempts are listed.
const MOST_LOST: usize = 100;
const MOST_RECENT: usize = 20;

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

/// One good response of the API.
#[derive(Clone, Debug)]
pub(crate) enum LogResponse {
    /// The log, or a part of it. `rows` may repeat a row and be in any order.
    Log { now: UnixMillis, rows: Vec<Attempt>, malformed: u64, foreign: u64 },
    /// "Not modified".
    Unchanged { now: UnixMillis },
}

impl LogResponse {
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
        distinct.sort_by_key(|row| place(row));
        distinct
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Model {
    baseline: Position,
    policy: Policy,
    responses: Vec<LogResponse>,
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
    /// Rule 11: the newest of those that were lost.
    pub(crate) lost_events: BTreeMap<EventKey, LostFact>,
    /// Rule 11: each that is pending, by its newest failed attempt.
    pub(crate) pending_events: BTreeMap<EventKey, AttemptFact>,
}

/// Rule 11: an event as it is told, and the id of its subject.
pub(crate) type EventFact = (EventType, Action, Option<UnixMillis>, Option<SubjectId>);

/// Rule 11: an attempt as it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AttemptFact {
    pub(crate) id: AttemptId,
    pub(crate) at: UnixMillis,
    pub(crate) outcome: Outcome,
    pub(crate) retry: u32,
    pub(crate) event: Option<EventFact>,
}

impl AttemptFact {
    fn of(row: &Attempt) -> Self {
        let event = row.event.as_ref().map(|e| (e.event_type, e.action, e.created_at, e.subject));
        Self { id: row.id, at: row.at, outcome: row.outcome, retry: row.retry, event }
    }
}

/// Rule 11: a lost event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LostFact {
    pub(crate) last: AttemptFact,
    pub(crate) lost_at: UnixMillis,
    pub(crate) succeeded_at: Option<UnixMillis>,
}

impl EventFacts {
    /// A lost event is told by its newest failed attempt, also if that comes after it was lost. That it succeeded stays
    /// true, also if it is lost a second time.
    fn list_if_lost(&mut self, key: EventKey, settled: Option<Settled>, seen: &[&CountedRow<'_>]) {
        let (Some(Settled::Lost { at: lost_at }), Some(last)) = (settled, newest_failure(seen)) else { return };
        let succeeded_at = self.lost_events.get(&key).and_then(|before| before.succeeded_at);
        self.lost_events.insert(key, LostFact { last, lost_at, succeeded_at });
    }

    /// An event that is lost stays so; what is said of it is that it succeeded after all.
    fn succeed(&mut self, key: EventKey, at: UnixMillis) {
        if let Some(lost) = self.lost_events.get_mut(&key)
            && lost.succeeded_at.is_none()
        {
            lost.succeeded_at = Some(at);
        }
    }

    fn deliver(&mut self, row: &Attempt, at: UnixMillis) {
        self.delivered += 1;
        if let Some(created_at) = row.event.as_ref().and_then(|event| event.created_at) {
            let delay = (at.as_millis() - created_at.as_millis()).max(0);
            self.delays[DELAY_BOUNDS.iter().filter(|bound| delay > **bound).count()] += 1;
            self.delay_sum_millis += u64::try_from(delay).expect("no delay is negative");
        }
    }
}

/// Rule 2: what is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) floor: Position,
    pub(crate) positions: usize,
}

/// Rule 8: what a response proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Nothing was missed since the last one, or it says nothing.
    NothingMissed,
    /// Nothing known is in it: only what is known of the log can still prove that nothing was missed.
    OnlyByRetention { last: u64, longest: u64, shown: u64 },
}

/// What the log held at the last response that was one.
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

/// A row that counts, and the response that first showed it.
struct CountedRow<'a> {
    row: &'a Attempt,
    response: usize,
    seen_at: UnixMillis,
}

impl CountedRow<'_> {
    /// A row was made before it was seen, whatever its id says.
    fn made_at(&self) -> UnixMillis {
        place(self.row).at.min(self.seen_at)
    }

    /// When it was made as it is told, unless that lies ahead of the server's time.
    fn told_at(&self) -> UnixMillis {
        if is_ahead(self.row, self.seen_at) { self.seen_at } else { self.row.at }
    }
}

/// How an event was settled.
#[derive(Clone, Copy)]
enum Settled {
    Delivered,
    Lost { at: UnixMillis },
}

fn newest_failure(rows: &[&CountedRow<'_>]) -> Option<AttemptFact> {
    let failures = rows.iter().map(|counted| counted.row).filter(|row| is_failure(row));
    failures.max_by_key(|row| place(row)).map(AttemptFact::of)
}

/// What rule 2 makes of all the responses.
struct Reckoning<'a> {
    /// In the order in which they count.
    counted: Vec<CountedRow<'a>>,
    /// The floor before each response, and in the end the floor after the last.
    floors: Vec<Position>,
}

/// Rule 8: dated more than 24 h after the server's time.
fn is_absurd(at: UnixMillis, now: UnixMillis) -> bool {
    at.as_millis() - now.as_millis() > DAY
}

/// Rule 2: the second of the id; `createdAt`, where that lies within a minute.
fn place(row: &Attempt) -> Position {
    let [a, b, c, d, ..] = row.id.0.to_bytes();
    let second = i64::from(a) << 24 | i64::from(b) << 16 | i64::from(c) << 8 | i64::from(d);
    let of_id = second * SECOND;
    let told = row.at.as_millis();
    let at = if (of_id - MINUTE..=of_id + MINUTE).contains(&told) { told } else { of_id };
    Position { at: UnixMillis::from_millis(at), id: row.id }
}

/// Rule 2: such a row has no part in how the webhook stands.
/// The rows that are not dated absurdly.
fn telling(response: &LogResponse) -> Vec<&Attempt> {
    let is_absurd = |row: &&Attempt| is_absurd(place(row).at.max(row.at), response.now());
    response.rows().into_iter().filter(|row| !is_absurd(row)).collect()
}

fn is_ahead(row: &Attempt, now: UnixMillis) -> bool {
    lies_ahead(row.at, now) || lies_ahead(place(row).at, now)
}

fn lies_ahead(at: UnixMillis, now: UnixMillis) -> bool {
    at.as_millis() - now.as_millis() > 5 * MINUTE
}

/// The event that a row is of: its own where it carries none.
fn key_of(row: &Attempt) -> EventKey {
    let id = row.id.to_string();
    row.event.as_ref().map_or_else(|| EventKey::of([Some(&id), None, None, None, None]), |event| event.key)
}

fn is_failure(row: &Attempt) -> bool {
    matches!(row.outcome, Outcome::Failure { .. })
}

impl Model {
    pub(crate) fn new(baseline: Position, policy: Policy) -> Self {
        Self { baseline, policy, responses: Vec::new() }
    }

    pub(crate) fn take(&mut self, response: LogResponse) {
        self.responses.push(response);
    }

    /// Where counting starts, as of the first response.
    pub(crate) fn first_floor(&self) -> Position {
        self.reckon().floors.first().copied().unwrap_or(self.baseline)
    }

    fn now(&self) -> Option<UnixMillis> {
        self.responses.last().map(LogResponse::now)
    }

    /// Rule 2: no first floor lies above both the newest row and the time.
    fn latest_floor(response: &LogResponse) -> UnixMillis {
        let now = response.now();
        let places = response.rows().into_iter().map(|row| place(row).at).filter(|at| !is_absurd(*at, now));
        places.fold(now, UnixMillis::max).end_of_second()
    }

    /// Rules 1 and 2: which rows count, in which order, and where the floor is.
    fn reckon(&self) -> Reckoning<'_> {
        let mut counted: Vec<CountedRow<'_>> = Vec::new();
        let mut ids: HashSet<AttemptId> = HashSet::new();
        let mut floor = self.baseline;
        let mut floors = vec![floor];
        for (index, response) in self.responses.iter().enumerate() {
            if index == 0 && floor != Position::START && matches!(response, LogResponse::Log { .. }) {
                floor = floor.min(Position::after(Self::latest_floor(response)));
                floors = vec![floor];
            }
            for row in response.rows() {
                if place(row) > floor && ids.insert(row.id) {
                    counted.push(CountedRow { row, response: index, seen_at: response.now() });
                }
            }
            let horizon = response.now().plus_millis(-HOUR);
            let mut remembered: Vec<Position> =
                counted.iter().map(|counted| place(counted.row)).filter(|position| *position > floor).collect();
            remembered.sort();
            while let Some(oldest) = remembered.first().copied()
                && (oldest.at <= horizon || remembered.len() > MOST_POSITIONS)
            {
                floor = oldest;
                remembered.remove(0);
            }
            floors.push(floor);
        }
        Reckoning { counted, floors }
    }

    pub(crate) fn memory(&self) -> Memory {
        let Reckoning { counted, floors } = self.reckon();
        let floor = floors.last().copied().unwrap_or(self.baseline);
        Memory { floor, positions: counted.iter().filter(|counted| place(counted.row) > floor).count() }
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
        let Reckoning { counted, floors } = self.reckon();
        let keys: BTreeSet<EventKey> = counted.iter().map(|counted| key_of(counted.row)).collect();
        let mut facts = EventFacts::default();
        for key in keys {
            let rows: Vec<&CountedRow<'_>> = counted.iter().filter(|counted| key_of(counted.row) == key).collect();
            self.follow_event(key, &rows, &floors, &mut facts);
        }
        let mut lost: Vec<(EventKey, LostFact)> = std::mem::take(&mut facts.lost_events).into_iter().collect();
        lost.sort_by_key(|(_, lost)| Reverse(lost.lost_at));
        facts.lost_events = lost.into_iter().take(MOST_LOST).collect();
        facts
    }

    /// The life of one event, or its lives, if it shows up again after it has been forgotten.
    fn follow_event(&self, key: EventKey, rows: &[&CountedRow<'_>], floors: &[Position], facts: &mut EventFacts) {
        let mut seen: Vec<&CountedRow<'_>> = Vec::new();
        let mut settled: Option<Settled> = None;
        for (index, response) in self.responses.iter().enumerate() {
            // A success below the floor does not count, and yet the event was delivered.
            let is_old_success = |row: &&Attempt| key_of(row) == key && !is_failure(row) && place(row) <= floors[index];
            if let Some(row) = response.rows().into_iter().find(is_old_success) {
                let at = if is_ahead(row, response.now()) { response.now() } else { row.at };
                facts.succeed(key, at);
                if !seen.is_empty() && settled.is_none() {
                    settled = Some(Settled::Delivered);
                    facts.deliver(row, at);
                }
            }
            for counted in rows.iter().filter(|counted| counted.response == index) {
                if seen.is_empty() {
                    let event = counted.row.event.as_ref();
                    let kind =
                        event.map_or((EventType::Other, Action::Other), |event| (event.event_type, event.action));
                    *facts.entered.entry(kind).or_default() += 1;
                }
                seen.push(counted);
                let is_lost_now = settled.is_none() && counted.row.retry >= self.policy.max_retries;
                if !is_failure(counted.row) {
                    facts.succeed(key, counted.told_at());
                    if settled.is_none() {
                        settled = Some(Settled::Delivered);
                        facts.deliver(counted.row, counted.told_at());
                    }
                } else if is_lost_now {
                    settled = Some(Settled::Lost { at: counted.made_at() });
                    facts.lost += 1;
                }
                facts.list_if_lost(key, settled, &seen);
            }
            let Some(last_made_at) = seen.iter().map(|counted| counted.made_at()).max() else { continue };
            let lost_at = last_made_at.plus_millis(self.policy.pending_timeout_millis);
            if settled.is_none() && response.now() > lost_at {
                settled = Some(Settled::Lost { at: lost_at });
                facts.lost += 1;
                facts.list_if_lost(key, settled, &seen);
            }
            if settled.is_some() && seen.iter().all(|counted| place(counted.row) <= floors[index + 1]) {
                seen.clear();
                settled = None;
            }
        }
        if let Some(waits_since) = seen.iter().map(|counted| counted.made_at()).max() {
            facts.remembered += 1;
            if settled.is_none() {
                facts.pending += 1;
                facts.pending_since = Some(facts.pending_since.map_or(waits_since, |since| since.min(waits_since)));
                facts.pending_events.extend(newest_failure(&seen).map(|last| (key, last)));
            }
        }
    }

    /// Rule 11: the newest attempts, history included.
    pub(crate) fn recent(&self) -> Vec<AttemptFact> {
        let mut rows: HashMap<AttemptId, &Attempt> = HashMap::new();
        for response in &self.responses {
            let present = response.rows().into_iter().filter(|row| !is_ahead(row, response.now()));
            rows.extend(present.map(|row| (row.id, row)));
        }
        let mut rows: Vec<&Attempt> = rows.into_values().collect();
        rows.sort_by_key(|row| Reverse(place(row)));
        rows.into_iter().take(MOST_RECENT).map(AttemptFact::of).collect()
    }

    /// Entries that showed up late.
    pub(crate) fn late(&self) -> u64 {
        let Reckoning { counted, .. } = self.reckon();
        let mut all_late = 0;
        for index in 0..self.responses.len() {
            let newest_before = counted
                .iter()
                .filter(|counted| counted.response < index && !is_ahead(counted.row, counted.seen_at))
                .map(|counted| place(counted.row))
                .max();
            let here = counted.iter().filter(|counted| counted.response == index);
            let late = here.filter(|counted| newest_before.is_some_and(|newest| place(counted.row).at < newest.at));
            all_late += late.count() as u64;
        }
        all_late
    }

    /// Rule 8, as far as it does not depend on what is known of the log: what the last response proves.
    pub(crate) fn proof(&self) -> Proof {
        let Reckoning { counted, floors } = self.reckon();
        let index = self.responses.len() - 1;
        let of_log = |response: &LogResponse| match response {
            LogResponse::Log { malformed, .. } => Some((response.rows().len() as u64, *malformed)),
            LogResponse::Unchanged { .. } => None,
        };
        let response = &self.responses[index];
        let Some((attempts, malformed)) = of_log(response) else { return Proof::NothingMissed };
        let shown = attempts + malformed;
        // Of those that have malformed entries only, the first one counts, for want of another.
        let earlier = self.responses[..index].iter().filter_map(of_log).enumerate();
        let says = earlier.filter(|(number, (attempts, malformed))| *number == 0 || *attempts > 0 || *malformed == 0);
        let lengths: Vec<u64> = says.map(|(_, (attempts, malformed))| attempts + malformed).collect();
        let Some(last) = lengths.last().copied() else { return Proof::NothingMissed };
        let known_before: HashSet<AttemptId> =
            counted.iter().filter(|counted| counted.response < index).map(|counted| counted.row.id).collect();
        // One that is dated ahead stays on top of a log that is sorted by date, unless the whole log is dated ahead.
        let (ahead, present): (Vec<&Attempt>, Vec<&Attempt>) =
            telling(response).into_iter().partition(|row| is_ahead(row, response.now()));
        let telling = if present.is_empty() && self.is_dated_ahead(&counted) { ahead } else { present };
        let is_known = telling.iter().any(|row| place(row) <= floors[index] || known_before.contains(&row.id));
        let says_nothing = attempts == 0 && malformed > 0;
        if is_known || says_nothing || shown < 2 && last <= shown {
            Proof::NothingMissed
        } else {
            let longest = lengths.iter().copied().max().unwrap_or(last);
            Proof::OnlyByRetention { last, longest, shown }
        }
    }

    /// Whether another clock dates the whole log, as far as the responses before the last one say: none of its dates agrees
    /// with its id, or what was new in the last three that had something new, or in all since one agreed, is dated ahead.
    fn is_dated_ahead(&self, counted: &[CountedRow<'_>]) -> bool {
        let (mut has_agreed, mut news_ahead) = (false, Vec::new());
        for (index, response) in self.responses[..self.responses.len() - 1].iter().enumerate() {
            let is_ahead = |row: &&Attempt| is_ahead(row, response.now());
            let rows = telling(response);
            let counts_now = |row: &Attempt| counted.iter().any(|new| new.response == index && new.row.id == row.id);
            let news: Vec<&Attempt> = rows.iter().copied().filter(|row| index == 0 || counts_now(row)).collect();
            if !has_agreed && rows.iter().any(|row| place(row).at == row.at) {
                has_agreed = true;
                news_ahead.extend((!rows.iter().all(is_ahead)).then_some(false));
            } else if has_agreed && !news.is_empty() {
                news_ahead.push(news.iter().all(is_ahead));
            }
        }
        !has_agreed || news_ahead.iter().rev().take(3).all(|ahead| *ahead)
    }

    pub(crate) fn window(&self) -> WindowFacts {
        let last = self.responses.iter().rev().find(|response| matches!(response, LogResponse::Log { .. }));
        let Some(response @ LogResponse::Log { malformed, foreign, .. }) = last else { return WindowFacts::default() };
        let (failures, successes): (Vec<&Attempt>, Vec<&Attempt>) =
            response.rows().into_iter().partition(|row| is_failure(row));
        WindowFacts {
            successes: successes.len() as u64,
            failures: failures.len() as u64,
            malformed: *malformed,
            foreign: *foreign,
            oldest: failures.iter().chain(&successes).map(|row| place(row).at).min(),
        }
    }

    /// Every row that any of these responses showed, but for those dated ahead, in the order of their positions.
    fn ever_seen(responses: &[LogResponse]) -> Vec<&Attempt> {
        let mut rows: BTreeMap<Position, &Attempt> = BTreeMap::new();
        for response in responses {
            let now = response.now();
            rows.extend(response.rows().into_iter().filter(|row| !is_ahead(row, now)).map(|row| (place(row), row)));
        }
        rows.into_values().collect()
    }

    pub(crate) fn standing(&self) -> StandingFacts {
        let rows = Self::ever_seen(&self.responses);
        let head_events = self.responses.iter().flat_map(|response| {
            let now = response.now();
            let rows = response.rows().into_iter().filter(move |row| !is_ahead(row, now));
            let created_at = rows.filter_map(|row| row.event.as_ref()?.created_at);
            created_at.filter(|at| !lies_ahead(*at, now)).collect::<Vec<_>>()
        });
        let blocked = match (self.now(), rows.last()) {
            (Some(now), Some(newest)) => {
                let age = now.as_millis() - place(newest).at.as_millis();
                is_failure(newest) && newest.retry < self.policy.max_retries && age < self.policy.pending_timeout_millis
            }
            _ => false,
        };
        let last_failure = rows.iter().rev().find_map(|row| match row.outcome {
            Outcome::Failure { reason, status } => Some((place(row), reason, status, row.retry)),
            Outcome::Success { .. } => None,
        });
        StandingFacts {
            last_success: rows.iter().rev().find(|row| !is_failure(row)).map(|row| place(row)),
            last_failure,
            head_event: head_events.max(),
            blocked,
        }
    }

    pub(crate) fn streak(&self) -> Streak {
        let rows = Self::streak_rows(&self.responses);
        Streak { failures: rows.len() as u64, since: rows.first().map(|row| place(row).at) }
    }

    fn streak_rows(responses: &[LogResponse]) -> Vec<&Attempt> {
        let mut rows: Vec<&Attempt> =
            Self::ever_seen(responses).into_iter().rev().take_while(|row| is_failure(row)).collect();
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
        for (index, response) in self.responses.iter().enumerate() {
            let (before, after) = (&self.responses[..index], &self.responses[..=index]);
            let shown: HashSet<AttemptId> = response.rows().iter().map(|row| row.id).collect();
            let seen_before: HashSet<AttemptId> = Self::ever_seen(before).iter().map(|row| row.id).collect();
            let last_success = |responses| Self::ever_seen(responses).into_iter().rfind(|row| !is_failure(row));
            let is_new_success = last_success(before) != last_success(after);
            let streak = Self::streak_rows(after);
            let below: Vec<&&Attempt> = streak.iter().filter(|row| place(row) <= floors[index]).collect();
            let shows_all = below.iter().all(|row| shown.contains(&row.id));
            let shows_new = below.iter().any(|row| !seen_before.contains(&row.id));
            is_exact = shows_all || is_exact && !is_new_success && !shows_new;
        }
        is_exact
    }
}
