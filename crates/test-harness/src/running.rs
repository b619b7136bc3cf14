//! A program as a process.

use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus};
use std::sync::OnceLock;

use crate::ended::Ended;
use crate::metrics::MetricsPage;
use crate::output::Output;
use crate::site::Site;
use crate::wait::until;

/// A program while it runs; it is killed when this is dropped, by a panic too.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: Output,
    stderr: Output,
    site: OnceLock<Site>,
}

impl Running {
    pub(crate) const fn new(child: Child, stdout: Output, stderr: Output) -> Self {
        Self { child, stdout, stderr, site: OnceLock::new() }
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The lines that it has logged so far.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.stderr.so_far().lines().map(str::to_owned).collect()
    }

    /// How many log lines hold this text.
    #[must_use]
    pub fn said(&self, text: &str) -> usize {
        self.log().iter().filter(|line| line.contains(text)).count()
    }

    /// Waits until its log holds this, and gives the first line that does.
    pub async fn logs(&self, text: &str) -> String {
        until(text, async || self.log().into_iter().find(|line| line.contains(text))).await
    }

    /// Where the exporter listens, once it says so.
    pub async fn address(&self) -> SocketAddr {
        until("the address that it listens on", async || self.address_so_far()).await
    }

    fn address_so_far(&self) -> Option<SocketAddr> {
        let log = self.stderr.so_far();
        let line = log.lines().find(|line| line.contains("listening"))?;
        line.split_once("address=")?.1.split([' ', '"']).find(|part| !part.is_empty())?.parse().ok()
    }

    /// What the exporter serves, once it listens.
    pub async fn site(&self) -> Site {
        until("what it serves", async || self.site_so_far().cloned()).await
    }

    fn site_so_far(&self) -> Option<&Site> {
        if self.site.get().is_none() {
            let _ = self.site.set(Site::at(self.address_so_far()?));
        }
        self.site.get()
    }

    /// The page of metrics; `None` while it does not listen, or when it has ended.
    pub async fn scrape(&self) -> Option<MetricsPage> {
        self.site_so_far()?.try_scrape().await
    }

    /// Whether it is ready; `None` while it does not listen, or when it has ended.
    pub async fn is_ready(&self) -> Option<bool> {
        self.site_so_far()?.try_get("/-/ready").await.map(|(status, _)| status == 200)
    }

    /// Tells it to stop (SIGTERM).
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends it this signal.
    ///
    /// # Panics
    ///
    /// If it has ended.
    pub fn signal(&self, name: &str) {
        // The shell's own, for a bare machine has no other.
        let script = format!("kill -{name} \"$0\"");
        let kill = Command::new("sh").args(["-c", &script, &self.id().to_string()]).status();
        assert!(kill.expect("kill runs").success());
    }

    /// Ends it on the spot (SIGKILL), by its own id.
    pub fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.wait();
    }

    /// How it has ended; `None` while it runs.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a status")
    }

    /// Panics, with all that it printed, if it runs no more.
    pub fn expect_running(&mut self) {
        if let Some(status) = self.has_ended() {
            panic!("it has ended with {status}:\n{}{}", self.stdout.all(), self.stderr.all());
        }
    }

    /// Waits until it has ended and all that it logged is known.
    ///
    /// # Panics
    ///
    /// If it did.
    pub fn wait(&mut self) -> ExitStatus {
        let status = self.child.wait().expect("a status");
        self.stderr.all();
        let panicked: Vec<String> = self.log().into_iter().filter(|line| line.contains("panicked")).collect();
        assert!(panicked.is_empty(), "{panicked:?}");
        status
    }

    /// Waits for its end.
    pub async fn ended(mut self) -> Ended {
        let status = until("the program's end", async || self.has_ended()).await;
        Ended { status: status.code(), stdout: self.stdout.all(), stderr: self.stderr.all() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
