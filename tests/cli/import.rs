//! `dsr import`: what is checked before anything is sent, what goes out, and what an answer changes.

mod answers;
mod failed;
mod kills;
mod large;
mod listed;
mod refusals;
mod sandbox;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::preflight::set_up;
use crate::support::{Call, Fake, Operator, Outcome, Reply, states};

const IMPORT: [&str; 3] = ["import", "--yes", "events.jsonl"];

/// One event of a day in September 2026; its number has more digits than a float.
fn event(number: usize) -> String {
    let time = 1_788_220_800 + number * 600;
    format!(
        r#"{{"event":"Buy","properties":{{"time":{time},"distinct_id":"anon-person-{}","$insert_id":"id-{number}","n":1234567890.{number}0}}}}"#,
        number % 3
    )
}

fn lines(count: usize) -> String {
    (0..count).map(|number| event(number) + "\n").collect()
}

/// What a Mixpanel counts: the events by their `$insert_id`, and how often each came.
#[derive(Clone, Default)]
struct Counted(Arc<Mutex<BTreeMap<String, usize>>>);

impl Counted {
    fn take(&self, events: &[Value]) {
        let mut counted = self.0.lock().expect("no test panics here");
        for event in events {
            let id = event["properties"]["$insert_id"]
                .as_str()
                .expect("an event has an id");
            *counted.entry(id.to_owned()).or_default() += 1;
        }
    }

    fn count(&self) -> usize {
        self.0.lock().expect("no test panics here").len()
    }
}

fn events_of(call: &Call) -> Vec<Value> {
    call.body.as_array().expect("an array of events").clone()
}

fn taken(count: usize) -> Reply {
    let body = json!({ "code": 200, "num_records_imported": count, "status": "OK" });
    Reply::json(200, &body)
}

fn takes_all(call: &Call) -> Reply {
    taken(events_of(call).len())
}

fn operator_with(fake: &Fake, count: usize) -> Operator {
    let operator = set_up(fake, "");
    operator.file("events.jsonl", lines(count));
    operator
}

fn the_import(outcome: &Outcome) -> Value {
    outcome.json()["import"].clone()
}

fn batch_states(operator: &Operator) -> Vec<String> {
    if !operator.has_ledger() {
        return Vec::new();
    }
    operator.ledger_texts("SELECT state FROM ingestion_batches ORDER BY number")
}

fn names_nobody(outcome: &Outcome) {
    for hidden in ["anon-person", "id-1", "1234567890"] {
        outcome.never_says(hidden);
    }
}

#[test]
fn a_file_goes_out_byte_for_byte_in_batches() {
    let fake = Fake::answering(takes_all);
    let operator = operator_with(&fake, 4500);
    let outcome = operator.run(&["import", "--yes", "events.jsonl", "--json"]);
    outcome.exits_with(0);
    names_nobody(&outcome);
    let import = the_import(&outcome);
    assert_eq!(import["state"], "done");
    assert_eq!(import["imported"], 4500);
    assert_eq!(import["batches"]["done"], 3);
    let calls = fake.calls();
    let sizes: Vec<usize> = calls.iter().map(|call| events_of(call).len()).collect();
    assert_eq!(sizes, [2000, 2000, 500]);
    for call in &calls {
        assert_eq!(
            (call.method.as_str(), call.path.as_str()),
            ("POST", "/import")
        );
        assert_eq!(call.query, "strict=1&project_id=4242");
        assert_eq!(call.header("content-encoding"), Some("gzip"));
        assert_eq!(call.header("content-type"), Some("application/json"));
        let basic = call.header("authorization").unwrap_or_default();
        assert!(basic.starts_with("Basic "), "{basic}");
    }
    let sent = calls
        .iter()
        .flat_map(events_of)
        .map(|event| event.to_string());
    let own: Vec<Value> = lines(4500)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(sent.eq(own.iter().map(Value::to_string)));
    // The ledger has the hash of the file, and nothing of an event.
    let kept = operator.ledger_bytes();
    for hidden in ["anon-person", "id-77", "Buy"] {
        let hidden = hidden.as_bytes();
        assert!(!kept.windows(hidden.len()).any(|part| part == hidden));
    }
    let told = operator.ledger_texts("SELECT details FROM audit ORDER BY seq");
    assert!(told.iter().any(|details| details.contains("source_digest")));
}

