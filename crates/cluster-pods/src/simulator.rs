//! The simulated Cotalker of a cluster.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use cotalker_simulator::{Settings, Simulator, demo};
use delivery_ledger::UnixMillis;

use crate::certificate::Certificate;
use crate::control;
use crate::process::{asked_to_end, listen};

/// The token to begin with.
const TOKEN: &str = "cluster";

/// A tenth of them fail in all ways there are, so that an event is lost every half a minute or so.
const WEBHOOKS: usize = 100;

/// Short enough that each log holds all that ever happened: what an exporter that counts the history has to show is then
/// the same, whenever it started.
const HISTORY_MS: i64 = 20 * 60 * 1_000;

/// The world is the same each time, as long after its start.
const SEED: u64 = 10_942;

/// Serves the API over TLS with a certificate for `names`, and what only a test may know in plain.
pub(crate) async fn run(names: Vec<String>) -> anyhow::Result<()> {
    let certificate = Certificate::new(names)?;
    let settings = Settings {
        listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 8443)),
        speed: 1.0,
        token: Some(TOKEN.to_owned()),
        tls: Some(certificate.tls()?),
        ..Settings::default()
    };
    let world = demo::many(WEBHOOKS, now()?, HISTORY_MS, SEED);
    let simulator =
        Arc::new(Simulator::start(world, settings).await.context("failed to start the simulated Cotalker")?);
    let control = control::routes(simulator, certificate);
    let listener = listen(9000).await?;
    tokio::select! {
        served = axum::serve(listener, control) => served.context("failed to serve the truth"),
        asked = asked_to_end() => asked,
    }
}

#[expect(clippy::disallowed_methods, reason = "the simulated time begins with the present, once")]
fn now() -> anyhow::Result<UnixMillis> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    Ok(UnixMillis::from_secs(i64::try_from(now.as_secs())?))
}
