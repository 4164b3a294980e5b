//! Two hosts with one ledger on a server, when one of them has gone, is set back or may only read.

use crate::shared_ledger::{hosts, login, wait_for};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::preflight::set_up;
use crate::support::{Database, Fake, Operator, OwnServer, Reply, states};

#[test]
fn a_new_trail_begins_by_the_servers_clock() {
    let Some(database) = Database::new() else {
        return;
    };
    let mut ahead = Operator::new().with("DSR_LEDGER_URL", &database.url);
    if !ahead.shift_clock(7200) {
        return;
    }
    ahead.run(&["ledger", "init"]).exits_with(0);
    let times = database.ask("SELECT at, clock_timestamp() > at::timestamptz FROM dsr.audit");
    assert!(times.ends_with("|t"), "{times}");
}

/// Both have seen entries that are lost. What the second has seen may be of the ledger before the
/// restore, and so nothing tells how much of this one it knows.
#[test]
fn a_second_host_that_accepts_names_no_false_lost_time() {
    let fake = Fake::start();
    let Some((database, one, two)) = hosts(&fake) else {
        return;
    };
    let delete = |host: &Operator, id: &str| {
        let sent = host.run(&["delete", "--gdpr", "--yes", "--id", id]);
        sent.exits_with(0);
    };
    delete(&one, "a1");
    let copy = database.copy();
    for id in ["b1", "b2", "b3", "b4", "b5"] {
        delete(&one, id);
    }
    two.run(&["status", "--cached"]).exits_with(0);
    database.becomes(&copy);
    one.run(&["ledger", "accept", "--yes"]).exits_with(0);
    delete(&one, "c1");
    let accepted = two.run(&["ledger", "accept", "--yes"]);
    accepted.exits_with(0).says("was recorded before");
    let status = two.run(&["ledger", "status", "--json"]);
    let lost = &status.json()["ledger"]["set_backs_accepted"];
    assert!(lost[0]["since"].is_string(), "{lost}");
    assert_eq!(lost[1]["since"], serde_json::Value::Null, "{lost}");
    delete(&two, "d1");
    two.run(&["audit", "verify"]).exits_with(0);
}

#[test]
fn a_cancellation_says_that_the_jobs_sender_vanished_and_until_when_to_wait() {
    let fake = Fake::answering_post(0, Reply::Hang);
    let Some((_database, one, two)) = hosts(&fake) else {
        return;
    };
    let running = one.start(&["delete", "--gdpr", "--yes", "a1"]);
    fake.wait_for_posts(1);
    running.kill();
    let id = two.only_request()["id"].as_str().expect("an id").to_owned();
    let waits = two.run(&["cancel", "--yes", &id]);
    waits
        .exits_with(75)
        .says("vanished")
        .says("run `dsr cancel")
        .never_says("is sending it now");
    assert_eq!(fake.posts().len(), 1);
    assert_eq!(states(&two.only_request()), ["sending"]);
}

#[test]
fn an_auditor_sees_without_a_key_what_is_not_sent() {
    let busy = Reply::error(429, "busy").with("Retry-After", "60");
    let fake = Fake::answering(move |_| busy.clone());
    let Some((database, one, mut two)) = hosts(&fake) else {
        return;
    };
    for id in ["a1", "a2"] {
        one.run(&["delete", "--gdpr", "--yes", "--max-wait", "0s", id])
            .exits_with(75);
    }
    two.set(
        "DSR_LEDGER_URL",
        &database.url_as(&login(&database, "dsr_auditor")),
    );
    two.unset("DSR_LEDGER_KEY_FILE");
    let shown = two.run(&["status", "--cached"]);
    shown.exits_with(0).says("deferred");
}

