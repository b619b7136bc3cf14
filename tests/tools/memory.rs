//! How much memory the real process takes: little at rest, and hardly more for a response of 150 MB.

use std::time::Duration;

use cotalker_simulator::demo::many;
use cotalker_simulator::{Simulator, Trigger, WebhookSpec, World};
use delivery_ledger::WebhookId;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use test_harness::{MetricsPage, Running, START, program, release_build, serve, until};

/// So much more an unoptimised build takes, mostly for its own code: 12 to 14 MiB as measured in each of these tests.
/// The promises are the release build's; the test command holds that one to them.
const UNOPTIMISED_KIB: u64 = 14 * 1024;

/// The promise for three webhooks, some polls after the start.
const AT_REST_KIB: u64 = 20 * 1024;

/// The promise for a long log.
const PEAK_KIB: u64 = 40 * 1024;

/// What the build under test may take, of which the release build may take `promise`.
fn allowed(promise: u64) -> u64 {
    let is_unoptimised = cfg!(debug_assertions) && release_build().is_none();
    promise + if is_unoptimised { UNOPTIMISED_KIB } else { 0 }
}

/// The log of a busy webhook that keeps everything.
const LONG_LOG: usize = 50_000;

/// What the kernel says of a process's memory, in KiB.
fn memory_of(exporter: &Running, field: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", exporter.id())).expect("a process");
    let value = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let kib = value.and_then(|value| value.trim().strip_suffix(" kB")).expect("a size");
    kib.parse().expect("a number")
}

#[expect(clippy::print_stdout, reason = "a measurement for whoever asks with --nocapture")]
fn print(what: &str, exporter: &Running) {
    let (now, peak) = (memory_of(exporter, "VmRSS"), memory_of(exporter, "VmHWM"));
    println!("{what}: resident {now} KiB, at the most {peak} KiB");
}

