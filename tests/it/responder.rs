//! A server of raw bytes: what no well-behaved HTTP server can be made to send, and when it closes a connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cotalker_webhook_exporter::api::credentials::Credentials;
use cotalker_webhook_exporter::api::{ApiClient, ApiSettings};
use cotalker_webhook_exporter::telemetry::Instruments;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What happens to a request.
#[derive(Clone, Debug)]
pub(crate) enum Reaction {
    /// These bytes, and the connection stays open.
    Send(Vec<u8>),
    /// These bytes, and the connection is closed after that time.
    SendAndClose(Vec<u8>, Duration),
    /// Not a byte: the connection is closed.
    Close,
}

/// The server; it ends when it is dropped.
pub(crate) struct Responder {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Responder {
    /// Reacts to each request by its number on its connection (from 0) and its head.
    pub(crate) async fn start(react: impl Fn(usize, &str) -> Reaction + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (connections, requests) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (opened, asked, react) = (Arc::clone(&connections), Arc::clone(&requests), Arc::new(react));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                opened.fetch_add(1, Ordering::SeqCst);
                let (asked, react) = (Arc::clone(&asked), Arc::clone(&react));
                open.spawn(async move { serve(stream, &asked, &*react).await });
            }
        });
        Self { address, connections, requests, _tasks: tasks }
    }

    /// The same response, in which the connection stays open, to every request.
    pub(crate) async fn always(response: Vec<u8>) -> Self {
        Self::start(move |_, _| Reaction::Send(response.clone())).await
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// Settings to call it with.
    pub(crate) fn settings(&self) -> ApiSettings {
        settings(&self.base_url())
    }

    /// A client of it.
    pub(crate) fn client(&self) -> (ApiClient, Arc<Instruments>) {
        client(self.settings())
    }
}

/// Settings to call this URL with.
pub(crate) fn settings(base_url: &str) -> ApiSettings {
    ApiSettings {
        base_url: base_url.parse().expect("a URL"),
        credentials: Credentials::Anonymous,
        company: None,
        admin: false,
        ca_pem: None,
        ca_file: None,
        timeout: Duration::from_secs(20),
        max_response_bytes: 1 << 30,
        calls_per_second: 0.0,
        poll_interval: Duration::from_secs(60),
        clock_speed: 1.0,
        proxy: None,
    }
}

/// A client with these settings, and where it counts.
pub(crate) fn client(settings: ApiSettings) -> (ApiClient, Arc<Instruments>) {
    let instruments = Arc::new(Instruments::new(60.0));
    (ApiClient::new(settings, Arc::clone(&instruments)).expect("a client"), instruments)
}

async fn serve(mut stream: TcpStream, asked: &AtomicUsize, react: &(impl Fn(usize, &str) -> Reaction + Send + Sync)) {
    for number in 0.. {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let Ok(byte) = stream.read_u8().await else { return };
            head.push(byte);
        }
        asked.fetch_add(1, Ordering::SeqCst);
        match react(number, &String::from_utf8_lossy(&head)) {
            Reaction::Send(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            Reaction::SendAndClose(bytes, after) => {
                let _ = stream.write_all(&bytes).await;
                tokio::time::sleep(after).await;
                return;
            }
            Reaction::Close => return,
        }
    }
}

/// A response with this status line, these further header lines, and this body.
pub(crate) fn response(status: &str, headers: &[&str], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut bytes = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len());
    for header in headers {
        bytes.push_str(header);
        bytes.push_str("\r\n");
    }
    bytes.push_str("\r\n");
    let mut bytes = bytes.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}
