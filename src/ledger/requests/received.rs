//! Requests by the day on which they were received, each with how it went: for records of a period,
//! read a page at a time.

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::{Connection, params, params_from_iter};

use crate::domain::{RequestId, Setback};

use crate::ledger::columns::{count, state, time};
use crate::ledger::sql::{self, prepare};
use crate::ledger::{Ledger, LedgerError, RequestRecord};

/// How many requests are read at a time.
const PAGE: usize = 500;

/// How many different reasons are kept of each request.
const MOST_SETBACKS: usize = 5;

/// A request and how it went.
#[derive(Debug, Clone)]
pub struct Course {
    pub request: RequestRecord,
    /// When the first of its jobs was accepted.
    pub submitted: Option<DateTime<Utc>>,
    /// When the last of its jobs that have ended did, by Mixpanel's word or ours, or was given up.
    pub ended: Option<DateTime<Utc>>,
    pub fetched: FetchedExports,
    /// Why jobs ended otherwise than done; the reasons of the most jobs.
    pub setbacks: Vec<Setback>,
    /// How many jobs have reasons that are not among those.
    pub other_setbacks: usize,
}

/// Finished exports that were fetched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FetchedExports {
    pub jobs: usize,
    pub ids: usize,
    /// When the last of them was fetched for the first time.
    pub last: Option<DateTime<Utc>>,
}

/// Requests received in a period, in the order of that day, then of their ids.
pub struct ReceivedRequests<'l> {
    ledger: &'l Ledger,
    to: NaiveDate,
    /// The last one read.
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
    /// The requests received from the one day to the other, both included.
    pub fn received(&self, from: NaiveDate, to: NaiveDate) -> ReceivedRequests<'_> {
        ReceivedRequests {
            ledger: self,
            to,
            // No request's id is empty: it stands before all of its day.
            after: (from.to_string(), String::new()),
            page: VecDeque::new(),
        }
    }

    /// How many requests were received before, in and after a period.
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
        match rows.next()? {
            Some(row) => Ok([
                count(row, "before")?,
                count(row, "within")?,
                count(row, "after")?,
            ]),
            None => Ok([0; 3]),
        }
    }

    /// How a request went; `None` if there is none.
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

/// When the first job of each request was accepted, and when the last ended.
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
        "SELECT downloads.request, COUNT(*) AS jobs, SUM(ids_count) AS ids,
                    MAX(COALESCE(first_fetched_at, fetched_at)) AS last
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

/// The reasons of each request, and how many jobs have further ones.
type Setbacks = HashMap<RequestId, (Vec<Setback>, usize)>;

fn list_setbacks(
    conn: &Connection,
    condition: &str,
    values: &[&str],
) -> Result<Setbacks, LedgerError> {
    let sql = format!(
        "SELECT request, state, reason, COUNT(*) AS jobs, SUM(ids_count) AS ids FROM jobs
             WHERE request IN (SELECT id FROM requests WHERE {condition})
                 AND (state IN ('refused', 'failed', 'revoked')
                      OR (state = 'unknown' AND abandoned_at IS NOT NULL))
             GROUP BY request, state, reason ORDER BY request, jobs DESC, state, reason"
    );
    let mut statement = prepare(conn, &sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut setbacks = Setbacks::new();
    while let Some(row) = rows.next()? {
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
