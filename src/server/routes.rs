//! Which request gets which response.

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use exporter_web::{Edition, Pieces, respond, text};
use http::header::{self, HeaderValue};
use http::{HeaderMap, Method, StatusCode, Uri};

use super::api::Call;
use super::negotiation;
use super::pages::{PageName, Pages};
use crate::compression::{Encoding, Part, Tail};
use crate::exposition::Format;
use crate::snapshot::{self, Snapshot};

const HEALTHY: &str = "/-/healthy";
const READY: &str = "/-/ready";

/// The pages of single webhooks are below it, by their ids.
const WEBHOOKS: &str = "/webhooks/";

/// The paths that probes ask for.
pub const PROBES: [&str; 2] = [HEALTHY, READY];

/// What is served.
#[derive(Clone)]
pub struct Site {
    /// The path of the metrics, compared as it is.
    pub telemetry_path: String,
    /// The exporter's version, for the status page.
    pub version: &'static str,
    /// Where the newest snapshot of the ledgers is.
    pub snapshots: snapshot::Subscriber,
    /// Renders the exporter's own instruments, the last part of a page. It is called for each scrape, so it has to be quick.
    pub own_metrics: Arc<dyn Fn(Format) -> Tail + Send + Sync>,
}

/// A router with one handler that compares the path. The path of the metrics is the user's, and the router would take it
/// for a pattern. HEAD is answered like GET; the server leaves out the body.
pub fn router(site: Site) -> Router {
    let pages = Pages::new(site.telemetry_path.clone(), site.version);
    let site = Arc::new((site, pages));
    Router::new().fallback(async move |method: Method, uri: Uri, headers: HeaderMap| {
        serve(&site.0, &site.1, &method, &uri, &headers).await
    })
}

async fn serve(site: &Site, pages: &Pages, method: &Method, uri: &Uri, headers: &HeaderMap) -> Response {
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
        Resource::Metrics => metrics(site, headers).await,
        Resource::Page(name) => {
            let snapshot = newest();
            pages.page(name, snapshot, uri.query(), headers).await
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
    Page(PageName),
    Api(Call),
    Healthy,
    Ready,
}

impl Resource {
    /// What is at `path`. The metrics come first, so that they can be put anywhere.
    fn at(path: &str, telemetry_path: &str) -> Option<Self> {
        match path {
            _ if path == telemetry_path => Some(Self::Metrics),
            "/" => Some(Self::Page(PageName::Status)),
            HEALTHY => Some(Self::Healthy),
            READY => Some(Self::Ready),
            _ => match path.strip_prefix(WEBHOOKS) {
                Some(id) if !id.is_empty() && !id.contains('/') => Some(Self::Page(PageName::Webhook(id.to_owned()))),
                Some(_) => None,
                None => Call::at(path).map(Self::Api),
            },
        }
    }
}

async fn metrics(site: &Site, request: &HeaderMap) -> Response {
    // In this order: a poll's results are published before the poll is counted, so a response that counts a poll shows
    // its results.
    let offer = negotiation::format(request);
    let own = (site.own_metrics)(offer.format);
    let snapshot = Arc::clone(&site.snapshots.borrow());
    let Some(ledgers) = ledgers(&snapshot, offer.format, negotiation::encoding(request)).await else {
        return text(StatusCode::INTERNAL_SERVER_ERROR, "failed to render the metrics");
    };
    let mut response = respond(StatusCode::OK, offer.content_type, Pieces::new(ledgers.followed_by(own)));
    // So that clients that read nothing keep few moments in memory.
    response.extensions_mut().insert(Edition(snapshot.families.moment()));
    let headers = response.headers_mut();
    if ledgers.encoding() != Encoding::Identity {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(ledgers.encoding().as_str()));
    }
    headers.insert(header::VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    response
}

/// The ledgers' part; the first to ask for it in this form waits for it, off the async threads.
async fn ledgers(snapshot: &Arc<Snapshot>, format: Format, encoding: Encoding) -> Option<&Part> {
    if snapshot.families.ready(format, encoding).is_none() {
        let snapshot = Arc::clone(snapshot);
        tokio::task::spawn_blocking(move || _ = snapshot.families.render(format, encoding)).await.ok()?;
    }
    snapshot.families.ready(format, encoding)
}
