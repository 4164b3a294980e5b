//! The steps of a batch: about to be sent, answered, and split.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{IngestionBatch, read_batch, trail};
use crate::domain::{BatchId, BatchState, RefusedRecord, RequestId};
use crate::ledger::audit::{self, AuditEvent, EntrySubject};
use crate::ledger::columns::{format_time, parse_time, to_sql};
use crate::ledger::engine::{Connection, params};
use crate::ledger::open::presence::SenderState;
use crate::ledger::open::sender::Sender;
use crate::ledger::sql;
use crate::ledger::{Ledger, LedgerError};

/// The result of claiming a batch to send it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchClaim {
    /// The intent is on disk: send it now.
    Send,
    /// It is done.
    Done,
    /// Another dsr is sending it.
    Elsewhere,
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchOutcome {
    /// Mixpanel took the batch, except for these records.
    Taken {
        refused: Vec<RefusedRecord>,
    },
    /// Mixpanel certainly took nothing of it, and may take it later.
    NotTaken,
    /// Mixpanel refused the whole batch.
    Refused,
    Unknown,
}

impl BatchOutcome {
    fn state(&self) -> BatchState {
        match self {
            Self::Taken { .. } => BatchState::Done,
            Self::NotTaken => BatchState::Planned,
            Self::Refused => BatchState::Failed,
            Self::Unknown => BatchState::Unknown,
        }
    }
}

const BATCHES: &str = "SELECT ingestion, number, first, records, state, attempts, ended_at, reason,
     refused FROM ingestion_batches WHERE ingestion = $1";

impl Ledger {
    /// Commits the intent to send a batch. After [`BatchClaim::Send`] the intent is durable.
    ///
    /// # Errors
    /// When the ledger cannot be written; then send nothing.
    pub fn record_batch_sending(
        &mut self,
        batch: &BatchId,
        now: DateTime<Utc>,
    ) -> Result<BatchClaim, LedgerError> {
        let own = self.start_sending(now)?;
        let before = find_sender(&self.conn, batch)?;
        if let Some((sender, started)) = &before
            && *sender != own
            && self.find_sender(sender, parse_time(started)?)? == SenderState::Sending
        {
            return Ok(BatchClaim::Elsewhere);
        }
        let tx = self.write()?;
        trail::demand_batch_held(&tx, batch)?;
        let found = read_one(&tx, batch)?;
        if found.state == BatchState::Done {
            return Ok(BatchClaim::Done);
        }
        if find_sender(&tx, batch)? != before {
            return Ok(BatchClaim::Elsewhere);
        }
        let sql = "UPDATE ingestion_batches SET state = 'sending', attempts = attempts + 1,
                 sender = $1, started_at = $2, ended_at = NULL, reason = NULL
             WHERE ingestion = $3 AND number = $4";
        let started = format_time(tx.time().unwrap_or(now));
        let (id, number) = (batch.ingestion.as_str(), batch.number);
        sql::execute(&tx, sql, params![own, started, id, number])?;
        tell_moved(&tx, &found, BatchState::Sending, &[], now)?;
        tx.commit_seen()?;
        self.sender.iter_mut().for_each(Sender::has_claimed);
        Ok(BatchClaim::Send)
    }

    /// Commits what became of the call. Report it only after this. `reason` must hold no value and
    /// no id.
    ///
    /// # Errors
    /// When the ledger cannot be written, or another dsr has the batch by now.
    pub fn record_batch_outcome(
        &mut self,
        batch: &BatchId,
        outcome: &BatchOutcome,
        reason: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let own = self.sender.as_ref().map(|own| own.id().to_owned());
        let tx = self.write()?;
        trail::demand_batch_held(&tx, batch)?;
        let found = read_one(&tx, batch)?;
        let sender = find_sender(&tx, batch)?.map(|(sender, _)| sender);
        if sender.is_none() || sender != own {
            return Err(LedgerError::OtherBatch(batch.number));
        }
        let refused: &[RefusedRecord] = match outcome {
            BatchOutcome::Taken { refused } => refused,
            _ => &[],
        };
        let sql = "UPDATE ingestion_batches SET state = $1, ended_at = $2, reason = $3,
                 refused = $4, refused_count = $5
             WHERE ingestion = $6 AND number = $7";
        let text = refused.iter();
        let text = text.map(|one| format!("{}:{}", one.index, one.field.as_str()));
        let text = text.collect::<Vec<_>>().join(" ");
        sql::execute(
            &tx,
            sql,
            params![
                outcome.state().as_str(),
                format_time(now),
                reason,
                Some(text).filter(|text| !text.is_empty()),
                to_sql(refused.len()),
                batch.ingestion.as_str(),
                batch.number,
            ],
        )?;
        tell_moved(&tx, &found, outcome.state(), refused, now)?;
        tx.commit()?;
        self.sender.iter_mut().for_each(Sender::has_recorded);
        Ok(())
    }

