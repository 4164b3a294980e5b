//! What goes to Mixpanel's ingestion API in batches, and what became of each batch. Keeps no record,
//! no id and no value: only the digest of the source, places and counts.
//!
//! Mixpanel counts a record once however often it comes, so a batch whose outcome is unknown may be
//! sent again. Only work that keeps this promise belongs here.

pub(super) mod batches;
pub(super) mod selected;
pub(super) mod trail;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::json;

use crate::domain::{
    BatchId, BatchState, IngestionKind, ProjectKey, ProjectName, RefusedField, RefusedRecord,
    RequestId,
};

use super::audit::{self, AuditEvent, EntrySubject};
use super::columns::{count, format_time, moment, parse_day, project, time, to_sql, unreadable};
use super::engine::{Connection, Row, params};
use super::sql;
use super::{Ledger, LedgerError};

/// An ingestion to record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIngestion {
    pub kind: IngestionKind,
    pub project: ProjectName,
    pub project_key: ProjectKey,
    /// The deletion that had to be done first.
    pub after: Option<RequestId>,
    /// The name of the source, such as `events.jsonl`.
    pub source: String,
    /// Equal for sources that are byte for byte the same. Nobody can test a guess against it: a hash
    /// of secret or random contents, or a keyed one.
    pub source_digest: String,
    /// The first and the last day of the records in UTC, if they have times.
    pub days: Option<(NaiveDate, NaiveDate)>,
}

/// An ingestion as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngestionRecord {
    /// Named as requests are.
    pub id: RequestId,
    pub asked: NewIngestion,
    pub records: usize,
    pub created: DateTime<Utc>,
    /// `user@host`, by the trail.
    pub by: String,
    pub batches: Vec<IngestionBatch>,
}

/// A batch: one call to Mixpanel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngestionBatch {
    pub id: BatchId,
    /// The place of its first record in the source, from 0.
    pub first: usize,
    pub records: usize,
    pub state: BatchState,
    pub attempts: u32,
    /// When its last call ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// What dsr found, in its own words.
    pub reason: Option<String>,
    /// The records that Mixpanel refused one by one; only if it is done.
    pub refused: Vec<RefusedRecord>,
}

impl IngestionBatch {
    /// How many records Mixpanel is known to have taken.
    pub fn taken(&self) -> usize {
        match self.state {
            BatchState::Done => self.records - self.refused.len(),
            _ => 0,
        }
    }
}

impl IngestionRecord {
    /// Whether every batch is done.
    pub fn is_done(&self) -> bool {
        self.count_in(BatchState::Done) == self.batches.len()
    }

    /// How many batches are in this state.
    pub fn count_in(&self, state: BatchState) -> usize {
        let batches = self.batches.iter();
        batches.filter(|batch| batch.state == state).count()
    }

    /// How many records Mixpanel is known to have taken.
    pub fn taken(&self) -> usize {
        self.batches.iter().map(IngestionBatch::taken).sum()
    }

    /// How many records are in batches that Mixpanel refused whole.
    pub fn failed(&self) -> usize {
        let failed = self.batches.iter();
        let failed = failed.filter(|batch| batch.state == BatchState::Failed);
        failed.map(|batch| batch.records).sum()
    }

    /// The places in the source of the records that Mixpanel refused one by one, in order, and the
    /// field that is wrong.
    pub fn refused(&self) -> Vec<(usize, RefusedField)> {
        let place = |batch: &IngestionBatch, refused: &RefusedRecord| {
            (batch.first + refused.index, refused.field)
        };
        let batches = self.batches.iter();
        let all = batches.flat_map(|batch| batch.refused.iter().map(move |one| place(batch, one)));
        let mut all: Vec<_> = all.collect();
        all.sort_unstable();
        all
    }

    /// When the last call ended.
    pub fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.batches.iter().filter_map(|batch| batch.ended_at).max()
    }
}

const SAME_SOURCE: &str = "kind = $1 AND project_key = $2 AND source_digest = $3";

fn same_source(asked: &NewIngestion) -> [&str; 3] {
    [
        asked.kind.as_str(),
        asked.project_key.as_str(),
        &asked.source_digest,
    ]
}

