//! Since when counters count, as OpenMetrics tells it.

use std::time::Duration;

use cotalker_simulator::{Receiver, Trigger, WebhookSpec, World};
use delivery_ledger::{UnixMillis, WebhookId};
use test_harness::{MetricsPage, START, program, serve};

/// Since when a webhook's counters count, in seconds; all of them since the same moment.
fn since(page: &MetricsPage, id: WebhookId) -> f64 {
    let lines =
        page.lines_of(id).into_iter().filter(|line| line.split('{').next().is_some_and(|n| n.ends_with("_created")));
    let mut since: Vec<f64> =
        lines.map(|line| line.rsplit_once(' ').expect("a value").1.parse().expect("a number")).collect();
    assert!(since.len() > 15, "each counter tells it");
    since.dedup();
    assert_eq!(since.len(), 1, "{since:?}");
    since[0]
}

#[expect(clippy::cast_precision_loss, reason = "seconds of this century")]
fn seconds(at: UnixMillis) -> f64 {
    at.as_millis() as f64 / 1_000.0
}

fn orders() -> WebhookSpec {
    WebhookSpec::new("orders", Trigger::Task).to(Receiver::Healthy).every_ms(60_000)
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_count_since_the_first_list_and_a_restart_changes_nothing() {
    let mut world = World::new(START, 1);
    let known = world.add(orders());
    let simulator = serve(world).await;
    let state = tempfile::tempdir().expect("a directory");
    let flags = ["--poll.interval=1s", "--poll.history=ignore"];
    let start = || program(&flags).towards(&simulator).anywhere().keeping(state.path()).spawn();
    let exporter = start();
    let site = exporter.site().await;
    site.further_polls(1.0).await;
    let first = since(&site.scrape_openmetrics().await, known);
    assert_eq!(first, seconds(START.end_of_second()), "what was made in the second of the first list is history");

    // What appears later counts from the list before, and is shown at 0 since then.
    simulator.advance(Duration::from_secs(3_600));
    site.whole_good_poll().await;
    simulator.advance(Duration::from_secs(30));
    let new = simulator.with_world(|world| world.add(orders()));
    site.whole_good_poll().await;
    let page = site.scrape_openmetrics().await;
    assert_eq!(since(&page, known), first);
    let appeared = since(&page, new);
    assert!(appeared >= seconds(START) + 3_598.0 && appeared <= seconds(START) + 3_632.0, "{appeared}");
    drop(exporter);

    let exporter = start();
    let site = exporter.site().await;
    simulator.advance(Duration::from_secs(3_600));
    site.whole_good_poll().await;
    let page = site.scrape_openmetrics().await;
    assert_eq!((since(&page, known), since(&page, new)), (first, appeared));
    let own = page.sum("cotalker_exporter_polls_created", &["result=\"ok\""]).expect("a series");
    let started = page.sum("process_start_time_seconds", &[]).expect("a series");
    assert!((own - started).abs() < 60.0, "this process's own: {own}, which started at {started}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_history_counts_counters_count_since_the_webhook_was_made() {
    let mut world = World::new(START, 1);
    let id = world.add_since(orders(), START.plus_millis(-7_200_000));
    let simulator = serve(world).await;
    let exporter = program(&["--poll.interval=1s", "--poll.history=count"]).towards(&simulator).anywhere().spawn();
    let site = exporter.site().await;
    site.further_polls(1.0).await;
    assert_eq!(since(&site.scrape_openmetrics().await, id), seconds(id.0.made_at()));
}
