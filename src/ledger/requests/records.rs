//! Requests and jobs as the ledger has them.

use chrono::{DateTime, NaiveDate, Utc};

use crate::domain::{
    CarriedOut, CopyTick, Deadline, Disclosure, Doubt, Extension, IdsKept, JobId, JobState, Kind,
    Law, Operation, Period, PlanRecord, ProjectKey, ProjectName, Region, RequestId, RequestState,
    SubjectRequestId, TaskId, TaskStatus, link_end, link_may_end,
};

use crate::ledger::columns::{
    count, day, job_id, moment, parse_day, parse_time, project, state, time, unreadable,
};
use crate::ledger::engine::Row;
use crate::ledger::{AnswerRecord, LedgerError};

/// What the operator asks for, before it has an id.
#[derive(Debug, Clone)]
pub struct NewRequest {
    pub operation: Operation,
    pub project: ProjectName,
    pub project_key: ProjectKey,
    pub region: Region,
    pub reference: Option<String>,
    pub received: NaiveDate,
    /// The last day to answer, extended or not.
    pub due: NaiveDate,
    /// The last day to confirm receipt, if the law requires it.
    pub confirm_by: Option<NaiveDate>,
    /// The name of the ids' source; never an id.
    pub source: String,
    /// Values read, with repeated ones.
    pub read: usize,
    pub unique: usize,
    /// Excluded ids, each counted once.
    pub excluded: usize,
    pub plan: Option<PlanRecord>,
    pub ids_kept: IdsKept,
}

/// A request with counts of its jobs by standing.
///
/// Done exports of a request that were not fetched yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfetched {
    pub jobs: usize,
    /// When dsr first saw one of them done; Mixpanel may have finished it earlier.
    pub finished_by: DateTime<Utc>,
}

impl Unfetched {
    /// The last day on which the links certainly live, unless Mixpanel finished earlier than dsr
    /// saw.
    pub fn link_end(&self) -> NaiveDate {
        link_end(self.finished_by.date_naive())
    }

    /// The last day on which the links may live.
    pub fn link_may_end(&self) -> NaiveDate {
        link_may_end(self.finished_by.date_naive())
    }
}

/// [`crate::ledger::Ledger::jobs`] reads the jobs one by one: a request may have 100,000.
#[derive(Debug, Clone)]
pub struct RequestRecord {
    pub id: RequestId,
    pub created: DateTime<Utc>,
    pub asked: NewRequest,
    pub extension: Option<Extension>,
    pub answer: Option<AnswerRecord>,
    /// The copies of the data that the operator dealt with, by the time of their recording.
    pub copies: Vec<CopyTick>,
    /// It was recorded after this ledger's first answer. Operators who record answers want to be
    /// reminded of this one too.
    pub has_to_be_answered: bool,
    /// Its exports that are done but not fetched.
    pub unfetched: Option<Unfetched>,
    /// At least one.
    pub groups: Vec<JobGroup>,
    pub answered: AnswerAge,
}

/// The age of the answers about a request's open tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerAge {
    NotOpen,
    /// dsr never asked about one of them.
    Never,
    /// The oldest answer about any of them.
    At(DateTime<Utc>),
}

/// Jobs of one request with the same standing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobGroup {
    pub state: JobState,
    /// Mixpanel's own word, verbatim.
    pub mixpanel_status: Option<String>,
    pub is_abandoned: bool,
    pub is_linked: bool,
    pub doubt: Doubt,
    pub jobs: usize,
    pub ids: usize,
}

/// A job as the ledger has it.
#[derive(Debug, Clone)]
pub struct JobRecord {
    pub id: JobId,
    pub subject: SubjectRequestId,
    pub ids: usize,
    pub state: JobState,
    /// Why it has this state, for the operator; no secret, no id.
    pub reason: Option<String>,
    pub task: Option<TaskId>,
    pub attempts: u32,
    /// How often it was sent, as far as the ledger knows.
    pub sent: u32,
    /// Until when the server asked to wait, by the clock then. The pace enforces it.
    pub not_before: Option<DateTime<Utc>>,
    /// Mixpanel's own word, verbatim.
    pub mixpanel_status: Option<String>,
    pub submitted_at: Option<DateTime<Utc>>,
    pub checked_at: Option<DateTime<Utc>>,
    /// When to check it next; only with an open task.
    pub next_check: Option<DateTime<Utc>>,
    /// When the first attempt began that made or may have made a task.
    pub unclear_since: Option<DateTime<Utc>>,
    /// When its last attempt ended, or when dsr noticed that the sender was killed.
    pub attempt_ended_at: Option<DateTime<Utc>>,
    /// When the operator abandoned it while it was unknown.
    pub abandoned_at: Option<DateTime<Utc>>,
    pub is_linked: bool,
    /// An earlier POST of its ids, with an unknown outcome, may also have been accepted.
    pub may_be_double: bool,
}

