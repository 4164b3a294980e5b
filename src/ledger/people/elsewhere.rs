//! Finds the ids that several open deletions of a project share.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::domain::{DistinctId, IdHasher, JobId, RequestId, TaskId};

use crate::ledger::columns::{job_id, state};
use crate::ledger::engine::OptionalExtension;
use crate::ledger::jobs::payload;
use crate::ledger::sql::{self, prepare};
use crate::ledger::{Ledger, LedgerError};

/// The ids that several open deletions of a project have, at least one of them unsent.
///
/// Read once for all deletions to send. It needs 20 bytes for each of their unsent ids, and drops
/// the ids that are not shared. Two ids with one hash count as equal, see [`IdHasher`].
#[derive(Debug)]
pub struct Shared {
    hasher: IdHasher,
    /// Sorted by hash, then by owner.
    entries: Vec<OwnedHash>,
    /// Sorted by request.
    owners: Vec<DeletionJob>,
    /// Each request's place in that order, and its project.
    places: HashMap<RequestId, (usize, u32)>,
    /// The requests that share an id.
    sharing: HashSet<RequestId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct OwnedHash {
    hash: [u8; 16],
    owner: u32,
}

/// A deletion's job, and its task if it has one.
#[derive(Debug)]
pub struct DeletionJob {
    pub job: JobId,
    pub task: Option<TaskId>,
    project: usize,
    is_sent: bool,
}

/// The shared ids as seen by one deletion.
#[derive(Debug, Clone, Copy)]
pub struct Elsewhere<'s> {
    shared: &'s Shared,
    own: &'s RequestId,
}

impl Shared {
    /// The ids that other deletions have: those with a task or a possible task, and the unsent ones
    /// of earlier requests.
    pub fn elsewhere<'s>(&'s self, own: &'s RequestId) -> Elsewhere<'s> {
        Elsewhere { shared: self, own }
    }

    fn hash(&self, id: &DistinctId) -> [u8; 16] {
        self.hasher.hash(id.expose().as_bytes()).to_be_bytes()
    }

    fn entries_of(&self, ids: &[DistinctId], owner: u32) -> impl Iterator<Item = OwnedHash> {
        let hashes = ids.iter().map(|id| self.hash(id));
        hashes.map(move |hash| OwnedHash { hash, owner })
    }

    fn has(&self, hash: [u8; 16]) -> bool {
        self.of_hash(hash).next().is_some()
    }

    fn of_hash(&self, hash: [u8; 16]) -> impl Iterator<Item = usize> {
        let start = self.entries.partition_point(|entry| entry.hash < hash);
        let entries = self.entries[start..].iter();
        let entries = entries.take_while(move |entry| entry.hash == hash);
        entries.map(|entry| entry.owner as usize)
    }

    /// Keeps only entries that several requests have.
    fn keep_shared(&mut self) {
        self.entries.sort_unstable();
        let mut kept = Vec::new();
        for entries in self.entries.chunk_by(|one, other| one.hash == other.hash) {
            let owners = entries.iter();
            let owners = owners.map(|entry| &self.owners[entry.owner as usize].job.request);
            let requests: HashSet<&RequestId> = owners.collect();
            if requests.len() > 1 {
                self.sharing.extend(requests.into_iter().cloned());
                kept.extend_from_slice(entries);
            }
        }
        self.entries = kept;
    }
}

impl Elsewhere<'_> {
    /// Whether no id of the deletion is shared.
    pub fn is_empty(&self) -> bool {
        !self.shared.sharing.contains(self.own)
    }

    /// The place of the owner of `id`: the earliest one with a task, or else the earliest one.
    pub fn owner_of(&self, id: &DistinctId) -> Option<usize> {
        let places = &self.shared.places;
        let own = places.get(self.own)?;
        let stands_before = |place: &usize| {
            let owner = &self.shared.owners[*place];
            let is_earlier = places.get(&owner.job.request) < Some(own);
            let is_other = owner.job.request != *self.own && owner.project == own.0;
            is_other && (owner.is_sent || is_earlier)
        };
        let owners = self.shared.of_hash(self.shared.hash(id));
        let owners = owners.filter(stands_before);
        owners.min_by_key(|place| (self.shared.owners[*place].task.is_none(), *place))
    }

    pub fn owner(&self, place: usize) -> &DeletionJob {
        &self.shared.owners[place]
    }
}

