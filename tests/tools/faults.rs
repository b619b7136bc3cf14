//! Every system call that touches the state directory fails once, or is the last thing that the process does.
//!
//! Which calls these are is not written down here: `strace` lists those of one start and of one commit, and then injects
//! into each of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cotalker_simulator::Simulator;
use cotalker_webhook_exporter::store::writer;
use tokio::time::{Instant, sleep};

use test_harness::{
    Flow, MetricsPage, Program, Running, Seen, all_kinds, assert_shows_all, program, program_under_test,
};

/// The error numbers that a sick disk gives, and the end of the process.
const ERRORS: [&str; 2] = ["error=EIO", "error=ENOSPC"];
const KILL: &str = "signal=SIGKILL";

const PATIENCE: Duration = Duration::from_secs(20);

/// A system call on the state directory: its name, and which of this name it is for its thread.
#[derive(Clone, Debug)]
struct Call {
    name: String,
    number: u32,
}

impl Call {
    fn inject(&self, what: &str) -> String {
        format!("inject={}:{what}:when={}", self.name, self.number)
    }
}

/// The calls of a trace of one thread that touch `state`. What only asks about a descriptor can't go wrong.
fn calls(trace: &str, state: &Path) -> Vec<Call> {
    let state = state.to_str().expect("a path");
    let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
    let mut calls = Vec::new();
    for line in trace.lines() {
        let Some((head, _)) = line.split_once('(') else { continue };
        let name = head.rsplit(' ').next().unwrap_or(head);
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            continue;
        }
        let number = numbers.entry(name).or_default();
        *number += 1;
        let is_harmless = ["close", "fcntl", "execve"].contains(&name) || name.contains("stat");
        if line.contains(state) && !is_harmless {
            calls.push(Call { name: name.to_owned(), number: *number });
        }
    }
    calls
}

/// What all these tests start from: an exporter that has counted for a while.
struct Bench {
    simulator: std::sync::Arc<Simulator>,
    flow: Flow,
    directory: tempfile::TempDir,
    seen: Seen,
}

impl Bench {
    async fn new() -> Self {
        let simulator = all_kinds().await;
        let flow = Flow::of(&simulator);
        let directory = tempfile::tempdir().expect("a directory");
        Self { simulator, flow, directory, seen: Seen::default() }
    }

    fn state(&self) -> PathBuf {
        self.directory.path().join("state")
    }

    fn trace(&self) -> PathBuf {
        self.directory.path().join("trace")
    }

    fn exporter(&self, program: Program) -> Running {
        program.towards(&self.simulator).anywhere().quickly().keeping(&self.state()).spawn()
    }

    fn start(&self) -> Running {
        self.exporter(program(&[]))
    }

    /// An exporter whose main thread is traced from its first call on.
    fn start_traced(&self, inject: Option<&str>) -> Running {
        let mut command = Command::new("strace");
        command.args(["-D", "-q", "-y", "-s", "0", "-e", "trace=%file,%desc", "-o"]).arg(self.trace());
        if let Some(inject) = inject {
            command.args(["-e", inject]);
        }
        command.arg("--").arg(program_under_test());
        self.exporter(Program::of(command))
    }

    /// Waits for two commits, so that there is one before the last.
    async fn settle(&mut self, process: &Running) -> MetricsPage {
        let writes = |page: &MetricsPage| page.sum("cotalker_exporter_state_writes_total", &["ok"]) >= Some(2.0);
        process.wait_for("two commits", &mut self.seen, writes).await
    }

    /// At last nothing goes wrong, and all is there.
    async fn end(mut self, process: Option<Running>) -> u64 {
        self.flow.stop().await;
        let process = process.unwrap_or_else(|| self.exporter(program(&[])));
        let page = process.at_rest(&mut self.seen).await;
        assert_shows_all(&page, &self.simulator)
    }
}

/// `strace` of the one thread that writes checkpoints, from just after a commit on.
struct Tracer(Child);

