//! Checks the ledger's records against the trail, to find changes made behind its back. Looks each
//! record up in an index, so it needs the memory of one job only.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::chain::{add_field, hex};
use super::evidence::Births;
use super::finding::{Audit, Finding};
use super::job_rows::check_jobs;
use super::said::{OTHER_ROWS, is_held, last_entry, last_of, object, said_otherwise};
use super::{AuditEvent, EntrySubject, value};
use crate::domain::{IdsDigest, JobId, RequestId};
use crate::ledger::columns::job_id;
use crate::ledger::engine::{Connection, Row, params};
use crate::ledger::ingestions::trail::check_ingestions;
use crate::ledger::jobs::payload;
use crate::ledger::people::key::find_seal;
use crate::ledger::people::{self, ENDED};
use crate::ledger::requests::plans;
use crate::ledger::seal::{Seal, digest_in_row};
use crate::ledger::sql::{self, prepare};
use crate::ledger::{Ledger, LedgerError, Write};

/// A seal over the ids of a request. Its salt is deleted when the request is over; then nobody can
/// guess the ids from the seal. On a server the digest is keyed, so copies of the salt do not help.
pub(crate) fn ids_seal(salt: &str, digest: &str) -> String {
    let mut bytes = Vec::new();
    add_field(&mut bytes, Some(salt));
    add_field(&mut bytes, Some(digest));
    hex(&bytes)
}

/// The last seal over a request's ids; `told` is the entry of its record.
fn sealed_as(conn: &Connection, request: &RequestId, told: &Value) -> Result<Value, LedgerError> {
    let anew = last_of(conn, request, AuditEvent::IdsResealed)?;
    Ok(anew.as_ref().unwrap_or(told)["ids_seal"].clone())
}

/// Keys the digests of a ledger that comes from a file, and seals them anew: their old salts must
/// not get to the server, where anyone could test guesses with them.
pub(crate) fn reseal(tx: &Write<'_>, seal: &Seal, now: DateTime<Utc>) -> Result<(), LedgerError> {
    let sql = "SELECT id, ids_salt, ids_digest FROM requests WHERE ids_digest <> '' ORDER BY id";
    let requests: Vec<(String, String, String)> = sql::list(tx, sql, [], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })?;
    for (request, salt, digest) in requests {
        if is_blank(&salt) {
            continue;
        }
        let (salt, digest) = (Uuid::new_v4().simple().to_string(), seal.keyed(&digest));
        let sql = "UPDATE requests SET ids_digest = $1, ids_salt = $2 WHERE id = $3";
        sql::execute(tx, sql, params![digest, salt, request])?;
        let details = json!({ "ids_seal": ids_seal(&salt, &digest) });
        let request = RequestId::restore(request);
        let subject = EntrySubject::Request(&request);
        super::tell(tx, AuditEvent::IdsResealed, subject, details, now)?;
    }
    Ok(())
}

pub(crate) fn check_rows(
    conn: &Connection,
    audit: &mut Audit,
    show: &mut dyn FnMut(u64),
) -> Result<(), LedgerError> {
    check_requests(conn, audit)?;
    check_gone(conn, audit)?;
    check_ingestions(conn, audit)?;
    let last = last_entry(conn, EntrySubject::Ledger)?;
    if !is_held(conn, EntrySubject::Ledger, last.as_ref())? {
        audit.find(Finding::RecordsDiffer);
    }
    check_jobs(conn, audit, show)
}

/// A request by its row: the keys of its entry, its salt and its digest.
const REQUESTS: &str = "SELECT id, kind, law, disclosure, project, project_key, region, reference,
     received, due, confirm_by, source, ids_read, ids_unique, ids_excluded, ids_salt, ids_digest
     FROM requests ORDER BY id";

fn check_requests(conn: &Connection, audit: &mut Audit) -> Result<(), LedgerError> {
    let mut statement = prepare(conn, REQUESTS)?;
    let mut rows = statement.query([])?;
    let mut found = 0;
    while let Some(row) = &rows.next()? {
        let id: String = row.get(0)?;
        let request = RequestId::restore(id);
        let subject = EntrySubject::Request(&request);
        let Some(told) = last_of(conn, &request, AuditEvent::RequestRecorded)? else {
            found += 1;
            continue;
        };
        audit.requests += 1;
        let is_held = is_held(conn, subject, last_entry(conn, subject)?.as_ref())?;
        let mut wrong = differences_of(conn, &request, row, &told)?;
        let (salt, digest) = salt_of(row)?;
        match has_other_ids(conn, &request, (&salt, &digest), &told) {
            Ok(false) => {}
            Ok(true) => wrong.push("its ids are different".to_owned()),
            // An auditor may see everything but the ids.
            Err(LedgerError::NoKey(_) | LedgerError::Sealed(_)) => audit.unread += 1,
            Err(error) => return Err(error),
        }
        if !is_held && wrong.is_empty() {
            wrong = said_otherwise(conn, &request)?;
        }
        if !is_held && wrong.is_empty() {
            wrong.push(OTHER_ROWS.to_owned());
        }
        for what in wrong {
            let request = request.clone();
            audit.find(Finding::RequestDiffers { request, what });
        }
    }
    if found > 0 {
        audit.find(Finding::UnknownRequests { found });
    }
    Ok(())
}

