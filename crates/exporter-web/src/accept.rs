//! The accept loop of one listener.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::serve::serve_connection;
use crate::shared::Shared;

/// How long the loop rests when the system lacks descriptors or memory: long enough not to spin, short enough for a
/// scraper to wait for. A convention.
const REST_AFTER_ACCEPT_ERROR: Duration = Duration::from_millis(100);

/// How often an accept error that goes on is logged. A convention.
const ACCEPT_ERROR_REMINDER: Duration = Duration::from_secs(60);

/// Accepts connections of `listener` until the server has to stop, then lets running responses finish within the grace.
pub(crate) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut open = JoinSet::new();
    let mut logged_at: Option<Instant> = None;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = open.join_next() => continue,
            () = shared.stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                // A response ends in a small piece that must not wait for an acknowledgement. A failure here only makes
                // it slower.
                let _ = stream.set_nodelay(true);
                let place = shared.connections.admit(peer.ip().into());
                open.spawn(serve_connection(stream, place, Arc::clone(&shared)));
            }
            // The client's doing, and over.
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                if logged_at.is_none_or(|at| at.elapsed() >= ACCEPT_ERROR_REMINDER) {
                    tracing::warn!(%error, "failed to accept connections; trying again");
                    logged_at = Some(Instant::now());
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
    // The port is closed first, so that a client that comes now fails at once.
    drop(listener);
    let all_ended = async { while open.join_next().await.is_some() {} };
    if timeout(shared.limits.grace, all_ended).await.is_err() {
        tracing::debug!(connections = open.len(), "closed connections whose responses were not read in time");
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
