//! Whom deletions have erased, will erase or may have: the people who are not to be tracked again.
//!
//! All of it is read in one view of the ledger. People are told apart by their keyed hashes, so a
//! person costs as little memory whether their id is still there or not.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row, Transaction, params};

use crate::domain::{
    Doubt, Erasure, ErasurePeriod, JobId, JobState, LedgerKey, PersonHash, PersonHasher,
    ProjectName,
};

use super::records::{count, format_time, job_id, parse_time, unreadable};
use super::{Ledger, LedgerError, payload, prepare, suppressed};

/// Which deletions are meant.
pub struct ErasedBy<'a> {
    pub project: &'a dyn Fn(&ProjectName) -> bool,
    /// Sent at this time or later; the last time, where they were sent several times.
    pub since: Option<DateTime<Utc>>,
}

/// A job whose people were erased, will be or may have been.
#[derive(Debug, Clone)]
pub struct ErasedJob {
    pub job: JobId,
    pub project: ProjectName,
    pub erasure: Erasure,
    pub period: ErasurePeriod,
    pub ids: usize,
    /// Nothing will tell any more what became of it.
    pub is_given_up: bool,
}

/// People whom no deletion has erased, by how the last of their deletions stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotErased {
    pub state: JobState,
    pub people: usize,
}

/// Deletions as they stood at one moment, and the people in them.
pub struct Erased<'l> {
    view: Transaction<'l>,
    hasher: PersonHasher,
    jobs: Vec<ErasedJob>,
}

/// Somebody in a job: the place of the job among [`Erased::jobs`], and the id, if it is still kept.
#[derive(Debug, Clone, Copy)]
pub struct ErasedPerson<'p> {
    pub hash: PersonHash,
    pub job: u32,
    pub id: Option<&'p str>,
}

impl Ledger {
    /// Reads which deletions there are; their people are read with [`Erased::visit`].
    ///
    /// # Errors
    /// When the ledger cannot be read, or remembers people under another key.
    pub fn erased(&self, key: &LedgerKey, by: &ErasedBy<'_>) -> Result<Erased<'_>, LedgerError> {
        let view = self.conn.unchecked_transaction()?;
        self.demand_people_key(key)?;
        let mut jobs = list_jobs(&view, by)?;
        jobs.extend(suppressed::list_jobs(&view, by)?);
        Ok(Erased {
            view,
            hasher: key.hasher(),
            jobs,
        })
    }
}

impl Erased<'_> {
    pub fn jobs(&self) -> &[ErasedJob] {
        &self.jobs
    }

    /// How many people there are at most: somebody may be in several jobs.
    pub fn count_ids(&self) -> usize {
        self.jobs.iter().map(|job| job.ids).sum()
    }

