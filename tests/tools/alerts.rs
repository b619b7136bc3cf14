//! From a receiver that fails to the message that somebody gets: the simulated Cotalker, the exporter, a real Prometheus with
//! the rules of `deploy/prometheus`, a real Alertmanager with the configuration beside them, and what it sends.
//!
//! An hour passes in two minutes, for all of them: the simulator runs 30 times as fast, the exporter polls every two seconds
//! instead of every minute, Prometheus scrapes every second, and each duration in rules and configuration is divided by 30.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use cotalker_simulator::demo::demo_scenario;
use cotalker_simulator::{Fault, LogShape, Receiver, Settings, Simulator, Switches, Target};
use delivery_ledger::History;
use regex::{Captures, Regex};
use serde::Deserialize;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::prometheus_server::Prometheus;
use test_harness::{Daemon, Leases, Program, Running, START, Setup, free_address, until};

const SPEED: u32 = 30;

/// A minute.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// The demo's bad receivers: the alert that each of them is, how it fails, and what the message must say of that.
const BAD: [(&str, &str, Receiver, &str); 5] = [
    ("activos_sap", "CotalkerWebhookBlocked", Receiver::Down, "the receiver does not respond in time"),
    (
        "note_archive",
        "CotalkerReceiverCertificateExpired",
        Receiver::CertificateExpired,
        "the receiver's certificate has expired",
    ),
    ("survey_legacy", "CotalkerReceiverDnsGone", Receiver::DnsGone, "the receiver's host name does not resolve"),
    ("wo_billing", "CotalkerWebhookBlocked", Receiver::Rejecting, "the receiver rejects the request (HTTP 4xx)"),
    ("session_audit", "CotalkerWebhookBlocked", Receiver::Refused, "the receiver refuses the connection"),
];

/// Of one that takes most events at the second try at the latest, nobody may be woken.
const FLAKY: &str = "user_sync";

/// Nobody may be told of these receivers, whatever a busy machine does to the exporter.
const HEALTHY: [&str; 2] = ["wo_update", "checklist_bi"];

const MINUTE_MS: i64 = 60_000;

fn shipped(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/prometheus").join(name);
    std::fs::read_to_string(path).expect("a file of the repository")
}

