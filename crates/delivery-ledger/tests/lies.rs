//! An API that lies in every way at random, against the truth.
//!
//! A history is made from a seed: what a webhook did, what the API shows of it at each poll, and how it lies. A model
//! that keeps everything ever shown, forgets nothing and is written from docs/specification.md says what has to be
//! counted of that; the world itself says what was never shown.
//!
//! Held in each history, after each response:
//! - attempts, failures, retries, and events entered, delivered, lost and pending are those of the model;
//! - time that passes for certain is the true one, to the minute;
//! - if an entry left before it was ever shown, a gap is said by the first response that shows nothing known;
//! - if a response shows an entry of the one before it, no gap is said: one that is not dated ahead, or one of a log that
//!   is dated ahead as a whole.
//!
//! What nobody can know, and what therefore is not held:
//! - An entry that leaves unseen while others from before it are still shown (a late one or a hole that leaves before it
//!   is filled, one that is dated back out of a log sorted by `createdAt`). Such a response proves too much.
//! - What a log misses that was empty in all responses so far: its first entries look like the first ones ever.
//! - One entry after a response of at most one: rule 8 takes it for all that there is.
//! - An entry that shows up more than an hour after its making, when younger ones have been forgotten: rule 2 takes it
//!   for dealt with, and so does the model.
//! - A log of the last T hours that begins to be cut off at fewer entries than it has shown before, in the very
//!   response that shows nothing known. Fewer than ten are never taken for cut off.
//! - What a log sorted by `createdAt` loses if all that it ever showed was dated by another clock: others stay for less.
//! - What leaves while all that is shown is dated ahead, if all that was new in the last three responses was as well:
//!   that looks like a log that is dated ahead as a whole.
//! - An entry within two minutes of the baseline that is dated anew across it: not generated.
//!
//! `LIES_HISTORIES` says how many histories are run, `LIES_FROM` from which seed on.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use delivery_ledger::{
    Action, Attempt, AttemptId, Event, EventKey, EventType, FailureReason, History, Ledger, ObjectId, Outcome, Policy,
    Position, ServerClock, ServerTime, UnixMillis, baseline, fleet::Now,
};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const BEGIN: i64 = 1_700_000_000 * SECOND;
const POLICY: Policy = Policy { max_retries: 3, pending_timeout_millis: 15 * MINUTE };

/// Numbers from a seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: i64) -> i64 {
        i64::try_from(self.next() % u64::try_from(end.max(1)).expect("positive")).expect("below an i64")
    }

    fn between(&mut self, from: i64, to: i64) -> i64 {
        from + self.below(to - from)
    }

    /// True in so many of a hundred cases.
    fn percent(&mut self, percent: i64) -> bool {
        self.below(100) < percent
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        let index = usize::try_from(self.below(i64::try_from(choices.len()).expect("few"))).expect("an index");
        choices[index]
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// The world
// ---------------------------------------------------------------------------------------------------------------------

/// How an entry says that its attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    UnderWay,
    Success,
    Failure,
}

/// One entry, as it is in truth and as it is told from which moment on.
#[derive(Clone, Debug)]
struct Entry {
    id: AttemptId,
    made: i64,
    /// By how much the whole log is ahead: its ids, and its dates of its ids.
    ahead: (i64, i64),
    appears: i64,
    hidden: Option<(i64, i64)>,
    dates: Vec<(i64, i64)>,
    ends: Vec<(i64, End)>,
    retry: u32,
    event: Option<u64>,
}

/// A `Date` that is far from this time.
fn wrong_date(dice: &mut Dice, now: i64) -> i64 {
    dice.of(&[now + HOUR, now - HOUR, now + DAY, now - DAY, now - 5 * MINUTE, 0, 253_402_300_799_000])
}

/// The last of these that is in force.
fn in_force<T: Copy>(versions: &[(i64, T)], at: i64) -> Option<T> {
    versions.iter().rev().find(|(from, _)| *from <= at).or(versions.first()).map(|(_, version)| *version)
}

impl Entry {
    /// It was there when it was made, without holes, and was always told to be of then.
    fn is_honest(&self) -> bool {
        let (ids, dates) = self.ahead;
        let is_as_all = |told: i64| told == self.made + dates;
        self.appears == self.made - ids && self.hidden.is_none() && self.dates.iter().all(|(_, told)| is_as_all(*told))
    }

