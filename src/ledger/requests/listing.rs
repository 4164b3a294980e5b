//! Reads requests with counts of their jobs, and jobs page by page. So 100,000 jobs cost neither
//! memory nor time unless they are shown.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, NaiveDate, Utc};

use crate::domain::{Doubt, JobId, RequestId};

use super::records::{
    ANSWERED_COLUMNS, JOB_COLUMNS, JobGroup, REQUEST_COLUMNS, read_job, read_request,
};
use super::{answers, checks, downloads, extensions, plans};
use crate::ledger::columns::{count, parse_time, state};
use crate::ledger::engine::{params, params_from_iter};
use crate::ledger::jobs::told::untold;
use crate::ledger::sql::{self, prepare};
use crate::ledger::{JobRecord, Ledger, LedgerError, RequestRecord};

/// Which requests to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// With at least one job that is not final.
    Open,
    /// Exports with a job that is done but not fetched.
    Unfetched,
    /// Closed requests whose answer is still to be recorded.
    Unanswered,
    All,
}

/// The condition of a request with a job that is neither final nor abandoned.
const OPEN: &str = "EXISTS (SELECT 1 FROM jobs WHERE request = requests.id
     AND state NOT IN ('done', 'refused', 'failed', 'revoked') AND abandoned_at IS NULL)";

/// The condition of a request that is not open, and has no answer.
fn unanswered() -> String {
    format!("NOT {OPEN} AND NOT EXISTS (SELECT 1 FROM answers WHERE request = requests.id)")
}

/// What a typed name refers to.
#[derive(Debug)]
pub enum Found {
    Nothing,
    One(Box<RequestRecord>),
    /// It is the beginning of several request ids.
    Several(Vec<RequestRecord>),
    /// It is a task of another request or of someone else, and these requests are linked to it.
    Linked(Vec<RequestRecord>),
}

/// Which jobs of a request to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Any,
    /// Planned or deferred.
    Unsent,
    /// Of unknown outcome, and not abandoned.
    Unsettled,
    /// With an open task.
    Followed,
    /// Changed since they were last reported.
    Untold,
    /// Not on the usual way from planned to done, or with a reason.
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

const PAGE: usize = 256;

