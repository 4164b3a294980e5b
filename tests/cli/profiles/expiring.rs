//! `dsr profiles expire` from the selection to the deletion, the log and the trail.

use serde_json::json;

use super::delete::{deleted_ids, taking};
use super::{NO_ERASURE, days_ago, expire, log};
use crate::support::{Fake, Operator, Reply};

/// Three late profiles of sixty.
fn users() -> String {
    let row = |n: u64| {
        let days = if n.is_multiple_of(20) { 800 + n } else { n };
        format!("person-{n:02},{}T10:00:00\n", days_ago(days))
    };
    let rows: Vec<String> = (0..60).map(row).collect();
    format!("$distinct_id,$last_seen\n{}", rows.concat())
}

const ARGS: [&str; 6] = [
    "24months",
    "--profiles",
    "users.csv",
    "--yes",
    "--log",
    "log.jsonl",
];

#[test]
fn exactly_the_selected_profiles_go_and_the_log_and_the_trail_say_so() {
    let fake = Fake::answering(taking);
    let operator = Operator::at(&fake).without("DSR_TOKEN").with_ledger_key();
    operator.file("users.csv", users());
    let outcome = expire(&operator, &ARGS);
    let found = outcome.exits_with(0).json();
    assert_eq!(found["scope"], NO_ERASURE);
    assert_eq!(found["outcome"], "deleted");
    assert_eq!(found["deletion"]["deleted"], 3);
    assert_eq!(deleted_ids(&fake), ["person-00", "person-20", "person-40"]);
    outcome.never_says("person-");
    let line = &log(&operator, "log.jsonl")[0];
    assert_eq!(line["deleted"], 3);
    assert_eq!(line["failed"], 0);
    assert_eq!(line["outcome"], "deleted");
    assert_eq!(line["by"], "$last_seen");
    assert_eq!(line["deletion"], found["deletion"]["id"]);
    assert!(!line.to_string().contains("person-"));
    let trail = operator
        .run(&["audit", "log", "--json"])
        .exits_with(0)
        .json();
    let entries = trail["audit"]["entries"]
        .as_array()
        .expect("entries")
        .clone();
    let selected = entries
        .iter()
        .find(|entry| entry["event"] == "profiles_selected");
    let selected = selected.expect("an entry");
    assert_eq!(selected["entry"], line["trail_entry"]);
    assert_eq!(selected["details"]["selected"], 3);
    operator.run(&["audit", "verify"]).exits_with(0);
    // The profiles are gone from the next export, and the log goes on.
    operator.file(
        "users.csv",
        "distinct_id,$last_seen\nperson-01,2026-01-01\n",
    );
    expire(&operator, &ARGS).exits_with(0);
    let lines = log(&operator, "log.jsonl");
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1]["outcome"], "nothing_selected");
    assert!(lines[1]["trail_entry"].as_u64() > lines[0]["trail_entry"].as_u64());
    assert_eq!(fake.calls().len(), 1);
}

#[test]
fn people_under_legal_hold_are_never_selected() {
    let fake = Fake::answering(taking);
    let operator = Operator::at(&fake).with_ledger_key();
    operator.file("users.csv", users());
    operator.file("hold.csv", "distinct_id\nperson-20\nperson-21\n");
    let found = expire(&operator, &[&ARGS[..], &["--exclude", "hold.csv"]].concat());
    assert_eq!(found.exits_with(0).json()["excluded"], 1);
    assert_eq!(deleted_ids(&fake), ["person-00", "person-40"]);
    operator.file("hold.csv", "distinct_id\nperson-99\n");
    let outcome = expire(&operator, &[&ARGS[..], &["--exclude", "hold.csv"]].concat());
    let warnings = outcome.exits_with(0).json()["warnings"].clone();
    assert_eq!(warnings[0]["kind"], "hold_not_found");
    expire(&operator, &[&ARGS[..], &["--exclude", "none.csv"]].concat()).exits_with(5);
}

#[test]
fn what_mixpanel_refuses_is_failed_in_the_log() {
    let failed = json!({ "code": 400, "status": "Bad Request", "error": "x",
        "failed_records": [{ "index": 0, "field": "$distinct_id", "message": "no" }] });
    for (reply, status, counts, outcome) in [
        (Reply::json(400, &failed), 3, [2, 1, 0], "unfinished"),
        (
            Reply::text(200, "text/plain", "0"),
            3,
            [0, 3, 0],
            "unfinished",
        ),
        (
            Reply::text(200, "text/plain", "??"),
            6,
            [0, 0, 3],
            "unfinished",
        ),
        (Reply::error(403, "no"), 4, [0, 3, 0], "unfinished"),
    ] {
        let fake = Fake::answering_posts(reply);
        let operator = Operator::at(&fake).with_ledger_key();
        operator.file("users.csv", users());
        expire(&operator, &ARGS).exits_with(status);
        let line = &log(&operator, "log.jsonl")[0];
        assert_eq!(
            [&line["deleted"], &line["failed"], &line["unknown"]],
            counts
        );
        assert_eq!(line["outcome"], outcome);
    }
}
