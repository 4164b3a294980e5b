//! `dsr sanitize`: events without what identifies their people.

mod forms;
mod joined;
mod lists;

use std::collections::BTreeSet;
use std::fs;
use std::io::{Cursor, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::unstable::write::FileOptionsExt;
use zip::write::SimpleFileOptions;

use crate::support::{Fake, Operator, Outcome};

const PEOPLE: &str = r#"[{"$distinct_id":"anna-4711","$properties":{"$name":"Anna Schmidt","$email":"anna@x.test"}}]"#;

fn event(id: &str, number: u64, properties: Value) -> Value {
    let mut event = json!({
        "event": "Buy",
        "properties": { "time": 1_790_000_000 + number, "distinct_id": id, "$insert_id": format!("i{number}") },
    });
    let fields = event["properties"].as_object_mut().expect("an object");
    fields.extend(properties.as_object().expect("an object").clone());
    event
}

fn lines(events: &[Value]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}

/// An operator with an export of two people, one under two ids.
fn with_export() -> Operator {
    let operator = Operator::at(&Fake::start());
    operator.file("raw.jsonl", lines(&export()));
    operator.file("keep.txt", "# what stays\nplan\nnote\n");
    operator
}

fn export() -> Vec<Value> {
    vec![
        event(
            "$device:d1",
            0,
            json!({ "$device_id": "d1", "plan": "free" }),
        ),
        event(
            "anna-4711",
            1,
            json!({ "$device_id": "d1", "plan": "pro", "$email": "anna@x.test" }),
        ),
        event("bob-0815", 2, json!({ "plan": "pro", "note": "gift" })),
    ]
}

fn sanitize(operator: &Operator, args: &[&str]) -> Outcome {
    let all = [&["sanitize"], args, &["--keep", "keep.txt", "--json"]].concat();
    operator.run(&all)
}

fn written(operator: &Operator, name: &str) -> Vec<Value> {
    let text = fs::read_to_string(operator.work().join(name)).expect("a file");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect()
}

fn ids(events: &[Value]) -> Vec<&str> {
    let id = |event: &'_ Value| event["properties"]["distinct_id"].as_str().is_some();
    assert!(events.iter().all(id));
    events
        .iter()
        .map(|event| {
            event["properties"]["distinct_id"]
                .as_str()
                .unwrap_or_default()
        })
        .collect()
}

fn mode_of(path: &Path) -> u32 {
    path.metadata().expect("a file").permissions().mode() & 0o777
}

fn files(operator: &Operator) -> BTreeSet<String> {
    let entries = fs::read_dir(operator.work()).expect("a folder");
    entries
        .map(|entry| {
            entry
                .expect("a file")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .collect()
}

#[test]
fn a_clean_export_becomes_events_for_an_import() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.file("raw.jsonl", lines(&export()));
    operator.file("keep.txt", "plan\nnote\n");
    let outcome = sanitize(&operator, &["raw.jsonl", "-o", "events.jsonl"]);
    outcome
        .exits_with(0)
        .never_says("anna")
        .never_says("bob")
        .never_says("Buy")
        .never_says("gift");
    let found = outcome.json();
    assert_eq!((&found["people"], &found["ids"]), (&json!(2), &json!(3)));
    let events = written(&operator, "events.jsonl");
    let new = ids(&events);
    assert!(new[0] == new[1] && new[1] != new[2], "{new:?}");
    let properties = events[1]["properties"].as_object().expect("an object");
    let names: Vec<&str> = properties.keys().map(String::as_str).collect();
    assert_eq!(names, ["time", "distinct_id", "$insert_id", "ip", "plan"]);
    for name in ["events.jsonl", "events.key", "events.review.html"] {
        assert_eq!(mode_of(&operator.work().join(name)), 0o600, "{name}");
    }
    let page = fs::read_to_string(operator.work().join("events.review.html")).expect("a page");
    assert!(page.contains("gift") && page.contains("Buy"));
    assert_eq!(fake.calls().len(), 0, "nobody is called");
    assert!(
        !operator.dsr_home().join("ledger.db").exists(),
        "no ledger is made"
    );
}

#[test]
fn the_same_key_gives_the_same_ids_and_another_key_others() {
    let operator = with_export();
    sanitize(&operator, &["raw.jsonl", "-o", "one.jsonl"]).exits_with(0);
    let key = ["--key", "one.key"];
    let again = sanitize(
        &operator,
        &[&["raw.jsonl", "-o", "two.jsonl"], &key[..]].concat(),
    );
    assert_eq!(again.exits_with(0).json()["key_made"], false);
    let read = |name: &str| fs::read(operator.work().join(name)).expect("a file");
    assert_eq!(read("one.jsonl"), read("two.jsonl"));
    let other = sanitize(&operator, &["raw.jsonl", "-o", "three.jsonl"]);
    assert_eq!(other.exits_with(0).json()["key_made"], true);
    let (one, three) = (
        written(&operator, "one.jsonl"),
        written(&operator, "three.jsonl"),
    );
    for (one, three) in one.iter().zip(&three) {
        for field in ["distinct_id", "$insert_id"] {
            assert_ne!(one["properties"][field], three["properties"][field]);
        }
    }
}

#[test]
fn a_key_that_is_no_key_or_not_private_is_refused_before_anything_is_written() {
    let operator = with_export();
    operator.private_file("short.key", "abc");
    operator.file("open.key", "0a".repeat(32));
    let open = operator.work().join("open.key");
    fs::set_permissions(&open, PermissionsExt::from_mode(0o644)).expect("a file of ours");
    let before = files(&operator);
    for (key, says) in [("short.key", "64 hex digits"), ("open.key", "chmod 600")] {
        let outcome = sanitize(&operator, &["raw.jsonl", "-o", "new.jsonl", "--key", key]);
        outcome.exits_with(74).says(says);
        assert_eq!(files(&operator), before, "{key}");
    }
}

#[test]
fn what_may_be_personal_data_ends_with_status_3_and_is_in_the_review_only() {
    let operator = with_export();
    let odd = [
        event("anna-4711", 0, json!({ "note": "write to carl@y.test" })),
        event("anna-4711", 1, json!({ "note": [{ "by": "ANNA-4711" }] })),
        event("anna-4711", 2, json!({ "note": "for Anna Schmidt" })),
    ];
    let profile: Value = serde_json::from_str(PEOPLE).expect("JSON");
    operator.file(
        "raw.jsonl",
        lines(&[&odd[..], &[profile[0].clone()]].concat()),
    );
    let outcome = sanitize(&operator, &["raw.jsonl", "-o", "events.jsonl"]);
    outcome
        .exits_with(3)
        .never_says("carl")
        .never_says("4711")
        .never_says("Schmidt");
    assert_eq!(outcome.failure()["kind"], "to_check");
    let found = outcome.json();
    assert_eq!(found["kept"][0]["name"], "note");
    let findings = found["kept"][0]["findings"]
        .as_array()
        .expect("a list")
        .iter();
    let findings: Vec<(&str, u64)> = findings
        .map(|one| {
            (
                one["kind"].as_str().unwrap_or_default(),
                one["events"].as_u64().unwrap_or_default(),
            )
        })
        .collect();
    assert_eq!(
        findings,
        [("person_id", 1), ("profile_value", 1), ("email", 1)]
    );
    let page = fs::read_to_string(operator.work().join("events.review.html")).expect("a page");
    for text in ["carl@y.test", "ANNA-4711", "Anna Schmidt"] {
        assert!(page.contains(text), "{text}");
    }
    assert_eq!(
        written(&operator, "events.jsonl").len(),
        3,
        "the events are written all the same"
    );
}

#[test]
fn a_name_of_an_event_with_an_id_is_found_and_can_be_dropped() {
    let operator = with_export();
    let mut named = event("anna-4711", 9, json!({}));
    named["event"] = json!("Page of anna-4711");
    operator.file("raw.jsonl", lines(&[&export()[..], &[named]].concat()));
    let outcome = sanitize(&operator, &["raw.jsonl", "-o", "one.jsonl"]);
    outcome.exits_with(3).never_says("4711").says("--events");
    assert_eq!(outcome.json()["events"]["odd_names"], 1);
    operator.file("events.txt", "Buy\n");
    let args = ["raw.jsonl", "-o", "two.jsonl", "--events", "events.txt"];
    let outcome = sanitize(&operator, &args);
    assert_eq!(outcome.json()["events"]["not_listed"], 1);
    let text = fs::read_to_string(operator.work().join("two.jsonl")).expect("a file");
    assert!(!text.contains("4711"));
}

#[test]
fn a_list_that_names_none_of_the_events_is_an_error() {
    let operator = with_export();
    operator.file("events.txt", "Bye\n");
    let before = files(&operator);
    let args = ["raw.jsonl", "-o", "events.jsonl", "--events", "events.txt"];
    let outcome = sanitize(&operator, &args);
    outcome.exits_with(5).says("events.txt").never_says("Bye");
    assert_eq!(files(&operator), before);
    operator.file("events.txt", "");
    sanitize(&operator, &args).exits_with(5);
    let missing = ["raw.jsonl", "-o", "events.jsonl", "--events", "no.txt"];
    sanitize(&operator, &missing).exits_with(5);
    assert_eq!(files(&operator).len(), before.len());
}

#[test]
fn what_the_output_lacks_is_said() {
    let operator = with_export();
    let nobody = json!({ "event": "Buy", "properties": { "time": 1_790_000_000 } });
    operator.file(
        "raw.jsonl",
        lines(&export()) + &lines(&[nobody]) + "{\"event\":",
    );
    let outcome = sanitize(&operator, &["raw.jsonl", "-o", "events.jsonl"]);
    outcome.exits_with(3);
    let left_out = &outcome.json()["left_out"];
    assert_eq!(
        (&left_out["nobody"], &left_out["unreadable"]),
        (&json!(1), &json!(1))
    );
}

#[test]
fn a_list_that_keeps_ids_is_refused_and_nothing_is_written() {
    let operator = with_export();
    operator.file("keep.txt", "plan\n$user_id\n");
    let before = files(&operator);
    let outcome = sanitize(&operator, &["raw.jsonl", "-o", "events.jsonl"]);
    outcome.exits_with(5).says("line 2");
    assert_eq!(files(&operator), before);
    fs::remove_file(operator.work().join("keep.txt")).expect("a file of ours");
    sanitize(&operator, &["raw.jsonl", "-o", "events.jsonl"]).exits_with(5);
}

/// The lists of ids and of names are easily mixed up.
#[test]
fn names_that_no_event_has_are_counted_and_not_shown() {
    let operator = with_export();
    operator.file("ids.txt", "# people\nanna-4711\nplan\n\nbob-0815\n");
    let args = ["sanitize", "raw.jsonl", "--keep", "ids.txt"];
    let human = operator.run(&[&args[..], &["-o", "one.jsonl"]].concat());
    human.exits_with(0).never_says("4711").never_says("0815");
    let shown = "No event has 2 names of the list: lines 2, 5\n";
    assert!(human.stdout.contains(shown), "{human}");
    let json = operator.run(&[&args[..], &["-o", "two.jsonl", "--json"]].concat());
    json.exits_with(0).never_says("4711").never_says("0815");
    let found = json.json();
    assert_eq!(found["kept"][0]["name"], "plan");
    assert_eq!(found["kept"].as_array().map(Vec::len), Some(1));
    assert_eq!(found["absent"], json!({ "names": 2, "lines": [2, 5] }));
    let many: String = (0..2_000).map(|n| format!("id-{n}\n")).collect();
    operator.file("ids.txt", many);
    let many = operator.run(&[&args[..], &["-o", "three.jsonl"]].concat());
    many.never_says("id-");
    let shown = "No event has any of the 2,000 names";
    assert!(many.stdout.contains(shown), "{many}");
    let page = fs::read_to_string(operator.work().join("three.review.html")).expect("a page");
    assert!(!page.contains("id-1") && page.contains("2,000"));
}

#[test]
fn a_run_is_repeated_with_the_same_command_once_its_files_are_gone() {
    let operator = with_export();
    let args = ["raw.jsonl", "-o", "events.jsonl"];
    sanitize(&operator, &args).exits_with(0);
    let read = |name: &str| fs::read(operator.work().join(name)).expect("a file");
    let (first, key) = (read("events.jsonl"), read("events.key"));
    let refused = sanitize(&operator, &args);
    refused.exits_with(2).says("delete");
    assert_eq!(read("events.jsonl"), first);
    for name in ["events.jsonl", "events.review.html"] {
        fs::remove_file(operator.work().join(name)).expect("a file of ours");
    }
    let again = sanitize(&operator, &args);
    assert_eq!(again.exits_with(0).json()["key_made"], false);
    assert_eq!((read("events.jsonl"), read("events.key")), (first, key));
}

#[test]
fn sources_without_events_and_tables_are_refused_and_nothing_is_written() {
    let operator = with_export();
    operator.file(
        "events.csv",
        "event_name,distinct_id,time\na,anna,1790000000\n",
    );
    operator.file("none.json", "[]");
    operator.file("cut.zip", b"PK\x03\x04cut");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(lines(&export()).as_bytes()).expect("memory");
    let gzip = gzip.finish().expect("memory");
    operator.file("cut.jsonl.gz", &gzip[..gzip.len() - 9]);
    let before = files(&operator);
    for source in [
        "events.csv",
        "none.json",
        "cut.zip",
        "cut.jsonl.gz",
        "missing.zip",
    ] {
        let outcome = sanitize(&operator, &[source, "-o", "new.jsonl"]);
        outcome.exits_with(5);
        assert_eq!(files(&operator), before, "{source}");
    }
}

#[test]
fn an_output_among_the_sources_is_refused() {
    let operator = with_export();
    fs::create_dir(operator.work().join("folder")).expect("a folder");
    operator.file("folder/raw.jsonl", lines(&export()));
    let outcome = sanitize(&operator, &["folder", "-o", "folder/events.jsonl"]);
    outcome.exits_with(2);
    for output in ["events.key", "-"] {
        sanitize(&operator, &["folder", "-o", output]).exits_with(2);
    }
    sanitize(&operator, &["folder", "-o", "events.jsonl"]).exits_with(0);
}

#[test]
fn a_locked_archive_opens_with_the_secret_of_the_project() {
    let mut operator = with_export();
    let options = SimpleFileOptions::default()
        .with_deprecated_encryption(b"the secret")
        .expect("an ASCII password");
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in [
        ("people.json", PEOPLE.to_owned()),
        ("events.json", json!(export()).to_string()),
    ] {
        zip.start_file(name, options).expect("memory");
        zip.write_all(text.as_bytes()).expect("memory");
    }
    let bytes = zip.finish().expect("memory").into_inner();
    operator.file("export.zip", bytes);
    let before = files(&operator);
    let wrong = operator.private_file("../wrong", "another secret");
    operator.set("DSR_PROJECT_SECRET_FILE", &wrong);
    let outcome = sanitize(&operator, &["export.zip", "-o", "events.jsonl"]);
    outcome.exits_with(4).says("dsr project secret");
    assert_eq!(files(&operator), before);
    let right = operator.private_file("../right", "the secret");
    operator.set("DSR_PROJECT_SECRET_FILE", &right);
    sanitize(&operator, &["export.zip", "-o", "events.jsonl"]).exits_with(0);
    assert_eq!(written(&operator, "events.jsonl").len(), 3);
}

#[test]
fn times_follow_the_clock_of_the_project() {
    let fake = Fake::start();
    let operator = Operator::at_with(&fake, "time_zone = \"Europe/Berlin\"");
    operator.file(
        "raw.jsonl",
        lines(&[event("anna", 0, json!({ "time": 1_700_000_000 }))]),
    );
    operator.file("keep.txt", "plan\n");
    let args = ["raw.jsonl", "-o", "events.jsonl", "--time", "day"];
    let outcome = sanitize(&operator, &args);
    assert_eq!(outcome.json()["time_zone"], "Europe/Berlin");
    // 2023-11-14 begins in Berlin an hour before it begins in UTC.
    let events = written(&operator, "events.jsonl");
    assert_eq!(events[0]["properties"]["time"], 1_699_920_000 - 3_600);
}
