//! `dsr status`: only what Mixpanel says moves the jobs.

use serde_json::{Value, json};

use crate::support::{Fake, NOWHERE, Operator, Reply, at_once, object_reply, states, status_reply};

fn saying(statuses: &'static [&'static str]) -> Fake {
    Fake::answering(move |call| match call.is_post() {
        true => object_reply(&format!("task-{}", call.place)),
        false => status_reply(statuses[call.place.min(statuses.len() - 1)]),
    })
}

fn operator_with_a_deletion(fake: &Fake) -> Operator {
    let operator = Operator::at(fake);
    operator
        .run(&["delete", "--gdpr", "--yes", "user-17"])
        .exits_with(0);
    operator
}

fn job(operator: &Operator) -> Value {
    operator.only_request()["jobs"][0].clone()
}

#[test]
fn a_job_moves_as_mixpanel_says() {
    let fake = saying(&["PENDING", "STARTED", "SUCCESS"]);
    let operator = operator_with_a_deletion(&fake);
    for (status, state) in [
        ("PENDING", "accepted"),
        ("STARTED", "running"),
        ("SUCCESS", "done"),
    ] {
        operator.run(&["status", "--refresh"]).exits_with(0);
        let job = job(&operator);
        assert_eq!(
            (&job["state"], &job["mixpanel_status"]),
            (&json!(state), &json!(status))
        );
        assert!(job["checked_at"].as_str().unwrap().ends_with('Z'));
    }
    operator.run(&["status", "--refresh"]).exits_with(0);
    assert_eq!(fake.gets().len(), 3, "what is done is not asked about");
    assert_eq!(fake.posts().len(), 1);
}

#[test]
fn the_documented_address_is_asked() {
    let fake = saying(&["PENDING"]);
    let operator = operator_with_a_deletion(&fake);
    operator.run(&["export", "--gdpr", "user-17"]).exits_with(0);
    operator.run(&["status"]).exits_with(0);
    let mut paths: Vec<String> = fake
        .gets()
        .iter()
        .map(|get| format!("{}?{}", get.path, get.query))
        .collect();
    paths.sort();
    assert_eq!(
        paths,
        [
            "/api/app/data-deletions/v3.0/task-0/?token=9f2c41d07ab35e6680cc17d4e2b1a95f",
            "/api/app/data-retrievals/v3.0/task-1/?token=9f2c41d07ab35e6680cc17d4e2b1a95f",
        ]
    );
    assert!(
        fake.gets()[0]
            .header("authorization")
            .unwrap()
            .starts_with("Bearer ")
    );
}

#[test]
fn an_odd_task_id_is_encoded_in_the_address() {
    let fake = Fake::answering(|call| match call.is_post() {
        true => object_reply("../a b?c#d"),
        false => status_reply("PENDING"),
    });
    let operator = operator_with_a_deletion(&fake);
    operator.run(&["status"]).exits_with(0);
    assert_eq!(
        fake.gets()[0].path,
        "/api/app/data-deletions/v3.0/..%2Fa%20b%3Fc%23d/"
    );
}

#[test]
fn final_words_of_mixpanel_are_final_states() {
    for (status, state) in [
        ("SUCCESS", "done"),
        ("success", "done"),
        ("FAILURE", "failed"),
        ("REVOKED", "revoked"),
    ] {
        let statuses: &'static [&'static str] = Box::leak(Box::new([status]));
        let fake = saying(statuses);
        let operator = operator_with_a_deletion(&fake);
        operator.run(&["status"]);
        assert_eq!(job(&operator)["state"], state, "{status}");
        assert_eq!(operator.only_request()["state"], state);
        operator.run(&["status", "--refresh"]);
        assert_eq!(fake.gets().len(), 1, "{status} is final");
    }
}

#[test]
fn words_that_nobody_knows_are_kept_and_followed() {
    for status in ["Half Done", "UNKNOWN", "STAGING"] {
        let statuses: &'static [&'static str] = Box::leak(Box::new([status]));
        let fake = saying(statuses);
        let operator = operator_with_a_deletion(&fake);
        operator.run(&["status"]).exits_with(0);
        operator.run(&["status", "--refresh"]).exits_with(0);
        let job = job(&operator);
        assert_eq!(
            (&job["state"], &job["mixpanel_status"]),
            (&json!("accepted"), &json!(status))
        );
        assert_eq!(fake.gets().len(), 2);
    }
}

#[test]
fn a_task_that_is_not_found_is_asked_about_again() {
    let fake = saying(&["NOT_FOUND", "STARTED"]);
    let operator = operator_with_a_deletion(&fake);
    operator.run(&["status"]).exits_with(0);
    assert_eq!(fake.gets().len(), 2);
    assert_eq!(job(&operator)["state"], "running");

    for answer in [status_reply("NOT_FOUND"), Reply::error(404, "no such task")] {
        let fake = Fake::answering(move |call| match call.is_post() {
            true => object_reply("t-1"),
            false => answer.clone(),
        });
        let operator = operator_with_a_deletion(&fake);
        operator.run(&["status"]);
        assert!(fake.gets().len() >= 2, "not said on one answer alone");
        let job = job(&operator);
        assert_eq!(
            (&job["state"], &job["mixpanel_status"]),
            (&json!("accepted"), &json!("NOT_FOUND"))
        );
        let asked = fake.gets().len();
        operator.run(&["status", "--refresh"]);
        assert!(fake.gets().len() > asked, "it may turn up yet");
    }
}

