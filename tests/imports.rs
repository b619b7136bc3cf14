//! The plan of the imports: no circle between files, no arrow from a part up to the file of a module that it is in, and
//! crates depend on lower ones only. Tests are no part of the plan.
//!
//! An arrow goes from the file that names something to the file that defines it, through re-exports. Paths in macro calls
//! count, too. `mod` lines are no arrows: every parent lists its children.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, UseTree};

/// The workspace's crates as the code names them, their directories, and how high they are: each may depend on lower ones.
const CRATES: [(&str, &str, u8); 7] = [
    ("delivery_ledger", "crates/delivery-ledger", 0),
    ("lease_election", "crates/lease-election", 0),
    ("exporter_web", "crates/exporter-web", 0),
    ("cotalker_simulator", "crates/cotalker-simulator", 1),
    ("cluster_pods", "crates/cluster-pods", 2),
    ("cotalker_webhook_exporter", "", 2),
    ("test_harness", "crates/test-harness", 3),
];

/// Arrows that are allowed all the same. It is meant to be empty; an entry that is not needed any more fails the test.
const EXCEPTIONS: [(&str, &str); 0] = [];

/// More steps than this through re-exports are a circle.
const LONGEST_CHAIN: usize = 16;

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn is_test_only(attributes: &[Attribute]) -> bool {
    let is_test = |attribute: &Attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"))
    };
    attributes.iter().any(is_test)
}

// ---------------------------------------------------------------------------------------------------------------------
// Modules
// ---------------------------------------------------------------------------------------------------------------------

/// A module of the workspace, with its items; one file may hold several.
struct Module {
    file: PathBuf,
    root: usize,
    parent: Option<usize>,
    children: BTreeMap<String, usize>,
    /// Names that `use` brings in, and the paths that they stand for.
    uses: BTreeMap<String, Vec<String>>,
    globs: Vec<Vec<String>>,
    /// Names that are defined here.
    defined: BTreeSet<String>,
    items: Vec<Item>,
}

/// All modules of all crates.
#[derive(Default)]
struct Plan {
    modules: Vec<Module>,
    /// The library of each crate.
    libraries: BTreeMap<String, usize>,
    /// Where macros are defined that stand in their crate's root.
    macros: BTreeMap<String, usize>,
}

impl Plan {
    fn of_the_workspace() -> Self {
        let mut plan = Self::default();
        for (name, directory, _) in CRATES {
            let sources = workspace().join(directory).join("src");
            let library = plan.read(&sources.join("lib.rs"), &sources, None);
            plan.libraries.insert(name.to_owned(), library);
            let program = sources.join("main.rs");
            if program.exists() {
                plan.read(&program, &sources, None);
            }
        }
        plan
    }

    /// Reads a file as a module whose children are in `directory`.
    fn read(&mut self, file: &Path, directory: &Path, parent: Option<usize>) -> usize {
        let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        self.add(file, directory, parent, parsed.items)
    }

