//! HTTP calls, each bounded in time and size, paced and counted.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use delivery_ledger::fleet::BodyDigests;
use delivery_ledger::{ServerClock, ServerTime};
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, DATE, ETAG};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use reqwest::{Client, Request, RequestBuilder, Response};
use tokio::time::{Instant, timeout_at};

use super::arriving::{Arriving, Compared};
use super::call::{CallResult, Endpoint};
use super::connections::Connections;
use super::decoding::{self, Decoded};
use super::digester::DigestKey;
use super::error::{CallError, is_closed_connection};
use super::fetched::Transfer;
use super::http_client::BuildError;
use super::lock::lock;
use super::pacing::Pacing;
use super::reuse::note_reuse;
use super::settings::ApiSettings;
use super::sinks::Sink;
use crate::clock;
use crate::telemetry::Instruments;

/// The most bytes of white space that are read in search of the first byte of a response. A convention.
const LONGEST_INDENT: usize = 4 * 1024;

/// The way to the API. It knows nothing of tokens.
#[derive(Debug)]
pub(super) struct Transport {
    /// Only builds requests: calls are made by those of `connections`.
    builder: Client,
    pub(super) connections: Connections,
    base: String,
    fixed_headers: HeaderMap,
    timeout: Duration,
    max_response_bytes: u64,
    instruments: Arc<Instruments>,
    /// What its responses say of the time.
    pub(super) clock: Mutex<ServerClock>,
    pub(super) pacing: Pacing,
}

/// A response whose head has come.
pub(super) enum Opened {
    /// 304.
    NotModified {
        server_time: ServerTime,
    },
    Body(Body),
}

/// The body of a response with a status of success, not read yet.
pub(super) struct Body {
    pub(super) server_time: ServerTime,
    endpoint: Endpoint,
    arriving: Arriving,
    started: Instant,
}

/// A body, held against the one before.
pub(super) enum Recognised {
    /// It is the same.
    Same,
    /// It is another one, to be read.
    Other(Box<Body>),
    /// It is another one, which cannot be read any more.
    TooLate,
}

impl Body {
    pub(super) fn etag(&self) -> Option<Arc<[u8]>> {
        // A copy: the header's own bytes keep the whole read buffer in memory.
        self.arriving.headers().get(ETAG).map(|tag| tag.as_bytes().into())
    }

    /// Digests are to be made of it while it comes.
    pub(super) fn digested(mut self, key: DigestKey) -> Self {
        self.arriving.digest(key);
        self
    }
}

