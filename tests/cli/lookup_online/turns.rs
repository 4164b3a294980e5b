//! At most three queries of a project are under way at once, and each frees its place with its end,
//! whatever ends it.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{ask, page, row};
use crate::preflight::set_up;
use crate::support::{Fake, Operator, Reply, Running, at_once};

/// The first three queries hang; later ones find nobody.
fn hanging() -> Fake {
    Fake::answering(|call| match call.place {
        0..3 => Reply::Hang,
        _ => Reply::json(200, &page(&[row(&("user-1", json!("anna@x.test")))])),
    })
}

fn three_under_way(fake: &Fake, operator: &Operator) -> Vec<Running> {
    let lookups = (0..3).map(|_| operator.start(&["lookup", "ask.csv"]));
    let lookups = lookups.collect();
    fake.wait_for_posts(3);
    lookups
}

#[test]
fn a_query_that_is_ended_frees_its_place_at_once() {
    at_once(["INT", "TERM", "KILL"], |signal| {
        let fake = hanging();
        let operator = set_up(&fake, "");
        ask(&operator, &["anna@x.test"]);
        let lookups = three_under_way(&fake, &operator);
        for lookup in lookups {
            lookup.signal(signal);
            lookup.end();
        }
        let start = Instant::now();
        let next = operator.run(&["lookup", "ask.csv", "--max-wait", "0s"]);
        next.exits_with(0).never_says("Waiting for");
        assert!(start.elapsed() < Duration::from_secs(10), "{signal}");
        assert_eq!(fake.posts().len(), 4, "{signal}");
    });
}

#[test]
fn lookups_at_once_do_not_use_up_the_hour_for_nothing() {
    let fake = Fake::answering(|call| {
        let has = super::values(call).contains(&"p0@x.test".to_owned());
        let rows = [row(&("user-1", json!("p0@x.test")))];
        Reply::json(200, &page(&rows[..usize::from(has)]))
    });
    let operator = set_up(&fake, "queries_per_hour = 8");
    let many: Vec<String> = (0..600).map(|n| format!("p{n}@x.test")).collect();
    let asked: Vec<&str> = many.iter().map(String::as_str).collect();
    ask(&operator, &asked);
    let lists = ["a.csv", "b.csv", "c.csv"];
    let lookups = lists.map(|list| operator.start(&["lookup", "ask.csv", "-o", list]));
    let outcomes = lookups.map(Running::end);
    let ended: Vec<_> = outcomes.iter().map(|outcome| outcome.status).collect();
    let count = |status| ended.iter().filter(|one| **one == Some(status)).count();
    assert_eq!((count(0), count(75)), (2, 1), "{ended:?}");
    let is_there = |list: &&&str| operator.work().join(list).exists();
    assert_eq!(lists.iter().filter(is_there).count(), 2);
    assert_eq!(fake.posts().len(), 6, "the third one sent nothing");
    let late = outcomes.iter().find(|outcome| outcome.status == Some(75));
    let late = late.expect("one");
    late.says("the last query")
        .says("hourly limit")
        .says("no list was written");
    // Two queries are left, and a claim ends with its process.
    ask(&operator, &asked[..1]);
    operator
        .run(&["lookup", "ask.csv", "--max-wait", "0s"])
        .exits_with(0);
    assert_eq!(fake.posts().len(), 7);
}

#[test]
fn a_claim_on_the_next_queries_is_waited_for_and_ends_with_its_process() {
    let fake = hanging();
    let operator = set_up(&fake, "");
    let many: Vec<String> = (0..201).map(|n| format!("p{n}@x.test")).collect();
    ask(
        &operator,
        &many.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    let first = operator.start(&["lookup", "ask.csv"]);
    fake.wait_for_posts(1);
    ask(&operator, &["anna@x.test"]);
    for wait in ["0s", "1s"] {
        let outcome = operator.run(&["lookup", "ask.csv", "--max-wait", wait]);
        outcome.exits_with(75).says("another dsr has queries");
    }
    assert_eq!(fake.posts().len(), 1);
    first.kill();
    let next = operator.start(&["lookup", "ask.csv", "--max-wait", "0s"]);
    fake.wait_for_posts(2);
    next.kill();
}

#[test]
fn after_a_429_it_is_not_the_projects_own_limit() {
    let fake = Fake::answering(|_| Reply::error(429, "slow down").with("Retry-After", "90"));
    let operator = set_up(&fake, "");
    ask(&operator, &["anna@x.test"]);
    for _ in 0..2 {
        let outcome = operator.run(&["lookup", "ask.csv", "--max-wait", "1s"]);
        let outcome = outcome.exits_with(75).says("Mixpanel refused a query");
        outcome.says("429").never_says("hourly limit");
    }
    assert_eq!(fake.posts().len(), 1);
}

#[test]
fn the_wait_for_a_place_is_told_and_bounded_and_asks_nothing() {
    let fake = hanging();
    let operator = set_up(&fake, "");
    ask(&operator, &["anna@x.test"]);
    let mut lookups = three_under_way(&fake, &operator);
    let asked = |operator: &Operator| {
        let sql = "SELECT event FROM audit WHERE event = 'values_asked'";
        operator.ledger_texts(sql).len()
    };
    let before = asked(&operator);
    for (wait, is_told) in [("0s", false), ("2s", true)] {
        let start = Instant::now();
        let args = ["lookup", "ask.csv", "-o", "found.csv", "--max-wait", wait];
        let outcome = operator.run(&args);
        outcome
            .exits_with(75)
            .says("queries under way")
            .says("no list was written");
        let told = format!("Waiting for a query of another dsr to end, for {wait} at most.");
        assert_eq!(outcome.stderr.contains(&told), is_told, "{outcome}");
        assert!(start.elapsed() < Duration::from_secs(20), "{wait}");
    }
    assert_eq!(fake.posts().len(), 3, "nothing was asked");
    assert_eq!(asked(&operator), before, "and the trail has no entry");
    // With patience, the next place is enough.
    let waiting = operator.start(&["lookup", "ask.csv", "--max-wait", "30s"]);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(fake.posts().len(), 3);
    lookups.remove(0).kill();
    waiting.end().exits_with(0).says("for 30s at most");
    for lookup in lookups {
        lookup.kill();
    }
}
