//! The deadlines of the laws and of Mixpanel: how dsr computes and shows them, and when it warns.
//! Other days than today need libfaketime.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::{
    Fake, Operator, Outcome, Reply, Terminal, has_calendar, object_reply, status_reply, usual,
};

const NOT_ADVICE: &str = "not legal advice";
const MONTH: &str = "GDPR Art. 12(3): one month from receipt, or the next working day";
const DAYS: &str = "11 CCR §7021(b): 45 calendar days from receipt";
const CONFIRMATION: &str = "11 CCR §7021(a): 10 business days from receipt";

pub(crate) fn kinds(outcome: &Outcome) -> Vec<String> {
    let object = outcome.json();
    let warnings = object["warnings"].as_array().cloned().unwrap_or_default();
    let kind = |warning: &Value| warning["kind"].as_str().unwrap_or("").to_owned();
    warnings.iter().map(kind).collect()
}

/// An operator with these settings, who has lived on no other day yet.
fn operator_with(fake: &Fake, settings: &str) -> Operator {
    Operator::at_with(fake, &format!("rate = 1000\n{settings}"))
}

fn turning_away() -> Fake {
    Fake::answering_posts(Reply::error(403, "no"))
}

#[track_caller]
fn shows_once(outcome: &Outcome, text: &str) {
    let shown = format!("{}{}", outcome.stdout, outcome.stderr).to_lowercase();
    let count = shown.matches(&text.to_lowercase()).count();
    assert_eq!(count, 1, "`{text}`, once\n{outcome}");
}

#[test]
fn due_dates_follow_the_law_and_the_day_of_receipt() {
    if !has_calendar() {
        return;
    }
    let fake = Fake::start();
    let holidays = "holidays = [2026-12-25, 2027-01-01, \"2027-03-29\"]";
    let mut operator = operator_with(&fake, holidays);
    // Law, day of receipt, due, last safe day, confirm by.
    let vectors = [
        ("--gdpr", "2025-09-03", "2025-10-03", "2025-09-03", None),
        ("--gdpr", "2026-08-31", "2026-09-30", "2026-08-31", None),
        ("--gdpr", "2026-03-31", "2026-04-30", "2026-03-31", None),
        ("--gdpr", "2025-01-30", "2025-02-28", "2025-01-29", None),
        ("--gdpr", "2024-01-30", "2024-02-29", "2024-01-30", None),
        ("--gdpr", "2026-11-25", "2026-12-28", "2026-11-28", None),
        ("--gdpr", "2027-02-27", "2027-03-30", "2027-02-28", None),
        (
            "--ccpa",
            "2026-11-05",
            "2026-12-20",
            "2026-11-20",
            Some("2026-11-19"),
        ),
        (
            "--ccpa",
            "2026-12-18",
            "2027-02-01",
            "2027-01-02",
            Some("2027-01-05"),
        ),
    ];
    for (law, received, due, last, confirm) in vectors {
        operator.lives_on(received);
        let plan = operator.run(&["delete", law, "a1", "--dry-run", "--json"]);
        let plan = plan.exits_with(0).request();
        assert_eq!(plan["received"], received, "today, if nothing is said");
        assert_eq!(plan["due"], due, "{law} {received}");
        assert_eq!(plan["last_safe_day"], last, "{law} {received}");
        assert_eq!(plan["confirm_by"], json!(confirm), "{law} {received}");
    }
    fake.was_not_called();
}

