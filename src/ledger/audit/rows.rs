//! Whether the ledger's records are what the trail says of them: what was changed behind its back
//! shows here. Each is looked up in an index, so memory stays that of one job.

use rusqlite::{Connection, Row, params};
use serde_json::{Map, Value, json};

use super::chain::{add_field, hex};
use super::finding::Finding;
use super::fingerprint::check_suppressed;
use super::verify::Audit;
use super::{AuditEvent, facts, value};
use crate::domain::{IdsDigest, JobId, RequestId};
use crate::ledger::people::ENDED;
use crate::ledger::records::job_id;
use crate::ledger::{LedgerError, payload, plans, prepare};

/// What tells of the ids of a request, without telling them: the salt goes when the request ends,
/// and then nobody can find out by guessing.
pub(in crate::ledger) fn ids_seal(salt: &str, digest: &str) -> String {
    let mut bytes = Vec::new();
    add_field(&mut bytes, Some(salt));
    add_field(&mut bytes, Some(digest));
    hex(&bytes)
}

pub(super) fn check_rows(
    conn: &Connection,
    audit: &mut Audit,
    show: &mut dyn FnMut(u64),
) -> Result<(), LedgerError> {
    check_requests(conn, audit)?;
    check_gone(conn, audit)?;
    check_suppressed(conn, audit)?;
    check_downloads(conn, audit)?;
    check_jobs(conn, audit, show)
}

/// A request by its row: the keys of its entry, and its salt and digest.
const REQUESTS: &str = "SELECT id, kind, law, disclosure, project, project_key, region, reference,
     received, due, confirm_by, source, ids_read, ids_unique, ids_excluded, ids_salt, ids_digest
     FROM requests ORDER BY id";

fn check_requests(conn: &Connection, audit: &mut Audit) -> Result<(), LedgerError> {
    let mut statement = prepare(conn, REQUESTS)?;
    let mut rows = statement.query([])?;
    let mut unknown = 0;
    while let Some(row) = rows.next()? {
        let id: String = row.get(0)?;
        let request = RequestId::restore(id);
        let Some(told) = last_of(conn, &request, AuditEvent::RequestRecorded)? else {
            unknown += 1;
            continue;
        };
        audit.requests += 1;
        for what in differences_of(conn, &request, row, &told)? {
            let request = request.clone();
            audit.find(Finding::RequestDiffers { request, what });
        }
    }
    let purged_unknown: i64 = prepare(
        conn,
        "SELECT COUNT(*) FROM audit AS purge WHERE event = 'request_purged'
         AND NOT EXISTS (SELECT 1 FROM audit WHERE request = purge.request
                         AND event = 'request_recorded')",
    )?
    .query_row([], |row| row.get(0))?;
    let found = unknown + u64::try_from(purged_unknown).unwrap_or(0);
    let before = audit.requests_before;
    if found != before {
        audit.find(Finding::UnknownRequests { found, before });
    }
    Ok(())
}

