//! Somebody changes the ledger's file so that an answer looks timely: `dsr audit verify` finds it.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::minimisation::with_key;
use crate::support::{
    Call, Exports, Fake, Operator, Reply, handing_out, object_reply, shows, status_reply,
};

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
        operator.tamper_with(change);
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
        operator.tamper_with(change);
        let found = operator.run(&["audit", "verify"]);
        found.exits_with(74);
        let shown = found.stdout.split_whitespace().collect::<Vec<_>>();
        let shown = shown.join(" ");
        assert!(shown.contains(what), "{change}\n{found}");
        assert!(!shown.contains("only in its digest"), "{change}\n{found}");
        operator.puts_back(&whole);
    }
    operator.tamper_with("UPDATE answers SET manner = 'by letter'");
    let found = operator.run(&["audit", "verify"]);
    found.exits_with(74);
    assert!(found.stdout.contains("digest"), "{found}");
}

/// What the audit trail says of jobs now, and their rows.
fn trail_and_jobs(operator: &Operator) -> Vec<String> {
    let entries = "SELECT CAST(seq AS TEXT) || hash FROM audit WHERE job IS NOT NULL ORDER BY seq";
    let jobs = "SELECT request || CAST(number AS TEXT) || state || CAST(attempts AS TEXT)
             || COALESCE(task_id, '') FROM jobs
         ORDER BY request, number";
    [entries, jobs]
        .map(|sql| operator.ledger_texts(sql))
        .concat()
}

#[test]
fn no_command_seals_a_job_that_somebody_changed() {
    let status = status_reply("SUCCESS");
    let fake = Fake::answering(move |call: &Call| match call.is_post() {
        true => object_reply(&format!("t-{}", call.place)),
        false => status.clone(),
    });
    let operator = with_key(&fake, "rate = 1000");
    operator
        .run(&["delete", "--gdpr", "--yes", "a1"])
        .exits_with(0);
    let id = operator.ledger_texts("SELECT id FROM requests").remove(0);
    let whole = operator.copies_ledger();
    operator.give_up_trail();
    for (change, what) in [
        ("UPDATE jobs SET task_id = 'x'", "`task_id`"),
        ("UPDATE jobs SET attempts = 7", "`attempts`"),
        ("UPDATE jobs SET state = 'running'", "`state`"),
        ("UPDATE jobs SET may_be_double = 1", "digest"),
        ("UPDATE attempts SET outcome = 'refused'", "digest"),
        ("DELETE FROM steps", "its steps"),
    ] {
        operator.tamper_with(change);
        let before = trail_and_jobs(&operator);
        for args in [&["status", "--refresh"][..], &["cancel", &id]] {
            let refused = operator.run(args);
            refused.exits_with(74).says(&format!("{id}-1")).says(what);
            refused.says("`dsr audit verify`");
        }
        assert_eq!(trail_and_jobs(&operator), before, "{change}");
        operator.run(&["audit", "verify"]).exits_with(74);
        operator.puts_back(&whole);
    }
    // A job that is called done is not asked about, and keeps its ids.
    operator.tamper_with("UPDATE jobs SET state = 'done', next_check = NULL");
    let before = trail_and_jobs(&operator);
    let swept = operator.run(&["status", "--refresh"]);
    swept.says(&format!("{id}-1")).says("`dsr audit verify`");
    assert_eq!(trail_and_jobs(&operator), before);
    assert_eq!(operator.kept_ids().len(), 1);
    operator.run(&["audit", "verify"]).exits_with(74);
    assert_eq!(fake.posts().len(), 1);
    let calls = fake.calls();
    let is_cancelled = |call: &Call| !call.is_post() && call.method != "GET";
    assert!(!calls.iter().any(is_cancelled), "nothing was cancelled");
}

