//! When to check each open task next. All processes share the schedule. Whoever asks postpones the
//! job in the transaction that takes the slot, so no one else asks meanwhile.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::domain::{
    Heard, JobId, Kind, LONGEST_PAUSE, Lane, ProjectKey, ProjectName, RequestId, TaskId, next_check,
};

use super::pace;
use super::row::{question, read_one, schedule};
use crate::ledger::columns::{count, format_time, job_id, kind, moment, project, unreadable};
use crate::ledger::engine::{Transaction, params_from_iter};
use crate::ledger::sql::{self, prepare};
use crate::ledger::{JobRecord, Ledger, LedgerError, Slot};

/// Which jobs a command covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    All,
    /// Jobs of the projects with these names.
    Projects(Vec<String>),
    Requests(Vec<RequestId>),
}

/// Which of the covered jobs to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    Due,
    /// Jobs without an answer since this time, due or not. An answer's time in the future does not
    /// count.
    AfterAll(DateTime<Utc>),
}

/// A job with an open task, and the time of its next check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextCheck {
    pub job: JobId,
    pub task: TaskId,
    pub kind: Kind,
    pub project: ProjectKey,
    pub at: DateTime<Utc>,
}

/// The result of claiming a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asking {
    /// The slot is taken and the job postponed: ask now.
    Yours,
    /// The project's slot is taken for this long.
    Wait(Duration),
    /// Another process has asked, or the job is in a final state.
    Taken,
}

/// The number of jobs to check in one project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backlog {
    pub project: ProjectName,
    pub key: ProjectKey,
    pub jobs: usize,
}

impl Ledger {
    /// The job to check first, without those of the projects `without`. With [`Turn::Due`] its time
    /// may be in the future; then no job is due earlier.
    pub fn find_next_check(
        &self,
        scope: &Scope,
        turn: Turn,
        without: &[ProjectKey],
        now: DateTime<Utc>,
    ) -> Result<Option<NextCheck>, LedgerError> {
        let meant = || Filter::of(scope).and_not_in("requests.project_key", without);
        match turn {
            Turn::AfterAll(since) => self.select_next(&meant().and_not_answered(since, now)),
            Turn::Due => {
                let beyond = meant().and("next_check > ?", [format_time(horizon(now))]);
                match self.select_next(&beyond)? {
                    Some(found) => Ok(Some(NextCheck { at: now, ..found })),
                    None => self.select_next(&meant()),
                }
            }
        }
    }

    /// Whether any of these jobs has an open task that Mixpanel can find.
    pub fn has_followed(&self, scope: &Scope) -> Result<bool, LedgerError> {
        let known = "next_check IS NOT NULL AND COALESCE(mixpanel_status, '') <> 'NOT_FOUND'";
        self.has(Filter::of(scope).and(known, []))
    }

    /// Whether a running dsr is sending and some of these jobs are not sent yet.
    pub fn is_being_sent(&self, scope: &Scope) -> Result<bool, LedgerError> {
        let unsent = "state IN ('planned', 'sending', 'deferred')";
        let unsent = self.has(Filter::of(scope).and(unsent, []))?;
        Ok(unsent && !self.list_senders()?.is_empty())
    }

    /// The jobs to check now, by project. Leaves out projects without any.
    pub fn list_backlogs(
        &self,
        scope: &Scope,
        turn: Turn,
        now: DateTime<Utc>,
    ) -> Result<Vec<Backlog>, LedgerError> {
        let meant = Filter::of(scope);
        let meant = match turn {
            Turn::AfterAll(since) => meant.and_not_answered(since, now),
            Turn::Due => meant.and(
                "(next_check <= ? OR next_check > ?)",
                [format_time(now), format_time(horizon(now))],
            ),
        };
        let sql = format!(
            "SELECT project, project_key, COUNT(*) AS jobs
                 FROM jobs CROSS JOIN requests
                 WHERE next_check IS NOT NULL AND requests.id = jobs.request{}
                 GROUP BY project, project_key ORDER BY project, project_key",
            meant.sql
        );
        sql::list(&self.conn, &sql, params_from_iter(&meant.values), |row| {
            Ok(Backlog {
                project: project(row)?,
                key: ProjectKey::restore(row.get("project_key")?),
                jobs: count(row, "jobs")?,
            })
        })
    }

