//! Tokens that expire, that Mixpanel turns away, and that others could read.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::SystemTime;

use chrono::{DateTime, Months, NaiveDate, TimeDelta, Utc};

use crate::support::{Fake, OAUTH_TOKEN, Operator, Reply, Running, shows, usual};

fn made_with_days_left(days: i64) -> String {
    let today: NaiveDate = DateTime::<Utc>::from(SystemTime::now()).date_naive();
    let expires = today + TimeDelta::days(days);
    let made = expires.checked_sub_months(Months::new(12));
    made.expect("a day a year ago").to_string()
}

#[test]
fn a_monitor_hears_of_a_token_in_time() {
    let operator = Operator::new().with("DSR_TOKEN", OAUTH_TOKEN);
    let check = ["auth", "status", "--exit-status"];
    for (days, warn_days, status) in [
        (60, None, 0),
        (20, None, 4),
        (20, Some("10"), 0),
        (10, Some("14"), 4),
        (10, Some("14d"), 4),
        (20, Some("2weeks"), 0),
        (14, Some("14"), 4),
        (16, Some("14"), 0),
        (60, Some("366"), 4),
        (-2, Some("0"), 4),
    ] {
        let made = made_with_days_left(days);
        let operator = Operator::new()
            .with("DSR_TOKEN", OAUTH_TOKEN)
            .with("DSR_TOKEN_ISSUED", &made);
        let mut args = check.to_vec();
        args.extend(warn_days.iter().flat_map(|days| ["--warn-days", days]));
        let outcome = operator.run(&args);
        assert_eq!(outcome.status, Some(status), "{days} days\n{outcome}");
        let json = operator.run(&[&args[..], &["--json"]].concat());
        assert_eq!(json.json()["token"]["source"], "environment");
        if status != 0 {
            outcome.says("make a new one").says("DSR_TOKEN_ISSUED");
            assert_eq!(json.exits_with(4).failure()["kind"], "token_expiry");
        }
        let plain = operator.run(&["auth", "status"]);
        plain.exits_with(if days < 0 { 4 } else { 0 });
    }
    let unknown = operator.run(&check);
    unknown.exits_with(4).says("DSR_TOKEN_ISSUED");
    operator.run(&["auth", "status"]).exits_with(0);
    operator
        .run(&["--sandbox", "auth", "status", "--exit-status"])
        .exits_with(0);
    operator
        .run(&["auth", "status", "--warn-days", "3"])
        .exits_with(2);
}

#[test]
fn a_token_that_mixpanel_turns_away_is_told_of_until_mixpanel_takes_it() {
    let fake = Fake::answering(|call| match call.is_post() && call.place == 0 {
        true => Reply::error(401, "no such token"),
        false => usual(call),
    });
    let operator = Operator::at(&fake);
    operator.run(&["export", "--gdpr", "a1"]).exits_with(4);
    for command in [
        &["status", "--cached"][..],
        &["status", "--all", "--cached"],
    ] {
        operator.run(command).exits_with(0).says("(401)");
    }
    let json = operator.run(&["status", "--cached", "--json"]).json();
    assert_eq!(json["warnings"][0]["kind"], "token_rejected");
    let status = operator.run(&["auth", "status"]);
    status.exits_with(4).says("(401)").never_says(OAUTH_TOKEN);
    assert!(status.stdout.contains("Refused"), "{status}");
    operator
        .run(&["auth", "status", "--exit-status"])
        .exits_with(4)
        .says("refused");

    // The note is about this token: another one in the same variable starts clean.
    let operator = operator.with("DSR_TOKEN", "another-token");
    let other = operator.run(&["status", "--cached"]);
    assert!(!other.stderr.contains("401)."), "{other}");
    operator.run(&["auth", "status"]).exits_with(0);

    let operator = operator.with("DSR_TOKEN", OAUTH_TOKEN);
    operator.run(&["resume"]).exits_with(0);
    assert_eq!(fake.posts().len(), 2);
    let after = operator.run(&["status", "--cached"]);
    assert!(!shows(&after.stderr, "401"), "{after}");
    operator.run(&["auth", "status"]).exits_with(0);
}

