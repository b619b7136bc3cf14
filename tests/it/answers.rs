//! Responses of the API that cannot be used: each is counted as what it is, and changes nothing else.

use std::time::Duration;

use cotalker_simulator::{Endpoint, Fault, Receiver, Settings, Simulator, Target, Trigger, WebhookSpec, World};
use delivery_ledger::{Action, UnixMillis, WebhookId};
use futures::{StreamExt as _, stream};

use test_harness::{START, Setup, ca, free_address, serve};

/// The most bytes that a response may have in these tests: far more than a right one has.
const LIMIT: u64 = 1 << 20;

/// A company of two webhooks with successes, failures, retries and something lost in their logs.
async fn company() -> (Simulator, WebhookId, WebhookId) {
    let mut world = World::new(START.plus_millis(-3_600_000), 5);
    let flaky = WebhookSpec::new("flaky", Trigger::User).to(Receiver::Flaky { failures: 0.6 });
    let (a, b) = (world.add(flaky), world.add(WebhookSpec::new("steady", Trigger::Task)));
    for id in [a, b] {
        world.emit(id, Action::Create, 10);
    }
    world.advance_to(START);
    (serve(world).await, a, b)
}

fn more_happens(simulator: &Simulator, ids: [WebhookId; 2]) {
    simulator.with_world(|world| ids.iter().for_each(|id| world.emit(*id, Action::Create, 3)));
    simulator.advance(Duration::from_secs(1_200));
}

/// Every way in which a response can be wrong, and how it is counted.
fn faults(simulator: &Simulator) -> Vec<(Fault, &'static str)> {
    let status = |code| Fault::Status { code, retry_after: None };
    vec![
        (Fault::Html, "malformed"),
        (Fault::NotAnArray, "malformed"),
        (Fault::TruncatedJson, "malformed"),
        (Fault::TrailingGarbage, "malformed"),
        (Fault::EmptyBody, "malformed"),
        (Fault::BrokenGzip, "malformed"),
        (Fault::Bomb { decompressed_bytes: 64 * LIMIT }, "too_large"),
        (Fault::Oversize { bytes: 2 * LIMIT }, "too_large"),
        (Fault::HugeEntry { bytes: 2 * LIMIT }, "too_large"),
        (Fault::Redirect { to: format!("{}/elsewhere", simulator.base_url()) }, "http_error"),
        (status(400), "http_error"),
        (status(403), "forbidden"),
        (status(404), "not_found"),
        (status(500), "http_error"),
        (status(503), "http_error"),
        // Not in response to a conditional call.
        (status(304), "http_error"),
        (Fault::CutOff, "connect"),
        (Fault::Reset, "connect"),
        (Fault::Hang, "timeout"),
        (Fault::Drip, "timeout"),
    ]
}

async fn a_log_that_cannot_be_used(number: usize) {
    let (simulator, a, b) = company().await;
    let (fault, result) = faults(&simulator).swap_remove(number);
    let name = format!("{fault:?}");
    // Where it takes a time-out to notice, a short one; elsewhere one that a busy machine does not reach.
    let timeout = Duration::from_secs(if result == "timeout" { 3 } else { 120 });
    let daemon = Setup::of(&simulator).api(|api| (api.timeout, api.max_response_bytes) = (timeout, LIMIT));
    let daemon = daemon.start().await;
    let before = daemon.first_poll().await;
    before.assert_shows(a, &simulator.truth(a, UnixMillis::MIN));

    // An ETag would make the next call a conditional one, whose response is none of these.
    simulator.switch(|switches| switches.etag = false);
    daemon.whole_poll().await;
    simulator.fail(Target::Logs(a), fault);
    more_happens(&simulator, [a, b]);
    let broken = daemon.wait_for(&format!("down: {name}"), |page| page.of(a, "up") == Some(0.0)).await;
    assert_eq!(before.facts_of(a), broken.facts_of(a), "{name}");
    assert_eq!(broken.of(a, "last_poll_success_timestamp_seconds").map(|at| at > 0.0), Some(true), "{name}");
    assert_eq!(broken.failures("logs"), [result], "{name}");
    // The other webhook and the list have nothing to do with it.
    let truth = simulator.truth(b, UnixMillis::MIN);
    let page = daemon.wait_for("the other webhook", |page| page.differs(b, &truth).is_none()).await;
    assert_eq!((page.of(b, "up"), page.sum("cotalker_up", &[])), (Some(1.0), Some(1.0)), "{name}");
    daemon.wait_for(&format!("a partial poll: {name}"), |page| page.polls("partial") >= 1.0).await;

    simulator.clear_all();
    let truth = simulator.truth(a, UnixMillis::MIN);
    let healed = daemon.wait_for(&format!("recovery: {name}"), |page| page.of(a, "up") == Some(1.0)).await;
    healed.assert_shows(a, &truth);
    assert_eq!(simulator.count(Endpoint::Unknown), 0, "a redirect is not followed");
}

