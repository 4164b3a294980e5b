//! `dsr sanitize`: nothing of a person is in anonymous events, in no spelling and at no depth.

use std::fs;

use serde_json::{Value, json};

use super::canaries::{Canary, IDS, ODD_ID, PLAIN_ID};
use crate::support::{Fake, Operator, Outcome};

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
