//! Every column about a request is checked against the trail, in every table.

use std::collections::BTreeSet;

use rusqlite::types::Value;

use super::audit::{after, check, eventful};
use super::ingestions::{send as send_batch, with_ingestion};
use super::*;
use crate::domain::{Actor, PlanDigest};
use crate::ledger::audit::{NOT_EVIDENCE, OTHER_TABLES, tables};
use crate::ledger::engine::Connection;

fn full(folder: &tempfile::TempDir) -> Ledger {
    let (mut ledger, request) = eventful(folder);
    let day = "2026-12-01".parse().unwrap();
    for manner in [None, Some("by letter".to_owned())] {
        let at = after(140);
        let answer = AnswerRecord { day, manner, at };
        ledger.record_answer(&request, &answer).unwrap();
    }
    let ingestion = with_ingestion(&mut ledger);
    let one = RefusedRecord {
        index: 1,
        field: RefusedField::Time,
    };
    let refused = vec![one];
    let taken = BatchOutcome::Taken { refused };
    send_batch(&mut ledger, &ingestion.batches[0].id, &taken);
    let by = |user| Actor::new(user, "desk");
    let asked = NewRequest {
        plan: Some(PlanRecord {
            digest: PlanDigest::new([1; 32]),
            created: noon(),
            created_by: by("anna"),
            approvals: vec![(by("ben"), noon()), (by("cem"), noon())],
        }),
        confirm_by: Some(day),
        ..request_of_another_law()
    };
    let batches = batches(3, 2);
    let asked = [(asked, planned(&batches))];
    ledger
        .record_requests(asked, Again::Allow, after(150))
        .unwrap();
    // Only the note of a purge covers deleted records.
    let old = record(&mut ledger, &batches, noon() - TimeDelta::days(900));
    ledger
        .record_withdrawn(&old, noon() - TimeDelta::days(800))
        .unwrap();
    // The people of a purged deletion stay on the suppression list.
    let then = noon() - TimeDelta::days(800);
    let erased = nth(
        &record(&mut ledger, &batches, noon() - TimeDelta::days(900)),
        1,
    );
    let lane = lane_at(Rate::new(1000.0).unwrap());
    ledger.conn.execute("DELETE FROM pace", []).unwrap();
    ledger
        .record_sending(&erased, Purpose::Submit, &lane, then)
        .unwrap();
    let accepted = Outcome::Accepted(TaskId::new("task-of-old").unwrap());
    ledger
        .record_outcome(&erased, &lane, &accepted, None, then)
        .unwrap();
    ledger
        .record_check(&erased, &TaskStatus::Success, then)
        .unwrap();
    ledger.record_withdrawn(&erased.request, then).unwrap();
    ledger
        .record_hashed(&LedgerKey::restore([7; 32]), then)
        .unwrap();
    let cutoff = Cutoff::parse("2024-11-01", "2026-11-22".parse().unwrap()).unwrap();
    ledger.record_purged(cutoff, after(160)).unwrap().unwrap();
    ledger
}

fn request_of_another_law() -> NewRequest {
    NewRequest {
        operation: Operation::Delete(Law::Ccpa),
        ..request()
    }
}

fn other(value: &Value) -> Value {
    match value {
        Value::Null => Value::Text("x".to_owned()),
        Value::Integer(number) => Value::Integer(number + 1000),
        Value::Real(number) => Value::Real(number + 1.0),
        Value::Text(text) => Value::Text(earlier(text)),
        Value::Blob(bytes) => Value::Blob(bytes.iter().map(|byte| byte ^ 1).collect()),
    }
}

/// A day or time one day earlier; any other text with one more letter.
fn earlier(text: &str) -> String {
    match text.get(..10).map(str::parse::<chrono::NaiveDate>) {
        Some(Ok(day)) => format!("{}{}", day.pred_opt().unwrap(), &text[10..]),
        _ => format!("{text}x"),
    }
}

fn columns(conn: &Connection, table: &str) -> Vec<String> {
    let statement = conn.prepare(&format!("SELECT * FROM {table}")).unwrap();
    statement.column_names()
}

