//! `dsr extend`: the law's further time, once, inside the first period, and with a reason.

use serde_json::{Value, json};

use crate::support::{Fake, Operator, Outcome, has_calendar};

const REASON: &str = "over 400 requests since November";

fn operator_with_request(fake: &Fake, args: &[&str]) -> (Operator, String) {
    let operator = Operator::at(fake);
    operator.run(args).exits_with(0);
    let id = operator.only_request()["id"]
        .as_str()
        .expect("a request has an id")
        .to_owned();
    (operator, id)
}

fn extend(operator: &Operator, id: &str) -> Outcome {
    operator.run(&["extend", id, "--reason", REASON])
}

#[test]
fn a_request_is_extended_by_what_its_law_allows() {
    if !has_calendar() {
        return;
    }
    let fake = Fake::start();
    for (law, received, day, before, after) in [
        (
            "--gdpr",
            "2025-01-31",
            "2025-02-03",
            "2025-02-28",
            "2025-04-30",
        ),
        (
            "--gdpr",
            "2026-11-30",
            "2026-12-30",
            "2026-12-30",
            "2027-03-01",
        ),
        // The end of the third month is a holiday of the project.
        (
            "--gdpr",
            "2026-10-01",
            "2026-10-01",
            "2026-11-02",
            "2027-01-04",
        ),
        (
            "--ccpa",
            "2026-11-05",
            "2026-12-20",
            "2026-12-20",
            "2027-02-03",
        ),
    ] {
        let mut operator = Operator::at_with(&fake, "rate = 1000\nholidays = [2027-01-01]");
        operator.lives_on(received);
        operator.run(&["export", law, "a1", "--new"]).exits_with(0);
        let id = operator.only_request()["id"].as_str().unwrap().to_owned();
        let calls = fake.calls().len();
        operator.lives_on(day);
        let extended = operator.run(&["extend", &id[..8], "--reason", REASON, "--json"]);
        let request = extended.exits_with(0).request();
        assert_eq!(request["due"], after, "{law} {received}");
        assert_eq!(request["extended"], true);
        let extension = &request["extension"];
        for (key, value) in [
            ("day", day),
            ("reason", REASON),
            ("due_before", before),
            ("due_after", after),
            ("tell_by", before),
        ] {
            assert_eq!(extension[key], value, "{key}: {extension:#}");
        }
        assert!(extension["at"].as_str().unwrap().starts_with(day));
        assert_eq!(fake.calls().len(), calls, "nobody is asked or told");
        let kept = "SELECT due_before || ' ' || due_after || ' ' || reason FROM extensions";
        let kept = operator.ledger_texts(kept);
        assert_eq!(kept, [format!("{before} {after} {REASON}")]);
        let dues = operator.ledger_texts("SELECT due FROM requests");
        assert_eq!(dues, [after]);
    }
}

#[test]
fn the_operator_is_told_whom_to_tell_and_until_when() {
    let fake = Fake::start();
    for law in ["--gdpr", "--ccpa"] {
        let (operator, id) = operator_with_request(&fake, &["export", law, "--new", "a1"]);
        let before = operator.only_request()["due"].as_str().unwrap().to_owned();
        let outcome = extend(&operator, &id);
        outcome.exits_with(0).says(&format!("by {before} (in "));
        let later = operator.run(&["status", &id, "--cached"]);
        for shown in [&outcome, &later] {
            for text in [REASON, &format!("from {before}")] {
                assert!(shown.stdout.contains(text), "`{text}`\n{shown}");
            }
        }
    }
}

#[test]
fn what_the_law_does_not_allow_is_refused_and_changes_nothing() {
    let fake = Fake::start();
    let first = ["export", "--gdpr", "a1"];
    let (operator, id) = operator_with_request(&fake, &first);
    let before = operator.only_request();
    for (args, words) in [
        (&["extend", id.as_str()][..], "--reason"),
        (&["extend", &id, "--reason", ""], "empty"),
        (&["extend", &id, "--reason", " \t"], "empty"),
        (&["extend", "nothing", "--reason", REASON], "nothing"),
        (
            &["extend", &id, "--reason", REASON, "--project", "other"],
            "not in the one named with",
        ),
    ] {
        operator.run(args).exits_with(2).says(words);
        assert_eq!(operator.only_request(), before, "{args:?}");
    }
    extend(&operator, &id).exits_with(0);
    let extended = operator.only_request();
    let again = extend(&operator, &id);
    again
        .exits_with(2)
        .says("only once")
        .says("GDPR Art. 12(3), extended");
    let again = operator.run(&["extend", &id, "--reason", "another", "--json"]);
    assert_eq!(again.exits_with(2).failure()["kind"], "extended");
    assert_eq!(operator.only_request(), extended);
}