/// What the audit trail says, and every request's row.
fn trail_and_requests(operator: &Operator) -> Vec<String> {
    let entries = "SELECT CAST(seq AS TEXT) || hash FROM audit ORDER BY seq";
    let requests = "SELECT due || source || COALESCE(reference, '') FROM requests ORDER BY id";
    let said = "SELECT request || day FROM answers
         UNION ALL SELECT request || day FROM extensions ORDER BY 1";
    [entries, requests, said]
        .map(|sql| operator.ledger_texts(sql))
        .concat()
}

#[test]
fn no_command_seals_a_request_that_somebody_changed() {
    let fake = Fake::start();
    let operator = with_key(&fake, "rate = 1000");
    operator
        .run(&["delete", "--gdpr", "--yes", "a1"])
        .exits_with(0);
    let id = operator.ledger_texts("SELECT id FROM requests").remove(0);
    let whole = operator.copies_ledger();
    operator.give_up_trail();
    for change in [
        "UPDATE requests SET due = '2099-01-01'",
        "UPDATE requests SET reference = 'T-1'",
        "UPDATE requests SET created = '2026-01-01T00:00:00.000Z'",
    ] {
        operator.tamper_with(change);
        let before = trail_and_requests(&operator);
        for args in [
            &["extend", &id, "--reason", "many"][..],
            &["answered", &id],
            &["cancel", &id],
        ] {
            let refused = operator.run(args);
            refused.exits_with(74).says(&id).says("`dsr audit verify`");
            assert_eq!(trail_and_requests(&operator), before, "{change} {args:?}");
        }
        operator.run(&["audit", "verify"]).exits_with(74);
        operator.puts_back(&whole);
    }
    let calls = fake.calls();
    let is_cancelled = |call: &Call| !call.is_post() && call.method != "GET";
    assert!(!calls.iter().any(is_cancelled), "nothing was cancelled");
}

#[test]
fn the_ids_of_a_request_that_somebody_changed_are_not_hashed() {
    let status = status_reply("SUCCESS");
    let tasks = AtomicUsize::new(0);
    let fake = Fake::answering(move |call: &Call| match call.is_post() {
        true => object_reply(&format!("t-{}", tasks.fetch_add(1, Ordering::Relaxed))),
        false => status.clone(),
    });
    let operator = with_key(&fake, "rate = 1000");
    operator
        .run(&["delete", "--gdpr", "--yes", "a1"])
        .exits_with(0);
    let id = operator.ledger_texts("SELECT id FROM requests").remove(0);
    operator
        .run(&["delete", "--gdpr", "--yes", "b2"])
        .exits_with(0);
    operator.give_up_trail();
    operator.tamper_with(&format!(
        "UPDATE requests SET due = '2099-01-01' WHERE id = '{id}'"
    ));
    let swept = operator.run(&["status", "--refresh"]);
    swept.says(&id).says("`dsr audit verify`");
    let hashed = "SELECT request FROM audit WHERE event = 'ids_hashed' ORDER BY seq";
    let others = format!("SELECT id FROM requests WHERE id <> '{id}'");
    assert_eq!(
        operator.ledger_texts(hashed),
        operator.ledger_texts(&others)
    );
    operator.run(&["audit", "verify"]).exits_with(74);
}

#[test]
fn a_sent_job_that_somebody_plans_again_is_not_sent_again() {
    let fake = Fake::start();
    let operator = with_key(&fake, "rate = 1000");
    operator
        .run(&["delete", "--gdpr", "--yes", "a1"])
        .exits_with(0);
    operator.give_up_trail();
    operator.tamper_with(
        "UPDATE jobs SET state = 'planned', task_id = NULL, attempts = 0, submitted_at = NULL,
             next_check = NULL",
    );
    let before = trail_and_jobs(&operator);
    let refused = operator.run(&["resume"]);
    refused.exits_with(74).says("`dsr audit verify`");
    operator.tamper_with("DELETE FROM attempts; DELETE FROM steps");
    operator.run(&["resume"]).exits_with(74);
    assert_eq!(trail_and_jobs(&operator), before);
    assert_eq!(fake.posts().len(), 1);
}

