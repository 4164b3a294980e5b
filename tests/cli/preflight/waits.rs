//! A preflight waits for the hour's queries, and only as long as the operator does.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{DRY_RUN, is_query, names_no_id, page, profiles, set_up, shown};
use crate::support::{Call, Fake, Operator, PROJECT_TOKEN, Reply};

#[test]
fn a_429_is_obeyed_as_long_as_the_operator_waits() {
    let fake = Fake::answering(|call| match is_query(call) && call.place == 0 {
        true => Reply::error(429, "slow down").with("Retry-After", "2"),
        false => profiles(call),
    });
    let operator = set_up(&fake, "");
    let outcome = operator.run(&DRY_RUN);
    shown(outcome.exits_with(0), "3 of 5 ids have a profile");
    let posts = fake.posts();
    assert_eq!(posts.len(), 2);
    assert!(posts[1].arrived - posts[0].arrived >= Duration::from_secs(2));

    let fake = Fake::answering(|_| Reply::error(429, "slow down").with("Retry-After", "90"));
    let operator = set_up(&fake, "");
    let args = [&DRY_RUN[..], &["--max-wait", "1s"]].concat();
    operator.run(&args).exits_with(75).says("429");
    assert_eq!(fake.posts().len(), 1);
    // Another process leaves the server alone, too.
    let waiting = operator.start(&DRY_RUN);
    std::thread::sleep(Duration::from_secs(1));
    waiting.kill();
    assert_eq!(fake.posts().len(), 1);
}

#[test]
fn processes_share_the_queries_of_an_hour() {
    let fake = Fake::answering(profiles);
    let operator = set_up(&fake, "queries_per_hour = 4");
    let ids: String = (0..1500).map(|n| format!("user-{n}\n")).collect();
    operator.file("many.csv", format!("id\n{ids}"));
    let mut args = DRY_RUN.to_vec();
    args[4] = "many.csv";
    args.extend(["--max-wait", "3h"]);
    let processes: Vec<_> = (0..3).map(|_| operator.start(&args)).collect();
    let start = Instant::now();
    while fake.posts().len() < 4 && start.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_secs(2));
    for process in processes {
        process.kill();
    }
    assert_eq!(fake.posts().len(), 4);
    // The hour outlives them, and the plan says how long it takes.
    let later = operator.start(&args);
    std::thread::sleep(Duration::from_secs(8));
    later.kill().says("2 queries").says("59m");
    assert_eq!(fake.posts().len(), 4);
    for post in fake.posts() {
        assert!(post.ids().len() <= 1000);
    }
}

fn count_asked(operator: &Operator) -> usize {
    let log = operator.run(&["audit", "log", "--json"]).json();
    let entries = log["audit"]["entries"].as_array().expect("entries");
    let asked = |one: &&Value| one["event"] == "profiles_asked";
    entries.iter().filter(asked).count()
}

#[test]
fn a_preflight_waits_for_its_hour_only_as_long_as_the_operator_does() {
    let fake = Fake::answering(profiles);
    let operator = set_up(&fake, "queries_per_hour = 1");
    operator.run(&DRY_RUN).exits_with(0);
    let delete = ["delete", "--gdpr", "--yes", "--preflight", "ids.csv"];
    for more in [&[][..], &["--json"], &["-q"], &["--wait"]] {
        let start = Instant::now();
        let outcome = operator.run(&[&delete[..], more].concat());
        outcome.exits_with(75).says("may leave only at");
        outcome.says("nothing was sent").says("add `--max-wait 6");
        assert!(start.elapsed() < Duration::from_secs(30), "{more:?}");
        names_no_id(&outcome);
    }
    // A list that takes several hours costs none of the hour's queries.
    let other = set_up(&fake, "queries_per_hour = 1");
    let ids: String = (0..1500).map(|n| format!("user-{n}\n")).collect();
    other.file("ids.csv", format!("id\n{ids}"));
    other.run(&DRY_RUN).exits_with(75).says("the last query");
    assert_eq!(fake.posts().len(), 1, "no query, no deletion");
    assert!(operator.requests().is_empty());
}

