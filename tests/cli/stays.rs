//! Erased people stay on the suppression list after a purge, and when a list is made again.

use std::fs;

use serde_json::json;

use crate::minimisation::with_key;
use crate::support::{Operator, Outcome, skips_on_postgres};
use crate::suppressions::{erase, obedient};

const OLD: &str = "2020-05-31T12:00:00.000Z";

fn age(operator: &Operator) {
    operator.change_ledger(&format!(
        "UPDATE requests SET created = '{OLD}';
         UPDATE steps SET at = '{OLD}';
         UPDATE jobs SET checked_at = '{OLD}' WHERE checked_at IS NOT NULL;
         UPDATE jobs SET submitted_at = '{OLD}' WHERE submitted_at IS NOT NULL;"
    ));
}

fn purge(operator: &Operator) -> serde_json::Value {
    let args = ["purge", "--older-than", "3years", "--yes", "--json"];
    operator.run(&args).exits_with(0).json()
}

fn listed(operator: &Operator) -> Vec<String> {
    let outcome = operator.run(&["suppressions", "export"]);
    let lines = outcome.exits_with(0).stdout.lines();
    lines
        .filter(|line| !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn people_stay_on_the_list_when_their_records_are_purged() {
    let fake = obedient();
    let operator = with_key(&fake, "rate = 1000");
    erase(&operator, &["done@x.test", "failed@x.test"], &[]);
    operator
        .run(&["export", "--gdpr", "done@y.test"])
        .exits_with(0);
    operator.run(&["status", "--refresh"]).exits_with(0);
    age(&operator);
    operator.change_ledger(&format!(
        "UPDATE steps SET at = '{OLD}'; DELETE FROM payloads
         WHERE request IN (SELECT id FROM requests WHERE kind = 'export');"
    ));
    let before = listed(&operator);
    assert_eq!(before.len(), 1);
    let shown = operator.run(&["purge", "--older-than", "3years", "--dry-run"]);
    assert!(
        shown.stdout.contains("stays on the suppression list"),
        "{shown}"
    );
    let purged = purge(&operator);
    assert_eq!(purged["purged"]["requests"], 3, "{purged}");
    assert_eq!(purged["suppressed"], 1);
    assert_eq!(purged["purges"][0]["suppressed"], 1);
    assert_eq!(operator.ledger_texts("SELECT id FROM requests"), [""; 0]);
    assert_eq!(listed(&operator), before);

    // A later event is an event of an erased person.
    operator.file(
        "events.jsonl",
        "{\"event\":\"x\",\"properties\":{\"distinct_id\":\"done@x.test\",\"time\":1900000000}}\n",
    );
    operator
        .run(&["suppressions", "check", "--exit-status", "events.jsonl"])
        .exits_with(1)
        .never_says("does not find people");
    let found = operator.run(&[
        "find",
        "--id",
        "done@x.test",
        "--id",
        "failed@x.test",
        "--json",
    ]);
    let found = found.exits_with(0).json();
    assert_eq!(
        (&found["found"], &found["not_found"]),
        (&json!(1), &json!(1))
    );
    let person = &found["people"][0];
    assert_eq!(person["jobs"], json!([]));
    assert_eq!(person["purged"][0]["erasure"], "done");
    assert_eq!(person["purged"][0]["project"], "shop");
    let human = operator.run(&["find", "done@x.test"]);
    assert!(human.stdout.contains("records were purged"), "{human}");
}

#[test]
fn who_stayed_is_held_against_the_trail() {
    let fake = obedient();
    let changes = [
        "DELETE FROM suppressed",
        "UPDATE suppressed SET hashes = zeroblob(16)",
        "UPDATE suppressed SET done = begun, begun = '2019-01-01T00:00:00.000Z'",
        "UPDATE suppressed SET erasure = 'unknown'",
        "INSERT INTO suppressed SELECT 'another', number, project, erasure, begun, done, hashes
             FROM suppressed",
    ];
    let operator = with_key(&fake, "rate = 1000");
    erase(&operator, &["done@x.test"], &[]);
    age(&operator);
    purge(&operator);
    operator.run(&["audit", "verify"]).exits_with(0);
    let whole = operator.copies_ledger();
    for change in changes {
        operator.puts_back(&whole);
        operator.tamper_with(change);
        let outcome = operator.run(&["audit", "verify"]);
        outcome.exits_with(74);
        assert!(outcome.stdout.contains("suppression list"), "{outcome}");
    }
}

#[test]
fn nothing_is_purged_whose_people_could_not_stay() {
    if skips_on_postgres("a server's ledger always has a key") {
        return;
    }
    let fake = obedient();
    let operator = Operator::at(&fake);
    erase(&operator, &["done@x.test"], &[]);
    age(&operator);
    operator
        .run(&["purge", "--older-than", "3years", "--yes"])
        .exits_with(2)
        .says("suppression list");
    assert_eq!(operator.requests().len(), 1);
}

#[test]
fn a_list_is_not_replaced_by_one_that_lacks_people_of_it() {
    let fake = obedient();
    for format in ["text", "csv", "jsonl"] {
        let operator = with_key(&fake, "rate = 1000");
        let write = |more: &[&str]| {
            let args = ["suppressions", "export", "--output", "list", "--replace"];
            let args = [&args, &["--format", format][..], more].concat();
            operator.run(&args)
        };
        let list = || fs::read_to_string(operator.work().join("list")).unwrap();
        // A server has a ledger before anybody uses it.
        let without = if operator.is_on_server() { 0 } else { 74 };
        write(&[]).exits_with(without);
        erase(&operator, &["done@a.test", "pending@b.test"], &[]);
        write(&[]).exits_with(0);
        let first = list();
        erase(&operator, &["done@c.test"], &[]);
        write(&[]).exits_with(0);
        let second = list();
        assert_ne!(first, second);

        // As with a wrong DSR_HOME, another project, or a shorter period.
        for more in [
            &["--since", "2999-01-01"][..],
            &["--since", "2999-01-01", "--json"],
        ] {
            let outcome = write(more);
            outcome.exits_with(2).says("3 people").says("--allow-fewer");
            assert_eq!(list(), second);
        }
        operator.change_ledger("UPDATE jobs SET state = 'revoked' WHERE task_id LIKE 'pending%'");
        let outcome = write(&["--json"]);
        assert_eq!(outcome.exits_with(2).failure()["kind"], "fewer_people");
        assert_eq!(list(), second);
        write(&["--allow-fewer"]).exits_with(0);
        assert_ne!(list(), second);

        operator.file("list", "somebody\nelse,s,file\n");
        write(&[]).exits_with(2).says("not a suppression list");
        let kind = |outcome: &Outcome| outcome.exits_with(2).failure()["kind"].clone();
        for cut in ["", second.trim_end().rsplit_once('\n').expect("lines").0] {
            // A table has no last line: one that lost whole lines looks like a shorter one.
            if format != "csv" || cut.is_empty() {
                operator.file("list", cut);
                assert_eq!(kind(&write(&["--json"])), "fewer_people");
                let refused = write(&[]);
                refused.says("cut off").says("--allow-fewer");
                assert_eq!(list(), cut);
            }
        }
        write(&["--allow-fewer"]).exits_with(0);
    }
}

#[test]
fn a_folder_is_not_replaced_and_a_project_that_nobody_knows_has_no_list() {
    let fake = obedient();
    let operator = with_key(&fake, "rate = 1000");
    erase(&operator, &["done@a.test"], &[]);
    fs::create_dir(operator.work().join("lists")).unwrap();
    let export = ["suppressions", "export"];
    let run = |more: &[&str]| operator.run(&[&export, more].concat());
    run(&["--output", "lists", "--replace"])
        .exits_with(2)
        .says("it is a folder")
        .says("name a file in it");
    let unknown = run(&["--project", "nosuch", "--json"]);
    assert_eq!(unknown.exits_with(2).failure()["kind"], "project");
    assert!(unknown.stdout.is_empty(), "{unknown}");
    // A project that is no longer set up still has its list.
    operator.write_config("");
    let list = run(&["--project", "shop"]);
    assert!(list.exits_with(0).stdout.contains("# people: 1"), "{list}");
}

#[test]
fn a_ledger_key_that_cannot_be_read_is_a_problem_to_the_doctor() {
    let fake = obedient();
    let operator = with_key(&fake, "rate = 1000");
    let doctor = |operator: &Operator| operator.doctor();
    doctor(&operator).exits_with(0);
    let missing = operator.with("DSR_LEDGER_KEY_FILE", "/nonexistent/ledger.key");
    let told = doctor(&missing);
    told.exits_with(2).never_says("Nothing is wrong");
    assert!(told.stdout.contains("/nonexistent/ledger.key"), "{told}");
}

#[test]
fn a_list_under_another_key_is_not_replaced() {
    let fake = obedient();
    let operator = with_key(&fake, "rate = 1000");
    erase(&operator, &["done@a.test"], &[]);
    let write = ["suppressions", "export", "--output", "list", "--replace"];
    operator.run(&write).exits_with(0);
    let other = Operator::at(&fake);
    let key = other.private_file("other.key", "ab".repeat(32));
    let other = other.with("DSR_LEDGER_KEY_FILE", &key);
    erase(&other, &["done@a.test"], &[]);
    fs::copy(operator.work().join("list"), other.work().join("list")).unwrap();
    other.run(&write).exits_with(2).says("another ledger key");
}
