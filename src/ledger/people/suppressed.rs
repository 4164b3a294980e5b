//! People of deletions whose records were purged: they are not to be tracked again all the same, so
//! their keyed hashes stay, and with them what is needed to judge an event of theirs.

use crate::domain::{Cutoff, Erasure, ErasurePeriod, PersonHash, ProjectName};

use super::deletions::{ALL, erasure_of, list_jobs, period_of, read_hashes};
use super::purge;
use crate::ledger::columns::project;
use crate::ledger::sql::prepare;
use crate::ledger::{Ledger, LedgerError, WantedPeople};

/// Somebody who was in a deletion whose records are gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StillSuppressed {
    /// The place of the person among those who are wanted.
    pub person: u32,
    pub project: ProjectName,
    pub erasure: Erasure,
    pub period: ErasurePeriod,
}

impl Ledger {
    /// How many people of closed deletions stay suppressed when their records go; somebody in two
    /// deletions counts twice.
    pub fn count_to_stay(&self, cutoff: Cutoff) -> Result<usize, LedgerError> {
        let closed = purge::list_closed_ids(&self.conn, cutoff)?;
        let jobs = list_jobs(&self.conn, &ALL)?;
        let of_closed = jobs.iter().filter(|job| closed.contains(&job.job.request));
        Ok(of_closed.map(|job| job.ids).sum())
    }

    /// Finds the wanted among people whose records are gone, oldest deletion first.
    ///
    /// # Errors
    /// When the ledger cannot be read, or hashes in it are damaged.
    pub fn find_still_suppressed(
        &self,
        wanted: &WantedPeople,
    ) -> Result<Vec<StillSuppressed>, LedgerError> {
        let sql = "SELECT hashes, project, erasure, begun, done FROM suppressed
                   ORDER BY begun, request, number";
        let mut statement = prepare(&self.conn, sql)?;
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
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
