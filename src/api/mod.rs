//! The Cotalker API: four calls, each bounded in time and size, none of which keeps more of an answer than it needs.

pub mod call;
pub mod credentials;
mod error;
mod sinks;
pub mod stream;
pub mod wire;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_CHARSET, AUTHORIZATION, CONTENT_TYPE, DATE, ETAG, IF_NONE_MATCH, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use reqwest::{Certificate, Response};
use tokio::time::Instant;
use url::Url;

pub use self::error::CallError;

use self::call::{CallResult, Endpoint};
use self::credentials::{Credentials, bearer, read_password, read_token};
use self::sinks::{ArrayFraming, ListSink, LogSink, LoginSink, Sink, WebhookSink};
use crate::clock;
use crate::schedule::{Pacer, retry_after};
use crate::secret::Secret;
use crate::telemetry::Instruments;
use delivery_ledger::fleet::EntityTag;
use delivery_ledger::fleet::schedule::backoff;
use delivery_ledger::{Answer, Ledger};
use delivery_ledger::{UnixMillis, Webhook, WebhookId};

/// How to reach the API.
#[derive(Clone, Debug)]
pub struct Config {
    /// The API's root: http or https, a path prefix allowed, nothing behind it.
    pub base_url: Url,
    /// Where the token comes from.
    pub credentials: Credentials,
    /// Sent as the `Company` header.
    pub company: Option<HeaderValue>,
    /// Whether to send `admin: true`.
    pub admin: bool,
    /// PEM of further trusted authorities.
    pub ca_pem: Option<Vec<u8>>,
    /// For one call, from connect to last byte.
    pub timeout: Duration,
    /// The most bytes that a decompressed answer may have.
    pub max_response_bytes: u64,
    /// The most calls that start in a second; 0 = no limit.
    pub calls_per_second: f64,
    /// The time between two polls: what bounds the backoff.
    pub poll_interval: Duration,
    /// Whether to leave the environment's proxy aside, as on the way to loopback.
    pub ignore_proxy: bool,
}

/// What a call brought.
#[derive(Debug)]
pub enum Fetched<T> {
    /// A new answer.
    Fresh {
        /// What it says.
        value: T,
        /// What to ask with next time.
        tag: Option<EntityTag>,
        /// The server's time when it answered.
        server_time: UnixMillis,
    },
    /// The word that the answer is still the one that the validator came with.
    NotModified {
        /// The server's time when it answered.
        server_time: UnixMillis,
    },
}

/// All webhooks that the token can see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Those that could be read.
    pub webhooks: Vec<Webhook>,
    /// How many entries could not.
    pub malformed: usize,
}

/// Idle connections are closed after this long: before Node.js closes them (5 s by default, `server.keepAliveTimeout`),
/// so that no call goes out on a connection that is just being closed.
const POOL_IDLE: Duration = Duration::from_secs(4);

/// The API, with one account.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    credentials: Credentials,
    fixed_headers: HeaderMap,
    timeout: Duration,
    max_response_bytes: u64,
    poll_interval: Duration,
    instruments: Arc<Instruments>,
    pacer: Mutex<Pacer>,
    pause: Mutex<Pause>,
    session: tokio::sync::Mutex<Session>,
}

/// A pause that the API asked for; it is in force for the whole account.
#[derive(Debug, Default)]
struct Pause {
    until: Option<Instant>,
    in_a_row: u32,
}

/// The token in use.
#[derive(Debug, Default)]
struct Session {
    token: Option<Secret>,
    /// Goes up with each new token, so that many calls that are refused at once renew it once.
    generation: u64,
    /// After a refused login: how many in a row, until when not to try again, and with which password.
    refused: Option<(u32, Instant, Secret)>,
    has_unreadable_file: bool,
}

