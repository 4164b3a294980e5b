//! `dsr cancel`: a DELETE, then a GET that decides; nothing is ever created.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::{
    Call, Fake, NOWHERE, Operator, Outcome, PROJECT_TOKEN, Reply, Rules, object_reply, states,
    status_reply,
};

/// What a DELETE does to each task, and what a GET then says.
fn fake_where(
    rules: Rules,
    delete: impl Fn(&Call) -> Reply + Send + Sync + 'static,
    status: impl Fn(&Call) -> &'static str + Send + Sync + 'static,
) -> Fake {
    Fake::with(rules, move |call| match call.method.as_str() {
        "POST" => object_reply(&format!("task-{}", call.place)),
        "DELETE" => delete(call),
        _ => status_reply(status(call)),
    })
}

fn no_content() -> Reply {
    Reply::text(204, "application/json", "")
}

/// A DELETE revokes the task.
fn obliging(rules: Rules) -> Fake {
    fake_where(rules, |_| no_content(), |_| "REVOKED")
}

fn operator_with_jobs(fake: &Fake, settings: &str, jobs: usize) -> (Operator, String) {
    let operator = Operator::at_with(fake, &format!("{settings}\ndelete_batch = 1"));
    let ids: Vec<String> = (0..jobs).map(|place| format!("user-{place}")).collect();
    let mut args = vec!["delete", "--gdpr", "--yes"];
    for id in &ids {
        args.extend(["--id", id]);
    }
    operator.run(&args).exits_with(0);
    let id = id_of_only_request(&operator);
    (operator, id)
}

fn id_of_only_request(operator: &Operator) -> String {
    let request = operator.only_request();
    let id = request["id"].as_str().expect("a request has an id");
    id.to_owned()
}

fn operator_with_a_deletion(fake: &Fake) -> (Operator, String) {
    operator_with_jobs(fake, "rate = 1000", 1)
}

/// The calls after the POSTs: method and path, without the common prefix.
fn calls_after_posts(fake: &Fake) -> Vec<String> {
    let calls = fake.calls().into_iter().skip_while(Call::is_post);
    let short = |path: &str| path.replace("/api/app/data-deletions/v3.0/", "");
    calls
        .map(|call| format!("{} {}", call.method, short(&call.path)))
        .collect()
}

fn warnings(outcome: &Outcome) -> Vec<Value> {
    let warnings = outcome.json()["warnings"].as_array().cloned();
    let kinds = warnings.unwrap_or_default().into_iter();
    kinds.map(|warning| warning["kind"].clone()).collect()
}

#[test]
fn each_job_is_deleted_at_the_documented_address_and_then_asked_about() {
    let fake = obliging(Rules::None);
    let (operator, id) = operator_with_jobs(&fake, "rate = 1000", 2);
    let outcome = operator.run(&["cancel", &id[..6], "--json"]);
    outcome.exits_with(0).did_not_panic();
    let request = outcome.request();
    assert_eq!(
        (&request["id"], &request["state"]),
        (&json!(id), &json!("revoked"))
    );
    assert_eq!(request["jobs"][1]["mixpanel_status"], "REVOKED");
    assert_eq!(
        calls_after_posts(&fake),
        [
            "DELETE task-0/",
            "GET task-0/",
            "DELETE task-1/",
            "GET task-1/"
        ]
    );
    let delete = &fake.calls()[2];
    assert_eq!(delete.query, format!("token={PROJECT_TOKEN}"));
    assert!(
        delete
            .header("authorization")
            .unwrap()
            .starts_with("Bearer ")
    );
    assert_eq!(states(&operator.only_request()), ["revoked", "revoked"]);

    // Again: everything is cancelled, so dsr calls nobody and needs no token.
    let operator = operator.without("DSR_TOKEN");
    operator.run(&["cancel", &id]).exits_with(0);
    assert_eq!(fake.calls().len(), 6);
}

