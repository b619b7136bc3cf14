//! What a program in a container does at its edges: it listens at ports of its pod, and ends when the kubelet asks for it.

use std::net::Ipv4Addr;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// A listener at this port of all addresses: a pod has one of its own.
pub(crate) async fn listen(port: u16) -> anyhow::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await.with_context(|| format!("failed to listen at port {port}"))
}

/// Ends when the kubelet asks for it. The first process of a container is asked in vain where it does not listen.
pub(crate) async fn asked_to_end() -> anyhow::Result<()> {
    let mut terminated = signal(SignalKind::terminate()).context("failed to wait for SIGTERM")?;
    let mut interrupted = signal(SignalKind::interrupt()).context("failed to wait for SIGINT")?;
    tokio::select! {
        _ = terminated.recv() => {}
        _ = interrupted.recv() => {}
    }
    Ok(())
}
