//! The simulated Cotalker without its API: webhooks, what happens in the company, and the delivery of it. No I/O and no
//! clock: time passes when [`World::advance_to`] says so, and the same seed and calls give the same world.
//!
//! Per webhook, in strict order: the next event is sent only after the one before it is settled; a failed attempt is
//! tried again 30 s later, `retry` running 0…3; after that the event is lost. An attempt is logged, and dated, when it
//! *ends*. Webhooks have their own streams of chance, so that adding or changing one leaves the others as they were.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use delivery_ledger::{Action, AttemptId, ObjectId, UnixMillis, WebhookId};

use super::receiver::{Dice, Receiver, Reply, SECRET_MARKER, Site, Verdict};

/// The `retry` of an event's last attempt. Source: the documented example, whose last entry says 3.
pub const MAX_RETRY: u32 = 3;

/// How long after a failed attempt the next one starts, in milliseconds. Source: the API's documentation.
pub const RETRY_AFTER_MS: i64 = 30_000;

/// What sets a webhook off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// Users.
    User,
    /// Work orders.
    Task,
    /// Forms that were filled in.
    Survey,
    /// Properties.
    Property,
    /// Notes.
    Note,
    /// Logouts.
    Logout,
    /// A trigger that is not documented (yet).
    Unknown,
}

impl Trigger {
    /// Every documented trigger.
    pub const DOCUMENTED: [Self; 6] = [Self::User, Self::Task, Self::Survey, Self::Property, Self::Note, Self::Logout];

    /// Its text in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "create-edit-delete-user",
            Self::Task => "create-edit-delete-task",
            Self::Survey => "create-edit-delete-survey",
            Self::Property => "create-edit-delete-property",
            Self::Note => "create-edit-delete-note",
            Self::Logout => "logout-user",
            Self::Unknown => "create-edit-delete-channel",
        }
    }

    /// The `type` of its events.
    #[must_use]
    pub const fn event_type(self) -> &'static str {
        match self {
            Self::User => "COTUser",
            Self::Task => "COTTask",
            Self::Survey => "COTSurvey",
            Self::Property => "COTProperty",
            Self::Note => "COTNote",
            Self::Logout => "Auth",
            Self::Unknown => "COTChannel",
        }
    }
}

/// Times of activity and rest that a webhook goes through over and over, beginning with activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// How long it is active, in milliseconds.
    pub active_ms: i64,
    /// How long it rests, in milliseconds.
    pub resting_ms: i64,
}

/// All of a webhook that can be chosen, and changed later with [`World::change`].
#[derive(Clone, Debug)]
pub struct WebhookSpec {
    /// Its code; Cotalker keeps it unique and not empty, the simulator does not insist.
    pub code: String,
    /// Its name, free text.
    pub name: String,
    /// Its description, if it has one.
    pub description: Option<String>,
    /// What sets it off. Events that are already queued keep the type they had.
    pub trigger: Trigger,
    /// Where it delivers to. Transport errors name its host.
    pub url: String,
    /// How the receiver behaves. An attempt under way ends as it began.
    pub receiver: Receiver,
    /// The mean time between events, in milliseconds (they come 0.5 to 1.5 times as far apart); 0 = none by themselves.
    pub every_ms: i64,
    /// How large a log entry is, in bytes, from and to. The least that an entry needs is about 600 bytes.
    pub entry_bytes: (u32, u32),
    /// Whether it is switched on. While it is not, nothing happens and nothing is sent; what is queued waits.
    pub active: bool,
    /// Switches it on and off by itself.
    pub cycle: Option<Cycle>,
}

impl WebhookSpec {
    /// An active webhook with a healthy receiver and no events by themselves. The receiver's URL carries
    /// [`SECRET_MARKER`] in its user info, path and query, and has the host `hooks.acme.example`.
    #[must_use]
    pub fn new(code: &str, trigger: Trigger) -> Self {
        Self {
            code: code.to_owned(),
            name: format!("{code} webhook"),
            description: None,
            trigger,
            url: url_at("hooks.acme.example"),
            receiver: Receiver::Healthy,
            every_ms: 0,
            // Source: an entry is 1–6 KB, by the API's notes.
            entry_bytes: (1_000, 6_000),
            active: true,
            cycle: None,
        }
    }