#[test]
fn nothing_is_sent_while_rows_are_missing_that_the_trail_has() {
    let fake = Fake::answering_post(1, Reply::error(400, "no"));
    let operator = with_key(&fake, "rate = 1000\ndelete_batch = 1");
    operator.file("ids.csv", "distinct_id\na1\na2\n");
    let delete = ["delete", "--gdpr", "--yes", "ids.csv"];
    operator.run(&delete).exits_with(3);
    let id = operator.ledger_texts("SELECT id FROM requests").remove(0);
    let whole = operator.copies_ledger();
    operator.give_up_trail();
    let of_job =
        ["attempts", "steps", "payloads", "people"].map(|table| format!("DELETE FROM {table}"));
    let of_job = of_job.join(";") + ";";
    for (gone, what) in [
        (
            of_job.clone() + "DELETE FROM jobs; DELETE FROM requests",
            "request",
        ),
        (of_job.clone() + "DELETE FROM jobs", "2 jobs of request"),
        (
            of_job.clone() + "DELETE FROM jobs WHERE number = 2",
            "1 job of request",
        ),
    ] {
        operator.tamper_with(&gone);
        for args in [
            &delete[..],
            &["delete", "--gdpr", "--yes", "other"],
            &["resume"],
        ] {
            let refused = operator.run(args);
            refused.exits_with(74).says(&format!("{what} {id}"));
            refused.says("nothing was sent").says("`dsr audit verify`");
        }
        // A plan is shown all the same.
        let plan = format!("{}.plan", what.replace(' ', "-"));
        for plan in [&["--dry-run"][..], &["--plan", &plan]] {
            let shown = operator.run(&[&["delete", "--gdpr", "ids.csv"], plan].concat());
            shown.exits_with(0).says(&format!("{what} {id}"));
        }
        operator.puts_back(&whole);
    }
    assert_eq!(fake.posts().len(), 2);
}

#[test]
fn a_span_that_runs_backwards_is_called_a_contradiction_and_not_a_number() {
    let (operator, id) = answered("2026-03-06", "2026-03-08");
    operator.tamper_with("UPDATE answers SET day = '2026-01-05'");
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
    operator.tamper_with("UPDATE requests SET received = '2026-12-24', due = '2026-04-07'");
    let page = operator.run(&["report", &id, "--format", "html"]);
    assert!(page.exits_with(0).stdout.contains("contradict"));
    let bars = page.stdout.split("width=\"-").count();
    assert_eq!(bars, 1, "no bar is drawn backwards");
}

#[test]
fn a_report_of_a_rehearsal_names_the_command_of_the_rehearsal() {
    let operator = Operator::at(&Fake::start());
    let rehearse = |args: &[&str]| operator.run(&[&["--sandbox"], args].concat());
    let delete = [
        "delete",
        "--gdpr",
        "--yes",
        "--received",
        "2026-03-06",
        "--json",
        "a1",
    ];
    let request = rehearse(&delete).exits_with(0).request();
    let id = request["id"].as_str().expect("a request has an id");
    rehearse(&["answered", id, "--on", "2026-03-08"]).exits_with(0);
    let ledger = operator.dsr_home().join("sandbox/ledger.db");
    let ledger = rusqlite::Connection::open(ledger).expect("the ledger can be opened");
    let changed = ledger.execute("UPDATE answers SET day = '2026-01-05'", []);
    assert_eq!(changed, Ok(1));
    let period = ["report", "--from", "2026-01-01", "--to", "2026-12-31"];
    for args in [&["report", id][..], &period] {
        let page = rehearse(&[args, &["--format", "html"]].concat());
        let text = &page.exits_with(0).stdout;
        assert!(text.contains("Run dsr --sandbox audit verify"), "{text}");
    }
}
