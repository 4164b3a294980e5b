//! If the ledger cannot record what Mixpanel accepted, a receipt keeps it for the next dsr.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Fake, Operator, Outcome, Reply, object_reply, skips_on_postgres, states};

const TASK: &str = "precious \"task\"";

/// Accepts every POST after a second: time to make the ledger unwritable.
fn slow_fake() -> Fake {
    let slow = |task: &str| Reply::After(Duration::from_secs(1), Box::new(object_reply(task)));
    Fake::answering(move |call| match call.place {
        0 => slow(TASK),
        place => slow(&format!("task-{place}")),
    })
}

/// Deletes two ids in two jobs; the ledger becomes unwritable once the first was sent.
fn delete_unrecorded(fake: &Fake) -> (Operator, Outcome) {
    let operator = Operator::at_with(fake, "rate = 1000\ndelete_batch = 1");
    let ids = ["--id", "person-one", "--id", "person-two"];
    let args = ["delete", "--ccpa", "--yes", "--lock-timeout", "1s"];
    let running = operator.start(&[&args[..], &ids].concat());
    fake.wait_for_posts(1);
    let ledger = operator.holds_the_ledger();
    let outcome = running.end();
    drop(ledger);
    (operator, outcome)
}

fn folder(operator: &Operator) -> PathBuf {
    operator.beside_ledger("receipts")
}

fn receipts(operator: &Operator) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder(operator)) else {
        return Vec::new();
    };
    let path = |entry: Result<fs::DirEntry, _>| entry.expect("a folder can be listed").path();
    entries.map(path).collect()
}

fn only_receipt(operator: &Operator) -> PathBuf {
    let mut found = receipts(operator);
    assert_eq!(found.len(), 1, "one receipt file: {found:?}");
    found.remove(0)
}

fn mode(path: &Path) -> u32 {
    let metadata = fs::metadata(path).expect("it is there");
    metadata.permissions().mode() & 0o777
}

fn first_job(operator: &Operator) -> Value {
    operator.only_request()["jobs"][0].clone()
}

#[test]
fn a_task_that_could_not_be_recorded_is_kept_and_recorded_by_the_next_command() {
    let fake = slow_fake();
    let (operator, outcome) = delete_unrecorded(&fake);
    outcome.exits_with(6).says(TASK).says("a receipt is kept");
    assert_eq!(fake.posts().len(), 1, "nothing more is sent");
    let receipt = only_receipt(&operator);
    assert_eq!((mode(&folder(&operator)), mode(&receipt)), (0o700, 0o600));
    let text = fs::read_to_string(&receipt).unwrap();
    let entry: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(entry["task_id"], TASK);
    assert!(!text.contains("person"), "no id of a person: {text}");

    let next = operator.run(&["status", "--cached", "--json"]);
    let next = next.exits_with(0).json();
    assert_eq!(next["warnings"][0]["kind"], "receipts");
    let request = &next["requests"][0];
    assert_eq!(states(request), ["accepted", "planned"]);
    let job = &request["jobs"][0];
    assert_eq!(
        (&job["task_id"], &job["reason"], &job["submitted_at"]),
        (
            &json!(TASK),
            &json!("recorded from a receipt"),
            &entry["accepted_at"].as_str().map(to_milliseconds).into()
        )
    );
    assert!(receipts(&operator).is_empty());
    let again = operator.run(&["status", "--cached", "--json"]).json();
    assert!(again.get("warnings").is_none(), "{again}");
    // The rest can be sent, and what was accepted is not sent again.
    operator.run(&["resume"]).exits_with(0);
    assert_eq!(fake.posted_ids(), ["person-one", "person-two"]);
}

fn to_milliseconds(time: &str) -> Value {
    let (seconds, fraction) = time
        .split_once('.')
        .expect("a clock is finer than a second");
    json!(format!("{seconds}.{}Z", &fraction[..3]))
}

#[test]
fn a_task_that_waits_for_the_ledger_survives_a_kill() {
    let fake = slow_fake();
    let operator = Operator::at_with(&fake, "rate = 1000");
    let args = ["delete", "--ccpa", "--yes", "--id", "person-one"];
    let running = operator.start(&args);
    fake.wait_for_posts(1);
    let ledger = operator.holds_the_ledger();
    let start = Instant::now();
    let written = json!(TASK).to_string();
    while !fs::read_to_string(only_receipt(&operator)).is_ok_and(|text| text.contains(&written)) {
        assert!(start.elapsed() < Duration::from_secs(60), "no receipt");
        sleep(Duration::from_millis(20));
    }
    running.kill();
    drop(ledger);
    operator.run(&["status", "--cached"]).exits_with(0);
    operator.run(&["resume"]).exits_with(0);
    let job = first_job(&operator);
    assert_eq!(job["state"], "accepted");
    assert_eq!(job["task_id"], TASK);
    assert_eq!(fake.posts().len(), 1);
    assert!(receipts(&operator).is_empty());
}

#[test]
fn a_task_that_is_recorded_after_a_wait_leaves_no_receipt() {
    let fake = slow_fake();
    let operator = Operator::at_with(&fake, "rate = 1000");
    let args = ["delete", "--ccpa", "--yes", "--id", "person-one"];
    let running = operator.start(&args);
    fake.wait_for_posts(1);
    let ledger = operator.holds_the_ledger();
    sleep(Duration::from_secs(3));
    drop(ledger);
    running.end().exits_with(0);
    assert_eq!(first_job(&operator)["task_id"], TASK);
    assert!(receipts(&operator).is_empty());
}