/// How a request differs from its record, apart from later entries.
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
    let sql = "SELECT COUNT(*), CAST(SUM(ids_count) AS BIGINT) FROM jobs WHERE request = $1";
    let (jobs, ids): (i64, Option<i64>) =
        prepare(conn, sql)?.query_row([request.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let cut = list_cut(conn, request)?;
    stands.insert("jobs".to_owned(), json!(jobs - cut.added));
    let mut wrong: Vec<String> = stands
        .iter()
        .filter(|(key, value)| told[key.as_str()] != **value)
        .map(|(key, _)| format!("`{key}`"))
        .collect();
    if told["job_ids"] != json!(ids.unwrap_or(0)) {
        wrong.push("the ids of its jobs do not add up".to_owned());
    }
    if told["jobs_seal"] != json!(jobs_seal(conn, request, &cut)?) {
        wrong.push("its jobs are different".to_owned());
    }
    if people::lacks_ids(conn, "request = $1", &[request.as_str()])? {
        wrong.push("the ids of an open job are gone".to_owned());
    }
    let (salt, _) = salt_of(row)?;
    if is_blank(&salt) && (is_kept_whole(conn, request)? || is_open(conn, request)?) {
        wrong.push("dsr can no longer check its ids".to_owned());
    }
    Ok(wrong)
}

/// The entry of a new request without its jobs, from a row of [`REQUESTS`].
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

/// The salt and digest of a request's ids, from a row of [`REQUESTS`].
fn salt_of(row: &Row<'_>) -> Result<(String, String), LedgerError> {
    let text = |key| -> Result<String, LedgerError> {
        // A value of another type matches no recorded seal.
        Ok(row.get_ref(key)?.as_str().unwrap_or("?").to_owned())
    };
    Ok((text("ids_salt")?, text("ids_digest")?))
}

fn is_open(conn: &Connection, request: &RequestId) -> Result<bool, LedgerError> {
    let sql = format!("SELECT 1 FROM jobs WHERE request = $1 AND NOT {ENDED}");
    sql::exists(conn, &sql, [request.as_str()])
}

fn is_kept_whole(conn: &Connection, request: &RequestId) -> Result<bool, LedgerError> {
    let gone = "SELECT 1 FROM jobs WHERE request = $1
         AND NOT EXISTS (SELECT 1 FROM payloads WHERE request = jobs.request
                         AND number = jobs.number)";
    Ok(!sql::exists(conn, gone, [request.as_str()])?)
}

/// The details of a request's entry with so many jobs and ids. Salt and digest are set.
pub(crate) fn details_of(
    conn: &Connection,
    request: &RequestId,
    (jobs, ids): (usize, usize),
) -> Result<Value, LedgerError> {
    let sql = REQUESTS.replace("ORDER BY id", "WHERE id = $1");
    let mut statement = prepare(conn, &sql)?;
    let mut rows = statement.query([request.as_str()])?;
    let Some(row) = &rows.next()? else {
        return Ok(Value::Null);
    };
    let mut object = recorded(row)?;
    object.insert("plan".to_owned(), plans::told(conn, request)?);
    let (salt, digest) = salt_of(row)?;
    object.insert("jobs".to_owned(), json!(jobs));
    object.insert("job_ids".to_owned(), json!(ids));
    object.insert("ids_seal".to_owned(), json!(ids_seal(&salt, &digest)));
    let jobs_seal = jobs_seal(conn, request, &Cut::default())?;
    object.insert("jobs_seal".to_owned(), json!(jobs_seal));
    Ok(object.into())
}

/// The splits of a request's jobs.
#[derive(Default)]
struct Cut {
    added: i64,
    /// The number of ids that each job had before its first split.
    before: BTreeMap<i64, i64>,
}

fn list_cut(conn: &Connection, request: &RequestId) -> Result<Cut, LedgerError> {
    let sql =
        "SELECT job, details FROM audit WHERE request = $1 AND event = 'job_cut' ORDER BY seq";
    let mut statement = prepare(conn, sql)?;
    let mut rows = statement.query([request.as_str()])?;
    let mut cut = Cut::default();
    while let Some(row) = &rows.next()? {
        let details = object(row, 1);
        let number = |value: &Value| value.as_i64().unwrap_or(0);
        let mut before = number(&details["ids"]);
        for added in details["added"].as_array().into_iter().flatten() {
            cut.added += 1;
            before = before.saturating_add(number(&added["ids"]));
        }
        // A value that is not a number names no job.
        if let Ok(job) = row.get(0) {
            cut.before.entry(job).or_insert(before);
        }
    }
    Ok(cut)
}

/// The digest of a request's jobs as recorded.
fn jobs_seal(
    conn: &Connection,
    request: &RequestId,
    cut: &Cut,
) -> Result<Option<String>, LedgerError> {
    let sql = "SELECT number, subject_request_id, ids_count FROM jobs
         WHERE request = $1 AND number <= (SELECT COUNT(*) FROM jobs WHERE request = $1) - $2
         ORDER BY number";
    let mut statement = prepare(conn, sql)?;
    let mut rows = statement.query(params![request.as_str(), cut.added])?;
    let mut births = Births::default();
    while let Some(row) = &rows.next()? {
        let number = row.get(0)?;
        let ids = cut.before.get(&number).copied();
        births.add(number, row.get_ref(1)?, ids.map_or_else(|| row.get(2), Ok)?);
    }
    Ok(births.finish())
}

/// The digest of the jobs' kept ids. `None` if some are gone or unreadable; whoever needs the ids
/// reports that.
fn digest_of_kept(conn: &Connection, request: &RequestId) -> Result<Option<String>, LedgerError> {
    let sql = "SELECT request, number FROM jobs WHERE request = $1 ORDER BY number";
    let mut statement = prepare(conn, sql)?;
    let jobs: Vec<JobId> = statement.list([request.as_str()], job_id)?;
    let mut digest = IdsDigest::default();
    for job in jobs {
        match payload::read_lines(conn, &job) {
            Ok(lines) => lines.ids().for_each(|id| digest.add(id)),
            Err(LedgerError::IdsHashed(_) | LedgerError::Unreadable { .. }) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Ok(Some(digest_in_row(find_seal(conn)?, &digest)))
}

/// Fails if an open request is for something else than the trail recorded. dsr would not find such
/// a request when the same is asked again. Reads only what tells a repeated request: there may be
/// many.
pub(crate) fn demand_open_rows(conn: &Connection) -> Result<(), LedgerError> {
    let open = format!(
        "WHERE EXISTS (SELECT 1 FROM jobs WHERE request = requests.id AND NOT {ENDED}) ORDER BY id"
    );
    let mut statement = prepare(conn, &REQUESTS.replace("ORDER BY id", &open))?;
    let mut rows = statement.query([])?;
    while let Some(row) = &rows.next()? {
        let request = RequestId::restore(row.get(0)?);
        let told = last_of(conn, &request, AuditEvent::RequestRecorded)?.unwrap_or_default();
        let (salt, digest) = salt_of(row)?;
        let sealed = sealed_as(conn, &request, &told)?;
        let mut is_told = sealed == json!(ids_seal(&salt, &digest));
        for key in ["kind", "law", "disclosure", "project_key"] {
            is_told &= told[key] == value(row.get_ref(key)?);
        }
        if !is_told {
            return Err(LedgerError::OtherRequest(request));
        }
    }
    Ok(())
}

/// Each request of the trail: whether it is here, its jobs, the last job of the trail, its entry, and
/// whether it was purged. Goes from request to request by index: a request may have 100,000 entries.
const TOLD_REQUESTS: &str = "WITH RECURSIVE told (request) AS (
        SELECT MIN(request) FROM audit
        UNION ALL
        SELECT (SELECT request FROM audit WHERE request > told.request ORDER BY request LIMIT 1)
        FROM told WHERE told.request IS NOT NULL)
     SELECT request, EXISTS (SELECT 1 FROM requests WHERE id = told.request),
         (SELECT COUNT(*) FROM jobs WHERE jobs.request = told.request),
         (SELECT MAX(job) FROM audit WHERE audit.request = told.request),
         (SELECT details FROM audit WHERE audit.request = told.request AND job IS NULL
          AND event = 'request_recorded' ORDER BY seq DESC LIMIT 1),
         NOT EXISTS (SELECT 1 FROM requests WHERE id = told.request)
             AND EXISTS (SELECT 1 FROM audit WHERE audit.request = told.request AND job IS NULL
                         AND event = 'request_purged')
     FROM told WHERE request IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM ingestions WHERE id = told.request)";

/// Whether the ledger lacks a request of the trail that was not purged, or its jobs do not have as
/// many ids as its requests. Reads no entry, so it is quick; [`TOLD_REQUESTS`] tells what is gone.
const SEEMS_INCOMPLETE: &str = "SELECT EXISTS (
         SELECT 1 FROM (SELECT DISTINCT request FROM audit WHERE request IS NOT NULL) AS told
         WHERE NOT EXISTS (SELECT 1 FROM requests WHERE id = told.request)
             AND NOT EXISTS (SELECT 1 FROM ingestions WHERE id = told.request)
             AND NOT EXISTS (SELECT 1 FROM audit WHERE audit.request = told.request AND job IS NULL
                             AND event = 'request_purged'))
     OR (SELECT SUM(ids_unique) FROM requests) IS DISTINCT FROM (SELECT SUM(ids_count) FROM jobs)";

