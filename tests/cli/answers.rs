//! What each kind of answer to a create leads to: refused, not allowed, not sent, or unknown.

use serde_json::{Value, json};

use crate::support::{
    Call, Fake, NOWHERE, OAUTH_TOKEN, Operator, PROJECT_TOKEN, Reply, csv_of, object_reply, people,
    same_people, states, status_reply,
};

const DELETE: [&str; 4] = ["delete", "--gdpr", "--yes", "ids.csv"];

/// Six people in three jobs of two.
fn operator_with_three_jobs(fake: &Fake) -> (Operator, Vec<String>) {
    let operator = Operator::at_with(fake, "rate = 1000\ndelete_batch = 2\nexport_batch = 2");
    let ids = people(6);
    operator.file("ids.csv", csv_of(&ids, None));
    (operator, ids)
}

fn reason(request: &Value, job: usize) -> String {
    request["jobs"][job]["reason"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn a_token_that_is_turned_away_stops_the_run_and_sends_nothing_more() {
    for (status, word) in [(401, "auth login"), (403, "owner")] {
        for (place, expected) in [
            (0, ["planned", "planned", "planned"]),
            (1, ["accepted", "planned", "planned"]),
        ] {
            let fake = Fake::answering(move |call| match call.place >= place {
                true => Reply::error(status, "no such permission"),
                false => object_reply("t-0"),
            });
            let (operator, _) = operator_with_three_jobs(&fake);
            let outcome = operator.run(&DELETE);
            outcome.exits_with(4).says("no such permission").says(word);
            assert_eq!(fake.posts().len(), place + 1);
            assert_eq!(states(&operator.only_request()), expected, "{outcome}");
        }
    }
}

#[test]
fn a_403_names_everyone_who_may_use_the_api() {
    let fake = Fake::answering_posts(Reply::error(403, "forbidden"));
    let (operator, _) = operator_with_three_jobs(&fake);
    let outcome = operator.run(&DELETE);
    outcome
        .exits_with(4)
        .says("organization")
        .says("project")
        .says("admin");
}

#[test]
fn after_a_new_token_everything_is_sent_once() {
    let fake = Fake::answering(|call| match call.place {
        0 => Reply::error(401, "expired"),
        _ => object_reply(&format!("t-{}", call.place)),
    });
    let (operator, ids) = operator_with_three_jobs(&fake);
    operator.run(&DELETE).exits_with(4);
    operator.run(&["resume"]).exits_with(0);
    let sent: Vec<String> = fake.posts()[1..].iter().flat_map(Call::ids).collect();
    same_people(&sent, &ids);
}

#[test]
fn a_refused_job_is_told_with_its_reason_and_the_rest_goes_through() {
    for status in [400, 404, 405, 422] {
        let fake = Fake::answering_post(1, Reply::error(status, "unprocessable widget"));
        let (operator, ids) = operator_with_three_jobs(&fake);
        let outcome = operator.run(&[&DELETE[..], &["--json"]].concat());
        outcome.exits_with(3);
        let request = outcome.request();
        assert_eq!(states(&request), ["accepted", "refused", "accepted"]);
        assert!(
            reason(&request, 1).contains("unprocessable widget"),
            "{outcome}"
        );
        assert_eq!(request["ids"]["refused"], 2);
        assert_eq!(outcome.failure()["kind"], "refused");
        same_people(&fake.posted_ids(), &ids);
        operator.run(&["resume"]);
        assert_eq!(fake.posts().len(), 3, "refused is not retried");
    }
}

#[test]
fn an_error_inside_a_200_is_a_refusal() {
    let fake = Fake::answering_post(0, Reply::error(200, "no such project"));
    let (operator, _) = operator_with_three_jobs(&fake);
    operator.run(&DELETE).exits_with(3);
    assert_eq!(
        states(&operator.only_request()),
        ["refused", "accepted", "accepted"]
    );
}

#[test]
fn errors_of_every_shape_are_told() {
    let bodies = [
        json!({ "status": "error", "error": "odd widget" }),
        json!({ "status": "error", "error": ["odd widget"] }),
        json!({ "status": "error", "error": { "error": "odd widget" } }),
        json!({ "error": { "message": "odd widget" } }),
    ];
    for body in bodies {
        let fake = Fake::answering_posts(Reply::json(400, &body));
        let operator = Operator::at(&fake);
        let outcome = operator.run(&["delete", "--gdpr", "--yes", "user-17"]);
        outcome.exits_with(3);
        let shown = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(shown.contains("odd widget"), "{body}\n{outcome}");
    }
    for body in [
        json!({ "status": "error" }),
        json!({ "status": "error", "error": "" }),
        json!([]),
        json!(null),
    ] {
        let fake = Fake::answering_posts(Reply::json(400, &body));
        let operator = Operator::at(&fake);
        operator
            .run(&["delete", "--gdpr", "--yes", "user-17"])
            .exits_with(3)
            .did_not_panic();
    }
}

#[test]
fn a_conflict_is_refused_and_names_the_task() {
    let ids = people(6);
    let body = json!({ "status": "error", "error": {
        "conflicting_distinct_ids": [ids[2]],
        "conflicting_task_ids": ["0c0ffee0-1111-4222-8333-444444444444"],
        "error": "some ids are in an active deletion",
    }});
    let fake = Fake::answering_post(1, Reply::json(409, &body));
    let (operator, ids) = operator_with_three_jobs(&fake);
    let outcome = operator.run(&[&DELETE[..], &["--json"]].concat());
    outcome.exits_with(3);
    outcome.never_says(&ids[2]);
    let request = outcome.request();
    assert_eq!(states(&request), ["accepted", "refused", "accepted"]);
    assert!(
        reason(&request, 1).contains("0c0ffee0-1111-4222-8333-444444444444"),
        "{outcome}"
    );
}

#[test]
fn too_many_ids_are_refused_with_the_way_out() {
    for (status, text) in [
        (413, "payload too large"),
        (400, "too many distinct_ids: at most 100"),
    ] {
        let fake = Fake::answering_posts(Reply::error(status, text));
        let (operator, _) = operator_with_three_jobs(&fake);
        let outcome = operator.run(&DELETE);
        outcome.exits_with(3);
        assert_eq!(
            states(&operator.only_request()),
            ["refused"; 3],
            "{outcome}"
        );
    }
}

/// Answers after which nobody knows whether the task was created.
fn unclear_answers(elsewhere: &str) -> Vec<(&'static str, Reply)> {
    let redirect = |status| {
        object_reply("moved")
            .with("Location", elsewhere)
            .of_status(status)
    };
    vec![
        (
            "HTML 200",
            Reply::text(
                200,
                "text/html",
                "<!doctype html><html><body>Sign in</body></html>",
            ),
        ),
        (
            "HTML 201",
            Reply::text(201, "text/html", "  \n<html></html>"),
        ),
        (
            "HTML 403",
            Reply::text(403, "text/html", "<html>blocked</html>"),
        ),
        ("500", Reply::error(500, "boom")),
        (
            "502",
            Reply::text(502, "text/html", "<html>bad gateway</html>"),
        ),
        ("503", Reply::error(503, "later").with("Retry-After", "1")),
        ("504", Reply::text(504, "text/plain", "")),
        ("408", Reply::error(408, "timeout")),
        ("301", redirect(301)),
        ("302", redirect(302)),
        ("303", redirect(303)),
        ("307", redirect(307)),
        ("308", redirect(308)),
        (
            "truncated 201",
            Reply::Half {
                status: 201,
                body: r#"{"status":"ok","results":{"task_id":"t-9"}}"#.to_owned(),
            },
        ),
        (
            "half a 201",
            Reply::Half {
                status: 201,
                body: r#"{"status":"ok","resu"#.to_owned(),
            },
        ),
        (
            "broken JSON",
            Reply::text(
                201,
                "application/json",
                r#"{"status":"ok","results":{"task_id":"t-9"#,
            ),
        ),
        (
            "no id",
            Reply::json(201, &json!({ "status": "ok", "results": {} })),
        ),
        (
            "an empty list",
            Reply::json(201, &json!({ "status": "ok", "results": [] })),
        ),
        (
            "an empty id",
            Reply::json(
                201,
                &json!({ "status": "ok", "results": { "task_id": "" } }),
            ),
        ),
        (
            "a null id",
            Reply::json(
                201,
                &json!({ "status": "ok", "results": { "task_id": null } }),
            ),
        ),
        ("an empty 201", Reply::text(201, "application/json", "")),
        (
            "a reply without end",
            Reply::text(201, "application/json", &"[".repeat(9 * 1024 * 1024)),
        ),
        ("reset", Reply::Reset),
        ("closed", Reply::Close),
    ]
}

#[test]
fn an_unclear_answer_is_not_sent_again() {
    let elsewhere = Fake::start();
    let location = format!("{}/data-deletions/v3.0/", elsewhere.url());
    for (name, reply) in unclear_answers(&location) {
        for kind in ["delete", "export"] {
            let fake = Fake::answering_post(1, reply.clone());
            let (operator, ids) = operator_with_three_jobs(&fake);
            let mut args = vec![kind, "--gdpr", "ids.csv"];
            args.extend((kind == "delete").then_some("--yes"));
            let outcome = operator.run(&args);
            assert_eq!(outcome.status, Some(6), "{name}\n{outcome}");
            outcome.says("unknown").says("dsr ");
            assert_eq!(
                states(&operator.only_request()),
                ["accepted", "unknown", "accepted"],
                "{name}"
            );
            same_people(&fake.posted_ids(), &ids);
        }
    }
    elsewhere.was_not_called();
}

#[test]
fn an_unclear_answer_is_not_sent_again_by_resume() {
    for reply in [Reply::error(500, "boom"), Reply::Reset] {
        let fake = Fake::answering_post(1, reply);
        let (operator, ids) = operator_with_three_jobs(&fake);
        operator.run(&DELETE).exits_with(6);
        operator.run(&["resume"]).exits_with(6);
        operator.run(&["resume", "--json"]).exits_with(6);
        same_people(&fake.posted_ids(), &ids);
    }
}

#[test]
fn three_5xx_in_a_row_stop_the_run() {
    let fake = Fake::answering_posts(Reply::error(503, "down"));
    let operator = Operator::at_with(&fake, "rate = 1000\ndelete_batch = 1");
    operator.file("ids.csv", csv_of(&people(6), None));
    operator.run(&DELETE).exits_with(6);
    assert_eq!(fake.posts().len(), 3);
    let expected = [
        "unknown", "unknown", "unknown", "planned", "planned", "planned",
    ];
    assert_eq!(states(&operator.only_request()), expected);
}

#[test]
fn a_connection_that_cannot_be_made_leaves_everything_planned() {
    let fake = Fake::start();
    let (operator, ids) = operator_with_three_jobs(&fake);
    let operator = operator.with("DSR_API_URL", NOWHERE);
    let outcome = operator.run(&[&DELETE[..], &["-vvv"]].concat());
    outcome.exits_with(75).says("dsr resume");
    outcome.never_says(OAUTH_TOKEN).never_says(PROJECT_TOKEN);
    assert_eq!(
        states(&operator.only_request()),
        ["planned"; 3],
        "{outcome}"
    );
    let operator = operator.with("DSR_API_URL", &fake.url());
    operator.run(&["resume"]).exits_with(0);
    same_people(&fake.posted_ids(), &ids);
}

#[test]
fn a_redirected_question_is_not_followed() {
    let elsewhere = Fake::start();
    let location = format!("{}/data-deletions/v3.0/t-1/", elsewhere.url());
    let fake = Fake::answering(move |call| match call.is_post() {
        true => object_reply("t-1"),
        false => status_reply("SUCCESS")
            .with("Location", &location)
            .of_status(302),
    });
    let operator = Operator::at(&fake);
    operator
        .run(&["delete", "--gdpr", "--yes", "user-17"])
        .exits_with(0);
    operator.run(&["status"]).exits_with(75);
    elsewhere.was_not_called();
    assert_eq!(states(&operator.only_request()), ["accepted"]);
}

#[test]
fn an_unknown_outcome_beats_a_refusal_in_the_exit_status() {
    let fake = Fake::answering(|call| match call.place {
        0 => Reply::error(400, "no"),
        1 => Reply::error(500, "boom"),
        _ => Reply::error(401, "no"),
    });
    let (operator, _) = operator_with_three_jobs(&fake);
    operator.run(&DELETE).exits_with(6);
    assert_eq!(
        states(&operator.only_request()),
        ["refused", "unknown", "planned"]
    );
}

#[test]
fn a_project_that_is_turned_away_does_not_stop_another_one() {
    let fake = Fake::answering(|call| match call.query.contains("0000") {
        true => Reply::error(403, "not yours"),
        false => object_reply(&format!("t-{}", call.place)),
    });
    let (operator, ids) = operator_with_three_jobs(&fake);
    let text = std::fs::read_to_string(operator.config_path()).unwrap();
    let other = "[projects.app]\ntoken = \"00000000000000000000000000000001\"\nregion = \"us\"\nrate = 1000\n";
    operator.write_config(&format!("{text}{other}"));
    let args = [&DELETE[..], &["--project", "app", "--project", "shop"]].concat();
    operator.run(&args).exits_with(4);
    let sent = fake
        .posts()
        .into_iter()
        .filter(|post| !post.query.contains("0000"));
    let sent: Vec<String> = sent.flat_map(|post| post.ids()).collect();
    same_people(&sent, &ids);
}
