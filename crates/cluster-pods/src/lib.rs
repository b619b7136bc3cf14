//! What runs in the pods of the tests in a cluster, beside the exporter: one program, as one image serves all of them.
//!
//! ```text
//! cluster-pods simulator NAME…   a simulated Cotalker over TLS at port 8443 with a certificate for these names, and at port
//!                                9000 the truth of it
//! cluster-pods receiver          a receiver of webhooks at port 8080, which takes two seconds to end
//! cluster-pods job               a receiver that has done its work after a few seconds
//! cluster-pods pause             waits, which is all that the container that holds a pod together has to do
//! ```

mod certificate;
mod control;
mod process;
mod simulator;

use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::Router;
use axum::http::StatusCode;

use process::{asked_to_end, listen};

/// How long the receiver takes to end once it is asked to. A convention: long enough that a sidecar which ended with it, and
/// not after it, would show.
const ENDING: Duration = Duration::from_secs(2);

/// How long the job works. A convention: long enough for the sidecar's first poll.
const WORK: Duration = Duration::from_secs(3);

/// Runs what the arguments of the program say, until it is asked to end.
///
/// # Errors
///
/// If there is no such thing to run, or it cannot listen.
pub async fn run(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<()> {
    match arguments.next().as_deref() {
        Some("simulator") => simulator::run(arguments.collect()).await,
        Some("receiver") => receiver().await,
        Some("job") => {
            tokio::time::sleep(WORK).await;
            Ok(())
        }
        Some("pause") => asked_to_end().await,
        other => bail!("what to run is {other:?}; use simulator, receiver, job or pause"),
    }
}

/// Answers every request, as a receiver does that takes everything.
async fn receiver() -> anyhow::Result<()> {
    let takes_everything = Router::new().fallback(|| async { StatusCode::NO_CONTENT });
    let listener = listen(8080).await?;
    tokio::select! {
        served = axum::serve(listener, takes_everything) => served.context("failed to serve")?,
        asked = asked_to_end() => asked?,
    }
    tokio::time::sleep(ENDING).await;
    Ok(())
}
