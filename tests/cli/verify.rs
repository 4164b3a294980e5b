//! `dsr verify`: whether the events of erased people are gone.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, NaiveDate};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::minimisation::with_key;
use crate::support::{Fake, Operator, Outcome, object_reply, status_reply};
use crate::suppressions::{erase, obedient};

mod events;
mod kept;
mod mixpanel;
mod online;
mod parts;
mod since;

/// Before any deletion of the tests, and after all of them.
const LONG_AGO: u64 = 1_600_000_000;

fn soon() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("a time after 1970").as_secs() + 3600
}

fn today() -> NaiveDate {
    let soon = i64::try_from(soon()).ok();
    let now = soon.and_then(|soon| DateTime::from_timestamp(soon - 3600, 0));
    now.expect("a time").date_naive()
}

fn event(id: &str, time: u64) -> Value {
    json!({ "event": "Login", "properties": { "time": time, "distinct_id": id } })
}

fn lines(events: &[Value]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}

/// A deletion of three people that is done; its id.
fn with_a_deletion(fake: &Fake) -> (Operator, String) {
    let operator = with_key(fake, "rate = 1000");
    operator.file("ids.csv", "id\ndone@x.test\n17\n$device:d-7\n");
    let args = ["delete", "--gdpr", "--yes", "ids.csv", "--json"];
    let id = operator.run(&args).exits_with(0).request()["id"].clone();
    operator.run(&["status", "--refresh"]).exits_with(0);
    let id = id.as_str().expect("an id").to_owned();
    (operator, id)
}

fn verify(operator: &Operator, id: &str, args: &[&str]) -> Outcome {
    let outcome = operator.run(&[&["verify", id, "--events"][..], args].concat());
    for person in ["x.test", "d-7", "canary"] {
        outcome.never_says(person);
    }
    outcome
}

/// The people who are absent, not yet gone, present, re-collected, not checkable and not done.
fn people(found: &Value) -> [u64; 6] {
    let names = [
        "absent",
        "not_yet",
        "present",
        "recollected",
        "not_checkable",
        "not_done",
    ];
    names.map(|name| found["people"][name].as_u64().expect("a count"))
}

/// Checks these events, and returns the people and the exit status.
fn checked(operator: &Operator, id: &str, content: impl AsRef<[u8]>) -> ([u64; 6], Option<i32>) {
    operator.file("e.jsonl", content);
    let outcome = verify(operator, id, &["e.jsonl", "--json", "--exit-status"]);
    (people(&outcome.json()), outcome.status)
}

#[test]
fn each_person_is_judged_by_when_their_events_came() {
    let fake = obedient();
    let (operator, id) = with_a_deletion(&fake);
    let calls = fake.calls().len();
    let strangers = [event("stranger", LONG_AGO), event("stranger", soon())];
    let with = |more: &[Value]| lines(&[&strangers[..], more].concat());
    let about = |properties: Value| json!({ "event": "e", "properties": properties });
    for (events, expected, status) in [
        (with(&[]), [3, 0, 0, 0, 0, 0], 0),
        (with(&[event("DONE@x.test", soon())]), [3, 0, 0, 0, 0, 0], 0),
        (
            with(&[event("done@x.test", LONG_AGO)]),
            [2, 1, 0, 0, 0, 0],
            8,
        ),
        (with(&[event("done@x.test", soon())]), [2, 0, 0, 1, 0, 0], 1),
        (
            with(&[event("done@x.test", soon()), event("done@x.test", LONG_AGO)]),
            [2, 0, 0, 1, 0, 0],
            1,
        ),
        (
            with(&[about(json!({ "distinct_id": 17, "time": soon() }))]),
            [2, 0, 0, 1, 0, 0],
            1,
        ),
        (
            with(&[about(
                json!({ "$user_id": "done@x.test", "distinct_id": "s", "time": soon() }),
            )]),
            [2, 0, 0, 1, 0, 0],
            1,
        ),
        (
            with(&[about(json!({ "$device_id": "d-7", "time": LONG_AGO }))]),
            [2, 1, 0, 0, 0, 0],
            8,
        ),
        // Another person, with the device.
        (
            with(&[about(
                json!({ "$device_id": "d-7", "distinct_id": "s", "time": soon() }),
            )]),
            [3, 0, 0, 0, 0, 0],
            0,
        ),
    ] {
        let found = checked(&operator, &id, &events);
        assert_eq!(found, (expected, Some(status)), "{events}");
    }
    assert_eq!(fake.calls().len(), calls, "nobody was asked");
    // Older than 30 days, the same event should be gone.
    operator.change_ledger(
        "UPDATE jobs SET submitted_at = '2021-01-01T00:00:00.000Z';
         UPDATE steps SET at = '2021-01-02T00:00:00.000Z' WHERE to_state = 'done';",
    );
    let old = with(&[event("done@x.test", LONG_AGO), event("17", soon())]);
    assert_eq!(checked(&operator, &id, &old), ([1, 0, 1, 1, 0, 0], Some(1)));
}

