//! The report of a period.

use serde_json::{Value, json};

use super::{evidence, quick, shows, table};
use crate::support::{Fake, Operator, has_calendar};

/// Requests received, done and answered on these days, each with its law and kind.
fn with_records(fake: &Fake, records: &[(&str, &str, &str, &str)]) -> Operator {
    let mut operator = Operator::at(fake);
    operator.set("TZ", "UTC0");
    for (place, (kind, law, received, done)) in records.iter().enumerate() {
        let id = format!("a{place}");
        let reference = format!("R-{place}");
        let args = [
            kind,
            law,
            "--ref",
            &reference,
            "--id",
            &id,
            "--received",
            received,
        ];
        let yes: &[&str] = if *kind == "delete" { &["--yes"] } else { &[] };
        operator.run(&[&args, yes].concat()).exits_with(0);
        let request = format!("(SELECT id FROM requests WHERE reference = '{reference}')");
        if !done.is_empty() {
            operator.change_ledger(&format!(
                "UPDATE jobs SET state = 'done', next_check = NULL WHERE request = {request};
                 INSERT INTO steps SELECT id, 1, 3, 'accepted', 'done', '{done}T23:30:00.000Z'
                     FROM requests WHERE reference = '{reference}';"
            ));
            let sql = format!("SELECT id FROM requests WHERE reference = '{reference}'");
            let id = operator.ledger_texts(&sql).remove(0);
            operator.run(&["answered", &id, "--on", done]).exits_with(0);
        }
    }
    operator
}

fn references(evidence: &Value) -> Vec<&str> {
    let requests = evidence["requests"].as_array().expect("requests").iter();
    requests
        .map(|request| request["ref"].as_str().expect("a reference"))
        .collect()
}

fn figure<'a>(evidence: &'a Value, year: i32, law: &str, kind: &str) -> &'a Value {
    let figures = evidence["figures"].as_array().expect("figures");
    let fits = |one: &&Value| one["year"] == year && one["law"] == law && one["kind"] == kind;
    figures.iter().find(fits).expect("it is there")
}

const RECORDS: [(&str, &str, &str, &str); 6] = [
    ("delete", "--gdpr", "2024-01-30", "2024-02-29"),
    ("delete", "--gdpr", "2024-02-28", "2024-02-29"),
    ("delete", "--gdpr", "2024-03-01", "2024-05-01"),
    ("delete", "--gdpr", "2024-12-31", "2025-01-01"),
    ("delete", "--ccpa", "2024-06-01", "2024-07-16"),
    ("delete", "--gdpr", "2024-11-01", ""),
];

#[test]
fn a_year_has_the_requests_received_in_it_and_the_figures_of_them() {
    let fake = quick();
    let operator = with_records(&fake, &RECORDS);
    let report = operator.run(&["report", "--year", "2024", "--json"]);
    assert_eq!(report.json()["report"]["made"]["overdue"], 1);
    let year = evidence(&report);
    assert_eq!(
        references(&year),
        ["R-0", "R-1", "R-2", "R-4", "R-5", "R-3"]
    );
    let gdpr = figure(&year, 2024, "gdpr", "delete");
    // 30 days to a 29 February, 1, 61 and 1: the two in the middle are 1 and 30.
    assert_eq!(
        (&gdpr["median_days"], &gdpr["mean_days"]),
        (&json!(15.5), &json!(23.25))
    );
    assert_eq!(
        (&gdpr["received"], &gdpr["complied_in_whole"]),
        (&json!(5), &json!(4))
    );
    assert_eq!(
        (&gdpr["open"], &gdpr["answer_not_recorded"]),
        (&json!(1), &json!(0))
    );
    assert_eq!((&gdpr["in_time"], &gdpr["late"]), (&json!(3), &json!(1)));
    let ccpa = figure(&year, 2024, "ccpa", "delete");
    assert_eq!(
        (&ccpa["median_days"], &ccpa["in_time"]),
        (&json!(45.0), &json!(1))
    );

    let args = [
        "report",
        "--from",
        "2024-02-28",
        "--to",
        "2024-06-01",
        "--json",
    ];
    let part = evidence(&operator.run(&args));
    assert_eq!(
        references(&part),
        ["R-1", "R-2", "R-4"],
        "both ends are in it"
    );
    let period = &part["period"];
    assert_eq!(
        (&period["received_before"], &period["received_after"]),
        (&json!(1), &json!(2))
    );
    let lines = operator.run(&["report", "--year", "2024", "--format", "csv"]);
    let lines = table(&lines.stdout);
    assert_eq!(lines.len(), 6);
    assert_eq!(lines[2]["timing"], "late");
    assert_eq!(lines[2]["answered_on"], "2024-05-01");
    assert_eq!(lines[4]["answered_on"], "", "it is open");
    let page = operator.run(&["report", "--year", "2024"]);
    shows(
        &page,
        &[
            "15.5",
            "§7102(a)(1)",
            "Not finished, or of unknown outcome",
            "6 requests were received for 6 ids in all: 5 carried out in whole, 1 not finished. Answers: 4 in time, 1 late.",
            "Prepared by ",
        ],
    );
    assert!(!page.stdout.contains("dsr report") && !page.stdout.contains("needs somebody"));
}

