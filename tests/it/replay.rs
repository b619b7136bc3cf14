//! Rule 11: what to replay, and the newest attempts, as examples. The property that holds them against the model is among
//! those of rule 7 in `counting`.

use delivery_ledger::{
    Action, Attempt, AttemptId, Event, EventKey, EventType, FailureReason, Ledger, LostEvent, MAX_LOST, MAX_RECENT,
    ObjectId, Outcome, Policy, Position, ServerTime, SubjectId, UnixMillis,
};

const BEGIN: UnixMillis = UnixMillis::from_secs(1_700_000_000);
const POLICY: Policy = Policy { max_retries: 3, pending_timeout_millis: 15 * MINUTE };
const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;

fn at(offset: i64) -> UnixMillis {
    BEGIN.plus_millis(offset)
}

/// The id of the entry made at `offset`.
fn entry(offset: i64) -> AttemptId {
    let mut bytes = [0; 12];
    let millis = at(offset).as_millis();
    bytes[..4].copy_from_slice(&u32::try_from(millis / SECOND).expect("a second").to_be_bytes());
    bytes[4..].copy_from_slice(&millis.to_be_bytes());
    AttemptId(ObjectId::from_bytes(bytes))
}

/// An attempt to deliver this task, made at `offset`.
fn attempt(task: u64, retry: u32, offset: i64, status: u16) -> Attempt {
    let mut subject = [0; 12];
    subject[4..].copy_from_slice(&task.to_be_bytes());
    Attempt {
        id: entry(offset),
        at: at(offset),
        outcome: Outcome::of(Some(status), None),
        retry,
        event: Some(Event {
            key: EventKey::of([None, None, None, None, Some(&task.to_string())]),
            event_type: EventType::Task,
            action: Action::Edit,
            created_at: Some(BEGIN),
            subject: Some(SubjectId(ObjectId::from_bytes(subject))),
        }),
    }
}

/// At `offset`, the log shows these rows.
fn show(ledger: &mut Ledger, offset: i64, rows: &[Attempt]) -> bool {
    let mut reading = ledger.read(ServerTime::certain(at(offset)), &POLICY);
    rows.iter().for_each(|row| reading.observe(row.clone()));
    let response = reading.finish();
    ledger.fold(response, &POLICY)
}

fn lost(ledger: &Ledger) -> Vec<LostEvent> {
    ledger.events().lost_events().newest_first().into_iter().copied().collect()
}

#[test]
fn a_lost_event_is_told_by_its_last_entry_and_its_subject() {
    let mut ledger = Ledger::new(Position::START);
    let rows: Vec<Attempt> = (0_u32..4).map(|retry| attempt(7, retry, i64::from(retry) * MINUTE, 503)).collect();
    show(&mut ledger, MINUTE, &rows[..2]);
    let pending = ledger.events().pending_events().newest_first();
    assert_eq!(pending.iter().map(|pending| pending.last.position.id).collect::<Vec<_>>(), [entry(MINUTE)]);
    assert!(lost(&ledger).is_empty());

    show(&mut ledger, 4 * MINUTE, &rows);
    assert!(ledger.events().pending_events().is_empty());
    let [LostEvent { event: Some(event), last, lost_at, succeeded_at: None }] = lost(&ledger)[..] else {
        panic!("{:?}", lost(&ledger))
    };
    assert_eq!((last.position.id, last.at, last.retry), (entry(3 * MINUTE), at(3 * MINUTE), 3));
    assert_eq!((last.reason, last.status), (FailureReason::Http5xx, Some(503)));
    assert_eq!(lost_at, at(3 * MINUTE), "when its last retry was made, not when that was read");
    assert_eq!((event.event_type, event.action, event.created_at), (EventType::Task, Action::Edit, Some(BEGIN)));
    assert_eq!(event.subject.map(|subject| subject.to_string()).as_deref(), Some("000000000000000000000007"));
}

#[test]
fn an_event_that_waits_for_too_long_is_lost_since_its_timeout_was_over() {
    let mut ledger = Ledger::new(Position::START);
    show(&mut ledger, 0, &[attempt(1, 0, 0, 503)]);
    ledger.unchanged(ServerTime::certain(at(16 * MINUTE)), &POLICY);
    let lost = lost(&ledger);
    assert_eq!(
        lost.iter().map(|lost| (lost.last.position.id, lost.lost_at)).collect::<Vec<_>>(),
        [(entry(0), at(15 * MINUTE))]
    );
}