#[test]
fn nobody_is_absent_from_an_export_that_may_lack_events() {
    let fake = obedient();
    let (operator, id) = with_a_deletion(&fake);
    let good = lines(&[event("stranger", LONG_AGO), event("stranger", soon())]);
    let again = lines(&[event("17", soon())]);
    let cut = good.trim_end().to_owned();
    for damaged in [
        cut.clone(),
        cut[..cut.len() - 9].to_owned(),
        format!("{good}terminated early\n"),
        format!("{good}{{\"error\":\"canary\"}}\n"),
        format!("{good}{{\"event\":\"canary\"}}\n"),
        format!("{good}[1]\n"),
        format!("{good}<html>canary</html>\n"),
    ] {
        let found = checked(&operator, &id, &damaged);
        assert_eq!(found, ([0, 0, 0, 0, 3, 0], Some(5)), "{damaged}");
        // Who was found is found all the same.
        let found = checked(&operator, &id, format!("{again}{damaged}"));
        assert_eq!(found, ([0, 0, 0, 1, 2, 0], Some(1)), "{damaged}");
    }
    operator.file("e.jsonl", &cut);
    verify(&operator, &id, &["e.jsonl"]).says("may be cut off");
    let entries = || operator.ledger_texts("SELECT event FROM audit").len();
    let before = entries();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(good.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    let html = "<!doctype html><html><body>canary</body></html>\n";
    for (name, content) in [
        ("no-trailer.gz", &gzip[..gzip.len() - 8]),
        ("half-trailer.gz", &gzip[..gzip.len() - 3]),
        ("cut.gz", &gzip[..gzip.len() / 2]),
        ("page", html.as_bytes()),
        ("error", b"{\"error\":\"canary\"}\n"),
        ("empty", b""),
        ("ids", b"{\"distinct_id\":\"stranger\"}\n"),
        ("table.csv", b"event,distinct_id,time\ne,canary,5\n"),
    ] {
        operator.file(name, content);
        let outcome = verify(&operator, &id, &[name, "--json"]);
        outcome.exits_with(5);
        assert_eq!(outcome.stdout, "", "{name}");
    }
    assert_eq!(
        entries(),
        before,
        "nothing was found, so nothing is recorded"
    );
    operator.file("whole.gz", &gzip);
    verify(&operator, &id, &["whole.gz", "--exit-status"]).exits_with(0);
}

#[test]
fn a_deletion_that_is_not_done_says_nothing_of_its_people() {
    let fake = obedient();
    let operator = with_key(&fake, "rate = 1000");
    erase(&operator, &["running@x.test", "done@x.test"], &[]);
    let requests = operator.requests();
    let of = |state: &str| {
        let mut found = requests.iter().filter(|request| request["state"] == state);
        let found = found.next().expect("a request");
        found["id"].as_str().expect("an id").to_owned()
    };
    let events = lines(&[
        event("done@x.test", soon()),
        event("running@x.test", soon()),
    ]);
    let running = checked(&operator, &of("running"), &events);
    assert_eq!(running, ([0, 0, 0, 0, 0, 1], Some(8)));
    // Only the people of the request count.
    let done = checked(&operator, &of("done"), &events);
    assert_eq!(done, ([0, 0, 0, 1, 0, 0], Some(1)));
    let export = ["export", "--gdpr", "--json", "--id", "x"];
    let export = operator.run(&export).request()["id"].clone();
    let outcome = verify(&operator, export.as_str().expect("an id"), &["e.jsonl"]);
    outcome.exits_with(2).says("is an export");
    verify(&operator, &of("done")[..3], &["e.jsonl"]).exits_with(2);
}

#[test]
fn a_part_of_a_deletion_that_failed_is_told_and_nobody_waits_for_it() {
    let fake = Fake::answering(|call| match (call.is_post(), call.task()) {
        (true, _) => object_reply(&format!("t-{}", call.place)),
        (false, "t-1") => status_reply("FAILURE"),
        (false, _) => status_reply("SUCCESS"),
    });
    let operator = with_key(&fake, "rate = 1000\ndelete_batch = 2");
    operator.file("ids.csv", "id\na@x.test\nb@x.test\nc@x.test\n");
    let args = ["delete", "--gdpr", "--yes", "ids.csv", "--json"];
    let id = operator.run(&args).exits_with(0).request()["id"].clone();
    let id = id.as_str().expect("an id");
    let strangers = [event("s", LONG_AGO), event("s", soon())];
    let with = |more: &[Value]| lines(&[&strangers[..], more].concat());
    // Nothing is known yet.
    assert_eq!(checked(&operator, id, with(&[])).1, Some(8));
    operator.run(&["status", "--refresh"]);
    for (events, expected, status) in [
        (with(&[]), [2, 0, 0, 0, 0, 1], 7),
        (with(&[event("a@x.test", LONG_AGO)]), [1, 1, 0, 0, 0, 1], 7),
        (with(&[event("a@x.test", soon())]), [1, 0, 0, 1, 0, 1], 1),
        (lines(&strangers[..1]) + "{}\n", [0, 0, 0, 0, 2, 1], 5),
    ] {
        assert_eq!(checked(&operator, id, &events), (expected, Some(status)));
        let since = [
            "verify",
            "--since",
            "9d",
            "--exit-status",
            "--events",
            "e.jsonl",
        ];
        for outcome in [
            verify(&operator, id, &["e.jsonl", "--exit-status"]),
            operator.run(&since),
        ] {
            let said = outcome.exits_with(status).stderr.replace('\n', " ");
            assert!(
                said.contains("ended without being done: 1 person is not"),
                "{said}"
            );
        }
    }
    operator.file("e.jsonl", with(&[]));
    let found = verify(&operator, id, &["e.jsonl", "--json"]).json();
    assert_eq!(found["warnings"][0]["kind"], "part_failed", "{found}");
}

#[test]
fn a_later_deletion_covers_what_came_after_the_first() {
    let fake = obedient();
    let operator = with_key(&fake, "rate = 1000");
    erase(&operator, &["done@x.test"], &[]);
    erase(&operator, &["done@x.test"], &["--new"]);
    operator.change_ledger(
        "UPDATE jobs SET submitted_at = '2026-01-01T00:00:00.000Z' WHERE task_id = 'done-0';
         UPDATE steps SET at = '2026-01-02T00:00:00.000Z' WHERE request =
             (SELECT request FROM jobs WHERE task_id = 'done-0') AND to_state = 'done';",
    );
    let first = operator.ledger_texts("SELECT request FROM jobs WHERE task_id = 'done-0'");
    // 2026-02-01: after the first deletion, and before the second.
    let events = lines(&[event("done@x.test", 1_769_904_000)]);
    let second = operator.ledger_texts("SELECT request FROM jobs WHERE task_id <> 'done-0'");
    for request in [&first[0], &second[0]] {
        // The second one has just erased it.
        let found = checked(&operator, request, &events);
        assert_eq!(found, ([0, 1, 0, 0, 0, 0], Some(8)), "{request}");
        // The first one should have erased this long ago.
        let older = events.clone() + &lines(&[event("done@x.test", LONG_AGO)]);
        let found = checked(&operator, request, &older);
        assert_eq!(found, ([0, 0, 1, 0, 0, 0], Some(1)), "{request}");
    }
    operator.change_ledger(
        "UPDATE jobs SET submitted_at = '2026-03-01T00:00:00.000Z' WHERE task_id <> 'done-0';
         UPDATE steps SET at = '2026-03-02T00:00:00.000Z' WHERE to_state = 'done' AND request =
             (SELECT request FROM jobs WHERE task_id <> 'done-0');",
    );
    let found = checked(&operator, &first[0], &events);
    assert_eq!(found, ([0, 0, 1, 0, 0, 0], Some(1)), "30 days have passed");
}

#[test]
fn the_trail_and_the_report_keep_the_last_check() {
    let fake = obedient();
    let (operator, id) = with_a_deletion(&fake);
    let report = || {
        operator
            .run(&["report", &id, "--json"])
            .exits_with(0)
            .json()
    };
    assert!(report()["report"]["evidence"]["request"]["erasure_check"].is_null());
    let strangers = [event("stranger", LONG_AGO), event("stranger", soon())];
    checked(&operator, &id, lines(&strangers));
    let again = [&strangers[..], &[event("17", soon())]].concat();
    checked(&operator, &id, lines(&again));
    let check = &report()["report"]["evidence"]["request"]["erasure_check"];
    assert_eq!(
        (&check["absent"], &check["recollected"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(
        (&check["events"], &check["from"]),
        (&json!(3), &json!("2020-09-13"))
    );
    let page = operator.run(&["report", &id]).exits_with(0).stdout.clone();
    assert!(page.contains("Whether the people are gone"), "{page}");
    let log = operator.run(&["audit", "log"]);
    log.exits_with(0);
    let said = log.stdout.replace('\n', " ");
    assert!(said.contains("2 absent, 1 re-collected"), "{log}");
    operator.run(&["audit", "verify"]).exits_with(0);
}

#[test]
fn whoever_is_found_shows_first_wherever_the_deletion_shows() {
    let fake = obedient();
    let (operator, id) = with_a_deletion(&fake);
    let command = |args: &[&str]| {
        let outcome = operator.run(args);
        outcome.exits_with(0);
        let shown = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        (shown(&outcome.stdout), shown(&outcome.stderr))
    };
    let strangers = [event("stranger", LONG_AGO), event("stranger", soon())];
    let (status, _) = command(&["status", &id, "--cached"]);
    assert!(!status.contains("Verified"), "{status}");
    operator.file("e.jsonl", lines(&strangers));
    let (found, said) = command(&["verify", &id, "--events", "e.jsonl"]);
    assert!(!said.contains("dsr find"), "{found}{said}");
    let (status, _) = command(&["status", &id, "--cached"]);
    assert!(status.contains(": 3 of 3 absent"), "{status}");
    let (_, said) = command(&["answered", &id]);
    assert!(!said.contains("dsr verify"), "{said}");
    let (page, _) = command(&["report", &id]);
    assert!(!page.contains("badge bad"), "{page}");

    operator.file(
        "e.jsonl",
        lines(&[&strangers[..], &[event("17", soon())]].concat()),
    );
    let (found, said) = command(&["verify", &id, "--events", "e.jsonl"]);
    assert!(said.contains("run `dsr find FILE`"), "{said}");
    let is_hash = |word: &&str| word.len() == 8 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let hash = found.split(' ').find(is_hash).expect("a hash");
    operator.file("list.csv", "id\n17\n");
    let (sought, _) = command(&["find", "list.csv"]);
    assert!(sought.contains(hash), "{hash}: {sought}");
    let (status, _) = command(&["status", &id, "--cached"]);
    let words = ": 2 of 3 absent, 1 person was collected again";
    assert!(status.contains(words), "{status}");
    let (_, said) = command(&["answered", &id]);
    let again = format!("`dsr verify {}`", &id[..8]);
    assert!(
        said.contains("1 person was collected again; check"),
        "{said}"
    );
    assert!(said.contains(&again), "{said}");
    let json = operator.run(&["answered", &id, "--json"]);
    assert!(
        json.stdout.contains("not_absent") || json.stderr.contains("not_absent"),
        "{json}"
    );
    let (page, _) = command(&["report", &id]);
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}: {page}"));
    assert!(place("1 person was collected again</span>") < place("badge good"));
    assert!(place("found: 1 person was collected again.") < place("reports that all of it"));
    let (file, _) = command(&["report", &id, "--output", "report.html"]);
    assert!(
        file.contains(": 1 person was collected again; carried out"),
        "{file}"
    );
    operator.file("e.jsonl", lines(&strangers).trim_end());
    command(&["verify", &id, "--events", "e.jsonl"]);
    let (_, said) = command(&["answered", &id]);
    assert!(!said.contains("dsr verify"), "{said}");
    let (page, _) = command(&["report", &id]);
    assert!(page.contains("3 people are not checkable</span>"), "{page}");
}

#[test]
fn days_that_the_events_leave_out_are_named() {
    let fake = obedient();
    let (operator, id) = with_a_deletion(&fake);
    let day = today() - chrono::Days::new(3);
    operator.change_ledger(&format!(
        "UPDATE jobs SET submitted_at = '{day}T00:00:00.000Z';
         UPDATE steps SET at = '{day}T01:00:00.000Z' WHERE to_state = 'done';"
    ));
    for (times, said) in [
        (&[LONG_AGO, soon()][..], None),
        (&[soon()], Some("only shows who was collected again")),
        (&[LONG_AGO], Some("does not show who was collected again")),
    ] {
        let events: Vec<Value> = times.iter().map(|time| event("s", *time)).collect();
        operator.file("e.jsonl", lines(&events));
        let outcome = verify(&operator, &id, &["e.jsonl"]);
        let shown = outcome.stdout.replace('\n', " ");
        assert_eq!(
            shown.contains("No event is from"),
            said.is_some(),
            "{outcome}"
        );
        assert!(said.is_none_or(|said| shown.contains(said)), "{outcome}");
    }
}
