//! The company with its webhooks: the world that tests set up, advance and look at.

use std::collections::HashMap;

use delivery_ledger::{Action, ObjectId, UnixMillis, WebhookId};

use super::ids::{object_id, process_of};
use super::log::LoggedAttempt;
use super::receiver::Receiver;
use super::spec::WebhookSpec;
use super::truth::Truth;
use super::webhook::SimulatedWebhook;

/// The company with its webhooks.
#[derive(Debug)]
pub struct World {
    seed: u64,
    now: UnixMillis,
    company: ObjectId,
    webhooks: Vec<SimulatedWebhook>,
    places: HashMap<WebhookId, usize>,
    history_limit: usize,
}

impl World {
    /// A company without webhooks at this point in time.
    #[must_use]
    pub fn new(now: UnixMillis, seed: u64) -> Self {
        let company = object_id(UnixMillis::from_secs(1_650_000_000), process_of(seed, 0), 0);
        Self { seed, now, company, webhooks: Vec::new(), places: HashMap::new(), history_limit: usize::MAX }
    }

    /// Keeps at least the newest `attempts` of each webhook and forgets older ones sooner or later, so that a long demo
    /// does not grow. Without it everything is kept.
    #[must_use]
    pub const fn with_history_limit(mut self, attempts: usize) -> Self {
        self.history_limit = attempts;
        self
    }

    /// The simulated time.
    #[must_use]
    pub const fn now(&self) -> UnixMillis {
        self.now
    }

    /// The company's id.
    #[must_use]
    pub const fn company(&self) -> ObjectId {
        self.company
    }

    pub(crate) const fn seed(&self) -> u64 {
        self.seed
    }

    /// Adds a webhook that exists from now on.
    pub fn add(&mut self, spec: WebhookSpec) -> WebhookId {
        self.add_since(spec, self.now)
    }

    /// Adds a webhook that has existed `since` then, with all that it did up to now.
    pub fn add_since(&mut self, spec: WebhookSpec, since: UnixMillis) -> WebhookId {
        let place = self.webhooks.len();
        let mut webhook = SimulatedWebhook::new(self.seed, place, spec, since.min(self.now));
        webhook.advance_to(self.now, self.history_limit);
        let id = webhook.id;
        self.webhooks.push(webhook);
        self.places.insert(id, place);
        id
    }

    /// Lets time pass up to `now` for every webhook. Time does not go back: an earlier `now` changes nothing.
    pub fn advance_to(&mut self, now: UnixMillis) {
        self.now = self.now.max(now);
        for webhook in &mut self.webhooks {
            webhook.advance_to(self.now, self.history_limit);
        }
    }

    /// Lets so many milliseconds pass.
    pub fn advance_by(&mut self, millis: i64) {
        self.advance_to(self.now.plus_millis(millis));
    }

    /// Lets time pass for one webhook only, the others to follow: what keeps a log call of one of 10,000 cheap.
    pub(crate) fn advance_one(&mut self, id: WebhookId, now: UnixMillis) {
        if let Some(&place) = self.places.get(&id) {
            self.webhooks[place].advance_to(now.max(self.now), self.history_limit);
        }
    }

    /// Changes anything of a webhook, as of now.
    ///
    /// # Panics
    ///
    /// If the world has no such webhook.
    pub fn change(&mut self, id: WebhookId, change: impl FnOnce(&mut WebhookSpec)) {
        let now = self.now;
        let limit = self.history_limit;
        let webhook = self.known_mut(id);
        webhook.advance_to(now, limit);
        webhook.change(now, change);
    }

    /// Gives a webhook another receiver.
    ///
    /// # Panics
    ///
    /// If the world has no such webhook.
    pub fn set_receiver(&mut self, id: WebhookId, receiver: Receiver) {
        self.change(id, |spec| spec.receiver = receiver);
    }

    /// Takes a webhook out of the API (the list leaves it out, its id is unknown) or puts it back. Behind the API it
    /// goes on as before.
    ///
    /// # Panics
    ///
    /// If the world has no such webhook.
    pub fn set_listed(&mut self, id: WebhookId, listed: bool) {
        self.known_mut(id).listed = listed;
    }

    /// Makes `events` events of this action happen now, whatever the webhook's rate; none if it is not active.
    ///
    /// # Panics
    ///
    /// If the world has no such webhook.
    pub fn emit(&mut self, id: WebhookId, action: Action, events: usize) {
        let now = self.now;
        let webhook = self.known_mut(id);
        for _ in 0..events {
            webhook.happen(now, Some(action));
        }
    }

    /// The ids of all webhooks, unlisted ones included, in the order of their making.
    #[must_use]
    pub fn ids(&self) -> Vec<WebhookId> {
        self.webhooks.iter().map(|webhook| webhook.id).collect()
    }

    /// The webhook with this code; the first one of several.
    #[must_use]
    pub fn id_of(&self, code: &str) -> Option<WebhookId> {
        self.webhooks.iter().find(|webhook| webhook.spec.code == code).map(|webhook| webhook.id)
    }

    /// What a webhook is like now.
    ///
    /// # Panics
    ///
    /// If the world has no such webhook.
    #[must_use]
    pub fn spec(&self, id: WebhookId) -> &WebhookSpec {
        &self.known(id).spec
    }

    /// A webhook's log, oldest attempt first, whatever the API shows of it.
    ///
    /// # Panics
    ///
    /// If the world has no such webhook.
    #[must_use]
    pub fn attempts(&self, id: WebhookId) -> &[LoggedAttempt] {
        self.known(id).history()
    }

    /// How many of a webhook's events wait behind the one that is being sent.
    ///
    /// # Panics
    ///
    /// If the world has no such webhook.
    #[must_use]
    pub fn queued(&self, id: WebhookId) -> usize {
        self.known(id).queued()
    }

    /// What an exporter has to show for the attempts that were logged after `since`.
    ///
    /// # Panics
    ///
    /// If the world has no such webhook.
    #[must_use]
    pub fn truth(&self, id: WebhookId, since: UnixMillis) -> Truth {
        Truth::of(self.attempts(id).iter().filter(|attempt| attempt.at > since))
    }

    pub(crate) fn listed(&self) -> impl Iterator<Item = &SimulatedWebhook> {
        self.webhooks.iter().filter(|webhook| webhook.listed)
    }

    pub(crate) fn find(&self, id: WebhookId) -> Option<&SimulatedWebhook> {
        self.places.get(&id).map(|&place| &self.webhooks[place])
    }

    fn known(&self, id: WebhookId) -> &SimulatedWebhook {
        self.find(id).unwrap_or_else(|| panic!("the simulated world has no webhook {id}"))
    }

    fn known_mut(&mut self, id: WebhookId) -> &mut SimulatedWebhook {
        match self.places.get(&id) {
            Some(&place) => &mut self.webhooks[place],
            None => panic!("the simulated world has no webhook {id}"),
        }
    }
}
