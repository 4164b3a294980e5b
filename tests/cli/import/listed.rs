//! Where an operator finds an import or a deletion of profiles whose id is lost.

use serde_json::json;

use super::{IMPORT, operator_with, takes_all, the_import};
use crate::support::{Fake, Reply};

const LIST: [&str; 3] = ["status", "--cached", "--json"];

#[test]
fn status_lists_the_imports_that_are_not_done_and_all_lists_each() {
    let fake = Fake::answering(|call| match call.place {
        0 => takes_all(call),
        _ => Reply::error(401, "no"),
    });
    let operator = operator_with(&fake, 10);
    let done = the_import(&operator.run(&[&IMPORT[..], &["--json"]].concat()));
    operator.file("more.jsonl", super::lines(2100));
    let open = operator.run(&["import", "--yes", "more.jsonl", "--json"]);
    let open = the_import(open.exits_with(4));
    let found = operator.run(&LIST).exits_with(0).json();
    assert_eq!(found["requests"], json!([]));
    let listed = found["ingestions"].as_array().unwrap();
    assert_eq!(listed.len(), 1, "{found}");
    let one = &listed[0];
    assert_eq!((&one["id"], &one["kind"]), (&open["id"], &json!("import")));
    assert_eq!(
        (&one["state"], &one["source"]),
        (&json!("open"), &json!("more.jsonl"))
    );
    assert_eq!((&one["records"], &one["taken"]), (&json!(2100), &json!(0)));
    assert_eq!(one["batches"]["planned"], 2);
    let all = operator.run(&[&LIST[..], &["--all"]].concat()).json();
    let ids: Vec<_> = all["ingestions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["id"])
        .collect();
    assert_eq!(ids, [&open["id"], &done["id"]]);
    let screen = operator.run(&["status", "--cached"]);
    screen.exits_with(0).says("dsr import");
    let short = &open["id"].as_str().unwrap()[..8];
    for text in ["more.jsonl", short] {
        assert!(screen.stdout.contains(text), "{screen}");
    }
}

#[test]
fn a_deletion_of_profiles_that_is_not_done_is_listed_without_any_id() {
    let fake = Fake::answering(|_| Reply::error(401, "no"));
    let operator = operator_with(&fake, 10);
    operator
        .run(&["profiles", "delete", "--yes", "ids.csv"])
        .exits_with(4);
    let outcome = operator.run(&["status", "--cached"]);
    outcome.exits_with(0).never_says("user-17");
    assert!(outcome.stdout.contains("profiles"), "{outcome}");
    let found = operator.run(&LIST).json();
    assert_eq!(found["ingestions"][0]["kind"], "profile_deletion");
    assert_eq!(found["ingestions"][0]["taken"], 0);
}
