//! What a round costs the whole program: 10,000 webhooks, of which one in a hundred has changed, read within half a minute.
//!
//! `cargo bench --bench round` measures the program that it builds; `cargo bench --bench round -- PROGRAM…` measures these
//! as well, at the same time and each against a simulator of its own, so that the figures of one run can be compared. With
//! `--state` counts are kept, with `--scrapes` each round's page is asked for twice, compressed. What the simulators take
//! is not counted.

use std::ffi::OsString;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use cotalker_simulator::demo::many;
use cotalker_simulator::{Endpoint, Simulator};
use delivery_ledger::Action;
use tempfile::TempDir;
use test_harness::{Program, Running, START, program_under_test, serve};

const WEBHOOKS: usize = 10_000;

/// One webhook in so many has something new in each round.
const CHANGED: usize = 100;

/// Rounds that are measured, after the first two, in which all is new.
const ROUNDS: usize = 3;

/// How often it is looked whether a round has ended.
const LOOK: Duration = Duration::from_millis(20);

/// Ticks of the kernel's clock in a second, on all machines of Linux that there are.
const TICKS: f64 = 100.0;

/// A program under test, and what it watches.
struct Contestant {
    name: String,
    simulator: Arc<Simulator>,
    running: Running,
    _state: TempDir,
}

impl Contestant {
    async fn start(program: OsString, arguments: &[String]) -> Self {
        let simulator = Arc::new(serve(many(WEBHOOKS, START, 600_000, 1)).await);
        let state = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        let name = program.to_string_lossy().into_owned();
        let mut command = Program::of(Command::new(program)).towards(&simulator).anywhere();
        command = command.arg("--poll.interval=60s").arg("--poll.rate=0").arg("--poll.history=count");
        if arguments.iter().any(|argument| argument == "--state") {
            command = command.keeping(state.path());
        }
        Self { name, simulator, running: command.spawn(), _state: state }
    }

    /// Waits for the beginning of this round.
    async fn round(&self, number: usize) {
        while self.simulator.count(Endpoint::List) < u64::try_from(number).unwrap_or(u64::MAX) {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The CPU time that the program has taken so far, in seconds. Source: proc_pid_stat(5), fields 14 and 15.
    fn cpu_seconds(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.running.id())).expect("a process");
        let (_, fields) = stat.rsplit_once(')').expect("a name");
        let ticks = fields.split_whitespace().skip(11).take(2).map(|field| field.parse::<f64>().expect("a number"));
        ticks.sum::<f64>() / TICKS
    }

    async fn scrape(&self) {
        let url = format!("http://{}/metrics", self.running.address().await);
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let response = client.get(url).header("Accept-Encoding", "gzip").send().await.expect("a response");
        response.bytes().await.expect("a page");
    }

    /// The seconds of CPU time of each round.
    async fn measured(&self, is_scraped: bool) -> Vec<f64> {
        let mut rounds = Vec::new();
        for number in 2..2 + ROUNDS {
            self.round(number + 1).await;
            let before = self.cpu_seconds();
            self.simulator.with_world(|world| {
                let changed: Vec<_> = world.ids().into_iter().skip(number).step_by(CHANGED).collect();
                changed.into_iter().for_each(|id| world.emit(id, Action::Create, 1));
            });
            if is_scraped {
                for _ in 0..2 {
                    tokio::time::sleep(Duration::from_secs(25)).await;
                    self.scrape().await;
                }
            }
            self.round(number + 2).await;
            rounds.push(self.cpu_seconds() - before);
        }
        rounds
    }
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "a benchmark's result")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test` only wants to know whether it is built.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let _ = rustls::crypto::ring::default_provider().install_default();
    let others = arguments.iter().filter(|argument| !argument.starts_with('-')).map(OsString::from);
    let mut contestants = Vec::new();
    for program in std::iter::once(program_under_test()).chain(others) {
        contestants.push(Contestant::start(program, &arguments).await);
    }
    let is_scraped = arguments.iter().any(|argument| argument == "--scrapes");
    let results = futures::future::join_all(contestants.iter().map(|contestant| contestant.measured(is_scraped))).await;
    for (contestant, rounds) in contestants.iter().zip(results) {
        println!("{}: CPU seconds of a round: {rounds:.2?}", contestant.name);
    }
}
