//! What runs out apart from the law's time: the token's year, and the links to exports.

use std::fs;

use chrono::{Days, NaiveDate, Utc};
use serde_json::{Value, json};

use crate::deadlines::kinds;
use crate::support::{
    Fake, OAUTH_TOKEN, Operator, Outcome, Reply, has_calendar, object_reply, status_reply, usual,
};

fn made_with_days_left(days: u64) -> String {
    #[expect(clippy::disallowed_methods, reason = "the test's own clock")]
    let today: NaiveDate = Utc::now().date_naive();
    let end = today + Days::new(days);
    // Months, since a year has 365 or 366 days.
    let made = end - chrono::Months::new(12);
    made.to_string()
}

fn outlives(outcome: &Outcome) -> bool {
    kinds(outcome).contains(&"token_outlived".to_owned())
}

#[test]
fn a_token_that_ends_before_mixpanel_may_be_done_is_warned_of_before_and_after_sending() {
    let fake = Fake::start();
    for (days, is_warned) in [(28, true), (33, false)] {
        let operator = Operator::at(&fake).with("DSR_TOKEN_ISSUED", &made_with_days_left(days));
        let plan = operator.run(&["export", "--gdpr", "a1", "--dry-run", "--json"]);
        assert_eq!(outlives(plan.exits_with(0)), is_warned, "{days}: {plan}");
        let sent = operator.run(&["export", "--gdpr", "--new", "a1", "--json"]);
        assert_eq!(outlives(sent.exits_with(0)), is_warned, "{days}: {sent}");
        for args in [
            &["status", "--json"][..],
            &["status", "--cached", "--json"],
            &["resume", "--json"],
        ] {
            let outcome = operator.run(args);
            assert_eq!(outlives(outcome.exits_with(0)), is_warned, "{outcome}");
        }
        let watched = operator.run(&["status", "--watch", "--timeout", "1s"]);
        let said = watched.stderr.contains("expires before Mixpanel");
        let shown = watched.stdout.contains("token_outlived");
        assert_eq!(said || shown, is_warned, "{watched}");
        if is_warned {
            let said = operator.run(&["status", "--cached"]);
            let id = operator.only_request()["id"].as_str().unwrap()[..8].to_owned();
            said.says("the OAuth token expires before Mixpanel may finish")
                .says(&id)
                .says("or later")
                .says("`dsr auth login`");
        }
    }
}

#[test]
fn a_job_that_is_expected_before_the_token_ends_or_has_ended_is_not_warned_of() {
    let fake = Fake::answering(|call| match call.is_post() {
        true => usual(call),
        false => status_reply("SUCCESS"),
    });
    let operator = Operator::at(&fake).with("DSR_TOKEN_ISSUED", &made_with_days_left(10));
    operator
        .run(&["delete", "--gdpr", "--yes", "a1"])
        .exits_with(0);
    let cached = ["status", "--cached", "--json"];
    assert!(outlives(&operator.run(&cached)));
    // It was submitted 25 days ago: 5 of Mixpanel's 30 days are left.
    operator.change_ledger(
        "UPDATE jobs SET submitted_at = strftime('%Y-%m-%dT%H:%M:%fZ', submitted_at, '-25 days')",
    );
    assert!(!outlives(&operator.run(&cached)));
    operator.change_ledger(
        "UPDATE jobs SET submitted_at = strftime('%Y-%m-%dT%H:%M:%fZ', submitted_at, '+25 days')",
    );
    operator.run(&["status", "--refresh"]).exits_with(0);
    assert!(!outlives(
        &operator.run(&["status", "--all", "--cached", "--json"])
    ));
}

#[test]
fn a_token_of_unknown_age_and_the_sandboxs_are_not_warned_of() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    for args in [
        &["export", "--gdpr", "a1", "--json"][..],
        &["status", "--json"],
        &["--sandbox", "export", "--gdpr", "a1", "--json"],
    ] {
        let outcome = operator.run(args);
        assert!(!outlives(outcome.exits_with(0)), "{outcome}");
    }
    // A rehearsal does not depend on the real token's end.
    let operator = Operator::new()
        .with("DSR_TOKEN", OAUTH_TOKEN)
        .with("DSR_TOKEN_ISSUED", &made_with_days_left(5));
    let outcome = operator.run(&["--sandbox", "export", "--gdpr", "a1", "--json"]);
    assert!(!outlives(outcome.exits_with(0)), "{outcome}");
}

/// The smallest file that counts as a zip.
fn archive() -> String {
    let end = format!("PK\u{5}\u{6}{}", "\0".repeat(18));
    format!("PK\u{3}\u{4}{}{end}", "x".repeat(50))
}

