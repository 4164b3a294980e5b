//! The steps of a job: sent, answered, checked, and found interrupted.

pub(super) mod attempts;
pub(super) mod doubt;
pub(super) mod fence;
pub(super) mod pace;
pub(super) mod partition;
pub(super) mod payload;
pub(super) mod receipts;
pub(super) mod row;
pub(super) mod schedule;
pub(super) mod told;
pub(super) mod word;

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use crate::domain::{Batch, JobId, JobState, Lane, SubjectRequestId, TaskStatus};

use super::audit::{self, Moved, Why};
use super::open::presence::{SenderState, list_sending};
use super::open::sender::{DeadSenders, Sender};
use super::{JobRecord, Ledger, LedgerError};
use attempts::{
    IN_DOUBT, Of, Outcome, begin_attempt, finish_attempt, is_called_off, sender_of,
    unclear_question,
};
use fence::Fence;
use row::{note_reason, note_status, read_one, read_to_change, schedule, step};
use schedule::after_question;

/// How long before its slot a job is claimed.
const EARLY: Duration = Duration::from_millis(150);

/// Why a job is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The job was never sent, or certainly not accepted.
    Submit,
    /// The outcome is unknown, and a repeated POST shows it or the operator asked for it.
    Settle,
}

impl Purpose {
    fn why(self) -> Why {
        match self {
            Self::Submit => Why::Submit,
            Self::Settle => Why::Settle,
        }
    }
}

/// A job to send now, with what its POST carries. The intent is on disk.
///
/// [`Ledger::record_sending`] alone makes one, after its commit. It cannot be copied: one claim is
/// one POST.
#[derive(Debug, PartialEq, Eq)]
pub struct ClaimedJob {
    attempt: u32,
    batch: Batch,
    subject: SubjectRequestId,
    /// Not before this moment.
    slot: Instant,
    fence: Fence,
}

impl ClaimedJob {
    /// Which attempt this is, counted from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// When its slot begins: the POST must not leave before.
    pub fn slot(&self) -> Instant {
        self.slot
    }

    /// Spends the claim on the POST, which must not leave behind the fence.
    pub fn into_parts(self) -> (Batch, SubjectRequestId, Fence) {
        (self.batch, self.subject, self.fence)
    }
}

/// The result of claiming a job to send it.
#[derive(Debug, PartialEq, Eq)]
pub enum Claim {
    /// The intent is on disk and the slot taken: send now, as this attempt (from 1).
    Send(ClaimedJob),
    /// Not yet: ask again after this time.
    Wait(Duration),
    /// Do not send it: another dsr is sending it or has sent it, or the operator cancelled it.
    Taken(JobState),
}

impl Ledger {
    /// Commits the intent to send a job, and takes the project's slot.
    ///
    /// After [`Claim::Send`] the intent is durable. If the process dies later, the job is found
    /// `sending` and becomes `unknown`, never `planned`.
    ///
    /// # Errors
    /// When the ledger cannot be written; then send nothing.
    pub fn record_sending(
        &mut self,
        job: &JobId,
        purpose: Purpose,
        lane: &Lane,
        now: DateTime<Utc>,
    ) -> Result<Claim, LedgerError> {
        let sender = self.start_sending(now)?;
        // The fence counts from before the claim, so that it is never too late.
        let sharing = self.sharing;
        let begun = Fence::from_now(sharing);
        let mut asked = row::questions_to_change(job)?;
        asked.push(pace::question(&lane.project)?);
        let tx = self.write_asking(asked)?;
        let record = read_to_change(&tx, job)?;
        let fits = match purpose {
            Purpose::Submit => record.state.is_sendable(),
            Purpose::Settle => record.is_unsettled() && !is_called_off(&tx, job)?,
        };
        if !fits {
            return Ok(Claim::Taken(record.state));
        }
        // With a server the claim takes a while, which must not come on top of the interval.
        let early = match sharing {
            Some(_) => EARLY,
            None => Duration::ZERO,
        };
        let call = call_of(job, record.attempts + 1);
        let slot = pace::take_early(&tx, lane, (&call, early), now)?;
        pace::reserve(&tx, lane, now)?;
        let slot = match slot {
            Ok(wait) => Instant::now() + wait,
            Err(wait) => {
                tx.commit()?;
                return Ok(Claim::Wait(wait));
            }
        };
        let claimed = ClaimedJob {
            attempt: record.attempts + 1,
            batch: payload::read(&tx, job)?,
            subject: record.subject,
            slot,
            fence: begun,
        };
        let started = tx.time().unwrap_or(now);
        begin_attempt(&tx, &record, &sender, started, now)?.tell(&tx, purpose.why())?;
        let committed = tx.commit_seen();
        self.sender.iter_mut().for_each(Sender::has_claimed);
        match committed {
            Ok(()) => Ok(Claim::Send(claimed)),
            Err(error) => {
                // The server may have the claim, and dsr will not send it.
                if let Err(error) = self.record_unsent(job, now) {
                    tracing::info!(%error, "no receipt could be kept");
                }
                Err(error)
            }
        }
    }

    /// Commits the outcome of the open attempt. Report the outcome only after this.
    ///
    /// # Errors
    /// When the ledger cannot be written, or the job was not being sent.
    pub fn record_outcome(
        &mut self,
        job: &JobId,
        lane: &Lane,
        outcome: &Outcome,
        reason: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        if let Outcome::Accepted(task) | Outcome::Recovered(task) = outcome {
            self.owe_receipt(job, task, now);
        }
        let recorded = self.record_answer_of(job, lane, outcome, reason, now);
        self.settle_receipt(recorded.is_ok());
        recorded
    }

