//! Requests: records them with their jobs, lists them, and keeps their answers, extensions and
//! downloads.

pub(super) mod answers;
pub(super) mod candidates;
pub(super) mod checks;
pub(super) mod downloads;
pub(super) mod extensions;
pub(super) mod history;
pub(super) mod listing;
pub(super) mod plans;
pub(super) mod received;
pub(super) mod records;

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, Sender, TrySendError, channel, sync_channel};
use std::thread;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::{
    IdLines, IdsDigest, IdsKept, JobId, JobState, Operation, ProjectKey, RequestId,
    SubjectRequestId,
};
use crate::ledger::engine::{Connection, Value, params};

use super::audit::{self, AuditEvent, EntrySubject};
use super::columns::{format_time, to_sql};
use super::jobs::payload::{self, PackedIds, Packer};
use super::people;
use super::seal::{Seal, digest_in_row};
use super::sql::prepare;
use super::{Ledger, LedgerError, NewRequest};
use records::REQUEST_COLUMNS;

const QUEUED: usize = 2;
/// How many jobs are written in one go; each has up to 2,000 ids.
const WRITTEN_AT_ONCE: usize = 32;
/// What a new job has.
const JOB_COLUMNS: &[&str] = &[
    "request",
    "number",
    "subject_request_id",
    "ids_count",
    "state",
    "attempts",
];

/// Whether to record a request that repeats an open one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    Allow,
    Refuse,
}

/// The result of recording requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    New(Vec<RequestId>),
    /// This open request has the same kind, law, project and ids; nothing was recorded.
    There(RequestId),
    /// This request was made of the same plan; nothing was recorded.
    Applied(RequestId),
}

impl Ledger {
    /// Records the requests of one command with their planned jobs, in one transaction. Records
    /// nothing if one of them repeats an open request and `again` refuses that, or its plan was
    /// applied before.
    ///
    /// # Errors
    /// When the ledger cannot be written or lacks what its trail has, a batch is an error, or `again`
    /// refuses repeats and an open request is not as the trail recorded it. Then nothing is recorded.
    pub fn record_requests<E: From<LedgerError>>(
        &mut self,
        asked: impl IntoIterator<Item = (NewRequest, impl Iterator<Item = Result<IdLines, E>>)>,
        again: Again,
        at: DateTime<Utc>,
    ) -> Result<Recorded, E> {
        self.demand_all_rows()?;
        let tx = self.write()?;
        if again == Again::Refuse {
            audit::demand_open_rows(&tx)?;
        }
        let seal = people::begin_sealing(&tx, at)?;
        let mut new = Vec::new();
        for (request, batches) in asked {
            if let Some(plan) = &request.plan
                && let Some(applied) = plans::find(&tx, &plan.digest)?
            {
                return Ok(Recorded::Applied(applied));
            }
            let id = insert(&tx, &request, at)?;
            if let Some(plan) = &request.plan {
                plans::insert(&tx, &id, plan)?;
            }
            let (counts, digest) = insert_jobs(&tx, seal, &id, batches)?;
            // Only now, since the batches can be read only once.
            if again == Again::Refuse
                && let Some(same) = find_same(
                    &tx,
                    request.operation,
                    &request.project_key,
                    &digest,
                    id.as_str(),
                )?
            {
                return Ok(Recorded::There(same));
            }
            let details = audit::details_of(&tx, &id, counts)?;
            let subject = EntrySubject::Request(&id);
            audit::tell(&tx, AuditEvent::RequestRecorded, subject, details, at)?;
            new.push(id);
        }
        tx.commit_seen()?;
        Ok(Recorded::New(new))
    }

    /// An open request for the same: the same operation and project, and ids with this digest.
    pub fn find_repeated(
        &self,
        operation: Operation,
        project: &ProjectKey,
        digest: &str,
    ) -> Result<Option<RequestId>, LedgerError> {
        let keyed = people::key::find_seal(&self.conn)?.map(|seal| seal.keyed(digest));
        let digest = keyed.as_deref().unwrap_or(digest);
        find_same(&self.conn, operation, project, digest, "")
    }
}

fn insert(
    tx: &Connection,
    asked: &NewRequest,
    at: DateTime<Utc>,
) -> Result<RequestId, LedgerError> {
    let id = RequestId::random();
    let sql = format!(
        "INSERT INTO requests ({REQUEST_COLUMNS})
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
    );
    prepare(tx, &sql)?.execute(params![
        id.as_str(),
        asked.operation.kind().as_str(),
        asked.operation.law().as_str(),
        asked.operation.disclosure().map(|d| d.as_str()),
        asked.project.as_str(),
        asked.project_key.as_str(),
        asked.region.as_str(),
        asked.reference,
        asked.received.to_string(),
        asked.due.to_string(),
        format_time(at),
        asked.source,
        to_sql(asked.read),
        to_sql(asked.unique),
        to_sql(asked.excluded),
        asked.confirm_by.map(|day| day.to_string()),
        i64::from(asked.ids_kept == IdsKept::UntilVerified),
    ])?;
    Ok(id)
}

