//! The composition root: builds the parts from the configuration, runs them as one set of tasks, and ends them together.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::api::credentials::Credentials;
use crate::api::{self, Client};
use crate::config::{Config, DemoFlags, Task};
use crate::poller::Poller;
use crate::server::{self, Site};
use crate::store::Store;
use crate::store::writer::Writer;
use crate::telemetry::{Instruments, ReloadResult};
use crate::{build, check, clock, healthcheck, snapshot};
use cotalker_simulator::Simulator;
use exporter_web::{Reload, Server, WebConfigFile, listen};

/// After a signal, whatever hangs is left behind after this long. Source: the promise to end within 5 s, with a margin.
const STOP_WITHIN: Duration = Duration::from_secs(4);

/// The demo's world is the same each time.
const DEMO_SEED: u64 = 10_942;

/// Does what the command line asks for, and says how the process is to end.
pub async fn run(task: Option<Task>, config: Config) -> ExitCode {
    // First of all, so that a signal that comes early is not missed.
    let shutdown = CancellationToken::new();
    let mut watch = JoinSet::new();
    match stop_signals(shutdown.clone()) {
        Ok(signals) => drop(watch.spawn(signals)),
        Err(error) => return fail(&format!("failed to listen for signals: {error}")),
    }
    match task {
        None => outcome(daemon(config, shutdown).await),
        Some(Task::Demo(flags)) => outcome(demo(config, flags, shutdown).await),
        Some(Task::Check) => shutdown.run_until_cancelled(check_account(config)).await.unwrap_or(ExitCode::FAILURE),
        Some(Task::Healthcheck) => {
            healthcheck::ask(&config.web).await.map_or_else(|problem| fail(&problem), |()| ExitCode::SUCCESS)
        }
    }
}

/// A future that cancels `shutdown` at the first SIGTERM or SIGINT.
fn stop_signals(shutdown: CancellationToken) -> std::io::Result<impl Future<Output = ()>> {
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

fn outcome(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("{error:#}")),
    }
}

fn fail(line: &str) -> ExitCode {
    complain(line);
    ExitCode::FAILURE
}

/// One line for people on standard error.
pub fn complain(line: &str) {
    // If nobody reads it there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "cotalker-webhook-exporter: {line}");
}

/// Text for people on standard output.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
}

/// The daemon: polls and serves until it is told to stop.
///
/// # Errors
///
/// If it cannot start, or a part of it ends by itself.
pub async fn daemon(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let api = config.api.clone().context("no API is configured")?;
    let listeners = listen(&config.web.listen).await?;
    serve(config, api, listeners, shutdown).await
}

/// Polls and serves on listeners that are bound already, until it is told to stop.
///
/// # Errors
///
/// If it cannot start, or a part of it ends by itself.
pub async fn serve(
    config: Config,
    api: api::Config,
    listeners: Vec<TcpListener>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    tracing::info!(version = build::VERSION, revision = build::REVISION, api = host_of(&api.base_url), "starting");
    if api.base_url.scheme() == "http" && !is_loopback(&api.base_url) {
        tracing::warn!("the API is reached over http: the token can be read on the way");
    }
    let store = match &config.state_path {
        Some(path) => Some(Store::open(path, clock::now()).context("--state.path")?),
        None => {
            tracing::info!("counts live in memory only: a restart begins at 0 and does not see what happens meanwhile");
            None
        }
    };
    let scheme = scheme_of(&config);
    for listener in &listeners {
        tracing::info!(address = %listener.local_addr()?, scheme, path = config.web.telemetry_path, "listening");
    }
    if let Some(protection) = &config.web.protection {
        protection.log_summary();
    }
    let instruments = Arc::new(Instruments::new(config.poller.interval.as_secs_f64())?);
    let client = Arc::new(Client::new(api, Arc::clone(&instruments)).context("--cotalker.ca-file")?);
    let (publisher, subscriber) = snapshot::channel();
    let mut tasks = JoinSet::new();
    let mut kept = None;
    if let Some((store, found, put_aside)) = store {
        instruments.state_recovered(put_aside);
        let (writer, ended) = Writer::start(store)?;
        kept = Some((writer, found));
        // A commit that is under way is waited for at the end.
        tasks.spawn(async move {
            let _ = ended.await;
        });
    }
    let poller = Poller::new(config.poller, client, Arc::clone(&instruments), publisher, kept);
    let site = Site {
        telemetry_path: config.web.telemetry_path,
        version: build::VERSION,
        snapshots: subscriber,
        own_metrics: Arc::new({
            let instruments = Arc::clone(&instruments);
            move || instruments.render(clock::now())
        }),
    };
    let server = Server::new(listeners, server::router(site))
        .web_config(config.web.protection)
        .realm("cotalker-webhook-exporter")
        .open_paths(server::PROBES)
        .on_reload(move |reload| {
            instruments.web_config_reloaded(match reload {
                Reload::Applied => ReloadResult::Ok,
                Reload::Rejected => ReloadResult::Error,
            });
        });

    let stop_polling = shutdown.clone();
    tasks.spawn(async move {
        stop_polling.run_until_cancelled(poller.run()).await;
    });
    tasks.spawn(server.serve(shutdown.clone()));

    tokio::select! {
        () = shutdown.cancelled() => {}
        ended = tasks.join_next() => {
            shutdown.cancel();
            match ended {
                Some(Err(error)) if error.is_panic() => anyhow::bail!("a part of the exporter has crashed"),
                _ if !shutdown.is_cancelled() => anyhow::bail!("a part of the exporter has ended by itself"),
                _ => {}
            }
        }
    }
    let all = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_WITHIN, all).await.is_err() {
        tracing::warn!("something hangs; it is left behind");
    }
    tracing::info!("stopped");
    Ok(())
}

