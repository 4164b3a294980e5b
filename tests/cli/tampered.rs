//! Somebody changes the ledger's file so that an answer looks timely: `dsr audit verify` finds it.

use serde_json::{Value, json};

use crate::minimisation::with_key;
use crate::support::{Call, Exports, Fake, Operator, Reply, handing_out, object_reply, shows};

/// Checks what is found, with and without the saved head.
#[track_caller]
fn finds(operator: &Operator, head: &str, change: &str, kind: &str) {
    for args in [&["--head", head][..], &[]] {
        let outcome = operator.run(&[&["audit", "verify", "--json"], args].concat());
        outcome.exits_with(74);
        let found = outcome.json()["audit"]["findings"].clone();
        let found = found.as_array().expect("findings");
        assert_eq!(found.len(), 1, "{change}: {found:?}");
        assert_eq!(found[0]["kind"], kind, "{change}");
        assert!(!shows(&found[0]["message"].to_string(), "a3"), "no value");
    }
}

/// Makes each change alone, in a ledger that is whole before.
#[track_caller]
fn each_is_found(operator: &Operator, changes: &[(&str, &str)]) {
    let head = operator
        .run(&["audit", "head"])
        .exits_with(0)
        .stdout
        .clone();
    let head = head.split(' ').next().unwrap_or_default().to_owned();
    operator
        .run(&["audit", "verify", "--head", &head])
        .exits_with(0);
    let whole = operator.copies_ledger();
    operator.give_up_trail();
    for (change, kind) in changes {
        operator.change_ledger(change);
        finds(operator, &head, change, kind);
        operator.puts_back(&whole);
    }
    operator
        .run(&["audit", "verify", "--head", &head])
        .exits_with(0);
}

