//! What Mixpanel refuses: the status, the file of the lines, and what is not shown.

use serde_json::{Value, json};

use super::{IMPORT, batch_states, event, events_of, lines, operator_with, takes_all, the_import};
use crate::support::{Fake, Operator, Reply};

const HASTY: [&str; 6] = [
    "import",
    "--yes",
    "events.jsonl",
    "--max-wait",
    "1s",
    "--json",
];

/// Refuses the events of these places in the batch, with these words.
fn refusing(places: &[usize], count: usize, words: &str) -> Reply {
    let failed = places
        .iter()
        .map(|place| json!({ "index": place, "field": "properties.tel", "message": words }));
    let body = json!({
        "code": 400,
        "num_records_imported": count - places.len(),
        "failed_records": failed.collect::<Vec<_>>(),
    });
    Reply::json(400, &body)
}

fn failed_file(operator: &Operator) -> String {
    std::fs::read_to_string(operator.work().join("events.failed.jsonl")).unwrap_or_default()
}

#[test]
fn a_refusal_is_the_status_only_once_all_the_rest_is_imported() {
    for (status, exit, state) in [(503, 6, "unknown"), (429, 75, "planned")] {
        let fake = Fake::answering(move |call| match call.place {
            0 => refusing(&[7], 2000, "no"),
            1 => Reply::error(status, "later"),
            _ => takes_all(call),
        });
        let operator = operator_with(&fake, 2500);
        let outcome = operator.run(&HASTY);
        outcome.exits_with(exit);
        assert_eq!(the_import(&outcome)["imported"], 1999);
        assert_eq!(batch_states(&operator), ["done", state]);
        operator.run(&IMPORT).exits_with(3);
        assert_eq!(batch_states(&operator), ["done", "done"]);
    }
}

#[test]
fn the_lines_of_a_batch_that_is_refused_whole_are_the_file() {
    let fake = Fake::answering(|call| match call.place {
        0 => Reply::error(400, "no"),
        _ => takes_all(call),
    });
    let operator = operator_with(&fake, 2100);
    let outcome = operator.run(&IMPORT);
    outcome.exits_with(3).says("lines 1 to 2000");
    outcome.says("events.failed.jsonl");
    assert_eq!(failed_file(&operator), lines(2000));
    // Taken in the next run: the file would be imported once more.
    operator.run(&IMPORT).exits_with(0);
    assert_eq!(failed_file(&operator), "");
    assert_eq!(fake.calls().len(), 3);
}

#[test]
fn an_event_that_is_too_large_is_named_by_its_line() {
    let large = |call: &crate::support::Call| {
        let mut events = events_of(call).into_iter();
        events.any(|event| event["properties"]["$insert_id"] == "id-5")
    };
    let fake = Fake::answering(move |call| match large(call) {
        true => Reply::error(413, "request exceeds max limit"),
        false => takes_all(call),
    });
    let operator = operator_with(&fake, 8);
    let outcome = operator.run(&IMPORT);
    outcome.exits_with(3).says("(line 6)");
    assert_eq!(failed_file(&operator), event(5) + "\n");
    // The source is not taken for the file that dsr wrote, even if every line was refused.
    operator.file("one.jsonl", event(5) + "\n");
    let one = ["import", "--yes", "one.jsonl"];
    operator.run(&one).exits_with(3);
    let over = ["import", "--yes", "one.jsonl", "--failed", "one.jsonl"];
    operator.run(&over).exits_with(2).says("already exists");
}

#[test]
fn mixpanels_words_about_an_event_are_not_shown() {
    for words in [
        "tel 491701234567 is invalid",
        "name M\u{fc}ller \"Jo\" invalid",
        "Anna.Q is required",
    ] {
        for whole in [false, true] {
            let fake = Fake::answering(move |_| match whole {
                true => Reply::error(400, words),
                false => refusing(&[1], 10, words),
            });
            let operator = operator_with(&fake, 10);
            for args in [&IMPORT[..], &HASTY] {
                let outcome = operator.run(args);
                outcome.exits_with(3);
                for hidden in ["491701234567", "ller", "Anna"] {
                    outcome.never_says(hidden);
                }
            }
            let reasons =
                operator.ledger_texts("SELECT COALESCE(reason, '') FROM ingestion_batches");
            assert!(!reasons.concat().contains("4917"), "{reasons:?}");
        }
    }
}

