//! Checks the audit trail as an auditor would: only by docs/design/audit-trail.md, without dsr's
//! code.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result};
use sha2::{Digest, Sha256};

/// What is wrong with the ledger's chain; nothing if there is no trail to read.
pub(crate) fn trail_faults(ledger: &Connection) -> Vec<String> {
    read_chain(ledger).unwrap_or_default()
}

/// The jobs whose rows differ from what the trail says.
pub(crate) fn untold_jobs(ledger: &Connection) -> Vec<String> {
    let told = |key: &str| {
        format!(
            "(SELECT json_extract(details, '$.{key}') FROM audit
              WHERE audit.request = jobs.request AND job = number
                AND json_extract(details, '$.state') IS NOT NULL
              ORDER BY seq DESC LIMIT 1)"
        )
    };
    let sql = format!(
        "SELECT request || '-' || number || ' is ' || state || ', and the trail says '
                || COALESCE({state}, 'nothing')
         FROM jobs WHERE state <> COALESCE({state}, 'planned')
            OR COALESCE(task_id, '') <> COALESCE({task}, '')
            OR attempts <> COALESCE({attempts}, 0) OR ids_count <> COALESCE({ids}, ids_count)",
        state = told("state"),
        task = told("task_id"),
        attempts = told("attempts"),
        ids = told("ids"),
    );
    let mut statement = ledger.prepare(&sql).expect("the ledger has a trail");
    let rows = statement.query_map([], |row| row.get(0));
    let rows = rows.expect("the ledger can be asked");
    rows.collect::<Result<_>>().expect("texts")
}

fn read_chain(ledger: &Connection) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    let mut before = "0".repeat(64);
    let mut count = 0;
    let mut statement = ledger.prepare(
        "SELECT seq, at, actor_user, actor_host, command, version, event, request, job, details,
                hash
         FROM audit ORDER BY seq",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut fields = Vec::new();
        for column in 0..10 {
            fields.push(match row.get_ref(column)? {
                ValueRef::Null => None,
                ValueRef::Integer(number) => Some(number.to_string()),
                other => Some(other.as_str()?.to_owned()),
            });
        }
        count += 1;
        let (seq, hash): (i64, String) = (row.get(0)?, row.get(10)?);
        let fields: Vec<_> = fields.iter().map(Option::as_deref).collect();
        let expected = hash_of(&before, &fields);
        if hash != expected || seq != count {
            faults.push(format!("entry {seq} does not follow"));
        }
        before = hash;
    }
    let head = ledger.query_row("SELECT count, hash FROM audit_head", [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
    })?;
    if head != (count, before) {
        faults.push(format!(
            "the head is of entry {}, the last is {count}",
            head.0
        ));
    }
    Ok(faults)
}

/// The hash of an entry by its first ten columns, after an entry with the hash `before`.
pub(super) fn hash_of(before: &str, fields: &[Option<&str>]) -> String {
    let mut bytes = b"dsr audit 1\n".to_vec();
    bytes.extend(field(Some(before)));
    fields.iter().for_each(|text| bytes.extend(field(*text)));
    let digest = Sha256::digest(&bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn field(text: Option<&str>) -> Vec<u8> {
    let text = text.map(|text| format!("{}:{text}\n", text.len()));
    text.unwrap_or_else(|| "-\n".to_owned()).into_bytes()
}
