//! Another process holds the ledger: what dsr says while it waits, and whom it names.

use std::fs::{self, File, TryLockError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::support::{Fake, Operator, Reply, Running, Terminal, csv_of, people};

const WAITING: &str = "Waiting for the ledger";

/// Keeps everybody else from writing the ledger until this is dropped.
fn hold(operator: &Operator) -> Connection {
    let path = operator.dsr_home().join("ledger.db");
    let ledger = Connection::open(path).expect("the ledger can be opened");
    let held = ledger.execute_batch("BEGIN IMMEDIATE");
    held.expect("the ledger can be locked");
    ledger
}

fn operator_with_a_ledger(fake: &Fake) -> Operator {
    let operator = Operator::at(fake);
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    operator
}

fn times(text: &str, wanted: &str) -> usize {
    text.matches(wanted).count()
}

#[test]
fn a_wait_for_the_ledger_is_told_once_and_with_its_limit() {
    let fake = Fake::start();
    let operator = operator_with_a_ledger(&fake);
    let _held = hold(&operator);
    let args = ["export", "--gdpr", "a2", "--lock-timeout", "3s"];
    let outcome = operator.run(&args);
    outcome
        .exits_with(11)
        .says("for 1s at most: it is held by another program");
    assert_eq!(times(&outcome.stderr, WAITING), 1, "{outcome}");
    assert!(outcome.took >= Duration::from_secs(3), "{outcome}");

    let quiet = operator.run(&[&args[..], &["-q"]].concat());
    quiet.exits_with(11).never_says(WAITING);
    let json = operator.run(&[&args[..], &["--json"]].concat());
    assert_eq!(json.exits_with(11).failure()["kind"], "locked");
    json.never_says(WAITING);
    let short = operator.run(&["export", "--gdpr", "a2", "--lock-timeout", "500ms"]);
    short.exits_with(11).never_says(WAITING);
    assert_eq!(fake.posts().len(), 1);
}

#[test]
fn what_waited_for_the_ledger_goes_on_by_itself() {
    let fake = Fake::start();
    let operator = operator_with_a_ledger(&fake);
    let held = hold(&operator);
    let running = operator.start(&["export", "--gdpr", "a2"]);
    std::thread::sleep(Duration::from_millis(1800));
    assert_eq!(fake.posts().len(), 1, "it waits");
    drop(held);
    let outcome = running.end();
    outcome.exits_with(0).says(WAITING);
    assert_eq!(fake.posted_ids(), ["a1", "a2"]);
}

#[test]
fn a_wait_in_the_middle_of_a_run_is_told_above_the_bar() {
    let slow = Reply::After(
        Duration::from_millis(500),
        Box::new(crate::support::object_reply("t-1")),
    );
    let fake = Fake::answering_post(0, slow);
    let operator = Operator::at(&fake).with("TERM", "xterm");
    let mut terminal = Terminal::start(operator.command(&["export", "--gdpr", "a1"]));
    fake.wait_for_posts(1);
    let held = hold(&operator);
    terminal.sees(WAITING);
    drop(held);
    let (status, screen) = terminal.ends();
    assert_eq!(status, 0, "{screen}");
    let before = screen.split(WAITING).next().unwrap();
    let line = before.rsplit(['\n', '\r']).next().unwrap();
    assert!(!line.contains("Submitting"), "on the bar's line: {line:?}");
}

/// The same command would be refused: the request is there.
#[test]
fn a_run_that_loses_the_ledger_in_the_middle_names_the_command_that_goes_on() {
    let fake = Fake::start();
    let operator = Operator::at_with(&fake, "rate = 1\nexport_batch = 1");
    operator.file("ids.csv", csv_of(&people(2), None));
    let running = operator.start(&["export", "--gdpr", "ids.csv", "--lock-timeout", "1s"]);
    fake.wait_for_posts(1);
    let start = Instant::now();
    while operator.ledger_texts("SELECT state FROM jobs WHERE number = 1") != ["accepted"] {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "it is not recorded"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    let held = hold(&operator);
    let outcome = running.end();
    drop(held);
    outcome
        .exits_with(11)
        .says("the request is recorded: run `dsr resume` when the other program has ended");
    assert_eq!(fake.posts().len(), 1);
    operator.run(&["resume"]).exits_with(0);
    assert_eq!(fake.posts().len(), 2);
}

fn stopped_while_it_holds(operator: &Operator) -> Running {
    operator.file("many.csv", csv_of(&people(300_000), None));
    let running = operator.start(&["export", "--gdpr", "many.csv"]);
    let start = Instant::now();
    let path = operator.dsr_home().join("holder");
    let named = format!("{}\ndsr export\n", running.id());
    // Looks only for a moment: this lock would keep the mark from being made. dsr holds the ledger
    // before it has written its name into the mark.
    let holds = || {
        let mark = File::open(&path).expect("the mark is there");
        matches!(mark.try_lock_shared(), Err(TryLockError::WouldBlock))
            && fs::read_to_string(path.with_extension("txt")).expect("the mark can be read")
                == named
    };
    loop {
        if holds() {
            running.signal("STOP");
            // dsr may have let go just before it was stopped.
            if holds() {
                return running;
            }
            running.signal("CONT");
        }
        assert!(start.elapsed() < Duration::from_secs(50), "it never held");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_dsr_that_holds_the_ledger_without_sending_is_named() {
    let fake = Fake::answering_post(1, Reply::error(401, "no"));
    let operator = operator_with_a_ledger(&fake);
    let holder = stopped_while_it_holds(&operator);
    let named = format!("held by process {}, dsr export, since 20", holder.id());
    let args = ["delete", "--gdpr", "--yes", "a2", "--lock-timeout", "3s"];
    let outcome = operator.run(&args);
    outcome.exits_with(11);
    assert_eq!(times(&outcome.stderr, &named), 2, "{outcome}");
    let json = operator.run(&[&args[..], &["--json"]].concat());
    let message = json.exits_with(11).failure()["message"].to_string();
    assert!(message.contains(&named), "{json}");
    let mark = fs::read_to_string(operator.dsr_home().join("holder.txt")).unwrap();
    assert!(!mark.contains("many"), "no argument of it: {mark}");
    holder.signal("CONT");
    holder.end().exits_with(4);
    operator.run(&args).exits_with(0);
    assert_eq!(fake.posts().len(), 3);
}
