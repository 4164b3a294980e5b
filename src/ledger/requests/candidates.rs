//! What a person may be about to type: requests and tasks, for a shell that completes words.
//!
//! It is a glance beside the work of others: it creates no file, waits for no lock, changes
//! nothing, and whatever keeps it from looking is as if there were nothing.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, params};

use crate::domain::{JobState, Kind, Law, RequestState};

use crate::ledger::open::migrations;
use crate::ledger::sql::prepare;
use crate::ledger::{LedgerError, refuse_what_others_share};

/// How many are offered: more nobody reads.
const OFFERED: usize = 100;

/// How many of the newest requests are looked through for those that fit, while nothing is typed.
const LOOKED_THROUGH: usize = 5000;

/// Which requests fit behind a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fitting {
    Any,
    /// Deletions of which something can be revoked or withdrawn.
    Cancel,
    /// Those with something that has to be sent or settled.
    Resume,
    /// Open ones that were not extended yet.
    Extend,
    /// Exports of which something is finished.
    Download,
}

impl Fitting {
    /// Each state by its name, so that it is looked for in an index.
    fn condition(self) -> &'static str {
        match self {
            Self::Any => "1 = 1",
            Self::Cancel => {
                "kind = 'delete' AND EXISTS (SELECT 1 FROM jobs WHERE request = newest.id
                     AND state IN ('planned', 'deferred', 'accepted'))"
            }
            Self::Resume => {
                "(EXISTS (SELECT 1 FROM jobs WHERE request = newest.id
                     AND state IN ('planned', 'deferred', 'sending'))
                  OR EXISTS (SELECT 1 FROM jobs WHERE request = newest.id
                     AND state = 'unknown' AND abandoned_at IS NULL))"
            }
            Self::Extend => {
                "EXISTS (SELECT 1 FROM jobs WHERE request = newest.id
                     AND state IN ('planned', 'deferred', 'sending', 'accepted', 'running', 'unknown')
                     AND abandoned_at IS NULL)
                 AND NOT EXISTS (SELECT 1 FROM extensions WHERE request = newest.id)"
            }
            Self::Download => {
                "kind = 'export' AND EXISTS (SELECT 1 FROM jobs WHERE request = newest.id
                     AND state = 'done')"
            }
        }
    }
}

/// A request or a task that may be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// What is to be typed: the whole id.
    pub name: String,
    pub kind: Kind,
    pub law: Law,
    pub project: String,
    pub state: &'static str,
    pub reference: Option<String>,
}

/// A ledger that is only glanced at.
pub struct Candidates {
    conn: Connection,
}

impl Candidates {
    /// `None` where there is no ledger, or none that can be read just now.
    pub fn open(path: &Path) -> Option<Self> {
        Self::try_open(path).ok().flatten()
    }

    fn try_open(path: &Path) -> Result<Option<Self>, LedgerError> {
        if !path.is_file() {
            return Ok(None);
        }
        refuse_what_others_share(path)?;
        // Where nobody has it open there is no log. The engine would make one, even to read, unless
        // it is told that nobody writes.
        let has_log = ["db-wal", "db-shm"].map(|extension| path.with_extension(extension).exists());
        let query = match has_log {
            [true, true] => "mode=ro",
            [true, false] => return Ok(None),
            [false, _] => "mode=ro&immutable=1",
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_URI;
        let conn = Connection::open_with_flags(address(path, query), flags)?;
        let is_current = migrations::check(&conn, path)?;
        Ok(is_current.then_some(Self { conn }))
    }

    /// Requests whose ids begin so, the newest first; of these projects, if any are named.
    pub fn requests(
        &self,
        fitting: Fitting,
        beginning: &str,
        projects: &[String],
    ) -> Vec<Candidate> {
        self.list_requests(fitting, beginning, projects)
            .unwrap_or_default()
    }

    /// Tasks whose ids begin so, with the requests they were made for.
    pub fn tasks(&self, beginning: &str) -> Vec<Candidate> {
        self.list_tasks(beginning).unwrap_or_default()
    }

    fn list_requests(
        &self,
        fitting: Fitting,
        beginning: &str,
        projects: &[String],
    ) -> Result<Vec<Candidate>, LedgerError> {
        let behind = behind(beginning);
        // With nothing typed the range would keep the engine from the index of the newest.
        let (range, values) = match beginning {
            "" => ("", Vec::new()),
            _ => ("WHERE id >= $1 AND id < $2", vec![beginning, &behind]),
        };
        let sql = format!(
            "SELECT id, kind, law, project, reference FROM
                 (SELECT id, kind, law, project, reference, created FROM requests {range}
                  ORDER BY created DESC LIMIT {LOOKED_THROUGH}) AS newest
             WHERE {} ORDER BY created DESC",
            fitting.condition()
        );
        let mut statement = prepare(&self.conn, &sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(values))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let (name, project): (String, String) = (row.get(0)?, row.get("project")?);
            let kind: String = row.get("kind")?;
            let law: String = row.get("law")?;
            let is_meant = projects.is_empty() || projects.contains(&project);
            if let (Some(kind), Some(law), true) = (Kind::parse(&kind), Law::parse(&law), is_meant)
            {
                found.push(Candidate {
                    state: self.state_of(&name)?,
                    name,
                    kind,
                    law,
                    project,
                    reference: row.get("reference")?,
                });
            }
            if found.len() == OFFERED {
                break;
            }
        }
        Ok(found)
    }

    /// Of each state one job is looked for, in an index: a request may have a hundred thousand.
    fn state_of(&self, request: &str) -> Result<&'static str, LedgerError> {
        let sql = "SELECT 1 FROM jobs WHERE request = $1 AND state = $2 LIMIT 1";
        let mut statement = prepare(&self.conn, sql)?;
        let mut states = Vec::new();
        for state in JobState::ALL {
            if statement.exists(params![request, state.as_str()])? {
                states.push(state);
            }
        }
        Ok(RequestState::of(states).map_or("", |state| state.job_state().as_str()))
    }

    fn list_tasks(&self, beginning: &str) -> Result<Vec<Candidate>, LedgerError> {
        let sql = format!(
            "SELECT task_id, state, kind, law, project, reference
                 FROM jobs JOIN requests ON requests.id = jobs.request
                 WHERE task_id >= $1 AND task_id < $2 AND linked = 0
                 ORDER BY task_id LIMIT {OFFERED}"
        );
        let mut statement = prepare(&self.conn, &sql)?;
        let mut rows = statement.query([beginning, &behind(beginning)])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let text = |column| -> Result<String, LedgerError> { Ok(row.get(column)?) };
            let known = (
                Kind::parse(&text("kind")?),
                Law::parse(&text("law")?),
                JobState::parse(&text("state")?),
            );
            if let (Some(kind), Some(law), Some(state)) = known {
                found.push(Candidate {
                    name: text("task_id")?,
                    kind,
                    law,
                    project: text("project")?,
                    state: state.as_str(),
                    reference: row.get("reference")?,
                });
            }
        }
        Ok(found)
    }
}

/// What comes behind all that begins so.
fn behind(beginning: &str) -> String {
    format!("{beginning}\u{10ffff}")
}

/// A path as the engine takes it with parameters: each byte that means something else by its number.
fn address(path: &Path, query: &str) -> String {
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    let text: String = bytes
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                char::from(*byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect();
    format!("file:{text}?{query}")
}
