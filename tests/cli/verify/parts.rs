//! Deletions of which a part failed: who is named, and who is not.

use super::{LONG_AGO, event, lines, people, soon, verify};
use crate::minimisation::with_key;
use crate::support::{Fake, Operator, Outcome, Reply, object_reply, shows, status_reply};

/// Answers by the first id of each job: those of `f` fail, those of `r` are refused, and those of `p`
/// are pending. Sent again, they are done.
fn failing_once() -> Fake {
    Fake::answering(|call| {
        if call.is_post() {
            let ids = call.ids();
            let kind = ids[0].split('@').next().unwrap_or_default();
            return match (kind, ids.len()) {
                ("r1", 2) => Reply::error(400, "no such thing"),
                (kind, 1) => object_reply(&format!("again{}-{kind}", call.place)),
                (kind, _) => object_reply(&format!("{kind}-{}", call.place)),
            };
        }
        status_reply(match call.task().split('-').next() {
            Some("f1") => "FAILURE",
            Some("p1") => "PENDING",
            _ => "SUCCESS",
        })
    })
}

fn erases(operator: &Operator, ids: &[&str]) -> String {
    let ids: Vec<String> = ids.iter().map(|id| format!("{id}@x.test")).collect();
    operator.file("ids.csv", format!("id\n{}\n", ids.join("\n")));
    let args = ["delete", "--gdpr", "--yes", "--new", "ids.csv", "--json"];
    let id = operator.run(&args).request()["id"].clone();
    operator.run(&["status", "--refresh"]);
    id.as_str().expect("an id").to_owned()
}

fn check(operator: &Operator, id: &str) -> Outcome {
    let events = [event("s", LONG_AGO), event("s", soon())];
    operator.file("e.jsonl", lines(&events));
    verify(operator, id, &["e.jsonl", "--exit-status"])
}

#[test]
fn a_part_that_failed_is_told_while_another_part_is_pending() {
    for ended in ["f", "r"] {
        let fake = failing_once();
        let operator = with_key(&fake, "rate = 1000\ndelete_batch = 2");
        let (one, two) = (format!("{ended}1"), format!("{ended}2"));
        let id = erases(&operator, &["a1", "a2", &one, &two, "p1", "p2"]);
        let outcome = check(&operator, &id);
        let said = outcome.exits_with(7).stderr.replace('\n', " ");
        assert!(
            said.contains("ended without being done: 2 people are not"),
            "{said}"
        );
        let found = verify(&operator, &id, &["e.jsonl", "--json"]).json();
        assert_eq!(people(&found), [2, 0, 0, 0, 0, 4], "{found}");
        assert_eq!(found["warnings"][0]["kind"], "part_failed", "{found}");
    }
}

#[test]
fn a_later_deletion_covers_those_whose_part_failed() {
    let fake = failing_once();
    let operator = with_key(&fake, "rate = 1000\ndelete_batch = 2");
    // An earlier one covers nobody.
    erases(&operator, &["f1"]);
    let first = erases(&operator, &["a1", "a2", "f1", "f2"]);
    let outcome = check(&operator, &first);
    let said = outcome.exits_with(7).stderr.replace('\n', " ");
    assert!(
        said.contains("ended without being done: 2 people are not"),
        "{said}"
    );
    erases(&operator, &["f1"]);
    let outcome = check(&operator, &first);
    let said = outcome.exits_with(7).stderr.replace('\n', " ");
    assert!(
        said.contains("ended without being done: 1 person is not"),
        "{said}"
    );
    let later = erases(&operator, &["f2"]);
    let outcome = check(&operator, &first);
    outcome.exits_with(0).never_says("ended without");
    assert!(
        shows(&outcome.stdout, "2 people were erased by a later one"),
        "{outcome}"
    );
    let since = [
        "verify",
        "--since",
        "9d",
        "--events",
        "e.jsonl",
        "--exit-status",
    ];
    operator
        .run(&since)
        .exits_with(0)
        .never_says("ended without");
    // While it is under way, nobody needs to send anything.
    operator.change_ledger(&format!(
        "UPDATE jobs SET state = 'accepted' WHERE request = '{later}';
         DELETE FROM steps WHERE request = '{later}' AND to_state = 'done';"
    ));
    let outcome = check(&operator, &first);
    outcome.exits_with(8).never_says("ended without");
    // Nobody knows what an unknown one did.
    operator.change_ledger(&format!(
        "UPDATE jobs SET state = 'unknown' WHERE request = '{later}'"
    ));
    check(&operator, &first).exits_with(7);
}

#[test]
fn nobody_is_asked_about_a_deletion_that_failed_if_later_ones_have_its_people() {
    let fake = failing_once();
    let operator = with_key(&fake, "rate = 1000\ndelete_batch = 2\nproject_id = 4242");
    let first = erases(&operator, &["f1", "f2"]);
    let ask = || operator.run(&["verify", &first, "--exit-status", "--json"]);
    ask().exits_with(4);
    let since = ["verify", "--since", "9d", "--exit-status"];
    operator.run(&since).exits_with(7).says(&first[..8]);
    erases(&operator, &["f1"]);
    erases(&operator, &["f2"]);
    let calls = fake.calls().len();
    let found = ask().exits_with(0).json();
    assert_eq!(people(&found), [0, 0, 0, 0, 0, 2], "{found}");
    assert!(found["warnings"].is_null(), "{found}");
    assert_eq!(fake.calls().len(), calls);
    let events = [&since[..], &["--events", "e.jsonl", "--json"]].concat();
    operator.file(
        "e.jsonl",
        lines(&[event("s", LONG_AGO), event("s", soon())]),
    );
    let all = operator.run(&events).exits_with(0).json();
    assert_eq!(all["requests"].as_array().map(Vec::len), Some(2), "{all}");
}