    fn record_answer_of(
        &mut self,
        job: &JobId,
        lane: &Lane,
        outcome: &Outcome,
        reason: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let mut asked = row::questions_to_change(job)?;
        asked.push(pace::question(&lane.project)?);
        asked.push(unclear_question(job, Of::AllButTheLast)?);
        if let Outcome::Accepted(task) = outcome {
            asked.push(doubt::owner_question(task)?);
        }
        let tx = self.write_asking(asked)?;
        let record = read_to_change(&tx, job)?;
        if record.state != JobState::Sending {
            return Err(LedgerError::IllegalStep {
                job: job.clone(),
                from: record.state,
                to: outcome.state(),
            });
        }
        let left = pace::after_answer(&tx, lane, &call_of(job, record.attempts), now)?;
        let shared = match outcome {
            Outcome::Accepted(task) => doubt::share(&tx, job, task, now)?,
            _ => None,
        };
        let (outcome, reason) = match &shared {
            Some(shared) => (&Outcome::AcceptedUnread, Some(shared.as_str())),
            None => (outcome, reason),
        };
        let moved = finish_attempt(&tx, &record, outcome, reason, now)?;
        pace::write(&tx, &lane.project, left, now)?;
        moved.tell(&tx, Why::Answer)?;
        if outcome.state().is_sendable() {
            word::withdraw_called_off(&tx, job, now)?;
        }
        if let Outcome::Deferred(until) = outcome {
            pace::block(&tx, &lane.project, *until, now)?;
        }
        tx.commit()?;
        self.sender.iter_mut().for_each(Sender::has_recorded);
        Ok(())
    }

    /// Commits Mixpanel's answer about a job's task. A status without information changes nothing.
    pub fn record_check(
        &mut self,
        job: &JobId,
        status: &TaskStatus,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let tx = self.write_asking(row::questions_to_change(job)?)?;
        let before = read_to_change(&tx, job)?;
        let next = status.job_state();
        let next = next.filter(|next| before.state.may_become(*next));
        let moved = next.map(|next| step(&tx, &before, next, now)).transpose()?;
        if moved.as_ref().map(Moved::to) != next {
            let status = status.as_str();
            note_reason(&tx, job, &format!("its task is {status}; {IN_DOUBT}"))?;
        }
        note_status(&tx, job, status, now)?;
        let record = read_one(&tx, job)?;
        if record.state.is_followed() {
            let next = after_question(&tx, &record, status.heard(), now)?;
            schedule(&tx, job, Some(next))?;
        }
        let is_news = record.mixpanel_status != before.mixpanel_status;
        match moved {
            Some(moved) => moved.tell(&tx, Why::Status)?,
            // While the task is open, a repeated answer is not worth an audit entry.
            None if is_news || !record.state.is_followed() => {
                audit::note(&tx, job, Why::Status, now)?;
            }
            None => {}
        }
        tx.commit()
    }

    /// Marks jobs as unknown that a dead dsr was sending; returns their number.
    pub fn record_interrupted(&mut self, now: DateTime<Utc>) -> Result<usize, LedgerError> {
        // Found before the jobs are read, so all of their jobs are recorded when they are cleared.
        let dead = DeadSenders::find(&self.path).map_err(LedgerError::Sender)?;
        let count = self.record_left(now)?;
        dead.clear();
        Ok(count)
    }

    fn record_left(&mut self, now: DateTime<Utc>) -> Result<usize, LedgerError> {
        let mut left = Vec::new();
        for (job, sender, started) in list_sending(&self.conn)? {
            if self.find_sender(&sender, started)? == SenderState::Ended {
                left.push((job, sender));
            }
        }
        if left.is_empty() {
            return Ok(0);
        }
        let reason = "the dsr that sent it ended before the answer was recorded";
        let tx = self.write()?;
        let mut count = 0;
        for (job, sender) in left {
            // Another dsr may have been faster.
            let record = read_to_change(&tx, &job)?;
            if record.state == JobState::Sending && sender_of(&tx, &job)? == sender {
                finish_attempt(&tx, &record, &Outcome::Unknown, Some(reason), now)?
                    .tell(&tx, Why::Interrupted)?;
                count += 1;
            }
        }
        tx.commit()?;
        Ok(count)
    }

    /// Fails if somebody changed one of these jobs behind the trail's back.
    ///
    /// # Errors
    /// [`LedgerError::OtherJob`], or when the ledger cannot be read.
    pub fn demand_as_recorded<'j>(
        &self,
        jobs: impl IntoIterator<Item = &'j JobId>,
    ) -> Result<(), LedgerError> {
        let view = self.conn.view()?;
        let mut jobs = jobs.into_iter();
        jobs.try_for_each(|job| read_to_change(&view, job).map(drop))
    }

    /// # Errors
    /// When the ledger cannot be read, or there is no such job.
    pub fn find_job(&self, job: &JobId) -> Result<JobRecord, LedgerError> {
        read_one(&self.conn, job)
    }

    /// The ids of a job, if they are still kept, and may be.
    ///
    /// # Errors
    /// When they are damaged, or the ledger cannot be read.
    pub fn find_kept_batch(&self, job: &JobId) -> Result<Option<Batch>, LedgerError> {
        match self.has_overdue_ids(job)? {
            true => Ok(None),
            false => payload::find(&self.conn, job),
        }
    }

    /// # Errors
    /// When the ids are gone or damaged.
    pub fn find_batch(&self, job: &JobId) -> Result<Batch, LedgerError> {
        payload::read(&self.conn, job)
    }
}

/// The name of a POST.
fn call_of(job: &JobId, attempt: u32) -> String {
    format!("{job}/{attempt}")
}
