//! Which jobs `dsr status` asks about, when, and for how long.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    Fake, NOWHERE, Operator, Reply, Rules, at_once, object_reply, states, status_reply, usual,
};

const SECOND: Duration = Duration::from_secs(1);
/// The longest time for five seconds of questions on a busy machine.
const SOON: Duration = Duration::from_secs(20);

fn operator_with_a_deletion(fake: &Fake) -> Operator {
    let operator = Operator::at(fake);
    let args = ["delete", "--gdpr", "--yes", "user-17"];
    operator.run(&args).exits_with(0);
    operator
}

fn asked(fake: &Fake) -> Vec<String> {
    fake.gets()
        .iter()
        .map(|get| get.task().to_owned())
        .collect()
}

fn time(value: &Value) -> chrono::DateTime<chrono::Utc> {
    let text = value.as_str().unwrap_or_else(|| panic!("no time: {value}"));
    text.parse().expect("a time")
}

#[test]
fn a_job_is_asked_about_when_it_is_due_and_not_before() {
    let fake = Fake::start();
    let operator = operator_with_a_deletion(&fake);
    let new = operator.only_request()["jobs"][0].clone();
    assert_eq!(new["next_check_at"], new["submitted_at"], "due at once");
    operator.run(&["status"]).exits_with(0);
    let job = operator.only_request()["jobs"][0].clone();
    assert_eq!(
        time(&job["next_check_at"]) - time(&job["checked_at"]),
        chrono::TimeDelta::seconds(1)
    );
    operator.change_ledger("UPDATE jobs SET submitted_at = '2026-01-02T03:04:05.000Z'");
    operator.make_due();
    operator.run(&["status"]).exits_with(0);
    assert_eq!(fake.gets().len(), 2);
    let job = operator.only_request()["jobs"][0].clone();
    assert_eq!(
        time(&job["next_check_at"]) - time(&job["checked_at"]),
        chrono::TimeDelta::hours(1)
    );
    for _ in 0..3 {
        let shown = operator.run(&["status", "--json"]).exits_with(0).json();
        assert_eq!(shown["polling"], json!({ "due": 0, "seconds": 0.0 }));
    }
    assert_eq!(fake.gets().len(), 2, "an hour has not passed");
    operator.run(&["status", "--refresh"]).exits_with(0);
    assert_eq!(fake.gets().len(), 3);
}

#[test]
fn what_ends_is_shown_once_more_and_never_asked_about_again() {
    let fake = Fake::answering(|call| match call.is_post() {
        true => usual(call),
        false => status_reply("SUCCESS"),
    });
    let operator = operator_with_a_deletion(&fake);
    let shown = operator.run(&["status", "--json"]).exits_with(0).json();
    assert_eq!(states(&shown["requests"][0]), ["done"]);
    let job = &shown["requests"][0]["jobs"][0];
    assert_eq!(job["next_check_at"], Value::Null);
    for args in [
        &["status", "--refresh", "--json"][..],
        &["status", "--json"],
    ] {
        assert_eq!(operator.run(args).json()["requests"], json!([]));
    }
    assert_eq!(fake.gets().len(), 1);
}

#[test]
fn twenty_thousand_open_jobs_are_shown_at_once_and_asked_about_at_the_pace() {
    let fake = Fake::with(Rules::PerSecond(1), usual);
    let operator = Operator::at_with(&fake, "rate = 1");
    operator.with_open_jobs(20_000);
    let look = operator.run(&["status"]);
    let due = look.exits_with(0).says("20,000 jobs are due");
    due.says("(5h 33m)");
    assert!(look.stdout.contains("20,000"), "{look}");
    assert!(fake.gets().is_empty(), "nobody is kept waiting for five");

    let outcome = operator.run(&["status", "--ask-for", "5s"]);
    outcome.exits_with(0);
    assert!(outcome.took < SOON, "{outcome}");
    let gets = fake.gets().len();
    assert!((2..=6).contains(&gets), "{gets} questions in five seconds");
    let expected: Vec<String> = (1..=gets).map(|n| format!("task-{n}")).collect();
    assert_eq!(asked(&fake), expected, "those that wait the longest first");
    let left = format!("19,{} jobs are due", 1000 - gets);
    outcome.says(&left).says("(5h 33m): `dsr status --refresh`");
    assert!(outcome.stdout.contains("20,000"), "{outcome}");
    assert!(
        outcome.stdout.contains("1d"),
        "the age of the oldest answer\n{outcome}"
    );

    let before = fake.gets().len();
    operator.run(&["status", "--exit-status"]).exits_with(8);
    assert!(fake.gets().len() > before, "a script makes its way");

    let outcome = operator.run(&["status", "--json", "--ask-for", "5s"]);
    assert!(outcome.took < SOON, "{} {:?}", outcome.stderr, outcome.took);
    let object = outcome.json();
    let due = 20_000 - fake.gets().len();
    assert_eq!(object["polling"]["due"], due);
    assert_eq!(object["polling"]["seconds"], (due - 1) as f64);
    assert_eq!(
        object["requests"][0]["jobs"].as_array().unwrap().len(),
        20_000
    );
    let different: BTreeSet<String> = asked(&fake).into_iter().collect();
    assert_eq!(different.len(), fake.gets().len(), "each once");
    assert_eq!(fake.limited(), 0);
    assert!(fake.shortest_gap() >= SECOND, "{:?}", fake.shortest_gap());
}

