//! Checks the house rules: imports run one way, each engine stays in its rooms, no room grows too
//! large, and built-in third-party code is listed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The rooms from top to bottom; rooms on one floor do not import each other.
const FLOORS: [&[&str]; 8] = [
    &["cli"],
    &["commands"],
    &["ui"],
    &["workflow"],
    &[
        "mixpanel",
        "ledger",
        "intake",
        "packages",
        "plan_file",
        "report",
    ],
    &["credentials"],
    &["config"],
    &["domain", "guide", "document"],
];
/// Imports nothing of dsr, so that it checks the client; only the commands start it.
const SANDBOX: &str = "sandbox";
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

#[test]
fn imports_run_down_the_floors() {
    let mut wrong = Vec::new();
    for file in sources() {
        let room = room_of(&file);
        for target in imports(&file) {
            let allowed = match (floor_of(&room), floor_of(&target)) {
                (Some(from), Some(to)) => from < to || room == target,
                (Some(from), None) => target == SANDBOX && from <= 1,
                (None, _) => room == target,
            };
            if !allowed {
                wrong.push(format!("{} imports {target}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn each_engine_stays_in_its_rooms() {
    let engines: &[(&str, &[&str])] = &[
        ("clap_mangen::", &["commands"]),
        ("strsim::", &["domain"]),
        ("rusqlite", &["ledger", "sandbox"]),
        ("tokio_postgres", &["ledger"]),
        ("tokio_rustls", &["ledger"]),
        ("bytes::Bytes", &["ledger", "mixpanel"]),
        ("http_body::", &["mixpanel"]),
        ("futures_sink", &["ledger"]),
        ("percent_encoding", &["ledger"]),
        ("socket2", &["ledger"]),
        ("reqwest", &["mixpanel", "sandbox"]),
        ("axum", &["sandbox"]),
        ("futures_core", &["sandbox"]),
        ("keyring::", &["credentials"]),
        ("secret_service::", &["credentials"]),
        ("indicatif", &["ui"]),
        ("csv::", &["intake", "packages", "report", "sandbox"]),
        ("encoding_rs", &["intake", "packages"]),
        ("flate2", &["intake", "mixpanel", "packages", "sandbox"]),
        ("memchr", &["intake", "packages"]),
        ("unicode_normalization", &["domain", "intake", "mixpanel"]),
        ("unicode_security::", &["domain", "intake"]),
        ("calamine::", &["intake"]),
        ("chrono_tz", &["domain"]),
        ("zip::", &["intake", "packages", "sandbox"]),
        ("maud::", &["document", "packages", "report"]),
        ("regex::", &["intake"]),
        ("hmac::", &["domain", "intake", "ledger", "plan_file"]),
        ("hkdf::", &["ledger", "plan_file"]),
        ("chacha20poly1305::", &["ledger", "plan_file"]),
        ("md5::", &["intake"]),
        ("zstd::", &["ledger", "intake", "plan_file"]),
        ("whoami::", &["config"]),
    ];
    for file in sources() {
        let text = std::fs::read_to_string(&file).unwrap();
        let room = room_of(&file);
        for (engine, rooms) in engines.iter().copied() {
            let mut code = text
                .lines()
                .map(|line| line.split("//").next().unwrap_or(""));
            let named = code.any(|line| line.contains(engine));
            let allowed = !named || rooms.contains(&room.as_str());
            assert!(allowed, "{engine} in {}", file.display());
        }
    }
}

#[test]
fn every_source_has_a_room_and_none_is_a_lumber_room() {
    for file in sources() {
        let room = room_of(&file);
        let known = floor_of(&room).is_some() || [SANDBOX, "lib", "main"].contains(&room.as_str());
        assert!(known, "{} has no floor", file.display());
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        for lumber in ["util", "utils", "common", "helpers", "misc"] {
            assert_ne!(name, lumber, "{}", file.display());
        }
    }
}

/// The sandbox's tasks have a kind, a law and a disclosure as requests do; it imports nothing of ours.
#[test]
fn a_type_name_means_one_thing() {
    let shared = ["Kind", "Law", "Disclosure", "Signals", "UseArgs"];
    let mut known: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut wrong = Vec::new();
    for file in sources() {
        if file
            .iter()
            .any(|part| part.to_string_lossy().starts_with("tests"))
        {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text
            .split("\n#[cfg(test)]\nmod ")
            .next()
            .unwrap_or_default();
        for name in code.lines().filter_map(type_name) {
            match known.insert(name.clone(), file.clone()) {
                Some(other) if !shared.contains(&name.as_str()) => {
                    wrong.push(format!(
                        "{name}: {} and {}",
                        other.display(),
                        file.display()
                    ));
                }
                _ => {}
            }
        }
    }
    assert!(known.contains_key("Batch"), "it sees no types");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Such as `Batch` of `pub struct Batch(Vec<DistinctId>);`.
fn type_name(line: &str) -> Option<String> {
    let line = line.trim_start();
    let line = match line.strip_prefix("pub") {
        Some(rest) => rest.trim_start_matches(|c| c != ' ').trim_start(),
        None => line,
    };
    let kinds = ["struct ", "enum ", "trait ", "union "];
    let name = kinds.iter().find_map(|kind| line.strip_prefix(kind))?;
    // A macro has a variable in place of the name.
    Some(first_word(name)).filter(|name| !name.is_empty())
}

/// A POST spends the ledger's claim: nothing is sent that is not on the disk.
#[test]
fn one_place_makes_a_post() {
    let call = "client.create(";
    let outside = |file: &PathBuf| !["mixpanel", SANDBOX].contains(&room_of(file).as_str());
    let files = sources().into_iter().filter(outside);
    let places = files.filter_map(|file| {
        let text = std::fs::read_to_string(&file).unwrap();
        let calls = text.matches(call).count();
        let spends = text.contains("claimed.into_parts()");
        (calls > 0).then_some((room_of(&file), calls, spends))
    });
    let places: Vec<_> = places.collect();
    assert_eq!(places, [("workflow".to_owned(), 1, true)]);
}

/// A test that writes into the current folder leaves its files here.
#[test]
fn the_root_has_only_what_people_look_for_there() {
    let known = [
        ".cargo",
        ".ci",
        ".config",
        ".gitattributes",
        ".gitignore",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "benches",
        "build.rs",
        "clippy.toml",
        "completions",
        "deny.toml",
        "docs",
        "fuzz",
        "src",
        "tests",
    ];
    let root = std::fs::read_dir(env!("CARGO_MANIFEST_DIR")).unwrap();
    let names = root.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    // git and cargo keep these.
    let ours = names.filter(|name| name != ".git" && name != "target");
    let strange: Vec<String> = ours
        .filter(|name| !known.contains(&name.as_str()))
        .collect();
    assert!(strange.is_empty(), "{strange:?}");
}

#[test]
fn no_source_is_two_in_one() {
    let tests = rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"));
    for file in sources().into_iter().chain(tests) {
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= 500, "{} has {lines} lines", file.display());
    }
}

/// A folder that a reader has to search is two folders. Tests are found by their names.
#[test]
fn a_folder_has_at_most_a_dozen_files() {
    let mut files: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for file in sources() {
        *files.entry(file.parent().unwrap().to_owned()).or_default() += 1;
    }
    for (folder, count) in files
        .iter()
        .filter(|(folder, _)| !folder.ends_with("tests"))
    {
        assert!(*count <= 12, "{} has {count} files", folder.display());
    }
}

/// A document that names a file of `src/` names one that exists.
#[test]
fn documents_name_files_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let design = std::fs::read_dir(root.join("docs/design")).unwrap();
    let mut pages = vec![root.join("ARCHITECTURE.md"), root.join("CONTRIBUTING.md")];
    pages.extend(design.map(|entry| entry.unwrap().path()));
    let mut named = 0;
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        let codes = text.split('`').skip(1).step_by(2);
        for path in codes.filter(|code| is_source_path(code)) {
            let from = path.strip_prefix("src/").unwrap_or(path);
            let exists = root.join("src").join(from).exists() || root.join(path).exists();
            assert!(exists, "{} names `{path}`", page.display());
            named += 1;
        }
    }
    assert!(named > 30, "the check sees {named} names");
}

/// A path from `src/` or from a room. Names in capitals stand for any name.
fn is_source_path(code: &str) -> bool {
    let room = code.split('/').next().unwrap();
    let starts = room == "src" || room == SANDBOX || floor_of(room).is_some();
    starts && code.contains('/') && code.ends_with(".rs") && !code.contains(char::is_uppercase)
}

#[test]
fn the_check_itself_sees_imports() {
    let all: BTreeSet<String> = sources().iter().flat_map(|file| imports(file)).collect();
    for room in FLOORS.concat().into_iter().skip(1) {
        assert!(all.contains(room), "nobody seems to import {room}");
    }
}

#[test]
fn no_unsafe_code_is_ours() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = manifest();
    assert_eq!(
        manifest["lints"]["rust"]["unsafe_code"].as_str(),
        Some("forbid")
    );
    // The lint does not cover the fuzz targets, which are a separate package.
    for folder in ["src", "tests", "benches", "fuzz/fuzz_targets"] {
        let files = rust_files(&root.join(folder));
        assert!(!files.is_empty(), "{folder} was not found");
        for file in files {
            for line in std::fs::read_to_string(&file).unwrap().lines() {
                assert!(!is_unsafe_code(line), "{}: {line}", file.display());
            }
        }
    }
}

#[test]
fn the_check_itself_sees_unsafe_code() {
    let unsafe_code = [
        concat!("let byte = uns", "afe { *pointer };"),
        concat!("pub uns", "afe fn read() {}"),
        concat!("uns", "afe impl Send for Ledger {}"),
        concat!("uns", "afe extern \"C\" {"),
        concat!("#[uns", "afe(no_mangle)]"),
    ];
    for line in unsafe_code {
        assert!(is_unsafe_code(line), "{line}");
    }
    assert!(!is_unsafe_code("/// When the archive is unsafe, damaged"));
}

#[test]
fn every_crate_comes_from_the_registry_with_its_check_sum() {
    for lock in ["Cargo.lock", "fuzz/Cargo.lock"] {
        let lock = toml(lock);
        let packages = lock["package"].as_array_of_tables().unwrap();
        assert!(packages.len() > 100, "the packages were not found");
        for package in packages {
            let name = package["name"].as_str().unwrap();
            if ["dsr", "dsr-fuzz"].contains(&name) {
                continue;
            }
            let source = package.get("source").and_then(|source| source.as_str());
            assert_eq!(source, Some(CRATES_IO), "{name}");
            assert!(package.contains_key("checksum"), "{name} has no check sum");
        }
    }
}

#[test]
fn each_crate_we_name_has_its_reason_and_each_reason_its_crate() {
    let architecture = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    let text = std::fs::read_to_string(architecture).unwrap();
    let (_, table) = text.split_once("\n## Crates\n").unwrap();
    let explained: BTreeSet<String> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next())
        .skip(1)
        .flat_map(|cell| crates_in(cell.trim_start_matches("*tests:* ")))
        .collect();
    let manifest = manifest();
    let mut named = crate_names(&manifest["dependencies"]);
    named.extend(crate_names(&manifest["dev-dependencies"]));
    for (_, target) in manifest["target"].as_table().unwrap() {
        named.extend(crate_names(&target["dependencies"]));
    }
    assert_eq!(named, explained);
}

fn sources() -> Vec<PathBuf> {
    let files = rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(files.len() > 40, "the sources were not found");
    files
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// `src/ledger/jobs/pace.rs` and `src/ledger.rs` are in `ledger`.
fn room_of(file: &Path) -> String {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let inside = file.strip_prefix(src).unwrap();
    let first = inside.components().next().unwrap().as_os_str();
    let stem = Path::new(first).file_stem().unwrap();
    stem.to_string_lossy().into_owned()
}

fn floor_of(room: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&room))
}

/// Every room that a file names through `crate::`, in braces or not.
fn imports(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let mut rooms = Vec::new();
    for (place, found) in text.match_indices("crate::") {
        let rest = &text[place + found.len()..];
        match rest.strip_prefix('{') {
            Some(list) => {
                let list = list.split('}').next().unwrap_or_default();
                rooms.extend(list.split(',').map(|item| first_word(item.trim())));
            }
            None => rooms.push(first_word(rest)),
        }
    }
    rooms.retain(|room| !room.is_empty());
    rooms
}

fn first_word(text: &str) -> String {
    let word = text
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_');
    word.collect()
}

/// Whether a line has the keyword `unsafe` outside a comment.
fn is_unsafe_code(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let after = code.split(concat!("uns", "afe")).skip(1);
    ["{", "(", "fn ", "impl ", "extern ", "trait "]
        .iter()
        .any(|opener| {
            after
                .clone()
                .any(|rest| rest.trim_start().starts_with(opener))
        })
}

fn manifest() -> toml_edit::DocumentMut {
    toml("Cargo.toml")
}

fn toml(name: &str) -> toml_edit::DocumentMut {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(file).unwrap().parse().unwrap()
}

fn crate_names(dependencies: &toml_edit::Item) -> BTreeSet<String> {
    let table = dependencies.as_table().unwrap();
    table.iter().map(|(name, _)| name.to_owned()).collect()
}

/// `reqwest (rustls, no HTTP/2), rustls (ring)` names two crates.
fn crates_in(cell: &str) -> Vec<String> {
    let mut depth = 0;
    let bare: String = cell
        .chars()
        .filter(|c| {
            depth += i32::from(*c == '(');
            let outside = depth == 0;
            depth -= i32::from(*c == ')');
            outside
        })
        .collect();
    bare.split(',').map(|name| name.trim().to_owned()).collect()
}
