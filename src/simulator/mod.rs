//! A simulated Cotalker on loopback: what the demo, the tests and the benchmarks poll.
//!
//! [`World`] is what happens; this is the API over it, with a switch for every fault that a test wants.

pub mod demo;
pub mod faults;
pub mod payload;
pub mod receiver;
pub mod world;

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures::stream;
use http::header::{AUTHORIZATION, DATE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tower_http::compression::Compression;

pub use self::faults::{Fault, Target};
pub use self::receiver::{Receiver, Reply, SECRET_MARKER, Verdict};
pub use self::world::{LoggedAttempt, Trigger, Truth, WebhookSpec, World};

use self::faults::{Faults, JSON, answer, bend};
use self::world::{Webhook, mix};
use crate::clock;
use crate::delivery::{AttemptId, UnixMillis, WebhookId};
pub use crate::telemetry::Endpoint;

/// The newest entries that a log call gives, unless a test says otherwise.
const DEFAULT_WINDOW: usize = 500;

/// So many calls are remembered one by one.
const REMEMBERED_CALLS: usize = 10_000;

/// Entries are made up in pieces of this size while they are sent.
const CHUNK_BYTES: usize = 64 * 1024;

/// How time passes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// Only when [`Simulator::advance`] says so.
    Manual,
    /// So many times as fast as real time.
    Running(f64),
}

/// What is fixed at the start.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen.
    pub address: SocketAddr,
    /// How time passes.
    pub speed: Speed,
    /// In front of every path, such as `/cotalker`; empty for none.
    pub prefix: String,
    /// Whether answers are compressed for those who accept it.
    pub compresses: bool,
    /// TLS, if it is to be spoken.
    pub tls: Option<Arc<rustls::ServerConfig>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            speed: Speed::Manual,
            prefix: String::new(),
            compresses: false,
            tls: None,
        }
    }
}

/// In which order a log comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As the admin panel shows it.
    #[default]
    NewestFirst,
    /// The other way round.
    OldestFirst,
    /// In none.
    Shuffled,
}

/// What the log call makes of a webhook's log.
#[derive(Clone, Debug)]
pub struct LogShape {
    /// How many of the newest entries it gives.
    pub window: usize,
    /// In which order.
    pub order: Order,
    /// Whether each entry comes twice.
    pub is_doubled: bool,
    /// Entries that it leaves out: late ones, or those that vanish and come back.
    pub hidden: HashSet<AttemptId>,
    /// Whether only an event's last attempt is logged.
    pub only_final: bool,
    /// Further entries in front.
    pub extra: Vec<Value>,
    /// This body instead of everything else.
    pub raw: Option<String>,
}

impl Default for LogShape {
    fn default() -> Self {
        Self {
            window: DEFAULT_WINDOW,
            order: Order::default(),
            is_doubled: false,
            hidden: HashSet::new(),
            only_final: false,
            extra: Vec::new(),
            raw: None,
        }
    }
}

/// Switches that a test turns at any time.
#[derive(Debug)]
pub struct Switches {
    /// The tokens that are let in; none at all lets everyone in.
    pub tokens: HashSet<String>,
    /// E-mail and password that may log in.
    pub account: (String, String),
    /// Whether the tokens may list (else 403).
    pub may_list: bool,
    /// Headers without which a call is answered with 403.
    pub required_headers: Vec<(String, String)>,
    /// Whether the list leaves out inactive webhooks.
    pub hides_inactive: bool,
    /// Whether answers carry an `ETag`.
    pub has_etag: bool,
    /// This body instead of the list.
    pub raw_list: Option<String>,
}

/// A call that was made.
#[derive(Clone, Debug)]
pub struct Call {
    /// What was called.
    pub endpoint: Endpoint,
    /// For which webhook.
    pub webhook: Option<WebhookId>,
    /// With which headers.
    pub headers: HeaderMap,
    /// When.
    pub at: Instant,
}

#[derive(Debug)]
struct State {
    world: World,
    faults: Faults,
    shapes: HashMap<WebhookId, LogShape>,
    switches: Switches,
    calls: VecDeque<Call>,
    totals: HashMap<Endpoint, u64>,
    logins: u64,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    fault_cleared: Notify,
    prefix: String,
    speed: Speed,
    began: (UnixMillis, Instant),
}

/// A running simulated Cotalker; it ends when it is dropped.
#[derive(Debug)]
pub struct Simulator {
    shared: Arc<Shared>,
    address: SocketAddr,
    is_tls: bool,
    _tasks: JoinSet<()>,
}

/// The token that is let in at first.
const FIRST_TOKEN: &str = "demo-token";

