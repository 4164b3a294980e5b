//! `dsr suppressions check`: finds erased people in a file of events.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::minimisation::with_key;
use crate::support::{Fake, Operator, Outcome};
use crate::suppressions::{erase, obedient};

/// Before any deletion of the test, and after all of them.
const LONG_AGO: u64 = 1_600_000_000;

fn soon() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("a time after 1970").as_secs() + 3600
}

fn event(id: &str, time: impl Into<Value>) -> Value {
    json!({ "event": "Login", "properties": { "time": time.into(), "distinct_id": id } })
}

fn lines(events: &[Value]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}

fn check(operator: &Operator, args: &[&str]) -> Outcome {
    operator.run(&[&["suppressions", "check"], args].concat())
}

fn with_deletions(fake: &Fake) -> Operator {
    let operator = with_key(fake, "rate = 1000");
    let ids = [
        "done@x.test",
        "running@x.test",
        "revoked@x.test",
        "failed@x.test",
    ];
    erase(&operator, &ids, &[]);
    operator
}

/// The numbers of one person's events: after, during, before, and without a time.
fn counts(person: &Value) -> [u64; 4] {
    let of = |kind| person["events"][kind].as_u64().expect("a count");
    ["after", "during", "before", "undated"].map(of)
}

#[test]
fn events_are_told_by_when_they_came_as_seen_from_the_deletion() {
    let fake = obedient();
    let operator = with_deletions(&fake);
    let calls = fake.calls().len();
    let received = |id: &str, at: &str| json!({ "event": "e", "properties": { "time": LONG_AGO, at: soon() * 1000, "distinct_id": id } });
    operator.file(
        "events.jsonl",
        lines(&[
            event("done@x.test", LONG_AGO),
            event("done@x.test", soon()),
            event("done@x.test", "2099-01-01T00:00:00Z"),
            // An app that was offline: the event happened before, and arrived after.
            received("done@x.test", "mp_processing_time_ms"),
            received("done@x.test", "$mp_api_timestamp_ms"),
            event("done@x.test", Value::Null),
            event("running@x.test", soon()),
            event("running@x.test", LONG_AGO),
            event("revoked@x.test", soon()),
            event("failed@x.test", soon()),
            event("Done@x.test", soon()),
        ]),
    );
    let outcome = check(&operator, &["events.jsonl", "--json"]);
    let found = outcome.exits_with(0).json();
    assert_eq!(found["erased"], 2);
    assert_eq!(found["collected_again"], 2);
    let people = found["people"].as_array().unwrap();
    let all: Vec<[u64; 4]> = people.iter().map(counts).collect();
    assert_eq!(all, [[4, 0, 1, 1], [0, 1, 1, 0]], "{outcome}");
    assert_eq!(
        (&people[0]["first"]["line"], &people[1]["first"]["line"]),
        (&json!(2), &json!(7))
    );
    assert_eq!(people[0]["last_at"], "2099-01-01T00:00:00.000Z");
    let hash = operator.run(&["find", "done@x.test", "--json"]).json();
    assert_eq!(people[0]["hash"], hash["people"][0]["hash"]);
    assert_eq!(
        people[0]["request_id"],
        hash["people"][0]["jobs"][0]["request_id"]
    );
    let human = check(&operator, &["events.jsonl", "-vvv"]);
    human.exits_with(0).never_says("x.test");
    let said = human.stdout.replace('\n', " ");
    for text in [
        "2 erased people were collected again, in 6 events: 4 after the deletion was done, 1 while it ran",
        "2 events are from before a deletion",
        "Checked 11 events in 1 file for 2 people",
        "`events.jsonl`, line 7",
    ] {
        assert!(said.contains(text), "no `{text}`\n{human}");
    }
    assert_eq!(fake.calls().len(), calls, "nobody was asked");
}

