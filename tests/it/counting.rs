//! The counting rules of the contract, as examples.

use cotalker_webhook_exporter::delivery::{
    Action, Attempt, AttemptId, Event, EventKey, EventType, ObjectId, Position, UnixMillis,
};
use cotalker_webhook_exporter::ledger::{Ledger, Policy};
use cotalker_webhook_exporter::outcome::{FailureReason, Outcome};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// When every history begins.
const BEGIN: UnixMillis = UnixMillis::from_secs(1_700_000_000);

fn id(second: u32, number: u64) -> AttemptId {
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&second.to_be_bytes());
    bytes[4..].copy_from_slice(&number.to_be_bytes());
    AttemptId(ObjectId::from_bytes(bytes))
}

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
    };
    Attempt { retry, event: Some(event), ..attempt }
}

/// A ledger that takes everything as new.
fn fresh_ledger() -> Ledger {
    Ledger::new(Position::START)
}

/// At `offset`, the log shows these rows.
fn show(ledger: &mut Ledger, offset: i64, rows: &[Attempt]) {
    let mut reading = ledger.read(at(offset));
    rows.iter().for_each(|row| reading.observe(row.clone()));
    let answer = reading.finish();
    ledger.fold(answer, &POLICY);
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
        event: Some(Event { key, event_type: EventType::Task, action: Action::Create, created_at: Some(created_at) }),
    };

    let mut ledger = fresh_ledger();
    let mut reading = ledger.read(made_at.plus_millis(20 * SECOND));
    reading.observe(sample);
    let answer = reading.finish();
    ledger.fold(answer, &POLICY);

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
fn a_quiet_webhook_loses_its_pending_event_once_the_timeout_is_over() {
    let mut ledger = fresh_ledger();
    show(&mut ledger, MINUTE, &[carrying("t", 0, failure(1, 0))]);
    assert!(ledger.is_blocked(&POLICY));
    ledger.unchanged(at(15 * MINUTE - 1), &POLICY);
    assert!(ledger.is_blocked(&POLICY));
    ledger.unchanged(at(15 * MINUTE), &POLICY);
    assert_eq!(fates(&ledger), [1, 0, 0, 1], "lost only if the wait is longer than the timeout");
    assert!(!ledger.is_blocked(&POLICY), "no longer younger than the timeout");
    ledger.unchanged(at(15 * MINUTE + 1), &POLICY);
    assert_eq!(fates(&ledger), [1, 0, 1, 0]);
    ledger.unchanged(at(16 * MINUTE), &POLICY);
    assert_eq!(fates(&ledger), [1, 0, 1, 0], "once");
    assert_eq!(ledger.window().failures, 1, "the log is as it was");
}

#[test]
fn a_full_answer_without_anything_known_is_a_gap() {
    let rows: Vec<Attempt> = (0_u64..).zip(0..12).map(|(number, tick)| success(number, tick * SECOND)).collect();
    let mut ledger = fresh_ledger();
    show(&mut ledger, MINUTE, &rows[0..3]);
    assert_eq!(ledger.totals().gaps, 0, "nothing could be known yet");
    show(&mut ledger, 2 * MINUTE, &rows[3..5]);
    assert_eq!(ledger.totals().gaps, 0, "a shorter answer may have lost its old rows to their age");
    show(&mut ledger, 3 * MINUTE, &rows[5..6]);
    show(&mut ledger, 4 * MINUTE, &rows[6..7]);
    assert_eq!(ledger.totals().gaps, 0, "one row may be all that there is");
    show(&mut ledger, 5 * MINUTE, &[]);
    show(&mut ledger, 6 * MINUTE, &rows[7..9]);
    assert_eq!(ledger.totals().gaps, 1, "the empty answer in between does not make it less of one");
    show(&mut ledger, 7 * MINUTE, &rows[8..12]);
    assert_eq!(ledger.totals().gaps, 1, "it reaches back to what is known");
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
    assert_eq!(fates(&ledger), [1, 0, 1, 0], "its event waits from when it was seen");
    assert_eq!((ledger.totals().attempts, ledger.totals().late), (4, 0));
}

#[test]
fn a_day_ahead_is_not_poisoned_yet() {
    let mut ledger = fresh_ledger();
    show(&mut ledger, 0, &[failure(1, DAY)]);
    assert_eq!(ledger.standing().consecutive_failures, 1);
    let mut ledger = fresh_ledger();
    show(&mut ledger, 0, &[failure(1, DAY + 1)]);
    assert_eq!(ledger.standing().consecutive_failures, 0);
}

#[test]
fn the_33rd_status_code_has_no_series_of_its_own() {
    let mut ledger = fresh_ledger();
    let offset = |number: u64| i64::try_from(number).unwrap() * SECOND;
    // The oldest attempt has the greatest code, and the answer begins with the newest.
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
    let mut reading = ledger.read(at(2 * HOUR));
    reading.observe(failure(2, HOUR));
    reading.observe_malformed();
    drop(reading);
    let mut reading = ledger.read(at(2 * HOUR));
    reading.observe(failure(2, HOUR));
    drop(reading.finish());
    assert_eq!(ledger, before);
}

#[test]
fn entries_without_sense_and_of_other_webhooks_are_shown_and_do_not_count() {
    let mut ledger = fresh_ledger();
    let mut reading = ledger.read(at(MINUTE));
    reading.observe_malformed();
    reading.observe(success(1, 0));
    reading.observe_foreign();
    reading.observe_foreign();
    let answer = reading.finish();
    ledger.fold(answer, &POLICY);
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
    // A first answer from a replica that lags behind; the baseline is the end of the second of the first list.
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
    let mut reading = ledger.read(at(MINUTE));
    reading.observe(carrying("t", 0, failure(1, 0)));
    let answer = reading.finish();
    ledger.fold(answer, &patient);
    ledger.unchanged(at(HOUR), &patient);
    assert_eq!((ledger.counted(), ledger.events().tracked()), (0, 1), "it is still pending");
    ledger.unchanged(at(2 * HOUR + 1), &patient);
    assert_eq!(fates(&ledger), [1, 0, 1, 0]);
    assert_eq!(ledger.events().tracked(), 0, "whether anything else is forgotten in the same moment or not");
}
