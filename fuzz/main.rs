//! The reader of logs against two oracles. The one is `serde_json`: it parses the whole log, and a naive function says of each
//! entry what it is. The other is the reader without its way for plain entries, which has a verdict on every input. Cases are
//! made of chance: entries like the API's, with oddities of every kind, changed anywhere, cut anywhere. The tests run some
//! thousands of them; `just fuzz` runs ten million, in as many threads as there are processors.

mod document;
mod oracle;
mod plain;

use cotalker_webhook_exporter::api::log_entries::LogEntries;
use cotalker_webhook_exporter::api::stream::{FrameError, Framer};
use cotalker_webhook_exporter::api::wire::{LogEntry, read_log_entry, read_plain_entry};
use delivery_ledger::WebhookId;
use document::{Document, WEBHOOK};
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

/// How many cases of chance to run.
const CASES_VARIABLE: &str = "FUZZ_CASES";

type Entries = Result<Vec<LogEntry>, FrameError>;

fn pieces<'a>(log: &'a [u8], cuts: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    let ends = cuts.iter().copied().chain([log.len()]);
    ends.scan(0, |from, to| log.get(std::mem::replace(from, to)..to))
}

/// Reads a log that comes in pieces.
fn read(mut framer: Framer, webhook: WebhookId, log: &[u8], cuts: &[usize]) -> Entries {
    let mut entries = Vec::new();
    let mut taking = LogEntries::of(webhook, |entry| entries.push(entry));
    pieces(log, cuts).try_for_each(|piece| framer.feed_to(&mut taking, piece))?;
    framer.finish().map(|()| entries)
}

/// The same without the way for plain entries.
fn read_slowly(webhook: WebhookId, log: &[u8], cuts: &[usize]) -> Entries {
    let mut framer = Framer::new();
    let mut entries = Vec::new();
    pieces(log, cuts).try_for_each(|piece| framer.feed(piece, |json| entries.push(read_log_entry(json, webhook))))?;
    framer.finish().map(|()| entries)
}

/// Reads a log in all ways, which must say the same.
fn read_alike(webhook: WebhookId, log: &[u8], cuts: &[usize]) -> Result<Entries, String> {
    let slowly = read_slowly(webhook, log, cuts);
    let text = || String::from_utf8_lossy(log);
    let read = [read(Framer::new(), webhook, log, cuts), read(Framer::abridging_above(0), webhook, log, cuts)];
    for (read, framer) in read.iter().zip(["plainly", "abridged"]) {
        if read != &slowly {
            return Err(format!("{framer}: {read:?}\nslowly: {slowly:?}\nof: {}\ncuts: {cuts:?}", text()));
        }
    }
    Ok(slowly)
}

/// What became of a case.
#[derive(Debug, PartialEq)]
enum Verdict {
    /// Read as the oracle reads it: so many entries, so many of them attempts that count.
    Same { entries: usize, own: usize },
    /// No JSON array, and so without a right reading. It did not panic.
    NoJson,
}

/// Reads what `choices` make of it, and compares.
fn judge(choices: Vec<u64>) -> Result<Verdict, String> {
    let Document { plain, odd, cuts } = Document::made_of(choices);
    let read = read_alike(WEBHOOK.parse().expect("an id"), &odd, &cuts)?;
    let Some(expected) = oracle::read(&plain) else { return Ok(Verdict::NoJson) };
    if read.as_ref() != Ok(&expected) {
        return Err(format!(
            "read:     {read:?}\nexpected: {expected:?}\nof:       {}\ncuts:     {cuts:?}",
            String::from_utf8_lossy(&odd)
        ));
    }
    let own = expected.iter().filter(|entry| matches!(entry, LogEntry::Own(_))).count();
    Ok(Verdict::Same { entries: expected.len(), own })
}

/// Of the entries that a log begins with, how many are plain.
fn plain_entries(webhook: WebhookId, log: &[u8]) -> usize {
    let mut at = 0;
    let next = |from: usize| log.get(from..)?.iter().position(|byte| *byte == b'{').map(|length| from + length);
    let plain = std::iter::from_fn(|| {
        let start = next(at)?;
        at = start + read_plain_entry(&log[start..], webhook)?.1;
        Some(())
    });
    plain.count()
}

#[test]
fn a_plain_log_is_read_the_same_wherever_it_is_cut() {
    let webhook = WEBHOOK.parse().expect("an id");
    for log in plain::logs() {
        let expected = read_slowly(webhook, &log, &[]).expect("an array");
        assert!(expected.iter().all(|entry| matches!(entry, LogEntry::Own(_))), "{expected:?}");
        assert_eq!(plain_entries(webhook, &log), expected.len(), "{}", String::from_utf8_lossy(&log));
        for cut in 0..=log.len() {
            assert_eq!(read(Framer::new(), webhook, &log, &[cut]).as_ref(), Ok(&expected), "cut at {cut}");
        }
        let everywhere: Vec<usize> = (0..log.len()).collect();
        assert_eq!(read(Framer::new(), webhook, &log, &everywhere).as_ref(), Ok(&expected));
        let another = WEBHOOK.replace('9', "8").parse().expect("an id");
        read_alike(another, &log, &[]).expect("the same").expect("foreign entries");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_reader_reads_what_a_json_parser_reads_and_never_panics(choices in prop::collection::vec(any::<u64>(), 0..400)) {
        judge(choices).map_err(TestCaseError::fail)?;
    }
}

#[test]
fn cases_of_chance_are_read_as_the_oracle_reads_them() {
    let cases: u64 = std::env::var(CASES_VARIABLE).map_or(2_000, |cases| cases.parse().expect("a number of cases"));
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get() as u64);
    let logs = plain::logs();
    let logs = logs.as_slice();
    let webhook = WEBHOOK.parse().expect("an id");
    let totals = std::thread::scope(|scope| {
        let run = |thread: u64| {
            let mut totals = [0_usize; 5];
            for seed in (thread..cases).step_by(usize::try_from(threads).expect("few threads")) {
                let mut random = StdRng::seed_from_u64(seed);
                let log = &logs[usize::try_from(seed % logs.len() as u64).expect("few logs")];
                let choices = (0..40).map(|_| random.next_u64()).collect();
                let (log, cuts) = document::changed(log, choices);
                if let Err(difference) = read_alike(webhook, &log, &cuts) {
                    panic!("seed {seed}\n{difference}");
                }
                totals[4] += plain_entries(webhook, &log);
                let length = random.next_u64() % 600;
                let choices = (0..length).map(|_| random.next_u64()).collect();
                match judge(choices).unwrap_or_else(|difference| panic!("seed {seed}\n{difference}")) {
                    Verdict::Same { entries, own } => {
                        totals[0] += 1;
                        totals[2] += entries;
                        totals[3] += own;
                    }
                    Verdict::NoJson => totals[1] += 1,
                }
            }
            totals
        };
        let runs: Vec<_> = (0..threads).map(|thread| scope.spawn(move || run(thread))).collect();
        runs.into_iter().map(|run| run.join().expect("no panic")).reduce(|a, b| std::array::from_fn(|i| a[i] + b[i]))
    });
    let [same, no_json, entries, own, plain] = totals.expect("a thread");
    println!(
        "{same} logs read as the oracle reads them ({entries} entries, {own} of them attempts), {no_json} no JSON, \
         and {plain} plain entries of changed logs"
    );
    // Chance that makes hardly any right log tests nothing.
    assert!(cases < 1_000 || (same > no_json && own * 4 > entries), "too few right ones");
    assert!(cases < 1_000 || plain as u64 * 3 > cases, "too few plain ones");
}