    fn told(&self, at: i64) -> i64 {
        in_force(&self.dates, at).unwrap_or(self.made)
    }
}

/// How the log lets go of entries.
#[derive(Clone, Copy, Debug)]
struct Log {
    newest: Option<usize>,
    age: Option<i64>,
    /// What it goes by: `createdAt`, or the id.
    by_told: bool,
}

/// One good response: the true time, and how far behind its replica is.
#[derive(Clone, Copy, Debug)]
struct Poll {
    at: i64,
    lag: i64,
    /// The `Date` header.
    date: i64,
    newest: Option<usize>,
    restart: bool,
}

#[derive(Debug)]
struct World {
    entries: Vec<Entry>,
    log: Log,
    polls: Vec<Poll>,
    /// The `Date` header of the first list, half a second before the first log.
    list_date: i64,
    history: History,
    duplicates: bool,
    /// By how much the whole log is ahead: its ids, and its dates of its ids.
    ahead: (i64, i64),
    lies: BTreeSet<&'static str>,
}

/// What the entry shows at a moment.
#[derive(Clone, Copy, Debug)]
struct Row<'a> {
    entry: &'a Entry,
    told: i64,
    end: End,
}

impl Row<'_> {
    fn attempt(&self) -> Attempt {
        let outcome = match self.end {
            End::Success => Outcome::of(Some(200), None),
            End::Failure => Outcome::of(Some(503), None),
            End::UnderWay => Outcome::Failure { reason: FailureReason::Other, status: None },
        };
        let event = self.entry.event.map(|number| Event {
            key: EventKey::of([Some("company"), None, None, None, Some(&number.to_string())]),
            event_type: EventType::Task,
            action: Action::Edit,
            created_at: None,
            subject: None,
        });
        let at = UnixMillis::from_millis(self.told);
        Attempt { id: self.entry.id, at, outcome, retry: self.entry.retry, event }
    }

    /// Rule 2.
    fn place(&self) -> Position {
        let of_id = self.entry.made.div_euclid(SECOND) * SECOND;
        let at = if (self.told - of_id).abs() <= MINUTE { self.told } else { of_id };
        Position { at: UnixMillis::from_millis(at), id: self.entry.id }
    }
}

impl World {
    fn make(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let mut lies = BTreeSet::new();
        let mut lie = |dice: &mut Dice, percent: i64, name: &'static str| {
            let is_told = dice.percent(percent);
            if is_told {
                lies.insert(name);
            }
            is_told
        };
        let by_count = lie(&mut dice, 45, "window by count");
        let by_age = lie(&mut dice, 45, "window by age");
        let shrinks = by_count && lie(&mut dice, 35, "shrinking N");
        let by_told = lie(&mut dice, 25, "sorted by createdAt");
        let downtime = lie(&mut dice, 40, "downtime or outage");
        let late = lie(&mut dice, 25, "late entries");
        let dated = lie(&mut dice, 30, "dated by another clock");
        let dated_anew = lie(&mut dice, 25, "dated anew");
        let ahead = lie(&mut dice, 15, "dated years ahead, id too");
        let updated = lie(&mut dice, 30, "status later");
        let turned = lie(&mut dice, 20, "failure turns to success");
        let holes = lie(&mut dice, 25, "holes");
        let duplicates = lie(&mut dice, 30, "duplicates");
        let lags = lie(&mut dice, 30, "replica lag");
        let wrong_dates = lie(&mut dice, 30, "single wrong Date");
        let wrong_first = lie(&mut dice, 15, "first Date wrong");
        let skewed = lie(&mut dice, 30, "skewed servers");
        let eventless = lie(&mut dice, 25, "entries without event");
        let restarts = lie(&mut dice, 40, "restarts");
        let quiet = lie(&mut dice, 30, "quiet for hours");
        let bursts = lie(&mut dice, 35, "bursts");
        let ahead_of_ids = lie(&mut dice, 6, "all dates ahead, not the ids");
        let ahead_with_ids = !ahead_of_ids && lie(&mut dice, 6, "all dates ahead, ids too");
        let off = dice.of(&[8 * MINUTE, HOUR, 5 * HOUR, 20 * HOUR]);
        let whole = (if ahead_with_ids { off } else { 0 }, if ahead_of_ids { off } else { 0 });

