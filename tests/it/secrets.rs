//! Nothing secret is shown or written, however much is logged.

use std::time::Duration;

use cotalker_simulator::{Endpoint, Fault, Receiver, SECRET_MARKER, Simulator, Target, Trigger, WebhookSpec, World};
use http::header::AUTHORIZATION;
use serde_json::json;
use tempfile::NamedTempFile;

use test_harness::{MetricsPage, Program, START, program, serve};

/// A log entry made ten minutes after the start.
const LOST_ENTRY: &str = "6553f3580000000000000001";

/// Webhooks of every trigger with every kind of receiver, and an hour of it.
async fn company() -> Simulator {
    let mut world = World::new(START, 10);
    let receivers = [
        Receiver::Healthy,
        Receiver::Flaky { failures: 0.5 },
        Receiver::Down,
        Receiver::CertificateExpired,
        Receiver::SelfSigned,
        Receiver::DnsGone,
        Receiver::Rejecting,
        Receiver::Redirecting,
        Receiver::Weird,
    ];
    let triggers = Trigger::DOCUMENTED.into_iter().chain([Trigger::Unknown]).cycle();
    for (number, (receiver, trigger)) in receivers.into_iter().zip(triggers).enumerate() {
        let spec = WebhookSpec::new(&format!("hook_{number}"), trigger).to(receiver).every_ms(30_000);
        world.add_since(spec, START.plus_millis(-3_600_000));
    }
    serve(world).await
}

/// Every token that was ever sent.
fn tokens(simulator: &Simulator) -> Vec<String> {
    let sent = simulator.calls().into_iter().filter_map(|call| {
        let value = call.headers.get(AUTHORIZATION)?.to_str().ok()?;
        value.strip_prefix("Bearer ").map(str::to_owned)
    });
    let mut tokens: Vec<_> = sent.collect();
    tokens.sort_unstable();
    tokens.dedup();
    tokens
}

/// Runs the daemon through trouble of every kind, and gives all that it showed and wrote.
async fn all_that_is_said(simulator: &Simulator, daemon: Program, refuse: impl Fn()) -> String {
    let ids = simulator.with_world(|world| world.ids());
    let daemon = daemon.arg("--poll.interval=1s").arg("--poll.history=count").anywhere().spawn();
    let site = daemon.site().await;
    let mut said = site.wait_for("a first poll", |page| page.polls("ok") >= 1.0).await.0;
    assert!(said.contains("hooks.acme.example"));

    for (id, fault) in ids.iter().zip([Fault::Html, Fault::TruncatedJson, Fault::TrailingGarbage, Fault::CutOff]) {
        simulator.fail(Target::Logs(*id), fault);
    }
    let elsewhere = format!("https://me:{SECRET_MARKER}@elsewhere.example/{SECRET_MARKER}?key={SECRET_MARKER}");
    simulator.fail(Target::Logs(ids[4]), Fault::Redirect { to: elsewhere });
    simulator.shape(ids[5], |shape| {
        let data = json!({ "_id": SECRET_MARKER, "name": SECRET_MARKER });
        let event = json!({ "type": SECRET_MARKER, "event": SECRET_MARKER, "createdAt": SECRET_MARKER, "data": data });
        // A lost event whose subject's id is none.
        let lost = json!({ "_id": LOST_ENTRY, "status": 503, "retry": 3, "response": SECRET_MARKER, "event": event });
        shape.extra = vec![SECRET_MARKER.into(), json!({"_id": SECRET_MARKER, "createdAt": SECRET_MARKER}), lost];
    });
    simulator.advance(Duration::from_secs(600));
    let is_trouble = |page: &MetricsPage| {
        let malformed = page.with(ids[5], "log_window_entries", "result=\"malformed\"");
        ids[..5].iter().all(|id| page.of(*id, "up") == Some(0.0)) && malformed == Some(2.0)
    };
    let page = site.wait_for("trouble", is_trouble).await;
    said.push_str(&page.0);
    simulator.clear_all();
    refuse();
    let page = site.wait_for("a refusal", |page| page.sum("cotalker_up", &[]) == Some(0.0)).await;
    assert!(page.calls("list", "unauthorized") + page.calls("login", "unauthorized") >= 1.0);
    said.push_str(&page.0);
    let (status, people) = site.get("/").await;
    assert!(status == 200 && people.contains("hook_3"));
    said.push_str(&people);
    let of_webhooks = ids.iter().map(|id| format!("/api/v1/webhooks/{id}"));
    let others = ["/api/v1/webhooks", "/api/v1/nothing", "/-/ready", "/-/healthy", "/nothing"].map(String::from);
    for path in of_webhooks.chain(others) {
        said.push_str(&site.get(&path).await.1);
    }
    let odd =
        format!("{{\"entry_id\":\"{LOST_ENTRY}\",\"subject_id\":null,\"event_type\":\"other\",\"action\":\"other\"");
    for part in
        [odd.as_str(), "\"lost_events\":[{", "\"recent_attempts\":[{", "\"api_problem\":\"", "\"subject_id\":\""]
    {
        assert!(said.contains(part), "{part}");
    }
    daemon.terminate();
    let ended = daemon.ended().await;
    assert_eq!(ended.status, Some(0));
    assert!(ended.stderr.contains("level=debug"), "much is logged");
    said + &ended.stdout + &ended.stderr
}