#[test]
fn many_refused_events_cost_no_time() {
    let all: Vec<usize> = (0..2000).collect();
    let fake = Fake::answering(move |_| refusing(&all, 2000, "number 7 is odd"));
    let operator = operator_with(&fake, 2000);
    let begun = std::time::Instant::now();
    operator.run(&IMPORT).exits_with(3);
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

#[test]
fn a_wait_says_until_when() {
    let fake = Fake::answering(|_| Reply::error(429, "later").with("Retry-After", "3600"));
    let operator = operator_with(&fake, 10);
    for _ in 0..2 {
        let outcome = operator.run(&HASTY);
        outcome.exits_with(75);
        let warnings = outcome.json()["warnings"].to_string();
        assert!(warnings.contains("asked to wait until 20"), "{warnings}");
    }
    assert_eq!(fake.calls().len(), 1);
}

#[test]
fn a_wait_of_dsrs_own_is_not_called_mixpanels() {
    let fake = Fake::answering(|call| match call.place {
        0 => Reply::error(429, "later").with("Retry-After", "1"),
        _ => takes_all(call),
    });
    let operator = operator_with(&fake, 10);
    // dsr itself waits 2 s and more, and nothing shows that Mixpanel wants that.
    let outcome = operator.run(&HASTY);
    outcome.exits_with(75);
    let warnings = outcome.json()["warnings"].to_string();
    assert!(!warnings.contains("until 20"), "{warnings}");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    operator.run(&HASTY).exits_with(0);
    assert_eq!(fake.calls().len(), 2);
}

#[test]
fn a_file_beside_a_complete_import_is_not_its_refused_lines() {
    let fake = Fake::answering(takes_all);
    let operator = operator_with(&fake, 3);
    operator.run(&IMPORT).exits_with(0);
    operator.file("mine.jsonl", "mine");
    let again = operator.run(&[
        "import",
        "--yes",
        "events.jsonl",
        "--failed",
        "mine.jsonl",
        "--json",
    ]);
    again.exits_with(0);
    assert_eq!(the_import(&again)["refused_file"], Value::Null);
}

#[test]
fn the_id_of_an_import_is_known_to_status() {
    let fake = Fake::answering(takes_all);
    let operator = operator_with(&fake, 3);
    let import = the_import(&operator.run(&HASTY));
    let id = import["id"].as_str().unwrap();
    for name in [id, &id[..8]] {
        let outcome = operator.run(&["status", name]);
        outcome.exits_with(2).says("an import").says("dsr import");
    }
}

#[test]
fn times_of_another_unit_are_refused_and_the_future_is_told() {
    let fake = Fake::answering(takes_all);
    let operator = operator_with(&fake, 1);
    let with_time = |time: &str| event(0).replace("1788220800", time) + "\n";
    for time in ["0", "1000", "31535999", "1790000000000000"] {
        operator.file("odd.jsonl", with_time(time));
        let outcome = operator.run(&["import", "--yes", "odd.jsonl"]);
        outcome.exits_with(5).says("`time`").says("line 1");
    }
    fake.was_not_called();
    operator.file("far.jsonl", with_time("4000000000"));
    let far = operator.run(&["import", "--yes", "far.jsonl"]);
    far.exits_with(0).says("2096").says("arrives");
    // Nothing of it is sent again, so nothing of it can be moved.
    let again = operator.run(&["import", "--yes", "far.jsonl"]);
    again
        .exits_with(0)
        .says("imported already")
        .never_says("arrives");
    let again = operator.run(&["import", "--dry-run", "far.jsonl"]);
    again.exits_with(0).never_says("arrives");
}

#[test]
fn two_at_once_make_one_import() {
    let fake = Fake::answering(|call| {
        Reply::After(std::time::Duration::from_secs(1), Box::new(takes_all(call)))
    });
    let operator = operator_with(&fake, 2500);
    let running = [(); 3].map(|()| operator.start(&IMPORT));
    for one in running {
        let outcome = one.end();
        assert!(matches!(outcome.status, Some(0 | 11)), "{outcome}");
    }
    let imports = operator.ledger_texts("SELECT id FROM ingestions");
    assert_eq!(imports.len(), 1);
    assert_eq!(fake.calls().len(), 2);
}
