//! The unsent jobs of one project, in sending order.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use crate::domain::{JobId, JobState, Kind, Operation, ProjectKey, RequestId};
use crate::ledger::{JobRecord, Ledger, LedgerError, Purpose, RequestRecord, Standing, Tried};

use super::verdict::{Temper, Word};

/// How long after an attempt a repeated POST shows whether the first was accepted. Mixpanel answers
/// 409 only while the first task is active; a later POST would be a new deletion.
const SETTLE_WITHIN: TimeDelta = TimeDelta::minutes(15);
/// Mixpanel needs 2 s after an attempt to see a conflict; the rest is for the network.
pub(crate) const SETTLE_AFTER: Duration = Duration::from_millis(2500);
/// How often one run repeats an unknown deletion. A repeat is harmless while the first task is
/// active.
const SETTLE_TRIES: u32 = 3;
/// How often another dsr may overtake this one on a job in one run.
const OVERTAKEN_TIMES: u32 = 8;

/// Which unknown jobs a run settles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settle {
    /// Those attempted in the last 15 minutes.
    Recent,
    /// Those that the operator wants to send again, however old.
    Chosen(Vec<JobId>),
}

/// One job to send, and why.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) job: JobId,
    pub(crate) operation: Operation,
    pub(crate) purpose: Purpose,
    pub(crate) word: Word,
    not_before: Instant,
    tries: u32,
}

/// A request whose unsent jobs go in order.
struct Sending {
    request: RequestId,
    operation: Operation,
    /// No job up to this number is left to send.
    after: u32,
}

/// Holds the few jobs to settle in memory, and reads unsent jobs from the ledger one by one.
pub(crate) struct Queue {
    pub(crate) project: ProjectKey,
    pub(crate) temper: Temper,
    requests: Vec<Sending>,
    /// The requests before this place have nothing left to send.
    first: usize,
    /// Jobs whose ids are in an earlier, unsent request.
    kept_back: HashSet<JobId>,
    to_settle: VecDeque<Item>,
    /// The number of ids of the last job that was refused as too large.
    pub(crate) refused: Option<(Kind, usize)>,
    /// Jobs that are sent again because the task with their ids has ended.
    sent_after: HashSet<JobId>,
    /// How often another dsr overtook this one, by job.
    overtaken: HashMap<JobId, u32>,
    /// No sending before this moment, for a reason within this process.
    paused_until: Instant,
}

pub(crate) enum Offer {
    Send(Item),
    Wait(Duration),
    Nothing,
}

/// Whether a job was sent again since the task that had its ids has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SentAfter {
    NotYet,
    Already,
}

impl Queue {
    pub(crate) fn new(project: ProjectKey, max_wait: Duration) -> Self {
        Self {
            project,
            temper: Temper::new(max_wait),
            requests: Vec::new(),
            first: 0,
            kept_back: HashSet::new(),
            to_settle: VecDeque::new(),
            refused: None,
            sent_after: HashSet::new(),
            overtaken: HashMap::new(),
            paused_until: Instant::now(),
        }
    }

    /// Adds the jobs of a request to send or settle, without those in `kept_back`.
    pub(crate) fn add(
        &mut self,
        ledger: &Ledger,
        request: &RequestRecord,
        kept_back: Vec<JobId>,
        settle: &Settle,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let operation = request.asked.operation;
        self.kept_back.extend(kept_back);
        self.requests.push(Sending {
            request: request.id.clone(),
            operation,
            after: 0,
        });
        for job in ledger.jobs(&request.id, Standing::Unsettled) {
            let job = job?;
            let tried = ledger.find_tried(&job.id)?;
            self.to_settle
                .extend(settle.item(&job, tried, operation, now));
        }
        Ok(())
    }

    /// The next job. Settling comes first, since it has a time limit.
    pub(crate) fn offer(&mut self, ledger: &Ledger) -> Result<Offer, LedgerError> {
        let now = Instant::now();
        let ready = self.to_settle.iter().find(|item| item.not_before <= now);
        let next = match ready {
            Some(item) => Some(item.clone()),
            None => self.next_unsent(ledger)?,
        };
        let soonest = self.to_settle.iter().map(|item| item.not_before).min();
        Ok(match (next, soonest) {
            (None, None) => Offer::Nothing,
            _ if self.paused_until > now => Offer::Wait(self.paused_until - now),
            (Some(item), _) => Offer::Send(item),
            (None, Some(at)) => Offer::Wait(at - now),
        })
    }

