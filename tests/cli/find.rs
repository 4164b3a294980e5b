//! `dsr find`: was this person exported or erased, when, and under which task?

use std::time::{Duration, Instant};

use serde_json::json;

use crate::minimisation::with_key;
use crate::support::{Fake, Operator, Reply, csv_of, object_reply, people};

fn half_done() -> Fake {
    Fake::answering(|call| {
        let is_deletion = call.path.contains("deletions");
        let word = if is_deletion { "SUCCESS" } else { "PENDING" };
        let results = json!({ "status": word, "distinct_ids": [] });
        match call.is_post() {
            true => object_reply(&format!("t-{}", call.place)),
            false => Reply::json(200, &json!({ "status": "ok", "results": results })),
        }
    })
}

/// One request that has ended and one that has not, with one person in both.
fn with_records(fake: &Fake) -> Operator {
    let operator = with_key(fake, "rate = 1000");
    for args in [
        &[
            "delete",
            "--gdpr",
            "--yes",
            "--id",
            "erased@x.test",
            "--id",
            "both@x.test",
            "--ref",
            "T-1",
        ][..],
        &[
            "export",
            "--ccpa",
            "--id",
            "exported@x.test",
            "--id",
            "both@x.test",
        ],
        &["status", "--refresh"],
    ] {
        operator.run(args).exits_with(0);
    }
    operator
}

#[test]
fn each_person_is_found_with_every_request_they_were_in() {
    let fake = half_done();
    let operator = with_records(&fake);
    let list = "distinct_id\nnobody@x.test\nerased@x.test\nboth@x.test\nBoth@x.test\nboth@x.test\n";
    operator.file("ask.csv", list);
    let calls = fake.calls().len();
    let outcome = operator.run(&["find", "ask.csv", "--id", "exported@x.test", "--json"]);
    let found = outcome.exits_with(0).json();
    assert_eq!(
        (&found["found"], &found["not_found"]),
        (&json!(3), &json!(2))
    );
    let people = found["people"].as_array().unwrap();
    let kinds = |person: usize| -> Vec<&str> {
        let jobs = people[person]["jobs"].as_array().unwrap();
        jobs.iter()
            .map(|job| job["kind"].as_str().unwrap())
            .collect()
    };
    assert_eq!(people.len(), 5, "each once");
    let lines: Vec<_> = people.iter().map(|person| person["line"].clone()).collect();
    assert_eq!(lines, [json!(2), json!(3), json!(4), json!(5), json!(null)]);
    assert_eq!(people[4]["argument"], 1);
    let verdicts: Vec<_> = people.iter().map(|one| one["verdict"].clone()).collect();
    let expected = [
        "not_found",
        "erased",
        "erased",
        "not_found",
        "only_in_exports",
    ];
    assert_eq!(verdicts, expected.map(|verdict| json!(verdict)));
    assert_eq!(kinds(0), [""; 0]);
    assert_eq!(kinds(1), ["delete"]);
    assert_eq!(kinds(2), ["delete", "export"]);
    assert_eq!(kinds(3), [""; 0], "another person");
    assert_eq!(kinds(4), ["export"]);
    let erased = &people[1]["jobs"][0];
    assert_eq!(
        (&erased["state"], &erased["law"]),
        (&json!("done"), &json!("gdpr"))
    );
    assert_eq!(
        (&erased["task_id"], &erased["ref"]),
        (&json!("t-0"), &json!("T-1"))
    );
    assert!(erased["ended_at"].is_string() && erased["submitted_at"].is_string());
    let exported = &people[4]["jobs"][0];
    assert_eq!(exported["state"], "accepted");
    assert_eq!(exported["ended_at"], json!(null));
    assert_eq!(fake.calls().len(), calls, "nobody was asked");
}

#[test]
fn people_are_named_by_place_and_hash_and_never_by_their_id() {
    let fake = half_done();
    let operator = with_records(&fake);
    operator.file("ask.csv", "distinct_id\nnobody@x.test\nboth@x.test\n");
    let args = ["find", "ask.csv", "--id", "erased@x.test", "-vvv"];
    let outcome = operator.run(&args);
    outcome.exits_with(0).never_says("x.test");
    let hash = operator.run(&["find", "erased@x.test", "--json"]).json();
    let hash = hash["people"][0]["hash"].as_str().unwrap().to_owned();
    assert_eq!(hash.len(), 8);
    for text in [
        "Found 2 of 3 people: ",
        "Not found: `ask.csv`, line 2",
        "`ask.csv`, line 3",
        "id 1",
        "t-0",
        "done",
        &hash,
    ] {
        assert!(outcome.stdout.contains(text), "no `{text}`\n{outcome}");
    }
}