#[test]
fn a_token_is_marked_by_whichever_call_finds_out() {
    let fake = Fake::answering(|call| match call.method.as_str() {
        "POST" => usual(call),
        _ => Reply::error(401, "no such token"),
    });
    for args in [&["status"][..], &["cancel"]] {
        let operator = Operator::at(&fake);
        operator
            .run(&["delete", "--gdpr", "--yes", "a1"])
            .exits_with(0);
        let id = operator.only_request()["id"].as_str().unwrap().to_owned();
        operator.run(&[args, &[&id]].concat()).exits_with(4);
        operator
            .run(&["status", "--cached"])
            .exits_with(0)
            .says("refused");
    }
}

#[test]
fn what_a_proxy_or_a_403_says_is_nothing_against_the_token() {
    for reply in [
        Reply::error(403, "you may not"),
        Reply::text(401, "text/html", "<html>log in to the wifi</html>"),
    ] {
        let fake = Fake::answering_posts(reply);
        let operator = Operator::at(&fake);
        let outcome = operator.run(&["export", "--gdpr", "a1"]);
        assert_ne!(outcome.status, Some(0), "{outcome}");
        let next = operator.run(&["status", "--cached", "--json"]);
        assert!(next.exits_with(0).json()["warnings"].is_null(), "{next}");
        operator.run(&["auth", "status"]).exits_with(0);
    }
}

#[test]
fn a_token_file_that_others_can_read_is_refused_with_the_command_to_run() {
    let fake = Fake::start();
    let operator = Operator::at(&fake).without("DSR_TOKEN");
    let path = operator.private_file("the token", OAUTH_TOKEN);
    let operator = operator.with("DSR_TOKEN_FILE", &path);
    for mode in [0o644, 0o640, 0o604, 0o660] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let outcome = operator.run(&["export", "--gdpr", "a1"]);
        outcome
            .exits_with(4)
            .says(&format!("chmod 600 '{path}'"))
            .never_says(OAUTH_TOKEN);
        operator.run(&["auth", "status"]).exits_with(4);
    }
    fake.was_not_called();
    for mode in [0o600, 0o400] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        operator
            .run(&["export", "--gdpr", &format!("a{mode}")])
            .exits_with(0);
    }
    let endless = operator.with("DSR_TOKEN_FILE", "/dev/zero");
    endless.run(&["auth", "status"]).exits_with(4);
}

#[test]
fn a_token_may_come_through_a_pipe_which_can_be_read_once_only() {
    let fake = Fake::start();
    let operator = Operator::at(&fake).without("DSR_TOKEN");
    let script = format!(
        "mkfifo -m 600 pipe; printf {OAUTH_TOKEN} > pipe & DSR_TOKEN_FILE=pipe \"$0\" \"$@\""
    );
    for args in [&["export", "--gdpr", "a1"][..], &["doctor"], &["status"]] {
        let outcome = Running::start(operator.script(&script, args), "").end();
        outcome.exits_with(0).never_says(OAUTH_TOKEN);
        fs::remove_file(operator.work().join("pipe")).unwrap();
    }
    assert_eq!(fake.posts().len(), 1);
}

#[test]
fn the_name_of_a_token_is_a_name() {
    let operator = Operator::new();
    for name in ["", "a b", "-x", "x/y", OAUTH_TOKEN.repeat(2).as_str()] {
        let args = ["auth", "login", "--with-token", "--name", name];
        operator.run_with_input(&args, OAUTH_TOKEN).exits_with(2);
    }
    operator.write_config(&format!("default_auth = \"{}\"\n", OAUTH_TOKEN.repeat(2)));
    operator
        .run(&["auth", "status"])
        .exits_with(2)
        .says("line 1")
        .never_says(OAUTH_TOKEN);
}

#[test]
fn a_project_shows_the_token_it_names() {
    let operator = Operator::new();
    let args = ["project", "add", "app", "--region", "eu", "--auth", "acme"];
    let added = operator.run_with_input(&args, "0123456789abcdef0123456789abcdef");
    assert!(added.exits_with(0).stdout.contains("acme"), "{added}");
    let shown = operator.run(&["project", "show", "app", "--json"]).json();
    assert_eq!(shown["project"]["auth"], "acme");
    let config = fs::read_to_string(operator.config_path()).unwrap();
    assert!(config.contains("auth = \"acme\""), "{config}");
}
