//! `dsr answered`: only the operator can say when the person was told.

use serde_json::{Value, json};

use crate::minimisation::with_key;
use crate::support::{Call, Fake, Operator, Outcome, Reply, has_calendar, object_reply};

fn quick() -> Fake {
    let results = json!({ "status": "SUCCESS", "distinct_ids": [] });
    let status = Reply::json(200, &json!({ "status": "ok", "results": results }));
    Fake::answering(move |call: &Call| match call.is_post() {
        true => object_reply(&format!("t-{}", call.place)),
        false => status.clone(),
    })
}

fn carried_out(operator: &Operator, id: &str, received: &str) -> String {
    let args = [
        "delete",
        "--gdpr",
        "--yes",
        "--json",
        "--received",
        received,
    ];
    let outcome = operator.run(&[&args[..], &["--id", id]].concat());
    let request = outcome.exits_with(0).request();
    operator.run(&["status", "--refresh"]).exits_with(0);
    request["id"].as_str().expect("an id").to_owned()
}

fn carried_out_today(operator: &Operator) -> String {
    operator.has_an_empty_ledger();
    carried_out(operator, "a1", &today(operator))
}

fn answer(operator: &Operator, request: &str) -> Value {
    let report = operator.run(&["report", request, "--json"]);
    report.exits_with(0).json()["report"]["evidence"]["request"]["answer"].clone()
}

fn figures(operator: &Operator) -> Value {
    let report = operator.run(&["report", "--json"]);
    report.exits_with(0).json()["report"]["evidence"]["figures"][0].clone()
}

fn today(operator: &Operator) -> String {
    operator.ledger_texts("SELECT date('now')").remove(0)
}

fn answers(operator: &Operator) -> Vec<String> {
    operator.ledger_texts("SELECT day || ' ' || COALESCE(manner, '-') FROM answers")
}

#[test]
fn what_mixpanel_has_done_is_no_answer_to_the_person_until_it_is_said() {
    let fake = quick();
    let mut operator = with_key(&fake, "rate = 1000");
    operator.set("TZ", "UTC0");
    let id = carried_out_today(&operator);
    let today = today(&operator);
    let before = answer(&operator, &id);
    assert_eq!(
        (&before["nature"], &before["day"]),
        (&json!("whole"), &Value::Null)
    );
    assert_eq!(
        (&before["timing"], &before["days"]),
        (&json!("no_answer"), &Value::Null)
    );
    let unrecorded = figures(&operator);
    for (key, value) in [("answer_not_recorded", 1), ("in_time", 0), ("late", 0)] {
        assert_eq!(unrecorded[key], value, "{key}");
    }
    assert_eq!(unrecorded["median_days"], Value::Null);

    let calls = fake.calls().len();
    let told = operator.run(&["answered", &id[..8], "--manner", "by e-mail", "--json"]);
    let request = told.exits_with(0).request();
    assert_eq!(request["answered"]["on"], today.as_str());
    assert_eq!(request["answered"]["manner"], "by e-mail");
    assert_eq!(fake.calls().len(), calls, "Mixpanel has no part in it");
    let after = answer(&operator, &id);
    assert_eq!(
        (&after["timing"], &after["days"]),
        (&json!("in_time"), &json!(0))
    );
    assert_eq!(after["manner"], "by e-mail");
    let recorded = figures(&operator);
    for (key, value) in [("answer_not_recorded", 0), ("in_time", 1), ("late", 0)] {
        assert_eq!(recorded[key], value, "{key}");
    }
    let table = operator.run(&["report", "--format", "csv"]);
    assert!(table.stdout.contains(",by e-mail\r\n"), "{table}");
    operator.run(&["audit", "verify"]).exits_with(0);
}

