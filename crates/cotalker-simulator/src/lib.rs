//! A simulated Cotalker: the same one for `demo`, the integration tests and the benchmarks.
//!
//! ```text
//! receiver ─ how third parties behave ─► world ─ strict queues, attempts, the truth ─► (pure, no clock)
//! world    ─ shape, payload           ─► what the API shows of a log, as JSON
//! api      ─ calls, accounts, faults  ─► Simulator: HTTP on loopback, a clock, a record of the calls
//! ```
//!
//! A [`World`] can be used alone. A [`Simulator`] serves one over HTTP; time passes in it at the speed that its settings
//! say, or only when a test says so. Dropping it ends all of its tasks.

mod accounts;
mod api;
pub mod demo;
mod faults;
pub mod payload;
mod receiver;
mod recorder;
mod shape;
#[cfg(test)]
mod tests;
mod world;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use delivery_ledger::{UnixMillis, WebhookId};

pub use faults::{Fault, Target};
pub use receiver::{Receiver, Reply, SECRET_MARKER, Verdict};
pub use recorder::{Call, Endpoint};
pub use shape::{LogShape, Order};
pub use world::{Cycle, LoggedAttempt, LoggedEvent, MAX_RETRY, RETRY_AFTER_MS, Trigger, Truth, WebhookSpec, World};

use accounts::Accounts;
use faults::Faults;
use recorder::Recorder;

/// What is fixed when a simulator starts.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// A path in front of the API's own, such as `/cotalker`; empty for none.
    pub prefix: String,
    /// How many simulated seconds pass in a second; 0.0 = time stands still but for [`Simulator::advance`].
    pub speed: f64,
    /// The permanent token to start with; `None` makes one up from the world's seed.
    pub token: Option<String>,
    /// Serves TLS instead of plain HTTP.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// How the API behaves to begin with.
    pub switches: Switches,
}

impl Default for Settings {
    /// On a free port of 127.0.0.1, plain, time standing still.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            prefix: String::new(),
            speed: 0.0,
            token: None,
            tls: None,
            switches: Switches::default(),
        }
    }
}

/// How the API behaves where its documentation does not say, or may differ; all of it can be changed at any time.
#[derive(Clone, Debug)]
pub struct Switches {
    /// Sends a `Date`, of the simulated time.
    pub date: bool,
    /// How far that `Date` is off, in milliseconds.
    pub date_offset_ms: i64,
    /// Sends a weak `ETag` and honours `If-None-Match`.
    pub etag: bool,
    /// Compresses (brotli, gzip, zstd) for those who accept it.
    pub compression: bool,
    /// Leaves inactive webhooks out of the list.
    pub hide_inactive: bool,
    /// Answers 403 to a call without this `Company` header.
    pub required_company: Option<String>,
    /// Answers 403 to a call without `admin: true`.
    pub requires_admin: bool,
    /// The whole body of the list instead of the right one.
    pub list_body: Option<String>,
    /// The shape of the logs that [`Simulator::shape`] was not called for.
    pub default_shape: LogShape,
}

impl Default for Switches {
    /// As Express on Node.js does it: with `Date` and `ETag`; compressing; nothing hidden, required or replaced.
    fn default() -> Self {
        Self {
            date: true,
            date_offset_ms: 0,
            etag: true,
            compression: true,
            hide_inactive: false,
            required_company: None,
            requires_admin: false,
            list_body: None,
            default_shape: LogShape::default(),
        }
    }
}

/// A simulated Cotalker that listens until it is dropped.
#[derive(Debug)]
pub struct Simulator {
    shared: Arc<Shared>,
    address: SocketAddr,
    base_url: String,
    _tasks: JoinSet<()>,
}

/// What the handle and the calls under way have in common.
#[derive(Debug)]
struct Shared {
    prefix: String,
    speed: f64,
    /// The real and the simulated time of the start.
    origin: (Instant, UnixMillis),
    state: Mutex<State>,
    /// Told when faults are cleared.
    cleared: watch::Sender<()>,
}

#[derive(Debug)]
struct State {
    world: World,
    /// What [`Simulator::advance`] has added to the time, in milliseconds.
    advanced_ms: i64,
    switches: Switches,
    shapes: std::collections::HashMap<WebhookId, LogShape>,
    faults: Faults,
    accounts: Accounts,
    recorder: Recorder,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic of one test thread (an assertion inside `with_world`) must not fail all the others.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The simulated time.
    fn now(&self, state: &State) -> UnixMillis {
        let (started, origin) = self.origin;
        let passed_ms = started.elapsed().as_secs_f64() * 1_000.0 * self.speed;
        #[expect(clippy::cast_possible_truncation, reason = "saturates, and milliseconds are whole")]
        let passed_ms = passed_ms as i64;
        origin.plus_millis(passed_ms).plus_millis(state.advanced_ms)
    }

    fn clear(&self, target: Option<Target>) {
        self.lock().faults.clear(target);
        self.cleared.send_replace(());
    }
}

