//! What people read: a snapshot of each screen of the built program, so that a change of words is
//! one review. `tests/cli` tests what the program does.
//!
//! `INSTA_UPDATE=always cargo test --test screens` makes all snapshots again; then read the diff.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod scene;
mod stable;
#[path = "../cli/support/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    reason = "what stands under the tests of the program"
)]
mod support;

mod answered;
mod audit;
mod auth;
mod cancel;
mod delete;
mod doctor;
mod download;
mod export;
mod extend;
mod find;
mod guide;
mod help;
mod import;
mod ledger;
mod lookup;
mod mixpanel;
mod plan;
mod profiles;
mod project;
mod purge;
mod refused;
mod report;
mod resume;
mod sanitize;
mod sources;
mod status;
mod suppressions;
mod verify;
mod warnings;

use std::fs;
use std::path::Path;

#[test]
fn no_snapshot_is_left_of_a_test_that_is_gone() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens");
    for noun in fs::read_dir(folder.join("snapshots")).unwrap() {
        let noun = noun.unwrap().path();
        let name = noun.file_name().unwrap().to_str().unwrap().to_owned();
        let tests = fs::read_to_string(folder.join(&name).with_extension("rs")).unwrap();
        for snapshot in fs::read_dir(&noun).unwrap() {
            let snapshot = snapshot.unwrap().path();
            let test = snapshot.file_stem().unwrap().to_str().unwrap();
            let is_there = match name.as_str() {
                "help" if test.starts_with("dsr") => help::names().contains(&test.to_owned()),
                _ => tests.contains(&format!("fn {test}()")),
            };
            let is_snapshot = snapshot.extension().is_some_and(|found| found == "snap");
            assert!(is_there && is_snapshot, "{}", snapshot.display());
        }
    }
}
