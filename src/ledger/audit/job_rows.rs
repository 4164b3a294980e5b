//! Checks each job's rows against its last entry.

use serde_json::{Value, json};

use super::evidence;
use super::finding::{Audit, Finding};
use super::said::{OTHER_ROWS, is_held, last_entry, last_of, object};
use super::{AuditEvent, EntrySubject, facts, value};
use crate::domain::JobId;
use crate::ledger::LedgerError;
use crate::ledger::columns::job_id;
use crate::ledger::engine::Connection;
use crate::ledger::sql::{self, prepare};

pub(crate) fn check_jobs(
    conn: &Connection,
    audit: &mut Audit,
    show: &mut dyn FnMut(u64),
) -> Result<(), LedgerError> {
    let sql = "SELECT request, number, state, ids_count, attempts, task_id, linked,
             abandoned_at IS NOT NULL
         FROM jobs ORDER BY request, number";
    let mut statement = prepare(conn, sql)?;
    let mut rows = statement.query([])?;
    let mut count = 0;
    while let Some(row) = &rows.next()? {
        count += 1;
        if count % 256 == 0 {
            show(count);
        }
        let job = job_id(row)?;
        let Some(wrong) = differences_of(conn, &job, &facts(row, 2)?)? else {
            continue;
        };
        audit.jobs += 1;
        if !wrong.is_empty() {
            let what = wrong.join(", ");
            audit.find(Finding::JobDiffers { job, what });
        }
    }
    Ok(())
}

/// How a job differs from the trail; `None` if the trail has no entry of it.
fn differences_of(
    conn: &Connection,
    job: &JobId,
    stands: &Value,
) -> Result<Option<Vec<String>>, LedgerError> {
    let subject = EntrySubject::Job(job);
    let last = last_entry(conn, subject)?;
    if let (Some(held), Some(told)) = (is_held(conn, subject, last.as_ref())?, &last) {
        let mut wrong = match held {
            true => Vec::new(),
            false => named(stands, told),
        };
        if wrong == [OTHER_ROWS] {
            let more = beside_the_row(conn, job)?;
            wrong = if more.is_empty() { wrong } else { more };
        }
        return Ok(Some(wrong));
    }
    let recorded = last_of(conn, &job.request, AuditEvent::RequestRecorded)?;
    let has_digests = |recorded: &Value| recorded.get(evidence::KEY).is_some();
    match last.is_none() && recorded.as_ref().is_some_and(has_digests) {
        true => Ok(Some(match evidence::is_untouched(conn, job)? {
            true => Vec::new(),
            false => named(stands, &untouched(stands)),
        })),
        false => older_differences(conn, job, stands, recorded.as_ref()),
    }
}

/// The names of the differences that the entry can show.
fn named(stands: &Value, told: &Value) -> Vec<String> {
    let mut wrong = differing(stands, told);
    if wrong.is_empty() {
        wrong.push(OTHER_ROWS.to_owned());
    }
    wrong
}

/// How the rows beside a job's own differ from its entries.
fn beside_the_row(conn: &Connection, job: &JobId) -> Result<Vec<String>, LedgerError> {
    let mut wrong = Vec::new();
    if let Some(told) = last_about(conn, job, "event = 'export_fetched'")? {
        let fetched = find_fetched(conn, job)?.unwrap_or_default();
        let is_told = |key: &str| fetched[key] == told[key];
        if !is_told("bytes") || !is_told("sha256") {
            wrong.push("what was fetched".to_owned());
        }
    }
    if !are_steps_told(conn, job)? {
        wrong.push("its steps".to_owned());
    }
    Ok(wrong)
}

/// Events that hold a job's standing, written by a dsr that had no digest of rows.
const STANDING: &str = "event IN ('job_moved', 'job_cut', 'job_abandoned', 'send_again_asked',
     'cancellation_asked')";

/// The same for a job whose entries have no digest of its rows: compares their values.
fn older_differences(
    conn: &Connection,
    job: &JobId,
    stands: &Value,
    recorded: Option<&Value>,
) -> Result<Option<Vec<String>>, LedgerError> {
    let fetched = last_about(conn, job, "event = 'export_fetched'")?;
    let mut wrong = match last_about(conn, job, STANDING)? {
        Some(told) => differing(stands, &told),
        None if recorded.is_some() => differing(stands, &untouched(stands)),
        // Recorded before the trail began, and unchanged since.
        None if fetched.is_none() => return Ok(None),
        None => Vec::new(),
    };
    // The trail lacks downloads from before it began.
    if (fetched.is_some() || recorded.is_some()) && fetched != find_fetched(conn, job)? {
        wrong.push("what was fetched".to_owned());
    }
    if !are_steps_told(conn, job)? {
        wrong.push("its steps".to_owned());
    }
    Ok(Some(wrong))
}

fn find_fetched(conn: &Connection, job: &JobId) -> Result<Option<Value>, LedgerError> {
    let sql = "SELECT bytes, sha256 FROM downloads WHERE request = $1 AND number = $2";
    sql::find(conn, sql, sql::of(job), |row| {
        let (bytes, sha256) = (value(row.get_ref(0)?), value(row.get_ref(1)?));
        Ok(json!({ "bytes": bytes, "sha256": sha256 }))
    })
}

/// Whether the last steps of a job match its entries and their times. Earlier steps are from before
/// the trail.
fn are_steps_told(conn: &Connection, job: &JobId) -> Result<bool, LedgerError> {
    let values = sql::of(job);
    let sql =
        "SELECT at, details FROM audit WHERE request = $1 AND job = $2 AND event = 'job_moved'
         ORDER BY seq";
    let told: Vec<_> = sql::list(conn, sql, values, |row| {
        Ok((value(row.get_ref(0)?), object(row, 1)["state"].clone()))
    })?;
    let sql = "SELECT at, to_state FROM steps WHERE request = $1 AND number = $2 ORDER BY step";
    let steps: Vec<_> = sql::list(conn, sql, values, |row| {
        Ok((value(row.get_ref(0)?), value(row.get_ref(1)?)))
    })?;
    Ok(steps.ends_with(&told))
}

/// The standing of a job without an entry.
fn untouched(stands: &Value) -> Value {
    json!({
        "state": "planned",
        "ids": stands["ids"],
        "attempts": 0,
        "task_id": null,
        "linked": false,
        "abandoned": false,
    })
}

fn differing(stands: &Value, told: &Value) -> Vec<String> {
    let stands = stands.as_object().into_iter().flatten();
    stands
        .filter(|(key, value)| told.get(key.as_str()) != Some(value))
        .map(|(key, _)| format!("`{key}`"))
        .collect()
}

/// The details of a job's last entry that meets `condition`.
fn last_about(
    conn: &Connection,
    job: &JobId,
    condition: &str,
) -> Result<Option<Value>, LedgerError> {
    let sql = format!(
        "SELECT details FROM audit WHERE request = $1 AND job = $2 AND {condition}
             ORDER BY seq DESC LIMIT 1"
    );
    sql::find(conn, &sql, sql::of(job), |row| Ok(object(row, 0)))
}
