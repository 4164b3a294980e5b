//! Lists of names that fit no event: nothing is written, or somebody must look.

use serde_json::json;

use super::{event, files, lines, sanitize, with_export};

#[test]
fn a_list_of_events_that_matches_nothing_writes_nothing() {
    for names in [
        "buy\n",
        "# events\n\n\"Buy\"\n",
        "Buy, Sell\n",
        "anna-4711\nbob-0815\n",
    ] {
        let operator = with_export();
        operator.file("events.txt", names);
        let before = files(&operator);
        let args = ["raw.jsonl", "--events", "events.txt", "-o", "o.jsonl"];
        let outcome = sanitize(&operator, &args);
        outcome.exits_with(5).says("3 events").says("events.txt");
        for hidden in ["anna-4711", "\\\"Buy", "Sell"] {
            outcome.never_says(hidden);
        }
        assert_eq!(files(&operator), before);
    }
}

#[test]
fn the_lines_of_a_list_of_events_are_named() {
    let operator = with_export();
    operator.file("events.txt", "# a\nbuy\n\nSell\n");
    let args = ["raw.jsonl", "--events", "events.txt", "-o", "o.jsonl"];
    sanitize(&operator, &args).exits_with(5).says("lines 2, 4");
}

#[test]
fn an_export_that_only_joins_ids_writes_nothing() {
    let operator = with_export();
    let mut only = event(
        "anna-4711",
        1,
        json!({ "$identified_id": "anna-4711", "$anon_id": "d1" }),
    );
    only["event"] = json!("$identify");
    operator.file("only.jsonl", lines(&[only]));
    let before = files(&operator);
    let outcome = sanitize(&operator, &["only.jsonl", "-o", "o.jsonl"]);
    outcome.exits_with(5).says("1 event only joins ids");
    outcome.never_says("--events");
    assert_eq!(files(&operator), before);
}

#[test]
fn a_list_of_properties_that_no_event_has_is_to_be_looked_at() {
    for names in ["Plan\nNote\n", "\"plan\"\n", "anna-4711\n"] {
        let operator = with_export();
        operator.file("keep.txt", names);
        let outcome = sanitize(&operator, &["raw.jsonl", "-o", "o.jsonl"]);
        outcome.exits_with(3).says("no event has").says("--keep");
        outcome.never_says("anna-4711");
        assert_eq!(outcome.json()["to_check"], true);
    }
    // Nothing is to be kept: that is a decision.
    let operator = with_export();
    operator.file("keep.txt", "# nothing\n");
    sanitize(&operator, &["raw.jsonl", "-o", "o.jsonl"]).exits_with(0);
}
