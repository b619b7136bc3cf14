//! Pauses that the API asks for: no call of any kind before one is over.

use std::time::Duration;

use cotalker_simulator::{Endpoint, Fault, Settings, Simulator, Switches, Target, Trigger, WebhookSpec, World};
use cotalker_webhook_exporter::clock;
use delivery_ledger::{UnixMillis, WebhookId};

use test_harness::{Daemon, MetricsPage, START, Setup, happen, until};

const PAUSE: Duration = Duration::from_secs(3);

async fn company(webhooks: usize) -> (Simulator, Vec<WebhookId>) {
    let mut world = World::new(START, 8);
    for number in 0..webhooks {
        world.add(WebhookSpec::new(&format!("hook_{number}"), Trigger::Property));
    }
    let ids = world.ids();
    let switches = Switches { etag: false, ..Switches::default() };
    (Simulator::start(world, Settings { switches, ..Settings::default() }).await.expect("a simulator"), ids)
}

fn too_many_calls(retry_after: impl Into<String>) -> Fault {
    Fault::Status { code: 429, retry_after: Some(retry_after.into()) }
}

fn backoff_until(page: &MetricsPage) -> f64 {
    page.sum("cotalker_api_backoff_until_timestamp_seconds", &[]).expect("a series")
}

/// Waits for the pause and its end, and checks that nothing was asked in between.
async fn is_obeyed(simulator: &Simulator, daemon: &Daemon, ids: &[WebhookId], status: u16) {
    let page = daemon.wait_for("a pause", |page| backoff_until(page) > 0.0).await;
    assert!(backoff_until(&page) <= as_seconds(clock::now()) + PAUSE.as_secs_f64());
    happen(simulator, ids, 2);
    let truths: Vec<_> = ids.iter().map(|id| (*id, simulator.truth(*id, UnixMillis::MIN))).collect();
    daemon
        .wait_for("what happened meanwhile", |page| {
            backoff_until(page) == 0.0 && truths.iter().all(|(id, truth)| page.differs(*id, truth).is_none())
        })
        .await;
    let calls = simulator.calls();
    let place = calls.iter().position(|call| call.status == Some(status)).expect("a response that asks for a pause");
    for later in &calls[place + 1..] {
        let after = later.at - calls[place].at;
        assert!(after >= PAUSE, "a call for {} only {after:?} after the word to pause", later.path);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_in_seconds_holds_up_every_call() {
    let (simulator, ids) = company(2).await;
    let daemon = Setup::of(&simulator).start().await;
    assert_eq!(backoff_until(&daemon.first_poll().await), 0.0);
    simulator.fail_next(1, Target::List, too_many_calls("3"));
    is_obeyed(&simulator, &daemon, &ids, 429).await;
    assert_eq!(daemon.scrape().await.failures("list"), ["rate_limited"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_until_a_date_goes_by_the_servers_clock() {
    let (simulator, ids) = company(2).await;
    let daemon = Setup::of(&simulator).start().await;
    daemon.first_poll().await;
    let date = httpdate::fmt_http_date(clock::system_time(simulator.now()) + PAUSE);
    simulator.fail_next(1, Target::List, too_many_calls(date));
    is_obeyed(&simulator, &daemon, &ids, 429).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_is_down_for_maintenance_can_ask_for_a_pause_too() {
    let (simulator, ids) = company(2).await;
    let daemon = Setup::of(&simulator).start().await;
    daemon.first_poll().await;
    simulator.fail_next(1, Target::List, Fault::Status { code: 503, retry_after: Some("3".to_owned()) });
    is_obeyed(&simulator, &daemon, &ids, 503).await;
    assert_eq!(daemon.scrape().await.failures("list"), ["http_error"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_says_for_how_long_is_a_pause_too() {
    let (simulator, ids) = company(2).await;
    let daemon = Setup::of(&simulator).start().await;
    daemon.first_poll().await;
    simulator.fail_next(1, Target::Logs(ids[0]), Fault::Status { code: 403, retry_after: Some("3".to_owned()) });
    is_obeyed(&simulator, &daemon, &ids, 403).await;
    assert_eq!(daemon.scrape().await.failures("logs"), ["forbidden"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_log_that_is_unavailable_for_an_hour_pauses_no_other() {
    let (simulator, ids) = company(2).await;
    simulator.fail(Target::Logs(ids[0]), Fault::Status { code: 503, retry_after: Some("3600".to_owned()) });
    let daemon = Setup::of(&simulator).start().await;
    daemon.wait_for("a failed log", |page| page.of(ids[0], "up") == Some(0.0)).await;
    happen(&simulator, &ids[1..], 2);
    let truth = simulator.truth(ids[1], UnixMillis::MIN);
    let page = daemon.wait_for("the other's", |page| page.differs(ids[1], &truth).is_none()).await;
    assert_eq!(backoff_until(&page), 0.0);
    assert_eq!(page.failures("logs"), ["http_error"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_holds_up_the_calls_of_its_own_round() {
    let (simulator, ids) = company(4).await;
    simulator.fail_next(1, Target::Logs(ids[0]), too_many_calls("3"));
    let daemon = Setup::of(&simulator).poller(|poller| poller.concurrency = 1).start().await;
    is_obeyed(&simulator, &daemon, &ids, 429).await;
    assert_eq!(daemon.scrape().await.failures("logs"), ["rate_limited"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_holds_up_calls_that_wait_for_their_turn_at_the_rate() {
    let (simulator, ids) = company(4).await;
    simulator.fail_next(1, Target::Logs(ids[0]), too_many_calls("3"));
    let daemon = Setup::of(&simulator).api(|api| api.calls_per_second = 2.0).start().await;
    is_obeyed(&simulator, &daemon, &ids, 429).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_pause_in_the_first_round_does_not_hold_up_readiness() {
    let (simulator, ids) = company(4).await;
    simulator.fail_next(1, Target::Logs(ids[0]), too_many_calls("3600"));
    let daemon = Setup::of(&simulator).poller(|poller| poller.concurrency = 1).start().await;
    until("readiness", async || (daemon.site.get("/-/ready").await.0 == 200).then_some(())).await;
    let page = daemon.scrape().await;
    assert!(backoff_until(&page) > 0.0);
    assert_eq!((page.of(ids[0], "up"), page.of(ids[3], "up")), (Some(0.0), None));
    assert_eq!(simulator.count(Endpoint::Logs), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absurd_pause_is_bounded_to_an_hour() {
    for absurd in ["86400000", "99999999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
        let (simulator, _) = company(1).await;
        simulator.fail_next(1, Target::List, too_many_calls(absurd));
        let daemon = Setup::of(&simulator).start().await;
        let page = daemon.wait_for("a pause", |page| backoff_until(page) > 0.0).await;
        let seconds = backoff_until(&page) - as_seconds(clock::now());
        assert!(seconds > 3_000.0 && seconds <= 3_600.0, "{absurd}: {seconds}");
        let (ready, _) = daemon.site.get("/-/ready").await;
        assert_eq!((ready, simulator.count(Endpoint::List)), (200, 1), "{absurd}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_calls_without_a_word_on_how_long_end_by_themselves() {
    let (simulator, ids) = company(1).await;
    let daemon = Setup::of(&simulator).start().await;
    daemon.first_poll().await;
    for retry_after in [None, Some("soon".to_owned())] {
        simulator.fail_next(1, Target::List, Fault::Status { code: 429, retry_after });
    }
    happen(&simulator, &ids, 2);
    let truth = simulator.truth(ids[0], UnixMillis::MIN);
    daemon.wait_for("what happened", |page| page.differs(ids[0], &truth).is_none()).await;
    let page = daemon.wait_for("both refusals", |page| page.calls("list", "rate_limited") == 2.0).await;
    assert_eq!(page.failures("list"), ["rate_limited"]);
}

/// A point in time as the seconds that a metric shows.
#[expect(clippy::cast_precision_loss, reason = "exact for every date until the year 287396")]
fn as_seconds(time: UnixMillis) -> f64 {
    time.as_millis() as f64 / 1_000.0
}
