//! What tests set up and let happen.

use std::time::Duration;

use cotalker_simulator::{Settings, Simulator, World};
use delivery_ledger::{Action, UnixMillis, WebhookId};

/// When most tests begin: a whole second, like all that a `Date` can say.
pub(crate) const START: UnixMillis = UnixMillis::from_secs(1_700_000_000);

/// Serves a world in which time stands still.
pub(crate) async fn serve(world: World) -> Simulator {
    Simulator::start(world, Settings::default()).await.expect("a simulator")
}

/// Lets so many things happen to each of these webhooks, and a minute pass.
pub(crate) fn happen(simulator: &Simulator, ids: &[WebhookId], events: usize) {
    // Things that are made have ids of their own: events of one moment are told apart by them.
    simulator.with_world(|world| ids.iter().for_each(|id| world.emit(*id, Action::Create, events)));
    simulator.advance(Duration::from_secs(60));
}
