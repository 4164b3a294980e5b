//! A token that Mixpanel refuses half-way: what was asked and sent until then, and what helps.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::json;

use crate::support::{Fake, Operator, Reply, object_reply, states, status_reply, usual};

/// Deletes these ids, a job each; returns the beginning of the request's id.
fn delete(operator: &Operator, ids: &[&str], status: i32) -> String {
    let mut args = vec!["delete", "--gdpr", "--yes", "--max-wait", "0s"];
    ids.iter().for_each(|id| args.extend(["--id", id]));
    operator.run(&args).exits_with(status);
    let request = operator.requests()[0].clone();
    request["id"].as_str().expect("an id")[..8].to_owned()
}

fn operator_at(fake: &Fake) -> Operator {
    Operator::at_with(fake, "rate = 1000\ndelete_batch = 1")
}

#[test]
fn a_job_whose_cancellation_was_refused_was_asked_about() {
    for status in [401, 403] {
        let fake = Fake::answering(move |call| match (call.method.as_str(), call.task()) {
            ("POST", _) => object_reply(&format!("task-{}", call.place)),
            ("DELETE", "task-1") => Reply::error(status, "no"),
            ("DELETE", _) => Reply::text(204, "application/json", ""),
            (_, "task-0") => status_reply("REVOKED"),
            _ => status_reply("PENDING"),
        });
        let operator = operator_at(&fake);
        let name = delete(&operator, &["a1", "a2", "a3"], 0);
        let outcome = operator.run(&["cancel", &name]);
        let asked = "job 2 (task task-1): it was not cancelled: Mixpanel refused";
        outcome
            .exits_with(4)
            .says(&format!("{asked} ({status})"))
            .says("job 3 (task task-2): it was not cancelled: dsr did not ask Mixpanel")
            .says("put it into DSR_TOKEN")
            .never_says("dsr auth login");
        let calls = fake.calls().into_iter();
        let deletes = calls.filter(|call| call.method == "DELETE");
        assert_eq!(deletes.count(), 2, "job 3 was not asked about");
        assert_eq!(
            states(&operator.only_request()),
            ["revoked", "accepted", "accepted"]
        );
    }
}

#[test]
fn a_resume_names_the_refusal_and_leads_to_the_token() {
    for status in [401, 403] {
        let fake = Fake::answering(move |call| match call.is_post() {
            true if call.ids()[0] == "lost" => Reply::Reset,
            true if call.ids()[0] == "kept" => Reply::error(status, "no"),
            _ => usual(call),
        });
        let operator = operator_at(&fake);
        delete(&operator, &["z1", "z2"], 0);
        let name = delete(&operator, &["a1", "lost", "kept"], 6);
        for args in [&["resume"][..], &["resume", &name]] {
            let before = fake.posts().len();
            let outcome = operator.run(args);
            outcome
                .exits_with(6)
                .says(&format!("({status})"))
                .says("put it into DSR_TOKEN")
                .says("; 1 job not sent")
                .never_says("dsr auth login");
            let said = &outcome.stderr;
            assert!(
                !said.contains("job sent") && !said.contains("jobs sent"),
                "{outcome}"
            );
            assert!(fake.posts().len() > before, "{outcome}");
        }
        assert_eq!(fake.posted_ids().iter().filter(|id| *id == "a1").count(), 1);
    }
}

#[test]
fn a_resume_counts_what_it_sent_itself() {
    let is_closed = Arc::new(AtomicBool::new(true));
    let closed = Arc::clone(&is_closed);
    let conflict = json!({ "status": "error", "error": {
        "conflicting_distinct_ids": ["linked"],
        "conflicting_task_ids": ["task-of-another"],
    }});
    let fake = Fake::answering(
        move |call| match call.is_post().then(|| call.ids()[0].clone()) {
            Some(id) if id == "a2" && closed.load(Ordering::SeqCst) => Reply::error(403, "no"),
            Some(id) if id == "linked" => Reply::json(409, &conflict),
            Some(id) if id == "refused" => Reply::error(400, "no"),
            Some(id) if id == "late" => Reply::error(429, "later"),
            _ => usual(call),
        },
    );
    let operator = operator_at(&fake);
    let name = delete(&operator, &["a1", "a2", "linked", "refused", "late"], 4);
    is_closed.store(false, Ordering::SeqCst);
    let outcome = operator.run(&["resume", &name, "--max-wait", "0s"]);
    outcome
        .exits_with(3)
        .says("Mixpanel refused 1 job; 1 job sent, 1 job linked, 1 job not sent");
}

#[test]
fn a_request_that_was_sent_in_part_is_not_called_unsent() {
    let fake = Fake::answering(|call| match call.is_post() && call.place == 1 {
        true => Reply::error(403, "no"),
        false => usual(call),
    });
    let operator = operator_at(&fake);
    let name = delete(&operator, &["a1", "a2"], 4);
    operator
        .run(&["status", "--cached"])
        .exits_with(0)
        .says(&format!("{name} has unsent jobs: the last safe day"))
        .never_says(&format!("{name} is not sent"));
}

#[test]
fn a_possible_duplicate_shows_in_lists_and_where_people_are_looked_up() {
    let place = AtomicUsize::new(0);
    let fake = Fake::answering(move |call| match call.is_post() {
        true => match place.fetch_add(1, Ordering::SeqCst) {
            0 => Reply::Reset,
            1 => Reply::error(403, "no"),
            _ => object_reply("task-twice"),
        },
        false => status_reply("PENDING"),
    });
    let operator = operator_at(&fake);
    let name = delete(&operator, &["a1"], 6);
    let duplicate = format!("Possible duplicate: {name} (1 job)");
    let list = operator.run(&["resume"]);
    assert!(list.exits_with(0).stdout.contains(&duplicate), "{list}");
    let list = operator.run(&["status", "--cached"]);
    assert!(list.exits_with(0).stdout.contains(&duplicate), "{list}");
    let find = operator.run(&["find", "--id", "a1", "--id", "b1"]);
    let found = "Possible duplicate (sent twice): id 1 on the command line\n";
    assert!(find.exits_with(0).stdout.contains(found), "{find}");
    let find = operator.run(&["find", "--json", "a1"]).json();
    let job = find["people"][0]["jobs"][0].clone();
    assert_eq!(job["possible_duplicate"], true, "{find:#}");
    let help = operator.run(&["resume", "--help"]);
    help.exits_with(0).never_says("nothing is deleted twice");
    assert!(help.stdout.contains("possible duplicate"), "{help}");
}
