//! The reader of entries against an oracle: `serde_json` parses the whole log, and a naive function says of each entry
//! what it is. Cases are made of chance: entries like the API's, with oddities of every kind, changed anywhere, cut
//! anywhere. The tests run 20,000 of them; `just fuzz` runs ten million, in as many threads as there are processors.

mod document;
mod oracle;

use cotalker_webhook_exporter::api::stream::{FrameError, Framer};
use cotalker_webhook_exporter::api::wire::{LogEntry, read_log_entry};
use document::{Document, WEBHOOK};
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

/// How many cases of chance to run.
const CASES_VARIABLE: &str = "FUZZ_CASES";

/// Frames and reads a log that comes in pieces.
fn read(mut framer: Framer, log: &[u8], cuts: &[usize]) -> Result<Vec<LogEntry>, FrameError> {
    let webhook = WEBHOOK.parse().expect("an id");
    let mut entries = Vec::new();
    let mut from = 0;
    for to in cuts.iter().copied().chain([log.len()]) {
        framer.feed(&log[from..to], |json| entries.push(read_log_entry(json, webhook)))?;
        from = to;
    }
    framer.finish().map(|()| entries)
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
    // An entry that is abridged says what it says as a whole, sound or not.
    let abridged = read(Framer::abridging_above(0), &odd, &cuts);
    let read = read(Framer::new(), &odd, &cuts);
    if abridged != read {
        return Err(format!("read: {read:?}\nabridged: {abridged:?}\nof: {}", String::from_utf8_lossy(&odd)));
    }
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
    let totals = std::thread::scope(|scope| {
        let run = |thread: u64| {
            let mut totals = [0_usize; 4];
            for seed in (thread..cases).step_by(usize::try_from(threads).expect("few threads")) {
                let mut random = StdRng::seed_from_u64(seed);
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
    let [same, no_json, entries, own] = totals.expect("a thread");
    println!(
        "{same} logs read as the oracle reads them ({entries} entries, {own} of them attempts), {no_json} no JSON"
    );
    // Chance that makes hardly any right log tests nothing.
    assert!(cases < 1_000 || (same > no_json && own * 4 > entries), "too few right ones");
}