#[test]
fn a_later_deletion_takes_along_what_came_after_the_first() {
    let fake = obedient();
    let operator = with_deletions(&fake);
    erase(&operator, &["done@x.test"], &["--new"]);
    operator.change_ledger(
        "UPDATE jobs SET submitted_at = '2026-01-01T00:00:00.000Z' WHERE task_id = 'done-0';
         UPDATE steps SET at = '2026-01-02T00:00:00.000Z' WHERE request =
             (SELECT request FROM jobs WHERE task_id = 'done-0') AND to_state = 'done';",
    );
    let found = |time: &str| {
        operator.file("e.jsonl", lines(&[event("done@x.test", time)]));
        let found = check(&operator, &["e.jsonl", "--json"]).json();
        counts(&found["people"][0])
    };
    assert_eq!(found("2025-12-31"), [0, 0, 1, 0]);
    assert_eq!(
        found("2026-02-01"),
        [0, 0, 1, 0],
        "the second one took it along"
    );
    assert_eq!(found("2099-01-01"), [1, 0, 0, 0]);
    // The later deletion was cancelled: the event of February counts again.
    operator.change_ledger(
        "UPDATE jobs SET state = 'revoked' WHERE task_id LIKE 'done-%' AND task_id <> 'done-0'",
    );
    assert_eq!(found("2026-02-01"), [1, 0, 0, 0]);
    assert_eq!(
        found("2026-01-01T12:00:00Z"),
        [0, 1, 0, 0],
        "while the first one ran"
    );
}

#[test]
fn a_person_is_found_under_each_name_an_event_has_for_them() {
    let fake = obedient();
    let operator = with_key(&fake, "rate = 1000");
    erase(
        &operator,
        &["done-user", "$device:done-7", "done-bare"],
        &[],
    );
    erase(&operator, &["17"], &[]);
    let about = |properties: Value| json!({ "event": "e", "properties": properties });
    for (event, theirs, from_device) in [
        (about(json!({ "distinct_id": "done-user" })), 1, 0),
        (about(json!({ "$distinct_id": "done-user" })), 1, 0),
        (json!({ "userId": "done-user", "event": "e" }), 1, 0),
        (
            about(json!({ "distinct_id": "x", "$user_id": "done-user" })),
            1,
            0,
        ),
        (
            about(json!({ "distinct_id": "done-user", "$user_id": "done-user" })),
            1,
            0,
        ),
        (about(json!({ "distinct_id": 17 })), 1, 0),
        (about(json!({ "distinct_id": "done\u{2d}user" })), 1, 0),
        (about(json!({ "$device_id": "done-7" })), 1, 0),
        (about(json!({ "$device_id": "$device:done-7" })), 1, 0),
        (about(json!({ "$device_id": "done-bare" })), 1, 0),
        (
            about(json!({ "distinct_id": "x", "$device_id": "done-7" })),
            0,
            1,
        ),
        (about(json!({ "distinct_id": "done-7" })), 0, 0),
        (
            about(json!({ "distinct_id": "x", "other": { "distinct_id": "done-user" } })),
            0,
            0,
        ),
        (
            about(json!({ "distinct_id": "x", "name": "done-user" })),
            0,
            0,
        ),
    ] {
        operator.file("e.jsonl", lines(std::slice::from_ref(&event)));
        let found = check(&operator, &["e.jsonl", "--json"]).json();
        let again = found["events"]["undated"].as_u64();
        let device = found["events"]["from_device"].as_u64();
        assert_eq!(
            (again, device),
            (Some(theirs), Some(from_device)),
            "{event}"
        );
    }
}

