//! The API over HTTP: connections, who may ask, what they get.
//!
//! hyper serves it directly, with no router between: a fault must be able to close a connection without an answer, which
//! an infallible service cannot.

use std::hash::Hasher as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, UNIX_EPOCH};

use axum::body::{Body, Bytes};
use futures::{StreamExt as _, stream};
use http::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, DATE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use siphasher::sip::SipHasher13;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;
use tower_http::CompressionLevel;
use tower_http::compression::Compression;

use delivery_ledger::{UnixMillis, WebhookId};

use super::accounts::Access;
use super::faults::{Fault, JSON, answer, bend};
use super::recorder::{Call, Endpoint};
use super::shape::Plan;
use super::{Shared, State, payload};

/// The path of the webhook calls. Source: Cotalker's API documentation.
const SUBSCRIPTION: &str = "/api/v3/webhook/subscription";

/// How much of a log is made up at once, in bytes: enough to be quick, too little to be seen in a memory measurement.
const PART: usize = 1 << 16;

/// Accepts connections until it is dropped.
pub(super) async fn serve(listener: TcpListener, tls: Option<Arc<rustls::ServerConfig>>, shared: Arc<Shared>) {
    let tls = tls.map(TlsAcceptor::from);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, tls.clone(), Arc::clone(&shared)));
                }
                // Out of file descriptors, mostly: it passes when connections end.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Serves one connection to its end. However it ends, that is the client's affair.
async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    // Small answers at once: the simulator must not add 40 ms to every call of a benchmark.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| call(request, Arc::clone(&shared)));
    let mut http = hyper::server::conn::http1::Builder::new();
    // The simulated time, or none.
    http.auto_date_header(false);
    let _ = match tls {
        None => http.serve_connection(TokioIo::new(stream), service).await,
        Some(tls) => {
            let Ok(stream) = tls.accept(stream).await else { return };
            http.serve_connection(TokioIo::new(stream), service).await
        }
    };
}

/// Ends the record of a call when its answer has been sent, or given up.
struct UnderWay(Arc<Shared>, Endpoint);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.lock().recorder.ended(self.1);
    }
}

/// A body whose call is under way until it is sent. It announces its length if the one inside does.
struct Recorded {
    body: Body,
    _under_way: UnderWay,
}

impl hyper::body::Body for Recorded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

async fn call(request: Request<Incoming>, shared: Arc<Shared>) -> io::Result<Response<Body>> {
    let (endpoint, webhook) = endpoint_of(&request, &shared.prefix);
    let (number, fault, date_fault) = {
        let mut state = shared.lock();
        let number = state.recorder.begin(Call {
            endpoint,
            webhook,
            path: request.uri().to_string(),
            headers: request.headers().clone(),
            at: Instant::now(),
            status: None,
        });
        let (fault, date_fault) = state.faults.take(endpoint, webhook);
        (number, fault, date_fault)
    };
    let under_way = UnderWay(Arc::clone(&shared), endpoint);
    if fault == Some(Fault::Hold) {
        let mut cleared = shared.cleared.subscribe();
        while shared.lock().faults.holds(endpoint, webhook) {
            // The sender lives as long as `shared`.
            let _ = cleared.changed().await;
        }
    }

    let (parts, body) = request.into_parts();
    let mut response = match endpoint {
        Endpoint::Login => log_in(body, &shared).await,
        Endpoint::List | Endpoint::Webhook | Endpoint::Logs | Endpoint::Unknown => {
            right_answer(endpoint, webhook, &parts.headers, &shared)
        }
    };
    match fault {
        None | Some(Fault::Hold) => {
            let compression = shared.lock().switches.compression;
            if compression {
                response = compress(&parts.headers, response).await;
            }
        }
        Some(fault) => {
            response.headers_mut().remove(ETAG);
            response = bend(fault, response).await?;
        }
    }
    let mut state = shared.lock();
    let mut date = shared.now(&state).plus_millis(state.switches.date_offset_ms);
    if let Some(Fault::DateOffset(millis)) = date_fault {
        date = date.plus_millis(millis);
    }
    if state.switches.date && date_fault != Some(Fault::NoDate) {
        response.headers_mut().insert(DATE, http_date(date));
    }
    state.recorder.answered(number, response.status().as_u16());
    drop(state);
    Ok(response.map(|body| Body::new(Recorded { body, _under_way: under_way })))
}

fn endpoint_of(request: &Request<Incoming>, prefix: &str) -> (Endpoint, Option<WebhookId>) {
    let Some(path) = request.uri().path().strip_prefix(prefix) else { return (Endpoint::Unknown, None) };
    if path == "/auth/local" && request.method() == Method::POST {
        return (Endpoint::Login, None);
    }
    let Some(rest) = path.strip_prefix(SUBSCRIPTION).filter(|_| request.method() == Method::GET) else {
        return (Endpoint::Unknown, None);
    };
    if rest.is_empty() {
        return (Endpoint::List, None);
    }
    // An id that is none is asked for like any other that does not exist.
    let (endpoint, id) = match (rest.strip_prefix("/logs/"), rest.strip_prefix('/')) {
        (Some(id), _) => (Endpoint::Logs, id),
        (None, Some(id)) => (Endpoint::Webhook, id),
        (None, None) => return (Endpoint::Unknown, None),
    };
    if id.contains('/') { (Endpoint::Unknown, None) } else { (endpoint, id.parse().ok()) }
}

fn message(status: StatusCode) -> Response<Body> {
    let reason = status.canonical_reason().unwrap_or_default();
    answer(status, JSON, json!({ "message": reason }).to_string())
}

fn http_date(at: UnixMillis) -> HeaderValue {
    // What an HTTP date can say: the years 1970 to 9999.
    let millis = u64::try_from(at.as_millis()).unwrap_or(0).min(253_402_300_799_000);
    let text = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(millis));
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

