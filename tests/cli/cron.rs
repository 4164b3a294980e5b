//! `dsr status` for scripts: `--exit-status` says how things stand, `--changes` only what is new.

use rusqlite::Connection;
use serde_json::Value;

use crate::support::{
    Fake, NOWHERE, Operator, Reply, Running, object_reply, states, status_reply, usual,
};

fn saying(status: &'static str) -> Fake {
    Fake::answering(move |call| match call.is_post() {
        true => object_reply(&format!("task-{}", call.place)),
        false => status_reply(status),
    })
}

fn operator_with_two_jobs(fake: &Fake) -> Operator {
    let operator = Operator::at_with(fake, "rate = 1000\ndelete_batch = 1");
    let args = ["delete", "--gdpr", "--yes", "--id", "a1", "--id", "a2"];
    operator.run(&args).exits_with(0);
    operator
}

#[test]
fn each_way_to_stand_has_its_status_and_the_most_pressing_wins() {
    let fake = Fake::start();
    let operator = operator_with_two_jobs(&fake);
    let set = |job: u8, state: &str| {
        operator.change_ledger(&format!(
            "UPDATE jobs SET state = '{state}' WHERE number = {job}"
        ));
    };
    let overdue = |is_overdue: bool| {
        let due = if is_overdue {
            "2020-01-01"
        } else {
            "2099-01-01"
        };
        operator.change_ledger(&format!("UPDATE requests SET due = '{due}'"));
    };
    for (one, two, is_overdue, status) in [
        ("accepted", "done", false, 8),
        ("running", "done", false, 8),
        ("planned", "accepted", false, 75),
        ("deferred", "accepted", false, 75),
        ("accepted", "done", true, 9),
        ("planned", "accepted", true, 9),
        ("refused", "accepted", true, 3),
        ("failed", "refused", true, 7),
        ("revoked", "accepted", true, 7),
        ("unknown", "failed", true, 6),
        ("unknown", "planned", false, 6),
    ] {
        set(1, one);
        set(2, two);
        overdue(is_overdue);
        let args = ["status", "--all", "--cached", "--exit-status"];
        let outcome = operator.run(&args);
        assert_eq!(
            outcome.status,
            Some(status),
            "{one} {two} {is_overdue}\n{outcome}"
        );
        let told = operator.run(&args[..3]);
        assert_eq!(told.status, Some(0), "only if it is asked for\n{told}");
    }
    set(1, "done");
    set(2, "done");
    let done = ["status", "--all", "--cached", "--exit-status"];
    operator.run(&done).exits_with(0);
    overdue(true);
    operator.run(&done).exits_with(0);
    set(1, "unknown");
    operator.change_ledger(
        "UPDATE jobs SET abandoned_at = '2026-01-02T03:04:05.000Z' WHERE number = 1",
    );
    operator.run(&done).exits_with(0);
    assert!(fake.gets().is_empty());
}

#[test]
fn what_mixpanel_says_now_decides_the_status() {
    for (status, expected) in [
        ("PENDING", 8),
        ("SUCCESS", 0),
        ("FAILURE", 7),
        ("NOT_FOUND", 7),
    ] {
        let fake = saying(status);
        let operator = operator_with_two_jobs(&fake);
        let outcome = operator.run(&["status", "--exit-status"]);
        assert_eq!(outcome.status, Some(expected), "{status}\n{outcome}");
        assert!(fake.gets().len() >= 2);
    }
    let fake = Fake::answering(|call| match call.is_post() {
        true => object_reply(&format!("t-{}", call.place)),
        false => Reply::error(502, "later"),
    });
    let operator = operator_with_two_jobs(&fake);
    operator.run(&["status", "--exit-status"]).exits_with(75);
}

#[test]
fn a_look_at_the_changes_is_silent_when_there_are_none() {
    let fake = saying("PENDING");
    let operator = operator_with_two_jobs(&fake);
    let first = operator.run(&["status", "--changes"]);
    first.exits_with(0);
    assert!(
        first.stdout.contains("task-0") && first.stdout.contains("task-1"),
        "{first}"
    );
    operator.make_due();
    for args in [
        &["status", "--changes"][..],
        &["status", "--changes", "--json"],
        &["status", "--changes", "--cached", "--exit-status"],
    ] {
        let outcome = operator.run(args);
        assert_eq!(
            (outcome.stdout.as_str(), outcome.stderr.as_str()),
            ("", ""),
            "{outcome}"
        );
        assert_eq!(
            outcome.status,
            Some(if args.len() == 4 { 8 } else { 0 }),
            "{outcome}"
        );
    }
    assert_eq!(fake.gets().len(), 4, "each job was asked about twice");
}

#[test]
fn warnings_wait_until_something_is_said() {
    let fake = saying("PENDING");
    let operator = operator_with_two_jobs(&fake).with("DSR_TOKEN_ISSUED", &days_ago(350));
    operator.run(&["status", "--cached"]).says("expires on");
    let first = operator.run(&["status", "--changes"]);
    first.exits_with(0).says("expires on");
    operator.make_due();
    let silent = operator.run(&["status", "--changes"]);
    assert_eq!((silent.stdout.as_str(), silent.stderr.as_str()), ("", ""));
    assert_eq!(fake.gets().len(), 4);
    operator.make_due();
    let unreachable = operator.with("DSR_API_URL", NOWHERE);
    let failed = unreachable.run(&["status", "--changes"]);
    failed
        .exits_with(75)
        .says("expires on")
        .says("could not ask Mixpanel");
}