#[test]
fn a_longer_time_to_ask_is_kept_to_and_no_time_asks_nobody() {
    let fake = Fake::with(Rules::PerSecond(1), usual);
    let operator = Operator::at_with(&fake, "rate = 1");
    operator.with_open_jobs(100);
    let nobody = operator.run(&["status", "--ask-for", "0s"]);
    nobody.exits_with(0).says("100 jobs");
    assert!(fake.gets().is_empty());
    let outcome = operator.run(&["status", "--ask-for", "8s"]);
    outcome.exits_with(0);
    let gets = fake.gets().len();
    assert!((4..=9).contains(&gets), "{gets} questions\n{outcome}");
    assert_eq!(fake.limited(), 0);
}

#[test]
fn two_processes_share_the_schedule() {
    // 200 ms between calls leave room for a busy machine.
    let fake = Fake::with(Rules::PerSecond(5), usual);
    let operator = Operator::at_with(&fake, "rate = 5");
    operator.with_open_jobs(20);
    let one = operator.start(&["status", "--ask-for", "30s"]);
    let two = operator.start(&["status", "--ask-for", "30s"]);
    one.end().exits_with(0);
    two.end().exits_with(0);
    assert_eq!(fake.limited(), 0);
    let mut asked = asked(&fake);
    assert_eq!(asked.len(), 20, "no job twice: {asked:?}");
    asked.sort();
    asked.dedup();
    assert_eq!(asked.len(), 20, "each job once");
    let gap = fake.shortest_gap();
    assert!(gap >= SECOND / 5, "{gap:?}");
}

#[test]
fn what_brings_nothing_is_not_asked_about_again_at_once() {
    let replies = [
        status_reply("UNKNOWN"),
        status_reply("NOT_FOUND"),
        Reply::error(500, "later"),
        Reply::Reset,
        Reply::error(429, "API is limited to 1 req/s").with("Retry-After", "600"),
    ];
    at_once(replies, |reply| {
        let shown = format!("{reply:?}");
        let fake = Fake::answering(move |call| match call.is_post() {
            true => object_reply("t-1"),
            false => reply.clone(),
        });
        let operator = operator_with_a_deletion(&fake);
        let first = operator.run(&["status"]);
        assert!(first.took < SOON, "{shown}\n{first}");
        let gets = fake.gets().len();
        assert!((1..=3).contains(&gets), "{gets} times: {shown}");
        let next = time(&operator.only_request()["jobs"][0]["next_check_at"]);
        let age = next - fake_now();
        assert!(age > chrono::TimeDelta::seconds(40), "{shown}: {age}");
        operator.run(&["status"]).exits_with(0);
        assert_eq!(fake.gets().len(), gets, "{shown}");
    });
}

#[expect(clippy::disallowed_methods, reason = "the clock is the test's")]
fn fake_now() -> chrono::DateTime<chrono::Utc> {
    chrono::Utc::now()
}

#[test]
fn a_server_that_never_answers_keeps_nobody_waiting_long() {
    let fake = Fake::answering(|call| match call.is_post() {
        true => object_reply("t-1"),
        false => Reply::After(Duration::from_secs(300), Box::new(status_reply("SUCCESS"))),
    });
    let operator = operator_with_a_deletion(&fake);
    let outcome = operator.run(&["status", "--ask-for", "1s"]);
    outcome.exits_with(75).says("no answer came in time");
    assert!(outcome.took < SOON, "{outcome}");
    assert!(outcome.stdout.contains("accepted"), "{outcome}");
    assert_eq!(fake.gets().len(), 1);
}

