//! `dsr profiles expire` at Mixpanel when no profile has the property, or there is no profile: as
//! with a file of such profiles.

use serde_json::{Value, json};

use super::{days_ago, expire, log};
use crate::preflight::set_up;
use crate::support::Reply;
use crate::support::{Fake, shows};

/// Pages of two profiles each.
fn pages(profiles: Vec<Value>) -> Fake {
    Fake::answering(move |call| {
        let form = call.body.as_str().expect("a form");
        let mut fields = url::form_urlencoded::parse(form.as_bytes());
        let page = fields.find(|(name, _)| name == "page");
        let page = page.map_or(0, |(_, page)| page.parse().expect("a number"));
        let rows: Vec<&Value> = profiles.iter().skip(page * 2).take(2).collect();
        Reply::json(
            200,
            &json!({ "page": page, "page_size": 2, "session_id": "s", "status": "ok",
                     "total": profiles.len(), "results": rows }),
        )
    })
}

fn profile(number: usize, properties: &Value) -> Value {
    json!({ "$distinct_id": format!("person-{number}"), "$properties": properties })
}

const SENT: [&str; 6] = ["24months", "--yes", "--log", "run.jsonl", "-o", "list.csv"];

#[test]
fn a_property_that_no_profile_has_is_an_error_and_not_nobody() {
    let seen = json!({ "$last_seen": days_ago(900), "empty": "", "null": null });
    for by in ["$last_sen", "empty", "null"] {
        let fake = pages((0..5).map(|number| profile(number, &seen)).collect());
        let operator = set_up(&fake, "");
        let outcome = expire(&operator, &[&SENT[..], &["--by", by]].concat());
        let failure = outcome.exits_with(5).failure();
        assert!(
            failure["message"].as_str().unwrap().contains(by),
            "{failure}"
        );
        let hint = failure["hint"].as_str().unwrap();
        assert!(
            shows(hint, "--by PROPERTY") && shows(hint, "3 queries"),
            "{hint}"
        );
        assert!(shows(hint, "nothing was deleted"), "{hint}");
        outcome.never_says("person-");
        assert_eq!(log(&operator, "run.jsonl")[0]["outcome"], "bad_input");
        // No query is spent on anything else, and nothing is deleted.
        assert_eq!(fake.calls().len(), 3);
        assert!(!operator.work().join("list.csv").exists());
    }
}

#[test]
fn a_project_without_profiles_is_an_error() {
    let fake = pages(Vec::new());
    let operator = set_up(&fake, "");
    let outcome = expire(&operator, &SENT);
    let failure = outcome.exits_with(5).failure();
    let message = failure["message"].as_str().unwrap();
    assert!(shows(message, "no profiles"), "{message}");
    assert_eq!(log(&operator, "run.jsonl")[0]["outcome"], "bad_input");
}

#[test]
fn one_profile_with_the_property_is_enough() {
    let profiles = [json!({}), json!({}), json!({ "$last_seen": days_ago(900) })];
    let profiles = profiles.iter().enumerate();
    let fake = pages(profiles.map(|(number, one)| profile(number, one)).collect());
    let operator = set_up(&fake, "");
    // Nobody has this value, and yet the property is right.
    let args = [&SENT[..], &["--where", "plan=free"]].concat();
    let found = expire(&operator, &args).exits_with(0).json();
    assert_eq!(
        (&found["selected"], &found["not_meant"]),
        (&json!(0), &json!(3))
    );
}

#[test]
fn a_device_is_not_asked_for_the_persons_other_ids() {
    let fake = Fake::start();
    let operator = set_up(&fake, "");
    operator.file(
        "late.csv",
        "$distinct_id,$last_seen\n$device:3f2a9c10,2020-01-01\nuser-1,2020-01-01\n",
    );
    let args = [
        "24months",
        "--dry-run",
        "--profiles",
        "late.csv",
        "--at-most",
        "100%",
    ];
    let outcome = expire(&operator, &args);
    outcome.exits_with(0);
    let warnings = outcome.json()["warnings"].to_string();
    assert!(!warnings.contains("device_id"), "{warnings}");
}
