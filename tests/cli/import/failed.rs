//! The file of refused events: at any moment it has exactly the events that are refused as of now,
//! or it is not there.

use std::time::Duration;

use serde_json::{Value, json};

use super::{IMPORT, event, events_of, lines, operator_with, takes_all, the_import};
use crate::support::{Call, Fake, Operator, Reply};

const FILE: &str = "events.failed.jsonl";

fn failed_file(operator: &Operator) -> Option<String> {
    std::fs::read_to_string(operator.work().join(FILE)).ok()
}

fn is_first(call: &Call) -> bool {
    events_of(call).len() == 2000
}

/// Takes all events of a batch but the one of line 6.
fn refuses_line_6(call: &Call) -> Reply {
    Reply::json(
        400,
        &json!({
            "code": 400,
            "num_records_imported": events_of(call).len() - 1,
            "failed_records": [{ "index": 5, "field": "properties.x", "message": "no" }],
        }),
    )
}

/// In the first run, the answer about the first batch cannot be read, and the second batch is
/// refused whole. Later the first batch loses one event, and the second is taken.
fn changes_its_mind(call: &Call) -> Reply {
    match (call.place, is_first(call)) {
        (0 | 1, true) => Reply::text(200, "text/html", "<html>"),
        (0 | 1, false) => Reply::error(400, "no"),
        (_, true) => refuses_line_6(call),
        (_, false) => takes_all(call),
    }
}

fn last_batch() -> String {
    (2000..2003).map(|number| event(number) + "\n").collect()
}

/// After the first run of [`changes_its_mind`].
fn after_first_run(fake: &Fake) -> Operator {
    let operator = operator_with(fake, 2003);
    operator.run(&IMPORT).exits_with(6).says(FILE);
    assert_eq!(failed_file(&operator), Some(last_batch()));
    operator
}

#[test]
fn an_old_file_of_refused_events_is_replaced() {
    let fake = Fake::answering(changes_its_mind);
    let operator = after_first_run(&fake);
    let second = operator.run(&["import", "--yes", "events.jsonl", "--json"]);
    second.exits_with(3);
    assert_eq!(failed_file(&operator), Some(event(5) + "\n"));
    let named = the_import(&second)["refused_file"].clone();
    assert!(named.as_str().is_some_and(|path| path.ends_with(FILE)));
    operator.run(&IMPORT).exits_with(3).says(FILE);
    assert_eq!(failed_file(&operator), Some(event(5) + "\n"));
    assert_eq!(fake.calls().len(), 4);
}

#[test]
fn an_edited_file_of_refused_events_is_never_overwritten() {
    let fake = Fake::answering(changes_its_mind);
    let operator = after_first_run(&fake);
    let edited = event(2000) + "\n";
    operator.file(FILE, &edited);
    operator.run(&IMPORT).exits_with(2).says("nothing was sent");
    assert_eq!(fake.calls().len(), 2);
    assert_eq!(failed_file(&operator), Some(edited));
}

#[test]
fn a_killed_run_leaves_no_old_file_of_refused_events() {
    let fake = Fake::answering(|call| match call.place {
        2 => Reply::After(Duration::from_secs(30), Box::new(takes_all(call))),
        _ => changes_its_mind(call),
    });
    let operator = after_first_run(&fake);
    let running = operator.start(&IMPORT);
    fake.wait_for_posts(3);
    running.kill();
    assert_eq!(failed_file(&operator), None);
    operator.run(&IMPORT).exits_with(3);
    assert_eq!(failed_file(&operator), Some(event(5) + "\n"));
}

#[test]
fn a_corrected_file_is_not_called_the_refused_events() {
    let fake = Fake::answering(refuses_line_6);
    let operator = operator_with(&fake, 10);
    operator.run(&IMPORT).exits_with(3);
    operator.file(FILE, "corrected\n");
    let again = operator.run(&["import", "--yes", "events.jsonl", "--json"]);
    again.exits_with(3);
    assert_eq!(the_import(&again)["refused_file"], Value::Null);
    let warnings = again.json()["warnings"].to_string();
    assert!(warnings.contains("--failed FILE"), "{warnings}");
    assert_eq!(failed_file(&operator), Some("corrected\n".to_owned()));
    let asked = ["import", "--yes", "events.jsonl", "--failed", "anew.jsonl"];
    operator.run(&asked).exits_with(3).says("anew.jsonl");
    let anew = std::fs::read_to_string(operator.work().join("anew.jsonl"));
    assert_eq!(anew.expect("the lines"), event(5) + "\n");
    assert_eq!(fake.calls().len(), 1);
}

#[test]
fn a_folder_that_cannot_take_the_file_is_noticed_before_anything_is_sent() {
    let fake = Fake::answering(refuses_line_6);
    let operator = operator_with(&fake, 10);
    for folder in ["missing", "events.jsonl"] {
        let path = format!("{folder}/f.jsonl");
        let asked = ["import", "--yes", "events.jsonl", "--failed", &path];
        let outcome = operator.run(&asked);
        outcome.exits_with(74).says("nothing was sent");
        outcome.says("--failed");
    }
    fake.was_not_called();
    assert!(!operator.dsr_home().join("ledger.db").exists());
}

#[test]
fn another_dsr_leaves_the_file_to_the_one_that_sends() {
    let fake = Fake::answering(|call| match is_first(call) {
        true => refuses_line_6(call),
        false => Reply::After(Duration::from_secs(4), Box::new(Reply::error(400, "no"))),
    });
    let operator = operator_with(&fake, 2003);
    operator.has_an_empty_ledger();
    let sends = operator.start(&IMPORT);
    fake.wait_for_posts(2);
    operator.run(&IMPORT).exits_with(11).never_says(FILE);
    assert_eq!(failed_file(&operator), None);
    sends.end().exits_with(3);
    let all = event(5) + "\n" + &last_batch();
    assert_eq!(failed_file(&operator), Some(all));
    assert_eq!(fake.calls().len(), 2);
}

#[test]
fn a_byte_order_mark_is_no_part_of_an_event() {
    let fake = Fake::answering(|call| match call.place {
        0 => refuses_line_6(call),
        _ => takes_all(call),
    });
    let operator = operator_with(&fake, 1);
    let mark = "\u{feff}";
    operator.file("events.jsonl", format!("{mark}{}", lines(10)));
    operator.run(&IMPORT).exits_with(3);
    let sent: Vec<String> = fake
        .calls()
        .iter()
        .flat_map(events_of)
        .map(|one| one.to_string())
        .collect();
    let own: Vec<Value> = lines(10)
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(sent, own.iter().map(Value::to_string).collect::<Vec<_>>());
    assert_eq!(failed_file(&operator), Some(event(5) + "\n"));
    // Corrected with a program that writes a mark and CRLF.
    operator.file("fixed.jsonl", format!("{mark}{}\r\n", event(5)));
    operator
        .run(&["import", "--yes", "fixed.jsonl"])
        .exits_with(0);
    for odd in [mark.to_owned(), format!("{}{mark}{}", lines(1), lines(1))] {
        operator.file("odd.jsonl", odd);
        operator
            .run(&["import", "--yes", "odd.jsonl"])
            .exits_with(5);
    }
    assert_eq!(fake.calls().len(), 2);
}
