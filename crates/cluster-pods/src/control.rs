//! What a test asks and orders of the simulated Cotalker: `GET /truth`, `GET /ca`, `POST /ca`, `POST /token`.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use cotalker_simulator::{Endpoint, Fault, Simulator, Target};
use delivery_ledger::UnixMillis;
use serde_json::json;

use crate::certificate::Certificate;

#[derive(Clone)]
struct Controlled {
    simulator: Arc<Simulator>,
    certificate: Certificate,
}

/// The routes.
pub(crate) fn routes(simulator: Arc<Simulator>, certificate: Certificate) -> Router {
    Router::new()
        .route("/truth", get(truth))
        .route("/ca", get(ca).post(exchange_ca))
        .route("/token", post(rotate_token))
        .with_state(Controlled { simulator, certificate })
}

/// Since the world began: attempts, failures and lost events of all webhooks, and the calls that the API got.
async fn truth(State(Controlled { simulator, .. }): State<Controlled>) -> String {
    let beginning = UnixMillis::from_secs(0);
    let truths = simulator
        .with_world(|world| world.ids().into_iter().map(|webhook| world.truth(webhook, beginning)).collect::<Vec<_>>());
    json!({
        "attempts": truths.iter().map(|truth| truth.attempts).sum::<u64>(),
        "failed": truths.iter().map(|truth| truth.failed()).sum::<u64>(),
        "lost": truths.iter().map(|truth| truth.lost).sum::<u64>(),
        "calls": simulator.count(Endpoint::List) + simulator.count(Endpoint::Logs),
        "lists": simulator.count(Endpoint::List),
    })
    .to_string()
}

async fn ca(State(Controlled { certificate, .. }): State<Controlled>) -> String {
    certificate.ca_pem()
}

/// A certificate of another CA, which a client meets at its next connection; the one that is open ends.
async fn exchange_ca(State(controlled): State<Controlled>) -> Result<String, (StatusCode, String)> {
    let ca_pem =
        controlled.certificate.exchange().map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    controlled.simulator.fail_next(CONNECTIONS, Target::Everything, Fault::CutOff);
    Ok(ca_pem)
}

/// As many as an exporter keeps open that makes one call at a time.
const CONNECTIONS: usize = 1;

async fn rotate_token(State(Controlled { simulator, .. }): State<Controlled>) -> String {
    simulator.rotate_token()
}
