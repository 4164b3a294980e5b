//! What the batches have: the events of a file, or ids whose profiles go.

use std::collections::VecDeque;
use std::num::NonZeroUsize;

use super::ImportError;
use crate::credentials::ServiceAccount;
use crate::domain::{AliasRule, DistinctId, ProjectId};
use crate::intake::{Batches, ImportEvent, ImportFile, UniqueIds};
use crate::ledger::IngestionBatch;
use crate::mixpanel::{ImportAnswer, IngestionClient, OutgoingEvent};

/// How many ids are read at once.
const AT_ONCE: NonZeroUsize = NonZeroUsize::new(1000).expect("not zero");

/// Has the records of every batch, and sends them.
pub trait BatchSource {
    type Records;

    /// # Errors
    /// When they cannot be read, or are not what they were.
    fn read(&mut self, batch: &IngestionBatch) -> Result<Self::Records, ImportError>;

    /// Makes exactly one call.
    fn send(&self, records: &Self::Records) -> impl Future<Output = ImportAnswer>;
}

/// The events of a file.
pub struct EventSource<'a> {
    pub client: &'a IngestionClient,
    pub target: (ProjectId, &'a ServiceAccount),
    pub file: &'a mut ImportFile,
}

impl BatchSource for EventSource<'_> {
    type Records = Vec<ImportEvent>;

    fn read(&mut self, batch: &IngestionBatch) -> Result<Vec<ImportEvent>, ImportError> {
        Ok(self.file.read(batch.first, batch.records)?)
    }

    async fn send(&self, events: &Vec<ImportEvent>) -> ImportAnswer {
        let outgoing = events.iter().map(|event| OutgoingEvent {
            json: &event.json,
            id: event.id.clone(),
            insert_id: event.insert_id.clone(),
        });
        let outgoing: Vec<_> = outgoing.collect();
        self.client.import_events(self.target, &outgoing).await
    }
}

/// Ids whose profiles go.
pub struct ProfileSource<'a> {
    client: &'a IngestionClient,
    rule: AliasRule,
    ids: &'a UniqueIds,
    unread: Batches<'a>,
    /// Read, and not yet passed on.
    ahead: VecDeque<DistinctId>,
    /// The place of the first id ahead.
    place: usize,
}

impl<'a> ProfileSource<'a> {
    pub fn new(client: &'a IngestionClient, rule: AliasRule, ids: &'a UniqueIds) -> Self {
        Self {
            client,
            rule,
            ids,
            unread: ids.batches(AT_ONCE),
            ahead: VecDeque::new(),
            place: 0,
        }
    }

    fn next(&mut self) -> Result<DistinctId, ImportError> {
        if self.ahead.is_empty()
            && let Some(batch) = self.unread.next()
        {
            let batch = batch?;
            self.ahead
                .extend(batch.ids().filter_map(DistinctId::restore));
        }
        self.place += 1;
        // The batches are counted with the same ids.
        Ok(self.ahead.pop_front().expect("a batch has these ids"))
    }
}

impl BatchSource for ProfileSource<'_> {
    type Records = Vec<DistinctId>;

    fn read(&mut self, batch: &IngestionBatch) -> Result<Vec<DistinctId>, ImportError> {
        if batch.first < self.place {
            *self = Self::new(self.client, self.rule, self.ids);
        }
        while self.place < batch.first {
            self.next()?;
        }
        (0..batch.records).map(|_| self.next()).collect()
    }

    async fn send(&self, ids: &Vec<DistinctId>) -> ImportAnswer {
        self.client.delete_profiles(ids, self.rule).await
    }
}