    /// Hears of everybody in every job, in no certain order. Ids that are still kept are hashed
    /// on the way, each time.
    ///
    /// # Errors
    /// When the ledger cannot be read, or hashes or ids in it are damaged: whoever could not be
    /// read would be tracked again.
    pub fn visit(&self, hear: &mut dyn FnMut(ErasedPerson<'_>)) -> Result<(), LedgerError> {
        let jobs = self.jobs.iter().zip(0..);
        let mut jobs = jobs.map(|(job, place)| (&job.job, job.ids, place));
        self.visit_each(&mut jobs, hear)
    }

    /// Counts those whom no deletion of these projects has erased, each once: whoever was erased by
    /// any of them, whenever that was, is not counted.
    ///
    /// # Errors
    /// As [`Erased::visit`].
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
            erased.extend(suppressed::list_jobs(&self.view, &all)?);
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

    /// Hears of everybody in these jobs, each with the number of its ids and a place.
    fn visit_each(
        &self,
        jobs: &mut dyn Iterator<Item = (&JobId, usize, u32)>,
        hear: &mut dyn FnMut(ErasedPerson<'_>),
    ) -> Result<(), LedgerError> {
        let mut statement = prepare(
            &self.view,
            "SELECT hashes FROM people WHERE request = $1 AND number = $2
             UNION ALL SELECT hashes FROM suppressed WHERE request = $1 AND number = $2",
        )?;
        for (id, ids, job) in jobs {
            let mut rows = statement.query(params![id.request.as_str(), id.number])?;
            let Some(row) = rows.next()? else {
                for id in payload::read_lines(&self.view, id)?.ids() {
                    let hash = self.hasher.hash(id);
                    let id = Some(id);
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

/// A job of a deletion that has erased nobody.
struct SparedJob {
    job: JobId,
    state: JobState,
    ids: usize,
}

/// The jobs of deletions that have erased nobody, oldest first.
fn list_spared(
    conn: &Connection,
    project: &dyn Fn(&ProjectName) -> bool,
) -> Result<Vec<SparedJob>, LedgerError> {
    let mut statement = prepare(
        conn,
        "SELECT request, number, project, state, may_be_double <> 0 AS doubt, ids_count
         FROM jobs JOIN requests ON requests.id = jobs.request
         WHERE kind = 'delete' ORDER BY created, request, number",
    )?;
    let mut rows = statement.query([])?;
    let mut jobs = Vec::new();
    while let Some(row) = rows.next()? {
        let state = state_of(row)?;
        if project(&project_of(row)?) && Erasure::of(state, doubt_of(row)?).is_none() {
            jobs.push(SparedJob {
                job: job_id(row)?,
                state,
                ids: count(row, "ids_count")?,
            });
        }
    }
    Ok(jobs)
}

/// The hashes in the first column of a row.
pub(super) fn read_hashes<'r>(
    row: &'r Row<'_>,
) -> Result<&'r [[u8; PersonHash::BYTES]], LedgerError> {
    let damaged = || unreadable("the hashes of a job's people");
    let hashes = row.get_ref(0)?.as_blob().map_err(|_| damaged())?;
    match hashes.as_chunks() {
        (hashes, []) => Ok(hashes),
        _ => Err(damaged()),
    }
}

pub(super) fn list_jobs(
    conn: &Connection,
    by: &ErasedBy<'_>,
) -> Result<Vec<ErasedJob>, LedgerError> {
    let attempts = "FROM attempts WHERE attempts.request = jobs.request
                    AND attempts.number = jobs.number";
    let mut statement = prepare(
        conn,
        &format!(
            "SELECT request, number, project, state, may_be_double <> 0 AS doubt, ids_count,
                 abandoned_at IS NOT NULL AS given_up,
                 COALESCE(submitted_at,
                     (SELECT MIN(started_at) {attempts} AND outcome IN ('unknown', 'accepted')),
                     (SELECT MAX(started_at) {attempts}), created) AS begun,
                 (SELECT MAX(at) FROM steps WHERE steps.request = jobs.request
                  AND steps.number = jobs.number AND to_state = 'done') AS done
             FROM jobs JOIN requests ON requests.id = jobs.request
             WHERE kind = 'delete'
               AND COALESCE(submitted_at, (SELECT MAX(started_at) {attempts}), created) >= $1
             ORDER BY request, number"
        ),
    )?;
    let since = by.since.map(format_time).unwrap_or_default();
    let mut rows = statement.query([since])?;
    let mut jobs = Vec::new();
    while let Some(row) = rows.next()? {
        let project = project_of(row)?;
        let Some(erasure) =
            Erasure::of(state_of(row)?, doubt_of(row)?).filter(|_| (by.project)(&project))
        else {
            continue;
        };
        let time = |text: String| parse_time(&text);
        let done: Option<String> = row.get("done")?;
        jobs.push(ErasedJob {
            job: job_id(row)?,
            project,
            erasure,
            period: ErasurePeriod {
                begun: time(row.get("begun")?)?,
                done: done.map(time).transpose()?,
            },
            ids: count(row, "ids_count")?,
            is_given_up: row.get("given_up")?,
        });
    }
    Ok(jobs)
}

pub(super) fn project_of(row: &Row<'_>) -> Result<ProjectName, LedgerError> {
    let name: String = row.get("project")?;
    ProjectName::new(&name).ok_or_else(|| unreadable("a request's project"))
}

fn doubt_of(row: &Row<'_>) -> Result<Doubt, LedgerError> {
    Ok(Doubt::of(row.get("doubt")?))
}

fn state_of(row: &Row<'_>) -> Result<JobState, LedgerError> {
    let state: String = row.get("state")?;
    JobState::parse(&state).ok_or_else(|| unreadable("a job's state"))
}
