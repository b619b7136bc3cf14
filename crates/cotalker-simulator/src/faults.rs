//! What can go wrong with the API, and when: faults that are set on some calls, for the next few or until cleared.

use std::io::{self, Write as _};
use std::time::Duration;

use axum::body::{Body, Bytes};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::{StreamExt as _, stream};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::BodyExt as _;

use delivery_ledger::WebhookId;

use super::Endpoint;

/// Which calls a fault is meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// The list of webhooks.
    List,
    /// One webhook by its id.
    Webhook(WebhookId),
    /// The log of one webhook.
    Logs(WebhookId),
    /// The log of any webhook.
    AllLogs,
    /// The login.
    Login,
    /// Every call.
    Everything,
}

impl Target {
    fn is_meant(self, endpoint: Endpoint, webhook: Option<WebhookId>) -> bool {
        match self {
            Self::List => endpoint == Endpoint::List,
            Self::Webhook(id) => endpoint == Endpoint::Webhook && webhook == Some(id),
            Self::Logs(id) => endpoint == Endpoint::Logs && webhook == Some(id),
            Self::AllLogs => endpoint == Endpoint::Logs,
            Self::Login => endpoint == Endpoint::Login,
            Self::Everything => true,
        }
    }
}

/// What goes wrong. Where a fault bends the answer of the healthy API, it is that answer without compression and `ETag`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This status with a JSON message; `Retry-After` as given.
    Status {
        /// The status code.
        code: u16,
        /// The text of the `Retry-After` header: seconds, a date, or nonsense.
        retry_after: Option<String>,
    },
    /// No answer, ever; the connection stays open.
    Hang,
    /// The right answer, made up and sent as soon as the fault is cleared: lets a test stop a call midway.
    Hold,
    /// The right answer after this time (tokio's, not the simulated).
    Delay(Duration),
    /// The right answer, one byte a second.
    Drip,
    /// 200 with an HTML page, as from a proxy or a login portal.
    Html,
    /// 200 with a JSON object.
    NotAnArray,
    /// The connection ends in the middle of a body whose length was announced.
    CutOff,
    /// The first half of the right answer, in a body that ends well.
    TruncatedJson,
    /// The right answer and something behind it.
    TrailingGarbage,
    /// 200 with an empty body.
    EmptyBody,
    /// The right answer, compressed, with a few bytes changed on the way.
    BrokenGzip,
    /// An array with nothing but white space in it, compressed a thousandfold.
    Bomb {
        /// Its size once decompressed, in bytes.
        decompressed_bytes: u64,
    },
    /// An array of many small entries that make no sense, in a body of unannounced length.
    Oversize {
        /// Its size, in bytes; a little more is sent.
        bytes: u64,
    },
    /// An array of one entry that makes no sense, in a body of unannounced length.
    HugeEntry {
        /// Its size, in bytes; a little more is sent.
        bytes: u64,
    },
    /// 302 to this place.
    Redirect {
        /// The `Location`.
        to: String,
    },
    /// The connection is closed without an answer.
    Reset,
    /// The right answer without a `Date`. Goes together with the other faults.
    NoDate,
    /// The right answer with a `Date` this many milliseconds off. Goes together with the other faults.
    DateOffset(i64),
}

impl Fault {
    const fn is_of_date(&self) -> bool {
        matches!(self, Self::NoDate | Self::DateOffset(_))
    }
}

/// The faults in force, in the order in which they were set.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Set>);

#[derive(Debug)]
struct Set {
    target: Target,
    fault: Fault,
    /// `None` until cleared.
    calls_left: Option<usize>,
}

impl Faults {
    pub(super) fn set(&mut self, target: Target, fault: Fault, calls: Option<usize>) {
        self.0.push(Set { target, fault, calls_left: calls });
    }

    pub(super) fn clear(&mut self, target: Option<Target>) {
        self.0.retain(|set| target.is_some_and(|target| set.target != target));
    }

    /// The faults that this call meets: at most one of the answer and one of its date.
    pub(super) fn take(&mut self, endpoint: Endpoint, webhook: Option<WebhookId>) -> (Option<Fault>, Option<Fault>) {
        let mut take = |of_date: bool| {
            let set = self.0.iter_mut().find(|set| {
                set.target.is_meant(endpoint, webhook) && set.fault.is_of_date() == of_date && set.calls_left != Some(0)
            })?;
            if let Some(left) = &mut set.calls_left {
                *left -= 1;
            }
            Some(set.fault.clone())
        };
        let met = (take(false), take(true));
        // A hold is over when it is cleared, not when its last call has come.
        self.0.retain(|set| set.calls_left != Some(0) || set.fault == Fault::Hold);
        met
    }

    /// Whether [`Fault::Hold`] is (still) set for such calls.
    pub(super) fn holds(&self, endpoint: Endpoint, webhook: Option<WebhookId>) -> bool {
        self.0.iter().any(|set| set.fault == Fault::Hold && set.target.is_meant(endpoint, webhook))
    }
}

/// An answer with this status, type and body.
pub(super) fn answer(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

pub(super) const JSON: &str = "application/json; charset=utf-8";

/// Bends the right answer as `fault` says.
///
/// # Errors
///
/// If the connection is to be closed without an answer.
pub(super) async fn bend(fault: Fault, right: Response<Body>) -> io::Result<Response<Body>> {
    Ok(match fault {
        Fault::Status { code, retry_after } => {
            let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let reason = status.canonical_reason().unwrap_or("error");
            let mut response = answer(status, JSON, format!(r#"{{"message":"{reason}"}}"#));
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
            with_length(answer(StatusCode::OK, JSON, Body::from_stream(drops)), length)
        }
        Fault::Html => answer(
            StatusCode::OK,
            "text/html; charset=utf-8",
            "<!doctype html><html><head><title>Sign in</title></head><body><form></form></body></html>",
        ),
        Fault::NotAnArray => answer(StatusCode::OK, JSON, r#"{"message":"ok","data":[]}"#),
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
            with_length(answer(StatusCode::OK, JSON, Body::from_stream(half)), length)
        }
        Fault::TruncatedJson => {
            let mut body = whole(right).await;
            body.truncate(body.len() / 2);
            answer(StatusCode::OK, JSON, body)
        }
        Fault::TrailingGarbage => {
            let mut body = whole(right).await.to_vec();
            body.extend_from_slice(b"\n{\"message\":\"and more\"");
            answer(StatusCode::OK, JSON, body)
        }
        Fault::EmptyBody => answer(StatusCode::OK, JSON, Body::empty()),
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
            answer(StatusCode::OK, JSON, padded("[", filler, "null]", bytes))
        }
        Fault::HugeEntry { bytes } => {
            answer(StatusCode::OK, JSON, padded(r#"[{"pad":""#, "x".repeat(1 << 16), r#""}]"#, bytes))
        }
        Fault::Redirect { to } => {
            let mut response = answer(StatusCode::FOUND, "text/plain; charset=utf-8", "Found");
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
    let mut response = answer(StatusCode::OK, JSON, body);
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
