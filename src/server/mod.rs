//! The HTTP server: metrics, the page for people, and the two answers for probes.
//!
//! HTTP/1.1 only. axum routes; the accept loop is the exporter's own, because `axum::serve` closes no connection that
//! sends nothing, and refuses nobody and nothing when descriptors run out. What a client can do to this one:
//!
//! - It has five seconds for its request head, silence included, so half-open connections go by themselves.
//! - A connection serves one request. One that is kept would be closed after those five seconds, before the next scrape,
//!   and a client that sends just then would see its scrape fail.
//! - When all places are taken the newcomer gets one, see `connections.rs`: a scraper is never refused.
//! - An answer that is not taken within two minutes is given up, and at the end of the process within two seconds.
//! - A TLS handshake is part of those five seconds, and waits like any connection that has sent nothing yet.
//! - A request's body is never waited for, and nothing of its query or headers reaches a log.

mod body;
mod connections;
mod handshakes;
pub mod page;
mod routes;
#[cfg(test)]
mod tests;
pub mod web_config;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::server::body::Holding;
use crate::server::connections::{Client, Connections, Place};
use crate::server::handshakes::FailedHandshakes;
use crate::server::web_config::Guard;
use crate::snapshot;

/// What is served.
#[derive(Clone)]
pub struct Site {
    /// The path of the metrics, compared as it is.
    pub telemetry_path: String,
    /// The exporter's version, for the page.
    pub version: &'static str,
    /// Where the newest picture of the ledgers is.
    pub snapshots: snapshot::Subscriber,
    /// Renders the exporter's own instruments in text format 0.0.4; called for each scrape, so it has to be quick.
    pub own_metrics: Arc<dyn Fn() -> Vec<u8> + Send + Sync>,
    /// Who may see it, and over what.
    pub guard: Arc<Guard>,
}

/// What clients may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections open at once, over all listeners.
    pub connections: usize,
    /// Bytes of a request head; 8192 or more.
    pub head_bytes: usize,
    /// Header fields of a request.
    pub head_fields: usize,
    /// How long a connection may take for its TLS handshake and its request head.
    pub head_timeout: Duration,
    /// How long it may take to send an answer.
    pub answer_timeout: Duration,
    /// How long running answers may take when the server stops.
    pub grace: Duration,
}

impl Default for Limits {
    /// Far more than a scraper and a few people need, and so little that it does not show in the process's memory.
    /// The answer's two minutes are twice the longest scrape timeout that is usual.
    fn default() -> Self {
        Self {
            connections: 256,
            head_bytes: 16 * 1024,
            head_fields: 64,
            head_timeout: Duration::from_secs(5),
            answer_timeout: Duration::from_secs(120),
            grace: Duration::from_secs(2),
        }
    }
}

/// How long the accept loop rests when the system lacks descriptors or memory: long enough not to spin, short enough
/// for a scraper to wait for.
const REST_AFTER_ACCEPT_ERROR: Duration = Duration::from_millis(100);

/// How often an accept error that goes on is said again.
const ACCEPT_ERROR_REMINDER: Duration = Duration::from_secs(60);

/// The server, ready to run.
pub struct Server {
    listeners: Vec<TcpListener>,
    shared: Arc<Shared>,
}

/// What all connections share.
struct Shared {
    router: Router,
    guard: Arc<Guard>,
    http: http1::Builder,
    connections: Arc<Connections>,
    failed_handshakes: FailedHandshakes,
    limits: Limits,
    stop: CancellationToken,
}

impl Server {
    /// A server of `site` on `listeners` that runs until `stop` is cancelled.
    #[must_use]
    pub fn new(listeners: Vec<TcpListener>, site: Site, stop: CancellationToken) -> Self {
        Self::with_limits(listeners, site, stop, Limits::default())
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(listeners: Vec<TcpListener>, site: Site, stop: CancellationToken, limits: Limits) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .keep_alive(false)
            .max_buf_size(limits.head_bytes)
            .max_header_size(limits.head_bytes)
            .max_headers(limits.head_fields);
        let connections = Connections::new(limits.connections);
        let guard = Arc::clone(&site.guard);
        let router = routes::router(site);
        let failed_handshakes = FailedHandshakes::default();
        let shared = Shared { router, guard, http, connections, failed_handshakes, limits, stop };
        Self { listeners, shared: Arc::new(shared) }
    }

    /// Serves until it is told to stop: then accepts nothing more, closes what waits, lets running answers finish
    /// within the grace, and gives up the rest.
    pub async fn serve(self) {
        let mut tasks = JoinSet::new();
        for listener in self.listeners {
            tasks.spawn(accept(listener, Arc::clone(&self.shared)));
        }
        tasks.spawn(give_up_overdue_answers(self.shared));
        // Passes a panic on: a server without a listener must not look alive.
        tasks.join_all().await;
    }
}