/// A new table or column that the trail does not cover fails this test.
#[test]
fn no_value_of_any_column_can_be_changed_unseen() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = full(&folder);
    let conn = &ledger.conn;
    conn.allow_orphans();
    assert_eq!(check(&ledger).findings, []);
    let known: BTreeSet<&str> = tables().collect();
    let mut changes = 0;
    for table in conn.list_tables() {
        if OTHER_TABLES.iter().any(|(other, _)| *other == table) {
            continue;
        }
        assert!(known.contains(table.as_str()), "nothing holds `{table}`");
        let rows = conn.list_places(&table);
        assert!(!rows.is_empty(), "`{table}` has no row to change");
        for column in columns(conn, &table) {
            let is_none = |(t, c, _): &(&str, &str, &str)| *t == table && *c == column;
            if NOT_EVIDENCE.iter().any(is_none) {
                continue;
            }
            for row in &rows {
                let place = format!("FROM {table} WHERE {row}");
                // The age of an answer, while the task is open.
                let follows = format!("SELECT 1 {place} AND next_check IS NOT NULL");
                if column == "checked_at" && conn.prepare(&follows).unwrap().exists([]).unwrap() {
                    continue;
                }
                let old: Value = conn
                    .query_row(&format!("SELECT {column} {place}"), [], |row| row.get(0))
                    .unwrap();
                changes += 1;
                conn.execute_batch("BEGIN").unwrap();
                let sql = format!("UPDATE {table} SET {column} = $1 WHERE {row}");
                conn.execute(&sql, [other(&old)]).unwrap();
                let found = check(&ledger).findings;
                conn.execute_batch("ROLLBACK").unwrap();
                assert_ne!(found, [], "`{column}` of `{table}`, {row}: {old:?}");
            }
        }
        for row in rows {
            conn.execute_batch("BEGIN").unwrap();
            let sql = format!("DELETE FROM {table} WHERE {row}");
            conn.execute_batch(&sql).unwrap();
            let found = check(&ledger).findings;
            conn.execute_batch("ROLLBACK").unwrap();
            assert_ne!(found, [], "the row of `{table}` with {row} is gone");
        }
    }
    assert!(changes > 300, "{changes}");
    assert_eq!(check(&ledger).findings, []);
}

/// A repeated answer adds no entry, and the trail still covers all evidence.
#[test]
fn a_repeated_answer_adds_no_entry() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, record) = with_request(&folder);
    let job = nth(&record.id, 1);
    send(&mut ledger, &job);
    let task = TaskId::new("task-1").unwrap();
    end(&mut ledger, &job, &Outcome::Accepted(task)).unwrap();
    let count = |ledger: &Ledger| ledger.audit_head().unwrap().count;
    let mut heard = |status: TaskStatus, seconds| {
        let before = count(&ledger);
        ledger.record_check(&job, &status, after(seconds)).unwrap();
        assert_eq!(check(&ledger).findings, [], "{status:?}");
        count(&ledger) - before
    };
    assert_eq!(heard(TaskStatus::Pending, 1), 1);
    assert_eq!(heard(TaskStatus::Pending, 2), 0);
    assert_eq!(heard(TaskStatus::NotFound, 3), 1);
    assert_eq!(heard(TaskStatus::NotFound, 4), 0);
    assert_eq!(heard(TaskStatus::Started, 5), 1);
    assert_eq!(heard(TaskStatus::Success, 6), 1);
    assert_eq!(
        heard(TaskStatus::Success, 7),
        1,
        "it moves what is evidence"
    );
}

/// Nobody can test a guess about a purged request's rows against the trail.
#[test]
fn equal_requests_have_different_digests() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(&folder);
    for _ in 0..2 {
        record(&mut ledger, &batches(1, 1), noon());
    }
    let salts: i64 = ledger
        .conn
        .query_row(
            "SELECT COUNT(DISTINCT rows_salt) FROM requests",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(salts, 2);
}
