//! A ledger that was set back and is to be used again: what may have been sent in the span it lacks
//! is unknown from then on, and the trail has the decision. Nothing is ever sent here.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};
use serde_json::json;

use crate::domain::{JobId, JobState, Kind, ProjectName, RequestId};

use super::audit::{self, Anchor, AuditEvent, Subject, Why};
use super::jobs::{Outcome, begin_attempt, finish_attempt, read_one};
use super::records::{count, job_id, parse_time, unreadable};
use super::seen::{self, Next, Seen, SetBack};
use super::{Ledger, LedgerError, Opening, Patience, prepare};

/// The jobs that a set-back ledger has as not sent, or as being sent.
const MAY_BE_SENT: &str = "state IN ('planned', 'deferred', 'sending')";
/// Stands for the sender of an attempt that may have been made: nobody knows it.
pub(super) const SENDER: &str = "set-back";
const REASON: &str =
    "the ledger was set back, and nobody knows whether the job was sent in the time it lacks";

/// The jobs of a request that may have been sent in the span that the ledger lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaybeSent {
    pub request: RequestId,
    pub project: ProjectName,
    pub kind: Kind,
    pub jobs: usize,
    pub ids: usize,
}

/// What was decided about a ledger that was set back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    pub jobs: usize,
    pub ids: usize,
    /// The trail's head with the decision.
    pub head: Anchor,
}

impl Ledger {
    /// Opens the ledger though it lacks what this host has seen of it: to be accepted, and for
    /// nothing else. Makes one where it is gone.
    ///
    /// # Errors
    /// As [`Ledger::open_by`].
    pub fn open_set_back(
        opening: &Opening,
        path: &Path,
        patience: impl Into<Patience>,
    ) -> Result<Self, LedgerError> {
        Self::open_as(opening, path, patience.into(), super::Older::Accepted)
    }

    /// When the operator last went on with a ledger that was set back: what was recorded in the span
    /// that it lacked is not in it.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn find_set_back_accepted(&self) -> Result<Option<DateTime<Utc>>, LedgerError> {
        find_accepted(&self.conn)
    }

    /// What may have been sent in the span that the ledger lacks.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn list_maybe_sent(&self) -> Result<Vec<MaybeSent>, LedgerError> {
        let mut statement = prepare(
            &self.conn,
            &format!(
                "SELECT id, project, kind, COUNT(*) AS jobs, SUM(ids_count) AS ids
                 FROM jobs JOIN requests ON id = request WHERE {MAY_BE_SENT}
                 GROUP BY id, project, kind, created ORDER BY created, id"
            ),
        )?;
        let mut rows = statement.query([])?;
        let mut list = Vec::new();
        while let Some(row) = rows.next()? {
            let (project, kind): (String, String) = (row.get("project")?, row.get("kind")?);
            list.push(MaybeSent {
                request: RequestId::restore(row.get("id")?),
                project: ProjectName::new(&project)
                    .ok_or_else(|| unreadable("a request's project"))?,
                kind: Kind::parse(&kind).ok_or_else(|| unreadable("a request's kind"))?,
                jobs: count(row, "jobs")?,
                ids: count(row, "ids")?,
            });
        }
        Ok(list)
    }

    /// Takes the ledger as it is: each job that may have been sent is unknown, the trail says so and
    /// what was seen, and from then on this host goes by this ledger.
    ///
    /// # Errors
    /// When the ledger cannot be written; then it is as it was.
    pub fn record_set_back_accepted(
        &mut self,
        set_back: &SetBack,
        now: DateTime<Utc>,
    ) -> Result<Accepted, LedgerError> {
        // No earlier than this was anything sent that the ledger does not know of.
        let since = match set_back.head {
            Some(_) => self.audit_head()?.at,
            None => now,
        };
        let (mut jobs, mut ids) = (0, 0);
        let mut requests: BTreeMap<RequestId, usize> = BTreeMap::new();
        let path = self.path.clone();
        let tx = self.write()?;
        let list: Vec<JobId> = {
            let sql = format!("SELECT request, number FROM jobs WHERE {MAY_BE_SENT}");
            let mut statement = prepare(&tx, &sql)?;
            let rows = statement.query_map([], job_id)?;
            rows.collect::<Result<_, _>>()?
        };
        for job in list {
            let record = read_one(&tx, &job)?;
            if record.state != JobState::Sending {
                begin_attempt(&tx, &record, SENDER, since, now)?.tell(&tx, Why::SetBack)?;
            }
            finish_attempt(&tx, &job, &Outcome::Unknown, Some(REASON), now)?
                .tell(&tx, Why::SetBack)?;
            jobs += 1;
            ids += record.ids;
            *requests.entry(job.request).or_default() += 1;
        }
        let details = json!({
            "seen": set_back.seen.as_ref().map(ToString::to_string),
            "head": set_back.head.as_ref().map(ToString::to_string),
            "requests": requests.len(),
            "jobs": jobs,
            "ids": ids,
        });
        let event = AuditEvent::SetBackAccepted;
        audit::tell(&tx, event, Subject::Ledger, details, now)?;
        let head = audit::find_head(&tx)?.ok_or_else(|| unreadable("the audit trail's head"))?;
        let next = Next::write(&path, &head)?;
        tx.commit()?;
        // Killed here, the ledger is still refused, and accepted once more.
        next.publish()?;
        Ok(Accepted { jobs, ids, head })
    }
}

/// When a ledger that was set back was last accepted.
pub(super) fn find_accepted(conn: &Connection) -> Result<Option<DateTime<Utc>>, LedgerError> {
    let at: Option<String> = prepare(
        conn,
        "SELECT at FROM audit WHERE request IS NULL AND event = $1 ORDER BY seq DESC LIMIT 1",
    )?
    .query_row([AuditEvent::SetBackAccepted.as_str()], |row| row.get(0))
    .optional()?;
    at.map(|at| parse_time(&at)).transpose()
}

/// What this host has seen of the ledger at `path`, which may be gone.
///
/// # Errors
/// When the file beside it cannot be opened.
pub fn find_seen(path: &Path) -> Result<Seen, LedgerError> {
    seen::read(path)
}
