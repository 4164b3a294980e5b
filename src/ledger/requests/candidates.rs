//! Requests and tasks that shell completion can offer. Creates no file, waits for no lock, changes
//! nothing, and treats every failure as an empty result.

use std::path::Path;

use crate::domain::{JobState, Kind, Law, RequestState};

use crate::ledger::engine::{Connection, params, params_from_iter};
use crate::ledger::open::migrations;
use crate::ledger::sql::prepare;
use crate::ledger::{LedgerError, refuse_what_others_share};

/// The most candidates to offer.
const OFFERED: usize = 100;

/// How many of the newest requests are searched before the user has typed anything.
const LOOKED_THROUGH: usize = 5000;

/// Which requests a command can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fitting {
    Any,
    /// Deletions with something to revoke or withdraw.
    Cancel,
    /// Requests with something to send or settle.
    Resume,
    /// Open requests that were not extended yet.
    Extend,
    /// Exports with a job that is done.
    Download,
}

impl Fitting {
    /// Names each state, so that SQLite can use an index.
    fn condition(self) -> &'static str {
        match self {
            Self::Any => "1 = 1",
            Self::Cancel => {
                "kind = 'delete' AND EXISTS (SELECT 1 FROM jobs WHERE request = newest.id
                     AND state IN ('planned', 'deferred', 'sending', 'accepted'))"
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

/// A request or task to offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The whole id, to be typed.
    pub name: String,
    pub kind: Kind,
    pub law: Law,
    pub project: String,
    pub state: &'static str,
    pub reference: Option<String>,
}

/// A ledger opened for completion only.
pub struct Candidates {
    conn: Connection,
}

impl Candidates {
    /// `None` if there is no ledger, or it is not readable now.
    pub fn open(path: &Path) -> Option<Self> {
        Self::try_open(path).ok().flatten()
    }

    fn try_open(path: &Path) -> Result<Option<Self>, LedgerError> {
        if !path.is_file() {
            return Ok(None);
        }
        refuse_what_others_share(path)?;
        // Without an open connection there is no log. Even to read, SQLite would create one unless
        // the file is declared immutable.
        let has_log = ["db-wal", "db-shm"].map(|extension| path.with_extension(extension).exists());
        let query = match has_log {
            [true, true] => "mode=ro",
            [true, false] => return Ok(None),
            [false, _] => "mode=ro&immutable=1",
        };
        let conn = Connection::open_address(&address(path, query))?;
        let is_current = migrations::check(&conn, &path.display())?;
        Ok(is_current.then_some(Self { conn }))
    }

    /// Requests whose ids begin so, the newest first; only of these projects, if any are given.
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
        // With nothing typed, a range would keep SQLite from the index of the newest requests.
        let (range, values) = match beginning {
            "" => ("", Vec::new()),
            _ => ("WHERE id >= $1 AND id < $2", vec![beginning, &behind]),
        };
        let sql = format!(
            "SELECT id, kind, law, project, reference FROM
                 (SELECT id, kind, law, project, reference, created FROM requests {range}
                  ORDER BY created DESC, id LIMIT {LOOKED_THROUGH}) AS newest
             WHERE {} ORDER BY created DESC, id",
            fitting.condition()
        );
        let mut statement = prepare(&self.conn, &sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut found = Vec::new();
        while let Some(row) = &rows.next()? {
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

    /// Looks for one job of each state, by index: a request may have 100,000 jobs.
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
                 ORDER BY task_id, request, number LIMIT {OFFERED}"
        );
        let mut statement = prepare(&self.conn, &sql)?;
        let mut rows = statement.query([beginning, &behind(beginning)])?;
        let mut found = Vec::new();
        while let Some(row) = &rows.next()? {
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

/// The end of the range of texts that begin so.
fn behind(beginning: &str) -> String {
    format!("{beginning}\u{10ffff}")
}

/// A path as an SQLite URI: special bytes as numbers.
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
