//! `/metrics` of the demo's world, byte for byte but for HELP texts: whatever writes the page, dashboards see no change.
//!
//! Values that depend on this machine and the moment are masked: the local clock, and what the exporter measures of
//! itself. `UPDATE_GOLDEN=1 cargo test --test it golden` writes the file anew.

use std::path::Path;
use std::time::Duration;

use cotalker_simulator::demo::demo_scenario;
use cotalker_simulator::{Fault, Target};
use delivery_ledger::History;

use test_harness::{Daemon, START, serve};

const SEED: u64 = 10_942;

/// Families whose values are the exporter's own: those of its polls, its process and its clock.
const MASKED: [&str; 4] =
    ["cotalker_api_", "cotalker_exporter_", "cotalker_webhook_last_poll_success_timestamp_seconds", "process_"];

/// The page without HELP, and without values and build labels that no other run has.
fn normalised(page: &str) -> String {
    let mut text = String::new();
    for line in page.lines().filter(|line| !line.starts_with("# HELP ")) {
        let kept = match line {
            _ if line.starts_with("cotalker_exporter_build_info{") => "cotalker_exporter_build_info{…} 1",
            _ if MASKED.iter().any(|start| line.starts_with(start)) => {
                let (series, value) = line.rsplit_once(' ').expect("a value");
                assert!(value.parse::<f64>().is_ok(), "{line}");
                text.push_str(series);
                " …"
            }
            _ => line,
        };
        text.push_str(kept);
        text.push('\n');
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demos_metrics_are_the_same_byte_for_byte() {
    let simulator = serve(demo_scenario(START, SEED)).await;
    let exporter = Daemon::start(&simulator, History::Count).await;
    exporter.first_poll().await;
    for _ in 0..2 {
        // The server's clock has made a leap: the list's responses agree on it before a log is read by it.
        simulator.fail(Target::AllLogs, Fault::Status { code: 500, retry_after: None });
        exporter.whole_poll().await;
        simulator.advance(Duration::from_secs(60 * 60));
        exporter.whole_poll().await;
        exporter.whole_poll().await;
        simulator.clear_all();
        exporter.whole_good_poll().await;
    }
    let page = normalised(&exporter.scrape().await.0);

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden.prom");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &page).expect("written");
    }
    let golden = std::fs::read_to_string(&path).expect("the golden file");
    for (number, (line, expected)) in page.lines().zip(golden.lines()).enumerate() {
        assert_eq!(line, expected, "line {}", number + 1);
    }
    assert_eq!(page.lines().count(), golden.lines().count());
}
