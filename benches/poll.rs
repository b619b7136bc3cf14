//! What one poll of a long log costs the process, in CPU seconds by its own clock: 50,000 entries of 3,000 bytes.
//!
//! The log comes from another process, so that sending it does not count. All ways take turns, and the median of each is
//! told, with its ratio to taking the bytes from the socket and dropping them.

use std::hint::black_box;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use cotalker_simulator::payload::entry_value;
use cotalker_simulator::{Receiver, Trigger, WebhookSpec, World};
use cotalker_webhook_exporter::api::credentials::Credentials;
use cotalker_webhook_exporter::api::stream::Framer;
use cotalker_webhook_exporter::api::{ApiClient, ApiSettings, Fetched};
use cotalker_webhook_exporter::telemetry::Instruments;
use delivery_ledger::fleet::ResponseMark;
use delivery_ledger::{Ledger, Policy, Position, UnixMillis, WebhookId};
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde::Deserialize;
use serde::de::IgnoredAny;

const ENTRIES: usize = 50_000;

/// How often each way is measured.
const ROUNDS: usize = 5;

const NOW: UnixMillis = UnixMillis::from_secs(1_700_000_000);

const POLICY: Policy = Policy { max_retries: 3, pending_timeout_millis: 900_000 };

/// What is done with the log.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Drained,
    Framed,
    Read,
    SameAgain,
    NotModified,
    DrainedGzip,
    InflatedGzip,
    ReadGzip,
    SameAgainGzip,
    Typed,
    Value,
}

impl Way {
    const ALL: [(Self, &'static str); 11] = [
        (Self::Drained, "taken from the socket and dropped"),
        (Self::Framed, "cut into entries"),
        (Self::Read, "a poll: read, and counted by a ledger that knows none of it"),
        (Self::SameAgain, "a poll: the same log again, without an ETag"),
        (Self::NotModified, "a poll: 304"),
        (Self::DrainedGzip, "gzip: taken from the socket and dropped"),
        (Self::InflatedGzip, "gzip: decompressed and dropped"),
        (Self::ReadGzip, "gzip: a poll"),
        (Self::SameAgainGzip, "gzip: a poll, the same log again, without an ETag"),
        (Self::Typed, "`serde_json`, typed, the whole body"),
        (Self::Value, "`serde_json`, `Value`, the whole body"),
    ];

    /// The path of the log as it is wanted.
    const fn path(self) -> &'static str {
        match self {
            Self::DrainedGzip | Self::InflatedGzip | Self::ReadGzip | Self::SameAgainGzip => "/gzip",
            Self::NotModified => "/etag",
            Self::Drained | Self::Framed | Self::Read | Self::SameAgain | Self::Typed | Self::Value => "/plain",
        }
    }
}

/// An entry, as far as it is needed, for `serde_json`.
#[derive(Deserialize)]
#[expect(dead_code, reason = "what reading it costs is measured")]
struct Entry {
    #[serde(rename = "_id")]
    id: String,
    webhook: Option<String>,
    status: Option<serde_json::Value>,
    response: Option<IgnoredAny>,
    retry: Option<u32>,
    #[serde(rename = "createdAt")]
    created_at: Option<String>,
    event: Option<EventOfEntry>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "what reading it costs is measured")]
struct EventOfEntry {
    action: Option<String>,
    #[serde(rename = "createdAt")]
    created_at: Option<String>,
    data: Option<IgnoredAny>,
}

/// A log of so many entries: the same thousand again and again, each time with ids of their own.
fn log() -> (WebhookId, Vec<u8>) {
    let mut world = World::new(NOW, 1);
    let spec = WebhookSpec::new("busy", Trigger::Task).to(Receiver::Flaky { failures: 0.03 }).every_ms(2_500);
    let id = world.add_since(spec.entry_bytes(3_000, 3_000), NOW.plus_millis(-3_600_000));
    let company = world.company();
    let attempts = world.attempts(id);
    let entry = |(number, attempt)| {
        let mut entry = entry_value(attempt, id.0, company);
        let second = entry["_id"].as_str().expect("an id")[..8].to_owned();
        entry["_id"] = format!("{second}{number:016x}").into();
        entry.to_string()
    };
    let entries: Vec<String> = attempts.iter().take(1_000).cycle().take(ENTRIES).enumerate().map(entry).collect();
    assert_eq!(entries.len(), ENTRIES);
    (id, format!("[{}]", entries.join(",")).into_bytes())
}

/// The other process: says its port and its webhook, and serves until its standard input ends.
#[expect(clippy::print_stdout, reason = "what the other process is told")]
fn serve() {
    let (id, body) = log();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&body).expect("compressed");
    let compressed = encoder.finish().expect("compressed");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    println!("{} {id}", listener.local_addr().expect("an address").port());
    std::thread::spawn(move || {
        let (body, compressed) = (Arc::new(body), Arc::new(compressed));
        for stream in listener.incoming().flatten() {
            let (body, compressed) = (Arc::clone(&body), Arc::clone(&compressed));
            std::thread::spawn(move || respond(stream, &body, &compressed));
        }
    });
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

