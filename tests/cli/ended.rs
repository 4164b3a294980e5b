//! A conflict names a task that has ended: that says nothing of what was asked for since.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::support::{Call, Fake, Operator, Reply, object_reply, states};

const DELETE: [&str; 8] = [
    "delete", "--gdpr", "--yes", "--id", "a1", "--id", "a2", "--json",
];

fn status_of(status: &str, ids: &[&str]) -> Reply {
    let results = json!({ "status": status, "result": "", "distinct_ids": ids });
    Reply::json(200, &json!({ "status": "ok", "results": results }))
}

fn conflict(tasks: &[&str]) -> Reply {
    let error = json!({
        "conflicting_distinct_ids": ["a1", "a2"], "conflicting_task_ids": tasks
    });
    Reply::json(409, &json!({ "status": "error", "error": error }))
}

/// Gives these answers to the POSTs in turn, the last one for ever. `t-old` has these ids and has
/// ended.
fn ended(posts: Vec<Reply>, status: &'static str, ids: &'static [&'static str]) -> Fake {
    let turn = AtomicUsize::new(0);
    Fake::answering(move |call: &Call| match (call.is_post(), call.task()) {
        (true, _) => {
            let place = turn.fetch_add(1, Ordering::SeqCst).min(posts.len() - 1);
            posts[place].clone()
        }
        (false, "t-old") => status_of(status, ids),
        _ => status_of("PENDING", &["a1", "a2"]),
    })
}

fn job_of(operator: &Operator) -> Value {
    operator.only_request()["jobs"][0].clone()
}

#[test]
fn a_job_is_not_linked_to_a_task_that_has_ended_but_sent_after_it() {
    for status in ["SUCCESS", "FAILURE", "REVOKED"] {
        for ids in [&["a1", "a2"][..], &["a1", "a2", "b1"]] {
            let posts = vec![conflict(&["t-old"]), object_reply("t-new")];
            let fake = ended(posts, status, ids);
            let operator = Operator::at(&fake);
            operator.run(&DELETE).exits_with(0);
            assert_eq!(fake.posts().len(), 2, "{status}");
            let job = job_of(&operator);
            assert_eq!(job["state"], "accepted", "{status}: {job}");
            assert_eq!(job["task_id"], "t-new", "{status}: {job}");
            assert_eq!(job["linked"], false, "{status}: {job}");
            assert_eq!(job["possible_duplicate"], false, "{status}: {job}");
        }
    }
}

#[test]
fn what_mixpanel_refuses_for_a_task_that_has_ended_is_unknown_and_says_so() {
    let fake = ended(vec![conflict(&["t-old"])], "SUCCESS", &["a1", "a2"]);
    let operator = Operator::at(&fake);
    let outcome = operator.run(&DELETE);
    outcome.exits_with(6);
    assert_eq!(fake.posts().len(), 2, "{outcome}");
    let job = job_of(&operator);
    assert_eq!(job["state"], "unknown", "{job}");
    assert_eq!(job["task_id"], Value::Null);
    let reason = job["reason"].as_str().expect("a reason");
    assert!(
        reason.contains("t-old") && reason.contains("has ended"),
        "{reason}"
    );
    assert!(!reason.contains("does not name them"), "{reason}");
}

#[test]
fn a_task_that_mixpanel_does_not_know_is_not_said_to_have_other_ids() {
    let fake = Fake::answering(|call| match call.is_post() {
        true => conflict(&["t-gone"]),
        false => Reply::error(404, "no such task"),
    });
    let operator = Operator::at(&fake);
    operator.run(&DELETE).exits_with(6);
    let job = job_of(&operator);
    let reason = job["reason"].as_str().expect("a reason");
    assert!(reason.contains("does not know"), "{reason}");
    assert!(!reason.contains("does not name them"), "{reason}");
}

#[test]
fn an_ended_task_with_exactly_the_ids_of_a_lost_post_waits_for_the_operators_word() {
    let posts = vec![Reply::Reset, conflict(&["t-old"])];
    let fake = ended(posts, "SUCCESS", &["a1", "a2"]);
    let operator = Operator::at(&fake);
    operator.run(&DELETE).exits_with(6).says("--task");
    let job = job_of(&operator);
    assert_eq!(
        (&job["state"], &job["task_id"]),
        (&json!("unknown"), &Value::Null)
    );
    let reason = job["reason"].as_str().expect("a reason");
    assert!(
        reason.contains("t-old") && reason.contains("has ended"),
        "{reason}"
    );
    let posts = fake.posts().len();
    assert_eq!(posts, 2);
    operator.run(&["resume"]).exits_with(6).says("--task");
    assert_eq!(
        fake.posts().len(),
        posts,
        "a new POST would be a second deletion"
    );
    let name = operator.only_request()["id"].clone();
    let name = name.as_str().expect("an id");
    operator
        .run(&["resume", name, "--task", "t-old"])
        .exits_with(0);
    assert_eq!(states(&operator.only_request()), ["done"]);
}

/// Mixpanel accepts no id that is in an active task, so this task is not older than the POST.
#[test]
fn an_ended_task_is_adopted_where_mixpanel_had_accepted_the_post() {
    let unread = Reply::json(201, &json!({ "status": "ok" }));
    let posts = vec![unread, conflict(&["t-old"])];
    let fake = ended(posts, "SUCCESS", &["a1", "a2"]);
    let operator = Operator::at(&fake);
    operator.run(&DELETE).exits_with(0);
    let job = job_of(&operator);
    assert_eq!(job["task_id"], "t-old", "{job}");
    assert_eq!(job["linked"], false, "{job}");
}

#[test]
fn a_lost_post_is_not_linked_to_a_larger_task_that_has_ended() {
    let posts = vec![Reply::Reset, conflict(&["t-old"]), object_reply("t-new")];
    let fake = ended(posts, "REVOKED", &["a1", "a2", "b1"]);
    let operator = Operator::at(&fake);
    operator.run(&DELETE).exits_with(0);
    let job = job_of(&operator);
    assert_eq!(job["task_id"], "t-new", "{job}");
    assert_eq!(job["possible_duplicate"], true, "{job}");
}

#[test]
fn ids_that_are_being_deleted_in_a_task_that_is_not_named_are_on_the_suppression_list() {
    let fake = Fake::answering_post(0, conflict(&[]));
    let operator = Operator::at(&fake).with_ledger_key();
    let outcome = operator.run(&DELETE);
    outcome.exits_with(6);
    assert_eq!(fake.posts().len(), 1, "{outcome}");
    assert_eq!(states(&operator.only_request()), ["unknown"]);
    let list = operator.run(&["suppressions", "export", "--json"]);
    list.exits_with(0).never_says("nothing was erased");
    let reason = job_of(&operator)["reason"].clone();
    let reason = reason.as_str().expect("a reason");
    assert!(reason.contains("names no task"), "{reason}");
}

/// A deletion of unknown outcome; `tell` answers about every task.
fn unknown_beside(
    tell: impl Fn(&Call) -> Reply + Send + Sync + 'static,
) -> (Fake, Operator, String) {
    let fake = Fake::answering(move |call| match call.is_post() {
        true => Reply::error(500, "boom"),
        false => tell(call),
    });
    let operator = Operator::at(&fake);
    operator.run(&DELETE).exits_with(6);
    let name = operator.only_request()["id"].clone();
    let name = name.as_str().expect("an id").to_owned();
    (fake, operator, name)
}

#[test]
fn an_answer_about_another_task_than_the_operator_named_is_not_believed() {
    let (_fake, operator, name) = unknown_beside(|_| {
        let results = json!({
            "tracking_id": "t-other", "status": "PENDING", "distinct_ids": ["a1", "a2"]
        });
        Reply::json(200, &json!({ "status": "ok", "results": results }))
    });
    let outcome = operator.run(&["resume", &name, "--task", "t-named"]);
    outcome.exits_with(2).says("another task");
    outcome.says("nothing was changed");
    assert_eq!(states(&operator.only_request()), ["unknown"]);
}

#[test]
fn a_task_without_an_id_of_the_job_is_said_to_have_none() {
    let (_fake, operator, name) = unknown_beside(|_| status_of("PENDING", &["x1", "x2"]));
    let outcome = operator.run(&["resume", &name, "--task", "t-other"]);
    outcome.exits_with(2).says("has no id in common with job 1");
    outcome.says("nothing was changed");
}

#[test]
fn a_larger_task_that_the_operator_names_is_no_possible_duplicate() {
    let (_fake, operator, name) = unknown_beside(|_| status_of("PENDING", &["a1", "a2", "b1"]));
    operator
        .run(&["resume", &name, "--task", "t-large"])
        .exits_with(0);
    let job = job_of(&operator);
    assert_eq!(job["linked"], true, "{job}");
    assert_eq!(job["possible_duplicate"], false, "{job}");
    let reason = job["reason"].as_str().expect("a reason");
    assert!(!reason.contains("possible duplicate"), "{reason}");
}

#[test]
fn a_word_that_settles_nothing_is_not_counted_as_settled() {
    let (_fake, operator, name) = unknown_beside(|_| status_of("REVOKED", &["a1", "a2"]));
    let outcome = operator.run(&["resume", &name, "--task", "t-revoked"]);
    outcome.never_says("1 job resolved");
}

#[test]
fn a_link_says_nothing_that_is_untrue_once_its_task_has_failed() {
    let asked = AtomicUsize::new(0);
    let fake = Fake::answering(move |call| match call.is_post() {
        true => conflict(&["t-old"]),
        false if asked.fetch_add(1, Ordering::SeqCst) == 0 => status_of("STARTED", &["a1", "a2"]),
        false => status_of("FAILURE", &["a1", "a2"]),
    });
    let operator = Operator::at(&fake);
    operator.run(&DELETE).exits_with(0);
    operator.run(&["status", "--refresh"]);
    let job = job_of(&operator);
    assert_eq!(job["state"], "failed", "{job}");
    let reason = job["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("linked: task t-old"), "{reason}");
    assert!(!reason.contains("is deleting"), "{reason}");
}

#[test]
fn an_answer_that_came_is_not_said_to_be_missing() {
    let fake = Fake::answering_post(0, Reply::error(500, "boom"));
    let operator = Operator::at(&fake);
    operator.run(&DELETE).exits_with(0);
    let job = job_of(&operator);
    let reason = job["reason"].as_str().expect("a reason");
    assert!(reason.contains("possible duplicate"), "{reason}");
    assert!(!reason.contains("no answer came"), "{reason}");
}