#[test]
fn a_lost_event_that_succeeds_after_all_stays_lost_and_says_so() {
    let mut ledger = Ledger::new(Position::START);
    let failed = [attempt(1, 3, 0, 503), attempt(2, 3, SECOND, 503), attempt(3, 3, 2 * SECOND, 503)];
    show(&mut ledger, MINUTE, &failed);
    // One is tried again, and of one the log tells another end.
    let [first, mut second, third] = failed;
    second.outcome = Outcome::of(Some(200), None);
    let now = [first, second, third, attempt(1, 4, 2 * MINUTE, 200)];
    assert!(show(&mut ledger, 3 * MINUTE, &now), "that is worth writing down");
    assert!(!show(&mut ledger, 3 * MINUTE, &now), "once");

    let told: Vec<_> = lost(&ledger).iter().map(|lost| (lost.last.position.id, lost.succeeded_at)).collect();
    let expected = [(entry(2 * SECOND), None), (entry(SECOND), Some(at(SECOND))), (entry(0), Some(at(2 * MINUTE)))];
    assert_eq!(told, expected);
    assert_eq!((ledger.events().lost(), ledger.events().delivered()), (3, 0), "each is settled once");
}

#[test]
fn a_further_failure_of_a_lost_event_is_its_last_entry() {
    let mut ledger = Ledger::new(Position::START);
    show(&mut ledger, MINUTE, &[attempt(1, 3, 0, 503)]);
    show(&mut ledger, 3 * MINUTE, &[attempt(1, 3, 0, 503), attempt(1, 4, 2 * MINUTE, 404)]);
    let [lost] = lost(&ledger)[..] else { panic!("{:?}", lost(&ledger)) };
    assert_eq!((lost.last.position.id, lost.last.status, lost.lost_at), (entry(2 * MINUTE), Some(404), at(0)));
}

#[test]
fn of_101_lost_events_the_newest_100_are_listed_and_all_are_counted() {
    let mut ledger = Ledger::new(Position::START);
    let rows: Vec<Attempt> = (0_u64..101).map(|task| attempt(task, 3, task as i64 * SECOND, 503)).rev().collect();
    show(&mut ledger, 2 * MINUTE, &rows);
    let ids: Vec<AttemptId> = lost(&ledger).iter().map(|lost| lost.last.position.id).collect();
    assert_eq!(ids, (1..=100).rev().map(|second| entry(second * SECOND)).collect::<Vec<_>>());
    assert_eq!((ids.len(), ledger.events().lost()), (MAX_LOST, 101));
}

#[test]
fn the_newest_20_attempts_are_kept_when_the_log_no_longer_has_them() {
    let mut ledger = Ledger::new(Position::after(at(5 * SECOND)));
    let rows: Vec<Attempt> = (0_u64..50).map(|task| attempt(task, 0, task as i64 * SECOND, 200)).collect();
    // History is among them, whatever the order; more than are kept, and then fewer.
    show(&mut ledger, MINUTE, &[&rows[..8], &rows[8..10]].concat());
    assert_eq!(ledger.totals().attempts, 4);
    show(&mut ledger, MINUTE, &rows[12..13]);
    let ids = |ledger: &Ledger| ledger.recent().newest_first().iter().map(|recent| recent.id).collect::<Vec<_>>();
    let expected = |seconds: &[i64]| seconds.iter().map(|second| entry(second * SECOND)).collect::<Vec<_>>();
    assert_eq!(ids(&ledger), expected(&[12, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]));
    show(&mut ledger, MINUTE, &rows);
    assert_eq!(ids(&ledger), expected(&(30..50).rev().collect::<Vec<_>>()));
    assert_eq!(ids(&ledger).len(), MAX_RECENT);
}

#[test]
fn an_attempt_is_told_as_the_log_tells_it_now_and_not_while_it_is_dated_ahead() {
    let mut ledger = Ledger::new(Position::START);
    let early = attempt(1, 0, 0, 503);
    let ahead = Attempt { at: at(80 * MINUTE), ..attempt(2, 0, SECOND, 200) };
    show(&mut ledger, MINUTE, &[early.clone(), ahead]);
    let told = |ledger: &Ledger| {
        ledger.recent().newest_first().iter().map(|recent| (recent.id, recent.outcome.status())).collect::<Vec<_>>()
    };
    assert_eq!(told(&ledger), [(entry(0), Some(503))]);
    let early = Attempt { outcome: Outcome::of(Some(200), None), ..early };
    assert!(show(&mut ledger, MINUTE, &[early, attempt(2, 0, SECOND, 200)]));
    assert_eq!(told(&ledger), [(entry(SECOND), Some(200)), (entry(0), Some(200))]);
}
