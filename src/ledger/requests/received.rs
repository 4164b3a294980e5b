//! Requests by day of receipt, each with its course, for reports on a period. Reads a page at a
//! time.

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, NaiveDate, Utc};

use crate::domain::{RequestId, Setback};

use crate::ledger::columns::{count, state, time};
use crate::ledger::engine::{Connection, params, params_from_iter};
use crate::ledger::sql::{self, prepare};
use crate::ledger::{Ledger, LedgerError, RequestRecord};

const PAGE: usize = 500;

/// How many different reasons to keep for each request.
const MOST_SETBACKS: usize = 5;

/// A request and its course.
#[derive(Debug, Clone)]
pub struct Course {
    pub request: RequestRecord,
    /// When its first job was accepted.
    pub submitted: Option<DateTime<Utc>>,
    /// When its last ended job ended or was abandoned.
    pub ended: Option<DateTime<Utc>>,
    pub fetched: FetchedExports,
    /// Why jobs ended without being done; the most frequent reasons.
    pub setbacks: Vec<Setback>,
    /// The number of jobs with other reasons.
    pub other_setbacks: usize,
}

/// Fetched exports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FetchedExports {
    pub jobs: usize,
    pub ids: usize,
    /// When the last of them was first fetched.
    pub last: Option<DateTime<Utc>>,
}

/// Requests received in a period, sorted by that day, then by id.
pub struct ReceivedRequests<'l> {
    ledger: &'l Ledger,
    to: NaiveDate,
    after: (String, String),
    page: VecDeque<Course>,
}

impl Iterator for ReceivedRequests<'_> {
    type Item = Result<Course, LedgerError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.is_empty() {
            match self.ledger.list_received_after(&self.after, self.to) {
                Ok(page) => self.page = page,
                Err(error) => return Some(Err(error)),
            }
        }
        let course = self.page.pop_front()?;
        let request = &course.request;
        self.after = (
            request.asked.received.to_string(),
            request.id.as_str().to_owned(),
        );
        Some(Ok(course))
    }
}

impl Ledger {
    /// The requests received from one day to the other, both included.
    pub fn received(&self, from: NaiveDate, to: NaiveDate) -> ReceivedRequests<'_> {
        ReceivedRequests {
            ledger: self,
            to,
            // The empty id sorts before all requests of the day.
            after: (from.to_string(), String::new()),
            page: VecDeque::new(),
        }
    }

    /// The number of requests received before, in and after a period.
    pub fn count_received(
        &self,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<[usize; 3], LedgerError> {
        let sql = "SELECT (SELECT COUNT(*) FROM requests WHERE received < $1) AS before,
                    (SELECT COUNT(*) FROM requests WHERE received >= $1 AND received <= $2) AS within,
                    (SELECT COUNT(*) FROM requests WHERE received > $2) AS after";
        let mut statement = prepare(&self.conn, sql)?;
        let mut rows = statement.query(params![from.to_string(), to.to_string()])?;
        match &rows.next()? {
            Some(row) => Ok([
                count(row, "before")?,
                count(row, "within")?,
                count(row, "after")?,
            ]),
            None => Ok([0; 3]),
        }
    }

    /// A request and its course; `None` if there is no such request.
    pub fn find_course(&self, request: &RequestId) -> Result<Option<Course>, LedgerError> {
        let mut found = self.list_courses("id = $1", &[request.as_str()])?;
        Ok(found.pop())
    }

    fn list_received_after(
        &self,
        after: &(String, String),
        to: NaiveDate,
    ) -> Result<VecDeque<Course>, LedgerError> {
        let condition = format!(
            "id IN (SELECT id FROM requests
                    WHERE (received, id) > ($1, $2) AND received <= $3
                    ORDER BY received, id LIMIT {PAGE})"
        );
        let to = to.to_string();
        let mut courses = self.list_courses(&condition, &[&after.0, &after.1, &to])?;
        courses.sort_by(|one, other| {
            let key = |course: &Course| (course.request.asked.received, course.request.id.clone());
            key(one).cmp(&key(other))
        });
        Ok(courses.into())
    }

    fn list_courses(&self, condition: &str, values: &[&str]) -> Result<Vec<Course>, LedgerError> {
        let mut ends = list_ends(&self.conn, condition, values)?;
        let mut fetched = list_fetched(&self.conn, condition, values)?;
        let mut setbacks = list_setbacks(&self.conn, condition, values)?;
        let requests = self.select(condition, values)?.into_iter();
        Ok(requests
            .map(|request| {
                let (submitted, ended) = ends.remove(&request.id).unwrap_or_default();
                let (setbacks, other_setbacks) = setbacks.remove(&request.id).unwrap_or_default();
                Course {
                    submitted,
                    ended,
                    fetched: fetched.remove(&request.id).unwrap_or_default(),
                    setbacks,
                    other_setbacks,
                    request,
                }
            })
            .collect())
    }
}

