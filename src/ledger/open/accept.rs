//! A ledger that was set back and is to be used again: what may have been sent in the span it lacks
//! is unknown from then on, and the trail has the decision. Nothing is ever sent here.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::domain::{JobId, JobState, Kind, ProjectName, RequestId};

use super::seen::{self, Next};
use super::set_back::{Seen, SetBack};
use crate::ledger::audit::{self, Anchor, AuditEvent, Subject, Why};
use crate::ledger::columns::{count, job_id, kind, parse_time, project, unreadable};
use crate::ledger::jobs::attempts::{Outcome, SET_BACK, begin_attempt, finish_attempt};
use crate::ledger::jobs::row::read_one;
use crate::ledger::sql::{self, prepare};
use crate::ledger::{Ledger, LedgerError, Opening, Patience};

/// The jobs that a set-back ledger has as not sent, or as being sent.
const MAY_BE_SENT: &str = "state IN ('planned', 'deferred', 'sending')";
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

/// What a ledger lacks for good: it was set back, and the operator went on with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostTime {
    /// When the last entry was made that the ledger had; `None` where it had none.
    pub since: Option<DateTime<Utc>>,
    pub accepted_at: DateTime<Utc>,
    /// `user@host`
    pub by: String,
    /// The last entry that the host had seen; `None` where it was not known.
    pub seen: Option<Anchor>,
    /// How many entries the ledger had.
    had: u64,
    /// That the operator has looked up what was lost.
    pub review: Option<Review>,
}

/// The operator's word that what a ledger lacks was looked up, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    pub at: DateTime<Utc>,
    /// `user@host`
    pub by: String,
    pub note: String,
}

impl LostTime {
    /// How many entries are lost at least, where that is known.
    pub fn entries(&self) -> Option<u64> {
        let seen = self.seen.as_ref()?.count;
        seen.checked_sub(self.had).filter(|lost| *lost > 0)
    }

    /// Whether a head with this number may be of the lost time.
    pub(crate) fn covers(&self, count: u64) -> bool {
        let seen = self.seen.as_ref();
        seen.is_some_and(|seen| count > self.had && count <= seen.count)
    }
}

impl fmt::Display for LostTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minute = |at: DateTime<Utc>| at.format("%Y-%m-%d %H:%M:%S UTC").to_string();
        let until = minute(self.accepted_at);
        f.write_str("the ledger was set back: it lacks what was recorded ")?;
        match self.since {
            Some(since) => write!(f, "between {} and {until}", minute(since))?,
            None => write!(f, "before {until}")?,
        }
        match self.entries() {
            Some(1) => f.write_str(" (at least 1 entry of its audit trail)"),
            Some(lost) => write!(f, " (at least {lost} entries of its audit trail)"),
            None => Ok(()),
        }
    }
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
        Self::open_as(
            opening,
            path,
            patience.into(),
            crate::ledger::Older::Accepted,
        )
    }

    /// The times that the ledger lacks for good, in the order in which they were accepted.
    pub fn list_lost_times(&self) -> Result<Vec<LostTime>, LedgerError> {
        list_lost(&self.conn)
    }

    /// Records that the operator has looked up what the ledger lacks, and what came of it.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn record_set_back_reviewed(
        &mut self,
        note: &str,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let tx = self.write()?;
        let event = AuditEvent::SetBackReviewed;
        audit::tell(&tx, event, Subject::Ledger, json!({ "note": note }), now)?;
        tx.commit_seen()
    }

    /// What may have been sent in the span that the ledger lacks.
    pub fn list_maybe_sent(&self) -> Result<Vec<MaybeSent>, LedgerError> {
        let sql = format!(
            "SELECT id, project, kind, COUNT(*) AS jobs, SUM(ids_count) AS ids
                 FROM jobs JOIN requests ON id = request WHERE {MAY_BE_SENT}
                 GROUP BY id, project, kind, created ORDER BY created, id"
        );
        sql::list(&self.conn, &sql, [], |row| {
            Ok(MaybeSent {
                request: RequestId::restore(row.get("id")?),
                project: project(row)?,
                kind: kind(row)?,
                jobs: count(row, "jobs")?,
                ids: count(row, "ids")?,
            })
        })
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
                begin_attempt(&tx, &record, SET_BACK, since, now)?.tell(&tx, Why::SetBack)?;
            }
            finish_attempt(&tx, &job, &Outcome::Unknown, Some(REASON), now)?
                .tell(&tx, Why::SetBack)?;
            jobs += 1;
            ids += record.ids;
            *requests.entry(job.request).or_default() += 1;
        }
        let details = json!({
            "seen": set_back.seen.head().map(ToString::to_string),
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

pub(crate) fn list_lost(conn: &Connection) -> Result<Vec<LostTime>, LedgerError> {
    let mut statement = prepare(
        conn,
        "SELECT at, event, actor_user, actor_host, details FROM audit
         WHERE request IS NULL AND event IN ($1, $2) ORDER BY seq",
    )?;
    let events = [AuditEvent::SetBackAccepted, AuditEvent::SetBackReviewed];
    let mut rows = statement.query(events.map(AuditEvent::as_str))?;
    let mut list: Vec<LostTime> = Vec::new();
    while let Some(row) = rows.next()? {
        let text = |column| -> Result<String, LedgerError> { Ok(row.get(column)?) };
        let details: Value = serde_json::from_str(&text("details")?).unwrap_or_default();
        let at = parse_time(&text("at")?)?;
        let by = format!("{}@{}", text("actor_user")?, text("actor_host")?);
        if text("event")? == AuditEvent::SetBackReviewed.as_str() {
            let note = details["note"].as_str().unwrap_or_default().to_owned();
            let review = Review { at, by, note };
            for lost in list.iter_mut().filter(|lost| lost.review.is_none()) {
                lost.review = Some(review.clone());
            }
            continue;
        }
        let head = |key: &str| details[key].as_str().and_then(|head| head.parse().ok());
        let had: Option<Anchor> = head("head");
        list.push(LostTime {
            since: match &had {
                Some(had) => find_moment(conn, had.count)?,
                None => None,
            },
            accepted_at: at,
            by,
            seen: head("seen"),
            had: had.map_or(0, |had| had.count),
            review: None,
        });
    }
    Ok(list)
}

/// When an entry was made.
fn find_moment(conn: &Connection, entry: u64) -> Result<Option<DateTime<Utc>>, LedgerError> {
    let sequence = i64::try_from(entry).unwrap_or(i64::MAX);
    let at: Option<String> =
        sql::find_value(conn, "SELECT at FROM audit WHERE seq = $1", [sequence])?;
    at.map(|at| parse_time(&at)).transpose()
}

/// What this host has seen of the ledger at `path`, which may be gone.
///
/// # Errors
/// When the file beside it cannot be opened.
pub fn find_seen(path: &Path) -> Result<Seen, LedgerError> {
    seen::read(path)
}
