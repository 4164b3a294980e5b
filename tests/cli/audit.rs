//! `dsr audit`: reports who did what, and finds changes.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::minimisation::with_key;
use crate::support::{
    Call, Fake, Operator, Reply, Running, csv_of, object_reply, people, skips_on_postgres,
};

fn quick() -> Fake {
    let results = json!({ "status": "SUCCESS", "distinct_ids": [] });
    let status = Reply::json(200, &json!({ "status": "ok", "results": results }));
    Fake::answering(move |call: &Call| match call.is_post() {
        true => object_reply(&format!("t-{}", call.place)),
        false => status.clone(),
    })
}

fn with_deletion(fake: &Fake) -> (Operator, String) {
    let operator = with_key(fake, "rate = 1000\ndelete_batch = 2");
    operator.file("ids.csv", csv_of(&people(6), None));
    let args = ["delete", "--gdpr", "--yes", "--ref", "T-17", "ids.csv"];
    operator.run(&args).exits_with(0);
    let request = operator.only_request()["id"].as_str().map(str::to_owned);
    (operator, request.expect("a request has an id"))
}

fn entries(operator: &Operator, args: &[&str]) -> Vec<Value> {
    let args = [&["audit", "log", "--json"], args].concat();
    let outcome = operator.run(&args);
    let audit = outcome.exits_with(0).json()["audit"].clone();
    audit["entries"].as_array().cloned().expect("entries")
}

fn said_by(program: &str, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output();
    let output = output.expect("the program can be run").stdout;
    String::from_utf8_lossy(&output).trim().to_owned()
}

#[test]
fn the_trail_says_who_did_what_whatever_the_environment_claims() {
    let fake = quick();
    let (mut operator, request) = with_deletion(&fake);
    operator.set("USER", "eve");
    operator.set("LOGNAME", "eve");
    operator.run(&["status", "--refresh"]).exits_with(0);
    let told = entries(&operator, &[&request[..6]]);
    let events: Vec<&str> = told.iter().filter_map(|e| e["event"].as_str()).collect();
    let moves = ["job_moved"; 9];
    let hashed = ["job_noted", "job_noted", "job_noted", "ids_hashed"];
    let expected = [&["request_recorded"][..], &moves, &hashed].concat();
    assert_eq!(events, expected);
    let (user, host) = (said_by("id", "-un"), said_by("uname", "-n"));
    for entry in &told {
        assert_eq!(
            (&entry["user"], &entry["host"]),
            (&json!(user), &json!(host))
        );
        assert_eq!(entry["request_id"], request.as_str());
    }
    assert_eq!(told[0]["command"], "dsr delete");
    assert_eq!(told[0]["details"]["reference"], "T-17");
    assert_eq!(told[9]["command"], "dsr status");
    assert_eq!(told[9]["details"]["state"], "done");
    let last = entries(&operator, &["--last", "2"]);
    assert_eq!(last.len(), 2);
    assert_eq!(Some(&last[1]), told.last());
}

#[test]
fn a_whole_trail_is_verified_with_and_without_heads_from_elsewhere() {
    let fake = quick();
    let (operator, _) = with_deletion(&fake);
    let early = operator
        .run(&["audit", "head"])
        .exits_with(0)
        .stdout
        .clone();
    operator.run(&["status", "--refresh"]).exits_with(0);
    let head = operator
        .run(&["audit", "head", "--json"])
        .exits_with(0)
        .json();
    let head = &head["audit"]["head"];
    let late = format!(
        "{}:{}",
        head["count"],
        head["hash"].as_str().unwrap_or_default()
    );
    operator.file("heads", format!("{early}\n{late}\n"));
    for (given, count) in [(late.as_str(), 1), ("heads", 2)] {
        let outcome = operator.run(&["audit", "verify", "--json", "--head", given]);
        let audit = outcome.exits_with(0).json()["audit"].clone();
        assert_eq!((&audit["whole"], &audit["jobs"]), (&json!(true), &json!(3)));
        assert_eq!(audit["anchored"].as_array().map(Vec::len), Some(count));
    }
    let piped = ["audit", "verify", "--head", "-"];
    operator.run_with_input(&piped, &early).exits_with(0);
    let (count, hash) = late.split_once(':').expect("a head");
    let other = format!("{count}:{}", hash.chars().rev().collect::<String>());
    let further = format!("999:{hash}");
    for (given, kind) in [(other, "anchor_differs"), (further, "anchor_missing")] {
        let outcome = operator.run(&["audit", "verify", "--json", "--head", &given]);
        outcome.exits_with(74);
        assert_eq!(outcome.json()["audit"]["findings"][0]["kind"], kind);
    }
    for bad in ["no-such-file", "5:xyz"] {
        let outcome = operator.run(&["audit", "verify", "--head", bad]);
        outcome.exits_with(2).says("dsr audit head");
    }
    operator.file("bad", "5:xyz\n");
    operator
        .run(&["audit", "verify", "--head", "bad"])
        .exits_with(2)
        .says("line 1");
}