#[expect(clippy::disallowed_methods, reason = "the clock is the test's")]
fn days_ago(days: i64) -> String {
    (chrono::Utc::now() - chrono::TimeDelta::days(days))
        .date_naive()
        .to_string()
}

#[test]
fn only_what_changed_is_told_and_only_once() {
    let fake = Fake::answering(|call| match (call.is_post(), call.place) {
        (true, _) => object_reply(&format!("task-{}", call.place)),
        (false, 0..2) => status_reply("PENDING"),
        (false, _) if call.task() == "task-1" => status_reply("SUCCESS"),
        (false, _) => status_reply("PENDING"),
    });
    let operator = operator_with_two_jobs(&fake);
    operator.run(&["export", "--gdpr", "a9"]).exits_with(0);
    operator
        .run(&["status", "--changes", "--json"])
        .exits_with(0);
    operator.make_due();
    let told = operator
        .run(&["status", "--changes", "--json"])
        .exits_with(0)
        .json();
    let requests = told["requests"].as_array().unwrap();
    assert_eq!(requests.len(), 1, "{told}");
    assert_eq!(requests[0]["kind"], "delete");
    assert_eq!(states(&requests[0]), ["done"]);
    assert_eq!(requests[0]["jobs"][0]["task_id"], "task-1");
    let again = operator.run(&["status", "--changes", "--json"]);
    assert_eq!(again.stdout, "", "{again}");
}

#[test]
fn what_another_process_saw_end_is_told_too_and_counts_for_the_status() {
    let fake = saying("FAILURE");
    let operator = operator_with_two_jobs(&fake);
    operator.run(&["status"]).exits_with(0);
    let plain = operator.run(&["status", "--exit-status"]);
    plain.exits_with(0);
    let told = operator.run(&["status", "--changes", "--exit-status"]);
    told.exits_with(7);
    assert!(told.stdout.contains("FAILURE"), "{told}");
    let silent = operator.run(&["status", "--changes", "--exit-status"]);
    silent.exits_with(0);
    assert_eq!(silent.stdout, "");
}

#[test]
fn a_look_at_one_request_leaves_the_others_changes_untold() {
    let fake = saying("PENDING");
    let operator = operator_with_two_jobs(&fake);
    operator.run(&["export", "--gdpr", "a9"]).exits_with(0);
    let requests = operator.requests();
    let id = |kind: &str| {
        let found = requests.iter().find(|request| request["kind"] == kind);
        found.unwrap()["id"].as_str().unwrap().to_owned()
    };
    let told = |args: &[&str]| -> Vec<Value> {
        let args = [&["status", "--changes", "--cached", "--json"], args].concat();
        let outcome = operator.run(&args);
        outcome.exits_with(0);
        let lines = outcome.json_lines();
        let ids = |line: &Value| match line["requests"].as_array() {
            Some(requests) => requests.iter().map(|r| r["id"].clone()).collect(),
            None => vec![line["request"]["id"].clone()],
        };
        lines.iter().flat_map(ids).collect()
    };
    assert_eq!(told(&[&id("export")]), [id("export")]);
    let other = ["status", "--changes", "--cached", "--project", "other"];
    operator.run(&other).exits_with(2).says("no project");
    assert_eq!(told(&[]), [id("delete")]);
    assert_eq!(told(&[]), [""; 0]);
}

#[test]
fn what_could_not_be_told_is_told_at_the_next_look() {
    let fake = saying("PENDING");
    let operator = operator_with_two_jobs(&fake);
    let args = ["status", "--changes", "--cached"];
    // The reader has gone away.
    let gone = operator.script(r#"(sleep 0.3; "$0" "$@") | true"#, &args);
    Running::start(gone, "").end().exits_with(0);
    let full = operator.script(r#""$0" "$@" > /dev/full"#, &args);
    Running::start(full, "").end().exits_with(74);
    // It is shown, and cannot be recorded as shown.
    let held = Connection::open(operator.dsr_home().join("ledger.db")).unwrap();
    held.execute_batch("BEGIN IMMEDIATE").unwrap();
    let outcome = operator.run(&[&args[..], &["--lock-timeout", "100ms"]].concat());
    outcome.exits_with(11);
    assert!(outcome.stdout.contains("task-0"), "told first\n{outcome}");
    drop(held);
    let outcome = operator.run(&args);
    outcome.exits_with(0);
    assert!(outcome.stdout.contains("task-0"), "{outcome}");
    let outcome = operator.run(&args);
    assert_eq!(outcome.stdout, "");
}

#[test]
fn two_looks_at_once_lose_nothing() {
    let fake = Fake::answering(|call| match call.is_post() {
        true => usual(call),
        false => status_reply("STARTED"),
    });
    let operator = operator_with_two_jobs(&fake);
    operator
        .run(&["status", "--changes", "--cached"])
        .exits_with(0);
    let looks: Vec<_> = (0..3)
        .map(|_| operator.start(&["status", "--changes", "--json"]))
        .collect();
    let mut told: Vec<String> = Vec::new();
    for look in looks {
        let outcome = look.end();
        outcome.exits_with(0);
        for line in outcome.json_lines() {
            let jobs = line["requests"][0]["jobs"].as_array().unwrap().clone();
            told.extend(
                jobs.iter()
                    .map(|job| job["id"].as_str().unwrap().to_owned()),
            );
        }
    }
    told.sort();
    told.dedup();
    assert_eq!(told.len(), 2, "each change at least once");
    let last = operator.run(&["status", "--changes", "--cached"]);
    assert_eq!(last.stdout, "");
}