/// Accepts connections of `listener` until told to stop, then sees to their end.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut open = JoinSet::new();
    let mut said_at: Option<Instant> = None;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = open.join_next() => continue,
            () = shared.stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                // An answer ends in a small piece that must not wait for an acknowledgement. It would only be slower.
                let _ = stream.set_nodelay(true);
                let place = shared.connections.admit(peer.ip().into());
                open.spawn(serve_connection(stream, place, Arc::clone(&shared)));
            }
            // The client's doing, and over.
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                if said_at.is_none_or(|at| at.elapsed() >= ACCEPT_ERROR_REMINDER) {
                    tracing::warn!(%error, "failed to accept connections; trying again");
                    said_at = Some(Instant::now());
                }
                // Most likely descriptors are short, and a connection that waits holds one.
                shared.connections.make_room();
                tokio::select! {
                    () = sleep(REST_AFTER_ACCEPT_ERROR) => {}
                    () = shared.stop.cancelled() => break,
                }
            }
        }
    }
    // Closes the port first: whoever comes now is told at once.
    drop(listener);
    let all_ended = async { while open.join_next().await.is_some() {} };
    if timeout(shared.limits.grace, all_ended).await.is_err() {
        tracing::debug!(connections = open.len(), "gave up answers that were not taken in time");
    }
    open.shutdown().await;
}

/// Whether `error` concerns the one connection that was to be accepted. Source: accept(2), "Error handling".
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// What a new connection turns out to be.
enum Opened {
    /// HTTP, where it is expected.
    Plain(TcpStream),
    /// TLS, after its handshake.
    Tls(Box<TlsStream<TcpStream>>),
    /// Something else, where TLS is expected.
    NoTls(TcpStream),
}

/// The first byte of every TLS handshake. Source: RFC 8446, section 5.1, `ContentType`.
const HANDSHAKE: u8 = 22;

/// Finds out what the connection is. An error is the client's: a handshake that fails or breaks off.
async fn open(stream: TcpStream, guard: &Guard) -> io::Result<Opened> {
    let in_force = guard.in_force().await;
    let Some(tls) = in_force.tls() else { return Ok(Opened::Plain(stream)) };
    let mut first = [0];
    match stream.peek(&mut first).await? {
        1 if first == [HANDSHAKE] => Ok(Opened::Tls(Box::new(tls.accept(stream).await?))),
        _ => Ok(Opened::NoTls(stream)),
    }
}

async fn serve_connection(stream: TcpStream, place: Place, shared: Arc<Shared>) {
    let since = Instant::now();
    let opened = tokio::select! {
        opened = timeout(shared.limits.head_timeout, open(stream, &shared.guard)) => opened,
        () = place.closed() => return,
        () = shared.stop.cancelled() => return,
    };
    let left = shared.limits.head_timeout.saturating_sub(since.elapsed());
    match opened {
        Ok(Ok(Opened::Plain(stream))) => serve_http(stream, place, &shared, left, false).await,
        Ok(Ok(Opened::Tls(stream))) => serve_http(stream, place, &shared, left, false).await,
        // Whoever forgot the s of https is told so.
        Ok(Ok(Opened::NoTls(stream))) => serve_http(stream, place, &shared, left, true).await,
        Ok(Err(error)) => shared.failed_handshakes.say(&error, Instant::now()),
        Err(_) => {}
    }
}

/// Serves one connection, whatever carries it.
async fn serve_http<S>(stream: S, place: Place, shared: &Arc<Shared>, head_timeout: Duration, lacks_tls: bool)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let client = place.client();
    let place = Arc::new(place);
    let service = hyper::service::service_fn(|request: Request<Incoming>| {
        let answering = place.answer();
        let shared = Arc::clone(shared);
        async move {
            let answer = if lacks_tls { routes::needs_https() } else { shared.answer(request, client).await };
            Ok::<_, std::convert::Infallible>(answer.map(|body| Holding::new(body, answering)))
        }
    });
    let mut http = shared.http.clone();
    http.header_read_timeout(head_timeout);
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    // An error is the client's: a head that is too large or too late, a connection that broke off. It has had its
    // answer if one is due, and there is nothing to do about it.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = place.closed() => return,
        () = shared.stop.cancelled() => {}
    }
    if place.is_answering() {
        connection.as_mut().graceful_shutdown();
        drop(connection.await);
    }
}

impl Shared {
    async fn answer(&self, request: Request<Incoming>, client: Client) -> Response {
        let in_force = self.guard.in_force().await;
        // A probe brings no login, and a flood must not get the pod killed.
        let admitted = if routes::is_probe(request.uri().path()) {
            Ok(())
        } else {
            in_force.admit(request.headers(), client).await
        };
        let mut answer = match admitted {
            Ok(()) => self.router.clone().oneshot(request).await.unwrap_or_else(|never| match never {}),
            Err(refusal) => routes::refuse(refusal),
        };
        in_force.dress(answer.headers_mut());
        answer
    }
}

/// Ends the answers that their clients do not take: each may hold on to a whole picture that is long out of date.
async fn give_up_overdue_answers(shared: Arc<Shared>) {
    let limit = shared.limits.answer_timeout;
    let ends = async {
        loop {
            sleep(limit / 4).await;
            shared.connections.close_answers_older_than(limit);
        }
    };
    tokio::select! {
        () = ends => {}
        () = shared.stop.cancelled() => {}
    }
}