#[test]
fn a_deletion_that_is_late_on_the_day_it_arrives_is_to_be_submitted_at_once() {
    if !has_calendar() {
        return;
    }
    let fake = Fake::start();
    let mut operator = operator_with(&fake, "");
    operator.lives_on("2025-01-31");
    let plan = operator.run(&["delete", "--gdpr", "a1", "--dry-run"]);
    plan.exits_with(0)
        .says("submit at once: it is due on 2025-02-28")
        .says("Mixpanel may need until 2025-03-02");
    for text in ["Due         2025-02-28, in 28 days", MONTH] {
        assert!(plan.stdout.contains(text), "`{text}`\n{plan}");
    }
    let submit =
        "Submit by   at once: 2025-01-29 was the last safe day; Mixpanel may need until 2025-03-02";
    assert!(plan.stdout.contains(submit), "{plan}");
    let sent = operator.run(&["delete", "--gdpr", "--yes", "a1", "--json"]);
    assert_eq!(kinds(sent.exits_with(0)), ["last_safe_day"]);
    assert_eq!(fake.posts().len(), 1, "and it is submitted");
    // A month that is long enough.
    operator.lives_on("2025-03-03");
    let sent = operator.run(&["delete", "--gdpr", "--yes", "a2", "--json"]);
    assert!(kinds(sent.exits_with(0)).is_empty(), "{sent}");
}

#[test]
fn the_question_names_the_dates_and_their_rules_before_it_is_answered() {
    let fake = Fake::start();
    let operator = operator_with(&fake, "")
        .with("TERM", "xterm")
        .with("NO_COLOR", "1");
    for (law, words) in [
        ("--gdpr", &["Due         2", MONTH, "Submit by   "][..]),
        ("--ccpa", &[DAYS, "Confirm by  2", CONFIRMATION]),
    ] {
        let mut terminal = Terminal::start(operator.command(&["delete", law, "a1"]));
        terminal.sees("confirm");
        terminal.types("no");
        let (status, screen) = terminal.ends();
        assert_eq!(status, 2, "{screen}");
        for words in words {
            assert!(screen.contains(words), "`{words}`\n{screen}");
        }
        assert_eq!(screen.matches(NOT_ADVICE).count(), 1, "{screen}");
    }
    fake.was_not_called();
}

#[test]
fn a_day_of_receipt_in_the_future_is_refused_and_one_long_past_is_warned_of() {
    if !has_calendar() {
        return;
    }
    let fake = Fake::start();
    let mut operator = operator_with(&fake, "");
    operator.lives_on("2026-06-15");
    let run = |received: &str| {
        operator.run(&[
            "export",
            "--gdpr",
            "a1",
            "--new",
            "--received",
            received,
            "--json",
        ])
    };
    let refused = run("2026-06-16");
    assert_eq!(refused.exits_with(2).failure()["kind"], "usage");
    assert!(operator.requests().is_empty());
    fake.was_not_called();
    for (received, warnings) in [
        ("2026-06-15", &[][..]),
        ("2026-06-14", &["last_safe_day"]),
        ("2026-05-15", &["last_safe_day"]),
        ("2026-05-12", &["received"]),
        ("2025-06-15", &["received"]),
    ] {
        let sent = run(received);
        assert_eq!(kinds(sent.exits_with(0)), warnings, "{received}");
        let overdue = json!(warnings == ["received"]);
        assert_eq!(sent.request()["overdue"], overdue, "{received}");
    }
    let said = operator.run(&["export", "--gdpr", "a2", "--received", "2025-06-15"]);
    said.exits_with(0)
        .says("the person asked 365 days ago")
        .says("due on 2025-07-15")
        .says(MONTH);
    let listed = operator.run(&["status", "--cached"]);
    assert!(listed.stdout.contains("335d late"), "{listed}");
}

#[test]
fn a_day_of_receipt_before_the_laws_is_refused() {
    let fake = Fake::start();
    let operator = operator_with(&fake, "");
    for day in ["2017-12-31", "1970-01-01", "0026-11-29"] {
        let args = ["delete", "--gdpr", "--yes", "a1", "--received", day];
        operator.run(&args).exits_with(2).says("2018-01-01");
        let json = operator.run(&[&args[..], &["--json"]].concat());
        assert_eq!(json.exits_with(2).failure()["kind"], "usage");
    }
    fake.was_not_called();
    assert!(operator.requests().is_empty());
    let args = ["export", "--gdpr", "a1", "--received", "2018-01-01"];
    operator.run(&args).exits_with(0);
}

