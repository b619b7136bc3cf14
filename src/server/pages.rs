//! The pages for who is on call, made when they are asked for: what they show depends on the time, the language and the
//! filter. One at a time, off the async threads: ten thousand webhooks take a while, and scrapes go first.

use std::fmt;
use std::io::{self, Write as _};
use std::sync::Arc;

use axum::response::Response;
use bytes::Bytes;
use exporter_web::{Pieces, respond, text};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use tokio::sync::Semaphore;

use super::accept_language;
use super::negotiation::takes_gzip;
use super::page::{Links, PageQuery, REFRESH_SECONDS, View, write_not_found, write_status_page, write_webhook_page};
use crate::clock;
use crate::snapshot::Snapshot;

const HTML: &str = "text/html; charset=utf-8";

/// A page needs its own style and icon, and its filter asks for the page itself.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);

/// Source: the HTML Standard, "Shared declarative refresh steps". A header, because a `meta` element of this kind cannot be
/// turned off by assistive technology.
const REFRESH: HeaderName = HeaderName::from_static("refresh");

/// Which page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PageName {
    /// All webhooks.
    Status,
    /// The webhook with this id.
    Webhook(String),
}

/// Makes pages.
#[derive(Debug)]
pub(super) struct Pages {
    telemetry_path: String,
    version: &'static str,
    /// Who may render.
    turn: Arc<Semaphore>,
}

impl Pages {
    pub(super) fn new(telemetry_path: String, version: &'static str) -> Self {
        Self { telemetry_path, version, turn: Arc::new(Semaphore::new(1)) }
    }

    /// The page as it is now.
    pub(super) async fn page(
        &self,
        name: PageName,
        snapshot: Arc<Snapshot>,
        query: Option<&str>,
        headers: &HeaderMap,
    ) -> Response {
        let view = View {
            language: accept_language::wanted(headers),
            query: PageQuery::parse(query.unwrap_or_default()),
            links: match name {
                PageName::Status => Links::from_root(headers),
                PageName::Webhook(_) => Links::from_below(headers),
            },
            now: clock::now(),
            telemetry_path: self.telemetry_path.clone(),
            version: self.version,
        };
        let language = HeaderValue::from_static(view.language.tag());
        let is_gzip = takes_gzip(headers);
        let refreshes = view.refreshes();
        // Nobody closes the semaphore, and a task that panics is an error below.
        let Ok(turn) = Arc::clone(&self.turn).acquire_owned().await else { return failed() };
        let rendered = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            if is_gzip {
                Gzip::of(|to| write(&name, &snapshot, &view, to))
            } else {
                plain(|to| write(&name, &snapshot, &view, to))
            }
        });
        let (is_found, body) = match rendered.await {
            Ok(Ok(rendered)) => rendered,
            Ok(Err(error)) => {
                tracing::error!(%error, "failed to render a page");
                return failed();
            }
            Err(_) => return failed(),
        };
        let status = if is_found { StatusCode::OK } else { StatusCode::NOT_FOUND };
        let mut response = respond(status, HTML, Pieces::new([body]));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
        headers.insert(header::CONTENT_LANGUAGE, language);
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Language, Accept-Encoding"));
        if is_gzip {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if is_found && refreshes {
            headers.insert(REFRESH, HeaderValue::from(REFRESH_SECONDS));
        }
        response
    }
}

fn failed() -> Response {
    text(StatusCode::INTERNAL_SERVER_ERROR, "failed to render the page")
}

/// Writes the page; says whether there is what it is about.
fn write(name: &PageName, snapshot: &Snapshot, view: &View, to: &mut impl fmt::Write) -> Result<bool, fmt::Error> {
    match name {
        PageName::Status => write_status_page(&snapshot.overview, view, to).map(|()| true),
        PageName::Webhook(id) => {
            let is_found = write_webhook_page(&snapshot.overview, id, view, to)?;
            if !is_found {
                write_not_found(view, to)?;
            }
            Ok(is_found)
        }
    }
}

fn plain(write: impl FnOnce(&mut String) -> Result<bool, fmt::Error>) -> io::Result<(bool, Bytes)> {
    let mut text = String::new();
    let is_found = write(&mut text).map_err(io::Error::other)?;
    Ok((is_found, text.into()))
}

/// Compresses what is written, so that of a large page only a tenth is ever in memory.
struct Gzip(GzEncoder<Vec<u8>>);

impl Gzip {
    fn of(write: impl FnOnce(&mut Self) -> Result<bool, fmt::Error>) -> io::Result<(bool, Bytes)> {
        let mut gzip = Self(GzEncoder::new(Vec::new(), Compression::fast()));
        let is_found = write(&mut gzip).map_err(io::Error::other)?;
        Ok((is_found, gzip.0.finish()?.into()))
    }
}

impl fmt::Write for Gzip {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write_all(text.as_bytes()).map_err(|_| fmt::Error)
    }
}