#[test]
fn a_second_word_corrects_the_first_and_the_trail_keeps_both() {
    let fake = quick();
    let mut operator = with_key(&fake, "rate = 1000");
    operator.set("TZ", "UTC0");
    let id = carried_out(&operator, "a1", "2026-01-05");
    let say = |on: &str| {
        let args = [
            "answered",
            &id,
            "--on",
            on,
            "--manner",
            "to Anna M. by letter",
        ];
        operator.run(&args)
    };
    say("2026-01-07").exits_with(0).never_says("corrects");
    say("2026-02-06")
        .exits_with(0)
        .says("corrects the answer of 2026-01-07");
    assert_eq!(answers(&operator), ["2026-02-06 to Anna M. by letter"]);
    let late = answer(&operator, &id);
    assert_eq!(
        (&late["timing"], &late["days"]),
        (&json!("late"), &json!(32))
    );
    let log = operator.run(&["audit", "log", &id[..8], "--json"]);
    let entries = log.exits_with(0).json()["audit"]["entries"].clone();
    let entries = entries.as_array().expect("entries");
    let told: Vec<&Value> = entries
        .iter()
        .filter(|entry| entry["event"] == "answer_recorded")
        .map(|entry| &entry["details"])
        .collect();
    assert_eq!(
        (&told[0]["day"], &told[0]["day_before"]),
        (&json!("2026-01-07"), &Value::Null)
    );
    assert_eq!(told[1]["day_before"], "2026-01-07");
    assert!(
        !log.stdout.contains("Anna M."),
        "words about people stay out of it"
    );
    operator.run(&["audit", "verify"]).exits_with(0);
    // A change of the file makes the answer timely.
    operator.tamper_with("UPDATE answers SET day = '2026-02-05'");
    let found = operator.run(&["audit", "verify"]);
    found.exits_with(74);
    assert!(found.stdout.contains(&format!("request {id}")), "{found}");
}

#[test]
fn a_day_that_cannot_be_and_a_name_too_short_record_nothing() {
    let fake = quick();
    let operator = with_key(&fake, "rate = 1000");
    let id = carried_out(&operator, "a1", "2026-01-05");
    let refused = |args: &[&str], why: &str| {
        let outcome = operator.run(&[&["answered"], args].concat());
        outcome.exits_with(2).says(why).says("nothing was recorded");
    };
    refused(&[&id, "--on", "2099-01-01"], "is in the future");
    refused(&[&id, "--on", "2026-01-04"], "before the day of receipt");
    let short = operator.run(&["answered", &id[..3]]);
    short.exits_with(2).says("at least 4 characters");
    refused(&[&id, "--manner", " "], "`--manner` is empty");
    assert_eq!(answers(&operator), [""; 0]);
    operator.run(&["answered", "zzzz"]).exits_with(2);
}

#[test]
fn an_answered_request_cannot_be_extended() {
    let fake = quick();
    let operator = with_key(&fake, "rate = 1000");
    let id = carried_out_today(&operator);
    operator.run(&["answered", &id]).exits_with(0);
    let extend = operator.run(&["extend", &id, "--reason", "many", "--json"]);
    extend.exits_with(2);
    assert_eq!(extend.failure()["kind"], "answered");
    assert_eq!(
        operator.ledger_texts("SELECT reason FROM extensions"),
        [""; 0]
    );
}

