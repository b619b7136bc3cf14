//! The real binary as a process of its own, and what its scrapes have shown so far.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use cotalker_simulator::{Receiver, Settings, Simulator, Trigger, WebhookSpec, World};
use delivery_ledger::UnixMillis;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::page::MetricsPage;

pub(crate) const START: UnixMillis = UnixMillis::from_secs(1_700_000_000);

/// A test that waits for something that never comes ends after this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A simulator whose time stands still until [`Flow`] lets it pass, with a webhook for each way that things go.
pub(crate) async fn simulator() -> Arc<Simulator> {
    let mut world = World::new(START, 7);
    for (code, receiver, every_ms) in [
        ("healthy", Receiver::Healthy, 3_000),
        ("flaky", Receiver::Flaky { failures: 0.4 }, 4_000),
        ("down", Receiver::Down, 5_000),
        ("rejecting", Receiver::Rejecting, 7_000),
        ("refused", Receiver::Refused, 6_000),
        ("slow", Receiver::Slow { from_ms: 1_000, to_ms: 9_000 }, 8_000),
    ] {
        world.add(WebhookSpec::new(code, Trigger::Task).to(receiver).every_ms(every_ms).entry_bytes(300, 500));
    }
    let simulator = Simulator::start(world, Settings::default()).await.expect("a simulator");
    Arc::new(simulator)
}

/// Lets time pass for a simulator, sixty times as fast as ours, until it is dropped.
pub(crate) struct Flow(JoinSet<()>);

impl Flow {
    pub(crate) fn of(simulator: &Arc<Simulator>) -> Self {
        let simulator = Arc::clone(simulator);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(20)).await;
                simulator.advance(Duration::from_millis(1_200));
            }
        });
        Self(tasks)
    }

    pub(crate) async fn stop(mut self) {
        self.0.shutdown().await;
    }
}

/// A port that nothing listens on. Between two processes it stays the same.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// The exporter's command line: it polls every second, counts what was there before, and keeps its state in `state`.
pub(crate) fn exporter(simulator: &Simulator, state: &Path, port: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cotalker-webhook-exporter"));
    in_front_of(&mut command, simulator, state, port);
    command
}

/// The arguments and the environment of [`exporter`] for a command that runs it.
pub(crate) fn in_front_of(command: &mut Command, simulator: &Simulator, state: &Path, port: u16) {
    command
        .arg(format!("--cotalker.base-url={}", simulator.base_url()))
        .arg(format!("--state.path={}", state.display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .args(["--poll.interval=1s", "--poll.rate=0"])
        .env("EXPORTER_POLL_HISTORY", "count")
        .env("COTALKER_TOKEN", simulator.token())
        .env("NO_PROXY", "127.0.0.1");
}

/// A running exporter. It is killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    root: String,
    http: reqwest::Client,
    lines: Arc<Mutex<Vec<String>>>,
    reader: Option<thread::JoinHandle<()>>,
}

impl Process {
    pub(crate) fn start(mut command: Command, port: u16) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().expect("a process");
        let stderr = child.stderr.take().expect("a pipe");
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&lines);
        let reader = thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                log.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        let http = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .no_gzip()
            .no_zstd()
            .no_brotli()
            .timeout(Duration::from_secs(10))
            .build()
            .expect("a client");
        Self { child, root: format!("http://127.0.0.1:{port}"), http, lines, reader: Some(reader) }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The log lines with this text.
    pub(crate) fn said(&self, what: &str) -> usize {
        self.log().iter().filter(|line| line.contains(what)).count()
    }

    pub(crate) fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child")
    }

    /// SIGKILL, by its own id.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.wait();
    }

    /// Waits until it has ended and all that it logged is known.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let status = self.child.wait().expect("a child");
        if let Some(reader) = self.reader.take() {
            reader.join().expect("a log");
        }
        let panicked: Vec<String> = self.log().into_iter().filter(|line| line.contains("panicked")).collect();
        assert!(panicked.is_empty(), "{panicked:?}");
        status
    }

    /// The page of metrics; `None` as long as it does not listen, or when it has ended.
    pub(crate) async fn scrape(&self) -> Option<MetricsPage> {
        let answer = self.http.get(format!("{}/metrics", self.root)).send().await.ok()?;
        assert_eq!(answer.status(), 200);
        answer.text().await.ok().map(MetricsPage)
    }

    pub(crate) async fn is_ready(&self) -> Option<bool> {
        let answer = self.http.get(format!("{}/-/ready", self.root)).send().await.ok()?;
        Some(answer.status() == 200)
    }

    /// Scrapes until the page is as it should be. Everything that is scraped is seen.
    pub(crate) async fn wait_for(
        &self,
        what: &str,
        seen: &mut Seen,
        is_so: impl Fn(&MetricsPage) -> bool,
    ) -> MetricsPage {
        let since = Instant::now();
        loop {
            if let Some(page) = self.scrape().await {
                seen.see(&page);
                if is_so(&page) {
                    return page;
                }
            }
            assert!(since.elapsed() < PATIENCE, "never seen: {what}; {:#?}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The page after all that the simulator has done by now has been read.
    pub(crate) async fn at_rest(&self, seen: &mut Seen) -> MetricsPage {
        let polls = |page: &MetricsPage| page.sum("cotalker_exporter_polls_total", &["ok"]).unwrap_or(0.0);
        let before = self.wait_for("a page", seen, |_| true).await;
        // The poll that is under way may have begun before.
        self.wait_for("two more polls", seen, |page| polls(page) >= polls(&before) + 2.0).await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The counters that scrapes have shown. A further page may lack none of them, and take none back.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    series: BTreeMap<String, f64>,
    expects_nothing: bool,
    pub(crate) pages: u64,
}

impl Seen {
    /// For where counters are to go away.
    pub(crate) fn anything() -> Self {
        Self { expects_nothing: true, ..Self::default() }
    }

    pub(crate) fn see(&mut self, page: &MetricsPage) {
        let now = counters(page);
        for (series, before) in &self.series {
            match now.get(series) {
                Some(value) => assert!(value >= before, "{series} was {before} and is {value}"),
                None => panic!("{series} was {before} and is gone; the page is\n{}", page.0),
            }
        }
        if !self.expects_nothing {
            self.series = now;
        }
        self.pages += 1;
    }

    pub(crate) fn len(&self) -> usize {
        self.series.len()
    }
}

/// The webhooks' counters, histograms included.
fn counters(page: &MetricsPage) -> BTreeMap<String, f64> {
    let mut counters = BTreeMap::new();
    let mut is_counter = false;
    for line in page.0.lines() {
        if let Some(family) = line.strip_prefix("# TYPE ") {
            is_counter = family.starts_with("cotalker_webhook_") && !family.ends_with(" gauge");
        } else if is_counter && !line.starts_with('#') {
            let (series, value) = line.rsplit_once(' ').expect("a sample");
            counters.insert(series.to_owned(), value.parse().expect("a number"));
        }
    }
    counters
}