impl Simulator {
    /// Starts the API over `world`.
    ///
    /// # Errors
    ///
    /// If it cannot listen.
    pub async fn start(world: World, settings: Settings) -> io::Result<Self> {
        let listener = TcpListener::bind(settings.address).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            began: (world.now(), Instant::now()),
            state: Mutex::new(State {
                world,
                faults: Faults::default(),
                shapes: HashMap::new(),
                switches: Switches {
                    tokens: HashSet::from([FIRST_TOKEN.to_owned()]),
                    account: ("exporter@acme.example".to_owned(), "correct horse".to_owned()),
                    may_list: true,
                    required_headers: Vec::new(),
                    hides_inactive: false,
                    has_etag: true,
                    raw_list: None,
                },
                calls: VecDeque::new(),
                totals: HashMap::new(),
                logins: 0,
            }),
            fault_cleared: Notify::new(),
            prefix: settings.prefix,
            speed: settings.speed,
        });
        let mut tasks = JoinSet::new();
        let is_tls = settings.tls.is_some();
        tasks.spawn(accept(listener, Arc::clone(&shared), settings.compresses, settings.tls));
        Ok(Self { shared, address, is_tls, _tasks: tasks })
    }

    /// What to give as `--cotalker.base-url`.
    #[must_use]
    pub fn base_url(&self) -> String {
        let scheme = if self.is_tls { "https" } else { "http" };
        format!("{scheme}://{}{}", self.address, self.shared.prefix)
    }

    /// The token that is let in at first.
    #[must_use]
    pub fn token(&self) -> &'static str {
        FIRST_TOKEN
    }

    /// The simulated time.
    #[must_use]
    pub fn now(&self) -> UnixMillis {
        self.shared.now()
    }

    /// Lets time pass, if it does not by itself.
    pub fn advance(&self, time: Duration) {
        lock(&self.shared.state).world.advance_by(i64::try_from(time.as_millis()).unwrap_or(i64::MAX));
    }

    /// Looks into the world, or changes it, as of the simulated time.
    pub fn world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        let now = self.shared.now();
        let mut state = lock(&self.shared.state);
        state.world.advance_to(now);
        look(&mut state.world)
    }

    /// Sets a fault on the next `calls` calls, or until it is cleared.
    pub fn fault(&self, target: Target, fault: Fault, calls: Option<usize>) {
        lock(&self.shared.state).faults.set(target, fault, calls);
    }

    /// Clears the faults of one target, or all.
    pub fn clear(&self, target: Option<Target>) {
        lock(&self.shared.state).faults.clear(target);
        self.shared.fault_cleared.notify_waiters();
    }

    /// Changes what the log call makes of a webhook's log.
    pub fn shape(&self, id: WebhookId, change: impl FnOnce(&mut LogShape)) {
        change(lock(&self.shared.state).shapes.entry(id).or_default());
    }

    /// Turns switches.
    pub fn switch<T>(&self, change: impl FnOnce(&mut Switches) -> T) -> T {
        change(&mut lock(&self.shared.state).switches)
    }

    /// The calls so far, the oldest first; of very many the newest.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.shared.state).calls.iter().cloned().collect()
    }

    /// How many calls of an endpoint there were.
    #[must_use]
    pub fn count(&self, endpoint: Endpoint) -> u64 {
        lock(&self.shared.state).totals.get(&endpoint).copied().unwrap_or(0)
    }
}

