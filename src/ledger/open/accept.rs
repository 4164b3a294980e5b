//! Accepts a ledger that was set back (an older copy): what it may have sent in the lost time
//! becomes unknown, and the trail records the decision. Never sends anything.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::domain::{JobId, JobState, Kind, LedgerReview, ProjectName, RequestId};

use super::seen::{self, NextHead};
use super::set_back::{Seen, SetBack};
use crate::ledger::audit::{self, Anchor, AuditEvent, EntrySubject, Why};
use crate::ledger::columns::{count, format_time, job_id, kind, parse_time, project, unreadable};
use crate::ledger::engine::Connection;
use crate::ledger::jobs::attempts::{Outcome, SET_BACK, begin_attempt, finish_attempt};
use crate::ledger::jobs::row::{read_one, read_to_change};
use crate::ledger::sql::{self, prepare};
use crate::ledger::{Ledger, LedgerError, LedgerPlace, Older, Opening, Patience, Write};

/// Jobs that a set-back ledger has as unsent, sending or unknown. Any of them may have been sent or
/// settled in the lost time.
const MAY_BE_SENT: &str = "(state IN ('planned', 'deferred', 'sending')
     OR (state = 'unknown' AND abandoned_at IS NULL))";
const MAYBE_SENT: &str =
    "the ledger was restored from an older copy, and the job may have been sent since";
/// The same for a job that was sent before.
const MAYBE_SETTLED: &str =
    "the ledger was restored from an older copy, and the job may have changed since";

/// The jobs of a request that may have been sent in the lost time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaybeSent {
    pub request: RequestId,
    pub project: ProjectName,
    pub kind: Kind,
    pub jobs: usize,
    pub ids: usize,
}

/// The decision about a ledger that was set back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    pub jobs: usize,
    pub ids: usize,
    /// The trail's head with the decision.
    pub head: Anchor,
    /// Who decided and when, if it was an earlier call.
    pub before: Option<(String, DateTime<Utc>)>,
}

/// A time that the ledger lacks for good: it was set back, and the operator accepted that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostTime {
    /// The time of the last entry that the ledger had; `None` if it had none.
    pub since: Option<DateTime<Utc>>,
    pub accepted_at: DateTime<Utc>,
    /// `user@host`
    pub by: String,
    /// The last entry that the host had seen; `None` if unknown.
    pub seen: Option<Anchor>,
    /// How many entries the ledger had.
    had: u64,
    /// The number of the decision's entry, and the jobs and ids that became unknown.
    entry: u64,
    jobs: usize,
    ids: usize,
    pub review: Option<LedgerReview>,
}

impl LostTime {
    /// The least number of lost entries, if known.
    pub fn entries(&self) -> Option<u64> {
        let seen = self.seen.as_ref()?.count;
        seen.checked_sub(self.had).filter(|lost| *lost > 0)
    }

    /// Whether a head may be from the lost time: by its time, or else by its number.
    pub(crate) fn covers(&self, count: u64, at: Option<DateTime<Utc>>) -> bool {
        let is_lost = |seen: &Anchor| count > self.had || seen.count <= self.had;
        let by_number = |seen: &Anchor| count <= seen.count && is_lost(seen);
        let Some(at) = at else {
            return self.seen.as_ref().is_some_and(by_number);
        };
        // The last remaining entry is not lost.
        let is_since = |since| at > since || (at == since && count > self.had);
        self.since.is_none_or(is_since) && at <= self.accepted_at
    }
}

impl fmt::Display for LostTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minute = |at: DateTime<Utc>| at.format("%Y-%m-%d %H:%M:%S UTC").to_string();
        let until = minute(self.accepted_at);
        f.write_str(match self.seen {
            Some(_) => "this ledger was restored from an older copy: it lacks what was recorded ",
            None => {
                "this host has no record of the newest entry: the ledger may lack what was recorded "
            }
        })?;
        match self.since {
            Some(since) => write!(f, "from {} to {until}", minute(since))?,
            None => write!(f, "before {until}")?,
        }
        match self.entries() {
            Some(1) => f.write_str(" (at least 1 entry)"),
            Some(lost) => write!(f, " (at least {lost} entries)"),
            None => Ok(()),
        }
    }
}

impl Ledger {
    /// Opens a ledger older than this host has seen, only to accept it. Creates a file that is gone.
    pub fn open_set_back(
        opening: &Opening,
        place: &LedgerPlace,
        patience: impl Into<Patience>,
    ) -> Result<Self, LedgerError> {
        let (patience, older) = (patience.into(), Older::Accepted);
        match place {
            LedgerPlace::File(path) => Self::open_as(opening, path, patience, older),
            LedgerPlace::Server(shared) => Self::open_shared_as(opening, shared, patience, older),
        }
    }