#[test]
fn a_job_that_was_called_unknown_in_between_is_accepted_by_its_receipt() {
    let fake = slow_fake();
    let (operator, _) = delete_unrecorded(&fake);
    let receipt = only_receipt(&operator);
    let away = operator.work().join("away");
    fs::rename(&receipt, &away).unwrap();
    assert_eq!(states(&operator.only_request()), ["unknown", "planned"]);
    fs::rename(&away, &receipt).unwrap();
    let job = first_job(&operator);
    assert_eq!(
        (&job["state"], &job["task_id"]),
        (&json!("accepted"), &json!(TASK))
    );
    // A receipt for what the ledger already has changes nothing.
    fs::write(&receipt, format!("{}\n", entry(&operator, TASK))).unwrap();
    let outcome = operator.run(&["status", "--cached"]);
    outcome.exits_with(0).never_says("Warning");
    assert!(receipts(&operator).is_empty());
}

/// A receipt for the first job of the only request.
fn entry(operator: &Operator, task: &str) -> Value {
    let request = operator.only_request()["id"].clone();
    json!({ "request": request, "job": 1, "task_id": task, "accepted_at": "2026-01-02T03:04:05Z" })
}

#[test]
fn a_receipt_that_the_ledger_cannot_take_is_kept_and_said() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    let before = first_job(&operator);
    let receipt = folder(&operator).join("0b0e0f3a-left-behind.jsonl");
    let other = entry(&operator, "another-task").to_string();
    let elsewhere = other.replace("\"request\":\"", "\"request\":\"z");
    // With a server it is the second task of a job that another host sent again.
    let other = (!operator.is_on_server()).then_some(other.as_str());
    let texts = [elsewhere.as_str(), "{\"request\":", "[]"];
    for text in other.into_iter().chain(texts) {
        fs::write(&receipt, format!("{text}\n\n\n")).unwrap();
        let outcome = operator.run(&["status", "--cached"]);
        outcome.exits_with(0).says("Warning").says("receipt");
        let names = text.contains("another-task");
        assert_eq!(outcome.stderr.contains("another-task"), names, "{outcome}");
        assert!(receipt.exists(), "{outcome}");
        assert_eq!(first_job(&operator), before);
    }
}

#[test]
fn the_receipt_file_is_there_before_the_first_post_and_gone_after_a_normal_end() {
    let slow = Reply::After(Duration::from_secs(1), Box::new(object_reply("t-1")));
    let fake = Fake::answering_post(0, slow);
    let operator = Operator::at(&fake);
    let running = operator.start(&["export", "--gdpr", "a1"]);
    fake.wait_for_posts(1);
    let receipt = only_receipt(&operator);
    assert!(
        fs::metadata(&receipt).unwrap().len() >= 4096,
        "its room is taken beforehand"
    );
    assert_eq!(mode(&receipt), 0o600);
    // Another command leaves it alone: its writer still runs.
    operator.run(&["status", "--cached"]).exits_with(0);
    assert_eq!(only_receipt(&operator), receipt);
    running.end().exits_with(0);
    assert!(receipts(&operator).is_empty());
    operator.run(&["status"]).exits_with(0);
    assert!(receipts(&operator).is_empty(), "asking needs none");
}

#[test]
fn an_empty_receipt_file_of_a_killed_dsr_is_cleared_away() {
    let fake = Fake::answering_post(0, Reply::Hang);
    let operator = Operator::at(&fake);
    let running = operator.start(&["export", "--gdpr", "a1"]);
    fake.wait_for_posts(1);
    running.kill();
    only_receipt(&operator);
    let outcome = operator.run(&["status", "--cached"]);
    outcome
        .exits_with(0)
        .never_says("a receipt")
        .never_says("receipts");
    assert!(receipts(&operator).is_empty());
}

#[test]
fn without_room_for_a_receipt_nothing_is_sent() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    // With a server, the first command makes the folder around it.
    if operator.is_on_server() {
        operator.run(&["status", "--cached"]).exits_with(0);
    }
    fs::write(folder(&operator), "a file where a folder should be").unwrap();
    let args = ["delete", "--gdpr", "--yes", "a1"];
    let outcome = operator.run(&args);
    outcome.exits_with(74).did_not_panic().says("move it away");
    fake.was_not_called();
    fs::remove_file(folder(&operator)).unwrap();
    operator.run(&args).exits_with(0);
    assert_eq!(fake.posts().len(), 1);
    assert_eq!(states(&operator.only_request()), ["accepted"]);
}

#[test]
fn a_disk_that_is_full_after_acceptance_leaves_a_receipt_or_at_least_the_task_on_the_screen() {
    if skips_on_postgres("the disk is the ledger's") {
        return;
    }
    // Limits the size of files: the ledger cannot grow, and the receipt's room is reserved already.
    for (bytes, hint, state) in [
        ("4096", "a receipt is kept", "accepted"),
        ("0", "write the task id down", "unknown"),
    ] {
        let fake = slow_fake();
        let operator = Operator::at_with(&fake, "rate = 1000\ndelete_batch = 1");
        let ids = ["--id", "a1", "--id", "a2"];
        let args = [&["delete", "--gdpr", "--yes"][..], &ids].concat();
        let running = operator.start(&args);
        fake.wait_for_posts(1);
        let process = running.id().to_string();
        let limited = Command::new("prlimit")
            .args(["--pid", &process, &format!("--fsize={bytes}")])
            .status();
        assert!(limited.unwrap().success());
        running.end().exits_with(6).says(TASK).says(hint);
        assert_eq!(fake.posts().len(), 1);
        assert_eq!(first_job(&operator)["state"], state);
        assert!(receipts(&operator).is_empty());
    }
}