#[test]
fn a_complete_import_is_not_sent_again() {
    let fake = Fake::answering(takes_all);
    let operator = operator_with(&fake, 10);
    operator.run(&IMPORT).exits_with(0);
    let again = operator.run(&["import", "events.jsonl", "--yes", "--json"]);
    again.exits_with(0);
    assert_eq!(the_import(&again)["state"], "done");
    operator.run(&IMPORT).exits_with(0).says("imported already");
    assert_eq!(fake.calls().len(), 1);
    // The same contents under another name are the same import.
    operator.file("copy.jsonl", lines(10));
    operator
        .run(&["import", "--yes", "copy.jsonl"])
        .exits_with(0);
    assert_eq!(fake.calls().len(), 1);
}

#[test]
fn nothing_is_sent_of_a_file_with_one_bad_line() {
    let fake = Fake::answering(takes_all);
    let operator = operator_with(&fake, 1);
    let good = lines(3000);
    for (bad, says) in [
        ("{}", "line 3001"),
        ("", "line 3001"),
        (
            r#"{"event":"Buy","properties":{"time":1,"distinct_id":"null","$insert_id":"a"}}"#,
            "no user",
        ),
        (
            r#"{"event":"Buy","properties":{"time":1,"distinct_id":"u","$insert_id":"a b"}}"#,
            "36 letters",
        ),
        (
            r#"{"event":"Buy","properties":{"time":"1","distinct_id":"u","$insert_id":"a"}}"#,
            "`time`",
        ),
        (
            r#"{"event":"Buy","properties":{"time":1,"distinct_id":"u","$insert_id":"a"},"x":1}"#,
            "exactly",
        ),
    ] {
        operator.file("bad.jsonl", format!("{good}{bad}\n"));
        let outcome = operator.run(&["import", "--yes", "bad.jsonl"]);
        outcome.exits_with(5).says(says).says("nothing was sent");
    }
    operator.file("cut.jsonl", format!("{good}{}", event(3000)));
    let cut = operator.run(&["import", "--yes", "cut.jsonl"]);
    cut.exits_with(5).says("cut off").says("line 3001");
    operator.file("empty.jsonl", "");
    operator
        .run(&["import", "--yes", "empty.jsonl"])
        .exits_with(5);
    operator.run(&["import", "--yes", "."]).exits_with(5);
    operator
        .run(&["import", "--yes", "missing.jsonl"])
        .exits_with(5);
    fake.was_not_called();
    assert!(batch_states(&operator).is_empty());
}

#[test]
fn a_plan_sends_nothing_and_repeated_events_are_told() {
    let fake = Fake::answering(takes_all);
    let operator = operator_with(&fake, 2);
    operator.file("events.jsonl", format!("{}{}\n", lines(2500), event(7)));
    let outcome = operator.run(&["import", "events.jsonl", "--dry-run", "--json"]);
    outcome.exits_with(0);
    names_nobody(&outcome);
    let import = the_import(&outcome);
    assert_eq!(
        (&import["id"], &import["state"]),
        (&Value::Null, &json!("planned"))
    );
    assert_eq!(import["batches"]["total"], 2);
    assert_eq!(import["days"]["count"], 18);
    assert_eq!(import["people"], 3);
    assert_eq!(import["repeated"], 1);
    let warnings = outcome.json()["warnings"].clone();
    assert_eq!(warnings[0]["kind"], "repeated_events");
    assert!(
        warnings[0]["message"].as_str().unwrap().contains("2,501")
            || warnings[0]["message"].as_str().unwrap().contains("2501")
    );
    // Without a terminal nobody can agree.
    operator
        .run(&["import", "events.jsonl"])
        .exits_with(2)
        .says("--yes");
    fake.was_not_called();
    assert!(batch_states(&operator).is_empty());
}

