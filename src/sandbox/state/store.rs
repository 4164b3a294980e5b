//! The sandbox's state: `server.db`, one SQLite file that several processes may share. Holds all
//! SQL of the sandbox. Every write is one short IMMEDIATE transaction. Knows no HTTP; `lifecycle`
//! interprets a task's times.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{
    Connection, OpenFlags, OptionalExtension, Row, Transaction, TransactionBehavior, params,
};
use uuid::Uuid;

use super::clock::Moment;
use super::lifecycle::{Status, Times};
use super::task::{CreateCall, Disclosure, Kind, Law, ReplyShape, Task};
use crate::sandbox::{CreateReply, SandboxError};

/// How long to wait for another process's write.
const BUSY: Duration = Duration::from_secs(10);

/// Append only: `user_version` counts the steps a file has.
const MIGRATIONS: &[&str] = &[
    "
    -- One row: what export links are signed with.
    CREATE TABLE secret (link_key TEXT NOT NULL) STRICT;

    -- When the limiter last let a call of the project through.
    CREATE TABLE pace (
        project     TEXT PRIMARY KEY,
        accepted_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE task (
        number               INTEGER PRIMARY KEY,
        id                   TEXT NOT NULL UNIQUE,
        project              TEXT NOT NULL,
        kind                 TEXT NOT NULL,
        shape                TEXT NOT NULL,
        law                  TEXT NOT NULL,
        disclosure           TEXT NOT NULL,
        distinct_ids         TEXT NOT NULL,
        subject_request_id   TEXT,
        status_callback_urls TEXT NOT NULL,
        created_at           INTEGER NOT NULL,
        duration             INTEGER NOT NULL,
        cancelled_at         INTEGER,
        UNIQUE (project, subject_request_id)
    ) STRICT;

    -- The latest deletion of each id; active until `ends_at`.
    CREATE TABLE deletion (
        project     TEXT NOT NULL,
        distinct_id TEXT NOT NULL,
        task        INTEGER NOT NULL,
        ends_at     INTEGER NOT NULL,
        PRIMARY KEY (project, distinct_id)
    ) STRICT, WITHOUT ROWID;
",
    "
    -- The queries of the last hour, for the hourly limit of each kind.
    CREATE TABLE query (
        project  TEXT NOT NULL,
        kind     TEXT NOT NULL,
        asked_at INTEGER NOT NULL
    ) STRICT;
",
    "
    CREATE TABLE imported (
        project     TEXT NOT NULL,
        event       TEXT NOT NULL,
        time        INTEGER NOT NULL,
        distinct_id TEXT NOT NULL,
        insert_id   TEXT NOT NULL,
        json        TEXT NOT NULL,
        imported_at INTEGER NOT NULL,
        PRIMARY KEY (project, event, time, distinct_id, insert_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX imported_by_time ON imported (project, time);
    CREATE TABLE deleted_profile (
        project     TEXT NOT NULL,
        distinct_id TEXT NOT NULL,
        PRIMARY KEY (project, distinct_id)
    ) STRICT, WITHOUT ROWID;
",
];

#[derive(Debug)]
pub(crate) struct Store {
    pub(super) connection: Connection,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    Kept,
    TooFast,
}

#[derive(Debug)]
pub(crate) enum Creation {
    Created(Task),
    /// These ids have active deletions in these tasks. Nothing was created.
    Conflict {
        distinct_ids: Vec<String>,
        task_ids: Vec<String>,
    },
    /// The `subject_request_id` is taken. Nothing was created.
    SubjectRequestIdTaken,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Cancellation {
    Cancelled,
    TooLate(Status),
    NoSuchTask,
}

impl Store {
    /// Opens the state in `folder`, and creates either if needed.
    pub(crate) fn open(folder: &Path) -> Result<Self, SandboxError> {
        let path = folder.join("server.db");
        make_private(folder, &path).map_err(|source| SandboxError::Folder {
            path: folder.to_path_buf(),
            source,
        })?;
        // The private file exists already; SQLite would create it with the umask's mode.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(&path, flags)?;
        connection.busy_timeout(BUSY)?;
        enter_wal(&connection)?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        migrate(&mut connection)?;
        Ok(Self { connection })
    }

    /// The key that signs export links: random, one for each state.
    pub(crate) fn link_key(&self) -> Result<String, SandboxError> {
        Ok(self
            .connection
            .query_row("SELECT link_key FROM secret", [], |row| row.get(0))?)
    }

    /// Takes the project's slot at `arrival` if `interval` microseconds have passed since the last
    /// one. A refused call takes no slot, so an impatient caller is not locked out.
    pub(crate) fn record_call(
        &mut self,
        project: &str,
        arrival: Moment,
        interval: i64,
    ) -> Result<Pace, SandboxError> {
        let tx = immediate(&mut self.connection)?;
        let last: Option<i64> = tx
            .query_row(
                "SELECT accepted_at FROM pace WHERE project = ?1",
                [project],
                |row| row.get(0),
            )
            .optional()?;
        // Two processes may record out of order, so a close call in the future counts too. One
        // further ahead was recorded before the clock was set back.
        if last.is_some_and(|last| arrival.0.abs_diff(last) < interval.unsigned_abs()) {
            return Ok(Pace::TooFast);
        }
        tx.execute(
            "INSERT INTO pace (project, accepted_at) VALUES (?1, ?2)
             ON CONFLICT (project) DO UPDATE SET accepted_at = excluded.accepted_at",
            params![project, arrival.0],
        )?;
        tx.commit()?;
        Ok(Pace::Kept)
    }

    /// Creates a task that takes `duration` microseconds. One transaction checks for conflicts and
    /// writes: of two deletions of one id, in any processes, only one is created.
    pub(crate) fn record_task(
        &mut self,
        project: &str,
        order: CreateCall,
        duration: i64,
        reply: CreateReply,
    ) -> Result<Creation, SandboxError> {
        let tx = immediate(&mut self.connection)?;
        let created = Moment::now();
        if order.kind == Kind::Deletion
            && let Some(conflict) = find_conflict(&tx, project, &order.distinct_ids, created)?
        {
            return Ok(conflict);
        }
        if let Some(id) = &order.subject_request_id {
            let sql = "SELECT 1 FROM task WHERE project = ?1 AND subject_request_id = ?2";
            if tx.prepare(sql)?.exists(params![project, id])? {
                return Ok(Creation::SubjectRequestIdTaken);
            }
        }
        let shape = next_shape(&tx, reply)?;
        let task = Task {
            id: new_task_id(shape),
            project: project.to_owned(),
            shape,
            times: Times {
                created,
                duration,
                cancelled: None,
            },
            order,
        };
        insert_task(&tx, &task)?;
        tx.commit()?;
        Ok(Creation::Created(task))
    }

    pub(crate) fn find_task(&self, id: &str) -> Result<Option<Task>, SandboxError> {
        find_task(&self.connection, id)
    }

    /// All tasks of the project, the oldest first.
    pub(crate) fn list_tasks(&self, project: &str) -> Result<Vec<Task>, SandboxError> {
        let sql = format!("{TASK} WHERE project = ?1 ORDER BY number");
        let mut listed = self.connection.prepare(&sql)?;
        let rows = listed.query_map([project], read_task)?;
        rows.map(|row| parse_lists(row?)).collect()
    }

    /// Cancels a deletion of the project that has not started.
    pub(crate) fn record_cancellation(
        &mut self,
        project: &str,
        id: &str,
    ) -> Result<Cancellation, SandboxError> {
        let tx = immediate(&mut self.connection)?;
        let now = Moment::now();
        let task = match find_task(&tx, id)? {
            Some(task) if task.project == project && task.order.kind == Kind::Deletion => task,
            _ => return Ok(Cancellation::NoSuchTask),
        };
        let status = task.status(now);
        if !status.can_cancel() {
            return Ok(Cancellation::TooLate(status));
        }
        tx.execute(
            "UPDATE task SET cancelled_at = ?2 WHERE id = ?1",
            params![id, now.0],
        )?;
        let mut release =
            tx.prepare("DELETE FROM deletion WHERE project = ?1 AND distinct_id = ?2")?;
        for distinct_id in &task.order.distinct_ids {
            release.execute(params![project, distinct_id])?;
        }
        drop(release);
        tx.commit()?;
        Ok(Cancellation::Cancelled)
    }
}

fn make_private(folder: &Path, file: &Path) -> io::Result<()> {
    let mut make_folder = std::fs::DirBuilder::new();
    make_folder.recursive(true);
    let mut make_file = std::fs::OpenOptions::new();
    make_file.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
        make_folder.mode(0o700);
        // SQLite gives its -wal and -shm files the database's mode.
        make_file.mode(0o600);
    }
    make_folder.create(folder)?;
    let log = file.with_extension("db-wal");
    for path in [file, &log] {
        refuse_link(path)?;
    }
    make_file.open(file).map(drop)
}

/// The state has people's ids, so dsr refuses a link, or a second name that others could read.
fn refuse_link(path: &Path) -> io::Result<()> {
    let metadata = match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        metadata => metadata?,
    };
    #[cfg(unix)]
    let names = std::os::unix::fs::MetadataExt::nlink(&metadata);
    #[cfg(not(unix))]
    let names = 1;
    match metadata.is_file() && names == 1 {
        true => Ok(()),
        false => Err(io::Error::other(
            "a link is in the state's place; remove it",
        )),
    }
}

/// Turns on write-ahead logging, which the file remembers. SQLite does not wait if two processes do
/// so at once, so this loop does.
fn enter_wal(connection: &Connection) -> Result<(), SandboxError> {
    let give_up = Instant::now() + BUSY;
    loop {
        match connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())) {
            Ok(()) => return Ok(()),
            Err(error) if is_busy(&error) && Instant::now() < give_up => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy)
}

fn migrate(connection: &mut Connection) -> Result<(), SandboxError> {
    let tx = immediate(connection)?;
    let found: i64 = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(SandboxError::NewerState { found, known });
    }
    for (number, migration) in (1..).zip(MIGRATIONS).filter(|(number, _)| *number > found) {
        tx.execute_batch(migration)?;
        tx.pragma_update(None, "user_version", number)?;
    }
    if found == 0 {
        let key = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        tx.execute("INSERT INTO secret (link_key) VALUES (?1)", [key])?;
    }
    Ok(tx.commit()?)
}

