//! `dsr ledger`: where it is, its copies, and a ledger that was set back.

use std::fs;

use crate::scene::{Scene, snapshot};
use crate::support::Fake;

fn set_back() -> Scene {
    let mut scene = Scene::at(Fake::start());
    scene.did(&["export", "--gdpr", "ids.csv"]);
    let ledger = scene.operator.dsr_home().join("ledger.db");
    let copy = fs::read(&ledger).unwrap();
    scene.did(&["delete", "--gdpr", "--yes", "ids.csv"]);
    scene.keeps_names();
    for beside in ["db-wal", "db-shm"] {
        drop(fs::remove_file(ledger.with_extension(beside)));
    }
    fs::write(&ledger, copy).unwrap();
    scene
}

#[test]
fn where_the_ledger_is() {
    let mut scene = Scene::usual();
    scene.pipes(&["ledger", "status"]);
    scene.did(&["export", "--gdpr", "ids.csv"]);
    snapshot!(
        scene
            .pipes(&["ledger", "status"])
            .plain(&["ledger", "status"])
    );
}

#[test]
fn the_ledger_is_copied() {
    let mut scene = Scene::with_a_deletion();
    snapshot!(scene.pipes(&["ledger", "backup", "copy.db"]));
}

#[test]
fn a_ledger_was_set_back() {
    let mut scene = set_back();
    scene
        .pipes(&["ledger", "status"])
        .pipes(&["export", "--gdpr", "ids.csv"]);
    snapshot!(scene.pipes(&["status"]).pipes(&["status", "--cached"]));
}

#[test]
fn a_ledger_that_was_set_back_is_accepted() {
    let mut scene = set_back();
    scene
        .pipes(&["ledger", "accept"])
        .pipes(&["ledger", "accept", "--yes"]);
    snapshot!(scene.pipes(&["resume"]).pipes(&["ledger", "status"]));
}

#[test]
fn a_ledger_that_was_not_set_back_is_accepted() {
    snapshot!(Scene::with_a_deletion().pipes(&["ledger", "accept", "--yes"]));
}

#[test]
fn a_ledger_that_has_moved_is_refused() {
    let mut scene = Scene::with_a_deletion();
    scene.pipes(&["ledger", "move"]);
    scene.operator.change_ledger(&format!(
        "CREATE TABLE moved (ledger TEXT NOT NULL, head TEXT NOT NULL);
         INSERT INTO moved VALUES ('postgres://dsr@db.example:5432/dsr', '9:{}');
         PRAGMA user_version = 1000024",
        "0a".repeat(32)
    ));
    let first = scene
        .operator
        .ledger_texts("SELECT hash FROM audit WHERE seq = 1");
    let seen = scene
        .operator
        .dsr_home()
        .join("shared")
        .join(&first[0][..16]);
    std::fs::create_dir_all(&seen).expect("a folder");
    let head = format!("9:{}\n", "0a".repeat(32));
    std::fs::write(seen.join("seen-head"), head).expect("it can be written");
    snapshot!(
        scene
            .pipes(&["status"])
            .pipes(&["export", "--gdpr", "ids.csv"])
    );
}
