//! What a scrape costs the whole program, beside a bare hyper that sends the same bytes: one connection each, one at a time.
//!
//! `cargo bench --bench scrapes` measures the program that it builds; `cargo bench --bench scrapes -- PROGRAM…` measures
//! these as well, and takes turns with all of them. `--webhooks=N` is how much there is to see (`--webhooks=46`: 3,000
//! series), `--scrapes=N` how many scrapes a turn is, `--turns=N` how many turns there are. Nothing is read from the API
//! meanwhile: what a poll makes anew is measured by the benchmark `round`.

use std::collections::HashMap;
use std::convert::Infallible;
use std::ffi::OsString;
use std::fmt::Display;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::str::FromStr;

use bytes::Bytes;
use cotalker_simulator::demo::many;
use http_body_util::Full;
use hyper::Response;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use test_harness::{Program, Running, START, program_under_test, serve, until};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// What clients ask for.
const ENCODINGS: [&str; 2] = ["identity", "gzip"];

/// An exporter, or a peer.
struct Server {
    address: SocketAddr,
    running: Running,
}

impl Server {
    /// One response's body.
    fn scrape(&self, encoding: &str, response: &mut Vec<u8>) {
        let mut stream = TcpStream::connect(self.address).expect("a connection");
        let head =
            format!("GET /metrics HTTP/1.1\r\nHost: x\r\nAccept-Encoding: {encoding}\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("a request");
        response.clear();
        stream.read_to_end(response).expect("a response");
        assert!(response.starts_with(b"HTTP/1.1 200 "), "a page");
    }

    /// The CPU time in seconds that so many scrapes take.
    fn measure(&self, encoding: &str, scrapes: usize) -> f64 {
        let mut response = Vec::new();
        let before = self.nanoseconds();
        (0..scrapes).for_each(|_| self.scrape(encoding, &mut response));
        let after = self.nanoseconds();
        let taken: u64 =
            after.iter().map(|(thread, taken)| taken.saturating_sub(before.get(thread).copied().unwrap_or(0))).sum();
        #[expect(clippy::cast_precision_loss, reason = "nanoseconds of some seconds")]
        let taken = taken as f64;
        taken / 1e9
    }

    /// The CPU time of each thread so far. Source: the kernel's Documentation/scheduler/sched-stats.rst, "schedstat".
    fn nanoseconds(&self) -> HashMap<OsString, u64> {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.running.id())).expect("a process");
        let of_thread = |thread: std::io::Result<std::fs::DirEntry>| {
            let thread = thread.ok()?;
            // A thread may have ended since.
            let stat = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
            Some((thread.file_name(), stat.split(' ').next()?.parse().ok()?))
        };
        threads.filter_map(of_thread).collect()
    }
}

/// A program under test, and for each encoding a peer that sends what it sends.
struct Contestant {
    name: String,
    exporter: Server,
    peers: Vec<Server>,
}

impl Contestant {
    async fn start(program: OsString, webhooks: usize, directory: &Path) -> Self {
        let simulator = serve(many(webhooks, START, 600_000, 1)).await;
        let name = program.to_string_lossy().into_owned();
        let command = Program::of(Command::new(program)).towards(&simulator).anywhere();
        let command = command.arg("--poll.interval=24h").arg("--poll.rate=0").arg("--poll.history=count");
        let running = command.spawn();
        let exporter = Server { address: running.address().await, running };
        let mut page = Vec::new();
        let polled = b"cotalker_exporter_poll_duration_seconds_count 1\n";
        until("the first poll", async || {
            exporter.scrape("identity", &mut page);
            page.windows(polled.len()).any(|line| line == polled).then_some(())
        })
        .await;
        let series = page.split(|byte| *byte == b'\n').filter(|line| !line.is_empty() && line[0] != b'#').count();
        let mut peers = Vec::new();
        for encoding in ENCODINGS {
            exporter.scrape(encoding, &mut page);
            let body = page.windows(4).position(|end| end == b"\r\n\r\n").expect("a head") + 4;
            let file = directory.join(encoding);
            std::fs::write(&file, &page[body..]).expect("written");
            let peer = Command::new(std::env::current_exe().expect("this program"));
            let running = Program::of(peer).arg(format!("--peer={}", file.display())).spawn();
            peers.push(Server { address: running.address().await, running });
            println(format_args!("{name}: some {series} series, {encoding}: {} bytes", page.len() - body));
        }
        Self { name, exporter, peers }
    }
}

/// Serves the content of `file` on a free port until it is killed, with nothing between hyper and the socket.
async fn be_peer(file: &str) {
    let page = Bytes::from(std::fs::read(file).expect("a page"));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let _ = writeln!(std::io::stderr(), "listening address={}", listener.local_addr().expect("an address"));
    let mut open = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        let page = page.clone();
        while open.try_join_next().is_some() {}
        open.spawn(async move {
            stream.set_nodelay(true).expect("set");
            let service = service_fn(move |_| {
                let page = page.clone();
                async move { Ok::<_, Infallible>(Response::new(Full::new(page))) }
            });
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

fn argument<T: FromStr>(name: &str) -> Option<T> {
    std::env::args().find_map(|argument| argument.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[expect(clippy::print_stdout, reason = "a benchmark's result")]
fn println(line: impl Display) {
    println!("{line}");
}

fn main() {
    // As many threads as the exporter has.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        if let Some(file) = argument::<String>("--peer") {
            be_peer(&file).await;
        } else if std::env::args().any(|argument| argument == "--bench") {
            // `cargo test` only wants to know whether it is built.
            compare().await;
        }
    });
}

async fn compare() {
    let webhooks = argument("--webhooks").unwrap_or(46);
    let (turns, scrapes) = (argument("--turns").unwrap_or(9), argument("--scrapes").unwrap_or(2_000));
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let others = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).map(OsString::from);
    let mut contestants = Vec::new();
    for program in std::iter::once(program_under_test()).chain(others) {
        contestants.push(Contestant::start(program, webhooks, directory.path()).await);
    }
    for (index, encoding) in ENCODINGS.iter().enumerate() {
        let mut taken = vec![(Vec::new(), Vec::new(), Vec::new()); contestants.len()];
        for _ in 0..turns {
            for (contestant, (own, peers, ratios)) in contestants.iter().zip(&mut taken) {
                own.push(contestant.exporter.measure(encoding, scrapes));
                peers.push(contestant.peers[index].measure(encoding, scrapes));
                ratios.push(own[own.len() - 1] / peers[peers.len() - 1]);
            }
        }
        for (contestant, (own, peers, ratios)) in contestants.iter().zip(taken) {
            let (own, peer, ratio) = (median(own), median(peers), median(ratios));
            println(format_args!(
                "{}: {encoding}: CPU seconds of {scrapes} scrapes: {own:.3}, bare hyper {peer:.3}: {ratio:.2} times",
                contestant.name
            ));
        }
    }
}