/// The daemon against a simulated Cotalker.
async fn demo(config: Config, flags: DemoFlags, shutdown: CancellationToken) -> anyhow::Result<()> {
    let settings = cotalker_simulator::Settings { speed: flags.speed, ..Default::default() };
    let world = cotalker_simulator::demo::demo_scenario(clock::now(), DEMO_SEED);
    let simulator = Simulator::start(world, settings).await.context("failed to start the simulated Cotalker")?;
    let listeners = listen(&config.web.listen).await?;
    let mut text = "A simulated Cotalker is running, and the exporter watches it. Open\n".to_owned();
    for listener in &listeners {
        let root = url_of(scheme_of(&config), listener.local_addr()?);
        text.push_str(&format!(
            "  {root}/  (the page for people)\n  {root}{}  (for Prometheus)\n",
            config.web.telemetry_path
        ));
    }
    text.push_str("Stop it with Ctrl-C.");
    say(&text);
    let api = api::Config {
        base_url: Url::parse(simulator.base_url()).context("the simulator's address")?,
        credentials: Credentials::Token(crate::secret::Secret::new(simulator.token())),
        company: None,
        admin: false,
        ca_pem: None,
        timeout: Duration::from_secs(30),
        max_response_bytes: u64::MAX,
        calls_per_second: 0.0,
        poll_interval: config.poller.interval,
        ignore_proxy: true,
    };
    serve(config, api, listeners, shutdown).await
}

/// `check`: a table on standard output, the cause of a failure in one line on standard error.
async fn check_account(config: Config) -> ExitCode {
    let Some(api) = config.api else { return ExitCode::FAILURE };
    let client = Instruments::new(config.poller.interval.as_secs_f64())
        .map_err(anyhow::Error::from)
        .and_then(|instruments| Client::new(api, Arc::new(instruments)).context("--cotalker.ca-file"));
    let client = match client {
        Ok(client) => Arc::new(client),
        Err(error) => return fail(&format!("{error:#}")),
    };
    let report = check::check(&config.poller, client).await;
    if !report.text.is_empty() {
        say(&report.text);
    }
    report.failure.map_or(ExitCode::SUCCESS, |failure| fail(&failure))
}

/// Where a browser on this machine finds what listens on `address`.
fn url_of(scheme: &str, address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("{scheme}://localhost:{}", address.port())
    } else {
        format!("{scheme}://{address}")
    }
}

/// What the pages are served over.
fn scheme_of(config: &Config) -> &'static str {
    if config.web.protection.as_ref().is_some_and(WebConfigFile::has_tls) { "https" } else { "http" }
}

fn host_of(url: &Url) -> &str {
    url.host_str().unwrap_or_default()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
