//! The other ids of a person, from files, and whether one of them has a profile of its own.

use std::collections::BTreeSet;

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
                let is_known = |id: &&&str| asked.iter().any(|asked| asked == *id);
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

/// A Mixpanel that answers for each alias with the profile of its main id, in which `user-1` and
/// `user-2` have a value.
fn resolving(aliases: fn(&str) -> Option<&'static str>) -> Fake {
    Fake::answering(move |call| {
        if asks_for_values(call) {
            let known = [("user-1", "anna@x.test"), ("user-2", "bob@x.test")];
            let asked = values(call);
            let has = known
                .iter()
                .filter(|(_, value)| asked.iter().any(|one| one == value));
            let rows: Vec<Value> = has.map(|(id, value)| row(&(id, json!(value)))).collect();
            return Reply::json(200, &page(&rows));
        }
        let asked = call.ids();
        let main = asked.iter().filter_map(|id| match id.as_str() {
            "user-1" => Some("user-1"),
            "user-2" => Some("user-2"),
            alias => aliases(alias),
        });
        let found: BTreeSet<&str> = main.collect();
        let rows = found.iter().map(|id| json!({ "$distinct_id": id }));
        Reply::json(200, &page(&rows.collect::<Vec<_>>()))
    })
}

#[test]
fn the_main_profile_of_an_alias_may_be_in_another_query() {
    let fake = resolving(|_| Some("user-1"));
    let operator = set_up(&fake, "");
    ask(&operator, &["anna@x.test"]);
    let ids = (0..1400).map(|n| format!("old-{n},user-1\n"));
    let map = format!(
        "distinct_id,resolved_distinct_id\n{}",
        ids.collect::<String>()
    );
    operator.file("map.csv", map);
    let outcome = lookup(&operator, &ARGS);
    assert_eq!(
        answers(outcome.exits_with(0)),
        [("one".to_owned(), 1)],
        "{outcome}"
    );
    assert_eq!(outcome.json()["asked"]["queries"], 3);
    assert_eq!(rows(&operator).len(), 1401);
}

#[test]
fn an_id_that_leads_to_a_profile_elsewhere_brings_in_nobody() {
    let map = format!("{MAP}old-2,user-2\n$device:2,user-2\n");
    let with = |settings| {
        let fake = resolving(|alias| (alias == "old-1").then_some("main-elsewhere"));
        let operator = set_up(&fake, settings);
        ask(&operator, &["anna@x.test", "bob@x.test"]);
        operator.file("map.csv", &map);
        (fake, operator)
    };
    let (fake, operator) = with("");
    let outcome = lookup(&operator, &[&ARGS[..], &["--exit-status"]].concat());
    names_nobody(outcome.exits_with(1).never_says("main-elsewhere"));
    assert_eq!(outcome.json()["warnings"][0]["kind"], "joined_profiles");
    let joined = |line: usize| outcome.json()["lines"][line]["joined"].clone();
    assert_eq!([joined(0), joined(1)], [json!(true), json!(false)]);
    let mut rows = rows(&operator);
    rows.sort();
    let row = |texts: [&str; 3]| texts.map(str::to_owned);
    assert_eq!(
        rows,
        [
            row(["$device:2", "alias", "user-2"]),
            row(["old-2", "alias", "user-2"]),
            row(["user-1", "joined", "user-1"]),
            row(["user-2", "one", "user-2"]),
        ]
    );
    // Nobody but these ids is asked about, and the trail says how many.
    let asked: BTreeSet<String> = fake.calls()[1..].iter().flat_map(Call::ids).collect();
    assert_eq!(asked.len(), 7, "{asked:?}");
    let sql = "SELECT details FROM audit WHERE event = 'profiles_asked' ORDER BY seq";
    let entered: Vec<Value> = operator
        .ledger_texts(sql)
        .iter()
        .map(|text| serde_json::from_str(text).expect("JSON"))
        .collect();
    let queries: u64 = entered
        .iter()
        .filter_map(|one| one["queries"].as_u64())
        .sum();
    assert_eq!(queries as usize, fake.calls().len() - 1, "{entered:?}");
    // The hour's queries hold for these, too.
    let (fake, operator) = with("queries_per_hour = 3");
    let outcome = operator.run(&[&["lookup"], &ARGS[..]].concat());
    names_nobody(
        outcome
            .exits_with(75)
            .says("no list was written")
            .says("--max-wait"),
    );
    assert!(!operator.work().join("found.csv").exists());
    assert_eq!(fake.calls().len(), 2);
}

#[test]
fn damage_in_the_identities_shows_before_anybody_is_asked() {
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
