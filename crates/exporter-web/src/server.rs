//! The server: what is served, on which listeners, and how it ends.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioTimer;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::accept::accept;
use crate::connections::Connections;
use crate::handshakes::FailedHandshakes;
use crate::limits::Limits;
use crate::refusal::challenge;
use crate::reload::{Guard, OnReload, Reload};
use crate::shared::Shared;
use crate::web_config_file::WebConfigFile;

/// A server of a router, as its web configuration file asks for.
///
/// HTTP/1.1 only. What a client can rely on, and what it cannot do:
///
/// - It has five seconds for its TLS handshake and its request head together, silence included, so half-open connections
///   end by themselves.
/// - A connection serves one request. A connection that is kept would be closed after those five seconds, before the
///   next scrape, and a client that sends just then would see its scrape fail.
/// - A newcomer is never refused for want of places: when all are taken, one of the other connections is closed, of the
///   peer that holds most. So a flood does not keep the scraper out.
/// - A response of which nothing is read for ten seconds, or that is not read within two minutes, is given up; when the
///   server stops, one that is not read within two seconds. Responses of more than four [editions](crate::Edition) of
///   a page are not kept up.
/// - A request's body is never waited for, and nothing of its query or headers reaches a log.
///
/// The times and numbers are those of [`Limits::default`].
pub struct Server {
    listeners: Vec<TcpListener>,
    router: Router,
    file: Option<WebConfigFile>,
    realm: Cow<'static, str>,
    open_paths: Vec<Cow<'static, str>>,
    on_reload: OnReload,
    limits: Limits,
}

impl Server {
    /// A server of `router` on `listeners`: plain HTTP for everybody, unless [`web_config`](Self::web_config) is given.
    #[must_use]
    pub fn new(listeners: Vec<TcpListener>, router: Router) -> Self {
        Self {
            listeners,
            router,
            file: None,
            realm: Cow::Borrowed("metrics"),
            open_paths: Vec::new(),
            on_reload: Box::new(|_| {}),
            limits: Limits::default(),
        }
    }

    /// The web configuration file to follow; `None` for plain HTTP for everybody.
    #[must_use]
    pub fn web_config(mut self, file: Option<WebConfigFile>) -> Self {
        self.file = file;
        self
    }

    /// The realm that a client without a login is told, the exporter's name for example. "metrics" by default. Characters
    /// other than printable ASCII become question marks.
    #[must_use]
    pub fn realm(mut self, realm: impl Into<Cow<'static, str>>) -> Self {
        self.realm = realm.into();
        self
    }

    /// Paths that need no login and do not count for the rate limit: those of probes, which bring no login, and which a
    /// flood must not make fail. None by default. They are compared as they are, without the query. TLS and client
    /// certificates apply to them as well.
    #[must_use]
    pub fn open_paths(mut self, paths: impl IntoIterator<Item = impl Into<Cow<'static, str>>>) -> Self {
        self.open_paths = paths.into_iter().map(Into::into).collect();
        self
    }

    /// What to call after each change of the web configuration file, or of a file that it names: to count it, for
    /// example. It is called on a thread that may block, and before the change is logged.
    #[must_use]
    pub fn on_reload(mut self, on_reload: impl Fn(Reload) + Send + Sync + 'static) -> Self {
        self.on_reload = Box::new(on_reload);
        self
    }

    /// Other limits than [`Limits::default`].
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Serves until `stop` is cancelled. Then the ports and the connections that wait are closed at once, and running
    /// responses have the grace of the limits to finish.
    ///
    /// # Panics
    ///
    /// If the accept loop of a listener panics: a server without a listener must not look alive.
    pub async fn serve(self, stop: CancellationToken) {
        let limits = self.limits;
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .keep_alive(false)
            .max_buf_size(limits.head_bytes.max(WRITTEN_AT_ONCE))
            .max_header_size(limits.head_bytes)
            .max_headers(limits.head_fields);
        let shared = Arc::new(Shared {
            router: self.router,
            guard: self.file.map_or_else(Guard::open, |file| Guard::following(file, self.on_reload)),
            challenge: challenge(&self.realm),
            open_paths: self.open_paths,
            http,
            connections: Connections::new(limits.connections, limits.editions),
            failed_handshakes: FailedHandshakes::default(),
            limits,
            stop,
        });
        let mut tasks = JoinSet::new();
        for listener in self.listeners {
            tasks.spawn(accept(listener, Arc::clone(&shared)));
        }
        tasks.spawn(give_up_overdue_responses(shared));
        tasks.join_all().await;
    }
}

/// Up to so much of a response is handed to the system in one call, so that its client is not woken for each piece. The
/// pieces are shared, so it is no memory. Heads have a limit of their own.
const WRITTEN_AT_ONCE: usize = 1024 * 1024;

/// Ends the responses that their clients do not read: each may hold large data that is long stale.
async fn give_up_overdue_responses(shared: Arc<Shared>) {
    let (limit, stall) = (shared.limits.response_timeout, shared.limits.stall_timeout);
    let ends = async {
        loop {
            sleep(limit.min(stall) / 4).await;
            shared.connections.close_overdue(limit, stall);
        }
    };
    tokio::select! {
        () = ends => {}
        () = shared.stop.cancelled() => {}
    }
}

#[cfg(test)]
mod tests;
