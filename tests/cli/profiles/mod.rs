//! `dsr profiles`: which profiles go, what goes over the wire, and what is never said.

mod delete;
mod expire;
mod expiring;
mod lacking;
mod million;
mod online;
mod rehearsed;

use serde_json::Value;

use crate::support::{Operator, Outcome};

pub(crate) const NO_ERASURE: &str = "profiles only; events stay: this is not an erasure";

#[expect(clippy::disallowed_methods, reason = "the clock is the test's")]
pub(crate) fn now() -> chrono::DateTime<chrono::Utc> {
    chrono::Utc::now()
}

/// A day so many days before today, in UTC.
pub(crate) fn days_ago(days: u64) -> String {
    let today = now().date_naive();
    let day = today.checked_sub_days(chrono::Days::new(days));
    day.expect("a day").to_string()
}

pub(crate) fn expire(operator: &Operator, args: &[&str]) -> Outcome {
    let begin = ["profiles", "expire", "--not-seen-for"];
    operator.run(&[&begin, args, &["--json"]].concat())
}

/// The ids of a list, without its heading.
pub(crate) fn listed(operator: &Operator, name: &str) -> Vec<String> {
    let mut table = csv::Reader::from_path(operator.work().join(name)).expect("a list");
    assert_eq!(table.headers().expect("a heading"), vec!["distinct_id"]);
    let rows = table.records().map(|row| row.expect("a row"));
    rows.map(|row| row[0].to_owned()).collect()
}

/// The lines of a log.
pub(crate) fn log(operator: &Operator, name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(operator.work().join(name)).expect("a log");
    assert!(text.ends_with('\n'));
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}
