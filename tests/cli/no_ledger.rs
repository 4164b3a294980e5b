//! A machine, volume or DSR_HOME without a ledger: commands that only look make none, and say so.

use std::fs;

use serde_json::json;

use crate::support::{Fake, Operator};

/// Only the settings are there, and no folder was made.
fn is_untouched(operator: &Operator) {
    let names: Vec<_> = fs::read_dir(operator.dsr_home())
        .expect("the home is there")
        .map(|entry| entry.expect("a folder can be listed").file_name())
        .collect();
    assert_eq!(names, ["config.toml"]);
}

#[test]
fn who_only_looks_makes_no_ledger() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.file("ids.csv", "distinct_id\na1\n");
    operator.file(
        "events.jsonl",
        "{\"properties\":{\"distinct_id\":\"a1\"}}\n",
    );
    let friendly: [&[&str]; 4] = [
        &["status"],
        &["status", "--cached"],
        &["status", "--all"],
        &["find", "a1"],
    ];
    for args in friendly {
        let outcome = operator.run(args);
        outcome.exits_with(0).says("there is no ledger at");
        outcome.says("DSR_HOME");
        let json = operator.run(&[args, &["--json"]].concat()).json();
        assert_eq!(json["warnings"][0]["kind"], "no_ledger", "{json}");
        is_untouched(&operator);
    }
    let strict: [&[&str]; 18] = [
        &["status", "--exit-status"],
        &["status", "--changes"],
        &["status", "--cached", "--exit-status"],
        &["find", "--exit-status", "a1"],
        &["report", "--from", "2026-01-01", "--to", "2026-02-01"],
        &["audit", "verify"],
        &["audit", "head"],
        &["audit", "log"],
        &["suppressions", "export"],
        &["suppressions", "export", "--output", "list.txt"],
        &["suppressions", "check", "events.jsonl"],
        &["cancel", "q7tz0xma"],
        &["extend", "q7tz0xma", "--reason", "many"],
        &["resume"],
        &["download", "--to", "x"],
        &["purge", "--older-than", "3years", "--yes"],
        &["ledger", "status"],
        &["ledger", "accept", "--yes"],
    ];
    for args in strict {
        let outcome = operator.run(args);
        outcome.exits_with(74).says("there is no ledger at");
        let json = operator.run(&[args, &["--json"]].concat());
        assert_eq!(json.failure()["kind"], "no_ledger", "{json}");
        is_untouched(&operator);
    }
    let quiet: [&[&str]; 5] = [
        &["delete", "--gdpr", "ids.csv", "--dry-run"],
        &["project", "show"],
        &["doctor", "--offline"],
        &["doctor"],
        &["guide"],
    ];
    for args in quiet {
        operator
            .run(args)
            .exits_with(0)
            .never_says("Warning: there is no ledger");
        is_untouched(&operator);
    }
    assert!(fake.posts().is_empty());
}

#[test]
fn a_home_that_is_not_there_is_not_made_by_looking() {
    let operator = Operator::new();
    for args in [
        &["status"][..],
        &["audit", "verify"],
        &["doctor", "--offline"],
    ] {
        operator.run(args).did_not_panic();
        assert!(!operator.dsr_home().exists(), "{args:?}");
    }
    operator.run(&["status"]).exits_with(0).says("DSR_HOME");
}

#[test]
fn an_empty_file_is_no_ledger() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    let path = operator.dsr_home().join("ledger.db");
    fs::write(&path, "").unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(&path, private).unwrap();
    operator.run(&["status", "--exit-status"]).exits_with(74);
    operator.run(&["suppressions", "export"]).exits_with(74);
    operator.run(&["status"]).exits_with(0).says("no ledger");
    assert_eq!(fs::metadata(&path).unwrap().len(), 0);
    let list = operator.run(&["status", "--json"]).json();
    assert_eq!(list["requests"], json!([]));
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
}
