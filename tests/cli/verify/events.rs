//! Events that name a person in another way, have no time or are of other days.

use chrono::{DateTime, Days, Utc};
use serde_json::{Value, json};

use super::mixpanel::{Mixpanel, online, text};
use super::{LONG_AGO, checked, event, lines, people, soon, verify, with_a_deletion};
use crate::suppressions::obedient;

fn named(name: &str, properties: Value) -> Value {
    json!({ "event": name, "properties": properties })
}

/// Events of strangers from before and after the deletion, and these.
fn among_strangers(more: &[Value]) -> String {
    let strangers = [event("stranger", LONG_AGO), event("stranger", soon())];
    lines(&[&strangers[..], more].concat())
}

#[test]
fn an_event_that_joins_ids_is_an_event_of_each_of_them() {
    let fake = obedient();
    let (operator, id) = with_a_deletion(&fake);
    let joining = |time: u64| {
        [
            named(
                "$merge",
                json!({ "$distinct_ids": ["s", "done@x.test"], "distinct_id": "s", "time": time }),
            ),
            named(
                "$merge",
                json!({ "$distinct_ids": ["done@x.test", 3], "time": time }),
            ),
            named(
                "$create_alias",
                json!({ "alias": "done@x.test", "distinct_id": "s", "time": time }),
            ),
            named(
                "$identify",
                json!({ "$identified_id": "done@x.test", "distinct_id": "s", "time": time }),
            ),
            named(
                "$identify",
                json!({ "$anon_id": "done@x.test", "distinct_id": "s", "time": time }),
            ),
            named(
                "e",
                json!({ "$distinct_id_before_identity": "done@x.test", "distinct_id": "s", "time": time }),
            ),
        ]
    };
    for (time, expected, status) in [
        (LONG_AGO, [2, 1, 0, 0, 0, 0], 8),
        (soon(), [2, 0, 0, 1, 0, 0], 1),
    ] {
        for event in joining(time) {
            let found = checked(
                &operator,
                &id,
                among_strangers(std::slice::from_ref(&event)),
            );
            assert_eq!(found, (expected, Some(status)), "{event}");
        }
    }
    // A property of the application, and another person's id.
    for event in [
        named(
            "e",
            json!({ "alias": "done@x.test", "distinct_id": "s", "time": soon() }),
        ),
        named(
            "$merge",
            json!({ "$distinct_ids": ["DONE@x.test"], "time": soon() }),
        ),
    ] {
        let found = checked(
            &operator,
            &id,
            among_strangers(std::slice::from_ref(&event)),
        );
        assert_eq!(found, ([3, 0, 0, 0, 0, 0], Some(0)), "{event}");
    }
}

#[test]
fn nobody_is_absent_if_an_event_has_an_id_that_cannot_be_read() {
    let fake = obedient();
    let (operator, id) = with_a_deletion(&fake);
    for properties in [
        json!({ "distinct_id": ["done@x.test"], "time": soon() }),
        json!({ "distinct_id": { "id": "done@x.test" }, "time": soon() }),
        json!({ "distinct_id": "s", "$distinct_ids": [["done@x.test"]], "time": soon() }),
        json!({ "distinct_id": "s", "$distinct_ids": { "a": 1 }, "time": soon() }),
        json!({ "distinct_id": 17.0, "time": soon() }),
        json!({ "distinct_id": 1.2345678901234567e19, "time": soon() }),
        json!({ "distinct_id": "s", "$device_id": 17.0, "time": soon() }),
        json!({ "distinct_id": "s", "$distinct_ids": ["a", 17.5], "time": soon() }),
        json!({ "distinct_id": true, "time": soon() }),
    ] {
        let events = among_strangers(&[named("e", properties.clone())]);
        let found = checked(&operator, &id, &events);
        assert_eq!(found, ([0, 0, 0, 0, 3, 0], Some(5)), "{properties}");
        let check = ["suppressions", "check", "--exit-status", "e.jsonl"];
        let outcome = operator.run(&check);
        outcome.exits_with(5).says("line 3").never_says("x.test");
    }
    let nobody = named("e", json!({ "distinct_id": null, "time": soon() }));
    let found = checked(&operator, &id, among_strangers(&[nobody]));
    assert_eq!(found, ([3, 0, 0, 0, 0, 0], Some(0)));
}

