//! The packages and the image come with the licences of all that is linked into the binary.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

const FILE: &str = "deploy/packages/THIRD-PARTY-LICENSES";

/// What is linked into the static binary, as `name version`: all but this workspace's own crates.
fn linked() -> BTreeSet<String> {
    let tree = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["tree", "--locked", "--edges=normal", "--prefix=none", "--format={p}"])
        .arg("--target=x86_64-unknown-linux-musl")
        .output()
        .expect("cargo runs");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let lines = String::from_utf8(tree.stdout).expect("text");
    let others = lines.lines().filter(|line| !line.contains(env!("CARGO_MANIFEST_DIR")));
    others.filter_map(|line| line.split_once(" v")).map(|(name, rest)| format!("{name} {}", word(rest))).collect()
}

fn word(text: &str) -> &str {
    text.split(' ').next().unwrap_or_default()
}

#[test]
fn every_library_that_is_linked_stands_with_its_licence() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE)).expect("the licences");
    let told: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split_once(' '))
        .map(|(name, rest)| format!("{name} {}", word(rest)))
        .collect();
    let linked = linked();
    assert!(linked.len() > 100, "{linked:?}");
    let missing: Vec<_> = linked.difference(&told).collect();
    assert!(missing.is_empty(), "run scripts/licences, {FILE} lacks {missing:#?}");
}