#[test]
fn a_changed_file_is_not_taken_for_the_one_before() {
    let fake = Fake::answering(|call| match call.place {
        0 => takes_all(call),
        _ => Reply::error(400, "no"),
    });
    let operator = operator_with(&fake, 2100);
    operator.run(&IMPORT).exits_with(3);
    operator.file("events.jsonl", lines(2101));
    let changed = operator.run(&IMPORT);
    changed.exits_with(5).says("1 of 2 batches").says("--new");
    assert_eq!(fake.calls().len(), 2);
    operator
        .run(&["import", "--yes", "--new", "events.jsonl"])
        .exits_with(2)
        .says("events.failed.jsonl");
    let other = ["--new", "events.jsonl", "--failed", "other.jsonl"];
    let other = [&["import", "--yes"], &other[..]].concat();
    operator.run(&other).exits_with(3);
    assert_eq!(fake.calls().len(), 4);
}

/// A fake of both APIs: deletions by the usual answers, and every import taken.
fn with_deletions(status: &'static str) -> Fake {
    Fake::answering(
        move |call| match (call.path.as_str(), call.method.as_str()) {
            ("/import", _) => takes_all(call),
            (_, "POST") => crate::support::object_reply("3e0b7f52-77aa-4c1e-9a4b-000000000001"),
            _ => crate::support::status_reply(status),
        },
    )
}

fn imports(fake: &Fake) -> usize {
    let calls = fake.calls();
    calls.iter().filter(|call| call.path == "/import").count()
}

#[test]
fn after_a_deletion_means_once_each_of_its_jobs_is_done() {
    for (status, exit) in [("STARTED", 8), ("FAILURE", 7), ("SUCCESS", 0)] {
        let fake = with_deletions(status);
        let operator = operator_with(&fake, 5);
        operator
            .run(&["delete", "--gdpr", "--yes", "ids.csv"])
            .exits_with(0);
        let request = operator.only_request();
        let id = request["id"].as_str().unwrap().to_owned();
        let import = ["import", "--yes", "events.jsonl", "--after", &id, "--json"];
        let early = operator.run(&import);
        assert_eq!(early.failure()["kind"], "running");
        early.exits_with(8);
        operator.tamper_with("UPDATE jobs SET next_check = '2020-01-01T00:00:00Z'");
        let seen = operator.run(&["status", &id, "--json"]).request();
        assert_eq!(states(&seen).len(), 1);
        let outcome = operator.run(&import);
        outcome.exits_with(exit);
        assert_eq!(imports(&fake), usize::from(exit == 0), "{status}");
        if exit == 0 {
            assert_eq!(the_import(&outcome)["after"], id.as_str());
            let report = operator.run(&["report", &id]);
            report.exits_with(0);
            assert!(
                report.stdout.contains("Imported 5 events of 5 on"),
                "{report}"
            );
            let report = operator.run(&["report", &id, "--json"]).json();
            let imports = &report["report"]["evidence"]["request"]["imports"];
            assert_eq!(imports[0]["imported"], 5, "{report}");
        }
    }
}

#[test]
fn a_deletion_that_failed_is_never_waited_for() {
    let fake = with_deletions("FAILURE");
    let operator = operator_with(&fake, 5);
    operator
        .run(&["delete", "--gdpr", "--yes", "ids.csv"])
        .exits_with(0);
    let id = operator.only_request()["id"].as_str().unwrap().to_owned();
    operator.tamper_with("UPDATE jobs SET next_check = '2020-01-01T00:00:00Z'");
    operator.run(&["status", &id]);
    let import = ["import", "--yes", "events.jsonl", "--after", &id];
    let outcome = operator.run(&import);
    outcome.exits_with(7).says("0 of 1 job").says("will not be");
    outcome.says("dsr delete").never_says("is not done");
    assert_eq!(imports(&fake), 0);
}

