//! Batch limits that a server has shown: how many ids it refused, and how many it then accepted.

use std::num::NonZeroUsize;

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{Kind, ProjectKey};
use crate::ledger::engine::{OptionalExtension, params};

use super::columns::{format_time, parse_time};
use super::sql::{self, prepare};
use super::{Ledger, LedgerError};

/// How long a limit counts: servers and proxies change, and a limit that is too small costs jobs.
const HOLDS_FOR: TimeDelta = TimeDelta::days(30);
/// The smallest limit to learn. No Mixpanel server accepts so few, so another problem is likely.
const LEAST: usize = 50;

/// A batch limit, and the refusal behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LearnedLimit {
    /// The number of ids that the server accepted.
    pub limit: NonZeroUsize,
    /// The number that it refused just before.
    pub refused: usize,
    pub at: DateTime<Utc>,
}

impl LearnedLimit {
    /// When dsr forgets the limit.
    pub fn expires(&self) -> DateTime<Utc> {
        self.at + HOLDS_FOR
    }
}

impl Ledger {
    /// Records a limit of the project. Ignores limits below 50 ids.
    pub fn record_learned(
        &mut self,
        project: &ProjectKey,
        kind: Kind,
        learned: LearnedLimit,
    ) -> Result<(), LedgerError> {
        if learned.limit.get() < LEAST {
            return Ok(());
        }
        let tx = self.write()?;
        let sql = "INSERT INTO learned (project_key, kind, batch, refused, learned_at)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (project_key, kind) DO UPDATE SET batch = excluded.batch,
                 refused = excluded.refused, learned_at = excluded.learned_at";
        prepare(&tx, sql)?.execute(params![
            project.as_str(),
            kind.as_str(),
            i64::try_from(learned.limit.get()).unwrap_or(i64::MAX),
            i64::try_from(learned.refused).unwrap_or(i64::MAX),
            format_time(learned.at),
        ])?;
        tx.commit()
    }

    /// The limit that the server showed in the last 30 days, if any.
    pub fn find_learned_limit(
        &self,
        project: &ProjectKey,
        kind: Kind,
        now: DateTime<Utc>,
    ) -> Result<Option<LearnedLimit>, LedgerError> {
        let sql =
            "SELECT batch, refused, learned_at FROM learned WHERE project_key = $1 AND kind = $2";
        let found = prepare(&self.conn, sql)?
            .query_row(params![project.as_str(), kind.as_str()], |row| {
                let of = |count: i64| usize::try_from(count).unwrap_or_default();
                Ok((of(row.get(0)?), of(row.get(1)?), row.get::<String>(2)?))
            })
            .optional()?;
        let Some((limit, refused, at)) = found else {
            return Ok(None);
        };
        let at = parse_time(&at)?;
        // A limit from the future was learned while the clock was ahead, and would never expire.
        let holds = (now - at).abs() < HOLDS_FOR;
        let limit = NonZeroUsize::new(limit).filter(|_| holds);
        Ok(limit.map(|limit| LearnedLimit { limit, refused, at }))
    }

    /// Forgets all limits of the project.
    pub fn record_limits_forgotten(&mut self, project: &ProjectKey) -> Result<(), LedgerError> {
        let tx = self.write()?;
        let sql = "DELETE FROM learned WHERE project_key = $1";
        sql::execute(&tx, sql, [project.as_str()])?;
        tx.commit()
    }
}