impl Transport {
    pub(super) fn new(settings: &ApiSettings, instruments: Arc<Instruments>) -> Result<Self, BuildError> {
        let connections = Connections::new(settings)?;
        let mut fixed_headers = HeaderMap::new();
        fixed_headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        fixed_headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(decoding::ACCEPTED));
        if let Some(company) = &settings.company {
            fixed_headers.insert(HeaderName::from_static("company"), company.clone());
        }
        if settings.admin {
            fixed_headers.insert(HeaderName::from_static("admin"), HeaderValue::from_static("true"));
        }
        Ok(Self {
            builder: Client::builder().tls_certs_only([]).build().map_err(BuildError::NoTls)?,
            connections,
            base: settings.base_url.as_str().trim_end_matches('/').to_owned(),
            fixed_headers,
            timeout: settings.timeout,
            max_response_bytes: settings.max_response_bytes,
            clock: Mutex::new(ServerClock::new(settings.clock_speed)),
            pacing: Pacing::new(settings.calls_per_second, settings.poll_interval, Arc::clone(&instruments)),
            instruments,
        })
    }

    /// The token in use expires then, in seconds since 1970; `None` if it does not say.
    pub(super) fn token_expires_at(&self, seconds: Option<f64>) {
        self.instruments.token_expires_at(seconds);
    }

    /// A request of `path`, which starts with a slash.
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.builder.request(method, format!("{}{path}", self.base)).headers(self.fixed_headers.clone())
    }

    /// Waits for its turn, sends the request, and takes the head of the response. A call that ends with the head is
    /// counted here, one with a body in [`Transport::drain`].
    pub(super) async fn send(
        &self,
        endpoint: Endpoint,
        request: RequestBuilder,
        is_conditional: bool,
    ) -> Result<Opened, CallError> {
        self.pacing.turn(self.timeout).await?;
        let started = Instant::now();
        let opened = match timeout_at(started + self.timeout, self.execute(request)).await {
            Err(_) => Err(CallError::timed_out(self.timeout)),
            Ok(Err(error)) => Err(error),
            Ok(Ok(mut response)) => {
                let status = response.status();
                let is_intercepted = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
                    && timeout_at(started + self.timeout, is_web_page(&mut response)).await.unwrap_or(false);
                let judged = self.judge_head(endpoint, response, started, is_conditional);
                if is_intercepted { Err(CallError::intercepted(status)) } else { judged }
            }
        };
        match &opened {
            Ok(Opened::Body(_)) => {}
            Ok(Opened::NotModified { .. }) => self.count(endpoint, CallResult::NotModified, started, 0),
            Err(error) => {
                if error.result == CallResult::Tls {
                    self.connections.distrusted();
                }
                self.count(endpoint, error.result, started, 0);
            }
        }
        opened
    }

    /// Sends the request. A `GET` that goes out on a reused connection just as the API closes it ends without a byte of
    /// a response: it is sent once more, on a new connection.
    async fn execute(&self, request: RequestBuilder) -> Result<Response, CallError> {
        let request = request.build().map_err(CallError::from_transport)?;
        let again = if request.method() == Method::GET { request.try_clone() } else { None };
        let client = self.connections.client().await;
        match (note_reuse(client.execute(request)).await, again) {
            ((Err(error), true), Some(again)) if is_closed_connection(&error) => self.execute_again(again, error).await,
            ((response, _), _) => response.map_err(CallError::from_transport),
        }
    }

    async fn execute_again(&self, request: Request, error: reqwest::Error) -> Result<Response, CallError> {
        let Ok(client) = self.connections.unpooled().await else { return Err(CallError::from_transport(error)) };
        tracing::debug!("the API closed the connection during a call; the call is retried once");
        client.execute(request).await.map_err(CallError::from_transport)
    }

    fn judge_head(
        &self,
        endpoint: Endpoint,
        response: Response,
        started: Instant,
        is_conditional: bool,
    ) -> Result<Opened, CallError> {
        let date = response.headers().get(DATE).and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
        let date = date.map(clock::millis);
        let reckoning = lock(&self.clock).reckon(date, clock::moment());
        let server_time = reckoning.time;
        if let Some(date) = date.filter(|_| reckoning.is_news) {
            let seconds_ahead = date.millis_since(server_time.local) / 1_000;
            tracing::warn!(
                seconds_ahead,
                "Date headers of the API disagree; the header that disagrees with most others is ignored"
            );
        }
        let status = response.status();
        let date = date.unwrap_or(server_time.at);
        let retry_after = self.pacing.note(endpoint, status, response.headers(), date);
        match status {
            StatusCode::NOT_MODIFIED if is_conditional => Ok(Opened::NotModified { server_time }),
            _ if status.is_success() => {
                Ok(Opened::Body(Body { server_time, endpoint, arriving: Arriving::of(response), started }))
            }
            _ => Err(CallError::from_status(status).with_retry_after(retry_after)),
        }
    }

    /// Holds a digested body against the one that is known by `known`, within the limit of time. A call whose body is not to
    /// be read after that is counted here.
    pub(super) async fn recognise(&self, body: Body, known: &BodyDigests) -> Result<Recognised, CallError> {
        let Body { server_time, endpoint, arriving, started } = body;
        if !arriving.may_have_length(known.length) {
            return Ok(Recognised::Other(Box::new(Body { server_time, endpoint, arriving, started })));
        }
        let compared = match timeout_at(started + self.timeout, arriving.compare(known)).await {
            Ok(compared) => compared.map_err(CallError::from_transport),
            Err(_) => Err(CallError::timed_out(self.timeout)),
        };
        let (result, recognised) = match compared {
            Ok(Compared::Other(arriving)) => {
                return Ok(Recognised::Other(Box::new(Body { server_time, endpoint, arriving, started })));
            }
            Ok(Compared::Same) => (CallResult::Ok, Ok(Recognised::Same)),
            Ok(Compared::TooLate) => (CallResult::Ok, Ok(Recognised::TooLate)),
            Err(error) => (error.result, Err(error)),
        };
        let bytes = if matches!(recognised, Ok(Recognised::Same)) { known.decoded_length } else { 0 };
        self.count(endpoint, result, started, bytes);
        recognised
    }

    /// Reads a body into `sink`, within the limits of time and size, and says how it came, and what it is known by if that
    /// was wanted.
    pub(super) async fn drain<S: Sink>(
        &self,
        body: Body,
        mut sink: S,
    ) -> Result<(S::Value, Transfer, Option<BodyDigests>), CallError> {
        let Body { endpoint, arriving, started, .. } = body;
        let mut bytes = 0_u64;
        let read = async {
            let mut body = Decoded::of(arriving)?;
            while let Some(chunk) = body.chunk().await? {
                bytes = bytes.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
                if bytes > self.max_response_bytes {
                    return Err(CallError::too_large(self.max_response_bytes));
                }
                sink.feed(chunk)?;
            }
            Ok((sink.finish()?, body.transfer(), body.digests()))
        };
        let read = match timeout_at(started + self.timeout, read).await {
            Ok(read) => read,
            Err(_) => Err(CallError::timed_out(self.timeout)),
        };
        self.count(endpoint, read.as_ref().err().map_or(CallResult::Ok, |error| error.result), started, bytes);
        read
    }

    /// Leaves a body unread: all that was wanted is its head.
    pub(super) fn leave(&self, body: Body) {
        let Body { endpoint, started, .. } = body;
        self.count(endpoint, CallResult::Ok, started, 0);
    }

    fn count(&self, endpoint: Endpoint, result: CallResult, started: Instant, bytes: u64) {
        self.instruments.call_ended(endpoint, result, started.elapsed().as_secs_f64(), bytes);
    }
}

/// Whether a response that should be JSON is a web page: by its type, or by its first byte. Reads no further than that.
async fn is_web_page(response: &mut Response) -> bool {
    let content_type = response.headers().get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    if content_type.get(..9).is_some_and(|start| start.eq_ignore_ascii_case(b"text/html")) {
        return true;
    }
    let mut left = LONGEST_INDENT;
    while let Ok(Some(chunk)) = response.chunk().await {
        match chunk.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(first) => return *first == b'<',
            None => left = left.saturating_sub(chunk.len()),
        }
        if left == 0 {
            break;
        }
    }
    false
}
