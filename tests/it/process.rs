//! The process: how it starts, what it is told, and how it ends.

use std::io::Write as _;

use cotalker_simulator::{Endpoint, Fault, Receiver, Settings, Simulator, Target, Trigger, WebhookSpec, World};
use delivery_ledger::UnixMillis;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

use test_harness::{MetricsPage, START, Site, free_address, happen, program, serve, until};

/// One webhook that delivers, one whose receiver is dead and has just been tried, one that is new.
async fn company() -> Simulator {
    let mut world = World::new(START, 9);
    let codes = [("orders", Receiver::Healthy), ("assets", Receiver::Refused), ("notes", Receiver::Healthy)];
    let ids = codes.map(|(code, receiver)| world.add(WebhookSpec::new(code, Trigger::Task).to(receiver)));
    let simulator = serve(world).await;
    happen(&simulator, &ids[..2], 1);
    simulator
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stops_well_while_calls_hang_and_drip_and_a_client_says_nothing() {
    let simulator = company().await;
    let ids = simulator.with_world(|world| world.ids());
    simulator.fail(Target::Logs(ids[0]), Fault::Hang);
    simulator.fail(Target::Logs(ids[1]), Fault::Drip);
    let running = program(&["--poll.interval=1s"]).towards(&simulator).anywhere().spawn();
    let mut half_open = TcpStream::connect(running.address().await).await.expect("a connection");
    half_open.write_all(b"GET /metrics HTTP/1.1\r\nHos").await.expect("sent");
    simulator.wait_for(Endpoint::Logs, 3).await;
    let site = running.site().await;
    site.wait_for("the third one", |page| page.of(ids[2], "up") == Some(1.0)).await;

    running.terminate();
    let ended = running.ended().await;
    assert_eq!(ended.status, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("stopped"), "{ended:?}");
    assert_eq!(ended.stdout, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_goes_on_and_stops_well_while_nobody_reads_its_log() {
    let simulator = company().await;
    let address = free_address().to_string();
    let args = ["--poll.interval=1s", "--log.level=trace,hyper=trace", "--web.listen-address"];
    let (_unread, pipe) = std::io::pipe().expect("a pipe");
    let mut filler = pipe.try_clone().expect("a pipe");
    // Ends with the test, which drops the reader.
    std::thread::spawn(move || while filler.write_all(&[b'.'; 4096]).is_ok() {});
    let deaf = program(&args).arg(&address).towards(&simulator).spawn_unheard(&pipe);
    let site = Site::at(address.parse().expect("an address"));
    until("the server", async || TcpStream::connect(&address).await.ok()).await;
    let is_dropped = |page: &MetricsPage| page.sum("cotalker_exporter_log_lines_dropped_total", &[]) > Some(0.0);
    let polls = site.wait_for("dropped lines", is_dropped).await.polls("ok");
    site.wait_for("further polls", |page| page.polls("ok") >= polls + 2.0).await;
    deaf.terminate();
    let ended = deaf.ended().await;
    assert_eq!(ended.status, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_is_told_and_ends_nothing() {
    let simulator = company().await;
    let running = program(&["--poll.interval=1s"]).towards(&simulator).anywhere().spawn();
    let site = running.site().await;
    site.wait_for("a poll", |page| page.polls("ok") >= 1.0).await;
    running.signal("HUP");
    running.logs("SIGHUP").await;
    site.whole_poll().await;
    running.terminate();
    let ended = running.ended().await;
    assert_eq!((ended.status, ended.stderr.matches("SIGHUP").count()), (Some(0), 1), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_in_the_middle_of_a_start_ends_nothing_either() {
    let simulator = company().await;
    simulator.fail(Target::List, Fault::Hang);
    let running = program(&[]).towards(&simulator).anywhere().spawn();
    running.logs("starting").await;
    running.signal("HUP");
    running.signal("HUP");
    simulator.wait_for(Endpoint::List, 1).await;
    running.terminate();
    assert_eq!(running.ended().await.status, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_health_check_finds_the_exporter_on_whichever_family_it_serves() {
    let simulator = company().await;
    for host in ["127.0.0.1", "[::1]"] {
        if host == "[::1]" && TcpListener::bind(("::1", 0)).await.is_err() {
            // A machine without IPv6.
            continue;
        }
        let address = format!("{host}:0");
        let running = program(&["--web.listen-address", &address]).towards(&simulator).spawn();
        let port = running.address().await.port();
        let ask = async |address: String| program(&["healthcheck", "--web.listen-address", &address]).run().await;
        assert_eq!(ask(format!(":{port}")).await.status, Some(0), "{host}");
        assert_eq!(ask(format!("[::]:{port}")).await.status, Some(0), "{host}");
        drop(running);
        ask(format!(":{port}")).await.assert_complains(1, &["no healthy exporter at ", &port.to_string()]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stops_well_in_the_middle_of_its_first_list() {
    let simulator = company().await;
    simulator.fail(Target::List, Fault::Hang);
    let running = program(&[]).towards(&simulator).anywhere().spawn();
    simulator.wait_for(Endpoint::List, 1).await;
    running.terminate();
    assert_eq!(running.ended().await.status, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_allowed_ends_the_start_with_status_2_and_one_line() {
    let simulator = company().await;
    let bad_flag = program(&["--poll.interval=10ms"]).towards(&simulator).run().await;
    bad_flag.assert_complains(2, &["--poll.interval", "EXPORTER_POLL_INTERVAL", "\"10ms\"", "1s"]);
    let bad_variable = program(&[]).towards(&simulator).env("EXPORTER_POLL_RATE", "much").run().await;
    bad_variable.assert_complains(2, &["--poll.rate", "EXPORTER_POLL_RATE", "\"much\""]);
    program(&["--poll.intervall=10s"]).towards(&simulator).run().await.assert_complains(2, &["--poll.intervall"]);
    program(&["frobnicate"]).towards(&simulator).run().await.assert_complains(2, &["frobnicate"]);
    for task in [&[][..], &["check"]] {
        program(task).run().await.assert_complains(2, &["--cotalker.token-file", "COTALKER_TOKEN", "--cotalker.email"]);
    }
    program(&["--cotalker.token-file=/nowhere"])
        .run()
        .await
        .assert_complains(2, &["--cotalker.token-file", "/nowhere"]);
    program(&[]).env("COTALKER_TOKEN", "").run().await.assert_complains(2, &["no credentials"]);
    let both = program(&["--cotalker.email=me@acme.example"]).towards(&simulator).run().await;
    both.assert_complains(2, &["--cotalker.email", "COTALKER_TOKEN"]);
    assert!(simulator.calls().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_ends_the_start_with_status_1_and_one_line() {
    let simulator = company().await;
    let taken = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let ended = program(&["--web.listen-address", &address]).towards(&simulator).run().await;
    ended.assert_complains(1, &[&address, "--web.listen-address"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_tells_each_webhooks_state_on_standard_output() {
    let simulator = company().await;
    let ended = program(&["check"]).towards(&simulator).run().await;
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    let line = |code: &str| ended.stdout.lines().find(|line| line.contains(code)).unwrap_or_default().to_owned();
    for title in ["state", "last attempt", "failures in the window", "why"] {
        assert!(line("webhook").contains(title), "{ended:?}");
    }
    assert!(line("orders").contains("delivering") && line("orders").contains("0 of 1"), "{ended:?}");
    assert!(line("assets").contains("2 of 2") && line("assets").contains("refuse"), "{ended:?}");
    assert!(line("notes").contains("no delivery"), "{ended:?}");
    assert_eq!(simulator.count(Endpoint::List), 1);
    // Each once as it is, and once with its ETag.
    assert_eq!(simulator.count(Endpoint::Logs), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_tells_why_the_api_cannot_be_read_and_what_to_do() {
    let simulator = company().await;
    let unknown = program(&["check"]).towards(&simulator).env("COTALKER_TOKEN", "wrong").run().await;
    unknown.assert_complains(1, &["401", "--cotalker.token-file"]);

    let narrow = program(&["check"]).towards(&simulator).env("COTALKER_TOKEN", &simulator.add_token(false)).run().await;
    narrow.assert_complains(1, &["403", "--webhook.id"]);

    let lost = format!("{}/elsewhere", simulator.base_url());
    let lost = program(&["check"]).towards(&simulator).env("COTALKER_BASE_URL", &lost).run().await;
    lost.assert_complains(1, &["404", "--cotalker.base-url"]);

    let nowhere = format!("http://{}", free_address());
    let nowhere = program(&["check"]).towards(&simulator).env("COTALKER_BASE_URL", &nowhere).run().await;
    nowhere.assert_complains(1, &["refused", "--cotalker.base-url"]);

    simulator.fail(Target::List, Fault::Html);
    let page = program(&["check"]).towards(&simulator).run().await;
    page.assert_complains(1, &["web page", "--cotalker.base-url"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_of_chosen_webhooks_needs_no_list() {
    let simulator = company().await;
    let ids = simulator.with_world(|world| world.ids());
    let token = simulator.add_token(false);
    let chosen = |id: String| program(&["check"]).arg(format!("--webhook.id={id}"));
    let ended = chosen(ids[0].to_string()).towards(&simulator).env("COTALKER_TOKEN", &token).run().await;
    assert_eq!(ended.status, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("orders") && !ended.stdout.contains("assets"), "{ended:?}");

    let ended = chosen("0".repeat(24)).towards(&simulator).env("COTALKER_TOKEN", &token).run().await;
    assert_eq!((ended.status, ended.stderr.lines().count()), (Some(1), 1), "{ended:?}");
    assert!(ended.stderr.contains("404") && ended.stderr.contains("--webhook.id"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_over_an_api_with_a_prefix_asks_below_it() {
    let world = World::new(START, 1);
    let settings = Settings { prefix: "/cotalker".to_owned(), ..Settings::default() };
    let simulator = Simulator::start(world, settings).await.expect("a simulator");
    let base = format!("{}/", simulator.base_url());
    let ended = program(&["check"]).towards(&simulator).env("COTALKER_BASE_URL", &base).run().await;
    assert_eq!(ended.status, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("no webhook"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn healthcheck_tells_a_running_exporter_from_none() {
    let simulator = company().await;
    let running = program(&[]).towards(&simulator).anywhere().spawn();
    let address = running.address().await.to_string();
    let ended = program(&["healthcheck"]).env("EXPORTER_WEB_LISTEN_ADDRESS", &address).run().await;
    assert_eq!((ended.status, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "", ""));
    let address = free_address().to_string();
    let ended = program(&["healthcheck", "--web.listen-address", &address]).run().await;
    ended.assert_complains(1, &[&address]);
}

#[tokio::test(flavor = "multi_thread")]
async fn version_tells_version_revision_and_build_date() {
    let ended = program(&["--version"]).run().await;
    assert_eq!((ended.status, ended.stderr.as_str(), ended.stdout.lines().count()), (Some(0), "", 1), "{ended:?}");
    for part in [env!("CARGO_PKG_VERSION"), "revision ", "built 20"] {
        assert!(ended.stdout.contains(part), "{ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flag_beats_its_variable_and_an_empty_variable_is_none() {
    let simulator = company().await;
    for (flag, variable, seconds) in [(None, "2s", 2.0), (Some("--poll.interval=3s"), "2s", 3.0), (None, "", 60.0)] {
        let daemon = program(&[]).towards(&simulator).anywhere().env("EXPORTER_POLL_INTERVAL", variable);
        let daemon = flag.into_iter().fold(daemon, |daemon, flag| daemon.arg(flag)).spawn();
        let page = daemon.site().await.scrape().await;
        assert_eq!(page.sum("cotalker_exporter_poll_interval_seconds", &[]), Some(seconds), "{flag:?} {variable:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn expressions_on_codes_are_anchored_at_both_ends() {
    let mut world = World::new(START, 9);
    for code in ["wo_a", "xwo_a", "wo_b", "user", "users"] {
        world.add(WebhookSpec::new(code, Trigger::Task));
    }
    let simulator = serve(world).await;
    let daemon = program(&["--webhook.include=wo_.*|user", "--webhook.exclude=b|wo_b"]).towards(&simulator).anywhere();
    let daemon = daemon.env("EXPORTER_POLL_INTERVAL", "1s").spawn();
    let page = daemon.site().await.wait_for("a poll", |page| page.polls("ok") >= 1.0).await;
    let watched = |code: &str| page.sum("cotalker_webhook_active", &[&format!("webhook=\"{code}\"")]).is_some();
    let found: Vec<_> = ["wo_a", "xwo_a", "wo_b", "user", "users"].into_iter().filter(|code| watched(code)).collect();
    assert_eq!(found, ["wo_a", "user"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_whose_window_has_slid_past_what_is_known_is_counted_and_said() {
    let mut world = World::new(START, 9);
    let id = world.add(WebhookSpec::new("orders", Trigger::Task));
    let simulator = serve(world).await;
    simulator.shape(id, |shape| shape.window = 5);
    happen(&simulator, &[id], 5);
    let daemon = program(&["--poll.interval=1s", "--poll.history=count"]).towards(&simulator).anywhere().spawn();
    let site = daemon.site().await;
    let page = site.wait_for("a poll", |page| page.polls("ok") >= 1.0).await;
    page.assert_shows(id, &simulator.truth(id, UnixMillis::MIN));

    // One that is still known is no gap.
    happen(&simulator, &[id], 4);
    let page = site.whole_poll().await;
    assert_eq!((page.of(id, "delivery_attempts_total"), page.of(id, "log_gaps_total")), (Some(9.0), Some(0.0)));

    happen(&simulator, &[id], 12);
    let page = site.wait_for("the gap", |page| page.of(id, "log_gaps_total") == Some(1.0)).await;
    assert_eq!(page.of(id, "delivery_attempts_total"), Some(14.0), "the five that are left");
    let line = daemon.logs("no overlap with the previous poll").await;
    assert!(line.contains("level=warn") && line.contains("webhook=orders"), "{line}");
    let page = site.whole_poll().await;
    assert_eq!(page.of(id, "log_gaps_total"), Some(1.0), "once");
}
