//! The jobs of one project that are still to be sent, in the order they are sent.

use std::collections::VecDeque;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use crate::domain::{JobId, Kind, Operation, ProjectKey, RequestId};
use crate::ledger::{JobRecord, Ledger, LedgerError, Purpose};

use super::settle::keep_apart;
use super::verdict::Temper;

/// How long after an attempt the same POST once more still tells whether it was taken: Mixpanel
/// answers 409 only while the first task is active, and a later one would be a new deletion.
const SETTLE_WITHIN: TimeDelta = TimeDelta::minutes(15);
/// Mixpanel needs a moment before it sees a conflict: 2 s after the attempt, and some for the way.
const SETTLE_AFTER: Duration = Duration::from_millis(2500);
/// How often an unknown deletion is sent once more in one run; each is harmless while the first
/// task is active.
const SETTLE_TRIES: u32 = 3;

/// Which jobs of unknown outcome are settled beside the sending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settle {
    /// Those that were attempted in the last 15 minutes.
    Recent,
    /// Those the operator wants to be sent again, however old.
    Chosen(Vec<JobId>),
}

/// Whether the operator wants a job of unknown outcome to be sent again, whatever became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    None,
    SendAgain,
}

/// One job to send, and why.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) job: JobId,
    pub(super) operation: Operation,
    pub(super) purpose: Purpose,
    pub(super) word: Word,
    not_before: Instant,
    tries: u32,
}

pub(super) struct Queue {
    pub(super) project: ProjectKey,
    pub(super) temper: Temper,
    requests: Vec<RequestId>,
    /// Jobs whose ids an earlier request has and has not sent yet.
    kept_back: Vec<JobId>,
    items: VecDeque<Item>,
    /// Nothing is sent before, for a reason that concerns this process only.
    paused_until: Instant,
}

/// What a queue offers now.
pub(super) enum Offer {
    Send(Item),
    Wait(Duration),
    Nothing,
}

impl Queue {
    pub(super) fn new(project: ProjectKey, max_wait: Duration) -> Self {
        Self {
            project,
            temper: Temper::new(max_wait),
            requests: Vec::new(),
            kept_back: Vec::new(),
            items: VecDeque::new(),
            paused_until: Instant::now(),
        }
    }

    /// Adds a request's jobs that are to be sent or settled.
    pub(super) fn add(
        &mut self,
        ledger: &mut Ledger,
        request: &RequestId,
        settle: &Settle,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        self.requests.push(request.clone());
        let kept_back = keep_apart(ledger, request, now)?;
        self.kept_back.extend(kept_back);
        let Some(record) = ledger.find_request(request)? else {
            return Ok(());
        };
        let operation = record.asked.operation;
        for job in record.jobs {
            if self.kept_back.contains(&job.id) {
                continue;
            }
            if job.state.is_sendable() {
                self.items.push_back(Item::submit(job.id, operation));
            } else if let Some(item) = settle.item(&job, operation, now) {
                self.items.push_back(item);
            }
        }
        Ok(())
    }

    /// Reads anew what is to be sent, after jobs were taken apart.
    pub(super) fn renew(&mut self, ledger: &Ledger) -> Result<(), LedgerError> {
        let mut items: Vec<Item> = Vec::new();
        for request in &self.requests {
            let Some(record) = ledger.find_request(request)? else {
                continue;
            };
            let operation = record.asked.operation;
            let kept_back = &self.kept_back;
            let unsent = record
                .jobs
                .into_iter()
                .filter(|job| job.state.is_sendable());
            let unsent = unsent.filter(|job| !kept_back.contains(&job.id));
            let unsent = unsent.map(|job| Item::submit(job.id, operation));
            items.extend(unsent);
        }
        // What was to be settled and is now to be sent is not settled any more.
        let is_unsent = |item: &Item| items.iter().any(|unsent| unsent.job == item.job);
        self.items
            .retain(|item| item.purpose == Purpose::Settle && !is_unsent(item));
        self.items.extend(items);
        Ok(())
    }

    /// What may be sent now: first what has to be settled, since that has a time limit.
    pub(super) fn offer(&self) -> Offer {
        let now = Instant::now();
        if self.items.is_empty() {
            return Offer::Nothing;
        }
        let ready = |item: &&Item| item.not_before <= now;
        let settle = |item: &&Item| item.purpose == Purpose::Settle;
        let mut items = self.items.iter().filter(ready);
        let first = items.clone().find(settle).or_else(|| items.next());
        match first {
            _ if self.paused_until > now => Offer::Wait(self.paused_until - now),
            Some(item) => Offer::Send(item.clone()),
            None => {
                let soonest = self.items.iter().map(|item| item.not_before).min();
                Offer::Wait(soonest.map_or(Duration::ZERO, |at| at - now))
            }
        }
    }

    pub(super) fn pause(&mut self, wait: Duration) {
        let now = Instant::now();
        self.paused_until = now.checked_add(wait).unwrap_or(now);
    }

    pub(super) fn remove(&mut self, job: &JobId) {
        self.items.retain(|item| item.job != *job);
    }

    /// Puts a job whose outcome is unknown back, to be settled a little later, if that may help.
    /// A repeated export makes a second copy of personal data, so it is repeated once only.
    pub(super) fn settle_later(&mut self, item: &Item) {
        self.remove(&item.job);
        let tries = match item.purpose {
            Purpose::Submit => 0,
            Purpose::Settle => item.tries + 1,
        };
        let allowed = match item.operation.kind() {
            Kind::Delete => SETTLE_TRIES,
            Kind::Export => 1,
        };
        if tries < allowed {
            self.items.push_back(Item {
                purpose: Purpose::Settle,
                not_before: Instant::now() + SETTLE_AFTER,
                tries,
                ..item.clone()
            });
        }
    }
}

impl Item {
    fn submit(job: JobId, operation: Operation) -> Self {
        Self {
            job,
            operation,
            purpose: Purpose::Submit,
            word: Word::None,
            not_before: Instant::now(),
            tries: 0,
        }
    }
}

impl Settle {
    fn item(&self, job: &JobRecord, operation: Operation, now: DateTime<Utc>) -> Option<Item> {
        if !job.is_unsettled() {
            return None;
        }
        let begun = job.attempted_at?;
        // The time limit counts from the attempt's beginning, the pause from its end.
        let age = now - begun;
        let since_end = now - job.attempt_ended_at.unwrap_or(begun);
        let repeated = operation.kind() == Kind::Export && job.attempts > 1;
        let wanted = match self {
            Self::Recent => (TimeDelta::zero()..SETTLE_WITHIN).contains(&age) && !repeated,
            Self::Chosen(jobs) => jobs.contains(&job.id),
        };
        let left = SETTLE_AFTER.saturating_sub(since_end.to_std().unwrap_or_default());
        wanted.then(|| Item {
            purpose: Purpose::Settle,
            word: match self {
                Self::Recent => Word::None,
                Self::Chosen(_) => Word::SendAgain,
            },
            not_before: Instant::now() + left,
            ..Item::submit(job.id.clone(), operation)
        })
    }
}
