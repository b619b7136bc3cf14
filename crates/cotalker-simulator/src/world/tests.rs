use std::collections::{BTreeMap, HashSet};

use delivery_ledger::{Action, UnixMillis};

use super::{
    Cycle, LoggedAttempt, MAX_RETRY, RETRY_AFTER_MS, Receiver, Reply, Trigger, Truth, Verdict, WebhookSpec, World,
};
use crate::demo;

const START: UnixMillis = UnixMillis::from_secs(1_760_000_000);
const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

fn world() -> World {
    World::new(START, 7)
}

fn tasks() -> WebhookSpec {
    WebhookSpec::new("wo_update", Trigger::Task)
}

#[test]
fn the_next_event_is_sent_only_after_the_one_before_it_is_settled() {
    let mut world = world();
    let ids = [
        world.add(tasks().to(Receiver::Flaky { failures: 0.5 }).every_ms(10 * SECOND)),
        world.add(tasks().to(Receiver::Rejecting).every_ms(10 * SECOND)),
        world.add(tasks().to(Receiver::Slow { from_ms: SECOND, to_ms: 40 * SECOND }).every_ms(10 * SECOND)),
    ];
    world.advance_by(6 * HOUR);
    for id in ids {
        let attempts = world.attempts(id);
        assert!(attempts.len() > 100);
        for pair in attempts.windows(2) {
            let [before, after] = pair else { unreachable!() };
            assert!(before.at < after.at);
            if before.is_final {
                assert_eq!((after.event.number, after.retry), (before.event.number + 1, 0));
            } else {
                assert_eq!((after.event.number, after.retry), (before.event.number, before.retry + 1));
                assert!(after.at.millis_since(before.at) >= RETRY_AFTER_MS);
            }
            assert!(after.event.created_at <= after.at);
        }
    }
}

#[test]
fn a_dead_receiver_is_tried_four_times_at_the_spacing_of_the_documented_sample_and_then_the_event_is_lost() {
    let mut world = world();
    let id = world.add(tasks().to(Receiver::Down));
    world.emit(id, Action::Create, 2);
    world.advance_by(HOUR);

    let attempts = world.attempts(id);
    assert_eq!(attempts.len(), 8);
    assert_eq!(attempts.iter().map(|attempt| attempt.retry).collect::<Vec<_>>(), [0, 1, 2, 3, 0, 1, 2, 3]);
    for attempt in attempts {
        assert_eq!(attempt.status, Some(409));
        assert!(attempt.response.starts_with("connect ETIMEDOUT 203.0.113."), "{}", attempt.response);
        assert_eq!(attempt.is_final, attempt.retry == MAX_RETRY);
    }
    // The sample: 2 min 40 s from one entry to the next, the first one some 130 s after the event.
    for pair in attempts[..4].windows(2) {
        let gap = pair[1].at.millis_since(pair[0].at);
        assert!((159_900..=160_100).contains(&gap), "{gap}");
    }
    assert!((129_900..=130_100).contains(&attempts[0].at.millis_since(START)));
    assert_eq!(attempts[0].event, attempts[3].event);

    let truth = world.truth(id, START);
    assert_eq!((truth.attempts, truth.retries, truth.lost, truth.delivered, truth.pending), (8, 6, 2, 0, 0));
    assert_eq!(truth.failures, BTreeMap::from([("timeout", 8)]));
    assert!(truth.responses.is_empty());
    assert_eq!(truth.events, BTreeMap::from([(("COTTask", "create"), 2)]));
}

#[test]
fn a_script_is_followed_to_its_end_and_the_truth_tells_it() {
    let mut world = world();
    let id = world.add(tasks().to(Receiver::scripted([
        Reply::response(500, "oops"),
        Reply::timeout(),
        Reply::response(204, ""),
        Reply::response(301, "elsewhere"),
        Reply::response(409, "locked"),
        Reply::response(210, "?"),
        Reply::transport_error(Verdict::Dns, "getaddrinfo ENOTFOUND hooks.acme.example"),
        Reply::transport_error(Verdict::Reset, "socket hang up"),
    ])));
    world.emit(id, Action::Edit, 3);
    world.advance_by(8 * MINUTE);

    let truth = world.truth(id, START);
    assert_eq!(
        truth.failures,
        BTreeMap::from([
            ("http_5xx", 1),
            ("timeout", 1),
            ("http_3xx", 1),
            ("http_4xx", 1),
            ("other", 1),
            ("dns", 1),
            ("reset", 1),
        ])
    );
    assert_eq!(truth.responses, BTreeMap::from([(500, 1), (200, 1), (204, 1), (301, 1), (409, 1), (210, 1)]));
    assert_eq!((truth.attempts, truth.delivered, truth.lost, truth.pending), (9, 2, 1, 0));
    assert_eq!(truth.delays_ms[0], 20 + RETRY_AFTER_MS + 130_000 + RETRY_AFTER_MS + 20);
}

#[test]
fn an_event_that_has_been_tried_is_pending_until_it_is_settled() {
    let mut world = world();
    let id = world.add(tasks().to(Receiver::Refused));
    world.emit(id, Action::Edit, 3);
    assert_eq!(world.truth(id, START), Truth::default());
    world.advance_by(SECOND);
    assert_eq!((world.truth(id, START).pending, world.queued(id)), (1, 2));

    world.set_receiver(id, Receiver::Healthy);
    world.advance_by(MINUTE);
    let truth = world.truth(id, START);
    assert_eq!((truth.pending, truth.delivered, truth.lost, truth.retries), (0, 3, 0, 1));
}