impl Ledger {
    /// Fails if a request or job of the trail is not in the ledger, or a job is there that the trail
    /// does not have. dsr would send the missing ones again, and could not follow them.
    ///
    /// # Errors
    /// [`LedgerError::Gone`], [`LedgerError::OtherRequest`], or when the ledger cannot be read.
    pub fn demand_all_rows(&self) -> Result<(), LedgerError> {
        let view = self.conn.view()?;
        if !sql::value::<bool>(&view, SEEMS_INCOMPLETE, [])? {
            return Ok(());
        }
        let mut statement = prepare(&view, TOLD_REQUESTS)?;
        let mut rows = statement.query([])?;
        while let Some(row) = &rows.next()? {
            let request = RequestId::restore(row.get(0)?);
            if row.get(5)? {
                continue;
            }
            // Jobs are numbered from 1, and a job that was split off has an entry.
            let recorded = object(row, 4)["jobs"].as_i64().unwrap_or(0);
            let expected = recorded.max(row.get::<Option<i64>>(3)?.unwrap_or(0));
            let missing = expected - row.get::<i64>(2)?;
            let what = match (row.get(1)?, missing) {
                (false, _) => format!("request {request}"),
                (true, 1) => format!("1 job of request {request}"),
                (true, 2..) => format!("{missing} jobs of request {request}"),
                (true, 0) => continue,
                (true, ..0) => return Err(LedgerError::OtherRequest(request)),
            };
            return Err(LedgerError::Gone(what));
        }
        Ok(())
    }