impl Ledger {
    /// Records an ingestion with batches of so many records, all planned. Of two imports of the same
    /// source into the same project, only the first is recorded: it is returned to both.
    ///
    /// # Errors
    /// When the ledger cannot be written; then nothing is recorded.
    pub fn record_ingestion(
        &mut self,
        asked: &NewIngestion,
        batches: &[usize],
        now: DateTime<Utc>,
    ) -> Result<IngestionRecord, LedgerError> {
        let tx = self.write()?;
        if asked.kind == IngestionKind::Import {
            let found = list(&tx, SAME_SOURCE, &same_source(asked))?.pop();
            if let Some(found) = found {
                return Ok(found);
            }
        }
        let (id, records) = (RequestId::random(), batches.iter().sum());
        let days = asked.days;
        let sql = "INSERT INTO ingestions (id, kind, project, project_key, after_request, source,
                 source_digest, records, first_day, last_day, created)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        sql::execute(
            &tx,
            sql,
            params![
                id.as_str(),
                asked.kind.as_str(),
                asked.project.as_str(),
                asked.project_key.as_str(),
                asked.after.as_ref().map(RequestId::as_str),
                asked.source,
                asked.source_digest,
                to_sql(records),
                days.map(|(first, _)| first.to_string()),
                days.map(|(_, last)| last.to_string()),
                format_time(now),
            ],
        )?;
        let mut first = 0;
        for (number, records) in (1..).zip(batches) {
            let id = BatchId {
                ingestion: id.clone(),
                number,
            };
            batches::insert(&tx, &id, first, *records)?;
            first += records;
        }
        let details = json!({
            "kind": asked.kind.as_str(),
            "project": asked.project.as_str(),
            "after": asked.after.as_ref().map(RequestId::as_str),
            "records": records,
            "batches": batches.len(),
            "source_digest": asked.source_digest,
        });
        let (event, subject) = (AuditEvent::IngestionRecorded, EntrySubject::Ingestion(&id));
        audit::tell(&tx, event, subject, details, now)?;
        tx.commit()?;
        self.find_ingestion(&id)?
            .ok_or_else(|| unreadable("the ingestion"))
    }

    pub fn find_ingestion(&self, id: &RequestId) -> Result<Option<IngestionRecord>, LedgerError> {
        Ok(list(&self.conn, "id = $1", &[id.as_str()])?.pop())
    }

    /// Fails if an ingestion or one of its batches is not as the trail has it. A step of a batch
    /// looks at that batch only.
    ///
    /// # Errors
    /// [`LedgerError::OtherRequest`], or when the ledger cannot be read.
    pub fn demand_ingestion_held(&self, id: &RequestId) -> Result<(), LedgerError> {
        let view = self.conn.view()?;
        trail::demand_ingestion_held(&view, id)
    }

    /// The last ingestion of this source into the project.
    pub fn find_ingestion_of(
        &self,
        kind: IngestionKind,
        project: &ProjectKey,
        source_digest: &str,
    ) -> Result<Option<IngestionRecord>, LedgerError> {
        let values = [kind.as_str(), project.as_str(), source_digest];
        Ok(list(&self.conn, SAME_SOURCE, &values)?.pop())
    }

    /// The last ingestion into the project of a source of this name that is not done.
    pub fn find_unfinished_ingestion(
        &self,
        kind: IngestionKind,
        project: &ProjectKey,
        source: &str,
    ) -> Result<Option<IngestionRecord>, LedgerError> {
        let which = "kind = $1 AND project_key = $2 AND source = $3";
        let values = [kind.as_str(), project.as_str(), source];
        let found = list(&self.conn, which, &values)?.into_iter();
        Ok(found.rev().find(|ingestion| !ingestion.is_done()))
    }

    /// The ingestions of a kind, in order.
    pub fn list_ingestions(
        &self,
        kind: IngestionKind,
    ) -> Result<Vec<IngestionRecord>, LedgerError> {
        list(&self.conn, "kind = $1", &[kind.as_str()])
    }

    /// The ingestions that were recorded since then and are not done, in order.
    pub fn list_unfinished_ingestions(
        &self,
        since: DateTime<Utc>,
    ) -> Result<Vec<IngestionRecord>, LedgerError> {
        let which = "ingestions.created >= $1 AND EXISTS (SELECT 1 FROM ingestion_batches
             WHERE ingestion = ingestions.id AND state <> 'done')";
        list(&self.conn, which, &[&format_time(since)])
    }

    /// The ingestions that were to come after a deletion, in order.
    pub fn list_ingestions_after(
        &self,
        request: &RequestId,
    ) -> Result<Vec<IngestionRecord>, LedgerError> {
        list(&self.conn, "after_request = $1", &[request.as_str()])
    }
}

