//! Finds the jobs of a person: by id where ids are kept, by hash elsewhere.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::domain::{
    DistinctId, HashedMap, IdHasher, JobId, LedgerKey, PersonHash, PersonHasher, ProjectKey,
    RequestId, TaskId,
};

use super::deletions::read_hashes;
use crate::ledger::columns::{format_time, job_id, parse_time, unreadable};
use crate::ledger::engine::{Connection, params_from_iter};
use crate::ledger::jobs::payload;
use crate::ledger::sql::{self, prepare};
use crate::ledger::{Ledger, LedgerError};

/// The people to find, each with a place from 0. Holds only their hashes.
#[derive(Debug)]
pub struct WantedPeople {
    plain: IdHasher,
    /// Two ids with one hash count as equal, see [`IdHasher`].
    by_id: HashedMap<u32>,
    keyed: Option<PersonHasher>,
    by_hash: HashMap<PersonHash, u32>,
}

/// A job that has or had a wanted person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    pub person: u32,
    pub job: JobId,
}

impl WantedPeople {
    /// No people yet. Without a key, only people whose ids are kept can be found.
    pub fn new(key: Option<&LedgerKey>) -> Self {
        Self {
            plain: IdHasher::random(),
            by_id: HashedMap::default(),
            keyed: key.map(LedgerKey::hasher),
            by_hash: HashMap::new(),
        }
    }

    /// Adds a person. Returns the hash to show instead of the id, if there is a key.
    ///
    /// # Errors
    /// The place of the person, if already added.
    pub fn add(&mut self, id: &str) -> Result<Option<PersonHash>, u32> {
        let place = u32::try_from(self.by_id.len()).unwrap_or(u32::MAX);
        let plain = self.plain.hash(id.as_bytes());
        if let Some(there) = self.by_id.get(&plain) {
            return Err(*there);
        }
        self.by_id.insert(plain, place);
        let hash = self.keyed.as_ref().map(|keyed| keyed.hash(id));
        self.by_hash.extend(hash.map(|hash| (hash, place)));
        Ok(hash)
    }
}

impl WantedPeople {
    pub(crate) fn place_of(&self, hash: &PersonHash) -> Option<u32> {
        self.by_hash.get(hash).copied()
    }
}

impl Ledger {
    /// The ids of the jobs with this task; `None` unless all of them are kept.
    pub fn find_ids_of_task(&self, task: &TaskId) -> Result<Option<Vec<DistinctId>>, LedgerError> {
        let sql = "SELECT request, number FROM jobs WHERE task_id = $1 ORDER BY request, number";
        let mut statement = prepare(&self.conn, sql)?;
        let mut rows = statement.query([task.as_str()])?;
        let mut ids: Option<Vec<DistinctId>> = None;
        while let Some(row) = &rows.next()? {
            match payload::find(&self.conn, &job_id(row)?)? {
                Some(batch) => ids.get_or_insert_default().extend_from_slice(batch.ids()),
                None => return Ok(None),
            }
        }
        Ok(ids)
    }

    /// Finds every job that has or had a wanted person, in any order.
    ///
    /// # Errors
    /// When the ledger cannot be read, or ids are damaged: a person could be missed.
    pub fn find_people(&self, wanted: &WantedPeople) -> Result<Vec<Sighting>, LedgerError> {
        self.find_people_where(wanted, "1 = 1", &[])
    }

    /// Finds the jobs of one request that have or had a wanted person.
    pub fn find_people_of(
        &self,
        request: &RequestId,
        wanted: &WantedPeople,
    ) -> Result<Vec<Sighting>, LedgerError> {
        self.find_people_where(wanted, "request = $1", &[request.as_str()])
    }

    /// Finds the jobs of a project's requests since this time that have or had a wanted person.
    ///
    /// # Errors
    /// See [`Self::find_people`].
    pub fn find_people_since(
        &self,
        project: &ProjectKey,
        since: DateTime<Utc>,
        wanted: &WantedPeople,
    ) -> Result<Vec<Sighting>, LedgerError> {
        let of_request =
            "request IN (SELECT id FROM requests WHERE project_key = $1 AND created >= $2)";
        let since = format_time(since);
        self.find_people_where(wanted, of_request, &[project.as_str(), &since])
    }

    /// Whether there are requests since this time.
    pub fn has_requests_since(&self, since: DateTime<Utc>) -> Result<bool, LedgerError> {
        let sql = "SELECT 1 FROM requests WHERE created >= $1";
        sql::exists(&self.conn, sql, [format_time(since)])
    }

    /// Whether keyed hashes are in the place of some ids of a request.
    pub fn has_hashed_people(&self, request: &RequestId) -> Result<bool, LedgerError> {
        let sql = "SELECT 1 FROM people WHERE request = $1";
        sql::exists(&self.conn, sql, [request.as_str()])
    }

    fn find_people_where(
        &self,
        wanted: &WantedPeople,
        condition: &str,
        values: &[&str],
    ) -> Result<Vec<Sighting>, LedgerError> {
        let mut found = Vec::new();
        // One snapshot of both tables, so that a job moving from one to the other is not missed.
        let view = self.conn.view()?;
        if super::lacks_ids(&view, condition, values)? {
            return Err(unreadable("the ids of a job, which are missing"));
        }
        for job in list_jobs(&view, condition, values)? {
            for id in payload::read_lines(&view, &job)?.ids() {
                let person = wanted.by_id.get(&wanted.plain.hash(id.as_bytes()));
                found.extend(person.map(|person| Sighting {
                    person: *person,
                    job: job.clone(),
                }));
            }
        }
        let sql = format!(
            "SELECT request, number, hashes FROM people WHERE {condition}
                 ORDER BY request, number"
        );
        let mut statement = prepare(&view, &sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        while let Some(row) = &rows.next()? {
            for hash in read_hashes(row)? {
                let Some(person) = wanted.by_hash.get(&PersonHash::restore(*hash)) else {
                    continue;
                };
                found.push(Sighting {
                    person: *person,
                    job: job_id(row)?,
                });
            }
        }
        Ok(found)
    }

    /// When Mixpanel or dsr ended a job, if so.
    pub fn find_ended(&self, job: &JobId) -> Result<Option<DateTime<Utc>>, LedgerError> {
        let sql = "SELECT COALESCE(
                 (SELECT MAX(at) FROM steps WHERE request = $1 AND number = $2
                  AND to_state IN ('done', 'refused', 'failed', 'revoked')),
                 (SELECT abandoned_at FROM jobs WHERE request = $1 AND number = $2
                  AND state = 'unknown'))";
        let ended: Option<String> = sql::find_value(&self.conn, sql, sql::of(job))?.flatten();
        ended.map(|text| parse_time(&text)).transpose()
    }
}

fn list_jobs(
    conn: &Connection,
    condition: &str,
    values: &[&str],
) -> Result<Vec<JobId>, LedgerError> {
    let sql =
        format!("SELECT request, number FROM payloads WHERE {condition} ORDER BY request, number");
    sql::list(conn, &sql, params_from_iter(values), |row| Ok(job_id(row)?))
}