#[test]
fn one_change_that_makes_a_late_deletion_timely_is_found() {
    let results = json!({ "status": "SUCCESS", "distinct_ids": [] });
    let status = Reply::json(200, &json!({ "status": "ok", "results": results }));
    let fake = Fake::answering(move |call: &Call| match (call.is_post(), call.place) {
        (true, 1) => Reply::error(400, "no such thing as a3"),
        (true, place) => object_reply(&format!("t-{place}")),
        (false, _) => status.clone(),
    });
    let operator = with_key(&fake, "rate = 1000\ndelete_batch = 2");
    operator.file("ids.csv", "distinct_id\na1\na2\na3\n");
    let delete = ["delete", "--gdpr", "--yes", "ids.csv"];
    operator.run(&delete).exits_with(3);
    let id = operator.only_request()["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    operator
        .run(&["extend", &id, "--reason", "many"])
        .exits_with(0);
    operator.run(&["status", "--refresh"]).exits_with(0);
    operator.run(&["answered", &id]).exits_with(0);
    let day = "'2026-01-01T00:00:00.000Z'";
    let (job, request) = ("job_differs", "request_differs");
    let changes = [
        (
            format!("UPDATE steps SET at = {day} WHERE number = 1 AND to_state = 'done'"),
            job,
        ),
        (
            format!("UPDATE attempts SET started_at = {day} WHERE number = 1"),
            job,
        ),
        (
            format!("UPDATE attempts SET ended_at = {day} WHERE number = 1"),
            job,
        ),
        (
            "UPDATE attempts SET outcome = 'refused' WHERE number = 1".to_owned(),
            job,
        ),
        (
            format!("UPDATE jobs SET submitted_at = {day} WHERE number = 1"),
            job,
        ),
        (
            format!("UPDATE jobs SET checked_at = {day} WHERE number = 1"),
            job,
        ),
        (
            "UPDATE jobs SET mixpanel_status = 'FAILURE' WHERE number = 1".to_owned(),
            job,
        ),
        (
            "UPDATE jobs SET reason = 'another' WHERE number = 2".to_owned(),
            job,
        ),
        (
            "UPDATE jobs SET may_be_double = 1 WHERE number = 1".to_owned(),
            job,
        ),
        (
            "UPDATE people SET hashes = zeroblob(32) WHERE number = 1".to_owned(),
            job,
        ),
        (format!("UPDATE requests SET created = {day}"), request),
        (
            "UPDATE requests SET received = '2026-01-01'".to_owned(),
            request,
        ),
        (
            "UPDATE requests SET confirm_by = '2026-01-01'".to_owned(),
            request,
        ),
        (
            "UPDATE extensions SET day = '2026-01-01'".to_owned(),
            request,
        ),
        (
            "UPDATE extensions SET reason = 'another'".to_owned(),
            request,
        ),
        (
            "UPDATE extensions SET due_before = '2026-01-01'".to_owned(),
            request,
        ),
        ("UPDATE answers SET day = '2026-01-01'".to_owned(), request),
        (
            "UPDATE answers SET manner = 'by letter'".to_owned(),
            request,
        ),
        ("DELETE FROM answers".to_owned(), request),
        (
            format!("INSERT INTO purges VALUES ({day}, {day}, 1, 1, {day}, {day}, 0)"),
            "records_differ",
        ),
    ];
    let changes: Vec<(&str, &str)> = changes.iter().map(|(c, k)| (c.as_str(), *k)).collect();
    each_is_found(&operator, &changes);
}

#[test]
fn one_change_of_what_was_fetched_and_when_is_found() {
    let archive = [b"PK\x03\x04".as_slice(), b"PK\x05\x06", &[0; 18]].concat();
    let exports = Exports::of(&["a1"], move |_| handing_out(&archive, ""));
    exports.download(&[]).exits_with(0);
    let operator = &exports.operator;
    let day = "'2026-01-01T00:00:00.000Z'";
    let changes = ["fetched_at", "first_fetched_at", "path", "sha256"]
        .map(|column| format!("UPDATE downloads SET {column} = {day}"));
    let changes: Vec<(&str, &str)> = changes
        .iter()
        .map(|c| (c.as_str(), "job_differs"))
        .collect();
    each_is_found(operator, &changes);
}

/// A deletion that is carried out and answered, in a ledger without further checks at the end.
fn answered(received: &str, on: &str) -> (Operator, String) {
    let results = json!({ "status": "SUCCESS", "distinct_ids": [] });
    let status = Reply::json(200, &json!({ "status": "ok", "results": results }));
    let fake = Fake::answering(move |call: &Call| match call.is_post() {
        true => object_reply("t-1"),
        false => status.clone(),
    });
    let operator = with_key(&fake, "rate = 1000");
    let delete = ["delete", "--gdpr", "--yes", "--received", received, "a1"];
    operator.run(&delete).exits_with(0);
    operator.run(&["status", "--refresh"]).exits_with(0);
    let id = operator.ledger_texts("SELECT id FROM requests").remove(0);
    operator.run(&["answered", &id, "--on", on]).exits_with(0);
    operator.give_up_trail();
    (operator, id)
}

#[test]
fn what_differs_is_named_wherever_the_trail_has_it() {
    let (operator, _) = answered("2026-01-05", "2026-01-20");
    let whole = operator.copies_ledger();
    for (change, what) in [
        (
            "UPDATE answers SET day = '2026-01-19'",
            "the day of its answer is 2026-01-19, and the trail has 2026-01-20",
        ),
        ("DELETE FROM answers", "its answer is missing"),
        ("UPDATE jobs SET state = 'failed'", "`state`"),
        (
            "UPDATE steps SET at = '2026-01-06T00:00:00.000Z' WHERE to_state = 'done'",
            "its steps",
        ),
    ] {
        operator.change_ledger(change);
        let found = operator.run(&["audit", "verify"]);
        found.exits_with(74);
        let shown = found.stdout.split_whitespace().collect::<Vec<_>>();
        let shown = shown.join(" ");
        assert!(shown.contains(what), "{change}\n{found}");
        assert!(!shown.contains("only in its digest"), "{change}\n{found}");
        operator.puts_back(&whole);
    }
    operator.change_ledger("UPDATE answers SET manner = 'by letter'");
    let found = operator.run(&["audit", "verify"]);
    found.exits_with(74);
    assert!(found.stdout.contains("digest"), "{found}");
}

#[test]
fn a_span_that_runs_backwards_is_called_a_contradiction_and_not_a_number() {
    let (operator, id) = answered("2026-03-06", "2026-03-08");
    operator.change_ledger("UPDATE answers SET day = '2026-01-05'");
    let page = operator.run(&["report", &id, "--format", "html"]);
    let period = ["report", "--from", "2026-01-01", "--to", "2026-12-31"];
    let all = operator.run(&[&period[..], &["--format", "html"]].concat());
    let table = operator.run(&[&period[..], &["--format", "csv"]].concat());
    for shown in [&page, &all] {
        let text = &shown.exits_with(0).stdout;
        assert!(!shows(text, "-60"), "{text}");
        assert!(!text.contains("60 days after"), "{text}");
        assert!(!text.contains("answered in time"), "{text}");
        assert!(text.contains("contradict"), "{text}");
    }
    assert!(table.stdout.contains(",dates_contradict,"), "{table}");
    assert!(!shows(&table.stdout, "-60"), "{table}");
    let json = operator.run(&["report", &id, "--json"]).json();
    let answer = &json["report"]["evidence"]["request"]["answer"];
    assert_eq!(answer["timing"], "dates_contradict");
    assert_eq!(answer["days"], Value::Null);
    let figures = operator.run(&[&period[..], &["--json"]].concat()).json();
    let figures = &figures["report"]["evidence"]["figures"][0];
    for (key, value) in [("in_time", 0), ("late", 0), ("dates_contradict", 1)] {
        assert_eq!(figures[key], value, "{key}");
    }
    let status = operator.run(&["status", &id, "--cached"]);
    assert!(status.stdout.contains("contradict"), "{status}");
    // The day of receipt was moved.
    operator.change_ledger("UPDATE requests SET received = '2026-12-24', due = '2026-04-07'");
    let page = operator.run(&["report", &id, "--format", "html"]);
    assert!(page.exits_with(0).stdout.contains("contradict"));
    let bars = page.stdout.split("width=\"-").count();
    assert_eq!(bars, 1, "no bar is drawn backwards");
}
