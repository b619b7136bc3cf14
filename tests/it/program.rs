//! The program itself, run as a user runs it.

use std::io::{PipeWriter, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use cotalker_simulator::Simulator;

use crate::daemon::{Site, until};

/// A command line with its environment, which is empty but for what a test puts in: no proxy, no stray variable.
pub(crate) struct Program(Command);

/// The program with these arguments.
pub(crate) fn program(args: &[&str]) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cotalker-webhook-exporter"));
    command.args(args);
    Program::of(command)
}

impl Program {
    /// The program where it is run in another way.
    pub(crate) fn of(mut command: Command) -> Self {
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command)
    }

    /// With this variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    /// With this further argument.
    pub(crate) fn arg(mut self, arg: &str) -> Self {
        self.0.arg(arg);
        self
    }

    /// Towards this API, with its permanent token.
    pub(crate) fn towards(self, simulator: &Simulator) -> Self {
        self.env("COTALKER_BASE_URL", simulator.base_url()).env("COTALKER_TOKEN", &simulator.token())
    }

    /// On a free port of loopback.
    pub(crate) fn anywhere(self) -> Self {
        self.env("EXPORTER_WEB_LISTEN_ADDRESS", "127.0.0.1:0")
    }

    /// Starts it.
    pub(crate) fn spawn(mut self) -> Running {
        let mut child = self.0.spawn().expect("the program starts");
        let stdout = Heard::listen(child.stdout.take().expect("a pipe"));
        let stderr = Heard::listen(child.stderr.take().expect("a pipe"));
        Running { child, stdout, stderr }
    }

    /// Starts it with a log that goes into a pipe which is full, and which nobody reads.
    pub(crate) fn spawn_unheard(mut self, pipe: &PipeWriter) -> Running {
        self.0.stderr(pipe.try_clone().expect("a pipe"));
        let mut child = self.0.spawn().expect("the program starts");
        let stdout = Heard::listen(child.stdout.take().expect("a pipe"));
        Running { child, stdout, stderr: Heard::nothing() }
    }

    /// Runs it to its end.
    pub(crate) async fn run(self) -> Ended {
        self.spawn().ended().await
    }
}

/// What has come through a pipe so far.
struct Heard {
    text: Arc<Mutex<Vec<u8>>>,
    thread: Option<JoinHandle<()>>,
}

impl Heard {
    fn listen(mut pipe: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&text);
        let thread = std::thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(length @ 1..) = pipe.read(&mut part) {
                heard.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&part[..length]);
            }
        });
        Self { text, thread: Some(thread) }
    }

    fn nothing() -> Self {
        Self { text: Arc::default(), thread: None }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    /// All of it, once the program has ended.
    fn all(&mut self) -> String {
        if let Some(thread) = self.thread.take() {
            thread.join().expect("no panic");
        }
        self.so_far()
    }
}

/// The program while it runs; it is killed when this is dropped.
pub(crate) struct Running {
    child: Child,
    stdout: Heard,
    stderr: Heard,
}

impl Running {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Where it listens, once it says so.
    pub(crate) async fn address(&self) -> SocketAddr {
        until("the address that it listens on", async || {
            let log = self.stderr.so_far();
            let line = log.lines().find(|line| line.contains("listening"))?;
            line.split_once("address=")?.1.split([' ', '"']).find(|part| !part.is_empty())?.parse().ok()
        })
        .await
    }

    /// What it serves.
    pub(crate) async fn site(&self) -> Site {
        Site::at(self.address().await)
    }

    /// Waits until its log holds this.
    pub(crate) async fn logs(&self, text: &str) -> String {
        until(text, async || self.stderr.so_far().lines().find(|line| line.contains(text)).map(str::to_owned)).await
    }

    /// Tells it to stop.
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends it this signal.
    pub(crate) fn signal(&self, name: &str) {
        let kill = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(kill.expect("kill runs").success());
    }

    /// Waits for its end.
    pub(crate) async fn ended(mut self) -> Ended {
        let status = until("the program's end", async || self.child.try_wait().expect("a status")).await;
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

/// What the program left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    /// `None` if a signal killed it.
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// Panics unless it ended with `status`, nothing on standard output, and one line on standard error that holds all
    /// these parts.
    #[track_caller]
    pub(crate) fn assert_complains(&self, status: i32, parts: &[&str]) {
        assert_eq!((self.status, self.stdout.as_str()), (Some(status), ""), "{self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "{self:?}");
        for part in parts {
            assert!(self.stderr.contains(part), "{part:?} is missing: {self:?}");
        }
    }
}
