//! What was in the logs before the exporter's first start.

use std::time::Duration;

use cotalker_simulator::{Receiver, Simulator, Trigger, WebhookSpec, World};
use delivery_ledger::History;
use delivery_ledger::{Action, UnixMillis, WebhookId};

use test_harness::{Daemon, START, serve};

/// A webhook whose first event was delivered and whose second has failed twice so far, all within half a minute and up
/// to the middle of a second.
async fn struggling() -> (Simulator, WebhookId) {
    let mut world = World::new(START.plus_millis(-60_000), 2);
    let id = world.add(WebhookSpec::new("hook", Trigger::Task));
    world.emit(id, Action::Create, 1);
    world.advance_by(1_000);
    world.set_receiver(id, Receiver::Refused);
    world.advance_to(START.plus_millis(-30_000));
    world.emit(id, Action::Create, 1);
    world.advance_to(START.plus_millis(500));
    assert_eq!(world.attempts(id).iter().map(|attempt| attempt.retry).collect::<Vec<_>>(), [0, 0, 1]);
    (serve(world).await, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn history_that_is_ignored_counts_nothing_and_tells_how_things_stand_all_the_same() {
    let (simulator, id) = struggling().await;
    let daemon = Daemon::start(&simulator, History::Ignore).await;
    let page = daemon.first_poll().await;
    // Up to the second of the first list.
    let since = START.end_of_second();
    page.assert_shows(id, &simulator.truth(id, since));
    assert_eq!(page.of(id, "delivery_attempts_total"), Some(0.0));
    assert_eq!(page.of(id, "consecutive_failures"), Some(2.0));
    assert_eq!(page.of(id, "blocked"), Some(1.0));
    assert_eq!(page.of(id, "log_window_entries"), Some(3.0));
    assert!(page.of(id, "last_success_timestamp_seconds").is_some());
    assert!(page.of(id, "last_failure_timestamp_seconds").is_some());

    // An event enters at its first counted attempt, whatever was before.
    simulator.advance(Duration::from_secs(40));
    let page = daemon.whole_poll().await;
    let truth = simulator.truth(id, since);
    assert_eq!((truth.attempts, truth.retries, truth.pending), (1, 1, 1));
    page.assert_shows(id, &truth);
    assert_eq!(page.of(id, "consecutive_failures"), Some(3.0));

    simulator.advance(Duration::from_secs(60));
    let page = daemon.whole_poll().await;
    assert_eq!((page.of(id, "events_lost_total"), page.of(id, "blocked")), (Some(1.0), Some(0.0)));
    page.assert_shows(id, &simulator.truth(id, since));
    assert_eq!(page.of(id, "log_gaps_total"), Some(0.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn history_that_counts_counts_all_of_it() {
    let (simulator, id) = struggling().await;
    let daemon = Daemon::start(&simulator, History::Count).await;
    let page = daemon.first_poll().await;
    let truth = simulator.truth(id, UnixMillis::MIN);
    assert_eq!((truth.attempts, truth.delivered, truth.pending), (3, 1, 1));
    page.assert_shows(id, &truth);
    simulator.advance(Duration::from_secs(100));
    let page = daemon.whole_poll().await;
    page.assert_shows(id, &simulator.truth(id, UnixMillis::MIN));
    assert_eq!((page.of(id, "events_lost_total"), page.of(id, "consecutive_failures")), (Some(1.0), Some(4.0)));
}
