//! Changing a request needs enough of its id to mean it.

use crate::support::{Fake, Operator, Reply};

#[test]
fn what_changes_a_request_takes_four_characters_of_its_id() {
    let fake = Fake::answering_posts(Reply::text(504, "text/html", "<html>"));
    let operator = Operator::at(&fake);
    let sent = operator.run(&["export", "--gdpr", "a1", "--max-wait", "1s", "--json"]);
    let id = sent.exits_with(6).request()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let calls = fake.calls().len();
    for length in [1, 2, 3] {
        let short = &id[..length];
        for command in [
            &["cancel", short][..],
            &["extend", short, "--reason", "many systems"],
            &["resume", short],
            &["resume", short, "--abandon"],
            &["resume", short, "--send-again"],
            &["resume", short, "--task", "3e0b7f52-1"],
        ] {
            let outcome = operator.run(command);
            outcome
                .exits_with(2)
                .says("4 characters")
                .says(&id[..8])
                .says("export of 1 id");
            let json = operator.run(&[command, &["--json"]].concat());
            let failure = json.exits_with(2).failure();
            assert_eq!(failure["kind"], "usage", "{json}");
        }
        // One character is enough to look at it.
        operator.run(&["status", short, "--cached"]).exits_with(0);
    }
    assert_eq!(fake.calls().len(), calls, "nothing was asked or sent");
    let request = operator.only_request();
    assert_eq!(request["state"], "unknown");
    assert!(
        request
            .get("extension")
            .is_none_or(serde_json::Value::is_null)
    );
    operator.run(&["resume", &id[..4], "--abandon"]);
    let abandoned = operator.ledger_texts("SELECT abandoned_at FROM jobs");
    assert_eq!(abandoned.len(), 1, "four characters are enough");
}

#[test]
fn a_short_task_id_is_no_beginning_and_is_taken() {
    let fake = Fake::answering(|call| match call.method.as_str() {
        "POST" => crate::support::object_reply("t1"),
        "DELETE" => Reply::text(204, "application/json", ""),
        _ => crate::support::status_reply("REVOKED"),
    });
    let operator = Operator::at(&fake);
    operator
        .run(&["delete", "--gdpr", "--yes", "a1"])
        .exits_with(0);
    operator.run(&["cancel", "t1"]).exits_with(0);
    assert_eq!(operator.only_request()["state"], "revoked");
}

#[test]
fn a_reference_shows_the_requests_made_with_it_and_changes_none() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    for (person, reference) in [("a1", "T-1"), ("a2", "T-1"), ("a3", "T-12")] {
        let delete = ["delete", "--gdpr", "--yes", person, "--ref", reference];
        operator.run(&delete).exits_with(0);
    }
    let status = |name: &str| operator.run(&["status", name, "--cached", "--json"]);
    let both = status("T-1").exits_with(0).json();
    let requests = both["requests"].as_array().expect("two requests");
    assert_eq!(requests.len(), 2, "{both}");
    assert!(requests.iter().all(|request| request["ref"] == "T-1"));
    let one = status("T-12").exits_with(0).request();
    assert_eq!(one["ref"], "T-12");
    status("t-12").exits_with(2).says("there is no request");
    status("T-").exits_with(2).says("there is no request");
    let calls = fake.calls().len();
    let refused = operator.run(&["cancel", "T-12"]);
    let short = &one["id"].as_str().expect("an id")[..8];
    refused
        .exits_with(2)
        .says("`T-12` is a reference")
        .says(&format!("type `{short}`"));
    let whole = one["id"].as_str().expect("an id");
    let delete = ["delete", "--gdpr", "--yes", "a4", "--ref", whole];
    operator.run(&delete).exits_with(0);
    assert_eq!(status(whole).exits_with(0).request()["id"], one["id"]);
    let calls = calls + 1;
    let several = operator.run(&["report", "T-1"]);
    several.exits_with(2).says("matches several requests");
    assert_eq!(fake.calls().len(), calls, "nothing was asked or sent");
}
