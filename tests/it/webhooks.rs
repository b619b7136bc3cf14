//! Webhooks that come, go, return, are renamed, or are more than wanted.

use std::cell::Cell;
use std::time::Duration;

use cotalker_simulator::{Endpoint, Fault, Receiver, Simulator, Target, Trigger, WebhookSpec, World};
use cotalker_webhook_exporter::api::credentials::Credentials;
use cotalker_webhook_exporter::poller::Filter;
use cotalker_webhook_exporter::secret::Secret;
use delivery_ledger::FailureReason;
use delivery_ledger::History;
use delivery_ledger::{UnixMillis, WebhookId};
use serde_json::json;

use test_harness::{Daemon, MetricsPage, START, Setup, happen, label_of, serve};

const HOUR_MS: i64 = 3_600_000;

/// Webhooks with these codes and an hour of history.
async fn company(codes: &[&str]) -> (Simulator, Vec<WebhookId>) {
    let mut world = World::new(START, 4);
    for code in codes {
        let spec = WebhookSpec::new(code, Trigger::Task).to(Receiver::Flaky { failures: 0.3 }).every_ms(60_000);
        world.add_since(spec, START.plus_millis(-HOUR_MS));
    }
    let ids = world.ids();
    (serve(world).await, ids)
}

fn list(simulator: &Simulator, id: WebhookId, listed: bool) {
    simulator.with_world(|world| world.set_listed(id, listed));
}

fn is_shown(page: &MetricsPage, id: WebhookId) -> bool {
    page.0.contains(&label_of(id))
}

