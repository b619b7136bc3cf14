//! What describes the present is shown only while it is known, and what can be read is read on.

use std::time::Duration;

use cotalker_simulator::{Endpoint, Fault, Receiver, Simulator, Target, Trigger, WebhookSpec, World};
use delivery_ledger::{History, WebhookId};
use test_harness::{Daemon, START, Setup, happen, serve, until};

async fn company(webhooks: usize) -> (Simulator, Vec<WebhookId>) {
    let mut world = World::new(START, 3);
    let ids = (0..webhooks)
        .map(|number| world.add(WebhookSpec::new(&format!("hook_{number}"), Trigger::Task).to(Receiver::Healthy)))
        .collect();
    (serve(world).await, ids)
}

fn status(code: u16) -> Fault {
    Fault::Status { code, retry_after: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_api_is_out_of_reach_no_webhook_is_shown_as_readable_and_all_counts_stay() {
    let (simulator, ids) = company(3).await;
    happen(&simulator, &ids, 4);
    let daemon = Daemon::start(&simulator, History::Count).await;
    let before =
        daemon.wait_for("all counts", |page| ids.iter().all(|id| page.of(*id, "delivery_attempts_total") == Some(4.0)));
    let before = before.await;
    simulator.fail(Target::Everything, status(401));
    let all_down = |page: &test_harness::MetricsPage| ids.iter().all(|id| page.of(*id, "up") == Some(0.0));
    let page = daemon.wait_for("every webhook down", all_down).await;
    assert_eq!(page.sum("cotalker_up", &[]), Some(0.0));
    assert_eq!(before.webhook_counters(), page.webhook_counters());
    // One log call that is refused, too, is enough to know that all would be.
    let before = simulator.count(Endpoint::Logs);
    let polls = page.all_polls();
    let page = daemon.wait_for("further polls", |page| page.all_polls() >= polls + 3.0).await;
    let calls = u32::try_from(simulator.count(Endpoint::Logs) - before).expect("few calls");
    assert!(f64::from(calls) <= (page.all_polls() - polls + 1.0) * 2.0, "{calls}");
    simulator.clear_all();
    daemon.wait_for("recovery", |page| ids.iter().all(|id| page.of(*id, "up") == Some(1.0))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn during_a_pause_that_the_api_asks_for_no_webhook_is_shown_as_readable() {
    let (simulator, ids) = company(2).await;
    let daemon = Daemon::start(&simulator, History::Count).await;
    daemon.wait_for("readable", |page| ids.iter().all(|id| page.of(*id, "up") == Some(1.0))).await;
    simulator.fail_next(1, Target::List, Fault::Status { code: 429, retry_after: Some("3600".into()) });
    daemon.wait_for("unknown", |page| ids.iter().all(|id| page.of(*id, "up") == Some(0.0))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_hangs_holds_up_no_log() {
    let (simulator, ids) = company(2).await;
    let daemon = Daemon::start(&simulator, History::Count).await;
    daemon.wait_for("readable", |page| ids.iter().all(|id| page.of(*id, "up") == Some(1.0))).await;
    simulator.fail(Target::List, Fault::Hang);
    happen(&simulator, &ids, 5);
    daemon
        .wait_for("what happened meanwhile", |page| {
            ids.iter().all(|id| page.of(*id, "delivery_attempts_total") == Some(5.0))
        })
        .await;
    // It has not failed yet: a call may take 30 seconds.
    assert_eq!(daemon.scrape().await.calls("list", "timeout"), 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_list_that_fails_is_tried_again_long_before_the_interval_is_over() {
    let (simulator, ids) = company(1).await;
    simulator.fail_next(2, Target::List, status(500));
    let hour = Duration::from_secs(3_600);
    let daemon = Setup::of(&simulator).poller(|poller| poller.interval = hour).start().await;
    let page = daemon.wait_for("a first list", |page| page.sum("cotalker_up", &[]) == Some(1.0)).await;
    assert_eq!((page.polls("failed"), page.calls("list", "http_error")), (2.0, 2.0));
    daemon.wait_for("its log", |page| page.of(ids[0], "up") == Some(1.0)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_is_obeyed_before_the_first_list_as_well() {
    let (simulator, _) = company(1).await;
    simulator.fail_next(1, Target::List, Fault::Status { code: 429, retry_after: Some("3600".into()) });
    let daemon = Daemon::start(&simulator, History::Count).await;
    until("readiness", async || (daemon.site.get("/-/ready").await.0 == 200).then_some(())).await;
    daemon.wait_for("a failed poll", |page| page.polls("failed") >= 1.0).await;
    assert_eq!(simulator.count(Endpoint::List), 1);
}
