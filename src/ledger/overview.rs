//! Requests at a glance: their jobs counted, not read, so that a hundred thousand cost no more
//! than the few kinds they fall into.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rusqlite::params;

use crate::domain::{JobState, RequestId, RequestState};

use super::records::{JOB_COLUMNS, REQUEST_COLUMNS, count, read_job, read_request, unreadable};
use super::requests::condition_of;
use super::{JobRecord, Ledger, LedgerError, NewRequest, RequestRecord, Which, prepare};

/// A request and how many of its jobs stand where.
#[derive(Debug, Clone)]
pub struct RequestOverview {
    pub id: RequestId,
    pub created: DateTime<Utc>,
    pub asked: NewRequest,
    /// At least one.
    pub groups: Vec<JobGroup>,
}

/// Jobs of one request that stand alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobGroup {
    pub state: JobState,
    /// Mixpanel's own word, verbatim.
    pub mixpanel_status: Option<String>,
    /// The operator gave up on them, their outcome still unknown.
    pub is_abandoned: bool,
    pub jobs: usize,
}

impl RequestOverview {
    pub fn state(&self) -> RequestState {
        let states = self.groups.iter().map(|group| group.state);
        // A request is recorded together with its jobs, of which there is at least one.
        RequestState::of(states).expect("a request has jobs")
    }

    pub fn jobs(&self) -> usize {
        self.groups.iter().map(|group| group.jobs).sum()
    }

    pub fn ended_jobs(&self) -> usize {
        let ended = self.groups.iter().filter(|group| group.state.is_final());
        ended.map(|group| group.jobs).sum()
    }

    /// Some jobs are of unknown outcome, and the operator has not given up on them.
    pub fn is_unsettled(&self) -> bool {
        let mut groups = self.groups.iter();
        groups.any(|group| group.state == JobState::Unknown && !group.is_abandoned)
    }

    /// Some jobs are still to be sent.
    pub fn is_unsent(&self) -> bool {
        self.groups.iter().any(|group| group.state.is_sendable())
    }
}

impl From<&RequestRecord> for RequestOverview {
    fn from(request: &RequestRecord) -> Self {
        let mut groups: Vec<JobGroup> = Vec::new();
        for job in &request.jobs {
            let of_one = JobGroup {
                state: job.state,
                mixpanel_status: job.mixpanel_status.clone(),
                is_abandoned: job.abandoned_at.is_some(),
                jobs: 1,
            };
            let alike = groups.iter_mut().find(|group| {
                group.state == of_one.state
                    && group.mixpanel_status == of_one.mixpanel_status
                    && group.is_abandoned == of_one.is_abandoned
            });
            match alike {
                Some(group) => group.jobs += 1,
                None => groups.push(of_one),
            }
        }
        Self {
            id: request.id.clone(),
            created: request.created,
            asked: request.asked.clone(),
            groups,
        }
    }
}

impl Ledger {
    /// Lists requests with their jobs counted, newest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn list_overviews(&self, which: Which) -> Result<Vec<RequestOverview>, LedgerError> {
        let condition = condition_of(which);
        let mut groups = self.count_jobs(condition)?;
        let mut statement = prepare(
            &self.conn,
            &format!(
                "SELECT {REQUEST_COLUMNS} FROM requests WHERE {condition}
                 ORDER BY created DESC, id"
            ),
        )?;
        let mut rows = statement.query([])?;
        let mut overviews = Vec::new();
        while let Some(row) = rows.next()? {
            let request = read_request(row)?;
            // One that another process recorded between the two reads is not counted yet.
            if let Some(groups) = groups.remove(&request.id) {
                overviews.push(RequestOverview {
                    id: request.id,
                    created: request.created,
                    asked: request.asked,
                    groups,
                });
            }
        }
        Ok(overviews)
    }

    fn count_jobs(
        &self,
        condition: &str,
    ) -> Result<HashMap<RequestId, Vec<JobGroup>>, LedgerError> {
        let mut statement = prepare(
            &self.conn,
            &format!(
                "SELECT request, state, mixpanel_status, abandoned_at IS NOT NULL, COUNT(*) AS jobs
                 FROM jobs WHERE request IN (SELECT id FROM requests WHERE {condition})
                 GROUP BY request, state, mixpanel_status, abandoned_at"
            ),
        )?;
        let mut rows = statement.query([])?;
        let mut groups: HashMap<RequestId, Vec<JobGroup>> = HashMap::new();
        while let Some(row) = rows.next()? {
            let state: String = row.get(1)?;
            let group = JobGroup {
                state: JobState::parse(&state).ok_or_else(|| unreadable("a job's state"))?,
                mixpanel_status: row.get(2)?,
                is_abandoned: row.get(3)?,
                jobs: count(row, "jobs")?,
            };
            let request = RequestId::restore(row.get(0)?);
            groups.entry(request).or_default().push(group);
        }
        Ok(groups)
    }

    /// The first job of a request that is in this state, if there is one.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn find_first_job(
        &self,
        request: &RequestId,
        state: JobState,
    ) -> Result<Option<JobRecord>, LedgerError> {
        let mut statement = prepare(
            &self.conn,
            &format!(
                "SELECT {JOB_COLUMNS} FROM jobs
                 WHERE request = $1 AND state = $2 AND abandoned_at IS NULL
                 ORDER BY number LIMIT 1"
            ),
        )?;
        let mut rows = statement.query(params![request.as_str(), state.as_str()])?;
        rows.next()?.map(read_job).transpose()
    }
}