    fn next_unsent(&mut self, ledger: &Ledger) -> Result<Option<Item>, LedgerError> {
        while let Some(sending) = self.requests.get_mut(self.first) {
            while let Some(job) = ledger.find_unsent(&sending.request, sending.after)? {
                if self.kept_back.contains(&job) {
                    sending.after = job.number;
                } else {
                    sending.after = job.number - 1;
                    return Ok(Some(Item::submit(job, sending.operation)));
                }
            }
            self.first += 1;
        }
        Ok(None)
    }

    pub(crate) fn count_kept_back(&self) -> usize {
        self.kept_back.len()
    }

    /// The job goes out again, once, since the task with its ids has ended.
    pub(crate) fn note_sent_after(&mut self, job: &JobId) {
        self.sent_after.insert(job.clone());
    }

    pub(crate) fn sent_after(&self, job: &JobId) -> SentAfter {
        match self.sent_after.contains(job) {
            true => SentAfter::Already,
            false => SentAfter::NotYet,
        }
    }

    pub(crate) fn pause(&mut self, wait: Duration) {
        let now = Instant::now();
        self.paused_until = now.checked_add(wait).unwrap_or(now);
    }

    pub(crate) fn remove(&mut self, job: &JobId) {
        self.to_settle.retain(|item| item.job != *job);
    }

    /// Another dsr overtook this one on the job; the rest of it comes again. The number of times is
    /// limited, since each may be a POST.
    pub(crate) fn looks_again(&mut self, job: &JobId) -> bool {
        let times = self.overtaken.entry(job.clone()).or_default();
        *times += 1;
        let is_rare = *times <= OVERTAKEN_TIMES;
        self.send_anew(job);
        is_rare
    }

    /// Nothing was created for the job: send it in its turn instead of settling it.
    pub(crate) fn send_anew(&mut self, job: &JobId) {
        self.remove(job);
        for (place, sending) in self.requests.iter_mut().enumerate() {
            if sending.request == job.request {
                sending.after = sending.after.min(job.number - 1);
                self.first = self.first.min(place);
            }
        }
    }

    /// Puts an unknown job back, to settle it a little later. A repeated export makes a second copy
    /// of personal data, so it is repeated only once.
    pub(crate) fn settle_later(&mut self, item: &Item) {
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
            self.to_settle.push_back(Item {
                purpose: Purpose::Settle,
                not_before: Instant::now() + SETTLE_AFTER,
                tries,
                ..item.clone()
            });
        }
    }
}

