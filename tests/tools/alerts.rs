//! From a receiver that fails to the pager that goes off: the simulated Cotalker, the exporter, a real Prometheus with the
//! rules of `deploy/prometheus`, a real Alertmanager, and what it sends.
//!
//! An hour passes in a minute, for all of them: the simulator runs 60 times as fast, the exporter polls every second
//! instead of every minute, Prometheus scrapes as often, and each duration in the rules is divided by 60.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use cotalker_simulator::demo::demo_scenario;
use cotalker_simulator::{Receiver, Settings, Simulator};
use regex::{Captures, Regex};
use serde::Deserialize;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::prometheus_server::Prometheus;
use test_harness::{Program, Running, START, free_address, program, until};

const SPEED: u32 = 60;

/// What each of the demo's bad receivers must have told the pager.
const EXPECTED: [(&str, &[&str]); 5] = [
    ("activos_sap", &["CotalkerEventLost", "CotalkerWebhookFailing"]),
    ("note_archive", &["CotalkerEventLost", "CotalkerWebhookBlocked", "CotalkerReceiverCertificateExpired"]),
    ("survey_legacy", &["CotalkerEventLost", "CotalkerWebhookBlocked", "CotalkerReceiverDnsGone"]),
    ("wo_billing", &["CotalkerEventLost", "CotalkerWebhookBlocked", "CotalkerWebhookFailing"]),
    ("session_audit", &["CotalkerEventLost", "CotalkerWebhookBlocked", "CotalkerWebhookFailing"]),
];

/// Nobody may be woken for these receivers, whatever a busy machine does to the exporter.
const HEALTHY: [&str; 2] = ["wo_update", "checklist_bi"];

const ABOUT_RECEIVERS: [&str; 7] = [
    "CotalkerEventLost",
    "CotalkerWebhookBlocked",
    "CotalkerWebhookFailing",
    "CotalkerReceiverCertificateExpired",
    "CotalkerReceiverDnsGone",
    "CotalkerDeliverySlow",
    "CotalkerRetriesRising",
];

/// The rules as they are shipped, in a time that passes 60 times as fast.
fn rules() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/prometheus/rules.yml");
    let rules = std::fs::read_to_string(path).expect("the rules");
    let duration = Regex::new(r"(\[|:|offset |for: )([0-9]+)([mhd])\b").expect("an expression");
    let quick = duration.replace_all(&rules, |found: &Captures<'_>| {
        let number: u32 = found[2].parse().expect("a number");
        let seconds = number * BTreeMap::from([("m", 60), ("h", 3_600), ("d", 86_400)])[&found[3]];
        format!("{}{}s", &found[1], seconds / SPEED)
    });
    assert!(quick.contains("[15s]") && quick.contains("[4320s:15s]") && quick.contains("for: 5s"), "{quick}");
    quick.into_owned()
}

/// What Alertmanager sends to a webhook. Source: its documentation, "webhook_config".
#[derive(Deserialize)]
struct Notification {
    alerts: Vec<Alert>,
}

#[derive(Clone, Debug, Deserialize)]
struct Alert {
    status: String,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

impl Alert {
    fn name(&self) -> &str {
        &self.labels["alertname"]
    }