    /// Splits a planned batch of several records: its second half becomes the last batch. Returns
    /// both halves in the order of their records.
    ///
    /// # Errors
    /// When the ledger cannot be written; then nothing changes.
    pub fn record_batch_cut(
        &mut self,
        batch: &BatchId,
        now: DateTime<Utc>,
    ) -> Result<[IngestionBatch; 2], LedgerError> {
        let tx = self.write()?;
        trail::demand_batch_held(&tx, batch)?;
        let found = read_one(&tx, batch)?;
        if found.state != BatchState::Planned || found.records < 2 {
            return Err(LedgerError::OtherBatch(batch.number));
        }
        let id = batch.ingestion.as_str();
        let sql = "SELECT MAX(number) FROM ingestion_batches WHERE ingestion = $1";
        let last: u32 = sql::value(&tx, sql, [id])?;
        let half = found.records / 2;
        let sql = "UPDATE ingestion_batches SET records = $1 WHERE ingestion = $2 AND number = $3";
        sql::execute(&tx, sql, params![to_sql(half), id, batch.number])?;
        let added = BatchId {
            ingestion: batch.ingestion.clone(),
            number: last + 1,
        };
        insert(&tx, &added, found.first + half, found.records - half)?;
        let details = json!({ "batch": batch.number, "added": added.number, "records": half });
        for part in [batch, &added] {
            let subject = EntrySubject::Batch(part);
            audit::tell(&tx, AuditEvent::BatchCut, subject, details.clone(), now)?;
        }
        let halves = [read_one(&tx, batch)?, read_one(&tx, &added)?];
        tx.commit()?;
        Ok(halves)
    }
}

/// The sender of a batch that is being sent, and when it began.
fn find_sender(
    conn: &Connection,
    batch: &BatchId,
) -> Result<Option<(String, String)>, LedgerError> {
    let sql = "SELECT sender, started_at FROM ingestion_batches
         WHERE ingestion = $1 AND number = $2 AND state = 'sending'";
    let values = (batch.ingestion.as_str(), batch.number);
    sql::find(conn, sql, values, |row| Ok((row.get(0)?, row.get(1)?)))
}

fn read_one(conn: &Connection, batch: &BatchId) -> Result<IngestionBatch, LedgerError> {
    let sql = format!("{BATCHES} AND number = $2");
    let found = sql::find(
        conn,
        &sql,
        (batch.ingestion.as_str(), batch.number),
        read_batch,
    )?;
    found.ok_or(LedgerError::OtherBatch(batch.number))
}

pub(super) fn list(
    conn: &Connection,
    ingestion: &RequestId,
) -> Result<Vec<IngestionBatch>, LedgerError> {
    let sql = format!("{BATCHES} ORDER BY number");
    sql::list(conn, &sql, [ingestion.as_str()], read_batch)
}

pub(super) fn insert(
    conn: &Connection,
    id: &BatchId,
    first: usize,
    records: usize,
) -> Result<(), LedgerError> {
    let sql = "INSERT INTO ingestion_batches (ingestion, number, first, records, state, attempts)
         VALUES ($1, $2, $3, $4, 'planned', 0)";
    let (first, records) = (to_sql(first), to_sql(records));
    let ingestion = id.ingestion.as_str();
    sql::execute(conn, sql, params![ingestion, id.number, first, records])
}

fn tell_moved(
    tx: &crate::ledger::Write<'_>,
    before: &IngestionBatch,
    to: BatchState,
    refused: &[RefusedRecord],
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let mut details = json!({
        "batch": before.id.number,
        "from": before.state.as_str(),
        "to": to.as_str(),
        "records": before.records,
    });
    if to == BatchState::Done {
        details["refused"] = Value::from(refused.len());
    }
    let subject = EntrySubject::Batch(&before.id);
    audit::tell(tx, AuditEvent::BatchMoved, subject, details, now)
}