    /// Takes the project's slot and postpones the job as if the check brought nothing. So nobody
    /// repeats the check at once if this dsr dies or gets no answer.
    ///
    /// # Errors
    /// When the ledger cannot be written; then ask nothing.
    pub fn record_asking(
        &mut self,
        job: &JobId,
        turn: Turn,
        lane: &Lane,
        now: DateTime<Utc>,
    ) -> Result<Asking, LedgerError> {
        let asked = vec![question(job)?, pace::question(&lane.project)?];
        let tx = self.write_asking(asked)?;
        let record = read_one(&tx, job)?;
        let Some(at) = record.next_check else {
            return Ok(Asking::Taken);
        };
        let is_its_turn = match turn {
            Turn::Due => at <= now || at > horizon(now),
            Turn::AfterAll(since) => record
                .checked_at
                .is_none_or(|checked| checked < since || checked > now),
        };
        if !is_its_turn {
            return Ok(Asking::Taken);
        }
        if let Some(wait) = pace::yields(&tx, lane, now)? {
            return Ok(Asking::Wait(wait));
        }
        if let Slot::Wait(wait) = pace::take(&tx, lane, now)? {
            tx.commit()?;
            return Ok(Asking::Wait(wait));
        }
        pace::note_asked(&tx, &lane.project, now)?;
        let next = after_question(&tx, &record, Heard::Nothing, now)?;
        schedule(&tx, job, Some(next))?;
        tx.commit()?;
        Ok(Asking::Yours)
    }

    fn has(&self, meant: Filter) -> Result<bool, LedgerError> {
        let sql = format!(
            "SELECT EXISTS (SELECT 1 FROM jobs CROSS JOIN requests
                                WHERE requests.id = jobs.request{})",
            meant.sql
        );
        let mut statement = prepare(&self.conn, &sql)?;
        Ok(statement.query_row(params_from_iter(&meant.values), |row| row.get(0))?)
    }

    fn select_next(&self, meant: &Filter) -> Result<Option<NextCheck>, LedgerError> {
        // Uses the index order: a sort would read every open job for each check.
        let sql = format!(
            "SELECT jobs.request, jobs.number, task_id, next_check, kind, project_key
                 FROM jobs CROSS JOIN requests
                 WHERE next_check IS NOT NULL AND requests.id = jobs.request{}
                 ORDER BY next_check LIMIT 1",
            meant.sql
        );
        sql::find(&self.conn, &sql, params_from_iter(&meant.values), |row| {
            let task: String = row.get("task_id")?;
            Ok(NextCheck {
                job: job_id(row)?,
                task: TaskId::new(&task).ok_or_else(|| unreadable("a task id"))?,
                kind: kind(row)?,
                project: ProjectKey::restore(row.get("project_key")?),
                at: moment(row, "next_check")?,
            })
        })
    }
}

/// A check later than this is due: its time was written before the clock was set back. Twice the
/// longest pause, since the clocks of two processes may differ slightly.
fn horizon(now: DateTime<Utc>) -> DateTime<Utc> {
    let longest = TimeDelta::from_std(2 * LONGEST_PAUSE).unwrap_or(TimeDelta::MAX);
    now.checked_add_signed(longest).unwrap_or(now)
}

/// When to check a job again after a check at `now`.
pub(crate) fn after_question(
    tx: &Transaction<'_>,
    job: &JobRecord,
    heard: Heard,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, LedgerError> {
    let sql = "SELECT due FROM requests WHERE id = $1";
    let due: String = sql::value(tx, sql, [job.id.request.as_str()])?;
    let due: NaiveDate = due.parse().map_err(|_| unreadable("a request's day"))?;
    Ok(next_check(now, job.submitted_at.unwrap_or(now), due, heard))
}

/// SQL conditions to append, and the values of their parameters in order.
struct Filter {
    sql: String,
    values: Vec<String>,
}

impl Filter {
    fn of(scope: &Scope) -> Self {
        let all = Self {
            sql: String::new(),
            values: Vec::new(),
        };
        match scope {
            Scope::All => all,
            Scope::Projects(names) => all.and_list("requests.project IN", names.iter().cloned()),
            Scope::Requests(ids) => {
                let ids = ids.iter().map(|id| id.as_str().to_owned());
                all.and_list("jobs.request IN", ids)
            }
        }
    }

    /// Adds a condition with a `?` for each value.
    fn and(mut self, condition: &str, values: impl IntoIterator<Item = String>) -> Self {
        self.sql.push_str(" AND ");
        self.values.extend(values);
        let mut place = self.values.len() - condition.matches('?').count();
        for c in condition.chars() {
            match c {
                '?' => {
                    place += 1;
                    self.sql.push_str(&format!("${place}"));
                }
                other => self.sql.push(other),
            }
        }
        self
    }

    fn and_list(self, comparison: &str, values: impl ExactSizeIterator<Item = String>) -> Self {
        let places = vec!["?"; values.len()].join(", ");
        self.and(&format!("{comparison} ({places})"), values)
    }

    fn and_not_in(self, column: &str, keys: &[ProjectKey]) -> Self {
        let keys = keys.iter().map(|key| key.as_str().to_owned());
        match keys.len() {
            0 => self,
            _ => self.and_list(&format!("{column} NOT IN"), keys),
        }
    }

    /// An answer from the future was recorded before the clock was set back.
    fn and_not_answered(self, since: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        self.and(
            "(checked_at IS NULL OR checked_at < ? OR checked_at > ?)",
            [format_time(since), format_time(now)],
        )
    }
}