/// A Mixpanel with finished exports, whose links lead to the second fake.
fn finishing() -> (Fake, Fake) {
    let store = Fake::answering(|_| Reply::text(200, "application/zip", &archive()));
    let url = store.url();
    let link = format!("{}/export.zip", url.trim_end_matches("/api/app"));
    let api = Fake::answering(move |call| match call.is_post() {
        true => object_reply(&format!("t-{}", call.place)),
        false => {
            let results = json!({ "status": "SUCCESS", "result": link, "distinct_ids": [] });
            Reply::json(200, &json!({ "status": "ok", "results": results }))
        }
    });
    (store, api)
}

fn unfetched(operator: &Operator) -> Value {
    operator.only_request()["unfetched"].clone()
}

#[test]
fn a_finished_export_counts_down_until_it_is_fetched() {
    if !has_calendar() {
        return;
    }
    let (_store, api) = finishing();
    let operator = Operator::at_with(&api, "rate = 1000\nexport_batch = 1");
    let mut operator = operator.with_ledger_key();
    operator.lives_on("2026-03-02");
    operator
        .run(&["export", "--gdpr", "--id", "a1", "--id", "a2"])
        .exits_with(0);
    assert_eq!(unfetched(&operator), Value::Null);
    let id = operator.only_request()["id"].as_str().unwrap().to_owned();
    let short = &id[..8];
    operator.lives_on("2026-03-05");
    let fetch = format!("with `dsr download {short}`");
    operator
        .run(&["status"])
        .exits_with(0)
        .says("2 finished exports are not fetched")
        .says("links work for 14 to 30 days: fetch by 2026-03-19 (in 14 days)")
        .says(&fetch);
    assert_eq!(unfetched(&operator)["link_until_at_most"], "2026-03-19");
    assert_eq!(unfetched(&operator)["days_left_at_most"], 14);
    assert_eq!(unfetched(&operator)["link_may_live_until"], "2026-04-04");
    assert_eq!(unfetched(&operator)["jobs"], 2);
    // The request is closed now, and reported all the same.
    operator.lives_on("2026-03-15");
    let listed = operator.run(&["status"]);
    listed.exits_with(0).says(&fetch).never_says("Warning");
    assert!(listed.stdout.contains("No open requests"), "{listed}");
    let shown = operator.run(&["status", &id, "--cached"]);
    let line = "Fetch by    2026-03-19, in 4 days: 2 finished exports not fetched";
    assert!(shown.stdout.contains(line), "{shown}");
    operator.lives_on("2026-03-16");
    let soon = operator.run(&["status", "--json"]);
    assert_eq!(kinds(&soon), ["unfetched"], "three days before the end");
    // The safe days are over. The link may still work, so dsr suggests to try until it cannot.
    for day in ["2026-03-20", "2026-04-04"] {
        operator.lives_on(day);
        let outcome = operator.run(&["status"]);
        outcome
            .says("the link may expire any day, on 2026-04-04 at the latest")
            .says(&format!("fetch at once with `dsr download {short}`"));
    }
    operator.lives_on("2026-04-05");
    operator.run(&["status"]).never_says("fetch");
    operator
        .run(&["status", &id, "--cached"])
        .says("asks for a new link")
        .says("`dsr export`");
    operator.lives_on("2026-03-15");
    operator.run(&["download", &id]).exits_with(0);
    assert_eq!(fs::read_dir(operator.work()).unwrap().count(), 1);
    assert_eq!(unfetched(&operator), Value::Null);
    for args in [&["status"][..], &["status", "--all"], &["status", &id]] {
        operator.run(args).exits_with(0).never_says("etch");
    }
}

#[test]
fn an_export_is_told_of_while_its_link_may_live_though_the_answer_is_overdue() {
    if !has_calendar() {
        return;
    }
    let (_store, api) = finishing();
    let mut operator = Operator::at(&api);
    operator.lives_on("2026-03-02");
    let args = ["export", "--gdpr", "a1", "--received", "2026-02-03"];
    operator.run(&args).exits_with(0);
    operator.run(&["status", "--refresh"]).exits_with(0);
    for (day, is_told) in [
        ("2026-03-09", true),
        ("2026-03-16", true),
        ("2026-03-17", true),
        ("2026-04-01", true),
        ("2026-04-02", false),
    ] {
        operator.lives_on(day);
        let listed = operator.run(&["status"]);
        assert_eq!(listed.stderr.contains("not fetched"), is_told, "{listed}");
    }
}

#[test]
fn exports_of_other_projects_are_told_of_only_where_they_are_meant() {
    let (_store, api) = finishing();
    let operator = Operator::at(&api);
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    operator.run(&["status", "--refresh"]).exits_with(0);
    operator.run(&["status"]).says("not fetched");
    operator
        .run(&["status", "--project", "other"])
        .never_says("not fetched");
}
