//! `--wait`: follows the jobs to their end, and says how they ended.

use std::time::Duration;

use serde_json::Value;

use crate::support::{Fake, Operator, Outcome, Reply, object_reply, states, status_reply};

fn saying(statuses: &'static [&'static str]) -> Fake {
    Fake::answering(move |call| match call.is_post() {
        true => object_reply(&format!("task-{}", call.place)),
        false => status_reply(statuses[call.place.min(statuses.len() - 1)]),
    })
}

fn delete_and_wait(operator: &Operator, flags: &[&str]) -> Outcome {
    operator.run(&[&["delete", "--gdpr", "--yes", "user-17", "--wait"], flags].concat())
}

#[test]
fn a_wait_follows_the_job_to_its_end() {
    let fake = saying(&["PENDING", "STARTED", "SUCCESS"]);
    let operator = Operator::at(&fake);
    let outcome = delete_and_wait(&operator, &["--json"]);
    outcome.exits_with(0);
    let mut lines = outcome.json_lines();
    let last = lines.pop().unwrap();
    assert_eq!(
        states(&last["request"]),
        ["done"],
        "the full one comes last"
    );
    let states: Vec<Value> = lines
        .iter()
        .map(|line| line["job"]["state"].clone())
        .collect();
    assert!(states.iter().any(|state| state == "running"), "{outcome}");
    assert_eq!(states.last().unwrap(), "done");
    assert_eq!(fake.posts().len(), 1);
}

#[test]
fn jobs_that_end_badly_are_status_7() {
    for (statuses, state) in [
        (&["FAILURE"][..], "failed"),
        (&["PENDING", "REVOKED"], "revoked"),
    ] {
        let fake = saying(statuses);
        let operator = Operator::at(&fake);
        let outcome = delete_and_wait(&operator, &[]);
        outcome.exits_with(7).says(state);
        assert_eq!(states(&operator.only_request()), [state]);
    }
}

#[test]
fn a_task_that_stays_not_found_is_status_7() {
    let fake = saying(&["NOT_FOUND"]);
    let outcome = delete_and_wait(&Operator::at(&fake), &["--timeout", "10s"]);
    outcome.exits_with(7).says("not found");
}

#[test]
fn a_wait_that_is_limited_ends_with_status_8() {
    let fake = saying(&["STARTED"]);
    let operator = Operator::at(&fake);
    let outcome = delete_and_wait(&operator, &["--timeout", "2s"]);
    outcome.exits_with(8).says("dsr status");
    assert!(outcome.took >= Duration::from_secs(2), "{outcome}");
    assert!(outcome.took < Duration::from_secs(20), "{outcome}");
    assert_eq!(states(&operator.only_request()), ["running"]);
}

#[test]
fn a_signal_ends_the_wait_and_nothing_is_lost() {
    let fake = saying(&["STARTED"]);
    let operator = Operator::at(&fake);
    let running = operator.start(&["delete", "--gdpr", "--yes", "user-17", "--wait"]);
    while fake.gets().is_empty() {
        std::thread::sleep(Duration::from_millis(10));
    }
    running.signal("INT");
    let outcome = running.end();
    outcome.exits_with(130);
    assert_eq!(states(&operator.only_request()).len(), 1);
    assert_eq!(operator.only_request()["jobs"][0]["task_id"], "task-0");
}

#[test]
fn an_unknown_job_is_told_of_at_once_instead_of_waiting() {
    let fake = Fake::answering(|call| match call.is_post() {
        true if call.ids() == ["a1"] && call.place == 0 => Reply::Reset,
        // It says that this POST was not accepted, and nothing about the one before.
        true if call.ids() == ["a1"] => Reply::error(400, "no"),
        true => object_reply("t-1"),
        false => status_reply("SUCCESS"),
    });
    let operator = Operator::at_with(&fake, "rate = 1000\ndelete_batch = 1");
    let outcome = operator.run(&[
        "delete", "--gdpr", "--yes", "--id", "a1", "--id", "a2", "--wait",
    ]);
    outcome.exits_with(6);
    assert_eq!(states(&operator.only_request()), ["unknown", "accepted"]);
    assert!(fake.gets().is_empty(), "it is followed when all is sent");
    let tries = fake.posts().into_iter().filter(|post| post.ids() == ["a1"]);
    assert_eq!(tries.count(), 4, "{outcome}");
}

#[test]
fn a_failed_answer_while_waiting_is_not_the_end() {
    let fake = Fake::answering(|call| match call.is_post() {
        true => object_reply("t-1"),
        false if call.place < 2 => Reply::error(502, "later"),
        false => status_reply("SUCCESS"),
    });
    let operator = Operator::at(&fake);
    delete_and_wait(&operator, &[]).exits_with(0);
    assert_eq!(states(&operator.only_request()), ["done"]);
}

#[test]
fn a_timeout_is_a_wait() {
    let fake = saying(&["STARTED"]);
    let operator = Operator::at(&fake);
    let export = ["export", "--gdpr", "a1", "--timeout"];
    for more in [&["soon"][..], &["2s", "--dry-run"]] {
        operator.run(&[&export[..], more].concat()).exits_with(2);
    }
    fake.was_not_called();
    operator.run(&[&export[..], &["1s"]].concat()).exits_with(8);
}

#[test]
fn several_finished_exports_are_fetched_by_the_command_that_is_named() {
    let fake = saying(&["SUCCESS"]);
    let export = |settings: &str| {
        let operator = Operator::at_with(&fake, settings);
        operator.file("ids.txt", "a1\na2\na3\n");
        let args = ["export", "--gdpr", "--wait", "--format", "text", "ids.txt"];
        let outcome = operator.run(&args);
        outcome.exits_with(0);
        let id = operator.only_request()["id"].as_str().unwrap().to_owned();
        (outcome, id)
    };
    let (one, id) = export("rate = 1000");
    one.says(&format!("Fetch it with `dsr download {}`.", &id[..8]));
    let (several, id) = export("rate = 1000\nexport_batch = 1");
    several.says(&format!("Fetch them with `dsr download {}`.", &id[..8]));
}

#[test]
fn a_resume_follows_what_it_sent_as_long_as_it_is_told_to() {
    let fake = Fake::answering(|call| match (call.is_post(), call.place) {
        (true, 0) => Reply::error(401, "not yet"),
        (true, _) => object_reply("t-1"),
        (false, 0..3) => status_reply("STARTED"),
        (false, _) => status_reply("SUCCESS"),
    });
    let operator = Operator::at(&fake);
    let args = ["delete", "--gdpr", "--yes", "user-17"];
    operator.run(&args).exits_with(4);
    let limited = operator.run(&["resume", "--wait", "--timeout", "1500ms", "--json"]);
    limited.exits_with(8);
    let lines = limited.json_lines();
    assert_eq!(states(&lines.last().unwrap()["requests"][0]), ["running"]);
    let id = operator.only_request()["id"].as_str().unwrap().to_owned();
    let done = operator.run(&["resume", &id, "--wait"]);
    done.exits_with(0);
    assert!(done.stdout.contains("SUCCESS"), "{done}");
    assert_eq!(fake.posts().len(), 2);
    operator.run(&["resume", "--timeout", "1s"]).exits_with(0);
}
