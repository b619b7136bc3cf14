//! The Cotalker API: four calls, each bounded in time and size, none of which keeps more of a response than it needs.
//!
//! [`ApiClient`] makes them. Below it, `session` has the token, `transport` sends, counts and limits, `pacing` says
//! when a call may start, `sinks` read bodies while they come, and `wire` turns the vendor's JSON into core types.

mod abridge;
pub mod call;
mod connections;
pub mod credentials;
mod decoding;
mod error;
mod fetched;
mod http_client;
mod nesting;
pub(crate) mod options;
mod pacing;
mod proxy;
mod reuse;
mod session;
mod settings;
mod sinks;
pub mod stream;
mod tls_error;
mod transport;
pub mod wire;

use std::sync::Arc;

use delivery_ledger::fleet::{EntityTag, Listed};
use delivery_ledger::{History, Ledger, LogResponse, Policy, ServerTime, Webhook, WebhookId, baseline};
use http::header::IF_NONE_MATCH;
use http::{HeaderValue, Method};
use tokio::time::Instant;

pub use self::error::CallError;
pub use self::fetched::{Fetched, Listing};
pub use self::http_client::BuildError;
pub use self::options::TOKEN_VARIABLE;
pub use self::settings::ApiSettings;

use self::call::{CallResult, Endpoint};
use self::session::Session;
use self::sinks::{ListSink, LogSink, Sink, WebhookSink};
use self::transport::{Opened, Transport, lock};
use crate::secret::Secret;
use crate::telemetry::Instruments;

/// A client of the API, with one account.
#[derive(Debug)]
pub struct ApiClient {
    identity: String,
    session: Session,
    transport: Transport,
}

impl ApiClient {
    /// A client that makes no call yet.
    ///
    /// # Errors
    ///
    /// If TLS cannot be set up: the system has no CAs and none was given, or those given are broken.
    pub fn new(settings: ApiSettings, instruments: Arc<Instruments>) -> Result<Self, BuildError> {
        let transport = Transport::new(&settings, instruments)?;
        Ok(Self { identity: settings.identity(), session: Session::new(settings.credentials), transport })
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
    pub async fn list(&self, tag: Option<&EntityTag>) -> Result<Fetched<Listing>, CallError> {
        let path = "/api/v3/webhook/subscription";
        self.fetch(Endpoint::List, path, tag, |_| ListSink::default()).await
    }

    /// One webhook.
    ///
    /// # Errors
    ///
    /// If the call fails, or the response is not this webhook.
    pub async fn webhook(&self, id: WebhookId) -> Result<Fetched<Webhook>, CallError> {
        let path = format!("/api/v3/webhook/subscription/{id}");
        self.fetch(Endpoint::Webhook, &path, None, |_| WebhookSink::of(id)).await
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
        tag: Option<&EntityTag>,
        ledger: &Ledger,
        listed: Option<Listed>,
        policy: &Policy,
    ) -> Result<Fetched<LogResponse>, CallError> {
        let path = format!("/api/v3/webhook/subscription/logs/{id}");
        let reading = |now: ServerTime| match listed {
            Some(Listed { at, came_at }) => {
                let listed_at = lock(&self.transport.clock).revise(at, came_at);
                ledger.read_from(baseline::first_start(History::Ignore, listed_at), now, policy)
            }
            None => ledger.read(now, policy),
        };
        self.fetch(Endpoint::Logs, &path, tag, |now| LogSink::of(id, reading(now))).await
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

    /// One `GET`, with a new token and a second try if the first token is refused. `sink` is made when the head of the
    /// response has come, and gets the server's time.
    async fn fetch<S: Sink>(
        &self,
        endpoint: Endpoint,
        path: &str,
        tag: Option<&EntityTag>,
        sink: impl FnOnce(ServerTime) -> S,
    ) -> Result<Fetched<S::Value>, CallError> {
        let (token, generation) = self.session.token(&self.transport).await?;
        let mut opened = self.get(endpoint, path, tag, token).await;
        if let Err(refused) = &opened
            && refused.result == CallResult::Unauthorized
            && let Some(token) = self.session.renew(generation, &self.transport).await?
        {
            opened = self.get(endpoint, path, tag, Some(token)).await;
        }
        match opened? {
            Opened::NotModified { server_time } => Ok(Fetched::NotModified { server_time }),
            Opened::Body(body) => {
                let (server_time, tag) = (body.server_time, body.tag());
                let value = self.transport.drain(body, sink(server_time)).await?;
                Ok(Fetched::Fresh { value, tag, server_time })
            }
        }
    }

    async fn get(
        &self,
        endpoint: Endpoint,
        path: &str,
        tag: Option<&EntityTag>,
        token: Option<Secret>,
    ) -> Result<Opened, CallError> {
        let mut request = self.transport.request(Method::GET, path);
        if let Some(token) = token {
            request = request.bearer_auth(token.expose());
        }
        if let Some(header) = tag.and_then(|EntityTag(bytes)| HeaderValue::from_bytes(bytes).ok()) {
            request = request.header(IF_NONE_MATCH, header);
        }
        self.transport.send(endpoint, request, tag.is_some()).await
    }
}
