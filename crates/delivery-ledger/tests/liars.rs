//! What an API can say of itself, one lie at a time, with the right numbers. `lies.rs` tells all of them at random.

use std::time::Duration;

use delivery_ledger::fleet::Now;
use delivery_ledger::{
    Action, Attempt, AttemptId, Event, EventKey, EventType, FailureReason, History, Ledger, ObjectId, Outcome, Policy,
    Position, Retention, ServerClock, ServerTime, UnixMillis, baseline,
};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const BEGIN: UnixMillis = UnixMillis::from_secs(1_700_000_000);
const POLICY: Policy = Policy { max_retries: 3, pending_timeout_millis: 15 * MINUTE };

fn at(offset: i64) -> UnixMillis {
    BEGIN.plus_millis(offset)
}

/// An attempt made at `offset`, of the event with this number.
fn attempt(offset: i64, status: u16, retry: u32, event: u64) -> Attempt {
    let second = u32::try_from(at(offset).as_millis() / SECOND).expect("before 2106");
    let mut id = [0; 12];
    id[..4].copy_from_slice(&second.to_be_bytes());
    id[4..].copy_from_slice(&event.to_be_bytes());
    id[4] = u8::try_from(retry).expect("a small number");
    let key = EventKey::of([Some("company"), None, None, None, Some(&event.to_string())]);
    let event = Event { key, event_type: EventType::Task, action: Action::Edit, created_at: None, subject: None };
    let outcome = Outcome::of(Some(status), None);
    Attempt { id: AttemptId(ObjectId::from_bytes(id)), at: at(offset), outcome, retry, event: Some(event) }
}

/// Deliveries that worked, one a minute.
fn deliveries(from: i64, count: u64) -> Vec<Attempt> {
    let minute = |number: u64| from + i64::try_from(number).expect("few") * MINUTE;
    (0..count).map(|number| attempt(minute(number), 200, 0, number)).collect()
}

fn show_at(ledger: &mut Ledger, time: ServerTime, rows: &[Attempt]) {
    let mut reading = ledger.read(time, &POLICY);
    rows.iter().for_each(|row| reading.observe(row.clone()));
    let response = reading.finish();
    ledger.fold(response, &POLICY);
}

fn show(ledger: &mut Ledger, offset: i64, rows: &[Attempt]) {
    show_at(ledger, ServerTime::certain(at(offset)), rows);
}

/// What a log of the last `stay` shows of these.
fn last(rows: &[Attempt], now: i64, stay: i64) -> Vec<Attempt> {
    rows.iter().filter(|row| row.at <= at(now) && row.at > at(now - stay)).cloned().collect()
}

fn newest(rows: &[Attempt], count: usize) -> &[Attempt] {
    &rows[rows.len().saturating_sub(count)..]
}

/// A ledger that has followed a log of the last hour for three, until nothing was left in it.
fn of_a_log_of_an_hour() -> (Ledger, i64) {
    let rows = deliveries(0, 60);
    let mut ledger = Ledger::new(Position::START);
    for minute in 0..150 {
        show(&mut ledger, minute * MINUTE, &last(&rows, minute * MINUTE, HOUR));
    }
    assert_eq!((ledger.totals().attempts, ledger.totals().gaps), (60, 0));
    (ledger, 150 * MINUTE)
}

#[test]
fn downtime_longer_than_entries_stay_is_a_gap() {
    let rows = deliveries(0, 60);
    let mut ledger = Ledger::new(Position::START);
    for minute in 0..60 {
        show(&mut ledger, minute * MINUTE, &last(&rows, minute * MINUTE, HOUR));
    }
    // Twenty attempts, five of them an event's last, come and go during five hours of downtime.
    show(&mut ledger, 6 * HOUR, &[attempt(6 * HOUR - MINUTE, 200, 0, 900), attempt(6 * HOUR - SECOND, 200, 0, 901)]);
    assert_eq!((ledger.totals().attempts, ledger.totals().gaps), (62, 1));
    let (mut ledger, now) = of_a_log_of_an_hour();
    show(&mut ledger, now + 5 * HOUR, &[]);
    assert_eq!(ledger.totals().gaps, 0, "empty after empty accuses nothing");
    show(&mut ledger, now + 10 * HOUR, &[attempt(now + 10 * HOUR, 200, 0, 900), attempt(now + 10 * HOUR, 200, 0, 901)]);
    assert_eq!(ledger.totals().gaps, 1);
}

