use std::fmt::Display;

use super::moved;
use crate::ledger::columns::unreadable;
use crate::ledger::engine::Connection;
use crate::ledger::{LedgerError, Opening, audit};

/// The last format of the builds before the first release. No dsr reads these formats any more.
const UNRELEASED: i64 = 22;

/// The steps from each format to the next; the first makes a new ledger. Only append to this list.
/// The SQL also works in PostgreSQL: TEXT and BIGINT, RFC 3339 times in UTC.
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
        -- Until when to confirm receipt, if the law asks for that.
        confirm_by    TEXT,
        created       TEXT NOT NULL,
        source        TEXT NOT NULL,
        ids_read      BIGINT NOT NULL,
        ids_unique    BIGINT NOT NULL,
        -- Ids that were read and left out, since the operator excluded them.
        ids_excluded  BIGINT NOT NULL DEFAULT 0,
        -- Tells whether two requests have the same set of ids, without the ids.
        ids_digest    TEXT NOT NULL DEFAULT '',
        -- Salt of the ids' seal in the trail; blanking it makes the seal meaningless.
        ids_salt      TEXT NOT NULL DEFAULT '',
        -- Begins the digests of the request's rows in the trail. Columns of rows in such a digest
        -- are NULL or 0 for no value, so that a new column changes no digest.
        rows_salt     TEXT NOT NULL DEFAULT ''
    );
    CREATE INDEX requests_by_ids ON requests (ids_digest);
    CREATE INDEX requests_by_received ON requests (received, id);
    CREATE INDEX requests_by_created ON requests (created);
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
        -- When dsr asks about the job next; only if Mixpanel has a task that has not ended.
        next_check         TEXT,
        -- When the operator gave up on a job whose outcome was never known.
        abandoned_at       TEXT,
        -- 1 if the job's ids are in a task that was not made for it.
        linked             BIGINT NOT NULL DEFAULT 0,
        -- 1 if Mixpanel may have taken an earlier POST of its ids, too.
        may_be_double      BIGINT NOT NULL DEFAULT 0,
        -- The standing that `status --changes` reported last.
        told               TEXT,
        PRIMARY KEY (request, number)
    );
    CREATE INDEX jobs_by_state ON jobs (state);
    CREATE INDEX jobs_by_task ON jobs (task_id);
    CREATE INDEX jobs_by_next_check ON jobs (next_check) WHERE next_check IS NOT NULL;
    -- Finds the oldest answer about a request.
    CREATE INDEX jobs_by_answer ON jobs (request, checked_at) WHERE next_check IS NOT NULL;
    -- Counts a request's jobs by their standing without reading the jobs.
    CREATE INDEX jobs_by_standing ON jobs
        (request, state, mixpanel_status, abandoned_at, linked, may_be_double, ids_count);
    -- The ids of a job, one a line, packed by zstd. A table of its own: they go, and the job stays.
    CREATE TABLE payloads (
        request       TEXT NOT NULL,
        number        BIGINT NOT NULL,
        packed        BYTEA NOT NULL,
        PRIMARY KEY (request, number),
        FOREIGN KEY (request, number) REFERENCES jobs (request, number)
    );
    -- Empty except while `payloads` is written anew.
    CREATE TABLE payloads_aside (
        request       TEXT NOT NULL,
        number        BIGINT NOT NULL,
        packed        BYTEA NOT NULL,
        PRIMARY KEY (request, number)
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
    -- Exports that were fetched: where to, and what exactly. An export that was lost is fetched
    -- again; the person was answered with the first one.
    CREATE TABLE downloads (
        request          TEXT NOT NULL,
        number           BIGINT NOT NULL,
        path             TEXT NOT NULL,
        bytes            BIGINT NOT NULL,
        sha256           TEXT NOT NULL,
        first_fetched_at TEXT NOT NULL,
        fetched_at       TEXT NOT NULL,
        PRIMARY KEY (request, number),
        FOREIGN KEY (request, number) REFERENCES jobs (request, number)
    );
    -- Extensions of the time to answer, at most one for each request. `day` is the operator's day,
    -- by which the law counts; `requests.due` has the due date that holds.
    CREATE TABLE extensions (
        request       TEXT PRIMARY KEY REFERENCES requests (id),
        at            TEXT NOT NULL,
        day           TEXT NOT NULL,
        reason        TEXT NOT NULL,
        due_before    TEXT NOT NULL,
        due_after     TEXT NOT NULL
    );
    -- When the operator told the person. The last answer holds; the trail has all.
    CREATE TABLE answers (
        request       TEXT PRIMARY KEY REFERENCES requests (id),
        day           TEXT NOT NULL,
        manner        TEXT,
        at            TEXT NOT NULL
    );
    -- The plan file that a request was made of. A plan is applied once.
    CREATE TABLE plans (
        request       TEXT PRIMARY KEY REFERENCES requests (id),
        digest        TEXT NOT NULL UNIQUE,
        created       TEXT NOT NULL,
        account       TEXT NOT NULL,
        host          TEXT NOT NULL
    );
    CREATE TABLE approvals (
        request       TEXT NOT NULL REFERENCES plans (request),
        number        BIGINT NOT NULL,
        account       TEXT NOT NULL,
        host          TEXT NOT NULL,
        at            TEXT NOT NULL,
        PRIMARY KEY (request, number)
    );
    -- When the next call of a project may leave, as what remained at one moment, in microseconds:
    -- until the next slot, and until the server takes any call. The moment is by the clock of the
    -- day, and by one that nobody can set, whose eras are not compared.
    CREATE TABLE pace (
        project_key   TEXT PRIMARY KEY,
        slot          BIGINT NOT NULL,
        block         BIGINT NOT NULL,
        at            BIGINT NOT NULL,
        era           TEXT NOT NULL,
        steady        BIGINT NOT NULL,
        -- Until when a process has more jobs to send, and when a question last went before them.
        sending_until BIGINT NOT NULL DEFAULT 0,
        asked_at      BIGINT NOT NULL DEFAULT 0
    );
    -- Batch limits that the server taught us, smaller than the project's settings.
    CREATE TABLE learned (
        project_key   TEXT NOT NULL,
        kind          TEXT NOT NULL,
        batch         BIGINT NOT NULL,
        refused       BIGINT NOT NULL,
        learned_at    TEXT NOT NULL,
        PRIMARY KEY (project_key, kind)
    );
    -- Tokens that a service refused: the place of each, and the first digits of its hash.
    CREATE TABLE rejected_tokens (
        service       TEXT NOT NULL,
        place         TEXT NOT NULL,
        fingerprint   TEXT NOT NULL,
        at            TEXT NOT NULL,
        PRIMARY KEY (service, place, fingerprint)
    );
    -- The people of jobs whose ids are gone: 16 bytes of a keyed hash each, in their order.
    CREATE TABLE people (
        request       TEXT NOT NULL,
        number        BIGINT NOT NULL,
        hashes        BYTEA NOT NULL,
        PRIMARY KEY (request, number),
        FOREIGN KEY (request, number) REFERENCES jobs (request, number)
    );
    -- The fingerprint of the key that made them; at most one row. `unclean` is 1 while the ledger's
    -- files may hold copies of ids that are gone.
    CREATE TABLE people_key (
        fingerprint   TEXT PRIMARY KEY,
        since         TEXT NOT NULL,
        unclean       BIGINT NOT NULL
    );
    -- People of deletions whose records are gone: they stay suppressed.
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
    -- Records that are gone: how many, when their requests were closed, and how many people a purge
    -- moved to `suppressed`.
    CREATE TABLE purges (
        at            TEXT NOT NULL,
        closed_before TEXT NOT NULL,
        requests      BIGINT NOT NULL,
        ids           BIGINT NOT NULL,
        first_closed  TEXT NOT NULL,
        last_closed   TEXT NOT NULL,
        suppressed    BIGINT NOT NULL
    );
    -- The audit trail; `audit/` computes each entry's hash. Only ever appended to.
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
    -- The length of the trail, apart from it, so that missing last entries show; one row.
    CREATE TABLE audit_head (
        count         BIGINT NOT NULL,
        hash          TEXT NOT NULL
    );
",
    "
    -- For a ledger on a server; one row. How long after its claim a POST may leave, and when it has
    -- certainly ended.
    CREATE TABLE sharing (
        fence_ms      BIGINT NOT NULL,
        lease_ms      BIGINT NOT NULL
    );
    INSERT INTO sharing (fence_ms, lease_ms) VALUES (10000, 180000);
    -- The last call of a project until its answer.
    ALTER TABLE pace ADD COLUMN last_call TEXT NOT NULL DEFAULT '';
",
    "
    -- How long each query of the last hour still counts, in microseconds from the row's moment. The
    -- queries of a project have a row of their own.
    ALTER TABLE pace ADD COLUMN queries TEXT NOT NULL DEFAULT '';
",
    "
    -- 1: a deletion that keeps its ids until its people's profiles were asked for.
    ALTER TABLE requests ADD COLUMN to_verify BIGINT NOT NULL DEFAULT 0;
",
    "
    -- What goes to Mixpanel's ingestion API, such as the events of a file. No record of it is here.
    CREATE TABLE ingestions (
        id            TEXT PRIMARY KEY,
        kind          TEXT NOT NULL,
        project       TEXT NOT NULL,
        project_key   TEXT NOT NULL,
        -- The deletion that had to be done first; its records may be gone.
        after_request TEXT,
        -- The name of the source, and a digest that tells whether another one is byte for byte the
        -- same. The digest must not let anybody test a guess.
        source        TEXT NOT NULL,
        source_digest TEXT NOT NULL,
        records       BIGINT NOT NULL,
        first_day     TEXT,
        last_day      TEXT,
        created       TEXT NOT NULL
    );
    CREATE INDEX ingestions_by_source ON ingestions (source_digest);
    CREATE INDEX ingestions_by_request ON ingestions (after_request);
    CREATE TABLE ingestion_batches (
        ingestion     TEXT NOT NULL REFERENCES ingestions (id),
        number        BIGINT NOT NULL,
        -- The place of its first record in the source, from 0, and how many records it has.
        first         BIGINT NOT NULL,
        records       BIGINT NOT NULL,
        state         TEXT NOT NULL,
        attempts      BIGINT NOT NULL,
        -- The dsr that made the last attempt.
        sender        TEXT,
        started_at    TEXT,
        ended_at      TEXT,
        reason        TEXT,
        -- The refused records: the place of each in the batch, and the field that is wrong.
        refused       TEXT,
        refused_count BIGINT NOT NULL DEFAULT 0,
        PRIMARY KEY (ingestion, number)
    );
",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Migrated {
    Yes,
    No,
}

