//! What goes to the ingestion API: one batch at a time, each recorded before and after its call. A
//! record counts once however often it comes, so a batch whose outcome is unknown is sent again.

mod pause;
mod sources;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::domain::{
    BatchId, BatchState, Clock, Project, ProjectId, ProjectKey, RefusedField, RequestId,
};
use crate::intake::{ImportFileError, IntakeError};
use crate::ledger::{
    BatchClaim, BatchOutcome, IngestionBatch, IngestionRecord, Ledger, LedgerError,
};
use crate::mixpanel::{ImportAnswer, RefusedEvent, Words};
use crate::workflow::{Interrupt, Signal};

use pause::Pauses;
pub use sources::{BatchSource, EventSource, ProfileSource};

/// The reason of a batch that Mixpanel took without saying how many records that was.
pub const UNCOUNTED: &str = "Mixpanel's answer does not say how many it took";

/// After so many answers in a row that settle no batch, dsr stops.
const MOST_UNSETTLED: usize = 3;
/// After so many single records in a row that are too large, dsr stops: not their size is at fault,
/// but something on the way, such as a proxy.
const MOST_TOO_LARGE: usize = 100;

/// What an import works with.
pub struct ImportRun<'a, S> {
    pub ledger: &'a mut Ledger,
    pub lane: ProjectKey,
    pub source: S,
    pub clock: &'a dyn Clock,
    pub interrupt: &'a Interrupt,
    /// How long to wait in all while Mixpanel cannot take events.
    pub max_wait: Duration,
    pub observer: &'a dyn ImportObserver,
}

/// Hears of an import's course.
pub trait ImportObserver {
    /// So many events of the file are settled.
    fn on_settled(&self, events: usize);
    /// dsr tries a batch again after `wait`.
    fn on_wait(&self, reason: &str, wait: Duration);
}

/// What became of an import.
#[derive(Debug)]
pub struct ImportReport {
    pub ingestion: IngestionRecord,
    /// Why it ended before every batch was settled.
    pub stop: Option<ImportStop>,
    /// Batches that this run sent and that are not done, and what Mixpanel's answer was.
    pub unsettled: Vec<(u32, String)>,
    /// Mixpanel's words about single events that it refused, and how often it said them.
    pub messages: BTreeMap<(RefusedField, String), usize>,
}

/// Why an import stopped.
#[derive(Debug, PartialEq, Eq)]
pub enum ImportStop {
    NotAllowed {
        http_status: u16,
    },
    /// Mixpanel cannot take events for longer than the operator waits.
    Waited {
        batch: u32,
        reason: String,
    },
    /// Too many answers in a row settled no batch.
    Unsettled,
    /// Too many single records in a row were too large.
    TooLarge,
    /// Another dsr sends the same file.
    Elsewhere,
    Interrupted(Signal),
}

/// Why nothing is known of the rest of an import.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    File(#[from] ImportFileError),
    #[error(transparent)]
    Ids(#[from] IntakeError),
}

/// What became of a batch in this run.
enum BatchEnd {
    Settled,
    /// Both halves, to be sent now.
    Cut(Box<[IngestionBatch; 2]>),
    /// A record that no call can carry: the others may go on.
    TooLarge(String),
    /// Nothing shows that Mixpanel took it.
    Unsettled(String),
    Stopped(ImportStop),
}

/// What to do after an answer.
enum AfterAnswer {
    End(BatchEnd),
    Wait {
        retry_after: Option<Duration>,
        reason: String,
    },
}

/// Where Mixpanel's waits for imports into a project are kept: they concern no other call.
pub fn import_lane(project: &Project, id: ProjectId) -> ProjectKey {
    let service = project.api_url.service();
    ProjectKey::restore(format!("{service}/{}/import", id.get()))
}

/// The same for deletions of profiles.
pub fn profiles_lane(project: &Project) -> ProjectKey {
    ProjectKey::restore(format!("{}/profiles", project.key().as_str()))
}