#[test]
fn without_a_period_it_is_the_last_24_months() {
    if !has_calendar() {
        return;
    }
    let fake = quick();
    let mut operator = with_records(&fake, &RECORDS[..5]);
    operator.lives_on("2026-03-01");
    let usual = evidence(&operator.run(&["report", "--json"]));
    let period = &usual["period"];
    assert_eq!(
        (&period["from"], &period["to"]),
        (&json!("2024-03-01"), &json!("2026-03-01"))
    );
    assert_eq!(references(&usual), ["R-2", "R-4", "R-3"]);
}

#[test]
fn only_the_projects_that_are_meant_are_in_it() {
    let fake = quick();
    let operator = with_records(&fake, &RECORDS[..2]);
    operator.change_ledger("UPDATE requests SET project = 'app' WHERE reference = 'R-1'");
    let args = ["report", "--year", "2024", "--project", "app", "--json"];
    let app = evidence(&operator.run(&args));
    assert_eq!(references(&app), ["R-1"]);
    assert_eq!(app["period"]["projects"], json!(["app"]));
    assert_eq!(figure(&app, 2024, "gdpr", "delete")["received"], 1);
}

#[test]
fn what_was_purged_is_said() {
    let fake = quick();
    let operator = with_records(&fake, &RECORDS[..1]);
    operator.change_ledger(
        "INSERT INTO purges VALUES ('2024-05-01T00:00:00.000Z', '2022-01-01T00:00:00.000Z',
             17, 2311, '2020-01-01T00:00:00.000Z', '2021-12-31T00:00:00.000Z', 0)",
    );
    let year = evidence(&operator.run(&["report", "--year", "2019", "--json"]));
    assert_eq!(year["period"]["purges"][0]["requests"], 17);
    assert_eq!(year["requests"], json!([]));
    let page = operator.run(&["report", "--year", "2019"]);
    shows(
        &page,
        &["17 requests", "2,311 ids", "No request of this period"],
    );
}

#[test]
fn a_long_log_is_whole_in_the_table_and_counted_on_the_page() {
    let fake = quick();
    let operator = with_records(&fake, &RECORDS[..1]);
    // More than two pages of the ledger, many of them of one day.
    operator.change_ledger(
        "CREATE TEMP TABLE numbers AS
             WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1300)
             SELECT n, 'q' || printf('%015d', n) AS id FROM n;
         INSERT INTO requests (id, kind, law, disclosure, project, project_key, region, reference,
                 received, due, created, source, ids_read, ids_unique)
             SELECT numbers.id, kind, law, disclosure, project, project_key, region, 'N-' || n,
                 date('2024-03-01', '+' || (n / 100) || ' days'), due, created, source, 1, 1
             FROM requests, numbers WHERE reference = 'R-0';
         INSERT INTO jobs (request, number, subject_request_id, ids_count, state, attempts)
             SELECT id, 1, (SELECT subject_request_id FROM jobs LIMIT 1), 1, 'refused', 1
             FROM numbers;",
    );
    let lines = operator.run(&["report", "--year", "2024", "--format", "csv"]);
    let lines = table(&lines.exits_with(0).stdout);
    let mut keys: Vec<(&str, &str)> = lines
        .iter()
        .map(|line| {
            (
                line["received"].as_str().unwrap(),
                line["request"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(keys.len(), 1301);
    assert!(keys.is_sorted(), "by day, then by id");
    keys.dedup();
    assert_eq!(keys.len(), 1301, "each once");
    let page = operator.run(&["report", "--year", "2024"]);
    shows(
        &page,
        &["lists the latest 1,000 requests. The table (CSV) of this report has 301 earlier ones"],
    );
    let year = evidence(&operator.run(&["report", "--year", "2024", "--json"]));
    let gdpr = figure(&year, 2024, "gdpr", "delete");
    assert_eq!(
        (&gdpr["received"], &gdpr["not_carried_out"]),
        (&json!(1301), &json!(1300))
    );
}
