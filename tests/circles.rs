//! No two files of `src` import each other, directly or through others. A name that a folder's
//! `mod.rs` re-exports counts as an import of the file that defines it. A child may import its
//! parent.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// `["workflow", "queue"]`
type Module = Vec<String>;

/// What a file imports, and what it re-exports under its own name.
#[derive(Default)]
struct Uses {
    imported: Vec<Module>,
    handed_on: BTreeMap<String, Module>,
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let files = sources(Path::new("src"));
    let modules: BTreeSet<Module> = files.iter().map(|file| module_of(file)).collect();
    assert!(modules.len() > 100, "the sources are found");
    let uses: BTreeMap<Module, Uses> = files
        .iter()
        .map(|file| (module_of(file), uses_of(file, &modules)))
        .collect();
    let mut left: BTreeMap<&Module, BTreeSet<Module>> = uses
        .iter()
        .map(|(module, found)| {
            let targets = found.imported.iter();
            let targets = targets.filter_map(|path| resolve(path, &uses, 0));
            (
                module,
                targets.filter(|to| !module.starts_with(to)).collect(),
            )
        })
        .collect();
    assert!(
        left.values().map(BTreeSet::len).sum::<usize>() > 500,
        "imports are found"
    );
    // A file that imports nothing, or only such files, is in no circle.
    loop {
        let there: BTreeSet<Module> = left.keys().map(|module| (*module).clone()).collect();
        let before = left.len();
        left.retain(|_, targets| targets.iter().any(|to| there.contains(to)));
        if left.len() == before {
            break;
        }
    }
    // A file that no file imports is in no circle either.
    loop {
        let wanted: BTreeSet<Module> = left.values().flatten().cloned().collect();
        let before = left.len();
        left.retain(|module, _| wanted.contains(*module));
        if left.len() == before {
            break;
        }
    }
    let circle: Vec<String> = left.keys().map(|module| module.join("/")).collect();
    assert!(circle.is_empty(), "these import each other: {circle:#?}");
}

#[test]
fn imports_are_read_as_they_are_written() {
    let modules: BTreeSet<Module> = ["a", "a/b", "c"].iter().map(|path| module(path)).collect();
    let text = "use crate::a::{self, b::{C, D}};\npub use b::E;\nuse super::c::F;\nuse std::fs;";
    let uses = read_uses(text, &module("a"), &modules);
    let imported: Vec<String> = uses.imported.iter().map(|path| path.join("/")).collect();
    assert_eq!(imported, ["a", "a/b/C", "a/b/D", "c/F"]);
    assert_eq!(uses.handed_on["E"], module("a/b/E"));
}

fn module(path: &str) -> Module {
    path.split('/').map(str::to_owned).collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let is_test = name == "tests" || name == "tests.rs";
        let is_root = ["main.rs", "lib.rs"].contains(&name);
        if path.is_dir() && !is_test {
            files.extend(sources(&path));
        } else if name.ends_with(".rs") && !is_test && !is_root {
            files.push(path);
        }
    }
    files
}

fn module_of(file: &Path) -> Module {
    let path = file.strip_prefix("src").unwrap().with_extension("");
    let mut parts = module(path.to_str().unwrap());
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

fn uses_of(file: &Path, modules: &BTreeSet<Module>) -> Uses {
    let text = std::fs::read_to_string(file).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    read_uses(code, &module_of(file), modules)
}

fn read_uses(code: &str, own: &Module, modules: &BTreeSet<Module>) -> Uses {
    let lines: Vec<&str> = code
        .lines()
        .map(|line| line.split("//").next().unwrap())
        .collect();
    let mut found = Uses::default();
    for statement in lines.join("\n").split(';') {
        let Some((before, tree)) = statement.rsplit_once("use ") else {
            continue;
        };
        let before = before.lines().last().unwrap_or_default().trim();
        if !(before.is_empty() || before.starts_with("pub")) {
            continue;
        }
        for path in expand(tree) {
            let Some(path) = absolute(&path, own, modules) else {
                continue;
            };
            match before.is_empty() {
                true => found.imported.push(path),
                false => drop(found.handed_on.insert(path.last().unwrap().clone(), path)),
            }
        }
    }
    found
}

/// Expands `a::{b, c::{self, D}}` to `a::b`, `a::c` and `a::c::D`.
fn expand(tree: &str) -> Vec<String> {
    let Some((before, inside)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap().trim();
        return vec![path.trim_end_matches("::self").to_owned()];
    };
    let inside = inside.trim_end().strip_suffix('}').unwrap_or(inside);
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for c in inside.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().unwrap().push(c);
    }
    let parts = parts
        .iter()
        .map(|part| part.trim())
        .filter(|part| !part.is_empty());
    parts
        .flat_map(|part| expand(&format!("{}{part}", before.trim())))
        .collect()
}

fn absolute(path: &str, own: &Module, modules: &BTreeSet<Module>) -> Option<Module> {
    let mut parts: Vec<String> = path
        .split("::")
        .map(|part| part.trim().to_owned())
        .collect();
    let mut base = own.clone();
    match parts[0].as_str() {
        "crate" => return Some(parts.split_off(1)),
        "self" => drop(parts.remove(0)),
        "super" => {
            while parts.first().is_some_and(|part| part == "super") {
                parts.remove(0);
                base.pop();
            }
        }
        child => {
            let child = [&own[..], &[child.to_owned()]].concat();
            if !modules.contains(&child) {
                return None;
            }
        }
    }
    base.extend(parts);
    Some(base)
}

/// Finds the file that defines what a path names, through re-exports.
fn resolve(path: &[String], uses: &BTreeMap<Module, Uses>, depth: usize) -> Option<Module> {
    let known = (1..=path.len())
        .rev()
        .find(|end| uses.contains_key(&path[..*end]))?;
    let (file, rest) = path.split_at(known);
    let further = rest.first().and_then(|name| uses[file].handed_on.get(name));
    match further {
        Some(further) if depth < 6 => {
            resolve(&[&further[..], &rest[1..]].concat(), uses, depth + 1)
        }
        _ => Some(file.to_owned()),
    }
}
