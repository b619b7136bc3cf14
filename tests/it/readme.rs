//! The README's tables come from the code. `UPDATE_README=1 cargo test --test it readme` writes them anew.

use std::path::Path;

use cotalker_webhook_exporter::config::flag_docs;
use cotalker_webhook_exporter::exposition::FAMILIES;
use cotalker_webhook_exporter::telemetry::Instruments;

fn flags() -> String {
    let mut table = "| flag | variable | default | meaning |\n|---|---|---|---|\n".to_owned();
    for flag in flag_docs() {
        let default = if flag.default.is_empty() { String::new() } else { format!("`{}`", flag.default) };
        table.push_str(&format!("| `{}` | `{}` | {default} | {} |\n", flag.flag, flag.variable, flag.help));
    }
    table
}

fn metrics() -> String {
    let mut table = "| metric | type | labels | meaning |\n|---|---|---|---|\n".to_owned();
    for family in FAMILIES {
        let own = if family.is_per_webhook() { &["webhook_id", "webhook"][..] } else { &[] };
        let labels: Vec<String> = own.iter().chain(family.labels).map(|label| format!("`{label}`")).collect();
        table.push_str(&format!(
            "| `{}` | {} | {} | {} |\n",
            family.name,
            family.kind.as_str(),
            labels.join(", "),
            family.help
        ));
    }
    for family in Instruments::new(60.0).expect("instruments").families() {
        if !family.name.starts_with("process_") {
            let labels: Vec<String> = family.labels.iter().map(|label| format!("`{label}`")).collect();
            table.push_str(&format!(
                "| `{}` | {} | {} | {} |\n",
                family.name,
                family.kind,
                labels.join(", "),
                family.help
            ));
        }
    }
    table
}

/// `text` with what stands between the marks of `name` replaced by `table`.
fn with_table(text: &str, name: &str, table: &str) -> String {
    let (head, rest) = text.split_once(&format!("<!-- {name}: ")).expect("the opening mark");
    let (mark, rest) = rest.split_once('\n').expect("a line");
    let (_, tail) = rest.split_once(&format!("<!-- /{name} -->")).expect("the closing mark");
    format!("{head}<!-- {name}: {mark}\n\n{table}\n<!-- /{name} -->{tail}")
}

#[test]
fn the_tables_of_flags_and_metrics_are_those_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = std::fs::read_to_string(&path).expect("the README");
    let right = with_table(&with_table(&text, "flags", &flags()), "metrics", &metrics());
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(&path, right).expect("written");
    } else {
        assert!(text == right, "run `UPDATE_README=1 cargo test --test it readme` and look at what changes");
    }
}