#[track_caller]
fn assert_silent(said: &str, secrets: &[String]) {
    for secret in secrets.iter().map(String::as_str).chain([SECRET_MARKER]) {
        assert!(secret.len() >= 8, "too short to be looked for: {secret}");
        let line = said.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "it says {secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_never_said() {
    // A filter that is no level alone opens the libraries' logs, too.
    for level in ["trace", "trace,hyper=trace,reqwest=trace"] {
        let simulator = company().await;
        let daemon = program(&["--log.level", level]).towards(&simulator);
        let mut secrets = vec![simulator.token()];
        let said = all_that_is_said(&simulator, daemon, || drop(simulator.rotate_token())).await;
        secrets.extend(tokens(&simulator));
        assert_silent(&said, &secrets);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_and_what_a_login_brings_are_never_said() {
    let simulator = company().await;
    let (email, password) = simulator.login();
    let file = NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), &password).expect("written");
    let file = file.path().to_str().expect("text");
    // A filter that is no level alone opens the libraries' logs, too.
    let daemon =
        program(&["--log.level=trace,hyper=trace", "--cotalker.email", &email, "--cotalker.password-file", file]);
    let daemon = daemon.env("COTALKER_BASE_URL", simulator.base_url());
    let said = all_that_is_said(&simulator, daemon, || {
        simulator.set_password("another-password");
        simulator.expire_logins();
    })
    .await;
    assert!(simulator.count(Endpoint::Login) >= 2);
    let mut secrets = tokens(&simulator);
    assert!(!secrets.is_empty());
    secrets.push(password);
    assert_silent(&said, &secrets);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_and_lost_say_no_secret_either() {
    let simulator = company().await;
    let token = "wrong-but-still-secret";
    let mut said = String::new();
    for (task, output, status) in
        [("check", "table", 0), ("check", "json", 0), ("lost", "table", 3), ("lost", "json", 3)]
    {
        let look = || program(&[task, "--log.level=trace,hyper=trace", "--output", output]).towards(&simulator);
        let ended = look().run().await;
        assert_eq!(ended.status, Some(status), "{ended:?}");
        let refused = look().env("COTALKER_TOKEN", token).run().await;
        assert_eq!(refused.status, Some(1));
        said.extend([ended.stdout, ended.stderr, refused.stdout, refused.stderr]);
    }
    for part in ["Rows per event", "\"rows_per_event\"", "Lost: ", "\"lost_at\""] {
        assert!(said.contains(part), "{part} is missing");
    }
    assert_silent(&said, &[simulator.token(), token.to_owned()]);
}