    /// Fails if the kept ids of a request are not those that were recorded. Once some of them are
    /// hashed, dsr cannot tell.
    ///
    /// # Errors
    /// [`LedgerError::OtherIds`], or when the ledger cannot be read.
    pub fn demand_recorded_ids(&self, request: &RequestId) -> Result<(), LedgerError> {
        let view = self.conn.view()?;
        let sql = "SELECT ids_salt, ids_digest FROM requests WHERE id = $1";
        let sealed = sql::find(&view, sql, [request.as_str()], salt_of)?;
        let told = last_of(&view, request, AuditEvent::RequestRecorded)?;
        let (Some((salt, digest)), Some(told)) = (sealed, told) else {
            return Ok(());
        };
        match has_other_ids(&view, request, (&salt, &digest), &told)? {
            true => Err(LedgerError::OtherIds(request.clone())),
            false => Ok(()),
        }
    }
}

/// Whether the kept ids differ from the recorded ones. Once the salt is blank or some ids are
/// hashed, dsr can no longer compare them.
fn has_other_ids(
    conn: &Connection,
    request: &RequestId,
    (salt, digest): (&str, &str),
    told: &Value,
) -> Result<bool, LedgerError> {
    if is_blank(salt) {
        return Ok(false);
    }
    let is_sealed = sealed_as(conn, request, told)? == json!(ids_seal(salt, digest));
    let kept = digest_of_kept(conn, request)?;
    Ok(!is_sealed || kept.is_some_and(|kept| kept != digest))
}

fn is_blank(salt: &str) -> bool {
    salt.bytes().all(|byte| byte == b'0')
}

/// A recorded request that is missing must have been purged.
fn check_gone(conn: &Connection, audit: &mut Audit) -> Result<(), LedgerError> {
    let sql = "SELECT request, EXISTS (SELECT 1 FROM audit AS purge
                 WHERE purge.request = audit.request AND event = 'request_purged')
         FROM audit WHERE event = 'request_recorded' AND request IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM requests WHERE id = request)
         ORDER BY seq";
    let mut statement = prepare(conn, sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = &rows.next()? {
        let request = RequestId::restore(row.get(0)?);
        match row.get(1)? {
            true => audit.purged += 1,
            false => audit.find(Finding::RequestMissing { request }),
        }
    }
    Ok(())
}
