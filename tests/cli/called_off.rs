//! `dsr cancel` of a job that another dsr is sending: nothing of the request is sent afterwards.

use std::time::{Duration, Instant};

use crate::support::{Fake, Operator, Reply, object_reply, states, status_reply};

const DELETE: [&str; 6] = ["delete", "--gdpr", "--yes", "--id", "a1", "--ref=T-1"];

fn after(seconds: u64, reply: Reply) -> Reply {
    Reply::After(Duration::from_secs(seconds), Box::new(reply))
}

fn id_of(operator: &Operator) -> String {
    let request = operator.only_request();
    request["id"]
        .as_str()
        .expect("a request has an id")
        .to_owned()
}

#[test]
fn what_comes_back_from_a_call_is_not_sent_again_after_a_cancellation() {
    let answers = [
        ("429", Reply::error(429, "later").with("Retry-After", "1")),
        ("401", Reply::error(401, "no")),
        ("413", Reply::error(413, "too many ids")),
    ];
    for (name, answer) in answers {
        let fake = Fake::answering_posts(after(3, answer));
        let operator = Operator::at_with(&fake, "rate = 1000");
        let mut delete = DELETE.to_vec();
        delete.extend(["--id", "a2"]);
        let running = operator.start(&delete);
        fake.wait_for_posts(1);
        let id = id_of(&operator);
        operator.run(&["cancel", &id]).exits_with(0);
        running.end().did_not_panic();
        assert_eq!(states(&operator.only_request()), ["revoked"], "{name}");
        operator.run(&["resume"]).did_not_panic();
        assert_eq!(fake.posts().len(), 1, "{name}");
        assert_eq!(fake.calls().len(), 1, "{name}: there is no task to cancel");
        operator.run(&["audit", "verify"]).exits_with(0);
    }
}

#[test]
fn a_task_that_is_made_during_the_cancellation_is_cancelled() {
    let fake = Fake::answering(|call| match call.method.as_str() {
        "POST" => after(3, object_reply("t-1")),
        "DELETE" => Reply::text(204, "application/json", ""),
        _ => status_reply("REVOKED"),
    });
    let operator = Operator::at_with(&fake, "rate = 1000");
    let running = operator.start(&DELETE);
    fake.wait_for_posts(1);
    operator.run(&["cancel", &id_of(&operator)]).exits_with(0);
    running.end().did_not_panic();
    assert_eq!(states(&operator.only_request()), ["revoked"]);
    let methods: Vec<String> = fake.calls().into_iter().map(|call| call.method).collect();
    assert_eq!(methods, ["POST", "DELETE", "GET"]);
}

#[test]
fn a_cancelled_job_whose_answer_is_lost_is_not_sent_again_without_the_operators_word() {
    let fake = Fake::answering_posts(after(3, Reply::Close));
    let operator = Operator::at_with(&fake, "rate = 1000");
    let running = operator.start(&DELETE);
    fake.wait_for_posts(1);
    let id = id_of(&operator);
    operator
        .run(&["cancel", &id])
        .exits_with(6)
        .says(&format!("dsr resume {}", &id[..8]));
    running.end().exits_with(6);
    operator.run(&["resume"]).exits_with(6);
    assert_eq!(fake.posts().len(), 1);
    operator.run(&["resume", &id, "--send-again"]);
    assert!(fake.posts().len() > 1, "the later word counts");
}

#[test]
fn a_call_that_lasts_is_named_and_nothing_follows_it() {
    let fake = Fake::answering_posts(Reply::Hang);
    let operator = Operator::at_with(&fake, "rate = 1000");
    let running = operator.start(&DELETE);
    fake.wait_for_posts(1);
    let id = id_of(&operator);
    let started = Instant::now();
    let waiting = operator.run(&["cancel", &id]);
    waiting
        .exits_with(75)
        .says("is sending it now")
        .says("will not send it again")
        .says(&format!("dsr cancel {}", &id[..8]));
    assert!(started.elapsed() < Duration::from_secs(40));
    running.kill();
    operator.run(&["resume"]).exits_with(6);
    assert_eq!(fake.posts().len(), 1);
    assert_eq!(states(&operator.only_request()), ["unknown"]);
}