#[test]
fn days_are_the_operators_own() {
    let fake = Fake::start();
    #[expect(clippy::disallowed_methods, reason = "the test's own clock")]
    let now = || -> DateTime<Utc> { Utc::now() };
    // Kiritimati is always a day ahead of Baker Island.
    for (zone, hours) in [("<+14>-14", 14), ("<-12>12", -12)] {
        let operator = operator_with(&fake, "").with("TZ", zone);
        let there = |now: DateTime<Utc>| (now + TimeDelta::hours(hours)).date_naive();
        let before = there(now());
        let plan = operator.run(&["export", "--ccpa", "a1", "--dry-run", "--json"]);
        let plan = plan.exits_with(0).request();
        let days = [before, there(now())].map(|day| json!(day.to_string()));
        assert!(days.contains(&plan["received"]), "{zone}: {plan:#}");
        let tomorrow = (there(now()) + Days::new(1)).to_string();
        let tomorrow = ["export", "--ccpa", "a1", "--received", &tomorrow];
        operator.run(&tomorrow).exits_with(2).says("in the future");
    }
    fake.was_not_called();
}

#[test]
fn holidays_of_other_years_only_are_told_of() {
    if !has_calendar() {
        return;
    }
    let fake = Fake::start();
    let mut operator = operator_with(&fake, "holidays = [2026-01-01, 2026-12-25]");
    let warned = |operator: &Operator, law: &str| {
        let plan = operator.run(&["export", law, "a1", "--dry-run", "--json"]);
        kinds(plan.exits_with(0)).contains(&"old_holidays".to_owned())
    };
    operator.lives_on("2026-11-24");
    assert!(!warned(&operator, "--gdpr"), "due in 2026");
    assert!(!warned(&operator, "--ccpa"), "due in 2027, and not moved");
    for (law, warnings) in [("--gdpr", &["old_holidays"][..]), ("--ccpa", &[])] {
        let sent = operator.run(&["export", law, "a1", "--json"]).request();
        let id = sent["id"].as_str().unwrap();
        let extended = operator.run(&["extend", id, "--reason", "many", "--json"]);
        assert_eq!(kinds(extended.exits_with(0)), warnings, "into 2027");
    }
    operator.lives_on("2026-12-24");
    assert!(warned(&operator, "--gdpr"));
    assert!(warned(&operator, "--ccpa"), "confirmed by 8 January");
    let said = operator.run(&["export", "--gdpr", "a1", "--dry-run"]);
    said.says("`shop` lists no holidays of 2027");
    let mut without = operator_with(&fake, "");
    without.lives_on("2026-12-24");
    assert!(!warned(&without, "--gdpr"), "a company may list none");
}

#[test]
fn what_is_not_sent_is_told_its_last_safe_day_until_it_is_over() {
    if !has_calendar() {
        return;
    }
    let (closed, fake) = (turning_away(), Fake::start());
    let mut operator = operator_with(&closed, "");
    operator.lives_on("2026-03-02");
    operator
        .run(&["delete", "--ccpa", "--yes", "a1"])
        .exits_with(4);
    let id = operator.only_request()["id"].as_str().unwrap().to_owned();
    let status = |operator: &Operator| operator.run(&["status", "--cached"]);
    status(&operator).says("last safe day to submit is 2026-03-17 (in 15 days)");
    let shown = operator.run(&["status", "--cached", &id]);
    let line = "Submit by   2026-03-17, in 15 days: Mixpanel may need 30 days";
    assert!(shown.stdout.contains(line), "{shown}");
    operator.lives_on("2026-03-17");
    status(&operator)
        .says("2026-03-17 (today)")
        .never_says("at once");
    operator.lives_on("2026-03-18");
    let late = status(&operator);
    late.says("submit at once with `dsr resume")
        .says("due on 2026-04-16")
        .says(DAYS)
        .says("Mixpanel may need until 2026-04-17");
    let json = operator.run(&["status", "--cached", "--json"]);
    assert_eq!(kinds(&json), ["last_safe_day"]);
    operator.lives_on("2026-04-17");
    status(&operator).says("its answer was due on 2026-04-16");
    let json = operator.run(&["status", "--cached", "--json"]);
    assert_eq!(kinds(&json), ["overdue"]);
    let request = json.json()["requests"][0].clone();
    assert_eq!(
        (&request["days_left"], &request["overdue"]),
        (&json!(-1), &json!(true))
    );
    // A request that was sent has no last day to submit.
    operator.set("DSR_API_URL", &fake.url());
    operator.run(&["resume", &id]).exits_with(0);
    let sent = status(&operator);
    sent.never_says("submit");
    assert!(sent.stdout.contains("1d late"), "{sent}");
}

