use std::net::SocketAddr;
use std::time::Duration;

use axum::response::Response;
use bytes::Bytes;
use http::{StatusCode, Uri};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::*;
use crate::body::Pieces;
use crate::connections::Edition;
use crate::fixture::hash;
use crate::response::{respond, text};

const PAGE: &str = "up 1\n";
const END: &str = "process_open_fds 9\n";

/// A bound for what should happen at once, so that a test that fails ends as well.
const AT_MOST: Duration = Duration::from_secs(20);

struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    async fn start() -> Self {
        Self::with(Limits::default(), PAGE.into()).await
    }

    async fn with(limits: Limits, page: Bytes) -> Self {
        Self::following(limits, page, None).await
    }

    #[expect(clippy::disallowed_methods, reason = "the test's own task, awaited where it matters")]
    async fn following(limits: Limits, page: Bytes, file: Option<WebConfigFile>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let router = Router::new().fallback(async move |uri: Uri| pages(&uri, page));
        let server =
            Server::new(vec![listener], router).web_config(file).open_paths(["/-/healthy"]).realm("x").limits(limits);
        let stop = CancellationToken::new();
        Self { address, stop: stop.clone(), task: tokio::spawn(server.serve(stop)) }
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

    async fn stopped(self) {
        self.stop.cancel();
        timeout(AT_MOST, self.task).await.expect("an end").expect("no panic");
    }
}

fn pages(uri: &Uri, page: Bytes) -> Response {
    match uri.path() {
        "/metrics" => respond(StatusCode::OK, "text/plain", Pieces::new([page, END.into()])),
        path if path.starts_with("/editions/") => {
            let mut response = respond(StatusCode::OK, "text/plain", Pieces::new([page]));
            let edition = path.trim_start_matches("/editions/").parse().expect("a number");
            response.extensions_mut().insert(Edition(edition));
            response
        }
        "/-/healthy" => text(StatusCode::OK, "healthy"),
        _ => text(StatusCode::NOT_FOUND, "not found"),
    }
}

/// A response as it came over the network.
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

async fn is_closed(stream: &mut (impl AsyncRead + Unpin)) -> bool {
    let mut rest = Vec::new();
    // A reset closes just as well.
    timeout(AT_MOST, stream.read_to_end(&mut rest)).await.is_ok()
}

#[tokio::test]
async fn pages_need_a_login_and_know_a_limit_where_the_file_says_so_and_open_paths_do_not() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("web.yml");
    let text = format!("basic_auth_users: {{a: {}}}\nrate_limit: {{interval: 24h, burst: 2}}\n", hash("b"));
    std::fs::write(&path, text).expect("written");
    let file = WebConfigFile::read(&path).expect("good");
    let server = Running::following(Limits::default(), PAGE.into(), Some(file)).await;
    let refused = server.get("/metrics").await;
    assert_eq!((refused.status, refused.text()), (401, "a login is needed\n"));
    assert_eq!(refused.header("www-authenticate"), Some("basic realm=\"x\", charset=\"utf-8\""));
    assert_eq!(refused.header("cache-control"), Some("no-store"));
    // The header is `a:b`.
    let response = server.ask("GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YTpi\r\n\r\n").await;
    assert_eq!((response.status, response.text()), (200, [PAGE, END].concat().as_str()));
    let refused = server.get("/metrics").await;
    assert_eq!((refused.status, refused.text()), (429, "too many requests\n"));
    for path in ["/-/healthy", "/-/healthy?verbose"] {
        assert_eq!(server.get(path).await.status, 200, "{path}");
    }
    assert_eq!(server.get("/-/healthy/").await.status, 429);
    server.stopped().await;
}

#[tokio::test]
async fn a_flood_of_half_open_clients_holds_up_no_scrape() {
    let server = Running::with(Limits { connections: 8, ..Limits::default() }, PAGE.into()).await;
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
    let response = server.ask("GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!((response.status, response.header("connection"), response.text()), (200, Some("close"), "healthy\n"));
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
        stream.read_exact(&mut status).await.expect("a response");
        assert_eq!(&status, b"HTTP/1.1 431");
        assert!(is_closed(&mut stream).await);
    }
    server.stopped().await;
}

