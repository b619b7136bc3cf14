//! The tables of flags and metrics in `docs/` come from the code.

use std::path::Path;

use cotalker_webhook_exporter::config::flag_docs;
use cotalker_webhook_exporter::exposition::{FAMILIES, Family, FamilyDoc};
use cotalker_webhook_exporter::telemetry::own_families;

fn flags() -> String {
    let mut table = "| flag | variable | default | meaning |\n|---|---|---|---|\n".to_owned();
    for flag in flag_docs() {
        let default = if flag.default.is_empty() { String::new() } else { format!("`{}`", flag.default) };
        table.push_str(&format!("| `{}` | `{}` | {default} | {} |\n", flag.flag, flag.variable, flag.help));
    }
    table
}

fn metrics() -> String {
    let mut table = "| metric | type | unit | labels | meaning |\n|---|---|---|---|---|\n".to_owned();
    let own = own_families();
    let own = own.into_iter().filter(|family| !family.name.starts_with("process_"));
    for FamilyDoc { name, kind, labels, help } in FAMILIES.iter().map(|family| family.doc()).chain(own) {
        assert!(help.ends_with('.'), "{name}: HELP is full sentences");
        let unit = Family { name: &name, kind, help: &help }.unit();
        let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
        table.push_str(&format!("| `{name}` | {} | {unit} | {} | {help} |\n", kind.as_str(), labels.join(", ")));
    }
    table
}

/// `text` with what stands between the marks replaced by `table`.
fn with_table(text: &str, table: &str) -> String {
    let (head, rest) = text.split_once("<!-- table: ").expect("the opening mark");
    let (mark, rest) = rest.split_once('\n').expect("a line");
    let (_, tail) = rest.split_once("<!-- /table -->").expect("the closing mark");
    format!("{head}<!-- table: {mark}\n\n{table}\n<!-- /table -->{tail}")
}

fn assert_has_table(path: &str, table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = std::fs::read_to_string(&path).expect("a page of the documentation");
    let right = with_table(&text, table);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, right).expect("written");
    } else {
        assert!(text == right, "run `UPDATE_DOCS=1 cargo test --test it docs` and look at what changes");
    }
}

#[test]
fn the_table_of_flags_is_that_of_the_code() {
    assert_has_table("docs/flags.md", &flags());
}

#[test]
fn the_table_of_metrics_is_that_of_the_code() {
    assert_has_table("docs/metrics.md", &metrics());
}