#[test]
fn two_events_after_a_quiet_log_has_become_empty_are_no_gap() {
    let (mut ledger, now) = of_a_log_of_an_hour();
    assert!(matches!(ledger.retention(), Retention::ForMillis(stay) if (stay - HOUR).abs() <= MINUTE));
    show(&mut ledger, now + MINUTE, &[attempt(now, 200, 0, 900), attempt(now + SECOND, 503, 0, 901)]);
    assert_eq!((ledger.totals().attempts, ledger.totals().gaps), (62, 0));
}

#[test]
fn two_events_after_a_log_of_an_hour_has_not_changed_for_five_are_no_gap() {
    let (mut ledger, now) = of_a_log_of_an_hour();
    for minute in 1..300 {
        ledger.unchanged(ServerTime::certain(at(now + minute * MINUTE)), &POLICY);
    }
    let later = now + 300 * MINUTE;
    show(&mut ledger, later, &[attempt(later, 200, 0, 900), attempt(later - SECOND, 503, 0, 901)]);
    assert_eq!((ledger.totals().attempts, ledger.totals().gaps), (62, 0));
}

#[test]
fn the_first_events_of_a_new_webhook_are_no_gap() {
    let mut ledger = Ledger::new(Position::START);
    (0..200).for_each(|minute| show(&mut ledger, minute * MINUTE, &[]));
    show(&mut ledger, 200 * MINUTE, &[attempt(199 * MINUTE, 200, 0, 1), attempt(199 * MINUTE + 1, 200, 0, 2)]);
    assert_eq!((ledger.totals().attempts, ledger.totals().gaps), (2, 0));
}

#[test]
fn a_window_that_shrinks_from_100_to_10_while_40_pass_is_a_gap() {
    let rows = deliveries(0, 200);
    let mut ledger = Ledger::new(Position::START);
    for minute in 100..=150 {
        show(&mut ledger, i64::try_from(minute).expect("few") * MINUTE, newest(&rows[..minute], 100));
    }
    assert_eq!(ledger.totals().gaps, 0);
    show(&mut ledger, 190 * MINUTE, newest(&rows[..190], 10));
    assert_eq!((ledger.totals().attempts, ledger.totals().gaps), (160, 1));
}

#[test]
fn a_window_that_shrinks_while_it_overlaps_is_not_taken_for_one_of_hours() {
    // It becomes shorter twice, of old entries each time; then it moves on by more than it holds within a minute.
    let rows = deliveries(0, 60);
    let mut ledger = Ledger::new(Position::START);
    show(&mut ledger, 30 * MINUTE, newest(&rows[..30], 30));
    show(&mut ledger, 8 * HOUR, newest(&rows[..31], 14));
    show(&mut ledger, 8 * HOUR + MINUTE, newest(&rows[..32], 14));
    show(&mut ledger, 8 * HOUR + 2 * MINUTE, newest(&rows[..60], 14));
    assert_eq!(ledger.totals().gaps, 1);
}

#[test]
fn an_entry_dated_years_ahead_does_not_vouch_for_those_below_it() {
    let pinned = Attempt { at: at(300 * DAY), ..attempt(0, 503, 0, 1) };
    let mut ledger = Ledger::new(Position::START);
    show(&mut ledger, MINUTE, &[attempt(0, 200, 0, 2), attempt(SECOND, 200, 0, 3), pinned.clone()]);
    show(&mut ledger, 2 * MINUTE, &[attempt(MINUTE, 200, 0, 4), attempt(MINUTE, 200, 0, 5), pinned]);
    assert_eq!((ledger.totals().attempts, ledger.totals().gaps), (5, 1));
}

