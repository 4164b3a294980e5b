use super::*;
use crate::ledger::engine::params;

/// Gives the first jobs of the only request these states, statuses and reasons.
fn put(ledger: &Ledger, standings: &[(&str, Option<&str>, Option<&str>)]) {
    let sql = "UPDATE jobs SET state = $1, mixpanel_status = $2, reason = $3 WHERE number = $4";
    for (number, (state, status, reason)) in (1_i64..).zip(standings) {
        let values = params![state, status, reason, number];
        assert_eq!(ledger.conn.execute(sql, values).unwrap(), 1);
    }
}

/// Engines sort NULL first or last, and group in an order of their own.
#[test]
fn jobs_are_grouped_in_one_order_and_those_without_a_word_come_first() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder);
    let request = record(&mut ledger, &batches(6, 1), noon());
    put(
        &ledger,
        &[
            ("running", Some("STARTED"), None),
            ("accepted", Some("STAGING"), None),
            ("accepted", None, None),
            ("running", None, None),
            ("accepted", Some("PENDING"), None),
            ("accepted", None, None),
        ],
    );
    let found = ledger.find_request(&request).unwrap().unwrap();
    let groups = found.groups.iter();
    let groups = groups.map(|group| (group.state, group.mixpanel_status.as_deref(), group.jobs));
    assert_eq!(
        groups.collect::<Vec<_>>(),
        [
            (JobState::Accepted, None, 2),
            (JobState::Accepted, Some("PENDING"), 1),
            (JobState::Accepted, Some("STAGING"), 1),
            (JobState::Running, None, 1),
            (JobState::Running, Some("STARTED"), 1),
        ]
    );
}

/// Of more than five reasons the report keeps the first five.
#[test]
fn of_setbacks_that_are_as_frequent_one_without_a_reason_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder);
    let request = record(&mut ledger, &batches(7, 1), noon());
    put(
        &ledger,
        &[
            ("refused", None, Some("e")),
            ("refused", None, Some("B")),
            ("refused", None, None),
            ("refused", None, Some("d")),
            ("refused", None, Some("c")),
            ("refused", None, Some("a")),
            ("refused", None, Some("e")),
        ],
    );
    let course = ledger.find_course(&request).unwrap().unwrap();
    let setbacks = course.setbacks.iter();
    let setbacks = setbacks.map(|setback| (setback.reason.as_deref(), setback.jobs));
    assert_eq!(
        setbacks.collect::<Vec<_>>(),
        [
            (Some("e"), 2),
            (None, 1),
            (Some("B"), 1),
            (Some("a"), 1),
            (Some("c"), 1),
        ]
    );
    assert_eq!(course.other_setbacks, 1);
}