/// Sends the batches that are not known to be taken.
///
/// # Errors
/// When the ledger cannot be written, or the file changed. Then nothing more is sent.
pub async fn import<S: BatchSource>(
    run: &mut ImportRun<'_, S>,
    id: &RequestId,
) -> Result<ImportReport, ImportError> {
    run.ledger.demand_ingestion_held(id)?;
    let mut report = ImportReport {
        ingestion: find(run.ledger, id)?,
        stop: None,
        unsettled: Vec::new(),
        messages: BTreeMap::new(),
    };
    let mut pauses = Pauses::new(run.max_wait);
    let mut queue = queue(&report.ingestion);
    let (mut in_a_row, mut too_large) = (0, 0);
    let (all, open) = (report.ingestion.records, sum(&queue));
    let mut settled = all - open;
    while let Some(batch) = queue.pop_front() {
        match run.send(&batch, &mut pauses, &mut report).await? {
            BatchEnd::Settled => (in_a_row, too_large) = (0, 0),
            BatchEnd::Cut(halves) => {
                // In the place of the whole.
                let halves = halves.into_iter().rev();
                halves.for_each(|half| queue.push_front(half));
                continue;
            }
            BatchEnd::TooLarge(reason) => {
                report.unsettled.push((batch.id.number, reason));
                too_large += 1;
            }
            BatchEnd::Unsettled(reason) => {
                report.unsettled.push((batch.id.number, reason));
                in_a_row += 1;
            }
            BatchEnd::Stopped(stop) => {
                report.stop = Some(stop);
                break;
            }
        }
        settled += batch.records;
        run.observer.on_settled(settled);
        let is_enough = in_a_row == MOST_UNSETTLED || too_large == MOST_TOO_LARGE;
        if is_enough && !queue.is_empty() {
            report.stop = Some(match too_large {
                MOST_TOO_LARGE => ImportStop::TooLarge,
                _ => ImportStop::Unsettled,
            });
            break;
        }
    }
    report.ingestion = find(run.ledger, id)?;
    Ok(report)
}

/// The batches that are not done. Those that an earlier run could not settle come last, so that
/// they keep no other batch from being sent.
fn queue(ingestion: &IngestionRecord) -> VecDeque<IngestionBatch> {
    let open = ingestion.batches.iter();
    let open = open.filter(|batch| batch.state != BatchState::Done);
    let mut open: Vec<IngestionBatch> = open.cloned().collect();
    open.sort_by_key(|batch| (batch.state != BatchState::Planned, batch.first));
    open.into()
}

/// Until when Mixpanel wants no batch. Rounded up: before it nothing is sent.
fn asked_until(moment: DateTime<Utc>) -> String {
    let moment = moment + Duration::from_secs(1);
    format!(
        "asked to wait until {}",
        moment.format("%Y-%m-%d %H:%M:%S UTC")
    )
}

fn sum(batches: &VecDeque<IngestionBatch>) -> usize {
    batches.iter().map(|batch| batch.records).sum()
}

fn find(ledger: &Ledger, id: &RequestId) -> Result<IngestionRecord, LedgerError> {
    let found = ledger.find_ingestion(id)?;
    found.ok_or_else(|| LedgerError::Gone(format!("import {id}")))
}