/// A text with each duration that `before` leads to in a time that passes faster.
fn quick(text: &str, before: &str) -> String {
    let duration = Regex::new(&format!(r"({before})([0-9]+)([smhd])\b")).expect("an expression");
    let faster = |found: &Captures<'_>| {
        let number: u32 = found[2].parse().expect("a number");
        let seconds = number * BTreeMap::from([("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)])[&found[3]];
        format!("{}{}ms", &found[1], seconds * 1_000 / SPEED)
    };
    duration.replace_all(text, faster).into_owned()
}

fn rules() -> String {
    let quick = quick(&shipped("rules.yml"), r"\[|:|offset |for: ");
    assert!(
        quick.contains("[30000ms]") && quick.contains("[8640000ms:30000ms]") && quick.contains("for: 10000ms"),
        "{quick}"
    );
    quick
}

/// What Alertmanager sends to a webhook. Source: its documentation, "webhook_config".
#[derive(Clone, Debug, Deserialize)]
struct Message {
    receiver: String,
    status: String,
    alerts: Vec<Alert>,
}

#[derive(Clone, Debug, Deserialize)]
struct Alert {
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

impl Message {
    fn is_of_receivers(&self) -> bool {
        self.alerts.iter().any(|alert| alert.labels["scope"] == "receiver")
    }

    fn is(&self, status: &str, name: &str, webhook: &str) -> bool {
        self.status == status && self.alerts.iter().any(|alert| alert.name() == name && alert.webhook() == webhook)
    }

    /// Its line in the list.
    fn line(&self) -> String {
        let one = |alert: &Alert| {
            let what = alert.annotations.get("reason").unwrap_or(&alert.annotations["summary"]).clone();
            format!("{} {}: {what}", alert.name(), alert.webhook())
        };
        let alerts: Vec<String> = self.alerts.iter().map(one).collect();
        format!("{:<15} {:<8} {}", self.receiver, self.status, alerts.join("; "))
    }
}

/// Whoever is on call: where Alertmanager sends its messages.
struct Pager {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Message>>>,
    _server: JoinSet<()>,
}

impl Pager {
    async fn start() -> Self {
        let received = Arc::<Mutex<Vec<Message>>>::default();
        let heard = Arc::clone(&received);
        let take = move |body: Bytes| async move {
            let message: Message = serde_json::from_slice(&body).expect("a message");
            heard.lock().unwrap_or_else(PoisonError::into_inner).push(message);
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut server = JoinSet::new();
        let routes = Router::new().route("/{receiver}", post(take));
        server.spawn(async { axum::serve(listener, routes).await.expect("it serves") });
        Self { address, received, _server: server }
    }

    /// All messages so far, in the order of their arrival.
    fn received(&self) -> Vec<Message> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for a message that was not among the first `known`.
    async fn hears(&self, known: usize, status: &str, name: &str, webhook: &str) {
        let is_it = |message: &Message| message.is(status, name, webhook);
        until(&format!("{name} {webhook} {status}"), async || self.received()[known..].iter().any(is_it).then_some(()))
            .await;
    }

    /// The messages after the first `known` that are of receivers, or of whether the API can be read.
    fn since(&self, known: usize) -> Vec<Message> {
        let matters = |message: &Message| {
            message.is_of_receivers() || message.alerts.iter().any(|alert| alert.name().starts_with("CotalkerApi"))
        };
        self.received()[known..].iter().filter(|message| matters(message)).cloned().collect()
    }
}

/// An Alertmanager as it is shipped, which sends to `pager`; it ends when it is dropped. At night tickets come, too.
fn alertmanager(pager: SocketAddr) -> (Running, SocketAddr, TempDir) {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("cotalker.tmpl"), shipped("cotalker.tmpl")).expect("a file");
    let configuration = directory.path().join("alertmanager.yml");
    let text = quick(&shipped("alertmanager.yml"), "group_wait: |group_interval: |repeat_interval: ");
    let text = text.replace("127.0.0.1:8080", &pager.to_string());
    let muted = Regex::new(r"(?m)^ *mute_time_intervals:\n *- .*\n").expect("an expression");
    assert_eq!(muted.find_iter(&text).count(), 2, "{text}");
    std::fs::write(&configuration, muted.replace_all(&text, "").as_ref()).expect("a file");
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

/// Waits until so many minutes have passed in the simulated company.
async fn minutes_pass(simulator: &Simulator, minutes: i64) {
    let now = || simulator.with_world(|world| world.now());
    let end = now().plus_millis(minutes * MINUTE_MS);
    until(&format!("{minutes} minutes later"), async || (now() >= end).then_some(())).await;
}

fn set_receiver(simulator: &Simulator, webhook: &str, receiver: Receiver) {
    simulator.with_world(|world| {
        let id = world.id_of(webhook).expect("a webhook of the demo");
        world.set_receiver(id, receiver.clone());
    });
}

/// Whoever watches exporters, from their scrapes to the messages.
struct Watch {
    pager: Pager,
    alertmanager: Running,
    _prometheus: Prometheus,
    _directory: TempDir,
}

impl Watch {
    async fn over(targets: &[SocketAddr]) -> Self {
        let pager = Pager::start().await;
        let (alertmanager, address, _directory) = alertmanager(pager.address);
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("rules.yml"), rules()).expect("a file");
        let sections = format!(
            "rule_files: [\"{}/rules.yml\"]\nalerting: {{ alertmanagers: [{{ static_configs: [{{ targets: [\"{address}\"] }}] }}] }}\n",
            directory.path().display()
        );
        Self { pager, alertmanager, _prometheus: Prometheus::with(targets, &sections, directory), _directory }
    }

    /// Waits until each dead receiver of the demo was told of.
    async fn tells_of_each(&mut self) {
        for (webhook, alert, ..) in BAD {
            self.pager.hears(0, "firing", alert, webhook).await;
        }
        self.alertmanager.expect_running();
    }
}

/// The demo's company.
async fn company() -> Simulator {
    // Five hundred entries are twenty minutes of the busiest log: what is about time here is not about size.
    let default_shape = LogShape { window: 500, ..LogShape::default() };
    let switches = Switches { compression: false, default_shape, ..Switches::default() };
    let settings = Settings { speed: f64::from(SPEED), switches, ..Settings::default() };
    Simulator::start(demo_scenario(START, 1), settings).await.expect("a simulator")
}

/// An exporter that knows how fast time passes there.
fn exporter_of(simulator: &Simulator) -> Setup {
    Setup::of(simulator)
        .api(|api| {
            api.clock_speed = f64::from(SPEED);
            api.poll_interval = POLL_INTERVAL;
        })
        .poller(|poller| {
            poller.history = History::Ignore;
            poller.interval = POLL_INTERVAL;
        })
}

/// Where Prometheus finds it.
fn target(exporter: &Daemon) -> SocketAddr {
    exporter.site.root().trim_start_matches("http://").parse().expect("an address")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_dead_receiver_is_one_message_that_says_why_and_one_when_it_is_well_and_an_outage_is_one() {
    let simulator = company().await;
    let exporter = exporter_of(&simulator).start().await;
    let mut watch = Watch::over(&[target(&exporter)]).await;
    watch.tells_of_each().await;
    minutes_pass(&simulator, 60).await;
    let pager = &watch.pager;
    print_messages("an hour of the demo", pager, 0);
    assert_one_message_each(&pager.received(), "firing");

    let known = pager.received().len();
    for (webhook, ..) in BAD {
        set_receiver(&simulator, webhook, Receiver::Healthy);
    }
    for (webhook, alert, ..) in BAD {
        pager.hears(known, "resolved", alert, webhook).await;
    }
    minutes_pass(&simulator, 40).await;
    print_messages("all receivers were repaired", pager, known);
    assert_one_message_each(&pager.received()[known..], "resolved");

    let (webhook, alert, receiver, _) = &BAD[3];
    set_receiver(&simulator, webhook, receiver.clone());
    pager.hears(known, "firing", alert, webhook).await;
    let known = pager.received().len();
    simulator.fail(Target::Everything, Fault::Status { code: 503, retry_after: None });
    pager.hears(known, "firing", "CotalkerApiUnreadable", "").await;
    minutes_pass(&simulator, 30).await;
    print_messages("one of them is dead again, and the API is down", pager, known);
    assert_eq!(pager.since(known).len(), 1, "{:#?}", pager.since(known));
    assert_eq!(pager.since(known)[0].alerts.len(), 1);
    simulator.clear_all();
    pager.hears(known, "resolved", "CotalkerApiUnreadable", "").await;
    let up = pager.received().len();
    minutes_pass(&simulator, 20).await;
    // Of what is still dead nobody knew anything for half an hour: that it is may be told again, once.
    assert!(pager.since(up).len() <= 1, "{:#?}", pager.since(up));
    assert!(pager.since(up).iter().all(|message| message.alerts[0].webhook() == *webhook), "{:#?}", pager.since(up));

    let known = pager.received().len();
    simulator.revoke(&simulator.token());
    pager.hears(known, "firing", "CotalkerApiUnauthorized", "").await;
    minutes_pass(&simulator, 30).await;
    print_messages("it is up, and then the token is revoked", pager, known);
    assert_eq!(pager.since(known).len(), 1, "{:#?}", pager.since(known));

    let known = pager.received().len();
    drop(exporter);
    pager.hears(known, "firing", "CotalkerExporterDown", "").await;
    print_messages("the exporter has ended", pager, known);
    let is_of_receivers = |message: &Message| message.is_of_receivers();
    assert!(!pager.received()[known..].iter().any(is_of_receivers), "nobody knows of the receivers");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_three_replicas_each_dead_receiver_is_one_message_whoever_of_them_ends() {
    let simulator = company().await;
    let leases = Leases::start().await;
    let mut replicas = Vec::new();
    for pod in ["pod-a", "pod-b", "pod-c"] {
        let setup = exporter_of(&simulator)
            .among(&leases, pod)
            .replica(|replica| replica.standby_interval = Duration::from_secs(600) / SPEED);
        replicas.push((pod, setup.start().await));
    }
    let targets: Vec<_> = replicas.iter().map(|(_, replica)| target(replica)).collect();
    let mut watch = Watch::over(&targets).await;
    watch.tells_of_each().await;

    // Its node is gone: it ends without a word, and stays a target.
    drop(holder(&mut replicas, &leases).await);
    minutes_pass(&simulator, 40).await;
    // And one of an update, which gives the Lease back.
    holder(&mut replicas, &leases).await.terminate().await;
    minutes_pass(&simulator, 40).await;
    print_messages("three replicas, of which two end", &watch.pager, 0);
    assert_one_message_each(&watch.pager.received(), "firing");
    let pages = watch.pager.received().iter().filter(|message| message.receiver == "cotalker-page").count();
    assert_eq!(pages, BAD.len());
}

/// Takes the replica that holds the Lease.
async fn holder(replicas: &mut Vec<(&str, Daemon)>, leases: &Leases) -> Daemon {
    let index = until("a holder", async || {
        let holder = leases.holder()?;
        replicas.iter().position(|(pod, _)| *pod == holder)
    })
    .await;
    replicas.remove(index).1
}

/// Of the receivers each bad one is told of once, with the reason, and no other is.
fn assert_one_message_each(messages: &[Message], status: &str) {
    let of_receivers: Vec<_> = messages.iter().filter(|message| message.is_of_receivers()).collect();
    for (webhook, alert, _, reason) in BAD {
        let about = |message: &&&Message| message.alerts.iter().any(|alert| alert.webhook() == webhook);
        let told: Vec<_> = of_receivers.iter().filter(about).collect();
        assert_eq!(told.len(), 1, "{webhook}: {told:#?}");
        let [one] = told[0].alerts.as_slice() else { panic!("{webhook}: {told:#?}") };
        assert_eq!((told[0].receiver.as_str(), told[0].status.as_str()), ("cotalker-page", status), "{one:?}");
        let (said, runbook) = (&one.annotations["description"], &one.annotations["runbook_url"]);
        assert!(one.name() == alert && said.contains(webhook) && !said.contains("{{"), "{one:?}");
        assert!(runbook.ends_with(&format!("/docs/runbooks.md#{}", alert.to_lowercase())), "{one:?}");
        if status == "firing" {
            assert_eq!(one.annotations["reason"], reason);
        }
    }
    for message in of_receivers {
        let is_page = message.receiver == "cotalker-page";
        let is_false = |alert: &Alert| HEALTHY.contains(&alert.webhook()) || is_page && alert.webhook() == FLAKY;
        assert!(!message.alerts.iter().any(is_false), "nothing was wrong with its receiver: {message:?}");
    }
}

#[expect(clippy::print_stdout, reason = "a measurement for whoever asks with --nocapture")]
fn print_messages(what: &str, pager: &Pager, known: usize) {
    println!("{what}:");
    for message in &pager.received()[known..] {
        println!("  {}", message.line());
    }
}
