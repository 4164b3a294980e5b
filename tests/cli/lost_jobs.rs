//! After a set-back was accepted: jobs that may have been sent, settled or given up in the lost
//! time need the operator's decision.

use std::fs;

use serde_json::{Value, json};

use crate::set_back::{head_of, seen_by, set_back};
use crate::support::{Fake, LedgerCopy, Operator, Reply, usual};

fn accept(operator: &Operator) -> Value {
    let accepted = operator.run(&["ledger", "accept", "--yes", "--json"]);
    accepted.exits_with(0).json()["accepted"].clone()
}

fn name_of(request: &Value) -> String {
    request["id"].as_str().expect("an id").to_owned()
}

/// Checks that every command asks for a decision, and that a plain run sends nothing.
#[track_caller]
fn only_a_word_helps(fake: &Fake, operator: &Operator) {
    let posts = fake.posts().len();
    let status = operator.run(&["status", "--cached"]);
    status.exits_with(0).says("--send-again");
    for _ in 0..2 {
        operator.run(&["resume"]).exits_with(6).says("--send-again");
    }
    assert_eq!(fake.posts().len(), posts, "nothing is sent without a word");
}

#[test]
fn a_job_that_was_being_sent_when_the_copy_was_made_needs_a_word() {
    for kind in [&["delete", "--gdpr", "--yes"][..], &["export", "--gdpr"]] {
        let fake = Fake::answering_post(0, Reply::Hang);
        let operator = Operator::at(&fake);
        let running = operator.start(&[kind, &["a1"]].concat());
        fake.wait_for_posts(1);
        let copy = operator.work().join("copy.db");
        let path = copy.display().to_string();
        operator.run(&["ledger", "backup", &path]).exits_with(0);
        running.kill();
        operator.run(&["export", "--gdpr", "z1"]).exits_with(0);
        operator.puts_back(&LedgerCopy::File(fs::read(copy).expect("a copy")));
        let accepted = accept(&operator);
        assert_eq!(accepted["unknown"], json!({ "jobs": 1, "ids": 1 }));
        only_a_word_helps(&fake, &operator);
        let request = operator.only_request();
        let name = name_of(&request);
        let again = operator.run(&["resume", &name, "--send-again"]);
        again.exits_with(0);
        assert_eq!(fake.posts().len(), 3);
        operator.run(&["audit", "verify"]).exits_with(0);
    }
}

#[test]
fn a_job_that_was_unknown_when_the_copy_was_made_needs_a_word_however_new_it_is() {
    let fake = Fake::answering(|call| match call.is_post() && call.place < 4 {
        true => Reply::error(500, "boom"),
        false => usual(call),
    });
    let operator = Operator::at(&fake);
    operator
        .run(&["delete", "--gdpr", "--yes", "a1"])
        .exits_with(6);
    let name = name_of(&operator.only_request());
    let copy = operator.copies_ledger();
    operator.run(&["resume", &name]).exits_with(0);
    assert_eq!(fake.posts().len(), 5);
    operator.puts_back(&copy);
    let accepted = accept(&operator);
    assert_eq!(accepted["unknown"], json!({ "jobs": 1, "ids": 1 }));
    only_a_word_helps(&fake, &operator);
    // A second set-back changes nothing about that.
    let copy = operator.copies_ledger();
    operator.run(&["export", "--gdpr", "z1"]).exits_with(0);
    operator.puts_back(&copy);
    let accepted = accept(&operator);
    assert_eq!(accepted["unknown"], json!({ "jobs": 1, "ids": 1 }));
    only_a_word_helps(&fake, &operator);
}

#[test]
fn what_was_given_up_before_the_copy_is_not_counted() {
    let fake = Fake::answering_posts(Reply::error(500, "boom"));
    let operator = Operator::at(&fake);
    let delete = |id: &str| {
        let outcome = operator.run(&["delete", "--gdpr", "--yes", "--max-wait", "0s", id]);
        outcome.exits_with(6);
    };
    delete("a1");
    let name = name_of(&operator.only_request());
    operator.run(&["resume", &name, "--abandon"]).exits_with(0);
    let copy = operator.copies_ledger();
    delete("b1");
    operator.puts_back(&copy);
    assert_eq!(accept(&operator)["unknown"], json!({ "jobs": 0, "ids": 0 }));
}

#[test]
fn one_set_back_is_accepted_once_however_often_that_is_said() {
    let fake = Fake::start();
    let operator = set_back(&fake);
    let seen = seen_by(&operator);
    let runs: Vec<_> = (0..3)
        .map(|_| operator.start(&["ledger", "accept", "--yes"]))
        .collect();
    for run in runs {
        run.end().exits_with(0);
    }
    let count = || {
        let told = "SELECT details FROM audit WHERE event = 'set_back_accepted'";
        operator.ledger_texts(told).len()
    };
    assert_eq!(count(), 1);
    // A kill between the commit and the note leaves it like this.
    fs::write(operator.dsr_home().join("seen-head"), format!("{seen}\n")).unwrap();
    operator.run(&["resume"]).exits_with(74);
    let head = head_of(&operator);
    let again = operator.run(&["ledger", "accept", "--yes"]);
    let shown = again.exits_with(0).stdout.clone();
    assert!(shown.contains("Already accepted"), "{again}");
    assert!(shown.contains('@'), "by whom: {again}");
    assert_eq!(count(), 1);
    assert_eq!(seen_by(&operator), head);
    assert_eq!(head_of(&operator), head);
    operator.run(&["resume"]).exits_with(0);
}

#[test]
fn a_damaged_note_beside_a_whole_ledger_is_not_called_a_loss() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    fs::write(operator.dsr_home().join("seen-head"), "\u{0}").unwrap();
    accept(&operator);
    for args in [&["ledger", "status"][..], &["audit", "verify"]] {
        let outcome = operator.run(args);
        let shown = outcome.exits_with(0).stdout.replace('\n', " ");
        assert!(shown.contains("may lack"), "{outcome}");
        assert!(shown.contains("no record of the newest entry"), "{outcome}");
        assert!(!shown.contains("older copy"), "{outcome}");
    }
}