    fn add(&mut self, file: &Path, directory: &Path, parent: Option<usize>, items: Vec<Item>) -> usize {
        let index = self.modules.len();
        let root = parent.map_or(index, |parent| self.modules[parent].root);
        let file = file.to_owned();
        let (children, uses, globs, defined) = (BTreeMap::new(), BTreeMap::new(), Vec::new(), BTreeSet::new());
        self.modules.push(Module {
            file: file.clone(),
            root,
            parent,
            children,
            uses,
            globs,
            defined,
            items: Vec::new(),
        });
        let mut kept = Vec::new();
        for item in items {
            let Item::Mod(module) = item else {
                self.keep(index, item, &mut kept);
                continue;
            };
            if is_test_only(&module.attrs) {
                continue;
            }
            let name = module.ident.to_string();
            let below = directory.join(&name);
            let child = match module.content {
                Some((_, items)) => self.add(&file, &below, Some(index), items),
                None => {
                    let flat = directory.join(format!("{name}.rs"));
                    let path = if flat.exists() { flat } else { below.join("mod.rs") };
                    self.read(&path, &below, Some(index))
                }
            };
            self.modules[index].children.insert(name, child);
        }
        self.modules[index].items = kept;
        index
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "syn may know further items, which define nothing that counts")]
    fn keep(&mut self, index: usize, item: Item, kept: &mut Vec<Item>) {
        let (attributes, name) = match &item {
            Item::Const(item) => (&item.attrs, Some(&item.ident)),
            Item::Enum(item) => (&item.attrs, Some(&item.ident)),
            Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
            Item::Static(item) => (&item.attrs, Some(&item.ident)),
            Item::Struct(item) => (&item.attrs, Some(&item.ident)),
            Item::Trait(item) => (&item.attrs, Some(&item.ident)),
            Item::Type(item) => (&item.attrs, Some(&item.ident)),
            Item::Macro(item) => (&item.attrs, item.ident.as_ref()),
            Item::Use(item) => (&item.attrs, None),
            Item::Impl(item) => (&item.attrs, None),
            _ => return kept.push(item),
        };
        if is_test_only(attributes) {
            return;
        }
        if let (Item::Macro(_), Some(name)) = (&item, name) {
            self.macros.insert(name.to_string(), index);
        }
        let module = &mut self.modules[index];
        module.defined.extend(name.map(ToString::to_string));
        if let Item::Use(import) = &item {
            for (name, path) in leaves(&import.tree, &[]) {
                match name.as_str() {
                    "*" => module.globs.push(path),
                    _ => drop(module.uses.insert(name, path)),
                }
            }
        }
        kept.push(item);
    }

    /// The module that defines what `path` says in the module `from`; `None` if that is in no crate of the workspace.
    fn resolve(&self, from: usize, path: &[String], steps: usize) -> Option<usize> {
        if steps > LONGEST_CHAIN {
            return None;
        }
        let (first, rest) = path.split_first()?;
        let module = &self.modules[from];
        let mut current = match first.as_str() {
            "crate" => module.root,
            "self" | "Self" => from,
            "super" => module.parent?,
            name => match (module.children.get(name), module.uses.get(name), self.libraries.get(name)) {
                (Some(child), _, _) => *child,
                (None, Some(used), _) if used != path && used.first() != Some(first) => {
                    return self.resolve(from, &[used, rest].concat(), steps + 1);
                }
                (_, _, Some(library)) => *library,
                _ => return None,
            },
        };
        for (index, name) in rest.iter().enumerate() {
            let module = &self.modules[current];
            if name == "super" {
                current = module.parent?;
            } else if let Some(child) = module.children.get(name) {
                current = *child;
            } else if module.defined.contains(name) {
                return Some(current);
            } else if let Some(used) = module.uses.get(name) {
                let path = [used, &rest[index + 1..]].concat();
                return self.resolve(current, &path, steps + 1).or(Some(current));
            } else if let Some(defined) = self.macros.get(name).filter(|_| module.parent.is_none()) {
                return Some(*defined);
            } else {
                let mut globs = module.globs.iter().filter_map(|glob| self.resolve(current, glob, steps + 1));
                return globs.find(|glob| self.modules[*glob].defined.contains(name)).or(Some(current));
            }
        }
        Some(current)
    }

    /// All arrows between different files.
    fn arrows(&self) -> BTreeSet<(PathBuf, PathBuf)> {
        let mut arrows = BTreeSet::new();
        for (index, module) in self.modules.iter().enumerate() {
            let mut named = Named::default();
            module.items.iter().for_each(|item| named.visit_item(item));
            let named = named.0.into_iter().filter_map(|path| self.resolve(index, &path, 0));
            let files = named.map(|target| self.modules[target].file.clone()).filter(|file| *file != module.file);
            arrows.extend(files.map(|file| (module.file.clone(), file)));
        }
        arrows
    }

    /// The files of the modules that each file's modules are in.
    fn ancestors(&self) -> BTreeMap<&Path, BTreeSet<&Path>> {
        let mut ancestors: BTreeMap<&Path, BTreeSet<&Path>> = BTreeMap::new();
        for module in &self.modules {
            let above = ancestors.entry(&module.file).or_default();
            let mut next = module.parent;
            while let Some(parent) = next {
                above.insert(&self.modules[parent].file);
                next = self.modules[parent].parent;
            }
            above.remove(module.file.as_path());
        }
        ancestors
    }
}