/// In what a request is not as it was recorded, but for what entries since then tell of.
fn differences_of(
    conn: &Connection,
    request: &RequestId,
    row: &Row<'_>,
    told: &Value,
) -> Result<Vec<String>, LedgerError> {
    let mut stands = recorded(row)?;
    stands.insert("plan".to_owned(), plans::told(conn, request)?);
    let mut told = told.clone();
    if let Some(extended) = last_of(conn, request, AuditEvent::RequestExtended)? {
        told["due"] = extended["due_after"].clone();
    }
    let (jobs, ids): (i64, Option<i64>) = prepare(
        conn,
        "SELECT COUNT(*), SUM(ids_count) FROM jobs WHERE request = $1",
    )?
    .query_row([request.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let added = count_added(conn, request)?;
    stands.insert("jobs".to_owned(), json!(jobs - added));
    let mut wrong: Vec<String> = stands
        .iter()
        .filter(|(key, value)| told[key.as_str()] != **value)
        .map(|(key, _)| format!("`{key}`"))
        .collect();
    if told["job_ids"] != json!(ids.unwrap_or(0)) {
        wrong.push("the ids of its jobs do not add up".to_owned());
    }
    let (salt, digest) = salt_of(row)?;
    let is_blank = salt.bytes().all(|byte| byte == b'0');
    if is_blank && is_open(conn, request)? {
        wrong.push("its ids cannot be checked any more".to_owned());
    }
    if !is_blank {
        let is_sealed = told["ids_seal"] == json!(ids_seal(&salt, &digest));
        let kept = digest_of_kept(conn, request)?;
        if !is_sealed || kept.is_some_and(|kept| kept != digest) {
            wrong.push("its ids are others".to_owned());
        }
    }
    Ok(wrong)
}

/// What the entry of a new request says, by a row of [`REQUESTS`]; the jobs are not in it.
fn recorded(row: &Row<'_>) -> Result<Map<String, Value>, LedgerError> {
    let mut object = Map::new();
    for key in [
        "kind",
        "law",
        "disclosure",
        "project",
        "project_key",
        "region",
        "reference",
        "received",
        "due",
        "confirm_by",
        "source",
    ] {
        object.insert(key.to_owned(), value(row.get_ref(key)?));
    }
    let ids = json!({
        "read": value(row.get_ref("ids_read")?),
        "unique": value(row.get_ref("ids_unique")?),
        "excluded": value(row.get_ref("ids_excluded")?),
    });
    object.insert("ids".to_owned(), ids);
    Ok(object)
}

/// The salt and the digest of a request's ids, by a row of [`REQUESTS`].
fn salt_of(row: &Row<'_>) -> Result<(String, String), LedgerError> {
    let text = |key| -> Result<String, LedgerError> {
        // One that is no text seals nothing that was recorded.
        Ok(row.get_ref(key)?.as_str().unwrap_or("?").to_owned())
    };
    Ok((text("ids_salt")?, text("ids_digest")?))
}

/// Something of it may still be sent.
fn is_open(conn: &Connection, request: &RequestId) -> Result<bool, LedgerError> {
    let sql = format!("SELECT 1 FROM jobs WHERE request = $1 AND NOT {ENDED}");
    Ok(prepare(conn, &sql)?.exists([request.as_str()])?)
}

/// The details of a request's entry as it is recorded with so many jobs and ids in them; its salt
/// and digest are set.
pub(in crate::ledger) fn details_of(
    conn: &Connection,
    request: &RequestId,
    (jobs, ids): (usize, usize),
) -> Result<Value, LedgerError> {
    let sql = REQUESTS.replace("ORDER BY id", "WHERE id = $1");
    let mut statement = prepare(conn, &sql)?;
    let mut rows = statement.query([request.as_str()])?;
    let Some(row) = rows.next()? else {
        return Ok(Value::Null);
    };
    let mut object = recorded(row)?;
    object.insert("plan".to_owned(), plans::told(conn, request)?);
    let (salt, digest) = salt_of(row)?;
    object.insert("jobs".to_owned(), json!(jobs));
    object.insert("job_ids".to_owned(), json!(ids));
    object.insert("ids_seal".to_owned(), json!(ids_seal(&salt, &digest)));
    Ok(object.into())
}

/// How many jobs were added to a request by taking others apart.
fn count_added(conn: &Connection, request: &RequestId) -> Result<i64, LedgerError> {
    let mut statement = prepare(
        conn,
        "SELECT details FROM audit WHERE request = $1 AND event = 'job_cut'",
    )?;
    let mut rows = statement.query([request.as_str()])?;
    let mut added = 0;
    while let Some(row) = rows.next()? {
        added += object(row, 0)["added"].as_array().map_or(0, Vec::len);
    }
    Ok(i64::try_from(added).unwrap_or(i64::MAX))
}

/// The digest of the ids as the jobs have them; `None` where some are gone or cannot be read,
/// which is told of when they are needed.
fn digest_of_kept(conn: &Connection, request: &RequestId) -> Result<Option<String>, LedgerError> {
    let mut statement = prepare(conn, "SELECT request, number FROM jobs WHERE request = $1")?;
    let jobs = statement.query_map([request.as_str()], job_id)?;
    let mut digest = IdsDigest::default();
    for job in jobs {
        match payload::read_lines(conn, &job?) {
            Ok(lines) => lines.ids().for_each(|id| digest.add(id)),
            Err(LedgerError::IdsHashed(_) | LedgerError::Unreadable { .. }) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Ok(Some(digest.to_string()))
}

/// Requests that were recorded and are not there any more were purged.
fn check_gone(conn: &Connection, audit: &mut Audit) -> Result<(), LedgerError> {
    let mut statement = prepare(
        conn,
        "SELECT request, EXISTS (SELECT 1 FROM audit AS purge
                 WHERE purge.request = audit.request AND event = 'request_purged')
         FROM audit WHERE event = 'request_recorded' AND request IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM requests WHERE id = request)
         ORDER BY seq",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let request = RequestId::restore(row.get(0)?);
        match row.get(1)? {
            true => audit.purged += 1,
            false => audit.find(Finding::RequestMissing { request }),
        }
    }
    Ok(())
}

fn check_downloads(conn: &Connection, audit: &mut Audit) -> Result<(), LedgerError> {
    let mut statement = prepare(
        conn,
        "SELECT request, number, bytes, sha256 FROM downloads
         ORDER BY request, number",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let job = job_id(row)?;
        let stands = json!({
            "bytes": value(row.get_ref(2)?),
            "sha256": value(row.get_ref(3)?),
        });
        let told = last_about(conn, &job, "event = 'export_fetched'")?;
        // What was fetched before there was a trail is not in it.
        let is_covered = told.is_some() || is_covered(conn, &job.request)?;
        if is_covered && told != Some(stands) {
            let what = "what was fetched".to_owned();
            audit.find(Finding::JobDiffers { job, what });
        }
    }
    Ok(())
}

/// Entries that say how a job stands.
const STANDING: &str = "event IN ('job_moved', 'job_cut', 'job_abandoned', 'send_again_asked',
     'cancellation_asked')";

fn check_jobs(
    conn: &Connection,
    audit: &mut Audit,
    show: &mut dyn FnMut(u64),
) -> Result<(), LedgerError> {
    let mut statement = prepare(
        conn,
        "SELECT request, number, state, ids_count, attempts, task_id, linked,
             abandoned_at IS NOT NULL
         FROM jobs ORDER BY request, number",
    )?;
    let mut rows = statement.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        count += 1;
        if count % 256 == 0 {
            show(count);
        }
        let job = job_id(row)?;
        let stands = facts(row, 2)?;
        let wrong = match last_about(conn, &job, STANDING)? {
            Some(told) => differing(&stands, &told),
            None if is_covered(conn, &job.request)? => differing(&stands, &untouched(&stands)),
            // From before there was a trail, and nothing has happened to it since.
            None => continue,
        };
        audit.jobs += 1;
        if !wrong.is_empty() {
            let what = wrong.join(", ");
            audit.find(Finding::JobDiffers { job, what });
        }
    }
    Ok(())
}