/// Takes the write lock before the first read, so that the state cannot change in between.
pub(super) fn immediate(connection: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}

fn find_conflict(
    tx: &Transaction<'_>,
    project: &str,
    ids: &[String],
    now: Moment,
) -> Result<Option<Creation>, SandboxError> {
    let (mut distinct_ids, mut task_ids) = (Vec::new(), Vec::new());
    let mut find = tx.prepare(
        "SELECT task.id FROM deletion JOIN task ON task.number = deletion.task
         WHERE deletion.project = ?1 AND deletion.distinct_id = ?2 AND deletion.ends_at > ?3",
    )?;
    for id in ids {
        let found: Option<String> = find
            .query_row(params![project, id, now.0], |row| row.get(0))
            .optional()?;
        let Some(task) = found else { continue };
        if !distinct_ids.contains(id) {
            distinct_ids.push(id.clone());
        }
        if !task_ids.contains(&task) {
            task_ids.push(task);
        }
    }
    Ok((!task_ids.is_empty()).then_some(Creation::Conflict {
        distinct_ids,
        task_ids,
    }))
}

fn next_shape(tx: &Transaction<'_>, reply: CreateReply) -> rusqlite::Result<ReplyShape> {
    match reply {
        CreateReply::Object => Ok(ReplyShape::Object),
        CreateReply::List => Ok(ReplyShape::List),
        CreateReply::Alternate => {
            let last: i64 =
                tx.query_row("SELECT COALESCE(MAX(number), 0) FROM task", [], |row| {
                    row.get(0)
                })?;
            Ok(if last % 2 == 0 {
                ReplyShape::Object
            } else {
                ReplyShape::List
            })
        }
    }
}

