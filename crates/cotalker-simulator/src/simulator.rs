//! The handle on a simulated Cotalker that listens.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use delivery_ledger::{UnixMillis, WebhookId};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::api::{Call, Endpoint, Fault, Shared, Target, serve};
use crate::settings::{Settings, Switches};
use crate::shape::LogShape;
use crate::world::{Truth, World};

/// A simulated Cotalker that listens until it is dropped.
#[derive(Debug)]
pub struct Simulator {
    shared: Arc<Shared>,
    address: SocketAddr,
    base_url: String,
    _tasks: JoinSet<()>,
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
        let shared = Arc::new(Shared::new(world, prefix, speed, token, switches));
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, tls, Arc::clone(&shared)));
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

    /// Looks at or changes the world, brought up to the present first. No call gets a response meanwhile.
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

    /// How many calls to `endpoint` were under way at once at the most, from their arrival to their response's last byte.
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