async fn a_list_that_cannot_be_used(number: usize) {
    let (simulator, a, b) = company().await;
    let (fault, result) = faults(&simulator).swap_remove(number);
    let name = format!("{fault:?}");
    let timeout = Duration::from_secs(if result == "timeout" { 3 } else { 120 });
    let daemon = Setup::of(&simulator).api(|api| (api.timeout, api.max_response_bytes) = (timeout, LIMIT));
    let daemon = daemon.start().await;
    daemon.first_poll().await;

    simulator.switch(|switches| switches.etag = false);
    let before = daemon.whole_poll().await;
    simulator.fail(Target::List, fault);
    let broken = daemon.wait_for(&format!("down: {name}"), |page| page.polls("failed") >= 1.0).await;
    assert_eq!(broken.sum("cotalker_up", &[]), Some(0.0), "{name}");
    for id in [a, b] {
        assert_eq!(before.facts_of(id), broken.facts_of(id), "{name}");
    }
    assert_eq!(broken.failures("list"), [result], "{name}");

    more_happens(&simulator, [a, b]);
    simulator.clear_all();
    let truths = [a, b].map(|id| (id, simulator.truth(id, UnixMillis::MIN)));
    let healed = daemon
        .wait_for(&format!("recovery: {name}"), |page| {
            page.sum("cotalker_up", &[]) == Some(1.0)
                && truths.iter().all(|(id, truth)| page.differs(*id, truth).is_none())
        })
        .await;
    assert_eq!(healed.failures("logs"), [""; 0], "{name}");
    assert_eq!(simulator.count(Endpoint::Unknown), 0, "a redirect is not followed");
}

/// So many exporters at once, that those with a short time-out are not late for want of a processor.
const AT_ONCE: usize = 7;

/// How many faults there are.
async fn kinds() -> usize {
    faults(&company().await.0).len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_used_is_counted_as_what_it_is_and_changes_no_count() {
    stream::iter(0..kinds().await).for_each_concurrent(AT_ONCE, a_log_that_cannot_be_used).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_cannot_be_used_is_counted_as_what_it_is_and_removes_nothing() {
    stream::iter(0..kinds().await).for_each_concurrent(AT_ONCE, a_list_that_cannot_be_used).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_where_nothing_listens_is_told_and_the_exporter_is_ready_all_the_same() {
    let (simulator, ..) = company().await;
    let url = format!("http://{}", free_address());
    let daemon = Setup::of(&simulator).api(|api| api.base_url = url.parse().expect("a URL")).start().await;
    let page = daemon.wait_for("a failed poll", |page| page.polls("failed") >= 1.0).await;
    assert_eq!(page.failures("list"), ["connect"]);
    assert_eq!(page.sum("cotalker_up", &[]), Some(0.0));
    assert_eq!(daemon.site.get("/-/ready").await.0, 200);
    assert_eq!(daemon.site.get("/-/healthy").await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_ca_is_not_trusted_and_a_given_one_is() {
    let (pem, server) = ca("127.0.0.1");
    let (other_pem, _) = ca("127.0.0.1");
    let mut world = World::new(START, 5);
    let id = world.add(WebhookSpec::new("hook", Trigger::Note));
    world.emit(id, Action::Edit, 4);
    world.advance_by(60_000);
    let settings = Settings { tls: Some(server), ..Settings::default() };
    let simulator = Simulator::start(world, settings).await.expect("a simulator");

    let wary = Setup::of(&simulator).api(|api| api.ca_pem = Some(other_pem.into_bytes())).start().await;
    let page = wary.wait_for("a failed poll", |page| page.polls("failed") >= 1.0).await;
    assert_eq!(page.failures("list"), ["tls"]);
    assert_eq!(page.sum("cotalker_up", &[]), Some(0.0));
    assert!(simulator.calls().is_empty(), "no token may be sent to whom nobody trusts");

    let trusting = Setup::of(&simulator).api(|api| api.ca_pem = Some(pem.into_bytes())).start().await;
    trusting.first_poll().await.assert_shows(id, &simulator.truth(id, UnixMillis::MIN));
}
