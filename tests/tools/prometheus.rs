//! A real Prometheus over a speeded-up day: what `increase()` sees is what the simulator did.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cotalker_simulator::demo::demo_scenario;
use cotalker_simulator::{Endpoint, Simulator, Truth};
use delivery_ledger::FailureReason;
use delivery_ledger::WebhookId;
use serde_json::Value;
use test_harness::{START, program, serve, until};

use crate::prometheus_server::{Prometheus, number};

const HOURS: u32 = 24;

/// Half an hour passes in a second, a day in 48: so many steps, this far apart, of so much simulated time.
const STEPS_PER_HALF_HOUR: u64 = 50;
const STEP_EVERY: Duration = Duration::from_millis(20);
const STEP: Duration = Duration::from_secs(1_800 / STEPS_PER_HALF_HOUR);

/// Results are floats: whole numbers may be off by their rounding.
const ROUNDING: f64 = 1e-6;

/// All of the scrapes so far, as a range that begins and ends exactly at a sample. With its borders on samples
/// `increase()` extrapolates nothing: it is the last value less the first.
#[derive(Debug)]
struct Scrapes {
    first_millis: i64,
    last_millis: i64,
    count: usize,
}

impl Scrapes {
    /// The times at which a family has samples: the same ones for all of its series.
    async fn of(prometheus: &Prometheus, family: &str) -> Self {
        let series = prometheus.query(&format!("{family}[1h]")).await;
        let mut times = series.iter().map(|series| {
            let samples = series["values"].as_array().expect("samples");
            assert_eq!(number(&samples[0][1]), 0.0, "the first sample was taken before anything counts: {series}");
            #[expect(clippy::cast_possible_truncation, reason = "milliseconds of this century")]
            samples
                .iter()
                .map(|sample| (sample[0].as_f64().expect("a time") * 1_000.0).round() as i64)
                .collect::<BTreeSet<i64>>()
        });
        let of_first = times.next().expect("a series");
        assert!(times.all(|of_other| of_other == of_first), "a scrape lacks a series");
        Self {
            first_millis: *of_first.first().expect("a sample"),
            last_millis: *of_first.last().expect("a sample"),
            count: of_first.len(),
        }
    }

    fn function(&self, function: &str, selector: &str) -> String {
        let (seconds, millis) = (self.last_millis / 1_000, self.last_millis % 1_000);
        format!("{function}({selector}[{}ms] @ {seconds}.{millis:03})", self.last_millis - self.first_millis)
    }

    async fn increase<const LABELS: usize>(
        &self,
        prometheus: &Prometheus,
        family: &str,
        labels: [&str; LABELS],
    ) -> BTreeMap<[String; LABELS], f64> {
        prometheus.values(&self.function("increase", family), labels).await
    }
}

/// What is compared of one webhook, by name.
#[expect(clippy::cast_precision_loss, reason = "counts of a day are small")]
fn figures(truth: &Truth) -> BTreeMap<String, f64> {
    let reasons = FailureReason::ALL.iter().map(|reason| {
        (format!("failures: {}", reason.as_str()), truth.failures.get(reason.as_str()).copied().unwrap_or_default())
    });
    let others = [
        ("attempts", truth.attempts),
        ("retries", truth.retries),
        ("events delivered", truth.delivered),
        ("events lost", truth.lost),
        ("events entered", truth.events.values().sum()),
        ("delays", truth.delivered),
        ("gaps", 0),
        ("late entries", 0),
    ];
    let others = others.into_iter().map(|(name, count)| (name.to_owned(), count));
    reasons.chain(others).map(|(name, count)| (name, count as f64)).collect()
}

/// The same, as PromQL sees it.
async fn seen(prometheus: &Prometheus, scrapes: &Scrapes) -> BTreeMap<String, BTreeMap<String, f64>> {
    let mut seen: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
    for (name, family) in [
        ("attempts", "delivery_attempts_total"),
        ("retries", "delivery_retries_total"),
        ("events delivered", "events_delivered_total"),
        ("events lost", "events_lost_total"),
        ("delays", "delivery_delay_seconds_count"),
        ("gaps", "log_gaps_total"),
        ("late entries", "log_late_entries_total"),
    ] {
        for ([id], value) in scrapes.increase(prometheus, &format!("cotalker_webhook_{family}"), ["webhook_id"]).await {
            seen.entry(id).or_default().insert(name.to_owned(), value);
        }
    }
    let failures =
        scrapes.increase(prometheus, "cotalker_webhook_delivery_failures_total", ["webhook_id", "reason"]).await;
    for ([id, reason], value) in failures {
        seen.entry(id).or_default().insert(format!("failures: {reason}"), value);
    }
    let events =
        scrapes.increase(prometheus, "cotalker_webhook_events_total", ["webhook_id", "event_type", "action"]).await;
    for ([id, ..], value) in events {
        *seen.entry(id).or_default().entry("events entered".to_owned()).or_default() += value;
    }
    seen
}

/// A day of the demo's webhooks, its logs shown so long that nothing slides past.
async fn day() -> Simulator {
    let mut world = demo_scenario(START, 1).with_history_limit(usize::MAX);
    for id in world.ids() {
        // As small as entries get: only their number matters here.
        world.change(id, |spec| spec.entry_bytes = (600, 600));
    }
    let busy = world.id_of("wo_update").expect("a webhook of the demo");
    let simulator = serve(world).await;
    simulator.switch(|switches| switches.compression = false);
    // Between two reads lies an hour at the most, see `pass`: 1,440 entries of the busiest webhook, 580 of the next, 300
    // and less of the others, which show 1,000.
    simulator.shape(busy, |shape| shape.window = 2_500);
    simulator
}

