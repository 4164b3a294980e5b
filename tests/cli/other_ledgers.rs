//! Ledgers that are not what they seem: with other ids, without ids, of another program, from two
//! hosts, or restored after a plan was applied.

use std::fs;

use rusqlite::Connection;
use serde_json::json;

use crate::minimisation::with_key;
use crate::plans::{APPLY, with_plan};
use crate::support::{Fake, OAUTH_TOKEN, Operator, Reply, object_reply, status_reply};

/// A deletion of two people that the rate limit held back.
fn with_deferred(fake: &Fake) -> Operator {
    let operator = with_key(fake, "rate = 1000");
    let delete = ["delete", "--gdpr", "--yes", "--max-wait", "0s"];
    let people = ["--id", "victim-a", "--id", "victim-b"];
    operator
        .run(&[&delete[..], &people].concat())
        .exits_with(75);
    operator.give_up_trail();
    operator
}

fn limited_once() -> Fake {
    Fake::answering(|call| match (call.is_post(), call.place) {
        (true, 0) => Reply::error(429, "slow"),
        (true, place) => object_reply(&format!("t-{place}")),
        (false, _) => status_reply("PENDING"),
    })
}

#[test]
fn ids_that_were_not_recorded_are_not_sent() {
    let fake = limited_once();
    let operator = with_deferred(&fake);
    let others = zstd::encode_all(&b"innocent-1\ninnocent-2\n"[..], 1).expect("zstd");
    let hex: String = others.iter().map(|byte| format!("{byte:02x}")).collect();
    operator.tamper_with(&format!("UPDATE payloads SET packed = x'{hex}'"));
    let posts = fake.posts().len();
    let refused = operator.run(&["resume"]);
    refused
        .exits_with(74)
        .says("are not those that the audit trail recorded")
        .says("dsr audit verify")
        .never_says("innocent");
    assert_eq!(fake.posts().len(), posts, "{refused}");
}

#[test]
fn nobody_is_said_not_to_be_in_a_request_whose_ids_are_gone() {
    let fake = limited_once();
    let operator = with_deferred(&fake);
    operator.tamper_with("DELETE FROM payloads");
    let found = operator.run(&["find", "--id", "victim-a"]);
    found.exits_with(74).never_says("Not found");
    let verified = operator.run(&["audit", "verify", "--json"]);
    let findings = verified.exits_with(74).json()["audit"]["findings"].clone();
    assert_eq!(findings[0]["kind"], "request_differs", "{verified}");
    let said = findings[0]["message"].to_string();
    assert!(said.contains("the ids of an open job are gone"), "{said}");
}

#[test]
fn a_file_of_another_program_is_no_ledger_and_stays_as_it_is() {
    let fake = Fake::start();
    for (name, schema) in [
        ("tables", "CREATE TABLE notes (text TEXT)"),
        (
            "a version",
            "CREATE TABLE notes (text TEXT); PRAGMA user_version = 3",
        ),
        ("nothing", "VACUUM"),
    ] {
        let operator = Operator::at(&fake);
        let path = operator.dsr_home().join("ledger.db");
        let other = Connection::open(&path).expect("a file can be made");
        other.execute_batch(schema).expect("a schema");
        drop(other);
        #[cfg(unix)]
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .expect("a mode");
        let before = fs::read(&path).expect("it is there");
        for args in [
            &["status", "--overdue", "--exit-status"][..],
            &["status", "--exit-status"],
            &["audit", "verify"],
            &["ledger", "status"],
        ] {
            operator.run(args).exits_with(74);
        }
        assert!(fs::read(&path).expect("it is there") == before, "{name}");
        assert!(!operator.dsr_home().join("seen-head").exists(), "{name}");
    }
}

#[test]
fn a_look_without_a_ledger_leaves_no_file_in_the_working_folder() {
    let operator = Operator::at(&Fake::start());
    operator.run(&["doctor"]);
    let left = fs::read_dir(operator.work()).expect("a folder");
    let left: Vec<_> = left
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(left, Vec::<std::ffi::OsString>::new());
}

/// Two copies went on apart: what one lacks may be older than its own last entry.
#[test]
fn the_lost_time_of_a_ledger_that_went_on_elsewhere_has_no_known_beginning() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    let elsewhere = Operator::at(&fake);
    elsewhere.puts_back(&operator.copies_ledger());
    elsewhere.run(&["ledger", "accept", "--yes"]).exits_with(0);
    operator.run(&["export", "--gdpr", "lost"]).exits_with(0);
    for name in ["b1", "b2", "b3"] {
        elsewhere.run(&["export", "--gdpr", name]).exits_with(0);
    }
    operator.puts_back(&elsewhere.copies_ledger());
    let accepted = operator.run(&["ledger", "accept", "--yes"]);
    accepted.exits_with(0);
    let status = operator.run(&["ledger", "status", "--json"]);
    let lost = status.exits_with(0).json()["ledger"]["set_backs_accepted"].clone();
    assert_eq!(lost[1]["since"], json!(null), "{status}");
}

