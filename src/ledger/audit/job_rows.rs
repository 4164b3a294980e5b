//! Checks each job's rows against its last entry.

use serde_json::{Value, json};

use super::evidence;
use super::finding::{Audit, Finding};
use super::said::{OTHER_ROWS, is_held, object};
use super::{EntrySubject, facts, facts_of, value};
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
        let entries = list_entries(conn, &job)?;
        let mut wrong = differences_of(conn, &job, &facts(row, 2)?, entries.last())?;
        if !do_follow(&entries) {
            wrong.push("its entries do not follow from each other".to_owned());
        }
        audit.jobs += 1;
        if !wrong.is_empty() {
            let what = wrong.join(", ");
            audit.find(Finding::JobDiffers { job, what });
        }
    }
    Ok(())
}

/// The last entry of the job `$1`, `$2`.
pub(crate) const LAST_OF_JOB: &str = "(SELECT details FROM audit WHERE audit.request = $1
     AND audit.job = $2 ORDER BY seq DESC LIMIT 1)";

/// Fails if the rows of a job are not as its last entry, of [`LAST_OF_JOB`], sealed them. The next
/// entry would seal whatever was changed behind the ledger's back.
pub(crate) fn demand_sealed(
    conn: &Connection,
    job: &JobId,
    last: Option<&str>,
) -> Result<(), LedgerError> {
    let last = last.map(|last| serde_json::from_str(last).unwrap_or_default());
    if is_sealed(conn, job, last.as_ref())? {
        return Ok(());
    }
    let stands = facts_of(conn, job)?.unwrap_or_default();
    let wrong = differences_of(conn, job, &stands, last.as_ref())?;
    Err(LedgerError::OtherJob {
        job: job.clone(),
        what: wrong.join(", "),
    })
}

fn is_sealed(conn: &Connection, job: &JobId, last: Option<&Value>) -> Result<bool, LedgerError> {
    match last {
        Some(_) => is_held(conn, EntrySubject::Job(job), last),
        None => evidence::is_untouched(conn, job),
    }
}

/// How a job differs from its last entry.
fn differences_of(
    conn: &Connection,
    job: &JobId,
    stands: &Value,
    last: Option<&Value>,
) -> Result<Vec<String>, LedgerError> {
    if is_sealed(conn, job, last)? {
        return Ok(Vec::new());
    }
    let told = last.cloned().unwrap_or_else(|| untouched(stands));
    let mut wrong = differing(stands, &told);
    if wrong.is_empty() && last.is_some() {
        wrong = beside_the_row(conn, job)?;
    }
    if wrong.is_empty() {
        wrong.push(OTHER_ROWS.to_owned());
    }
    Ok(wrong)
}

/// The details of a job's entries, in order.
fn list_entries(conn: &Connection, job: &JobId) -> Result<Vec<Value>, LedgerError> {
    let sql = "SELECT details FROM audit WHERE request = $1 AND job = $2 ORDER BY seq";
    sql::list(conn, sql, sql::of(job), |row| Ok(object(row, 0)))
}

/// Whether each entry of a job begins at the state at which the one before ended. Only a move has
/// `from`.
fn do_follow(entries: &[Value]) -> bool {
    let mut state = &json!("planned");
    entries.iter().all(|entry| {
        let from = entry.get("from").unwrap_or(&entry["state"]);
        from == std::mem::replace(&mut state, &entry["state"])
    })
}

/// How the rows beside a job's own differ from its entries.
fn beside_the_row(conn: &Connection, job: &JobId) -> Result<Vec<String>, LedgerError> {
    let mut wrong = Vec::new();
    if let Some(told) = last_fetched(conn, job)? {
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

fn find_fetched(conn: &Connection, job: &JobId) -> Result<Option<Value>, LedgerError> {
    let sql = "SELECT bytes, sha256 FROM downloads WHERE request = $1 AND number = $2";
    sql::find(conn, sql, sql::of(job), |row| {
        let (bytes, sha256) = (value(row.get_ref(0)?), value(row.get_ref(1)?));
        Ok(json!({ "bytes": bytes, "sha256": sha256 }))
    })
}

/// Whether the steps of a job match its entries and their times.
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
    Ok(steps == told)
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

/// The details of a job's last `export_fetched`.
fn last_fetched(conn: &Connection, job: &JobId) -> Result<Option<Value>, LedgerError> {
    let sql = "SELECT details FROM audit WHERE request = $1 AND job = $2
             AND event = 'export_fetched'
         ORDER BY seq DESC LIMIT 1";
    sql::find(conn, sql, sql::of(job), |row| Ok(object(row, 0)))
}
