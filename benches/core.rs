//! What the core costs: reading a log, folding it into a ledger, rendering the page.
//!
//! Compare the figures of one run with one another, not with those of another machine or day: `serde_json`'s `Value` of
//! the whole log is the yardstick for reading.

use std::sync::{Arc, LazyLock};

use cotalker_simulator::{Receiver, Settings, Simulator, Trigger, WebhookSpec, World};
use cotalker_webhook_exporter::api::log_entries::LogEntries;
use cotalker_webhook_exporter::api::stream::{Entries, Framer};
use cotalker_webhook_exporter::api::wire::{LogEntry, read_log_entry};
use cotalker_webhook_exporter::compression::Encoding;
use cotalker_webhook_exporter::exposition::{AccountView, Block, DatedView, Format, Page, WebhookView};
use delivery_ledger::{Attempt, Position, UnixMillis, Webhook, WebhookId};
use delivery_ledger::{Figures, ServerTime};
use delivery_ledger::{Ledger, LogResponse, Policy};
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

const NOW: UnixMillis = UnixMillis::from_secs(1_700_000_000);

const POLICY: Policy = Policy { max_retries: 3, pending_timeout_millis: 900_000 };

/// What hyper reads from a socket at once when a response is long.
const CHUNK: usize = 1 << 16;

/// The log of a webhook as the API sends it.
struct Log {
    webhook: WebhookId,
    body: Vec<u8>,
}

/// The newest 1,000 entries of a webhook with failures and retries, all of them younger than an hour.
static LOG: LazyLock<Log> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut world = World::new(NOW, 1);
        let receiver = Receiver::Flaky { failures: 0.03 };
        let spec = WebhookSpec::new("busy", Trigger::Task).to(receiver).every_ms(2_500);
        let webhook = world.add_since(spec, NOW.plus_millis(-3_600_000));
        let simulator = Simulator::start(world, Settings::default()).await.expect("a simulator");
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("a client");
        let url = format!("{}/api/v3/webhook/subscription/logs/{webhook}", simulator.base_url());
        let response = client.get(url).bearer_auth(simulator.token()).send().await.expect("a response");
        let body = response.error_for_status().expect("a log").bytes().await.expect("a body").to_vec();
        Log { webhook, body }
    })
});

/// Its attempts.
static ATTEMPTS: LazyLock<Vec<Attempt>> = LazyLock::new(|| {
    let mut attempts = Vec::new();
    read(&LOG, |entry| match entry {
        LogEntry::Own(attempt) => attempts.push(attempt),
        LogEntry::UnderWay(_) | LogEntry::Foreign | LogEntry::Malformed => panic!("{entry:?}"),
    });
    assert_eq!(attempts.len(), 1_000);
    attempts
});

fn read(log: &Log, mut on_entry: impl FnMut(LogEntry)) {
    read_with(log, &mut LogEntries::of(log.webhook, &mut on_entry));
}

/// The same on the way of entries that are not plain.
fn read_slowly(log: &Log, mut on_entry: impl FnMut(LogEntry)) {
    read_with(log, &mut |bytes: &[u8]| on_entry(read_log_entry(bytes, log.webhook)));
}

fn read_with(log: &Log, entries: &mut impl Entries) {
    let mut framer = Framer::new();
    log.body.chunks(CHUNK).for_each(|chunk| framer.feed_to(entries, chunk).expect("an array"));
    framer.finish().expect("an array");
}

/// A ledger that has counted the whole log.
fn folded() -> Ledger {
    let mut ledger = Ledger::new(Position::START);
    let response = observed(&ledger, ATTEMPTS.clone());
    ledger.fold(response, &POLICY);
    ledger
}

fn observed(ledger: &Ledger, attempts: Vec<Attempt>) -> LogResponse {
    let mut reading = ledger.read(ServerTime::certain(NOW), &POLICY);
    attempts.into_iter().for_each(|attempt| reading.observe(attempt));
    reading.finish()
}

#[divan::bench_group]
mod log_of_1000_entries {
    use super::*;

    #[divan::bench]
    fn framed(bencher: Bencher<'_, '_>) {
        let bencher = bencher.counter(BytesCount::of_slice(&LOG.body));
        bencher.bench(|| read_with(&LOG, &mut |entry: &[u8]| _ = black_box(entry)));
    }

    #[divan::bench]
    fn read(bencher: Bencher<'_, '_>) {
        bencher.counter(BytesCount::of_slice(&LOG.body)).bench(|| super::read(&LOG, |entry| _ = black_box(entry)));
    }

    #[divan::bench]
    fn read_on_the_way_of_entries_that_are_not_plain(bencher: Bencher<'_, '_>) {
        bencher.counter(BytesCount::of_slice(&LOG.body)).bench(|| read_slowly(&LOG, |entry| _ = black_box(entry)));
    }

    #[divan::bench]
    fn yardstick_whole_body_into_value(bencher: Bencher<'_, '_>) {
        bencher
            .counter(BytesCount::of_slice(&LOG.body))
            .bench(|| serde_json::from_slice::<serde_json::Value>(&LOG.body).expect("JSON"));
    }
}

#[divan::bench_group]
mod fold_of_1000_entries {
    use super::*;

    #[divan::bench]
    fn all_new(bencher: Bencher<'_, '_>) {
        bencher
            .counter(ItemsCount::new(ATTEMPTS.len()))
            .with_inputs(|| (Ledger::new(Position::START), ATTEMPTS.clone()))
            .bench_values(|(mut ledger, attempts)| {
                let response = observed(&ledger, attempts);
                ledger.fold(response, &POLICY);
                ledger
            });
    }

    #[divan::bench]
    fn all_known(bencher: Bencher<'_, '_>) {
        let known = folded();
        bencher
            .counter(ItemsCount::new(ATTEMPTS.len()))
            .with_inputs(|| (known.clone(), ATTEMPTS.clone()))
            .bench_values(|(mut ledger, attempts)| {
                let response = observed(&ledger, attempts);
                ledger.fold(response, &POLICY);
                ledger
            });
    }
}

/// All of it, with nothing ready.
#[divan::bench(args = [(100, Encoding::Identity), (10_000, Encoding::Identity), (10_000, Encoding::Gzip)])]
fn render_of_webhooks(bencher: Bencher<'_, '_>, (webhooks, encoding): (u32, Encoding)) {
    let ledger = folded();
    let webhooks: Vec<Webhook> = (0..webhooks)
        .map(|number| Webhook {
            id: format!("62685990d918fb55{number:08x}").parse().expect("an id"),
            company: "625be93a286ef83c1c0e845f".to_owned(),
            code: format!("hook_{number:05}"),
            name: format!("Webhook no. {number}"),
            trigger: Trigger::Task.as_str().to_owned(),
            target_host: "hooks.acme.example".to_owned(),
            active: true,
        })
        .collect();
    let views: Vec<DatedView> = webhooks
        .into_iter()
        .map(|webhook| {
            let view = WebhookView::new(Arc::new(webhook), Figures::of(&ledger, &POLICY), Some(true));
            DatedView { view: Arc::new(view), read_at: Some(NOW), interval_millis: 60_000 }
        })
        .collect();
    let page = || {
        let blocks = views.chunks(64).map(|views| Arc::new(Block::new(views.to_vec(), None)));
        Page::new(AccountView::default(), blocks.collect())
    };
    let bytes: usize =
        page().part(Format::Text, encoding).followed_by(Vec::new().into()).iter().map(|piece| piece.len()).sum();
    bencher
        .counter(ItemsCount::new(views.len()))
        .counter(BytesCount::new(bytes))
        .bench(|| page().part(Format::Text, encoding));
}
