use std::io::Read as _;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use flate2::bufread::GzDecoder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

use super::*;
use crate::exposition::Rendered;
use crate::snapshot::{Overview, Publisher, Snapshot, WebhookRow};
use crate::telemetry::Instruments;

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
        Self::with(Limits::default(), LEDGERS.into()).await
    }

    async fn with(limits: Limits, ledgers: Bytes) -> Self {
        Self::guarded(limits, ledgers, everybody()).await
    }

    #[expect(clippy::disallowed_methods, reason = "the test's own task, awaited where it matters")]
    async fn guarded(limits: Limits, ledgers: Bytes, guard: Arc<Guard>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let (publisher, snapshots) = snapshot::channel();
        publisher.send_replace(Arc::new(snapshot_of(ledgers)));
        let stop = CancellationToken::new();
        let site = Site {
            telemetry_path: "/metrics".into(),
            version: "1.2.3",
            snapshots,
            own_metrics: Arc::new(|| OWN.into()),
            guard,
        };
        let server = Server::with_limits(vec![listener], site, stop.clone(), limits);
        Self { address, publisher, stop, task: tokio::spawn(server.serve()) }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    /// Sends `head` on a connection of its own and reads until the server closes it.
    async fn ask(&self, head: &str) -> Answer {
        let mut stream = self.connect().await;
        stream.write_all(head.as_bytes()).await.expect("a request");
        Answer::read(&mut stream).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await
    }

    async fn get_accepting(&self, encoding: &str) -> Answer {
        self.ask(&format!(
            "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAccept-Encoding: {encoding}\r\n\r\n"
        ))
        .await
    }

    async fn stopped(self) {
        self.stop.cancel();
        timeout(AT_MOST, self.task).await.expect("an end").expect("no panic");
    }
}

/// Lets everybody see everything.
fn everybody() -> Arc<Guard> {
    Arc::new(Guard::new(None, Arc::new(Instruments::new(60.0).expect("instruments"))))
}