/// The names that a `use` brings in, and the paths that they stand for.
fn leaves(tree: &UseTree, prefix: &[String]) -> Vec<(String, Vec<String>)> {
    let with = |name: &syn::Ident| [prefix, &[name.to_string()]].concat();
    match tree {
        UseTree::Path(path) => leaves(&path.tree, &with(&path.ident)),
        UseTree::Name(name) if name.ident == "self" => {
            vec![(prefix.last().cloned().unwrap_or_default(), prefix.to_vec())]
        }
        UseTree::Name(name) => vec![(name.ident.to_string(), with(&name.ident))],
        UseTree::Rename(rename) => vec![(rename.rename.to_string(), with(&rename.ident))],
        UseTree::Glob(_) => vec![("*".to_owned(), prefix.to_vec())],
        UseTree::Group(group) => group.items.iter().flat_map(|tree| leaves(tree, prefix)).collect(),
    }
}

/// The paths that a piece of code names.
#[derive(Default)]
struct Named(Vec<Vec<String>>);

impl Named {
    /// The paths in what a macro is given: identifiers with `::` between them.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) if colons == 2 => path.push(ident.to_string()),
                TokenTree::Ident(ident) => self.0.extend(replace(&mut path, vec![ident.to_string()])),
                TokenTree::Punct(punct) if punct.as_char() == ':' => {
                    colons += 1;
                    continue;
                }
                TokenTree::Group(group) => {
                    self.0.extend(replace(&mut path, Vec::new()));
                    self.add_tokens(group.stream());
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => self.0.extend(replace(&mut path, Vec::new())),
            }
            colons = 0;
        }
        self.0.extend(replace(&mut path, Vec::new()));
    }
}

/// What was in `path`, if it was more than one name.
fn replace(path: &mut Vec<String>, with: Vec<String>) -> Option<Vec<String>> {
    Some(std::mem::replace(path, with)).filter(|path| path.len() > 1)
}

impl<'ast> Visit<'ast> for Named {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.0.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_item_use(&mut self, import: &'ast syn::ItemUse) {
        self.0.extend(leaves(&import.tree, &[]).into_iter().map(|(_, path)| path));
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        self.add_tokens(call.tokens.clone());
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !is_test_only(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    // `pub(super)` and attributes name nothing that is used.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}
    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}

// ---------------------------------------------------------------------------------------------------------------------
// What holds of the plan
// ---------------------------------------------------------------------------------------------------------------------

fn name(file: &Path) -> String {
    file.strip_prefix(workspace()).unwrap_or(file).display().to_string()
}

fn is_exception(from: &Path, to: &Path) -> bool {
    EXCEPTIONS.contains(&(name(from).as_str(), name(to).as_str()))
}

/// The files that can be reached from `start`.
fn reachable<'a>(arrows: &'a BTreeMap<&Path, BTreeSet<&'a Path>>, start: &'a Path) -> BTreeSet<&'a Path> {
    let (mut seen, mut next) = (BTreeSet::new(), vec![start]);
    while let Some(file) = next.pop() {
        next.extend(arrows.get(file).into_iter().flatten().filter(|file| seen.insert(**file)));
    }
    seen
}

