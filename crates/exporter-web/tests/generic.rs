//! The crate stands by itself: nothing in it speaks of the exporter that it was written for.

use std::path::{Path, PathBuf};

fn files_under(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { files_under(&path, found) } else { found.push(path) }
    }
}

#[test]
fn the_source_has_no_word_of_one_exporter() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![root.join("Cargo.toml")];
    files_under(&root.join("src"), &mut files);
    assert!(files.len() > 30, "{files:?}");
    for path in files {
        let text = std::fs::read_to_string(&path).expect("text").to_lowercase();
        for word in ["cotalker", "webhook", "ledger"] {
            assert!(!text.contains(word), "{} has the word {word:?}", path.display());
        }
    }
}
