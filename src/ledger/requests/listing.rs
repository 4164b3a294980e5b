//! Reads requests and jobs: requests with their jobs counted, jobs page by page, so that a hundred
//! thousand of them cost neither memory nor time where they are not shown.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, Utc};
use rusqlite::params;

use crate::domain::{Doubt, JobId, RequestId};

use super::records::{
    ANSWERED_COLUMNS, JOB_COLUMNS, JobGroup, REQUEST_COLUMNS, read_job, read_request,
};
use super::{answers, downloads, extensions, plans};
use crate::ledger::columns::{count, parse_time, state};
use crate::ledger::jobs::told::untold;
use crate::ledger::sql::{self, prepare};
use crate::ledger::{JobRecord, Ledger, LedgerError, RequestRecord};

/// Which requests to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those with at least one job that still waits for something.
    Open,
    /// Exports of which a finished one was not fetched yet.
    Unfetched,
    /// Those that wait for nothing more, and whose answer is to be recorded.
    Unanswered,
    All,
}

/// What a name that a person typed stands for.
#[derive(Debug)]
pub enum Found {
    Nothing,
    One(Box<RequestRecord>),
    /// The beginning of several requests' ids.
    Several(Vec<RequestId>),
}

/// Which jobs of a request to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Any,
    /// Planned or deferred.
    Unsent,
    /// Of unknown outcome, and not given up on.
    Unsettled,
    /// With a task that has not ended.
    Followed,
    /// Standing otherwise than a look at the changes has told.
    Untold,
    /// Not on the straight way from planned to done, or with something to be said about them.
    Exceptional,
}

impl Standing {
    fn condition(self) -> Cow<'static, str> {
        let condition = match self {
            Self::Any => "1 = 1",
            Self::Unsent => "state IN ('planned', 'deferred')",
            Self::Unsettled => "state = 'unknown' AND abandoned_at IS NULL",
            Self::Followed => "state IN ('accepted', 'running')",
            Self::Untold => return untold().into(),
            Self::Exceptional => {
                "(state NOT IN ('planned', 'accepted', 'running', 'done')
                  OR reason IS NOT NULL OR mixpanel_status = 'NOT_FOUND')"
            }
        };
        condition.into()
    }
}

/// How many jobs are read at a time.
const PAGE: usize = 256;

/// The jobs of a request in their order, read a page at a time: nothing is held in between, and
/// a job that moves meanwhile is seen as it stands when its page is read.
pub struct Jobs<'l> {
    ledger: &'l Ledger,
    request: RequestId,
    standing: Standing,
    /// The number of the last job read.
    after: u32,
    page: VecDeque<JobRecord>,
}

impl Iterator for Jobs<'_> {
    type Item = Result<JobRecord, LedgerError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.is_empty() {
            match self
                .ledger
                .list_page(&self.request, self.standing, self.after)
            {
                Ok(page) => self.page = page,
                Err(error) => return Some(Err(error)),
            }
        }
        let job = self.page.pop_front()?;
        self.after = job.id.number;
        Some(Ok(job))
    }
}

