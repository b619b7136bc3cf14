use std::io::Read as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use delivery_ledger::Retention;
use exporter_web::Server;
use flate2::bufread::GzDecoder;
use http::Request;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::routes::{Site, router};
use crate::compression::{Encoding, Part, Tail};
use crate::exposition::{Format, Rendered};
use crate::snapshot::{self, Overview, Publisher, Snapshot, WebhookRow};

const LEDGERS: &str = "cotalker_up 1\n";
const OWN: &str = "process_open_fds 9\n";

/// A bound for what should happen at once, so that a test that fails ends as well.
const AT_MOST: Duration = Duration::from_secs(20);

struct Running {
    address: SocketAddr,
    publisher: Publisher,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    async fn start() -> Self {
        Self::showing(LEDGERS.into()).await
    }

    #[expect(clippy::disallowed_methods, reason = "the test's own task, awaited where it matters")]
    async fn showing(ledgers: Bytes) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let (publisher, snapshots) = snapshot::channel();
        publisher.send_replace(Arc::new(snapshot_of(ledgers)));
        let stop = CancellationToken::new();
        let server = Server::new(vec![listener], router(site("/metrics", snapshots)));
        Self { address, publisher, stop: stop.clone(), task: tokio::spawn(server.serve(stop)) }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    /// Sends `head` on a connection of its own and reads until the server closes it.
    async fn ask(&self, head: &str) -> Reply {
        let mut stream = self.connect().await;
        stream.write_all(head.as_bytes()).await.expect("a request");
        Reply::read(&mut stream).await
    }

    async fn get(&self, path: &str) -> Reply {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await
    }

    async fn get_with(&self, path: &str, header: &str) -> Reply {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{header}\r\n\r\n")).await
    }

    async fn get_accepting(&self, encoding: &str) -> Reply {
        self.metrics_with(&format!("Accept-Encoding: {encoding}")).await
    }

    async fn metrics_with(&self, headers: &str) -> Reply {
        self.get_with("/metrics", headers).await
    }

    async fn stopped(self) {
        self.stop.cancel();
        timeout(AT_MOST, self.task).await.expect("an end").expect("no panic");
    }
}

fn site(telemetry_path: &str, snapshots: snapshot::Subscriber) -> Site {
    Site { telemetry_path: telemetry_path.into(), version: "1.2.3", snapshots, own_metrics: Arc::new(own_metrics) }
}

fn own_metrics(format: Format) -> Tail {
    [OWN.as_bytes(), format.end()].concat().into()
}

fn snapshot_of(ledgers: Bytes) -> Snapshot {
    let families = Rendered::new(move |_, encoding| Part::of(ledgers.clone(), encoding));
    Snapshot { is_ready: true, families, overview: Overview::default() }
}

