//! An import that is killed at any moment: the same command ends it, and Mixpanel has each event
//! once.

use std::time::Duration;

use super::{Counted, IMPORT, batch_states, event, events_of, operator_with, taken};
use crate::support::{Chance, Fake, Reply};

const EVENTS: usize = 4300;

/// Kills imports at so many random moments, and then lets them end.
fn survives(kills: u64, seed: u64) {
    let mut chance = Chance::new(seed);
    for kill in 0..kills {
        let counted = Counted::default();
        let counting = counted.clone();
        let fake = Fake::answering(move |call| {
            let events = events_of(call);
            counting.take(&events);
            let reply = match events
                .iter()
                .any(|one| one["properties"]["$insert_id"] == "id-2001")
            {
                true => refusing_one(events.len()),
                false => taken(events.len()),
            };
            Reply::After(Duration::from_millis(60), Box::new(reply))
        });
        let operator = operator_with(&fake, EVENTS);
        operator.has_an_empty_ledger();
        let whole = Duration::from_millis(900);
        let moment = chance.part_of(whole);
        let running = operator.start(&IMPORT);
        std::thread::sleep(moment);
        running.kill();
        // The last call may still be on its way.
        std::thread::sleep(Duration::from_millis(150));
        let before = batch_states(&operator);
        let done = before.iter().filter(|state| *state == "done").count();
        let calls = fake.calls().len();
        let outcome = operator.run(&IMPORT);
        outcome.exits_with(3);
        assert_eq!(
            batch_states(&operator),
            ["done", "done", "done"],
            "kill {kill}"
        );
        assert_eq!(counted.count(), EVENTS, "kill {kill} after {moment:?}");
        // What the ledger had as done did not go out again.
        assert_eq!(
            fake.calls().len() - calls,
            3 - done,
            "kill {kill} after {moment:?}"
        );
        let lines = std::fs::read_to_string(operator.work().join("events.failed.jsonl"));
        assert_eq!(
            lines.expect("the refused events"),
            event(2001) + "\n",
            "kill {kill}"
        );
        assert_eq!(operator.trail_faults(), Vec::<String>::new());
    }
}

fn refusing_one(count: usize) -> Reply {
    Reply::json(
        400,
        &serde_json::json!({
            "code": 400,
            "status": "Bad Request",
            "num_records_imported": count - 1,
            "failed_records": [{ "index": 1, "$insert_id": "id-2001", "field": "properties.time", "message": "wrong" }],
        }),
    )
}

#[test]
fn a_killed_import_goes_on_and_loses_and_repeats_no_event() {
    survives(8, 20_261_201);
}

#[test]
#[ignore = "takes minutes: fifty kills"]
fn an_import_survives_fifty_kills() {
    survives(50, 7);
}
