//! The ledger as a file: damaged, locked, from a newer dsr, or without a place.

use std::fs;
use std::time::Duration;

use rusqlite::Connection;

use crate::support::{Fake, Operator, Reply, Running, csv_of, people};

fn operator_with_a_request(fake: &Fake) -> (Operator, std::path::PathBuf) {
    let operator = Operator::at(fake);
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    let path = operator.dsr_home().join("ledger.db");
    (operator, path)
}

#[test]
fn a_damaged_ledger_is_left_alone_and_nothing_is_sent() {
    let fake = Fake::start();
    let (operator, path) = operator_with_a_request(&fake);
    let mut bytes = fs::read(&path).unwrap();
    bytes[..100].fill(b'x');
    fs::write(&path, &bytes).unwrap();
    for args in [
        &["delete", "--gdpr", "--yes", "a2"][..],
        &["status"],
        &["resume"],
        &["status", "--cached"],
    ] {
        operator.run(args).exits_with(74).did_not_panic();
    }
    assert_eq!(fs::read(&path).unwrap(), bytes, "not a byte was written");
    assert_eq!(fake.calls().len(), 1);
}

#[test]
fn a_ledger_of_a_newer_dsr_is_refused() {
    let fake = Fake::start();
    let (operator, path) = operator_with_a_request(&fake);
    let ledger = Connection::open(&path).unwrap();
    ledger
        .pragma_update(None, "user_version", 1_000_000)
        .unwrap();
    drop(ledger);
    let outcome = operator.run(&["delete", "--gdpr", "--yes", "a2"]);
    outcome.exits_with(74).says("newer");
    assert_eq!(fake.calls().len(), 1);
}

#[test]
fn a_ledger_that_another_holds_is_waited_for_and_then_given_up() {
    let fake = Fake::start();
    let (operator, path) = operator_with_a_request(&fake);
    let ledger = Connection::open(&path).unwrap();
    ledger.execute_batch("BEGIN IMMEDIATE").unwrap();
    let args = ["delete", "--gdpr", "--yes", "a2", "--lock-timeout", "1s"];
    let outcome = operator.run(&args);
    outcome.exits_with(11);
    assert!(outcome.took >= Duration::from_millis(900), "{outcome}");
    assert_eq!(fake.calls().len(), 1);
    ledger.execute_batch("ROLLBACK").unwrap();
    operator.run(&args).exits_with(0);
}

#[test]
fn who_holds_a_locked_ledger_is_named_without_an_id() {
    let fake = Fake::answering_post(0, Reply::Hang);
    let operator = Operator::at(&fake);
    let holder = operator.start(&["delete", "--gdpr", "--yes", "secret-person"]);
    fake.wait_for_posts(1);
    let path = operator.dsr_home().join("ledger.db");
    let ledger = Connection::open(&path).unwrap();
    ledger.execute_batch("BEGIN IMMEDIATE").unwrap();
    let args = ["export", "--gdpr", "a2", "--lock-timeout", "100ms"];
    let process = holder.id();
    let outcome = operator.run(&args);
    outcome
        .exits_with(11)
        .says(&format!("process {process}, dsr delete, since 20"))
        .never_says("secret-person");
    let outcome = operator.run(&[&args[..], &["--json"]].concat());
    let message = outcome.exits_with(11).failure()["message"].to_string();
    assert!(message.contains(&process.to_string()), "{outcome}");
    // Only the marks: closing the ledger here would drop this process's lock on it.
    for entry in fs::read_dir(operator.dsr_home().join("senders")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains("secret"), "{text}");
    }

    // A process that has ended holds nothing, however it ended.
    holder.kill();
    operator
        .run(&args)
        .exits_with(11)
        .never_says(&format!("process {process}"));
    assert_eq!(fake.posts().len(), 1);
}

#[test]
fn a_home_that_cannot_be_written_is_a_local_failure_and_nothing_is_sent() {
    let fake = Fake::start();
    let operator = Operator::at(&fake)
        .with("DSR_PROJECT_TOKEN", crate::support::PROJECT_TOKEN)
        .with("DSR_REGION", "us");
    operator.file("occupied", "a file where a folder should be");
    let path = operator
        .work()
        .join("occupied/deeper")
        .display()
        .to_string();
    let operator = operator.with("DSR_HOME", &path);
    let outcome = operator.run(&["delete", "--gdpr", "--yes", "a1"]);
    outcome.exits_with(74).did_not_panic();
    fake.was_not_called();
}

#[test]
fn two_first_runs_at_once_make_one_ledger() {
    let fake = Fake::start();
    for _ in 0..5 {
        let operator = Operator::at(&fake);
        let runs: Vec<_> = (0..4)
            .map(|place| operator.start(&["export", "--gdpr", &format!("a{place}")]))
            .collect();
        for run in runs {
            run.end().exits_with(0);
        }
        assert_eq!(operator.requests().len(), 4);
    }
}

#[test]
fn a_disk_that_is_full_before_the_intent_sends_nothing() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.file("ids.csv", csv_of(&people(1234), None));
    // Limits files to 20 KiB; without the trap the signal would kill the shell's child.
    let setup = "ulimit -f 40";
    let command = operator.command_after(setup, &["delete", "--gdpr", "--yes", "ids.csv"]);
    let outcome = Running::start(command, "").end();
    outcome.exits_with(74).did_not_panic();
    fake.was_not_called();
    operator
        .run(&["delete", "--gdpr", "--yes", "ids.csv"])
        .exits_with(0);
    assert_eq!(fake.posts().len(), 3);
}

#[test]
fn a_first_run_waits_for_another_first_run() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    // Another dsr is turning the new file into a ledger.
    let path = operator.dsr_home().join("ledger.db");
    let other = Connection::open(&path).unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&path, private).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let running = operator.start(&["export", "--gdpr", "a1"]);
    std::thread::sleep(Duration::from_millis(700));
    other.execute_batch("ROLLBACK").unwrap();
    drop(other);
    running.end().exits_with(0);
    assert_eq!(fake.posts().len(), 1);
}
