//! How a fault bends the right response.

use std::io::{self, Write as _};
use std::time::Duration;

use axum::body::{Body, Bytes};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::{StreamExt as _, stream};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::BodyExt as _;

use super::fault::Fault;
use super::response::{JSON, response};

/// Bends the right response as `fault` says.
///
/// # Errors
///
/// If the connection is to be closed without a response.
pub(crate) async fn bend(fault: Fault, right: Response<Body>) -> io::Result<Response<Body>> {
    Ok(match fault {
        Fault::Status { code, retry_after } => {
            let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let reason = status.canonical_reason().unwrap_or("error");
            let mut response = response(status, JSON, format!(r#"{{"message":"{reason}"}}"#));
            if let Some(retry_after) = retry_after {
                set_header(response.headers_mut(), RETRY_AFTER, &retry_after);
            }
            response
        }
        Fault::Hang => std::future::pending().await,
        Fault::Delay(time) => {
            tokio::time::sleep(time).await;
            right
        }
        Fault::Drip => {
            let body = whole(right).await;
            let length = body.len();
            let drops = stream::unfold((body, Duration::ZERO), |(mut rest, pause)| async move {
                if rest.is_empty() {
                    return None;
                }
                tokio::time::sleep(pause).await;
                Some((Ok::<_, io::Error>(rest.split_to(1)), (rest, Duration::from_secs(1))))
            });
            with_length(response(StatusCode::OK, JSON, Body::from_stream(drops)), length)
        }
        Fault::Html => response(
            StatusCode::OK,
            "text/html; charset=utf-8",
            "<!doctype html><html><head><title>Sign in</title></head><body><form></form></body></html>",
        ),
        Fault::NotAnArray => response(StatusCode::OK, JSON, r#"{"message":"ok","data":[]}"#),
        Fault::CutOff => {
            let mut body = whole(right).await;
            let length = body.len().max(2);
            body.truncate(length / 2);
            let half = stream::unfold(Some(body), |half| async move {
                let Some(half) = half else {
                    // Lets the first half out before the connection goes down.
                    tokio::task::yield_now().await;
                    return Some((Err(io::Error::from(io::ErrorKind::ConnectionReset)), None));
                };
                Some((Ok(half), None))
            });
            with_length(response(StatusCode::OK, JSON, Body::from_stream(half)), length)
        }
        Fault::TruncatedJson => {
            let mut body = whole(right).await;
            body.truncate(body.len() / 2);
            response(StatusCode::OK, JSON, body)
        }
        Fault::TrailingGarbage => {
            let mut body = whole(right).await.to_vec();
            body.extend_from_slice(b"\n{\"message\":\"and more\"");
            response(StatusCode::OK, JSON, body)
        }
        Fault::EmptyBody => response(StatusCode::OK, JSON, Body::empty()),
        Fault::BrokenGzip => {
            let mut packed = gzip(&whole(right).await)?;
            let middle = packed.len() / 2;
            // The deflate stream's middle, and the checksum at its end: one of the two is always noticed.
            for byte in packed.iter_mut().skip(middle).take(4) {
                *byte ^= 0x55;
            }
            if let Some(byte) = packed.iter_mut().nth_back(7) {
                *byte ^= 0xff;
            }
            gzipped(Body::from(packed))
        }
        Fault::Bomb { decompressed_bytes } => gzipped(bomb(decompressed_bytes)),
        Fault::Oversize { bytes } => {
            let filler = format!(r#"{{"pad":"{}"}},"#, "x".repeat(1_000)).repeat(64);
            response(StatusCode::OK, JSON, padded("[", filler, "null]", bytes))
        }
        Fault::HugeEntry { bytes } => {
            response(StatusCode::OK, JSON, padded(r#"[{"pad":""#, "x".repeat(1 << 16), r#""}]"#, bytes))
        }
        Fault::Redirect { to } => {
            let mut response = response(StatusCode::FOUND, "text/plain; charset=utf-8", "Found");
            set_header(response.headers_mut(), LOCATION, &to);
            response
        }
        Fault::Reset => return Err(io::ErrorKind::ConnectionReset.into()),
        Fault::Hold | Fault::NoDate | Fault::DateOffset(_) => right,
    })
}

/// A header as given, nonsense included; left out if it cannot be a header at all.
fn set_header(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(name, value);
    }
}

/// The body, whole. What faults bend is small, unless a test wants it otherwise.
async fn whole(response: Response<Body>) -> Bytes {
    response.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default()
}

fn with_length(mut response: Response<Body>, length: usize) -> Response<Body> {
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    response
}

fn gzip(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}

fn gzipped(body: Body) -> Response<Body> {
    let mut response = response(StatusCode::OK, JSON, body);
    response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    response
}

/// `head`, `filler` over and over until `bytes` are sent, `tail`.
fn padded(head: &'static str, filler: String, tail: &'static str, bytes: u64) -> Body {
    let filler = Bytes::from(filler);
    let step = u64::try_from(filler.len()).unwrap_or(u64::MAX);
    let fillers = stream::iter((0..bytes.div_ceil(step)).map(move |_| Ok(filler.clone())));
    let ends = |text: &'static str| stream::iter([Ok::<_, io::Error>(Bytes::from_static(text.as_bytes()))]);
    Body::from_stream(ends(head).chain(fillers).chain(ends(tail)))
}

/// `[`, white space, `]`, compressed while it is sent.
fn bomb(decompressed_bytes: u64) -> Body {
    const STEP: usize = 1 << 20;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let spaces = vec![b' '; STEP];
    let inside = decompressed_bytes.saturating_sub(2);
    let steps = inside / u64::try_from(STEP).unwrap_or(u64::MAX);
    let rest = usize::try_from(inside % u64::try_from(STEP).unwrap_or(u64::MAX)).unwrap_or(0);
    let mut begun = false;
    let mut left = Some(steps);
    Body::from_stream(stream::iter(std::iter::from_fn(move || {
        let steps = left?;
        let mut step = || {
            if !begun {
                begun = true;
                encoder.write_all(b"[")?;
            }
            if steps > 0 {
                encoder.write_all(&spaces)?;
                left = Some(steps - 1);
            } else {
                encoder.write_all(&spaces[..rest])?;
                encoder.write_all(b"]")?;
                encoder.try_finish()?;
                left = None;
            }
            Ok::<_, io::Error>(Bytes::from(std::mem::take(encoder.get_mut())))
        };
        Some(step())
    })))
}
