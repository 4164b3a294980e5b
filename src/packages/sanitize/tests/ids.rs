//! Which ids are one person.

use serde_json::{Value, json};

use super::{Run, event};

/// The groups of events, by their place, that have one person.
fn people(events: &[Value]) -> Vec<usize> {
    let ids = Run::keeping(&[]).read_events(events).texts("distinct_id");
    let mut known: Vec<String> = Vec::new();
    let group = |id: String| match known.iter().position(|other| *other == id) {
        Some(place) => place,
        None => {
            known.push(id);
            known.len() - 1
        }
    };
    ids.into_iter().map(group).collect()
}

fn plain(id: &str, number: u32, properties: Value) -> Value {
    event("a", id, number, properties)
}

#[test]
fn ids_that_nothing_joins_are_two_people() {
    let events = [plain("anna", 0, json!({})), plain("bob", 1, json!({}))];
    assert_eq!(people(&events), [0, 1]);
}

#[test]
fn a_device_of_one_user_is_that_user() {
    let events = [
        plain("$device:d1", 0, json!({ "$device_id": "d1" })),
        plain("anna", 1, json!({ "$device_id": "d1", "$user_id": "anna" })),
        plain(
            "$device:d2",
            2,
            json!({ "$device_id": "d2", "$user_id": "anna" }),
        ),
        json!({ "event": "a", "properties": { "time": 1_790_000_003, "$device_id": "d1" } }),
    ];
    assert_eq!(people(&events), [0, 0, 0, 0]);
}

#[test]
fn a_device_of_two_users_joins_nobody() {
    let events = [
        plain("$device:d1", 0, json!({ "$device_id": "d1" })),
        plain("anna", 1, json!({ "$device_id": "d1" })),
        plain("bob", 2, json!({ "$device_id": "d1" })),
    ];
    assert_eq!(people(&events), [0, 1, 2]);
    let found = Run::keeping(&[]).read_events(&events);
    assert_eq!((found.review.people, found.review.shared_devices), (3, 1));
    // Unless something else says that the two are one.
    let alias = event("$create_alias", "anna", 3, json!({ "alias": "bob" }));
    let joined = [&events[..], &[alias]].concat();
    assert_eq!(people(&joined), [0, 0, 0]);
}

#[test]
fn identity_events_join_in_any_order_and_are_not_written() {
    let identify = event(
        "$identify",
        "x-1",
        0,
        json!({ "$identified_id": "anna", "$anon_id": "x-1" }),
    );
    let merge = event(
        "$merge",
        "m",
        1,
        json!({ "$distinct_ids": ["anna", "old"] }),
    );
    let events = [
        plain("x-1", 2, json!({})),
        plain("anna", 3, json!({})),
        plain("old", 4, json!({})),
    ];
    let first = [&[identify.clone(), merge.clone()], &events[..]].concat();
    let last = [&events[..], &[merge, identify]].concat();
    assert_eq!(people(&first), [0, 0, 0]);
    assert_eq!(people(&last), [0, 0, 0]);
    let ids = |events: &[Value]| Run::keeping(&[]).read_events(events).texts("distinct_id");
    assert_eq!(ids(&first), ids(&last), "the order does not matter");
}

#[test]
fn the_name_of_an_identity_event_may_be_written_with_escapes() {
    let text = r#"{"event":"\u0024create_alias","properties":{"time":"\u0031790000000","distinct_id":"anna","alias":"bob"}}
{"event":"a","properties":{"time":"179000000\u0030","distinct_id":"anna"}}
{"event":"a","properties":{"time":1790000000,"distinct_id":"bob"}}
"#;
    let found = Run::keeping(&[]).read(text);
    let ids = found.texts("distinct_id");
    assert_eq!((ids.len(), found.review.left_out.total()), (2, 0));
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn an_anonymous_id_that_two_users_identified_joins_nobody() {
    let identify = |user: &str, number| {
        let says = json!({ "$identified_id": user, "$anon_id": "x-1" });
        event("$identify", "x-1", number, says)
    };
    let events = [
        identify("anna", 0),
        identify("bob", 1),
        plain("x-1", 2, json!({})),
        plain("anna", 3, json!({})),
        plain("bob", 4, json!({})),
    ];
    assert_eq!(people(&events), [0, 1, 2]);
}

#[test]
fn ids_that_stand_for_nobody_join_nobody() {
    let events = [
        plain("anna", 0, json!({ "$user_id": "undefined" })),
        plain("bob", 1, json!({ "$user_id": "undefined" })),
        plain("null", 2, json!({ "$device_id": "d1" })),
        plain("carl", 3, json!({ "$device_id": "d1" })),
    ];
    assert_eq!(people(&events), [0, 1, 2, 3]);
}

#[test]
fn a_profile_lists_the_ids_of_its_person() {
    let profile = json!({
        "$distinct_id": "anna", "$properties": { "$distinct_ids": ["anna", "a-2"] },
    });
    let events = [
        profile,
        plain("anna", 0, json!({})),
        plain("a-2", 1, json!({})),
    ];
    assert_eq!(people(&events), [0, 0]);
}

#[test]
fn events_that_join_ids_need_no_distinct_id() {
    let link = |name: &str, properties: Value| json!({ "event": name, "properties": properties });
    let events = [
        link("$merge", json!({ "$distinct_ids": ["anna", "old"] })),
        link(
            "$identify",
            json!({ "$identified_id": "anna", "$anon_id": "x-1" }),
        ),
        plain("x-1", 2, json!({})),
        plain("anna", 3, json!({})),
        plain("old", 4, json!({})),
    ];
    assert_eq!(people(&events), [0, 0, 0]);
    let found = Run::keeping(&[]).read_events(&events);
    assert_eq!(found.review.identity_events, 2);
}
