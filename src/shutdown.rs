//! The process and its signals. It ends at one, or with the first task that ends by itself; all tasks together.

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

/// A future that calls `reread` at each SIGHUP, and never ends. From this call on the signal does not end the process.
///
/// # Errors
///
/// If the system allows no handler.
pub fn on_hangup(reread: impl Fn()) -> std::io::Result<impl Future<Output = ()>> {
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        while hangup.recv().await.is_some() {
            reread();
        }
        std::future::pending().await
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
            let was_cancelled = shutdown.is_cancelled();
            shutdown.cancel();
            match ended {
                Some(Err(error)) if error.is_panic() => anyhow::bail!("a part of the exporter crashed"),
                _ if !was_cancelled => anyhow::bail!("a part of the exporter ended by itself"),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn tasks(task: impl Future<Output = ()> + Send + 'static) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        tasks.spawn(task);
        tasks
    }

    #[tokio::test]
    async fn a_task_that_ends_first_is_an_error_and_ends_the_others() {
        let shutdown = CancellationToken::new();
        let mut tasks = tasks(async {});
        tasks.spawn(shutdown.clone().cancelled_owned());
        let error = supervise(tasks, &shutdown).await.expect_err("an error");
        assert_eq!(error.to_string(), "a part of the exporter ended by itself");
        assert!(shutdown.is_cancelled());
    }

    #[tokio::test]
    async fn tasks_that_end_because_they_are_told_to_are_none() {
        let shutdown = CancellationToken::new();
        let tasks = tasks(shutdown.clone().cancelled_owned());
        shutdown.cancel();
        supervise(tasks, &shutdown).await.expect("no error");
    }
}