impl JobRecord {
    /// Unknown, and not abandoned.
    pub fn is_unsettled(&self) -> bool {
        self.state == JobState::Unknown && self.abandoned_at.is_none()
    }

    /// Whether its people were affected.
    pub fn carried_out(&self) -> CarriedOut {
        Doubt::of(self.may_be_double).carried_out(self.state)
    }

    /// It has its own task, and there may be another one with the same ids.
    pub fn is_possible_duplicate(&self) -> bool {
        self.may_be_double && self.task.is_some() && !self.is_linked
    }
}

impl RequestRecord {
    pub fn state(&self) -> RequestState {
        let states = self.groups.iter().map(|group| group.state);
        // A request is recorded with at least one job.
        RequestState::of(states).expect("a request has jobs")
    }

    /// The last day to answer, and the rule behind it.
    pub fn deadline(&self) -> Deadline {
        let period = match self.extension {
            Some(_) => Period::Extended,
            None => Period::First,
        };
        Deadline {
            due: self.asked.due,
            rule: self.asked.operation.law().rule(period),
        }
    }

    /// A job is neither final nor abandoned.
    pub fn is_open(&self) -> bool {
        let mut groups = self.groups.iter();
        groups.any(|group| !group.state.is_final() && !group.is_abandoned)
    }

    /// The time to answer runs: there is no answer, and either a job is open or the operator
    /// records answers.
    pub fn is_to_be_answered(&self) -> bool {
        self.answer.is_none() && (self.is_open() || self.has_to_be_answered)
    }

    /// The number of jobs in such groups.
    pub fn count_jobs(&self, which: impl Fn(&JobGroup) -> bool) -> usize {
        let groups = self.groups.iter().filter(|group| which(group));
        groups.map(|group| group.jobs).sum()
    }

    /// The number of ids in such groups.
    pub fn count_ids(&self, which: impl Fn(&JobGroup) -> bool) -> usize {
        let groups = self.groups.iter().filter(|group| which(group));
        groups.map(|group| group.ids).sum()
    }

    pub fn jobs_in(&self, state: JobState) -> usize {
        self.count_jobs(|group| group.state == state)
    }

    /// A job was not sent yet.
    pub fn has_unsent(&self) -> bool {
        self.groups.iter().any(|group| group.state.is_sendable())
    }

    /// A job must be sent or settled: `dsr resume` continues it.
    pub fn needs_resume(&self) -> bool {
        self.groups.iter().any(JobGroup::needs_resume)
    }
}

impl JobGroup {
    /// Whether their people were affected.
    pub fn carried_out(&self) -> CarriedOut {
        self.doubt.carried_out(self.state)
    }

    /// They have ended, and it is unknown whether they were carried out.
    pub fn is_lost(&self) -> bool {
        self.carried_out() == CarriedOut::Possibly && (self.is_abandoned || self.state.is_final())
    }

    /// Unknown, and not abandoned.
    pub fn is_unsettled(&self) -> bool {
        self.state == JobState::Unknown && !self.is_abandoned
    }

    /// Mixpanel accepted them, but does not find their tasks now.
    pub fn is_not_found(&self) -> bool {
        let not_found = Some(TaskStatus::NotFound.as_str());
        self.state.is_followed() && self.mixpanel_status.as_deref() == not_found
    }

    /// They have their own tasks, and there may be others with the same ids.
    pub fn is_possible_duplicate(&self) -> bool {
        let has_task = self.state.is_followed() || self.state == JobState::Done;
        self.doubt.is_there() && has_task && !self.is_linked
    }

    /// They must be sent or settled.
    pub fn needs_resume(&self) -> bool {
        self.state.is_sendable() || self.is_unsettled()
    }
}

pub(crate) const JOB_COLUMNS: &str = "request, number, subject_request_id, ids_count, state, \
     reason, task_id, attempts, not_before, mixpanel_status, submitted_at, checked_at, \
     next_check, abandoned_at, linked, may_be_double, (SELECT MIN(started_at) FROM attempts WHERE attempts.request = jobs.request \
     AND attempts.number = jobs.number AND outcome IN ('unknown', 'accepted')) AS unclear_since, \
     (SELECT MAX(ended_at) FROM attempts WHERE attempts.request = jobs.request \
     AND attempts.number = jobs.number) AS attempt_ended_at, \
     (SELECT COUNT(*) FROM attempts WHERE attempts.request = jobs.request \
     AND attempts.number = jobs.number AND sender = 'set-back') AS uncertain";

