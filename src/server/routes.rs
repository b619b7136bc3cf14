//! What is answered to which request.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode, Uri};

use crate::clock;
use crate::compression;
use crate::server::body::Pieces;
use crate::server::web_config::Refusal;
use crate::server::{Site, page};
use crate::snapshot::Snapshot;

/// The type of the metrics. Source: Prometheus, "Exposition formats".
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

const HEALTHY: &str = "/-/healthy";
const READY: &str = "/-/ready";

/// Seconds after which who was not looked at may come again: by then those who stood before it are gone, or have been
/// told the same.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("10");

/// The page needs its own style and nothing else.
const PAGE_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A router with one handler that compares the path: the path of the metrics is the user's, and would be a pattern to
/// the router; and its method routing answers HEAD, which here is another method like any.
pub(super) fn router(site: Site) -> Router {
    Router::new().fallback(answer).with_state(Arc::new(site))
}

/// Whether `path` is asked for by probes.
pub(super) fn is_probe(path: &str) -> bool {
    matches!(path, HEALTHY | READY)
}

/// The answer to a request that may not be answered.
pub(super) fn refuse(refusal: Refusal) -> Response {
    match refusal {
        Refusal::TooMany => text(StatusCode::TOO_MANY_REQUESTS, "too many requests"),
        Refusal::Busy => {
            let mut response = text(StatusCode::SERVICE_UNAVAILABLE, "too many logins at once");
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
            response
        }
        Refusal::Login => {
            let mut response = text(StatusCode::UNAUTHORIZED, "a login is needed");
            let challenge = HeaderValue::from_static("Basic realm=\"cotalker-webhook-exporter\", charset=\"UTF-8\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            response
        }
    }
}

/// The answer to HTTP where HTTPS is spoken.
pub(super) fn needs_https() -> Response {
    text(StatusCode::BAD_REQUEST, "this port speaks HTTPS: use https://")
}

async fn answer(State(site): State<Arc<Site>>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let Some(resource) = Resource::at(uri.path(), &site.telemetry_path) else {
        return text(StatusCode::NOT_FOUND, "not found");
    };
    if method != Method::GET {
        let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "only GET is allowed here");
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET"));
        return response;
    }
    let newest = || Arc::clone(&site.snapshots.borrow());
    match resource {
        Resource::Metrics => metrics(&site, &headers).await,
        Resource::Page => {
            let snapshot = newest();
            page(site, snapshot).await
        }
        Resource::Healthy => text(StatusCode::OK, "healthy"),
        Resource::Ready if newest().is_ready => text(StatusCode::OK, "ready"),
        Resource::Ready => text(StatusCode::SERVICE_UNAVAILABLE, "not ready: the first poll is still running"),
    }
}

#[derive(Clone, Copy)]
enum Resource {
    Metrics,
    Page,
    Healthy,
    Ready,
}

impl Resource {
    /// What is at `path`. The metrics come first, so that they can be put anywhere.
    fn at(path: &str, telemetry_path: &str) -> Option<Self> {
        match path {
            _ if path == telemetry_path => Some(Self::Metrics),
            "/" => Some(Self::Page),
            HEALTHY => Some(Self::Healthy),
            READY => Some(Self::Ready),
            _ => None,
        }
    }
}

async fn metrics(site: &Site, request: &HeaderMap) -> Response {
    // In this order: a poll is shown before it is counted as ended, so a page that counts it shows what it brought.
    let own = (site.own_metrics)();
    let snapshot = Arc::clone(&site.snapshots.borrow());
    // Should compression fail, the plain text is as good.
    let ledgers = if compression::wants_gzip(request) { deflated(&snapshot).await } else { None };
    let mut response = match ledgers {
        Some(ledgers) => {
            let mut response = respond(StatusCode::OK, METRICS, Pieces::new(ledgers.gzip_with(&own)));
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            response
        }
        None => respond(StatusCode::OK, METRICS, Pieces::new([snapshot.families.plain().clone(), own.into()])),
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    response
}

/// The ledgers' part, compressed; the first to ask waits for it, off the async threads.
async fn deflated(snapshot: &Arc<Snapshot>) -> Option<compression::Deflated> {
    if let Some(ready) = snapshot.families.deflated_already() {
        return Some(ready.clone());
    }
    let snapshot = Arc::clone(snapshot);
    tokio::task::spawn_blocking(move || snapshot.families.deflated().clone()).await.ok()
}

/// The page for people. Ten thousand webhooks take a while, so it too is made off the async threads.
async fn page(site: Arc<Site>, snapshot: Arc<Snapshot>) -> Response {
    let now = clock::now();
    let html =
        tokio::task::spawn_blocking(move || page::render(&snapshot.overview, now, &site.telemetry_path, site.version));
    let Ok(html) = html.await else {
        return text(StatusCode::INTERNAL_SERVER_ERROR, "failed to make the page");
    };
    let mut response = respond(StatusCode::OK, HTML, Pieces::new([html.into()]));
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
    response
}

/// One line for people and probes.
fn text(status: StatusCode, line: &'static str) -> Response {
    respond(status, TEXT, Pieces::new([Bytes::from_static(line.as_bytes()), Bytes::from_static(b"\n")]))
}

/// Every answer is true for the moment only, is what its type says, and sends nobody anywhere.
fn respond(status: StatusCode, content_type: &'static str, body: Pieces) -> Response {
    const COMMON: [(HeaderName, HeaderValue); 3] = [
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    let mut response = Response::new(Body::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().extend(COMMON);
    response
}
