//! After a set-back was accepted: what dsr says of the time that the ledger lacks for good.

use serde_json::json;

use crate::set_back::{head_of, seen_by, set_back};
use crate::support::{Fake, Operator, Reply, object_reply, states};

#[test]
fn after_an_accepted_set_back_nothing_speaks_for_the_lost_time() {
    let fake = Fake::start();
    let operator = set_back(&fake);
    operator.run(&["ledger", "accept", "--yes"]).exits_with(0);
    let found = operator.run(&["find", "--id", "b1"]);
    found
        .exits_with(0)
        .says("lacks what was recorded from")
        .says("people may have been erased in that time");
    let json = operator.run(&["find", "--id", "b1", "--json"]).json();
    assert_eq!(json["warnings"][0]["kind"], "set_back_accepted");
    let status = operator.run(&["status", "--cached", "--all"]);
    status.exits_with(0).says("lacks what was recorded from");
    assert_eq!(status.stderr.matches("older copy").count(), 1, "{status}");
    let page = operator.run(&["report"]);
    let elsewhere = page
        .exits_with(0)
        .stdout
        .split("What this report leaves out")
        .nth(1);
    let elsewhere = elsewhere.expect("a section");
    assert!(elsewhere.contains("was set back"), "{elsewhere}");
    let report = operator.run(&["report", "--json"]).exits_with(0).json();
    let spans = &report["report"]["evidence"]["period"]["set_backs"];
    assert!(spans[0]["entries"].as_u64() > Some(0), "{spans}");
    for key in ["since", "accepted_at"] {
        assert!(spans[0][key].is_string(), "{spans}");
    }
}

/// As after a failover, or when the whole machine was set back.
#[test]
fn what_nobody_has_seen_is_in_doubt_by_the_operators_word() {
    let fake = Fake::answering_post(0, Reply::error(401, "no"));
    let operator = Operator::at_with(&fake, "rate = 1000");
    operator
        .run(&["delete", "--gdpr", "--yes", "b1"])
        .exits_with(4);
    let copy = operator.copies_ledger();
    let note = operator.beside_ledger("seen-head");
    let seen = std::fs::read(&note).expect("it is noted");
    operator.run(&["resume"]).exits_with(0);
    operator.puts_back(&copy);
    std::fs::write(&note, seen).expect("the note can be written");

    let nothing = operator.run(&["ledger", "accept", "--yes"]);
    nothing
        .exits_with(0)
        .says("dsr ledger accept --lost-since 20");
    assert_eq!(states(&operator.only_request()), ["planned"]);
    let accept = ["ledger", "accept", "--lost-since", "2020-01-01T00:00:00Z"];
    operator.run(&accept).exits_with(2).says("--yes");
    assert_eq!(states(&operator.only_request()), ["planned"]);
    let json = operator.run(&[&accept[..], &["--yes", "--json"]].concat());
    let json = json.exits_with(0).json();
    assert_eq!(json["accepted"]["unknown"]["jobs"], 1, "{json}");
    assert_eq!(states(&operator.only_request()), ["unknown"]);
    operator.run(&["resume"]).exits_with(6);
    assert_eq!(fake.posts().len(), 2, "nothing is sent again");
    let shown = operator.run(&["ledger", "status"]);
    let text = shown.exits_with(0).stdout.replace('\n', " ");
    assert!(text.contains("from 2020-01-01 00:00:00 UTC"), "{shown}");
    operator.run(&["audit", "verify"]).exits_with(0);
    // The same word again is no second loss.
    let again = operator.run(&[&accept[..], &["--yes"]].concat());
    again.exits_with(0);
    let entries = "SELECT event FROM audit WHERE event = 'set_back_accepted'";
    assert_eq!(operator.ledger_texts(entries).len(), 1);
}

#[test]
fn where_nothing_was_set_back_nothing_is_said_of_it() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    for args in [&["find", "b1"][..], &["status"], &["report"]] {
        operator
            .run(args)
            .exits_with(0)
            .never_says("set back")
            .never_says("older copy");
    }
    let report = operator.run(&["report", "--json"]).json();
    assert_eq!(
        report["report"]["evidence"]["period"]["set_backs"],
        json!([])
    );
}

#[test]
fn the_status_of_an_accepted_ledger_says_what_it_lacks() {
    let fake = Fake::start();
    let operator = set_back(&fake);
    let count = |head: &str| head.split(':').next().and_then(|count| count.parse().ok());
    let (seen, has): (u64, u64) = (
        count(&seen_by(&operator)).expect("a number"),
        count(&head_of(&operator)).expect("a number"),
    );
    operator.run(&["ledger", "accept", "--yes"]).exits_with(0);
    let shown = operator.run(&["ledger", "status"]);
    let text = shown.exits_with(0).stdout.replace('\n', " ");
    assert!(
        !text.contains("every entry that this host has seen."),
        "{shown}"
    );
    let lost = format!("at least {} entries", seen - has);
    for said in ["older copy", "Accepted on 20", &lost] {
        assert!(text.contains(said), "{said}: {shown}");
    }
    let json = operator.run(&["ledger", "status", "--json"]).json();
    let accepted = &json["ledger"]["set_backs_accepted"];
    assert_eq!(accepted[0]["entries"], seen - has, "{json}");
    assert!(accepted[0]["by"].is_string(), "{json}");
}

