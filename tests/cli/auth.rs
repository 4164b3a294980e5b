//! The OAuth token: where it comes from, how long it is good for, and what happens then.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Months, NaiveDate, Utc};

use crate::support::{Fake, OAUTH_TOKEN, Operator, Outcome};

fn today() -> NaiveDate {
    DateTime::<Utc>::from(SystemTime::now()).date_naive()
}

fn made_with_days_left(days: i64) -> String {
    let expires = today() + chrono::TimeDelta::days(days);
    let made = expires
        .checked_sub_months(Months::new(12))
        .expect("a day a year ago");
    made.to_string()
}

/// Whether the run warned of the token's end, on stderr or in the JSON result.
fn warns(outcome: &Outcome) -> bool {
    outcome.stderr.contains("expire") || outcome.stdout.contains("\"token_expiry\"")
}

#[test]
fn auth_status_says_where_the_token_is_from_and_how_long_it_is_good_for() {
    let made = made_with_days_left(100);
    let operator = Operator::new()
        .with("DSR_TOKEN", OAUTH_TOKEN)
        .with("DSR_TOKEN_ISSUED", &made);
    let outcome = operator.run(&["auth", "status", "--json"]);
    outcome.exits_with(0).never_says(OAUTH_TOKEN);
    let token = &outcome.json()["token"];
    assert_eq!(token["source"], "environment");
    assert_eq!(token["issued"], made);
    assert_eq!(token["expired"], false);
    let days = token["days_left"].as_i64().unwrap();
    assert!((98..=101).contains(&days), "{outcome}");
    let fingerprint = token["fingerprint"].as_str().unwrap();
    assert!(fingerprint.len() >= 8 && !OAUTH_TOKEN.contains(fingerprint));
    assert!(token["expires"].is_string());
}

#[test]
fn a_token_file_serves_and_its_line_end_is_no_part_of_the_token() {
    let fake = Fake::start();
    for ending in ["", "\n", "\r\n"] {
        let operator = Operator::at(&fake).without("DSR_TOKEN");
        let path = operator.private_file("token", format!("{OAUTH_TOKEN}{ending}"));
        let operator = operator.with("DSR_TOKEN_FILE", &path);
        operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
        let status = operator
            .run(&["auth", "status", "--json"])
            .exits_with(0)
            .json();
        assert_eq!(status["token"]["source"], "token_file");
    }
    let bearer = format!("Bearer {OAUTH_TOKEN}");
    for post in fake.posts() {
        assert_eq!(post.header("authorization"), Some(bearer.as_str()));
    }
}

#[test]
fn tokens_that_cannot_be_used_are_status_4_and_nothing_is_sent() {
    let fake = Fake::start();
    let cases: [&[(&str, &str)]; 6] = [
        &[
            ("DSR_TOKEN", OAUTH_TOKEN),
            ("DSR_TOKEN_FILE", "/nowhere/token"),
        ],
        &[("DSR_TOKEN_FILE", "/nowhere/token")],
        &[("DSR_TOKEN", "two words SECRET")],
        &[("DSR_TOKEN", "line\nbreak: SECRET")],
        &[("DSR_TOKEN", "   ")],
        &[
            ("DSR_TOKEN", OAUTH_TOKEN),
            ("DSR_TOKEN_ISSUED", "last spring"),
        ],
    ];
    for variables in cases {
        let mut operator = Operator::at(&fake).without("DSR_TOKEN");
        for (name, value) in variables {
            operator = operator.with(name, value);
        }
        let outcome = operator.run(&["delete", "--gdpr", "--yes", "a1"]);
        outcome.exits_with(4).says("DSR_TOKEN").never_says("SECRET");
        assert!(operator.requests().is_empty(), "{outcome}");
    }
    fake.was_not_called();
}

#[test]
fn a_token_that_ends_within_30_days_is_warned_of_on_every_command() {
    let fake = Fake::start();
    let operator = Operator::at(&fake).with("DSR_TOKEN_ISSUED", &made_with_days_left(20));
    let commands: [&[&str]; 9] = [
        &["export", "--gdpr", "a1"],
        &["delete", "--gdpr", "--yes", "a1"],
        &["export", "--gdpr", "a1", "--dry-run"],
        &["status"],
        &["status", "--cached"],
        &["status", "--cached", "--json"],
        &["resume"],
        &["auth", "status"],
        &["project", "list"],
    ];
    for command in commands {
        let outcome = operator.run(command);
        outcome.exits_with(0);
        assert!(warns(&outcome), "{outcome}");
        let quiet = operator.run(&[command, &["-q"]].concat());
        assert!(warns(&quiet), "even when quiet\n{quiet}");
    }
    let operator = operator.with("DSR_TOKEN_ISSUED", &made_with_days_left(60));
    for command in commands {
        let outcome = operator.run(command);
        let silent = outcome.stdout.replace("Expires", "");
        assert!(
            !warns(&Outcome {
                stdout: silent,
                ..outcome.clone()
            }),
            "{outcome}"
        );
    }
}

