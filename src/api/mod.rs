//! The Cotalker API: four calls, each bounded in time and size, none of which keeps more of a response than it needs.
//!
//! [`ApiClient`] makes them. Below it, `session` has the token, `transport` sends, counts and limits, `pacing` says
//! when a call may start, `sinks` read bodies while they come, and `wire` turns the vendor's JSON into core types.

mod abridge;
mod advice;
mod arriving;
pub mod call;
mod cause;
mod connections;
pub mod credentials;
mod decoding;
mod digester;
mod error;
mod fetched;
mod http_client;
mod lock;
pub mod log_entries;
mod masks;
mod nesting;
pub(crate) mod options;
mod pacing;
mod proxy;
mod reuse;
mod session;
mod settings;
mod sinks;
pub mod stream;
mod system_error;
mod tls_error;
mod token_expiry;
mod transport;
pub mod wire;

use std::sync::Arc;

use delivery_ledger::fleet::{BodyMark, Listed, ResponseMark};
use delivery_ledger::{
    History, Ledger, LogFacts, LogResponse, LogSurvey, Policy, ServerTime, Webhook, WebhookId, baseline,
};
use http::header::IF_NONE_MATCH;
use http::{HeaderValue, Method};
use tokio::time::Instant;

pub use self::advice::Advice;
pub use self::cause::{Cause, Malformation, ProxyProblem};
pub use self::error::CallError;
pub use self::fetched::{Fetched, Listing, Revalidation, Transfer};
pub use self::http_client::BuildError;
pub use self::options::TOKEN_VARIABLE;
pub use self::settings::ApiSettings;
pub use self::system_error::SystemError;
pub use self::tls_error::{CertificateProblem, TlsProblem};

use self::call::{CallResult, Endpoint};
use self::digester::DigestKey;
use self::lock::lock;
use self::session::Session;
use self::sinks::{ListSink, LogSink, Sink, SurveySink, WebhookSink};
use self::transport::{Body, Opened, Recognised, Transport};
use crate::secret::Secret;
use crate::telemetry::Instruments;

/// A client of the API, with one account.
#[derive(Debug)]
pub struct ApiClient {
    identity: String,
    calls_per_second: f64,
    session: Session,
    transport: Transport,
    digest_key: DigestKey,
}

/// What a call knows of the response before.
#[derive(Clone, Copy)]
enum Known<'mark> {
    /// It is not to be known again.
    Never,
    /// It is, by this; there was none before if it is nothing.
    By(Option<&'mark ResponseMark>),
}

impl<'mark> Known<'mark> {
    fn etag(self) -> Option<&'mark [u8]> {
        match self {
            Self::By(Some(mark)) => mark.etag.as_deref(),
            Self::By(None) | Self::Never => None,
        }
    }
}

impl ApiClient {
    /// A client that makes no call yet.
    ///
    /// # Errors
    ///
    /// If TLS cannot be set up: the system has no CAs and none was given, or those given are broken.
    pub fn new(settings: ApiSettings, instruments: Arc<Instruments>) -> Result<Self, BuildError> {
        let transport = Transport::new(&settings, instruments)?;
        let (identity, calls_per_second) = (settings.identity(), settings.calls_per_second);
        Ok(Self {
            identity,
            calls_per_second,
            session: Session::new(settings.credentials),
            transport,
            digest_key: DigestKey::random(),
        })
    }

    /// How many calls per second it makes at most; 0 for no limit.
    #[must_use]
    pub fn calls_per_second(&self) -> f64 {
        self.calls_per_second
    }

    /// What this client reads: the API's URL and the company.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// All webhooks that the token can see.
    ///
    /// # Errors
    ///
    /// If the call fails, or the response is not an array that ended well.
    pub async fn list(&self, known: Option<&ResponseMark>) -> Result<Fetched<Listing>, CallError> {
        let path = "/api/v3/webhook/subscription";
        self.fetch(Endpoint::List, path, Known::By(known), |_| ListSink::default()).await
    }

    /// One webhook.
    ///
    /// # Errors
    ///
    /// If the call fails, or the response is not this webhook.
    pub async fn webhook(&self, id: WebhookId) -> Result<Fetched<Webhook>, CallError> {
        let path = format!("/api/v3/webhook/subscription/{id}");
        self.fetch(Endpoint::Webhook, &path, Known::Never, |_| WebhookSink::of(id)).await
    }

    /// The log of one webhook, read against its ledger, entry by entry. A ledger that has taken in no response yet starts
    /// at what was `listed`, if that is given.
    ///
    /// # Errors
    ///
    /// If the call fails, or the response is not an array that ended well. Nothing may be counted then.
    pub async fn logs(
        &self,
        id: WebhookId,
        known: Option<&ResponseMark>,
        ledger: &Ledger,
        listed: Option<Listed>,
        policy: &Policy,
    ) -> Result<Fetched<LogResponse>, CallError> {
        let reading = |now: ServerTime| match listed {
            Some(Listed { at, came_at }) => {
                let listed_at = lock(&self.transport.clock).revise(at, came_at);
                ledger.read_from(baseline::first_start(History::Ignore, listed_at), now, policy)
            }
            None => ledger.read(now, policy),
        };
        self.fetch(Endpoint::Logs, &log_path(id), Known::By(known), |now| LogSink::of(id, reading(now))).await
    }

