//! What the exporter shows is what the simulator did.

use std::time::Duration;

use cotalker_webhook_exporter::delivery::{UnixMillis, WebhookId};
use cotalker_webhook_exporter::poller::History;
use cotalker_webhook_exporter::simulator::demo::many;
use cotalker_webhook_exporter::simulator::{Endpoint, SECRET_MARKER, Settings, Simulator, Truth};

use crate::daemon::{Daemon, Page};

const START: UnixMillis = UnixMillis::from_secs(1_700_000_000);

#[expect(clippy::cast_precision_loss, reason = "counts of tests are small")]
pub(crate) fn assert_shows(page: &Page, id: WebhookId, truth: &Truth) {
    let label = format!("webhook_id=\"{id}\"");
    let shown =
        |family: &str, more: &str| page.sum(&format!("cotalker_webhook_{family}"), &[&label, more]).unwrap_or(-1.0);
    for (family, expected) in [
        ("delivery_attempts_total", truth.attempts),
        ("delivery_failures_total", truth.failed()),
        ("delivery_retries_total", truth.retries),
        ("events_delivered_total", truth.delivered),
        ("events_lost_total", truth.lost),
        ("events_pending", truth.pending),
        ("events_total", truth.events.values().sum()),
        ("delivery_delay_seconds_count", truth.delivered),
    ] {
        assert_eq!(shown(family, ""), expected as f64, "{family} of {id}");
    }
    for (reason, failures) in &truth.failures {
        assert_eq!(
            shown("delivery_failures_total", &format!("reason=\"{reason}\"")),
            *failures as f64,
            "{reason} of {id}"
        );
    }
    for (code, responses) in &truth.responses {
        assert_eq!(shown("delivery_responses_total", &format!("code=\"{code}\"")), *responses as f64, "{code} of {id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_webhooks_counts_equal_what_happened_round_after_round() {
    let world = many(20, START, 600_000, 1);
    let ids = world.ids();
    let simulator = Simulator::start(world, Settings::default()).await.expect("a simulator");
    let daemon = Daemon::start(&simulator, History::Ignore).await;
    daemon.wait_for("a first poll", |page| page.sum("cotalker_exporter_polls_total", &["ok"]) >= Some(1.0)).await;
    // What is dated in the second of the first list is history.
    let since = START.end_of_second();
    for _ in 0..3 {
        simulator.advance(Duration::from_secs(300));
        let logs = simulator.count(Endpoint::Logs);
        // Two rounds: the one that is under way may have begun before time passed.
        let page = daemon.wait_for("two more polls", |_| simulator.count(Endpoint::Logs) >= logs + 40).await;
        let polls = page.sum("cotalker_exporter_polls_total", &["ok"]).unwrap_or(0.0);
        let page = daemon
            .wait_for("the end of it", |page| page.sum("cotalker_exporter_polls_total", &["ok"]) > Some(polls))
            .await;
        for id in &ids {
            assert_shows(&page, *id, &simulator.truth(*id, since));
        }
        assert!(!page.0.contains(SECRET_MARKER));
    }
    let page = daemon.scrape().await;
    assert_eq!(page.sum("cotalker_webhook_log_gaps_total", &[]), Some(0.0));
}
