//! The main job: every id is sent exactly once, in the documented form.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use crate::support::{
    Call, Fake, OAUTH_TOKEN, Operator, PROJECT_TOKEN, csv_of, people, same_people, states,
};

const SECOND: Duration = Duration::from_secs(1);

fn sizes(posts: &[Call]) -> Vec<usize> {
    posts.iter().map(|post| post.ids().len()).collect()
}

#[track_caller]
fn is_a_documented_create(post: &Call, path: &str) {
    assert_eq!(post.path, path);
    assert_eq!(post.query, format!("token={PROJECT_TOKEN}"));
    let bearer = format!("Bearer {OAUTH_TOKEN}");
    assert_eq!(post.header("authorization"), Some(bearer.as_str()));
    let content_type = post.header("content-type").unwrap_or_default();
    assert!(
        content_type.starts_with("application/json"),
        "{content_type}"
    );
}

#[test]
fn a_dry_run_names_the_open_request_that_may_keep_it_from_being_sent() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator
        .run(&["delete", "--gdpr", "--yes", "user-17"])
        .exits_with(0);
    let id = operator.only_request()["id"].as_str().unwrap()[..8].to_owned();
    let plan = |id: &str| operator.run(&["delete", "--gdpr", "--dry-run", "--id", id]);
    plan("user-17")
        .exits_with(0)
        .says(&format!("Request {id} is open"))
        .says("--new");
    let other = operator.run(&["delete", "--ccpa", "--dry-run", "user-17"]);
    other.exits_with(0).never_says("is open");
}

#[test]
fn a_deletion_of_1234_people_is_three_posts_a_second_apart() {
    let fake = Fake::start();
    let operator = Operator::at_with(&fake, "");
    let ids = people(1234);
    operator.file("ids.csv", csv_of(&ids, Some(20)));

    let outcome = operator.run(&["delete", "--gdpr", "--yes", "ids.csv", "--json"]);
    outcome.exits_with(0);

    let posts = fake.posts();
    assert_eq!(sizes(&posts), [500, 500, 234]);
    same_people(&fake.posted_ids(), &ids);
    for post in &posts {
        is_a_documented_create(post, "/api/app/data-deletions/v3.0/");
        assert_eq!(post.body["compliance_type"], "GDPR");
        assert_eq!(post.body.get("disclosure_type"), None);
        let keys: Vec<_> = post.body.as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys.len(), 2, "nothing beside ids and law: {keys:?}");
    }
    assert!(fake.shortest_gap() >= SECOND, "{:?}", fake.shortest_gap());
    let request = outcome.request();
    assert_eq!(
        request["ids"],
        json!({ "read": 1296, "unique": 1234, "duplicates": 62, "excluded": 0, "refused": 0 })
    );
    assert_eq!(states(&request), ["accepted"; 3]);
}

#[test]
fn an_export_of_1234_people_is_one_post() {
    let fake = Fake::start();
    let operator = Operator::at_with(&fake, "");
    let ids = people(1234);
    operator.file("ids.csv", csv_of(&ids, Some(20)));

    let outcome = operator.run(&["export", "--gdpr", "ids.csv", "--json"]);
    outcome.exits_with(0);

    let posts = fake.posts();
    assert_eq!(sizes(&posts), [1234]);
    same_people(&fake.posted_ids(), &ids);
    is_a_documented_create(&posts[0], "/api/app/data-retrievals/v3.0/");
    assert_eq!(posts[0].body["compliance_type"], "GDPR");
    assert_eq!(posts[0].body.get("disclosure_type"), None);
    assert_eq!(fake.calls().len(), 1, "nothing else was asked");
}

#[test]
fn ids_go_out_byte_for_byte_in_their_first_order() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    let ids: Vec<String> = [
        "Ann@x.test",
        "ann@x.test",
        "ｗｉｄｅ",
        "e\u{301}",
        "\u{e9}",
        "007",
        "a,b;c",
        "\\u0041",
    ]
    .map(str::to_owned)
    .to_vec();
    operator.file("ids.csv", csv_of(&ids, None));
    // Some of the ids have an unusual form.
    let args = ["export", "--gdpr", "ids.csv", "--expect-pattern", ".*"];
    operator.run(&args).exits_with(0);
    assert_eq!(fake.posted_ids(), ids);
}

#[test]
fn a_ccpa_export_says_what_it_discloses() {
    let cases = [
        (None, "Data"),
        (Some("data"), "Data"),
        (Some("categories"), "Categories"),
        (Some("sources"), "Sources"),
    ];
    for (flag, sent) in cases {
        let fake = Fake::start();
        let operator = Operator::at(&fake);
        let mut args = vec!["export", "--ccpa", "user-17", "--json"];
        if let Some(flag) = flag {
            args.extend(["--disclosure", flag]);
        }
        let outcome = operator.run(&args);
        outcome.exits_with(0);
        let posts = fake.posts();
        assert_eq!(posts.len(), 1);
        assert_eq!(posts[0].body["compliance_type"], "CCPA");
        assert_eq!(posts[0].body["disclosure_type"], sent);
        let request = outcome.request();
        assert_eq!(request["law"], "ccpa");
        assert_eq!(request["disclosure"], sent.to_lowercase());
    }
}

#[test]
fn a_ccpa_deletion_discloses_nothing() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator
        .run(&["delete", "--ccpa", "--yes", "user-17"])
        .exits_with(0);
    let posts = fake.posts();
    assert_eq!(
        posts[0].body,
        json!({ "distinct_ids": ["user-17"], "compliance_type": "CCPA" })
    );
}