impl Ledger {
    /// The jobs of a request that stand like this.
    pub fn jobs(&self, request: &RequestId, standing: Standing) -> Jobs<'_> {
        Jobs {
            ledger: self,
            request: request.clone(),
            standing,
            after: 0,
            page: VecDeque::new(),
        }
    }

    /// The first unsent job of a request behind the number `after`.
    pub fn find_unsent(
        &self,
        request: &RequestId,
        after: u32,
    ) -> Result<Option<JobId>, LedgerError> {
        let condition = Standing::Unsent.condition();
        let sql = format!(
            "SELECT number FROM jobs WHERE request = $1 AND number > $2 AND {condition}
                 ORDER BY number LIMIT 1"
        );
        let number = sql::find_value(&self.conn, &sql, params![request.as_str(), after])?;
        Ok(number.map(|number| JobId {
            request: request.clone(),
            number,
        }))
    }

    fn list_page(
        &self,
        request: &RequestId,
        standing: Standing,
        after: u32,
    ) -> Result<VecDeque<JobRecord>, LedgerError> {
        let condition = standing.condition();
        let sql = format!(
            "SELECT {JOB_COLUMNS} FROM jobs
                 WHERE request = $1 AND number > $2 AND {condition}
                 ORDER BY number LIMIT {PAGE}"
        );
        sql::list(&self.conn, &sql, params![request.as_str(), after], read_job)
    }

    /// Lists requests, newest first.
    pub fn list_requests(&self, which: Which) -> Result<Vec<RequestRecord>, LedgerError> {
        let condition = match which {
            Which::Open => {
                "EXISTS (SELECT 1 FROM jobs WHERE request = requests.id
                         AND state NOT IN ('done', 'refused', 'failed', 'revoked')
                         AND abandoned_at IS NULL)"
            }
            Which::Unanswered => {
                "created > (SELECT MIN(at) FROM answers)
                 AND NOT EXISTS (SELECT 1 FROM answers WHERE request = requests.id)
                 AND NOT EXISTS (SELECT 1 FROM jobs WHERE request = requests.id
                         AND state NOT IN ('done', 'refused', 'failed', 'revoked')
                         AND abandoned_at IS NULL)"
            }
            Which::Unfetched => {
                "kind = 'export' AND EXISTS (SELECT 1 FROM jobs WHERE request = requests.id
                     AND state = 'done' AND NOT EXISTS (SELECT 1 FROM downloads
                         WHERE request = jobs.request AND number = jobs.number))"
            }
            Which::All => "1 = 1",
        };
        self.select(condition, &[])
    }

    /// Finds a request by its id.
    pub fn find_request(&self, id: &RequestId) -> Result<Option<RequestRecord>, LedgerError> {
        let mut found = self.select("id = $1", &[id.as_str()])?;
        Ok(found.pop())
    }

    /// Finds the request a person means: by the beginning of its id, a job's id, or the task id
    /// of one of its jobs.
    pub fn find_named(&self, name: &str) -> Result<Found, LedgerError> {
        // A task belongs to the request it was made for; others may be linked to it.
        let by_task = "id IN (SELECT request FROM jobs WHERE task_id = $1 AND linked = 0)";
        let by_link = "id IN (SELECT request FROM jobs WHERE task_id = $1)";
        let mut found = self.select(by_task, &[name])?;
        if found.is_empty() {
            found = self.select(by_link, &[name])?;
        }
        let is_prefix = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric());
        if found.is_empty() && is_prefix {
            found = self.select("substr(id, 1, length($1)) = $1", &[name])?;
        }
        Ok(match found.len() {
            0 => Found::Nothing,
            1 => Found::One(Box::new(found.remove(0))),
            _ => Found::Several(found.into_iter().map(|request| request.id).collect()),
        })
    }

    /// The jobs of a request that have this task.
    pub fn list_jobs_of_task(
        &self,
        request: &RequestId,
        task: &str,
    ) -> Result<Vec<JobRecord>, LedgerError> {
        let sql = format!(
            "SELECT {JOB_COLUMNS} FROM jobs WHERE request = $1 AND task_id = $2
                 ORDER BY number"
        );
        sql::list(&self.conn, &sql, params![request.as_str(), task], read_job)
    }

    /// When the last of a request's jobs was accepted that Mixpanel has not ended.
    pub fn find_last_submission(
        &self,
        request: &RequestId,
    ) -> Result<Option<DateTime<Utc>>, LedgerError> {
        let condition = Standing::Followed.condition();
        let sql = format!("SELECT MAX(submitted_at) FROM jobs WHERE request = $1 AND {condition}");
        let last: Option<String> = sql::value(&self.conn, &sql, [request.as_str()])?;
        last.map(|text| parse_time(&text)).transpose()
    }

    pub(crate) fn select(
        &self,
        condition: &str,
        values: &[&str],
    ) -> Result<Vec<RequestRecord>, LedgerError> {
        let mut groups = self.count_jobs(condition, values)?;
        let mut extensions = extensions::list(&self.conn, condition, values)?;
        let mut answers = answers::list(&self.conn, condition, values)?;
        let mut unfetched = downloads::list_unfetched(&self.conn, condition, values)?;
        let mut plans = plans::list(&self.conn, condition, values)?;
        let sql = format!(
            "SELECT {REQUEST_COLUMNS}, {ANSWERED_COLUMNS} FROM requests
                 WHERE {condition} ORDER BY created DESC, id"
        );
        let mut statement = prepare(&self.conn, &sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(values))?;
        let mut requests = Vec::new();
        while let Some(row) = rows.next()? {
            let mut request = read_request(row)?;
            // One that another process recorded between the two reads is not counted yet.
            if let Some(groups) = groups.remove(&request.id) {
                request.groups = groups;
                request.extension = extensions.remove(&request.id);
                request.answer = answers.remove(&request.id);
                request.unfetched = unfetched.remove(&request.id);
                request.asked.plan = plans.remove(&request.id);
                requests.push(request);
            }
        }
        Ok(requests)
    }

    fn count_jobs(
        &self,
        condition: &str,
        values: &[&str],
    ) -> Result<HashMap<RequestId, Vec<JobGroup>>, LedgerError> {
        let mut statement = prepare(&self.conn, &standings(condition))?;
        let mut rows = statement.query(rusqlite::params_from_iter(values))?;
        let mut groups: HashMap<RequestId, Vec<JobGroup>> = HashMap::new();
        while let Some(row) = rows.next()? {
            let group = JobGroup {
                state: state(row, "state")?,
                mixpanel_status: row.get(2)?,
                is_abandoned: row.get(3)?,
                is_linked: row.get(4)?,
                doubt: Doubt::of(row.get(5)?),
                jobs: count(row, "jobs")?,
                ids: count(row, "ids")?,
            };
            let request = RequestId::restore(row.get(0)?);
            groups.entry(request).or_default().push(group);
        }
        Ok(groups)
    }
}

/// How many jobs of the chosen requests stand in each way, and with how many ids.
///
/// The index `jobs_by_standing` has every column of it: at 100,000 jobs, `dsr status` may not read them.
pub(crate) fn standings(condition: &str) -> String {
    format!(
        "SELECT request, state, mixpanel_status, abandoned_at IS NOT NULL, linked <> 0,
                may_be_double <> 0, COUNT(*) AS jobs, SUM(ids_count) AS ids
         FROM jobs WHERE request IN (SELECT id FROM requests WHERE {condition})
         GROUP BY request, state, mixpanel_status, abandoned_at, linked, may_be_double"
    )
}
