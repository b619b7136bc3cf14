//! Which call gets which response.

use std::sync::Arc;

use axum::response::Response;
use bytes::Bytes;
use exporter_web::{Pieces, respond};
use http::StatusCode;
use serde::Serialize;

use super::list::WebhookList;
use super::webhook::WebhookDetails;
use crate::clock;
use crate::snapshot::{Overview, Snapshot};

const JSON: &str = "application/json";

/// Everything below it is JSON, what is not found as well.
const ROOT: &str = "/api/v1/";
const WEBHOOKS: &str = "webhooks";

/// A call of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server) enum Call {
    /// All webhooks, and how the account stands.
    List,
    /// The webhook with this id.
    Webhook(String),
    /// Nothing that there is.
    Unknown,
}

#[derive(Serialize)]
struct Problem<'a> {
    error: &'a str,
}

impl Call {
    /// The call at `path`; `None` if it is not the API's.
    pub(in crate::server) fn at(path: &str) -> Option<Self> {
        let call = path.strip_prefix(ROOT)?;
        Some(match call.split_once('/') {
            None if call == WEBHOOKS => Self::List,
            Some((WEBHOOKS, id)) => Self::Webhook(id.to_ascii_lowercase()),
            None | Some(_) => Self::Unknown,
        })
    }

    /// The response. The list of ten thousand webhooks takes a while, so it is made off the async threads.
    pub(in crate::server) async fn respond(self, snapshot: Arc<Snapshot>) -> Response {
        let made = tokio::task::spawn_blocking(move || self.json(&snapshot.overview)).await;
        let (status, json) = made.unwrap_or((StatusCode::INTERNAL_SERVER_ERROR, Vec::new()));
        respond(status, JSON, Pieces::new([Bytes::from(json)]))
    }

    fn json(&self, overview: &Overview) -> (StatusCode, Vec<u8>) {
        let now = clock::now();
        let not_found = |error| (StatusCode::NOT_FOUND, written(&Problem { error }));
        match self {
            Self::List => (StatusCode::OK, written(&WebhookList::new(overview, now))),
            Self::Webhook(id) => match overview.webhooks.find(id) {
                Some(webhook) => (StatusCode::OK, written(&WebhookDetails::new(webhook, overview, now))),
                None => not_found("no webhook with this id is shown"),
            },
            Self::Unknown => not_found("not found"),
        }
    }
}

fn written(value: &impl Serialize) -> Vec<u8> {
    let mut json = serde_json::to_vec(value).unwrap_or_else(|error| {
        tracing::error!(%error, "failed to render the page");
        Vec::new()
    });
    json.push(b'\n');
    json
}
