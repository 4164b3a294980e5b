//! `dsr profiles delete`: what goes over the wire, what each answer means, and what is never kept.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::NO_ERASURE;
use crate::support::{Call, Fake, Operator, Outcome, PROJECT_TOKEN, Reply};

pub(crate) const OK: &str = r#"{"code":200,"status":"OK"}"#;

/// Takes every deletion, and says how many.
pub(crate) fn taking(call: &Call) -> Reply {
    let sent = call.body.as_array().map_or(0, Vec::len);
    Reply::json(
        200,
        &json!({ "code": 200, "num_good_events": sent, "status": "OK" }),
    )
}

pub(crate) fn deleted_ids(fake: &Fake) -> Vec<String> {
    let calls = fake.calls().into_iter();
    let bodies = calls
        .filter(|call| call.path == "/engage")
        .map(|call| call.body);
    let records = bodies.flat_map(|body| body.as_array().expect("a list").clone());
    records
        .map(|record| record["$distinct_id"].as_str().expect("a text").to_owned())
        .collect()
}

pub(crate) fn ids(count: usize) -> (Vec<String>, String) {
    let ids: Vec<String> = (0..count).map(|n| format!("person-{n:05}")).collect();
    let text = format!("distinct_id\n{}\n", ids.join("\n"));
    (ids, text)
}

fn delete(operator: &Operator, args: &[&str]) -> Outcome {
    operator.run(&[&["profiles", "delete", "--yes"], args, &["--json"]].concat())
}

#[test]
fn each_record_has_the_token_the_id_and_the_alias_rule_and_no_credential() {
    let fake = Fake::answering(taking);
    let operator = Operator::at(&fake).without("DSR_TOKEN").with_ledger_key();
    let (all, text) = ids(2500);
    operator.file("ids.csv", &text);
    let outcome = delete(&operator, &["ids.csv"]);
    let found = outcome.exits_with(0).json();
    assert_eq!(found["scope"], NO_ERASURE);
    assert_eq!(found["deletion"]["deleted"], 2500);
    assert_eq!(found["deletion"]["uncounted"], 0);
    assert_eq!(found["outcome"], "deleted");
    outcome.never_says("person-0");
    let calls = fake.calls();
    let sizes: Vec<usize> = calls
        .iter()
        .map(|call| call.body.as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [1000, 1000, 500]);
    for call in &calls {
        assert_eq!(
            (call.method.as_str(), call.path.as_str()),
            ("POST", "/engage")
        );
        assert_eq!(call.query, "strict=1&verbose=1");
        assert_eq!(call.header("authorization"), None);
    }
    let first = &calls[0].body[0];
    let expected = json!({ "$token": PROJECT_TOKEN, "$distinct_id": "person-00000", "$delete": "", "$ignore_alias": true });
    assert_eq!(first, &expected);
    assert_eq!(deleted_ids(&fake), all);
    let followed = delete(&operator, &["--follow-alias", "--id", "person-1"]);
    assert_eq!(followed.exits_with(0).json()["alias"], "follow");
    assert_eq!(fake.calls()[3].body[0]["$ignore_alias"], false);
}

#[test]
fn nothing_is_sent_without_a_yes_or_from_a_doubtful_list() {
    let fake = Fake::answering(taking);
    let operator = Operator::at(&fake);
    operator.file("ids.csv", ids(3).1);
    let plan = operator.run(&["profiles", "delete", "--dry-run", "ids.csv"]);
    for words in [NO_ERASURE, "the original profile stays", "nothing"] {
        assert!(plan.exits_with(0).stdout.contains(words), "{plan}");
    }
    operator
        .run(&["profiles", "delete", "ids.csv"])
        .exits_with(2)
        .says("--yes");
    delete(&operator, &["missing.csv"]).exits_with(2);
    delete(&operator, &["--expect", "4", "ids.csv"]).exits_with(5);
    operator.file("bad.csv", "distinct_id\nperson-1\nundefined\n");
    delete(&operator, &["bad.csv"]).exits_with(5);
    operator.file("hold.csv", ids(3).1);
    delete(&operator, &["ids.csv", "--exclude", "hold.csv"]).exits_with(5);
    operator.file("near.csv", "distinct_id\nPERSON-00001\n");
    delete(&operator, &["ids.csv", "--exclude", "near.csv"]).exits_with(5);
    fake.was_not_called();
    assert!(!operator.dsr_home().join("ledger.db").exists());
    operator.file("hold.csv", "distinct_id\nperson-00001\n");
    delete(&operator, &["ids.csv", "--exclude", "hold.csv"]).exits_with(0);
    assert_eq!(deleted_ids(&fake), ["person-00000", "person-00002"]);
}

