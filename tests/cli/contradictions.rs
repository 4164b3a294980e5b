//! Mixpanel or the operator says what cannot be: a task of other ids, one task for several jobs,
//! two decisions at once. dsr does not guess, and names both sides.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    Call, Fake, Operator, Reply, csv_of, object_reply, people, states, status_reply, usual,
};

fn status_of(status: &str, ids: &[String]) -> Reply {
    let results = json!({ "status": status, "result": "", "distinct_ids": ids });
    Reply::json(200, &json!({ "status": "ok", "results": results }))
}

/// Answers POSTs as usual, and everything else by `tell`.
fn telling(tell: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Fake {
    Fake::answering(move |call| match call.method.as_str() {
        "GET" => tell(call),
        _ => usual(call),
    })
}

fn operator_of(fake: &Fake, ids: &[String], batch: usize) -> Operator {
    let settings = format!("rate = 1000\ndelete_batch = {batch}\nexport_batch = {batch}");
    let operator = Operator::at_with(fake, &settings);
    operator.file("ids.csv", csv_of(ids, None));
    operator
}

const DELETE: [&str; 4] = ["delete", "--gdpr", "--yes", "ids.csv"];

#[test]
fn a_task_that_is_about_other_ids_is_never_done() {
    let ids = people(4);
    let cases = [
        ("one is not in it", ids[..3].to_vec()),
        ("it has more", [&ids[..], &["stranger".to_owned()]].concat()),
        ("quite others", vec!["stranger".to_owned()]),
    ];
    for (name, told) in cases {
        for kind in ["delete", "export"] {
            let told = told.clone();
            let fake = telling(move |_| status_of("SUCCESS", &told));
            let operator = operator_of(&fake, &ids, 4);
            let mut args = vec![kind, "--gdpr", "ids.csv"];
            args.extend((kind == "delete").then_some("--yes"));
            operator.run(&args).exits_with(0);
            let id = operator.only_request()["id"].clone();
            let id = id.as_str().expect("an id");
            let outcome = operator.run(&["status", id, "--refresh", "--exit-status", "--json"]);
            let job = outcome.exits_with(6).request()["jobs"][0].clone();
            assert_eq!(job["state"], "unknown", "{kind}: {name}\n{outcome}");
            assert_eq!(job["mixpanel_status"], "SUCCESS", "{kind}: {name}");
            let reason = job["reason"].as_str().unwrap_or_default();
            assert!(reason.contains("the job has 4"), "{kind}: {name}: {reason}");
            outcome.never_says("stranger");
            // The task proves nothing else either, so nothing is sent again.
            operator.run(&["resume"]).exits_with(6).says("--task");
            assert_eq!(fake.posts().len(), 1, "{kind}: {name}");
            let found = operator.run(&["find", "ids.csv"]);
            found.exits_with(0).never_says("answer was lost");
            let why = "Possibly carried out (Mixpanel's answers are unclear or contradictory)";
            assert!(found.stdout.contains(why), "{kind}: {name}\n{found}");
        }
    }
}

#[test]
fn ids_in_another_order_are_the_same() {
    let ids = people(4);
    let mut told = ids.clone();
    told.reverse();
    let fake = telling(move |_| status_of("SUCCESS", &told));
    let operator = operator_of(&fake, &ids, 4);
    operator.run(&DELETE).exits_with(0);
    operator.run(&["status", "--refresh"]).exits_with(0);
    assert_eq!(states(&operator.only_request()), ["done"]);
}

#[test]
fn one_task_for_several_jobs_leaves_both_unknown() {
    let fake = Fake::answering_posts(object_reply("t-same"));
    let operator = operator_of(&fake, &people(4), 2);
    operator.run(&DELETE).exits_with(6).says("unknown");
    let request = operator.only_request();
    assert_eq!(states(&request), ["unknown", "unknown"]);
    for job in request["jobs"].as_array().expect("jobs") {
        let reason = job["reason"].as_str().unwrap_or_default();
        assert!(reason.contains("t-same"), "{reason}");
        assert!(
            reason.contains("job 1") && reason.contains("job 2"),
            "{reason}"
        );
    }
    assert_eq!(fake.posts().len(), 3, "the second is probed once");
}

#[test]
fn a_conflict_that_names_one_task_for_ids_it_does_not_have_links_none_of_them() {
    let ids = people(4);
    let body = json!({ "status": "error", "error": {
        "conflicting_distinct_ids": [ids[0], ids[1]],
        "conflicting_task_ids": ["t-other"],
    }});
    let others = vec![ids[1].clone(), "stranger".to_owned()];
    let fake = Fake::answering(move |call| match (call.is_post(), call.place) {
        (true, 0) => Reply::json(409, &body),
        (true, _) => usual(call),
        _ => status_of("PENDING", &others),
    });
    let operator = operator_of(&fake, &ids, 4);
    let outcome = operator.run(&[&DELETE[..], &["--json"]].concat());
    let request = outcome.exits_with(6).request();
    let job = |state: &str, ids: u64| {
        let jobs = request["jobs"].as_array().expect("jobs").iter();
        let mut found = jobs.filter(|job| job["state"] == state && job["ids"] == ids);
        found
            .next()
            .cloned()
            .unwrap_or_else(|| panic!("no {state} job of {ids}\n{outcome}"))
    };
    assert_eq!(job("accepted", 1)["task_id"], "t-other");
    assert_eq!(job("accepted", 2)["linked"], false);
    let unknown = job("unknown", 1);
    let reason = unknown["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("t-other"), "{reason}");
}

#[test]
fn a_task_of_another_job_of_ours_is_linked_and_not_adopted() {
    let ids = people(2);
    let conflict = json!({ "status": "error", "error": {
        "conflicting_distinct_ids": ids,
        "conflicting_task_ids": ["t-0"],
    }});
    let asked = Arc::new(AtomicBool::new(false));
    let told = ids.clone();
    let fake = Fake::answering(move |call| match (call.is_post(), call.place) {
        (true, 0) => object_reply("t-0"),
        (true, 1) => Reply::Reset,
        (true, _) => Reply::json(409, &conflict),
        // Mixpanel reports the start late, so the second request is sent at first.
        _ if !asked.swap(true, Ordering::SeqCst) => status_of("NEW WORD", &told),
        _ => status_of("PENDING", &told),
    });
    let operator = operator_of(&fake, &ids, 2);
    operator.run(&DELETE).exits_with(0);
    let outcome = operator.run(&[&DELETE[..], &["--new", "--json"]].concat());
    let job = outcome.exits_with(0).request()["jobs"][0].clone();
    assert_eq!(
        (&job["state"], &job["task_id"], &job["linked"]),
        (&json!("accepted"), &json!("t-0"), &json!(true)),
        "{outcome}"
    );
}

/// The first POST of all ids is lost; the second meets a conflict with this task.
fn conflict_over(ids: &[String], task: &str) -> Reply {
    let error = json!({ "conflicting_distinct_ids": ids, "conflicting_task_ids": [task] });
    Reply::json(409, &json!({ "status": "error", "error": error }))
}

#[test]
fn a_task_that_has_more_ids_than_the_lost_post_is_linked_and_not_adopted() {
    let ids = people(2);
    let conflict = conflict_over(&ids, "t-other");
    let more = [&ids[..], &["stranger".to_owned()]].concat();
    let fake = Fake::answering(move |call| match (call.is_post(), call.place) {
        (true, 0) => Reply::Reset,
        (true, _) => conflict.clone(),
        _ => status_of("PENDING", &more),
    });
    let operator = operator_of(&fake, &ids, 2);
    let outcome = operator.run(&[&DELETE[..], &["--json"]].concat());
    let job = outcome.exits_with(0).request()["jobs"][0].clone();
    assert_eq!(
        (&job["state"], &job["task_id"], &job["linked"]),
        (&json!("accepted"), &json!("t-other"), &json!(true)),
        "{outcome}"
    );
}

#[test]
fn a_conflict_with_a_task_that_mixpanel_cannot_look_up_or_has_ended_links_nothing() {
    for status in ["UNKNOWN", "SUCCESS", "REVOKED"] {
        for is_lost in [false, true] {
            // Its own task may have ended just now: it was named for all that was sent.
            if is_lost && status != "UNKNOWN" {
                continue;
            }
            let ids = people(2);
            let conflict = conflict_over(&ids, "t-other");
            let fake = Fake::answering(move |call| match (call.is_post(), call.place) {
                (true, 0) if is_lost => Reply::Reset,
                (true, _) => conflict.clone(),
                _ => status_reply(status),
            });
            let operator = operator_of(&fake, &ids, 2);
            let outcome = operator.run(&[&DELETE[..], &["--json"]].concat());
            let job = outcome.exits_with(6).request()["jobs"][0].clone();
            assert_eq!(job["state"], "unknown", "{status}, {is_lost}: {outcome}");
            assert_eq!(job["task_id"], Value::Null, "{status}, {is_lost}");
        }
    }
}

/// A deletion of unknown outcome beside an accepted one; `tell` answers about every task.
fn with_an_unknown_job(
    tell: impl Fn(&Call) -> Reply + Send + Sync + 'static,
) -> (Fake, Operator, String) {
    let fake = Fake::answering(move |call| match (call.is_post(), call.place) {
        (true, 0) => object_reply("t-first"),
        (true, _) => Reply::Hang,
        _ => tell(call),
    });
    let operator = operator_of(&fake, &people(4), 2);
    let running = operator.start(&DELETE);
    fake.wait_for_posts(2);
    running.kill();
    let request = operator.only_request();
    assert_eq!(states(&request), ["accepted", "unknown"]);
    operator.age_attempts(Duration::from_secs(16 * 60));
    let name = request["id"].as_str().expect("an id").to_owned();
    (fake, operator, name)
}

#[test]
fn a_task_that_the_operator_names_is_held_against_what_is_known() {
    let ids = people(4);
    let theirs = ids[2..].to_vec();
    let all = ids.clone();
    let (_fake, operator, name) = with_an_unknown_job(move |call| match call.task() {
        "t-gone" => Reply::error(404, "no such task"),
        "t-unknown" => status_reply("UNKNOWN"),
        "t-others" => status_of("PENDING", &all[..2]),
        "t-part" => status_of("PENDING", &all[..3]),
        "t-right" => status_of("PENDING", &theirs),
        _ => status_reply("PENDING"),
    });
    for (task, said) in [
        ("t-gone", "not known to Mixpanel"),
        ("t-unknown", "got no clear answer"),
        ("t-others", "has no id in common with job 2"),
        ("t-part", "the job has 2, 1 of them not in the task"),
        ("t-first", "is the task of job 1"),
    ] {
        let outcome = operator.run(&["resume", &name, "--task", task]);
        outcome.exits_with(2).says(said).says("nothing was changed");
        assert_eq!(
            states(&operator.only_request()),
            ["accepted", "unknown"],
            "{task}"
        );
    }
    operator
        .run(&["resume", &name, "--task", "t-right"])
        .exits_with(0);
    assert_eq!(states(&operator.only_request()), ["accepted", "accepted"]);
}

#[test]
fn of_two_words_at_once_the_first_counts_and_the_other_is_said_to_have_lost() {
    let slow = |call: &Call| match call.task() {
        "t-right" => Reply::After(Duration::from_secs(2), Box::new(status_reply("PENDING"))),
        _ => status_reply("PENDING"),
    };
    let (fake, operator, name) = with_an_unknown_job(slow);
    let gets = fake.gets().len();
    let adopting = operator.start(&["resume", &name, "--task", "t-right"]);
    while fake.gets().len() == gets {
        thread::sleep(Duration::from_millis(5));
    }
    operator.run(&["resume", &name, "--abandon"]).exits_with(0);
    let outcome = adopting.end();
    outcome
        .exits_with(2)
        .did_not_panic()
        .says("another dsr has resolved job 2")
        .never_says("damaged");
    let job = operator.only_request()["jobs"][1].clone();
    assert_eq!(
        (&job["state"], &job["task_id"]),
        (&json!("unknown"), &Value::Null)
    );
    assert!(job["abandoned_at"].is_string());
}

fn cancelling() -> Fake {
    let revoked = Mutex::new(Vec::new());
    Fake::answering(move |call| {
        let mut revoked = revoked.lock().expect("nobody panics");
        match call.method.as_str() {
            "POST" => object_reply(&format!("t-{}", call.place)),
            "DELETE" => {
                revoked.push(call.task().to_owned());
                Reply::text(204, "application/json", "")
            }
            _ if revoked.iter().any(|task| task == call.task()) => status_reply("REVOKED"),
            _ => status_reply("PENDING"),
        }
    })
}

#[test]
fn ids_of_another_request_that_a_cancellation_takes_along_are_named_before_it() {
    let fake = cancelling();
    let operator = operator_of(&fake, &people(3), 3);
    operator.run(&DELETE).exits_with(0);
    let first = operator.only_request()["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    operator.file("more.csv", csv_of(&people(5), None));
    let args = ["delete", "--gdpr", "--yes", "more.csv", "--json"];
    let second = operator.run(&args).exits_with(0).request();
    assert_eq!(second["linked_ids"], 3);
    let second = second["id"].as_str().expect("an id").to_owned();

    let calls = fake.calls().len();
    let short = &second[..8];
    let refused = operator.run(&["cancel", &first, "--no-input"]);
    refused
        .exits_with(2)
        .says("3 ids of request")
        .says(short)
        .says("--yes");
    assert_eq!(fake.calls().len(), calls, "nothing was cancelled");

    operator.run(&["cancel", &first, "--yes"]).exits_with(0);
    let other = operator
        .run(&["status", &second, "--cached", "--json"])
        .request();
    let linked = other["jobs"].as_array().expect("jobs").iter();
    let linked: Vec<_> = linked.filter(|job| job["linked"] == true).collect();
    assert_eq!(linked[0]["state"], "revoked", "{other:#}");
    let reason = linked[0]["reason"].as_str().unwrap_or_default();
    assert!(reason.contains(&first[..8]), "{reason}");
    operator.run(&["audit", "verify"]).exits_with(0);
}

#[test]
fn a_cancellation_that_is_refused_says_that_the_deletion_goes_on() {
    for (status, helps) in [(401, "DSR_TOKEN"), (403, "owner or admin")] {
        let fake = Fake::answering(move |call| match call.method.as_str() {
            "DELETE" => Reply::error(status, "no"),
            _ => usual(call),
        });
        let operator = operator_of(&fake, &people(1), 1);
        operator.run(&DELETE).exits_with(0);
        let id = operator.only_request()["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        let said = format!("Mixpanel refused to cancel ({status}); the deletion continues");
        let outcome = operator.run(&["cancel", &id]);
        outcome
            .exits_with(4)
            .says(&said)
            .says(helps)
            .never_says("dsr resume");
        outcome.says(&format!("dsr cancel {}", &id[..8]));
    }
}

#[test]
fn a_question_that_is_refused_is_not_answered_by_sending() {
    for status in [401, 403] {
        let fake = telling(move |_| Reply::error(status, "no"));
        let operator = operator_of(&fake, &people(1), 1);
        operator.run(&DELETE).exits_with(0);
        let outcome = operator.run(&["status", "--refresh"]);
        outcome
            .exits_with(4)
            .says("dsr status")
            .never_says("dsr resume");
    }
}