#[test]
fn trouble_with_one_project_keeps_no_other_waiting() {
    let fake = Fake::answering(|call| match call.query.contains("000001") {
        false if call.method == "GET" => Reply::error(401, "expired"),
        _ => usual(call),
    });
    let operator = Operator::at_with(&fake, "rate = 1000\ndelete_batch = 1");
    let text = std::fs::read_to_string(operator.config_path()).unwrap();
    let other = "[projects.app]\ntoken = \"00000000000000000000000000000001\"\nregion = \"us\"\nrate = 1000\ndelete_batch = 1\n";
    operator.write_config(&format!("{text}{other}"));
    for project in ["shop", "app"] {
        let ids = ["--id", "a1", "--id", "a2", "--project", project];
        let args = [&["delete", "--gdpr", "--yes"], &ids[..]].concat();
        operator.run(&args).exits_with(0);
    }
    operator
        .run(&["status"])
        .exits_with(4)
        .says("put it into DSR_TOKEN");
    let gets = fake.gets().into_iter();
    let (of_app, of_shop): (Vec<_>, Vec<_>) = gets.partition(|get| get.query.contains("000001"));
    assert_eq!((of_shop.len(), of_app.len()), (1, 2));
}

#[test]
fn a_clock_that_was_ahead_keeps_no_job_waiting() {
    let fake = Fake::start();
    let operator = operator_with_a_deletion(&fake);
    operator.change_ledger("UPDATE jobs SET next_check = '2099-01-01T00:00:00.000Z'");
    operator.run(&["status"]).exits_with(0);
    assert_eq!(fake.gets().len(), 1);
    operator.run(&["status"]).exits_with(0);
    assert_eq!(fake.gets().len(), 1, "and it is due in a second");
}

#[test]
fn where_nothing_is_due_no_token_is_needed_and_no_network() {
    let fake = Fake::start();
    let operator = operator_with_a_deletion(&fake);
    operator.change_ledger("UPDATE jobs SET submitted_at = '2026-01-02T03:04:05.000Z'");
    operator.run(&["status"]).exits_with(0);
    let operator = operator.without("DSR_TOKEN").with("DSR_API_URL", NOWHERE);
    let outcome = operator.run(&["status"]);
    outcome.exits_with(0);
    let knows = outcome.stdout.contains("accepted") && !outcome.stdout.contains("never");
    assert!(knows, "what was answered before\n{outcome}");
    operator.run(&["status", "--refresh"]).exits_with(4);
}

#[test]
fn a_request_is_as_old_as_its_oldest_answer() {
    let fake = Fake::start();
    let operator = Operator::at_with(&fake, "rate = 1000\ndelete_batch = 1");
    let args = ["delete", "--gdpr", "--yes", "--id", "a1", "--id", "a2"];
    operator.run(&args).exits_with(0);
    let never = operator.run(&["status", "--cached"]);
    assert!(never.stdout.contains("never"), "{never}");
    assert_eq!(operator.only_request()["checked_at"], Value::Null);
    operator.run(&["status"]).exits_with(0);
    operator
        .change_ledger("UPDATE jobs SET checked_at = '2020-01-02T03:04:05.000Z' WHERE number = 2");
    assert_eq!(
        operator.only_request()["checked_at"],
        "2020-01-02T03:04:05.000Z"
    );
    let shown = operator.run(&["status", "--cached"]);
    assert!(shown.stdout.contains("CHECKED"), "{shown}");
    assert!(!shown.stdout.contains("never"), "{shown}");
    operator.change_ledger("UPDATE jobs SET checked_at = NULL WHERE number = 1");
    assert_eq!(operator.only_request()["checked_at"], Value::Null);
}

#[test]
fn ways_to_ask_that_contradict_each_other_are_refused() {
    let fake = Fake::start();
    let operator = operator_with_a_deletion(&fake);
    for flags in [
        &["--cached", "--refresh"][..],
        &["--cached", "--watch"],
        &["--refresh", "--watch"],
        &["--cached", "--ask-for", "1m"],
        &["--watch", "--changes"],
        &["--timeout", "1m"],
    ] {
        operator.run(&[&["status"], flags].concat()).exits_with(2);
    }
    assert!(fake.gets().is_empty());
}