#[test]
fn the_truth_since_some_time_counts_an_event_from_its_first_attempt_after_it() {
    let mut world = world();
    let id = world.add(tasks().to(Receiver::Refused));
    world.emit(id, Action::Edit, 1);
    world.advance_by(10 * SECOND);
    let since = world.now();
    world.advance_by(HOUR);
    let truth = world.truth(id, since);
    assert_eq!((truth.attempts, truth.retries, truth.lost), (3, 3, 1));
    assert_eq!(truth.events.values().sum::<u64>(), 1);
}

#[test]
fn the_truth_equals_the_history() {
    let mut world = demo::demo_scenario(START, 3);
    world.advance_by(HOUR);
    for id in world.ids() {
        let attempts = world.attempts(id);
        let truth = world.truth(id, UnixMillis::MIN);
        let events: HashSet<u64> = attempts.iter().map(|attempt| attempt.event.number).collect();
        let settled =
            |verdict: fn(Verdict) -> bool| count(attempts, |attempt| attempt.is_final && verdict(attempt.verdict));
        assert_eq!(truth.attempts, count(attempts, |_| true));
        assert_eq!(truth.failed(), count(attempts, |attempt| attempt.verdict != Verdict::Taken));
        assert_eq!(truth.events.values().sum::<u64>(), u64::try_from(events.len()).expect("small"));
        assert_eq!(truth.delivered, settled(|verdict| verdict == Verdict::Taken));
        assert_eq!(truth.lost, settled(|verdict| verdict != Verdict::Taken));
        assert_eq!(truth.delivered + truth.lost + truth.pending, u64::try_from(events.len()).expect("small"));
        assert!(truth.pending <= 1);
    }
}

fn count(attempts: &[LoggedAttempt], is_meant: impl Fn(&LoggedAttempt) -> bool) -> u64 {
    u64::try_from(attempts.iter().filter(|attempt| is_meant(attempt)).count()).expect("small")
}

#[test]
fn the_same_seed_gives_the_same_world_however_time_passes() {
    let (mut at_once, mut by_steps) = (demo::many(100, START, 0, 11), demo::many(100, START, 0, 11));
    let mut other = demo::many(100, START, 0, 12);
    at_once.advance_by(2 * HOUR);
    other.advance_by(2 * HOUR);
    for _ in 0..480 {
        by_steps.advance_by(15 * SECOND);
    }
    assert_eq!(at_once.ids(), by_steps.ids());
    for id in at_once.ids() {
        assert_eq!(at_once.attempts(id), by_steps.attempts(id));
    }
    assert_ne!(at_once.ids(), other.ids());
}

#[test]
fn a_changed_webhook_leaves_the_others_as_they_were() {
    let (mut plain, mut changed) = (demo::many(3, START, 0, 1), demo::many(3, START, 0, 1));
    let ids = plain.ids();
    changed.set_receiver(ids[1], Receiver::Down);
    plain.advance_by(HOUR);
    changed.advance_by(HOUR);
    assert_eq!(plain.attempts(ids[0]), changed.attempts(ids[0]));
    assert_eq!(plain.attempts(ids[2]), changed.attempts(ids[2]));
    assert_ne!(plain.attempts(ids[1]), changed.attempts(ids[1]));
}

#[test]
fn ids_are_unique_and_dated_by_what_they_name() {
    let mut world = demo::many(50, START, HOUR, 5);
    world.advance_by(HOUR);
    let mut seen: HashSet<_> = world.ids().into_iter().map(|id| id.0).collect();
    assert_eq!(seen.len(), 50);
    for id in world.ids() {
        for attempt in world.attempts(id) {
            assert_eq!(attempt.id.0.made_at(), attempt.at.start_of_second());
            assert!(seen.insert(attempt.id.0));
        }
        assert!(world.attempts(id).windows(2).all(|pair| pair[0].id < pair[1].id));
    }
}

#[test]
fn a_resting_webhook_sends_nothing_and_goes_on_with_what_waited() {
    let mut world = world();
    let id = world.add(tasks().to(Receiver::scripted([Reply::response(503, "later")])));
    world.emit(id, Action::Edit, 2);
    world.advance_by(SECOND);
    world.change(id, |spec| spec.active = false);
    world.emit(id, Action::Edit, 1);
    world.advance_by(HOUR);
    assert_eq!(world.attempts(id).len(), 1);

    world.change(id, |spec| spec.active = true);
    let woken = world.now();
    world.advance_by(MINUTE);
    let attempts = world.attempts(id);
    assert_eq!(attempts.len(), 3);
    assert_eq!((attempts[1].retry, attempts[2].retry), (1, 0));
    assert!(attempts[1].at > woken && attempts[1].at.millis_since(woken) < SECOND);
}

#[test]
fn a_cycle_switches_a_webhook_off_and_on() {
    let mut world = world();
    let mut spec = tasks().every_ms(SECOND);
    spec.cycle = Some(Cycle { active_ms: 10 * MINUTE, resting_ms: 5 * MINUTE });
    let id = world.add(spec);
    let mut seen = Vec::new();
    for _ in 0..6 {
        world.advance_by(5 * MINUTE - 10 * SECOND);
        seen.push(world.spec(id).active);
        world.advance_by(10 * SECOND);
    }
    assert_eq!(seen, [true, true, false, true, true, false]);
}

#[test]
fn a_bounded_history_forgets_the_oldest_and_keeps_enough() {
    let mut world = World::new(START, 1).with_history_limit(100);
    let id = world.add(tasks().every_ms(SECOND));
    for _ in 0..60 {
        world.advance_by(MINUTE);
        assert!(world.attempts(id).len() <= 150);
    }
    assert!(world.attempts(id).len() >= 100);
    let newest = world.attempts(id).last().expect("attempts").clone();
    let (_, shown) = world.find(id).expect("it is there").newest_first().next().expect("attempts");
    assert_eq!(*shown, newest);
}