#[test]
fn a_disclosure_on_a_deletion_is_explained_and_nothing_is_sent() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    for flag in [
        &["--disclosure", "data"][..],
        &["--disclosure=sources"],
        &["--disclosure"],
    ] {
        let mut args = vec!["delete", "--ccpa", "--yes", "user-17"];
        args.extend(flag);
        let outcome = operator.run(&args);
        outcome.exits_with(2).says("disclos").says("export");
    }
    fake.was_not_called();
    assert!(operator.requests().is_empty());
}

#[test]
fn a_disclosure_under_the_gdpr_is_an_error() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator
        .run(&["export", "--gdpr", "--disclosure", "data", "user-17"])
        .exits_with(2)
        .says("CCPA");
    fake.was_not_called();
}

#[test]
fn there_is_no_default_law_and_never_two() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator
        .run(&["export", "user-17"])
        .exits_with(2)
        .says("--gdpr");
    operator
        .run(&["delete", "--yes", "user-17"])
        .exits_with(2)
        .says("--gdpr");
    operator
        .run(&["export", "--gdpr", "--ccpa", "user-17"])
        .exits_with(2);
    fake.was_not_called();
}

#[test]
fn an_integer_task_id_is_kept_digit_for_digit() {
    let body =
        r#"{"status":"ok","results":[{"tracking_id":1600000000000000001,"status":"PENDING"}]}"#;
    let fake = Fake::answering(move |call| match call.is_post() {
        true => crate::support::Reply::text(201, "application/json", body),
        false => crate::support::status_reply("STARTED"),
    });
    let operator = Operator::at(&fake);
    let outcome = operator.run(&["delete", "--gdpr", "--yes", "user-17", "--json"]);
    outcome.exits_with(0);
    assert_eq!(
        outcome.request()["jobs"][0]["task_id"],
        "1600000000000000001"
    );
    operator
        .run(&["status", "1600000000000000001"])
        .exits_with(0);
    let gets = fake.gets();
    assert_eq!(gets.len(), 1);
    assert_eq!(
        gets[0].path,
        "/api/app/data-deletions/v3.0/1600000000000000001/"
    );
}

#[test]
fn every_documented_reply_to_a_create_is_understood() {
    let bodies = [
        (r#"{"status":"ok","results":{"task_id":"t-1"}}"#, 201),
        (
            r#"{"status":"ok","results":{"tracking_id":"t-1","task_id":"other"}}"#,
            201,
        ),
        (
            r#"{"status":"ok","results":[{"tracking_id":"t-1","status":"PENDING","compliance_type":"gdpr","destination_url":null,"distinct_id_count":2}]}"#,
            200,
        ),
        (r#"{"status":"ok","task_id":"t-1"}"#, 201),
        (
            r#"{"results":{"id":77,"tracking_id":"t-1","distinct_ids":["user-17"]},"status":"ok"}"#,
            201,
        ),
    ];
    for (body, status) in bodies {
        let fake = Fake::answering_posts(crate::support::Reply::text(
            status,
            "application/json",
            body,
        ));
        let operator = Operator::at(&fake);
        let outcome = operator.run(&["export", "--gdpr", "user-17", "--json"]);
        outcome.exits_with(0);
        assert_eq!(outcome.request()["jobs"][0]["task_id"], "t-1", "{body}");
    }
}

#[test]
fn jobs_that_were_all_given_the_same_task_are_unknown_and_never_done() {
    // A mock server made from the OpenAPI file gives each task the same example id.
    let fake = Fake::answering(|call| match call.is_post() {
        true => crate::support::object_reply("7d2c2f0e-1111-4222-8333-944444444444"),
        false => crate::support::status_reply("SUCCESS"),
    });
    let operator = Operator::at(&fake);
    let ids = people(1234);
    operator.file("ids.csv", csv_of(&ids, None));
    let outcome = operator.run(&["delete", "--gdpr", "--yes", "ids.csv", "--wait", "--json"]);
    outcome.exits_with(6);
    let last = outcome.json_lines().pop().unwrap();
    assert_eq!(states(&last["request"]), ["unknown"; 3]);
    let posted: BTreeSet<String> = fake.posted_ids().into_iter().collect();
    assert_eq!(posted, ids.into_iter().collect());
    operator
        .run(&["status", "7d2c2f0e-1111-4222-8333-944444444444", "--cached"])
        .exits_with(0);
}

#[test]
fn ticket_and_day_of_receipt_are_recorded() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    let args = [
        "delete",
        "--gdpr",
        "--yes",
        "user-17",
        "--ref",
        "T-77",
        "--received",
        "2026-01-31",
        "--json",
    ];
    let request = operator.run(&args).exits_with(0).request();
    assert_eq!(request["ref"], "T-77");
    assert_eq!(request["received"], "2026-01-31");
    assert_eq!(
        request["due"], "2026-03-02",
        "a month later, moved off the weekend"
    );
    operator
        .run(&["export", "--gdpr", "user-17", "--received", "2999-01-01"])
        .exits_with(2);
    assert_eq!(fake.posts().len(), 1);
}

#[test]
fn a_region_without_an_address_reaches_no_other_host() {
    // The only way out of the sealed environment is a proxy that does not exist.
    let operator = Operator::new().with("DSR_TOKEN", OAUTH_TOKEN);
    operator.write_config(&format!(
        "[projects.shop]\ntoken = \"{PROJECT_TOKEN}\"\nregion = \"eu\"\n"
    ));
    let shown = operator
        .run(&["project", "show", "--json"])
        .exits_with(0)
        .json();
    assert_eq!(
        shown["project"]["api_url"],
        "https://eu.mixpanel.com/api/app"
    );
}