#[test]
fn cached_asks_nobody_and_needs_no_token() {
    let fake = saying(&["SUCCESS"]);
    let operator = operator_with_a_deletion(&fake).without("DSR_TOKEN");
    let id = operator.only_request()["id"].as_str().unwrap().to_owned();
    for args in [
        &["status", "--cached"][..],
        &["status", "--cached", "--all"],
        &["status", &id, "--cached", "--json"],
    ] {
        operator.run(args).exits_with(0);
    }
    assert!(fake.gets().is_empty());
    assert_eq!(job(&operator)["state"], "accepted");
}

#[test]
fn a_request_is_found_by_its_beginning_and_by_its_task() {
    let fake = saying(&["PENDING"]);
    let operator = operator_with_a_deletion(&fake);
    let id = operator.only_request()["id"].as_str().unwrap().to_owned();
    for name in [id.as_str(), &id[..8], &id[..4], "task-0"] {
        let outcome = operator.run(&["status", name, "--cached", "--json"]);
        assert_eq!(outcome.exits_with(0).request()["id"], id);
    }
    operator
        .run(&["status", "nothing-like-it", "--cached"])
        .exits_with(2)
        .says("nothing-like-it");
    operator.run(&["status", "", "--cached"]).exits_with(2);
    operator.run(&["status", "%", "--cached"]).exits_with(2);
    operator.run(&["status", "_", "--cached"]).exits_with(2);
    assert!(fake.gets().is_empty());
}

#[test]
fn a_server_that_cannot_be_reached_leaves_what_the_ledger_knows() {
    let fake = saying(&["STARTED"]);
    let operator = operator_with_a_deletion(&fake);
    operator.run(&["status"]).exits_with(0);
    let operator = operator.with("DSR_API_URL", NOWHERE);
    let outcome = operator.run(&["status", "--refresh", "--json"]);
    outcome.exits_with(75);
    assert_eq!(states(&outcome.json()["requests"][0]), ["running"]);
    assert_eq!(outcome.failure()["kind"], "temporary");
    assert_eq!(job(&operator)["state"], "running");
}

#[test]
fn answers_that_say_nothing_move_nothing() {
    let replies = [
        Reply::text(200, "text/html", "<html>SUCCESS</html>"),
        Reply::error(500, "SUCCESS"),
        Reply::json(200, &json!({ "status": "ok", "results": {} })),
        Reply::json(
            200,
            &json!({ "status": "error", "error": "x", "results": { "status": "SUCCESS" } }),
        ),
        Reply::Half {
            status: 200,
            body: r#"{"status":"ok","results":{"status":"SUCCESS"}}"#.to_owned(),
        },
        Reply::Reset,
    ];
    at_once(replies, |reply| {
        let fake = Fake::answering(move |call| match call.is_post() {
            true => object_reply("t-1"),
            false => reply.clone(),
        });
        let operator = operator_with_a_deletion(&fake);
        let outcome = operator.run(&["status"]);
        outcome.exits_with(75).did_not_panic();
        assert_eq!(job(&operator)["state"], "accepted", "{outcome}");
        assert!(fake.gets().len() <= 5, "asked within reason");
    });
}

#[test]
fn a_token_that_is_turned_away_while_asking_is_status_4() {
    let fake = Fake::answering(|call| match call.is_post() {
        true => object_reply("t-1"),
        false => Reply::error(401, "expired"),
    });
    let operator = operator_with_a_deletion(&fake);
    let outcome = operator.run(&["status"]);
    outcome.exits_with(4).says("put it into DSR_TOKEN");
    assert!(outcome.stdout.contains("accepted"), "{outcome}");
    assert_eq!(fake.gets().len(), 1);
}

#[test]
fn open_requests_are_listed_newest_first() {
    let fake = Fake::answering(|call| match call.is_post() {
        true => object_reply(&format!("task-{}", call.place)),
        false => status_reply(if call.task() == "task-0" {
            "SUCCESS"
        } else {
            "PENDING"
        }),
    });
    let operator = Operator::at(&fake);
    for reference in ["first", "second", "third"] {
        operator
            .run(&["export", "--gdpr", "--new", "a1", "--ref", reference])
            .exits_with(0);
    }
    let references = |args: &[&str]| -> Vec<String> {
        let list = operator.run(args).exits_with(0).json();
        let requests = list["requests"].as_array().unwrap().clone();
        requests
            .iter()
            .map(|request| request["ref"].as_str().unwrap().to_owned())
            .collect()
    };
    // A request that has just ended is shown once more; from then on it is closed.
    operator.run(&["status", "--json"]).exits_with(0);
    assert_eq!(references(&["status", "--json"]), ["third", "second"]);
    assert_eq!(
        references(&["status", "--json", "--all"]),
        ["third", "second", "first"]
    );
    let other = ["status", "--all", "--project", "other"];
    operator.run(&other).exits_with(2).says("no project");
}