/// Panics if a series stands twice on the page, which Prometheus refuses as a whole.
fn assert_unique(page: &MetricsPage) {
    let mut series: Vec<&str> = page.0.lines().filter_map(|line| Some(line.rsplit_once(' ')?.0)).collect();
    series.sort_unstable();
    for pair in series.windows(2) {
        assert!(pair[0] != pair[1] || pair[0].starts_with('#'), "{}", pair[0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_appears_is_shown_at_zero_and_then_counts_what_it_did_since_the_previous_list() {
    let (simulator, ids) = company(&["old"]).await;
    let new = simulator.with_world(|world| {
        let spec = WebhookSpec::new("new", Trigger::User).to(Receiver::Refused).every_ms(20_000);
        let id = world.add_since(spec, START.plus_millis(-HOUR_MS));
        world.set_listed(id, false);
        id
    });
    let daemon = Daemon::start(&simulator, History::Ignore).await;
    assert!(!is_shown(&daemon.first_poll().await, new));

    // The list that shows it first arrives five minutes after the one before it.
    simulator.fail(Target::Logs(new), Fault::Hold);
    simulator.fail(Target::List, Fault::Hold);
    let lists = simulator.count(Endpoint::List);
    simulator.wait_for(Endpoint::List, lists + 1).await;
    list(&simulator, new, true);
    simulator.advance(Duration::from_secs(300));
    simulator.clear(Target::List);

    let page = daemon.wait_for("the new one", |page| is_shown(page, new)).await;
    assert_eq!(page.of(new, "up"), None, "its log has not been read");
    assert_eq!(page.of(new, "last_poll_success_timestamp_seconds"), None);
    for family in [
        "delivery_attempts_total",
        "delivery_failures_total",
        "delivery_retries_total",
        "events_total",
        "events_delivered_total",
        "events_lost_total",
        "events_pending",
        "delivery_delay_seconds_count",
        "blocked",
        "consecutive_failures",
        "log_gaps_total",
        "log_late_entries_total",
        "log_window_entries",
    ] {
        assert_eq!(page.of(new, family), Some(0.0), "{family}");
    }
    for reason in FailureReason::ALL {
        let label = format!("reason=\"{}\"", reason.as_str());
        assert_eq!(page.with(new, "delivery_failures_total", &label), Some(0.0), "{label}");
    }
    for action in ["create", "edit", "delete"] {
        let label = format!("event_type=\"COTUser\",action=\"{action}\"");
        assert_eq!(page.with(new, "events_total", &label), Some(0.0), "{label}");
    }
    for result in ["success", "failed", "malformed", "foreign"] {
        assert_eq!(page.with(new, "log_window_entries", &format!("result=\"{result}\"")), Some(0.0), "{result}");
    }

    simulator.clear_all();
    let truth = simulator.truth(new, START.plus_millis(-1));
    assert!(truth.attempts > 5 && truth.attempts < simulator.truth(new, UnixMillis::MIN).attempts);
    let page = daemon.wait_for("its log", |page| page.of(new, "up") == Some(1.0)).await;
    page.assert_shows(new, &truth);
    let page = daemon.whole_poll().await;
    page.assert_shows(new, &truth);
    page.assert_shows(ids[0], &simulator.truth(ids[0], START.end_of_second()));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_vanishes_loses_its_series_at_once_and_goes_on_when_it_returns() {
    let (simulator, ids) = company(&["stays", "leaves"]).await;
    let daemon = Setup::of(&simulator).start().await;
    let before = daemon.first_poll().await;
    before.assert_shows(ids[1], &simulator.truth(ids[1], UnixMillis::MIN));

    list(&simulator, ids[1], false);
    let page = daemon.wait_for("its end", |page| !is_shown(page, ids[1])).await;
    assert!(!page.0.contains("leaves"));
    assert_eq!(page.sum("cotalker_webhooks", &[]), Some(1.0));
    happen(&simulator, &ids, 3);
    let page = daemon.whole_poll().await;
    page.assert_shows(ids[0], &simulator.truth(ids[0], UnixMillis::MIN));
    assert!(!is_shown(&page, ids[1]));

    list(&simulator, ids[1], true);
    let truth = simulator.truth(ids[1], UnixMillis::MIN);
    let least = Cell::new(f64::INFINITY);
    daemon
        .wait_for("its return", |page| {
            least.set(page.of(ids[1], "delivery_attempts_total").map_or(least.get(), |shown| least.get().min(shown)));
            page.differs(ids[1], &truth).is_none()
        })
        .await;
    let known = before.of(ids[1], "delivery_attempts_total").expect("a series");
    assert!(least.get() >= known, "a counter that returned at {} after {known} went down", least.get());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_with_entries_that_make_no_sense_removes_nothing() {
    let (simulator, ids) = company(&["a", "b"]).await;
    let daemon = Setup::of(&simulator).start().await;
    let before = daemon.first_poll().await;
    let a = json!({"_id": ids[0].to_string(), "code": "a", "name": "other", "trigger": "create-edit-delete-task",
        "isActive": "true", "url": "https://hooks.acme.example/"});
    let body = json!([a, {"_id": null, "code": "b"}, 7, a]).to_string();
    simulator.switch(|switches| switches.list_body = Some(body));
    let page = daemon.wait_for("the new list", |page| page.with(ids[0], "info", "name=\"other\"").is_some()).await;
    assert_eq!(page.facts_of(ids[1]), before.facts_of(ids[1]));
    assert_eq!(page.sum("cotalker_up", &[]), Some(1.0));
    assert_unique(&page);

    // What the list does not show is read all the same.
    happen(&simulator, &ids, 2);
    let page = daemon.whole_poll().await;
    for id in &ids {
        page.assert_shows(*id, &simulator.truth(*id, UnixMillis::MIN));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_one_has_its_new_name_only_and_keeps_its_counts() {
    let (simulator, ids) = company(&["hook"]).await;
    let daemon = Setup::of(&simulator).start().await;
    daemon.first_poll().await;
    simulator.with_world(|world| {
        world.change(ids[0], |spec| *spec = spec.clone().named("Ñandú \"new\"").at("elsewhere.example:8443"));
    });
    let page = daemon.wait_for("the new name", |page| page.0.contains("Ñandú")).await;
    let label = r#"name="Ñandú \"new\"",trigger="create-edit-delete-task",target_host="elsewhere.example:8443""#;
    assert_eq!(page.with(ids[0], "info", label), Some(1.0));
    assert_eq!(page.of(ids[0], "info"), Some(1.0), "one series, not two");
    assert!(!page.0.contains("hook webhook") && !page.0.contains("hooks.acme.example"));
    page.assert_shows(ids[0], &simulator.truth(ids[0], UnixMillis::MIN));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_with_one_code_one_without_and_one_that_is_switched_off_are_all_read() {
    let (simulator, ids) = company(&["twin", "twin", "", "off"]).await;
    simulator.with_world(|world| world.change(ids[3], |spec| spec.active = false));
    let daemon = Setup::of(&simulator).start().await;
    let page = daemon.first_poll().await;
    for id in &ids {
        let truth = simulator.truth(*id, UnixMillis::MIN);
        assert!(truth.attempts > 0);
        page.assert_shows(*id, &truth);
    }
    for (id, label) in ids.iter().zip(["twin", "twin", &ids[2].to_string(), "off"]) {
        let label = format!("webhook=\"{label}\"");
        assert!(page.lines_of(*id).iter().all(|line| line.contains(&label)), "{label}");
    }
    assert_eq!((page.of(ids[0], "active"), page.of(ids[3], "active")), (Some(1.0), Some(0.0)));
    assert_eq!(page.sum("cotalker_webhooks", &["state=\"active\""]), Some(3.0));
    assert_eq!(page.sum("cotalker_webhooks", &["state=\"inactive\""]), Some(1.0));
    assert_unique(&page);
}

#[tokio::test(flavor = "multi_thread")]
async fn over_the_limit_the_oldest_stay_and_the_rest_is_counted() {
    let (simulator, ids) = company(&["a", "b", "c", "d", "e"]).await;
    let daemon = Setup::of(&simulator).poller(|poller| poller.limit = 3).start().await;
    let page = daemon.first_poll().await;
    assert_eq!(page.sum("cotalker_webhooks_dropped", &[]), Some(2.0));
    assert_eq!(ids.iter().map(|id| is_shown(&page, *id)).collect::<Vec<_>>(), [true, true, true, false, false]);
    assert_eq!(page.sum("cotalker_webhooks", &[]), Some(3.0));

    list(&simulator, ids[0], false);
    let page = daemon.wait_for("the next one", |page| is_shown(page, ids[3])).await;
    assert_eq!(page.sum("cotalker_webhooks_dropped", &[]), Some(1.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_those_whose_code_is_wanted_are_watched() {
    let (simulator, ids) = company(&["wo_a", "wo_b", "user"]).await;
    let filter = Filter { include: "^wo_".parse().ok(), exclude: "_b$".parse().ok() };
    let daemon = Setup::of(&simulator).poller(|poller| poller.filter = filter).start().await;
    let page = daemon.first_poll().await;
    assert_eq!(ids.iter().map(|id| is_shown(&page, *id)).collect::<Vec<_>>(), [true, false, false]);
    assert_eq!(page.sum("cotalker_webhooks_dropped", &[]), Some(0.0));
    assert!(simulator.calls().iter().all(|call| call.webhook.is_none_or(|id| id == ids[0])));
}

#[tokio::test(flavor = "multi_thread")]
async fn chosen_ones_need_no_list_and_a_missing_and_a_hanging_one_do_not_disturb_the_other() {
    let (simulator, ids) = company(&["good", "missing", "hanging", "unwatched"]).await;
    let [good, missing, hanging, unwatched] = ids[..] else { panic!("{ids:?}") };
    list(&simulator, missing, false);
    simulator.fail(Target::Webhook(hanging), Fault::Hang);
    let token = simulator.add_token(false);
    let setup = Setup::of(&simulator).with(Credentials::Token(Secret::new(token)));
    let setup = setup.api(|api| api.timeout = Duration::from_secs(4));
    let daemon = setup.poller(|poller| poller.ids = vec![hanging, missing, good]).start().await;
    let page = daemon.wait_for("the good one", |page| page.of(good, "up") == Some(1.0)).await;
    page.assert_shows(good, &simulator.truth(good, UnixMillis::MIN));

    happen(&simulator, &ids, 2);
    let page = daemon.whole_poll().await;
    page.assert_shows(good, &simulator.truth(good, UnixMillis::MIN));
    assert_eq!(page.sum("cotalker_up", &[]), Some(1.0));
    assert!(!is_shown(&page, missing) && !is_shown(&page, hanging) && !is_shown(&page, unwatched));
    assert!(page.polls("partial") >= 1.0 && page.calls("webhook", "not_found") >= 1.0);
    daemon.wait_for("the time-out", |page| page.calls("webhook", "timeout") >= 1.0).await;
    assert_eq!(simulator.count(Endpoint::List), 0);

    // They appear while it runs: at 0, then with what they do.
    let before = simulator.now();
    daemon.whole_poll().await;
    list(&simulator, missing, true);
    simulator.clear_all();
    daemon.wait_for("both", |page| is_shown(page, missing) && is_shown(page, hanging)).await;
    happen(&simulator, &ids, 2);
    let truths: Vec<_> =
        [missing, hanging].into_iter().map(|id| (id, simulator.truth(id, before.plus_millis(-1)))).collect();
    daemon.wait_for("what they do", |page| truths.iter().all(|(id, truth)| page.differs(*id, truth).is_none())).await;

    // One that is deleted goes; an API that breaks removes nothing.
    list(&simulator, missing, false);
    let page = daemon.wait_for("its end", |page| !is_shown(page, missing)).await;
    assert_eq!(page.sum("cotalker_up", &[]), Some(1.0));
    let facts = daemon.whole_poll().await;
    simulator.fail(Target::Everything, Fault::Status { code: 500, retry_after: None });
    let page = daemon.wait_for("trouble", |page| page.sum("cotalker_up", &[]) == Some(0.0)).await;
    for id in [good, hanging] {
        assert_eq!(page.facts_of(id), facts.facts_of(id));
    }
}

#[tokio::test]
async fn a_chosen_one_whose_log_takes_long_is_no_failed_list_meanwhile() {
    let (simulator, ids) = company(&["slow", "missing"]).await;
    let [slow, missing] = ids[..] else { panic!("{ids:?}") };
    list(&simulator, missing, false);
    simulator.fail(Target::Logs(slow), Fault::Hang);
    // Several rounds begin and end while its call is out, in which only the other is asked for.
    let setup = Setup::of(&simulator).api(|api| api.timeout = Duration::from_secs(4));
    let daemon = setup.poller(|poller| poller.ids = vec![slow, missing]).start().await;
    let page = daemon.wait_for("two calls that took long", |page| page.calls("logs", "timeout") >= 2.0).await;
    assert!(page.polls("partial") >= 3.0 && page.calls("webhook", "not_found") >= 3.0);
    assert_eq!((page.polls("failed"), page.sum("cotalker_up", &[])), (0.0, Some(1.0)));
}