    /// With this name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// With this receiver.
    #[must_use]
    pub fn to(mut self, receiver: Receiver) -> Self {
        self.receiver = receiver;
        self
    }

    /// With a receiver at this host (`host` or `host:port`).
    #[must_use]
    pub fn at(mut self, host: &str) -> Self {
        self.url = url_at(host);
        self
    }

    /// With an event every so many milliseconds on average.
    #[must_use]
    pub const fn every_ms(mut self, millis: i64) -> Self {
        self.every_ms = millis;
        self
    }

    /// With log entries of this size, in bytes.
    #[must_use]
    pub const fn entry_bytes(mut self, from: u32, to: u32) -> Self {
        self.entry_bytes = (from, to);
        self
    }
}

fn url_at(host: &str) -> String {
    format!("https://cotalker:{SECRET_MARKER}@{host}/in/{SECRET_MARKER}?key={SECRET_MARKER}")
}

/// Something that happened in the company. The object that it happened to is not kept but made up again, always the
/// same, from `seed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoggedEvent {
    /// Counts the webhook's events from 0: what tells one from another.
    pub number: u64,
    /// The trigger that it set off, which gives its type.
    pub trigger: Trigger,
    /// What happened.
    pub action: Action,
    /// When it happened; unique within the webhook, unless made by [`World::emit`] several times at once.
    pub created_at: UnixMillis,
    /// The id of what it happened to: `data._id`, or `extraData.userId` for a logout.
    pub subject: ObjectId,
    /// What the rest of it is made from.
    pub seed: u64,
}

/// One delivery attempt: one entry of a webhook's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedAttempt {
    /// Its `_id`, whose seconds are those of `at`.
    pub id: AttemptId,
    /// Its `createdAt`: when it ended and was logged. Never the same twice in one webhook.
    pub at: UnixMillis,
    /// Its `status`; 409 for a transport error.
    pub status: Option<u16>,
    /// How many times the event had been tried before.
    pub retry: u32,
    /// The receiver's answer, or the transport error.
    pub response: Arc<str>,
    /// The event that was sent.
    pub event: LoggedEvent,
    /// How it ended, by the receiver's own account.
    pub verdict: Verdict,
    /// Whether it settled the event: delivered or lost, no further attempt.
    pub is_final: bool,
}

/// What an exporter has to show for some attempts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// All attempts.
    pub attempts: u64,
    /// Failed attempts by reason; reasons without any are absent.
    pub failures: BTreeMap<&'static str, u64>,
    /// Receivers' own status codes; transport errors are left out.
    pub responses: BTreeMap<u16, u64>,
    /// Attempts that were not their event's first.
    pub retries: u64,
    /// Distinct events by type and action, as the API spells them.
    pub events: BTreeMap<(&'static str, &'static str), u64>,
    /// Events that were delivered.
    pub delivered: u64,
    /// Events that were given up.
    pub lost: u64,
    /// Events that have been tried and are neither.
    pub pending: u64,
    /// From an event's creation to its delivery, in milliseconds, per delivered event in order of delivery.
    pub delays_ms: Vec<i64>,
}

