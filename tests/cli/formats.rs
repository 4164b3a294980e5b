//! What scripts rely on: the JSON shapes of results and failures.

use serde_json::Value;

use crate::support::{Fake, Operator, PROJECT_TOKEN, csv_of, people, states};

const REQUEST_KEYS: [&str; 20] = [
    "id",
    "kind",
    "law",
    "disclosure",
    "project",
    "ref",
    "received",
    "due",
    "due_rule",
    "days_left",
    "overdue",
    "last_safe_day",
    "confirm_by",
    "extended",
    "extension",
    "unfetched",
    "created",
    "ids",
    "state",
    "jobs",
];
const JOB_KEYS: [&str; 8] = [
    "id",
    "ids",
    "state",
    "task_id",
    "attempts",
    "mixpanel_status",
    "submitted_at",
    "checked_at",
];

#[track_caller]
fn has_every_key(request: &Value) {
    for key in REQUEST_KEYS {
        assert!(
            request.get(key).is_some(),
            "`{key}` is missing: {request:#}"
        );
    }
    for key in ["read", "unique", "duplicates", "refused"] {
        assert!(request["ids"][key].is_u64(), "`ids.{key}`: {request:#}");
    }
    for job in request["jobs"].as_array().expect("a request has jobs") {
        for key in JOB_KEYS {
            assert!(
                job.get(key).is_some(),
                "`jobs.{key}` is missing: {request:#}"
            );
        }
    }
}

#[track_caller]
fn is_utc(time: &Value) {
    let text = time.as_str().unwrap_or_else(|| panic!("no time: {time}"));
    let parsed = chrono::DateTime::parse_from_rfc3339(text);
    assert!(parsed.is_ok() && text.ends_with('Z'), "{text}");
}

#[test]
fn a_request_has_every_key_it_is_promised_to_have() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    let created = operator
        .run(&["delete", "--gdpr", "--yes", "a1", "--json"])
        .exits_with(0)
        .request();
    let id = created["id"].as_str().unwrap().to_owned();
    let shown = operator
        .run(&["status", &id, "--json"])
        .exits_with(0)
        .request();
    let resumed = operator
        .run(&["resume", &id, "--json"])
        .exits_with(0)
        .request();
    let listed = operator.run(&["status", "--json"]).exits_with(0).json()["requests"][0].clone();
    for request in [created, shown.clone(), resumed, listed] {
        has_every_key(&request);
        assert_eq!(request["id"], id);
        assert_eq!(request["kind"], "delete");
        assert_eq!(request["law"], "gdpr");
        assert_eq!(request["disclosure"], Value::Null);
        is_utc(&request["created"]);
        is_utc(&request["jobs"][0]["submitted_at"]);
    }
    is_utc(&shown["jobs"][0]["checked_at"]);
}

#[test]
fn every_command_prints_exactly_one_object() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    let commands: [&[&str]; 14] = [
        &["export", "--gdpr", "--new", "a1"],
        &["export", "--gdpr", "a1", "--dry-run"],
        &["delete", "--ccpa", "--yes", "--new", "a1"],
        &["delete", "--ccpa", "--dry-run", "a1"],
        &["status"],
        &["status", "--all"],
        &["status", "--cached"],
        &["resume"],
        &["auth", "status"],
        &["project", "list"],
        &["project", "show"],
        &["project", "use", "shop"],
        &["help", "exit-status"],
        &["--sandbox", "status"],
    ];
    for command in commands {
        for verbosity in [
            &["--json"][..],
            &["--json", "-q"],
            &["--json", "--color", "always"],
        ] {
            let outcome = operator.run(&[command, verbosity].concat());
            outcome.exits_with(0).json();
            assert!(outcome.stderr.is_empty(), "{outcome}");
            assert_eq!(outcome.stdout.lines().count(), 1, "on one line\n{outcome}");
        }
    }
    let added = operator.run_with_input(
        &["project", "add", "x", "--region", "eu", "--json"],
        PROJECT_TOKEN,
    );
    added.exits_with(0).json();
    operator
        .run(&["project", "remove", "x", "--json"])
        .exits_with(0)
        .json();
}

#[test]
fn several_projects_shown_are_still_one_object() {
    let operator = Operator::new();
    for name in ["a", "b"] {
        operator
            .run_with_input(&["project", "add", name, "--region", "eu"], PROJECT_TOKEN)
            .exits_with(0);
    }
    operator
        .run(&[
            "project",
            "show",
            "--project",
            "a",
            "--project",
            "b",
            "--json",
        ])
        .exits_with(0)
        .json();
}

#[test]
fn a_completion_script_is_an_object_too() {
    let outcome = Operator::new().run(&["completions", "bash", "--json"]);
    outcome.exits_with(0).json();
}