    fn webhook(&self) -> &str {
        self.labels.get("webhook").map_or("", String::as_str)
    }
}

/// Whoever is on call: where Alertmanager sends its alerts.
struct Pager {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Alert>>>,
    _server: JoinSet<()>,
}

impl Pager {
    async fn start() -> Self {
        let received = Arc::<Mutex<Vec<Alert>>>::default();
        let heard = Arc::clone(&received);
        let take = move |body: Bytes| async move {
            let notification: Notification = serde_json::from_slice(&body).expect("a notification");
            heard.lock().unwrap_or_else(PoisonError::into_inner).extend(notification.alerts);
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut server = JoinSet::new();
        server.spawn(async { axum::serve(listener, Router::new().route("/", post(take))).await.expect("it serves") });
        Self { address, received, _server: server }
    }

    /// Everything so far, in the order of its arrival.
    fn received(&self) -> Vec<Alert> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The newest word on each alert.
    fn newest(&self) -> BTreeMap<(String, String), Alert> {
        let key = |alert: &Alert| (alert.webhook().to_owned(), alert.name().to_owned());
        self.received().into_iter().map(|alert| (key(&alert), alert)).collect()
    }

    /// Waits until the newest word on each of these is `status`.
    async fn hears<'a>(&self, status: &str, alerts: impl IntoIterator<Item = (&'a str, &'a str)> + Clone) {
        until(&format!("each of them {status}"), async || {
            let newest = self.newest();
            let is_so = |(webhook, name): (&str, &str)| {
                newest.get(&(webhook.to_owned(), name.to_owned())).is_some_and(|alert| alert.status == status)
            };
            alerts.clone().into_iter().all(is_so).then_some(())
        })
        .await;
    }
}

/// An Alertmanager that tells `pager` everything at once; it ends when it is dropped.
fn alertmanager(pager: SocketAddr) -> (Running, SocketAddr, TempDir) {
    let directory = tempfile::tempdir().expect("a directory");
    let configuration = directory.path().join("alertmanager.yml");
    let text = format!(
        "route: {{ receiver: pager, group_by: [\"...\"], group_wait: 0s, group_interval: 1s, repeat_interval: 1h }}\nreceivers:\n  - name: pager\n    webhook_configs: [{{ url: \"http://{pager}/\", send_resolved: true }}]\n"
    );
    std::fs::write(&configuration, text).expect("a file");
    let address = free_address();
    let mut command = Command::new("prometheus-alertmanager");
    command
        .arg(format!("--config.file={}", configuration.display()))
        .arg(format!("--storage.path={}", directory.path().join("data").display()))
        .arg(format!("--web.listen-address={address}"))
        // Alone.
        .arg("--cluster.listen-address=");
    (Program::of(command).spawn(), address, directory)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_bad_receiver_reaches_the_pager_and_so_does_its_recovery_and_the_end_of_watching() {
    let settings = Settings { speed: f64::from(SPEED), ..Settings::default() };
    let simulator = Simulator::start(demo_scenario(START, 1), settings).await.expect("a simulator");
    let exporter = program(&[]).towards(&simulator).anywhere().quickly().spawn();
    let pager = Pager::start().await;
    let (mut alertmanager, alertmanager_address, _directory) = alertmanager(pager.address);
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("rules.yml"), rules()).expect("a file");
    let sections = format!(
        "rule_files: [\"{}/rules.yml\"]\nalerting: {{ alertmanagers: [{{ static_configs: [{{ targets: [\"{alertmanager_address}\"] }}] }}] }}\n",
        directory.path().display()
    );
    let _prometheus = Prometheus::with(exporter.address().await, &sections, directory);

    let expected = || EXPECTED.iter().flat_map(|(webhook, names)| names.iter().map(move |name| (*webhook, *name)));
    alertmanager.expect_running();
    pager.hears("firing", expected()).await;
    for alert in pager.received() {
        let (description, runbook) = (&alert.annotations["description"], &alert.annotations["runbook_url"]);
        assert!(description.contains(alert.webhook()) && !description.contains("{{"), "{alert:?}");
        assert!(runbook.ends_with(&format!("/docs/runbooks.md#{}", alert.name().to_lowercase())), "{alert:?}");
        assert!(!alert.annotations["summary"].is_empty() && !alert.labels["severity"].is_empty(), "{alert:?}");
    }
    for (name, webhook) in
        [("CotalkerReceiverCertificateExpired", "note_archive"), ("CotalkerReceiverDnsGone", "survey_legacy")]
    {
        let told: BTreeSet<_> = pager.newest().into_keys().filter(|(_, told)| told == name).collect();
        assert_eq!(told, BTreeSet::from([(webhook.to_owned(), name.to_owned())]), "it tells them apart");
    }
    print_alerts("what the pager was told of the bad receivers", &pager, expected());

    simulator.with_world(|world| {
        for (webhook, _) in EXPECTED {
            let id = world.id_of(webhook).expect("a webhook of the demo");
            world.set_receiver(id, Receiver::Healthy);
        }
    });
    pager.hears("resolved", expected()).await;

    simulator.revoke(&simulator.token());
    let refused = [("", "CotalkerApiUnauthorized"), ("", "CotalkerApiUnreadable"), ("wo_update", "CotalkerDataStale")];
    pager.hears("firing", refused).await;
    print_alerts("what it was told when the token was revoked", &pager, refused);
    drop(exporter);
    let down = [("", "CotalkerExporterDown")];
    pager.hears("firing", down).await;
    print_alerts("what it was told when the exporter had ended", &pager, down);

    for alert in pager.received() {
        let is_false = HEALTHY.contains(&alert.webhook()) && ABOUT_RECEIVERS.contains(&alert.name());
        assert!(!is_false, "nothing was wrong with its receiver: {alert:?}");
    }
}

#[expect(clippy::print_stdout, reason = "a measurement for whoever asks with --nocapture")]
fn print_alerts<'a>(what: &str, pager: &Pager, alerts: impl IntoIterator<Item = (&'a str, &'a str)>) {
    println!("{what}:");
    let newest = pager.newest();
    for (webhook, name) in alerts {
        let alert = &newest[&(webhook.to_owned(), name.to_owned())];
        println!("  {:<8} {name}: {}", alert.labels["severity"], alert.annotations["description"]);
    }
}