fn new_task_id(shape: ReplyShape) -> String {
    let random = Uuid::new_v4();
    match shape {
        ReplyShape::Object => random.to_string(),
        // 19 digits that fit a signed 64-bit integer.
        ReplyShape::List => {
            (1_000_000_000_000_000_000 + random.as_u128() % 8_000_000_000_000_000_000).to_string()
        }
    }
}

fn insert_task(tx: &Transaction<'_>, task: &Task) -> Result<(), SandboxError> {
    let Task {
        id,
        project,
        shape,
        times,
        order,
    } = task;
    tx.execute(
        "INSERT INTO task (id, project, kind, shape, law, disclosure, distinct_ids,
                           subject_request_id, status_callback_urls, created_at, duration)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        params![
            id,
            project,
            order.kind,
            shape,
            order.law,
            order.disclosure,
            serde_json::to_string(&order.distinct_ids)?,
            order.subject_request_id,
            serde_json::to_string(&order.status_callback_urls)?,
            times.created.0,
            times.duration
        ],
    )?;
    if order.kind == Kind::Deletion {
        let number = tx.last_insert_rowid();
        // Only ended deletions can be replaced: active ones were a conflict.
        let mut hold = tx.prepare(
            "INSERT OR REPLACE INTO deletion (project, distinct_id, task, ends_at) VALUES (?1, ?2, ?3, ?4)",
        )?;
        for distinct_id in &order.distinct_ids {
            hold.execute(params![project, distinct_id, number, times.completion().0])?;
        }
    }
    Ok(())
}