#[test]
fn a_plan_that_may_have_been_applied_in_the_lost_time_is_not_applied_again() {
    let fake = Fake::start();
    let operator = with_plan(&fake, "", 3);
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    let copy = operator.copies_ledger();
    operator.run(&APPLY).exits_with(0);
    operator.puts_back(&copy);
    operator.run(&["ledger", "accept", "--yes"]).exits_with(0);
    let posts = fake.posts().len();
    let refused = operator.run(&[&APPLY[..], &["--json"]].concat());
    assert_eq!(refused.exits_with(2).failure()["kind"], "already_applied");
    operator.run(&APPLY).exits_with(2).says("--new");
    operator
        .run(&["apply", "erase.plan", "--dry-run"])
        .says("may have been applied before");
    assert_eq!(fake.posts().len(), posts, "nothing was sent");
    let reviewed = ["ledger", "accept", "--reviewed", "the plan was not applied"];
    operator.run(&reviewed).exits_with(0);
    operator.run(&APPLY).exits_with(0);
}

#[test]
fn deadlines_of_a_lost_time_are_no_silence() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    let copy = operator.copies_ledger();
    operator.run(&["export", "--gdpr", "b1"]).exits_with(0);
    operator.puts_back(&copy);
    operator.run(&["ledger", "accept", "--yes"]).exits_with(0);
    let alarm = ["status", "--overdue", "--exit-status"];
    operator.run(&alarm).exits_with(6);
    operator
        .run(&["status", "--due-within", "1d", "--exit-status"])
        .exits_with(6);
    operator.run(&["status", "--overdue"]).exits_with(0);
    let reviewed = ["ledger", "accept", "--reviewed", "nothing was sent"];
    operator.run(&reviewed).exits_with(0);
    operator.run(&alarm).exits_with(0);
}

/// A colleague's task has the ids of two of our requests.
#[test]
fn a_task_that_two_requests_are_linked_to_can_be_shown_and_cancelled() {
    let revoked = std::sync::atomic::AtomicBool::new(false);
    let fake = Fake::answering(move |call| match call.method.as_str() {
        "POST" => {
            let id = call.body["distinct_ids"][0].clone();
            let error =
                json!({ "conflicting_distinct_ids": [id], "conflicting_task_ids": ["t-1"] });
            Reply::json(409, &json!({ "status": "error", "error": error }))
        }
        "DELETE" => {
            revoked.store(true, std::sync::atomic::Ordering::SeqCst);
            Reply::text(204, "application/json", "")
        }
        _ => {
            let status = match revoked.load(std::sync::atomic::Ordering::SeqCst) {
                true => "REVOKED",
                false => "PENDING",
            };
            let results = json!({ "status": status, "distinct_ids": ["d1", "d2", "u1"] });
            Reply::json(200, &json!({ "status": "ok", "results": results }))
        }
    });
    let operator = Operator::at(&fake);
    for id in ["d1", "d2"] {
        operator
            .run(&["delete", "--gdpr", "--yes", id])
            .exits_with(0);
    }
    let shown = operator
        .run(&["status", "t-1", "--cached", "--json"])
        .json();
    assert_eq!(
        shown["requests"].as_array().map(Vec::len),
        Some(2),
        "{shown}"
    );
    let refused = operator.run(&["cancel", "t-1", "--no-input"]);
    refused
        .exits_with(2)
        .says("1 id of request")
        .says("1 more id");
    let cancelled = operator.run(&["cancel", "t-1", "--yes"]);
    cancelled.exits_with(0);
    for request in operator.requests() {
        assert_eq!(request["state"], "revoked", "{request}");
    }
}

#[test]
fn what_was_cancelled_before_it_was_sent_is_not_what_mixpanel_reports() {
    let fake = Fake::answering(|call| match (call.is_post(), call.place) {
        (true, _) => Reply::error(429, "slow"),
        (false, _) => status_reply("PENDING"),
    });
    let operator = Operator::at(&fake);
    let delete = ["delete", "--gdpr", "--yes", "--max-wait", "0s", "a1"];
    operator.run(&delete).exits_with(75);
    let name = operator.only_request()["id"].clone();
    let name = name.as_str().expect("an id");
    operator.run(&["cancel", name]).exits_with(0);
    let resumed = operator.run(&["resume", name]);
    resumed
        .exits_with(7)
        .says("1 job cancelled before sending")
        .never_says("Mixpanel reports");
}

/// A dump that was loaded again has all tables and no format.
#[test]
fn a_full_ledger_without_its_format_is_never_called_empty() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    operator.tamper_with("PRAGMA user_version = 0");
    fs::remove_file(operator.dsr_home().join("seen-head")).expect("it was there");
    operator.file("ids.csv", "a1\n");
    for args in [
        &["find", "ids.csv"][..],
        &["status", "--cached"],
        &["audit", "verify"],
        &["delete", "--gdpr", "--yes", "a2"],
    ] {
        let outcome = operator.run(args);
        outcome.exits_with(74).says("format 0");
        outcome.never_says("there is no ledger");
    }
    assert_eq!(fake.posts().len(), 1);
}

#[test]
fn a_value_of_another_type_is_damage_and_not_a_bug() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    operator.tamper_with("UPDATE requests SET kind = x'ff'");
    for args in [&["status", "--cached"][..], &["audit", "verify"]] {
        operator.run(args).exits_with(74);
    }
}

#[test]
fn an_oauth_token_in_the_place_of_a_project_token_is_not_sent() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.write_config(&format!(
        "[projects.shop]\ntoken = \"{OAUTH_TOKEN}\"\nregion = \"us\"\n"
    ));
    let outcome = operator.run(&["delete", "--gdpr", "--yes", "a1"]);
    outcome.exits_with(2).says("is the OAuth token");
    outcome.never_says(OAUTH_TOKEN);
    assert_eq!(fake.posts().len(), 0);
}