impl Client {
    /// A client that makes no call yet.
    ///
    /// # Errors
    ///
    /// If the TLS configuration is unusable: the system has no authorities and none was given, or those given are broken.
    pub fn new(config: Config, instruments: Arc<Instruments>) -> Result<Self, BuildError> {
        // Both the client and the server side of the process use one provider; a second call changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .pool_idle_timeout(POOL_IDLE)
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")));
        if config.ignore_proxy {
            builder = builder.no_proxy();
        }
        builder = if config.base_url.scheme() == "http" {
            // No TLS will be spoken: a container without any authority must still be able to start.
            builder.tls_certs_only([])
        } else if let Some(pem) = &config.ca_pem {
            let authorities = Certificate::from_pem_bundle(pem).map_err(BuildError::Authorities)?;
            if authorities.is_empty() {
                return Err(BuildError::NoAuthority);
            }
            builder.tls_certs_merge(authorities)
        } else {
            builder
        };
        let mut fixed_headers = HeaderMap::new();
        fixed_headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(company) = config.company {
            fixed_headers.insert(HeaderName::from_static("company"), company);
        }
        if config.admin {
            fixed_headers.insert(HeaderName::from_static("admin"), HeaderValue::from_static("true"));
        }
        Ok(Self {
            http: builder.build().map_err(BuildError::Client)?,
            base: config.base_url.as_str().trim_end_matches('/').to_owned(),
            credentials: config.credentials,
            fixed_headers,
            timeout: config.timeout,
            max_response_bytes: config.max_response_bytes,
            poll_interval: config.poll_interval,
            instruments,
            pacer: Mutex::new(Pacer::new(config.calls_per_second)),
            pause: Mutex::default(),
            session: tokio::sync::Mutex::default(),
        })
    }

    /// All webhooks that the token can see.
    ///
    /// # Errors
    ///
    /// If the call fails, or its answer is no array that ended well.
    pub async fn list(&self, validator: Option<&EntityTag>) -> Result<Fetched<Listing>, CallError> {
        let path = "/api/v3/webhook/subscription";
        self.fetch(Endpoint::List, path, validator, |_| ListSink::default()).await
    }

    /// One webhook.
    ///
    /// # Errors
    ///
    /// If the call fails, or its answer is no webhook, or another one.
    pub async fn webhook(&self, id: WebhookId) -> Result<Fetched<Webhook>, CallError> {
        let path = format!("/api/v3/webhook/subscription/{id}");
        self.fetch(Endpoint::Webhook, &path, None, |_| WebhookSink { id, body: Vec::new() }).await
    }

    /// The delivery log of one webhook, read against its ledger, entry by entry.
    ///
    /// # Errors
    ///
    /// If the call fails, or its answer is no array that ended well. Nothing may be counted then.
    pub async fn logs(
        &self,
        id: WebhookId,
        validator: Option<&EntityTag>,
        ledger: &Ledger,
    ) -> Result<Fetched<Answer>, CallError> {
        let path = format!("/api/v3/webhook/subscription/logs/{id}");
        let sink = |now| LogSink { id, framing: ArrayFraming::default(), reading: ledger.read(now) };
        self.fetch(Endpoint::Logs, &path, validator, sink).await
    }

    /// Until when the API asked for a pause, if that is still in force at `now`.
    #[must_use]
    pub fn paused_until(&self, now: Instant) -> Option<Instant> {
        lock(&self.pause).until.filter(|until| *until > now)
    }

    /// One `GET`, with a new token and a second try if the first is refused.
    async fn fetch<S: Sink>(
        &self,
        endpoint: Endpoint,
        path: &str,
        validator: Option<&EntityTag>,
        sink: impl FnOnce(UnixMillis) -> S,
    ) -> Result<Fetched<S::Value>, CallError> {
        let (token, generation) = self.token().await?;
        let mut opened = self.open(endpoint, path, validator, token).await;
        if let Err(refused) = &opened
            && refused.result == CallResult::Unauthorized
            && let Some(token) = self.renew(generation).await?
        {
            opened = self.open(endpoint, path, validator, Some(token)).await;
        }
        let opened = opened?;
        let server_time = opened.server_time;
        let Some(response) = opened.response else {
            self.record(endpoint, CallResult::NotModified, opened.started, 0);
            return Ok(Fetched::NotModified { server_time });
        };
        // A copy: the header's own bytes keep the whole read buffer in memory.
        let tag = response.headers().get(ETAG).map(|tag| EntityTag(tag.as_bytes().into()));
        let (value, bytes) = self.drain(response, opened.started, sink(server_time)).await;
        self.record(endpoint, value.as_ref().err().map_or(CallResult::Ok, |error| error.result), opened.started, bytes);
        value.map(|value| Fetched::Fresh { value, tag, server_time })
    }

    /// Sends a `GET` and takes the head of its answer. A failure is recorded here, anything else by the caller.
    async fn open(
        &self,
        endpoint: Endpoint,
        path: &str,
        validator: Option<&EntityTag>,
        token: Option<Secret>,
    ) -> Result<Opened, CallError> {
        let mut headers = self.fixed_headers.clone();
        if let Some(header) = token.as_ref().and_then(bearer) {
            headers.insert(AUTHORIZATION, header);
        }
        if let Some(tag) = validator.and_then(|EntityTag(bytes)| HeaderValue::from_bytes(bytes).ok()) {
            headers.insert(IF_NONE_MATCH, tag);
        }
        let request = self.http.request(Method::GET, format!("{}{path}", self.base)).headers(headers);
        self.send(endpoint, request, validator.is_some()).await
    }