#[test]
fn one_task_can_be_cancelled_alone() {
    let fake = obliging(Rules::None);
    let (operator, _) = operator_with_jobs(&fake, "rate = 1000", 3);
    operator.run(&["cancel", "task-1"]).exits_with(0);
    assert_eq!(calls_after_posts(&fake), ["DELETE task-1/", "GET task-1/"]);
    assert_eq!(
        states(&operator.only_request()),
        ["accepted", "revoked", "accepted"]
    );
}

#[test]
fn what_has_started_is_reported_job_by_job() {
    let fake = fake_where(
        Rules::None,
        |call| match call.task() {
            "task-0" => Reply::error(405, "already started"),
            _ => no_content(),
        },
        |call| match call.task() {
            "task-0" => "STARTED",
            _ => "REVOKED",
        },
    );
    let (operator, id) = operator_with_jobs(&fake, "rate = 1000", 2);
    let operator = operator.with_ledger_key();
    let outcome = operator.run(&["cancel", &id]);
    outcome.exits_with(3).never_says("job 2");
    assert_eq!(states(&operator.only_request()), ["running", "revoked"]);
    let again = operator.run(&["cancel", &id, "--json"]);
    again.exits_with(3);
    assert_eq!(warnings(&again), ["started"]);
    assert_eq!(again.failure()["kind"], "started");
    assert_eq!(fake.posts().len(), 2);
}

#[test]
fn a_deletion_that_has_ended_or_begun_is_too_late_to_cancel() {
    let statuses = |call: &crate::support::Call| match call.task() {
        "task-0" => "SUCCESS",
        _ => "STARTED",
    };
    let fake = fake_where(Rules::None, |_| Reply::error(405, "no"), statuses);
    let (operator, id) = operator_with_a_deletion(&fake);
    let operator = operator.with_ledger_key();
    for _ in 0..2 {
        operator
            .run(&["cancel", &id])
            .exits_with(3)
            .says("Too late: Mixpanel has already finished job 1")
            .says("Mixpanel has already finished it")
            .never_says("of another request")
            .never_says("started");
    }
    let report = operator.run(&["report", &id, "--output", "-"]);
    let page = &report.exits_with(0).stdout;
    assert!(
        page.contains("Tried to cancel it; Mixpanel finished it"),
        "{report}"
    );
    assert!(!page.contains("Requested its cancellation"), "{report}");
    let fake = fake_where(Rules::None, |_| Reply::error(405, "no"), statuses);
    let (operator, id) = operator_with_jobs(&fake, "rate = 1000", 3);
    let operator = operator.with_ledger_key();
    operator
        .run(&["cancel", &id])
        .exits_with(3)
        .says("Too late: Mixpanel has already finished job 1 and started jobs 2, 3");
}

#[test]
fn a_405_is_no_revocation_even_if_the_status_lags_behind() {
    let fake = fake_where(Rules::None, |_| Reply::error(405, "no"), |_| "PENDING");
    let (operator, id) = operator_with_a_deletion(&fake);
    operator.run(&["cancel", &id]).exits_with(3);
    assert_eq!(states(&operator.only_request()), ["accepted"]);
    assert_eq!(calls_after_posts(&fake), ["DELETE task-0/", "GET task-0/"]);
}

#[test]
fn a_405_for_what_is_revoked_already_is_a_success() {
    let fake = fake_where(Rules::None, |_| Reply::error(405, "no"), |_| "REVOKED");
    let (operator, id) = operator_with_a_deletion(&fake);
    operator.run(&["cancel", &id]).exits_with(0);
    assert_eq!(states(&operator.only_request()), ["revoked"]);
}

#[test]
fn what_is_done_is_not_cancelled() {
    let fake = fake_where(Rules::None, |_| Reply::error(405, "no"), |_| "SUCCESS");
    let (operator, id) = operator_with_a_deletion(&fake);
    operator.run(&["cancel", &id]).exits_with(3);
    assert_eq!(states(&operator.only_request()), ["done"]);
    operator.run(&["cancel", &id]).exits_with(3);
    assert_eq!(fake.calls().len(), 3, "what is done is left alone");
}