#[test]
fn an_expired_token_sends_nothing() {
    let fake = Fake::start();
    let operator = Operator::at(&fake).with("DSR_TOKEN_ISSUED", &made_with_days_left(-3));
    let status = operator.run(&["auth", "status", "--json"]);
    status.exits_with(4);
    assert_eq!(status.json()["token"]["expired"], true);
    for command in [
        &["delete", "--gdpr", "--yes", "a1"][..],
        &["export", "--gdpr", "a1"],
    ] {
        let outcome = operator.run(command);
        outcome
            .exits_with(4)
            .says("expired")
            .says("DSR_TOKEN_ISSUED");
        let json = operator.run(&[command, &["--json"]].concat());
        assert_eq!(json.exits_with(4).failure()["kind"], "token_expired");
        assert!(json.stdout.is_empty(), "{json}");
    }
    fake.was_not_called();
    assert!(operator.requests().is_empty());
    operator
        .run(&["export", "--gdpr", "a1", "--dry-run"])
        .exits_with(0);
    operator.run(&["status", "--cached"]).exits_with(0);
}

#[test]
fn without_a_keyring_the_way_out_is_shown_within_seconds() {
    let fake = Fake::start();
    let operator = Operator::at(&fake).without("DSR_TOKEN");
    let commands: [(&[&str], &str); 4] = [
        (&["auth", "status"], ""),
        (&["auth", "login", "--with-token"], OAUTH_TOKEN),
        (&["auth", "logout"], ""),
        (&["delete", "--gdpr", "--yes", "a1"], ""),
    ];
    for (command, input) in commands {
        let outcome = operator.run_with_input(command, input);
        outcome
            .exits_with(4)
            .says("DSR_TOKEN_FILE")
            .never_says(OAUTH_TOKEN);
        assert!(outcome.took < Duration::from_secs(10), "{outcome}");
        let json = operator.run_with_input(&[command, &["--json"]].concat(), input);
        json.exits_with(4).failure();
    }
    fake.was_not_called();
    assert!(operator.requests().is_empty());
}

#[test]
fn without_a_keyring_a_service_account_has_a_file_of_its_own() {
    let operator = Operator::new();
    let login = ["auth", "login", "--service-account", "--with-token"];
    for (command, input) in [
        (&login[..], "user:canary-secret"),
        (&["auth", "logout", "--service-account"], ""),
    ] {
        let outcome = operator.run_with_input(command, input);
        let outcome = outcome.exits_with(4).says("DSR_SERVICE_ACCOUNT_FILE");
        outcome.never_says("DSR_TOKEN_FILE").never_says("canary");
    }
}

#[test]
fn a_login_takes_no_token_on_the_command_line() {
    let operator = Operator::new();
    for args in [
        &["auth", "login", OAUTH_TOKEN][..],
        &["auth", "login", "--token", OAUTH_TOKEN],
        &["auth", "login", "--with-token", OAUTH_TOKEN],
    ] {
        operator.run(args).exits_with(2);
    }
    let help = operator
        .run(&["export", "--help"])
        .exits_with(0)
        .stdout
        .clone();
    assert!(!help.contains("--token"), "{help}");
}

#[test]
fn a_login_checks_what_it_is_given() {
    let operator = Operator::new();
    operator
        .run_with_input(&["auth", "login", "--with-token"], "")
        .exits_with(2);
    operator
        .run_with_input(&["auth", "login", "--with-token"], "two words")
        .exits_with(2)
        .never_says("two words");
    let args = ["auth", "login", "--with-token", "--issued", "2999-01-01"];
    operator
        .run_with_input(&args, OAUTH_TOKEN)
        .exits_with(2)
        .says("2999-01-01");
    let args = ["auth", "login", "--with-token", "--issued", "yesterday"];
    operator.run_with_input(&args, OAUTH_TOKEN).exits_with(2);
    operator
        .run_with_input(&["auth", "login"], OAUTH_TOKEN)
        .exits_with(2)
        .says("--with-token");
}