#[test]
fn an_answer_may_come_before_mixpanel_has_finished_and_then_no_day_passes() {
    if !has_calendar() {
        return;
    }
    let fake = Fake::start();
    let mut operator = with_key(&fake, "rate = 1000");
    operator.lives_on("2026-03-02");
    operator
        .run(&["delete", "--gdpr", "--yes", "a1"])
        .exits_with(0);
    let id = operator.only_request()["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let early = operator.run(&["answered", &id]);
    early.exits_with(0).says("Mixpanel has not finished");
    assert_eq!(answer(&operator, &id)["nature"], "open");
    operator.lives_on("2026-06-01");
    let look = |operator: &Operator| operator.run(&["status", "--cached", "--exit-status"]);
    look(&operator).exits_with(8);
    operator.tamper_with("DELETE FROM answers");
    operator.give_up_trail();
    look(&operator).exits_with(9);
}

#[track_caller]
fn reminds(outcome: &Outcome, id: &str) {
    outcome.says(&format!("`dsr answered {} --on DATE`", &id[..8]));
}

/// A ledger in which nobody records answers raises no alarm. After the first recorded answer, dsr
/// reminds of later missing ones.
#[test]
fn a_missing_answer_is_an_alarm_only_where_answers_are_recorded() {
    if !has_calendar() {
        return;
    }
    let fake = quick();
    let mut operator = with_key(&fake, "rate = 1000");
    let look = |operator: &Operator| operator.run(&["status", "--cached", "--exit-status"]);
    operator.lives_on("2026-03-02");
    let old = carried_out(&operator, "a1", "2026-03-02");
    operator.lives_on("2026-06-01");
    look(&operator).exits_with(0).never_says("dsr answered");
    let told = carried_out(&operator, "a2", "2026-06-01");
    operator.run(&["answered", &told]).exits_with(0);
    operator.lives_on("2026-06-02");
    let new = carried_out(&operator, "a3", "2026-06-02");
    look(&operator)
        .exits_with(0)
        .says(&format!("`dsr answered {}`", &new[..8]));
    operator.lives_on("2026-08-01");
    let late = look(&operator);
    reminds(late.exits_with(9), &new);
    late.never_says(&old[..8]);
    let alarm = operator.run(&["status", "--overdue", "--exit-status"]);
    let shown = &alarm.exits_with(9).stdout;
    assert!(
        shown.contains(&new[..8]) && !shown.contains(&old[..8]),
        "{alarm}"
    );
    operator
        .run(&["status", &new, "--cached", "--exit-status"])
        .exits_with(9);
    operator
        .run(&["answered", &new, "--on", "2026-06-10"])
        .exits_with(0);
    look(&operator).exits_with(0);
    let alarm = operator.run(&["status", "--overdue", "--exit-status"]);
    alarm.exits_with(0).says("is overdue");
}

#[test]
fn an_answer_after_the_due_date_is_called_late_at_once() {
    let fake = quick();
    let mut operator = with_key(&fake, "rate = 1000");
    operator.set("TZ", "UTC0");
    let id = carried_out(&operator, "a1", "2026-01-05");
    let on = |day: &str| operator.run(&["answered", &id, "--on", day]);
    let status = |args: &[&str]| operator.run(&[&["status", "--cached"], args].concat());
    let in_time = on("2026-02-05");
    in_time.exits_with(0).never_says("days late");
    assert!(!in_time.stdout.contains("late"), "{in_time}");
    let late = on("2026-02-08");
    assert!(late.exits_with(0).stdout.contains("3 days late"), "{late}");
    assert!(status(&[&id]).stdout.contains("3 days late"));
    assert!(status(&["--all"]).stdout.contains("3d late"));
    let json = operator.run(&["answered", &id, "--on", "2026-02-06", "--json"]);
    assert_eq!(json.request()["answered"]["days_late"], 1);
    let day = operator.run(&["status", &id, "--cached"]);
    assert!(day.stdout.contains("1 day late"), "{day}");
}

#[test]
fn a_correction_keeps_the_manner_and_the_trail_says_when_it_changed() {
    let fake = quick();
    let mut operator = with_key(&fake, "rate = 1000");
    operator.set("TZ", "UTC0");
    let id = carried_out(&operator, "a1", "2026-01-05");
    for args in [
        &["--on", "2026-01-07"][..],
        &["--on", "2026-01-08", "--manner", "by e-mail"],
        &["--on", "2026-01-09"],
        &["--on", "2026-01-09", "--manner", "by letter"],
    ] {
        operator
            .run(&[&["answered", &id], args].concat())
            .exits_with(0);
        if args[1] == "2026-01-09" && args.len() == 2 {
            assert_eq!(answers(&operator), ["2026-01-09 by e-mail"]);
        }
    }
    assert_eq!(answers(&operator), ["2026-01-09 by letter"]);
    let manners = operator.ledger_texts(
        "SELECT details ->> '$.manner' FROM audit WHERE event = 'answer_recorded' ORDER BY seq",
    );
    assert_eq!(manners, ["none", "recorded", "kept", "changed"]);
    let log = operator.run(&["audit", "log", &id[..8]]);
    for text in [
        "answered on 2026-01-07",
        "answered on 2026-01-08, previously 2026-01-07; manner recorded",
        "manner changed",
    ] {
        assert!(log.stdout.contains(text), "{text}\n{log}");
    }
    operator.run(&["audit", "verify"]).exits_with(0);
}

#[test]
fn personal_data_in_the_manner_is_warned_of_and_not_repeated() {
    let fake = quick();
    let mut operator = with_key(&fake, "rate = 1000");
    operator.set("TZ", "UTC0");
    let delete = ["delete", "--gdpr", "--yes", "--id", "User-4711-x"];
    operator.run(&delete).exits_with(0);
    let id = operator.only_request()["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let tell = |manner: &str| operator.run(&["answered", &id, "--manner", manner]);
    let warned = |manner: &str, what: &str, value: &str| {
        let outcome = tell(manner);
        outcome.exits_with(0).says("personal data").says(what);
        assert!(!outcome.stderr.contains(value), "{outcome}");
    };
    warned("letter to (User-4711-x).", "an id of this request", "4711");
    operator.run(&["status", "--refresh"]).exits_with(0);
    // Hashes have replaced the ids.
    warned(
        "letter to user User-4711-x",
        "an id of this request",
        "4711",
    );
    warned("to anna@example.test", "an e-mail address", "anna");
    let fine = tell("by e-mail, ticket T-4711");
    fine.exits_with(0).never_says("personal data");
    let json = operator.run(&["answered", &id, "--manner", "to a@b.test", "--json"]);
    assert_eq!(json.json()["warnings"][0]["kind"], "personal_data");
}

#[test]
fn the_first_answer_of_a_ledger_says_that_reminders_begin() {
    let fake = quick();
    let operator = with_key(&fake, "rate = 1000");
    operator.has_an_empty_ledger();
    let day = today(&operator);
    let (one, two) = (
        carried_out(&operator, "a1", &day),
        carried_out(&operator, "a2", &day),
    );
    let first = operator.run(&["answered", &one]);
    first.exits_with(0).says("From now on");
    first.says("status 9");
    let second = operator.run(&["answered", &two]);
    second.exits_with(0).never_says("From now on");
    let again = operator.run(&["answered", &one]);
    again.exits_with(0).never_says("From now on");
}

#[test]
fn without_a_day_the_recorded_day_stays() {
    let fake = quick();
    let mut operator = with_key(&fake, "rate = 1000");
    operator.set("TZ", "UTC0");
    let id = carried_out(&operator, "a1", "2026-01-05");
    let tell = |args: &[&str]| operator.run(&[&["answered", &id], args].concat());
    tell(&["--on", "2026-01-07"]).exits_with(0);
    let manner = tell(&["--manner", "by post"]);
    manner.exits_with(0).never_says("corrects");
    manner.says("The day stays 2026-01-07").says("--on DATE");
    assert_eq!(answers(&operator), ["2026-01-07 by post"]);
    assert_eq!(answer(&operator, &id)["timing"], "in_time");
    let entries = || operator.ledger_texts("SELECT COUNT(*) || '' FROM audit");
    let before = entries();
    for again in [&[][..], &["--on", "2026-01-07"], &["--manner", "by post"]] {
        let again = tell(again);
        again.exits_with(0).never_says("corrects");
        again.says("already recorded");
    }
    assert_eq!(entries(), before, "nothing new was said");
    tell(&["--on", "2026-01-08"])
        .exits_with(0)
        .says("corrects the answer of 2026-01-07");
}

#[test]
fn an_answer_before_the_deletion_was_done_gets_a_warning() {
    let fake = quick();
    let mut operator = with_key(&fake, "rate = 1000");
    operator.set("TZ", "UTC0");
    let id = carried_out(&operator, "a1", "2026-01-05");
    let early = operator.run(&["answered", &id, "--on", "2026-01-07", "--json"]);
    let warning = &early.exits_with(0).json()["warnings"][0];
    assert_eq!(warning["kind"], "early_answer", "{early}");
    let message = warning["message"].as_str().unwrap_or_default();
    let day = today(&operator);
    assert!(message.contains(&format!("on {day}")), "{early}");
    let fine = operator.run(&["answered", &id, "--on", &day]);
    fine.exits_with(0).never_says("finished");
}

#[test]
fn a_request_that_was_given_up_is_not_said_to_be_not_carried_out() {
    let fake = Fake::answering(|call: &Call| match call.is_post() {
        true => Reply::json(201, &json!({ "status": "ok", "results": {} })),
        false => Reply::error(404, "no"),
    });
    let operator = Operator::at_with(&fake, "rate = 1000");
    operator
        .run(&["delete", "--gdpr", "--yes", "a1"])
        .exits_with(6);
    let id = operator.only_request()["id"].clone();
    let id = id.as_str().expect("an id");
    operator.run(&["resume", id, "--abandon"]).exits_with(0);
    let status = operator.run(&["status", id, "--cached"]);
    status.exits_with(0).never_says("not carried out");
    assert!(status.stdout.contains("outcome unknown"), "{status}");
}