#[derive(Debug)]
struct Reply {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Reply {
    async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Self {
        let mut raw = Vec::new();
        timeout(AT_MOST, stream.read_to_end(&mut raw)).await.expect("in time").expect("a response");
        let end = raw.windows(4).position(|window| window == b"\r\n\r\n").expect("the end of the head");
        let head = String::from_utf8(raw[..end].to_vec()).expect("text").to_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Self { status, head, body: raw[end + 4..].to_vec() }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }
}

#[tokio::test]
async fn metrics_are_the_ledgers_and_the_exporters_own() {
    let server = Running::start().await;
    let response = server.get("/metrics").await;
    assert_eq!((response.status, response.text()), (200, [LEDGERS, OWN].concat().as_str()));
    assert_eq!(response.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert_eq!(response.header("content-length"), Some((LEDGERS.len() + OWN.len()).to_string().as_str()));
    assert_eq!(response.header("vary"), Some("accept, accept-encoding"));
    assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(response.header("content-encoding"), None);
    assert_eq!(server.get("/metrics?name=x").await.status, 200);
    server.stopped().await;
}

#[tokio::test]
async fn gzip_is_one_member_with_the_same_text_and_follows_the_ledgers() {
    let large = "cotalker_webhook_delivery_attempts_total{webhook=\"a\"} 12\n".repeat(20_000);
    let server = Running::showing(large.clone().into()).await;
    for ledgers in [large.as_str(), large.as_str(), "cotalker_up 0\n"] {
        if ledgers != large {
            server.publisher.send_replace(Arc::new(snapshot_of(Bytes::copy_from_slice(ledgers.as_bytes()))));
        }
        let response = server.get_accepting("gzip").await;
        assert_eq!(response.header("content-encoding"), Some("gzip"));
        assert_eq!(response.header("content-length"), Some(response.body.len().to_string().as_str()));
        let mut decoder = GzDecoder::new(response.body.as_slice());
        let mut text = String::new();
        decoder.read_to_string(&mut text).expect("gzip");
        assert!(decoder.into_inner().is_empty());
        assert_eq!(text, [ledgers, OWN].concat());
    }
    let refused = server.get_accepting("gzip;q=0, identity").await;
    assert_eq!((refused.header("content-encoding"), refused.body.len()), (None, "cotalker_up 0\n".len() + OWN.len()));
    server.stopped().await;
}

#[tokio::test]
async fn zstd_is_one_frame_with_the_same_text() {
    let large = "cotalker_webhook_delivery_attempts_total{webhook=\"a\"} 12\n".repeat(20_000);
    let server = Running::showing(large.clone().into()).await;
    for _ in 0..2 {
        let response = server.get_accepting("gzip;q=0.9, zstd").await;
        assert_eq!(response.header("content-encoding"), Some("zstd"));
        assert_eq!(response.header("content-length"), Some(response.body.len().to_string().as_str()));
        assert!(response.body.len() < large.len() / 50, "{}", response.body.len());
        let mut decoder = zstd::stream::read::Decoder::new(response.body.as_slice()).expect("a decoder").single_frame();
        let mut text = String::new();
        decoder.read_to_string(&mut text).expect("zstd");
        assert_eq!(text, [large.as_str(), OWN].concat());
    }
    server.stopped().await;
}

#[tokio::test]
async fn each_format_is_served_under_its_name_in_any_encoding_and_openmetrics_ends_in_eof() {
    let server = Running::start().await;
    server.publisher.send_replace(Arc::new(Snapshot {
        families: Rendered::new(|format, encoding| {
            let text = match format {
                Format::Text => LEDGERS,
                Format::OpenMetrics => "# TYPE cotalker_up gauge\ncotalker_up 1\n",
            };
            Part::of(text.into(), encoding)
        }),
        ..Snapshot::default()
    }));
    let openmetrics = "# TYPE cotalker_up gauge\ncotalker_up 1\nprocess_open_fds 9\n# EOF\n";
    let version_1 = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let version_0 = "application/openmetrics-text; version=0.0.1; charset=utf-8";
    let text = "text/plain; version=0.0.4; charset=utf-8";
    for (accept, content_type, body) in [
        ("application/openmetrics-text;version=1.0.0", version_1, openmetrics),
        ("application/openmetrics-text;version=0.0.1;q=0.5,*/*;q=0.1", version_0, openmetrics),
        ("text/plain, application/openmetrics-text;q=0.9", text, "cotalker_up 1\nprocess_open_fds 9\n"),
    ] {
        let response = server.metrics_with(&format!("Accept: {accept}")).await;
        assert_eq!((response.status, response.text()), (200, body), "{accept}");
        assert_eq!(response.header("content-type"), Some(content_type), "{accept}");
        assert_eq!(response.header("vary"), Some("accept, accept-encoding"));
        let compressed = server.metrics_with(&format!("Accept: {accept}\r\nAccept-Encoding: gzip")).await;
        let mut unpacked = String::new();
        GzDecoder::new(compressed.body.as_slice()).read_to_string(&mut unpacked).expect("gzip");
        assert_eq!((unpacked.as_str(), compressed.header("content-type")), (body, Some(content_type)), "{accept}");
    }
    server.stopped().await;
}

#[tokio::test]
async fn a_form_of_the_page_is_rendered_once_and_only_if_it_is_asked_for() {
    let rendered = Arc::new(Mutex::new(Vec::new()));
    let server = Running::start().await;
    let families = Rendered::new({
        let rendered = Arc::clone(&rendered);
        move |format, encoding| {
            rendered.lock().expect("no panic").push((format, encoding));
            Part::of(LEDGERS.into(), encoding)
        }
    });
    server.publisher.send_replace(Arc::new(Snapshot { families, ..Snapshot::default() }));
    assert_eq!(*rendered.lock().expect("no panic"), []);
    for _ in 0..3 {
        server.get_accepting("gzip").await;
    }
    assert_eq!(*rendered.lock().expect("no panic"), [(Format::Text, Encoding::Gzip)]);
    for _ in 0..3 {
        server.metrics_with("Accept: application/openmetrics-text").await;
        server.metrics_with("Accept: application/openmetrics-text\r\nAccept-Encoding: zstd").await;
    }
    let openmetrics = [Encoding::Identity, Encoding::Zstd].map(|encoding| (Format::OpenMetrics, encoding));
    assert_eq!(rendered.lock().expect("no panic")[1..], openmetrics);
    server.stopped().await;
}

#[tokio::test]
async fn probes_respond_and_readiness_waits_for_the_first_poll() {
    let server = Running::start().await;
    server.publisher.send_replace(Arc::default());
    assert_eq!(server.get("/-/healthy").await.status, 200);
    let response = server.get("/-/ready").await;
    assert_eq!((response.status, response.text()), (503, "not ready: the first poll is still running\n"));
    server.publisher.send_replace(Arc::new(snapshot_of(Bytes::new())));
    assert_eq!(server.get("/-/ready").await.status, 200);
    server.stopped().await;
}

#[tokio::test]
async fn other_paths_are_not_found_and_other_methods_not_allowed() {
    let server = Running::start().await;
    for path in ["/metrics/", "/METRICS", "/favicon.ico", "//", "/-/", "/{x}"] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
    for method in ["POST", "OPTIONS", "DELETE", "BREW"] {
        for path in ["/metrics", "/", "/api/v1/webhooks", "/api/v1/nothing", "/-/healthy", "/-/ready"] {
            let response =
                server.ask(&format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await;
            assert_eq!((response.status, response.header("allow")), (405, Some("get, head")), "{method} {path}");
        }
    }
    assert_eq!(server.ask("POST /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.status, 404);
    server.stopped().await;
}

#[tokio::test]
async fn head_is_answered_like_get_without_the_body() {
    let server = Running::start().await;
    for path in ["/metrics", "/", "/api/v1/webhooks", "/api/v1/webhooks/x", "/-/healthy", "/-/ready", "/nothing"] {
        let ask = async |method: &str| {
            server.ask(&format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await
        };
        let (get, head) = (ask("GET").await, ask("HEAD").await);
        assert_eq!((head.status, head.text()), (get.status, ""), "{path}");
        for name in ["content-type", "content-length", "cache-control", "vary", "content-security-policy"] {
            assert_eq!(head.header(name), get.header(name), "{path} {name}");
        }
        assert_eq!(get.header("content-length"), Some(get.body.len().to_string().as_str()), "{path}");
    }
    server.stopped().await;
}

#[tokio::test]
async fn the_path_of_the_metrics_is_no_pattern() {
    let (_publisher, snapshots) = snapshot::channel();
    for (telemetry_path, path, expected) in
        [("/{*all}", "/x", 404), ("/:name", "/x", 404), ("/:name", "/:name", 200), ("/", "/", 200)]
    {
        let request = Request::get(path).body(axum::body::Body::empty()).expect("a request");
        let response = router(site(telemetry_path, snapshots.clone())).oneshot(request).await.expect("a response");
        assert_eq!(response.status(), expected, "{telemetry_path} {path}");
    }
}

#[tokio::test]
async fn the_page_shows_webhooks_and_allows_nothing_foreign() {
    let server = Running::start().await;
    let webhook = WebhookRow {
        id: "id".into(),
        label: "<script>alert(1)</script>".into(),
        name: "Orders".into(),
        trigger: String::new(),
        target_host: String::new(),
        is_active: true,
        is_readable: Some(true),
        problem: None,
        read_at: None,
        poll_interval_millis: 60_000,
        is_blocked: false,
        consecutive_failures: 0,
        failing_since: None,
        last_success: None,
        last_failure: None,
        attempts: 0,
        failures: 0,
        pending: 0,
        pending_since: None,
        delivered: 0,
        lost: 0,
        gaps: 0,
        retention: Retention::Unknown,
        lost_events: Arc::default(),
        pending_events: Arc::default(),
        recent: Arc::default(),
    };
    let overview = Overview { webhooks: vec![webhook].into(), is_api_up: Some(true), ..Overview::default() };
    server.publisher.send_replace(Arc::new(Snapshot { overview, ..Snapshot::default() }));
    let response = server.get("/").await;
    assert_eq!(response.status, 200);
    assert!(response.text().contains("Orders") && !response.text().contains("<script"));
    assert_eq!(response.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(response.header("referrer-policy"), Some("no-referrer"));
    let policy = response.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none';") && policy.contains("frame-ancestors 'none'"));
    assert!(!policy.contains("script-src") && !policy.contains('*'));
    server.stopped().await;
}

#[tokio::test]
async fn pages_speak_the_language_that_is_asked_for_and_say_so() {
    let server = Running::start().await;
    for (accept, tag, word) in [
        ("Accept-Language: es-CL,es;q=0.9,en;q=0.8", "es", "No hay webhooks"),
        ("Accept-Language: en-US,en;q=0.9", "en", "no webhooks"),
        ("Accept: */*", "en", "no webhooks"),
    ] {
        server.publisher.send_replace(Arc::new(Snapshot {
            overview: Overview { is_api_up: Some(true), ..Overview::default() },
            ..Snapshot::default()
        }));
        let response = server.get_with("/", accept).await;
        assert_eq!((response.status, response.header("content-language")), (200, Some(tag)));
        assert_eq!(response.header("vary"), Some("accept-language, accept-encoding"));
        assert!(response.text().contains(word) && response.text().contains(&format!("<html lang=\"{tag}\">")));
        let missing = server.get_with("/webhooks/6b0516a6ab9ad878a8000006", accept).await;
        assert_eq!((missing.status, missing.header("content-language")), (404, Some(tag)));
        assert!(missing.text().contains("href=\"../\""));
    }
    server.stopped().await;
}

#[tokio::test]
async fn pages_ask_for_themselves_again_unless_they_are_told_not_to() {
    let server = Running::start().await;
    assert_eq!(server.get("/").await.header("refresh"), Some("30"));
    assert_eq!(server.get("/?q=x&state=blocked").await.header("refresh"), Some("30"));
    assert_eq!(server.get("/?q=x&refresh=0").await.header("refresh"), None);
    assert_eq!(server.get("/metrics").await.header("refresh"), None);
    server.stopped().await;
}

#[tokio::test]
async fn a_page_that_is_compressed_is_the_same_page() {
    let server = Running::start().await;
    let plain = server.get("/?refresh=0").await;
    let gzip = server.get_with("/?refresh=0", "Accept-Encoding: gzip").await;
    assert_eq!((plain.header("content-encoding"), gzip.header("content-encoding")), (None, Some("gzip")));
    let mut text = String::new();
    GzDecoder::new(gzip.body.as_slice()).read_to_string(&mut text).expect("gzip");
    let without_time = |text: &str| text.split_once("</time>").map(|(_, rest)| rest.to_owned());
    assert!(without_time(&text).is_some() && without_time(&text) == without_time(plain.text()));
    server.stopped().await;
}

#[tokio::test]
async fn links_go_below_the_prefix_that_a_proxy_tells() {
    let server = Running::start().await;
    let response = server.get_with("/", "X-Forwarded-Prefix: /tools/cotalker").await;
    assert!(response.text().contains("href=\"/tools/cotalker/metrics\""));
    assert!(server.get("/").await.text().contains("href=\"metrics\""));
    server.stopped().await;
}
