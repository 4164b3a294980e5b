//! Lists jobs that wait. An unsent deletion waits for a request that has its ids but no task yet.
//! An unknown job waits for a repeated POST or for the operator.

use chrono::{DateTime, Utc};

use crate::domain::{JobId, JobState, Kind};
use crate::ledger::{JobRecord, Ledger, LedgerError, RequestRecord, Standing};

use super::queue::settles_until;
use super::settle::list_unsent;

/// What settles the jobs of unknown outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settles {
    /// Another run before this moment, while a repeated POST still shows what happened to the
    /// first.
    ByItself(DateTime<Utc>),
    ByWord,
}

impl Settles {
    /// What settles the unknown jobs of these requests.
    pub fn of(
        ledger: &Ledger,
        requests: &[RequestRecord],
        now: DateTime<Utc>,
    ) -> Result<Self, LedgerError> {
        let mut first = None;
        for request in requests {
            let kind = request.asked.operation.kind();
            for job in ledger.jobs(&request.id, Standing::Unsettled) {
                let until = settles_until(ledger, &job?, kind, now)?;
                first = first.into_iter().chain(until).min();
            }
        }
        Ok(first.map_or(Self::ByWord, Self::ByItself))
    }
}

/// A job that waits for another request.
#[derive(Debug, Clone)]
pub struct Waiting {
    pub job: JobId,
    /// The other request's job. If there are several, one that needs the operator's word.
    pub on: JobRecord,
    /// What settles the other job, if its outcome is unknown.
    pub settling: Settles,
    /// If the other job's sender, on another host, is gone: when the job can be settled.
    pub vanished_until: Option<DateTime<Utc>>,
}

/// [`list_waiting`] for a screen. An auditor reads without a key, and sees each job's reason alone.
pub fn list_seen_waiting(
    ledger: &Ledger,
    requests: &[RequestRecord],
    now: DateTime<Utc>,
) -> Result<Vec<Waiting>, LedgerError> {
    match list_waiting(ledger, requests, now) {
        Err(LedgerError::NoKey(_)) => Ok(Vec::new()),
        found => found,
    }
}

/// The unsent jobs of these requests that wait for others, in order.
pub(super) fn list_waiting(
    ledger: &Ledger,
    requests: &[RequestRecord],
    now: DateTime<Utc>,
) -> Result<Vec<Waiting>, LedgerError> {
    let is_unsent = |request: &&RequestRecord| {
        request.asked.operation.kind() == Kind::Delete && request.has_unsent()
    };
    let requests = requests.iter().filter(is_unsent);
    let requests: Vec<_> = requests.map(|request| request.id.clone()).collect();
    let shared = ledger.find_shared(&requests)?;
    let mut waiting = Vec::new();
    for request in &requests {
        let elsewhere = shared.elsewhere(request);
        if elsewhere.is_empty() {
            continue;
        }
        for job in list_unsent(ledger, request)? {
            let batch = LedgerError::unless_overtaken(ledger.find_batch(&job))?;
            let ids = batch.iter().flat_map(|batch| batch.ids());
            let mut owners: Vec<usize> = ids.filter_map(|id| elsewhere.owner_of(id)).collect();
            owners.sort_unstable();
            owners.dedup();
            let owners = owners.into_iter().map(|place| elsewhere.owner(place));
            let taskless = owners.filter(|owner| owner.task.is_none());
            let found = taskless.map(|owner| ledger.find_job(&owner.job));
            let found = found.collect::<Result<Vec<_>, _>>()?;
            // The other job may have its task by now.
            let taskless = found.into_iter().filter(|on| on.task.is_none());
            if let Some(on) = taskless.min_by_key(|on| on.state != JobState::Unknown) {
                let until = settles_until(ledger, &on, Kind::Delete, now)?;
                let settling = until.map_or(Settles::ByWord, Settles::ByItself);
                let vanished = match on.state {
                    JobState::Sending => ledger.list_vanished()?,
                    _ => Vec::new(),
                };
                let vanished = vanished.iter().find(|(job, _)| *job == on.id);
                waiting.push(Waiting {
                    job,
                    vanished_until: vanished.map(|(_, until)| *until),
                    on,
                    settling,
                });
            }
        }
    }
    Ok(waiting)
}
