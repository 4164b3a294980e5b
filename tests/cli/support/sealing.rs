//! Seals requests and jobs that a test has changed, as dsr seals what it does itself: a history that would take
//! years is made in the file, and is still one that the trail knows. Only by
//! docs/design/audit-trail.md, without dsr's code.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Result};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Operator;
use super::trail::hash_of;

/// The tables of a request, and the order of their rows.
const OF_REQUESTS: [(&str, &str); 5] = [
    ("requests", "id"),
    ("extensions", "request"),
    ("plans", "request"),
    ("approvals", "number"),
    ("answers", "request"),
];
const OF_JOBS: [(&str, &str); 5] = [
    ("jobs", "number"),
    ("attempts", "attempt"),
    ("steps", "step"),
    ("downloads", "number"),
    ("people", "number"),
];

impl Operator {
    /// Changes the ledger, and appends an entry for each request and job that is now another.
    pub(crate) fn change_ledger(&self, statements: &str) {
        self.tamper_with(statements);
        let ledger = self.open_ledger().expect("the ledger can be opened");
        let entries = missing_entries(&ledger).unwrap_or_default();
        if !entries.is_empty() {
            self.tamper_with(&format!("BEGIN; {} COMMIT;", entries.concat()));
        }
    }
}

/// The statements that append what the trail lacks; an error if the ledger has another shape.
fn missing_entries(ledger: &Connection) -> Result<Vec<String>> {
    let (mut seq, mut before) =
        ledger.query_row("SELECT count, hash FROM audit_head", [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })?;
    let last = "SELECT at, actor_user, actor_host, command, version FROM audit
         ORDER BY seq DESC LIMIT 1";
    let frame: Vec<String> =
        ledger.query_row(last, [], |row| (0..5).map(|place| row.get(place)).collect())?;
    let mut statements = Vec::new();
    let subjects = "SELECT id, NULL FROM requests UNION ALL SELECT request, number FROM jobs
         ORDER BY 1, 2";
    let mut subjects = ledger.prepare(subjects)?;
    let subjects = subjects.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for (request, job) in subjects.collect::<Result<Vec<(String, Option<i64>)>>>()? {
        let missing = match job {
            None => missing_entry_of_request(ledger, &request)?,
            Some(job) => missing_entry(ledger, &request, job)?,
        };
        let Some((event, details)) = missing else {
            continue;
        };
        seq += 1;
        let mut fields = vec![Some(seq.to_string())];
        fields.extend(frame.iter().cloned().map(Some));
        fields.extend([Some(event), Some(request), job.map(|job| job.to_string())]);
        fields.push(Some(details.to_string()));
        let texts: Vec<_> = fields.iter().map(Option::as_deref).collect();
        before = hash_of(&before, &texts);
        fields.push(Some(before.clone()));
        let quoted = fields.iter().map(|text| match text {
            Some(text) => format!("'{}'", text.replace('\'', "''")),
            None => "NULL".to_owned(),
        });
        let quoted = quoted.collect::<Vec<_>>().join(", ");
        statements.push(format!("INSERT INTO audit VALUES ({quoted});"));
    }
    if seq > 0 && !statements.is_empty() {
        statements.push(format!(
            "UPDATE audit_head SET count = {seq}, hash = '{before}';"
        ));
    }
    Ok(statements)
}

/// The last entry of a request again, of the rows as they are.
fn missing_entry_of_request(ledger: &Connection, request: &str) -> Result<Option<(String, Value)>> {
    let last =
        "SELECT event, details, due, project FROM audit JOIN requests ON requests.id = request
         WHERE request = $1 AND job IS NULL ORDER BY seq DESC LIMIT 1";
    let last = ledger.query_row(last, [request], |row| {
        Ok((
            row.get(0)?,
            row.get::<_, String>(1)?,
            [
                json!(row.get::<_, Option<String>>(2)?),
                json!(row.get::<_, Option<String>>(3)?),
            ],
        ))
    });
    let Some((event, details, facts)) = last.optional()? else {
        return Ok(None);
    };
    let mut details: Value = serde_json::from_str(&details).expect("JSON");
    let rows = json!(digest_of(ledger, request, None)?);
    if details["rows"] == rows {
        return Ok(None);
    }
    details["rows"] = rows;
    for (key, fact) in ["due", "project"].into_iter().zip(facts) {
        if details.get(key).is_some() {
            details[key] = fact;
        }
    }
    Ok(Some((event, details)))
}

