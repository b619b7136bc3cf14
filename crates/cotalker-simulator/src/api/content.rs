//! What the API sends when nothing is wrong with it.

use std::io;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use futures::{StreamExt as _, stream};
use http::header::AUTHORIZATION;
use http::{HeaderMap, Response, StatusCode};
use serde_json::Value;

use delivery_ledger::WebhookId;

use super::accounts::Access;
use super::recorder::Endpoint;
use super::response::{JSON, hash, message, response, tagged};
use super::shared::{Shared, SimulatorState};
use crate::payload;
use crate::shape::LogPlan;

/// How much of a log is made up at once, in bytes: enough to be quick, too little to be seen in a memory measurement.
const PART: usize = 1 << 16;

/// What the API sends when nothing is wrong with it.
pub(crate) fn right_response(
    endpoint: Endpoint,
    webhook: Option<WebhookId>,
    headers: &HeaderMap,
    shared: &Arc<Shared>,
) -> Response<Body> {
    let mut state = shared.lock();
    let now = shared.now(&state);
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());

    if endpoint == Endpoint::Unknown {
        return message(StatusCode::NOT_FOUND);
    }
    let token = header(AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer "));
    let access = state.accounts.access(token, now);
    if access == Access::None {
        return message(StatusCode::UNAUTHORIZED);
    }
    let wants = &state.switches;
    if wants.required_company.as_deref().is_some_and(|company| header("company") != Some(company))
        || (wants.requires_admin && header("admin") != Some("true"))
        || (endpoint == Endpoint::List && access != Access::Full)
    {
        return message(StatusCode::FORBIDDEN);
    }

    if endpoint == Endpoint::List {
        state.world.advance_to(now);
        let body = list_body(&state);
        return whole(&state, headers, body);
    }
    let Some(id) = webhook else { return message(StatusCode::NOT_FOUND) };
    state.world.advance_one(id, now);
    let Some(found) = state.world.find(id).filter(|webhook| webhook.listed) else {
        return message(StatusCode::NOT_FOUND);
    };
    if endpoint == Endpoint::Webhook {
        let body = payload::webhook(found, state.world.company()).to_string();
        return whole(&state, headers, body);
    }
    let shape = state.shapes.get(&id).unwrap_or(&state.switches.default_shape);
    if let Some(body) = &shape.body {
        let body = body.clone();
        return whole(&state, headers, body);
    }
    let plan = LogPlan::of(shape, found, now, state.world.seed());
    if state.switches.etag {
        tagged(headers, plan.tag(), || log_body(plan, id, &state, shared))
    } else {
        response(StatusCode::OK, JSON, log_body(plan, id, &state, shared))
    }
}

/// A body that is there already.
fn whole(state: &SimulatorState, headers: &HeaderMap, body: String) -> Response<Body> {
    if state.switches.etag {
        tagged(headers, hash(body.as_bytes()), || body.into())
    } else {
        response(StatusCode::OK, JSON, body)
    }
}

fn list_body(state: &SimulatorState) -> String {
    if let Some(body) = &state.switches.list_body {
        return body.clone();
    }
    let shown = state.world.listed().filter(|webhook| webhook.spec.active || !state.switches.hide_inactive);
    Value::Array(shown.map(|webhook| payload::webhook(webhook, state.world.company())).collect()).to_string()
}

/// The log that `plan` lays out: whole if it is short, else made up while it is sent.
fn log_body(mut plan: LogPlan, id: WebhookId, state: &SimulatorState, shared: &Arc<Shared>) -> Body {
    let first = part(&mut plan, id, state).unwrap_or_default();
    if plan.is_done() {
        return first.into();
    }
    let shared = Arc::clone(shared);
    // Fused, for the compression asks once more after the end.
    let parts = stream::unfold((Some(first), plan), move |(first, mut plan)| {
        let next = first.or_else(|| part(&mut plan, id, &shared.lock()));
        async move { Some((Ok::<_, io::Error>(next?), (None, plan))) }
    });
    Body::from_stream(parts.fuse())
}

fn part(plan: &mut LogPlan, id: WebhookId, state: &SimulatorState) -> Option<Bytes> {
    let webhook = state.world.find(id)?;
    plan.write_part(webhook, state.world.company(), PART).map(Bytes::from)
}