/// The same attempt in a log that is ahead by so much: its ids, and its dates of its ids.
fn ahead(row: &Attempt, (ids, dates): (i64, i64)) -> Attempt {
    let second = u32::try_from(row.at.plus_millis(ids).as_millis() / SECOND).expect("before 2106");
    let mut id = row.id.0.to_bytes();
    id[..4].copy_from_slice(&second.to_be_bytes());
    Attempt { id: AttemptId(ObjectId::from_bytes(id)), at: row.at.plus_millis(ids + dates), ..row.clone() }
}

#[test]
fn entries_that_are_dated_ahead_of_the_rest_do_not_vouch_for_those_below_them() {
    for off in [(0, 8 * MINUTE), (0, 5 * HOUR), (5 * HOUR, 0), (0, 300 * DAY), (300 * DAY, 0)] {
        // Two on top of a log of the newest 20 that is sorted by date; then it becomes one of the newest two.
        let rows = deliveries(0, 200);
        let pinned: Vec<Attempt> =
            [attempt(1, 503, 0, 900), attempt(2, 503, 0, 901)].iter().map(|row| ahead(row, off)).collect();
        let mut ledger = Ledger::new(Position::START);
        for minute in 1..=4 {
            let shown = [newest(&rows[..=usize::try_from(minute).expect("few")], 18), &pinned].concat();
            show(&mut ledger, minute * MINUTE, &shown);
        }
        assert_eq!(ledger.totals().gaps, 0, "{off:?}");
        show(&mut ledger, 5 * MINUTE, &pinned);
        assert_eq!(ledger.totals().gaps, u64::from(off.1 != 8 * MINUTE), "{off:?}");
    }
}

#[test]
fn what_is_missed_between_two_responses_of_which_the_first_cannot_be_read_is_a_gap() {
    let (mut ledger, now) = of_a_log_of_an_hour();
    let rows = |at: i64| [attempt(at, 200, 0, 900), attempt(at, 200, 0, 901)];
    show(&mut ledger, now, &rows(now));
    let mut reading = ledger.read(ServerTime::certain(at(now + 50 * MINUTE)), &POLICY);
    (0..3).for_each(|_| reading.observe_malformed());
    let response = reading.finish();
    ledger.fold(response, &POLICY);
    assert_eq!(ledger.totals().gaps, 0, "it says nothing");
    show(&mut ledger, now + 100 * MINUTE, &rows(now + 100 * MINUTE));
    assert_eq!(ledger.totals().gaps, 1, "an hour and forty minutes have passed");
}

#[test]
fn a_log_that_is_dated_ahead_as_a_whole_has_no_gap_while_it_is_read_in_time_and_one_when_it_is_not() {
    for off in [(0, 8 * MINUTE), (0, 5 * HOUR), (5 * HOUR, 0), (0, 23 * HOUR), (23 * HOUR, 0)] {
        let rows: Vec<Attempt> = deliveries(0, 900).iter().map(|row| ahead(row, off)).collect();
        let mut ledger = Ledger::new(Position::START);
        for minute in 0..600 {
            show(&mut ledger, minute * MINUTE, newest(&rows[..usize::try_from(minute).expect("few")], 5));
        }
        assert_eq!((ledger.totals().attempts, ledger.totals().gaps), (599, 0), "{off:?}");
        show(&mut ledger, 620 * MINUTE, newest(&rows[..620], 5));
        assert_eq!((ledger.totals().attempts, ledger.totals().gaps), (604, 1), "{off:?}");
        show(&mut ledger, 621 * MINUTE, newest(&rows[..621], 5));
        assert_eq!((ledger.totals().attempts, ledger.totals().gaps), (605, 1), "{off:?}");
    }
}