/// One webhook whose log is 50,000 entries, some 150 MB.
async fn long_log() -> (Simulator, WebhookId) {
    let mut world = World::new(START, 1);
    let spec = WebhookSpec::new("everything", Trigger::Task).every_ms(1_000).entry_bytes(1_000, 5_000);
    let id = world.add_since(spec, START.plus_millis(-60_000_000));
    let simulator = serve(world).await;
    simulator.switch(|switches| {
        switches.default_shape.window = LONG_LOG;
        // Every poll gets all of it.
        switches.etag = false;
    });
    (simulator, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn at_rest_it_is_small() {
    let simulator = serve(many(3, START, 3_600_000, 1)).await;
    let exporter = program(&["--poll.history=count"]).towards(&simulator).anywhere().quickly().spawn();
    let site = exporter.site().await;
    for _ in 0..4 {
        simulator.advance(Duration::from_secs(60));
        site.further_polls(1.0).await;
    }
    print("3 webhooks", &exporter);
    let resident = memory_of(&exporter, "VmRSS");
    assert!(resident < allowed(AT_REST_KIB), "{resident} KiB");
}

async fn a_long_log_takes_little(history: &str) {
    let (simulator, id) = long_log().await;
    let exporter = program(&["--cotalker.timeout=5m"]).arg(format!("--poll.history={history}"));
    let exporter = exporter.towards(&simulator).anywhere().quickly().spawn();
    let site = exporter.site().await;
    // An unoptimised build may take longer than a poll for it: the calls that ended are what counts.
    let page = until("the whole log, twice", async || {
        let page = site.scrape().await;
        let calls = page.sum("cotalker_api_requests_total", &["endpoint=\"logs\"", "result=\"ok\""]);
        (calls >= Some(2.0)).then_some(page)
    })
    .await;
    let label = format!("webhook_id=\"{id}\"");
    let entries = page.sum("cotalker_webhook_log_window_entries", &[&label]);
    assert_eq!(entries, Some(50_000.0), "all of it was read");
    let counted = if history == "count" { 50_000.0 } else { 0.0 };
    assert_eq!(page.sum("cotalker_webhook_delivery_attempts_total", &[&label]), Some(counted));
    let bytes = page.sum("cotalker_api_response_bytes_total", &["endpoint=\"logs\""]);
    assert!(bytes > Some(2.0 * 150e6), "{bytes:?}");
    print(&format!("a log of 50,000 entries, read twice, history {history}"), &exporter);
    let peak = memory_of(&exporter, "VmHWM");
    assert!(peak < allowed(PEAK_KIB), "{peak} KiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_log_that_is_history_takes_little() {
    a_long_log_takes_little("ignore").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_log_that_counts_takes_little() {
    a_long_log_takes_little("count").await;
}

/// The promise for many logs that are read again only if they have changed.
const TAGGED_KIB: u64 = 80 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn the_tags_of_500_logs_of_200_entries_keep_no_response_in_memory() {
    let mut world = World::new(START, 1);
    for number in 0..500 {
        let spec = WebhookSpec::new(&format!("w-{number:03}"), Trigger::Task).every_ms(10_000).entry_bytes(600, 1_200);
        world.add_since(spec, START.plus_millis(-2_000_000));
    }
    let simulator = serve(world).await;
    let exporter = program(&["--poll.rate=0", "--poll.interval=5s"]).towards(&simulator).anywhere().spawn();
    let site = exporter.site().await;
    let page = site
        .wait_for("all logs, twice", |page| {
            page.calls("logs", "ok") >= 500.0 && page.calls("logs", "not_modified") >= 500.0
        })
        .await;
    let entries = page.sum("cotalker_webhook_log_window_entries", &[]);
    assert!(entries >= Some(500.0 * 150.0), "{entries:?}");
    print("500 webhooks with 200 entries, all with an ETag", &exporter);
    let resident = memory_of(&exporter, "VmRSS");
    assert!(resident < allowed(TAGGED_KIB), "{resident} KiB");
}

/// The promise for the same while clients read nothing: what four of them take, of which each asked for another page.
const STALLED_KIB: u64 = 120 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn sixty_clients_that_read_nothing_keep_few_pages_in_memory() {
    let mut world = World::new(START, 1);
    for number in 0..1_400 {
        world.add(WebhookSpec::new(&format!("w-{number:04}"), Trigger::Task).every_ms(60_000));
    }
    let simulator = serve(world).await;
    let exporter = program(&["--poll.rate=0", "--poll.interval=1s"]).towards(&simulator).anywhere().spawn();
    let site = exporter.site().await;
    let mut page = site.further_polls(1.0).await;
    print("1,400 webhooks", &exporter);
    assert!(page.0.len() > 6 << 20, "more than the sockets hold: {}", page.0.len());
    let mut stalled = Vec::new();
    for _ in 0..60 {
        let mut stream = tokio::net::TcpStream::connect(exporter.address().await).await.expect("a connection");
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("a request");
        let mut status = [0; 12];
        stream.read_exact(&mut status).await.expect("the beginning");
        stalled.push(stream);
        // Each of them another page.
        simulator.advance(Duration::from_secs(1));
        let before = page.sum("cotalker_webhook_last_poll_success_timestamp_seconds", &[]);
        page = site
            .wait_for("another page", |page| {
                page.sum("cotalker_webhook_last_poll_success_timestamp_seconds", &[]) > before
            })
            .await;
    }
    print("1,400 webhooks and 60 clients that read nothing", &exporter);
    let resident = memory_of(&exporter, "VmRSS");
    assert!(resident < allowed(STALLED_KIB), "{resident} KiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_entry_takes_little() {
    let mut world = World::new(START, 1);
    let id = world.add(WebhookSpec::new("loud", Trigger::Task));
    let simulator = serve(world).await;
    simulator.switch(|switches| switches.etag = false);
    let response = "x".repeat(40 * 1024 * 1024);
    let body = format!(r#"[{{"_id":"{id}","status":503,"retry":3,"response":"{response}"}}]"#);
    simulator.shape(id, |shape| shape.body = Some(body));
    let exporter = program(&["--cotalker.timeout=5m", "--poll.history=count"]);
    let exporter = exporter.towards(&simulator).anywhere().quickly().spawn();
    let site = exporter.site().await;
    let is_read = |page: &MetricsPage| page.calls("logs", "ok") >= 2.0 && page.of(id, "events_lost_total") == Some(1.0);
    site.wait_for("the loss, in two polls", is_read).await;
    print("a log of one entry of 40 MiB, read twice", &exporter);
    let peak = memory_of(&exporter, "VmHWM");
    assert!(peak < allowed(PEAK_KIB), "{peak} KiB");
}
