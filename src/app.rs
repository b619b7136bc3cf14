//! The composition root: builds the parts from the settings, runs them as one set of tasks, and ends them together.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use exporter_web::{Reload, Server, listen};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::api::{ApiClient, ApiSettings};
use crate::check::CheckOptions;
use crate::config::{ExporterSettings, Task, WebSettings};
use crate::demo::{self, DemoOptions};
use crate::lost::LostOptions;
use crate::poller::Poller;
use crate::replica::Elector;
use crate::server::{self, Site};
use crate::store::Store;
use crate::store::writer::Writer;
use crate::telemetry::{Instruments, ReloadResult};
use crate::terminal::{complain, say};
use crate::{build, check, clock, healthcheck, lost, shutdown, snapshot, terminal};

/// Does what the command line asks for, and gives the exit code.
pub async fn run(task: Option<Task>, settings: ExporterSettings) -> ExitCode {
    // First of all, so that an early signal is not missed.
    let shutdown = CancellationToken::new();
    let mut watch = JoinSet::new();
    match shutdown::on_signal(shutdown.clone()) {
        Ok(signals) => drop(watch.spawn(signals)),
        Err(error) => return fail(&format!("failed to listen for signals: {error}")),
    }
    if matches!(task, None | Some(Task::Demo(_)))
        && let Err(error) = shutdown::on_hangup(|| {})
    {
        // The future itself is not needed yet: SIGHUP no longer ends the process.
        return fail(&format!("failed to listen for signals: {error}"));
    }
    match task {
        None => exit_code(daemon(settings, shutdown).await),
        Some(Task::Demo(options)) => exit_code(demo(settings, options, shutdown).await),
        Some(Task::Check(options)) => {
            shutdown.run_until_cancelled(check(settings, options)).await.map_or(ExitCode::FAILURE, exit_code)
        }
        Some(Task::Lost(options)) => {
            let ended = shutdown.run_until_cancelled(lost(settings, options)).await;
            ended.unwrap_or(Ok(ExitCode::FAILURE)).unwrap_or_else(|error| fail(&format!("{error:#}")))
        }
        Some(Task::Healthcheck) => exit_code(healthcheck::ask(&settings.web).await.map_err(anyhow::Error::msg)),
    }
}

/// 0, or 1 after one line on standard error.
fn exit_code(result: anyhow::Result<()>) -> ExitCode {
    result.map_or_else(|error| fail(&format!("{error:#}")), |()| ExitCode::SUCCESS)
}

fn fail(line: &str) -> ExitCode {
    complain(line);
    ExitCode::FAILURE
}

/// The daemon: polls and serves until it is told to stop.
///
/// # Errors
///
/// If it cannot start, or a part of it ends by itself.
pub async fn daemon(settings: ExporterSettings, shutdown: CancellationToken) -> anyhow::Result<()> {
    let api = settings.api.clone().context("no API is configured")?;
    let listeners = bind(&settings.web).await?;
    serve(settings, api, listeners, shutdown).await
}

/// What to serve on: the sockets that systemd passed, or the addresses.
async fn bind(web: &WebSettings) -> anyhow::Result<Vec<TcpListener>> {
    match &web.passed {
        Some(sockets) => sockets.listeners().context("failed to use the sockets of --web.systemd-socket"),
        None => Ok(listen(&web.listen).await?),
    }
}

