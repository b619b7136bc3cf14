//! What there is to look at: exporters, and the companies that they watch.

use std::time::Duration;

use cotalker_simulator::demo::many;
use cotalker_simulator::{Fault, Receiver, Settings, Simulator, Target, Trigger, WebhookSpec, World};
use cotalker_webhook_exporter::clock;
use delivery_ledger::WebhookId;
use serde_json::{Value, json};
use test_harness::{Daemon, Running, Setup, program};

/// How long the companies have been there: long enough for lost events.
const HISTORY_MS: i64 = 90 * 60_000;

/// The same for those of many webhooks, which are much to read.
const SHORT_HISTORY_MS: i64 = 20 * 60_000;

/// Often enough for what a scene waits for, and seldom enough for a machine that draws pictures beside it.
const INTERVAL: Duration = Duration::from_secs(60);

/// A page to be looked at.
pub(crate) struct Scene {
    name: &'static str,
    url: String,
    /// How high the page may be on a phone, in screens.
    most_screens: Option<u32>,
    status: u16,
    /// What shows it.
    _running: Vec<Shown>,
}

/// What shows a page; it ends when it is dropped.
enum Shown {
    Simulated(
        #[expect(dead_code, reason = "kept until the end")] Simulator,
        #[expect(dead_code, reason = "kept until the end")] Daemon,
    ),
    Demo(#[expect(dead_code, reason = "kept until the end")] Running),
}

impl Scene {
    /// For the browser.
    pub(crate) fn described(&self) -> Value {
        let Self { name, url, most_screens, status, .. } = self;
        json!({ "name": name, "url": url, "mostScreens": most_screens, "status": status })
    }
}

/// A company in which time passes as it does here.
async fn watch(world: World) -> (Simulator, Daemon) {
    let simulator = Simulator::start(world, Settings { speed: 1.0, ..Settings::default() }).await.expect("a simulator");
    let setup = Setup::of(&simulator).api(|api| api.poll_interval = INTERVAL);
    let daemon = setup.poller(|poller| poller.interval = INTERVAL).start().await;
    daemon.first_poll().await;
    (simulator, daemon)
}

fn world_of(webhooks: Vec<WebhookSpec>) -> World {
    let now = clock::now();
    let mut world = World::new(now, 7);
    for spec in webhooks {
        world.add_since(spec.every_ms(60_000), now.plus_millis(-HISTORY_MS));
    }
    world
}

/// Three webhooks: one delivers, one has lost events, one is blocked.
fn three() -> World {
    world_of(vec![
        WebhookSpec::new("wo_update", Trigger::Task).named("Work orders update"),
        WebhookSpec::new("user_sync", Trigger::User)
            .named("User directory sync")
            .at("id.acme.example:8443")
            .to(Receiver::Flaky { failures: 0.45 }),
        WebhookSpec::new("activos_sap", Trigger::Property)
            .named("Sincronización de activos – Planta Ñuñoa")
            .at("sap.acme.example")
            .to(Receiver::Refused),
    ])
}

/// Eight webhooks, all broken, each in its own way, one of them with a long name.
fn eight() -> World {
    let long =
        "Integración con el sistema de mantenimiento preventivo de la planta de tratamiento de aguas de Antofagasta";
    let receivers = [
        Receiver::Down,
        Receiver::Refused,
        Receiver::CertificateExpired,
        Receiver::SelfSigned,
        Receiver::DnsGone,
        Receiver::Reset,
        Receiver::Redirecting,
        Receiver::Unreachable,
    ];
    let specs = receivers.into_iter().zip(Trigger::DOCUMENTED.into_iter().cycle()).enumerate();
    let specs = specs.map(|(number, (receiver, trigger))| {
        let spec = WebhookSpec::new(&format!("hook_{number}"), trigger).to(receiver);
        let spec = spec.at(&format!("service-{number}.operations.acme.example:8443"));
        if number == 4 { spec.named(long) } else { spec }
    });
    world_of(specs.collect())
}

fn first_id(simulator: &Simulator, code: &str) -> WebhookId {
    simulator.with_world(|world| world.id_of(code).expect("a webhook"))
}

/// All of them.
pub(crate) async fn all() -> Vec<Scene> {
    let mut scenes = Vec::new();
    let mut add = |name, url: String, most_screens, status, running: Vec<Shown>| {
        scenes.push(Scene { name, url, most_screens, status, _running: running });
    };

    let (simulator, daemon) = watch(three()).await;
    let root = daemon.site.root().to_owned();
    let broken = first_id(&simulator, "activos_sap");
    add("webhook", format!("{root}/webhooks/{broken}"), None, 200, Vec::new());
    add("webhook-healthy", format!("{root}/webhooks/{}", first_id(&simulator, "wo_update")), None, 200, Vec::new());
    add("no-webhook", format!("{root}/webhooks/000000000000000000000000"), None, 404, Vec::new());
    add("three", format!("{root}/"), None, 200, vec![Shown::Simulated(simulator, daemon)]);

    let (simulator, daemon) = watch(eight()).await;
    add("eight-broken", format!("{}/", daemon.site.root()), Some(4), 200, vec![Shown::Simulated(simulator, daemon)]);

    let (simulator, daemon) = watch(many(300, clock::now(), SHORT_HISTORY_MS, 7)).await;
    let root = daemon.site.root().to_owned();
    add("three-hundred-found", format!("{root}/?q=hooks-9.&refresh=0"), None, 200, Vec::new());
    add("three-hundred-none-found", format!("{root}/?q=nothing&state=stale"), Some(1), 200, Vec::new());
    add("three-hundred", format!("{root}/"), Some(5), 200, vec![Shown::Simulated(simulator, daemon)]);

    let (simulator, daemon) = watch(many(40, clock::now(), SHORT_HISTORY_MS, 8)).await;
    simulator.rotate_token();
    daemon.wait_for("a refusal", |page| page.sum("cotalker_up", &[]) == Some(0.0)).await;
    add("api-down", format!("{}/", daemon.site.root()), Some(5), 200, vec![Shown::Simulated(simulator, daemon)]);

    let (simulator, daemon) = watch(many(60, clock::now(), SHORT_HISTORY_MS, 9)).await;
    let ids = simulator.with_world(|world| world.ids());
    for id in ids.iter().skip(10).take(20) {
        simulator.fail(Target::Logs(*id), Fault::Html);
    }
    let last = ids[29];
    daemon.wait_for("logs that cannot be read", |page| page.of(last, "up") == Some(0.0)).await;
    daemon.site.further_polls(1.0).await;
    add("logs-unreadable", format!("{}/", daemon.site.root()), Some(5), 200, vec![Shown::Simulated(simulator, daemon)]);

    let (simulator, daemon) = watch(World::new(clock::now(), 1)).await;
    add("empty", format!("{}/", daemon.site.root()), Some(1), 200, vec![Shown::Simulated(simulator, daemon)]);

    let demo = program(&["demo"]).anywhere().spawn();
    let site = demo.site().await;
    site.whole_good_poll().await;
    let page = site.get("/?q=survey_legacy").await.1;
    let (_, rest) = page.split_once("href=\"webhooks/").expect("a link");
    let id = &rest[..24];
    add("demo-webhook", format!("{}/webhooks/{id}", site.root()), None, 200, Vec::new());
    add("demo", format!("{}/", site.root()), None, 200, vec![Shown::Demo(demo)]);
    scenes
}