#[test]
fn after_the_first_period_it_is_too_late() {
    let fake = Fake::start();
    for (law, rule) in [
        ("--gdpr", "within one month of receipt"),
        ("--ccpa", "within the first 45 days"),
    ] {
        let args = ["export", law, "--new", "a1", "--received", "2026-01-05"];
        let (operator, id) = operator_with_request(&fake, &args);
        let before = operator.only_request();
        let late = extend(&operator, &id);
        late.exits_with(2).says("too late").says(rule);
        let late = operator.run(&["extend", &id, "--reason", REASON, "--json"]);
        assert_eq!(late.exits_with(2).failure()["kind"], "too_late");
        assert_eq!(operator.only_request(), before);
    }
}

/// A restored ledger may lack an extension of which the person was told in time.
#[test]
fn an_extension_of_which_the_person_was_told_in_time_is_recorded_later() {
    if !has_calendar() {
        return;
    }
    let fake = Fake::start();
    let mut operator = Operator::at(&fake);
    operator.lives_on("2026-10-01");
    operator
        .run(&["delete", "--gdpr", "--yes", "a1"])
        .exits_with(0);
    let id = operator.only_request()["id"].clone();
    let id = id.as_str().expect("an id");
    operator.lives_on("2026-11-20");
    let extend = |on: &str| operator.run(&["extend", id, "--reason", REASON, "--on", on]);
    extend("2026-11-03").exits_with(2).says("too late");
    extend("2026-11-21").exits_with(2).says("in the future");
    extend("2026-09-30")
        .exits_with(2)
        .says("before the day of receipt");
    assert_eq!(operator.only_request()["extended"], false);
    extend("2026-10-30")
        .exits_with(0)
        .never_says("Tell the person");
    let request = operator.only_request();
    assert_eq!(request["extension"]["day"], "2026-10-30", "{request}");
    assert_eq!(request["due"], "2027-01-01", "{request}");
    operator.run(&["audit", "verify"]).exits_with(0);
}

#[test]
fn the_last_day_of_the_first_period_is_inside_it_and_the_next_is_not() {
    if !has_calendar() {
        return;
    }
    let fake = Fake::start();
    // 28 February 2026 is a Saturday, so the month ends on 2 March.
    for (day, status) in [("2026-03-02", 0), ("2026-03-03", 2)] {
        let mut operator = Operator::at(&fake);
        operator.lives_on("2026-01-28");
        operator
            .run(&["export", "--gdpr", "--new", "a1"])
            .exits_with(0);
        let id = operator.only_request()["id"].as_str().unwrap().to_owned();
        assert_eq!(operator.only_request()["due"], "2026-03-02");
        operator.lives_on(day);
        extend(&operator, &id).exits_with(status);
    }
}

#[test]
fn of_many_at_once_one_extends() {
    let fake = Fake::start();
    let (operator, id) = operator_with_request(&fake, &["export", "--gdpr", "a1"]);
    let args = |reason| ["extend", &id, "--reason", reason].map(str::to_owned);
    let reasons = ["one", "two", "three", "four"];
    let running = reasons.map(|reason| {
        let args = args(reason);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        operator.start(&args)
    });
    let mut ends = running.map(|running| running.end());
    ends.sort_by_key(|outcome| outcome.status);
    let statuses = ends.each_ref().map(|outcome| outcome.status);
    assert_eq!(statuses, [Some(0), Some(2), Some(2), Some(2)]);
    let kept = operator.ledger_texts("SELECT reason FROM extensions");
    assert_eq!(kept.len(), 1);
    assert!(ends[0].stdout.contains(&kept[0]), "{}", ends[0]);
    assert!(ends[1].stderr.contains("only once"), "{}", ends[1]);
}

#[test]
fn a_request_of_a_project_that_is_gone_is_extended_without_holidays() {
    let fake = Fake::start();
    let (operator, id) = operator_with_request(&fake, &["export", "--gdpr", "a1"]);
    operator.write_config("");
    let outcome = extend(&operator, &id);
    outcome.exits_with(0).says("dsr knows no holidays");
    assert_eq!(operator.only_request()["extended"], true);
}

#[test]
fn a_request_that_was_not_extended_says_so() {
    let fake = Fake::start();
    let (operator, _) = operator_with_request(&fake, &["export", "--gdpr", "a1"]);
    let request = operator.only_request();
    assert_eq!(
        (&request["extended"], &request["extension"]),
        (&json!(false), &Value::Null)
    );
}

#[test]
fn a_reason_steers_no_terminal_and_forges_no_line() {
    let fake = Fake::start();
    let (operator, id) = operator_with_request(&fake, &["export", "--gdpr", "a1"]);
    let reason = "\u{1b}[2Jx\n  Due         2099-01-01";
    let outcome = operator.run(&["extend", &id, "--reason", reason]);
    outcome.exits_with(0).never_says("\u{1b}");
    let due = outcome.stdout.lines();
    let due = due.filter(|line| line.starts_with("  Due"));
    assert_eq!(due.count(), 1, "{outcome}");
}