#[test]
fn an_event_without_a_time_is_there_and_did_not_come_after_the_deletion() {
    let fake = obedient();
    let (operator, id) = with_a_deletion(&fake);
    for time in [json!(null), json!(0), json!(-5), json!("")] {
        let undated = named("e", json!({ "distinct_id": "done@x.test", "time": time }));
        operator.file("e.jsonl", among_strangers(&[undated]));
        let outcome = verify(&operator, &id, &["e.jsonl", "--json", "--exit-status"]);
        let found = outcome.exits_with(1).json();
        assert_eq!(people(&found), [0, 0, 1, 0, 2, 0], "{time}");
        assert_eq!(found["found"][0]["events"]["undated"], 1, "{found}");
    }
}

#[test]
fn nobody_is_absent_from_events_of_other_days() {
    let mixpanel = Mixpanel::start();
    let operator = mixpanel.operator("");
    let id = mixpanel.erases(&operator, &["done@x.test", "17", "$device:d-7"]);
    const DAY: u64 = 24 * 60 * 60;
    for (last, expected, status) in [
        (LONG_AGO, [0, 0, 0, 0, 3, 0], 5),
        (soon() - 10 * DAY, [0, 0, 0, 0, 3, 0], 5),
        (soon() - 7 * DAY, [3, 0, 0, 0, 0, 0], 0),
        (soon(), [3, 0, 0, 0, 0, 0], 0),
    ] {
        let events = [event("s", LONG_AGO), event("s", last)];
        mixpanel.has_events(text(&events));
        operator.file("e.jsonl", lines(&events));
        for args in [
            &[id.as_str()][..],
            &[&id, "--events", "e.jsonl"],
            &["--since", "9d"],
        ] {
            // Nobody knows which days a file covers, unless an event is from after the deletion.
            let (expected, status) = match args.contains(&"--events") && last < soon() - DAY {
                true => ([0, 0, 0, 0, 3, 0], 5),
                false => (expected, status),
            };
            let args = [args, &["--json", "--exit-status"][..]].concat();
            let found = online(&operator, &args).exits_with(status).json();
            let one = found["requests"].get(0).unwrap_or(&found);
            assert_eq!(people(one), expected, "{args:?} {last}");
            let is_warned = found["warnings"][0]["kind"] == "other_days";
            assert_eq!(is_warned, status == 5, "{found}");
        }
    }
    // The events begin after the deletion, so none of them could have been erased.
    operator.change_ledger(
        "UPDATE jobs SET submitted_at = '2026-01-01T00:00:00.000Z';
         UPDATE steps SET at = '2026-01-02T00:00:00.000Z' WHERE to_state = 'done';",
    );
    mixpanel.has_events(text(&[event("s", soon())]));
    operator.file("e.jsonl", lines(&[event("s", soon())]));
    for args in [&["--from", "2026-11-30"][..], &["--events", "e.jsonl"]] {
        let args = [&[id.as_str()], args, &["--json", "--exit-status"][..]].concat();
        let found = online(&operator, &args).exits_with(5).json();
        assert_eq!(people(&found), [0, 0, 0, 0, 3, 0], "{args:?}");
        let warning = &found["warnings"][0];
        assert_eq!(warning["kind"], "other_days", "{found}");
        assert!(warning.to_string().contains("earlier days"), "{found}");
    }
    // Mixpanel may have no event of the days before it.
    let found = online(&operator, &[&id, "--json"]).exits_with(0).json();
    assert_eq!(people(&found), [3, 0, 0, 0, 0, 0], "{found}");
    let today = super::today();
    operator.change_ledger(&format!(
        "UPDATE jobs SET submitted_at = '{today}T00:00:00.000Z';
         UPDATE steps SET at = '{today}T00:00:01.000Z' WHERE to_state = 'done';"
    ));
    // An event that a wrong clock put into the future reaches no day.
    for more in [&[][..], &[event("s", soon() - 10 * DAY)]] {
        let events = [
            more,
            &[event("s", soon() + 2 * DAY), event("s", 4_000_000_000)],
        ]
        .concat();
        mixpanel.has_events(text(&events));
        operator.file("e.jsonl", lines(&events));
        for args in [
            &[id.as_str()][..],
            &[&id, "--events", "e.jsonl"],
            &["--since", "9d"],
        ] {
            let args = [args, &["--json", "--exit-status"][..]].concat();
            let found = online(&operator, &args).exits_with(5).json();
            let one = found["requests"].get(0).unwrap_or(&found);
            assert_eq!(people(one), [0, 0, 0, 0, 3, 0], "{args:?}");
            assert_eq!(found["warnings"][0]["kind"], "other_days", "{found}");
            assert_eq!(
                found["events"]["to"].as_str().is_some(),
                !more.is_empty(),
                "{found}"
            );
        }
    }
    // The days that were asked for end before the deletion.
    mixpanel.has_events(text(&[event("s", soon())]));
    let days = ["--from", "2020-01-01", "--to", "2020-01-09"];
    let args = [&[id.as_str(), "--json", "--exit-status"], &days[..]].concat();
    let found = online(&operator, &args).exits_with(5).json();
    assert_eq!(people(&found), [0, 0, 0, 0, 3, 0], "{found}");
}