#[test]
fn a_changed_entry_is_named_and_the_doctor_sees_it_too() {
    let fake = quick();
    let (operator, _) = with_deletion(&fake);
    let cases = [
        (
            "UPDATE audit SET actor_user = 'eve' WHERE seq = 4",
            "entry_changed",
            4,
        ),
        ("DELETE FROM audit WHERE seq = 6", "entries_missing", 6),
        ("DELETE FROM audit WHERE seq = 8", "entries_missing", 8),
    ];
    let whole = operator.copies_ledger();
    for (change, kind, entry) in cases {
        operator.puts_back(&whole);
        operator.change_trail(change);
        let outcome = operator.run(&["audit", "verify", "--json"]);
        outcome.exits_with(74);
        let audit = &outcome.json()["audit"];
        assert_eq!(audit["whole"], false);
        let first = &audit["findings"][0];
        assert_eq!(
            (&first["kind"], &first["entry"]),
            (&json!(kind), &json!(entry))
        );
        let said = operator.run(&["audit", "verify"]);
        said.exits_with(74);
        assert!(said.stdout.contains(&format!("entry {entry}")), "{said}");
        let doctor = operator.doctor();
        doctor.exits_with(74);
        assert!(doctor.stdout.contains("dsr audit verify"), "{doctor}");
        assert!(
            !operator.trail_faults().is_empty(),
            "the tests' own check sees it"
        );
    }
    operator.puts_back(&whole);
    // Without the head dsr records nothing more, and so sends nothing.
    operator.change_trail("DELETE FROM audit_head");
    let posts = fake.posts().len();
    let refused = operator.run(&["delete", "--gdpr", "--yes", "somebody-else"]);
    refused.exits_with(74).says("dsr audit verify");
    assert_eq!(fake.posts().len(), posts);
}

#[test]
fn a_record_changed_behind_the_trails_back_is_named() {
    let fake = quick();
    let (operator, request) = with_deletion(&fake);
    operator.tamper_with("UPDATE jobs SET state = 'done', task_id = 't-9' WHERE number = 2");
    let outcome = operator.run(&["audit", "verify", "--json"]);
    outcome.exits_with(74);
    let found = outcome.json()["audit"]["findings"].clone();
    assert_eq!(found.as_array().map(Vec::len), Some(1), "{found}");
    assert_eq!(found[0]["kind"], "job_differs");
    assert_eq!(found[0]["job_id"], format!("{request}-2"));
    assert_eq!(
        operator.untold_jobs().len(),
        1,
        "the tests' own check sees it"
    );
}

#[test]
fn two_processes_at_once_write_one_chain() {
    let fake = quick();
    let operator = with_key(&fake, "rate = 1000\ndelete_batch = 1\nexport_batch = 1");
    operator.file("a.csv", csv_of(&people(30), None));
    let delete = operator.start(&["delete", "--gdpr", "--yes", "a.csv"]);
    let export = operator.start(&["export", "--gdpr", "a.csv"]);
    for running in [delete, export] {
        Running::end(running).exits_with(0);
    }
    let told = entries(&operator, &["--last", "1000"]);
    let count = |command| told.iter().filter(|e| e["command"] == command).count();
    assert!(
        count("dsr delete") > 60 && count("dsr export") > 60,
        "{}",
        told.len()
    );
    operator.run(&["audit", "verify"]).exits_with(0);
    assert_eq!(operator.untold_jobs(), [""; 0]);
}

#[test]
fn purged_requests_stay_in_the_trail_without_their_people() {
    let fake = quick();
    let (operator, request) = with_deletion(&fake);
    operator.run(&["status", "--refresh"]).exits_with(0);
    operator.change_ledger(
        "UPDATE requests SET created = '2020-01-01T00:00:00.000Z';
         UPDATE steps SET at = '2020-01-01T00:00:00.000Z';
         UPDATE jobs SET checked_at = '2020-01-01T00:00:00.000Z'",
    );
    let purge = ["purge", "--older-than", "3years", "--yes"];
    operator.run(&purge).exits_with(0);
    assert!(operator.requests().is_empty());
    let told = entries(&operator, &[&request[..8]]);
    assert_eq!(
        told.last().map(|e| &e["event"]),
        Some(&json!("request_purged"))
    );
    let audit = operator
        .run(&["audit", "verify", "--json"])
        .exits_with(0)
        .json();
    assert_eq!(audit["audit"]["requests"]["purged"], 1);
}

#[test]
fn without_a_ledger_there_is_nothing_to_verify() {
    if skips_on_postgres("a server has a ledger before anybody uses it") {
        return;
    }
    let fake = quick();
    let operator = Operator::at(&fake);
    operator
        .run(&["audit", "verify"])
        .exits_with(74)
        .says("no ledger");
    assert!(!operator.dsr_home().join("ledger.db").exists());
    operator.run(&["audit", "log", "nobody"]).exits_with(74);
}

#[test]
fn the_documented_script_recomputes_every_hash() {
    if skips_on_postgres("the script reads a file") {
        return;
    }
    let architecture = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/design/audit-trail.md");
    let text = fs::read_to_string(architecture).expect("it is there");
    let (_, script) = text.split_once("```python\n").expect("it has the script");
    let (script, _) = script.split_once("```").expect("the script ends");
    assert!(script.lines().count() <= 20, "an auditor reads it");
    if Command::new("python3").arg("-V").output().is_err() {
        println!("skipped: there is no python3");
        return;
    }
    let fake = quick();
    let (operator, _) = with_deletion(&fake);
    operator.file("verify.py", script);
    let path = operator.dsr_home().join("ledger.db");
    let run = || {
        let mut python = Command::new("python3");
        let python = python.arg(operator.work().join("verify.py")).arg(&path);
        let output = python.output().expect("python3 runs");
        (
            output.status.success(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
        )
    };
    let head = operator.run(&["audit", "head"]).stdout.clone();
    let head = head.split(' ').next().unwrap_or_default().to_owned();
    assert_eq!(run(), (true, format!("{head}\n")));
    operator.change_trail("UPDATE audit SET command = 'dsr export' WHERE seq = 3");
    let (success, said) = run();
    assert!(!success && said.contains('3'), "{said}");
}
