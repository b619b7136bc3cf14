//! The real binary is killed over and over while things happen: no counter ever steps back, and at rest all is counted.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::time::Instant;

use test_harness::{Flow, Seen, all_kinds, assert_shows_all, program};

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_kills_take_back_nothing_that_was_shown_and_lose_nothing() {
    const KILLS: u32 = if crate::IS_THOROUGH { 100 } else { 10 };
    let simulator = all_kinds().await;
    let state = tempfile::tempdir().expect("a directory");
    let start = || program(&[]).towards(&simulator).anywhere().quickly().keeping(state.path()).spawn();
    let mut flow = Flow::of(&simulator);
    let mut dice = StdRng::seed_from_u64(3);
    let mut seen = Seen::default();
    let mut lives_that_showed = 0;
    for _ in 0..KILLS {
        let mut process = start();
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
            // A checkpoint of several lives ago, none of which read a log, is shown once the logs have been read: not ready.
            let is_ready = process.is_ready().await == Some(true);
            if let Some(page) = process.scrape().await.filter(|_| is_ready) {
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
    let process = start();
    let page = process.at_rest(&mut seen).await;
    let attempts = assert_shows_all(&page, &simulator);
    println!(
        "{KILLS} kills, {lives_that_showed} after a scrape; {} scrapes of {} counters, none stepped back; {attempts} \
         attempts counted once",
        seen.pages(),
        seen.counters()
    );
    assert!(lives_that_showed > KILLS / 2 && attempts > u64::from(KILLS) * 10);
}
