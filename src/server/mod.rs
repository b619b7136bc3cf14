//! The HTTP server: metrics, the page for people, and the probes.

mod accept;
mod page;

use std::io::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::any;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use self::accept::Limits;
use crate::clock;
use crate::snapshot::Subscriber;

/// The text format that Prometheus has asked for since 2014. Source: its exposition formats, "Text-based format".
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The page has a style of its own and needs nothing else.
const PAGE_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// What the server shows.
#[derive(Clone)]
pub struct Site {
    /// The path of the metrics, matched exactly.
    pub telemetry_path: String,
    /// The exporter's version.
    pub version: &'static str,
    /// The newest picture of the ledgers.
    pub snapshots: Subscriber,
    /// Renders the exporter's own metrics, at each scrape.
    pub own_metrics: Arc<dyn Fn() -> Vec<u8> + Send + Sync>,
}

/// The server: run it as one task.
pub struct Server {
    listeners: Vec<TcpListener>,
    site: Site,
    limits: Limits,
    shutdown: CancellationToken,
}

impl Server {
    /// A server on listeners that are bound already, until `shutdown` is cancelled.
    #[must_use]
    pub fn new(listeners: Vec<TcpListener>, site: Site, shutdown: CancellationToken) -> Self {
        Self { listeners, site, limits: Limits::default(), shutdown }
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Serves until it is told to stop.
    pub async fn serve(self) {
        // One handler for every path: the user's own is data here, never a pattern.
        let router = Router::new().fallback(any(answer)).with_state(Arc::new(self.site));
        accept::serve(self.listeners, router, self.limits, self.shutdown).await;
    }
}

async fn answer(State(site): State<Arc<Site>>, request: Request) -> Response {
    let path = request.uri().path();
    if path != site.telemetry_path && !matches!(path, "/" | "/-/healthy" | "/-/ready") {
        return plain(StatusCode::NOT_FOUND, "not found\n");
    }
    if request.method() != Method::GET {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET is allowed\n");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
        return response;
    }
    match path {
        "/-/healthy" => plain(StatusCode::OK, "healthy\n"),
        "/-/ready" if site.snapshots.borrow().is_ready => plain(StatusCode::OK, "ready\n"),
        "/-/ready" => plain(StatusCode::SERVICE_UNAVAILABLE, "the first poll has not ended yet\n"),
        "/" => index(&site),
        _ => metrics(&site, request.headers()).await,
    }
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn index(site: &Site) -> Response {
    let snapshot = Arc::clone(&site.snapshots.borrow());
    let Ok(html) = page::render(&snapshot.overview, clock::now(), &site.telemetry_path, site.version) else {
        return plain(StatusCode::INTERNAL_SERVER_ERROR, "the page cannot be made\n");
    };
    let mut response = plain(StatusCode::OK, "");
    *response.body_mut() = Body::from(html);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

async fn metrics(site: &Site, headers: &HeaderMap) -> Response {
    // In this order: a poll is shown before it is counted as ended, so a page that counts it shows what it brought.
    let own = (site.own_metrics)();
    let snapshot = Arc::clone(&site.snapshots.borrow());
    let mut response = plain(StatusCode::OK, "");
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(TEXT_FORMAT));
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept-encoding"));
    if wants_gzip(headers) {
        // Off the threads that answer others: a large page takes a while.
        let compressed = tokio::task::spawn_blocking(move || {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder
                .write_all(snapshot.families.plain())
                .and_then(|()| encoder.write_all(&own))
                .and_then(|()| encoder.finish())
        });
        if let Ok(Ok(body)) = compressed.await {
            response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            *response.body_mut() = Body::from(body);
            return response;
        }
        return plain(StatusCode::INTERNAL_SERVER_ERROR, "compression failed\n");
    }
    *response.body_mut() = Body::from([snapshot.families.plain(), own.as_slice()].concat());
    response
}

/// Whether `Accept-Encoding` allows gzip. Source: RFC 9110, section 12.5.3.
fn wants_gzip(headers: &HeaderMap) -> bool {
    let mut named = None;
    let mut any_other = None;
    for value in headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()) {
        for coding in value.split(',') {
            let mut parts = coding.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
            let is_wanted =
                quality.map_or(Some(1.0), |quality| quality.parse::<f32>().ok()).is_some_and(|quality| quality > 0.0);
            if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") {
                named = Some(is_wanted);
            } else if name == "*" {
                any_other = Some(is_wanted);
            }
        }
    }
    named.or(any_other).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::time::Duration;

    use bytes::Bytes;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio::task::JoinSet;

    use super::*;
    use crate::exposition::Page;
    use crate::snapshot::{self, Overview, Publisher, Snapshot};

