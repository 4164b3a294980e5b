//! Clocks that differ or jump, and processes that sleep: what dsr reports, and that calls do not
//! crowd.

use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};

use crate::support::{
    Fake, Operator, Outcome, Reply, Rules, Running, csv_of, object_reply, people, same_people,
    status_reply, usual,
};

const SKEWED: &str = "clock is";

fn date_ahead_by(minutes: i64) -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "the server's clock is the test's"
    )]
    let theirs = Utc::now() + TimeDelta::minutes(minutes);
    theirs.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

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
        let json = operator.run(&["status", "--refresh", "--json"]);
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

fn shortest_gap_after(fake: &Fake, since: Instant) -> Duration {
    let calls = fake.calls().into_iter().map(|call| call.arrived);
    let mut arrivals: Vec<Instant> = calls.filter(|arrived| *arrived > since).collect();
    arrivals.sort();
    assert!(
        arrivals.len() > 3,
        "calls came after it: {}",
        arrivals.len()
    );
    let gaps = arrivals.windows(2).map(|pair| pair[1] - pair[0]);
    gaps.min().expect("there are several")
}

const INTERVAL: Duration = Duration::from_millis(250);

/// Stops the process as a sleeping laptop does, for the time of many calls.
fn sleep_for_many_intervals(running: &Running) -> Instant {
    running.signal("STOP");
    std::thread::sleep(INTERVAL * 10);
    let woken = Instant::now();
    running.signal("CONT");
    woken
}

#[test]
fn a_run_that_slept_goes_on_at_the_pace() {
    let fake = Fake::with(Rules::PerSecond(4), usual);
    let operator = Operator::at_with(&fake, "rate = 4\ndelete_batch = 1");
    let ids = people(12);
    operator.file("ids.csv", csv_of(&ids, None));
    let running = operator.start(&["delete", "--gdpr", "--yes", "ids.csv"]);
    fake.wait_for_posts(2);
    let woken = sleep_for_many_intervals(&running);
    let slept = fake.posts().len();
    assert!(slept <= 3, "{slept} POSTs of a process that is stopped");
    running.end().exits_with(0);
    assert_eq!(fake.limited(), 0);
    assert!(shortest_gap_after(&fake, woken) >= INTERVAL);
    same_people(&fake.posted_ids(), &ids);
}

#[test]
fn a_wait_that_slept_asks_at_the_pace() {
    let fake = Fake::with(Rules::PerSecond(4), usual);
    let operator = Operator::at_with(&fake, "rate = 4\ndelete_batch = 1");
    operator.file("ids.csv", csv_of(&people(6), None));
    let args = ["delete", "--gdpr", "--yes", "ids.csv", "--wait"];
    let running = operator.start(&args);
    let start = Instant::now();
    while fake.gets().len() < 2 && start.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let woken = sleep_for_many_intervals(&running);
    std::thread::sleep(INTERVAL * 10);
    running.signal("TERM");
    running.end().exits_with(143);
    assert_eq!(fake.limited(), 0);
    assert!(shortest_gap_after(&fake, woken) >= INTERVAL);
}

#[test]
fn a_deletion_of_unknown_outcome_is_not_sent_again_after_a_sleep_of_15_minutes() {
    let fake = Fake::answering_post(0, Reply::Reset);
    let operator = Operator::at(&fake);
    let running = operator.start(&["delete", "--gdpr", "--yes", "a1"]);
    fake.wait_for_posts(1);
    let unknown = || operator.ledger_texts("SELECT state FROM jobs") == ["unknown"];
    let start = Instant::now();
    while !unknown() && start.elapsed() < Duration::from_secs(2) {
        std::thread::sleep(Duration::from_millis(5));
    }
    running.signal("STOP");
    assert!(unknown() && fake.posts().len() == 1);
    operator.age_attempts(Duration::from_secs(16 * 60));
    running.signal("CONT");
    let outcome = running.end();
    outcome.exits_with(6).says("dsr resume");
    assert_eq!(
        fake.posts().len(),
        1,
        "it would be a new deletion\n{outcome}"
    );
}

const HOUR: i64 = 60 * 60;

/// Answers the first POST with 429 for this many seconds, and accepts the others.
fn limited_once(seconds: &'static str) -> Fake {
    Fake::answering(move |call| match (call.is_post(), call.place) {
        (true, 0) => Reply::error(429, "later").with("Retry-After", seconds),
        _ => usual(call),
    })
}

const SEND: [&str; 6] = ["delete", "--gdpr", "--yes", "a1", "--max-wait", "0s"];

#[test]
fn a_clock_that_was_set_back_by_an_hour_stops_nothing() {
    let fake = Fake::start();
    let mut operator = Operator::at_with(&fake, "rate = 4");
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    if !operator.shift_clock(-HOUR) {
        return;
    }
    for args in [&["export", "--gdpr", "a2"][..], &["status", "--refresh"]] {
        let outcome = operator.run(args);
        outcome.exits_with(0);
        assert!(outcome.took < Duration::from_secs(20), "{outcome}");
    }
    assert_eq!((fake.posts().len(), fake.gets().len()), (2, 2));
}

#[test]
fn a_rate_limit_is_waited_for_no_longer_than_asked_when_the_clock_is_set_back() {
    let fake = limited_once("2");
    let mut operator = Operator::at(&fake);
    operator.run(&SEND).exits_with(75);
    if !operator.shift_clock(-HOUR) {
        return;
    }
    let outcome = operator.run(&["resume", "--max-wait", "10s"]);
    outcome.exits_with(0);
    assert!(outcome.took < Duration::from_secs(10), "{outcome}");
    assert_eq!(fake.posts().len(), 2);
}

#[test]
fn a_clock_set_ahead_and_right_again_lets_no_burst_through_and_holds_nothing() {
    let fake = limited_once("4");
    let mut operator = Operator::at(&fake);
    let start = Instant::now();
    operator.run(&SEND).exits_with(75);
    if !operator.shift_clock(HOUR) {
        return;
    }
    operator.run(&["resume", "--max-wait", "0s"]).exits_with(75);
    assert_eq!(fake.posts().len(), 1, "the server wants none yet");
    operator.shift_clock(0);
    operator.run(&["resume", "--max-wait", "10s"]).exits_with(0);
    let posts = fake.posts();
    assert_eq!(posts.len(), 2);
    assert!(posts[1].arrived - start >= Duration::from_secs(4));
}

#[test]
fn a_refresh_asks_whatever_the_ages_of_the_answers_say() {
    let fake = Fake::start();
    let mut operator = Operator::at(&fake);
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    if !operator.shift_clock(48 * HOUR) {
        return;
    }
    operator.run(&["status", "--refresh"]).exits_with(0);
    let asked = fake.gets().len();
    assert_eq!(asked, 1);
    for shift in [0, -48 * HOUR] {
        operator.shift_clock(shift);
        let before = fake.gets().len();
        operator.run(&["status", "--refresh"]).exits_with(0);
        assert_eq!(fake.gets().len(), before + 1, "shifted by {shift} s");
    }
}