    async fn send(
        &self,
        endpoint: Endpoint,
        request: reqwest::RequestBuilder,
        is_conditional: bool,
    ) -> Result<Opened, CallError> {
        self.take_turn().await?;
        let started = Instant::now();
        let outcome = match tokio::time::timeout_at(started + self.timeout, request.send()).await {
            Err(_) => Err(CallError::timed_out(self.timeout)),
            Ok(Err(error)) => Err(CallError::from_transport(error)),
            Ok(Ok(response)) => self.judge_head(response, started, is_conditional),
        };
        if let Err(error) = &outcome {
            self.record(endpoint, error.result, started, 0);
        }
        outcome
    }

    /// Waits until a call may start: for its place in line, and for the end of a pause that began meanwhile. A pause that
    /// lasts longer than a call may is not waited for: whoever makes a single poll wants to be told.
    async fn take_turn(&self) -> Result<(), CallError> {
        loop {
            let turn = lock(&self.pacer).take(Instant::now());
            tokio::time::sleep_until(turn).await;
            let now = Instant::now();
            match self.paused_until(now) {
                None => return Ok(()),
                Some(until) if until > now + self.timeout => return Err(CallError::paused(until - now)),
                Some(until) => tokio::time::sleep_until(until).await,
            }
        }
    }

    fn judge_head(&self, response: Response, started: Instant, is_conditional: bool) -> Result<Opened, CallError> {
        let date = response.headers().get(DATE).and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
        let server_time = date.map_or_else(clock::now, clock::millis);
        let status = response.status();
        self.obey_pause(status, response.headers(), date);
        match status {
            StatusCode::NOT_MODIFIED if is_conditional => Ok(Opened { response: None, server_time, started }),
            _ if status.is_success() => Ok(Opened { response: Some(response), server_time, started }),
            _ => Err(CallError::from_status(status)),
        }
    }