impl Simulator {
    /// Serves `world` from its present on.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on.
    pub async fn start(world: World, settings: Settings) -> io::Result<Self> {
        let Settings { listen, prefix, speed, token, tls, switches } = settings;
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let prefix = prefix.trim_end_matches('/').to_owned();
        let base_url = format!("{scheme}://{address}{prefix}");
        let accounts = Accounts::new(world.seed(), token);
        let shared = Arc::new(Shared {
            prefix,
            speed,
            origin: (Instant::now(), world.now()),
            state: Mutex::new(State {
                world,
                advanced_ms: 0,
                switches,
                shapes: std::collections::HashMap::new(),
                faults: Faults::default(),
                accounts,
                recorder: Recorder::default(),
            }),
            cleared: watch::Sender::new(()),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(api::serve(listener, tls, Arc::clone(&shared)));
        Ok(Self { shared, address, base_url, _tasks: tasks })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The API's root, prefix included, without a slash at its end. With TLS, a certificate for 127.0.0.1 is needed.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The simulated time.
    #[must_use]
    pub fn now(&self) -> UnixMillis {
        self.shared.now(&self.shared.lock())
    }

    /// Lets simulated time pass, besides what passes by itself.
    pub fn advance(&self, time: Duration) {
        let millis = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let mut state = self.shared.lock();
        state.advanced_ms = state.advanced_ms.saturating_add(millis);
        let now = self.shared.now(&state);
        state.world.advance_to(now);
    }

    /// Looks at or changes the world, brought up to the present first. No call is answered meanwhile.
    pub fn with_world<R>(&self, look: impl FnOnce(&mut World) -> R) -> R {
        let mut state = self.shared.lock();
        let now = self.shared.now(&state);
        state.world.advance_to(now);
        look(&mut state.world)
    }

    /// What an exporter has to show for the attempts of `webhook` that were logged after `since`.
    ///
    /// # Panics
    ///
    /// If the world has no such webhook.
    #[must_use]
    pub fn truth(&self, webhook: WebhookId, since: UnixMillis) -> Truth {
        self.with_world(|world| world.truth(webhook, since))
    }

    /// Changes how the API behaves.
    pub fn switch(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut self.shared.lock().switches);
    }

    /// Changes how the log of one webhook is shown.
    pub fn shape(&self, webhook: WebhookId, change: impl FnOnce(&mut LogShape)) {
        let mut state = self.shared.lock();
        let shape = state.switches.default_shape.clone();
        change(state.shapes.entry(webhook).or_insert(shape));
    }

    /// Lets the next `calls` to `target` meet this fault. Of several faults the one set first comes first.
    pub fn fail_next(&self, calls: usize, target: Target, fault: Fault) {
        self.shared.lock().faults.set(target, fault, Some(calls));
    }

    /// Lets calls to `target` meet this fault until it is cleared.
    pub fn fail(&self, target: Target, fault: Fault) {
        self.shared.lock().faults.set(target, fault, None);
    }

    /// Clears the faults that were set on exactly this target.
    pub fn clear(&self, target: Target) {
        self.shared.clear(Some(target));
    }

    /// Clears all faults.
    pub fn clear_all(&self) {
        self.shared.clear(None);
    }

    /// The permanent token that is valid now.
    #[must_use]
    pub fn token(&self) -> String {
        self.shared.lock().accounts.token().to_owned()
    }

    /// Revokes the permanent token and makes a new one, which may do the same.
    pub fn rotate_token(&self) -> String {
        self.shared.lock().accounts.rotate()
    }

    /// Revokes a token: the permanent one, one of [`Self::add_token`] or one of a login.
    pub fn revoke(&self, token: &str) {
        self.shared.lock().accounts.revoke(token);
    }

    /// Makes a further permanent token that may list webhooks, or may only ask by id.
    pub fn add_token(&self, may_list: bool) -> String {
        self.shared.lock().accounts.add(may_list)
    }

    /// Whether the tokens made so far may list webhooks; without it they get 403 from the list.
    pub fn allow_listing(&self, may_list: bool) {
        self.shared.lock().accounts.allow_listing(may_list);
    }

    /// The e-mail address and password that can log in.
    #[must_use]
    pub fn login(&self) -> (String, String) {
        self.shared.lock().accounts.login().to_owned()
    }

    /// Changes the password.
    pub fn set_password(&self, password: &str) {
        self.shared.lock().accounts.set_password(password);
    }

    /// How long tokens of further logins are valid, in simulated time; 1 h to begin with.
    pub fn set_login_lifetime(&self, lifetime: Duration) {
        self.shared.lock().accounts.set_lifetime(lifetime);
    }

    /// Revokes the tokens of all logins so far.
    pub fn expire_logins(&self) {
        self.shared.lock().accounts.expire_logins();
    }

    /// How many logins succeeded.
    #[must_use]
    pub fn logins(&self) -> u64 {
        self.shared.lock().accounts.logins()
    }

    /// The newest 10,000 calls, oldest first.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.shared.lock().recorder.calls()
    }

    /// How many calls to `endpoint` there were, forgotten ones included.
    #[must_use]
    pub fn count(&self, endpoint: Endpoint) -> u64 {
        self.shared.lock().recorder.count(endpoint)
    }

    /// How many calls to `endpoint` were under way at once at the most, from their arrival to their answer's last byte.
    #[must_use]
    pub fn peak(&self, endpoint: Endpoint) -> usize {
        self.shared.lock().recorder.peak(endpoint)
    }

    /// Waits until there have been `calls` calls to `endpoint` in all, so that a test need not sleep.
    pub async fn wait_for(&self, endpoint: Endpoint, calls: u64) {
        let mut counted = self.shared.lock().recorder.subscribe();
        while self.count(endpoint) < calls {
            // The sender lives as long as this handle.
            let _ = counted.changed().await;
        }
    }

    /// Forgets the calls so far, totals and peaks included.
    pub fn forget_calls(&self) {
        self.shared.lock().recorder.forget();
    }
}
