//! A real Prometheus looks on while the exporter is killed over and over: it sees no counter reset.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use test_harness::{Flow, Seen, all_kinds, assert_shows_all, free_address, program};
use tokio::time::sleep;

use crate::prometheus_server::Prometheus;

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_sees_no_reset_across_twenty_kills_and_the_truth_in_the_end() {
    const KILLS: u32 = 20;
    let simulator = all_kinds().await;
    let state = tempfile::tempdir().expect("a directory");
    // The same one for all of its lives, for Prometheus.
    let address = free_address();
    let start = || {
        let program = program(&[]).towards(&simulator).quickly().keeping(state.path());
        program.env("EXPORTER_WEB_LISTEN_ADDRESS", &address.to_string()).spawn()
    };
    let mut prometheus = Prometheus::start(address, "");
    prometheus.wait_for("up", 1).await;
    let mut flow = Flow::of(&simulator);
    let mut dice = StdRng::seed_from_u64(6);
    for _ in 0..KILLS {
        let mut process = start();
        sleep(Duration::from_millis(dice.random_range(900..2_100))).await;
        assert_eq!(process.has_ended(), None, "{:?}", process.log());
        process.kill();
    }
    flow.stop().await;
    let process = start();
    let page = process.at_rest(&mut Seen::default()).await;
    // Until Prometheus has come by, too.
    sleep(Duration::from_millis(2_500)).await;

    let families = page.0.lines().filter_map(|line| line.strip_prefix("# TYPE cotalker_webhook_"));
    let mut counters: Vec<String> = Vec::new();
    for family in families {
        match family.split_once(' ').expect("a type") {
            (name, "counter") => counters.push(format!("cotalker_webhook_{name}")),
            (name, "histogram") => {
                counters.extend(["bucket", "count", "sum"].map(|suffix| format!("cotalker_webhook_{name}_{suffix}")))
            }
            _ => {}
        }
    }
    let mut series = 0;
    for counter in &counters {
        let resets = prometheus.numbers(&format!("resets({counter}[15m])")).await;
        assert!(resets.iter().all(|resets| *resets == 0.0), "{counter} was reset: {resets:?}");
        series += resets.len();
    }
    let samples = prometheus.numbers("count_over_time(cotalker_webhook_delivery_attempts_total[15m])").await;
    let starts = prometheus.numbers("changes(process_start_time_seconds{job=\"cotalker\"}[15m])").await;
    let attempts = assert_shows_all(&prometheus.page("{__name__=~\"cotalker_webhook_.*\"}").await, &simulator);
    println!(
        "{KILLS} kills, of which Prometheus saw {starts:?} starts in {samples:?} samples: no reset of {series} series of \
         {} counters; {attempts} attempts in the end",
        counters.len()
    );
    assert!(counters.len() >= 10 && series > 200 && samples.iter().all(|samples| *samples >= 15.0));
}
