//! Reports of the same facts are equal wherever and whenever they are made.

use serde_json::Value;

use super::{evidence, quick};
use crate::minimisation::with_key;
use crate::support::{Fake, Operator, Reply, has_calendar, object_reply};

/// Fourteen hours ahead of UTC, and eight behind: Kiritimati and Los Angeles.
const PLACES: [&str; 2] = ["KIR-14", "LAX8"];

/// Three requests: done and answered, done and unanswered, open.
fn with_requests(fake: &Fake) -> Operator {
    let mut operator = with_key(fake, "rate = 1000\nexport_batch = 2");
    operator.set("TZ", "UTC0");
    let ids = [["--id", "a1"], ["--id", "a2"], ["--id", "a3"]].concat();
    for (law, reference) in [("--gdpr", "R-0"), ("--ccpa", "R-1")] {
        let args = ["delete", law, "--yes", "--ref", reference];
        let received = ["--received", "2026-02-27"];
        operator
            .run(&[&args[..], &received, &ids].concat())
            .exits_with(0);
    }
    operator.run(&["status", "--refresh"]);
    let answered = ["answered", &named(&operator, "R-0"), "--on", "2026-03-27"];
    operator.run(&answered).exits_with(0);
    operator
}

fn named(operator: &Operator, reference: &str) -> String {
    let sql = format!("SELECT id FROM requests WHERE reference = '{reference}'");
    operator.ledger_texts(&sql).remove(0)
}

/// A page without who made it, when and with what.
fn without_made(page: &str) -> String {
    let (before, from) = page.split_once("<div><dt>Made</dt>").expect("it says when");
    let (_, after) = from.split_once("</div>").expect("and ends");
    let page = format!("{before}{after}");
    let (before, from) = page
        .split_once("<p class=\"prepared\">")
        .expect("it says who");
    let (_, after) = from.split_once("</p>").expect("and ends");
    format!("{before}{after}")
}

/// A report as JSON, table and page, without who made it and when.
fn made(operator: &Operator, what: &[&str]) -> (Value, Value, String, String) {
    let json = operator.run(&[&["report", "--json"], what].concat());
    evidence(&json);
    let mut report = json.json()["report"].clone();
    let made = report["made"].take();
    let csv = operator.run(&[&["report", "--format", "csv"], what].concat());
    let page = operator.run(&[&["report", "--format", "html"], what].concat());
    (made, report, csv.stdout.clone(), without_made(&page.stdout))
}

#[test]
fn a_report_is_the_same_in_every_place_and_on_every_later_day() {
    if !has_calendar() {
        return;
    }
    let open = Fake::answering(|call| match (call.is_post(), call.place) {
        (true, place) => object_reply(&format!("t-{place}")),
        (false, _) => Reply::error(503, "not now"),
    });
    for fake in [quick(), open] {
        let mut operator = with_requests(&fake);
        let period = ["--from", "2026-01-01", "--to", "2026-12-31"];
        let (answered, silent) = (named(&operator, "R-0"), named(&operator, "R-1"));
        for what in [&[answered.as_str()][..], &[silent.as_str()], &period] {
            let (_, report, csv, page) = made(&operator, what);
            let kinds = [&report["evidence"], &report["digest"]];
            assert!(kinds.iter().all(|part| !part.is_null()), "{report}");
            for place in PLACES {
                for day in ["2026-12-24", "2031-01-02"] {
                    operator.lives_on(day);
                    operator.set("TZ", place);
                    let (made, later, table, other) = made(&operator, what);
                    assert_eq!(later, report, "{place} {day}");
                    assert_eq!(table, csv, "{place} {day}");
                    assert!(other == page, "another page: {place} {day}");
                    assert!(made["at"].as_str().expect("a time").starts_with(&day[..4]));
                }
            }
        }
    }
}