impl<S: BatchSource> ImportRun<'_, S> {
    /// Sends a batch until an answer settles it, or no answer will.
    async fn send(
        &mut self,
        batch: &IngestionBatch,
        pauses: &mut Pauses,
        report: &mut ImportReport,
    ) -> Result<BatchEnd, ImportError> {
        let records = self.source.read(batch)?;
        pauses.begin();
        let blocked = self.ledger.find_block(&self.lane, self.clock.now())?;
        if !blocked.is_zero() {
            let reason = format!("Mixpanel {}", asked_until(self.clock.now() + blocked));
            if let Some(stop) = self.wait(blocked, pauses, (batch, reason)).await {
                return Ok(BatchEnd::Stopped(stop));
            }
        }
        loop {
            let now = self.clock.now();
            match self.ledger.record_batch_sending(&batch.id, now)? {
                BatchClaim::Send => {}
                BatchClaim::Done => return Ok(BatchEnd::Settled),
                BatchClaim::Elsewhere => return Ok(BatchEnd::Stopped(ImportStop::Elsewhere)),
            }
            let answer = tokio::select! {
                answer = self.source.send(&records) => Ok(answer),
                signal = self.interrupt.raised() => Err(signal),
            };
            let answer = match answer {
                Ok(answer) => answer,
                Err(signal) => {
                    let why = "dsr was interrupted before the answer came";
                    self.record(&batch.id, &BatchOutcome::Unknown, Some(why))?;
                    return Ok(BatchEnd::Stopped(ImportStop::Interrupted(signal)));
                }
            };
            let (retry_after, reason) = match self.settle(batch, answer, report)? {
                AfterAnswer::End(end) => return Ok(end),
                AfterAnswer::Wait {
                    retry_after,
                    reason,
                } => (retry_after, reason),
            };
            let wait = pauses.next(retry_after);
            let now = self.clock.now();
            let mut reason = reason;
            if let Some(asked) = retry_after {
                self.ledger.record_block(&self.lane, now + asked, now)?;
                // A longer wait is dsr's own.
                if asked == wait {
                    reason = format!("{reason}; it {}", asked_until(now + asked));
                }
            }
            if let Some(stop) = self.wait(wait, pauses, (batch, reason)).await {
                return Ok(BatchEnd::Stopped(stop));
            }
        }
    }

    /// Records what an answer means.
    fn settle(
        &mut self,
        batch: &IngestionBatch,
        answer: ImportAnswer,
        report: &mut ImportReport,
    ) -> Result<AfterAnswer, LedgerError> {
        let id = &batch.id;
        Ok(match answer {
            ImportAnswer::Taken { refused } => self.taken(id, refused, None, report)?,
            ImportAnswer::Uncounted => self.taken(id, Vec::new(), Some(UNCOUNTED), report)?,
            ImportAnswer::NotTaken {
                retry_after,
                reason,
            } => self.later((id, &BatchOutcome::NotTaken), retry_after, &reason)?,
            ImportAnswer::Lost {
                retry_after,
                reason,
            } => self.later((id, &BatchOutcome::Unknown), retry_after, &reason)?,
            ImportAnswer::TooLarge if batch.records > 1 => {
                let reason = "Mixpanel found the batch too large";
                self.record(id, &BatchOutcome::NotTaken, Some(reason))?;
                let halves = self.ledger.record_batch_cut(id, self.clock.now())?;
                AfterAnswer::End(BatchEnd::Cut(Box::new(halves)))
            }
            ImportAnswer::TooLarge => {
                let reason = "Mixpanel found the only record too large";
                self.record(id, &BatchOutcome::Refused, Some(reason))?;
                AfterAnswer::End(BatchEnd::TooLarge(reason.to_owned()))
            }
            ImportAnswer::NotAllowed { http_status } => {
                let reason = format!("Mixpanel did not allow it ({http_status})");
                self.record(id, &BatchOutcome::NotTaken, Some(&reason))?;
                AfterAnswer::End(BatchEnd::Stopped(ImportStop::NotAllowed { http_status }))
            }
            ImportAnswer::Refused {
                http_status,
                message,
            } => {
                // Its words may quote a value, so only the screen shows them.
                let reason = format!("Mixpanel refused it ({http_status})");
                self.record(id, &BatchOutcome::Refused, Some(&reason))?;
                let reason = format!("{reason}: {message}");
                AfterAnswer::End(BatchEnd::Unsettled(reason))
            }
            ImportAnswer::Miscounted { taken, expected } => {
                let reason =
                    format!("Mixpanel says it took {taken} records in place of {expected}");
                self.unsettled(id, &BatchOutcome::Unknown, reason)?
            }
            ImportAnswer::Unclear { reason } => {
                self.unsettled(id, &BatchOutcome::Unknown, reason.to_string())?
            }
        })
    }

    fn taken(
        &mut self,
        id: &BatchId,
        refused: Vec<RefusedEvent>,
        reason: Option<&str>,
        report: &mut ImportReport,
    ) -> Result<AfterAnswer, LedgerError> {
        let records = refused.iter().map(|one| one.record).collect();
        let outcome = BatchOutcome::Taken { refused: records };
        self.record(id, &outcome, reason)?;
        for one in refused {
            let said = (one.record.field, one.message.to_string());
            *report.messages.entry(said).or_default() += 1;
        }
        Ok(AfterAnswer::End(BatchEnd::Settled))
    }

    fn later(
        &mut self,
        (id, outcome): (&BatchId, &BatchOutcome),
        retry_after: Option<Duration>,
        reason: &Words,
    ) -> Result<AfterAnswer, LedgerError> {
        self.record(id, outcome, Some(reason.as_str()))?;
        Ok(AfterAnswer::Wait {
            retry_after,
            reason: reason.to_string(),
        })
    }

    fn unsettled(
        &mut self,
        id: &BatchId,
        outcome: &BatchOutcome,
        reason: String,
    ) -> Result<AfterAnswer, LedgerError> {
        self.record(id, outcome, Some(&reason))?;
        Ok(AfterAnswer::End(BatchEnd::Unsettled(reason)))
    }

    fn record(
        &mut self,
        id: &BatchId,
        outcome: &BatchOutcome,
        reason: Option<&str>,
    ) -> Result<(), LedgerError> {
        let now = self.clock.now();
        self.ledger.record_batch_outcome(id, outcome, reason, now)
    }

    /// Waits, unless that is longer than the operator waits; returns why it did not.
    async fn wait(
        &self,
        wait: Duration,
        pauses: &mut Pauses,
        (batch, reason): (&IngestionBatch, String),
    ) -> Option<ImportStop> {
        if !pauses.take(wait) {
            let batch = batch.id.number;
            return Some(ImportStop::Waited { batch, reason });
        }
        self.observer.on_wait(&reason, wait);
        tokio::select! {
            () = tokio::time::sleep(wait) => None,
            signal = self.interrupt.raised() => Some(ImportStop::Interrupted(signal)),
        }
    }
}