#[test]
fn an_older_projects_events_are_read_by_its_clock() {
    let mixpanel = Mixpanel::start();
    // Fourteen hours ahead of UTC, with no other time in the year.
    let operator = mixpanel.operator("time_zone = \"Pacific/Kiritimati\"");
    let id = mixpanel.erases(&operator, &["done@x.test"]);
    // Two hours before the deletion, as that clock shows it.
    let shown = soon() - 3 * 60 * 60 + 14 * 60 * 60;
    let is_known = json!({
        "distinct_id": "done@x.test", "time": shown, "mp_processing_time_ms": soon() * 1000,
    });
    for (about, expected) in [
        (
            json!({ "distinct_id": "done@x.test", "time": shown }),
            [0, 1, 0, 0, 0, 0],
        ),
        (is_known, [0, 0, 0, 1, 0, 0]),
    ] {
        let events = [event("s", soon() + 14 * 60 * 60), named("e", about)];
        mixpanel.has_events(text(&events));
        let found = online(&operator, &[&id, "--json"]).exits_with(0).json();
        assert_eq!(people(&found), expected, "{found}");
        operator.file("e.jsonl", lines(&events));
        let found = online(&operator, &[&id, "--json", "--events", "e.jsonl"]).json();
        assert_eq!(people(&found), expected, "{found}");
    }
}

#[test]
fn nobody_is_absent_from_events_that_begin_after_the_deletion_on_its_day() {
    let fake = obedient();
    let (operator, id) = with_a_deletion(&fake);
    let day = "2026-03-02";
    operator.change_ledger(&format!(
        "UPDATE jobs SET submitted_at = '{day}T10:00:00.000Z';
         UPDATE steps SET at = '{day}T10:00:05.000Z' WHERE to_state = 'done';"
    ));
    let sent = format!("{day}T10:00:00Z").parse::<DateTime<Utc>>();
    let sent = u64::try_from(sent.expect("a time").timestamp()).expect("after 1970");
    for (first, expected, status) in [
        (sent + 3600, [0, 0, 0, 0, 3, 0], 5),
        (sent + 1, [0, 0, 0, 0, 3, 0], 5),
        (sent - 1, [3, 0, 0, 0, 0, 0], 0),
    ] {
        for last in [first, soon()] {
            let events = lines(&[event("s", last), event("s", first)]);
            let ends_before = last < sent;
            let (expected, status) = match ends_before {
                true => ([0, 0, 0, 0, 3, 0], 5),
                false => (expected, status),
            };
            let found = checked(&operator, &id, &events);
            assert_eq!(found, (expected, Some(status)), "{first} {last}");
            let shown = verify(&operator, &id, &["e.jsonl"]);
            let said = shown.stderr.replace('\n', " ");
            let told = said.contains("begin after the deletion");
            assert_eq!(told, status == 5 && !ends_before, "{shown}");
            assert_eq!(
                said.contains("end before the deletion"),
                ends_before,
                "{shown}"
            );
        }
    }
}