#[test]
fn events_are_read_as_exports_and_servers_write_them() {
    let fake = obedient();
    let operator = with_deletions(&fake);
    let events = [event("nobody", soon()), event("done@x.test", soon())];
    let plain = lines(&events);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(plain.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    let zstd = zstd::encode_all(plain.as_bytes(), 1).unwrap();
    let array = Value::from(events.to_vec()).to_string();
    let soon = soon();
    let table =
        format!("event,properties.distinct_id,time\ne,nobody,{soon}\ne,done@x.test,{soon}\n");
    let quoted = format!("Time;Distinct ID\n{soon};nobody\n{soon};\"done@x.test\"\n");
    let log = format!(
        "{{\"ctx\":{{\"who\":\"done@x.test\"}},\"at\":{soon},\"distinct_id\":\"x\",\"time\":5}}\n"
    );
    let asked = &["--column", "ctx.who", "--time-column", "at"][..];
    for (name, content, args) in [
        ("a.jsonl", plain.as_bytes(), &[][..]),
        ("a.log", plain.as_bytes(), &[]),
        ("a.gz", &gzip, &[]),
        ("a.jsonl.zst", &zstd, &[]),
        ("a.json", array.as_bytes(), &[]),
        ("a.csv", table.as_bytes(), &[]),
        ("b.csv", quoted.as_bytes(), &[]),
        (
            "c.csv",
            quoted.as_bytes(),
            &["--column", "distinct id", "--time-column", "TIME"],
        ),
        ("b.log", log.as_bytes(), asked),
    ] {
        operator.file(name, content);
        let outcome = check(&operator, &[&[name, "--json"], args].concat());
        let found = outcome.exits_with(0).json();
        assert_eq!(found["events"]["after"], 1, "{name}\n{outcome}");
        assert_eq!(found["events"]["damaged"], 0, "{name}\n{outcome}");
    }
    let args = ["suppressions", "check", "-", "a.csv", "--json"];
    let piped = operator.run_with_input(&args, &plain).exits_with(0).json();
    assert_eq!(piped["events"]["after"], 2);
    assert_eq!(piped["sources"].as_array().map(Vec::len), Some(2));
}

#[test]
fn what_cannot_be_read_is_told_of_and_never_an_all_clear() {
    let fake = obedient();
    let operator = with_deletions(&fake);
    let good = lines(&[event("nobody", soon())]);
    let found = format!("{good}{}", lines(&[event("done@x.test", soon())]));
    let damaged = "{\"event\":\"canary-1\n[1]\ncanary-2\n{\"distinct_id\":\"\\ud800\"}\n";
    operator.file("good", &good);
    operator.file("mixed", format!("{good}{damaged}{good}"));
    operator.file("worse", format!("{damaged}{found}"));
    operator.file("nobody", "{\"event\":\"e\",\"canary\":1}\n");
    operator.file("none.log", damaged);
    operator.file("list.txt", "canary-1\ncanary-2\n");
    operator.file("ids.csv", "canary,other\n1,2\n");
    operator.file("cut.gz", [0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
    operator.file("empty", "");
    operator.file("profiles.csv", "$distinct_id,$email\np1,canary-3\n");
    let profile = r#"{"$distinct_id":"p1","$properties":{"$email":"canary-3"}}"#;
    operator.file("profiles.jsonl", profile);
    let status = "--exit-status";
    for (args, expected) in [
        (&["good", status][..], 0),
        (&["empty"], 5),
        (&["empty", status], 5),
        (&["good", "empty"], 5),
        (&["profiles.csv"], 5),
        (&["profiles.jsonl"], 5),
        (&["profiles.csv", "--column", "$distinct_id"], 0),
        (&["mixed"], 0),
        (&["mixed", status], 5),
        (&["worse", status], 1),
        (&["good", "worse", status], 1),
        (&["nobody"], 5),
        (&["good", "nobody"], 5),
        (&["none.log", "--format", "jsonl"], 5),
        (&["list.txt"], 5),
        (&["ids.csv"], 5),
        (&["cut.gz"], 5),
        (&["missing"], 5),
        (&["good", "--column", "who"], 5),
        (&[], 2),
        (&["good", "--project", "other", status], 0),
    ] {
        let outcome = check(&operator, args);
        outcome
            .exits_with(expected)
            .never_says("canary-")
            .never_says("x.test");
    }
    let told = check(&operator, &["mixed", "--json"]).json();
    assert_eq!(
        (&told["events"]["read"], &told["events"]["damaged"]),
        (&json!(2), &json!(4))
    );
    let places = told["sources"][0]["damage"].as_array().unwrap().iter();
    let places: Vec<u64> = places
        .map(|place| place["line"].as_u64().unwrap())
        .collect();
    assert_eq!(places, [2, 3, 4, 5]);
    check(&operator, &["mixed"])
        .says("could not read 4 lines or elements of `mixed`")
        .says("line 3: it is not a JSON object");
}

#[test]
fn without_a_key_those_are_found_whose_ids_are_still_there_and_with_another_nobody() {
    let fake = obedient();
    let operator = Operator::at(&fake);
    erase(&operator, &["done@x.test", "running@x.test"], &[]);
    operator.file(
        "e.jsonl",
        lines(&[
            event("done@x.test", soon()),
            event("running@x.test", soon()),
        ]),
    );
    let found = check(&operator, &["e.jsonl", "--json"]).json();
    assert_eq!(found["collected_again"], 2);
    assert_eq!(
        found["people"][0]["hash"],
        Value::Null,
        "it would be another one the next time"
    );
    let operator = with_deletions(&fake);
    let stranger = with_key(&Fake::start(), "rate = 1000");
    operator.file("e.jsonl", lines(&[event("done@x.test", soon())]));
    let operator = operator.with(
        "DSR_LEDGER_KEY_FILE",
        &stranger.key_path().display().to_string(),
    );
    let failure = check(&operator, &["e.jsonl", "--json"]);
    assert_eq!(failure.exits_with(2).failure()["kind"], "ledger_key");
}