        let full = by_count.then(|| usize::try_from(dice.between(4, 60)).expect("small"));
        let age = by_age.then(|| dice.between(20 * MINUTE, 6 * HOUR));
        let log = Log { newest: full, age, by_told };
        let interval = dice.of(&[MINUTE, MINUTE, 5 * MINUTE, 15 * MINUTE]);
        let history = dice.of(&[History::Ignore, History::Count]);

        let start = BEGIN + dice.between(0, 5) * 500;
        let list_date = if wrong_first { wrong_date(&mut dice, start) } else { start };

        // Polls.
        let mut polls = Vec::new();
        let mut now = start;
        let mut newest = full;
        let mut last_wrong = 0;
        let count = dice.between(6, 36);
        for number in 0..count {
            if shrinks && dice.percent(6) {
                newest = newest.map(|newest| (newest / 3).max(3));
            }
            let lag = if lags && dice.percent(40) { dice.between(1, 30) * SECOND } else { 0 };
            let skew = if skewed { dice.of(&[-5 * SECOND, -2 * SECOND, 0, 0, 3 * SECOND, 5 * SECOND]) } else { 0 };
            let is_wrong = wrong_dates && number >= last_wrong + 5 && number >= 5 && dice.percent(20);
            let wrong = wrong_date(&mut dice, now);
            let date = if is_wrong { wrong } else { (now + skew).div_euclid(SECOND) * SECOND };
            if is_wrong {
                last_wrong = number;
            }
            let restart = restarts && dice.percent(20);
            polls.push(Poll { at: now, lag, date, newest, restart });
            let pause = match () {
                () if downtime && dice.percent(12) => dice.between(interval, 10 * HOUR),
                () if quiet && dice.percent(15) => dice.between(interval, 3 * HOUR),
                () => interval + dice.between(0, 2_000),
            };
            now += pause;
        }

