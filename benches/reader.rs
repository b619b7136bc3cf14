//! What reading a log costs, in instructions for each byte, which are the same on every run of one build.
//!
//! It runs itself under callgrind once for each way, and takes off what making up the log costs. With `--at-most=N` it fails if
//! the last way takes more than N instructions for each byte: CI holds that one figure.

use std::hint::black_box;
use std::process::{Command, ExitCode};

use cotalker_simulator::payload::entry_value;
use cotalker_simulator::{Receiver, Trigger, WebhookSpec, World};
use cotalker_webhook_exporter::api::log_entries::LogEntries;
use cotalker_webhook_exporter::api::stream::{Entries, Framer};
use cotalker_webhook_exporter::api::wire::{LogEntry, read_log_entry};
use delivery_ledger::{Ledger, Policy, Position, ServerTime, UnixMillis, WebhookId};

const WAYS: [(&str, &str); 4] = [
    ("framed", "framed"),
    ("slowly", "framed, and each entry read as one that is not plain"),
    ("read", "read"),
    ("counted", "read, and folded into a ledger that knows none of it"),
];

/// What hyper reads from a socket at once when a response is long.
const CHUNK: usize = 1 << 16;

const NOW: UnixMillis = UnixMillis::from_secs(1_700_000_000);

/// A thousand entries of some 3,000 bytes.
fn log() -> (WebhookId, Vec<u8>) {
    let mut world = World::new(NOW, 1);
    let spec = WebhookSpec::new("busy", Trigger::Task).to(Receiver::Flaky { failures: 0.03 }).every_ms(2_500);
    let id = world.add_since(spec.entry_bytes(3_000, 3_000), NOW.plus_millis(-3_600_000));
    let company = world.company();
    let entries: Vec<String> =
        world.attempts(id).iter().take(1_000).map(|attempt| entry_value(attempt, id.0, company).to_string()).collect();
    assert_eq!(entries.len(), 1_000);
    (id, format!("[{}]", entries.join(",")).into_bytes())
}

fn feed(log: &[u8], entries: &mut impl Entries) {
    let mut framer = Framer::new();
    log.chunks(CHUNK).for_each(|chunk| framer.feed_to(entries, chunk).expect("an array"));
    framer.finish().expect("an array");
}

fn run(way: &str) {
    let (id, log) = log();
    match way {
        "framed" => feed(&log, &mut |entry: &[u8]| _ = black_box(entry)),
        "slowly" => feed(&log, &mut |entry: &[u8]| _ = black_box(read_log_entry(entry, id))),
        "read" => feed(&log, &mut LogEntries::of(id, |entry| _ = black_box(entry))),
        "counted" => {
            let policy = Policy { max_retries: 3, pending_timeout_millis: 900_000 };
            let mut ledger = Ledger::new(Position::START);
            let mut reading = ledger.read(ServerTime::certain(NOW), &policy);
            let mut take = LogEntries::of(id, |entry| match entry {
                LogEntry::Own(attempt) => reading.observe(attempt),
                LogEntry::UnderWay(_) | LogEntry::Foreign | LogEntry::Malformed => panic!("{entry:?}"),
            });
            feed(&log, &mut take);
            let response = reading.finish();
            black_box(ledger.fold(response, &policy));
        }
        _ => {
            black_box(&log);
        }
    }
}

/// How many instructions this program takes one way; `None` without callgrind.
fn instructions(way: &str) -> Option<u64> {
    let program = std::env::current_exe().ok()?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .arg(format!("--way={way}"))
        .output()
        .ok()?;
    let report = String::from_utf8_lossy(&output.stderr);
    report.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok())
}

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "it reports; counts are small"
)]
fn main() -> ExitCode {
    if let Some(way) = std::env::args().find_map(|argument| argument.strip_prefix("--way=").map(str::to_owned)) {
        run(&way);
        return ExitCode::SUCCESS;
    }
    let Some(nothing) = instructions("nothing") else {
        eprintln!("valgrind is needed to count instructions");
        return ExitCode::FAILURE;
    };
    let at_most = std::env::args().find_map(|argument| argument.strip_prefix("--at-most=")?.parse::<f64>().ok());
    let bytes = log().1.len();
    let mut last = f64::NAN;
    for (way, what) in WAYS {
        let Some(all) = instructions(way) else { return ExitCode::FAILURE };
        last = (all - nothing) as f64 / bytes as f64;
        println!("{last:5.2} instructions per byte: {what}");
    }
    match at_most {
        Some(at_most) if last > at_most => {
            eprintln!("the last figure must be at most {at_most}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}