#[test]
fn heads_of_the_lost_time_are_told_from_tampering() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    let copy = operator.copies_ledger();
    let kept = head_of(&operator);
    operator.run(&["export", "--gdpr", "b1"]).exits_with(0);
    let between = head_of(&operator);
    operator.run(&["export", "--gdpr", "c1"]).exits_with(0);
    let last = head_of(&operator);
    operator.puts_back(&copy);
    let verify = |head: &str| operator.run(&["audit", "verify", "--head", head]);

    let before = verify(&last);
    let shown = &before.exits_with(74).stdout;
    assert!(shown.contains("older copy"), "{before}");

    operator.run(&["ledger", "accept", "--yes"]).exits_with(0);
    // Once with a trail shorter than the lost one, and once with a longer one.
    for name in ["d1", "e1", "f1"] {
        let exact = verify(&last);
        let shown = exact.exits_with(0).stdout.replace('\n', " ");
        for said in ["from the lost time", "accepted on 20", " by "] {
            assert!(shown.contains(said), "{said}: {exact}");
        }
        assert!(!shown.contains("saved head matches"), "{exact}");
        let json = operator.run(&["audit", "verify", "--head", &last, "--json"]);
        let json = json.exits_with(0).json();
        assert_eq!(json["audit"]["lost"], json!([last]));
        assert_eq!(json["audit"]["anchored"], json!([]));

        let other = verify(&between);
        other.exits_with(74).never_says("who could write");
        let shown = other.stdout.replace('\n', " ");
        assert!(shown.contains("dsr cannot check"), "{other}");
        verify(&kept).exits_with(0).never_says("cannot check");
        operator.run(&["export", "--gdpr", name]).exits_with(0);
    }
    let forged = format!("1:{}", "0".repeat(64));
    verify(&forged).exits_with(74).says("who could write");
}

/// A conflict names the task of the time that the ledger lacks.
#[test]
fn what_was_sent_in_the_lost_time_is_not_said_to_have_lost_an_answer() {
    let conflict = json!({ "status": "error", "error": {
        "conflicting_distinct_ids": ["b1"], "conflicting_task_ids": ["t-lost"],
    }});
    let told = json!({ "status": "PENDING", "result": "", "distinct_ids": ["b1"] });
    let told = json!({ "status": "ok", "results": told });
    let fake = Fake::answering(move |call| match (call.is_post(), call.place) {
        (true, 0) => Reply::error(401, "no"),
        (true, 1) => object_reply("t-lost"),
        (true, _) => Reply::json(409, &conflict),
        (false, _) => Reply::json(200, &told),
    });
    let operator = Operator::at(&fake);
    operator
        .run(&["delete", "--gdpr", "--yes", "b1"])
        .exits_with(4);
    let copy = operator.copies_ledger();
    operator.run(&["resume"]).exits_with(0);
    operator.puts_back(&copy);
    operator.run(&["ledger", "accept", "--yes"]).exits_with(0);
    let found = operator.run(&["find", "--id", "b1"]);
    let shown = &found.exits_with(0).stdout;
    assert!(
        shown.contains("Possibly carried out (the ledger was restored from an older copy)"),
        "{found}"
    );
    let name = operator.only_request()["id"].clone();
    let name = name.as_str().expect("an id");
    operator
        .run(&["resume", name, "--send-again"])
        .exits_with(0);
    let job = operator.only_request()["jobs"][0].clone();
    assert_eq!(job["task_id"], "t-lost", "{job}");
    assert_eq!(
        job["possible_duplicate"], true,
        "two may have been made: {job}"
    );
    let reason = job["reason"].as_str().expect("a reason");
    assert!(
        reason.starts_with("recovered: the ledger was restored from an older copy"),
        "{job}"
    );
}