#[test]
fn the_status_tells_of_somebody_missing_only_where_that_is_asked_for() {
    let fake = half_done();
    let operator = with_records(&fake);
    for (args, status) in [
        (&["find", "nobody"][..], 0),
        (&["find", "nobody", "--exit-status"], 1),
        (
            &[
                "find",
                "--id",
                "erased@x.test",
                "--id",
                "nobody",
                "--exit-status",
            ],
            1,
        ),
        (&["find", "erased@x.test", "--exit-status"], 0),
        (
            &[
                "find",
                "erased@x.test",
                "--exit-status",
                "--project",
                "other",
            ],
            1,
        ),
        (&["find"], 2),
        (&["find", "missing.csv"], 2),
        (&["find", "null"], 5),
    ] {
        operator.run(args).exits_with(status);
    }
    let piped = operator.run_with_input(
        &["find", "-", "--format", "text", "--exit-status"],
        "erased@x.test\nboth@x.test\n",
    );
    piped.exits_with(0);
}

#[test]
fn people_are_hashed_as_they_were_for_the_deletion() {
    let fake = half_done();
    let operator = with_key(&fake, "rate = 1000");
    let hashing = ["--hash", "sha256", "--hash-prefix", "u_"];
    let delete = [&["delete", "--gdpr", "--yes", "ann@x.test"][..], &hashing].concat();
    operator.run(&delete).exits_with(0);
    operator.run(&["status", "--refresh"]).exits_with(0);
    let find = [&["find", "ann@x.test", "--json"][..], &hashing].concat();
    assert_eq!(operator.run(&find).json()["found"], 1);
    assert_eq!(operator.run(&find[..3]).json()["found"], 0);
}

#[test]
fn without_the_key_of_those_who_are_hashed_nobody_is_said_not_to_be_there() {
    let fake = half_done();
    let operator = with_records(&fake).without("DSR_LEDGER_KEY_FILE");
    let outcome = operator.run(&["find", "erased@x.test", "--json"]);
    assert_eq!(outcome.exits_with(2).failure()["kind"], "ledger_key");
    assert_eq!(outcome.stdout, "");
    // dsr makes no new key beside the missing one.
    let other = operator.run(&["auth", "ledger-key", "--to", "new.key"]);
    other.exits_with(2);
    assert!(!operator.work().join("new.key").exists());
    for args in [
        &["find", "erased@x.test"][..],
        &["auth", "ledger-key"],
        &["auth", "ledger-key", "--to", "new.key"],
    ] {
        operator.run(args).exits_with(2).says("DSR_LEDGER_KEY_FILE");
    }
    let doctor = operator.doctor();
    assert!(doctor.stdout.contains("ledger key"), "{doctor}");
    assert!(doctor.stdout.contains("DSR_LEDGER_KEY_FILE"), "{doctor}");
}

#[test]
fn damaged_hashes_are_no_proof_that_somebody_is_not_there() {
    let fake = half_done();
    let operator = with_records(&fake);
    operator.tamper_with("UPDATE people SET hashes = zeroblob(2)");
    operator
        .run(&["find", "nobody"])
        .exits_with(74)
        .says("dsr doctor");
}

#[test]
fn ten_thousand_are_looked_up_among_many_in_seconds() {
    let fake = half_done();
    let operator = with_key(&fake, "rate = 1000\ndelete_batch = 500");
    let all = people(20_000);
    operator.file("all.csv", csv_of(&all, None));
    operator
        .run(&["delete", "--gdpr", "--yes", "all.csv"])
        .exits_with(0);
    operator.change_ledger("UPDATE jobs SET state = 'done' WHERE number > 20");
    operator.run(&["status", "--refresh"]).exits_with(0);
    let asked = people(25_000).split_off(15_000);
    operator.file("asked.csv", csv_of(&asked, None));
    let start = Instant::now();
    let found = operator.run(&["find", "asked.csv", "--json"]).json();
    assert_eq!(
        (&found["found"], &found["not_found"]),
        (&json!(5000), &json!(5000))
    );
    assert!(
        start.elapsed() < Duration::from_secs(30),
        "{:?}",
        start.elapsed()
    );
}