impl Shared {
    fn now(&self) -> UnixMillis {
        let (start, began) = self.began;
        match self.speed {
            Speed::Manual => lock(&self.state).world.now(),
            Speed::Running(factor) => {
                let passed = began.elapsed().mul_f64(factor);
                start.plus_millis(i64::try_from(passed.as_millis()).unwrap_or(i64::MAX))
            }
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, compresses: bool, tls: Option<Arc<rustls::ServerConfig>>) {
    let acceptor = tls.map(tokio_rustls::TlsAcceptor::from);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let (shared, acceptor) = (Arc::clone(&shared), acceptor.clone());
                connections.spawn(async move {
                    match acceptor {
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                converse(stream, shared, compresses).await;
                            }
                        }
                        None => converse(stream, shared, compresses).await,
                    }
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn converse<S>(stream: S, shared: Arc<Shared>, compresses: bool)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let io = TokioIo::new(stream);
    // How a client ends its connection is its own affair.
    if compresses {
        let service = tower::service_fn(move |request| handle(Arc::clone(&shared), request));
        let service = TowerToHyperService::new(Compression::new(service));
        let _ = http1::Builder::new().serve_connection(io, service).await;
    } else {
        let service = service_fn(move |request| handle(Arc::clone(&shared), request));
        let _ = http1::Builder::new().serve_connection(io, service).await;
    }
}

/// Answers one call, as the faults in force let it.
async fn handle(shared: Arc<Shared>, request: Request<Incoming>) -> io::Result<Response<Body>> {
    let Some((endpoint, webhook)) = route(&shared.prefix, request.method(), request.uri().path()) else {
        return Ok(refusal(StatusCode::NOT_FOUND));
    };
    let now = shared.now();
    let headers = request.headers().clone();
    let (fault, date_fault) = {
        let mut state = lock(&shared.state);
        match webhook {
            Some(id) => state.world.advance_one(id, now),
            None => state.world.advance_to(now),
        }
        state.remember(endpoint, webhook, &headers);
        state.faults.take(endpoint, webhook)
    };
    let body = match endpoint {
        Endpoint::Login => request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default(),
        Endpoint::List | Endpoint::Webhook | Endpoint::Logs => Bytes::new(),
    };
    let right = respond(&shared, endpoint, webhook, &headers, &body, fault.is_none());
    let mut response = match fault {
        None => right,
        Some(Fault::Hold) => {
            loop {
                let cleared = shared.fault_cleared.notified();
                if !lock(&shared.state).faults.holds(endpoint, webhook) {
                    break;
                }
                cleared.await;
            }
            right
        }
        Some(fault) => bend(fault, right).await?,
    };
    let date = match date_fault {
        Some(Fault::NoDate) => {
            // An empty date is none, and keeps the server from adding its own.
            response.headers_mut().insert(DATE, HeaderValue::from_static(""));
            return Ok(response);
        }
        Some(Fault::DateOffset(millis)) => now.plus_millis(millis),
        _ => now,
    };
    if let Ok(date) = HeaderValue::from_str(&httpdate::fmt_http_date(clock::system_time(date))) {
        response.headers_mut().insert(DATE, date);
    }
    Ok(response)
}

fn route(prefix: &str, method: &Method, path: &str) -> Option<(Endpoint, Option<WebhookId>)> {
    let path = path.strip_prefix(prefix)?;
    if path == "/auth/local" {
        return (method == Method::POST).then_some((Endpoint::Login, None));
    }
    let rest = path.strip_prefix("/api/v3/webhook/subscription").filter(|_| method == Method::GET)?;
    match rest.strip_prefix('/') {
        None => rest.is_empty().then_some((Endpoint::List, None)),
        Some(rest) => match rest.strip_prefix("logs/") {
            Some(id) => Some((Endpoint::Logs, Some(id.parse().ok()?))),
            None => Some((Endpoint::Webhook, Some(rest.parse().ok()?))),
        },
    }
}

fn refusal(status: StatusCode) -> Response<Body> {
    answer(status, JSON, json!({ "message": status.canonical_reason() }).to_string())
}

/// The right answer.
fn respond(
    shared: &Arc<Shared>,
    endpoint: Endpoint,
    webhook: Option<WebhookId>,
    headers: &HeaderMap,
    body: &[u8],
    is_conditional: bool,
) -> Response<Body> {
    let mut state = lock(&shared.state);
    if endpoint == Endpoint::Login {
        return state.log_in(body);
    }
    if let Some(status) = state.refuse(endpoint, headers) {
        return refusal(status);
    }
    let found = webhook.map(|id| state.world.find(id).filter(|webhook| webhook.listed));
    let (tag, response) = match (endpoint, found) {
        (Endpoint::List, _) => {
            let text = state.list();
            (hash(text.as_bytes()), answer(StatusCode::OK, JSON, text))
        }
        (_, None | Some(None)) => return refusal(StatusCode::NOT_FOUND),
        (Endpoint::Logs, Some(Some(webhook))) => {
            let shape = state.shapes.get(&webhook.id).cloned().unwrap_or_default();
            if let Some(raw) = shape.raw {
                (hash(raw.as_bytes()), answer(StatusCode::OK, JSON, raw))
            } else {
                let numbers = choose(webhook, &shape, state.world.seed());
                let tag = hash(format!("{numbers:?}{:?}", shape.extra).as_bytes());
                (tag, answer(StatusCode::OK, JSON, log_body(shared, webhook.id, numbers, shape.extra)))
            }
        }
        (_, Some(Some(webhook))) => {
            let text = payload::webhook(webhook, state.world.company()).to_string();
            (hash(text.as_bytes()), answer(StatusCode::OK, JSON, text))
        }
    };
    if !state.switches.has_etag {
        return response;
    }
    // Weak, as Express makes it.
    let tag = format!("W/\"{tag:x}\"");
    let mut response = match headers.get(IF_NONE_MATCH) {
        Some(given) if is_conditional && given.as_bytes() == tag.as_bytes() => {
            let mut unchanged = Response::new(Body::empty());
            *unchanged.status_mut() = StatusCode::NOT_MODIFIED;
            unchanged
        }
        _ => response,
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

/// The numbers of the entries that a log call gives, in its order.
fn choose(webhook: &Webhook, shape: &LogShape, seed: u64) -> Vec<u64> {
    let shown = webhook
        .newest_first()
        .filter(|(_, attempt)| !shape.hidden.contains(&attempt.id) && (!shape.only_final || attempt.is_final));
    let mut numbers: Vec<u64> = shown.map(|(number, _)| number).take(shape.window).collect();
    if shape.is_doubled {
        numbers = numbers.iter().flat_map(|number| [*number, *number]).collect();
    }
    match shape.order {
        Order::NewestFirst => {}
        Order::OldestFirst => numbers.reverse(),
        Order::Shuffled => numbers.sort_by_key(|number| mix(seed ^ *number)),
    }
    numbers
}

/// A log, made up while it is sent, so that even a large one is never held.
fn log_body(shared: &Arc<Shared>, id: WebhookId, numbers: Vec<u64>, extra: Vec<Value>) -> Body {
    let shared = Arc::clone(shared);
    let mut numbers = numbers.into_iter();
    let mut extra = extra.into_iter();
    let mut text = vec![b'['];
    let mut is_first = true;
    let mut has_ended = false;
    Body::from_stream(stream::iter(std::iter::from_fn(move || {
        if has_ended {
            return None;
        }
        let mut separate = |text: &mut Vec<u8>| {
            if !std::mem::take(&mut is_first) {
                text.push(b',');
            }
        };
        for value in extra.by_ref() {
            separate(&mut text);
            text.extend_from_slice(value.to_string().as_bytes());
        }
        let state = lock(&shared.state);
        while text.len() < CHUNK_BYTES {
            let Some(number) = numbers.next() else {
                text.push(b']');
                has_ended = true;
                break;
            };
            let Some(webhook) = state.world.find(id) else { continue };
            let Some(attempt) = webhook.entry(number) else { continue };
            separate(&mut text);
            payload::write_entry(&mut text, attempt, id.0, state.world.company(), webhook.spec.entry_bytes);
        }
        Some(Ok::<_, io::Error>(Bytes::from(std::mem::take(&mut text))))
    })))
}

impl State {
    fn remember(&mut self, endpoint: Endpoint, webhook: Option<WebhookId>, headers: &HeaderMap) {
        *self.totals.entry(endpoint).or_default() += 1;
        if self.calls.len() >= REMEMBERED_CALLS {
            self.calls.pop_front();
        }
        self.calls.push_back(Call { endpoint, webhook, headers: headers.clone(), at: Instant::now() });
    }

    /// The status with which a call is not let in.
    fn refuse(&self, endpoint: Endpoint, headers: &HeaderMap) -> Option<StatusCode> {
        let switches = &self.switches;
        let token = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        if !switches.tokens.is_empty() && !token.is_some_and(|token| switches.tokens.contains(token)) {
            return Some(StatusCode::UNAUTHORIZED);
        }
        let has = |name: &str, value: &str| headers.get(name).is_some_and(|given| given == value);
        let has_all = switches.required_headers.iter().all(|(name, value)| has(name, value));
        let may = has_all && (switches.may_list || endpoint != Endpoint::List);
        (!may).then_some(StatusCode::FORBIDDEN)
    }

    fn log_in(&mut self, body: &[u8]) -> Response<Body> {
        let given: Value = serde_json::from_slice(body).unwrap_or_default();
        let (email, password) = &self.switches.account;
        if given["email"] != email.as_str() || given["password"] != password.as_str() {
            return refusal(StatusCode::UNAUTHORIZED);
        }
        self.logins += 1;
        let token = format!("eyJhbGciOiJIUzI1NiJ9.{}.{SECRET_MARKER}", self.logins);
        self.switches.tokens.insert(token.clone());
        answer(StatusCode::OK, JSON, json!({ "token": token }).to_string())
    }

    fn list(&self) -> String {
        if let Some(raw) = &self.switches.raw_list {
            return raw.clone();
        }
        let shown = self.world.listed().filter(|webhook| webhook.spec.active || !self.switches.hides_inactive);
        Value::Array(shown.map(|webhook| payload::webhook(webhook, self.world.company())).collect()).to_string()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
