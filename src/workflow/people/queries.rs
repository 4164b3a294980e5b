//! The queries of one project, each in its turn: within the hour's budget, over all processes that
//! share the ledger.

use std::future::Future;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::domain::Clock;
use crate::ledger::{Ledger, LedgerError, QueryLane, QueryPlace, QueryTurn};
use crate::mixpanel::{QueryAnswer, QueryClient, Words};
use crate::workflow::{Interrupt, Signal};

/// How long no query is sent after a 429 that names no time.
const AFTER_LIMIT: Duration = Duration::from_secs(60);

/// When to look again whether a query of another process has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

const HOURLY: &str = "the project's hourly limit is reached";
const MIXPANELS: &str = "Mixpanel refused a query: its own limit is used up (429)";

const ALL_UNDER_WAY: &str =
    "other dsr processes have as many queries under way as dsr sends at once";
const CLAIMED: &str = "another dsr has queries of this project left to send";

/// How a command asks: for which project, and how long it waits.
pub struct Queries<'a> {
    pub ledger: &'a mut Ledger,
    pub lane: QueryLane,
    pub clock: &'a dyn Clock,
    pub interrupt: &'a Interrupt,
    /// How long to wait in all: for the hour's next query, after 429s, and for other processes' queries
    /// to end.
    pub max_wait: Duration,
    /// Hears of each wait before it begins.
    pub on_wait: Box<dyn Fn(QueryWait) + 'a>,
    pub course: QueryCourse,
}

/// What a query waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryWait {
    /// For the hour's next query, so long, after so many.
    Budget(Duration, usize),
    /// For a query of another process to end, so long at most.
    Others(Duration),
}

/// The queries of one command so far.
#[derive(Debug, Default)]
pub struct QueryCourse {
    pub sent: usize,
    waited: Duration,
    deferred: u32,
    /// The claim on so many queries, which still have to get their turn.
    claim: Option<(QueryPlace, usize)>,
}

