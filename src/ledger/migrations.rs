use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::LedgerError;

/// Each step from one version of the schema to the next. Only ever appended to.
///
/// The SQL keeps to what PostgreSQL reads as well: TEXT and BIGINT, RFC 3339 times in UTC.
const MIGRATIONS: [&str; 9] = [
    "
    CREATE TABLE requests (
        id            TEXT PRIMARY KEY,
        kind          TEXT NOT NULL,
        law           TEXT NOT NULL,
        disclosure    TEXT,
        project       TEXT NOT NULL,
        project_key   TEXT NOT NULL,
        region        TEXT NOT NULL,
        reference     TEXT,
        received      TEXT NOT NULL,
        due           TEXT NOT NULL,
        created       TEXT NOT NULL,
        source        TEXT NOT NULL,
        ids_read      BIGINT NOT NULL,
        ids_unique    BIGINT NOT NULL
    );
    CREATE TABLE jobs (
        request            TEXT NOT NULL REFERENCES requests (id),
        number             BIGINT NOT NULL,
        subject_request_id TEXT NOT NULL,
        ids_count          BIGINT NOT NULL,
        state              TEXT NOT NULL,
        reason             TEXT,
        task_id            TEXT,
        attempts           BIGINT NOT NULL,
        not_before         TEXT,
        mixpanel_status    TEXT,
        submitted_at       TEXT,
        checked_at         TEXT,
        PRIMARY KEY (request, number)
    );
    CREATE INDEX jobs_by_state ON jobs (state);
    CREATE INDEX jobs_by_task ON jobs (task_id);
    -- The ids of a job, one a line: kept apart, since they go and the job stays.
    CREATE TABLE payloads (
        request       TEXT NOT NULL,
        number        BIGINT NOT NULL,
        ids           TEXT NOT NULL,
        PRIMARY KEY (request, number),
        FOREIGN KEY (request, number) REFERENCES jobs (request, number)
    );
    CREATE TABLE attempts (
        request       TEXT NOT NULL,
        number        BIGINT NOT NULL,
        attempt       BIGINT NOT NULL,
        sender        TEXT NOT NULL,
        started_at    TEXT NOT NULL,
        ended_at      TEXT,
        outcome       TEXT,
        reason        TEXT,
        PRIMARY KEY (request, number, attempt),
        FOREIGN KEY (request, number) REFERENCES jobs (request, number)
    );
    CREATE TABLE steps (
        request       TEXT NOT NULL,
        number        BIGINT NOT NULL,
        step          BIGINT NOT NULL,
        from_state    TEXT NOT NULL,
        to_state      TEXT NOT NULL,
        at            TEXT NOT NULL,
        PRIMARY KEY (request, number, step),
        FOREIGN KEY (request, number) REFERENCES jobs (request, number)
    );
    -- When the next call of a project may leave, in microseconds since 1970.
    CREATE TABLE pace (
        project_key   TEXT PRIMARY KEY,
        next_at       BIGINT NOT NULL,
        blocked_until BIGINT NOT NULL
    );
",
    "
    -- When the operator gave up on a job whose outcome was never known.
    ALTER TABLE jobs ADD COLUMN abandoned_at TEXT;
    -- Batch limits that the server taught us, smaller than the project's settings.
    CREATE TABLE learned (
        project_key   TEXT NOT NULL,
        kind          TEXT NOT NULL,
        batch         BIGINT NOT NULL,
        PRIMARY KEY (project_key, kind)
    );
",
    "
    -- Tells whether two requests are about the same set of ids, without the ids.
    ALTER TABLE requests ADD COLUMN ids_digest TEXT NOT NULL DEFAULT '';
    CREATE INDEX requests_by_ids ON requests (ids_digest);
",
    "
    -- 1 where the job's ids are in a task that was not made for it.
    ALTER TABLE jobs ADD COLUMN linked BIGINT NOT NULL DEFAULT 0;
",
    "
    -- Counts a request's jobs by how they stand without reading the jobs.
    CREATE INDEX jobs_by_standing ON jobs
        (request, state, mixpanel_status, abandoned_at, linked, ids_count);
",
    "
    -- How many ids were read and left out, since the operator excluded them.
    ALTER TABLE requests ADD COLUMN ids_excluded BIGINT NOT NULL DEFAULT 0;
",
    "
    -- The ids of a job as zstd packs them. Where there are none, `ids` has them as text.
    ALTER TABLE payloads ADD COLUMN packed BYTEA;
",
    "
    -- Exports that were fetched: where to, and what exactly.
    CREATE TABLE downloads (
        request       TEXT NOT NULL,
        number        BIGINT NOT NULL,
        path          TEXT NOT NULL,
        bytes         BIGINT NOT NULL,
        sha256        TEXT NOT NULL,
        fetched_at    TEXT NOT NULL,
        PRIMARY KEY (request, number),
        FOREIGN KEY (request, number) REFERENCES jobs (request, number)
    );
",
    "
    -- Until when receipt is to be confirmed, where the request's law asks for that.
    ALTER TABLE requests ADD COLUMN confirm_by TEXT;
    -- Extensions of the time to answer, one a request at most. `day` is the operator's day, by
    -- which the law counts; `requests.due` has the due date that holds.
    CREATE TABLE extensions (
        request       TEXT PRIMARY KEY REFERENCES requests (id),
        at            TEXT NOT NULL,
        day           TEXT NOT NULL,
        reason        TEXT NOT NULL,
        due_before    TEXT NOT NULL,
        due_after     TEXT NOT NULL
    );
",
];

/// Brings the schema up to date.
pub(super) fn apply(conn: &mut Connection, path: &Path) -> Result<(), LedgerError> {
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    // Most runs find it up to date and need no write lock.
    if version(conn)? == known {
        return Ok(());
    }
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version(&tx)?;
    if found > known || found < 0 {
        return Err(LedgerError::Newer {
            path: path.to_owned(),
            found,
            known,
        });
    }
    for migration in MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        tx.execute_batch(migration)?;
    }
    tx.pragma_update(None, "user_version", known)?;
    tx.commit()?;
    Ok(())
}

fn version(conn: &Connection) -> Result<i64, LedgerError> {
    Ok(conn.pragma_query_value(None, "user_version", |row| row.get(0))?)
}
