//! The alert rules beside Prometheus' own tool: with a second exporter beside each of `deploy/prometheus/rules_test.yml`,
//! they do what they do with one.

use std::path::Path;
use std::process::Command;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a file of the repository")
}

/// The unit tests of the rules, with a second exporter that shows for each series of the first one what `twin` makes of its
/// name and values; `None` leaves it out.
fn with_a_second_exporter(twin: impl Fn(&str, &str) -> Option<String>) -> String {
    let tests = read("deploy/prometheus/rules_test.yml");
    let mut lines = tests.lines();
    let mut doubled = String::new();
    while let Some(line) = lines.next() {
        doubled.push_str(&format!("{line}\n"));
        let Some(series) = line.trim().strip_prefix("- series: '") else { continue };
        let values = lines.next().expect("a series has values");
        doubled.push_str(&format!("{values}\n"));
        let name = series.split('{').next().unwrap_or_default();
        // What one exporter says of itself is told apart by exporter.
        let is_of_itself =
            ["cotalker_exporter_", "cotalker_api_", "process_"].iter().any(|start| name.starts_with(start));
        let is_of_the_account =
            name == "cotalker_exporter_poll_interval_seconds" || !is_of_itself && name != "cotalker_webhooks";
        let values =
            values.trim().strip_prefix("values: '").and_then(|values| values.strip_suffix('\'')).expect("values");
        let values = if is_of_the_account { twin(name, values) } else { None };
        if let (Some(values), Some((before, after))) = (values, line.split_once("instance=\"e:1\"")) {
            doubled.push_str(&format!("{before}instance=\"e:9\"{after}\n        values: '{values}'\n"));
        }
    }
    doubled
}

fn assert_promtool_agrees(tests: &str) {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, text) in [("rules.yml", read("deploy/prometheus/rules.yml").as_str()), ("rules_test.yml", tests)] {
        std::fs::write(directory.path().join(name), text).expect("a file");
    }
    let mut promtool = Command::new("promtool");
    promtool.args(["test", "rules", "rules_test.yml"]).current_dir(directory.path());
    let output = promtool.output().expect("promtool: scripts/test installs it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_second_exporter_that_shows_the_same_changes_no_alert() {
    let tests = with_a_second_exporter(|_, values| Some(values.to_owned()));
    assert!(tests.matches("e:9").count() > 30, "{tests}");
    assert_promtool_agrees(&tests);
}

#[test]
fn a_second_exporter_that_has_just_begun_to_count_changes_no_alert() {
    let counts_from_zero = |name: &str, _: &str| {
        let is_count = ["_total", "_bucket", "_count"].iter().any(|end| name.ends_with(end));
        is_count.then(|| "0x300".to_owned())
    };
    let tests = with_a_second_exporter(counts_from_zero);
    assert!(tests.matches("e:9").count() > 15, "{tests}");
    assert_promtool_agrees(&tests);
}
