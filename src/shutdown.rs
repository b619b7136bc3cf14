//! How the process ends: at a signal, or with the first task that ends by itself; all tasks together.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// After a signal, tasks that hang are not waited for longer than this. Source: the promise to end within 5 s, with a
/// margin.
const STOP_WITHIN: Duration = Duration::from_secs(4);

/// A future that cancels `shutdown` at the first SIGTERM or SIGINT. A signal that comes before it is polled counts, too.
///
/// # Errors
///
/// If the system allows no handler.
pub fn on_signal(shutdown: CancellationToken) -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        tracing::info!(signal = name, "stopping");
        shutdown.cancel();
    })
}

/// Waits until `shutdown` is cancelled, or cancels it when a task ends before that; then waits for all tasks.
///
/// # Errors
///
/// If a task ended first.
pub async fn supervise(mut tasks: JoinSet<()>, shutdown: &CancellationToken) -> anyhow::Result<()> {
    tokio::select! {
        () = shutdown.cancelled() => {}
        ended = tasks.join_next() => {
            shutdown.cancel();
            match ended {
                Some(Err(error)) if error.is_panic() => anyhow::bail!("a part of the exporter crashed"),
                _ if !shutdown.is_cancelled() => anyhow::bail!("a part of the exporter ended by itself"),
                _ => {}
            }
        }
    }
    let all = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_WITHIN, all).await.is_err() {
        tracing::warn!("stopping without waiting for tasks that hang");
    }
    tracing::info!("stopped");
    Ok(())
}