impl Tracer {
    async fn attach(bench: &mut Bench, process: &Running, inject: &[String]) -> Self {
        let writes = |page: &MetricsPage| page.sum("cotalker_exporter_state_writes_total", &[]).unwrap_or(0.0);
        let before = process.wait_for("a page", &mut bench.seen, |_| true).await;
        // A whole checkpoint may be among them; then there is a journal again.
        process.wait_for("commits", &mut bench.seen, |page| writes(page) >= writes(&before) + 3.0).await;
        let tasks = fs::read_dir(format!("/proc/{}/task", process.id())).expect("threads");
        let writes_checkpoints = |task: &fs::DirEntry| {
            fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.trim_end() == writer::THREAD)
        };
        let thread = tasks.map(|task| task.expect("a thread")).find(writes_checkpoints).expect("a thread of this name");
        let _ = fs::remove_file(bench.trace());
        let mut command = Command::new("strace");
        command.args(["-q", "-y", "-s", "0", "-e", "trace=%file,%desc", "-o"]).arg(bench.trace());
        for inject in inject {
            command.args(["-e", inject]);
        }
        Self(command.arg("-p").arg(thread.file_name()).stderr(Stdio::null()).spawn().expect("strace"))
    }

    async fn wait_for(&self, bench: &Bench, what: &str, is_so: impl Fn(&str) -> bool) -> String {
        let since = Instant::now();
        loop {
            let trace = fs::read_to_string(bench.trace()).unwrap_or_default();
            if is_so(&trace) {
                return trace;
            }
            assert!(since.elapsed() < PATIENCE, "never traced: {what}; {trace}");
            sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The two kinds of commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Commit {
    /// What has changed is added to the journal.
    Journal,
    /// The whole checkpoint is written: so it is if the journal cannot be.
    Whole,
}

impl Commit {
    /// What makes a commit one of this kind: an error of the journal. Not in a call of the same name as `call`, of which
    /// only one thing can be injected. Either way the calls that follow have the same numbers.
    fn cause(self, call: Option<&Call>) -> Option<Call> {
        let name = if call.is_some_and(|call| call.name == "openat") { "write" } else { "openat" };
        (self == Self::Whole).then(|| Call { name: name.to_owned(), number: 1 })
    }

    /// What to inject for `what` to happen in this call of such a commit.
    fn inject(self, call: &Call, what: &str) -> Vec<String> {
        let cause = self.cause(Some(call)).map(|cause| cause.inject(ERRORS[0]));
        cause.into_iter().chain([call.inject(what)]).collect()
    }
}

/// The calls of one commit.
async fn calls_of_a_commit(bench: &mut Bench, process: &Running, commit: Commit) -> Vec<Call> {
    let cause = commit.cause(None);
    let inject: Vec<String> = cause.iter().map(|cause| cause.inject(ERRORS[0])).collect();
    let tracer = Tracer::attach(bench, process, &inject).await;
    let begins = |line: &&str| line.contains("checkpoint.journal-") && line.contains("O_APPEND");
    let is_synced = |line: &&str| line.contains("checkpoint.journal-") && line.contains("fsync(");
    let is_over = |trace: &str| match commit {
        // The one that fails, and the one of the commit after it.
        Commit::Whole => trace.lines().filter(begins).count() >= 2,
        Commit::Journal => trace.lines().any(|line| is_synced(&line)),
    };
    let trace = tracer.wait_for(bench, "a commit", is_over).await;
    let lines: Vec<&str> = trace.lines().collect();
    let end = match commit {
        Commit::Whole => lines.iter().rposition(begins),
        Commit::Journal => lines.iter().position(is_synced).map(|last| last + 1),
    };
    let is_cause =
        |call: &Call| cause.as_ref().is_some_and(|cause| (&call.name, call.number) == (&cause.name, cause.number));
    let mut calls = calls(&lines[..end.expect("a commit")].join("\n"), &bench.state());
    calls.retain(|call| !is_cause(call));
    let expected: &[(&str, usize)] = match commit {
        // The checkpoint before, by link and rename; this one, by open, write, sync and rename; then the directory. The
        // journal is cut back first.
        Commit::Whole => {
            &[("link", 1), ("rename", 2), ("open", 2), ("write", 1), ("fsync", 2), ("unlink", 2), ("ftruncate", 1)]
        }
        Commit::Journal => &[("open", 1), ("write", 1), ("fsync", 1)],
    };
    for (name, times) in expected {
        let found = calls.iter().filter(|call| call.name.starts_with(name) && !call.name.ends_with("dir")).count();
        assert!(found >= *times, "{name}: {calls:?}");
    }
    calls
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_any_call_of_a_commit_is_survived() {
    for commit in [Commit::Journal, Commit::Whole] {
        let mut bench = Bench::new().await;
        let process = bench.start();
        bench.settle(&process).await;
        let calls = calls_of_a_commit(&mut bench, &process, commit).await;
        let mut injected = 0;
        for call in &calls {
            for error in ERRORS {
                let inject = commit.inject(call, error);
                let tracer = Tracer::attach(&mut bench, &process, &inject).await;
                let times = 1 + usize::from(commit == Commit::Whole);
                let is_injected = |trace: &str| trace.matches("(INJECTED)").count() >= times;
                let trace = tracer.wait_for(&bench, "the error", is_injected).await;
                for line in trace.lines().filter(|line| line.contains("(INJECTED)")) {
                    assert!(line.contains(bench.state().to_str().expect("a path")), "{line}");
                }
                injected += 1;
            }
        }
        let page = process.scrape().await.expect("a page");
        let failed = page.sum("cotalker_exporter_state_writes_total", &["error"]).unwrap_or(0.0);
        match commit {
            // But for an error that comes before there are two checkpoints.
            Commit::Journal => {
                assert!(failed <= 1.0, "{failed} of {injected}: the whole checkpoint is written instead")
            }
            Commit::Whole => assert!(failed >= f64::from(injected) / 2.0, "{failed} of {injected}"),
        }
        drop(process);
        let attempts = bench.end(None).await;
        println!(
            "{commit:?}: {injected} errors in {} calls of a commit, {failed} writes failed; {attempts} attempts at rest",
            calls.len()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_in_any_call_of_a_commit_takes_nothing_back() {
    for commit in [Commit::Journal, Commit::Whole] {
        let mut bench = Bench::new().await;
        let mut process = bench.start();
        bench.settle(&process).await;
        let calls = calls_of_a_commit(&mut bench, &process, commit).await;
        for call in &calls {
            let tracer = Tracer::attach(&mut bench, &process, &commit.inject(call, KILL)).await;
            let since = Instant::now();
            while process.has_ended().is_none() {
                if let Some(page) = process.scrape().await {
                    bench.seen.see(&page);
                }
                assert!(since.elapsed() < PATIENCE, "{call:?} never came");
                sleep(Duration::from_millis(5)).await;
            }
            drop(tracer);
            process.wait();
            process = bench.start();
            bench.settle(&process).await;
        }
        let attempts = bench.end(Some(process)).await;
        println!("{commit:?}: killed in each of {} calls of a commit; {attempts} attempts at rest", calls.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_or_a_kill_in_any_call_of_a_start_takes_nothing_back() {
    let mut bench = Bench::new().await;
    let mut process = bench.start();
    bench.settle(&process).await;
    process.kill();
    let mut process = bench.start_traced(None);
    bench.settle(&process).await;
    process.kill();
    let calls = calls(&fs::read_to_string(bench.trace()).expect("a trace"), &bench.state());
    assert!(calls.len() >= 6, "{calls:?}");
    let (mut refused, mut recovered, mut went_on, mut killed) = (0, 0, 0, 0);
    for call in &calls {
        for what in [ERRORS[0], ERRORS[1], KILL] {
            let mut process = bench.start_traced(Some(&call.inject(what)));
            let since = Instant::now();
            let ended = loop {
                if let Some(status) = process.has_ended() {
                    break Some(status);
                }
                // Counts older than what was shown stay out of sight until the logs have been read.
                if let Some(page) = process.scrape().await {
                    let has_recovered = page.sum("cotalker_exporter_state_recoveries_total", &[]) > Some(0.0);
                    let has_polled = page.sum("cotalker_exporter_polls_total", &["ok"]) > Some(0.0);
                    if !has_recovered || has_polled {
                        bench.seen.see(&page);
                    }
                    if has_polled {
                        recovered += u32::from(has_recovered);
                        break None;
                    }
                }
                assert!(since.elapsed() < PATIENCE, "{call:?}, {what}: {:?}", process.log());
                sleep(Duration::from_millis(10)).await;
            };
            match ended {
                None => went_on += 1,
                Some(status) => {
                    process.wait();
                    if what == KILL {
                        killed += 1;
                    } else {
                        // With one line that names what can't be used.
                        refused += 1;
                        let last = process.log().pop().unwrap_or_default();
                        let state = bench.state().display().to_string();
                        assert!(
                            status.code() == Some(1) && last.contains(&state),
                            "{call:?}, {what}: {status}, {last}"
                        );
                    }
                }
            }
            // The next start finds two checkpoints again.
            drop(process);
            let process = bench.start();
            let page = bench.settle(&process).await;
            assert!(page.sum("cotalker_webhook_delivery_attempts_total", &[]) > Some(0.0));
        }
    }
    let attempts = bench.end(None).await;
    println!(
        "{} calls of a start: killed {killed} times, refused {refused}, went on {went_on}, {recovered} of them from the \
         checkpoint before; {attempts} attempts at rest",
        calls.len()
    );
}
