//! What a round costs that keeps its state: 10,000 webhooks, of which one in a hundred has changed, or one in all.
//!
//! Compare the figures of one run with one another: folding and rendering are of the same round. The commit syncs, so it
//! is as fast as the disk under `target/`.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use cotalker_webhook_exporter::compression::{Encoding, Part};
use cotalker_webhook_exporter::exposition::{AccountView, Block, DatedView, Format, Page, WebhookView};
use cotalker_webhook_exporter::store::Store;
use cotalker_webhook_exporter::store::record::{Records, encode_record};
use delivery_ledger::fleet::{AccountState, WebhookState};
use delivery_ledger::{
    Action, Attempt, AttemptId, Event, EventKey, EventType, ObjectId, Position, SubjectId, UnixMillis, Webhook,
};
use delivery_ledger::{Figures, Outcome, ServerTime};
use delivery_ledger::{Ledger, Policy};
use divan::{Bencher, black_box};
use tempfile::TempDir;

const NOW: UnixMillis = UnixMillis::from_secs(1_700_000_000);
const POLICY: Policy = Policy { max_retries: 3, pending_timeout_millis: 900_000 };
const WEBHOOKS: u32 = 10_000;
const CHANGED: usize = 100;

/// One attempt a minute for the hour that is remembered.
const ATTEMPTS: u32 = 60;

/// The greatest part of a round's time that a checkpoint may take. Source: the requirement, for a release build.
const AT_MOST: Duration = Duration::from_millis(100);

/// What the rounds are about.
struct Fleet {
    webhooks: Vec<(Webhook, Ledger)>,
    /// As they are kept between two rounds.
    records: Records,
}

static FLEET: LazyLock<Fleet> = LazyLock::new(|| {
    let webhooks: Vec<(Webhook, Ledger)> = (0..WEBHOOKS).map(|number| (webhook(number), ledger(number))).collect();
    let account = AccountState { listed_at: Some(NOW), list_read_at: Some(NOW), ..AccountState::default() };
    let records = Records {
        account: encode_record(&account).expect("bytes"),
        webhooks: webhooks.iter().map(|(webhook, ledger)| (webhook.id, encode(webhook, ledger, 0))).collect(),
    };
    Fleet { webhooks, records }
});

fn webhook(number: u32) -> Webhook {
    Webhook {
        id: format!("62685990d918fb55{number:08x}").parse().expect("an id"),
        company: "625be93a286ef83c1c0e845f".into(),
        code: format!("hook_{number:05}"),
        name: format!("Webhook no. {number}"),
        trigger: "create-edit-delete-task".into(),
        target_host: "hooks.acme.example".into(),
        active: true,
    }
}

/// An attempt of every minute of the last hour, and one that is new.
fn attempts(webhook: u32, count: u32) -> Vec<Attempt> {
    let attempt = |number: u32| {
        let mut id = [1; 12];
        id[4..8].copy_from_slice(&webhook.to_be_bytes());
        id[8..].copy_from_slice(&number.to_be_bytes());
        let text = format!("{webhook}-{number}");
        let at = NOW.plus_millis(i64::from(number) * 59_000 - 3_590_000);
        Attempt {
            id: AttemptId(ObjectId::from_bytes(id)),
            at,
            outcome: Outcome::of(Some(if number % 30 == 7 { 503 } else { 200 }), None),
            retry: u32::from(number % 30 == 8),
            event: Some(Event {
                key: EventKey::of([Some("company"), Some("COTTask"), Some("edit"), Some(&text), None]),
                event_type: EventType::Task,
                action: Action::Edit,
                created_at: Some(at.plus_millis(-900)),
                subject: Some(SubjectId(ObjectId::from_bytes(id))),
            }),
        }
    };
    (0..count).map(attempt).collect()
}

fn ledger(number: u32) -> Ledger {
    let mut ledger = Ledger::new(Position::START);
    fold(&mut ledger, attempts(number, ATTEMPTS));
    ledger
}

fn fold(ledger: &mut Ledger, attempts: Vec<Attempt>) {
    let mut reading = ledger.read(ServerTime::certain(NOW), &POLICY);
    attempts.into_iter().for_each(|attempt| reading.observe(attempt));
    let answer = reading.finish();
    ledger.fold(answer, &POLICY);
}

fn encode(webhook: &Webhook, ledger: &Ledger, round: i64) -> Bytes {
    let record = WebhookState {
        webhook: webhook.clone(),
        ledger: ledger.clone(),
        read_at: Some(NOW.plus_millis(round)),
        vanished_since: None,
        is_behind: false,
    };
    encode_record(&record).expect("bytes")
}