#[test]
fn the_trail_has_an_entry_only_if_a_query_may_leave() {
    let fake = Fake::answering(profiles);
    let operator = set_up(&fake, "queries_per_hour = 1");
    operator.run(&DRY_RUN).exits_with(0);
    for _ in 0..2 {
        operator.run(&DRY_RUN).exits_with(75);
    }
    let waiting = operator.start(&[&DRY_RUN[..], &["--max-wait", "3h"]].concat());
    std::thread::sleep(Duration::from_secs(3));
    waiting.kill().says("The next query may leave in");
    assert_eq!(fake.posts().len(), 1);
    assert_eq!(count_asked(&operator), 1);
    let log = operator.run(&["audit", "log"]);
    shown(&log, "about to ask Mixpanel which of 5 ids have a profile");
}

fn small_page(call: &Call) -> Reply {
    let id = ["user-17", "user-18", "4711"][call.place];
    let mut page = page(&[json!(id)]);
    page["page"] = json!(call.place);
    page["page_size"] = json!(1);
    page["total"] = json!(3);
    Reply::json(200, &page)
}

#[test]
fn a_wait_counts_the_queries_of_small_pages() {
    let fake = Fake::answering(small_page);
    let operator = set_up(&fake, "queries_per_hour = 2");
    let waiting = operator.start(&[&DRY_RUN[..], &["--max-wait", "3h"]].concat());
    let start = Instant::now();
    while fake.posts().len() < 2 && start.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_secs(2));
    let outcome = waiting.kill();
    outcome.says("2 queries so far").never_says("queries of 1");
    assert_eq!(fake.posts().len(), 2);
    // Without the patience, it ends there.
    let fake = Fake::answering(small_page);
    let operator = set_up(&fake, "queries_per_hour = 2");
    operator.run(&DRY_RUN).exits_with(75).says("the next query");
    assert_eq!(fake.posts().len(), 2);
}

#[test]
fn a_query_that_could_not_leave_costs_nothing() {
    let fake = Fake::answering(profiles);
    let mut operator = set_up(&fake, "queries_per_hour = 1");
    let url = fake.url();
    operator.set("DSR_API_URL", "http://127.0.0.1:9/api/app");
    for _ in 0..3 {
        let outcome = operator.run(&DRY_RUN);
        outcome.exits_with(75).says("nothing was sent");
    }
    operator.set("DSR_API_URL", &url);
    shown(operator.run(&DRY_RUN).exits_with(0), "3 of 5 ids");
    operator.run(&DRY_RUN).exits_with(75);
    assert_eq!(fake.posts().len(), 1);
}

#[test]
fn two_tokens_of_one_project_share_its_hour() {
    let fake = Fake::answering(profiles);
    let operator = set_up(&fake, "queries_per_hour = 1");
    operator.run(&DRY_RUN).exits_with(0);
    let config = std::fs::read_to_string(operator.config_path()).unwrap();
    let other = config.replace("projects.shop", "projects.other");
    operator.write_config(&other.replace(PROJECT_TOKEN, "fedcba9876543210fedcba9876543210"));
    operator.run(&DRY_RUN).exits_with(75);
    assert_eq!(fake.posts().len(), 1);
}

#[test]
fn a_429_without_end_does_not_use_up_the_hour() {
    let fake = Fake::answering(|_| Reply::error(429, "slow down").with("Retry-After", "1"));
    let operator = set_up(&fake, "");
    let args = [&DRY_RUN[..], &["--max-wait", "10s"]].concat();
    operator.run(&args).exits_with(75).says("429");
    // After 2 and 4 more seconds; the next wait is too long.
    assert_eq!(fake.posts().len(), 3);
}
