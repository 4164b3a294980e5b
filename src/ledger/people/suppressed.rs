//! People of deletions whose records were purged. They stay suppressed, so the ledger keeps their
//! keyed hashes and what is needed to judge their events.

use crate::domain::{Cutoff, Erasure, ErasurePeriod, PersonHash, ProjectName};

use super::deletions::{ALL, erasure_of, list_jobs, period_of, read_hashes};
use super::purge;
use crate::ledger::columns::project;
use crate::ledger::sql::prepare;
use crate::ledger::{Ledger, LedgerError, WantedPeople};

/// A person of a purged deletion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StillSuppressed {
    pub person: u32,
    pub project: ProjectName,
    pub erasure: Erasure,
    pub period: ErasurePeriod,
}

impl Ledger {
    /// The number of people who stay suppressed when closed deletions are purged. A person in two
    /// deletions counts twice.
    pub fn count_to_stay(&self, cutoff: Cutoff) -> Result<usize, LedgerError> {
        let closed = purge::list_closed_ids(&self.conn, cutoff)?;
        let jobs = list_jobs(&self.conn, &ALL)?;
        let of_closed = jobs.iter().filter(|job| closed.contains(&job.job.request));
        Ok(of_closed.map(|job| job.ids).sum())
    }

    /// Finds wanted people among purged deletions, oldest deletion first.
    pub fn find_still_suppressed(
        &self,
        wanted: &WantedPeople,
    ) -> Result<Vec<StillSuppressed>, LedgerError> {
        let sql = "SELECT hashes, project, erasure, begun, done FROM suppressed
                   ORDER BY begun, request, number";
        let mut statement = prepare(&self.conn, sql)?;
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while let Some(row) = &rows.next()? {
            for hash in read_hashes(row)? {
                if let Some(person) = wanted.place_of(&PersonHash::restore(*hash)) {
                    found.push(StillSuppressed {
                        person,
                        project: project(row)?,
                        erasure: erasure_of(row)?,
                        period: period_of(row)?,
                    });
                }
            }
        }
        Ok(found)
    }
}
