//! One version, that of the workspace, wherever a user meets it: charts, images, manifests, the changelog.

use std::fs;
use std::path::{Path, PathBuf};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What stands before a version of ours, in lines of the files below `deploy/` and of the documentation.
const MARKS: [&str; 8] = [
    "cotalker-webhook-exporter/cotalker-webhook-exporter:",
    "registry.example.com/exporter:",
    "?ref=v",
    "\nversion: ",
    "\nappVersion: \"",
    "\nARG VERSION=",
    // The library chart's, which cannot ask for its own version, and the table of its values.
    "\n  tag: \"",
    "\n| `image.tag` | `\"",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files whose versions are ours: none that a package manager writes.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory of the repository") {
        let path = entry.expect("an entry").path();
        let is_ours = ["yaml", "md"].iter().any(|end| path.extension().is_some_and(|found| found == *end))
            || path.file_name().is_some_and(|name| name == "Dockerfile");
        if path.is_dir() {
            found.extend(files(&path));
        } else if is_ours {
            found.push(path);
        }
    }
    found
}

/// Where the versions behind `mark` stand in `text`.
fn versions(text: &str, mark: &str) -> Vec<std::ops::Range<usize>> {
    let starts = text.match_indices(mark).map(|(at, _)| at + mark.len());
    let range = |start: usize| {
        let length = text[start..].find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '-' | '+'));
        start..start + length.unwrap_or(text.len() - start)
    };
    starts.map(range).filter(|range| text[range.clone()].starts_with(|c: char| c.is_ascii_digit())).collect()
}

#[test]
fn every_chart_image_and_manifest_has_the_version_of_the_workspace() {
    let mut seen = [0; MARKS.len()];
    for path in ["deploy", "docs"].iter().flat_map(|directory| files(&root().join(directory))) {
        let mut text = fs::read_to_string(&path).expect("text");
        let before = text.clone();
        for (mark, seen) in MARKS.iter().zip(&mut seen) {
            for range in versions(&text, mark).into_iter().rev() {
                *seen += 1;
                text.replace_range(range, VERSION);
            }
        }
        if std::env::var_os("UPDATE_DOCS").is_some() && text != before {
            fs::write(&path, &text).expect("written");
        } else {
            assert!(text == before, "{}: run `UPDATE_DOCS=1 cargo test --test it version`", path.display());
        }
    }
    for (mark, seen) in MARKS.iter().zip(seen) {
        assert!(seen > 0, "no file has a version behind {mark:?}");
    }
}

#[test]
fn all_crates_have_the_version_of_the_workspace() {
    let crates = fs::read_dir(root().join("crates")).expect("the crates").map(|entry| entry.expect("an entry").path());
    for manifest in crates.chain([root().to_owned()]).map(|directory| directory.join("Cargo.toml")) {
        let text = fs::read_to_string(&manifest).expect("a manifest");
        assert!(text.contains("\nversion.workspace = true\n"), "{}", manifest.display());
    }
}

#[test]
fn the_newest_release_of_the_changelog_is_the_version_of_the_workspace() {
    let text = fs::read_to_string(root().join("CHANGELOG.md")).expect("the changelog");
    let releases: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("## [")?.split_once(']')).collect();
    let [("Unreleased", ""), (version, date), ..] = releases[..] else { panic!("{releases:?}") };
    assert_eq!(version, VERSION);
    let is_day = date.strip_prefix(" - ").is_some_and(|day| day.len() == 10 && day.starts_with("20"));
    assert!(is_day, "{date:?}");
    for (name, _) in releases {
        assert!(text.contains(&format!("\n[{name}]: https://")), "{name} has no link");
    }
}
