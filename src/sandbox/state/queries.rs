//! The part of the state that queries need: the projects that have called, and the hourly limit.

use rusqlite::params;

use super::clock::Moment;
use super::store::{Pace, Store, immediate};
use crate::sandbox::SandboxError;

const HOUR: i64 = 3_600_000_000;

impl Store {
    /// The tokens of all projects that have called.
    pub(crate) fn list_projects(&self) -> Result<Vec<String>, SandboxError> {
        let mut listed = self.connection.prepare("SELECT project FROM pace")?;
        let tokens = listed.query_map([], |row| row.get(0))?;
        Ok(tokens.collect::<Result<_, _>>()?)
    }

    /// Counts a query of the project, unless the hour before `arrival` already has `limit` of this
    /// kind. A refused query does not count.
    pub(crate) fn record_query(
        &mut self,
        project: &str,
        kind: &str,
        arrival: Moment,
        limit: u32,
    ) -> Result<Pace, SandboxError> {
        let tx = immediate(&mut self.connection)?;
        // Another process may be a little ahead; what is later was asked before the clock was set back.
        tx.execute(
            "DELETE FROM query WHERE asked_at NOT BETWEEN ?1 AND ?2",
            [arrival.0 - HOUR + 1, arrival.0 + HOUR / 60],
        )?;
        let asked: u32 = tx.query_row(
            "SELECT COUNT(*) FROM query WHERE project = ?1 AND kind = ?2",
            [project, kind],
            |row| row.get(0),
        )?;
        if asked >= limit {
            return Ok(Pace::TooFast);
        }
        tx.execute(
            "INSERT INTO query (project, kind, asked_at) VALUES (?1, ?2, ?3)",
            params![project, kind, arrival.0],
        )?;
        tx.commit()?;
        Ok(Pace::Kept)
    }
}