/// Lets the day pass.
async fn pass(simulator: &Simulator, webhooks: &[WebhookId]) {
    // Steps that come late are caught up with.
    let mut steps = tokio::time::interval(STEP_EVERY);
    for _ in 0..2 * HOURS {
        let before = reads(simulator);
        for _ in 0..STEPS_PER_HALF_HOUR {
            steps.tick().await;
            simulator.advance(STEP);
        }
        // On a machine that is too busy to read each log in every half-hour, time waits.
        until("every log read", async || {
            let now = reads(simulator);
            webhooks.iter().all(|id| now.get(id) > before.get(id)).then_some(())
        })
        .await;
    }
}

/// How often each log has been read.
fn reads(simulator: &Simulator) -> BTreeMap<WebhookId, usize> {
    let mut reads = BTreeMap::new();
    for call in simulator.calls().iter().filter(|call| call.endpoint == Endpoint::Logs) {
        if let Some(id) = call.webhook {
            *reads.entry(id).or_default() += 1;
        }
    }
    reads
}

#[tokio::test(flavor = "multi_thread")]
async fn over_a_day_increase_sees_for_each_webhook_what_happened_to_the_last_attempt() {
    let simulator = day().await;
    let webhooks = simulator
        .with_world(|world| world.ids().into_iter().map(|id| (id, world.spec(id).code.clone())).collect::<Vec<_>>());
    // At 1,800 times the speed, 15 minutes without an attempt are half a second, which any process may have to wait for
    // a processor. No event of this world waits for longer than 160 s, so its truth has no event lost by waiting.
    let exporter = program(&["--webhook.pending-timeout=1d"]).towards(&simulator).anywhere().quickly().spawn();
    let site = exporter.site().await;
    site.further_polls(1.0).await;
    // A busy machine may keep it waiting for longer than the second that it has otherwise.
    let mut prometheus =
        Prometheus::start(exporter.address().await, "    scrape_interval: 2s\n    scrape_timeout: 2s\n");
    prometheus.wait_for("cotalker_webhook_delivery_attempts_total", webhooks.len()).await;

    let ids: Vec<WebhookId> = webhooks.iter().map(|(id, _)| *id).collect();
    pass(&simulator, &ids).await;
    // Time stands still: what a whole poll and the scrape after it show is final.
    let page = site.further_polls(2.0).await;
    let polls = page.sum("cotalker_exporter_polls_total", &[]).expect("polls");
    prometheus.wait_for(&format!("sum(cotalker_exporter_polls_total) >= {polls}"), 1).await;

    let scrapes = Scrapes::of(&prometheus, "cotalker_webhook_delivery_attempts_total").await;
    let seen = seen(&prometheus, &scrapes).await;
    print_heading(&scrapes);
    let since = START.end_of_second();
    let mut differences = Vec::new();
    let mut happened: BTreeMap<String, f64> = BTreeMap::new();
    for (id, code) in &webhooks {
        let (truth, seen) = (figures(&simulator.truth(*id, since)), &seen[&id.to_string()]);
        assert_eq!(truth.keys().collect::<Vec<_>>(), seen.keys().collect::<Vec<_>>(), "{code}");
        for (name, truth) in &truth {
            print_row(code, name, *truth, seen[name]);
            *happened.entry(name.clone()).or_default() += truth;
            if (truth - seen[name]).abs() > ROUNDING {
                differences.push(format!("{code}: {name}: {truth} happened, {} seen", seen[name]));
            }
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
    for name in ["retries", "events lost", "events delivered", "failures: timeout", "failures: http_4xx"] {
        assert!(happened[name] > 100.0, "a day without {name} proves nothing");
    }

    for family in ["up", "cotalker_up", "cotalker_webhook_up"] {
        let lows = prometheus.values(&scrapes.function("min_over_time", family), ["webhook_id"]).await;
        assert!(!lows.is_empty() && lows.values().all(|low| *low == 1.0), "{family}: {lows:?}");
    }
    let names = prometheus.get("label/__name__/values", &[]).await.expect("names");
    let names = names.as_array().expect("names").iter().filter_map(Value::as_str);
    let is_counter = |name: &&str| ["_total", "_bucket", "_sum", "_count"].iter().any(|end| name.ends_with(end));
    let counters: Vec<&str> = names.filter(|name| name.starts_with("cotalker_")).filter(is_counter).collect();
    assert!(counters.len() > 20, "{counters:?}");
    for name in counters {
        let resets = prometheus.values(&format!("max({})", scrapes.function("resets", name)), []).await;
        assert_eq!(resets.values().copied().collect::<Vec<_>>(), [0.0], "resets of {name}");
    }
}

#[expect(clippy::print_stdout, reason = "a measurement for whoever asks with --nocapture")]
fn print_heading(scrapes: &Scrapes) {
    let millis = scrapes.last_millis - scrapes.first_millis;
    println!("{HOURS} h of the demo in {millis} ms and {} scrapes", scrapes.count);
    println!("{:<14} {:<30} {:>8} {:>12}", "webhook", "", "happened", "increase()");
}

#[expect(clippy::print_stdout, reason = "a measurement for whoever asks with --nocapture")]
fn print_row(code: &str, name: &str, truth: f64, seen: f64) {
    if truth != 0.0 || seen != 0.0 {
        println!("{code:<14} {name:<30} {truth:>8} {seen:>12}");
    }
}
