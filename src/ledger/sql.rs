//! Prepares, binds and reads SQL statements.

use crate::domain::JobId;
use crate::ledger::engine::{Connection, FromSql, OptionalExtension, Params, Row, Statement};

use super::LedgerError;

/// [`Connection::prepare`], with the ledger's error.
pub(super) fn prepare<'c>(conn: &'c Connection, sql: &str) -> Result<Statement<'c>, LedgerError> {
    Ok(conn.prepare(sql)?)
}

/// The values of `request = $1 AND number = $2`.
pub(super) fn of(job: &JobId) -> (&str, u32) {
    (job.request.as_str(), job.number)
}

pub(super) fn list<T, C: FromIterator<T>>(
    conn: &Connection,
    sql: &str,
    values: impl Params,
    read: impl FnMut(&Row<'_>) -> Result<T, LedgerError>,
) -> Result<C, LedgerError> {
    prepare(conn, sql)?.list(values, read)
}

pub(super) fn find<T>(
    conn: &Connection,
    sql: &str,
    values: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T, LedgerError>,
) -> Result<Option<T>, LedgerError> {
    let mut statement = prepare(conn, sql)?;
    let mut rows = statement.query(values)?;
    rows.next()?.map(|row| read(&row)).transpose()
}

pub(super) fn find_value<T: FromSql>(
    conn: &Connection,
    sql: &str,
    values: impl Params,
) -> Result<Option<T>, LedgerError> {
    let found = prepare(conn, sql)?.query_row(values, |row| row.get(0));
    Ok(found.optional()?)
}

/// The only value of a query that always has one.
pub(super) fn value<T: FromSql>(
    conn: &Connection,
    sql: &str,
    values: impl Params,
) -> Result<T, LedgerError> {
    Ok(prepare(conn, sql)?.query_row(values, |row| row.get(0))?)
}

pub(super) fn exists(
    conn: &Connection,
    sql: &str,
    values: impl Params,
) -> Result<bool, LedgerError> {
    Ok(prepare(conn, sql)?.exists(values)?)
}

/// [`Connection::change`], with the ledger's error.
pub(super) fn execute(
    conn: &Connection,
    sql: &str,
    values: impl Params,
) -> Result<(), LedgerError> {
    Ok(conn.change(sql, values)?)
}