/// The jobs of a request in order, read a page at a time. A job that moves meanwhile has its state
/// from when its page is read.
pub struct Jobs<'l> {
    ledger: &'l Ledger,
    request: RequestId,
    standing: Standing,
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
    /// The jobs of a request with this standing.
    pub fn jobs(&self, request: &RequestId, standing: Standing) -> Jobs<'_> {
        Jobs {
            ledger: self,
            request: request.clone(),
            standing,
            after: 0,
            page: VecDeque::new(),
        }
    }

    /// The first unsent job of a request after the number `after`.
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
            Which::Open => OPEN,
            Which::Unanswered => &format!(
                "{} AND created > (SELECT MIN(at) FROM answers)",
                unanswered()
            ),
            Which::Unfetched => {
                "kind = 'export' AND EXISTS (SELECT 1 FROM jobs WHERE request = requests.id
                     AND state = 'done' AND NOT EXISTS (SELECT 1 FROM downloads
                         WHERE request = jobs.request AND number = jobs.number))"
            }
            Which::All => "1 = 1",
        };
        self.select(condition, &[])
    }

    /// The ended requests due by this day that have no answer, and are not expected to, by due
    /// date: they were made before the first answer was recorded.
    pub fn list_unwatched(&self, until: NaiveDate) -> Result<Vec<RequestId>, LedgerError> {
        let sql = format!(
            "SELECT id FROM requests WHERE due <= $1 AND {}
                 AND created <= COALESCE((SELECT MIN(at) FROM answers), '9999')
                 ORDER BY due, created",
            unanswered()
        );
        sql::list(&self.conn, &sql, [until.to_string()], |row| {
            Ok(RequestId::restore(row.get(0)?))
        })
    }

    /// The request with this id.
    pub fn find_request(&self, id: &RequestId) -> Result<Option<RequestRecord>, LedgerError> {
        let mut found = self.select("id = $1", &[id.as_str()])?;
        Ok(found.pop())
    }

    /// Finds the request that a person means: by the start of its id, a job's id, or a task id.
    pub fn find_named(&self, name: &str) -> Result<Found, LedgerError> {
        // A task belongs to the request it was made for; other requests may be linked to it.
        let by_task = "id IN (SELECT request FROM jobs WHERE task_id = $1 AND linked = 0)";
        let by_link = "id IN (SELECT request FROM jobs WHERE task_id = $1)";
        let mut found = self.select(by_task, &[name])?;
        if found.is_empty() {
            found = self.select(by_link, &[name])?;
            if found.len() > 1 {
                return Ok(Found::Linked(found));
            }
        }
        let is_prefix = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric());
        if found.is_empty() && is_prefix {
            found = self.select("substr(id, 1, length($1)) = $1", &[name])?;
        }
        Ok(match found.len() {
            0 => Found::Nothing,
            1 => Found::One(Box::new(found.remove(0))),
            _ => Found::Several(found),
        })
    }

    /// The requests made with this `--ref`, byte for byte, newest first.
    pub fn list_by_reference(&self, reference: &str) -> Result<Vec<RequestRecord>, LedgerError> {
        self.select("reference = $1", &[reference])
    }

    /// The jobs of a request with this task.
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

    /// When the last of a request's open tasks was accepted.
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
        let mut copies = checks::list_copies(&self.conn, condition, values)?;
        let sql = format!(
            "SELECT {REQUEST_COLUMNS}, {ANSWERED_COLUMNS} FROM requests
                 WHERE {condition} ORDER BY created DESC, id"
        );
        let mut statement = prepare(&self.conn, &sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut requests = Vec::new();
        while let Some(row) = &rows.next()? {
            let mut request = read_request(row)?;
            // A request recorded between the two reads has no counts yet.
            if let Some(groups) = groups.remove(&request.id) {
                request.groups = groups;
                request.extension = extensions.remove(&request.id);
                request.answer = answers.remove(&request.id);
                request.unfetched = unfetched.remove(&request.id);
                request.asked.plan = plans.remove(&request.id);
                request.copies = copies.remove(&request.id).unwrap_or_default();
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
        let mut rows = statement.query(params_from_iter(values))?;
        let mut groups: HashMap<RequestId, Vec<JobGroup>> = HashMap::new();
        while let Some(row) = &rows.next()? {
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
        // Engines differ in where an index has NULL.
        for groups in groups.values_mut() {
            groups.sort_by(|one, other| standing_of(one).cmp(&standing_of(other)));
        }
        Ok(groups)
    }
}

fn standing_of(group: &JobGroup) -> (&str, Option<&str>, [bool; 3]) {
    let flags = [group.is_abandoned, group.is_linked, group.doubt.is_there()];
    (
        group.state.as_str(),
        group.mixpanel_status.as_deref(),
        flags,
    )
}

/// Counts the jobs and ids of the chosen requests by standing. The index `jobs_by_standing` covers
/// all columns: at 100,000 jobs, `dsr status` cannot afford to read the rows, nor to sort them. So
/// the order is the index's.
pub(crate) fn standings(condition: &str) -> String {
    format!(
        "SELECT request, state, mixpanel_status, abandoned_at IS NOT NULL, linked <> 0,
                may_be_double <> 0, COUNT(*) AS jobs, CAST(SUM(ids_count) AS BIGINT) AS ids
         FROM jobs WHERE request IN (SELECT id FROM requests WHERE {condition})
         GROUP BY request, state, mixpanel_status, abandoned_at, linked, may_be_double
         ORDER BY request, state, mixpanel_status, abandoned_at, linked, may_be_double"
    )
}