#[test]
fn a_deletion_that_mixpanel_refused_is_never_waited_for() {
    let fake = Fake::answering_posts(Reply::error(400, "no"));
    let operator = operator_with(&fake, 5);
    operator
        .run(&["delete", "--gdpr", "--yes", "ids.csv"])
        .exits_with(3);
    let id = operator.only_request()["id"].as_str().unwrap().to_owned();
    let import = ["import", "--yes", "events.jsonl", "--after", &id];
    operator.run(&import).exits_with(7).says("will not be");
    assert_eq!(imports(&fake), 0);
}

#[test]
fn after_anything_else_is_refused() {
    let fake = with_deletions("SUCCESS");
    let operator = operator_with(&fake, 5);
    operator.run(&["export", "--gdpr", "ids.csv"]).exits_with(0);
    let export = operator.only_request()["id"].as_str().unwrap().to_owned();
    let import = |after: &str| operator.run(&["import", "--yes", "events.jsonl", "--after", after]);
    import(&export).exits_with(2).says("not a deletion");
    import("zzzzzzzz").exits_with(2);
    import(&export[..2]).exits_with(2);
    assert_eq!(imports(&fake), 0);
}

#[test]
fn events_of_an_erased_person_do_not_come_back() {
    let fake = with_deletions("SUCCESS");
    let operator = operator_with(&fake, 1);
    operator.file("one.csv", "distinct_id\nanon-person-1\n");
    operator
        .run(&["delete", "--gdpr", "--yes", "one.csv"])
        .exits_with(0);
    operator.file("events.jsonl", lines(5));
    let outcome = operator.run(&IMPORT);
    outcome.exits_with(5).says("1 erased person");
    names_nobody(&outcome);
    assert_eq!(imports(&fake), 0);
}

#[test]
fn an_erased_person_does_not_come_back_through_another_id() {
    let fake = with_deletions("SUCCESS");
    let operator = operator_with(&fake, 1);
    operator.file("one.csv", "distinct_id\nuser-17\n");
    operator
        .run(&["delete", "--gdpr", "--yes", "one.csv"])
        .exits_with(0);
    for further in [
        r#""$user_id":"user-17""#,
        r#""$user_id":"user\u002d17""#,
        r#""$device_id":"user-17""#,
        r#""$device_id":"$device:user-17""#,
        r#""$distinct_id":"user-17""#,
        r#""$distinct_ids":["a","user-17"]"#,
        r#""alias":"user-17""#,
        r#""$identified_id":"user-17""#,
        r#""$anon_id":"user-17""#,
    ] {
        let line = event(0).replace(r#""n":"#, &format!(r#"{further},"n":"#));
        operator.file("events.jsonl", line + "\n");
        operator.run(&IMPORT).exits_with(5).says("1 erased person");
    }
    let device = event(0).replace("anon-person-0", "$device:user-17");
    operator.file("events.jsonl", device + "\n");
    operator.run(&IMPORT).exits_with(5).says("1 erased person");
    assert_eq!(imports(&fake), 0);
}

#[test]
fn a_project_without_an_id_or_an_account_is_refused_before_anything_is_read() {
    let fake = Fake::answering(takes_all);
    let operator = Operator::at(&fake);
    operator
        .run(&["import", "--yes", "events.jsonl"])
        .exits_with(2)
        .says("project_id");
    let operator = Operator::at_with(&fake, "project_id = 4242");
    operator
        .run(&["import", "--yes", "events.jsonl"])
        .exits_with(4);
    fake.was_not_called();
}