    /// Takes note of a pause that an answer asks for, or that too many calls call for.
    fn obey_pause(&self, status: StatusCode, headers: &HeaderMap, date: Option<SystemTime>) {
        let mut pause = lock(&self.pause);
        let is_rate_limited = status == StatusCode::TOO_MANY_REQUESTS;
        if !is_rate_limited && status != StatusCode::SERVICE_UNAVAILABLE {
            pause.in_a_row = 0;
            return;
        }
        let server_time = date.unwrap_or_else(|| clock::system_time(clock::now()));
        let asked = headers.get(RETRY_AFTER).and_then(|header| retry_after(header.to_str().ok()?, server_time));
        let wait = match asked {
            Some(wait) => wait,
            None if is_rate_limited => {
                pause.in_a_row = pause.in_a_row.saturating_add(1);
                backoff(pause.in_a_row, self.poll_interval, rand::random())
            }
            None => return,
        };
        let until = Instant::now() + wait;
        if pause.until.is_none_or(|other| until > other) {
            pause.until = Some(until);
            self.instruments
                .backing_off_until(clock::now().plus_millis(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)));
            tracing::warn!(seconds = wait.as_secs_f64(), %status, "the API asks for a pause; no call is made until then");
        }
    }

    /// Reads a body into a sink, within the limits of time and size; says how many bytes it had, too.
    async fn drain<S: Sink>(
        &self,
        mut response: Response,
        started: Instant,
        mut sink: S,
    ) -> (Result<S::Value, CallError>, u64) {
        let mut bytes = 0_u64;
        let read = async {
            while let Some(chunk) = response.chunk().await.map_err(CallError::from_transport)? {
                bytes = bytes.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
                if bytes > self.max_response_bytes {
                    return Err(CallError::too_large(self.max_response_bytes));
                }
                sink.feed(&chunk)?;
            }
            sink.finish()
        };
        let value = match tokio::time::timeout_at(started + self.timeout, read).await {
            Ok(value) => value,
            Err(_) => Err(CallError::timed_out(self.timeout)),
        };
        (value, bytes)
    }

    fn record(&self, endpoint: Endpoint, result: CallResult, started: Instant, bytes: u64) {
        self.instruments.call_ended(endpoint, result, started.elapsed().as_secs_f64(), bytes);
    }

    /// The token to call with, and its generation.
    async fn token(&self) -> Result<(Option<Secret>, u64), CallError> {
        let mut session = self.session.lock().await;
        match &self.credentials {
            Credentials::Anonymous => {}
            Credentials::Token(token) => session.token = Some(token.clone()),
            Credentials::TokenFile(path) => {
                session.read_file(path);
            }
            Credentials::Login { email, password_file } => {
                if session.token.is_none() {
                    self.login(&mut session, email, password_file).await?;
                }
            }
        }
        Ok((session.token.clone(), session.generation))
    }

    /// A token other than that of `generation`, which was refused; `None` if there is none.
    async fn renew(&self, generation: u64) -> Result<Option<Secret>, CallError> {
        let mut session = self.session.lock().await;
        if session.generation == generation {
            match &self.credentials {
                Credentials::Anonymous | Credentials::Token(_) => return Ok(None),
                Credentials::TokenFile(path) => {
                    if !session.read_file(path) {
                        return Ok(None);
                    }
                }
                Credentials::Login { email, password_file } => {
                    session.token = None;
                    self.login(&mut session, email, password_file).await?;
                }
            }
        }
        Ok(session.token.clone())
    }

    /// Logs in. After a refusal it waits longer and longer before it tries the same password again: an account that
    /// is locked for too many tries would help nobody.
    async fn login(
        &self,
        session: &mut Session,
        email: &str,
        password_file: &std::path::Path,
    ) -> Result<(), CallError> {
        let password = read_password(password_file).map_err(CallError::from_secret)?;
        let mut refusals = 0;
        if let Some((in_a_row, until, refused)) = &session.refused
            && *refused == password
        {
            if Instant::now() < *until {
                return Err(CallError::login_refused());
            }
            refusals = *in_a_row;
        }
        let body = serde_json::json!({ "email": email, "password": password.expose() }).to_string();
        let request = self
            .http
            .request(Method::POST, format!("{}/auth/local", self.base))
            .headers(self.fixed_headers.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT_CHARSET, "utf-8")
            .body(Bytes::from(body));
        let outcome = async {
            let opened = self.send(Endpoint::Login, request, false).await?;
            let Some(response) = opened.response else { return Err(CallError::login_refused()) };
            let (token, bytes) = self.drain(response, opened.started, LoginSink { body: Vec::new() }).await;
            let result = token.as_ref().err().map_or(CallResult::Ok, |error| error.result);
            self.record(Endpoint::Login, result, opened.started, bytes);
            token
        };
        match outcome.await {
            Ok(token) => {
                session.token = Some(token);
                session.generation += 1;
                session.refused = None;
                tracing::debug!("logged in");
                Ok(())
            }
            Err(error) => {
                if matches!(error.result, CallResult::Unauthorized | CallResult::Forbidden | CallResult::HttpError) {
                    let in_a_row = refusals + 1;
                    // From 2 s up, and never at once: `random` is at least a half here.
                    let wait = backoff(in_a_row.saturating_add(2), Duration::MAX, 0.5 + rand::random::<f64>() / 2.0);
                    session.refused = Some((in_a_row, Instant::now() + wait, password));
                }
                Err(error.in_login())
            }
        }
    }
}

impl Session {
    /// Reads the token file; says whether it holds another token than before. One that cannot be read changes nothing:
    /// it may be in the middle of being replaced.
    fn read_file(&mut self, path: &std::path::Path) -> bool {
        match read_token(path) {
            Ok(token) => {
                self.has_unreadable_file = false;
                let is_new = self.token.as_ref() != Some(&token);
                if is_new {
                    self.token = Some(token);
                    self.generation += 1;
                }
                is_new
            }
            Err(error) => {
                if !std::mem::replace(&mut self.has_unreadable_file, true) {
                    tracing::warn!(%error, "failed to read the token file; going on with the token it held before");
                }
                false
            }
        }
    }
}

/// An answer whose head has come.
struct Opened {
    /// `None` if nothing has changed.
    response: Option<Response>,
    server_time: UnixMillis,
    started: Instant,
}

/// Why no client could be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The PEM of the further authorities is broken.
    #[error("broken PEM: {0}")]
    Authorities(#[source] reqwest::Error),
    /// It holds no certificate.
    #[error("no certificate in it")]
    NoAuthority,
    /// TLS cannot be set up. All that can be wrong by then is that the system has no authorities.
    #[error(
        "no authority to trust: {}; give one in a PEM file, or have the system's in /etc/ssl/certs/ca-certificates.crt",
        root_cause(.0)
    )]
    Client(reqwest::Error),
}

/// What is behind an error that itself says too little.
fn root_cause(error: &reqwest::Error) -> &dyn std::error::Error {
    std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source()).last().unwrap_or(error)
}

/// A mutex that is never held across anything that can panic.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