pub(crate) fn apply(
    conn: &Connection,
    place: &dyn Display,
    opening: &Opening,
) -> Result<Migrated, LedgerError> {
    // Most runs find it current and need no write lock.
    if conn.schema_version()? == known() {
        return Ok(Migrated::No);
    }
    let tx = conn.write()?;
    if check(&tx, place)? {
        return Ok(Migrated::No);
    }
    let found = tx.schema_version()?;
    let done = usize::try_from(found - UNRELEASED).unwrap_or(0);
    for migration in &MIGRATIONS[done..] {
        tx.migrate(migration)?;
    }
    if found == 0 {
        audit::start(&tx, opening)?;
    }
    tx.set_schema_version(known())?;
    tx.commit()?;
    Ok(Migrated::Yes)
}

/// Whether the schema is current. Changes nothing.
pub(crate) fn check(conn: &Connection, place: &dyn Display) -> Result<bool, LedgerError> {
    // In this order, since another dsr may make the schema meanwhile.
    let is_empty = conn.is_empty()?;
    let found = conn.schema_version()?;
    let is_new = found == 0 && is_empty;
    if !is_new && !conn.has_table("requests")? {
        return Err(unreadable("tables that are not dsr's"));
    }
    if let Some(mark) = moved::find(conn)? {
        return Err(mark.refusal(place));
    }
    if found < 0 || found > known() {
        return Err(LedgerError::Newer {
            place: place.to_string(),
            found,
            known: known(),
        });
    }
    if !is_new && found <= UNRELEASED {
        let what = format!("format {found}, of a dsr from before the first release");
        return Err(unreadable(&what));
    }
    Ok(found == known())
}

/// The engines in this binary, and the newest format of a ledger that it reads.
pub fn engines() -> String {
    let sqlite = rusqlite::version();
    format!("SQLite {sqlite} or PostgreSQL, format {}", known())
}

/// The newest format that this dsr reads.
pub(crate) fn known() -> i64 {
    UNRELEASED + i64::try_from(MIGRATIONS.len()).unwrap_or(0)
}