async fn log_in(body: Incoming, shared: &Shared) -> Response<Body> {
    const LONGEST: usize = 1 << 16;
    let Ok(body) = Limited::new(body, LONGEST).collect().await else { return message(StatusCode::BAD_REQUEST) };
    let Ok(body) = serde_json::from_slice::<Value>(&body.to_bytes()) else { return message(StatusCode::BAD_REQUEST) };
    let (Some(email), Some(password)) = (body["email"].as_str(), body["password"].as_str()) else {
        return message(StatusCode::BAD_REQUEST);
    };
    let mut state = shared.lock();
    let now = shared.now(&state);
    match state.accounts.log_in(email, password, now) {
        Some(token) => answer(StatusCode::OK, JSON, json!({ "token": token }).to_string()),
        None => message(StatusCode::UNAUTHORIZED),
    }
}

/// What the API answers when nothing is wrong with it.
fn right_answer(
    endpoint: Endpoint,
    webhook: Option<WebhookId>,
    headers: &HeaderMap,
    shared: &Arc<Shared>,
) -> Response<Body> {
    let mut state = shared.lock();
    let now = shared.now(&state);
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());

    if endpoint == Endpoint::Unknown {
        return message(StatusCode::NOT_FOUND);
    }
    let token = header(AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer "));
    let access = state.accounts.access(token, now);
    if access == Access::None {
        return message(StatusCode::UNAUTHORIZED);
    }
    let wants = &state.switches;
    if wants.required_company.as_deref().is_some_and(|company| header("company") != Some(company))
        || (wants.requires_admin && header("admin") != Some("true"))
        || (endpoint == Endpoint::List && access != Access::Full)
    {
        return message(StatusCode::FORBIDDEN);
    }

    if endpoint == Endpoint::List {
        state.world.advance_to(now);
        let body = list_body(&state);
        return tagged(&state, headers, hash(body.as_bytes()), |_| body.into());
    }
    let Some(id) = webhook else { return message(StatusCode::NOT_FOUND) };
    state.world.advance_one(id, now);
    let Some(found) = state.world.find(id).filter(|webhook| webhook.listed) else {
        return message(StatusCode::NOT_FOUND);
    };
    if endpoint == Endpoint::Webhook {
        let body = payload::webhook(found, state.world.company()).to_string();
        return tagged(&state, headers, hash(body.as_bytes()), |_| body.into());
    }
    let shape = state.shapes.get(&id).unwrap_or(&state.switches.default_shape);
    if let Some(body) = &shape.body {
        let body = body.clone();
        return tagged(&state, headers, hash(body.as_bytes()), |_| body.into());
    }
    let plan = Plan::of(shape, found, now, state.world.seed());
    tagged(&state, headers, plan.tag(), |state| log_body(plan, id, state, shared))
}

fn list_body(state: &State) -> String {
    if let Some(body) = &state.switches.list_body {
        return body.clone();
    }
    let shown = state.world.listed().filter(|webhook| webhook.spec.active || !state.switches.hide_inactive);
    Value::Array(shown.map(|webhook| payload::webhook(webhook, state.world.company())).collect()).to_string()
}

/// The log that `plan` lays out: whole if it is short, else made up while it is sent.
fn log_body(mut plan: Plan, id: WebhookId, state: &State, shared: &Arc<Shared>) -> Body {
    let first = part(&mut plan, id, state).unwrap_or_default();
    if plan.is_done() {
        return first.into();
    }
    let shared = Arc::clone(shared);
    // Fused, for the compression asks once more after the end.
    let parts = stream::unfold((Some(first), plan), move |(first, mut plan)| {
        let next = first.or_else(|| part(&mut plan, id, &shared.lock()));
        async move { Some((Ok::<_, io::Error>(next?), (None, plan))) }
    });
    Body::from_stream(parts.fuse())
}

fn part(plan: &mut Plan, id: WebhookId, state: &State) -> Option<Bytes> {
    let webhook = state.world.find(id)?;
    plan.write_part(webhook, state.world.company(), PART).map(Bytes::from)
}

/// The answer with the content that `hash` stands for, or 304 to those who have it.
fn tagged(state: &State, headers: &HeaderMap, hash: u64, body: impl FnOnce(&State) -> Body) -> Response<Body> {
    if !state.switches.etag {
        return answer(StatusCode::OK, JSON, body(state));
    }
    let tag = format!("W/\"{hash:016x}\"");
    let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let is_known = known.flat_map(|value| value.split(',')).map(str::trim).any(|known| {
        // Weak comparison (RFC 9110, section 13.1.2).
        known == "*" || known.trim_start_matches("W/") == tag.trim_start_matches("W/")
    });
    let mut response = if is_known {
        let mut response = answer(StatusCode::NOT_MODIFIED, JSON, Body::empty());
        response.headers_mut().remove(CONTENT_TYPE);
        response
    } else {
        answer(StatusCode::OK, JSON, body(state))
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(bytes);
    hasher.finish()
}

/// Compresses an answer as its request allows.
async fn compress(headers: &HeaderMap, response: Response<Body>) -> Response<Body> {
    let mut request = Request::new(());
    if let Some(accepted) = headers.get(ACCEPT_ENCODING) {
        request.headers_mut().insert(ACCEPT_ENCODING, accepted.clone());
    }
    // Called once, though the type allows more.
    let mut response = Some(response);
    let service = tower::service_fn(move |_: Request<()>| {
        std::future::ready(Ok::<_, std::convert::Infallible>(response.take().unwrap_or_default()))
    });
    let service = Compression::new(service).quality(CompressionLevel::Fastest);
    let Ok(response) = service.oneshot(request).await;
    response.map(Body::new)
}
