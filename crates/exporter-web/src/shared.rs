//! What all connections of a server share.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use http::HeaderValue;
use hyper::server::conn::http1;
use tokio_util::sync::CancellationToken;

use crate::connections::Connections;
use crate::handshakes::FailedHandshakes;
use crate::limits::Limits;
use crate::reload::Guard;

/// What all connections of a server share.
pub(crate) struct Shared {
    pub(crate) router: Router,
    pub(crate) guard: Guard,
    /// The value of `WWW-Authenticate`.
    pub(crate) challenge: HeaderValue,
    /// Paths that need no login and know no rate limit.
    pub(crate) open_paths: Vec<Cow<'static, str>>,
    pub(crate) http: http1::Builder,
    pub(crate) connections: Arc<Connections>,
    pub(crate) failed_handshakes: FailedHandshakes,
    pub(crate) limits: Limits,
    /// Cancelled when the server has to stop.
    pub(crate) stop: CancellationToken,
}