impl Truth {
    /// What these attempts amount to. An event enters at its first attempt among them, whatever was before.
    pub fn of<'a>(attempts: impl IntoIterator<Item = &'a LoggedAttempt>) -> Self {
        let mut truth = Self::default();
        let mut seen = BTreeSet::new();
        for attempt in attempts {
            let event = &attempt.event;
            truth.attempts += 1;
            truth.retries += u64::from(attempt.retry > 0);
            if let Some(reason) = attempt.verdict.reason() {
                *truth.failures.entry(reason).or_default() += 1;
            }
            if let (Some(status), true) = (attempt.status, attempt.verdict.is_answer()) {
                *truth.responses.entry(status).or_default() += 1;
            }
            if seen.insert(event.number) {
                *truth.events.entry((event.trigger.event_type(), event.action.as_str())).or_default() += 1;
                truth.pending += 1;
            }
            if attempt.is_final {
                truth.pending -= 1;
                if attempt.verdict == Verdict::Taken {
                    truth.delivered += 1;
                    truth.delays_ms.push(attempt.at.millis_since(event.created_at));
                } else {
                    truth.lost += 1;
                }
            }
        }
        truth
    }

    /// All failed attempts.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failures.values().sum()
    }
}

/// The company with its webhooks.
#[derive(Debug)]
pub struct World {
    seed: u64,
    now: UnixMillis,
    company: ObjectId,
    webhooks: Vec<Webhook>,
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

    pub(super) const fn seed(&self) -> u64 {
        self.seed
    }

    /// Adds a webhook that exists from now on.
    pub fn add(&mut self, spec: WebhookSpec) -> WebhookId {
        self.add_since(spec, self.now)
    }

