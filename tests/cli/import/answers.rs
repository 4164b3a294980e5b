//! Each answer to a batch: what is recorded, what goes out again, and what does not.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Counted, IMPORT, batch_states, event, events_of, names_nobody, operator_with, taken, takes_all,
    the_import,
};
use crate::support::{Fake, Outcome, Reply};

fn partly(failed: &[(usize, &str)], count: usize) -> Reply {
    let records = failed.iter().map(|(index, field)| {
        json!({ "index": index, "$insert_id": format!("id-{index}"), "field": field, "message": "anon-person-1 is wrong" })
    });
    let body = json!({
        "code": 400,
        "status": "Bad Request",
        "num_records_imported": count - failed.len(),
        "failed_records": records.collect::<Vec<_>>(),
    });
    Reply::json(400, &body)
}

#[test]
fn three_refused_events_of_two_thousand_are_the_file() {
    let failed = [
        (1999, "properties.time"),
        (4, "properties.$insert_id"),
        (17, "properties.time"),
    ];
    let fake = Fake::answering(move |call| match call.place {
        0 => partly(&failed, 2000),
        _ => takes_all(call),
    });
    let operator = operator_with(&fake, 2100);
    let outcome = operator.run(&["import", "--yes", "events.jsonl", "--json"]);
    outcome.exits_with(3);
    names_nobody(&outcome);
    let import = the_import(&outcome);
    assert_eq!(
        (&import["state"], &import["imported"]),
        (&json!("done"), &json!(2097))
    );
    let refused = json!([
        { "line": 5, "field": "properties.$insert_id" },
        { "line": 18, "field": "properties.time" },
        { "line": 2000, "field": "properties.time" },
    ]);
    assert_eq!(import["refused"], refused);
    let path = operator.work().join("events.failed.jsonl");
    let written = std::fs::read_to_string(&path).unwrap();
    assert_eq!(written, [4, 17, 1999].map(|n| event(n) + "\n").concat());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let kept = operator.ledger_texts("SELECT refused FROM ingestion_batches WHERE number = 1");
    assert_eq!(
        kept,
        ["4:properties.$insert_id 17:properties.time 1999:properties.time"]
    );
    // Nothing is sent again, and a corrected file stays as it is.
    std::fs::write(&path, "corrected\n").unwrap();
    operator.run(&IMPORT).exits_with(3).says("imported already");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "corrected\n");
    assert_eq!(fake.calls().len(), 2);
    // A lost file comes back without a call.
    std::fs::remove_file(&path).unwrap();
    operator.run(&IMPORT).exits_with(3);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), written);
    assert_eq!(fake.calls().len(), 2);
}

#[test]
fn a_file_in_the_way_of_refused_events_stops_the_import_before_it_begins() {
    let fake = Fake::answering(takes_all);
    let operator = operator_with(&fake, 10);
    operator.file("events.failed.jsonl", "mine");
    operator.run(&IMPORT).exits_with(2).says("already exists");
    fake.was_not_called();
    let asked = ["import", "--yes", "events.jsonl", "--failed", "other.jsonl"];
    operator.run(&asked).exits_with(0);
    assert!(!operator.work().join("other.jsonl").exists());
}

/// The outcome of one batch that is answered so, every time.
fn answered(reply: Reply) -> (Outcome, Vec<String>, usize) {
    let fake = Fake::answering(move |_| reply.clone());
    let operator = operator_with(&fake, 10);
    let outcome = operator.run(&["import", "--yes", "events.jsonl", "--max-wait", "1s"]);
    names_nobody(&outcome);
    (outcome, batch_states(&operator), fake.calls().len())
}

#[test]
fn an_answer_that_cannot_be_trusted_is_unknown_and_never_done() {
    let odd = |record: Value| {
        let body = json!({ "code": 400, "status": "Bad Request", "failed_records": [record] });
        Reply::json(400, &body)
    };
    for reply in [
        taken(9),
        taken(11),
        Reply::json(
            200,
            &json!({ "code": 200, "num_records_imported": 10, "status": "error", "error": "quota" }),
        ),
        Reply::json(
            400,
            &json!({ "code": 400, "num_records_imported": 9, "failed_records": [] }),
        ),
        odd(json!({ "index": 10 })),
        odd(json!({ "index": 1, "$insert_id": "id-2" })),
        Reply::json(200, &json!({})),
        Reply::text(200, "text/html", "<html>log in</html>"),
        Reply::json(302, &json!({})).with("Location", "/elsewhere"),
        Reply::json(307, &json!({})).with("Location", "/import"),
    ] {
        let (outcome, states, calls) = answered(reply.clone());
        outcome.exits_with(6).says("run the same command again");
        assert_eq!(
            (states, calls),
            (vec!["unknown".to_owned()], 1),
            "{reply:?}"
        );
    }
}