fn missing_entry(ledger: &Connection, request: &str, job: i64) -> Result<Option<(String, Value)>> {
    let last =
        "SELECT details FROM audit WHERE request = $1 AND job = $2 ORDER BY seq DESC LIMIT 1";
    let told: Option<String> = ledger
        .prepare_cached(last)?
        .query_row((request, job), |row| row.get(0))
        .optional()?;
    let told: Option<Value> = told.map(|told| serde_json::from_str(&told).expect("JSON"));
    let facts = "SELECT state, ids_count, attempts, task_id, linked <> 0, abandoned_at IS NOT NULL,
             reason IS NULL AND not_before IS NULL AND may_be_double = 0
         FROM jobs WHERE request = $1 AND number = $2";
    let (mut details, is_plain) =
        ledger
            .prepare_cached(facts)?
            .query_row((request, job), |row| {
                let facts = json!({
                    "state": row.get::<_, String>(0)?,
                    "ids": row.get::<_, i64>(1)?,
                    "attempts": row.get::<_, i64>(2)?,
                    "task_id": row.get::<_, Option<String>>(3)?,
                    "linked": row.get::<_, bool>(4)?,
                    "abandoned": row.get::<_, bool>(5)?,
                });
                Ok((facts, row.get::<_, bool>(6)?))
            })?;
    let rows = json!(digest_of(ledger, request, Some(job))?);
    let is_new = is_plain && details["state"] == "planned" && details["attempts"] == 0;
    match &told {
        Some(told) if told["rows"] == rows => return Ok(None),
        None if is_new => return Ok(None),
        _ => {}
    }
    let from = told.map_or(json!("planned"), |told| told["state"].clone());
    let event = match from == details["state"] {
        true => "job_noted",
        false => "job_moved",
    };
    details["rows"] = rows;
    details["why"] = json!("status");
    if event == "job_moved" {
        details["from"] = from;
    }
    Ok(Some((event.to_owned(), details)))
}

fn digest_of(ledger: &Connection, request: &str, job: Option<i64>) -> Result<String> {
    let mut hash = Sha256::new();
    let salt = "SELECT rows_salt FROM requests WHERE id = $1";
    let salt: String = ledger
        .prepare_cached(salt)?
        .query_row([request], |row| row.get(0))?;
    add(&mut hash, "salt", salt.as_bytes());
    for (table, order) in job.map_or(OF_REQUESTS, |_| OF_JOBS) {
        let which = match (job, table) {
            (Some(job), _) => format!("request = $1 AND number = {job}"),
            (None, "requests") => "id = $1".to_owned(),
            (None, _) => "request = $1".to_owned(),
        };
        let sql = format!("SELECT * FROM {table} WHERE {which} ORDER BY {order}");
        let mut statement = ledger.prepare_cached(&sql)?;
        let names = statement.column_names();
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let mut rows = statement.query([request])?;
        while let Some(row) = rows.next()? {
            add(&mut hash, "table", table.as_bytes());
            let is_followed = table == "jobs" && row.get_ref("next_check")? != ValueRef::Null;
            for (place, name) in names.iter().enumerate() {
                let is_left_out = match name.as_str() {
                    "next_check" | "told" | "ids_digest" | "ids_salt" => true,
                    "checked_at" => is_followed,
                    _ => false,
                };
                match row.get_ref(place)? {
                    _ if is_left_out => {}
                    ValueRef::Null | ValueRef::Integer(0) => {}
                    ValueRef::Integer(number) => {
                        add(&mut hash, name, format!("i{number}").as_bytes())
                    }
                    ValueRef::Real(number) => add(&mut hash, name, format!("r{number}").as_bytes()),
                    ValueRef::Text(text) => {
                        add(&mut hash, name, b"t");
                        add(&mut hash, "", text);
                    }
                    ValueRef::Blob(bytes) => {
                        add(&mut hash, name, b"b");
                        add(&mut hash, "", bytes);
                    }
                }
            }
        }
    }
    let digest = hash.finalize();
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn add(hash: &mut Sha256, name: &str, value: &[u8]) {
    for part in [name.as_bytes(), value] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
}