#[test]
fn every_failure_is_exactly_one_object_on_stderr() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.file("bad.csv", "distinct_id\nnull\n");
    let commands: [(&[&str], i32); 13] = [
        (&["export", "a1"], 2),
        (&["export", "--gdpr"], 2),
        (&["exprot"], 2),
        (&["export", "--gdpr", "--nope", "a1"], 2),
        (&["export", "--gdpr", "missing.csv"], 2),
        (
            &["delete", "--ccpa", "--yes", "a1", "--disclosure", "data"],
            2,
        ),
        (&["delete", "--ccpa", "a1"], 2),
        (&["export", "--gdpr", "bad.csv"], 5),
        (&["export", "--gdpr", "a1", "--expect", "2"], 5),
        (&["status", "nothing-like-it"], 2),
        (&["resume", "nothing-like-it"], 74),
        (&["project", "show", "nope"], 2),
        (&["export", "--gdpr", "a1", "--project", "nope"], 2),
    ];
    for (command, status) in commands {
        let outcome = operator.run(&[command, &["--json"]].concat());
        outcome.exits_with(status).failure();
        assert!(outcome.stdout.is_empty(), "{outcome}");
        let before = operator.run(&[&["--json"], command].concat());
        before.exits_with(status).failure();
    }
    fake.was_not_called();
}

#[test]
fn a_failure_after_sending_leaves_the_result_on_stdout() {
    for (reply, status, kind) in [
        (crate::support::Reply::error(400, "no"), 3, "refused"),
        (crate::support::Reply::error(401, "no"), 4, "not_allowed"),
        (crate::support::Reply::Reset, 6, "unknown_outcome"),
    ] {
        let fake = Fake::answering_posts(reply);
        let operator = Operator::at(&fake);
        let outcome = operator.run(&["delete", "--gdpr", "--yes", "a1", "--json"]);
        outcome.exits_with(status);
        has_every_key(&outcome.request());
        assert_eq!(outcome.failure()["kind"], kind);
    }
}

#[test]
fn a_warning_does_not_break_the_object() {
    let fake = Fake::start();
    let operator = Operator::at(&fake).with("DSR_TOKEN_ISSUED", "2000-01-01");
    let outcome = operator.run(&["status", "--cached", "--json"]);
    outcome.exits_with(0).json();
    assert!(outcome.stderr.is_empty(), "{outcome}");
    let outcome = operator.run(&["export", "--gdpr", "a1", "--json"]);
    outcome.exits_with(4).failure();
}

#[test]
fn a_dry_run_needs_no_token_and_no_network_and_leaves_nothing() {
    let fake = Fake::start();
    let operator = Operator::at(&fake).without("DSR_TOKEN");
    operator.file("ids.csv", csv_of(&people(1234), Some(20)));
    for (kind, jobs) in [("delete", 3), ("export", 1)] {
        let outcome = operator.run(&[kind, "--gdpr", "--dry-run", "ids.csv", "--json"]);
        outcome.exits_with(0);
        let request = outcome.request();
        has_every_key(&request);
        assert_eq!(request["id"], Value::Null);
        assert_eq!(states(&request), vec!["planned"; jobs]);
        assert_eq!(request["ids"]["unique"], 1234);
        let human = operator.run(&[kind, "--gdpr", "--dry-run", "ids.csv"]);
        human.exits_with(0);
        for word in ["1,296", "1,234", "62", "Nothing was sent"] {
            assert!(human.stdout.contains(word), "`{word}`\n{human}");
        }
    }
    fake.was_not_called();
    assert!(!operator.dsr_home().join("ledger.db").exists());
}

#[test]
fn a_dry_run_tells_the_time_it_will_take() {
    let fake = Fake::start();
    let operator = Operator::at_with(&fake, "rate = 0.5");
    operator.file("ids.csv", csv_of(&people(1234), None));
    let request = operator
        .run(&["delete", "--gdpr", "--dry-run", "ids.csv", "--json"])
        .exits_with(0)
        .request();
    let seconds = request["submission_seconds"].as_f64().unwrap();
    assert!((4.0..=6.0).contains(&seconds), "{seconds}");
}

#[test]
fn a_dry_run_for_several_projects_plans_each() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator
        .run_with_input(
            &["project", "add", "app", "--region", "eu"],
            &PROJECT_TOKEN.replace('9', "8"),
        )
        .exits_with(0);
    let args = [
        "export",
        "--gdpr",
        "--dry-run",
        "a1",
        "--project",
        "shop",
        "--project",
        "app",
        "--json",
    ];
    let plan = operator.run(&args).exits_with(0).json();
    let requests = plan["requests"].as_array().unwrap();
    assert_eq!(requests.len(), 2);
    requests.iter().for_each(has_every_key);
}
