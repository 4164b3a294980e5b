//! The people whom deletions erased, will erase or may have erased: the suppressed people. Reads
//! everything from one snapshot. Keyed hashes tell people apart, so a person needs the same memory
//! whether their id is kept or not.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};

use crate::domain::{
    Erasure, JobId, JobState, LedgerKey, PersonHash, PersonHasher, ProjectName, RequestId,
};

use super::deletions::{ErasedBy, ErasedJob, doubt_of, list_gone, list_jobs, read_hashes};
use crate::ledger::columns::{self, count, job_id, moment, state, unreadable};
use crate::ledger::engine::{Connection, Transaction};
use crate::ledger::jobs::payload;
use crate::ledger::sql::{self, prepare};
use crate::ledger::{Ledger, LedgerError};

/// People whom no deletion has erased, by the state of their last deletion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotErased {
    pub state: JobState,
    pub people: usize,
}

/// The people of a deletion's jobs that ended and erased nobody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spared {
    /// No later deletion erased them, and none is under way.
    pub failed: usize,
    /// A later deletion erased them.
    pub erased_later: usize,
}

/// Deletions at one moment, and their people.
pub struct Erased<'l> {
    view: Transaction<'l>,
    hasher: PersonHasher,
    jobs: Vec<ErasedJob>,
    /// Their ids are there, and may not be used.
    overdue: HashSet<JobId>,
}

/// A person in a job: the job's place in [`Erased::jobs`], and the id if it is kept.
#[derive(Debug, Clone, Copy)]
pub struct ErasedPerson<'p> {
    pub hash: PersonHash,
    pub job: u32,
    pub id: Option<&'p str>,
}

impl Ledger {
    /// Reads the deletions; [`Erased::visit`] reads their people.
    ///
    /// # Errors
    /// When the ledger cannot be read, or its people are hashed with another key.
    pub fn erased(&self, key: &LedgerKey, by: &ErasedBy<'_>) -> Result<Erased<'_>, LedgerError> {
        let view = self.conn.view()?;
        self.demand_people_key(key)?;
        let mut jobs = list_jobs(&view, by)?;
        jobs.extend(list_gone(&view, by)?);
        Ok(Erased {
            view,
            hasher: key.hasher(),
            jobs,
            overdue: self.list_overdue_ids()?,
        })
    }
}

impl Erased<'_> {
    pub fn jobs(&self) -> &[ErasedJob] {
        &self.jobs
    }

    /// The most people there can be: one person may be in several jobs.
    pub fn count_ids(&self) -> usize {
        self.jobs.iter().map(|job| job.ids).sum()
    }