fn snapshot_of(ledgers: Bytes) -> Snapshot {
    Snapshot { is_ready: true, families: Rendered::new(ledgers), overview: Overview::default() }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Self {
        let mut raw = Vec::new();
        timeout(AT_MOST, stream.read_to_end(&mut raw)).await.expect("in time").expect("an answer");
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

#[test]
fn whose_login_was_not_looked_at_is_told_to_come_again_and_not_that_it_is_wrong() {
    let answer = routes::refuse(web_config::Refusal::Busy);
    assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (503, &"10".parse().expect("a value")));
    assert!(!answer.headers().contains_key("www-authenticate"));
}

async fn is_closed(stream: &mut (impl AsyncRead + Unpin)) -> bool {
    let mut rest = Vec::new();
    // A reset closes just as well.
    timeout(AT_MOST, stream.read_to_end(&mut rest)).await.is_ok()
}

#[tokio::test]
async fn metrics_are_the_ledgers_and_the_exporters_own() {
    let server = Running::start().await;
    let answer = server.get("/metrics").await;
    assert_eq!((answer.status, answer.text()), (200, [LEDGERS, OWN].concat().as_str()));
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert_eq!(answer.header("content-length"), Some((LEDGERS.len() + OWN.len()).to_string().as_str()));
    assert_eq!(answer.header("vary"), Some("accept-encoding"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("content-encoding"), None);
    assert_eq!(server.get("/metrics?name=x").await.status, 200);
    server.stopped().await;
}

#[tokio::test]
async fn gzip_is_one_member_with_the_same_text_and_follows_the_ledgers() {
    let large = "cotalker_webhook_delivery_attempts_total{webhook=\"a\"} 12\n".repeat(20_000);
    let server = Running::with(Limits::default(), large.clone().into()).await;
    for ledgers in [large.as_str(), large.as_str(), "cotalker_up 0\n"] {
        if ledgers != large {
            server.publisher.send_replace(Arc::new(snapshot_of(Bytes::copy_from_slice(ledgers.as_bytes()))));
        }
        let answer = server.get_accepting("gzip").await;
        assert_eq!(answer.header("content-encoding"), Some("gzip"));
        assert_eq!(answer.header("content-length"), Some(answer.body.len().to_string().as_str()));
        let mut decoder = GzDecoder::new(answer.body.as_slice());
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
async fn probes_answer_and_readiness_waits_for_the_first_poll() {
    let server = Running::start().await;
    server.publisher.send_replace(Arc::default());
    assert_eq!(server.get("/-/healthy").await.status, 200);
    let answer = server.get("/-/ready").await;
    assert_eq!((answer.status, answer.text()), (503, "not ready: the first poll is still running\n"));
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
    for method in ["HEAD", "POST", "OPTIONS", "DELETE", "BREW"] {
        for path in ["/metrics", "/", "/-/healthy", "/-/ready"] {
            let answer = server.ask(&format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await;
            assert_eq!((answer.status, answer.header("allow")), (405, Some("get")), "{method} {path}");
        }
    }
    assert_eq!(server.ask("POST /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.status, 404);
    server.stopped().await;
}

#[tokio::test]
async fn the_path_of_the_metrics_is_no_pattern() {
    let (_publisher, snapshots) = snapshot::channel();
    let site = |path: &str| Site {
        telemetry_path: path.into(),
        version: "1.2.3",
        snapshots: snapshots.clone(),
        own_metrics: Arc::new(|| OWN.into()),
        guard: everybody(),
    };
    for (telemetry_path, path, expected) in
        [("/{*all}", "/x", 404), ("/:name", "/x", 404), ("/:name", "/:name", 200), ("/", "/", 200)]
    {
        let request = Request::get(path).body(axum::body::Body::empty()).expect("a request");
        let answer = routes::router(site(telemetry_path)).oneshot(request).await.expect("an answer");
        assert_eq!(answer.status(), expected, "{telemetry_path} {path}");
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
    };
    let overview = Overview { webhooks: vec![webhook], is_api_up: Some(true), ..Overview::default() };
    server.publisher.send_replace(Arc::new(Snapshot { overview, ..Snapshot::default() }));
    let answer = server.get("/").await;
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("Orders") && !answer.text().contains("<script"));
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    let policy = answer.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none';") && policy.contains("frame-ancestors 'none'"));
    server.stopped().await;
}

#[tokio::test]
async fn a_flood_of_half_open_clients_holds_up_no_scrape() {
    let server = Running::with(Limits { connections: 8, ..Limits::default() }, LEDGERS.into()).await;
    let mut flood = Vec::new();
    for number in 0..100 {
        let mut stream = server.connect().await;
        if number % 2 == 0 {
            stream.write_all(b"GET /metrics HTTP/1.1\r\nHost:").await.ok();
        }
        flood.push(stream);
        if number % 10 == 9 {
            assert_eq!(server.get("/metrics").await.status, 200);
        }
    }
    assert!(is_closed(&mut flood[0]).await);
    server.stopped().await;
}

#[tokio::test]
async fn a_connection_serves_one_request_and_says_so() {
    let server = Running::start().await;
    // Nothing asks the server to close it.
    let answer = server.ask("GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!((answer.status, answer.header("connection"), answer.text()), (200, Some("close"), "healthy\n"));
    server.stopped().await;
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused_and_the_connection_closed() {
    let server = Running::start().await;
    let many: String = (0..65).map(|number| format!("X-{number}: x\r\n")).collect();
    for fields in [format!("X: {}\r\n", "x".repeat(17_000)), many] {
        let mut stream = server.connect().await;
        stream.write_all(format!("GET / HTTP/1.1\r\n{fields}\r\n").as_bytes()).await.expect("a request");
        let mut status = [0; 12];
        stream.read_exact(&mut status).await.expect("an answer");
        assert_eq!(&status, b"HTTP/1.1 431");
        assert!(is_closed(&mut stream).await);
    }
    server.stopped().await;
}

#[tokio::test]
async fn whoever_sends_no_whole_head_in_time_is_closed() {
    let limits = Limits { head_timeout: Duration::from_millis(50), ..Limits::default() };
    let server = Running::with(limits, LEDGERS.into()).await;
    for beginning in ["", "GET", "GET /-/healthy HTTP/1.1\r\nHost: x\r\n", "GET /-/healthy HTTP/1.1\r\n\r\n"] {
        let mut stream = server.connect().await;
        stream.write_all(beginning.as_bytes()).await.expect("a beginning");
        assert!(is_closed(&mut stream).await, "{beginning}");
    }
    server.stopped().await;
}

/// More than the buffers of both sockets hold.
fn more_than_sockets_hold() -> Bytes {
    vec![b'x'; 64 << 20].into()
}

/// A connection with a running answer, of which only the beginning was read.
async fn begun_answer(server: &Running) -> TcpStream {
    let mut stream = server.connect().await;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("a request");
    let mut status = [0; 12];
    stream.read_exact(&mut status).await.expect("the beginning");
    assert_eq!(&status, b"HTTP/1.1 200");
    stream
}

#[tokio::test]
async fn clients_that_send_or_read_nothing_do_not_keep_the_server_from_stopping() {
    let limits = Limits { grace: Duration::from_millis(50), ..Limits::default() };
    let server = Running::with(limits, more_than_sockets_hold()).await;
    let _silent = server.connect().await;
    let mut half_open = server.connect().await;
    half_open.write_all(b"GET / HT").await.expect("a beginning");
    let _deaf = begun_answer(&server).await;
    server.stopped().await;
}

#[tokio::test]
async fn a_running_answer_is_finished_when_the_server_stops() {
    let limits = Limits { grace: AT_MOST, ..Limits::default() };
    let server = Running::with(limits, more_than_sockets_hold()).await;
    let mut silent = server.connect().await;
    let mut stream = begun_answer(&server).await;
    server.stop.cancel();
    assert!(is_closed(&mut silent).await);
    let mut rest = Vec::new();
    timeout(AT_MOST, stream.read_to_end(&mut rest)).await.expect("in time").expect("the rest");
    assert!(rest.len() > 64 << 20 && rest.ends_with(OWN.as_bytes()));
    assert!(TcpStream::connect(server.address).await.is_err());
    server.stopped().await;
}

#[tokio::test]
async fn an_answer_that_is_not_taken_is_given_up() {
    let limits = Limits { answer_timeout: Duration::from_millis(50), ..Limits::default() };
    let server = Running::with(limits, more_than_sockets_hold()).await;
    let mut deaf = begun_answer(&server).await;
    // Once the connection has been given up writing to it fails; reading it would be to take the answer.
    let failed = async { while deaf.write_all(b"x").await.is_ok() {} };
    timeout(AT_MOST, failed).await.expect("a connection that was given up");
    server.stopped().await;
}

/// Serves over TLS, and what a client needs that trusts it.
fn over_tls() -> (Arc<Guard>, TlsConnector) {
    let key = rcgen::KeyPair::generate().expect("a key");
    let parameters = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).expect("parameters");
    let certificate = parameters.self_signed(&key).expect("a certificate");
    let directory = tempfile::tempdir().expect("a directory");
    let text = "tls_server_config: {cert_file: tls.crt, key_file: tls.key}";
    for (name, text) in [("tls.crt", certificate.pem()), ("tls.key", key.serialize_pem()), ("web.yml", text.into())] {
        std::fs::write(directory.path().join(name), text).expect("written");
    }
    let config = web_config::Protection::read(&directory.path().join("web.yml")).expect("good");
    // The files are gone after this, which changes nothing.
    let guard = Guard::new(Some(config), Arc::new(Instruments::new(60.0).expect("instruments")));
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.der().clone()).expect("a root");
    let client = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    (Arc::new(guard), TlsConnector::from(Arc::new(client)))
}

#[tokio::test]
async fn a_thousand_half_open_tls_clients_hold_up_no_scrape() {
    let (guard, connector) = over_tls();
    let limits = Limits { connections: 8, ..Limits::default() };
    let server = Running::guarded(limits, LEDGERS.into(), guard).await;
    let mut first = server.connect().await;
    for number in 0..1_000 {
        let mut stream = server.connect().await;
        // The beginning of a handshake; it may be closed already.
        stream.write_all(&[22, 3, 1]).await.ok();
        if number % 100 == 99 {
            let name = "127.0.0.1".try_into().expect("a name");
            let mut stream = connector.connect(name, server.connect().await).await.expect("TLS");
            stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("a request");
            assert_eq!(Answer::read(&mut stream).await.status, 200);
        }
    }
    assert!(is_closed(&mut first).await);
    server.stopped().await;
}

#[tokio::test]
async fn a_handshake_is_part_of_the_time_for_a_head() {
    let (guard, connector) = over_tls();
    let limits = Limits { head_timeout: Duration::from_millis(50), ..Limits::default() };
    let server = Running::guarded(limits, LEDGERS.into(), guard).await;
    for beginning in [&b""[..], &[22], &[22, 3, 1, 2, 0, 1], b"GET / HTTP/1.1\r\n"] {
        let mut stream = server.connect().await;
        stream.write_all(beginning).await.expect("a beginning");
        assert!(is_closed(&mut stream).await, "{beginning:?}");
    }
    let name = "127.0.0.1".try_into().expect("a name");
    // A handshake that is done in time, and nothing after it.
    if let Ok(mut stream) = connector.connect(name, server.connect().await).await {
        assert!(is_closed(&mut stream).await);
    }
    server.stopped().await;
}

#[tokio::test]
async fn http_where_https_is_spoken_is_told_so_and_nothing_else() {
    let (guard, _) = over_tls();
    let server = Running::guarded(Limits::default(), LEDGERS.into(), guard).await;
    for path in ["/metrics", "/-/healthy"] {
        let answer = server.get(path).await;
        assert_eq!((answer.status, answer.text()), (400, "this port speaks HTTPS: use https://\n"));
    }
    server.stopped().await;
}

#[tokio::test]
async fn tls_where_http_is_spoken_is_closed_and_harms_nobody() {
    let (_, connector) = over_tls();
    let server = Running::start().await;
    let name = "127.0.0.1".try_into().expect("a name");
    connector.connect(name, server.connect().await).await.expect_err("no TLS there");
    assert_eq!(server.get("/metrics").await.status, 200);
    server.stopped().await;
}

#[tokio::test]
async fn the_server_stops_while_handshakes_hang() {
    let (guard, _) = over_tls();
    let server = Running::guarded(Limits::default(), LEDGERS.into(), guard).await;
    let _silent = server.connect().await;
    let mut half_open = server.connect().await;
    half_open.write_all(&[22, 3, 1]).await.expect("a beginning");
    server.stopped().await;
}
