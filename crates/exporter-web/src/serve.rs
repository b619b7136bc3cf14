//! One connection, from its first byte to its end.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::server::TlsStream;
use tower::ServiceExt as _;

use crate::connections::{Edition, Place};
use crate::holding::Holding;
use crate::peer::Peer;
use crate::progress::Watched;
use crate::refusal::needs_https;
use crate::reload::Guard;
use crate::shared::Shared;

/// What a new connection turns out to be.
enum Opened {
    /// HTTP, where HTTP is spoken.
    Plain(TcpStream),
    /// TLS, after its handshake.
    Tls(Box<TlsStream<TcpStream>>),
    /// Something else, where TLS is spoken.
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

/// Serves one connection, until it ends, its place is taken away, or the server stops.
pub(crate) async fn serve_connection(stream: TcpStream, place: Place, shared: Arc<Shared>) {
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
        // A client that took http:// for https:// is told so.
        Ok(Ok(Opened::NoTls(stream))) => serve_http(stream, place, &shared, left, true).await,
        Ok(Err(error)) => shared.failed_handshakes.log(&error, Instant::now()),
        Err(_) => {}
    }
}

/// Serves HTTP over any stream.
async fn serve_http<S>(stream: S, place: Place, shared: &Arc<Shared>, head_timeout: Duration, lacks_tls: bool)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let peer = place.peer();
    let place = Arc::new(place);
    let service = hyper::service::service_fn(|request: Request<Incoming>| {
        let responding = place.respond();
        let shared = Arc::clone(shared);
        async move {
            let response = if lacks_tls { needs_https() } else { respond(&shared, request, peer).await };
            responding.offers(response.extensions().get::<Edition>().copied());
            Ok::<_, Infallible>(response.map(|body| Holding::new(body, responding)))
        }
    });
    let mut http = shared.http.clone();
    http.header_read_timeout(head_timeout);
    let stream = Watched::new(stream, Arc::clone(&place));
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    // An error is the client's: a head that is too large or too late, a connection that broke off. The response, if one
    // is due, has been sent, and there is nothing else to do.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = place.closed() => return,
        () = shared.stop.cancelled() => {}
    }
    if place.is_responding() {
        connection.as_mut().graceful_shutdown();
        drop(connection.await);
    }
}

/// The response to a request: the router's, or why the request is not let through.
async fn respond(shared: &Shared, request: Request<Incoming>, peer: Peer) -> Response {
    let in_force = shared.guard.in_force().await;
    let is_open = shared.open_paths.iter().any(|path| path == request.uri().path());
    let admitted = if is_open { Ok(()) } else { in_force.admit(request.headers(), peer).await };
    let mut response = match admitted {
        Ok(()) => shared.router.clone().oneshot(request).await.unwrap_or_else(|never| match never {}),
        Err(refusal) => refusal.response(&shared.challenge),
    };
    in_force.set_headers(response.headers_mut());
    response
}