    struct Running {
        address: std::net::SocketAddr,
        publisher: Publisher,
        shutdown: CancellationToken,
        tasks: JoinSet<()>,
    }

    async fn start(limits: Limits) -> Running {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (publisher, snapshots) = snapshot::channel();
        let site = Site {
            telemetry_path: "/metrics".into(),
            version: "1",
            snapshots,
            own_metrics: Arc::new(|| b"own 1\n".to_vec()),
        };
        let shutdown = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(Server::new(vec![listener], site, shutdown.clone()).with_limits(limits).serve());
        Running { address, publisher, shutdown, tasks }
    }

    impl Running {
        async fn ask(&self, head: &str) -> Vec<u8> {
            let mut stream = TcpStream::connect(self.address).await.expect("a connection");
            stream
                .write_all(format!("{head} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes())
                .await
                .expect("sent");
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.expect("an answer");
            answer
        }

        async fn status(&self, head: &str) -> String {
            let answer = String::from_utf8_lossy(&self.ask(head).await).into_owned();
            answer.split(' ').nth(1).unwrap_or_default().to_owned()
        }
    }

    #[tokio::test]
    async fn pages_answer_get_and_nothing_else_does() {
        let server = start(Limits::default()).await;
        for (head, status) in [
            ("GET /metrics", "200"),
            ("GET /", "200"),
            ("GET /-/healthy", "200"),
            ("GET /-/ready", "503"),
            ("GET /metrics/", "404"),
            ("POST /nothing", "404"),
            ("POST /metrics", "405"),
            ("HEAD /", "405"),
            ("DELETE /-/ready", "405"),
        ] {
            assert_eq!(server.status(head).await, status, "{head}");
        }
        server.publisher.send_replace(Arc::new(Snapshot { is_ready: true, ..Snapshot::default() }));
        assert_eq!(server.status("GET /-/ready").await, "200");
    }

    #[tokio::test]
    async fn metrics_come_plain_or_compressed_and_say_the_same() {
        let server = start(Limits::default()).await;
        let families = Page::new(Bytes::from_static(b"family 1\n"));
        server.publisher.send_replace(Arc::new(Snapshot { is_ready: true, families, overview: Overview::default() }));
        let plain = server.ask("GET /metrics").await;
        assert!(plain.ends_with(b"\r\n\r\nfamily 1\nown 1\n"));
        let client = reqwest::Client::builder().no_proxy().no_gzip().no_brotli().no_zstd().tls_certs_only([]);
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = client.build().expect("a client");
        let url = format!("http://{}/metrics", server.address);
        let answer = client.get(url).header("accept-encoding", "br, GZIP;q=0.5").send().await.expect("an answer");
        assert_eq!(answer.headers()["content-encoding"], "gzip");
        let mut text = String::new();
        let body = answer.bytes().await.expect("a body");
        flate2::read::GzDecoder::new(&body[..]).read_to_string(&mut text).expect("gzip");
        assert_eq!(text, "family 1\nown 1\n");
    }

    #[test]
    fn gzip_is_given_only_where_it_is_asked_for() {
        for (value, expected) in [
            ("gzip", true),
            ("deflate, GZIP ; q=0.1", true),
            ("*", true),
            ("gzip;q=0, *", false),
            ("br", false),
            ("", false),
            ("gzip;q=0.000", false),
            ("*;q=0", false),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(value))]);
            assert_eq!(wants_gzip(&headers), expected, "{value}");
        }
    }

    #[tokio::test]
    async fn half_open_connections_over_the_cap_hold_up_no_scrape() {
        let server = start(Limits { connections: 8, ..Limits::default() }).await;
        let mut half_open = Vec::new();
        for _ in 0..40 {
            let mut stream = TcpStream::connect(server.address).await.expect("a connection");
            // The server may have closed it already, to make room.
            let _ = stream.write_all(b"GET /metrics HT").await;
            half_open.push(stream);
        }
        assert_eq!(server.status("GET /metrics").await, "200");
    }

    #[tokio::test]
    async fn a_connection_that_sends_no_request_is_closed() {
        let server = start(Limits { header_read: Duration::from_millis(50), ..Limits::default() }).await;
        for sent in [&b""[..], b"GET / HTTP/1.1\r\nHos"] {
            let mut stream = TcpStream::connect(server.address).await.expect("a connection");
            stream.write_all(sent).await.expect("sent");
            // Ends only because the server closes it.
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
        }
    }

    #[tokio::test]
    async fn it_stops_in_spite_of_half_open_connections() {
        let mut server = start(Limits::default()).await;
        let mut stream = TcpStream::connect(server.address).await.expect("a connection");
        stream.write_all(b"GET /metr").await.expect("sent");
        server.shutdown.cancel();
        server.tasks.join_next().await.expect("a task").expect("no panic");
    }
}
