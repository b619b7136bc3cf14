//! Files that change while the exporter runs.

use std::process::Command;

use reqwest::Client;

use test_harness::web::{Ca, Exporter, Files, TLS, hash, identity, status, trusting};
use test_harness::{MetricsPage, until};

async fn reloads(client: &Client, url: &str, (name, password): (&str, &str), result: &str) -> Option<f64> {
    let response = client.get(url).basic_auth(name, Some(password)).send().await.ok()?;
    if !response.status().is_success() {
        return None;
    }
    let page = MetricsPage(response.text().await.ok()?);
    page.sum("cotalker_exporter_web_config_reloads_total", &[&format!("result=\"{result}\"")])
}

/// Waits until so many reloads have ended so.
pub(super) async fn wait(client: &Client, url: &str, login: (&str, &str), result: &str, count: f64) {
    until("a reload", async || (reloads(client, url, login, result).await == Some(count)).then_some(())).await;
}

const NOBODY: (&str, &str) = ("", "");

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_certificate_is_shown_without_a_restart_and_a_broken_one_is_not() {
    let files = Files::new();
    let exporter = Exporter::start(&[&files.flag(TLS)]).await;
    let url = exporter.https("/metrics");
    let (old, next) = (files.client(), Ca::new());
    let new = trusting(&next, |client| client);
    assert_eq!((status(&old, url.clone()).await, status(&new, url.clone()).await), (Some(200), None));

    files.write("tls.crt", "no certificate");
    wait(&old, &url, NOBODY, "error", 1.0).await;
    let line = exporter.running.logs("failed to reload").await;
    assert!(line.contains("level=warn") && line.contains("tls_server_config.cert_file: "), "{line}");

    let pair = next.signs_server();
    files.write_server(&pair);
    until("the new certificate", async || status(&new, url.clone()).await).await;
    assert_eq!(status(&old, url.clone()).await, None);
    wait(&new, &url, NOBODY, "ok", 1.0).await;
    // The certificate came before its key, and that may have been seen.
    let errors = reloads(&new, &url, NOBODY, "error").await.expect("a page");
    assert!((1.0..=2.0).contains(&errors), "{errors}");

    exporter.running.terminate();
    let log = exporter.running.ended().await.stderr;
    let count = |text: &str| log.lines().filter(|line| line.contains(text)).count();
    assert_eq!(count("is in force"), 1, "{log}");
    assert!((1..=2).contains(&count("failed to reload")), "one line for each, not for each look: {log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ca_of_clients_is_read_again() {
    let files = Files::new();
    let (before, after) = (Ca::new(), Ca::new());
    files.write("clients.crt", &before.pem());
    let flag =
        files.flag(&format!("{TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: clients.crt\n"));
    let exporter = Exporter::start(&[&flag]).await;
    let [old, new] =
        [&before, &after].map(|by| files.client_with(|client| client.identity(identity(&by.signs_client()))));
    let url = exporter.https("/metrics");
    assert_eq!((status(&old, url.clone()).await, status(&new, url.clone()).await), (Some(200), None));
    files.write("clients.crt", &after.pem());
    until("the new CA", async || status(&new, url.clone()).await).await;
    assert_eq!(status(&old, url).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn users_change_without_a_restart_and_a_file_that_breaks_changes_none() {
    let files = Files::new();
    let exporter = Exporter::start(&[&files.flag(&format!("basic_auth_users: {{alice: {}}}\n", hash("old")))]).await;
    let url = exporter.http("/metrics");
    let client = files.client();
    let login = async |password: &str| {
        let response = client.get(&url).basic_auth("alice", Some(password)).send().await.expect("a response");
        response.status().as_u16()
    };
    assert_eq!((login("old").await, login("new").await), (200, 401));

    // Neither a broken file, nor one that is emptied, nor one that is gone.
    files.write("web.yml", "basic_auth_users: {alice: broken}\n");
    wait(&client, &url, ("alice", "old"), "error", 1.0).await;
    files.write("web.yml", "");
    wait(&client, &url, ("alice", "old"), "error", 2.0).await;
    let line = exporter.running.logs("switching logins off needs a restart").await;
    assert!(line.contains("basic_auth_users"), "{line}");
    std::fs::remove_file(files.path("web.yml")).expect("removed");
    wait(&client, &url, ("alice", "old"), "error", 3.0).await;
    assert_eq!((login("old").await, login("new").await, status(&client, url.clone()).await), (200, 401, Some(401)));

    // A login that was right is not remembered against the file.
    files.write("web.yml", &format!("basic_auth_users: {{alice: {}}}\n", hash("new")));
    until("the new password", async || (login("new").await == 200).then_some(())).await;
    assert_eq!(login("old").await, 401);
    files.write("web.yml", &format!("basic_auth_users: {{bob: {}}}\n", hash("new")));
    until("that alice is gone", async || (login("new").await == 401).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_switched_on_and_off_by_a_restart_only_and_the_log_says_so() {
    let files = Files::new();
    let with = Exporter::start(&[&files.flag(TLS)]).await;
    files.write("web.yml", "");
    wait(&files.client(), &with.https("/metrics"), NOBODY, "error", 1.0).await;
    with.running.logs("switching TLS off needs a restart").await;
    assert_eq!(status(&files.client(), with.http("/metrics")).await, Some(400));

    let without = Exporter::start(&[&files.flag("")]).await;
    files.write("web.yml", TLS);
    wait(&files.client(), &without.http("/metrics"), NOBODY, "error", 1.0).await;
    without.running.logs("switching TLS on needs a restart").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_hangs_holds_up_nobody_and_not_the_end() {
    let files = Files::new();
    let exporter = Exporter::start(&[&files.flag(&format!("{TLS}basic_auth_users: {{alice: {}}}\n", hash("x")))]).await;
    // Whoever opens a pipe to which nobody writes waits for ever.
    let made = Command::new("mkfifo").arg(files.path("pipe")).status().expect("mkfifo runs");
    assert!(made.success());
    std::fs::rename(files.path("pipe"), files.path("web.yml")).expect("in place");
    let client = files.client();
    for _ in 0..10 {
        let response = client.get(exporter.https("/metrics")).basic_auth("alice", Some("x")).send().await;
        assert_eq!(response.expect("a response").status(), 200);
        assert_eq!(status(&client, exporter.https("/-/healthy")).await, Some(200));
    }
    exporter.running.terminate();
    assert_eq!(exporter.running.ended().await.status, Some(0));
}