#[test]
fn each_other_answer_has_its_status_and_its_state() {
    for (reply, status, state) in [
        (Reply::error(401, "anon-person-1"), 4, "planned"),
        (Reply::error(403, "no"), 4, "planned"),
        (
            Reply::error(400, "bad project for anon-person-1"),
            3,
            "failed",
        ),
        (Reply::error(404, "no"), 3, "failed"),
        (Reply::error(429, "slow"), 75, "planned"),
        (Reply::error(502, "no"), 6, "unknown"),
        (Reply::error(503, "no"), 6, "unknown"),
        (Reply::Reset, 6, "unknown"),
        (
            Reply::Half {
                status: 200,
                body: "{".to_owned(),
            },
            6,
            "unknown",
        ),
    ] {
        let (outcome, states, calls) = answered(reply.clone());
        outcome.exits_with(status);
        assert_eq!((states, calls), (vec![state.to_owned()], 1), "{reply:?}");
    }
}

#[test]
fn no_call_leaves_before_retry_after() {
    for status in [429, 503] {
        let fake = Fake::answering(move |call| match call.place {
            0 => Reply::error(status, "later").with("Retry-After", "4"),
            _ => takes_all(call),
        });
        let operator = operator_with(&fake, 10);
        operator.run(&IMPORT).exits_with(0);
        let calls = fake.calls();
        assert_eq!(calls.len(), 2);
        let gap = calls[1].arrived - calls[0].arrived;
        assert!(gap >= Duration::from_secs(4), "{gap:?}");
    }
}

#[test]
fn another_run_waits_for_the_same_retry_after() {
    let fake = Fake::answering(|call| match call.place {
        0 => Reply::error(429, "later").with("Retry-After", "5"),
        _ => takes_all(call),
    });
    let operator = operator_with(&fake, 10);
    let hasty = ["import", "--yes", "events.jsonl", "--max-wait", "1s"];
    operator.run(&hasty).exits_with(75);
    operator.run(&hasty).exits_with(75);
    assert_eq!(fake.calls().len(), 1);
    operator.run(&IMPORT).exits_with(0);
    let calls = fake.calls();
    let gap = calls[1].arrived - calls[0].arrived;
    assert!(gap >= Duration::from_secs(5), "{gap:?}");
}

#[test]
fn a_batch_that_is_too_large_is_halved_until_it_fits() {
    let counted = Counted::default();
    let counting = counted.clone();
    let fake = Fake::answering(move |call| {
        let events = events_of(call);
        if events.len() > 600 {
            return Reply::error(413, "request exceeds max limit");
        }
        counting.take(&events);
        taken(events.len())
    });
    let operator = operator_with(&fake, 2100);
    operator.run(&IMPORT).exits_with(0);
    assert_eq!(counted.count(), 2100);
    let twice = counted
        .0
        .lock()
        .unwrap()
        .values()
        .filter(|times| **times > 1)
        .count();
    assert_eq!(twice, 0);
    let counts =
        operator.ledger_texts("SELECT CAST(records AS TEXT) FROM ingestion_batches ORDER BY first");
    assert_eq!(counts, ["500", "500", "500", "500", "100"]);
    let (outcome, states, _) = answered(Reply::error(413, "one is too large"));
    // Each event is refused by itself.
    outcome.exits_with(3);
    assert!(states.iter().all(|state| state == "failed"), "{states:?}");
}

#[test]
fn an_unclear_batch_keeps_no_other_from_being_sent() {
    let counted = Counted::default();
    let counting = counted.clone();
    let fake = Fake::answering(move |call| {
        let events = events_of(call);
        counting.take(&events);
        match call.place {
            0 => taken(1),
            _ => taken(events.len()),
        }
    });
    let operator = operator_with(&fake, 4100);
    operator
        .run(&IMPORT)
        .exits_with(6)
        .says("batch 1 (lines 1 to 2000) is not done");
    assert_eq!(batch_states(&operator), ["unknown", "done", "done"]);
    operator.run(&IMPORT).exits_with(0);
    assert_eq!(counted.count(), 4100);
    assert_eq!(fake.calls().len(), 4);
}

#[test]
fn three_odd_answers_in_a_row_end_the_run() {
    let fake = Fake::answering(|_| Reply::json(200, &json!({})));
    let operator = operator_with(&fake, 10_000);
    operator.run(&IMPORT).exits_with(6);
    assert_eq!(fake.calls().len(), 3);
    let states = batch_states(&operator);
    assert_eq!(
        states,
        ["unknown", "unknown", "unknown", "planned", "planned"]
    );
}

#[test]
fn an_interrupted_import_goes_on_later() {
    let fake = Fake::answering(|call| match call.place {
        0 => Reply::Hang,
        _ => takes_all(call),
    });
    let operator = operator_with(&fake, 10);
    let running = operator.start(&IMPORT);
    fake.wait_for_posts(1);
    running.signal("INT");
    let outcome = running.end();
    outcome.exits_with(130).says("run the same command again");
    assert_eq!(batch_states(&operator), ["unknown"]);
    operator.run(&IMPORT).exits_with(0);
}
