//! Responses as an exporter's pages need them.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use http::header::{self, HeaderName, HeaderValue};

use crate::body::Pieces;

/// A response that is true for the moment only and exactly what its type says: it must not be cached, nor its type be
/// guessed, and what it links to does not learn where it was.
#[must_use]
pub fn respond(status: StatusCode, content_type: &'static str, body: Pieces) -> Response {
    const COMMON: [(HeaderName, HeaderValue); 3] = [
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    let mut response = Response::new(Body::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().extend(COMMON);
    response
}

/// The same for one line of plain text, which ends in a line feed.
#[must_use]
pub fn text(status: StatusCode, line: &'static str) -> Response {
    let body = Pieces::new([Bytes::from_static(line.as_bytes()), Bytes::from_static(b"\n")]);
    respond(status, "text/plain; charset=utf-8", body)
}
