//! The simulated Cotalker that the exporter watches, and what happens in it.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use cotalker_simulator::{Receiver, Settings, Simulator, Trigger, WebhookSpec, World};
use delivery_ledger::{Action, UnixMillis, WebhookId};
use tokio::task::JoinSet;

use crate::metrics::MetricsPage;

/// When most tests start: a whole second, like all that a `Date` can say.
pub const START: UnixMillis = UnixMillis::from_secs(1_700_000_000);

/// Serves a world in which time stands still.
pub async fn serve(world: World) -> Simulator {
    Simulator::start(world, Settings::default()).await.expect("a simulator")
}

/// Lets so many things happen to each of these webhooks, and a minute pass.
pub fn happen(simulator: &Simulator, ids: &[WebhookId], events: usize) {
    // Things that are made have ids of their own: events of one moment are told apart by them.
    simulator.with_world(|world| ids.iter().for_each(|id| world.emit(*id, Action::Create, events)));
    simulator.advance(Duration::from_secs(60));
}

/// A simulator whose time stands still until [`Flow`] lets it pass, with a webhook for each way that things go.
pub async fn all_kinds() -> Arc<Simulator> {
    let mut world = World::new(START, 7);
    for (code, receiver, every_ms) in [
        ("healthy", Receiver::Healthy, 3_000),
        ("flaky", Receiver::Flaky { failures: 0.4 }, 4_000),
        ("down", Receiver::Down, 5_000),
        ("rejecting", Receiver::Rejecting, 7_000),
        ("refused", Receiver::Refused, 6_000),
        ("slow", Receiver::Slow { from_ms: 1_000, to_ms: 9_000 }, 8_000),
    ] {
        world.add(WebhookSpec::new(code, Trigger::Task).to(receiver).every_ms(every_ms).entry_bytes(300, 500));
    }
    Arc::new(serve(world).await)
}

/// Panics unless the page shows all that has happened since [`START`]. Says how many attempts there are.
#[track_caller]
pub fn assert_shows_all(page: &MetricsPage, simulator: &Simulator) -> u64 {
    let mut attempts = 0;
    for id in simulator.with_world(|world| world.ids()) {
        let truth = simulator.truth(id, START.plus_millis(-1));
        page.assert_shows(id, &truth);
        attempts += truth.attempts;
    }
    assert_eq!(page.sum("cotalker_webhook_log_gaps_total", &[]), Some(0.0));
    attempts
}

/// Lets time pass for a simulator, sixty times as fast as ours, until it is dropped.
#[derive(Debug)]
pub struct Flow(JoinSet<()>);

impl Flow {
    /// From now on.
    #[must_use]
    pub fn of(simulator: &Arc<Simulator>) -> Self {
        let simulator = Arc::clone(simulator);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(20)).await;
                simulator.advance(Duration::from_millis(1_200));
            }
        });
        Self(tasks)
    }

    /// Time stands still again.
    pub async fn stop(&mut self) {
        self.0.shutdown().await;
    }
}

/// An address that nothing listens on: for a call that is to be refused, and for programs that cannot say which port they
/// took. Another process may take it before they do.
#[must_use]
pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port")
}