    /// The lost times, in the order of their acceptance.
    pub fn list_lost_times(&self) -> Result<Vec<LostTime>, LedgerError> {
        list_lost(&self.conn)
    }

    /// Records the operator's review of the lost time.
    pub fn record_set_back_reviewed(
        &mut self,
        note: &str,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let tx = self.write()?;
        let event = AuditEvent::SetBackReviewed;
        audit::tell(
            &tx,
            event,
            EntrySubject::Ledger,
            json!({ "note": note }),
            now,
        )?;
        tx.commit_seen()
    }

    /// The jobs that may have been sent in the lost time.
    pub fn list_maybe_sent(&self) -> Result<Vec<MaybeSent>, LedgerError> {
        let sql = format!(
            "SELECT id, project, kind, COUNT(*) AS jobs, CAST(SUM(ids_count) AS BIGINT) AS ids
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

    /// The time of the last entry that is certainly not lost; `None` if unknown.
    pub fn find_kept_until(
        &self,
        set_back: &SetBack,
    ) -> Result<Option<DateTime<Utc>>, LedgerError> {
        find_kept_until(&self.conn, set_back)
    }

    /// Accepts the ledger as it is. Each job that may have been sent becomes unknown, and the trail
    /// records the decision and what was seen. From then on this host trusts this ledger. A
    /// set-back is accepted once.
    ///
    /// # Errors
    /// When the ledger cannot be written; then nothing changes.
    pub fn record_set_back_accepted(
        &mut self,
        set_back: &SetBack,
        now: DateTime<Utc>,
    ) -> Result<Accepted, LedgerError> {
        let path = self.path.clone();
        let tx = self.write()?;
        if let Some(accepted) = find_accepted(&tx, set_back)? {
            // Another dsr was faster, or died before it noted the new head.
            if seen::find_set_back(&tx, &path)?.is_some() {
                NextHead::write(&path, &accepted.head)?.publish()?;
            }
            return Ok(accepted);
        }
        // Everything that the ledger does not know of was sent later than this.
        let kept_until = find_kept_until(&tx, set_back)?;
        let since = match (kept_until, &set_back.head) {
            (Some(since), _) => since,
            (None, Some(_)) => find_moment(&tx, 1)?.unwrap_or(now),
            (None, None) => now,
        };
        let counts = doubt_all(&tx, since, now)?;
        let details = json!({
            "seen": set_back.seen.head().map(ToString::to_string),
            "head": set_back.head.as_ref().map(ToString::to_string),
            "since": set_back.known_since.map(|_| format_time(since)),
            "parted": set_back.head.is_some() && kept_until.is_none(),
            "requests": counts.requests,
            "jobs": counts.jobs,
            "ids": counts.ids,
        });
        let event = AuditEvent::SetBackAccepted;
        audit::tell(&tx, event, EntrySubject::Ledger, details, now)?;
        let head = find_head(&tx)?;
        let next = NextHead::write(&path, &head)?;
        tx.commit()?;
        // If dsr dies here, the ledger is still refused, and the next call finds the decision.
        next.publish()?;
        Ok(Accepted {
            jobs: counts.jobs,
            ids: counts.ids,
            head,
            before: None,
        })
    }
}

struct UnknownCounts {
    requests: usize,
    jobs: usize,
    ids: usize,
}

/// Makes every job unknown that may have been sent or settled since, and adds a possible attempt to
/// each. So no run settles such a job by itself.
fn doubt_all(
    tx: &Write<'_>,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<UnknownCounts, LedgerError> {
    let sql =
        format!("SELECT request, number FROM jobs WHERE {MAY_BE_SENT} ORDER BY request, number");
    let list: Vec<JobId> = sql::list(tx, &sql, [], |row| Ok(job_id(row)?))?;
    let (mut jobs, mut ids) = (0, 0);
    let mut requests = BTreeSet::new();
    for job in list {
        let mut record = read_to_change(tx, &job)?;
        jobs += 1;
        ids += record.ids;
        requests.insert(job.request.clone());
        // A job with a task is unknown because of that task, and needs the operator's word anyway.
        if record.task.is_some() {
            continue;
        }
        let reason = match record.state {
            JobState::Planned | JobState::Deferred => MAYBE_SENT,
            _ => MAYBE_SETTLED,
        };
        if record.state == JobState::Sending {
            finish_attempt(tx, &record, &Outcome::Unknown, Some(reason), now)?
                .tell(tx, Why::SetBack)?;
            record = read_one(tx, &job)?;
        }
        begin_attempt(tx, &record, SET_BACK, since, now)?.tell(tx, Why::SetBack)?;
        record = read_one(tx, &job)?;
        finish_attempt(tx, &record, &Outcome::Unknown, Some(reason), now)?
            .tell(tx, Why::SetBack)?;
    }
    Ok(UnknownCounts {
        requests: requests.len(),
        jobs,
        ids,
    })
}

/// The decision about this set-back, if it is the trail's last entry.
fn find_accepted(conn: &Connection, set_back: &SetBack) -> Result<Option<Accepted>, LedgerError> {
    let Some(lost) = list_lost(conn)?.pop() else {
        return Ok(None);
    };
    let head = find_head(conn)?;
    if lost.entry != head.count || lost.seen.as_ref() != set_back.seen.head() {
        return Ok(None);
    }
    Ok(Some(Accepted {
        jobs: lost.jobs,
        ids: lost.ids,
        head,
        before: Some((lost.by, lost.accepted_at)),
    }))
}

fn find_head(conn: &Connection) -> Result<Anchor, LedgerError> {
    audit::find_head(conn)?.ok_or_else(|| unreadable("the audit trail's head"))
}

pub(crate) fn list_lost(conn: &Connection) -> Result<Vec<LostTime>, LedgerError> {
    let mut statement = prepare(
        conn,
        "SELECT seq, at, event, actor_user, actor_host, details FROM audit
         WHERE request IS NULL AND event IN ($1, $2) ORDER BY seq",
    )?;
    let events = [AuditEvent::SetBackAccepted, AuditEvent::SetBackReviewed];
    let mut rows = statement.query(events.map(AuditEvent::as_str))?;
    let mut list: Vec<LostTime> = Vec::new();
    while let Some(row) = &rows.next()? {
        let text = |column| -> Result<String, LedgerError> { Ok(row.get(column)?) };
        let details: Value = serde_json::from_str(&text("details")?).unwrap_or_default();
        let at = parse_time(&text("at")?)?;
        let by = format!("{}@{}", text("actor_user")?, text("actor_host")?);
        if text("event")? == AuditEvent::SetBackReviewed.as_str() {
            let note = details["note"].as_str().unwrap_or_default().to_owned();
            let review = LedgerReview { at, by, note };
            for lost in list.iter_mut().filter(|lost| lost.review.is_none()) {
                lost.review = Some(review.clone());
            }
            continue;
        }
        let head = |key: &str| details[key].as_str().and_then(|head| head.parse().ok());
        let had: Option<Anchor> = head("head");
        let number = |key: &str| usize::try_from(details[key].as_u64().unwrap_or(0)).unwrap_or(0);
        let last = had.as_ref().filter(|_| details["parted"] != true);
        let last = last.and_then(|had| last_shared(head("seen").as_ref(), had));
        list.push(LostTime {
            since: match (details["since"].as_str(), last) {
                (Some(since), _) => Some(parse_time(since)?),
                (None, Some(last)) => find_moment(conn, last)?,
                (None, None) => None,
            },
            accepted_at: at,
            by,
            seen: head("seen"),
            had: had.map_or(0, |had| had.count),
            review: None,
            entry: u64::try_from(row.get::<i64>("seq")?).unwrap_or(0),
            jobs: number("jobs"),
            ids: number("ids"),
        });
    }
    Ok(list)
}

/// The last entry that is certainly not lost: the head of a ledger whose entries this host has all
/// seen. If the two ledgers continued separately, their last shared entry is unknown.
fn last_shared(seen: Option<&Anchor>, had: &Anchor) -> Option<u64> {
    let has_parted = seen.is_some_and(|seen| seen.count <= had.count);
    (!has_parted).then_some(had.count)
}

fn find_kept_until(
    conn: &Connection,
    set_back: &SetBack,
) -> Result<Option<DateTime<Utc>>, LedgerError> {
    let (seen, head) = (set_back.seen.head(), set_back.head.as_ref());
    let last = head.and_then(|head| last_shared(seen, head));
    // Another host has accepted an older copy and gone on. What this host has seen may be of the
    // ledger before that, and so part from this one earlier.
    let has_gone_on = || Ok::<_, LedgerError>(!list_lost(conn)?.is_empty());
    let last = match seen.is_some() && conn.is_shared() && has_gone_on()? {
        true => None,
        false => last
            .map(|last| find_moment(conn, last))
            .transpose()?
            .flatten(),
    };
    Ok(match set_back.known_since {
        Some(known) => Some(last.map_or(known, |last| known.min(last))),
        None => last,
    })
}

fn find_moment(conn: &Connection, entry: u64) -> Result<Option<DateTime<Utc>>, LedgerError> {
    let sequence = i64::try_from(entry).unwrap_or(i64::MAX);
    let at: Option<String> =
        sql::find_value(conn, "SELECT at FROM audit WHERE seq = $1", [sequence])?;
    at.map(|at| parse_time(&at)).transpose()
}

/// What this host has seen of the ledger at `path`, even if the ledger is gone.
pub fn find_seen(path: &Path) -> Result<Seen, LedgerError> {
    seen::read(path)
}
