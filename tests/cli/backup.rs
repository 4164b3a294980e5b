//! `dsr ledger backup`: the copy is whole and private, and never replaces a file.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::{Fake, Operator, csv_of, people};

#[test]
fn a_copy_made_while_another_dsr_sends_is_whole_and_private() {
    let fake = Fake::start();
    let operator = Operator::at_with(&fake, "rate = 50\ndelete_batch = 1");
    operator.file("ids.csv", csv_of(&people(60), None));
    let running = operator.start(&["delete", "--gdpr", "--yes", "ids.csv"]);
    fake.wait_for_posts(3);
    for place in 0..3 {
        let file = format!("copy-{place}.db");
        let made = operator.run(&["ledger", "backup", &file, "--json"]);
        let made = made.exits_with(0).json()["backup"].clone();
        assert_eq!(made["file"], file.as_str());
        let path = operator.work().join(&file);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let other = Operator::at(&fake);
        fs::copy(&path, other.dsr_home().join("ledger.db")).unwrap();
        other.run(&["audit", "verify"]).exits_with(0);
        let head = other.run(&["audit", "head"]).exits_with(0).stdout.clone();
        assert!(head.starts_with(made["head"].as_str().unwrap()), "{head}");
        let request = &other.requests()[0];
        assert_eq!(request["ids"]["unique"], 60);
    }
    running.end().exits_with(0);
    assert_eq!(fake.posts().len(), 60);
    let names = fs::read_dir(operator.work()).unwrap();
    assert_eq!(names.count(), 4, "no log and no half copy is left");
}

#[test]
fn no_file_is_replaced_and_a_copy_that_cannot_be_written_leaves_nothing() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator
        .run(&["ledger", "backup", "copy.db"])
        .exits_with(74)
        .says("no ledger");
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    operator.file("copy.db", "mine");
    operator.run(&["ledger", "backup", "copy.db"]).exits_with(2);
    let kept = fs::read_to_string(operator.work().join("copy.db")).unwrap();
    assert_eq!(kept, "mine");
    operator
        .run(&["ledger", "backup", "nowhere/copy.db"])
        .exits_with(74);
    assert_eq!(fs::read_dir(operator.work()).unwrap().count(), 1);
}

#[test]
fn a_copy_that_is_put_back_is_refused_and_then_accepted() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    operator.run(&["ledger", "backup", "copy.db"]).exits_with(0);
    let restore = || {
        let from = operator.work().join("copy.db");
        fs::copy(from, operator.dsr_home().join("ledger.db")).unwrap();
    };
    restore();
    operator.run(&["status"]).exits_with(0);
    operator.run(&["export", "--gdpr", "a2"]).exits_with(0);
    restore();
    operator.run(&["export", "--gdpr", "a3"]).exits_with(74);
    operator.run(&["ledger", "accept", "--yes"]).exits_with(0);
    operator.run(&["export", "--gdpr", "a3"]).exits_with(0);
    assert_eq!(fake.posts().len(), 3);
}