        // Deliveries.
        let end = now;
        let mut entries: Vec<Entry> = Vec::new();
        let mut at = BEGIN - dice.between(0, 2) * 3 * HOUR - MINUTE;
        let mut events = 0;
        let pace = dice.of(&[5 * SECOND, 40 * SECOND, 2 * MINUTE, 10 * MINUTE]).max((end - at) / 300);
        let mut burst = 0;
        while at < end && entries.len() < 500 {
            events += 1;
            let has_event = !(eventless && dice.percent(20));
            let failing = dice.of(&[5, 30, 70]);
            for retry in 0..=3_u32 {
                let succeeds = !dice.percent(failing);
                let entry = Self::entry(
                    &mut dice,
                    u64::try_from(entries.len()).expect("few"),
                    at,
                    (retry, has_event.then_some(events), succeeds),
                    whole,
                    [late, dated, dated_anew, ahead, updated, turned, holes],
                );
                entries.push(entry);
                if succeeds {
                    break;
                }
                at += dice.of(&[SECOND, 30 * SECOND, 150 * SECOND]);
            }
            burst = if burst > 0 {
                burst - 1
            } else if bursts && dice.percent(4) {
                dice.between(5, 90)
            } else {
                0
            };
            at += match () {
                () if burst > 0 => dice.between(1, 500),
                () if quiet && dice.percent(6) => dice.between(HOUR, 9 * HOUR),
                () => dice.between(1, 2 * pace),
            };
        }
        Self { entries, log, polls, list_date, history, duplicates, ahead: whole, lies }
    }

    fn entry(
        dice: &mut Dice,
        number: u64,
        at: i64,
        (retry, event, succeeds): (u32, Option<u64>, bool),
        whole: (i64, i64),
        [late, dated, dated_anew, ahead, updated, turned, holes]: [bool; 7],
    ) -> Entry {
        // Far from where the baseline may be.
        let is_far = [at, at + whole.0].iter().all(|at| (at - BEGIN).abs() > 10 * MINUTE);
        let years = if ahead && is_far && dice.percent(3) { dice.of(&[2 * DAY, 10 * 365 * DAY]) } else { 0 };
        let made = at + whole.0 + years;
        let appears = at + if late && is_far && dice.percent(10) { dice.between(SECOND, 50 * MINUTE) } else { 0 };
        let hidden = (holes && dice.percent(8)).then(|| {
            let from = appears + dice.between(0, 40 * MINUTE);
            (from, from + dice.between(MINUTE, 40 * MINUTE))
        });
        let hidden = hidden.filter(|(_, to)| is_far && *to <= at + 55 * MINUTE);
        let off = |dice: &mut Dice| {
            dice.of(&[-4 * HOUR, 5 * HOUR, -90 * SECOND, -40 * SECOND, 40 * SECOND, 8 * MINUTE, 300 * DAY])
        };
        let usual = made + whole.1;
        let mut dates = vec![(appears, if dated && is_far && dice.percent(20) { made + off(dice) } else { usual })];
        if dated_anew && is_far && dice.percent(15) {
            dates.push((appears + dice.of(&[MINUTE, HOUR, 3 * HOUR]), made + off(dice)));
        }
        let last = if succeeds { End::Success } else { End::Failure };
        let mut ends = vec![(appears, last)];
        if updated && dice.percent(20) {
            ends = vec![(appears, End::UnderWay), (appears + dice.between(SECOND, 25 * MINUTE), last)];
        } else if turned && succeeds && dice.percent(15) {
            ends = vec![(appears, End::Failure), (appears + dice.between(SECOND, 10 * MINUTE), End::Success)];
        }
        let mut id = [0; 12];
        id[..4].copy_from_slice(&u32::try_from(made / SECOND).expect("before 2106").to_be_bytes());
        id[4..].copy_from_slice(&number.to_be_bytes());
        Entry {
            id: AttemptId(ObjectId::from_bytes(id)),
            made,
            ahead: whole,
            appears,
            hidden,
            dates,
            ends,
            retry,
            event,
        }
    }

    /// What the API has in its log at this moment, holes included.
    fn held(&self, at: i64, newest: Option<usize>) -> Vec<&Entry> {
        let key = |entry: &Entry| if self.log.by_told { entry.told(at) } else { entry.made };
        let mut held: Vec<&Entry> = self.entries.iter().filter(|entry| entry.appears <= at).collect();
        held.retain(|entry| self.log.age.is_none_or(|age| at - key(entry) < age));
        held.sort_by_key(|entry| (key(entry), entry.id));
        held.split_off(held.len() - newest.map_or(held.len(), |newest| newest.min(held.len())))
    }

    fn shown(&self, poll: &Poll) -> Vec<Row<'_>> {
        let at = poll.at - poll.lag;
        let held = self.held(at, poll.newest).into_iter();
        let is_there = |entry: &&Entry| entry.hidden.is_none_or(|(from, to)| !(from..to).contains(&at));
        let row = |entry| Row { entry, told: entry.told(at), end: in_force(&entry.ends, at).unwrap_or(End::Failure) };
        held.filter(is_there).map(row).collect()
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// The model
// ---------------------------------------------------------------------------------------------------------------------

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Facts {
    attempts: u64,
    failures: u64,
    retries: u64,
    entered: u64,
    delivered: u64,
    lost: u64,
    pending: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Pending(i64),
    Delivered,
    Lost,
}

/// All that was ever shown.
#[derive(Debug)]
struct Model {
    baseline: Position,
    floor: Option<Position>,
    facts: Facts,
    counted: BTreeMap<AttemptId, Position>,
    events: HashMap<(Option<u64>, Option<AttemptId>), (Fate, Position)>,
    /// Settled events that rule 2 no longer remembers: delivered and lost.
    forgotten: [u64; 2],
}

impl Model {
    fn new() -> Self {
        Self {
            baseline: Position::START,
            floor: None,
            facts: Facts::default(),
            counted: BTreeMap::new(),
            events: HashMap::new(),
            forgotten: [0; 2],
        }
    }