/// How a job stands of which nothing was told.
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

/// Whether the trail has it from its beginning on.
fn is_covered(conn: &Connection, request: &RequestId) -> Result<bool, LedgerError> {
    Ok(last_of(conn, request, AuditEvent::RequestRecorded)?.is_some())
}

/// The details of the last entry of this kind about a request.
pub(super) fn last_of(
    conn: &Connection,
    request: &RequestId,
    event: AuditEvent,
) -> Result<Option<Value>, LedgerError> {
    let mut statement = prepare(
        conn,
        "SELECT details FROM audit WHERE request = $1 AND job IS NULL AND event = $2
         ORDER BY seq DESC LIMIT 1",
    )?;
    let mut rows = statement.query(params![request.as_str(), event.as_str()])?;
    Ok(rows.next()?.map(|row| object(row, 0)))
}

/// The details of the last entry about a job that meets a condition.
fn last_about(
    conn: &Connection,
    job: &JobId,
    condition: &str,
) -> Result<Option<Value>, LedgerError> {
    let mut statement = prepare(
        conn,
        &format!(
            "SELECT details FROM audit WHERE request = $1 AND job = $2 AND {condition}
             ORDER BY seq DESC LIMIT 1"
        ),
    )?;
    let mut rows = statement.query(params![job.request.as_str(), job.number])?;
    Ok(rows.next()?.map(|row| object(row, 0)))
}

/// What cannot be read says nothing: then nothing is as it says.
fn object(row: &Row<'_>, place: usize) -> Value {
    let text = row.get_ref(place).ok();
    let text = text.and_then(|text| text.as_str().ok());
    text.and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}