/// Polls and serves on listeners that are bound already, until it is told to stop.
///
/// # Errors
///
/// If it cannot start, or a part of it ends by itself.
pub async fn serve(
    settings: ExporterSettings,
    api: ApiSettings,
    listeners: Vec<TcpListener>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    tracing::info!(version = build::VERSION, revision = build::REVISION, api = api.host(), "starting");
    if api.exposes_token() {
        tracing::warn!("the API is called over http: the token can be read on the network");
    }
    let store = match &settings.state_path {
        Some(path) => Some(Store::open(path, clock::now()).context("--state.path")?),
        None => {
            tracing::info!("counts are kept in memory only: a restart resets them to 0");
            None
        }
    };
    for listener in &listeners {
        tracing::info!(
            address = %listener.local_addr()?,
            scheme = settings.web.scheme(),
            path = settings.web.telemetry_path,
            "listening"
        );
    }
    if let Some(protection) = &settings.web.protection {
        protection.log_summary();
    }
    let instruments = Arc::new(Instruments::new(settings.poll.interval.as_secs_f64()));
    let client = Arc::new(ApiClient::new(api, Arc::clone(&instruments))?);
    let reread = {
        let client = Arc::clone(&client);
        // The other files need no push: the token is read before each call, the web configuration at requests.
        shutdown::on_hangup(move || {
            client.renew_connections();
            tracing::info!("SIGHUP: reading the token file, --cotalker.ca-file and --web.config.file again");
        })?
    };
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
    let seat = settings.replica.map(|replica| {
        let (elector, seat) = Elector::new(replica);
        tasks.spawn(elector.run(shutdown.clone()));
        seat
    });
    let poller = Poller::new(settings.poll, client, Arc::clone(&instruments), publisher, kept, seat);
    let site = Site {
        telemetry_path: settings.web.telemetry_path,
        version: build::VERSION,
        snapshots: subscriber,
        own_metrics: Arc::new({
            let instruments = Arc::clone(&instruments);
            move |format| instruments.render(format, clock::now())
        }),
    };
    let server = Server::new(listeners, server::router(site))
        .web_config(settings.web.protection)
        .realm("cotalker-webhook-exporter")
        .open_paths(server::PROBES)
        .on_reload(move |reload| {
            instruments.web_config_reloaded(match reload {
                Reload::Applied => ReloadResult::Ok,
                Reload::Rejected => ReloadResult::Error,
            });
        });
    tasks.spawn(server.serve(shutdown.clone()));
    let stop_listening = shutdown.clone();
    tasks.spawn(async move {
        stop_listening.run_until_cancelled(reread).await;
    });
    let stop_polling = shutdown.clone();
    tasks.spawn(poller.run(stop_polling));
    shutdown::supervise(tasks, &shutdown).await
}

/// The daemon, with a simulated Cotalker instead of an account.
async fn demo(settings: ExporterSettings, options: DemoOptions, shutdown: CancellationToken) -> anyhow::Result<()> {
    let speed = options.speed;
    let simulator = options.start().await?;
    let listeners = bind(&settings.web).await?;
    let addresses = listeners.iter().map(TcpListener::local_addr).collect::<Result<Vec<_>, _>>()?;
    say(&demo::welcome(&addresses, &settings.web, &simulator));
    let api = demo::api_settings(&simulator, speed, settings.poll.interval)?;
    serve(settings, api, listeners, shutdown).await
}

/// One poll: what it shows on standard output, the cause of a failure as the error.
async fn check(settings: ExporterSettings, options: CheckOptions) -> anyhow::Result<()> {
    let client = client(settings.api, settings.poll.interval)?;
    let report = check::check(&settings.poll, client, options, terminal::width()).await;
    if !report.text.is_empty() {
        say(&report.text);
    }
    report.failure.map_or(Ok(()), |failure| Err(anyhow::Error::msg(failure)))
}

/// One look at the logs: what to replay on standard output, what could not be read on standard error.
async fn lost(settings: ExporterSettings, options: LostOptions) -> anyhow::Result<ExitCode> {
    let client = client(settings.api, settings.poll.interval)?;
    let report = lost::lost(&settings.poll, client, options, terminal::width()).await;
    if !report.text.is_empty() {
        say(&report.text);
    }
    report.failures.iter().for_each(|failure| complain(failure));
    Ok(match (report.failures.is_empty(), report.has_lost) {
        (false, _) => ExitCode::FAILURE,
        (true, true) => ExitCode::from(lost::SOME_LOST),
        (true, false) => ExitCode::SUCCESS,
    })
}

/// A client for one look, whose calls nobody measures.
fn client(api: Option<ApiSettings>, poll_interval: Duration) -> anyhow::Result<Arc<ApiClient>> {
    let api = api.context("no API is configured")?;
    let instruments = Arc::new(Instruments::new(poll_interval.as_secs_f64()));
    Ok(Arc::new(ApiClient::new(api, instruments)?))
}