#[test]
fn a_log_whose_clock_leaps_ahead_is_no_gap_at_each_response() {
    for off in [(0, 5 * HOUR), (5 * HOUR, 0)] {
        let rows = deliveries(0, 300);
        let rows: Vec<Attempt> =
            rows.iter().map(|row| if row.at < at(HOUR) { row.clone() } else { ahead(row, off) }).collect();
        let mut ledger = Ledger::new(Position::START);
        for minute in 0..300 {
            show(&mut ledger, minute * MINUTE, newest(&rows[..usize::try_from(minute).expect("few")], 5));
        }
        assert_eq!(
            (ledger.totals().attempts, ledger.totals().gaps),
            (299, 0),
            "{off:?}: it slides over five responses"
        );
        // After hours of downtime its entries are of the present, and then again ahead.
        show(&mut ledger, 11 * HOUR, &[attempt(10 * HOUR, 200, 0, 950), attempt(10 * HOUR, 200, 0, 951)]);
        let rows: Vec<Attempt> = deliveries(11 * HOUR, 70).iter().map(|row| ahead(row, off)).collect();
        for minute in 2..60 {
            let until = usize::try_from(minute).expect("few");
            show(&mut ledger, 11 * HOUR + minute * MINUTE, newest(&rows[..until], 2));
        }
        assert!((1..=4).contains(&ledger.totals().gaps), "{off:?}: {}", ledger.totals().gaps);
    }
}

#[test]
fn a_first_list_of_any_date_hides_nothing_and_counts_no_history() {
    for wrong in [at(DAY), UnixMillis::from_secs(253_402_300_799), UnixMillis::from_millis(0)] {
        let mut clock = ServerClock::new(1.0);
        let now = |millis: i64| Now {
            uptime: Duration::from_millis(u64::try_from(millis).expect("positive")),
            wall: at(millis),
        };
        let listed = clock.reckon(Some(wrong), now(0)).time;
        assert!(!listed.is_certain);
        let mut ledger = Ledger::new(baseline::first_start(History::Ignore, listed.cautious()));
        for minute in 0..5 {
            let seconds = minute * MINUTE + SECOND;
            let time = clock.reckon(Some(at(seconds)), now(seconds)).time;
            let floor = baseline::first_start(History::Ignore, clock.revise(wrong, now(0)));
            let mut reading = ledger.read_from(floor, time, &POLICY);
            reading.observe(attempt(-HOUR, 503, 3, 2));
            if minute > 0 {
                reading.observe(attempt(30 * SECOND, 503, 3, 1));
            }
            let response = reading.finish();
            ledger.fold(response, &POLICY);
        }
        assert_eq!((ledger.totals().attempts, ledger.events().lost()), (1, 1), "{wrong:?}");
    }
}

#[test]
fn a_response_of_1970_or_9999_makes_nothing_wait_and_gives_nothing_up() {
    for wrong in [UnixMillis::from_millis(0), UnixMillis::from_secs(253_402_300_799)] {
        let mut ledger = Ledger::new(Position::START);
        let time = ServerTime { at: wrong, is_certain: false, local: at(MINUTE) };
        show_at(&mut ledger, time, &[attempt(0, 503, 0, 1)]);
        show(&mut ledger, 2 * MINUTE, &[attempt(0, 503, 0, 1)]);
        assert_eq!((ledger.events().pending(), ledger.events().lost(), ledger.totals().gaps), (1, 0, 0), "{wrong:?}");
        assert!(ledger.is_blocked(&POLICY));
        show_at(
            &mut ledger,
            ServerTime { local: at(3 * MINUTE), ..time },
            &[attempt(MINUTE, 200, 0, 2), attempt(2 * MINUTE, 200, 0, 3)],
        );
        assert_eq!(ledger.totals().gaps, 1, "nothing known is in it, whatever its date");
    }
}

#[test]
fn an_entry_under_way_is_not_given_up_by_a_date_that_may_be_wrong() {
    let mut ledger = Ledger::new(Position::START);
    let given_up = || {
        let outcome = Outcome::Failure { reason: FailureReason::Other, status: None };
        Attempt { outcome, ..attempt(0, 503, 0, 1) }
    };
    let tomorrow = ServerTime { at: at(DAY), is_certain: false, local: at(MINUTE) };
    for (time, attempts) in [(tomorrow, 0), (ServerTime::certain(at(MINUTE)), 0), (ServerTime::certain(at(HOUR)), 1)] {
        let mut reading = ledger.read(time, &POLICY);
        reading.observe_under_way(given_up());
        let response = reading.finish();
        ledger.fold(response, &POLICY);
        assert_eq!(ledger.totals().attempts, attempts);
    }
}

