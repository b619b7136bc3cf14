//! The crate cannot read a file, a clock or a random number, cannot log and cannot start a task: the compiler refuses it.
//! Each forbidden line is put into a copy of the crate, which must then fail to compile.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What the crate may not do, as a statement, and what the compiler says of it. E0433 is a path that leads nowhere.
const FORBIDDEN: [(&str, &str); 7] = [
    ("let _ = std::fs::read(\"file\");", "E0433"),
    ("let _ = std::time::SystemTime::now();", "E0433"),
    ("let _ = std::time::Instant::now();", "E0433"),
    ("let _: u64 = rand::random();", "E0433"),
    ("println!(\"text\");", "cannot find macro `println`"),
    ("tracing::info!(\"text\");", "E0433"),
    ("let _ = tokio::spawn(async {});", "E0433"),
];

/// What it may do.
const HARMLESS: &str = "let _ = core::time::Duration::ZERO;";

/// Packages that read a clock, a file, the environment or randomness, or that log. None may be among those that the
/// crate is linked with.
const BANNED: [&str; 12] =
    ["tokio", "rand", "rand_core", "getrandom", "tracing", "log", "libc", "chrono", "time", "jiff", "rustix", "mio"];

fn crate_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn workspace_root() -> &'static Path {
    crate_root().ancestors().nth(2).expect("crates/delivery-ledger is in a workspace")
}

/// Cargo without what the running build has set.
fn cargo(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(directory).arg("--offline").env("CARGO_TERM_COLOR", "never");
    command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    command
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The crate in a workspace of its own, with the same locked dependencies; what it is built with is kept for the next
/// run of this test.
struct Copy {
    directory: tempfile::TempDir,
    target: PathBuf,
}

impl Copy {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        copy_all(&crate_root().join("src"), &directory.path().join("src"));
        let manifest = fs::read_to_string(crate_root().join("Cargo.toml")).expect("the manifest");
        let dependencies = manifest.split("[dependencies]").nth(1).and_then(|rest| rest.split("\n[").next());
        let dependencies = dependencies.expect("dependencies");
        let reduced = format!(
            "[package]\nname = \"delivery-ledger\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [dependencies]{dependencies}\n[workspace]\n"
        );
        fs::write(directory.path().join("Cargo.toml"), reduced).expect("a manifest");
        fs::copy(workspace_root().join("Cargo.lock"), directory.path().join("Cargo.lock")).expect("the lock file");
        Self { directory, target: workspace_root().join("target/purity") }
    }

    /// Compiles the copy with this statement in a function of the ledger.
    fn check_with(&self, statement: &str) -> Output {
        let ledger = fs::read_to_string(crate_root().join("src/ledger.rs")).expect("the ledger");
        let with = format!("{ledger}\n/// Put in by a test.\npub fn put_in() {{ {statement} }}\n");
        fs::write(self.directory.path().join("src/ledger.rs"), with).expect("a source");
        let mut check = cargo(self.directory.path());
        check.args(["check", "--quiet", "--lib"]).env("CARGO_TARGET_DIR", &self.target);
        check.output().expect("cargo runs")
    }
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory") {
        let path = entry.expect("an entry").path();
        let copy = to.join(path.file_name().expect("a name"));
        if path.is_dir() { copy_all(&path, &copy) } else { fs::copy(&path, &copy).map(drop).expect("a copy") }
    }
}

#[test]
fn what_reads_the_world_or_changes_it_does_not_compile() {
    let copy = Copy::new();
    // The controls: else anything that breaks the copy would pass for a refusal.
    for statement in ["", HARMLESS] {
        let built = copy.check_with(statement);
        assert!(built.status.success(), "{statement:?} does not compile:\n{}", stderr(&built));
    }
    for (statement, error) in FORBIDDEN {
        let built = copy.check_with(statement);
        let said = stderr(&built);
        assert!(!built.status.success(), "{statement:?} compiles");
        assert!(said.contains(error), "{statement:?} is refused for another reason:\n{said}");
        assert!(said.contains("src/ledger.rs"), "{statement:?} is not what is refused:\n{said}");
    }
    let built = copy.check_with("");
    assert!(built.status.success(), "the copy is broken:\n{}", stderr(&built));
}

#[test]
fn the_standard_library_is_there_for_unit_tests_only() {
    let lib = fs::read_to_string(crate_root().join("src/lib.rs")).expect("lib.rs");
    let lines: Vec<&str> = lib.lines().collect();
    assert!(lines.contains(&"#![no_std]"));
    let with_std: Vec<usize> = (0..lines.len()).filter(|line| lines[*line].contains("extern crate std")).collect();
    for line in with_std {
        assert_eq!(lines[line - 1], "#[cfg(test)]", "std is there outside of tests");
    }
    let mut others = vec![crate_root().join("src")];
    while let Some(directory) = others.pop() {
        for entry in fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                others.push(path);
            } else if !path.ends_with("src/lib.rs") {
                let text = fs::read_to_string(&path).expect("a source");
                assert!(!text.contains("extern crate"), "{}", path.display());
            }
        }
    }
}

#[test]
fn nothing_that_it_is_linked_with_has_a_clock_a_file_or_a_random_number() {
    let mut tree = cargo(workspace_root());
    tree.args(["tree", "-p", "delivery-ledger", "-e", "normal,no-proc-macro", "--prefix", "none", "-f", "{p} {f}"]);
    let output = tree.output().expect("cargo runs");
    assert!(output.status.success(), "{}", stderr(&output));
    let text = String::from_utf8_lossy(&output.stdout);
    let packages: Vec<(&str, &str)> =
        text.lines().filter_map(|line| Some((line.split(' ').next()?, line.rsplit_once(' ')?.1))).collect();
    assert!(packages.iter().any(|(name, _)| *name == "serde"), "{text}");
    for (name, features) in packages {
        assert!(!BANNED.contains(&name), "{name} is linked with the rules:\n{text}");
        assert!(!features.split(',').any(|feature| feature == "std"), "{name} is linked with std:\n{text}");
    }
}
