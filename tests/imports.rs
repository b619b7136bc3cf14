//! The plan of the imports: within each crate they lead from file to file without a circle, and none leads from a part up
//! to the file of the module that it is in. A name that a module passes on counts as the file that defines it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// A file, by the path of its module: empty for the root of its crate.
type Module = Vec<String>;

struct Crate {
    name: String,
    files: BTreeMap<Module, Source>,
}

struct Source {
    /// The paths that its `use`s and its code name, as absolute ones, each with the name under which it is known here.
    paths: Vec<(String, Module)>,
}

/// The files of a crate, with what they import; what only tests import is left out.
fn read_crate(name: &str, root: &Path) -> Crate {
    let mut files = BTreeMap::new();
    let mut directories = vec![root.to_path_buf()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && !path.ends_with("tests.rs")
                && !path.ends_with("main.rs")
            {
                let module = module_of(root, &path);
                let text = fs::read_to_string(&path).expect("a file");
                let source = Source { paths: paths(&text, &module) };
                files.insert(module, source);
            }
        }
    }
    Crate { name: name.to_owned(), files }
}

fn module_of(root: &Path, path: &Path) -> Module {
    let relative = path.strip_prefix(root).expect("below the root").with_extension("");
    let mut module: Module = relative.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if module.last().is_some_and(|last| matches!(last.as_str(), "mod" | "lib")) {
        module.pop();
    }
    module
}

/// All paths that start in this crate.
fn paths(text: &str, module: &[String]) -> Vec<(String, Module)> {
    let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let comment = Regex::new(r"(?m)^\s*//.*$").expect("an expression");
    let code = comment.replace_all(code, "");
    let import = Regex::new(r"(?s)\buse\s+([^;]+);").expect("an expression");
    let inline = Regex::new(r"\b((?:crate|super)(?:::\w+)+)").expect("an expression");
    let mut found = Vec::new();
    for captures in import.captures_iter(&code) {
        expand("", &captures[1].split_whitespace().collect::<Vec<_>>().join(" "), &mut found);
    }
    let rest = import.replace_all(&code, "");
    for captures in inline.captures_iter(&rest) {
        found.push(captures[1].to_owned());
    }
    let absolute = |path: String| {
        let (path, alias) = match path.split_once(" as ") {
            Some((path, alias)) => (path.trim().to_owned(), Some(alias.trim().to_owned())),
            None => (path, None),
        };
        let mut parts = path.split("::").map(str::to_owned).peekable();
        let mut base: Module = match parts.peek()?.as_str() {
            "crate" => Vec::new(),
            "self" => module.to_vec(),
            "super" => module.split_last()?.1.to_vec(),
            // `pub use child::Item`.
            _ => module.to_vec(),
        };
        if matches!(parts.peek()?.as_str(), "crate" | "self" | "super") {
            parts.next();
        }
        while parts.peek().is_some_and(|part| part == "super") {
            parts.next();
            base.pop();
        }
        base.extend(parts);
        let name = alias.or_else(|| base.last().cloned())?;
        Some((name, base))
    };
    found.into_iter().filter_map(absolute).collect()
}

/// `a::{b, c::{d, self}}` as `a::b`, `a::c::d`, `a::c`.
fn expand(prefix: &str, tree: &str, found: &mut Vec<String>) {
    let tree = tree.trim();
    let join = |path: &str| if prefix.is_empty() { path.to_owned() } else { format!("{prefix}::{path}") };
    let Some((path, group)) = tree.split_once('{') else {
        if !tree.is_empty() {
            found.push(if tree == "self" { prefix.to_owned() } else { join(tree) });
        }
        return;
    };
    let prefix = join(path.trim().trim_end_matches("::"));
    let group = group.trim_end().trim_end_matches('}');
    let (mut depth, mut start) = (0, 0);
    for (index, byte) in group.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b',' if depth == 0 => {
                expand(&prefix, &group[start..index], found);
                start = index + 1;
            }
            _ => {}
        }
    }
    expand(&prefix, &group[start..], found);
}

impl Crate {
    /// The file that defines what a path names: through names that modules pass on.
    fn target(&self, path: &[String], depth: usize) -> Option<Module> {
        let known = (0..=path.len()).rev().find(|length| self.files.contains_key(&path[..*length]))?;
        let module = path[..known].to_vec();
        let Some(item) = path.get(known).filter(|_| depth < 8) else { return Some(module) };
        let passed_on = self.files[&module].paths.iter().find(|(name, target)| name == item && *target != path);
        match passed_on {
            Some((_, target)) => self.target(target, depth + 1).or(Some(module)),
            None => Some(module),
        }
    }

    fn arrows(&self) -> BTreeMap<Module, BTreeSet<Module>> {
        let of = |(module, source): (&Module, &Source)| {
            let targets = source.paths.iter().filter_map(|(_, path)| self.target(path, 0));
            // A path of another crate resolves to no file but the root, and so does a macro.
            let targets = targets.filter(|target| target != module && !target.is_empty());
            (module.clone(), targets.collect())
        };
        self.files.iter().map(of).collect()
    }
}

fn crates() -> Vec<Crate> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut crates = vec![read_crate("cotalker-webhook-exporter", &root.join("src"))];
    for name in ["delivery-ledger", "exporter-web", "cotalker-simulator", "test-harness"] {
        crates.push(read_crate(name, &root.join("crates").join(name).join("src")));
    }
    crates
}

#[test]
fn imports_have_no_circle_and_no_part_imports_from_the_file_above_it() {
    let mut faults = Vec::new();
    let mut counted = (0, 0);
    for one in crates() {
        let arrows = one.arrows();
        counted.0 += arrows.len();
        for (module, targets) in &arrows {
            counted.1 += targets.len();
            for target in targets {
                if module.len() > target.len() && module.starts_with(target) {
                    faults.push(format!(
                        "{}: {} imports from above: {}",
                        one.name,
                        module.join("::"),
                        target.join("::")
                    ));
                }
            }
        }
        // What is left when files without arrows to others are taken away, again and again, is circles.
        let mut left: BTreeMap<Module, BTreeSet<Module>> = arrows;
        // Parents list their children; that is no import.
        for (module, targets) in &mut left {
            targets.retain(|target| !target.starts_with(module));
        }
        loop {
            let free: Vec<Module> =
                left.iter().filter(|(_, targets)| targets.is_empty()).map(|(m, _)| m.clone()).collect();
            if free.is_empty() {
                break;
            }
            left.retain(|module, _| !free.contains(module));
            left.values_mut().for_each(|targets| targets.retain(|target| !free.contains(target)));
        }
        for (module, targets) in left {
            let targets: Vec<String> = targets.iter().map(|target| target.join("::")).collect();
            faults.push(format!(
                "{}: in or behind a circle: {} -> {}",
                one.name,
                module.join("::"),
                targets.join(", ")
            ));
        }
    }
    println!("{} files, {} arrows", counted.0, counted.1);
    assert!(counted.0 > 100 && counted.1 > 200, "too few were read: {counted:?}");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_group_of_imports_is_taken_apart() {
    let mut found = Vec::new();
    expand("", "crate::a::{b, c::{self, d as e}, f}", &mut found);
    assert_eq!(found, ["crate::a::b", "crate::a::c", "crate::a::c::d as e", "crate::a::f"]);
}
