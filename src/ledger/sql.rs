//! Statements: prepared once, bound and read.

use rusqlite::types::FromSql;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Params, Row};

use crate::domain::JobId;

use super::LedgerError;

/// Prepares a statement whose parameters are `$1`, `$2`, … in the order of their appearance.
///
/// SQLite takes `$2` as a *name* and counts places by first appearance, PostgreSQL goes by the
/// number: the two agree only on this order, and a statement out of it would bind wrong values.
pub(super) fn prepare<'c>(
    conn: &'c Connection,
    sql: &str,
) -> Result<CachedStatement<'c>, LedgerError> {
    let statement = conn.prepare_cached(sql)?;
    debug_assert!(
        (1..=statement.parameter_count())
            .all(|place| statement.parameter_name(place) == Some(format!("${place}").as_str())),
        "parameters out of order in: {sql}"
    );
    Ok(statement)
}

/// What a job's rows are found by: `request = $1 AND number = $2`.
pub(super) fn of(job: &JobId) -> (&str, u32) {
    (job.request.as_str(), job.number)
}

/// Each row, as `read` takes it.
pub(super) fn list<T, C: FromIterator<T>>(
    conn: &Connection,
    sql: &str,
    values: impl Params,
    read: impl FnMut(&Row<'_>) -> Result<T, LedgerError>,
) -> Result<C, LedgerError> {
    prepare(conn, sql)?.query_and_then(values, read)?.collect()
}

/// The first row, if there is one.
pub(super) fn find<T>(
    conn: &Connection,
    sql: &str,
    values: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T, LedgerError>,
) -> Result<Option<T>, LedgerError> {
    let mut statement = prepare(conn, sql)?;
    let mut rows = statement.query(values)?;
    rows.next()?.map(read).transpose()
}

/// The first column of the first row, if there is one.
pub(super) fn find_value<T: FromSql>(
    conn: &Connection,
    sql: &str,
    values: impl Params,
) -> Result<Option<T>, LedgerError> {
    let found = prepare(conn, sql)?.query_row(values, |row| row.get(0));
    Ok(found.optional()?)
}

/// The one value that a query has.
pub(super) fn value<T: FromSql>(
    conn: &Connection,
    sql: &str,
    values: impl Params,
) -> Result<T, LedgerError> {
    Ok(prepare(conn, sql)?.query_row(values, |row| row.get(0))?)
}

/// Whether there is such a row.
pub(super) fn exists(
    conn: &Connection,
    sql: &str,
    values: impl Params,
) -> Result<bool, LedgerError> {
    Ok(prepare(conn, sql)?.exists(values)?)
}

pub(super) fn execute(
    conn: &Connection,
    sql: &str,
    values: impl Params,
) -> Result<(), LedgerError> {
    prepare(conn, sql)?.execute(values)?;
    Ok(())
}
