//! The counting rules of docs/specification.md: as properties against the model, and as examples.

use std::collections::BTreeSet;

use delivery_ledger::ServerTime;
use delivery_ledger::{
    Action, Attempt, AttemptId, Event, EventKey, EventType, ObjectId, Position, SubjectId, UnixMillis,
};
use delivery_ledger::{EventSummary, Failure, FailureReason, LostEvent, Outcome, RecentAttempt};
use delivery_ledger::{Ledger, Policy, Retention};
use proptest::prelude::*;
use proptest::sample::select;

use crate::model::{
    AttemptFact, Counts, DAY, EventFact, EventFacts, HOUR, LogResponse, LostFact, MINUTE, Memory, Model, Proof, SECOND,
    StandingFacts, Streak, WindowFacts,
};

// ---------------------------------------------------------------------------------------------------------------------
// What happens: the truth of a webhook, and how it is polled
// ---------------------------------------------------------------------------------------------------------------------

/// When every history begins.
const BEGIN: UnixMillis = UnixMillis::from_secs(1_700_000_000);

/// What happens to one webhook and its poller.
#[derive(Clone, Debug)]
struct History {
    floor: Position,
    policy: Policy,
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    /// A response that ended well.
    LogResponse(LogResponse),
    /// A response that broke off after these rows.
    BrokenOff { now: UnixMillis, rows: Vec<Attempt> },
    /// A response that ended well, of which nothing reached the disk before the process died.
    Crash { now: UnixMillis, rows: Vec<Attempt> },
    /// A restart from the last checkpoint.
    Restart,
}

/// An entry of the true log, and when the API shows it.
#[derive(Clone, Debug)]
struct TrueRow {
    attempt: Attempt,
    shown_from: UnixMillis,
    /// It vanishes in between.
    hidden: Option<(UnixMillis, UnixMillis)>,
}

impl TrueRow {
    fn is_shown(&self, now: UnixMillis) -> bool {
        let is_hidden = self.hidden.is_some_and(|(from, to)| from <= now && now < to);
        self.shown_from <= now && !is_hidden
    }
}

/// What the generated histories may hold.
#[derive(Clone, Copy, Debug)]
struct Scope {
    /// How far ahead absurdly dated rows are dated.
    ahead: &'static [i64],
    /// How late rows may show up.
    lateness: &'static [i64],
    /// Whether a response can show less than the whole log.
    partial: bool,
    /// By how much the server's clock may be off: its responses can come from several machines.
    skew: &'static [i64],
    /// By how much `createdAt` may be off where the id is right.
    misdated: &'static [i64],
}

/// Everything that the undocumented API might do.
const ANYTHING: Scope = Scope {
    ahead: &[DAY, DAY + 1, DAY + MINUTE, 30 * HOUR, 80 * 365 * DAY],
    lateness: &[0, 0, 0, 0, 0, 30 * SECOND, 10 * MINUTE, 29 * MINUTE, 50 * MINUTE, 2 * HOUR],
    partial: true,
    skew: &[0, 0, 0, -1_500],
    misdated: &[-4 * HOUR, -61 * SECOND, -59 * SECOND, 500, 59 * SECOND, 4 * MINUTE, 20 * MINUTE, 5 * HOUR],
};

/// As [`ANYTHING`], but a date is either sensible or so absurd that time never catches up with it.
const CLEARLY_DATED: Scope = Scope { ahead: &[80 * 365 * DAY], ..ANYTHING };

/// The whole log, in time.
const ORDERLY: Scope = Scope { ahead: &[80 * 365 * DAY], lateness: &[0], partial: false, skew: &[0], misdated: &[0] };

#[derive(Clone, Debug)]
struct Birth {
    offset: i64,
    age: Option<i64>,
    kind: (EventType, Action),
    tries: Vec<Try>,
    is_retry_of_the_previous: bool,
    has_event: bool,
    only_final: bool,
    ahead: Option<i64>,
}

#[derive(Clone, Debug)]
struct Try {
    after: i64,
    outcome: Outcome,
    /// By how much `createdAt` is off: it is told by another clock.
    misdated: i64,
    lateness: i64,
    hidden: Option<(i64, i64)>,
}

#[derive(Clone, Debug)]
struct Round {
    pause: i64,
    births: Vec<Birth>,
    skew: i64,
    kind: RoundKind,
    view: View,
    order: u64,
    malformed: u64,
    foreign: u64,
}

#[derive(Clone, Copy, Debug)]
enum RoundKind {
    Good,
    BrokenOff,
    Crash,
    Restart,
    Unchanged,
}

#[derive(Clone, Copy, Debug)]
enum View {
    All,
    Newest(usize),
    Some(u64),
}

#[derive(Clone, Copy, Debug)]
enum Floor {
    Start,
    After(i64),
    AtRow(usize),
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        4 => (200_u16..=209).prop_map(|status| Outcome::Success { status }),
        // Enough different ones to run out of series.
        3 => (300_u16..=349).prop_map(|status| Outcome::of(Some(status), None)),
        3 => select(vec![
            Outcome::of(Some(409), Some("connect ETIMEDOUT 192.0.2.7:443")),
            Outcome::of(Some(409), Some("certificate has expired")),
            Outcome::of(Some(404), None),
            Outcome::of(Some(503), None),
            Outcome::of(None, None),
        ]),
    ]
}

fn tries(scope: Scope) -> impl Strategy<Value = Try> {
    (
        select(vec![0, 1, 30 * SECOND, 30 * SECOND, 160 * SECOND, 15 * MINUTE]),
        outcomes(),
        prop_oneof![3 => Just(0), 1 => select(scope.misdated.to_vec())],
        select(scope.lateness.to_vec()),
        prop::option::weighted(
            0.15,
            (select(vec![0, MINUTE, 20 * MINUTE]), select(vec![MINUTE, 20 * MINUTE, 3 * HOUR])),
        ),
    )
        .prop_map(move |(after, outcome, misdated, lateness, hidden)| Try {
            after,
            outcome,
            misdated,
            lateness,
            hidden: hidden.filter(|_| scope.partial),
        })
}

fn births(scope: Scope) -> impl Strategy<Value = Birth> {
    (
        select(vec![0, 0, 1, -30 * SECOND, -MINUTE, -20 * MINUTE, 30 * SECOND]),
        prop::option::weighted(
            0.9,
            select(vec![-40 * DAY, -5 * SECOND, 0, SECOND, 2_500, 10 * SECOND, 10_001, 30 * MINUTE, 5 * HOUR]),
        ),
        (select(EventType::ALL), select(Action::ALL)),
        prop::collection::vec(tries(scope), 1..=4),
        prop::bool::weighted(0.15),
        prop::bool::weighted(0.95),
        prop::bool::weighted(0.15),
        prop::option::weighted(0.07, select(scope.ahead.to_vec())),
    )
        .prop_map(|(offset, age, kind, tries, is_retry_of_the_previous, has_event, only_final, ahead)| Birth {
            offset,
            age,
            kind,
            tries,
            is_retry_of_the_previous,
            has_event,
            only_final,
            ahead,
        })
}