/// The logs of all webhooks, of which some have something new.
fn logs_of_a_round() -> Vec<(Ledger, Vec<Attempt>)> {
    let logs = FLEET.webhooks.iter().zip(0_u32..).map(|((_, ledger), number)| {
        let is_changed = usize::try_from(number).expect("a small number") < CHANGED;
        (ledger.clone(), attempts(number, ATTEMPTS + u32::from(is_changed)))
    });
    logs.collect()
}

fn fold_all(logs: Vec<(Ledger, Vec<Attempt>)>) {
    for (mut ledger, attempts) in logs {
        fold(&mut ledger, attempts);
        black_box(ledger);
    }
}

fn render_all() -> Part {
    let dated = |(webhook, ledger): &(Webhook, Ledger)| {
        let view = WebhookView::new(Arc::new(webhook.clone()), Figures::of(ledger, &POLICY), Some(true));
        DatedView { view: Arc::new(view), read_at: Some(NOW), interval_millis: 60_000 }
    };
    let blocks = FLEET.webhooks.chunks(64).map(|webhooks| {
        let block = Block::new(webhooks.iter().map(dated).collect(), None);
        Arc::new(block)
    });
    Page::new(AccountView::default(), blocks.collect()).part(Format::Text, Encoding::Identity)
}

/// Each round changes something.
static ROUND: AtomicI64 = AtomicI64::new(1);

/// So many have changed and are encoded anew; all are there to be compared.
fn encode_changed(changed: usize) -> Records {
    let round = ROUND.fetch_add(1, Ordering::SeqCst);
    let mut records = FLEET.records.clone();
    for (webhook, ledger) in FLEET.webhooks.iter().take(changed) {
        records.webhooks.insert(webhook.id, encode(webhook, ledger, round));
    }
    records
}

/// A store that holds a checkpoint already, so that a commit keeps that one.
fn store() -> (TempDir, Store) {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let (mut store, _, _) = Store::open(directory.path(), NOW).expect("a store");
    store.commit(&FLEET.records).expect("committed");
    (directory, store)
}

/// A store that another process has left.
fn reopened() -> (TempDir, Store) {
    let (directory, store) = store();
    drop(store);
    let (store, _, _) = Store::open(directory.path(), NOW).expect("a store");
    (directory, store)
}

#[divan::bench_group(sample_count = 20, sample_size = 1)]
mod round_of_10000_webhooks_of_which_100_changed {
    use super::*;

    #[divan::bench]
    fn fold_all_logs(bencher: Bencher<'_, '_>) {
        bencher.with_inputs(logs_of_a_round).bench_values(fold_all);
    }

    #[divan::bench]
    fn render_the_page(bencher: Bencher<'_, '_>) {
        bencher.bench(render_all);
    }

    #[divan::bench]
    fn encode_what_changed(bencher: Bencher<'_, '_>) {
        bencher.bench(|| encode_changed(CHANGED));
    }

    #[divan::bench]
    fn encode_and_commit(bencher: Bencher<'_, '_>) {
        let (_directory, mut store) = store();
        bencher.bench_local(|| store.commit(&encode_changed(CHANGED)).expect("committed"));
    }

    #[divan::bench]
    fn encode_and_commit_one(bencher: Bencher<'_, '_>) {
        let (_directory, mut store) = store();
        bencher.bench_local(|| store.commit(&encode_changed(1)).expect("committed"));
    }

    /// As the first commit of a process does it, and one whose journal has become too long.
    #[divan::bench]
    fn commit_all(bencher: Bencher<'_, '_>) {
        bencher.with_inputs(reopened).bench_local_values(|(_directory, mut store)| {
            store.commit(&FLEET.records).expect("committed");
        });
    }
}

/// The median of five, each with an input of its own.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
fn median<Input>(mut input: impl FnMut() -> Input, mut run: impl FnMut(Input)) -> Duration {
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..5 {
        let input = input();
        let started = std::time::Instant::now();
        run(input);
        times.push(started.elapsed());
    }
    times.sort();
    times[times.len() / 2]
}

#[expect(clippy::print_stdout, reason = "a benchmark's result")]
fn main() {
    divan::main();
    // `cargo test` only wants to know whether it runs.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let fold = median(logs_of_a_round, fold_all);
    let render = median(|| (), |()| drop(black_box(render_all())));
    let (_directory, mut store) = store();
    let checkpoint = median(|| (), |()| store.commit(&encode_changed(CHANGED)).expect("committed"));
    let bytes: usize = FLEET.records.webhooks.values().map(Bytes::len).sum();
    println!(
        "checkpoint of {bytes} bytes: {checkpoint:.1?}, {:.2} of folding ({fold:.1?}) and rendering ({render:.1?})",
        checkpoint.as_secs_f64() / (fold + render).as_secs_f64()
    );
    assert!(checkpoint < AT_MOST, "a checkpoint takes {checkpoint:.1?}, which is more than {AT_MOST:.1?}");
}
