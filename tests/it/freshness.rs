//! One bad webhook delays and blanks no other.

use std::time::Duration;

use cotalker_simulator::demo::many;
use cotalker_simulator::{Endpoint, Fault, Target};
use delivery_ledger::History;

use test_harness::{Daemon, START, serve};

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_webhooks_four_bad_ones_keep_the_other_sixteen_no_less_fresh() {
    let world = many(20, START, 600_000, 2);
    let ids = world.ids();
    let simulator = serve(world).await;
    let faults = [Fault::Hang, Fault::Drip, Fault::Html, Fault::Status { code: 500, retry_after: None }];
    for (id, fault) in ids.iter().zip(faults) {
        simulator.fail(Target::Logs(*id), fault);
    }
    let daemon = Daemon::start(&simulator, History::Count).await;
    let reads = |count: usize| {
        let calls = simulator.calls();
        let of = |id| calls.iter().filter(|call| call.endpoint == Endpoint::Logs && call.webhook == Some(id)).count();
        ids[4..].iter().all(|id| of(*id) >= count)
    };
    // Each of the sixteen is read again and again while the hanging call of the first has not ended.
    let page = daemon.wait_for("five reads of the sixteen", |_| reads(5)).await;
    let hanging = simulator.calls().iter().filter(|call| call.webhook == Some(ids[0])).count();
    assert_eq!(hanging, 1, "the hanging call is still under way");
    for id in &ids[4..] {
        let label = format!("webhook_id=\"{id}\"");
        assert_eq!(page.sum("cotalker_webhook_up", &[&label]), Some(1.0), "{id}");
        assert!(page.sum("cotalker_webhook_delivery_attempts_total", &[&label]) > Some(0.0), "{id}");
    }
    for id in &ids[2..4] {
        let label = format!("webhook_id=\"{id}\"");
        assert_eq!(page.sum("cotalker_webhook_up", &[&label]), Some(0.0), "{id}");
        assert_eq!(page.sum("cotalker_webhook_delivery_attempts_total", &[&label]), Some(0.0), "{id}");
    }
    simulator.clear_all();
    simulator.advance(Duration::from_secs(1));
    daemon
        .wait_for("the bad ones' recovery", |page| {
            ids[2..4].iter().all(|id| page.sum("cotalker_webhook_up", &[&format!("webhook_id=\"{id}\"")]) == Some(1.0))
        })
        .await;
}