#[test]
fn the_overdue_that_need_the_operator_come_first_then_the_others_by_their_due_dates() {
    let (closed, fake) = (turning_away(), Fake::start());
    let mut operator = operator_with(&fake, "");
    let ago = |days: u64| {
        #[expect(clippy::disallowed_methods, reason = "the test's own clock")]
        let today: NaiveDate = Utc::now().date_naive();
        (today - Days::new(days)).to_string()
    };
    let mut ask = |name: &str, received: u64, url: &str| {
        operator.set("DSR_API_URL", url);
        let received = ago(received);
        operator.run(&[
            "export",
            "--ccpa",
            name,
            "--ref",
            name,
            "--received",
            &received,
        ]);
    };
    // One that is sent, and one that is not and so needs the operator.
    ask("sent-soon", 40, &fake.url());
    ask("unsent-later", 5, &closed.url());
    ask("sent-later", 10, &fake.url());
    ask("unsent-overdue", 50, &closed.url());
    ask("sent-overdue", 90, &fake.url());
    ask("unsent-soon", 30, &closed.url());
    let references = |args: &[&str]| -> Vec<String> {
        let list = operator.run(args).exits_with(0).json();
        let requests = list["requests"].as_array().cloned().unwrap_or_default();
        let text = |request: &Value| request["ref"].as_str().unwrap_or("").to_owned();
        requests.iter().map(text).collect()
    };
    let order = [
        "unsent-overdue",
        "unsent-soon",
        "unsent-later",
        "sent-overdue",
        "sent-soon",
        "sent-later",
    ];
    assert_eq!(references(&["status", "--cached", "--json"]), order);
    assert_eq!(
        references(&["status", "--cached", "--all", "--json"]),
        order
    );
}

#[test]
fn every_place_that_shows_a_date_shows_its_rule_and_that_it_is_no_advice() {
    let fake = Fake::start();
    let operator = operator_with(&fake, "");
    operator
        .run(&["delete", "--gdpr", "--yes", "a1"])
        .exits_with(0);
    let id = operator.only_request()["id"].as_str().unwrap().to_owned();
    let places: [&[&str]; 6] = [
        &["export", "--gdpr", "a2", "--dry-run"],
        &["export", "--gdpr", "a2"],
        &["status"],
        &["status", &id],
        &["cancel", &id],
        &["extend", &id, "--reason", "many requests"],
    ];
    for place in places {
        let outcome = operator.run(place);
        outcome.did_not_panic();
        assert!(outcome.stdout.contains("GDPR Art. 12(3)"), "{outcome}");
        shows_once(&outcome, NOT_ADVICE);
    }
    for id in ["b1", "b2"] {
        operator
            .run(&["delete", "--ccpa", "--yes", id])
            .exits_with(0);
    }
    let list = operator.run(&["status", "--cached"]);
    shows_once(&list, NOT_ADVICE);
    for rule in ["extended: three months", MONTH, DAYS] {
        shows_once(&list, rule);
    }
    let json = operator.run(&["status", "--cached", "--json"]).json();
    for request in json["requests"].as_array().unwrap() {
        let (law, rule) = (&request["law"], request["due_rule"].as_str().unwrap());
        let source = if law == "ccpa" { "11 CCR" } else { "GDPR" };
        assert!(rule.starts_with(source), "{request:#}");
    }
}

