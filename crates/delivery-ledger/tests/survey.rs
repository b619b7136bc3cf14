//! What one look at the logs shows of how the API writes them.

use delivery_ledger::{
    Action, Attempt, AttemptId, Event, EventKey, EventType, Guess, LogExtent, LogFacts, LogOrder, LogSurvey, ObjectId,
    Outcome, Rows, UnixMillis, guess_retention,
};

const NOON: i64 = 1_700_000_000;
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// An attempt so many seconds after noon, with this retry, for the event with this number.
fn attempt(second: i64, retry: u32, event: u8) -> Attempt {
    let mut id = [0; 12];
    id[..4].copy_from_slice(&u32::try_from(NOON + second).expect("a second").to_be_bytes());
    id[11] = u8::try_from(retry).expect("few retries");
    let number = event.to_string();
    Attempt {
        id: AttemptId(ObjectId::from_bytes(id)),
        at: UnixMillis::from_secs(NOON + second),
        outcome: Outcome::of(Some(500), None),
        retry,
        event: Some(Event {
            key: EventKey::of([None, None, None, None, Some(&number)]),
            event_type: EventType::Task,
            action: Action::Edit,
            created_at: None,
            subject: None,
        }),
    }
}

fn facts(attempts: impl IntoIterator<Item = Attempt>) -> LogFacts {
    let mut survey = LogSurvey::new(UnixMillis::from_secs(NOON + HOUR));
    attempts.into_iter().for_each(|attempt| survey.observe(&attempt, false));
    survey.finish()
}

fn rows(attempts: &[Attempt]) -> Option<Rows> {
    facts(attempts.iter().cloned()).rows.rows()
}

#[test]
fn the_order_of_a_log_is_told_by_its_entries() {
    let order = |seconds: &[i64]| facts(seconds.iter().map(|second| attempt(*second, 0, 0))).order;
    assert_eq!(order(&[]), None);
    assert_eq!(order(&[5]), None);
    assert_eq!(order(&[5, 5]), None, "the same entry twice tells nothing");
    assert_eq!(order(&[9, 9, 5, 1, 1]), Some(LogOrder::NewestFirst));
    assert_eq!(order(&[1, 5, 5, 9]), Some(LogOrder::OldestFirst));
    assert_eq!(order(&[1, 9, 5]), Some(LogOrder::Unordered));
}

#[test]
fn a_log_is_in_order_if_it_is_so_by_time_or_by_id() {
    // What a second process wrote within the same second stands where its id does.
    let told_late = Attempt { at: UnixMillis::from_millis(NOON * 1_000 + 2_900), ..attempt(2, 0, 0) };
    let by_id =
        [attempt(1, 0, 0), told_late.clone(), Attempt { at: told_late.at.plus_millis(-500), ..attempt(2, 1, 1) }];
    assert_eq!(facts(by_id.clone()).order, Some(LogOrder::OldestFirst), "by id");
    let by_time = [by_id[0].clone(), by_id[2].clone(), by_id[1].clone()];
    assert_eq!(facts(by_time).order, Some(LogOrder::OldestFirst), "by time");
}

#[test]
fn several_rows_of_one_event_mean_that_each_attempt_is_logged() {
    let log = [attempt(0, 0, 1), attempt(30, 1, 1), attempt(60, 2, 1), attempt(90, 0, 2)];
    let facts = facts(log.clone());
    assert_eq!((facts.rows.rows(), facts.rows.most), (Some(Rows::EachAttempt), 3));
    let reversed: Vec<_> = log.iter().rev().cloned().collect();
    assert_eq!(rows(&reversed), Some(Rows::EachAttempt), "whatever the order");
    let repeated: Vec<_> = log.iter().flat_map(|attempt| [attempt.clone(), attempt.clone()]).collect();
    assert_eq!(self::facts(repeated).rows.most, 3, "an entry that is repeated is one row");
}

#[test]
fn one_row_of_a_retried_event_means_final_rows_only_if_the_log_reaches_back_further() {
    assert_eq!(rows(&[attempt(0, 0, 1), attempt(90, 3, 2)]), Some(Rows::FinalOnly));
    assert_eq!(rows(&[attempt(90, 3, 2), attempt(120, 0, 3)]), None, "its other rows may have left the log");
    assert_eq!(rows(&[attempt(0, 0, 1), attempt(90, 0, 2)]), None, "nothing was retried");
    let both = [attempt(0, 0, 1), attempt(30, 1, 1), attempt(90, 3, 2)];
    assert_eq!(rows(&both), Some(Rows::Mixed));
}

#[test]
fn an_entry_dated_far_ahead_does_not_stretch_the_span() {
    let facts = facts([attempt(0, 0, 1), attempt(60, 0, 2), attempt(2 * HOUR, 0, 3)]);
    assert_eq!((facts.attempts, facts.ahead), (3, 1));
    let times = [facts.oldest, facts.newest].map(|at| at.map(UnixMillis::as_millis));
    assert_eq!(times, [Some(NOON * 1_000), Some((NOON + 60) * 1_000)]);
}

/// The log of a webhook that is 100 days old, with so many entries, that reaches back so many seconds.
fn extent(entries: u64, reaches_back: i64) -> LogExtent {
    let now = UnixMillis::from_secs(NOON);
    LogExtent::new(entries, Some(now.plus_millis(-reaches_back * 1_000)), now.plus_millis(-100 * DAY * 1_000), now)
}

#[test]
fn logs_of_exactly_one_greatest_length_suggest_the_newest_n() {
    let logs = [extent(500, DAY), extent(500, 3 * HOUR), extent(20, 9 * DAY)];
    assert_eq!(guess_retention(&logs), Guess::Newest { entries: 500, logs: 2 });
    assert_eq!(guess_retention(&logs[1..]), Guess::Unknown, "one may be so long by chance");
    assert_eq!(guess_retention(&[extent(3, DAY), extent(3, HOUR)]), Guess::Unknown, "little has happened");
    assert_eq!(guess_retention(&[]), Guess::Unknown);
}

#[test]
fn logs_of_other_lengths_that_reach_back_equally_far_suggest_an_age() {
    let logs = [extent(800, 7 * DAY - 60), extent(150, 7 * DAY - HOUR), extent(40, 5 * DAY)];
    assert_eq!(guess_retention(&logs), Guess::Age { millis: (7 * DAY - 60) * 1_000, logs: 2 });
    assert_eq!(guess_retention(&[extent(800, 7 * DAY), extent(150, 2 * DAY)]), Guess::Unknown);
}

#[test]
fn a_log_that_reaches_back_to_the_webhooks_beginning_suggests_nothing() {
    let whole = LogExtent { webhook_age_millis: 7 * DAY * 1_000, ..extent(500, 7 * DAY - 60) };
    assert_eq!(guess_retention(&[whole, whole]), Guess::Unknown);
}
