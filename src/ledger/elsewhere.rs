//! Which ids of a deletion other open deletions of its project have already.

use rusqlite::params;

use crate::domain::{DistinctId, IdHasher, JobId, RequestId, TaskId};

use super::records::job_id;
use super::{Ledger, LedgerError, Standing, payload, prepare};

/// The unsent ids of a deletion, each with the job of another one that has it.
///
/// Holds 20 bytes for each id of its own and nothing of the others': ids of one hash are taken for
/// equal, see [`IdHasher`].
#[derive(Debug)]
pub struct Elsewhere {
    hasher: IdHasher,
    /// Of the unsent ids, in ascending order.
    hashes: Vec<u128>,
    /// For each of them the place of its owner, or `NOBODY`.
    owners_of: Vec<u32>,
    owners: Vec<Owner>,
}

const NOBODY: u32 = u32::MAX;

/// A job of another deletion, and its task if it has one.
#[derive(Debug)]
pub struct Owner {
    pub job: JobId,
    pub task: Option<TaskId>,
}

impl Elsewhere {
    /// Nothing is elsewhere.
    pub fn is_empty(&self) -> bool {
        self.owners_of.iter().all(|owner| *owner == NOBODY)
    }

    /// The place among the owners of the one that has `id`; the earliest, if there are several.
    pub fn owner_of(&self, id: &DistinctId) -> Option<usize> {
        let place = self.place_of(id)?;
        let owner = self.owners_of[place];
        (owner != NOBODY).then_some(owner as usize)
    }

    pub fn owner(&self, place: usize) -> &Owner {
        &self.owners[place]
    }

    fn place_of(&self, id: &DistinctId) -> Option<usize> {
        let hash = self.hasher.hash(id.expose().as_bytes());
        self.hashes.binary_search(&hash).ok()
    }

    fn note(&mut self, id: &DistinctId, owner: u32) {
        if let Some(place) = self.place_of(id)
            && self.owners_of[place] == NOBODY
        {
            self.owners_of[place] = owner;
        }
    }
}

impl Ledger {
    /// Finds out which unsent ids of a deletion other open deletions of the project have: those
    /// with a task, those that may have one, and the unsent ones of earlier requests.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn find_elsewhere(&self, request: &RequestId) -> Result<Elsewhere, LedgerError> {
        let mut found = Elsewhere {
            hasher: IdHasher::random(),
            hashes: Vec::new(),
            owners_of: Vec::new(),
            owners: Vec::new(),
        };
        let others = self.list_other_deletions(request)?;
        if others.is_empty() {
            return Ok(found);
        }
        for job in self.jobs(request, Standing::Unsent) {
            let batch = payload::read(&self.conn, &job?.id)?;
            let hashes = batch
                .ids()
                .iter()
                .map(|id| found.hasher.hash(id.expose().as_bytes()));
            found.hashes.extend(hashes);
        }
        found.hashes.sort_unstable();
        found.owners_of = vec![NOBODY; found.hashes.len()];
        for ((job, task), place) in others.into_iter().zip(0..) {
            match payload::read(&self.conn, &job) {
                Ok(batch) => batch.ids().iter().for_each(|id| found.note(id, place)),
                // It has ended since it was listed, and has nobody any more.
                Err(LedgerError::IdsHashed(_)) => {}
                Err(error) => return Err(error),
            }
            found.owners.push(Owner { job, task });
        }
        Ok(found)
    }

    /// The jobs of other open deletions, without their ids, in the order of their requests.
    fn list_other_deletions(
        &self,
        request: &RequestId,
    ) -> Result<Vec<(JobId, Option<TaskId>)>, LedgerError> {
        let mut statement = prepare(
            &self.conn,
            "SELECT jobs.request, jobs.number, jobs.task_id
             FROM jobs
             JOIN requests other ON other.id = jobs.request
             JOIN requests own ON own.id = $1
             WHERE other.id <> own.id AND other.project_key = own.project_key
               AND own.kind = 'delete' AND other.kind = 'delete'
               AND jobs.abandoned_at IS NULL
               AND (jobs.state IN ('sending', 'accepted', 'running', 'unknown')
                    OR (jobs.state IN ('planned', 'deferred')
                        AND (other.created < own.created
                             OR (other.created = own.created AND other.id < own.id))))
             ORDER BY other.created, jobs.number",
        )?;
        let mut rows = statement.query(params![request.as_str()])?;
        let mut others = Vec::new();
        while let Some(row) = rows.next()? {
            let task: Option<String> = row.get(2)?;
            others.push((job_id(row)?, task.and_then(|text| TaskId::new(&text))));
        }
        Ok(others)
    }
}
