//! The pieces that responses are made of.

use std::hash::Hasher as _;
use std::time::{Duration, UNIX_EPOCH};

use axum::body::Body;
use http::header::{ACCEPT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use serde_json::json;
use siphasher::sip::SipHasher13;
use tower::ServiceExt as _;
use tower_http::CompressionLevel;
use tower_http::compression::Compression;

use delivery_ledger::UnixMillis;

/// A response with this status and its name as JSON message.
pub(crate) fn message(status: StatusCode) -> Response<Body> {
    let reason = status.canonical_reason().unwrap_or_default();
    response(status, JSON, json!({ "message": reason }).to_string())
}

/// A time as `Date` states it.
pub(crate) fn http_date(at: UnixMillis) -> HeaderValue {
    // What an HTTP date can say: the years 1970 to 9999.
    let millis = u64::try_from(at.as_millis()).unwrap_or(0).min(253_402_300_799_000);
    let text = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(millis));
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// The response with the content that `hash` stands for, or 304 to those who have it. Its body is made only where it is
/// sent.
pub(crate) fn tagged(headers: &HeaderMap, hash: u64, body: impl FnOnce() -> Body) -> Response<Body> {
    let tag = format!("W/\"{hash:016x}\"");
    let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let is_known = known.flat_map(|value| value.split(',')).map(str::trim).any(|known| {
        // Weak comparison (RFC 9110, section 13.1.2).
        known == "*" || known.trim_start_matches("W/") == tag.trim_start_matches("W/")
    });
    let mut response = if is_known {
        let mut response = response(StatusCode::NOT_MODIFIED, JSON, Body::empty());
        response.headers_mut().remove(CONTENT_TYPE);
        response
    } else {
        response(StatusCode::OK, JSON, body())
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// What an `ETag` is made from.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(bytes);
    hasher.finish()
}

/// Compresses a response as its request allows.
pub(crate) async fn compress(headers: &HeaderMap, response: Response<Body>) -> Response<Body> {
    let mut request = Request::new(());
    if let Some(accepted) = headers.get(ACCEPT_ENCODING) {
        request.headers_mut().insert(ACCEPT_ENCODING, accepted.clone());
    }
    // Called once, though the type allows more.
    let mut response = Some(response);
    let service = tower::service_fn(move |_: Request<()>| {
        std::future::ready(Ok::<_, std::convert::Infallible>(response.take().unwrap_or_default()))
    });
    let service = Compression::new(service).quality(CompressionLevel::Fastest);
    let Ok(response) = service.oneshot(request).await;
    response.map(Body::new)
}

/// A response with this status, type and body.
pub(crate) fn response(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// The content type of all that a healthy API sends.
pub(crate) const JSON: &str = "application/json; charset=utf-8";