    /// Passes everyone in every job to `hear`, in any order. Hashes the kept ids each time.
    ///
    /// # Errors
    /// When the ledger cannot be read, or a hash or id is damaged: to skip a person would be to
    /// track them again.
    pub fn visit(&self, hear: &mut dyn FnMut(ErasedPerson<'_>)) -> Result<(), LedgerError> {
        let jobs = self.jobs.iter().zip(0..);
        let mut jobs = jobs.map(|(job, place)| (&job.job, job.ids, place));
        self.visit_each(&mut jobs, hear)
    }

    /// Counts each person once whom no deletion of these projects has ever erased.
    pub fn count_not_erased(
        &self,
        project: &dyn Fn(&ProjectName) -> bool,
    ) -> Result<Vec<NotErased>, LedgerError> {
        let spared = list_spared(&self.view, project)?;
        let mut last: HashMap<PersonHash, JobState> = HashMap::new();
        let jobs = spared.iter().zip(0..);
        let mut jobs = jobs.map(|(job, place)| (&job.job, job.ids, place));
        self.visit_each(&mut jobs, &mut |person| {
            last.insert(person.hash, spared[person.job as usize].state);
        })?;
        if !last.is_empty() {
            let all = ErasedBy {
                project,
                since: None,
            };
            let mut erased = list_jobs(&self.view, &all)?;
            erased.extend(list_gone(&self.view, &all)?);
            let mut jobs = erased.iter().map(|job| (&job.job, job.ids, 0));
            self.visit_each(&mut jobs, &mut |person| {
                last.remove(&person.hash);
            })?;
        }
        let mut counts: Vec<NotErased> = Vec::new();
        for state in last.into_values() {
            match counts.iter_mut().find(|count| count.state == state) {
                Some(count) => count.people += 1,
                None => counts.push(NotErased { state, people: 1 }),
            }
        }
        counts.sort_by_key(|count| count.state.as_str());
        Ok(counts)
    }

    /// Counts the people whom these requests tried to erase and did not, by what became of them.
    ///
    /// # Errors
    /// As of [`Self::visit`].
    pub fn count_spared(
        &self,
        is_meant: &dyn Fn(&RequestId) -> bool,
    ) -> Result<HashMap<RequestId, Spared>, LedgerError> {
        let mut ended = list_spared(&self.view, &|_| true)?;
        ended.retain(|one| one.state.is_final() && is_meant(&one.job.request));
        let given_up = self.jobs.iter().filter(|one| one.is_given_up);
        let given_up = given_up.filter(|one| one.erasure == Erasure::Unknown);
        ended.extend(
            given_up
                .filter(|one| is_meant(&one.job.request))
                .map(|one| SparedJob {
                    job: one.job.clone(),
                    state: JobState::Unknown,
                    ids: one.ids,
                    created: one.period.begun,
                }),
        );
        let mut fates: HashMap<PersonHash, Vec<(u32, Option<Erasure>)>> = HashMap::new();
        let jobs = ended.iter().zip(0..);
        let mut jobs = jobs.map(|(one, place)| (&one.job, one.ids, place));
        self.visit_each(&mut jobs, &mut |person| {
            let of_person = fates.entry(person.hash).or_default();
            of_person.push((person.job, None));
        })?;
        if !fates.is_empty() {
            self.visit(&mut |person| {
                let later = &self.jobs[person.job as usize];
                for (place, fate) in fates.get_mut(&person.hash).into_iter().flatten() {
                    let is_later = later.period.begun > ended[*place as usize].created;
                    // Of an unknown one, nobody knows what it did.
                    if is_later && later.erasure != Erasure::Unknown && *fate != Some(Erasure::Done)
                    {
                        *fate = Some(later.erasure);
                    }
                }
            })?;
        }
        let mut counts: HashMap<RequestId, Spared> = HashMap::new();
        for (place, fate) in fates.into_values().flatten() {
            let request = ended[place as usize].job.request.clone();
            let of_request = counts.entry(request).or_default();
            match fate {
                None | Some(Erasure::Unknown) => of_request.failed += 1,
                Some(Erasure::Done) => of_request.erased_later += 1,
                Some(Erasure::UnderWay) => {}
            }
        }
        Ok(counts)
    }

    /// Passes everyone in these jobs to `hear`. Each job has its number of ids and a place.
    fn visit_each(
        &self,
        jobs: &mut dyn Iterator<Item = (&JobId, usize, u32)>,
        hear: &mut dyn FnMut(ErasedPerson<'_>),
    ) -> Result<(), LedgerError> {
        let sql = "SELECT hashes FROM people WHERE request = $1 AND number = $2
             UNION ALL SELECT hashes FROM suppressed WHERE request = $1 AND number = $2";
        let mut statement = prepare(&self.view, sql)?;
        for (id, ids, job) in jobs {
            let mut rows = statement.query(sql::of(id))?;
            let Some(row) = &rows.next()? else {
                let is_overdue = self.overdue.contains(id);
                for id in payload::read_lines(&self.view, id)?.ids() {
                    let hash = self.hasher.hash(id);
                    let id = Some(id).filter(|_| !is_overdue);
                    hear(ErasedPerson { hash, job, id });
                }
                continue;
            };
            let hashes = read_hashes(row)?;
            if hashes.len() != ids {
                return Err(unreadable("the hashes of a job's people"));
            }
            for hash in hashes {
                let hash = PersonHash::restore(*hash);
                let id = None;
                hear(ErasedPerson { hash, job, id });
            }
        }
        Ok(())
    }
}

struct SparedJob {
    job: JobId,
    state: JobState,
    ids: usize,
    /// When its request was made.
    created: DateTime<Utc>,
}

/// The jobs of deletions that erased no one, oldest first.
fn list_spared(
    conn: &Connection,
    project: &dyn Fn(&ProjectName) -> bool,
) -> Result<Vec<SparedJob>, LedgerError> {
    let sql = "SELECT request, number, project, state, may_be_double <> 0 AS doubt, ids_count,
             created
         FROM jobs JOIN requests ON requests.id = jobs.request
         WHERE kind = 'delete' ORDER BY created, request, number";
    let mut statement = prepare(conn, sql)?;
    let mut rows = statement.query([])?;
    let mut jobs = Vec::new();
    while let Some(row) = &rows.next()? {
        let state = state(row, "state")?;
        if project(&columns::project(row)?) && Erasure::of(state, doubt_of(row)?).is_none() {
            jobs.push(SparedJob {
                job: job_id(row)?,
                state,
                ids: count(row, "ids_count")?,
                created: moment(row, "created")?,
            });
        }
    }
    Ok(jobs)
}