#[test]
fn a_server_that_refuses_is_told_apart_by_what_mends_it() {
    let fake = Fake::start();
    let Some((database, mut one, _two)) = hosts(&fake) else {
        return;
    };
    let delete = ["delete", "--gdpr", "--yes", "a1"];
    let url = one.variable("DSR_LEDGER_URL").expect("it is set");
    one.set("DSR_LEDGER_URL", &url.replace("/test_", "/no_test_"));
    one.run(&delete)
        .exits_with(2)
        .says("CREATE DATABASE")
        .never_says("role of an operator");
    one.set("DSR_LEDGER_URL", &url);
    database.ask_server("ALTER DATABASE {} SET default_transaction_read_only = on");
    one.run(&delete)
        .exits_with(2)
        .says("default_transaction_read_only")
        .never_says("role of an operator");
    database.ask_server("ALTER DATABASE {} RESET default_transaction_read_only");
    let auditor = login(&database, "dsr_auditor");
    one.set("DSR_LEDGER_URL", &database.url_as(&auditor));
    one.run(&delete).exits_with(2).says("role of an operator");
    one.set("DSR_LEDGER_URL", &url);
    one.run(&delete).exits_with(0);

    let limited = Fake::answering_post(0, Reply::error(429, "busy").with("Retry-After", "3"));
    one.set("DSR_API_URL", &limited.url());
    let running = one.start(&["delete", "--gdpr", "--yes", "a2"]);
    limited.wait_for_posts(1);
    database.ask("DROP SCHEMA dsr CASCADE");
    running.end().exits_with(74).says("tables are gone");
    assert_eq!(limited.posts().len(), 1);
    one.give_up_trail();
}

/// No commit ends there. The doctor writes nothing then, and so it does not wait.
#[test]
fn a_server_that_waits_for_its_standby_is_named_soon_and_nothing_is_sent() {
    let Some((database, _server)) = OwnServer::start() else {
        return;
    };
    let fake = Fake::start();
    let host = Operator::at_with(&fake, "rate = 1000").with("DSR_LEDGER_URL", &database.url);
    host.run(&["ledger", "init"]).exits_with(0);
    let host = host.with_ledger_key();
    database.ask("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    database.ask("SELECT pg_reload_conf()");
    let start = Instant::now();
    let doctor = host.run(&["doctor"]);
    doctor.exits_with(11);
    let shown = &doctor.stdout;
    assert!(
        shown.contains("waits for its synchronous standby"),
        "{doctor}"
    );
    assert_eq!(shown.matches("Problem ").count(), 1, "{doctor}");
    assert!(start.elapsed() < Duration::from_secs(20), "{doctor}");
    assert_eq!(fake.calls().len(), 0, "the pace cannot be kept");
    let held = host.start(&["delete", "--gdpr", "--yes", "a1"]);
    let waits = "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    wait_for(&database, waits, "1");
    let second = ["delete", "--gdpr", "--yes", "--lock-timeout", "1s", "a2"];
    host.run(&second)
        .exits_with(11)
        .says("waits for its synchronous standby");
    assert_eq!(fake.posts().len(), 0);
    database.ask("ALTER SYSTEM RESET synchronous_standby_names");
    database.ask("SELECT pg_reload_conf()");
    held.end().exits_with(0);
    assert_eq!(fake.posts().len(), 1);
}

#[test]
fn all_hosts_together_have_at_most_three_queries_under_way() {
    let Some(database) = Database::with_ledger_or_skip().map(Arc::new) else {
        return;
    };
    let page = json!({
        "page": 0, "page_size": 1000, "session_id": "s", "status": "ok", "total": 0, "results": [],
    });
    let fake = Fake::answering(move |call| match call.place {
        0..3 => Reply::Hang,
        _ => Reply::json(200, &page),
    });
    let host = || {
        let mut host = set_up(&fake, "");
        host.uses(&database);
        host.file("ask.csv", "email\nanna@x.test\n");
        host
    };
    let (one, two) = (host(), host());
    let lookup = |wait| ["lookup", "ask.csv", "--max-wait", wait];
    let mut under_way: Vec<_> = [&one, &two, &one]
        .map(|host| host.start(&lookup("15m")))
        .into();
    fake.wait_for_posts(3);
    for host in [&one, &two] {
        let outcome = host.run(&lookup("0s"));
        outcome.exits_with(75).says("queries under way");
    }
    assert_eq!(fake.posts().len(), 3, "nothing was asked");
    // A kill frees its place for every host, and so does an answer.
    under_way.remove(0).kill();
    two.run(&lookup("30s")).exits_with(0);
    for host in [&one, &two] {
        host.run(&lookup("0s")).exits_with(0);
    }
    assert_eq!(fake.posts().len(), 6);
    under_way.into_iter().for_each(|running| {
        running.kill();
    });
}