type Ends = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);

/// When each request's first job was accepted, and when its last job ended.
fn list_ends(
    conn: &Connection,
    condition: &str,
    values: &[&str],
) -> Result<HashMap<RequestId, Ends>, LedgerError> {
    let sql = format!(
        "SELECT id AS request,
                 (SELECT MIN(at) FROM steps
                  WHERE request = id AND to_state = 'accepted') AS submitted,
                 (SELECT MAX(at) FROM steps WHERE request = id
                  AND to_state IN ('done', 'refused', 'failed', 'revoked')) AS ended,
                 (SELECT MAX(abandoned_at) FROM jobs
                  WHERE request = id AND state = 'unknown') AS abandoned
             FROM requests WHERE {condition}"
    );
    sql::list(conn, &sql, params_from_iter(values), |row| {
        let ended = time(row, "ended")?.max(time(row, "abandoned")?);
        let id = RequestId::restore(row.get("request")?);
        Ok((id, (time(row, "submitted")?, ended)))
    })
}

fn list_fetched(
    conn: &Connection,
    condition: &str,
    values: &[&str],
) -> Result<HashMap<RequestId, FetchedExports>, LedgerError> {
    let sql = format!(
        "SELECT downloads.request, COUNT(*) AS jobs, CAST(SUM(ids_count) AS BIGINT) AS ids,
                    MAX(first_fetched_at) AS last
             FROM downloads JOIN jobs ON jobs.request = downloads.request
                 AND jobs.number = downloads.number
             WHERE downloads.request IN (SELECT id FROM requests WHERE {condition})
                 AND state = 'done'
             GROUP BY downloads.request"
    );
    sql::list(conn, &sql, params_from_iter(values), |row| {
        let of_request = FetchedExports {
            jobs: count(row, "jobs")?,
            ids: count(row, "ids")?,
            last: time(row, "last")?,
        };
        Ok((RequestId::restore(row.get("request")?), of_request))
    })
}

/// The reasons of each request, and the number of jobs with others.
type Setbacks = HashMap<RequestId, (Vec<Setback>, usize)>;

fn list_setbacks(
    conn: &Connection,
    condition: &str,
    values: &[&str],
) -> Result<Setbacks, LedgerError> {
    let sql = format!(
        "SELECT request, state, reason, COUNT(*) AS jobs, CAST(SUM(ids_count) AS BIGINT) AS ids FROM jobs
             WHERE request IN (SELECT id FROM requests WHERE {condition})
                 AND (state IN ('refused', 'failed', 'revoked')
                      OR (state = 'unknown' AND abandoned_at IS NOT NULL))
             GROUP BY request, state, reason ORDER BY request, jobs DESC, state, reason NULLS FIRST"
    );
    let mut statement = prepare(conn, &sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut setbacks = Setbacks::new();
    while let Some(row) = &rows.next()? {
        let jobs = count(row, "jobs")?;
        let id = RequestId::restore(row.get("request")?);
        let (listed, others) = setbacks.entry(id).or_default();
        match listed.len() {
            MOST_SETBACKS.. => *others += jobs,
            _ => listed.push(Setback {
                state: state(row, "state")?,
                reason: row.get("reason")?,
                jobs,
                ids: count(row, "ids")?,
            }),
        }
    }
    Ok(setbacks)
}