#[test]
fn what_has_ended_has_no_days_left() {
    let fake = Fake::answering(|call| match call.is_post() {
        true => usual(call),
        false => status_reply("SUCCESS"),
    });
    let operator = operator_with(&fake, "");
    let args = [
        "delete",
        "--gdpr",
        "--yes",
        "a1",
        "--received",
        "2025-01-02",
    ];
    operator.run(&args).exits_with(0);
    let open = operator.only_request();
    assert_eq!(open["overdue"], true);
    operator.run(&["status", "--refresh"]).exits_with(0);
    let ended = operator.only_request();
    assert_eq!(
        (&ended["due"], &ended["days_left"], &ended["overdue"]),
        (&json!("2025-02-03"), &Value::Null, &json!(false))
    );
    let listed = operator.run(&["status", "--all", "--cached"]);
    listed.never_says("d late").never_says("OVERDUE");
}

#[test]
fn on_sixty_columns_each_date_is_on_lines_that_fit() {
    let fake = Fake::start();
    let operator = operator_with(&fake, "")
        .with("TERM", "xterm")
        .with("NO_COLOR", "1");
    operator
        .run(&[
            "delete",
            "--ccpa",
            "--yes",
            "a1",
            "--received",
            "2026-01-02",
        ])
        .exits_with(0);
    let id = operator.only_request()["id"].as_str().unwrap().to_owned();
    for args in [
        &["status", "--cached"][..],
        &["status", "--cached", &id],
        &["delete", "--gdpr", "--dry-run", "a1"],
    ] {
        let is_narrow = "until stty size | grep -q ' 60$'; do sleep 0.05; done";
        let mut terminal = Terminal::start(operator.command_after(is_narrow, args));
        terminal.becomes_wide(60);
        let (status, screen) = terminal.ends();
        assert_eq!(status, 0, "{screen}");
        let words: Vec<&str> = screen.split_whitespace().collect();
        let text = words.join(" ").to_lowercase();
        assert!(text.contains(NOT_ADVICE), "{screen}");
        // Only the dates: the lines before them are not about dates.
        let dates = screen.lines().skip_while(|line| !line.contains("Due"));
        let dates = dates.take_while(|line| !line.trim().is_empty());
        for line in dates {
            assert!(line.trim_end().chars().count() <= 60, "{line:?}\n{screen}");
        }
    }
}

#[test]
fn a_number_of_days_beyond_any_calendar_is_refused() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    for days in ["36501", "4294967295", "300000000years"] {
        let within = operator.run(&["status", "--due-within", days]);
        within.exits_with(2).says("at most 36500").did_not_panic();
    }
    let most = operator.run(&["status", "--due-within", "36500"]);
    most.exits_with(0).did_not_panic();
}

#[test]
fn an_ended_request_past_its_day_is_overdue_unless_answered() {
    let fake = Fake::answering(|call| match call.is_post() {
        true => object_reply("t-1"),
        false => status_reply("SUCCESS"),
    });
    let operator = Operator::at(&fake);
    let delete = [
        "delete",
        "--gdpr",
        "--yes",
        "--received",
        "2026-01-05",
        "a1",
    ];
    operator.run(&delete).exits_with(0);
    operator.run(&["status", "--refresh"]).exits_with(0);
    let id = operator.only_request()["id"].as_str().unwrap().to_owned();
    let status = ["status", id.as_str(), "--cached"];
    let shown = operator.run(&status);
    assert!(shown.stdout.contains("OVERDUE by"), "{shown}");
    assert!(shown.stdout.contains("unless answered"), "{shown}");
    operator.run(&["answered", &id]).exits_with(0);
    let shown = operator.run(&status);
    assert!(!shown.stdout.contains("OVERDUE"), "{shown}");
}