fn rounds(scope: Scope) -> impl Strategy<Value = Round> {
    let view = if scope.partial {
        prop_oneof![
            2 => Just(View::All),
            3 => (0_usize..10).prop_map(View::Newest),
            1 => any::<u64>().prop_map(View::Some),
        ]
        .boxed()
    } else {
        Just(View::All).boxed()
    };
    let kind = select(vec![
        RoundKind::Good,
        RoundKind::Good,
        RoundKind::Good,
        RoundKind::Good,
        RoundKind::Good,
        RoundKind::BrokenOff,
        RoundKind::Crash,
        RoundKind::Restart,
        RoundKind::Unchanged,
    ]);
    (
        select(vec![1, SECOND, 30 * SECOND, MINUTE, MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR]),
        prop::collection::vec(births(scope), 0..=3),
        select(scope.skew.to_vec()),
        kind,
        view,
        any::<u64>(),
        select(vec![0, 0, 0, 1, 3]),
        select(vec![0, 0, 0, 2]),
    )
        .prop_map(|(pause, births, skew, kind, view, order, malformed, foreign)| Round {
            pause,
            births,
            skew,
            kind,
            view,
            order,
            malformed,
            foreign,
        })
}

fn policies() -> impl Strategy<Value = Policy> {
    (select(vec![0, 2, 3, 3, 3]), select(vec![MINUTE, 15 * MINUTE, 15 * MINUTE, 2 * HOUR]))
        .prop_map(|(max_retries, pending_timeout_millis)| Policy { max_retries, pending_timeout_millis })
}

fn floors() -> impl Strategy<Value = Floor> {
    prop_oneof![
        2 => Just(Floor::Start),
        2 => select(vec![-HOUR, 0, 30 * SECOND, 5 * MINUTE, HOUR]).prop_map(Floor::After),
        2 => (0_usize..12).prop_map(Floor::AtRow),
    ]
}

/// The log as it is in truth, written round by round; and the times of the rounds.
fn truth(rounds: &[Round], is_strict: bool) -> (Vec<TrueRow>, Vec<UnixMillis>) {
    let mut rows: Vec<TrueRow> = Vec::new();
    let mut times = Vec::new();
    let mut clock = BEGIN;
    let mut free_at = BEGIN;
    let mut events = 0_u64;
    for round in rounds {
        clock = clock.plus_millis(round.pause);
        times.push(clock);
        for birth in &round.births {
            let mut at = clock.plus_millis(birth.offset);
            if is_strict {
                at = at.max(free_at);
            }
            let previous = rows.last().and_then(|row: &TrueRow| row.attempt.event.clone());
            events += 1;
            let fresh = Event {
                key: EventKey::of([Some("company"), Some(&events.to_string()), None, None, None]),
                event_type: birth.kind.0,
                action: birth.kind.1,
                created_at: birth.age.map(|age| at.plus_millis(-age)),
                subject: (!events.is_multiple_of(3)).then(|| SubjectId(id(7, events).0)),
            };
            let event = if birth.is_retry_of_the_previous { previous.or(Some(fresh)) } else { Some(fresh) };
            for (retry, one) in (0_u32..).zip(&birth.tries) {
                at = at.plus_millis(one.after);
                free_at = at;
                let is_last = one.outcome.is_success() || retry as usize + 1 == birth.tries.len();
                if birth.only_final && !is_last {
                    continue;
                }
                let made = birth.ahead.map_or(at, |ahead| clock.plus_millis(ahead));
                let dated = made.plus_millis(one.misdated);
                let shown_from = if birth.ahead.is_some() { clock } else { at }.plus_millis(one.lateness);
                let hide = |(after, length)| {
                    let from = shown_from.plus_millis(after);
                    (from, from.plus_millis(length))
                };
                let second = u32::try_from(made.as_millis() / SECOND).unwrap_or(u32::MAX);
                let id = id(second, rows.len() as u64);
                let event = event.clone().filter(|_| birth.has_event);
                rows.push(TrueRow {
                    attempt: Attempt { id, at: dated, outcome: one.outcome, retry, event },
                    shown_from,
                    hidden: one.hidden.map(hide),
                });
                if is_last {
                    break;
                }
            }
        }
    }
    (rows, times)
}

fn id(second: u32, number: u64) -> AttemptId {
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&second.to_be_bytes());
    bytes[4..].copy_from_slice(&number.to_be_bytes());
    AttemptId(ObjectId::from_bytes(bytes))
}