pub(crate) const REQUEST_COLUMNS: &str = "id, kind, law, disclosure, project, project_key, \
     region, reference, received, due, created, source, ids_read, ids_unique, ids_excluded, confirm_by, to_verify";

pub(crate) fn read_job(row: &Row<'_>) -> Result<JobRecord, LedgerError> {
    let subject: String = row.get("subject_request_id")?;
    let task: Option<String> = row.get("task_id")?;
    let time = |column| time(row, column);
    Ok(JobRecord {
        id: job_id(row)?,
        subject: SubjectRequestId::parse(&subject).ok_or_else(|| unreadable("a job's subject"))?,
        ids: count(row, "ids_count")?,
        state: state(row, "state")?,
        reason: row.get("reason")?,
        task: task.and_then(|text| TaskId::new(&text)),
        attempts: row.get("attempts")?,
        sent: row
            .get::<u32>("attempts")?
            .saturating_sub(row.get("uncertain")?),
        not_before: time("not_before")?,
        mixpanel_status: row.get("mixpanel_status")?,
        submitted_at: time("submitted_at")?,
        checked_at: time("checked_at")?,
        next_check: time("next_check")?,
        unclear_since: time("unclear_since")?,
        attempt_ended_at: time("attempt_ended_at")?,
        abandoned_at: time("abandoned_at")?,
        is_linked: row.get::<i64>("linked")? != 0,
        may_be_double: row.get::<i64>("may_be_double")? != 0,
    })
}

/// The columns of [`Answered`], each found in an index.
pub(crate) const ANSWERED_COLUMNS: &str = "\
     EXISTS (SELECT 1 FROM jobs WHERE request = requests.id AND next_check IS NOT NULL \
             AND checked_at IS NULL) AS never_answered, \
     (SELECT MIN(checked_at) FROM jobs WHERE request = requests.id \
      AND next_check IS NOT NULL) AS oldest_answer, \
     COALESCE(created > (SELECT MIN(at) FROM answers), FALSE) AS has_to_be_answered";

/// Reads a request's own row; the caller adds data from other tables.
pub(crate) fn read_request(row: &Row<'_>) -> Result<RequestRecord, LedgerError> {
    let text = |column| -> Result<String, LedgerError> { Ok(row.get(column)?) };
    let disclosure: Option<String> = row.get("disclosure")?;
    let operation = Kind::parse(&text("kind")?)
        .zip(Law::parse(&text("law")?))
        .and_then(|(kind, law)| {
            let disclosure = disclosure.as_deref().map(Disclosure::parse);
            match disclosure {
                Some(None) => None,
                known => Operation::from_parts(kind, law, known.flatten()),
            }
        })
        .ok_or_else(|| unreadable("a request's kind and law"))?;
    let oldest: Option<String> = row.get("oldest_answer")?;
    let day = |column| day(row, column);
    let confirm_by: Option<String> = row.get("confirm_by")?;
    Ok(RequestRecord {
        id: RequestId::restore(text("id")?),
        created: moment(row, "created")?,
        asked: NewRequest {
            operation,
            project: project(row)?,
            project_key: ProjectKey::restore(text("project_key")?),
            region: Region::parse(&text("region")?)
                .ok_or_else(|| unreadable("a request's region"))?,
            reference: row.get("reference")?,
            received: day("received")?,
            due: day("due")?,
            confirm_by: confirm_by.map(|text| parse_day(&text)).transpose()?,
            source: text("source")?,
            read: count(row, "ids_read")?,
            unique: count(row, "ids_unique")?,
            excluded: count(row, "ids_excluded")?,
            plan: None,
            ids_kept: match row.get::<i64>("to_verify")? {
                0 => IdsKept::UntilDone,
                _ => IdsKept::UntilVerified,
            },
        },
        extension: None,
        answer: None,
        copies: Vec::new(),
        has_to_be_answered: row.get("has_to_be_answered")?,
        unfetched: None,
        groups: Vec::new(),
        answered: match (row.get("never_answered")?, oldest) {
            (true, _) => AnswerAge::Never,
            (false, Some(oldest)) => AnswerAge::At(parse_time(&oldest)?),
            (false, None) => AnswerAge::NotOpen,
        },
    })
}
