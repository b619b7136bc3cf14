//! The program itself, run as a user runs it; and other programs like it.

use std::ffi::{OsStr, OsString};
use std::io::PipeWriter;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::{Command, Stdio};

use cotalker_simulator::Simulator;

use crate::ended::Ended;
use crate::output::Output;
use crate::running::Running;

/// The release build, where the variable `EXPORTER_UNDER_TEST` says that it is the one to be tested.
#[must_use]
pub fn release_build() -> Option<OsString> {
    std::env::var_os("EXPORTER_UNDER_TEST")
}

/// The path of the exporter under test: [`release_build`], else what `cargo test` has built.
///
/// # Panics
///
/// If the test was not started by `cargo test`, which says where that is.
#[must_use]
pub fn program_under_test() -> OsString {
    let built = || std::env::var_os("CARGO_BIN_EXE_cotalker-webhook-exporter").expect("tests are run by cargo test");
    release_build().unwrap_or_else(built)
}

/// A command line with its environment. Of the environment of who runs the tests there is nothing but `PATH`: no proxy,
/// no stray variable.
#[derive(Debug)]
pub struct Program(Command);

/// The exporter with these arguments.
#[must_use]
pub fn program(args: &[&str]) -> Program {
    let mut command = Command::new(program_under_test());
    command.args(args);
    Program::of(command)
}

/// The exporter with these arguments, and this as descriptor 3, as systemd passes a socket; `variables` are words of the
/// shell that say so.
///
/// # Panics
///
/// If the descriptor cannot be copied.
#[must_use]
pub fn activated(variables: &str, passed: &impl AsFd, args: &[&str]) -> Program {
    let copy: OwnedFd = passed.as_fd().try_clone_to_owned().expect("a descriptor");
    // The shell's own redirections, for the standard library passes no descriptor above 2.
    let script = format!("{variables} exec \"$0\" \"$@\" 3<&0 4</dev/null 0</dev/null");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).arg(program_under_test()).args(args);
    let mut program = Program::of(command);
    program.0.stdin(copy);
    program
}

impl Program {
    /// Any command: another program, or one that runs the exporter in its own way.
    #[must_use]
    pub fn of(mut command: Command) -> Self {
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        Self(command)
    }

    /// With this variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    /// With this further argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.0.arg(arg);
        self
    }

    /// Towards this API, with its permanent token.
    #[must_use]
    pub fn towards(self, simulator: &Simulator) -> Self {
        self.env("COTALKER_BASE_URL", simulator.base_url()).env("COTALKER_TOKEN", &simulator.token())
    }

    /// On a free port of loopback.
    #[must_use]
    pub fn anywhere(self) -> Self {
        self.env("EXPORTER_WEB_LISTEN_ADDRESS", "127.0.0.1:0")
    }

    /// Polling every second, as fast as it can.
    #[must_use]
    pub fn quickly(self) -> Self {
        self.env("EXPORTER_POLL_INTERVAL", "1s").env("EXPORTER_POLL_RATE", "0")
    }

    /// Counting what was there before, and keeping its counts in this directory.
    #[must_use]
    pub fn keeping(self, state: &Path) -> Self {
        self.env("EXPORTER_POLL_HISTORY", "count").arg(format!("--state.path={}", state.display()))
    }

    /// Starts it.
    ///
    /// # Panics
    ///
    /// If there is no such program.
    #[must_use]
    pub fn spawn(mut self) -> Running {
        let mut child = self.0.spawn().unwrap_or_else(|error| {
            panic!("{:?} is needed, which scripts/test installs: {error}", self.0.get_program())
        });
        let stdout = Output::of(child.stdout.take().expect("a pipe"));
        let stderr = Output::of(child.stderr.take().expect("a pipe"));
        Running::new(child, stdout, stderr)
    }

    /// Starts it with a log that goes into this pipe, which nobody reads.
    ///
    /// # Panics
    ///
    /// If there is no such program.
    #[must_use]
    pub fn spawn_unheard(mut self, pipe: &PipeWriter) -> Running {
        self.0.stderr(pipe.try_clone().expect("a pipe"));
        let mut child = self.0.spawn().expect("the program starts");
        let stdout = Output::of(child.stdout.take().expect("a pipe"));
        Running::new(child, stdout, Output::of(std::io::empty()))
    }

    /// Runs it to its end.
    pub async fn run(self) -> Ended {
        self.spawn().ended().await
    }
}
