//! Somebody changes the ledger's file so that an answer looks timely: `dsr audit verify` finds it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::minimisation::with_key;
use crate::support::{Call, Exports, Fake, Operator, Reply, handing_out, object_reply};

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
        assert!(!found[0]["message"].to_string().contains("a3"), "no value");
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
    let path = operator.dsr_home().join("ledger.db");
    let whole = fs::read(&path).expect("a ledger");
    operator.give_up_trail();
    for (change, kind) in changes {
        operator.change_ledger(change);
        finds(operator, &head, change, kind);
        fs::write(&path, &whole).expect("it can be put back");
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

/// The ledger of a dsr whose trail had no digests of rows.
const OLDER: &str = include_str!("../golden/ledger/version-17.sql");

#[test]
fn the_trail_of_an_older_dsr_is_verified_as_before_and_its_steps_too() {
    let operator = Operator::new();
    let folder = operator.dsr_home().join("sandbox");
    let path = folder.join("ledger.db");
    fs::create_dir_all(&folder).expect("a folder can be made");
    for private in [operator.dsr_home(), folder] {
        fs::set_permissions(private, Permissions::from_mode(0o700)).expect("it is ours");
    }
    let older = Connection::open(&path).expect("a ledger can be made");
    older.execute_batch(OLDER).expect("the dump is whole");
    fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("it is ours");
    let verify = || operator.run(&["--sandbox", "audit", "verify", "--json"]);
    let audit = verify().exits_with(0).json()["audit"].clone();
    assert_eq!((&audit["entries"], &audit["jobs"]), (&json!(18), &json!(3)));
    let change = |sql: &str, kind: Option<&str>| {
        older.execute_batch("BEGIN").expect("a transaction");
        older.execute_batch(sql).expect("it can be changed");
        older.execute_batch("COMMIT").expect("it is");
        let found = verify().json()["audit"]["findings"][0]["kind"].clone();
        assert_eq!(found, kind.map_or(Value::Null, Value::from), "{sql}");
    };
    let done = "WHERE to_state = 'done' AND request LIKE 'n2bt%'";
    let was: String = older
        .query_row(&format!("SELECT at FROM steps {done}"), [], |row| {
            row.get(0)
        })
        .expect("a step");
    let timely = format!("UPDATE steps SET at = '2026-11-29T06:00:00.000Z' {done}");
    change(&timely, Some("job_differs"));
    change(&format!("UPDATE steps SET at = '{was}' {done}"), None);
    change(
        "UPDATE downloads SET bytes = bytes + 1",
        Some("job_differs"),
    );
    change("UPDATE downloads SET bytes = bytes - 1", None);
    // From its next entry on, the trail covers the whole request.
    operator
        .run(&["--sandbox", "answered", "n2bt25ya", "--on", "2026-11-29"])
        .exits_with(0);
    change(
        "UPDATE requests SET created = 'x' WHERE id LIKE 'n2bt%'",
        Some("request_differs"),
    );
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
    let path = operator.dsr_home().join("ledger.db");
    let whole = fs::read(&path).expect("a ledger");
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
        fs::write(&path, &whole).expect("it can be put back");
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
        assert!(
            !text.contains("-60") && !text.contains("60 days after"),
            "{text}"
        );
        assert!(!text.contains("answered in time"), "{text}");
        assert!(text.contains("contradict"), "{text}");
    }
    assert!(table.stdout.contains(",dates_contradict,"), "{table}");
    assert!(!table.stdout.contains("-60"), "{table}");
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
