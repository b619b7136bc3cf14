//! The alert rules speak of metrics that exist, and each alert has its section in the runbooks. What they do is tested by
//! promtool, see `deploy/prometheus/rules_test.yml`.

use std::collections::BTreeSet;
use std::path::Path;

use cotalker_webhook_exporter::exposition::FAMILIES;
use cotalker_webhook_exporter::telemetry::own_families;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a file of the repository")
}

/// The names of our metrics in a text; those of recording rules have a colon and are left out.
fn metrics(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':')
        .filter(|word| word.starts_with("cotalker_") && !word.contains(':'))
        .collect()
}

#[test]
fn rules_and_runbooks_speak_of_metrics_that_exist() {
    let own = own_families();
    let known: BTreeSet<&str> =
        FAMILIES.iter().map(|family| family.name).chain(own.iter().map(|family| family.name.as_str())).collect();
    for path in ["deploy/prometheus/rules.yml", "docs/runbooks.md", "README.md"] {
        for metric in metrics(&read(path)) {
            let family = metric.strip_suffix("_bucket").or(metric.strip_suffix("_count")).unwrap_or(metric);
            assert!(known.contains(family) || family == "cotalker_webhook_", "{path}: {metric}");
        }
    }
}

#[test]
fn each_alert_has_a_section_in_the_runbooks_to_which_it_leads() {
    let (rules, runbooks) = (read("deploy/prometheus/rules.yml"), read("docs/runbooks.md"));
    let alerts: Vec<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let sections: Vec<&str> = runbooks.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(alerts, sections);
    assert!(read("README.md").contains(&format!(" has {} alerts", alerts.len())), "there are {}", alerts.len());
    for alert in alerts {
        assert!(rules.contains(&format!("/docs/runbooks.md#{}\n", alert.to_lowercase())), "{alert}");
    }
}