/// Writes the jobs of a request, one batch after the other. Returns the number of jobs and of ids,
/// and the digest of the ids. Two threads compress them, which takes longer than reading and
/// writing.
fn insert_jobs<E: From<LedgerError>>(
    tx: &Connection,
    seal: Option<&Seal>,
    request: &RequestId,
    batches: impl Iterator<Item = Result<IdLines, E>>,
) -> Result<((usize, usize), String), E> {
    let mut digest = IdsDigest::default();
    let (mut jobs, mut ids) = (0, 0);
    let mut rows = JobRows::of(tx);
    let mut write = |(job, packed): (JobId, PackedIds)| {
        jobs += 1;
        ids += packed.count;
        rows.add(job, packed)
    };
    thread::scope(|scope| {
        let (to_pack, waiting) = sync_channel(QUEUED);
        let (to_write, packed) = channel();
        let packing = scope.spawn(move || pack_all(seal, &waiting, &to_write));
        let mut packer = Packer::new(seal)?;
        for (number, batch) in (1..).zip(batches) {
            let batch = batch?;
            batch.ids().for_each(|id| digest.add(id));
            let request = request.clone();
            match to_pack.try_send((JobId { request, number }, batch)) {
                Ok(()) => packed.try_iter().try_for_each(&mut write)?,
                // The other thread is busy, or has failed, which is reported below.
                Err(
                    TrySendError::Full((job, batch)) | TrySendError::Disconnected((job, batch)),
                ) => {
                    let packed = packer.pack(&job, &batch)?;
                    write((job, packed))?;
                }
            }
        }
        drop(to_pack);
        packed.iter().try_for_each(&mut write)?;
        let packing = packing.join();
        Ok::<_, E>(packing.unwrap_or_else(|panic| resume_unwind(panic))?)
    })?;
    rows.flush()?;
    let digest = digest_in_row(seal, &digest);
    let sql = "UPDATE requests SET ids_digest = $1, ids_salt = $2, rows_salt = $3 WHERE id = $4";
    let mut statement = prepare(tx, sql)?;
    let salt = || Uuid::new_v4().simple().to_string();
    let updated = statement.execute(params![digest, salt(), salt(), request.as_str()]);
    updated.map_err(LedgerError::from)?;
    Ok(((jobs, ids), digest))
}

fn pack_all(
    seal: Option<&Seal>,
    waiting: &Receiver<(JobId, IdLines)>,
    to_write: &Sender<(JobId, PackedIds)>,
) -> Result<(), LedgerError> {
    let mut packer = Packer::new(seal)?;
    for (job, batch) in waiting {
        let packed = packer.pack(&job, &batch)?;
        // A receiver that is gone has failed itself.
        if to_write.send((job, packed)).is_err() {
            break;
        }
    }
    Ok(())
}

/// New jobs on their way into the ledger, some at a time: each question to a server takes time.
struct JobRows<'t> {
    tx: &'t Connection,
    waiting: Vec<(JobId, PackedIds)>,
}

impl<'t> JobRows<'t> {
    fn of(tx: &'t Connection) -> Self {
        let waiting = Vec::new();
        Self { tx, waiting }
    }

    fn add(&mut self, job: JobId, packed: PackedIds) -> Result<(), LedgerError> {
        self.waiting.push((job, packed));
        match self.waiting.len() < WRITTEN_AT_ONCE {
            true => Ok(()),
            false => self.flush(),
        }
    }

    fn flush(&mut self) -> Result<(), LedgerError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let text = |text: &str| Value::Text(text.to_owned());
        let mut jobs = self.waiting.iter().map(|(job, packed)| {
            Ok::<_, LedgerError>(vec![
                text(job.request.as_str()),
                Value::Integer(job.number.into()),
                Value::Text(SubjectRequestId::random().to_string()),
                Value::Integer(to_sql(packed.count)),
                text(JobState::Planned.as_str()),
                Value::Integer(0),
            ])
        });
        self.tx.fill("jobs", JOB_COLUMNS, &mut jobs)?;
        let mut payloads = self.waiting.drain(..).map(|(job, packed)| {
            Ok::<_, LedgerError>(vec![
                Value::Text(job.request.to_string()),
                Value::Integer(job.number.into()),
                Value::Blob(packed.into_bytes()),
            ])
        });
        self.tx.fill("payloads", &payload::COLUMNS, &mut payloads)?;
        Ok(())
    }
}

/// An open request for the same, other than `but`.
fn find_same(
    conn: &Connection,
    operation: Operation,
    project: &ProjectKey,
    digest: &str,
    but: &str,
) -> Result<Option<RequestId>, LedgerError> {
    let sql = "SELECT id FROM requests
         WHERE ids_digest = $1 AND project_key = $2 AND kind = $3 AND law = $4
           AND COALESCE(disclosure, '') = $5 AND id <> $6
           AND EXISTS (SELECT 1 FROM jobs WHERE request = requests.id
                       AND state NOT IN ('done', 'refused', 'failed', 'revoked')
                       AND abandoned_at IS NULL)
         ORDER BY created DESC LIMIT 1";
    let mut statement = prepare(conn, sql)?;
    let mut rows = statement.query(params![
        digest,
        project.as_str(),
        operation.kind().as_str(),
        operation.law().as_str(),
        operation.disclosure().map_or("", |d| d.as_str()),
        but,
    ])?;
    match rows.next()? {
        Some(row) => Ok(Some(RequestId::restore(row.get(0)?))),
        None => Ok(None),
    }
}
