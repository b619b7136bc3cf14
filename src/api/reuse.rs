//! Whether a call went out on a connection that an earlier call had left behind.
//!
//! The HTTP client does not say. It does connect within the task of the call whose connection it is, so a layer around
//! its connector leaves a note there; a connection that it opens for later, in a task of its own, leaves none.

use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context, Poll};

use tower::{Layer, Service};

tokio::task_local! {
    static HAS_CONNECTED: Cell<bool>;
}

/// What `call` brings, and whether it went out on a reused connection: no connection was opened for it.
pub(super) async fn note_reuse<T>(call: impl Future<Output = T>) -> (T, bool) {
    let noted = async { (call.await, !HAS_CONNECTED.with(Cell::get)) };
    HAS_CONNECTED.scope(Cell::new(false), noted).await
}

/// The layer that leaves the note.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoteConnecting;

impl<S> Layer<S> for NoteConnecting {
    type Service = NotesConnecting<S>;

    fn layer(&self, connector: S) -> Self::Service {
        NotesConnecting(connector)
    }
}

/// A connector that leaves a note of each connection.
#[derive(Clone, Debug)]
pub(super) struct NotesConnecting<S>(S);

impl<S: Service<D, Future: Send + 'static>, D> Service<D> for NotesConnecting<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, destination: D) -> Self::Future {
        let connecting = self.0.call(destination);
        Box::pin(async move {
            let connected = connecting.await;
            // Fails outside of a call, where nobody asks.
            let _ = HAS_CONNECTED.try_with(|noted| noted.set(true));
            connected
        })
    }
}
