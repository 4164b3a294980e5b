//! A device that `$identify` names without its mark, or with it: one person all the same.

use serde_json::{Value, json};

use super::{event, ids, lines, sanitize, written};
use crate::support::{Fake, Operator};

const DEVICE: &str = "3f2a9c10-77aa-4b1e-9d53-aaaaaaaaaaaa";

fn identify(user: &str, anonymous: &str) -> Value {
    let mut event = event(
        user,
        0,
        json!({ "$identified_id": user, "$anon_id": anonymous }),
    );
    event["event"] = json!("$identify");
    event
}

/// How many people the events are of, after dsr made them anonymous.
fn people(events: &[Value]) -> usize {
    let operator = Operator::at(&Fake::start());
    operator.file("raw.jsonl", lines(events));
    operator.file("keep.txt", "plan\n");
    sanitize(&operator, &["raw.jsonl", "-o", "o.jsonl"]).exits_with(0);
    let events = written(&operator, "o.jsonl");
    let ids: std::collections::BTreeSet<&str> = ids(&events).into_iter().collect();
    ids.len()
}

#[test]
fn the_mark_of_a_device_does_not_part_an_identity() {
    let marked = format!("$device:{DEVICE}");
    let plan = |id: &str, number| event(id, number, json!({ "plan": "free" }));
    let with_device =
        |id: &str, number| event(id, number, json!({ "plan": "free", "$device_id": DEVICE }));
    for named in [DEVICE, &marked] {
        for held in [DEVICE, &marked] {
            let events = [plan("anna-1", 1), plan(held, 2), identify("anna-1", named)];
            assert_eq!(people(&events), 1, "{named}, {held}");
            let events = [
                plan("anna-1", 1),
                with_device(held, 2),
                identify("anna-1", named),
            ];
            assert_eq!(people(&events), 1, "{named}, {held} with `$device_id`");
        }
        let both = [
            plan(DEVICE, 1),
            plan(&marked, 2),
            plan("anna-1", 3),
            identify("anna-1", named),
        ];
        assert_eq!(people(&both), 1, "{named}");
    }
}

#[test]
fn a_device_of_two_people_joins_neither_whatever_its_mark() {
    let marked = format!("$device:{DEVICE}");
    let plan = |id: &str, number| event(id, number, json!({ "plan": "free" }));
    let shared = [
        plan("anna-1", 1),
        plan("bert-2", 2),
        plan(DEVICE, 3),
        plan(&marked, 4),
        identify("anna-1", DEVICE),
        identify("bert-2", &marked),
    ];
    assert_eq!(people(&shared), 3);
}

#[test]
fn a_user_with_the_bare_id_of_a_device_stays_apart() {
    let user = |id: &str, number| event(id, number, json!({ "plan": "free", "$user_id": id }));
    let events = [
        user("anna-1", 1),
        user("4711", 2),
        identify("anna-1", "$device:4711"),
    ];
    assert_eq!(people(&events), 2);
}