impl Ledger {
    /// Finds which unsent ids of these deletions other deletions of their projects have, including
    /// each other. Requests of another kind have none.
    pub fn find_shared(&self, requests: &[RequestId]) -> Result<Shared, LedgerError> {
        let mut shared = Shared {
            hasher: IdHasher::random(),
            entries: Vec::new(),
            owners: self.list_open_deletions(requests)?,
            places: HashMap::new(),
            sharing: HashSet::new(),
        };
        for owner in &shared.owners {
            let place = u32::try_from(shared.places.len()).unwrap_or(u32::MAX);
            let request = owner.job.request.clone();
            let place = (owner.project, place);
            shared.places.entry(request).or_insert(place);
        }
        if shared.places.len() < 2 {
            return Ok(shared);
        }
        let own: HashSet<&RequestId> = requests.iter().collect();
        let is_unsent = |owner: &DeletionJob| !owner.is_sent && own.contains(&owner.job.request);
        let mut entries = Vec::new();
        for (place, owner) in (0..).zip(&shared.owners) {
            if is_unsent(owner) {
                self.add_entries(&shared, (place, owner), |_| true, &mut entries)?;
            }
        }
        entries.sort_unstable();
        shared.entries = entries;
        let mut others = Vec::new();
        for (place, owner) in (0..).zip(&shared.owners) {
            if !is_unsent(owner) {
                let is_ours = |entry: &OwnedHash| shared.has(entry.hash);
                self.add_entries(&shared, (place, owner), is_ours, &mut others)?;
            }
        }
        shared.entries.append(&mut others);
        shared.keep_shared();
        Ok(shared)
    }

    fn add_entries(
        &self,
        shared: &Shared,
        (place, owner): (u32, &DeletionJob),
        is_wanted: impl Fn(&OwnedHash) -> bool,
        entries: &mut Vec<OwnedHash>,
    ) -> Result<(), LedgerError> {
        match payload::read(&self.conn, &owner.job) {
            Ok(batch) => {
                let all = shared.entries_of(batch.ids(), place);
                entries.extend(all.filter(is_wanted));
                Ok(())
            }
            // It ended after it was listed, and has no ids now.
            Err(LedgerError::IdsHashed(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The jobs of all open deletions in the projects of these requests, sorted by request and
    /// without ids. Empty if no two could share an id.
    fn list_open_deletions(&self, requests: &[RequestId]) -> Result<Vec<DeletionJob>, LedgerError> {
        let mut projects = BTreeSet::new();
        for request in requests {
            let sql = "SELECT project_key FROM requests WHERE id = $1 AND kind = 'delete'";
            let mut statement = prepare(&self.conn, sql)?;
            let project = statement.query_row([request.as_str()], |row| row.get::<String>(0));
            projects.extend(project.optional()?);
        }
        let mut open = Vec::new();
        for (place, project) in projects.into_iter().enumerate() {
            let sql = format!(
                "SELECT id FROM requests WHERE project_key = $1 AND kind = 'delete'
                   AND EXISTS (SELECT 1 FROM jobs WHERE request = requests.id AND {HAS_IDS})
                 ORDER BY created, id"
            );
            let ids: Vec<_> = sql::list(&self.conn, &sql, [project], |row| Ok(row.get(0)?))?;
            open.extend(ids.into_iter().map(|id| (place, RequestId::restore(id))));
        }
        let mut owners = Vec::new();
        if open.len() < 2 {
            return Ok(owners);
        }
        for (project, request) in open {
            self.add_owners(project, &request, &mut owners)?;
        }
        Ok(owners)
    }

    fn add_owners(
        &self,
        project: usize,
        request: &RequestId,
        owners: &mut Vec<DeletionJob>,
    ) -> Result<(), LedgerError> {
        let sql = format!(
            "SELECT request, number, task_id, state FROM jobs
             WHERE request = $1 AND {HAS_IDS} ORDER BY number"
        );
        let mut statement = prepare(&self.conn, &sql)?;
        let mut rows = statement.query([request.as_str()])?;
        while let Some(row) = &rows.next()? {
            let task: Option<String> = row.get(2)?;
            let state = state(row, "state")?;
            owners.push(DeletionJob {
                job: job_id(row)?,
                task: task.and_then(|text| TaskId::new(&text)),
                project,
                is_sent: !state.is_sendable(),
            });
        }
        Ok(())
    }
}

/// The condition of a job that may still delete someone.
const HAS_IDS: &str = "abandoned_at IS NULL
    AND state IN ('planned', 'deferred', 'sending', 'accepted', 'running', 'unknown')";