    /// Adds a webhook that has existed `since` then, with all that it did up to now.
    pub fn add_since(&mut self, spec: WebhookSpec, since: UnixMillis) -> WebhookId {
        let place = self.webhooks.len();
        let mut webhook = Webhook::new(self.seed, place, spec, since.min(self.now));
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
    pub(super) fn advance_one(&mut self, id: WebhookId, now: UnixMillis) {
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
        &self.known(id).history
    }

    /// How many of a webhook's events wait behind the one that is being sent.
    ///
    /// # Panics
    ///
    /// If the world has no such webhook.
    #[must_use]
    pub fn queued(&self, id: WebhookId) -> usize {
        self.known(id).queue.len()
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

    pub(super) fn listed(&self) -> impl Iterator<Item = &Webhook> {
        self.webhooks.iter().filter(|webhook| webhook.listed)
    }

    pub(super) fn find(&self, id: WebhookId) -> Option<&Webhook> {
        self.places.get(&id).map(|&place| &self.webhooks[place])
    }

    fn known(&self, id: WebhookId) -> &Webhook {
        self.find(id).unwrap_or_else(|| panic!("the simulated world has no webhook {id}"))
    }

    fn known_mut(&mut self, id: WebhookId) -> &mut Webhook {
        match self.places.get(&id) {
            Some(&place) => &mut self.webhooks[place],
            None => panic!("the simulated world has no webhook {id}"),
        }
    }
}

/// One webhook with its queue and log.
#[derive(Debug)]
pub(super) struct Webhook {
    pub(super) id: WebhookId,
    pub(super) spec: WebhookSpec,
    pub(super) listed: bool,
    site: Site,
    process: [u8; 5],
    happenings: Dice,
    deliveries: Dice,
    next_event_at: Option<UnixMillis>,
    next_turn_at: Option<UnixMillis>,
    queue: VecDeque<LoggedEvent>,
    sending: Option<Sending>,
    history: Vec<LoggedAttempt>,
    forgotten: u64,
    made_events: u64,
    made_ids: u32,
    texts: HashSet<Arc<str>>,
}

/// The event at the head of the queue.
#[derive(Debug)]
struct Sending {
    event: LoggedEvent,
    retry: u32,
    state: State,
}

#[derive(Debug)]
enum State {
    Waiting { until: UnixMillis },
    Trying { until: UnixMillis, reply: Reply },
}

/// What happens next to a webhook. Of several at one moment the first in this order.
enum Step {
    Turn,
    Event,
    Delivery,
}

impl Webhook {
    fn new(seed: u64, place: usize, spec: WebhookSpec, since: UnixMillis) -> Self {
        let number = u64::try_from(place).unwrap_or(u64::MAX);
        let own = mix(seed ^ mix(number.wrapping_add(1)));
        let counter = u32::try_from(place).unwrap_or(u32::MAX);
        let mut webhook = Self {
            id: WebhookId(object_id(since, process_of(seed, 0), counter.wrapping_add(1))),
            site: site_of(&spec.url, own),
            spec,
            listed: true,
            process: process_of(seed, number.wrapping_add(1)),
            happenings: Dice::new(own),
            deliveries: Dice::new(mix(own)),
            next_event_at: None,
            next_turn_at: None,
            queue: VecDeque::new(),
            sending: None,
            history: Vec::new(),
            forgotten: 0,
            made_events: 0,
            made_ids: 0,
            texts: HashSet::new(),
        };
        webhook.plan_event(since);
        webhook.plan_turn(since);
        webhook
    }

    /// The log entry with this number, counted from the first one ever; `None` once it is forgotten.
    pub(super) fn entry(&self, number: u64) -> Option<&LoggedAttempt> {
        usize::try_from(number.checked_sub(self.forgotten)?).ok().and_then(|index| self.history.get(index))
    }

    /// The log with each entry's number, newest first.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = (u64, &LoggedAttempt)> {
        let end = self.forgotten + u64::try_from(self.history.len()).unwrap_or(0);
        (self.forgotten..end).rev().zip(self.history.iter().rev())
    }

    fn change(&mut self, now: UnixMillis, change: impl FnOnce(&mut WebhookSpec)) {
        let before = (self.spec.every_ms, self.spec.active, self.spec.cycle);
        change(&mut self.spec);
        self.site.host = host_of(&self.spec.url);
        if before.0 != self.spec.every_ms {
            self.plan_event(now);
        }
        if before.1 != self.spec.active {
            self.wake(now);
        }
        if before.2 != self.spec.cycle || before.1 != self.spec.active {
            self.plan_turn(now);
        }
    }

    fn advance_to(&mut self, now: UnixMillis, history_limit: usize) {
        while let Some((at, step)) = self.next_step() {
            if at > now {
                break;
            }
            match step {
                Step::Turn => {
                    self.spec.active = !self.spec.active;
                    self.wake(at);
                    self.plan_turn(at);
                }
                Step::Event => {
                    self.happen(at, None);
                    self.plan_event(at);
                }
                Step::Delivery => self.deliver(at),
            }
        }
        // Half as much again, so that forgetting moves the rest rarely.
        if self.history.len() > history_limit.saturating_add(history_limit / 2) {
            let surplus = self.history.len() - history_limit;
            self.history.drain(..surplus);
            self.forgotten += u64::try_from(surplus).unwrap_or(u64::MAX);
        }
    }

    fn next_step(&self) -> Option<(UnixMillis, Step)> {
        let delivery_at = self.sending.as_ref().and_then(|sending| match sending.state {
            State::Waiting { until } => self.spec.active.then_some(until),
            State::Trying { until, .. } => Some(until),
        });
        [(self.next_turn_at, Step::Turn), (self.next_event_at, Step::Event), (delivery_at, Step::Delivery)]
            .into_iter()
            .filter_map(|(at, step)| Some((at?, step)))
            .min_by_key(|(at, _)| *at)
    }

    fn plan_event(&mut self, now: UnixMillis) {
        let every = self.spec.every_ms;
        self.next_event_at =
            (every > 0).then(|| now.plus_millis(self.happenings.between(every / 2, every + every / 2).max(1)));
    }

    fn plan_turn(&mut self, now: UnixMillis) {
        self.next_turn_at = self
            .spec
            .cycle
            .map(|cycle| now.plus_millis(if self.spec.active { cycle.active_ms } else { cycle.resting_ms }.max(1)));
    }

    /// An attempt that fell due while the webhook rested starts when it rests no more.
    fn wake(&mut self, now: UnixMillis) {
        if let Some(Sending { state: State::Waiting { until }, .. }) = &mut self.sending {
            *until = now.max(*until);
        }
    }

    fn happen(&mut self, at: UnixMillis, action: Option<Action>) {
        // Drawn even while the webhook rests: its events do not depend on when it does.
        let (choice, seed) = (self.happenings.between(0, 9), self.happenings.number());
        if !self.spec.active {
            return;
        }
        let action = action.unwrap_or(match (self.spec.trigger, choice) {
            (Trigger::Logout, _) => Action::Logout,
            (_, 0..=2) => Action::Create,
            (_, 3..=8) => Action::Edit,
            (_, _) => Action::Delete,
        });
        let number = self.made_events;
        self.made_events += 1;
        let subject = if action == Action::Create {
            object_id(at, self.process, 0x80_0000 | u32::try_from(number & 0x7f_ffff).unwrap_or(0))
        } else {
            // One of a few dozen that were there before: the same subject comes up in many events.
            let known = i64::try_from(seed % 48).unwrap_or(0);
            object_id(UnixMillis::from_secs(1_650_000_000 + known * 977), self.process, 0x80_0000)
        };
        let event = LoggedEvent { number, trigger: self.spec.trigger, action, created_at: at, subject, seed };
        self.queue.push_back(event);
        if self.sending.is_none() {
            self.send_next(at);
        }
    }

    fn send_next(&mut self, at: UnixMillis) {
        let waiting = State::Waiting { until: at };
        self.sending = self.queue.pop_front().map(|event| Sending { event, retry: 0, state: waiting });
    }

    fn deliver(&mut self, at: UnixMillis) {
        let Some(Sending { event, retry, state }) = self.sending.take() else { return };
        let State::Trying { reply, .. } = state else {
            let reply = self.spec.receiver.reply(&self.site, &mut self.deliveries);
            let until = at.plus_millis(reply.takes_ms.max(1));
            self.sending = Some(Sending { event, retry, state: State::Trying { until, reply } });
            return;
        };
        let is_final = reply.verdict == Verdict::Taken || retry >= MAX_RETRY;
        self.log(at, retry, event, reply, is_final);
        if is_final {
            self.send_next(at);
        } else {
            let state = State::Waiting { until: at.plus_millis(RETRY_AFTER_MS) };
            self.sending = Some(Sending { event, retry: retry + 1, state });
        }
    }

    fn log(&mut self, at: UnixMillis, retry: u32, event: LoggedEvent, reply: Reply, is_final: bool) {
        let id = AttemptId(object_id(at, self.process, self.made_ids & 0x7f_ffff));
        self.made_ids = self.made_ids.wrapping_add(1);
        // Few texts, many entries.
        let response = match self.texts.get(reply.response.as_str()) {
            Some(text) => Arc::clone(text),
            None => {
                let text: Arc<str> = reply.response.into();
                self.texts.insert(Arc::clone(&text));
                text
            }
        };
        self.history.push(LoggedAttempt {
            id,
            at,
            status: reply.status,
            retry,
            response,
            event,
            verdict: reply.verdict,
            is_final,
        });
    }
}

/// Scrambles a number: the output function of SplitMix64 (Steele, Lea and Flood, 2014).
pub(super) const fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The five middle bytes of the ids of process `number`, different for every number: MongoDB's "random value unique to
/// the machine and process".
fn process_of(seed: u64, number: u64) -> [u8; 5] {
    let [_, _, _, bytes @ ..] = (mix(seed) ^ number).to_be_bytes();
    bytes
}

/// The ObjectId of this second, process and counter.
pub(super) fn object_id(at: UnixMillis, process: [u8; 5], counter: u32) -> ObjectId {
    let seconds = u32::try_from(at.as_millis().div_euclid(1_000)).unwrap_or(0);
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&seconds.to_be_bytes());
    bytes[4..9].copy_from_slice(&process);
    bytes[9..].copy_from_slice(&counter.to_be_bytes()[1..]);
    ObjectId::from_bytes(bytes)
}

fn host_of(url: &str) -> String {
    url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

fn site_of(url: &str, own: u64) -> Site {
    // TEST-NET-3 (RFC 5737): nobody's addresses.
    Site { host: host_of(url), address: format!("203.0.113.{}", own % 254 + 1) }
}
