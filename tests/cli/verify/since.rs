//! `dsr verify --since`: all deletions of a project with one export.

use serde_json::{Value, json};

use super::mixpanel::{Mixpanel, entries, online, text};
use super::{LONG_AGO, event, lines, people, soon};
use crate::minimisation::with_key;
use crate::support::{Fake, object_reply, shows, status_reply};

fn results(found: &Value) -> Vec<[u64; 6]> {
    let requests = found["requests"].as_array().expect("requests");
    requests.iter().map(people).collect()
}

#[test]
fn all_deletions_of_the_last_days_are_checked_with_one_export() {
    let mixpanel = Mixpanel::start();
    let operator = mixpanel.operator("");
    operator.has_an_empty_ledger();
    let empty = online(&operator, &["--since", "90d", "--exit-status"]);
    assert!(
        shows(&empty.exits_with(0).stdout, "No deletion of project shop"),
        "{empty}"
    );
    assert_eq!(mixpanel.exports().len(), 0);
    mixpanel.erases(&operator, &["old@x.test"]);
    operator.change_ledger(
        "UPDATE jobs SET submitted_at = '2021-01-01T00:00:00.000Z';
         UPDATE steps SET at = '2021-01-02T00:00:00.000Z' WHERE to_state = 'done';",
    );
    let first = mixpanel.erases(&operator, &["done@x.test", "17"]);
    let second = mixpanel.erases(&operator, &["done@x.test"]);
    let args = ["--since", "90d", "--json", "--exit-status"];
    mixpanel.has_events(text(&[
        event("s", LONG_AGO),
        event("s", soon()),
        event("old@x.test", soon()),
    ]));
    let found = online(&operator, &args).exits_with(0).json();
    assert_eq!(results(&found), [[1, 0, 0, 0, 0, 0], [2, 0, 0, 0, 0, 0]]);
    assert_eq!(found["requests"][0]["request_id"], json!(second));
    mixpanel.has_events(text(&[event("17", soon()), event("s", LONG_AGO)]));
    let found = online(&operator, &args).exits_with(1).json();
    assert_eq!(results(&found), [[1, 0, 0, 0, 0, 0], [1, 0, 0, 1, 0, 0]]);
    assert_eq!(mixpanel.exports().len(), 2);
    // Each has its record.
    assert_eq!(entries(&operator, "erasure_checked"), 4);
    let report = operator.run(&["report", &first, "--json"]).json();
    let check = &report["report"]["evidence"]["request"]["erasure_check"];
    assert_eq!(check["recollected"], 1);
    // A file serves as well, and calls nobody.
    let calls = mixpanel.fake.calls().len();
    let events = [event("done@x.test", soon()), event("s", LONG_AGO)];
    operator.file("e.jsonl", lines(&events));
    let args = ["--since", "90d", "--json", "--events", "e.jsonl"];
    let found = online(&operator, &args).exits_with(0).json();
    assert_eq!(results(&found), [[0, 0, 0, 1, 0, 0], [1, 0, 0, 1, 0, 0]]);
    assert_eq!(found["window"], json!(null));
    assert_eq!(mixpanel.fake.calls().len(), calls);
    let said = || {
        let screen = online(&operator, &["--since", "1d"]);
        screen.stdout.replace('\n', " ")
    };
    let found = said();
    for text in [
        "2 deletions were done in the last 1 day",
        "1 deletion has people who are present or re-collected. ",
        "`dsr verify REQUEST`",
    ] {
        assert!(found.contains(text), "{text}: {found}");
    }
    mixpanel.has_events(text(&[]));
    let found = said();
    let nobody = "Nobody was found present or re-collected, but 3 people are not checkable.";
    assert!(found.contains(nobody), "{found}");
    online(&operator, &["--since", "2026-11-01"])
        .exits_with(2)
        .says("`--since 30d`");
    operator.run(&["audit", "verify"]).exits_with(0);
    online(&operator, &["--since", "90d", &first]).exits_with(2);
    online(&operator, &[]).exits_with(2);
}

#[test]
fn kept_ids_of_all_deletions_are_asked_for_profiles_once() {
    let mixpanel = Mixpanel::start();
    let operator = mixpanel.operator("verify = true");
    mixpanel.erases(&operator, &["done@x.test", "17"]);
    mixpanel.erases(&operator, &["done@x.test", "18"]);
    mixpanel.has_profiles(&["done@x.test"]);
    mixpanel.has_events(text(&[event("s", LONG_AGO), event("s", soon())]));
    let found = online(&operator, &["--since", "7d", "--json"])
        .exits_with(0)
        .json();
    assert_eq!(results(&found), [[1, 0, 1, 0, 0, 0], [1, 0, 1, 0, 0, 0]]);
    let mut asked = mixpanel.asked();
    asked.sort();
    assert_eq!(asked, ["17", "18", "done@x.test"]);
    assert_eq!(operator.kept_ids().len(), 2, "one has a profile");
    mixpanel.has_profiles(&[]);
    online(&operator, &["--since", "7d"]).exits_with(0);
    assert_eq!(operator.kept_ids().len(), 0);
}

#[test]
fn a_deletion_whose_every_job_failed_is_named_and_nobody_is_asked_about_it() {
    let fake = Fake::answering(|call| match (call.is_post(), call.task()) {
        (true, _) => object_reply(&format!("t-{}", call.place)),
        (false, "t-0") => status_reply("FAILURE"),
        (false, _) => status_reply("SUCCESS"),
    });
    let operator = with_key(&fake, "rate = 1000");
    let erase = |id: &str| {
        let args = ["delete", "--gdpr", "--yes", "--json", "--id", id];
        let id = operator.run(&args).exits_with(0).request()["id"].clone();
        operator.run(&["status", "--refresh"]);
        id.as_str().expect("an id").to_owned()
    };
    let failed = erase("17");
    let calls = fake.calls().len();
    let outcome = online(&operator, &["--since", "9d", "--exit-status"]);
    let said = outcome.exits_with(7).stderr.replace('\n', " ");
    let told = "ended without being done: 1 person is not checked";
    assert!(said.contains(told) && said.contains(&failed[..8]), "{said}");
    assert!(shows(&outcome.stdout, "No deletion"), "{outcome}");
    assert!(
        shows(&outcome.stdout, "1 deletion erased nobody"),
        "{outcome}"
    );
    assert_eq!(fake.calls().len(), calls);
    assert_eq!(entries(&operator, "erasure_checked"), 0);

    let done = erase("18");
    let events = [event("s", LONG_AGO), event("s", soon())];
    operator.file("e.jsonl", lines(&events));
    let args = ["--since", "9d", "--events", "e.jsonl", "--exit-status"];
    let found = online(&operator, &[&args[..], &["--json"]].concat());
    let found = found.exits_with(7).json();
    assert_eq!(results(&found), [[1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1]]);
    assert_eq!(found["requests"][0]["request_id"], json!(done));
    let screen = online(&operator, &args);
    for text in ["1 deletion was done", "1 deletion erased nobody"] {
        assert!(
            shows(&screen.exits_with(7).stdout, text),
            "{text}: {screen}"
        );
    }
    // One that ended before these days is not of them.
    operator.change_ledger(
        "UPDATE steps SET at = '2021-01-02T00:00:00.000Z' WHERE to_state = 'failed';",
    );
    online(&operator, &args).exits_with(0);
}
