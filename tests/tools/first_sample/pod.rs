//! A webhook that loses events, a healthy one beside it, and the pod with the exporter that counts them.

use std::net::SocketAddr;
use std::time::Duration;

use cotalker_simulator::{Receiver, Simulator, Trigger, WebhookSpec, World};
use delivery_ledger::{Action, WebhookId};
use tempfile::TempDir;
use test_harness::{MetricsPage, Running, START, free_address, program, serve};

/// Four attempts, half a minute apart: so long it takes until an event is lost.
const LOSS: Duration = Duration::from_secs(100);

/// One scene: an account of its own, and the exporter that watches it.
pub(crate) struct Pod {
    /// The code of the webhook that loses events, by which alerts are told apart.
    pub(crate) webhook: &'static str,
    /// Where Prometheus finds the exporter, in whichever process.
    pub(crate) address: SocketAddr,
    simulator: Simulator,
    id: WebhookId,
    healthy: WebhookId,
    volume: Option<TempDir>,
    process: Option<Running>,
}

impl Pod {
    /// An account in which nothing has happened yet. Its pods have no volume.
    pub(crate) async fn new(webhook: &'static str) -> Self {
        // The same name, the same ids; another one, others.
        let seed = webhook.bytes().fold(0, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let mut world = World::new(START, seed);
        let id = world.add(WebhookSpec::new(webhook, Trigger::Task).to(Receiver::Refused));
        let healthy = world.add(WebhookSpec::new(&format!("{webhook}_healthy"), Trigger::Task));
        let simulator = serve(world).await;
        Self { webhook, address: free_address(), simulator, id, healthy, volume: None, process: None }
    }

    /// With a volume for its state.
    pub(crate) fn with_volume(mut self) -> Self {
        self.volume = Some(tempfile::tempdir().expect("a directory"));
        self
    }

    /// So many events of the webhook are lost, and one of the healthy one is delivered.
    pub(crate) fn lose(&self, events: u32) {
        self.simulator.with_world(|world| {
            world.emit(self.id, Action::Create, usize::try_from(events).expect("few"));
            world.emit(self.healthy, Action::Create, 1);
        });
        self.simulator.advance(LOSS * events);
    }

    /// An event is delivered after all.
    pub(crate) fn deliver(&self) {
        self.simulator.with_world(|world| {
            world.set_receiver(self.id, Receiver::Healthy);
            world.emit(self.id, Action::Create, 1);
        });
        self.simulator.advance(Duration::from_secs(1));
        self.simulator.with_world(|world| world.set_receiver(self.id, Receiver::Refused));
    }

    /// The webhook is in the list, or not.
    pub(crate) fn list(&self, listed: bool) {
        self.simulator.with_world(|world| world.set_listed(self.id, listed));
    }

    /// The webhook gets another name.
    pub(crate) fn rename(&mut self, webhook: &'static str) {
        self.simulator.with_world(|world| world.change(self.id, |spec| webhook.clone_into(&mut spec.code)));
        self.webhook = webhook;
    }

    /// Starts the exporter, which polls every second, with what it does with history.
    pub(crate) fn start(&mut self, history: &str) {
        let mut program = program(&[]).towards(&self.simulator).quickly().env("EXPORTER_POLL_HISTORY", history);
        if let Some(volume) = &self.volume {
            program = program.arg(format!("--state.path={}", volume.path().display()));
        }
        self.process = Some(program.env("EXPORTER_WEB_LISTEN_ADDRESS", &self.address.to_string()).spawn());
    }

    /// Ends the exporter as Kubernetes does.
    pub(crate) async fn stop(&mut self) {
        let process = self.process.take().expect("a process");
        process.terminate();
        assert_eq!(process.ended().await.status, Some(0));
    }

    /// Ends the exporter and starts it again.
    pub(crate) async fn restart(&mut self, history: &str) {
        self.stop().await;
        self.start(history);
    }

    /// The next pod has another address.
    pub(crate) fn moves(&mut self) {
        self.address = free_address();
    }

    /// Waits until the exporter shows so many lost events, and gives the page.
    pub(crate) async fn shows(&self, lost: u32) -> MetricsPage {
        let is_so = |page: &MetricsPage| page.of(self.id, "events_lost_total") == Some(f64::from(lost));
        self.process.as_ref().expect("a process").site().await.wait_for(self.webhook, is_so).await
    }

    /// Waits until the exporter does not show the webhook.
    pub(crate) async fn hides(&self) {
        let is_so = |page: &MetricsPage| page.of(self.id, "events_lost_total").is_none();
        self.process.as_ref().expect("a process").site().await.wait_for(self.webhook, is_so).await;
    }

    /// The series of this family as Prometheus has it, which scrapes the pod.
    pub(crate) fn series(&self, family: &str) -> String {
        let Self { webhook, id, address, .. } = self;
        format!("{family}{{webhook_id=\"{id}\",webhook=\"{webhook}\",job=\"cotalker\",instance=\"{address}\"}}")
    }

    /// What a page shows of a family of the webhook.
    pub(crate) fn value(&self, page: &MetricsPage, family: &str) -> f64 {
        page.of(self.id, family.trim_start_matches("cotalker_webhook_")).expect("a series")
    }
}
