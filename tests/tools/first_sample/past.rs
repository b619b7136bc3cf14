//! What a Prometheus has scraped long before: real pages of an exporter, stored as at the scrapes of that time.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use test_harness::MetricsPage;

use super::pod::Pod;

/// What the rules under test ask the past for.
const FAMILIES: [&str; 2] = ["cotalker_webhook_events_lost_total", "cotalker_webhook_delivery_attempts_total"];

/// Series that did not change.
pub(crate) struct Past {
    /// Each family's series and value.
    series: Vec<(String, f64)>,
    minutes_ago: (u32, u32),
}

impl Past {
    /// The pod has shown what it shows now from so many minutes ago to so many minutes ago.
    pub(crate) fn of(pod: &Pod, page: &MetricsPage, minutes_ago: (u32, u32)) -> Self {
        let series = FAMILIES.iter().map(|family| (pod.series(family), pod.value(page, family))).collect();
        Self { series, minutes_ago }
    }
}

/// Stores all of this in `data`, the directory of a database, as scraped every so many seconds before `now`.
pub(crate) fn store(pasts: &[Past], now: i64, every: u32, directory: &Path) {
    let mut text = String::new();
    for (index, family) in FAMILIES.iter().enumerate() {
        writeln!(text, "# TYPE {} counter", family.trim_end_matches("_total")).expect("written");
        for Past { series, minutes_ago: (from, to) } in pasts {
            let (series, value) = &series[index];
            let mut at = now - i64::from(*from) * 60;
            // The newest one is a scrape old.
            while at <= now - (i64::from(*to) * 60).max(i64::from(every)) {
                writeln!(text, "{series} {value} {at}").expect("written");
                at += i64::from(every);
            }
        }
    }
    text.push_str("# EOF\n");
    let file = directory.join("past.txt");
    std::fs::write(&file, text).expect("a file");
    let mut promtool = Command::new("promtool");
    promtool.args(["tsdb", "create-blocks-from", "openmetrics"]).arg(file).arg(directory.join("data"));
    let output =
        promtool.output().expect("`promtool` is needed: Debian's package `prometheus`, which scripts/test installs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
