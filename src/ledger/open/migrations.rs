use std::path::Path;

use crate::ledger::columns::unreadable;
use crate::ledger::engine::Connection;
use crate::ledger::{LedgerError, Opening, audit, sql};

/// The steps from each version of the schema to the next. Only append to this list. The SQL also
/// works in PostgreSQL: TEXT and BIGINT, RFC 3339 times in UTC.
const MIGRATIONS: &[&str] = &[
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
    "
    -- When a job is asked about next; only where Mixpanel has a task that has not ended.
    ALTER TABLE jobs ADD COLUMN next_check TEXT;
    -- All of them are due, the one whose answer is the oldest first.
    UPDATE jobs SET next_check = COALESCE(checked_at, submitted_at, '1970-01-01T00:00:00.000Z')
        WHERE state IN ('accepted', 'running');
    CREATE INDEX jobs_by_next_check ON jobs (next_check) WHERE next_check IS NOT NULL;
    -- Finds the oldest answer about a request.
    CREATE INDEX jobs_by_answer ON jobs (request, checked_at) WHERE next_check IS NOT NULL;
    -- How it stood when a look at the changes last told of it. What has ended is no news.
    ALTER TABLE jobs ADD COLUMN told TEXT;
    UPDATE jobs SET told = state || ' ' || COALESCE(mixpanel_status, '')
        WHERE state IN ('done', 'refused', 'failed', 'revoked');
",
    "
    -- OAuth tokens that a service turned away: where each is kept, and the first digits of its hash.
    CREATE TABLE rejected_tokens (
        service       TEXT NOT NULL,
        place         TEXT NOT NULL,
        fingerprint   TEXT NOT NULL,
        at            TEXT NOT NULL,
        PRIMARY KEY (service, place, fingerprint)
    );
",
    "
    -- The people of jobs whose ids are gone: 16 bytes of a keyed hash each, in their order.
    CREATE TABLE people (
        request       TEXT NOT NULL,
        number        BIGINT NOT NULL,
        hashes        BYTEA NOT NULL,
        PRIMARY KEY (request, number),
        FOREIGN KEY (request, number) REFERENCES jobs (request, number)
    );
    -- What tells the key that made them from others; one row at most. `unclean` is 1 while the
    -- ledger's files may hold copies of ids that are gone.
    CREATE TABLE people_key (
        fingerprint   TEXT PRIMARY KEY,
        since         TEXT NOT NULL,
        unclean       BIGINT NOT NULL
    );
    -- Empty but for the moments in which `payloads` is written anew.
    CREATE TABLE payloads_aside (
        request       TEXT NOT NULL,
        number        BIGINT NOT NULL,
        ids           TEXT NOT NULL,
        packed        BYTEA,
        PRIMARY KEY (request, number)
    );
    -- Records that are gone: how many, and when their requests had been closed.
    CREATE TABLE purges (
        at            TEXT NOT NULL,
        closed_before TEXT NOT NULL,
        requests      BIGINT NOT NULL,
        ids           BIGINT NOT NULL,
        first_closed  TEXT NOT NULL,
        last_closed   TEXT NOT NULL
    );
",
    "
    -- The audit trail; `audit/` has what each entry's hash is made of. Only ever appended to.
    CREATE TABLE audit (
        seq           INTEGER PRIMARY KEY,
        at            TEXT NOT NULL,
        actor_user    TEXT NOT NULL,
        actor_host    TEXT NOT NULL,
        command       TEXT NOT NULL,
        version       TEXT NOT NULL,
        event         TEXT NOT NULL,
        request       TEXT,
        job           BIGINT,
        details       TEXT NOT NULL,
        hash          TEXT NOT NULL
    );
    CREATE INDEX audit_by_job ON audit (request, job);
    -- How far it goes, apart from it, so that missing last entries show; one row.
    CREATE TABLE audit_head (
        count         BIGINT NOT NULL,
        hash          TEXT NOT NULL
    );
    -- Makes what the trail says of a request's ids a word of nobody's once it is blank.
    ALTER TABLE requests ADD COLUMN ids_salt TEXT NOT NULL DEFAULT '';
",
    "
    -- Finds requests by the day on which they were received.
    CREATE INDEX requests_by_received ON requests (received, id);
    -- An export that was lost is fetched again; it was answered with the first one. Empty where only
    -- the last time is known.
    ALTER TABLE downloads ADD COLUMN first_fetched_at TEXT;
",
    "
    -- The plan file that a request was made of. A plan is applied once.
    CREATE TABLE plans (
        request       TEXT PRIMARY KEY REFERENCES requests (id),
        digest        TEXT NOT NULL UNIQUE,
        created       TEXT NOT NULL,
        account       TEXT NOT NULL,
        host          TEXT NOT NULL
    );
    -- Who approved it.
    CREATE TABLE approvals (
        request       TEXT NOT NULL REFERENCES plans (request),
        number        BIGINT NOT NULL,
        account       TEXT NOT NULL,
        host          TEXT NOT NULL,
        at            TEXT NOT NULL,
        PRIMARY KEY (request, number)
    );
",
    "
    -- An earlier POST of its ids, that nobody knows the outcome of, may have been taken as well.
    ALTER TABLE jobs ADD COLUMN may_be_double BIGINT NOT NULL DEFAULT 0;
    UPDATE jobs SET may_be_double = 1 WHERE reason LIKE '%possible duplicate%';
",
    "
    -- Finds the newest requests without reading all of them.
    CREATE INDEX requests_by_created ON requests (created);
",
    "
    -- What a limit was learned from, and when. Those of before say neither, and some were learned from
    -- answers that were not about the number of ids.
    DELETE FROM learned;
    ALTER TABLE learned ADD COLUMN refused BIGINT NOT NULL DEFAULT 0;
    ALTER TABLE learned ADD COLUMN learned_at TEXT NOT NULL DEFAULT '';
    -- Until when somebody has more jobs to send, and when a question last went before them.
    ALTER TABLE pace ADD COLUMN sending_until BIGINT NOT NULL DEFAULT 0;
    ALTER TABLE pace ADD COLUMN asked_at BIGINT NOT NULL DEFAULT 0;
",
    "
    -- People of deletions whose records are gone: they stay suppressed. 16 bytes of a keyed hash each.
    CREATE TABLE suppressed (
        request       TEXT NOT NULL,
        number        BIGINT NOT NULL,
        project       TEXT NOT NULL,
        erasure       TEXT NOT NULL,
        begun         TEXT NOT NULL,
        done          TEXT,
        hashes        BYTEA NOT NULL,
        PRIMARY KEY (request, number)
    );
    -- How many a purge moved there; empty for one from before, which kept nobody.
    ALTER TABLE purges ADD COLUMN suppressed BIGINT;
",
    "
    -- What a project's calls had to wait for at one moment, in microseconds: for the next slot, and
    -- until the server wants any. The moment is by the clock of the day, and by one that nobody can
    -- set, whose eras are not compared.
    CREATE TABLE pace_left (
        project_key   TEXT PRIMARY KEY,
        slot          BIGINT NOT NULL,
        block         BIGINT NOT NULL,
        at            BIGINT NOT NULL,
        era           TEXT NOT NULL,
        steady        BIGINT NOT NULL,
        sending_until BIGINT NOT NULL DEFAULT 0,
        asked_at      BIGINT NOT NULL DEFAULT 0
    );
    INSERT INTO pace_left SELECT project_key, 0,
        MAX(0, MIN(86400000000, blocked_until
            - CAST((julianday('now') - 2440587.5) * 86400000000 AS BIGINT))),
        CAST((julianday('now') - 2440587.5) * 86400000000 AS BIGINT), '', 0, 0, 0 FROM pace;
    DROP TABLE pace;
    ALTER TABLE pace_left RENAME TO pace;
",
    "
    -- Begins the digests of a request's rows in the trail; goes with the request. Columns of rows in
    -- such a digest are NULL or 0 where they say nothing, so that a new one changes no digest.
    ALTER TABLE requests ADD COLUMN rows_salt TEXT;
    -- When the person was told, by the operator's word: the last word holds, the trail has all.
    CREATE TABLE answers (
        request       TEXT PRIMARY KEY REFERENCES requests (id),
        day           TEXT NOT NULL,
        manner        TEXT,
        at            TEXT NOT NULL
    );
",
    "
    -- How a request's jobs stand is counted without reading the jobs, doubt included.
    DROP INDEX jobs_by_standing;
    CREATE INDEX jobs_by_standing ON jobs
        (request, state, mixpanel_status, abandoned_at, linked, may_be_double, ids_count);
",
];

