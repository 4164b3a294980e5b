//! Events that are too large for any batch, and imports with many batches.

use serde_json::Value;

use super::{IMPORT, batch_states, event, events_of, lines, operator_with, taken, takes_all};
use crate::support::{Call, Fake, Reply};

fn has_one_of(call: &Call, ids: &[&str]) -> bool {
    let is_one = |event: &Value| {
        let id = event["properties"]["$insert_id"].as_str();
        id.is_some_and(|id| ids.contains(&id))
    };
    events_of(call).iter().any(is_one)
}

#[test]
fn several_events_that_are_too_large_do_not_stop_an_import() {
    let large = ["id-2", "id-3", "id-4", "id-5", "id-6"];
    let fake = Fake::answering(move |call| match has_one_of(call, &large) {
        true => Reply::error(413, "request exceeds max limit"),
        false => takes_all(call),
    });
    let operator = operator_with(&fake, 2100);
    let outcome = operator.run(&IMPORT);
    outcome.exits_with(3).says("(line 3)").says("too large");
    outcome.says("refused 5 events");
    let states = batch_states(&operator);
    let failed = states.iter().filter(|state| *state == "failed").count();
    let done = states.iter().filter(|state| *state == "done").count();
    assert_eq!((failed, done), (5, states.len() - 5), "{states:?}");
    let file = operator.work().join("events.failed.jsonl");
    let expected: String = (2..7).map(|number| event(number) + "\n").collect();
    assert_eq!(std::fs::read_to_string(file).unwrap(), expected);
}

#[test]
fn a_server_that_finds_every_event_too_large_is_left_alone() {
    let fake = Fake::answering(|_| Reply::error(413, "no"));
    let operator = operator_with(&fake, 600);
    operator.run(&IMPORT).exits_with(75).says("too large");
    let calls = fake.calls().len();
    assert!((100..250).contains(&calls), "{calls}");
    let states = batch_states(&operator);
    let failed = states.iter().filter(|state| *state == "failed").count();
    assert_eq!(failed, 100);
}

#[test]
fn a_batch_that_is_cut_again_and_again_goes_out_in_order() {
    let fake = Fake::answering(|call| match events_of(call).len() {
        0..=10 => taken(events_of(call).len()),
        _ => Reply::error(413, "no"),
    });
    let operator = operator_with(&fake, 100);
    operator.run(&IMPORT).exits_with(0);
    let calls = fake.calls();
    let sent = calls.iter().filter(|call| events_of(call).len() <= 10);
    let sent: Vec<String> = sent.flat_map(events_of).map(|e| e.to_string()).collect();
    let own = lines(100);
    let own = own
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    assert_eq!(sent, own.map(|event| event.to_string()).collect::<Vec<_>>());
}
