//! `dsr answered --copy`: the copies of the data that an operator dealt with for a deletion.

use serde_json::Value;

use crate::minimisation::with_key;
use crate::support::{Fake, Operator};
use crate::suppressions::obedient;

/// A deletion of `user-17` and `done@x.test` that is done.
fn with_a_deletion(fake: &Fake) -> (Operator, String) {
    let operator = with_key(fake, "rate = 1000");
    operator.file("ids.csv", "id\ndone@x.test\nuser-17\nbraze\n42\nSELLER-Q\n");
    let args = ["delete", "--gdpr", "--yes", "ids.csv", "--json"];
    let id = operator.run(&args).exits_with(0).request()["id"].clone();
    operator.run(&["status", "--refresh"]).exits_with(0);
    (operator, id.as_str().expect("an id").to_owned())
}

fn ticked(request: &Value) -> Vec<String> {
    let copies = request["copies"].as_array().expect("a list of copies");
    let name = |copy: &Value| copy["name"].as_str().expect("a name").to_owned();
    copies.iter().map(name).collect()
}

fn entries(operator: &Operator) -> Vec<String> {
    operator.ledger_texts("SELECT details FROM audit WHERE event = 'copies_recorded' ORDER BY seq")
}

#[test]
fn what_was_ticked_is_in_the_trail_the_status_and_the_report() {
    let fake = obedient();
    let (operator, id) = with_a_deletion(&fake);
    let calls = fake.calls().len();
    let status = || operator.run(&["status", &id, "--cached"]);
    let page = || operator.run(&["report", &id]).exits_with(0).stdout.clone();
    let evidence = || {
        operator
            .run(&["report", &id, "--json"])
            .exits_with(0)
            .json()
    };
    assert!(status().stdout.contains("none recorded as dealt with"));
    assert!(page().contains("has not recorded that any copy was dealt with"));
    assert!(
        evidence()["report"]["evidence"]["request"]
            .get("copies")
            .is_none()
    );

    let tick = |args: &[&str]| operator.run(&[&["answered", &id[..8]], args, &["--json"]].concat());
    let request = tick(&["--copy", "warehouse", "--copy", " raw exports "]);
    let request = request.exits_with(0).request();
    assert_eq!(ticked(&request), ["warehouse", "raw exports"]);
    assert_eq!(request["answered"], Value::Null, "the person was not told");
    let by = request["copies"][0]["by"].as_str().expect("a name");
    assert!(by.contains('@'), "{by}");
    tick(&["--copy", "warehouse"]).exits_with(0);
    assert_eq!(entries(&operator).len(), 1, "nothing new was said");
    operator
        .run(&["answered", &id, "--copy", "bucket-2"])
        .exits_with(0)
        .says("No answer to the person is recorded");

    let shown = status();
    for name in [
        "warehouse: dealt with, by",
        "raw exports: dealt",
        "bucket-2: dealt",
    ] {
        assert!(shown.stdout.contains(name), "{name}\n{shown}");
    }
    assert!(!shown.stdout.contains("none recorded"), "{shown}");
    let page = page();
    for text in [
        "Copies of the data",
        "warehouse",
        "raw exports",
        "bucket-2",
        by,
    ] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("has not recorded that any copy"));
    let request = evidence()["report"]["evidence"]["request"].clone();
    assert_eq!(ticked(&request).len(), 3);
    let log = operator.run(&["audit", "log", &id[..8]]);
    assert!(
        log.stdout
            .contains("copies dealt with: warehouse, raw exports"),
        "{log}"
    );
    operator.run(&["audit", "verify"]).exits_with(0);
    assert_eq!(fake.calls().len(), calls, "Mixpanel has no part in it");
}

#[test]
fn a_tick_can_be_withdrawn_and_the_trail_keeps_both() {
    let fake = obedient();
    let (operator, id) = with_a_deletion(&fake);
    let tick = |args: &[&str]| operator.run(&[&["answered", &id], args, &["--json"]].concat());
    tick(&["--copy", "warehouse", "--copy", "bucket"]).exits_with(0);
    let unknown = tick(&["--withdraw-copy", "Warehouse", "--copy", "laptops"]);
    assert_eq!(unknown.exits_with(2).failure()["kind"], "usage");
    let request = tick(&["--withdraw-copy", "warehouse"])
        .exits_with(0)
        .request();
    assert_eq!(ticked(&request), ["bucket"]);
    let request = tick(&[
        "--withdraw-copy",
        "bucket",
        "--copy",
        "bucket",
        "--copy",
        "warehouse",
    ]);
    assert_eq!(
        ticked(&request.exits_with(0).request()),
        ["bucket", "warehouse"]
    );
    assert_eq!(entries(&operator).len(), 3);
    let log = operator.run(&["audit", "log", &id[..8]]);
    assert!(log.stdout.contains("withdrew copies: warehouse"), "{log}");
    operator.run(&["audit", "verify"]).exits_with(0);
}

#[test]
fn an_id_cannot_become_the_name_of_a_copy() {
    let fake = obedient();
    let (operator, id) = with_a_deletion(&fake);
    for name in [
        "",
        "17",
        "done@x.test",
        "user-17",
        "list of user-17.",
        "braze",
        "Braze",
        "eu-BRAZE_2.raw",
        "ourbrazecopy",
        "copy of User-17",
        "warehouse_user-17",
        "no 42",
        "x.42",
        "seller-q list",
        "tel 0170 1234567",
        "u 3e0b7f52-77aa-4c1e-9a4b-0000000000a1",
        "caf\u{e9}",
        "two\nlines",
        "\u{1b}[31mred",
        &"a".repeat(65),
    ] {
        let outcome = operator.run(&["answered", &id, "--copy", "warehouse", "--copy", name]);
        outcome.exits_with(2).says("nothing was recorded");
        if name.len() > 2 {
            outcome.never_says(name);
        }
        let outcome = operator.run(&["answered", &id, "--withdraw-copy", name]);
        outcome.exits_with(2).says("nothing was recorded");
    }
    for more in [["--on", "2026-01-07"], ["--manner", "by e-mail"]] {
        let args = [&["answered", &id, "--copy", "warehouse"][..], &more].concat();
        operator.run(&args).exits_with(2);
    }
    assert_eq!(entries(&operator), [""; 0]);
}

#[test]
fn an_export_and_an_altered_request_have_no_ticks() {
    let fake = obedient();
    let (operator, id) = with_a_deletion(&fake);
    let export = operator.run(&["export", "--gdpr", "done@x.test", "--json"]);
    let export = export.exits_with(0).request();
    assert_eq!(export["copies"], Value::Null);
    let name = export["id"].as_str().expect("an id");
    let refused = operator.run(&["answered", name, "--copy", "warehouse"]);
    refused.exits_with(2).says("is an export");
    operator.give_up_trail();
    operator.tamper_with(&format!(
        "UPDATE requests SET reference = 'other' WHERE id = '{id}'"
    ));
    operator
        .run(&["answered", &id, "--copy", "warehouse"])
        .exits_with(74);
    assert_eq!(entries(&operator), [""; 0]);
}