/// The ingestions of a condition, in the order in which they were recorded.
fn list(
    conn: &Connection,
    condition: &str,
    values: &[&str],
) -> Result<Vec<IngestionRecord>, LedgerError> {
    let sql = format!(
        "SELECT id, kind, project, project_key, after_request, source, source_digest, records,
             first_day, last_day, created, audit.actor_user, audit.actor_host
         FROM ingestions LEFT JOIN audit ON audit.request = ingestions.id
             AND audit.event = 'ingestion_recorded'
         WHERE {condition} ORDER BY created, id"
    );
    let values = super::engine::params_from_iter(values);
    let mut found: Vec<IngestionRecord> = sql::list(conn, &sql, values, read)?;
    for ingestion in &mut found {
        ingestion.batches = batches::list(conn, &ingestion.id)?;
    }
    Ok(found)
}

fn read(row: &Row<'_>) -> Result<IngestionRecord, LedgerError> {
    let text = |column| -> Result<String, LedgerError> { Ok(row.get(column)?) };
    let maybe = |column| -> Result<Option<String>, LedgerError> { Ok(row.get(column)?) };
    let day = |column| maybe(column)?.map(|text| parse_day(&text)).transpose();
    let kind = IngestionKind::parse(&text("kind")?);
    let actor = (maybe("actor_user")?, maybe("actor_host")?);
    let (Some(user), Some(host)) = actor else {
        return Err(unreadable("who recorded an ingestion"));
    };
    Ok(IngestionRecord {
        id: RequestId::restore(text("id")?),
        asked: NewIngestion {
            kind: kind.ok_or_else(|| unreadable("the kind of an ingestion"))?,
            project: project(row)?,
            project_key: ProjectKey::restore(text("project_key")?),
            after: maybe("after_request")?.map(RequestId::restore),
            source: text("source")?,
            source_digest: text("source_digest")?,
            days: day("first_day")?.zip(day("last_day")?),
        },
        records: count(row, "records")?,
        created: moment(row, "created")?,
        by: format!("{user}@{host}"),
        batches: Vec::new(),
    })
}

fn read_batch(row: &Row<'_>) -> Result<IngestionBatch, LedgerError> {
    let state = BatchState::parse(&row.get::<String>("state")?);
    let records = count(row, "records")?;
    let refused: Option<String> = row.get("refused")?;
    let refused = refused.as_deref().unwrap_or_default().split_whitespace();
    let refused = refused.map(|one| parse_refused(one, records));
    let refused: Option<Vec<RefusedRecord>> = refused.collect();
    Ok(IngestionBatch {
        id: BatchId {
            ingestion: RequestId::restore(row.get("ingestion")?),
            number: row.get("number")?,
        },
        first: count(row, "first")?,
        records,
        state: state.ok_or_else(|| unreadable("the state of a batch"))?,
        attempts: row.get("attempts")?,
        ended_at: time(row, "ended_at")?,
        reason: row.get("reason")?,
        refused: refused.ok_or_else(|| unreadable("the refused records of a batch"))?,
    })
}

/// Reads `17:properties.time`.
fn parse_refused(text: &str, records: usize) -> Option<RefusedRecord> {
    let (index, field) = text.split_once(':')?;
    let index = index.parse().ok().filter(|index| *index < records)?;
    let field = RefusedField::parse(field)?;
    Some(RefusedRecord { index, field })
}
