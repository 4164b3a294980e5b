//! How an unknown outcome is settled: by the same POST once more while that tells whether the first
//! was accepted, and later by the operator's decision.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    Fake, Fault, Model, Operator, Outcome, Reply, account, at_once, csv_of, disagreements,
    object_reply, people, states, status_reply, usual,
};

const AGES: Duration = Duration::from_secs(16 * 60);

fn args_of(kind: &'static str) -> Vec<&'static str> {
    let mut args = vec![kind, "--gdpr", "ids.csv"];
    args.extend((kind == "delete").then_some("--yes"));
    args
}

fn operator_with_three_jobs(fake: &Fake) -> (Operator, Vec<String>) {
    let operator = Operator::at_with(fake, "rate = 1000\ndelete_batch = 2\nexport_batch = 2");
    let ids = people(6);
    operator.file("ids.csv", csv_of(&ids, None));
    (operator, ids)
}

#[track_caller]
fn all_agree(operator: &Operator, model: &Model, ids: &[String]) {
    let asked = [ids.iter().cloned().collect()];
    let found = disagreements(operator, model, &asked);
    assert!(found.is_empty(), "{found:#?}\n{:#?}", account(operator));
}

fn reasons(operator: &Operator) -> Vec<String> {
    let jobs = account(operator).into_iter();
    jobs.map(|job| job.reason).collect()
}

#[test]
fn an_answer_that_is_lost_after_accepting_is_recovered_and_no_id_is_taken_twice() {
    at_once([Fault::Lost, Fault::Late], |fault| {
        let model = Model::striking(1, fault.clone());
        let (operator, ids) = operator_with_three_jobs(&model.fake);
        let outcome = operator.run(&args_of("delete"));
        outcome.exits_with(0).never_says("unknown");
        let lost = fault == Fault::Lost;
        assert_eq!(model.fake.posts().len(), 3 + usize::from(lost));
        assert_eq!(model.fake.gets().len(), usize::from(lost));
        assert!(model.times().values().all(|times| *times == 1));
        assert_eq!(model.times().len(), 6);
        assert_eq!(reasons(&operator)[1].contains("recovered"), lost);
        assert!(!reasons(&operator)[1].contains("duplicate"));
        all_agree(&operator, &model, &ids);
    });
}

#[test]
fn a_second_201_is_adopted_and_called_a_possible_duplicate() {
    let fake = Fake::answering_post(1, Reply::error(500, "boom"));
    let (operator, ids) = operator_with_three_jobs(&fake);
    let outcome = operator.run(&[&args_of("delete")[..], &["--json"]].concat());
    outcome.exits_with(0);
    let job = outcome.request()["jobs"][1].clone();
    assert_eq!(job["state"], "accepted", "{outcome}");
    let reason = job["reason"].as_str().unwrap_or_default().to_owned();
    assert!(reason.contains("possible duplicate"), "{outcome}");
    let posts = fake.posts();
    assert_eq!(posts.len(), 4);
    assert_eq!(posts[3].ids(), ids[2..4]);
    assert_eq!(job["task_id"], "3e0b7f52-77aa-4c1e-9a4b-0000000000a4");
}

/// Answers to a second POST that settle nothing.
fn answers_that_settle_nothing(ids: &[String]) -> Vec<(&'static str, Reply)> {
    let unsaid = json!({ "status": "error", "error": {
        "conflicting_distinct_ids": [ids[2], ids[3]],
        "conflicting_task_ids": ["t-of-somebody", "t-of-another"],
    }});
    let html = "<!doctype html><html><body>Sign in</body></html>";
    vec![
        ("500", Reply::error(500, "boom")),
        ("409 with tasks that do not tell", Reply::json(409, &unsaid)),
        ("HTML 200", Reply::text(200, "text/html", html)),
        ("HTML 409", Reply::text(409, "text/html", html)),
        ("400", Reply::error(400, "no")),
        ("409 that names nothing", Reply::error(409, "conflict")),
        ("413", Reply::error(413, "too large")),
        ("an error in a 200", Reply::error(200, "no")),
        ("reset", Reply::Reset),
    ]
}

#[test]
fn what_does_not_settle_it_leaves_it_unknown() {
    let ids = people(6);
    at_once(answers_that_settle_nothing(&ids), |(name, reply)| {
        let about = people(6)[2].clone();
        let fake =
            Fake::answering(
                move |call| match call.is_post() && call.ids().contains(&about) {
                    true if call.place == 1 => Reply::Reset,
                    true => reply.clone(),
                    false => usual(call),
                },
            );
        let (operator, ids) = operator_with_three_jobs(&fake);
        let outcome = operator.run(&args_of("delete"));
        assert_eq!(outcome.status, Some(6), "{name}\n{outcome}");
        outcome.says("unknown").says("dsr resume");
        let request = operator.only_request();
        assert_eq!(
            states(&request),
            ["accepted", "unknown", "accepted"],
            "{name}"
        );
        assert_eq!(request["state"], "unknown", "{name}");
        assert_eq!(request["jobs"][1]["task_id"], Value::Null, "{name}");
        outcome.never_says(&ids[2]).never_says(&ids[3]);
        // The first and at most three more.
        assert!(fake.posts().len() <= 2 + 4, "{name}\n{outcome}");
        assert!(
            fake.posts()[3..]
                .iter()
                .all(|post| post.body == fake.posts()[1].body)
        );
    });
}

#[test]
fn a_conflict_with_tasks_of_which_none_has_all_ids_shows_that_the_first_post_was_not_taken() {
    let all = json!({ "status": "error", "error": {
        "conflicting_distinct_ids": ["a1", "a2"],
        "conflicting_task_ids": ["t-other", "t-another"],
    }});
    let fake = Fake::answering(move |call| match (call.is_post(), call.place) {
        (true, 0) => Reply::Reset,
        (true, _) => Reply::json(409, &all),
        (false, _) => {
            let ids = match call.task() {
                "t-other" => ["a1", "b1"],
                _ => ["a2", "b2"],
            };
            let results = json!({ "status": "PENDING", "result": "", "distinct_ids": ids });
            Reply::json(200, &json!({ "status": "ok", "results": results }))
        }
    });
    let operator = Operator::at(&fake);
    let outcome = operator.run(&["delete", "--gdpr", "--yes", "--id", "a1", "--id", "a2"]);
    outcome.exits_with(0);
    let jobs = account(&operator);
    let linked = |id: &str, task: &str| {
        let job = jobs.iter().find(|job| job.task == task).expect("a job");
        assert_eq!(job.ids, [id.to_owned()].into(), "{outcome}");
        assert!(job.reason.contains("linked"), "{outcome}");
    };
    linked("a1", "t-other");
    linked("a2", "t-another");
    assert_eq!(jobs.len(), 2);
    assert_eq!(fake.posts().len(), 2);
}

#[test]
fn a_lost_export_is_repeated_exactly_once_and_both_are_spoken_of() {
    let model = Model::striking(1, Fault::Lost);
    let (operator, ids) = operator_with_three_jobs(&model.fake);
    operator.run(&args_of("export")).exits_with(0);
    assert_eq!(model.fake.posts().len(), 4);
    assert_eq!(model.tasks().len(), 4);
    assert!(reasons(&operator)[1].contains("possible duplicate"));
    all_agree(&operator, &model, &ids);

    let fake = Fake::answering_posts(Reply::error(500, "boom"));
    let operator = Operator::at(&fake);
    operator.run(&["export", "--gdpr", "user-17"]).exits_with(6);
    assert_eq!(fake.posts().len(), 2);
    operator.run(&["resume"]).exits_with(6);
    assert_eq!(fake.posts().len(), 2, "not a third copy");
}

fn name_of(operator: &Operator) -> String {
    let name = &operator.only_request()["id"];
    name.as_str().expect("a request has a name").to_owned()
}

/// A job that has been unknown for too long to be settled by a repeat.
fn stale(fake: &Fake) -> (Operator, String) {
    let operator = Operator::at(fake);
    let delete = ["delete", "--gdpr", "--yes", "--id", "a1", "--id", "a2"];
    operator.run(&delete).exits_with(6);
    operator.age_attempts(AGES);
    let name = name_of(&operator);
    (operator, name)
}

/// Answers no POST clearly; has the task `right` with a1 and a2, and `other` with other ids.
fn answering_questions_only() -> Fake {
    Fake::answering(|call| {
        let ids = match (call.is_post(), call.task()) {
            (true, _) => return Reply::error(500, "boom"),
            (_, "right") => ["a1", "a2"],
            (_, "other") => ["a1", "b2"],
            _ => return Reply::error(404, "no such task"),
        };
        let results = json!({ "status": "STARTED", "result": "", "distinct_ids": ids });
        Reply::json(200, &json!({ "status": "ok", "results": results }))
    })
}

#[test]
fn the_operator_may_name_the_task_and_only_the_right_one_is_believed() {
    let fake = answering_questions_only();
    let (operator, name) = stale(&fake);
    let posts = fake.posts().len();
    for (task, words) in [("elsewhere", "not known"), ("other", "other ids")] {
        let outcome = operator.run(&["resume", &name, "--task", task]);
        outcome
            .exits_with(2)
            .says(words)
            .says("nothing was changed");
        assert_eq!(states(&operator.only_request()), ["unknown"]);
    }
    operator
        .run(&["resume", &name, "--task", "right"])
        .exits_with(0);
    let request = operator.only_request();
    assert_eq!(states(&request), ["running"]);
    assert_eq!(request["jobs"][0]["task_id"], "right");
    assert_eq!(fake.posts().len(), posts, "nothing is sent for it");
}

#[test]
fn send_again_is_the_operators_word_for_one_more_post() {
    let fake = Fake::answering(|call| match call.is_post() {
        true if call.place < 3 => Reply::error(500, "boom"),
        true => object_reply("t-again"),
        false => status_reply("PENDING"),
    });
    let (operator, name) = stale(&fake);
    operator.run(&["resume"]).exits_with(6);
    assert_eq!(fake.posts().len(), 3, "not without the word");
    operator
        .run(&["resume", &name, "--send-again"])
        .exits_with(0);
    let posts = fake.posts();
    assert_eq!(posts.len(), 4);
    assert_eq!(posts[3].body, posts[0].body);
    let request = operator.only_request();
    assert_eq!(request["jobs"][0]["task_id"], "t-again");
    assert!(reasons(&operator)[0].contains("possible duplicate"));
}

#[test]
fn a_repeat_does_not_begin_the_quarter_of_an_hour_anew() {
    let fake = Fake::answering_posts(Reply::error(500, "boom"));
    let (operator, name) = stale(&fake);
    let again = operator.run(&["resume", &name, "--send-again"]);
    again.exits_with(6);
    let posts = fake.posts().len();
    let resumed = operator.run(&["resume", &name]);
    resumed.exits_with(6);
    assert_eq!(fake.posts().len(), posts, "{resumed}");
}

#[test]
fn a_job_that_is_given_up_stays_unknown_and_nothing_is_sent_for_it() {
    let fake = Fake::answering_posts(Reply::error(500, "boom"));
    let operator = Operator::at(&fake);
    let delete = ["delete", "--gdpr", "--yes", "user-17"];
    operator.run(&delete).exits_with(6);
    let name = name_of(&operator);
    let posts = fake.posts().len();
    let given_up: Outcome = operator.run(&["resume", &name, "--abandon"]);
    given_up.exits_with(0).says("unknown").never_says(" done");
    operator.run(&["resume"]);
    operator.run(&["resume", &name]);
    operator
        .run(&["resume", &name, "--send-again"])
        .exits_with(2);
    assert_eq!(fake.posts().len(), posts);
    assert_eq!(states(&operator.only_request()), ["unknown"]);
}

#[test]
fn one_of_several_unknown_jobs_is_meant_by_its_number() {
    let fake = Fake::answering(|call| match call.is_post() {
        true if call.place < 3 => Reply::error(500, "boom"),
        true => object_reply(&format!("t-{}", call.place)),
        false => status_reply("PENDING"),
    });
    let (operator, ids) = operator_with_three_jobs(&fake);
    operator.run(&args_of("delete")).exits_with(6);
    operator.age_attempts(AGES);
    let name = name_of(&operator);
    let resume = ["resume", name.as_str()];
    let with = |more: &[&str]| operator.run(&[&resume[..], more].concat());
    with(&["--task", "t-1"]).exits_with(2).says("--job");
    with(&["--job", "2"]).exits_with(2);
    with(&["--job", "9", "--abandon"]).exits_with(2);
    assert_eq!(fake.posts().len(), 3);
    with(&["--send-again", "--job", "2"]).exits_with(6);
    assert_eq!(fake.posts().len(), 4);
    assert_eq!(fake.posts()[3].ids(), ids[2..4]);
    with(&["--abandon", "--job", "1"]).exits_with(6);
    with(&["--send-again"]).exits_with(0);
    assert_eq!(fake.posts().len(), 5);
    assert_eq!(fake.posts()[4].ids(), ids[4..6]);
    assert_eq!(
        states(&operator.only_request()),
        ["unknown", "accepted", "accepted"]
    );
}

#[test]
fn of_several_unknown_jobs_each_hint_says_how_to_name_one() {
    let fake = Fake::answering_posts(Reply::error(500, "boom"));
    let operator = Operator::at_with(&fake, "rate = 1000\ndelete_batch = 1");
    let delete = ["delete", "--gdpr", "--yes", "--id", "a1", "--id", "a2"];
    operator.run(&delete).exits_with(6);
    operator.age_attempts(AGES);
    assert_eq!(states(&operator.only_request()), ["unknown", "unknown"]);
    let name = name_of(&operator);
    for (args, status) in [
        (&["resume", &name][..], 6),
        (&["status", &name, "--cached"], 0),
        (&["cancel", &name], 6),
    ] {
        let outcome = operator.run(args);
        outcome.exits_with(status).says("or each unknown job");
        outcome.says("--job N --task TASK_ID");
    }
}

#[test]
fn what_was_given_up_is_not_said_to_wait_for_a_word() {
    let fake = Fake::answering_posts(Reply::error(500, "boom"));
    let operator = Operator::at(&fake).with_ledger_key();
    let delete = ["delete", "--gdpr", "--yes", "--max-wait", "0s", "a1"];
    operator.run(&delete).exits_with(6);
    let name = name_of(&operator);
    operator.run(&["resume", &name, "--abandon"]).exits_with(0);
    let again = operator.run(&["resume", &name, "--send-again"]);
    again.exits_with(2).says("was abandoned on");
    again.says("make a new request");
    let list = operator.run(&["suppressions", "export"]);
    list.exits_with(0).says("1 person stays on the list");
    list.says("abandoned").never_says("resolve it");
    let cancelled = operator.run(&["cancel", &name]);
    cancelled.exits_with(6).says("it is abandoned");
    cancelled.never_says("--send-again");
}
