//! What the documentation claims of the repository is there: tests, files, sections. And the sources cite the
//! specification, which readers have.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Source: the README is what a newcomer reads in one go; everything longer belongs into `docs/`.
const LONGEST_README: usize = 150;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All files below `directory` whose names end in `.{extension}`.
fn files(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory of the repository") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|end| end == extension) {
            found.push(path);
        }
    }
    found
}

fn sources() -> Vec<PathBuf> {
    ["src", "crates", "tests", "fuzz"].iter().flat_map(|directory| files(&root().join(directory), "rs")).collect()
}

/// Everything that a reader may start from.
fn documents() -> Vec<PathBuf> {
    let own = fs::read_dir(root()).expect("the repository").map(|entry| entry.expect("an entry").path());
    let own = own.filter(|path| path.extension().is_some_and(|end| end == "md"));
    own.chain(["docs", "deploy"].iter().flat_map(|directory| files(&root().join(directory), "md"))).collect()
}

/// The lines of a document that are no code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// What `[text](target)` in a document leads to, unless that is elsewhere on the network.
fn links(text: &str) -> Vec<&str> {
    let targets = prose(text).flat_map(|line| line.split("](").skip(1).filter_map(|rest| rest.split(')').next()));
    targets.filter(|target| !target.contains("://")).collect()
}

/// The anchors of a document's sections, as GitHub makes them.
fn anchors(text: &str) -> Vec<String> {
    let heading = |line: &str| {
        let text = line.trim_start_matches('#').strip_prefix(' ')?.to_lowercase();
        let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        line.starts_with('#').then(|| kept.map(|c| if c == ' ' { '-' } else { c }).collect())
    };
    prose(text).filter_map(heading).collect()
}

/// `module::test_name` in backquotes.
fn named_tests(text: &str) -> Vec<(&str, &str)> {
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter_map(|code| code.split_once("::")).filter(|(module, test)| is_name(module) && is_name(test)).collect()
}

#[test]
fn every_test_that_the_documentation_names_exists() {
    let sources: BTreeMap<PathBuf, String> = sources().into_iter().map(|path| (path.clone(), read(&path))).collect();
    let text = ["specification", "logging"].map(|name| read(&root().join(format!("docs/{name}.md")))).concat();
    let named = named_tests(&text);
    assert!(named.len() > 50, "only {} tests are named", named.len());
    let missing: Vec<_> = named
        .into_iter()
        .filter(|(module, test)| {
            let declaration = format!("fn {test}(");
            !sources.iter().any(|(path, text)| {
                let is_module = path.with_extension("").iter().any(|part| part == *module);
                is_module && text.contains(&declaration)
            })
        })
        .collect();
    assert!(missing.is_empty(), "the documentation names tests that do not exist: {missing:#?}");
}

#[test]
fn every_rule_of_the_specification_names_a_test_or_is_said_to_be_missing() {
    let specification = read(&root().join("docs/specification.md"));
    let rules: Vec<&str> = specification.split("\n### Rule ").skip(1).collect();
    assert_eq!(rules.len(), 12, "1 to 12");
    for rule in rules {
        let rule = rule.split("\n## ").next().unwrap_or_default();
        assert!(!named_tests(rule).is_empty(), "no test holds rule {rule}");
    }
}

#[test]
fn every_relative_link_leads_somewhere() {
    let mut dead = Vec::new();
    for document in documents() {
        let text = read(&document);
        for link in links(&text) {
            let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
            let target = match path {
                "" => document.clone(),
                path => document.parent().expect("a directory").join(path),
            };
            let is_there = target.exists()
                && anchor.is_none_or(|anchor| anchors(&read(&target)).iter().any(|known| known == anchor));
            if !is_there {
                dead.push(format!("{}: {link}", document.strip_prefix(root()).expect("below the root").display()));
            }
        }
    }
    assert!(dead.is_empty(), "dead links: {dead:#?}");
}

#[test]
fn the_messages_that_troubleshooting_quotes_are_said() {
    let sources: String =
        sources().iter().filter(|path| !path.starts_with(root().join("tests"))).map(|p| read(p)).collect();
    let text = read(&root().join("docs/troubleshooting.md"));
    let cells = text.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    // What has a blank is no flag, metric or path; an ellipsis stands for what differs.
    let quoted: Vec<&str> =
        cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).filter(|q| q.contains(' ')).collect();
    assert!(quoted.len() >= 5, "{quoted:?}");
    for quote in quoted {
        let parts = quote.split('…').map(str::trim);
        assert!(parts.into_iter().all(|part| sources.contains(part)), "nothing says {quote:?}");
    }
}

#[test]
fn the_readme_is_short() {
    let lines = read(&root().join("README.md")).lines().count();
    assert!(lines <= LONGEST_README, "{lines} lines: move what is longer into docs/");
}

#[test]
fn sources_cite_the_specification() {
    // In two parts, so that this line is no such citation.
    let stranger = ["the", "contract"].join(" ");
    let citing: Vec<PathBuf> = sources().into_iter().filter(|path| read(path).contains(&stranger)).collect();
    assert!(citing.is_empty(), "these cite {stranger}, which is no file of the repository: {citing:#?}");
}