/// The number of steps before the trail's. The trail begins in the same transaction.
const BEFORE_TRAIL: i64 = 12;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Migrated {
    Yes,
    No,
}

pub(crate) fn apply(
    conn: &Connection,
    path: &Path,
    opening: &Opening,
) -> Result<Migrated, LedgerError> {
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    // Most runs find it current and need no write lock.
    if conn.schema_version()? == known {
        return Ok(Migrated::No);
    }
    let tx = conn.write()?;
    let found = tx.schema_version()?;
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
    if found <= BEFORE_TRAIL {
        audit::start(&tx, opening)?;
    }
    audit::salt(&tx)?;
    tx.set_schema_version(known)?;
    tx.commit()?;
    Ok(Migrated::Yes)
}

/// Whether the schema is current. Changes nothing.
pub(crate) fn check(conn: &Connection, path: &Path) -> Result<bool, LedgerError> {
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    let has_any = "SELECT 1 FROM sqlite_master";
    let is_new = conn.schema_version()? == 0 && !sql::exists(conn, has_any, [])?;
    if !is_new && !conn.has_table("requests")? {
        return Err(unreadable("tables that are not dsr's"));
    }
    match conn.schema_version()? {
        found if found > known || found < 0 => Err(LedgerError::Newer {
            path: path.to_owned(),
            found,
            known,
        }),
        found => Ok(found == known),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_jobs_of_an_older_ledger_are_due_the_oldest_answer_first_and_ended_ones_never() {
        let conn = Connection::open_in_memory().unwrap();
        let place = MIGRATIONS.iter().position(|m| m.contains("next_check"));
        for migration in &MIGRATIONS[..place.unwrap()] {
            conn.execute_batch(migration).unwrap();
        }
        conn.set_schema_version(place.unwrap() as i64).unwrap();
        conn.execute_batch(
            "INSERT INTO requests (id, kind, law, project, project_key, region, received, due,
                 created, source, ids_read, ids_unique)
             VALUES ('q1', 'delete', 'gdpr', 'shop', 'k', 'us', '2026-11-20', '2026-12-21',
                 '2026-11-20T10:00:00.000Z', 'x', 6, 6);
             INSERT INTO jobs (request, number, subject_request_id, ids_count, state, attempts,
                 mixpanel_status, submitted_at, checked_at)
             VALUES ('q1', 1, 's', 1, 'accepted', 1, 'PENDING', '2026-11-20T10:00:00.000Z',
                     '2026-11-21T10:00:00.000Z'),
                    ('q1', 2, 's', 1, 'running', 1, 'STARTED', '2026-11-20T10:00:00.000Z',
                     '2026-11-20T11:00:00.000Z'),
                    ('q1', 3, 's', 1, 'accepted', 1, NULL, '2026-11-20T12:00:00.000Z', NULL),
                    ('q1', 4, 's', 1, 'done', 1, 'SUCCESS', '2026-11-20T10:00:00.000Z',
                     '2026-11-20T11:00:00.000Z'),
                    ('q1', 5, 's', 1, 'planned', 0, NULL, NULL, NULL),
                    ('q1', 6, 's', 1, 'refused', 1, NULL, NULL, NULL);",
        )
        .unwrap();
        apply(&conn, Path::new("ledger.db"), &Opening::default()).unwrap();
        let numbers = |sql: &str| -> Vec<i64> {
            let mut statement = conn.prepare(sql).unwrap();
            statement.list([], |row| row.get(0)).unwrap()
        };
        let due = "SELECT number FROM jobs WHERE next_check <= '2026-11-22' ORDER BY next_check";
        assert_eq!(numbers(due), [2, 3, 1]);
        let never = "SELECT number FROM jobs WHERE next_check IS NULL ORDER BY number";
        assert_eq!(numbers(never), [4, 5, 6]);
        let told = "SELECT number FROM jobs WHERE told IS NOT NULL ORDER BY number";
        assert_eq!(numbers(told), [4, 6], "what has ended is no news");
    }
}