/// Until when `dsr resume` settles an unknown job without the operator's word; `None` if it does
/// not.
pub(crate) fn settles_until(
    ledger: &Ledger,
    job: &JobRecord,
    kind: Kind,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, LedgerError> {
    let may = is_recent(job, now) && may_tell(job, ledger.find_tried(&job.id)?, kind);
    Ok(job
        .unclear_since
        .filter(|_| may)
        .map(|begun| begun + SETTLE_WITHIN))
}

/// Whether a repeated POST may show what happened to the earlier ones, without harm. If Mixpanel
/// accepted a POST but its task was unreadable, the task exists. A deletion is then repeated once,
/// for the conflict that names the task; an export never.
pub(crate) fn may_tell(job: &JobRecord, tried: Tried, kind: Kind) -> bool {
    let is_open_question = match tried.last {
        Some(JobState::Unknown | JobState::Accepted) => true,
        // The last POST was certainly not accepted. A job that was cut, cancelled or refused since
        // its answer was lost waits for the operator.
        Some(JobState::Planned | JobState::Deferred | JobState::Refused) => {
            !job.may_be_double && tried.unclear > 0
        }
        Some(JobState::Sending | JobState::Running | JobState::Done)
        | Some(JobState::Failed | JobState::Revoked)
        | None => false,
    };
    let is_harmless = match (kind, tried.unread) {
        (Kind::Delete, 0 | 1) => true,
        (Kind::Export, 0) => tried.unclear <= 1,
        (Kind::Delete | Kind::Export, _) => false,
    };
    // The task of a job sent long ago has ended, so a repeat would create a new one.
    let is_of_now = !tried.is_of_lost_span;
    let is_wanted = is_of_now && !tried.is_called_off;
    job.is_unsettled() && job.task.is_none() && is_wanted && is_open_question && is_harmless
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

    /// Whether settling now needs the operator's word, such as after a long wait or sleep.
    pub(crate) fn is_too_late(
        &self,
        ledger: &Ledger,
        now: DateTime<Utc>,
    ) -> Result<bool, LedgerError> {
        let has_limit = self.purpose == Purpose::Settle && self.word == Word::None;
        Ok(has_limit && !is_recent(&ledger.find_job(&self.job)?, now))
    }
}

/// Whether a repeated POST still tells about the earlier ones: the oldest task ends first.
fn is_recent(job: &JobRecord, now: DateTime<Utc>) -> bool {
    let age = job.unclear_since.map(|begun| now - begun);
    age.is_some_and(|age| (TimeDelta::zero()..SETTLE_WITHIN).contains(&age))
}

impl Settle {
    fn item(
        &self,
        job: &JobRecord,
        tried: Tried,
        operation: Operation,
        now: DateTime<Utc>,
    ) -> Option<Item> {
        if !job.is_unsettled() {
            return None;
        }
        // The time limit counts from the start of the first attempt, the pause from the end of the
        // last.
        let ended = job.attempt_ended_at.or(job.unclear_since);
        let since_end = ended.map_or(TimeDelta::MAX, |ended| now - ended);
        let wanted = match self {
            Self::Recent => is_recent(job, now) && may_tell(job, tried, operation.kind()),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Law;

    fn queue_of(jobs: u32) -> (tempfile::TempDir, Ledger, Queue) {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("ledger.db"), Duration::ZERO).unwrap();
        let mut queue = Queue::new(ProjectKey::restore("k".to_owned()), Duration::ZERO);
        let request = RequestId::random();
        let items = (1..=jobs).map(|number| {
            let request = request.clone();
            Item {
                purpose: Purpose::Settle,
                ..Item::submit(JobId { request, number }, Operation::Delete(Law::Gdpr))
            }
        });
        queue.to_settle.extend(items);
        (folder, ledger, queue)
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_delays_all_jobs_by_the_monotonic_clock() {
        let (_folder, ledger, mut queue) = queue_of(2);
        queue.pause(Duration::from_secs(60));
        tokio::time::advance(Duration::from_secs(59)).await;
        let offer = queue.offer(&ledger).unwrap();
        assert!(matches!(offer, Offer::Wait(left) if left == Duration::from_secs(1)));
        tokio::time::advance(Duration::from_secs(1)).await;
        let offer = queue.offer(&ledger).unwrap();
        assert!(matches!(offer, Offer::Send(item) if item.job.number == 1));
    }

    #[tokio::test(start_paused = true)]
    async fn an_endless_pause_does_not_overflow() {
        let (_folder, ledger, mut queue) = queue_of(1);
        queue.pause(Duration::MAX);
        assert!(!matches!(queue.offer(&ledger).unwrap(), Offer::Nothing));
    }

    #[tokio::test(start_paused = true)]
    async fn a_repeated_settling_waits_for_its_own_pause() {
        let (_folder, ledger, mut queue) = queue_of(2);
        let mut next = || match queue.offer(&ledger).unwrap() {
            Offer::Send(item) => {
                queue.settle_later(&item);
                Ok(item.job.number)
            }
            Offer::Wait(left) => Err(left),
            Offer::Nothing => panic!("nothing is offered"),
        };
        assert_eq!(next(), Ok(1));
        assert_eq!(next(), Ok(2));
        assert_eq!(next(), Err(SETTLE_AFTER));
        tokio::time::advance(SETTLE_AFTER).await;
        assert_eq!(next(), Ok(1));
    }
}