#[test]
fn only_the_operator_can_say_that_a_file_reaches_beyond_its_last_event() {
    let fake = obedient();
    let (operator, id) = with_a_deletion(&fake);
    let day = super::today() - Days::new(3);
    operator.change_ledger(&format!(
        "UPDATE jobs SET submitted_at = '{day}T10:00:00.000Z';
         UPDATE steps SET at = '{day}T11:00:00.000Z' WHERE to_state = 'done';"
    ));
    let at = |text: String| {
        let time = text.parse::<DateTime<Utc>>().expect("a time");
        u64::try_from(time.timestamp()).expect("after 1970")
    };
    let sent = at(format!("{day}T10:00:00Z"));
    let found = |last: u64, days: &[&str]| {
        operator.file("e.jsonl", lines(&[event("s", LONG_AGO), event("s", last)]));
        let args = [&["e.jsonl", "--json", "--exit-status"], days].concat();
        let outcome = verify(&operator, &id, &args);
        (people(&outcome.json()), outcome.status, outcome.json())
    };
    let nobody = |(people, status, json): ([u64; 6], Option<i32>, Value)| {
        assert_eq!((people, status), ([0, 0, 0, 0, 3, 0], Some(5)), "{json}");
        json["warnings"][0]["message"]
            .as_str()
            .expect("a text")
            .to_owned()
    };
    let said = nobody(found(sent - 1, &[]));
    assert!(said.contains("end before the deletion"), "{said}");
    assert!(said.contains("`--from DATE --to DATE`"), "{said}");
    let (whole, status, _) = found(sent, &[]);
    assert_eq!((whole, status), ([3, 0, 0, 0, 0, 0], Some(0)));
    let (before, after) = ((day - Days::new(1)).to_string(), super::today().to_string());
    let covering = ["--from", before.as_str(), "--to", after.as_str()];
    let (whole, status, json) = found(sent - 1, &covering);
    assert_eq!((whole, status), ([3, 0, 0, 0, 0, 0], Some(0)));
    assert_eq!(json["covers"], json!({ "from": before, "to": after }));
    assert_eq!(json["window"], json!(null));
    // The evidence says whose word it is.
    let report = operator
        .run(&["report", &id, "--json"])
        .exits_with(0)
        .json();
    let check = &report["report"]["evidence"]["request"]["erasure_check"];
    assert_eq!(check["covers"], json["covers"], "{check}");
    let page = operator.run(&["report", &id]).exits_with(0).stdout.clone();
    assert!(
        page.contains("The operator says that the files have all events"),
        "{page}"
    );
    // These days say nothing of the deletion.
    let earlier = ["--from", "2020-01-01", "--to", before.as_str()];
    let said = nobody(found(sent - 1, &earlier));
    assert!(!said.contains("`--from"), "{said}");
    // Counted by the hour, not by days.
    const EIGHT: u64 = 8 * 24 * 60 * 60;
    let said = nobody(found(sent - EIGHT - 1, &covering));
    assert!(said.contains("more than 8 days before"), "{said}");
    assert_eq!(found(sent - EIGHT, &covering).1, Some(0));
    operator.file("e.jsonl", lines(&[event("s", sent)]));
    for (days, said) in [
        (&["--from", before.as_str()][..], "`--to` is missing"),
        (&["--to", after.as_str()], "`--to` is missing"),
        (
            &["--from", after.as_str(), "--to", before.as_str()],
            "`--from` is after `--to`",
        ),
        (
            &["--from", before.as_str(), "--to", "2999-01-01"],
            "`--to` is in the future",
        ),
    ] {
        let args = [&["e.jsonl"], days].concat();
        verify(&operator, &id, &args).exits_with(2).says(said);
    }
}
