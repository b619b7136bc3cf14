//! One call, from its request to its response: the record of it, the faults that it meets, the `Date`.

use std::io;
use std::sync::Arc;

use axum::body::Body;
use http::header::{DATE, ETAG};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::bend::bend;
use super::content::right_response;
use super::fault::Fault;
use super::recorded::{Recorded, UnderWay};
use super::recorder::{Call, Endpoint};
use super::response::{JSON, compress, http_date, message, response};
use super::route::endpoint_of;
use super::shared::Shared;

/// Responds to one call.
///
/// # Errors
///
/// If the connection is to be closed without a response.
pub(crate) async fn respond(request: Request<Incoming>, shared: Arc<Shared>) -> io::Result<Response<Body>> {
    let (endpoint, webhook) = endpoint_of(&request, &shared.prefix);
    let (number, fault, date_fault) = {
        let mut state = shared.lock();
        let number = state.recorder.begin(Call {
            endpoint,
            webhook,
            path: request.uri().to_string(),
            headers: request.headers().clone(),
            at: Instant::now(),
            status: None,
        });
        let (fault, date_fault) = state.faults.take(endpoint, webhook);
        (number, fault, date_fault)
    };
    let under_way = UnderWay::new(Arc::clone(&shared), endpoint);
    if fault == Some(Fault::Hold) {
        let mut cleared = shared.cleared.subscribe();
        while shared.lock().faults.holds(endpoint, webhook) {
            // The sender lives as long as `shared`.
            let _ = cleared.changed().await;
        }
    }

    let (parts, body) = request.into_parts();
    let mut response = match endpoint {
        Endpoint::Login => log_in(body, &shared).await,
        Endpoint::List | Endpoint::Webhook | Endpoint::Logs | Endpoint::Unknown => {
            right_response(endpoint, webhook, &parts.headers, &shared)
        }
    };
    match fault {
        None | Some(Fault::Hold) => {
            let compression = shared.lock().switches.compression;
            if compression {
                response = compress(&parts.headers, response).await;
            }
        }
        Some(fault) => {
            response.headers_mut().remove(ETAG);
            response = bend(fault, response).await?;
        }
    }
    let mut state = shared.lock();
    let mut date = shared.now(&state).plus_millis(state.switches.date_offset_ms);
    if let Some(Fault::DateOffset(millis)) = date_fault {
        date = date.plus_millis(millis);
    }
    if state.switches.date && date_fault != Some(Fault::NoDate) {
        response.headers_mut().insert(DATE, http_date(date));
    }
    state.recorder.responded(number, response.status().as_u16());
    drop(state);
    Ok(response.map(|body| Body::new(Recorded::new(body, under_way))))
}

async fn log_in(body: Incoming, shared: &Shared) -> Response<Body> {
    const LONGEST: usize = 1 << 16;
    let Ok(body) = Limited::new(body, LONGEST).collect().await else { return message(StatusCode::BAD_REQUEST) };
    let Ok(body) = serde_json::from_slice::<Value>(&body.to_bytes()) else { return message(StatusCode::BAD_REQUEST) };
    let (Some(email), Some(password)) = (body["email"].as_str(), body["password"].as_str()) else {
        return message(StatusCode::BAD_REQUEST);
    };
    let mut state = shared.lock();
    let now = shared.now(&state);
    match state.accounts.log_in(email, password, now) {
        Some(token) => response(StatusCode::OK, JSON, json!({ "token": token }).to_string()),
        None => message(StatusCode::UNAUTHORIZED),
    }
}