#[test]
fn an_unclear_answer_leaves_the_decision_to_the_status() {
    for reply in [
        Reply::Reset,
        Reply::error(500, "oops"),
        Reply::text(200, "text/html", "<html>"),
    ] {
        let fake = fake_where(Rules::None, move |_| reply.clone(), |_| "REVOKED");
        let (operator, id) = operator_with_a_deletion(&fake);
        operator.run(&["cancel", &id]).exits_with(0);
        assert_eq!(states(&operator.only_request()), ["revoked"]);
        assert_eq!(calls_after_posts(&fake), ["DELETE task-0/", "GET task-0/"]);
    }
    for (status, code, state) in [("STARTED", 3, "running"), ("PENDING", 75, "accepted")] {
        let fake = fake_where(Rules::None, |_| Reply::Reset, move |_| status);
        let (operator, id) = operator_with_a_deletion(&fake);
        operator.run(&["cancel", &id]).exits_with(code);
        assert_eq!(states(&operator.only_request()), [state]);
        assert_eq!(fake.posts().len(), 1);
    }
}

#[test]
fn a_delete_that_was_lost_is_made_again_while_the_task_is_pending() {
    let fake = fake_where(
        Rules::None,
        |call| match call.place {
            0 => Reply::Reset,
            _ => no_content(),
        },
        |call| {
            if call.place == 0 {
                "PENDING"
            } else {
                "REVOKED"
            }
        },
    );
    let (operator, id) = operator_with_a_deletion(&fake);
    operator.run(&["cancel", &id]).exits_with(0);
    assert_eq!(
        calls_after_posts(&fake),
        [
            "DELETE task-0/",
            "GET task-0/",
            "DELETE task-0/",
            "GET task-0/"
        ]
    );
}

#[test]
fn a_cancellation_that_mixpanel_took_and_never_shows_is_unknown() {
    let fake = fake_where(Rules::None, |_| no_content(), |_| "PENDING");
    let (operator, id) = operator_with_a_deletion(&fake);
    let outcome = operator.run(&["cancel", &id, "--json"]);
    outcome.exits_with(6);
    assert_eq!(states(&outcome.request()), ["accepted"]);
    assert_eq!(warnings(&outcome), ["unconfirmed"]);
    let deletes = calls_after_posts(&fake);
    let deletes = deletes.iter().filter(|call| call.starts_with("DELETE"));
    assert_eq!(deletes.count(), 1, "what was taken is not repeated");

    let fake = Fake::answering(|call| match call.method.as_str() {
        "POST" => object_reply("task-0"),
        "DELETE" => no_content(),
        _ => Reply::Reset,
    });
    let (operator, id) = operator_with_a_deletion(&fake);
    operator.run(&["cancel", &id]).exits_with(6);
    assert_eq!(states(&operator.only_request()), ["accepted"]);
}

#[test]
fn a_rate_limit_is_waited_for() {
    let fake = fake_where(
        Rules::None,
        |call| match call.place {
            0 => Reply::error(429, "slow down").with("Retry-After", "2"),
            _ => no_content(),
        },
        |_| "REVOKED",
    );
    let (operator, id) = operator_with_a_deletion(&fake);
    let outcome = operator.run(&["cancel", &id]);
    outcome.exits_with(0);
    let calls = fake.calls();
    let gap = calls[2].arrived - calls[1].arrived;
    assert!(gap >= Duration::from_millis(1900), "{gap:?}");
    assert_eq!(
        calls_after_posts(&fake),
        ["DELETE task-0/", "DELETE task-0/", "GET task-0/"]
    );
}

