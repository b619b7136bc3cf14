//! What one look says of a log's events is what a ledger says that counts all of it, and nothing is left out of it.

use delivery_ledger::{
    Action, Attempt, AttemptId, Event, EventKey, EventType, Ledger, LogResponse, MAX_LOST, ObjectId, Outcome, Policy,
    Position, ServerTime, SubjectId, ToReplay, UnixMillis,
};
use proptest::prelude::*;

/// So many random logs.
const CASES: u32 = 2_000;

const POLICY: Policy = Policy { max_retries: 3, pending_timeout_millis: 900_000 };
const BEGIN: i64 = 1_700_000_000;
const NOW: UnixMillis = UnixMillis::from_secs(BEGIN + 3_600);

fn attempt(second: u32, retry: u32, status: u16, event: Option<u16>) -> Attempt {
    let mut id = [0; 12];
    id[..4].copy_from_slice(&(u32::try_from(BEGIN).expect("a second") + second).to_be_bytes());
    id[8..].copy_from_slice(&second.to_be_bytes());
    Attempt {
        id: AttemptId(ObjectId::from_bytes(id)),
        at: UnixMillis::from_secs(BEGIN + i64::from(second)),
        outcome: Outcome::of(Some(status), None),
        retry,
        event: event.map(|number| Event {
            key: EventKey::of([None, None, None, None, Some(&number.to_string())]),
            event_type: EventType::Task,
            action: Action::Edit,
            created_at: None,
            subject: Some(SubjectId(ObjectId::from_bytes([u8::try_from(number % 256).expect("a byte"); 12]))),
        }),
    }
}

fn read(ledger: &Ledger, attempts: &[Attempt]) -> LogResponse {
    let mut reading = ledger.read(ServerTime::certain(NOW), &POLICY);
    attempts.iter().for_each(|attempt| reading.observe(attempt.clone()));
    reading.finish()
}

fn look(attempts: &[Attempt]) -> ToReplay {
    ToReplay::of(&read(&Ledger::new(Position::START), attempts), &POLICY)
}

fn attempts() -> impl Strategy<Value = Vec<Attempt>> {
    let status = prop::sample::select(vec![200_u16, 404, 500, 503]);
    let one = (0_u32..3_600, 0_u32..5, status, prop::option::weighted(0.9, 0_u16..12));
    let one = one.prop_map(|(second, retry, status, event)| attempt(second, retry, status, event));
    prop::collection::vec(one, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(CASES) })]

    #[test]
    fn one_look_says_what_a_ledger_says_that_counts_all_of_the_log(attempts in attempts()) {
        let mut ledger = Ledger::new(Position::START);
        let response = read(&ledger, &attempts);
        let found = ToReplay::of(&response, &POLICY);
        ledger.fold(response, &POLICY);
        let events = ledger.events();
        prop_assert_eq!(found.lost.iter().collect::<Vec<_>>(), events.lost_events().newest_first());
        prop_assert_eq!(found.pending.iter().collect::<Vec<_>>(), events.pending_events().newest_first());
        prop_assert_eq!(u64::try_from(found.lost.len()).expect("few"), events.lost());
        prop_assert_eq!(u64::try_from(found.pending.len()).expect("few"), events.pending());
    }
}

#[test]
fn one_look_lists_more_lost_events_than_a_ledger_keeps() {
    let lost = u16::try_from(MAX_LOST).expect("few") + 50;
    let attempts: Vec<Attempt> = (0..lost).map(|number| attempt(u32::from(number), 3, 500, Some(number))).collect();
    let found = look(&attempts);
    assert_eq!(found.lost.len(), usize::from(lost));
    assert!(found.lost.is_sorted_by_key(|lost| std::cmp::Reverse(lost.lost_at)), "the newest first");
}

#[test]
fn what_was_lost_or_last_tried_before_is_left_out() {
    let attempts = [
        attempt(0, 3, 500, Some(1)),
        // Lost 15 minutes later, because nothing followed.
        attempt(600, 0, 500, Some(2)),
        attempt(3_000, 0, 500, Some(3)),
        attempt(3_300, 0, 500, Some(4)),
    ];
    let seconds = |from: i64| {
        let found = look(&attempts).since(UnixMillis::from_secs(BEGIN + from));
        let lost: Vec<i64> = found.lost.iter().map(|lost| lost.lost_at.as_millis() / 1_000 - BEGIN).collect();
        let tried = found.pending.iter().map(|pending| pending.last.at.as_millis() / 1_000 - BEGIN);
        (lost, tried.collect::<Vec<_>>())
    };
    assert_eq!(seconds(0), (vec![1_500, 0], vec![3_300, 3_000]));
    assert_eq!(seconds(1_500), (vec![1_500], vec![3_300, 3_000]));
    assert_eq!(seconds(1_501), (vec![], vec![3_300, 3_000]));
    assert_eq!(seconds(3_001), (vec![], vec![3_300]));
}

#[test]
fn while_the_time_is_not_certain_no_event_is_given_up() {
    let ledger = Ledger::new(Position::START);
    let local = NOW.plus_millis(-24 * 3_600_000);
    let now = ServerTime { is_certain: false, local, ..ServerTime::certain(NOW) };
    let mut reading = ledger.read(now, &POLICY);
    reading.observe(attempt(0, 0, 500, Some(1)));
    let found = ToReplay::of(&reading.finish(), &POLICY);
    assert_eq!((found.lost.len(), found.pending.len()), (0, 1));
}