/// Why a query has no answer. Quotes no id and no value.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("Mixpanel does not allow {account} to ask for {what} ({http_status})")]
    NotAllowed {
        account: String,
        what: &'static str,
        http_status: u16,
    },
    #[error("Mixpanel refused the query of {what} ({http_status})")]
    Refused {
        what: &'static str,
        http_status: u16,
    },
    /// `wait` is the whole wait, until `until`.
    #[error("the {which} query may leave only at {}, because {limit}", until.format("%Y-%m-%d %H:%M:%S UTC"))]
    TooLate {
        limit: &'static str,
        which: &'static str,
        until: DateTime<Utc>,
        wait: Duration,
    },
    #[error("{busy}; waited {} for that to end", humantime::format_duration(*.max_wait))]
    OthersUnderWay {
        busy: &'static str,
        max_wait: Duration,
    },
    #[error("Mixpanel could not be asked for {what}: {reason}")]
    Unclear { what: &'static str, reason: Words },
    #[error("Mixpanel's answer about {what} is not one that dsr knows: {reason}")]
    Unusable { what: &'static str, reason: Words },
    #[error("interrupted")]
    Interrupted(Signal),
}

impl Queries<'_> {
    /// Fails if so many more queries take longer than the operator waits: the answers to the first
    /// would be lost. Otherwise no other process takes one of them, until each has had its turn.
    ///
    /// Waits for another process's claim. So nobody may hold a query's place here.
    ///
    /// # Errors
    /// [`QueryError::TooLate`], [`QueryError::OthersUnderWay`], a signal, or the ledger's error.
    pub async fn demand_time(&mut self, queries: usize) -> Result<(), QueryError> {
        if queries == 0 {
            return Ok(());
        }
        let (claim, counted) = match self.course.claim.take() {
            Some(held) => held,
            None => (self.take(Ledger::claim_queries, CLAIMED).await?, 0),
        };
        let queries = queries.max(counted);
        let now = self.clock.now();
        let wait = self.ledger.find_query_time(&self.lane, queries, now)?;
        if self.course.waited + wait > self.max_wait {
            let which = match queries {
                1 => "next",
                _ => "last",
            };
            return Err(self.too_late(which, wait, now)?);
        }
        self.course.claim = Some((claim, queries));
        Ok(())
    }

    fn too_late(
        &mut self,
        which: &'static str,
        wait: Duration,
        now: DateTime<Utc>,
    ) -> Result<QueryError, LedgerError> {
        let block = self.ledger.find_query_block(&self.lane, now)?;
        Ok(QueryError::TooLate {
            // The block was read a moment after the wait, so it is a little shorter.
            limit: match block + LOOK_AGAIN >= wait {
                true => MIXPANELS,
                false => HOURLY,
            },
            which,
            until: now + wait,
            wait: self.course.waited + wait,
        })
    }

    /// Waits until a query may leave, and takes it from the hour's budget. It is under way until its place
    /// is dropped. `enter` makes the entry of the trail for all queries of a question, before the first
    /// one leaves.
    ///
    /// # Errors
    /// When that takes longer than the operator waits, or a signal came.
    pub async fn take_turn(
        &mut self,
        enter: impl FnOnce(&mut Ledger, &QueryLane, DateTime<Utc>) -> Result<(), LedgerError>,
    ) -> Result<QueryPlace, QueryError> {
        if self.course.claim.is_none() {
            self.demand_time(1).await?;
        }
        loop {
            let place = self.take(Ledger::take_query_place, ALL_UNDER_WAY).await?;
            let now = self.clock.now();
            let wait = match self.ledger.record_query(&self.lane, now)? {
                QueryTurn::Yours => {
                    self.course.sent += 1;
                    let claim = self.course.claim.take();
                    let claim = claim.map(|(claim, left)| (claim, left - 1));
                    self.course.claim = claim.filter(|(_, left)| *left > 0);
                    if self.course.sent == 1 {
                        enter(self.ledger, &self.lane, self.clock.now())?;
                    }
                    return Ok(place);
                }
                QueryTurn::Wait(wait) => wait,
            };
            drop(place);
            if self.course.waited + wait > self.max_wait {
                return Err(self.too_late("next", wait, now)?);
            }
            self.course.waited += wait;
            (self.on_wait)(QueryWait::Budget(wait, self.course.sent));
            self.unless_interrupted(tokio::time::sleep(wait)).await?;
        }
    }

    /// Waits until `take` gives what other processes have.
    async fn take(
        &mut self,
        take: fn(&Ledger, &QueryLane) -> Result<Option<QueryPlace>, LedgerError>,
        busy: &'static str,
    ) -> Result<QueryPlace, QueryError> {
        let mut is_told = false;
        loop {
            if let Some(place) = take(self.ledger, &self.lane)? {
                return Ok(place);
            }
            let max_wait = self.max_wait;
            let left = max_wait.saturating_sub(self.course.waited);
            if left.is_zero() {
                return Err(QueryError::OthersUnderWay { busy, max_wait });
            }
            if !is_told {
                (self.on_wait)(QueryWait::Others(left));
                is_told = true;
            }
            let pause = LOOK_AGAIN.min(left);
            self.course.waited += pause;
            self.unless_interrupted(tokio::time::sleep(pause)).await?;
        }
    }

    /// Sends one query, whose turn was taken; `None` if it must be asked again, after another turn.
    ///
    /// # Errors
    /// When Mixpanel gives no answer to rely on, or a signal came.
    pub async fn ask<T>(
        &mut self,
        what: &'static str,
        client: &QueryClient,
        call: impl Future<Output = QueryAnswer<T>>,
    ) -> Result<Option<T>, QueryError> {
        let answer = self.unless_interrupted(call).await?;
        let now = self.clock.now();
        if !matches!(answer, QueryAnswer::NotSent { .. }) {
            self.ledger.record_query_answered(&self.lane, now)?;
        }
        match answer {
            QueryAnswer::Answered(answer) => Ok(Some(answer)),
            QueryAnswer::Deferred { retry_after } => {
                // Each 429 is a query of the hour, so the waits grow.
                self.course.deferred += 1;
                let least = Duration::from_secs(1 << self.course.deferred.min(6));
                let until = now + retry_after.unwrap_or(AFTER_LIMIT).max(least);
                self.ledger.record_query_block(&self.lane, until, now)?;
                Ok(None)
            }
            QueryAnswer::NotSent { reason } => {
                self.ledger.record_query_unsent(&self.lane, now)?;
                Err(QueryError::Unclear { what, reason })
            }
            QueryAnswer::Unclear { reason } => Err(QueryError::Unclear { what, reason }),
            QueryAnswer::Unusable { reason } => Err(QueryError::Unusable { what, reason }),
            QueryAnswer::NotAllowed { http_status } => Err(QueryError::NotAllowed {
                account: client.account().description(),
                what,
                http_status,
            }),
            QueryAnswer::Refused { http_status } => Err(QueryError::Refused { what, http_status }),
        }
    }

    pub(super) async fn unless_interrupted<T>(
        &self,
        call: impl Future<Output = T>,
    ) -> Result<T, QueryError> {
        tokio::select! {
            answer = call => Ok(answer),
            signal = self.interrupt.raised() => Err(QueryError::Interrupted(signal)),
        }
    }
}
