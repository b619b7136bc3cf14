//! The accept loop: HTTP/1.1 over TCP, with a bound on everything that a client could hold on to.
//!
//! When there are too many connections, the one whose last request is longest ago makes room for the new one, so that
//! any number of half-open connections holds up no scrape.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use futures::stream::{FuturesUnordered, StreamExt as _};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// What clients can hold on to at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Open connections. A convention: many times what scrapers, probes and a person need.
    pub connections: usize,
    /// From a connection's start, or a request's first byte, to the end of the request's head. Source: the contract's issue.
    pub header_read: Duration,
    /// Bytes of a request's head. A convention: twice what common servers take.
    pub head_bytes: usize,
    /// For answers that are under way when the server is told to stop. A convention.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            header_read: Duration::from_secs(5),
            head_bytes: 16 * 1024,
            grace: Duration::from_secs(2),
        }
    }
}

/// After an accept that failed (usually for want of file descriptors) the loop waits so long. A convention.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The open connections, by when each last began a request.
#[derive(Debug, Default)]
struct Open {
    next: u64,
    connections: BTreeMap<u64, CancellationToken>,
}

impl Open {
    fn enter(&mut self, token: CancellationToken, most: usize) -> u64 {
        while self.connections.len() >= most.max(1) {
            let Some((_, longest_ago)) = self.connections.pop_first() else { break };
            longest_ago.cancel();
        }
        self.next += 1;
        self.connections.insert(self.next, token);
        self.next
    }

    fn move_to_end(&mut self, place: u64) -> u64 {
        let Some(token) = self.connections.remove(&place) else { return place };
        self.next += 1;
        self.connections.insert(self.next, token);
        self.next
    }
}

/// Serves on all listeners until `shutdown` is cancelled.
pub(super) async fn serve(listeners: Vec<TcpListener>, router: Router, limits: Limits, shutdown: CancellationToken) {
    let open = Arc::new(Mutex::new(Open::default()));
    let mut connections = JoinSet::new();
    let mut has_failed = false;
    loop {
        let mut accepts: FuturesUnordered<_> = listeners.iter().map(TcpListener::accept).collect();
        tokio::select! {
            () = shutdown.cancelled() => break,
            Some(accepted) = accepts.next() => match accepted {
                Ok((stream, _)) => {
                    has_failed = false;
                    let evicted = CancellationToken::new();
                    let place = lock(&open).enter(evicted.clone(), limits.connections);
                    connections.spawn(converse(stream, router.clone(), limits, Arc::clone(&open), place, evicted, shutdown.clone()));
                }
                Err(error) => {
                    if !std::mem::replace(&mut has_failed, true) {
                        tracing::warn!(%error, "failed to accept a connection");
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listeners);
    let all = async { while connections.join_next().await.is_some() {} };
    // What is left after that is aborted with the set.
    let _ = tokio::time::timeout(limits.grace, all).await;
}

async fn converse(
    stream: TcpStream,
    router: Router,
    limits: Limits,
    open: Arc<Mutex<Open>>,
    place: u64,
    evicted: CancellationToken,
    shutdown: CancellationToken,
) {
    // A small answer should not wait for the client's acknowledgement; if that can't be set, it does.
    let _ = stream.set_nodelay(true);
    let place = Arc::new(Mutex::new(place));
    let service = service_fn(|request: hyper::Request<Incoming>| {
        {
            let mut place = lock(&place);
            *place = lock(&open).move_to_end(*place);
        }
        router.clone().oneshot(request.map(axum::body::Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_read)
        .max_buf_size(limits.head_bytes)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let mut is_stopping = false;
    loop {
        tokio::select! {
            // How a client ends its connection is its own affair.
            _ = connection.as_mut() => break,
            () = evicted.cancelled() => break,
            () = shutdown.cancelled(), if !is_stopping => {
                is_stopping = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
    let place = *lock(&place);
    lock(&open).connections.remove(&place);
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