#[test]
fn an_answer_counts_only_for_what_it_says() {
    let failed = json!({ "code": 400, "status": "Bad Request", "error": "some data points failed",
        "failed_records": [{ "index": 1, "field": "$distinct_id", "message": "person-00001 is odd" }] });
    // What was answered; the status; deleted, uncounted, refused, unknown, left.
    let cases: [(Reply, i32, [u64; 5]); 12] = [
        (
            Reply::json(
                200,
                &json!({ "code": 200, "num_good_events": 3, "status": "OK" }),
            ),
            0,
            [3, 0, 0, 0, 0],
        ),
        (Reply::text(200, "text/plain", "1"), 0, [3, 3, 0, 0, 0]),
        (
            Reply::text(200, "application/json", r#"{"status":1,"error":null}"#),
            0,
            [3, 3, 0, 0, 0],
        ),
        (Reply::text(200, "application/json", OK), 0, [3, 3, 0, 0, 0]),
        (Reply::text(200, "text/plain", "0"), 3, [0, 0, 3, 0, 0]),
        (
            Reply::text(
                200,
                "application/json",
                r#"{"status":0,"error":"no person-00001"}"#,
            ),
            3,
            [0, 0, 3, 0, 0],
        ),
        (Reply::json(400, &failed), 3, [2, 0, 1, 0, 0]),
        (
            Reply::json(
                200,
                &json!({ "code": 200, "num_good_events": 2, "status": "OK" }),
            ),
            6,
            [0, 0, 0, 3, 0],
        ),
        (
            Reply::text(200, "text/html", "<html>1</html>"),
            6,
            [0, 0, 0, 3, 0],
        ),
        (Reply::text(200, "application/json", ""), 6, [0, 0, 0, 3, 0]),
        (Reply::error(401, "no"), 4, [0, 0, 0, 0, 3]),
        (
            Reply::text(302, "text/plain", "").with("Location", "http://127.0.0.1:1/"),
            6,
            [0, 0, 0, 3, 0],
        ),
    ];
    for (reply, status, expected) in cases {
        let fake = Fake::answering_posts(reply.clone());
        let operator = Operator::at(&fake).with_ledger_key();
        operator.file("ids.csv", ids(3).1);
        let outcome = delete(&operator, &["ids.csv"]);
        let found = outcome.exits_with(status).json();
        let deletion = &found["deletion"];
        let counts = ["deleted", "uncounted", "refused", "unknown", "left"]
            .map(|key| deletion[key].as_u64().unwrap());
        assert_eq!(counts, expected, "{reply:?}\n{outcome}");
        assert_eq!(fake.calls().len(), 1, "{reply:?}");
        outcome.never_says("person-0").never_says(PROJECT_TOKEN);
        let is_deleted = status == 0;
        assert_eq!(found["outcome"] == "deleted", is_deleted);
    }
}

#[test]
fn a_429_and_a_503_are_waited_for() {
    for status in [429, 503] {
        let first = AtomicUsize::new(0);
        let fake = Fake::answering(move |call| match first.fetch_add(1, Ordering::SeqCst) {
            0 => Reply::error(status, "later").with("Retry-After", "3"),
            _ => taking(call),
        });
        let operator = Operator::at(&fake).with_ledger_key();
        operator.file("ids.csv", ids(3).1);
        delete(&operator, &["ids.csv"]).exits_with(0);
        assert_eq!(fake.calls().len(), 2);
        assert!(fake.shortest_gap() >= Duration::from_secs(3));
    }
    let fake = Fake::answering_posts(Reply::error(429, "later"));
    let operator = Operator::at(&fake).with_ledger_key();
    operator.file("ids.csv", ids(3).1);
    let outcome = delete(&operator, &["ids.csv", "--max-wait", "0s"]);
    assert_eq!(outcome.exits_with(75).json()["deletion"]["left"], 3);
    assert_eq!(fake.calls().len(), 1);
}

#[test]
fn an_unknown_batch_is_6_and_one_that_was_not_sent_is_75_even_beside_refused_ones() {
    let failed = json!({ "code": 400, "status": "Bad Request", "error": "x", "num_good_events": 999,
        "failed_records": [{ "index": 0, "field": "$distinct_id", "message": "no" }] });
    // The second answer; the status; what is unknown and left of 2,500.
    for (second, status, unknown, left) in [
        (Reply::error(500, "later"), 6, 1000, 500),
        (Reply::error(503, "later"), 6, 1000, 500),
        (Reply::Reset, 6, 1000, 500),
        (Reply::error(429, "later"), 75, 0, 1500),
        (Reply::error(403, "no"), 4, 0, 1500),
    ] {
        let place = AtomicUsize::new(0);
        let (first, second) = (Reply::json(400, &failed), second.clone());
        let fake = Fake::answering(move |_| match place.fetch_add(1, Ordering::SeqCst) {
            0 => first.clone(),
            _ => second.clone(),
        });
        let operator = Operator::at(&fake).with_ledger_key();
        operator.file("ids.csv", ids(2500).1);
        let outcome = delete(&operator, &["ids.csv", "--max-wait", "0s"]);
        let deletion = outcome.exits_with(status).json()["deletion"].clone();
        let counts = ["deleted", "refused", "unknown", "left"].map(|key| deletion[key].clone());
        assert_eq!(json!(counts), json!([999, 1, unknown, left]), "{outcome}");
    }
}

#[test]
fn after_a_kill_the_same_command_goes_on() {
    let held = AtomicUsize::new(0);
    let fake = Fake::answering(move |call| match held.fetch_add(1, Ordering::SeqCst) {
        1 => Reply::Hang,
        _ => taking(call),
    });
    let operator = Operator::at(&fake).with_ledger_key();
    let (all, text) = ids(3000);
    operator.file("ids.csv", &text);
    let running = operator.start(&["profiles", "delete", "--yes", "ids.csv"]);
    fake.wait_for_posts(2);
    running.kill();
    let outcome = delete(&operator, &["ids.csv"]);
    assert_eq!(outcome.exits_with(0).json()["deletion"]["deleted"], 3000);
    let sent = deleted_ids(&fake);
    // The first batch was taken. The second one is in doubt, and a repeat is harmless.
    assert_eq!(
        sent,
        [&all[..2000], &all[2000..], &all[1000..2000]].concat()
    );
    // A deletion that is done begins anew: profiles may have been made again.
    delete(&operator, &["ids.csv"]).exits_with(0);
    assert_eq!(deleted_ids(&fake).len(), 7000);
}

#[test]
fn no_moment_of_a_kill_loses_a_profile() {
    let fake = Fake::answering(|call| match call.place % 3 {
        0 => Reply::After(Duration::from_millis(20), Box::new(taking(call))),
        _ => taking(call),
    });
    let operator = Operator::at(&fake).with_ledger_key();
    let (mut all, text) = ids(12_000);
    operator.file("ids.csv", &text);
    for milliseconds in [1, 30, 60, 90, 120, 150, 180, 210] {
        let running = operator.start(&["profiles", "delete", "--yes", "ids.csv"]);
        std::thread::sleep(Duration::from_millis(milliseconds));
        running.kill();
    }
    let found = delete(&operator, &["ids.csv"]).exits_with(0).json();
    assert_eq!(found["deletion"]["deleted"], 12_000);
    let mut sent = deleted_ids(&fake);
    sent.sort();
    sent.dedup();
    all.sort();
    assert_eq!(sent, all);
    operator.run(&["audit", "verify"]).exits_with(0);
}

#[test]
fn it_is_never_an_erasure_and_the_ledger_has_no_id() {
    let fake = Fake::answering(taking);
    let operator = Operator::at(&fake).with_ledger_key();
    operator.file("ids.csv", ids(3).1);
    delete(&operator, &["ids.csv"]).exits_with(0);
    for (path, content) in operator.files() {
        let text = String::from_utf8_lossy(&content);
        assert!(!text.contains("person-0"), "{}", path.display());
    }
    assert!(operator.requests().is_empty());
    let report = operator.run(&["report", "--json"]).exits_with(0).json();
    let told = &report["report"]["evidence"]["period"]["profile_deletions"];
    assert_eq!(
        (&told[0]["profiles"], &told[0]["deleted"]),
        (&json!(3), &json!(3)),
        "{report}"
    );
    let page = operator.run(&["report", "--output", "report.html"]);
    page.exits_with(0);
    let page = std::fs::read_to_string(operator.work().join("report.html")).unwrap();
    assert!(page.contains("No request of this period"), "no erasure");
    assert!(page.contains("deleted 3 profiles of 3") && page.contains("this is not an erasure"));
    let found = operator
        .run(&["find", "ids.csv", "--json"])
        .exits_with(0)
        .json();
    assert!(!found.to_string().contains("done"), "{found}");
    let list = operator.run(&["suppressions", "export", "--json"]);
    assert!(!list.stdout.contains("\"people\":3"), "{list}");
    let plan = operator.run(&["delete", "--gdpr", "--dry-run", "ids.csv"]);
    assert!(!plan.exits_with(0).stdout.contains("Earlier"), "{plan}");
    operator.run(&["audit", "verify"]).exits_with(0);
    let log = operator.run(&["audit", "log"]);
    let words = &log.exits_with(0).stdout;
    assert!(words.contains("profile deletion of 3 records"), "{log}");
    log.never_says("person-0");
}

#[test]
fn a_batch_that_is_too_large_is_split() {
    let fake = Fake::answering(|call| match call.body.as_array().map_or(0, Vec::len) {
        0..=400 => taking(call),
        _ => Reply::error(413, "too large"),
    });
    let operator = Operator::at(&fake).with_ledger_key();
    let (all, text) = ids(1000);
    operator.file("ids.csv", &text);
    let found = delete(&operator, &["ids.csv"]).exits_with(0).json();
    assert_eq!(found["deletion"]["deleted"], 1000);
    let calls = fake.calls();
    let taken = calls
        .iter()
        .map(|call| call.body.as_array().unwrap().clone());
    let mut taken: Vec<Value> = taken
        .filter(|records| records.len() <= 400)
        .flatten()
        .collect();
    taken.sort_by_key(|record| record["$distinct_id"].to_string());
    let taken: Vec<&str> = taken
        .iter()
        .map(|record| record["$distinct_id"].as_str().unwrap())
        .collect();
    assert_eq!(taken, all);
}

#[test]
fn a_project_with_approvals_deletes_no_profile_on_the_word_of_one() {
    let fake = Fake::answering(taking);
    let operator = Operator::at_with(&fake, "approvals = 1");
    operator.file("ids.csv", ids(3).1);
    let failure = delete(&operator, &["ids.csv"]).exits_with(2).failure();
    assert_eq!(failure["kind"], "approvals");
    let message = failure["message"].as_str().unwrap();
    assert!(message.contains("nothing was sent"), "{message}");
    operator.file(
        "users.csv",
        "$distinct_id,$last_seen\nperson-1,2020-01-01\n",
    );
    let expire = [
        "profiles",
        "expire",
        "--not-seen-for",
        "24months",
        "--profiles",
        "users.csv",
    ];
    let expire = [&expire[..], &["--at-most", "100%", "--yes", "--json"]].concat();
    let failure = operator.run(&expire).exits_with(2).failure();
    assert_eq!(failure["kind"], "approvals");
    fake.was_not_called();
    assert!(!operator.dsr_home().join("ledger.db").exists());
    // A plan harms nobody.
    let plan = ["profiles", "delete", "--dry-run", "ids.csv"];
    operator.run(&plan).exits_with(0).says("approvals");
    fake.was_not_called();
}
