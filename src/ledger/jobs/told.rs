//! What `dsr status --changes` last showed of each job, so that the next run shows only changes.

use std::collections::{BTreeMap, HashMap};

use crate::domain::{JobId, RequestId};

use super::row::set;
use crate::ledger::columns::job_id;
use crate::ledger::engine::params;
use crate::ledger::sql::{self, prepare};
use crate::ledger::{Ledger, LedgerError};

/// A job's standing as one text to compare: state, Mixpanel's status, and whether it was abandoned.
const STANDING: &str = "(state || ' ' || COALESCE(mixpanel_status, '') \
     || CASE WHEN abandoned_at IS NULL THEN '' ELSE ' abandoned' END)";

/// The condition that a job's standing has changed since it was last reported.
pub(crate) fn untold() -> String {
    format!("told IS DISTINCT FROM {STANDING}")
}

/// A job whose standing has changed since it was last reported, or was never reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untold {
    pub job: JobId,
    standing: String,
}

impl Ledger {
    /// The changed jobs, by request.
    pub fn list_untold(&self) -> Result<BTreeMap<RequestId, Vec<Untold>>, LedgerError> {
        let sql = format!(
            "SELECT request, number, {STANDING} FROM jobs
                 WHERE {} ORDER BY request, number",
            untold()
        );
        let mut statement = prepare(&self.conn, &sql)?;
        let mut rows = statement.query([])?;
        let mut untold: BTreeMap<RequestId, Vec<Untold>> = BTreeMap::new();
        while let Some(row) = &rows.next()? {
            let job = job_id(row)?;
            let standing = row.get(2)?;
            let of_request = untold.entry(job.request.clone()).or_default();
            of_request.push(Untold { job, standing });
        }
        Ok(untold)
    }

    /// The standings of all jobs that are not final.
    pub fn list_open_standings(&self) -> Result<HashMap<JobId, String>, LedgerError> {
        sql::list(&self.conn, &format!(
                "SELECT request, number, {STANDING} FROM jobs
                 WHERE state IN ('planned', 'sending', 'accepted', 'running', 'deferred', 'unknown')"
            ), [], |row| Ok((job_id(row)?, row.get(2)?)))
    }

    /// A number that changes whenever another connection changes the ledger.
    pub fn find_version(&self) -> Result<i64, LedgerError> {
        Ok(self.conn.data_version()?)
    }

    /// Records that jobs were reported with their standing then. A job that moves again is new.
    pub fn record_told<'u>(
        &mut self,
        told: impl IntoIterator<Item = &'u Untold>,
    ) -> Result<(), LedgerError> {
        let tx = self.write()?;
        for Untold { job, standing } in told {
            set(&tx, job, "told = $1", params![standing])?;
        }
        tx.commit()
    }
}
