//! The exporter as its users run it: the real binary in a process of its own; and others like it.

use std::ffi::OsString;
use std::fs::File;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use cotalker_simulator::Simulator;
use cotalker_webhook_exporter::config::TOKEN_VARIABLE;
use tempfile::TempDir;

use crate::daemon::until;
use crate::page::MetricsPage;

/// The release build, where the variable `EXPORTER_UNDER_TEST` says that it is the one to be measured.
pub(crate) fn release_build() -> Option<OsString> {
    std::env::var_os("EXPORTER_UNDER_TEST")
}

/// A process that ends when it is dropped, by a panic too, with a directory of its own that goes with it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pub(crate) directory: TempDir,
}

impl Process {
    /// Starts `command`. What it prints is in [`Self::printed`].
    pub(crate) fn start(command: &mut Command, directory: TempDir) -> std::io::Result<Self> {
        let output = File::create(directory.path().join("output"))?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        Ok(Self { child: command.spawn()?, directory })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn printed(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("output")).unwrap_or_default()
    }

    /// Fails if the process is no more.
    pub(crate) fn expect_running(&mut self) {
        if let Ok(Some(status)) = self.child.try_wait() {
            panic!("it has ended with {status}:\n{}", self.printed());
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The exporter in a process of its own.
#[derive(Debug)]
pub(crate) struct Exporter {
    process: Process,
    address: SocketAddr,
    http: reqwest::Client,
}

impl Exporter {
    /// Runs the exporter on a free port against `simulator`, polling every second, with these further flags.
    pub(crate) async fn start(simulator: &Simulator, flags: &[&str]) -> Self {
        let mut command =
            Command::new(release_build().unwrap_or_else(|| env!("CARGO_BIN_EXE_cotalker-webhook-exporter").into()));
        // No variable or proxy of whoever runs the tests.
        command
            .env_clear()
            .env(TOKEN_VARIABLE, simulator.token())
            .args(["--web.listen-address=127.0.0.1:0", "--poll.interval=1s", "--poll.rate=0"])
            .arg(format!("--cotalker.base-url={}", simulator.base_url()))
            .args(flags);
        let directory = tempfile::tempdir().expect("a directory");
        let mut process = Process::start(&mut command, directory).expect("a process");
        let address = until("the exporter's address", async || {
            process.expect_running();
            let printed = process.printed();
            let line = printed.lines().find(|line| line.contains("=listening "))?;
            line.split(' ').find_map(|field| field.strip_prefix("address=")?.parse().ok())
        })
        .await;
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("a client");
        Self { process, address, http }
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The page of metrics. This process, which makes up logs of 150 MB, may be too busy to send its request within the
    /// five seconds that the exporter gives it: then it is sent again.
    pub(crate) async fn scrape(&self) -> MetricsPage {
        until("a page of metrics", async || {
            let answer = self.http.get(format!("http://{}/metrics", self.address)).send().await.ok()?;
            answer.text().await.ok().map(MetricsPage)
        })
        .await
    }

    /// Waits until so many polls have ended since now, and gives the page as it is then.
    pub(crate) async fn polls(&self, polls: f64) -> MetricsPage {
        let ended = |page: &MetricsPage| page.sum("cotalker_exporter_polls_total", &[]).expect("polls");
        let before = ended(&self.scrape().await);
        until("further polls", async || {
            let page = self.scrape().await;
            (ended(&page) >= before + polls).then_some(page)
        })
        .await
    }
}
