//! A task that was not made for this ledger may have other people's ids: cancelling it asks first.

use serde_json::json;

use crate::support::{Fake, Model, Operator, Reply, Terminal, object_reply};

/// An operator with a job linked to a task of the time that the ledger lacks.
fn linked_to_a_lost_task(model: &Model) -> (Operator, String) {
    let operator = Operator::at(&model.fake);
    operator
        .run(&["delete", "--gdpr", "--yes", "a1"])
        .exits_with(0);
    let copy = operator.copies_ledger();
    let delete = ["delete", "--gdpr", "--yes", "--id", "b1", "--id", "b2"];
    operator.run(&delete).exits_with(0);
    operator.puts_back(&copy);
    operator.run(&["ledger", "accept", "--yes"]).exits_with(0);
    let delete = ["delete", "--gdpr", "--yes", "b1", "--json"];
    let request = operator.run(&delete).exits_with(0).request();
    assert_eq!(request["linked_ids"], 1, "{request}");
    let task = request["jobs"][0]["task_id"].as_str().expect("a task");
    (operator, task.to_owned())
}

fn deletes(fake: &Fake) -> usize {
    let calls = fake.calls().into_iter();
    calls.filter(|call| call.method == "DELETE").count()
}

#[test]
fn ids_that_this_ledger_does_not_know_of_are_not_cancelled_without_a_question() {
    let model = Model::start();
    let (operator, task) = linked_to_a_lost_task(&model);
    let refused = operator.run(&["cancel", &task, "--no-input"]);
    refused
        .exits_with(2)
        .says("has 1 more id that this ledger does not know")
        .says("--yes")
        .never_says("b2");
    assert_eq!(deletes(&model.fake), 0, "{refused}");
    assert_eq!(model.revoked(), 0);
    let answer = |typed: &str| {
        let mut terminal = Terminal::start(operator.command(&["cancel", &task]));
        terminal.sees("1 more id");
        terminal.sees("(1): ");
        terminal.types(typed);
        terminal.ends()
    };
    let (status, screen) = answer("0");
    assert_eq!(status, 2, "{screen}");
    assert_eq!(model.revoked(), 0, "{screen}");
    let (status, screen) = answer("1");
    assert_eq!(status, 0, "{screen}");
    assert_eq!(model.revoked(), 1, "{screen}");
}

#[test]
fn an_interrupt_at_the_question_ends_it_at_once_and_cancels_nothing() {
    let model = Model::start();
    let (operator, task) = linked_to_a_lost_task(&model);
    let mut terminal = Terminal::start(operator.command(&["cancel", &task]));
    terminal.sees("(1): ");
    terminal.types_interrupt();
    let (status, screen) = terminal.ends();
    assert_eq!(status, 130, "{screen}");
    assert!(screen.contains("Nothing was cancelled."), "{screen}");
    assert_eq!(deletes(&model.fake), 0, "{screen}");
}

#[test]
fn whoever_says_yes_is_not_asked_about_strangers() {
    let model = Model::start();
    let (operator, task) = linked_to_a_lost_task(&model);
    operator.run(&["cancel", &task, "--yes"]).exits_with(0);
    assert_eq!(model.revoked(), 1);
}

/// A successful DELETE with a GET about other ids does not cancel the job.
#[test]
fn a_revoked_task_of_other_ids_is_not_said_to_be_the_cancelled_job() {
    let fake = Fake::answering(|call| match call.method.as_str() {
        "POST" => object_reply("t-0"),
        "DELETE" => Reply::text(204, "application/json", ""),
        _ => {
            let results = json!({ "status": "REVOKED", "distinct_ids": ["x1"] });
            Reply::json(200, &json!({ "status": "ok", "results": results }))
        }
    });
    let operator = Operator::at(&fake);
    operator
        .run(&["delete", "--gdpr", "--yes", "a1"])
        .exits_with(0);
    let name = operator.only_request()["id"].clone();
    let cancelled = operator.run(&["cancel", name.as_str().expect("an id")]);
    cancelled
        .exits_with(6)
        .says("other ids")
        .never_says("cancelled, but")
        .never_says("an earlier attempt");
}

/// What does not answer about the task says nothing about whose ids it has.
#[test]
fn an_answer_that_says_nothing_about_the_task_lets_no_stranger_be_cancelled() {
    let status = |results: serde_json::Value| {
        Reply::json(200, &json!({ "status": "ok", "results": results }))
    };
    for (name, answer) in [
        ("unknown", status(json!({ "status": "UNKNOWN" }))),
        ("not found", status(json!({ "status": "NOT_FOUND" }))),
        ("404", Reply::json(404, &json!({ "status": "error" }))),
        (
            "another task",
            status(json!({ "status": "STARTED", "tracking_id": "t-2", "distinct_ids": ["m0"] })),
        ),
    ] {
        let error = json!({ "conflicting_distinct_ids": ["m0"], "conflicting_task_ids": ["t-1"] });
        let conflict = json!({ "status": "error", "error": error });
        let linked = std::sync::atomic::AtomicBool::new(false);
        let fake = Fake::answering(move |call| match call.method.as_str() {
            "POST" => Reply::json(409, &conflict),
            "DELETE" => Reply::text(204, "application/json", ""),
            _ if !linked.swap(true, std::sync::atomic::Ordering::SeqCst) => {
                let ids = ["m0", "u1", "u2"];
                let results = json!({ "status": "PENDING", "distinct_ids": ids });
                Reply::json(200, &json!({ "status": "ok", "results": results }))
            }
            _ => answer.clone(),
        });
        let operator = Operator::at(&fake);
        let delete = ["delete", "--gdpr", "--yes", "m0", "--json"];
        let request = operator.run(&delete).exits_with(0).request();
        assert_eq!(request["linked_ids"], 1, "{name}: {request}");
        let refused = operator.run(&["cancel", "t-1", "--no-input"]);
        refused.exits_with(2).says("--yes");
        assert_eq!(deletes(&fake), 0, "{name}: {refused}");
    }
}
