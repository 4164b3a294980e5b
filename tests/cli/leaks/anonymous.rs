//! `dsr sanitize`: nothing of a person is in anonymous events, in no spelling and at no depth.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};

use super::canaries::{Canary, IDS, ODD_ID, PLAIN_ID};
use crate::preflight::set_up;
use crate::support::{Fake, Operator, Outcome, Reply, object_reply, status_reply};

/// What the commands in `commands.rs` read.
pub(super) fn lay_out(operator: &Operator) {
    let event = json!({
        "event": "visit",
        "properties": {
            "distinct_id": PLAIN_ID, "$user_id": ODD_ID, "$device_id": ODD_ID, "time": 1_790_000_000,
            "$insert_id": PLAIN_ID, "$email": PLAIN_ID, "plan": "pro",
            "note": [{ "by": PLAIN_ID, ODD_ID: 1 }],
        },
    });
    operator.file("own/export.jsonl", format!("{event}\n{PLAIN_ID}\n"));
    operator.file("own/keep.txt", "plan\n");
    operator.file("own/odd.txt", "plan\nnote\n");
}

/// Each form of each id as text, in lists, objects, keys and JSON inside text.
fn spellings(id: &'static str) -> Vec<(&'static str, String)> {
    let forms = Canary::of(id).forms.into_iter();
    let text = |(name, form): (&'static str, Vec<u8>)| Some((name, String::from_utf8(form).ok()?));
    forms.filter_map(text).collect()
}

fn places(text: &str) -> [Value; 5] {
    [
        json!(text),
        json!(format!("x {text} y")),
        json!([[{ "deep": [1, { "k": text }] }]]),
        json!({ "a": { text: true } }),
        json!(json!({ "inside": [text] }).to_string()),
    ]
}

fn run(operator: &Operator, events: &[Value], name: &str) -> Outcome {
    let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
    operator.file("own.jsonl", lines);
    operator.file("keep.txt", "plan\nnote\n");
    operator.run(&[
        "sanitize",
        "own.jsonl",
        "--keep",
        "keep.txt",
        "-o",
        name,
        "--json",
    ])
}

fn event(id: &str, number: usize, properties: &Value) -> Value {
    let mut event = json!({
        "event": "visit",
        "properties": { "time": 1_790_000_000 + number, "distinct_id": id, "$insert_id": id, "plan": "pro" },
    });
    let fields = event["properties"].as_object_mut().expect("an object");
    fields.extend(properties.as_object().expect("an object").clone());
    event
}

#[test]
fn dropped_values_leave_no_trace() {
    let operator = Operator::at(&Fake::start());
    let mut events = Vec::new();
    for id in IDS {
        events.push(json!({ "$distinct_id": id, "$properties": { "$email": id } }));
        for (_, text) in spellings(id) {
            for value in places(&text) {
                let dropped =
                    json!({ "gone": value, text.clone(): 1, "$user_id": id, "$device_id": id });
                events.push(event(id, events.len(), &dropped));
            }
        }
        events.push(event(
            id,
            events.len(),
            &json!({ "$city": id, "ip": "192.0.2.1" }),
        ));
        let identify = json!({ "event": "$identify", "properties": {
            "time": 1_790_000_000, "distinct_id": id, "$anon_id": id, "$identified_id": id,
        } });
        events.push(identify);
    }
    let outcome = run(&operator, &events, "clean.jsonl");
    outcome.exits_with(0);
    let found = outcome.json();
    assert_eq!(
        (&found["people"], &found["dropped"].as_u64().is_some()),
        (&json!(2), &true)
    );
    for name in ["clean.jsonl", "clean.key"] {
        let bytes = fs::read(operator.work().join(name)).expect("a file");
        for id in IDS {
            assert_eq!(Canary::of(id).is_in(&bytes), None, "`{id}` in {name}");
        }
    }
    for id in IDS {
        let canary = Canary::of(id);
        assert_eq!(canary.is_in(outcome.stdout.as_bytes()), None, "{outcome}");
        assert_eq!(canary.is_in(outcome.stderr.as_bytes()), None, "{outcome}");
    }
}

#[test]
fn a_kept_value_with_an_id_in_any_spelling_needs_a_look() {
    let operator = Operator::at(&Fake::start());
    let mut number = 0;
    for id in IDS {
        for (form, text) in spellings(id) {
            // The letters of the other encoding are not those of the id.
            if form.starts_with("UTF-16") && !id.is_ascii() {
                continue;
            }
            for value in places(&text) {
                number += 1;
                let kept = event(id, 0, &json!({ "note": value }));
                let outcome = run(&operator, &[kept], &format!("odd-{number}.jsonl"));
                outcome.exits_with(3);
                let found = outcome.json();
                let kinds = found["kept"][1]["findings"].as_array().expect("a list");
                let has = |kind: &Value| kind["kind"] == "person_id";
                assert!(kinds.iter().any(has), "{form}: {text}\n{outcome}");
            }
        }
    }
    assert!(number > 50, "it sees {number} spellings");
}

/// How many events of each name and day these are.
fn by_day(events: &[Value]) -> BTreeMap<(String, i64), usize> {
    let mut counts = BTreeMap::new();
    for event in events {
        let name = event["event"].as_str().expect("a name").to_owned();
        let time = event["properties"]["time"].as_i64().expect("a time");
        *counts.entry((name, time / 86_400)).or_default() += 1;
    }
    counts
}

#[test]
fn the_whole_way_brings_the_counts_back_and_nobody() {
    const PEOPLE: [&str; 3] = [PLAIN_ID, ODD_ID, "third-canary-4711"];
    let fake = Fake::answering(|call| match (call.path.as_str(), call.method.as_str()) {
        ("/import", _) => {
            let count = call.body.as_array().expect("events").len();
            let body = json!({ "code": 200, "num_records_imported": count, "status": "OK" });
            Reply::json(200, &body)
        }
        (_, "POST") => object_reply("3e0b7f52-77aa-4c1e-9a4b-000000000001"),
        _ => status_reply("SUCCESS"),
    });
    let operator = set_up(&fake, "");
    let before: Vec<Value> = (0..2000)
        .map(|number| {
            let id = PEOPLE[number % 3];
            let name = if number % 2 == 0 { "visit" } else { "buy" };
            json!({
                "event": name,
                "properties": {
                    "time": 1_780_000_000 + number * 1_234, "distinct_id": id,
                    "$insert_id": format!("{id}-{number}"), "$user_id": id, "$email": id,
                    "plan": "pro", "note": { "by": [id] }, (id): id,
                },
            })
        })
        .collect();
    let lines: String = before.iter().map(|event| format!("{event}\n")).collect();
    operator.file("own.jsonl", lines);
    operator.file("keep.txt", "plan\n");
    let ids: String = PEOPLE.map(|id| format!("{id}\n")).concat();
    operator.file("people.csv", format!("distinct_id\n{ids}"));
    let sanitize = ["sanitize", "own.jsonl", "--keep", "keep.txt"];
    let sanitize = [&sanitize[..], &["--output", "events.jsonl"]].concat();
    operator.run(&sanitize).exits_with(0);
    let delete = ["delete", "--gdpr", "--yes", "people.csv"];
    operator.run(&delete).exits_with(0);
    let request = operator.only_request()["id"].as_str().unwrap().to_owned();
    let import = ["import", "--yes", "events.jsonl", "--after", &request];
    operator.run(&import).exits_with(8);
    operator.tamper_with("UPDATE jobs SET next_check = '2020-01-01T00:00:00Z'");
    operator.run(&["status", &request]).exits_with(0);
    let imported = operator.run(&import);
    imported.exits_with(0);
    let calls = fake.calls();
    let sent: Vec<&Value> = calls
        .iter()
        .filter(|call| call.path == "/import")
        .map(|call| &call.body)
        .collect();
    let after: Vec<Value> = sent
        .iter()
        .flat_map(|body| body.as_array().unwrap().clone())
        .collect();
    assert_eq!(after.len(), 2000);
    assert_eq!(by_day(&after), by_day(&before));
    let people: BTreeSet<_> = after
        .iter()
        .map(|e| e["properties"]["distinct_id"].as_str())
        .collect();
    assert_eq!(people.len(), 3);
    let bytes = serde_json::to_vec(&sent).unwrap();
    for id in PEOPLE {
        let canary = Canary::of(id);
        for text in [
            &bytes[..],
            imported.stdout.as_bytes(),
            imported.stderr.as_bytes(),
        ] {
            assert_eq!(canary.is_in(text), None, "`{id}`");
        }
    }
    // The original file is refused: its people would be back.
    operator
        .run(&["import", "--yes", "own.jsonl"])
        .exits_with(5);
}
