//! Which request gets which response.

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use exporter_web::{Pieces, respond, text};
use http::header::{self, HeaderValue};
use http::{HeaderMap, Method, StatusCode, Uri};

use super::api::Call;
use super::page;
use crate::clock;
use crate::compression;
use crate::snapshot::{self, Snapshot};

/// The type of the metrics. Source: Prometheus, "Exposition formats".
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

const HEALTHY: &str = "/-/healthy";
const READY: &str = "/-/ready";

/// The paths that probes ask for.
pub const PROBES: [&str; 2] = [HEALTHY, READY];

/// The status page needs its own style and nothing else.
const PAGE_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What is served.
#[derive(Clone)]
pub struct Site {
    /// The path of the metrics, compared as it is.
    pub telemetry_path: String,
    /// The exporter's version, for the status page.
    pub version: &'static str,
    /// Where the newest snapshot of the ledgers is.
    pub snapshots: snapshot::Subscriber,
    /// Renders the exporter's own instruments in text format 0.0.4. It is called for each scrape, so it has to be quick.
    pub own_metrics: Arc<dyn Fn() -> Vec<u8> + Send + Sync>,
}

/// A router with one handler that compares the path. The path of the metrics is the user's, and the router would take it
/// for a pattern. HEAD is answered like GET; the server leaves out the body.
pub fn router(site: Site) -> Router {
    let site = Arc::new(site);
    Router::new()
        .fallback(async move |method: Method, uri: Uri, headers: HeaderMap| serve(site, &method, &uri, &headers).await)
}

async fn serve(site: Arc<Site>, method: &Method, uri: &Uri, headers: &HeaderMap) -> Response {
    let Some(resource) = Resource::at(uri.path(), &site.telemetry_path) else {
        return text(StatusCode::NOT_FOUND, "not found");
    };
    if *method != Method::GET && *method != Method::HEAD {
        let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are allowed here");
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let newest = || Arc::clone(&site.snapshots.borrow());
    match resource {
        Resource::Metrics => metrics(&site, headers).await,
        Resource::StatusPage => {
            let snapshot = newest();
            status_page(site, snapshot).await
        }
        Resource::Api(call) => {
            let snapshot = newest();
            call.respond(snapshot).await
        }
        Resource::Healthy => text(StatusCode::OK, "healthy"),
        Resource::Ready if newest().is_ready => text(StatusCode::OK, "ready"),
        Resource::Ready => text(StatusCode::SERVICE_UNAVAILABLE, "not ready: the first poll is still running"),
    }
}

enum Resource {
    Metrics,
    StatusPage,
    Api(Call),
    Healthy,
    Ready,
}

impl Resource {
    /// What is at `path`. The metrics come first, so that they can be put anywhere.
    fn at(path: &str, telemetry_path: &str) -> Option<Self> {
        match path {
            _ if path == telemetry_path => Some(Self::Metrics),
            "/" => Some(Self::StatusPage),
            HEALTHY => Some(Self::Healthy),
            READY => Some(Self::Ready),
            _ => Call::at(path).map(Self::Api),
        }
    }
}

async fn metrics(site: &Site, request: &HeaderMap) -> Response {
    // In this order: a poll's results are published before the poll is counted, so a response that counts a poll shows
    // its results.
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

/// The status page. Ten thousand webhooks take a while, so it too is rendered off the async threads.
async fn status_page(site: Arc<Site>, snapshot: Arc<Snapshot>) -> Response {
    let now = clock::now();
    let html =
        tokio::task::spawn_blocking(move || page::render(&snapshot.overview, now, &site.telemetry_path, site.version));
    let Ok(html) = html.await else {
        return text(StatusCode::INTERNAL_SERVER_ERROR, "failed to render the status page");
    };
    let mut response = respond(StatusCode::OK, HTML, Pieces::new([html.into()]));
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
    response
}
