//! The operator's decisions about jobs: to name the task, to abandon, or not to send. If several
//! operators decide at once, the first decision counts.

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::domain::{JobId, JobState, RequestId, TaskId, TaskStatus};

use super::attempts::{IN_DOUBT, Of, count_unclear, is_called_off};
use super::doubt::Settling;
use super::row::{note_doubt, note_reason, note_status, read_one, read_to_change, set, step};
use crate::ledger::audit::{self, AuditEvent, EntrySubject, Why};
use crate::ledger::columns::format_time;
use crate::ledger::engine::params;
use crate::ledger::sql;
use crate::ledger::{JobRecord, Ledger, LedgerError, Write};

/// Which job a job's task was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MadeFor {
    TheJob,
    /// Another job; this one is linked to the task.
    Another,
}

impl Ledger {
    /// Records the task that the operator names for an unknown job. Changes nothing if the job was
    /// settled or abandoned meanwhile.
    pub fn record_settled(
        &mut self,
        job: &JobId,
        task: &TaskId,
        made_for: MadeFor,
        now: DateTime<Utc>,
    ) -> Result<Settling, LedgerError> {
        self.record_word(job, |tx| {
            let mut before = read_one(tx, job)?;
            let unclear = count_unclear(tx, job, Of::All)?;
            // One of several POSTs made this task; the others may have made more.
            if unclear.posts > 1 {
                note_doubt(tx, job)?;
                before.may_be_double = true;
            }
            let is_double = made_for == MadeFor::TheJob && before.may_be_double;
            let moved = step(tx, &before, JobState::Accepted, now)?;
            let named = format!("task set by hand on {}", now.date_naive());
            let notes = [
                before.reason,
                Some(named),
                is_double.then(|| unclear.note().to_owned()),
            ];
            let notes: Vec<String> = notes.into_iter().flatten().collect();
            // The job was not sent now, so its submission time and attempts stay.
            set(
                tx,
                job,
                "task_id = $1, linked = $2, reason = $3",
                params![
                    task.as_str(),
                    i64::from(made_for == MadeFor::Another),
                    notes.join("; ")
                ],
            )?;
            moved.tell(tx, Why::Operator)
        })
    }

    /// Records that the operator asked to cancel a request, and cancels its unsent jobs. From then
    /// on nothing of it is sent: a job that is being sent now is cancelled if it comes back unsent,
    /// and an unknown one waits for the operator's word. A job becomes revoked, or unknown if an
    /// earlier attempt is in doubt. Returns the unknown ones.
    pub fn record_withdrawn(
        &mut self,
        request: &RequestId,
        now: DateTime<Utc>,
    ) -> Result<Vec<JobId>, LedgerError> {
        let tx = self.write()?;
        audit::demand_held(&tx, request)?;
        let sql = "SELECT COUNT(*) FROM jobs WHERE request = $1";
        let jobs: u32 = sql::value(&tx, sql, [request.as_str()])?;
        let (event, subject) = (
            AuditEvent::CancellationAsked,
            EntrySubject::Request(request),
        );
        audit::tell(&tx, event, subject, json!({ "jobs": jobs }), now)?;
        let sql = "SELECT number FROM jobs
             WHERE request = $1 AND state IN ('planned', 'deferred') ORDER BY number";
        let numbers: Vec<u32> = sql::list(&tx, sql, [request.as_str()], |row| Ok(row.get(0)?))?;
        let mut in_doubt = Vec::new();
        for number in numbers {
            let job = JobId {
                request: request.clone(),
                number,
            };
            let became = withdraw(&tx, &read_to_change(&tx, &job)?, now)?;
            in_doubt.extend((became != JobState::Revoked).then_some(job));
        }
        // A cancellation follows, so a ledger without this entry must count as set back.
        tx.commit_seen()?;
        Ok(in_doubt)
    }

    /// Records that the operator abandons an unknown job. It stays unknown. Changes nothing if the
    /// job was settled or abandoned meanwhile.
    pub fn record_abandoned(
        &mut self,
        job: &JobId,
        now: DateTime<Utc>,
    ) -> Result<Settling, LedgerError> {
        self.record_word(job, |tx| {
            set(tx, job, "abandoned_at = $1", params![format_time(now)])?;
            let (event, subject) = (AuditEvent::JobAbandoned, EntrySubject::Job(job));
            audit::tell(tx, event, subject, json!({}), now)
        })
    }

    /// Appends an entry about jobs that changes nothing else in the ledger: one entry each, with the
    /// job's facts.
    ///
    /// # Errors
    /// When the ledger cannot be written, or a job does not exist.
    pub fn record_job_events<'j>(
        &mut self,
        event: AuditEvent,
        jobs: impl IntoIterator<Item = &'j JobId>,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let tx = self.write()?;
        for job in jobs {
            read_to_change(&tx, job)?;
            audit::tell(&tx, event, EntrySubject::Job(job), json!({}), now)?;
        }
        // A cancellation follows, so a ledger without this entry must count as set back.
        tx.commit_seen()
    }

    /// Records the operator's decision about an unknown job, if nobody was faster.
    fn record_word(
        &mut self,
        job: &JobId,
        record: impl FnOnce(&Write<'_>) -> Result<(), LedgerError>,
    ) -> Result<Settling, LedgerError> {
        let tx = self.write()?;
        let before = read_to_change(&tx, job)?;
        if !before.is_unsettled() {
            return Ok(Settling::Taken(before.state));
        }
        record(&tx)?;
        tx.commit()?;
        Ok(Settling::Recorded)
    }

    /// Commits that the task of a linked job was cancelled for another job, `by`.
    pub fn record_taken_along(
        &mut self,
        job: &JobId,
        by: &JobId,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let tx = self.write()?;
        let record = read_to_change(&tx, job)?;
        if !record.state.is_followed() {
            return Ok(());
        }
        let moved = step(&tx, &record, JobState::Revoked, now)?;
        let by = by.request.short();
        let reason = match moved.to() {
            JobState::Revoked => format!("its task was cancelled with request {by}"),
            _ => format!("its task was cancelled with request {by}; {IN_DOUBT}"),
        };
        note_reason(&tx, job, &reason)?;
        note_status(&tx, job, &TaskStatus::Revoked, now)?;
        moved.tell(&tx, Why::Cancelled)?;
        tx.commit()
    }
}

/// Cancels an unsent job; returns its new state.
fn withdraw(
    tx: &Write<'_>,
    record: &JobRecord,
    now: DateTime<Utc>,
) -> Result<JobState, LedgerError> {
    let moved = step(tx, record, JobState::Revoked, now)?;
    let became = moved.to();
    let reason = match became {
        JobState::Revoked => "cancelled before it was sent".to_owned(),
        _ => format!("cancelled before it was sent again; {IN_DOUBT}"),
    };
    set(
        tx,
        &record.id,
        "reason = $1, not_before = NULL",
        params![reason],
    )?;
    moved.tell(tx, Why::Cancelled)?;
    Ok(became)
}

/// Cancels a job that came back unsent, if the operator asked for it meanwhile.
pub(crate) fn withdraw_called_off(
    tx: &Write<'_>,
    job: &JobId,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    if !is_called_off(tx, job)? {
        return Ok(());
    }
    let record = read_to_change(tx, job)?;
    if record.state.is_sendable() {
        withdraw(tx, &record, now)?;
    }
    Ok(())
}