#[test]
fn a_rate_limit_that_lasts_is_temporary() {
    let fake = fake_where(
        Rules::None,
        |_| Reply::error(429, "slow down").with("Retry-After", "3600"),
        |_| "PENDING",
    );
    let (operator, id) = operator_with_jobs(&fake, "rate = 1000", 2);
    let outcome = operator.run(&["cancel", &id]);
    outcome
        .exits_with(75)
        .says(&format!("dsr cancel {}", &id[..8]));
    assert_eq!(calls_after_posts(&fake), ["DELETE task-0/"]);
    assert_eq!(states(&operator.only_request()), ["accepted", "accepted"]);
}

#[test]
fn deletes_and_questions_keep_the_pace() {
    let fake = obliging(Rules::PerSecond(1));
    let (operator, id) = operator_with_jobs(&fake, "", 2);
    operator.run(&["cancel", &id]).exits_with(0);
    assert_eq!(fake.calls().len(), 6);
    assert_eq!(fake.limited(), 0);
    assert!(
        fake.shortest_gap() >= Duration::from_secs(1),
        "{:?}",
        fake.shortest_gap()
    );
}

#[test]
fn a_token_that_is_turned_away_ends_it() {
    for status in [401, 403] {
        let fake = fake_where(
            Rules::None,
            move |_| Reply::error(status, "no"),
            |_| "PENDING",
        );
        let (operator, id) = operator_with_jobs(&fake, "rate = 1000", 2);
        operator.run(&["cancel", &id]).exits_with(4);
        assert_eq!(calls_after_posts(&fake), ["DELETE task-0/"]);
        assert_eq!(states(&operator.only_request()), ["accepted", "accepted"]);
    }
}

#[test]
fn a_task_that_mixpanel_does_not_know_is_status_7() {
    let fake = Fake::answering(|call| match call.method.as_str() {
        "POST" => object_reply("task-0"),
        _ => Reply::error(404, "no such task"),
    });
    let (operator, id) = operator_with_a_deletion(&fake);
    operator.run(&["cancel", &id]).exits_with(7);
    assert_eq!(states(&operator.only_request()), ["accepted"]);
}

#[test]
fn a_server_that_cannot_be_reached_is_temporary() {
    let fake = obliging(Rules::None);
    let (operator, id) = operator_with_a_deletion(&fake);
    let operator = operator.with("DSR_API_URL", NOWHERE);
    let outcome = operator.run(&["cancel", &id, "--json"]);
    outcome.exits_with(75);
    assert_eq!(outcome.failure()["kind"], "temporary");
    assert_eq!(states(&operator.only_request()), ["accepted"]);
    assert_eq!(fake.calls().len(), 1);
}

#[test]
fn an_export_cannot_be_cancelled() {
    let fake = obliging(Rules::None);
    let operator = Operator::at(&fake);
    operator.run(&["export", "--gdpr", "user-17"]).exits_with(0);
    for name in [
        operator.only_request()["id"].as_str().unwrap(),
        "task-0",
        "nothing-like-it",
    ] {
        operator.run(&["cancel", name]).exits_with(2);
    }
    operator.run(&["cancel"]).exits_with(2);
    assert_eq!(fake.calls().len(), 1);
}

#[test]
fn what_was_never_sent_is_withdrawn_and_never_sent() {
    let is_open = Arc::new(AtomicBool::new(true));
    let gate = Arc::clone(&is_open);
    let fake = Fake::answering(move |call| match call.method.as_str() {
        "POST" if call.place == 1 && gate.load(Ordering::SeqCst) => Reply::error(401, "expired"),
        "POST" => object_reply(&format!("task-{}", call.place)),
        "DELETE" => no_content(),
        _ => status_reply("REVOKED"),
    });
    let operator = Operator::at_with(&fake, "rate = 1000\ndelete_batch = 1");
    operator
        .run(&["delete", "--gdpr", "--yes", "--id", "a1", "--id", "a2"])
        .exits_with(4);
    let id = id_of_only_request(&operator);
    is_open.store(false, Ordering::SeqCst);
    let outcome = operator.run(&["cancel", &id]);
    outcome.exits_with(0);
    assert_eq!(states(&operator.only_request()), ["revoked", "revoked"]);
    operator.run(&["resume"]).exits_with(0);
    operator.run(&["resume", &id]).exits_with(7);
    assert_eq!(fake.posts().len(), 2, "nothing was sent afterwards");
    // The one task that was named is revoked; nothing else was wanted.
    operator.run(&["cancel", "task-0"]).exits_with(0);
}