#[test]
fn no_circle_between_files_and_no_arrow_up() {
    let plan = Plan::of_the_workspace();
    let (all, ancestors) = (plan.arrows(), plan.ancestors());
    println!("{} files, {} arrows between them", ancestors.len(), all.len());
    assert!(ancestors.len() > 100 && all.len() > 200, "{} files, {} arrows", ancestors.len(), all.len());

    let mut up = Vec::new();
    let mut kept: BTreeMap<&Path, BTreeSet<&Path>> = BTreeMap::new();
    for (from, to) in all.iter().filter(|(from, to)| !is_exception(from, to)) {
        if ancestors[from.as_path()].contains(to.as_path()) {
            up.push(format!("{} -> {}", name(from), name(to)));
        }
        kept.entry(from).or_default().insert(to);
    }
    let mut circles = Vec::new();
    for (from, to) in kept.iter().flat_map(|(from, to)| to.iter().map(move |to| (*from, *to))) {
        if reachable(&kept, to).contains(from) {
            circles.push(format!("{} -> {}", name(from), name(to)));
        }
    }
    assert!(up.is_empty() && circles.is_empty(), "arrows up: {up:#?}\narrows of circles: {circles:#?}");
    let is_there = |(from, to): &(&str, &str)| all.iter().any(|(a, b)| name(a) == *from && name(b) == *to);
    let idle: Vec<_> = EXCEPTIONS.iter().filter(|exception| !is_there(exception)).collect();
    assert!(idle.is_empty(), "exceptions without an arrow: {idle:?}");
}

/// The control: what the plan is made of is seen, wherever it is written.
#[test]
fn arrows_go_to_where_things_are_defined() {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |path: &str, text: &str| {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(path, text).expect("a file");
    };
    write("lib.rs", "mod part; pub mod other; pub struct Root;");
    write("part/mod.rs", "mod one; mod two; mod three; pub use one::One; pub struct Here;");
    write("part/one.rs", "pub struct One; #[cfg(test)] mod tests { use super::super::Here; }");
    write("part/two.rs", "use super::One; fn f() { super::three::g(); println!(\"{}\", crate::other::Thing::NEW) }");
    write("part/three.rs", "pub fn g() { let _: super::Here; } use super::two as second; fn h() { second::f() }");
    write("other.rs", "pub use crate::part::{One as Thing, Here}; use crate::*; fn f(_: self::Here) {}");
    let mut plan = Plan::default();
    plan.read(&directory.path().join("lib.rs"), directory.path(), None);
    let name = |path: &Path| path.strip_prefix(directory.path()).expect("below it").display().to_string();
    let arrows: Vec<(String, String)> = plan.arrows().iter().map(|(from, to)| (name(from), name(to))).collect();
    let expected = [
        ("other.rs", "lib.rs"),
        ("other.rs", "part/mod.rs"),
        ("other.rs", "part/one.rs"),
        ("part/mod.rs", "part/one.rs"),
        ("part/three.rs", "part/mod.rs"),
        ("part/three.rs", "part/two.rs"),
        ("part/two.rs", "part/one.rs"),
        ("part/two.rs", "part/three.rs"),
    ];
    assert_eq!(arrows, expected.map(|(from, to)| (from.to_owned(), to.to_owned())));
}

#[test]
fn crates_depend_on_lower_ones_only() {
    let directories = fs::read_dir(workspace().join("crates")).expect("a directory");
    let mut names = directories.map(|entry| entry.expect("an entry").file_name().to_string_lossy().replace('-', "_"));
    assert!(names.all(|name| CRATES.iter().any(|(known, ..)| *known == name)), "a crate is missing from CRATES");
    for (name, directory, level) in CRATES {
        let manifest = fs::read_to_string(workspace().join(directory).join("Cargo.toml")).expect("a manifest");
        let sections = manifest.split("\n[").filter(|section| section.starts_with("dependencies]"));
        let needed: BTreeSet<String> = sections
            .flat_map(|section| section.lines().skip(1))
            .filter_map(|line| Some(line.split_once('=')?.0.trim().replace('-', "_")))
            .collect();
        for (other, _, below) in CRATES.iter().filter(|(other, ..)| needed.contains(*other)) {
            assert!(*below < level, "{name} depends on {other}");
        }
    }
}