/// Scatters the numbers of one shuffle.
fn scatter(seed: u64, number: u64) -> u64 {
    let mut mixed = (seed ^ number).wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The rows in another order, about every fourth of them twice.
fn disordered(rows: &[Attempt], seed: u64) -> Vec<Attempt> {
    let twice = |index: usize| 1 + usize::from(scatter(seed, index as u64).is_multiple_of(4));
    let mut rows: Vec<Attempt> =
        rows.iter().enumerate().flat_map(|(index, row)| vec![row.clone(); twice(index)]).collect();
    for index in (1..rows.len()).rev() {
        let other = usize::try_from(scatter(!seed, index as u64) % (index as u64 + 1)).expect("an index");
        rows.swap(index, other);
    }
    rows
}

/// What a response at `now` shows of the log.
fn look(log: &[TrueRow], now: UnixMillis, round: &Round) -> Vec<Attempt> {
    let mut rows: Vec<Attempt> = log.iter().filter(|row| row.is_shown(now)).map(|row| row.attempt.clone()).collect();
    rows.sort_by_key(Attempt::position);
    let rows = match round.view {
        View::All => rows,
        View::Newest(count) => rows.split_off(rows.len().saturating_sub(count)),
        View::Some(choice) => {
            let is_chosen = |index: usize| choice >> (index % 64) & 1 == 1;
            rows.into_iter().enumerate().filter(|(index, _)| is_chosen(*index)).map(|(_, row)| row).collect()
        }
    };
    disordered(&rows, round.order)
}

fn histories(scope: Scope) -> impl Strategy<Value = History> {
    (prop::collection::vec(rounds(scope), 1..14), floors(), policies(), any::<bool>()).prop_map(
        |(rounds, floor, policy, is_strict)| {
            let (log, times) = truth(&rounds, is_strict);
            let step = |(round, clock): (&Round, &UnixMillis)| {
                let now = clock.plus_millis(round.skew);
                let rows = look(&log, now, round);
                let Round { malformed, foreign, .. } = *round;
                match round.kind {
                    RoundKind::Good => Step::LogResponse(LogResponse::Log { now, rows, malformed, foreign }),
                    RoundKind::BrokenOff => Step::BrokenOff { now, rows },
                    RoundKind::Crash => Step::Crash { now, rows },
                    RoundKind::Restart => Step::Restart,
                    RoundKind::Unchanged => Step::LogResponse(LogResponse::Unchanged { now }),
                }
            };
            let floor = match floor {
                Floor::Start => Position::START,
                Floor::After(after) => Position::after(BEGIN.plus_millis(after)),
                Floor::AtRow(index) => {
                    // Nobody takes a row of the future for the last one that is dealt with.
                    let row = log.get(index).filter(|row| row.attempt.position().at <= row.shown_from);
                    row.map_or(Position::START, |row| row.attempt.position())
                }
            };
            History { floor, policy, steps: rounds.iter().zip(&times).map(step).collect() }
        },
    )
}

// ---------------------------------------------------------------------------------------------------------------------
// How the core is driven
// ---------------------------------------------------------------------------------------------------------------------

fn take(ledger: &mut Ledger, response: &LogResponse, policy: &Policy) {
    match response {
        LogResponse::Unchanged { now } => {
            ledger.unchanged(ServerTime::certain(*now), policy);
        }
        LogResponse::Log { now, rows, malformed, foreign } => {
            let mut reading = ledger.read(ServerTime::certain(*now), &POLICY);
            (0..*foreign).for_each(|_| reading.observe_foreign());
            rows.iter().for_each(|row| reading.observe(row.clone()));
            (0..*malformed).for_each(|_| reading.observe_malformed());
            let response = reading.finish();
            ledger.fold(response, policy);
        }
    }
}

/// Lets the history happen to the core and to the model, and compares them after every good response.
fn follow(
    history: &History,
    mut compare: impl FnMut(&Ledger, &Model, &LogResponse) -> Result<(), TestCaseError>,
) -> Result<(), TestCaseError> {
    let mut ledger = Ledger::new(history.floor);
    let mut model = Model::new(history.floor, history.policy);
    for step in &history.steps {
        match step {
            Step::LogResponse(response) => {
                take(&mut ledger, response, &history.policy);
                model.take(response.clone());
                compare(&ledger, &model, response)?;
            }
            Step::BrokenOff { now, rows } => {
                let before = ledger.clone();
                let mut reading = ledger.read(ServerTime::certain(*now), &POLICY);
                rows.iter().for_each(|row| reading.observe(row.clone()));
                drop(reading);
                prop_assert_eq!(&ledger, &before, "a response that broke off changed something");
            }
            Step::Crash { now, rows } => {
                let checkpoint = ledger.clone();
                take(
                    &mut ledger,
                    &LogResponse::Log { now: *now, rows: rows.clone(), malformed: 0, foreign: 0 },
                    &history.policy,
                );
                ledger = checkpoint;
            }
            Step::Restart => ledger = ledger.clone(),
        }
    }
    Ok(())
}

fn counts(ledger: &Ledger) -> Counts {
    let totals = ledger.totals();
    let failures = FailureReason::ALL.iter().map(|reason| (*reason, totals.failures[reason.index()]));
    Counts {
        attempts: totals.attempts,
        failures: failures.filter(|(_, count)| *count > 0).collect(),
        responses: totals.responses.clone(),
        responses_other: totals.responses_other,
        retries: totals.retries,
    }
}

fn events(ledger: &Ledger) -> EventFacts {
    let events = ledger.events();
    let kinds = EventType::ALL.iter().flat_map(|kind| Action::ALL.iter().map(|action| (*kind, *action)));
    let entered = kinds.map(|(kind, action)| ((kind, action), events.entered(kind, action)));
    EventFacts {
        entered: entered.filter(|(_, count)| *count > 0).collect(),
        delivered: events.delivered(),
        lost: events.lost(),
        pending: events.pending(),
        pending_since: events.pending_since(),
        delays: events.delay().buckets,
        delay_sum_millis: events.delay().sum_millis,
        remembered: events.tracked(),
        lost_events: events.lost_events().by_key().map(|(key, lost)| (*key, lost_fact(lost))).collect(),
        pending_events: events
            .pending_events()
            .by_key()
            .map(|(key, pending)| (*key, failed(&pending.last, pending.event)))
            .collect(),
    }
}

fn lost_fact(lost: &LostEvent) -> LostFact {
    let LostEvent { event, last, lost_at, succeeded_at } = *lost;
    LostFact { last: failed(&last, event), lost_at, succeeded_at }
}

fn failed(last: &Failure, event: Option<EventSummary>) -> AttemptFact {
    let Failure { position, at, reason, status, retry } = *last;
    AttemptFact { id: position.id, at, outcome: Outcome::Failure { reason, status }, retry, event: event.map(told) }
}

fn told(event: EventSummary) -> EventFact {
    (event.event_type, event.action, event.created_at, event.subject)
}

fn recent(ledger: &Ledger) -> Vec<AttemptFact> {
    let fact = |recent: &RecentAttempt| AttemptFact {
        id: recent.id,
        at: recent.at,
        outcome: recent.outcome,
        retry: recent.retry,
        event: recent.event.map(told),
    };
    ledger.recent().newest_first().iter().map(fact).collect()
}

fn memory(ledger: &Ledger) -> Memory {
    Memory { floor: ledger.floor(), positions: ledger.counted() }
}

fn window(ledger: &Ledger) -> WindowFacts {
    let window = ledger.window();
    WindowFacts {
        successes: window.successes,
        failures: window.failures,
        malformed: window.malformed,
        foreign: window.foreign,
        oldest: window.oldest,
    }
}

fn standing(ledger: &Ledger, policy: &Policy) -> StandingFacts {
    let standing = ledger.standing();
    StandingFacts {
        last_success: standing.last_success.map(|success| success.position),
        last_failure: standing.last_failure.map(|last| (last.position, last.reason, last.status, last.retry)),
        head_event: standing.head_event,
        blocked: ledger.is_blocked(policy),
    }
}

fn streak(ledger: &Ledger) -> Streak {
    let standing = ledger.standing();
    Streak { failures: standing.consecutive_failures, since: standing.failing_since }
}

// ---------------------------------------------------------------------------------------------------------------------
// Properties
// ---------------------------------------------------------------------------------------------------------------------

/// As many cases as `PROPTEST_CASES` asks for, but no fewer than `count`.
fn cases(count: u32) -> ProptestConfig {
    ProptestConfig {
        cases: count.max(ProptestConfig::default().cases),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases(1_000))]

    /// Rules 1, 2, 5 and 6.
    #[test]
    fn every_attempt_counts_as_in_the_model(history in histories(ANYTHING)) {
        follow(&history, |ledger, model, _| {
            prop_assert_eq!(counts(ledger), model.counts());
            Ok(())
        })?;
    }

    /// Rule 1 without any bookkeeping: what is above the baseline and was shown while it was younger than the horizon
    /// has counted once, and what is at or below the baseline or was never shown has not.
    #[test]
    fn an_attempt_above_the_baseline_that_is_shown_within_the_hour_counts_exactly_once(history in histories(ANYTHING)) {
        let mut shown = BTreeSet::new();
        let mut certain = BTreeSet::new();
        let mut latest = UnixMillis::MIN;
        follow(&history, |ledger, model, response| {
            let before = latest;
            let (now, rows) = match response {
                LogResponse::Log { now, rows, .. } => (now, &rows[..]),
                // It forgets as well, and its clock may be ahead of the next one's.
                LogResponse::Unchanged { now } => (now, &[][..]),
            };
            for row in rows.iter().filter(|row| row.position() > model.first_floor()) {
                shown.insert(row.id);
                // Nothing that is younger than an hour by the latest time so far can have been forgotten.
                if row.position().at.millis_since(before.max(*now)) > -HOUR {
                    certain.insert(row.id);
                }
            }
            let attempts = ledger.totals().attempts;
            prop_assert!(certain.len() as u64 <= attempts, "{} of {}", attempts, certain.len());
            prop_assert!(attempts <= shown.len() as u64, "{} of {}", attempts, shown.len());
            latest = before.max(*now);
            Ok(())
        })?;
    }

    /// Rule 7.
    #[test]
    fn every_event_enters_and_is_settled_once_as_in_the_model(history in histories(ANYTHING)) {
        follow(&history, |ledger, model, _| {
            let facts = events(ledger);
            let [entered, delivered, lost, pending] = fates(ledger);
            prop_assert_eq!(entered, delivered + lost + pending);
            prop_assert!(facts.delays.iter().sum::<u64>() <= facts.delivered);
            prop_assert_eq!(facts, model.events());
            Ok(())
        })?;
    }

    /// Rule 1: whatever repeats and order there are.
    #[test]
    fn order_and_repeats_within_an_answer_change_nothing(history in histories(ANYTHING), seed: u64) {
        let mut tidy = Ledger::new(history.floor);
        follow(&history, |ledger, _, response| {
            let tidied = match response {
                LogResponse::Log { now, rows, malformed, foreign } => {
                    let mut rows = rows.clone();
                    match seed % 3 {
                        0 => rows.sort_by_key(Attempt::position),
                        1 => rows.sort_by_key(|row| std::cmp::Reverse(row.position())),
                        _ => rows.sort_by_key(|row| row.id),
                    }
                    rows.dedup();
                    LogResponse::Log { now: *now, rows, malformed: *malformed, foreign: *foreign }
                }
                LogResponse::Unchanged { .. } => response.clone(),
            };
            take(&mut tidy, &tidied, &history.policy);
            prop_assert_eq!(ledger, &tidy);
            Ok(())
        })?;
    }

    /// Rule 4: a log that has not changed is told as if it had been sent again.
    #[test]
    fn not_modified_says_what_the_same_log_says_again(
        history in histories(ANYTHING),
        pauses in prop::collection::vec(select(vec![SECOND, MINUTE, 20 * MINUTE, HOUR, 5 * HOUR, 30 * HOUR]), 14),
    ) {
        let mut sent = Ledger::new(history.floor);
        let mut told = sent.clone();
        for (step, pause) in history.steps.iter().zip(pauses) {
            let Step::LogResponse(response @ LogResponse::Log { now, rows, malformed, foreign }) = step else { continue };
            take(&mut sent, response, &history.policy);
            let mut reading = told.read(ServerTime::certain(*now), &POLICY);
            (0..*foreign).for_each(|_| reading.observe_foreign());
            rows.iter().for_each(|row| reading.observe(row.clone()));
            (0..*malformed).for_each(|_| reading.observe_malformed());
            let read = reading.finish();
            let may_be_told = !read.says_more_later();
            told.fold(read, &history.policy);
            prop_assert_eq!(&sent, &told);
            if !may_be_told {
                continue;
            }
            let now = now.plus_millis(pause);
            let again = LogResponse::Log { now, rows: rows.clone(), malformed: *malformed, foreign: *foreign };
            take(&mut sent, &again, &history.policy);
            take(&mut told, &LogResponse::Unchanged { now }, &history.policy);
            prop_assert_eq!(&sent, &told);
        }
    }

    /// Counters only rise, and so does the floor; it keeps an hour's distance.
    #[test]
    fn totals_and_floor_never_go_down_and_the_last_hour_is_never_forgotten(history in histories(ANYTHING)) {
        let mut before = Ledger::new(history.floor);
        follow(&history, |ledger, model, response| {
            let (LogResponse::Log { now, .. } | LogResponse::Unchanged { now }) = response;
            prop_assert_eq!(ledger.as_of(), Some(*now));
            let floor_before = if before.as_of().is_some() { before.floor() } else { model.first_floor() };
            prop_assert!(ledger.floor() >= floor_before);
            if ledger.floor() != floor_before {
                prop_assert!(ledger.floor().at <= now.plus_millis(-HOUR));
            }
            prop_assert_eq!(memory(ledger), model.memory());

            let (old, new) = (before.totals(), ledger.totals());
            prop_assert!(old.attempts <= new.attempts && old.retries <= new.retries);
            prop_assert!(old.gaps <= new.gaps && old.late <= new.late);
            prop_assert!(old.failures.iter().zip(&new.failures).all(|(old, new)| old <= new));
            prop_assert!(old.responses.iter().all(|(code, count)| new.responses.get(code) >= Some(count)));
            prop_assert!(old.responses_other <= new.responses_other);
            let (old, new) = (events(&before), events(ledger));
            prop_assert!(old.delivered <= new.delivered && old.lost <= new.lost);
            prop_assert!(old.entered.iter().all(|(kind, count)| new.entered.get(kind) >= Some(count)));
            prop_assert!(old.delays.iter().zip(&new.delays).all(|(old, new)| old <= new));
            prop_assert!(old.delay_sum_millis <= new.delay_sum_millis);
            before = ledger.clone();
            Ok(())
        })?;
    }

    /// Rule 8, as far as it does not depend on what is learnt of the log (`lies.rs` holds that against the truth).
    #[test]
    fn no_gap_is_said_without_a_reason_and_late_entries_are_those_of_the_model(history in histories(ANYTHING)) {
        let mut before = 0;
        follow(&history, |ledger, model, _| {
            prop_assert_eq!(ledger.totals().late, model.late());
            let accused = ledger.totals().gaps - std::mem::replace(&mut before, ledger.totals().gaps);
            match (model.proof(), ledger.retention()) {
                (Proof::NothingMissed, _) => prop_assert_eq!(accused, 0),
                (Proof::OnlyByRetention { longest, .. }, Retention::Unknown) => {
                    prop_assert_eq!(accused, u64::from(longest > 0));
                }
                (Proof::OnlyByRetention { last, shown, .. }, Retention::Newest(newest)) => {
                    prop_assert_eq!(accused, u64::from(last > 0 || shown >= newest));
                }
                (Proof::OnlyByRetention { .. }, Retention::ForMillis(_)) => prop_assert!(accused <= 1),
            }
            Ok(())
        })?;
    }

    /// Rule 11.
    #[test]
    fn the_newest_attempts_are_those_of_the_model(history in histories(ANYTHING)) {
        follow(&history, |ledger, model, _| {
            prop_assert_eq!(recent(ledger), model.recent());
            Ok(())
        })?;
    }

    #[test]
    fn the_window_is_what_the_last_answer_showed(history in histories(ANYTHING)) {
        follow(&history, |ledger, model, _| {
            prop_assert_eq!(window(ledger), model.window());
            Ok(())
        })?;
    }

    #[test]
    fn the_standing_is_that_of_all_rows_ever_shown(history in histories(ANYTHING)) {
        follow(&history, |ledger, model, _| {
            prop_assert_eq!(standing(ledger, &history.policy), model.standing());
            Ok(())
        })?;
    }

    #[test]
    fn the_failures_since_the_last_success_are_those_ever_shown(history in histories(CLEARLY_DATED)) {
        follow(&history, |ledger, model, _| {
            let (told, true_one) = (streak(ledger), model.streak());
            prop_assert!(told.failures <= true_one.failures, "{:?} of {:?}", told, true_one);
            prop_assert!(told.since.is_none() || told.since >= true_one.since, "{:?} of {:?}", told, true_one);
            if model.streak_is_knowable() {
                prop_assert_eq!(told, true_one);
            }
            Ok(())
        })?;
    }

    /// Nothing is ever in doubt where the log is shown whole and in time.
    #[test]
    fn of_an_orderly_log_the_streak_is_always_exact(history in histories(ORDERLY)) {
        follow(&history, |ledger, model, _| {
            prop_assert_eq!(streak(ledger), model.streak());
            Ok(())
        })?;
    }

    /// However often the log is read, it says the same.
    #[test]
    fn few_polls_count_what_many_polls_count(history in histories(ORDERLY), choice: u16) {
        let responses: Vec<&LogResponse> = history.steps.iter().filter_map(|step| match step {
            Step::LogResponse(response @ LogResponse::Log { .. }) => Some(response),
            Step::LogResponse(LogResponse::Unchanged { .. }) | Step::BrokenOff { .. } | Step::Crash { .. } | Step::Restart => None,
        }).collect();
        // No first floor lies above the present, and what is the present depends on when the first response comes.
        let begin = BEGIN.end_of_second();
        let floor = history.floor.min(Position::after(begin));
        let (mut often, mut rarely) = (Ledger::new(floor), Ledger::new(floor));
        for (index, response) in responses.iter().enumerate() {
            take(&mut often, response, &history.policy);
            if index + 1 == responses.len() || choice >> index & 1 == 1 {
                take(&mut rarely, response, &history.policy);
                let (often, rarely) = (counts(&often), counts(&rarely));
                prop_assert_eq!(often.attempts, rarely.attempts);
                prop_assert_eq!(often.failures, rarely.failures);
                prop_assert_eq!(often.retries, rarely.retries);
            }
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// Examples
// ---------------------------------------------------------------------------------------------------------------------

const POLICY: Policy = Policy { max_retries: 3, pending_timeout_millis: 15 * MINUTE };

/// The point so many milliseconds after the beginning.
fn at(offset: i64) -> UnixMillis {
    BEGIN.plus_millis(offset)
}

/// An attempt of no event, made at `offset`.
fn attempt(number: u64, offset: i64, status: u16) -> Attempt {
    let id = id(u32::try_from(at(offset).as_millis() / SECOND).unwrap_or(u32::MAX), number);
    Attempt { id, at: at(offset), outcome: Outcome::of(Some(status), None), retry: 0, event: None }
}

fn success(number: u64, offset: i64) -> Attempt {
    attempt(number, offset, 200)
}

fn failure(number: u64, offset: i64) -> Attempt {
    attempt(number, offset, 503)
}

/// As `attempt`, but it carries the task that was made at the beginning, for the `retry`th time.
fn carrying(task: &str, retry: u32, attempt: Attempt) -> Attempt {
    let event = Event {
        key: EventKey::of([None, Some("COTTask"), Some("create"), None, Some(task)]),
        event_type: EventType::Task,
        action: Action::Create,
        created_at: Some(BEGIN),
        subject: None,
    };
    Attempt { retry, event: Some(event), ..attempt }
}

/// A ledger that takes everything as new.
fn fresh_ledger() -> Ledger {
    Ledger::new(Position::START)
}

/// At `offset`, the log shows these rows.
fn show(ledger: &mut Ledger, offset: i64, rows: &[Attempt]) {
    let mut reading = ledger.read(ServerTime::certain(at(offset)), &POLICY);
    rows.iter().for_each(|row| reading.observe(row.clone()));
    let response = reading.finish();
    ledger.fold(response, &POLICY);
}

/// Events that entered, were delivered, were lost, and are pending.
fn fates(ledger: &Ledger) -> [u64; 4] {
    let events = ledger.events();
    let kinds = EventType::ALL.iter().flat_map(|kind| Action::ALL.iter().map(|action| (*kind, *action)));
    let entered = kinds.map(|(kind, action)| events.entered(kind, action)).sum();
    [entered, events.delivered(), events.lost(), events.pending()]
}

#[test]
fn the_documented_sample_is_one_attempt_that_timed_out_and_lost_its_event() {
    let made_at = UnixMillis::from_millis(1_651_781_080_084);
    let position = Position { at: made_at, id: AttemptId("62742dd824c886d54e60f02b".parse().unwrap()) };
    let key = EventKey::of([
        Some("625bcbdcc9a8e3a86dbf041c"),
        Some("COTTask"),
        Some("create"),
        Some("2022-05-05T19:54:29.924Z"),
        Some("62742b7562f37034d9399914"),
    ]);
    let created_at = UnixMillis::from_millis(1_651_780_469_924);
    let sample = Attempt {
        id: position.id,
        at: made_at,
        outcome: Outcome::of(Some(409), Some("connect ETIMEDOUT 67.225.146.248:443")),
        retry: 3,
        event: Some(Event {
            key,
            event_type: EventType::Task,
            action: Action::Create,
            created_at: Some(created_at),
            subject: None,
        }),
    };

    let mut ledger = fresh_ledger();
    let mut reading = ledger.read(ServerTime::certain(made_at.plus_millis(20 * SECOND)), &POLICY);
    reading.observe(sample);
    let response = reading.finish();
    ledger.fold(response, &POLICY);

    let totals = ledger.totals();
    assert_eq!((totals.attempts, totals.retries), (1, 1));
    assert_eq!(totals.failures[FailureReason::Timeout.index()], 1);
    assert_eq!(totals.failures.iter().sum::<u64>(), 1);
    assert!(totals.responses.is_empty(), "no receiver ever said 409");
    assert_eq!(ledger.events().entered(EventType::Task, Action::Create), 1);
    assert_eq!(fates(&ledger), [1, 0, 1, 0]);
    assert_eq!(ledger.events().delay().buckets, [0; 14]);
    let standing = ledger.standing();
    assert_eq!(standing.last_failure.map(|last| last.position), Some(position));
    assert_eq!(standing.last_success, None);
    assert_eq!(standing.head_event, Some(created_at));
    assert_eq!((standing.consecutive_failures, standing.failing_since), (1, Some(made_at)));
    assert!(!ledger.is_blocked(&POLICY), "its last attempt holds nothing up");
}

#[test]
fn what_lies_at_the_baseline_is_history_and_the_next_position_counts() {
    let rows = [failure(1, 0), failure(2, 0), failure(3, 0)];
    let mut ledger = Ledger::new(rows[1].position());
    show(&mut ledger, MINUTE, &rows);
    assert_eq!(ledger.totals().attempts, 1);
    assert_eq!(ledger.standing().consecutive_failures, 3, "history has its part in how the webhook stands");
}

#[test]
fn a_row_that_vanishes_and_comes_back_counts_once() {
    let rows = [failure(1, 0), failure(2, SECOND), failure(3, 2 * SECOND)];
    let mut ledger = fresh_ledger();
    show(&mut ledger, MINUTE, &rows);
    show(&mut ledger, 2 * MINUTE, &rows[1..]);
    show(&mut ledger, 3 * MINUTE, &[]);
    show(&mut ledger, 5 * HOUR, &rows);
    assert_eq!(ledger.totals().attempts, 3);
    assert_eq!(ledger.standing().consecutive_failures, 3);
}

#[test]
fn an_id_counts_once_even_if_the_log_dates_it_anew() {
    let mut ledger = fresh_ledger();
    show(&mut ledger, MINUTE, &[failure(1, 0)]);
    let dated_anew = Attempt { at: at(50 * MINUTE), ..failure(1, 0) };
    show(&mut ledger, 55 * MINUTE, std::slice::from_ref(&dated_anew));
    show(&mut ledger, 70 * MINUTE, std::slice::from_ref(&dated_anew));
    show(&mut ledger, 5 * HOUR, std::slice::from_ref(&dated_anew));
    assert_eq!(ledger.totals().attempts, 1);
}

#[test]
fn a_row_that_shows_up_50_minutes_late_counts() {
    let mut ledger = fresh_ledger();
    let rows = [success(1, 0), success(2, MINUTE), success(3, 10 * MINUTE), success(4, 49 * MINUTE)];
    show(&mut ledger, 49 * MINUTE, &[rows[0].clone(), rows[2].clone(), rows[3].clone()]);
    show(&mut ledger, 51 * MINUTE, &rows);
    assert_eq!((ledger.totals().attempts, ledger.totals().late), (4, 1));
}

#[test]
fn a_row_is_too_late_only_when_something_younger_has_been_forgotten() {
    let mut ledger = fresh_ledger();
    show(&mut ledger, MINUTE, &[success(1, MINUTE)]);
    show(&mut ledger, 3 * HOUR, &[success(1, MINUTE), success(2, 0), success(3, 2 * MINUTE)]);
    assert_eq!(ledger.totals().attempts, 3, "the position at one minute was still remembered");
    assert_eq!(ledger.floor(), success(3, 2 * MINUTE).position());
    show(&mut ledger, 4 * HOUR, &[success(4, MINUTE + 1), success(5, 3 * MINUTE)]);
    assert_eq!(ledger.totals().attempts, 4, "below the floor is below the floor; above it, even two hours count");
}

#[test]
fn exactly_an_hour_old_is_forgotten_and_a_millisecond_less_is_not() {
    let rows = [success(1, 0), success(2, 1)];
    let mut ledger = fresh_ledger();
    show(&mut ledger, HOUR, &rows);
    assert_eq!((ledger.floor(), ledger.counted()), (rows[0].position(), 1));
}

#[test]
fn a_success_in_the_same_answer_as_its_failures_settles_the_event_as_delivered() {
    let mut ledger = fresh_ledger();
    // In the panel's order, newest first; and long after the pending timeout of each.
    show(
        &mut ledger,
        HOUR,
        &[
            carrying("t", 2, success(3, 40 * MINUTE)),
            carrying("t", 1, failure(2, 20 * MINUTE)),
            carrying("t", 0, failure(1, 2 * SECOND)),
        ],
    );
    assert_eq!(fates(&ledger), [1, 1, 0, 0]);
    assert_eq!(ledger.totals().retries, 2);
    assert_eq!(ledger.events().delay().sum_millis, 2_400_000);
    assert_eq!(ledger.events().delay().buckets[11], 1, "over 30 min, up to 1 h");
}

#[test]
fn a_log_of_final_rows_only_settles_its_events_the_same() {
    let mut ledger = fresh_ledger();
    show(&mut ledger, HOUR, &[carrying("t", 3, failure(1, MINUTE)), carrying("u", 2, success(2, 2 * MINUTE))]);
    assert_eq!(fates(&ledger), [2, 1, 1, 0]);
}

#[test]
fn a_delivery_before_its_event_took_no_time() {
    let mut ledger = fresh_ledger();
    show(&mut ledger, MINUTE, &[carrying("t", 0, success(1, -5 * SECOND)), carrying("u", 0, success(2, SECOND))]);
    assert_eq!(ledger.events().delay().sum_millis, 1_000);
    assert_eq!(ledger.events().delay().buckets[0], 2, "a bound belongs to its bucket");
}

#[test]
fn an_event_lost_by_waiting_stays_lost_when_a_late_success_shows_up() {
    let mut ledger = fresh_ledger();
    let first = carrying("t", 0, failure(1, 0));
    show(&mut ledger, MINUTE, std::slice::from_ref(&first));
    assert_eq!(fates(&ledger), [1, 0, 0, 1]);
    show(&mut ledger, 16 * MINUTE, std::slice::from_ref(&first));
    assert_eq!(fates(&ledger), [1, 0, 1, 0]);
    show(&mut ledger, 17 * MINUTE, &[first, carrying("t", 1, success(2, 30 * SECOND))]);
    assert_eq!(fates(&ledger), [1, 0, 1, 0]);
    assert_eq!(ledger.totals().attempts, 2);
    assert_eq!(ledger.events().delay().sum_millis, 0);
}

#[test]
fn an_event_that_is_lost_again_after_it_was_forgotten_has_still_succeeded() {
    let once = Policy { max_retries: 0, ..POLICY };
    let mut ledger = fresh_ledger();
    let mut show = |offset: i64, rows: &[Attempt]| {
        let mut reading = ledger.read(ServerTime::certain(at(offset)), &once);
        rows.iter().for_each(|row| reading.observe(row.clone()));
        let response = reading.finish();
        ledger.fold(response, &once);
        let listed: Vec<LostEvent> = ledger.events().lost_events().newest_first().into_iter().copied().collect();
        (ledger.events().lost(), listed.iter().map(|lost| (lost.last.retry, lost.succeeded_at)).collect::<Vec<_>>())
    };
    let rows = [
        carrying("t", 0, failure(1, SECOND)),
        carrying("t", 1, success(2, 0)),
        carrying("t", 2, failure(3, MINUTE)),
        carrying("t", 3, failure(4, 2 * HOUR)),
    ];
    let success = Some(at(0));
    assert_eq!(show(MINUTE, &rows[..1]), (1, vec![(0, None)]));
    assert_eq!(show(HOUR + MINUTE, &rows[..1]), (1, vec![(0, None)]), "an hour later it is forgotten");
    assert_eq!(
        show(HOUR + 2 * MINUTE, &rows[..3]),
        (2, vec![(2, success)]),
        "the success shows up with a further failure"
    );
    assert_eq!(show(2 * HOUR + MINUTE, &rows), (3, vec![(3, success)]));
}

#[test]
fn a_quiet_webhook_loses_its_pending_event_once_the_timeout_is_over() {
    let mut ledger = fresh_ledger();
    show(&mut ledger, MINUTE, &[carrying("t", 0, failure(1, 0))]);
    assert!(ledger.is_blocked(&POLICY));
    ledger.unchanged(ServerTime::certain(at(15 * MINUTE - 1)), &POLICY);
    assert!(ledger.is_blocked(&POLICY));
    ledger.unchanged(ServerTime::certain(at(15 * MINUTE)), &POLICY);
    assert_eq!(fates(&ledger), [1, 0, 0, 1], "lost only if the wait is longer than the timeout");
    assert!(!ledger.is_blocked(&POLICY), "no longer younger than the timeout");
    ledger.unchanged(ServerTime::certain(at(15 * MINUTE + 1)), &POLICY);
    assert_eq!(fates(&ledger), [1, 0, 1, 0]);
    ledger.unchanged(ServerTime::certain(at(16 * MINUTE)), &POLICY);
    assert_eq!(fates(&ledger), [1, 0, 1, 0], "once");
    assert_eq!(ledger.window().failures, 1, "the log is as it was");
}

#[test]
fn an_answer_without_anything_known_is_a_gap_unless_the_log_keeps_entries_for_longer() {
    let rows: Vec<Attempt> = (0_u64..).zip(0..12).map(|(number, tick)| success(number, tick * SECOND)).collect();
    let mut ledger = fresh_ledger();
    show(&mut ledger, MINUTE, &rows[0..3]);
    assert_eq!(ledger.totals().gaps, 0, "nothing could be known yet");
    show(&mut ledger, 2 * MINUTE, &rows[3..5]);
    assert_eq!(ledger.totals().gaps, 1, "a shorter response may be that of a window that has shrunk");
    show(&mut ledger, 3 * MINUTE, &rows[5..6]);
    assert_eq!(ledger.totals().gaps, 2, "one row after two");
    show(&mut ledger, 4 * MINUTE, &rows[6..7]);
    assert_eq!(ledger.totals().gaps, 2, "one row after one may be all that there is");
    show(&mut ledger, 5 * MINUTE, &[]);
    assert_eq!(ledger.retention(), Retention::ForMillis(4 * MINUTE - 6 * SECOND), "it became empty by itself");
    let after = [5 * MINUTE + SECOND, 5 * MINUTE + 2 * SECOND, 7 * MINUTE].map(|offset| success(15, offset));
    show(&mut ledger, 6 * MINUTE, &after[..2]);
    assert_eq!(ledger.totals().gaps, 2, "a minute has passed, and entries stay for four");
    show(&mut ledger, 7 * MINUTE, &after[1..]);
    assert_eq!(ledger.totals().gaps, 2, "it reaches back to what is known");
    show(&mut ledger, HOUR, &[success(20, HOUR - 2 * SECOND), success(21, HOUR - SECOND)]);
    assert_eq!(ledger.totals().gaps, 3, "longer than entries are known to stay");
    show(&mut ledger, 3 * HOUR, &[]);
    assert_eq!(ledger.totals().gaps, 4, "and so it is for an empty one");
}

#[test]
fn a_poisoned_row_counts_once_and_does_not_blind_the_gap_check() {
    let mut ledger = fresh_ledger();
    let poisoned = carrying("t", 0, failure(9, 30 * 365 * DAY));
    show(&mut ledger, MINUTE, &[success(1, 0), poisoned.clone()]);
    assert_eq!((ledger.totals().attempts, ledger.totals().gaps), (2, 0));
    assert_eq!(ledger.standing().last_failure, None, "its date says nothing about how the webhook stands");
    assert_eq!(ledger.standing().consecutive_failures, 0);
    show(&mut ledger, 2 * MINUTE, &[success(2, MINUTE), poisoned.clone()]);
    assert_eq!((ledger.totals().attempts, ledger.totals().gaps), (3, 1));
    assert_eq!(ledger.totals().late, 0, "nor does it make the present late");
    show(&mut ledger, 3 * HOUR, &[success(3, 3 * HOUR), poisoned.clone()]);
    assert_eq!(ledger.floor(), success(2, MINUTE).position(), "nor does it lift the floor");
    assert_eq!(fates(&ledger), [4, 3, 1, 0], "its event waits from when it was seen");
    assert_eq!((ledger.totals().attempts, ledger.totals().late), (4, 0));
}

#[test]
fn five_minutes_ahead_is_not_too_far_ahead_yet() {
    let mut ledger = fresh_ledger();
    show(&mut ledger, 0, &[failure(1, 5 * MINUTE)]);
    assert_eq!(ledger.standing().consecutive_failures, 1);
    let rows = [failure(1, 0), failure(2, 5 * MINUTE + 1)];
    let mut ledger = fresh_ledger();
    show(&mut ledger, 0, &rows);
    assert_eq!((ledger.totals().attempts, ledger.standing().consecutive_failures), (2, 1));
    show(&mut ledger, 1, &rows);
    assert_eq!((ledger.totals().attempts, ledger.standing().consecutive_failures), (2, 2));
    assert_eq!(ledger.standing().last_failure.map(|last| last.position), Some(rows[1].position()));
    let mut ledger = fresh_ledger();
    show(&mut ledger, 0, &rows[1..]);
    assert!(!ledger.is_blocked(&POLICY));
    show(&mut ledger, SECOND, &rows[1..]);
    assert_eq!((ledger.totals().attempts, ledger.standing().consecutive_failures), (1, 1), "it is not for ever");
}

#[test]
fn a_date_five_hours_ahead_of_its_id_blocks_nothing_and_hides_no_failure() {
    for (told, outcome) in [(5 * HOUR, 503), (5 * HOUR, 200)] {
        let mut ledger = fresh_ledger();
        let liar = Attempt { at: at(told), ..attempt(1, 0, outcome) };
        show(&mut ledger, MINUTE, &[liar.clone(), failure(2, SECOND), success(3, 2 * SECOND)]);
        assert!(!ledger.is_blocked(&POLICY));
        assert_eq!((ledger.totals().attempts, ledger.standing().consecutive_failures), (3, 0));
        show(&mut ledger, 2 * MINUTE, &[liar, success(3, 2 * SECOND), failure(4, MINUTE)]);
        assert_eq!(ledger.standing().consecutive_failures, 1);
        assert_eq!(ledger.standing().last_success.map(|success| success.at), Some(at(2 * SECOND)));
    }
}

#[test]
fn a_success_whose_date_is_told_anew_starts_no_new_streak() {
    let mut ledger = fresh_ledger();
    let rows = [success(1, 0), failure(2, SECOND), failure(3, 2 * HOUR)];
    show(&mut ledger, MINUTE, &rows[..2]);
    show(&mut ledger, 2 * HOUR, &rows);
    let told_anew = Attempt { at: at(HOUR), ..rows[0].clone() };
    show(&mut ledger, 2 * HOUR + MINUTE, &[told_anew, rows[2].clone()]);
    assert_eq!(ledger.standing().consecutive_failures, 2);
}

#[test]
fn the_33rd_status_code_has_no_series_of_its_own() {
    let mut ledger = fresh_ledger();
    let offset = |number: u64| i64::try_from(number).unwrap() * SECOND;
    // The oldest attempt has the greatest code, and the response begins with the newest.
    let rows: Vec<Attempt> =
        (0..33_u16).rev().map(|number| attempt(number.into(), offset(number.into()), 340 - number)).collect();
    show(&mut ledger, MINUTE, &rows);
    assert_eq!(ledger.totals().responses.len(), 32);
    assert!(!ledger.totals().responses.contains_key(&308), "the newest came last");
    assert_eq!(ledger.totals().responses_other, 1);

    show(&mut ledger, 2 * MINUTE, &[attempt(40, MINUTE, 340), attempt(41, MINUTE, 200)]);
    assert_eq!(ledger.totals().responses[&340], 2, "a code that has a series keeps it");
    assert_eq!(ledger.totals().responses_other, 2);
    assert_eq!(ledger.totals().attempts, 35);
}

#[test]
fn of_20_001_positions_the_oldest_is_cut_and_still_never_counts_again() {
    let rows: Vec<Attempt> = (0..20_001).map(|number| success(number, i64::try_from(number).unwrap())).collect();
    let mut ledger = fresh_ledger();
    show(&mut ledger, MINUTE, &rows[..20_000]);
    assert_eq!((ledger.counted(), ledger.floor()), (20_000, Position::START));
    show(&mut ledger, MINUTE, &rows);
    assert_eq!((ledger.counted(), ledger.floor()), (20_000, rows[0].position()));
    show(&mut ledger, 2 * MINUTE, &rows);
    assert_eq!(ledger.totals().attempts, 20_001);
}

#[test]
fn a_long_life_is_remembered_no_further_back_than_it_can_count() {
    let mut ledger = fresh_ledger();
    let mut log: Vec<Attempt> = Vec::new();
    for (number, offset) in (0_u64..).zip((0..48 * 12).map(|tick| tick * 5 * MINUTE)) {
        log.push(carrying(
            &number.to_string(),
            0,
            if number % 3 == 0 { failure(number, offset) } else { success(number, offset) },
        ));
        show(&mut ledger, offset, &log[log.len().saturating_sub(40)..]);
        assert!(ledger.counted() <= 12, "{} at {number}", ledger.counted());
        assert!(ledger.events().tracked() <= 12, "{} at {number}", ledger.events().tracked());
    }
    assert_eq!(ledger.totals().attempts, 48 * 12);
    assert_eq!(fates(&ledger), [576, 384, 191, 1]);
    assert_eq!((ledger.totals().gaps, ledger.totals().late), (0, 0));
}

#[test]
fn a_restart_goes_on_exactly_where_the_checkpoint_was_made() {
    let rows = [
        carrying("t", 0, failure(1, 0)),
        carrying("t", 1, failure(2, MINUTE)),
        carrying("t", 2, success(3, 2 * MINUTE)),
        carrying("u", 0, success(4, 2 * MINUTE)),
    ];
    let mut ledger = fresh_ledger();
    show(&mut ledger, MINUTE, &rows[..2]);
    let mut restarted = ledger.clone();
    show(&mut ledger, 3 * MINUTE, &rows);
    show(&mut restarted, 3 * MINUTE, &rows);
    assert_eq!(ledger, restarted);
    assert_eq!(restarted.totals().attempts, 4);
    assert_eq!(fates(&restarted), [2, 2, 0, 0]);
}

#[test]
fn an_answer_that_breaks_off_changes_nothing() {
    let mut ledger = fresh_ledger();
    show(&mut ledger, MINUTE, &[success(1, 0)]);
    let before = ledger.clone();
    let mut reading = ledger.read(ServerTime::certain(at(2 * HOUR)), &POLICY);
    reading.observe(failure(2, HOUR));
    reading.observe_malformed();
    drop(reading);
    let mut reading = ledger.read(ServerTime::certain(at(2 * HOUR)), &POLICY);
    reading.observe(failure(2, HOUR));
    drop(reading.finish());
    assert_eq!(ledger, before);
}

#[test]
fn a_baseline_from_a_clock_that_is_ahead_hides_nothing_that_is_still_to_come() {
    let mut ledger = Ledger::new(Position::after(at(DAY)));
    show(&mut ledger, 0, &[success(1, -HOUR)]);
    assert_eq!(ledger.totals().attempts, 0, "it is history");
    show(&mut ledger, MINUTE, &[success(1, -HOUR), success(2, 30 * SECOND)]);
    assert_eq!((ledger.totals().attempts, ledger.totals().gaps), (1, 0));
}

#[test]
fn entries_without_sense_and_of_other_webhooks_are_shown_and_do_not_count() {
    let mut ledger = fresh_ledger();
    let mut reading = ledger.read(ServerTime::certain(at(MINUTE)), &POLICY);
    reading.observe_malformed();
    reading.observe(success(1, 0));
    reading.observe_foreign();
    reading.observe_foreign();
    let response = reading.finish();
    ledger.fold(response, &POLICY);
    let window = ledger.window();
    assert_eq!((window.successes, window.failures, window.malformed, window.foreign), (1, 0, 1, 2));
    assert_eq!(ledger.totals().attempts, 1);
}

#[test]
fn a_success_ends_the_streak_and_the_block() {
    let mut ledger = fresh_ledger();
    let rows = [failure(1, 0), failure(2, MINUTE), success(3, 2 * MINUTE), failure(4, 3 * MINUTE)];
    show(&mut ledger, MINUTE, &rows[..2]);
    assert_eq!((ledger.standing().consecutive_failures, ledger.standing().failing_since), (2, Some(at(0))));
    assert!(ledger.is_blocked(&POLICY));
    show(&mut ledger, 2 * MINUTE, &rows[..3]);
    assert_eq!((ledger.standing().consecutive_failures, ledger.standing().failing_since), (0, None));
    assert!(!ledger.is_blocked(&POLICY));
    show(&mut ledger, 3 * MINUTE, &rows);
    assert_eq!((ledger.standing().consecutive_failures, ledger.standing().failing_since), (1, Some(at(3 * MINUTE))));
}

#[test]
fn a_success_that_shows_up_late_leaves_only_the_failures_after_it() {
    let mut ledger = fresh_ledger();
    let rows = [failure(1, 0), success(2, MINUTE), failure(3, 2 * MINUTE)];
    show(&mut ledger, 2 * MINUTE, &[rows[0].clone(), rows[2].clone()]);
    assert_eq!(ledger.standing().consecutive_failures, 2);
    show(&mut ledger, 3 * MINUTE, &rows);
    assert_eq!((ledger.standing().consecutive_failures, ledger.standing().failing_since), (1, Some(at(2 * MINUTE))));
}

#[test]
fn failures_of_history_that_show_up_after_the_first_answer_belong_to_the_streak() {
    // A first response from a replica that lags behind; the baseline is the end of the second of the first list.
    let mut ledger = Ledger::new(Position::after(at(MINUTE)));
    let rows = [success(1, -HOUR), failure(2, 0), failure(3, SECOND)];
    show(&mut ledger, MINUTE, &rows[..1]);
    show(&mut ledger, 2 * MINUTE, &rows);
    assert_eq!((ledger.standing().consecutive_failures, ledger.standing().failing_since), (2, Some(at(0))));
    // What has slid out of the log since is not forgotten.
    show(&mut ledger, 3 * MINUTE, &[rows[2].clone(), failure(4, 2 * MINUTE)]);
    assert_eq!((ledger.standing().consecutive_failures, ledger.standing().failing_since), (3, Some(at(0))));
    assert_eq!(ledger.totals().attempts, 1);
}

#[test]
fn a_failure_that_is_dated_back_below_the_floor_fails_once() {
    let mut ledger = Ledger::new(Position::after(at(0)));
    show(&mut ledger, 51 * MINUTE, &[failure(1, 50 * MINUTE)]);
    show(&mut ledger, 52 * MINUTE, &[Attempt { at: at(-MINUTE), ..failure(1, 50 * MINUTE) }]);
    assert_eq!((ledger.totals().attempts, ledger.standing().consecutive_failures), (1, 1));
}

#[test]
fn an_event_given_up_long_after_its_attempts_were_forgotten_is_forgotten_at_once() {
    let patient = Policy { pending_timeout_millis: 2 * HOUR, ..POLICY };
    let mut ledger = fresh_ledger();
    let mut reading = ledger.read(ServerTime::certain(at(MINUTE)), &POLICY);
    reading.observe(carrying("t", 0, failure(1, 0)));
    let response = reading.finish();
    ledger.fold(response, &patient);
    ledger.unchanged(ServerTime::certain(at(HOUR)), &patient);
    assert_eq!((ledger.counted(), ledger.events().tracked()), (0, 1), "it is still pending");
    ledger.unchanged(ServerTime::certain(at(2 * HOUR + 1)), &patient);
    assert_eq!(fates(&ledger), [1, 0, 1, 0]);
    assert_eq!(ledger.events().tracked(), 0, "whether anything else is forgotten in the same moment or not");
}

#[test]
fn what_is_only_forgotten_is_not_worth_a_checkpoint_and_a_restart_without_it_counts_the_same() {
    let rows = [carrying("t", 0, failure(1, 0)), carrying("t", 1, success(2, MINUTE)), success(3, 50 * MINUTE)];
    let mut ledger = fresh_ledger();
    show(&mut ledger, 51 * MINUTE, &rows);
    let saved = ledger.clone();
    let is_worth_saving = |ledger: &mut Ledger, offset: i64, rows: &[Attempt]| {
        let mut reading = ledger.read(ServerTime::certain(at(offset)), &POLICY);
        rows.iter().for_each(|row| reading.observe(row.clone()));
        let response = reading.finish();
        ledger.fold(response, &POLICY)
    };
    for offset in [HOUR, HOUR + MINUTE, 2 * HOUR, 3 * HOUR] {
        assert!(!is_worth_saving(&mut ledger, offset, &rows), "after {offset} ms");
    }
    assert_eq!((ledger.counted(), saved.counted()), (0, 3), "an hour later all is forgotten");
    assert!(ledger.floor() > saved.floor());

    // A restart goes on from what was saved hours ago.
    let more = [rows.as_slice(), &[failure(4, 3 * HOUR + MINUTE)]].concat();
    for mut ledger in [ledger, saved] {
        assert!(is_worth_saving(&mut ledger, 3 * HOUR + 2 * MINUTE, &more));
        assert_eq!((ledger.totals().attempts, ledger.totals().gaps, fates(&ledger)), (4, 0, [3, 2, 0, 1]));
        assert_eq!((ledger.counted(), ledger.standing().consecutive_failures), (1, 1));
    }
}
