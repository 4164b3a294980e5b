//! The alarm before and after a legal deadline, whatever else is wrong.

use chrono::{Days, Local};
use serde_json::Value;

use crate::support::{Fake, NOWHERE, Operator, Reply, object_reply};

/// The day `from_today` days from now, as the ledger writes it.
#[expect(clippy::disallowed_methods, reason = "the clock is the test's")]
fn day(from_today: i64) -> String {
    let today = Local::now().date_naive();
    let days = Days::new(from_today.unsigned_abs());
    let day = match from_today < 0 {
        true => today - days,
        false => today + days,
    };
    day.to_string()
}

/// One open request due on each of these days, and one that has ended and is late, too.
fn operator_with_due(fake: &Fake, days: &[i64]) -> Operator {
    let operator = Operator::at_with(fake, "rate = 1000");
    for (place, days) in days.iter().enumerate() {
        let id = format!("id-{place}");
        let args = ["export", "--gdpr", "--ref", &day(*days), "--id", &id];
        operator.run(&args).exits_with(0);
    }
    operator.change_ledger("UPDATE requests SET due = reference");
    operator
        .run(&["export", "--gdpr", "--ref", "ended", "--id", "ended"])
        .exits_with(0);
    operator.change_ledger(
        "UPDATE requests SET due = '2020-01-01' WHERE reference = 'ended';
         UPDATE jobs SET state = 'done', next_check = NULL
         WHERE request = (SELECT id FROM requests WHERE reference = 'ended')",
    );
    operator
}

fn shown(operator: &Operator, args: &[&str]) -> Vec<String> {
    let outcome = operator.run(&[&["status", "--json"], args].concat());
    let requests = outcome.json()["requests"]
        .as_array()
        .expect("a list")
        .clone();
    let due = |request: &Value| request["due"].as_str().expect("a day").to_owned();
    requests.iter().map(due).collect()
}

#[test]
fn only_open_requests_that_are_due_then_are_shown() {
    let fake = Fake::start();
    let operator = operator_with_due(&fake, &[-1, 0, 7, 8]);
    let days = |days: &[i64]| days.iter().map(|day| self::day(*day)).collect::<Vec<_>>();
    assert_eq!(shown(&operator, &["--overdue"]), days(&[-1]));
    assert_eq!(shown(&operator, &["--due-within", "0d"]), days(&[-1, 0]));
    for week in ["7d", "7", "1week"] {
        assert_eq!(shown(&operator, &["--due-within", week]), days(&[-1, 0, 7]));
    }
    let all = shown(&operator, &["--due-within", "2weeks"]);
    assert_eq!(all, days(&[-1, 0, 7, 8]));
    let table = operator.run(&["status", "--overdue"]);
    table.exits_with(0);
    assert!(table.stdout.contains("1d late"), "{table}");
    assert_eq!(table.stdout.matches("export GDPR").count(), 1, "{table}");
    assert!(fake.gets().is_empty(), "nobody was asked");
}

#[test]
fn a_deadline_rings_whatever_else_is_wrong() {
    let fake = Fake::start();
    let mut operator = operator_with_due(&fake, &[-1, 3]);
    let status = |operator: &Operator, args: &[&str]| {
        let outcome = operator.run(&[&["status", "--exit-status"], args].concat());
        (outcome.status, outcome.stdout.is_empty())
    };
    for state in ["unknown", "refused", "failed", "planned", "accepted"] {
        // A request that is not late has this state.
        operator.change_ledger(&format!(
            "UPDATE jobs SET state = '{state}'
             WHERE request = (SELECT id FROM requests WHERE due > '{}')",
            day(1)
        ));
        assert_eq!(
            status(&operator, &["--overdue"]),
            (Some(9), false),
            "{state}"
        );
        assert_eq!(
            status(&operator, &["--due-within", "1d"]).0,
            Some(9),
            "{state}"
        );
    }
    let calls = fake.calls().len();
    // The alarm works without Mixpanel, without a token, and if Mixpanel turns the token away.
    let refusing = Fake::answering(|call| match call.is_post() {
        true => object_reply("t"),
        false => Reply::error(401, "no"),
    });
    operator = operator.without("DSR_TOKEN");
    for url in [refusing.url(), NOWHERE.to_owned()] {
        operator.set("DSR_API_URL", &url);
        assert_eq!(status(&operator, &["--overdue"]).0, Some(9), "{url}");
    }
    assert_eq!(fake.calls().len() + refusing.calls().len(), calls);
}

#[test]
fn an_alarm_is_silent_where_nothing_is_due() {
    let fake = Fake::start();
    let operator = operator_with_due(&fake, &[8]);
    operator.change_ledger(
        "UPDATE jobs SET state = 'unknown'
         WHERE request = (SELECT id FROM requests WHERE reference != 'ended')",
    );
    for args in [
        &["status", "--due-within", "7d", "--quiet"][..],
        &["status", "--overdue", "--exit-status", "--quiet"],
    ] {
        let outcome = operator.run(args);
        outcome.exits_with(0);
        let said = (outcome.stdout.as_str(), outcome.stderr.as_str());
        assert_eq!(said, ("", ""), "{outcome}");
    }
    operator.run(&["status", "--overdue"]).exits_with(0);
    assert!(shown(&operator, &["--overdue"]).is_empty());
    operator.run(&["status", "--exit-status"]).exits_with(6);
}

#[test]
fn an_alarm_asks_nobody_and_takes_whole_days() {
    let operator = Operator::new();
    for args in [
        &["--due-within", "12h"][..],
        &["--due-within", "7.5"],
        &["--due-within", "soon"],
        &["--overdue", "--refresh"],
        &["--overdue", "--watch"],
        &["--overdue", "--changes"],
        &["--overdue", "--due-within", "7d"],
    ] {
        let outcome = operator.run(&[&["status"], args].concat());
        outcome.exits_with(2);
    }
}

#[test]
fn silence_is_not_said_about_requests_whose_answers_nobody_records() {
    let fake = Fake::start();
    let operator = operator_with_due(&fake, &[40]);
    operator
        .run(&["status", "--due-within", "7d"])
        .exits_with(0)
        .says("1 earlier request due by then ended without a recorded answer");
    operator
        .run(&["status", "--overdue"])
        .says("1 earlier request")
        .says("dsr status --all");
    let ended = operator.ledger_texts("SELECT id FROM requests WHERE reference = 'ended'");
    operator
        .run(&["status", "--overdue"])
        .says(&ended[0].chars().take(8).collect::<String>());
    operator.run(&["answered", &ended[0]]).exits_with(0);
    operator
        .run(&["status", "--overdue"])
        .never_says("earlier request");
}