#[test]
fn what_was_lost_is_told_until_the_operator_has_looked_it_up() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator
        .run(&[
            "delete",
            "--gdpr",
            "--yes",
            "--received",
            "2026-11-20",
            "a1",
        ])
        .exits_with(0);
    let request = operator.only_request()["id"].as_str().unwrap().to_owned();
    let copy = operator.copies_ledger();
    operator.run(&["answered", &request]).exits_with(0);
    operator.puts_back(&copy);
    operator.run(&["ledger", "accept", "--yes"]).exits_with(0);

    let events = operator.file(
        "events.jsonl",
        r#"{"event":"x","properties":{"time":1,"distinct_id":"stranger"}}"#,
    );
    let check = ["suppressions", "check", "--exit-status", events];
    let page = operator.run(&["report", &request]);
    page.exits_with(0).says("lacks what was recorded");
    let lost = "It lacks what was recorded between";
    assert!(page.stdout.contains(lost), "{page}");
    let json = operator.run(&["report", &request, "--json"]).json();
    let evidence = &json["report"]["evidence"]["request"];
    assert_eq!(evidence["set_backs"].as_array().map(Vec::len), Some(1));
    for args in [
        &["status", "--overdue"][..],
        &["status", "nothing-like-it"],
        &["report", "--format", "csv"],
    ] {
        operator.run(args).says("lacks what was recorded");
    }
    operator.run(&check).exits_with(6);

    let review = ["ledger", "accept", "--reviewed", "asked again: T-3"];
    let json = operator.run(&[&review[..], &["--json"]].concat()).json();
    assert_eq!(json["reviewed"]["note"], "asked again: T-3");
    for args in [&["status", "--overdue"][..], &["status"], &["report"]] {
        operator.run(args).exits_with(0).never_says("warning");
    }
    operator.run(&check).exits_with(0);
    let page = operator.run(&["report", &request]);
    assert!(page.stdout.contains(lost), "a report keeps it: {page}");
    assert!(page.stdout.contains("asked again: T-3"), "{page}");
    let shown = operator
        .run(&["ledger", "status"])
        .exits_with(0)
        .stdout
        .clone();
    assert!(shown.contains("asked again: T-3"), "{shown}");
    operator.run(&review).exits_with(2).says("already recorded");
    operator.run(&["audit", "verify"]).exits_with(0);
}

#[test]
fn a_request_of_after_the_lost_time_is_not_said_to_lack_anything() {
    let fake = Fake::start();
    let operator = set_back(&fake);
    operator.run(&["ledger", "accept", "--yes"]).exits_with(0);
    operator
        .run(&["delete", "--gdpr", "--yes", "c1"])
        .exits_with(0);
    let newest = operator.requests()[0]["id"].as_str().unwrap().to_owned();
    let page = operator
        .run(&["report", &newest])
        .exits_with(0)
        .stdout
        .clone();
    assert!(!page.contains("was set back"), "{page}");
}

/// The ledger of a deletion that was planned when it was copied, and sent since.
fn sent_since(fake: &Fake) -> (Operator, String) {
    let operator = Operator::at(fake);
    operator
        .run(&["delete", "--gdpr", "--yes", "a1"])
        .exits_with(4);
    let copy = operator.copies_ledger();
    operator.run(&["resume"]).exits_with(0);
    operator.puts_back(&copy);
    operator.run(&["ledger", "accept", "--yes"]).exits_with(0);
    let name = operator.only_request()["id"].clone();
    let name = name.as_str().expect("an id").to_owned();
    (operator, name)
}

fn turned_away_once() -> Fake {
    Fake::answering_post(0, Reply::error(401, "no"))
}

#[test]
fn the_reasons_say_no_more_than_is_known_of_the_lost_time() {
    let fake = turned_away_once();
    let (operator, name) = sent_since(&fake);
    let attempts = |operator: &Operator| operator.only_request()["jobs"][0]["attempts"].clone();
    assert_eq!(attempts(&operator), 1, "one POST was turned away");
    operator
        .run(&["resume", &name, "--send-again"])
        .exits_with(0);
    let job = operator.only_request()["jobs"][0].clone();
    let reason = job["reason"].as_str().expect("a reason");
    assert!(
        reason.contains("it may have been sent before, in the lost time"),
        "{job}"
    );
    assert!(!reason.contains("no answer came"), "{job}");
    assert_eq!(attempts(&operator), 2);
    let table = operator.run(&["report", &name, "--format", "csv"]);
    let table = table.exits_with(0).stdout.clone();
    // Linked, attempts.
    assert!(table.contains(",false,2,20"), "{table}");
}

#[test]
fn the_operators_naming_of_a_task_is_not_shown_as_a_post() {
    let fake = turned_away_once();
    let (operator, name) = sent_since(&fake);
    let task = "3e0b7f52-77aa-4c1e-9a4b-0000000000a2";
    operator
        .run(&["resume", &name, "--task", task])
        .exits_with(0);
    let job = operator.only_request()["jobs"][0].clone();
    let reason = job["reason"].as_str().expect("a reason");
    assert!(
        reason.contains("the ledger was restored from an older copy"),
        "{job}"
    );
    assert!(reason.contains("task set by hand on 20"), "{job}");
    assert_eq!(job["possible_duplicate"], false, "{job}");
    assert_eq!(job["submitted_at"], json!(null), "{job}");
    let page = operator.run(&["report", &name, "--format", "html"]);
    let page = page.exits_with(0).stdout.replace('\n', " ");
    assert!(page.contains("task set by hand"), "{page}");
    assert!(!page.contains("Mixpanel accepted it"), "{page}");
    operator.run(&["audit", "verify"]).exits_with(0);
}