#[test]
fn an_unknown_job_cannot_be_cancelled_and_is_said() {
    let fake = Fake::answering_posts(Reply::Reset);
    let operator = Operator::at(&fake);
    operator
        .run(&["delete", "--gdpr", "--yes", "a1"])
        .exits_with(6);
    let posts = fake.posts().len();
    let id = id_of_only_request(&operator);
    operator
        .run(&["cancel", &id])
        .exits_with(6)
        .says("its outcome is unknown");
    assert_eq!(fake.calls().len(), posts, "there is no task to name");
}

#[test]
fn after_a_deletion_the_command_to_cancel_it_is_named() {
    let fake = obliging(Rules::None);
    let operator = Operator::at(&fake);
    let outcome = operator.run(&["delete", "--gdpr", "--yes", "a1"]);
    let id = id_of_only_request(&operator)[..8].to_owned();
    outcome.says(&format!(
        "You can cancel until Mixpanel starts: `dsr cancel {id}`"
    ));
    operator.run(&["cancel", &id]).exits_with(0);
    let outcome = operator.run(&["export", "--gdpr", "a1"]);
    outcome.exits_with(0).never_says("dsr cancel");
}

#[test]
fn a_signal_ends_it_after_the_call_under_way() {
    let fake = fake_where(
        Rules::None,
        |_| Reply::After(Duration::from_millis(700), Box::new(no_content())),
        |_| "REVOKED",
    );
    let (operator, id) = operator_with_jobs(&fake, "rate = 1000", 3);
    let running = operator.start(&["cancel", &id]);
    while fake.calls().len() < 4 {
        std::thread::sleep(Duration::from_millis(5));
    }
    running.signal("INT");
    running.end().exits_with(130).did_not_panic();
    let calls = calls_after_posts(&fake);
    assert!(!calls.contains(&"DELETE task-1/".to_owned()), "{calls:?}");
    assert_eq!(states(&operator.only_request())[1..], ["accepted"; 2]);
}

#[test]
fn a_rehearsed_deletion_can_be_cancelled_until_it_starts() {
    let operator = Operator::new();
    let delete = ["--sandbox", "delete", "--gdpr", "--yes", "user-17"];
    operator.run(&delete).exits_with(0);
    let server = operator.dsr_home().join("sandbox/server/server.db");
    // The sandbox's jobs take seconds, and a busy machine may be slower than that.
    let set_duration = |micros: i64| {
        let sandbox = Connection::open(&server).unwrap();
        let changed = sandbox.execute("UPDATE task SET duration = ?1", [micros]);
        assert_eq!(changed.unwrap(), 1);
    };
    set_duration(3_600_000_000);
    let list = ["--sandbox", "status", "--cached", "--json"];
    let requests = operator.run(&list).json()["requests"].clone();
    let id = requests[0]["id"].as_str().unwrap();
    let outcome = operator.run(&["--sandbox", "cancel", id, "--json"]);
    assert_eq!(states(&outcome.exits_with(0).request()), ["revoked"]);

    let operator = Operator::new();
    operator.run(&delete).exits_with(0);
    let requests = operator.run(&list).json()["requests"].clone();
    let id = requests[0]["id"].as_str().unwrap();
    std::thread::sleep(Duration::from_millis(2100));
    let outcome = operator.run(&["--sandbox", "cancel", id, "--json"]);
    outcome.exits_with(3);
    assert_ne!(states(&outcome.request()), ["revoked"]);
}