    /// The log of one webhook, read against a ledger, and what it shows of how the API writes logs.
    ///
    /// # Errors
    ///
    /// As [`ApiClient::logs`].
    pub async fn survey(
        &self,
        id: WebhookId,
        ledger: &Ledger,
        policy: &Policy,
    ) -> Result<Fetched<(LogResponse, LogFacts)>, CallError> {
        let sink =
            |now: ServerTime| SurveySink::of(LogSink::of(id, ledger.read(now, policy)), LogSurvey::new(now.likely()));
        self.fetch(Endpoint::Logs, &log_path(id), Known::Never, sink).await
    }

    /// Asks for the log of one webhook once more, unless it is still the one that came with `etag`. Reads no body.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn revalidate(&self, id: WebhookId, etag: &[u8]) -> Result<Revalidation, CallError> {
        Ok(match self.open(Endpoint::Logs, &log_path(id), Some(etag)).await? {
            Opened::NotModified { .. } => Revalidation::NotModified,
            Opened::Body(body) => {
                let is_same = body.etag().as_deref() == Some(etag);
                self.transport.leave(body);
                if is_same { Revalidation::Ignored } else { Revalidation::Changed }
            }
        })
    }

    /// Until when all calls pause, if a pause is in force at `now`.
    #[must_use]
    pub fn paused_until(&self, now: Instant) -> Option<Instant> {
        self.transport.pacing.paused_until(now)
    }

    /// Before the next call the files that calls depend on are read again, and new connections are made.
    pub fn renew_connections(&self) {
        self.transport.connections.renew();
    }

    /// One `GET`. `sink` is made when the head of the response has come, and gets the server's time. One more if the body is
    /// taken for the one before until it is too late to read it.
    async fn fetch<S: Sink>(
        &self,
        endpoint: Endpoint,
        path: &str,
        known: Known<'_>,
        sink: impl FnOnce(ServerTime) -> S,
    ) -> Result<Fetched<S::Value>, CallError> {
        let body = match self.open(endpoint, path, known.etag()).await? {
            Opened::NotModified { server_time } => return Ok(Fetched::NotModified { server_time }),
            Opened::Body(body) => body,
        };
        let (server_time, etag) = (body.server_time, body.etag());
        // The API says by itself what has changed, unless it has no `ETag`, or sends the same response with the same one.
        let is_told = etag.as_deref() != known.etag();
        let before = match known {
            Known::Never => return self.read(body, sink, None).await,
            Known::By(mark) => mark.and_then(|mark| mark.body.as_ref()),
        };
        match before {
            Some(BodyMark::ReadWhole) => self.read(body, sink, Some(BodyMark::ReadWhole)).await,
            _ if is_told => self.read(body, sink, None).await,
            None => self.read(body.digested(self.digest_key), sink, None).await,
            Some(BodyMark::Digests(digests)) => {
                match self.transport.recognise(body.digested(self.digest_key), digests).await? {
                    Recognised::Same => Ok(Fetched::NotModified { server_time }),
                    Recognised::Other(body) => self.read(*body, sink, None).await,
                    Recognised::TooLate => match self.open(endpoint, path, None).await? {
                        Opened::NotModified { .. } => Err(CallError::not_conditional()),
                        Opened::Body(body) => self.read(body, sink, Some(BodyMark::ReadWhole)).await,
                    },
                }
            }
        }
    }

    /// Reads a body, which is known by `mark`, or by its digests if they are made.
    async fn read<S: Sink>(
        &self,
        body: Body,
        sink: impl FnOnce(ServerTime) -> S,
        mark: Option<BodyMark>,
    ) -> Result<Fetched<S::Value>, CallError> {
        let (server_time, etag) = (body.server_time, body.etag());
        let (value, transfer, digests) = self.transport.drain(body, sink(server_time)).await?;
        let body = mark.or_else(|| Some(BodyMark::Digests(Arc::new(digests?))));
        let mark = (etag.is_some() || body.is_some()).then_some(ResponseMark { etag, body });
        Ok(Fetched::Fresh { value, mark, server_time, transfer })
    }

    /// One `GET` up to the head of its response, with a new token and a second try if the first token is refused.
    async fn open(&self, endpoint: Endpoint, path: &str, etag: Option<&[u8]>) -> Result<Opened, CallError> {
        let (token, generation) = self.session.token(&self.transport).await?;
        let mut opened = self.get(endpoint, path, etag, token).await;
        if let Err(refused) = &opened
            && refused.result == CallResult::Unauthorized
            && let Some(token) = self.session.renew(generation, &self.transport).await?
        {
            opened = self.get(endpoint, path, etag, Some(token)).await;
        }
        opened
    }

    async fn get(
        &self,
        endpoint: Endpoint,
        path: &str,
        etag: Option<&[u8]>,
        token: Option<Secret>,
    ) -> Result<Opened, CallError> {
        let mut request = self.transport.request(Method::GET, path);
        if let Some(token) = token {
            request = request.bearer_auth(token.expose());
        }
        if let Some(header) = etag.and_then(|bytes| HeaderValue::from_bytes(bytes).ok()) {
            request = request.header(IF_NONE_MATCH, header);
        }
        self.transport.send(endpoint, request, etag.is_some()).await
    }
}

fn log_path(id: WebhookId) -> String {
    format!("/api/v3/webhook/subscription/logs/{id}")
}
