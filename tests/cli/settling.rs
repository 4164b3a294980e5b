//! What settling must not do to the pace, to the ledger's notes and to messages.

use std::time::Duration;

use serde_json::json;

use crate::support::{
    Fake, Habits, Model, Operator, Reply, Rules, account, csv_of, people, states,
};

fn reasons(operator: &Operator) -> Vec<String> {
    let jobs = account(operator).into_iter();
    jobs.map(|job| job.reason).collect()
}

#[test]
fn a_question_for_the_sake_of_a_lost_answer_keeps_the_pace() {
    let conflict = json!({ "status": "error", "error": {
        "conflicting_distinct_ids": ["user-17"],
        "conflicting_task_ids": ["t-1"],
    }});
    let slow = Duration::from_millis(500);
    let fake = Fake::with(Rules::None, move |call| {
        match (call.is_post(), call.place) {
            (true, 0) => Reply::Reset,
            (true, _) => Reply::After(slow, Box::new(Reply::json(409, &conflict))),
            (false, _) => {
                let results = json!({ "status": "PENDING", "distinct_ids": ["user-17"] });
                Reply::json(200, &json!({ "status": "ok", "results": results }))
            }
        }
    });
    let operator = Operator::at_with(&fake, "rate = 1");
    let outcome = operator.run(&["delete", "--gdpr", "--yes", "user-17"]);
    outcome.exits_with(0);
    // The pace counts from the answer to the call before, which came half a second late.
    let gap = fake.gets()[0].arrived - fake.posts()[1].arrived;
    assert!(
        gap >= Duration::from_secs(1) + slow,
        "asked after {gap:?}\n{outcome}"
    );
}

#[test]
fn the_operators_word_sends_a_job_that_is_too_large_in_parts() {
    // dsr was killed before it could read the answer that teaches the limit.
    let model = Model::behaving(Habits {
        largest: 2,
        delay: Duration::from_millis(1500),
        ..Habits::default()
    });
    let operator = Operator::at(&model.fake);
    operator.file("ids.csv", csv_of(&people(4), None));
    let running = operator.start(&["delete", "--gdpr", "--yes", "ids.csv"]);
    model.fake.wait_for_posts(1);
    running.kill();
    let name = operator.only_request()["id"].clone();
    let name = name.as_str().unwrap();
    let outcome = operator.run(&["resume", name, "--send-again"]);
    outcome.exits_with(0);
    assert_eq!(model.times().len(), 4, "{outcome}");
    // The first POST of the whole job may have been accepted, whatever happened to the parts.
    let request = operator.only_request();
    let jobs = request["jobs"].as_array().unwrap();
    assert_eq!(jobs.len(), 2, "{request:#}");
    for job in jobs {
        assert_eq!(job["possible_duplicate"], true, "{job:#}");
        let reason = job["reason"].as_str().unwrap();
        assert!(reason.contains("possible duplicate"), "{job:#}");
    }
}

#[test]
fn a_note_of_a_possible_duplicate_outlives_a_question_about_the_task() {
    let fake = Fake::answering_post(0, Reply::error(500, "boom"));
    let operator = Operator::at(&fake);
    let delete = ["delete", "--gdpr", "--yes", "user-17"];
    operator.run(&delete).exits_with(0);
    assert!(reasons(&operator)[0].contains("possible duplicate"));
    let asked = operator.run(&["status"]);
    asked.exits_with(0);
    let kept = &reasons(&operator)[0];
    assert!(kept.contains("possible duplicate"), "`{kept}`\n{asked}");
}

#[test]
fn a_signal_before_an_unknown_job_is_settled_does_not_hide_it() {
    let fake = Fake::answering_posts(Reply::error(500, "boom"));
    let operator = Operator::at(&fake);
    let running = operator.start(&["delete", "--gdpr", "--yes", "user-17"]);
    fake.wait_for_posts(1);
    std::thread::sleep(Duration::from_millis(700));
    running.signal("INT");
    let outcome = running.end();
    outcome.exits_with(130).says("unknown").says("dsr resume");
    outcome.never_says("everything was sent");
    assert_eq!(fake.posts().len(), 1);
    assert_eq!(states(&operator.only_request()), ["unknown"]);
}

#[test]
fn a_rate_limit_that_meets_a_repeat_is_obeyed_by_every_dsr() {
    let fake = Fake::answering(|call| match call.place {
        0 => Reply::Reset,
        _ => Reply::error(429, "later").with("Retry-After", "60"),
    });
    let operator = Operator::at_with(&fake, "rate = 1000");
    let patience = ["--gdpr", "--yes", "--max-wait", "1s"];
    let outcome = operator.run(&[&["delete", "user-17"], &patience[..]].concat());
    outcome.exits_with(6);
    assert_eq!(fake.calls().len(), 2, "{outcome}");
    let next = operator.run(&[&["delete", "user-18"], &patience[..]].concat());
    next.exits_with(75);
    assert_eq!(fake.calls().len(), 2, "{next}");
}