#[tokio::test]
async fn whoever_sends_no_whole_head_in_time_is_closed() {
    let limits = Limits { head_timeout: Duration::from_millis(50), ..Limits::default() };
    let server = Running::with(limits, PAGE.into()).await;
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

/// A connection with a running response, of which only the beginning was read.
async fn begun_response(server: &Running) -> TcpStream {
    begun_response_of(server, "/metrics").await
}

async fn begun_response_of(server: &Running, path: &str) -> TcpStream {
    let mut stream = server.connect().await;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.expect("a request");
    let mut status = [0; 12];
    stream.read_exact(&mut status).await.expect("the beginning");
    assert_eq!(&status, b"HTTP/1.1 200");
    stream
}

/// Waits until the server has given up a connection whose response is not read: then writing to it fails. Reading would
/// take the response.
async fn given_up(mut deaf: TcpStream) {
    let failed = async { while deaf.write_all(b"x").await.is_ok() {} };
    timeout(AT_MOST, failed).await.expect("a connection that was given up");
}

#[tokio::test]
async fn clients_that_send_or_read_nothing_do_not_keep_the_server_from_stopping() {
    let limits = Limits { grace: Duration::from_millis(50), ..Limits::default() };
    let server = Running::with(limits, more_than_sockets_hold()).await;
    let _silent = server.connect().await;
    let mut half_open = server.connect().await;
    half_open.write_all(b"GET / HT").await.expect("a beginning");
    let _deaf = begun_response(&server).await;
    server.stopped().await;
}

#[tokio::test]
async fn a_running_response_is_finished_when_the_server_stops() {
    let limits = Limits { grace: AT_MOST, ..Limits::default() };
    let server = Running::with(limits, more_than_sockets_hold()).await;
    let mut silent = server.connect().await;
    let mut stream = begun_response(&server).await;
    server.stop.cancel();
    assert!(is_closed(&mut silent).await);
    let mut rest = Vec::new();
    timeout(AT_MOST, stream.read_to_end(&mut rest)).await.expect("in time").expect("the rest");
    assert!(rest.len() > 64 << 20 && rest.ends_with(END.as_bytes()));
    assert!(TcpStream::connect(server.address).await.is_err());
    server.stopped().await;
}

#[tokio::test]
async fn a_response_that_is_not_read_is_given_up() {
    let limits = Limits { response_timeout: Duration::from_millis(50), ..Limits::default() };
    let server = Running::with(limits, more_than_sockets_hold()).await;
    given_up(begun_response(&server).await).await;
    server.stopped().await;
}

#[tokio::test]
async fn a_response_of_which_nothing_is_taken_is_given_up_and_one_that_is_being_read_is_not() {
    let limits = Limits { stall_timeout: Duration::from_millis(500), ..Limits::default() };
    let server = Running::with(limits, more_than_sockets_hold()).await;
    let deaf = begun_response(&server).await;
    let mut slow = begun_response(&server).await;
    let (mut taken, mut some) = (0, vec![0; 1 << 20]);
    // It goes on reading for as long as the other one is there, and then to the end.
    let mut gone = std::pin::pin!(given_up(deaf));
    let mut is_gone = false;
    while taken < 64 << 20 {
        tokio::select! {
            () = &mut gone, if !is_gone => is_gone = true,
            read = slow.read(&mut some) => taken += read.expect("more"),
        }
        if !is_gone {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    if !is_gone {
        gone.await;
    }
    server.stopped().await;
}

#[tokio::test]
async fn of_responses_that_are_not_read_few_editions_are_kept_and_the_newest_is_served() {
    let server = Running::with(Limits { editions: 3, ..Limits::default() }, more_than_sockets_hold()).await;
    let mut deaf = Vec::new();
    for edition in 0..6 {
        deaf.push(begun_response_of(&server, &format!("/editions/{edition}")).await);
    }
    for stream in deaf.drain(..3) {
        given_up(stream).await;
    }
    let mut whole = begun_response_of(&server, "/editions/5").await;
    let mut rest = Vec::new();
    timeout(AT_MOST, whole.read_to_end(&mut rest)).await.expect("in time").expect("the rest");
    assert!(rest.len() > 64 << 20);
    for stream in &mut deaf {
        stream.write_all(b"x").await.expect("still there");
    }
    server.stopped().await;
}

/// Serves over TLS, and what a client needs that trusts it.
fn over_tls() -> (WebConfigFile, TlsConnector) {
    let key = rcgen::KeyPair::generate().expect("a key");
    let parameters = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).expect("parameters");
    let certificate = parameters.self_signed(&key).expect("a certificate");
    let directory = tempfile::tempdir().expect("a directory");
    let text = "tls_server_config: {cert_file: tls.crt, key_file: tls.key}";
    for (name, text) in [("tls.crt", certificate.pem()), ("tls.key", key.serialize_pem()), ("web.yml", text.into())] {
        std::fs::write(directory.path().join(name), text).expect("written");
    }
    // The files are gone after this, which changes nothing.
    let file = WebConfigFile::read(&directory.path().join("web.yml")).expect("good");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.der().clone()).expect("a root");
    let client = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    (file, TlsConnector::from(Arc::new(client)))
}

#[tokio::test]
async fn a_thousand_half_open_tls_clients_hold_up_no_scrape() {
    let (file, connector) = over_tls();
    let limits = Limits { connections: 8, ..Limits::default() };
    let server = Running::following(limits, PAGE.into(), Some(file)).await;
    let mut first = server.connect().await;
    for number in 0..1_000 {
        let mut stream = server.connect().await;
        // The beginning of a handshake; it may be closed already.
        stream.write_all(&[22, 3, 1]).await.ok();
        if number % 100 == 99 {
            let name = "127.0.0.1".try_into().expect("a name");
            let mut stream = connector.connect(name, server.connect().await).await.expect("TLS");
            stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("a request");
            assert_eq!(Reply::read(&mut stream).await.status, 200);
        }
    }
    assert!(is_closed(&mut first).await);
    server.stopped().await;
}

#[tokio::test]
async fn a_handshake_is_part_of_the_time_for_a_head() {
    let (file, connector) = over_tls();
    let limits = Limits { head_timeout: Duration::from_millis(50), ..Limits::default() };
    let server = Running::following(limits, PAGE.into(), Some(file)).await;
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
    let (file, _) = over_tls();
    let server = Running::following(Limits::default(), PAGE.into(), Some(file)).await;
    for path in ["/metrics", "/-/healthy"] {
        let response = server.get(path).await;
        assert_eq!((response.status, response.text()), (400, "this port speaks HTTPS: use https://\n"));
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
    let (file, _) = over_tls();
    let server = Running::following(Limits::default(), PAGE.into(), Some(file)).await;
    let _silent = server.connect().await;
    let mut half_open = server.connect().await;
    half_open.write_all(&[22, 3, 1]).await.expect("a beginning");
    server.stopped().await;
}
