//! What the simulator's handle and the calls under way have in common, the clock among it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use delivery_ledger::{UnixMillis, WebhookId};
use tokio::sync::watch;
use tokio::time::Instant;

use super::accounts::Accounts;
use super::fault::Target;
use super::faults::Faults;
use super::recorder::Recorder;
use crate::settings::Switches;
use crate::shape::LogShape;
use crate::world::World;

/// What the handle and the calls under way have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    /// A path in front of the API's own, without a slash at its end.
    pub(crate) prefix: String,
    speed: f64,
    /// The real and the simulated time of the start.
    origin: (Instant, UnixMillis),
    state: Mutex<SimulatorState>,
    /// Told when faults are cleared.
    pub(crate) cleared: watch::Sender<()>,
}

/// What calls and tests look at and change, under one lock.
#[derive(Debug)]
pub(crate) struct SimulatorState {
    pub(crate) world: World,
    /// What `Simulator::advance` has added to the time, in milliseconds.
    pub(crate) advanced_ms: i64,
    pub(crate) switches: Switches,
    /// Of the webhooks whose log is not shown in the default shape.
    pub(crate) shapes: HashMap<WebhookId, LogShape>,
    pub(crate) faults: Faults,
    pub(crate) accounts: Accounts,
    pub(crate) recorder: Recorder,
}

impl Shared {
    /// Time passes from the world's present on.
    pub(crate) fn new(world: World, prefix: String, speed: f64, token: Option<String>, switches: Switches) -> Self {
        let origin = (Instant::now(), world.now());
        let accounts = Accounts::new(world.seed(), token);
        let state = SimulatorState {
            world,
            advanced_ms: 0,
            switches,
            shapes: HashMap::new(),
            faults: Faults::default(),
            accounts,
            recorder: Recorder::default(),
        };
        Self { prefix, speed, origin, state: Mutex::new(state), cleared: watch::Sender::new(()) }
    }

    /// No call is responded to while this is held.
    pub(crate) fn lock(&self) -> MutexGuard<'_, SimulatorState> {
        // A panic of one test thread (an assertion inside `with_world`) must not fail all the others.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The simulated time.
    pub(crate) fn now(&self, state: &SimulatorState) -> UnixMillis {
        let (started, origin) = self.origin;
        let passed_ms = started.elapsed().as_secs_f64() * 1_000.0 * self.speed;
        #[expect(clippy::cast_possible_truncation, reason = "saturates, and milliseconds are whole")]
        let passed_ms = passed_ms as i64;
        origin.plus_millis(passed_ms).plus_millis(state.advanced_ms)
    }

    /// Clears the faults on this target, or all, and releases the calls that they held.
    pub(crate) fn clear(&self, target: Option<Target>) {
        self.lock().faults.clear(target);
        self.cleared.send_replace(());
    }
}
