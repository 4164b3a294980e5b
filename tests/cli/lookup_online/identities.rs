//! The other ids of a person, from files, and whether one of them has a profile of its own.

use serde_json::{Value, json};

use super::{ask, field, page, row, values};
use crate::lookup::{answers, listed, lookup};
use crate::preflight::set_up;
use crate::support::{Call, Fake, Operator, Outcome, Reply};

const MAP: &str =
    "distinct_id,resolved_distinct_id\nfar,old-1\n$device:1,user-1\nold-1,user-1\nx,y\n";
const ARGS: [&str; 5] = ["ask.csv", "--identities", "map.csv", "-o", "found.csv"];

fn asks_for_values(call: &Call) -> bool {
    field(call, "where").is_some()
}

/// A Mixpanel in which `user-1` has the value, and these ids have a profile.
fn with_profiles(ids: &'static [&'static str], map: &str) -> (Fake, Operator) {
    let fake = Fake::answering(|call| {
        let rows: Vec<Value> = match asks_for_values(call) {
            true if values(call).contains(&"anna@x.test".to_owned()) => {
                vec![row(&("user-1", json!("anna@x.test")))]
            }
            true => Vec::new(),
            false => {
                let asked = call.ids();
                let is_known =
                    |id: &&&str| asked.iter().any(|asked| asked == *id) || id.starts_with("alias");
                let known = ids.iter().filter(is_known);
                known.map(|id| json!({ "$distinct_id": id })).collect()
            }
        };
        Reply::json(200, &page(&rows))
    });
    let operator = set_up(&fake, "");
    ask(&operator, &["anna@x.test", "no@x.test"]);
    operator.file("map.csv", map);
    (fake, operator)
}

fn rows(operator: &Operator) -> Vec<[String; 3]> {
    let rows = listed(operator, "found.csv").into_iter();
    rows.map(|row| [row[0].clone(), row[1].clone(), row[2].clone()])
        .collect()
}

fn names_nobody(outcome: &Outcome) {
    for text in ["x.test", "user-1", "old-1", "$device:1"] {
        outcome.never_says(text);
    }
}

#[test]
fn every_id_of_a_person_is_listed_after_mixpanel_was_asked_for_its_profile() {
    let (fake, operator) = with_profiles(&["user-1"], MAP);
    let outcome = lookup(&operator, &ARGS);
    names_nobody(outcome.exits_with(0));
    assert_eq!(
        answers(&outcome),
        [("one".to_owned(), 1), ("none".to_owned(), 0)]
    );
    let found = outcome.json();
    assert_eq!(
        found["ids"],
        json!({ "profiles": 1, "aliases": 3, "devices": 1 })
    );
    assert_eq!(found["asked"]["queries"], 2);
    assert_eq!(found["identities"][0]["values"], 4);
    let row = |texts: [&str; 3]| texts.map(str::to_owned);
    let mut rows = rows(&operator);
    rows[1..].sort();
    assert_eq!(
        rows,
        [
            row(["user-1", "one", "user-1"]),
            row(["$device:1", "alias", "user-1"]),
            row(["far", "alias", "user-1"]),
            row(["old-1", "alias", "user-1"]),
        ]
    );
    let calls = fake.calls();
    assert_eq!(calls.len(), 2);
    let mut asked = calls[1].ids();
    asked.sort();
    assert_eq!(
        asked,
        ["$device:1", "far", "old-1", "user-1"],
        "and nobody else"
    );
    let events = operator.ledger_texts("SELECT event FROM audit ORDER BY seq");
    assert!(
        events.ends_with(&["values_asked".to_owned(), "profiles_asked".to_owned()]),
        "{events:?}"
    );
}

#[test]
fn an_id_with_a_profile_of_its_own_brings_in_nobody() {
    let (_fake, operator) = with_profiles(&["user-1", "old-1"], MAP);
    let outcome = lookup(&operator, &[&ARGS[..], &["--exit-status"]].concat());
    names_nobody(outcome.exits_with(1));
    assert_eq!(outcome.json()["warnings"][0]["kind"], "joined_profiles");
    assert_eq!(rows(&operator), [["user-1", "joined", "user-1"]]);
}

#[test]
fn no_list_is_written_if_it_is_not_known_who_has_a_profile() {
    let (fake, operator) = with_profiles(&["user-1", "alias-of-old-1"], MAP);
    let outcome = operator.run(&[&["lookup"], &ARGS[..]].concat());
    names_nobody(outcome.exits_with(75).says("no list was written"));
    assert!(!operator.work().join("found.csv").exists());
    assert_eq!(fake.calls().len(), 2);
    // Damage shows before anybody is asked, and nobody is asked about strangers.
    let (fake, operator) = with_profiles(&["user-1"], &MAP.replace("x,y", "x"));
    operator
        .run(&[&["lookup"], &ARGS[..]].concat())
        .exits_with(5);
    fake.was_not_called();
    let (fake, operator) = with_profiles(&["user-1"], "distinct_id,resolved_distinct_id\nx,y\n");
    let outcome = lookup(&operator, &ARGS);
    assert_eq!(
        outcome.exits_with(0).json()["warnings"][0]["kind"],
        "no_identities"
    );
    assert_eq!(fake.calls().len(), 1);
}
