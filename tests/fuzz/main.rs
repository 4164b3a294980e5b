//! Replays the fuzzers' corpus (`fuzz/corpus`) without a fuzzer.

mod properties;

use std::collections::BTreeSet;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use properties::{Property, TARGETS};

#[test]
fn each_property_holds_for_its_corpus() {
    // In parallel, since those that write files wait for the disk.
    let broken: Vec<PathBuf> = std::thread::scope(|scope| {
        let replays = TARGETS.map(|target| scope.spawn(move || replay(target)));
        let broken = replays.into_iter().map(|replay| replay.join().unwrap());
        broken.flatten().collect()
    });
    assert!(broken.is_empty(), "{broken:#?}");
}

/// The files of a target's corpus that break its property.
fn replay((target, property): (&str, Property)) -> Vec<PathBuf> {
    let files = files(&fuzz().join("corpus").join(target));
    let is_broken = |file: &PathBuf| {
        let bytes = std::fs::read(file).expect("a file of the corpus");
        catch_unwind(|| property(&bytes)).is_err()
    };
    files.filter(is_broken).collect()
}

#[test]
fn each_property_holds_where_there_is_nothing() {
    for (_, property) in TARGETS {
        property(b"");
    }
}

#[test]
fn each_fuzz_target_is_replayed_and_each_property_fuzzed() {
    let manifest = std::fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    let known: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let stem = |file: PathBuf| file.file_stem().unwrap().to_str().unwrap().to_owned();
    let targets: BTreeSet<String> = files(&fuzz().join("fuzz_targets")).map(stem).collect();
    assert_eq!(targets, known);
    let is_built = |target| manifest.contains(&format!("\"fuzz_targets/{target}.rs\""));
    assert!(
        known.iter().all(is_built),
        "a target is not in the manifest"
    );
}

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// The files of a folder, sorted by name. Fails if there is none.
fn files(folder: &Path) -> std::vec::IntoIter<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    assert!(!files.is_empty(), "{folder:?} is empty");
    files.sort();
    files.into_iter()
}
