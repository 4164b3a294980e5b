//! Clocks that differ or jump, and processes that sleep: what is said, and that no calls crowd.

use chrono::{TimeDelta, Utc};

use crate::support::{Fake, Operator, Outcome, Reply, object_reply, status_reply};

const SKEWED: &str = "clock is";

/// The `Date` of a server whose clock is ahead of ours by so much.
fn date_ahead_by(minutes: i64) -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "the server's clock is the test's"
    )]
    let theirs = Utc::now() + TimeDelta::minutes(minutes);
    theirs.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Accepts everything, and says of every answer that it was made then.
fn dated(date: &str) -> Fake {
    let date = date.to_owned();
    Fake::answering(move |call| {
        let reply = match call.method.as_str() {
            "POST" => object_reply(&format!("t-{}", call.place)),
            "DELETE" => Reply::text(204, "application/json", ""),
            _ => status_reply("PENDING"),
        };
        reply.with("Date", &date)
    })
}

fn kinds_of_warnings(outcome: &Outcome) -> Vec<String> {
    let object = outcome.json();
    let warnings = object["warnings"].as_array().cloned().unwrap_or_default();
    let kind = |warning: &serde_json::Value| warning["kind"].as_str().unwrap_or("").to_owned();
    warnings.iter().map(kind).collect()
}

const TWO_JOBS: [&str; 7] = ["delete", "--gdpr", "--yes", "--id", "a1", "--id", "a2"];

#[test]
fn a_clock_far_from_the_servers_is_warned_of_once_a_run() {
    for (minutes, words) in [
        (6, ["clock is 5m", "behind Mixpanel's"]),
        (-7, ["clock is 7m", "ahead of Mixpanel's"]),
        (60 * 24 * 365 * 30, ["clock is 10949d", "behind Mixpanel's"]),
    ] {
        let fake = dated(&date_ahead_by(minutes));
        let operator = Operator::at_with(&fake, "rate = 1000\ndelete_batch = 1");
        let sent = operator.run(&TWO_JOBS);
        sent.exits_with(0)
            .says("Warning")
            .says(words[0])
            .says(words[1]);
        assert_eq!(sent.stderr.matches(SKEWED).count(), 1, "once\n{sent}");
        assert_eq!(fake.posts().len(), 2);
        let asked = operator.run(&["status", "-q"]);
        assert_eq!(asked.stderr.matches(SKEWED).count(), 1, "{asked}");
        let json = operator.run(&["status", "--json"]);
        assert_eq!(kinds_of_warnings(&json), ["clock_skew"], "{json}");
        assert!(json.stderr.is_empty(), "{json}");
        let id = operator.only_request()["id"].as_str().unwrap().to_owned();
        operator.run(&["cancel", &id]).says(SKEWED);
    }
}

#[test]
fn a_clock_that_is_near_enough_or_not_told_is_not_warned_of() {
    let soon = date_ahead_by(4);
    for date in [
        soon.as_str(),
        "",
        "yesterday",
        "Sun, 99 Nov 2020 08:00:00 GMT",
        "0",
    ] {
        let fake = dated(date);
        let operator = Operator::at(&fake);
        let outcome = operator.run(&["export", "--gdpr", "a1"]);
        outcome.exits_with(0).never_says(SKEWED);
        operator.run(&["status"]).exits_with(0).never_says(SKEWED);
    }
    let fake = Fake::start();
    let outcome = Operator::at(&fake).run(&["export", "--gdpr", "a1"]);
    outcome.exits_with(0).never_says(SKEWED);
}