const TASK: &str = "
    SELECT id, project, kind, shape, law, disclosure, subject_request_id, created_at, duration,
           cancelled_at, distinct_ids, status_callback_urls
    FROM task";

fn find_task(connection: &Connection, id: &str) -> Result<Option<Task>, SandboxError> {
    let sql = format!("{TASK} WHERE id = ?1");
    let row = connection.query_row(&sql, [id], read_task).optional()?;
    row.map(parse_lists).transpose()
}

/// A task with its two lists unparsed.
type TaskRow = (Task, String, String);

fn read_task(row: &Row<'_>) -> rusqlite::Result<TaskRow> {
    let times = Times {
        created: Moment(row.get(7)?),
        duration: row.get(8)?,
        cancelled: row.get::<_, Option<i64>>(9)?.map(Moment),
    };
    let order = CreateCall {
        kind: row.get(2)?,
        law: row.get(4)?,
        disclosure: row.get(5)?,
        distinct_ids: Vec::new(),
        subject_request_id: row.get(6)?,
        status_callback_urls: Vec::new(),
    };
    let task = Task {
        id: row.get(0)?,
        project: row.get(1)?,
        shape: row.get(3)?,
        times,
        order,
    };
    Ok((task, row.get(10)?, row.get(11)?))
}

fn parse_lists((mut task, distinct_ids, urls): TaskRow) -> Result<Task, SandboxError> {
    task.order.distinct_ids = serde_json::from_str(&distinct_ids)?;
    task.order.status_callback_urls = serde_json::from_str(&urls)?;
    Ok(task)
}

macro_rules! stored_as_word {
    ($($name:ident),*) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.as_str().into())
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                let word = value.as_str()?;
                Self::ALL.into_iter().find(|known| known.as_str() == word).ok_or(FromSqlError::InvalidType)
            }
        }
    )*};
}

stored_as_word!(Kind, ReplyShape, Law, Disclosure);
