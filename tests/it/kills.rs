//! The real binary is killed over and over while things happen: no counter ever steps back, and at rest all is counted.

use std::time::Duration;

use cotalker_simulator::Simulator;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::time::Instant;

use crate::page::MetricsPage;
use crate::survivor::{Flow, Process, START, Seen, exporter, free_port, simulator};

/// Says how many attempts there are.
pub(crate) fn assert_shows_all(page: &MetricsPage, simulator: &Simulator) -> u64 {
    let mut attempts = 0;
    for id in simulator.with_world(|world| world.ids()) {
        let truth = simulator.truth(id, START.plus_millis(-1));
        page.assert_shows(id, &truth);
        attempts += truth.attempts;
    }
    assert_eq!(page.sum("cotalker_webhook_log_gaps_total", &[]), Some(0.0));
    attempts
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_kills_take_back_nothing_that_was_shown_and_lose_nothing() {
    const KILLS: u32 = 100;
    let simulator = simulator().await;
    let state = tempfile::tempdir().expect("a directory");
    let port = free_port();
    let flow = Flow::of(&simulator);
    let mut dice = StdRng::seed_from_u64(3);
    let mut seen = Seen::default();
    let mut lives_that_showed = 0;
    for _ in 0..KILLS {
        let mut process = Process::start(exporter(&simulator, state.path(), port), port);
        // From the start, or from the first scrape.
        let from_first_scrape = dice.random();
        let life = Duration::from_millis(dice.random_range(50..700));
        let started = Instant::now();
        let mut first_scrape = None;
        loop {
            let since = if from_first_scrape { first_scrape } else { Some(started) };
            if since.is_some_and(|since: Instant| since.elapsed() >= life) {
                break;
            }
            if let Some(page) = process.scrape().await {
                seen.see(&page);
                first_scrape.get_or_insert_with(Instant::now);
            } else {
                assert_eq!(process.has_ended(), None, "{:?}", process.log());
            }
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        lives_that_showed += u32::from(first_scrape.is_some());
        process.kill();
    }
    flow.stop().await;
    let process = Process::start(exporter(&simulator, state.path(), port), port);
    let page = process.at_rest(&mut seen).await;
    let attempts = assert_shows_all(&page, &simulator);
    println!(
        "{KILLS} kills, {lives_that_showed} after a scrape; {} scrapes of {} counters, none stepped back; {attempts} \
         attempts counted once",
        seen.pages,
        seen.len()
    );
    assert!(lives_that_showed > KILLS / 2 && attempts > 1_000);
}
