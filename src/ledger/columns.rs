//! Converts values between Rust types and the columns of a row.

use chrono::{DateTime, NaiveDate, Utc};

use crate::domain::{JobId, JobState, Kind, ProjectName, RequestId};
use crate::ledger::engine::{Answer, Row};

use super::LedgerError;

/// The job in the first two columns of a row: request and number.
pub(super) use crate::domain::timestamp::stamp as format_time;

pub(super) fn job_id(row: &Row<'_>) -> Answer<JobId> {
    Ok(JobId {
        request: RequestId::restore(row.get(0)?),
        number: row.get(1)?,
    })
}

pub(super) fn state(row: &Row<'_>, column: &str) -> Result<JobState, LedgerError> {
    let text: String = row.get(column)?;
    JobState::parse(&text).ok_or_else(|| unreadable("a job's state"))
}

pub(super) fn time(row: &Row<'_>, column: &str) -> Result<Option<DateTime<Utc>>, LedgerError> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| parse_time(&text)).transpose()
}

/// A time that is never NULL.
pub(super) fn moment(row: &Row<'_>, column: &str) -> Result<DateTime<Utc>, LedgerError> {
    time(row, column)?.ok_or_else(|| unreadable("a time"))
}

pub(super) fn day(row: &Row<'_>, column: &str) -> Result<NaiveDate, LedgerError> {
    let text: String = row.get(column)?;
    parse_day(&text)
}

pub(super) fn project(row: &Row<'_>) -> Result<ProjectName, LedgerError> {
    let name: String = row.get("project")?;
    ProjectName::new(&name).ok_or_else(|| unreadable("a request's project"))
}

pub(super) fn kind(row: &Row<'_>) -> Result<Kind, LedgerError> {
    let text: String = row.get("kind")?;
    Kind::parse(&text).ok_or_else(|| unreadable("a request's kind"))
}

pub(super) fn to_sql(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(super) fn parse_time(text: &str) -> Result<DateTime<Utc>, LedgerError> {
    let parsed = DateTime::parse_from_rfc3339(text);
    parsed
        .map(|time| time.to_utc())
        .map_err(|_| unreadable("a time"))
}

pub(super) fn parse_day(text: &str) -> Result<NaiveDate, LedgerError> {
    text.parse().map_err(|_| unreadable("a request's day"))
}

pub(super) fn count(row: &Row<'_>, column: &str) -> Result<usize, LedgerError> {
    /// More than anybody records, and few enough that sums of them do not overflow.
    const MOST: usize = 1 << 40;
    let number: i64 = row.get(column)?;
    let count = usize::try_from(number).ok();
    count
        .filter(|count| *count <= MOST)
        .ok_or_else(|| unreadable("a count"))
}

pub(super) fn unreadable(what: &str) -> LedgerError {
    LedgerError::Unreadable {
        what: what.to_owned(),
    }
}