    fn take(&mut self, rows: &[Row<'_>], first_floor: Position, time: ServerTime) {
        // A time that is not certain is at least the local one: a `Date` of 1970 makes nothing wait since then.
        let now = if time.is_certain { time.at } else { time.at.max(time.local) }.as_millis();
        let is_absurd = |row: &Row<'_>| row.place().at.as_millis() - now > DAY;
        let floor = *self.floor.get_or_insert_with(|| {
            let newest = rows.iter().filter(|row| !is_absurd(row)).map(|row| row.place().at).max();
            let latest = newest.map_or(time.local, |newest| newest.max(time.local));
            self.baseline = first_floor.min(Position::after(latest.end_of_second()));
            self.baseline
        });
        let ended: Vec<&Row<'_>> = rows
            .iter()
            .filter(|row| {
                let is_given_up = time.is_certain && now - row.place().at.as_millis() > POLICY.pending_timeout_millis;
                row.end != End::UnderWay || is_given_up || self.counted.contains_key(&row.entry.id)
            })
            .collect();
        let key = |row: &Row<'_>| (row.entry.event, row.entry.event.is_none().then_some(row.entry.id));
        let (mut fresh, known): (Vec<&Row<'_>>, Vec<&Row<'_>>) =
            ended.into_iter().partition(|row| !self.counted.contains_key(&row.entry.id) && row.place() > floor);
        for row in known.iter().filter(|row| row.end == End::Success) {
            if let Some((fate @ Fate::Pending(_), _)) = self.events.get_mut(&key(row)) {
                *fate = Fate::Delivered;
            }
        }
        fresh.sort_by_key(|row| row.place());
        for row in fresh {
            self.counted.insert(row.entry.id, row.place());
            self.facts.attempts += 1;
            self.facts.retries += u64::from(row.entry.retry > 0);
            self.facts.failures += u64::from(row.end != End::Success);
            let made = row.place().at.as_millis().min(now);
            let (fate, newest) = self.events.entry(key(row)).or_insert((Fate::Pending(made), row.place()));
            *newest = row.place().max(*newest);
            if let Fate::Pending(waits_since) = *fate {
                *fate = match row.end {
                    End::Success => Fate::Delivered,
                    _ if row.entry.retry >= POLICY.max_retries => Fate::Lost,
                    End::UnderWay | End::Failure => Fate::Pending(made.max(waits_since)),
                };
            }
        }
        for (fate, _) in self.events.values_mut() {
            if matches!(*fate, Fate::Pending(since) if time.is_certain && now - since > POLICY.pending_timeout_millis) {
                *fate = Fate::Lost;
            }
        }
        if time.is_certain {
            // Rule 2: what is an hour old, and older than what is under way, is dealt with.
            let under_way = rows.iter().filter(|row| !self.counted.contains_key(&row.entry.id) && row.place() > floor);
            let under_way = under_way.map(|row| row.place().at.as_millis() - 1).min();
            let horizon = under_way.map_or(now - HOUR, |oldest| oldest.min(now - HOUR));
            let old = self.counted.values().filter(|place| place.at.as_millis() <= horizon).max();
            self.floor = self.floor.max(old.copied());
        }
        let floor = self.floor.unwrap_or(floor);
        for (fate, newest) in self.events.values() {
            match fate {
                Fate::Delivered if time.is_certain && *newest <= floor => self.forgotten[0] += 1,
                Fate::Lost if time.is_certain && *newest <= floor => self.forgotten[1] += 1,
                Fate::Pending(_) | Fate::Delivered | Fate::Lost => {}
            }
        }
        self.events.retain(|_, (fate, newest)| matches!(fate, Fate::Pending(_)) || !time.is_certain || *newest > floor);
        let count = |is: fn(&Fate) -> bool| self.events.values().filter(|(fate, _)| is(fate)).count() as u64;
        self.facts.delivered = self.forgotten[0] + count(|fate| *fate == Fate::Delivered);
        self.facts.lost = self.forgotten[1] + count(|fate| *fate == Fate::Lost);
        self.facts.pending = count(|fate| matches!(fate, Fate::Pending(_)));
        self.facts.entered = self.facts.delivered + self.facts.lost + self.facts.pending;
    }
}

fn facts(ledger: &Ledger) -> Facts {
    let (totals, events) = (ledger.totals(), ledger.events());
    let kinds = EventType::ALL.iter().flat_map(|kind| Action::ALL.iter().map(|action| (*kind, *action)));
    Facts {
        attempts: totals.attempts,
        failures: totals.failures.iter().sum(),
        retries: totals.retries,
        entered: kinds.map(|(kind, action)| events.entered(kind, action)).sum(),
        delivered: events.delivered(),
        lost: events.lost(),
        pending: events.pending(),
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// One history
// ---------------------------------------------------------------------------------------------------------------------

/// What a history came to.
#[derive(Debug, Default)]
struct Seen {
    lies: BTreeSet<&'static str>,
    /// Responses before which an entry left unseen: said, and not to be known.
    missed_and_said: u64,
    missed_unknowably: BTreeMap<&'static str, u64>,
    /// Gaps that were said though nothing was missed: nothing in the response proved it.
    said_for_safety: u64,
    polls: u64,
    is_complete: bool,
}

fn observe(
    ledger: &Ledger,
    rows: &[Row<'_>],
    floor: Position,
    time: ServerTime,
    twice: bool,
) -> delivery_ledger::LogResponse {
    let mut reading = ledger.read_from(floor, time, &POLICY);
    for row in rows.iter().rev().chain(rows.iter().filter(|_| twice)) {
        match row.end {
            End::UnderWay => reading.observe_under_way(row.attempt()),
            End::Success | End::Failure => reading.observe(row.attempt()),
        }
    }
    reading.finish()
}

fn follow(seed: u64) -> Result<Seen, String> {
    let world = World::make(seed);
    let mut seen = Seen { lies: world.lies.clone(), ..Seen::default() };
    let mut clock = ServerClock::new(1.0);
    let mut started = BEGIN - MINUTE;
    let mut ledger = Ledger::new(Position::START);
    let mut model = Model::new();
    let mut shown_ever: BTreeSet<AttemptId> = BTreeSet::new();
    let mut due: BTreeSet<AttemptId> = BTreeSet::new();
    let mut missed_ever: BTreeSet<AttemptId> = BTreeSet::new();
    let mut last: Option<Vec<AttemptId>> = None;
    let mut ever_held = false;
    let mut first_floor = None;
    let mut longest = 0;
    let mut has_agreed = false;
    // Of each response with news since a date agreed with its id for the first time, whether all of it was dated ahead.
    let mut news_ahead: Vec<bool> = Vec::new();
    let mut last_at: Option<i64> = None;
    for (index, poll) in world.polls.iter().enumerate() {
        if poll.restart {
            let bytes = postcard::to_allocvec(&ledger).map_err(|error| error.to_string())?;
            ledger = postcard::from_bytes(&bytes).map_err(|error| error.to_string())?;
            (clock, started) = (ServerClock::new(1.0), poll.at - SECOND);
        }
        let moment = |at: i64| Now {
            uptime: Duration::from_millis(u64::try_from(at - started).expect("it has started")),
            wall: UnixMillis::from_millis(at),
        };
        let listed = moment(poll.at - SECOND / 2);
        let list_date = UnixMillis::from_millis(world.list_date);
        if index == 0 {
            let _ = clock.reckon(Some(list_date), listed);
        }
        let time = clock.reckon(Some(UnixMillis::from_millis(poll.date)), moment(poll.at)).time;
        let wrong = |what: &str| format!("seed {seed}, poll {index} at {}: {what}", poll.at - BEGIN);
        if time.is_certain && (time.at.as_millis() - poll.at).abs() > MINUTE {
            return Err(wrong(&format!("{time:?} is said to be certain")));
        }
        let first_start = || baseline::first_start(world.history, clock.revise(list_date, listed));
        let floor = *first_floor.get_or_insert_with(first_start);
        if world.history == History::Ignore && (floor.at.as_millis() - world.polls[0].at).abs() > MINUTE {
            return Err(wrong(&format!("counting starts at {floor:?}")));
        }
        let rows = world.shown(poll);
        let gaps_before = ledger.totals().gaps;
        let floor_before = model.floor.unwrap_or(floor);
        let counted_before: BTreeSet<AttemptId> = model.counted.keys().copied().collect();
        let response = observe(&ledger, &rows, floor, time, world.duplicates);
        ledger.fold(response, &POLICY);
        model.take(&rows, floor, time);
        if facts(&ledger) != model.facts {
            return Err(wrong(&format!("{:?} is not {:?}; {time:?} {:?}", facts(&ledger), model.facts, world.lies)));
        }

        // What left since the last response without having been shown, counting what counts only.
        let said = ledger.totals().gaps > gaps_before;
        let floor = model.baseline;
        let held: BTreeSet<AttemptId> =
            world.held(poll.at - poll.lag, poll.newest).iter().map(|entry| entry.id).collect();
        let ids: Vec<AttemptId> = rows.iter().map(|row| row.entry.id).collect();
        // Rule 8: what proves that the response reaches back.
        let ahead = |row: &Row<'_>| row.place().at.as_millis().max(row.told) - time.likely().as_millis();
        let is_absurd = |row: &Row<'_>| row.place().at.as_millis().max(row.told) - time.latest().as_millis() > DAY;
        let is_ahead = |row: &Row<'_>| ahead(row) > 5 * MINUTE;
        let of_rows: Vec<&Row<'_>> = rows.iter().filter(|row| !is_absurd(row)).collect();
        let is_all_ahead = of_rows.iter().all(|row| is_ahead(row));
        let was_ahead = news_ahead.iter().rev().take(3).all(|ahead| *ahead);
        let is_ahead_proof = is_all_ahead && (!has_agreed || was_ahead);
        let proves = |row: &&&Row<'_>| !is_ahead(row) || is_ahead_proof;
        let is_known =
            of_rows.iter().filter(proves).any(|row| shown_ever.contains(&row.entry.id) || row.place() <= floor_before);
        let mut news = of_rows.iter().filter(|row| {
            let id = row.entry.id;
            last.is_none() || model.counted.contains_key(&id) && !counted_before.contains(&id)
        });
        let is_dated_by_id = |row: &Row<'_>| row.place().at.as_millis() == row.told && !is_absurd(row);
        if !has_agreed && rows.iter().any(is_dated_by_id) {
            has_agreed = true;
            news_ahead.extend((!is_all_ahead).then_some(false));
        } else if has_agreed && news.clone().next().is_some() {
            news_ahead.push(news.all(|row| is_ahead(row)));
        }
        for row in rows.iter().filter(|row| poll.at - row.entry.made < HOUR) {
            due.insert(row.entry.id);
        }
        shown_ever.extend(&ids);
        let is_missed = |entry: &&Entry| {
            entry.appears <= poll.at - poll.lag
                && entry.made > floor.at.as_millis()
                && !shown_ever.contains(&entry.id)
                && !held.contains(&entry.id)
                && !missed_ever.contains(&entry.id)
        };
        let (missed, unknowable): (Vec<&Entry>, Vec<&Entry>) =
            world.entries.iter().filter(is_missed).partition(|entry| entry.is_honest());
        missed_ever.extend(missed.iter().chain(&unknowable).map(|entry| entry.id));
        let since = last_at.map_or(0, |last| poll.at - last);
        // What is dated ahead stays for longer.
        let ahead = world.ahead.0 + if world.log.by_told { world.ahead.1 } else { 0 };
        let is_young = world.log.age.is_some_and(|age| since < age + ahead - MINUTE);
        let is_cut_anew = is_young && world.log.newest.is_some() && ids.len() < longest.max(10);
        longest = longest.max(ids.len());
        let excuses = [
            (last.is_none(), ""),
            (missed.is_empty(), "late, hidden or dated back until they left"),
            (is_known && is_ahead_proof, "known, and dated ahead as all was that was new"),
            (is_known, "something known is shown"),
            (!ever_held, "the log was always empty"),
            (last.as_ref().is_some_and(|last| ids.len() < 2 && last.len() <= ids.len()), "one entry at most, again"),
            (is_cut_anew, "a log of hours is cut off anew"),
            (
                world.log.by_told && !has_agreed && world.ahead.1 == 0,
                "all that was ever shown is dated by another clock",
            ),
        ];
        let excuse = excuses.into_iter().find_map(|(holds, excuse)| holds.then_some(excuse));
        seen.polls += 1;
        if excuse.is_none() {
            if !said {
                let retention = ledger.retention();
                return Err(wrong(&format!(
                    "{} of {:?} missed in silence, {retention:?}, {time:?}, {:?}; {} after {:?}; {:?}",
                    missed.len(),
                    world.log,
                    rows.iter()
                        .map(|row| ((row.entry.made - poll.at) / 1000, (row.told - poll.at) / 1000, row.end))
                        .collect::<Vec<_>>(),
                    ids.len(),
                    last.map(|last| last.len()),
                    world.lies
                )));
            }
            seen.missed_and_said += 1;
        } else if let Some(excuse) = excuse
            && !(excuse.is_empty() || said || missed.is_empty() && unknowable.is_empty())
        {
            *seen.missed_unknowably.entry(excuse).or_default() += 1;
        } else if said && missed.is_empty() && unknowable.is_empty() {
            seen.said_for_safety += 1;
        }
        let overlaps = last.as_ref().is_some_and(|last| {
            let is_of_both = |id: AttemptId| last.contains(&id) && counted_before.contains(&id);
            of_rows.iter().filter(proves).any(|row| is_of_both(row.entry.id))
        });
        if said && overlaps && time.is_certain {
            return Err(wrong(&format!("a gap is said, and the response reaches back; {:?}", world.lies)));
        }
        last_at = Some(poll.at);
        ever_held |= !ids.is_empty();
        last = Some(ids);
    }
    // What was shown and has ended has counted, whatever was told of it.
    let at = world.polls.last().map_or(BEGIN, |poll| poll.at);
    let floor = model.baseline.at.as_millis();
    let due = world.entries.iter().filter(|entry| due.contains(&entry.id) && entry.made > floor);
    let due = due.filter(|entry| entry.is_honest() || entry.made > floor + 2 * MINUTE);
    let due = due.filter(|entry| entry.ends.first().is_some_and(|(_, end)| *end != End::UnderWay));
    let due = due.filter(|entry| !model.counted.contains_key(&entry.id));
    let mut due = due.peekable();
    if due.peek().is_some() {
        let due: Vec<_> = due.collect();
        return Err(format!("seed {seed}: {due:?} were shown until {at} and did not count"));
    }
    seen.is_complete = missed_ever.is_empty();
    Ok(seen)
}

/// What many histories came to.
#[derive(Debug, Default)]
struct Tally {
    lies: BTreeMap<&'static str, u64>,
    complete: u64,
    polls: u64,
    missed_and_said: u64,
    missed_unknowably: BTreeMap<&'static str, u64>,
    said_for_safety: u64,
    wrong: Vec<String>,
}

impl Tally {
    fn add(mut self, history: Result<Seen, String>) -> Self {
        match history {
            Ok(seen) => {
                seen.lies.iter().for_each(|lie| *self.lies.entry(lie).or_default() += 1);
                self.complete += u64::from(seen.is_complete);
                self.polls += seen.polls;
                self.missed_and_said += seen.missed_and_said;
                let unknowable = seen.missed_unknowably.into_iter();
                unknowable.for_each(|(why, count)| *self.missed_unknowably.entry(why).or_default() += count);
                self.said_for_safety += seen.said_for_safety;
            }
            Err(what) => self.wrong.push(what),
        }
        self
    }

    fn join(mut self, other: Self) -> Self {
        other.lies.into_iter().for_each(|(lie, count)| *self.lies.entry(lie).or_default() += count);
        self.complete += other.complete;
        self.polls += other.polls;
        self.missed_and_said += other.missed_and_said;
        let unknowable = other.missed_unknowably.into_iter();
        unknowable.for_each(|(why, count)| *self.missed_unknowably.entry(why).or_default() += count);
        self.said_for_safety += other.said_for_safety;
        self.wrong.extend(other.wrong);
        self
    }
}

/// A number from the environment.
fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn counts_are_exact_and_gaps_are_said_whatever_the_api_says_of_itself() {
    const LANES: u64 = 4;
    let (from, histories) = (asked("LIES_FROM").unwrap_or(0), asked("LIES_HISTORIES").unwrap_or(20_000));
    let lane = |lane: u64| {
        let seeds = (from..from + histories).filter(|seed| seed % LANES == lane);
        seeds.map(follow).fold(Tally::default(), Tally::add)
    };
    let all = std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES).map(|number| scope.spawn(move || lane(number))).collect();
        lanes.into_iter().map(|lane| lane.join().expect("no panic")).fold(Tally::default(), Tally::join)
    });
    println!("{histories} histories, {} responses; {} in which nothing was missed", all.polls, all.complete);
    println!("gaps: {} of entries missed, {} for safety", all.missed_and_said, all.said_for_safety);
    println!("responses that nobody can know to have missed something, and that said no gap:");
    all.missed_unknowably.iter().for_each(|(why, count)| println!("{count:>8} {why}"));
    println!("histories with each lie:");
    all.lies.iter().for_each(|(lie, count)| println!("{count:>8} {lie}"));
    assert!(all.wrong.is_empty(), "{} of {histories}:\n{}", all.wrong.len(), all.wrong.join("\n"));
    assert!(histories < 1_000 || all.missed_and_said * 3 > histories && all.complete * 3 > histories, "{all:?}");
}