#[test]
fn a_status_that_comes_later_is_one_success() {
    let mut ledger = Ledger::new(Position::START);
    let mut reading = ledger.read(ServerTime::certain(at(MINUTE)), &POLICY);
    reading.observe_under_way(attempt(0, 503, 0, 1));
    let response = reading.finish();
    ledger.fold(response, &POLICY);
    assert_eq!((ledger.totals().attempts, ledger.has_under_way()), (0, true));
    show(&mut ledger, 2 * MINUTE, &[attempt(0, 200, 0, 1)]);
    show(&mut ledger, HOUR, &[attempt(0, 200, 0, 1)]);
    assert_eq!((ledger.totals().attempts, ledger.totals().failures.iter().sum::<u64>()), (1, 0));
    assert_eq!((ledger.events().delivered(), ledger.events().lost()), (1, 0));
}

#[test]
fn a_date_off_by_hours_or_told_anew_counts_in_time_and_once() {
    for off in [-4 * HOUR, 5 * HOUR] {
        let mut ledger = Ledger::new(Position::after(at(-MINUTE)));
        let row = Attempt { at: at(off), ..attempt(0, 503, 0, 1) };
        let success = attempt(SECOND, 200, 0, 2);
        show(&mut ledger, MINUTE, &[row.clone(), success.clone()]);
        assert_eq!((ledger.totals().attempts, ledger.is_blocked(&POLICY)), (2, false), "{off}");
        for hours in 1..7 {
            let told_anew = Attempt { at: at(hours * HOUR), ..row.clone() };
            show(&mut ledger, hours * HOUR + MINUTE, &[told_anew, success.clone()]);
        }
        assert_eq!((ledger.totals().attempts, ledger.events().lost()), (2, 1), "{off}");
    }
}

#[test]
fn a_success_dated_five_hours_ahead_hides_no_failure() {
    let mut ledger = Ledger::new(Position::START);
    let mut rows = vec![Attempt { at: at(5 * HOUR), ..attempt(0, 200, 0, 900) }];
    for failed in 0..25 {
        rows.push(attempt(i64::try_from(failed).expect("few") * SECOND + SECOND, 409, 0, failed));
        show(&mut ledger, MINUTE, &rows);
        assert_eq!((ledger.standing().consecutive_failures, ledger.is_blocked(&POLICY)), (failed + 1, true));
    }
}

#[test]
fn a_success_that_is_dated_anew_is_no_newer_one() {
    for floor in [Position::START, Position::after(at(MINUTE))] {
        let mut ledger = Ledger::new(floor);
        let success = attempt(0, 200, 0, 1);
        let failures =
            [attempt(5 * SECOND, 503, 0, 2), attempt(10 * SECOND, 503, 1, 2), attempt(20 * SECOND, 503, 2, 2)];
        for told in [0, 0, 40 * SECOND, 59 * SECOND, 5 * HOUR, -HOUR, 0] {
            let rows = [&[Attempt { at: at(told), ..success.clone() }], &failures[..]].concat();
            show(&mut ledger, MINUTE, &rows);
            let standing = ledger.standing();
            let last = standing.last_success.map(|success| success.position.at);
            assert_eq!((standing.consecutive_failures, last), (3, Some(at(0))), "{told} {floor:?}");
            assert!(standing.newest_if_failed().is_some(), "{told} {floor:?}");
        }
    }
}

#[test]
fn a_last_failed_attempt_without_an_event_is_a_lost_event() {
    let mut ledger = Ledger::new(Position::START);
    show(&mut ledger, MINUTE, &[Attempt { event: None, ..attempt(0, 503, 3, 1) }]);
    assert_eq!((ledger.events().lost(), ledger.events().entered(EventType::Other, Action::Other)), (1, 1));
}
