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