fn respond(mut stream: TcpStream, body: &[u8], compressed: &[u8]) {
    loop {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                _ => return,
            }
        }
        let head = String::from_utf8_lossy(&head).to_lowercase();
        let (headers, body) = match () {
            () if head.contains("if-none-match") => ("HTTP/1.1 304 Not Modified\r\n".to_owned(), &b""[..]),
            () if head.contains("/gzip") => {
                let length = compressed.len();
                (format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {length}\r\n"), compressed)
            }
            () if head.contains("/etag") => {
                ("HTTP/1.1 200 OK\r\nETag: \"one\"\r\nContent-Length: 2\r\n".to_owned(), &b"[]"[..])
            }
            () => (format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n", body.len()), body),
        };
        if stream.write_all(format!("{headers}\r\n").as_bytes()).is_err() || stream.write_all(body).is_err() {
            return;
        }
    }
}

fn client(port: u16, path: &str) -> ApiClient {
    let settings = ApiSettings {
        base_url: format!("http://127.0.0.1:{port}{path}").parse().expect("a URL"),
        credentials: Credentials::Anonymous,
        company: None,
        admin: false,
        ca_pem: None,
        ca_file: None,
        timeout: Duration::from_secs(600),
        max_response_bytes: 1 << 30,
        calls_per_second: 0.0,
        poll_interval: Duration::from_secs(60),
        clock_speed: 1.0,
        proxy: None,
    };
    ApiClient::new(settings, Arc::new(Instruments::new(60.0))).expect("a client")
}

/// Reads the log once, against a ledger that knows none of it, and counts it.
async fn poll(client: &ApiClient, id: WebhookId, mark: Option<&ResponseMark>) -> Option<ResponseMark> {
    let mut ledger = Ledger::new(Position::START);
    match client.logs(id, mark, &ledger, None, &POLICY).await.expect("a log") {
        Fetched::Fresh { value, mark, .. } => {
            ledger.fold(value, &POLICY);
            black_box(&ledger);
            mark
        }
        Fetched::NotModified { .. } => None,
    }
}

async fn body(client: &reqwest::Client, url: &str, mut take: impl FnMut(&[u8])) {
    let mut response = client.get(url).send().await.expect("a response");
    while let Some(chunk) = response.chunk().await.expect("a body") {
        take(&chunk);
    }
}

fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// CPU seconds of doing it once.
async fn measure(way: Way, port: u16, id: WebhookId) -> f64 {
    let polling = client(port, way.path());
    let bare = reqwest::Client::builder()
        .no_proxy()
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .tls_certs_only([])
        .build()
        .expect("a client");
    let url = format!("http://127.0.0.1:{port}{}", way.path());
    let is_again = matches!(way, Way::SameAgain | Way::SameAgainGzip | Way::NotModified);
    let mark = if is_again { poll(&polling, id, None).await } else { None };
    let start = cpu();
    match way {
        Way::Drained | Way::DrainedGzip => body(&bare, &url, |chunk| _ = black_box(chunk)).await,
        Way::Framed => {
            let mut framer = Framer::new();
            body(&bare, &url, |chunk| framer.feed(chunk, |entry| _ = black_box(entry)).expect("an array")).await;
        }
        Way::Read | Way::ReadGzip => _ = poll(&polling, id, None).await,
        Way::SameAgain | Way::SameAgainGzip | Way::NotModified => {
            assert!(mark.is_some() && poll(&polling, id, mark.as_ref()).await.is_none(), "nothing has changed");
        }
        Way::InflatedGzip => {
            let mut whole = Vec::new();
            body(&bare, &url, |chunk| whole.extend_from_slice(chunk)).await;
            let mut decoder = MultiGzDecoder::new(&*whole);
            let mut buffer = vec![0; 1 << 17];
            while decoder.read(&mut buffer).expect("gzip") > 0 {
                black_box(&buffer);
            }
        }
        Way::Typed => {
            let mut whole = Vec::new();
            body(&bare, &url, |chunk| whole.extend_from_slice(chunk)).await;
            black_box(serde_json::from_slice::<Vec<Entry>>(&whole).expect("a log"));
        }
        Way::Value => {
            let mut whole = Vec::new();
            body(&bare, &url, |chunk| whole.extend_from_slice(chunk)).await;
            black_box(serde_json::from_slice::<serde_json::Value>(&whole).expect("a log"));
        }
    }
    (cpu() - start).as_secs_f64()
}

#[expect(clippy::print_stdout, reason = "the figures")]
fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "serve") {
        serve();
        return ExitCode::SUCCESS;
    }
    let program = std::env::current_exe().expect("this program");
    let mut server = Command::new(program)
        .arg("serve")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the other process");
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(server.stdout.take().expect("its output")), &mut line)
        .expect("its port");
    let (port, id) = line.trim().split_once(' ').expect("a port and a webhook");
    let (port, id) = (port.parse().expect("a port"), WebhookId(id.parse().expect("an id")));

    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut taken = Way::ALL.map(|_| Vec::new());
    for _ in 0..ROUNDS {
        for ((way, _), taken) in Way::ALL.iter().zip(&mut taken) {
            taken.push(runtime.block_on(measure(*way, port, id)));
        }
    }
    drop(server.stdin.take());
    let _ = server.wait();

    println!("| a log of 50,000 entries, 150 MB | CPU s | to the first line |\n|---|---:|---:|");
    let medians = taken.map(|mut taken| {
        taken.sort_by(f64::total_cmp);
        taken[taken.len() / 2]
    });
    for ((_, what), median) in Way::ALL.iter().zip(medians) {
        println!("| {what} | {median:.4} | {:.2} |", median / medians[0]);
    }
    ExitCode::SUCCESS
}
