//! Responses that say "nothing has changed", and responses that come compressed.

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use cotalker_simulator::{Receiver, Reply, Trigger, WebhookSpec, World};
use cotalker_webhook_exporter::api::credentials::Credentials;
use cotalker_webhook_exporter::secret::Secret;
use delivery_ledger::{Action, UnixMillis};
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, IF_NONE_MATCH};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tower_http::compression::CompressionLayer;

use test_harness::{START, Setup, happen, serve};

#[tokio::test(flavor = "multi_thread")]
async fn while_nothing_changes_time_passes_for_pending_events_and_what_is_new_shows_up() {
    let mut world = World::new(START, 1);
    let spec = WebhookSpec::new("hook", Trigger::Task).to(Receiver::scripted([Reply::response(500, "oops")]));
    let id = world.add(spec);
    world.emit(id, Action::Create, 1);
    world.advance_by(1_000);
    // The failed attempt stays the last one.
    world.change(id, |spec| spec.active = false);
    let simulator = serve(world).await;
    let daemon = Setup::of(&simulator).start().await;
    let page = daemon.first_poll().await;
    assert_eq!((page.of(id, "events_pending"), page.of(id, "blocked")), (Some(1.0), Some(1.0)));

    simulator.advance(Duration::from_secs(16 * 60));
    let page = daemon.wait_for("the loss", |page| page.of(id, "events_lost_total") == Some(1.0)).await;
    assert_eq!((page.of(id, "events_pending"), page.of(id, "blocked")), (Some(0.0), Some(0.0)));
    assert_eq!(page.of(id, "up"), Some(1.0));
    for endpoint in ["list", "logs"] {
        assert_eq!(page.calls(endpoint, "ok"), 1.0, "{endpoint}");
        assert!(page.calls(endpoint, "not_modified") >= 1.0, "{endpoint}");
        assert_eq!(page.failures(endpoint), [""; 0]);
    }
    for call in simulator.calls() {
        assert_eq!(call.status == Some(304), call.headers.contains_key(IF_NONE_MATCH), "{call:?}");
    }

    // The retry comes too late for its event, which is settled once; it counts as an attempt.
    simulator.with_world(|world| world.change(id, |spec| spec.active = true));
    happen(&simulator, &[id], 2);
    let page = daemon.wait_for("what is new", |page| page.of(id, "delivery_attempts_total") == Some(4.0)).await;
    for (family, value) in
        [("events_total", 3.0), ("events_lost_total", 1.0), ("events_delivered_total", 2.0), ("events_pending", 0.0)]
    {
        assert_eq!(page.of(id, family), Some(value), "{family}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_without_etags_is_asked_without_conditions() {
    let mut world = World::new(START, 1);
    let id = world.add(WebhookSpec::new("hook", Trigger::Task));
    let simulator = serve(world).await;
    simulator.switch(|switches| switches.etag = false);
    let daemon = Setup::of(&simulator).start().await;
    daemon.first_poll().await;
    happen(&simulator, &[id], 3);
    let page = daemon.whole_poll().await;
    page.assert_shows(id, &simulator.truth(id, UnixMillis::MIN));
    assert_eq!(page.calls("logs", "not_modified"), 0.0);
    assert!(simulator.calls().iter().all(|call| !call.headers.contains_key(IF_NONE_MATCH)));
}

const LIST: &str = include_str!("samples/webhook_list.json");
const LOGS: &str = include_str!("samples/webhook_logs.json");

/// The documented samples, compressed in one way only.
async fn samples_compressed(by: CompressionLayer) -> (String, JoinSet<()>) {
    let response =
        |request: Request| std::future::ready(if request.uri().path().contains("/logs/") { LOGS } else { LIST });
    let router = Router::new().fallback(response).layer(by);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { axum::serve(listener, router).await.expect("it serves") });
    (url, tasks)
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::cast_precision_loss, reason = "samples are small")]
async fn the_documented_samples_say_what_they_say_however_they_are_compressed() {
    let none = || CompressionLayer::new().no_br().no_gzip().no_zstd();
    for (coding, layer) in
        [("gzip", none().gzip(true)), ("br", none().br(true)), ("zstd", none().zstd(true)), ("", none())]
    {
        let (url, _tasks) = samples_compressed(layer).await;
        let credentials = Credentials::Token(Secret::new("any"));
        let daemon = Setup::at(&url, credentials).start().await;
        let page = daemon.first_poll().await;

        let asked = reqwest::Client::builder().no_proxy().no_gzip().no_brotli().no_zstd().tls_certs_only([]).build();
        let asked = asked.expect("a client").get(&url).header(ACCEPT_ENCODING, "gzip, br, zstd").send().await;
        let given = asked.expect("a response").headers().get(CONTENT_ENCODING).cloned();
        assert_eq!(given.map_or(String::new(), |given| given.to_str().expect("text").to_owned()), coding);

        let id = "62685990d918fb5557f9f992".parse().expect("an id");
        let of = |family| page.of(id, family).unwrap_or(-1.0);
        assert_eq!(of("delivery_attempts_total"), 1.0);
        assert_eq!(of("delivery_failures_total"), 1.0);
        assert_eq!(page.with(id, "delivery_failures_total", r#"reason="timeout""#), Some(1.0));
        assert_eq!(page.of(id, "delivery_responses_total"), None, "no receiver ever said 409");
        assert_eq!(of("delivery_retries_total"), 1.0);
        assert_eq!(page.with(id, "events_total", r#"event_type="COTTask",action="create""#), Some(1.0));
        assert_eq!(of("events_total"), 1.0);
        assert_eq!((of("events_lost_total"), of("events_delivered_total"), of("events_pending")), (1.0, 0.0, 0.0));
        assert_eq!(of("delivery_delay_seconds_count"), 0.0);
        assert_eq!(of("last_failure_timestamp_seconds"), 1_651_781_080.084);
        assert_eq!(page.of(id, "last_success_timestamp_seconds"), None);
        assert_eq!((of("consecutive_failures"), of("blocked")), (1.0, 0.0));
        assert_eq!(of("head_event_timestamp_seconds"), 1_651_780_469.924);
        assert_eq!(of("log_window_oldest_timestamp_seconds"), 1_651_781_080.084);
        let info = r#"name="Work Orders Update",trigger="create-edit-delete-task",target_host="www.server.com",company="625be93a286ef83c1c0e845f""#;
        assert_eq!(page.with(id, "info", info), Some(1.0));
        let read = page.sum("cotalker_api_response_bytes_total", &["endpoint=\"logs\""]).expect("a series");
        assert_eq!(read / page.calls("logs", "ok"), LOGS.len() as f64, "{coding}: bytes are counted decompressed");
    }
}
