//! What the exporter shows is what the simulator did.

use std::time::Duration;

use cotalker_simulator::SECRET_MARKER;
use cotalker_simulator::demo::many;
use delivery_ledger::History;

use test_harness::{Daemon, START, serve};

#[tokio::test(flavor = "multi_thread")]
async fn every_webhooks_counts_equal_what_happened_round_after_round() {
    let world = many(20, START, 600_000, 1);
    let ids = world.ids();
    let simulator = serve(world).await;
    let daemon = Daemon::start(&simulator, History::Ignore).await;
    daemon.first_poll().await;
    // What is dated in the second of the first list is history.
    let since = START.end_of_second();
    for _ in 0..3 {
        simulator.advance(Duration::from_secs(300));
        let page = daemon.whole_good_poll().await;
        for id in &ids {
            page.assert_shows(*id, &simulator.truth(*id, since));
        }
        assert!(!page.0.contains(SECRET_MARKER));
    }
    let page = daemon.scrape().await;
    assert_eq!(page.sum("cotalker_webhook_log_gaps_total", &[]), Some(0.0));
}
