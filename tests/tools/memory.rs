//! How much memory the real process takes: little at rest, and hardly more for a response of 150 MB.

use std::time::Duration;

use cotalker_simulator::demo::many;
use cotalker_simulator::{Endpoint, Simulator, Trigger, WebhookSpec, World};
use delivery_ledger::WebhookId;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use test_harness::{MetricsPage, Running, START, client, program, release_build, serve, until};

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

/// The promise for 300 webhooks with 20 entries each: what the process takes of its own. Its code, 11 MiB, is the kernel's
/// to keep in memory or not.
const OWN_KIB_OF_300: u64 = 7_680;

/// The promise for 10,000 of them, with a state.
const OWN_KIB_OF_10_000: u64 = 120 * 1024;

/// The promise for 150 MB of new entries in one log: so much more at the most.
const NEWS_KIB: u64 = 10 * 1024;

/// The promise for the same in 250 logs, of which eight are read at once.
const SPREAD_NEWS_KIB: u64 = 12 * 1024;

/// So many webhooks, the log of each with so many entries.
async fn equal_logs(webhooks: usize, entries: usize, (from, to): (u32, u32)) -> Simulator {
    let mut world = World::new(START, 1);
    let age_ms = i64::try_from(entries * 11_000).expect("a time");
    for number in 0..webhooks {
        let spec = WebhookSpec::new(&format!("hook_{number:05}"), Trigger::Task).every_ms(10_000);
        let spec = spec.named(&format!("Webhook no. {number}")).at(&format!("hooks-{}.acme.example", number % 50));
        world.add_since(spec.entry_bytes(from, to), START.plus_millis(-age_ms));
    }
    let simulator = serve(world).await;
    simulator.switch(|switches| switches.default_shape.window = entries);
    simulator
}

/// Waits until the logs have been asked for so many times more. No page is asked for, which would be kept.
async fn calls_for_logs(simulator: &Simulator, calls: usize) {
    let calls = simulator.count(Endpoint::Logs) + u64::try_from(calls).expect("few");
    until("calls for logs", async || (simulator.count(Endpoint::Logs) >= calls).then_some(())).await;
}

/// What the process takes of its own, in KiB, once all of such logs have been read twice, and a page in the form that
/// Prometheus asks for.
async fn own_memory_with(webhooks: usize, has_state: bool) -> u64 {
    let simulator = equal_logs(webhooks, 20, (500, 600)).await;
    let directory = tempfile::tempdir().expect("a directory");
    let mut exporter = program(&["--poll.history=count", "--poll.rate=0", "--poll.interval=5s"]);
    if has_state {
        exporter = exporter.keeping(directory.path());
    }
    let exporter = exporter.towards(&simulator).anywhere().spawn();
    calls_for_logs(&simulator, 2 * webhooks + 1).await;
    let url = format!("{}/metrics", exporter.site().await.root());
    let response = client().get(url).header("Accept-Encoding", "gzip").send().await.expect("a response");
    response.bytes().await.expect("a page");
    let own = memory_of(&exporter, "RssAnon");
    print(&format!("{webhooks} webhooks with 20 entries each, state: {has_state}, of its own {own} KiB"), &exporter);
    own
}

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_webhooks_take_little() {
    for has_state in [false, true] {
        let own = own_memory_with(300, has_state).await;
        assert!(own < allowed(OWN_KIB_OF_300), "{own} KiB");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_webhooks_and_their_state_take_little() {
    let own = own_memory_with(10_000, true).await;
    assert!(own < allowed(OWN_KIB_OF_10_000), "{own} KiB");
}

/// What the process takes more at its peak, in KiB, once logs of one entry each show so many of 3 kB, nearly all new.
async fn growth_with_news(webhooks: usize, entries: usize) -> u64 {
    let simulator = equal_logs(webhooks, entries, (2_500, 3_500)).await;
    simulator.switch(|switches| switches.default_shape.window = 1);
    let exporter = program(&["--poll.history=count", "--cotalker.timeout=5m"]).towards(&simulator).anywhere().quickly();
    let exporter = exporter.spawn();
    calls_for_logs(&simulator, 2 * webhooks + 1).await;
    let before = memory_of(&exporter, "VmHWM");
    simulator.switch(|switches| switches.default_shape.window = entries);
    // Those that are under way, those that read all of it, and the first of the next.
    calls_for_logs(&simulator, 2 * webhooks + 1).await;
    let growth = memory_of(&exporter, "VmHWM") - before;
    print(&format!("{entries} new entries in each of {webhooks} logs, {growth} KiB more"), &exporter);
    let site = exporter.site().await;
    let counted = |page: &MetricsPage| page.sum("cotalker_webhook_delivery_attempts_total", &[]);
    let all = f64::from(u32::try_from(webhooks * entries).expect("few"));
    site.wait_for("all of them, counted", |page| counted(page) == Some(all)).await;
    growth
}

#[tokio::test(flavor = "multi_thread")]
async fn news_of_150_mb_take_little() {
    let growth = growth_with_news(1, LONG_LOG).await;
    assert!(growth < allowed(NEWS_KIB), "{growth} KiB");
    let growth = growth_with_news(250, LONG_LOG / 250).await;
    assert!(growth < allowed(SPREAD_NEWS_KIB), "{growth} KiB");
}
