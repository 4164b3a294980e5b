//! Asks Mixpanel which ids have a profile: query after query, within the hour's budget. Whoever has
//! none may still have events. Also asks who a service account is, and which copies it may see.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::domain::{Clock, DistinctId, ProjectId};
use crate::intake::{At, IntakeError, UniqueIds};
use crate::ledger::{Ledger, LedgerError, QueryLane, Slot};
use crate::mixpanel::query::{MOST_ASKED, PageFault};
use crate::mixpanel::{
    AccountAnswer, CopiesAnswer, CopyKind, Profiles, QueryAnswer, QueryClient, Words,
};
use crate::workflow::{Interrupt, Signal};

/// The ids of one query.
const AT_ONCE: NonZeroUsize = NonZeroUsize::new(MOST_ASKED).expect("not zero");
/// How long no query is sent after a 429 that names no time.
const AFTER_LIMIT: Duration = Duration::from_secs(60);

const HOURLY: &str = "the project's hourly limit is reached";

/// The waits of one inquiry.
#[derive(Default)]
struct Waits {
    time: Duration,
    said_429: bool,
}

/// Which ids of a list have a profile.
#[derive(Debug, Clone)]
pub struct Preflight {
    pub asked: usize,
    pub with_profile: usize,
    pub queries: usize,
    /// The places of the ids without one, in order.
    pub without: Vec<At<Arc<str>>>,
}

/// How a preflight asks.
pub struct Inquiry<'a> {
    pub ledger: &'a mut Ledger,
    pub client: &'a QueryClient,
    pub lane: QueryLane,
    pub project: ProjectId,
    pub clock: &'a dyn Clock,
    pub interrupt: &'a Interrupt,
    /// How long to wait in all for the hour's next query and after 429s.
    pub max_wait: Duration,
    /// Hears of each wait for the next query, and how many were answered.
    pub on_wait: &'a dyn Fn(Duration, usize),
}

/// Why it is not known who has a profile. Quotes no id.
#[derive(Debug, thiserror::Error)]
pub enum PreflightError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Ids(IntakeError),
    #[error("Mixpanel does not allow {account} to ask for profiles ({http_status})")]
    NotAllowed { account: String, http_status: u16 },
    #[error("Mixpanel refused the query of profiles ({http_status}): {message}")]
    Refused { http_status: u16, message: Words },
    /// `wait` is the whole wait, until `until`.
    #[error("the {which} query of profiles may leave only at {}, because {limit}", until.format("%Y-%m-%d %H:%M:%S UTC"))]
    TooLate {
        limit: &'static str,
        which: &'static str,
        until: DateTime<Utc>,
        wait: Duration,
    },
    #[error("Mixpanel could not be asked for profiles: {reason}")]
    Unclear { reason: Words },
    #[error("Mixpanel's answer about profiles cannot be relied on")]
    Fault(#[from] PageFault),
    #[error("interrupted")]
    Interrupted(Signal),
}

/// How many queries so many ids take.
pub fn count_queries(ids: usize) -> usize {
    ids.div_ceil(MOST_ASKED)
}

/// Asks about every id once.
///
/// # Errors
/// See [`PreflightError`]. Nothing is known then.
pub async fn find_profiles(
    inquiry: &mut Inquiry<'_>,
    ids: &UniqueIds,
) -> Result<Preflight, PreflightError> {
    demand_time(inquiry, count_queries(ids.count()))?;
    let mut preflight = Preflight {
        asked: ids.count(),
        with_profile: 0,
        queries: 0,
        without: Vec::new(),
    };
    let mut places = ids.places();
    let mut waits = Waits::default();
    for batch in ids.batches(AT_ONCE) {
        let batch = batch.map_err(PreflightError::Ids)?;
        let mut profiles = Profiles::of(batch.ids().filter_map(DistinctId::restore).collect());
        while !profiles.is_whole() {
            take_turn(inquiry, preflight.queries, &mut waits).await?;
            if preflight.queries == 0 {
                let (lane, now) = (&inquiry.lane, inquiry.clock.now());
                let planned = (ids.count(), count_queries(ids.count()));
                inquiry.ledger.record_profiles_asked(lane, planned, now)?;
            }
            preflight.queries += 1;
            ask(inquiry, &mut profiles, &mut waits).await?;
        }
        for (has_profile, place) in profiles.into_answer().into_iter().zip(&mut places) {
            match has_profile {
                true => preflight.with_profile += 1,
                false => preflight.without.push(place.clone()),
            }
        }
    }
    Ok(preflight)
}

/// Fails if so many queries take longer than the operator waits: their answers would be lost.
fn demand_time(inquiry: &mut Inquiry<'_>, queries: usize) -> Result<(), PreflightError> {
    let now = inquiry.clock.now();
    let wait = inquiry
        .ledger
        .find_query_time(&inquiry.lane, queries, now)?;
    match wait > inquiry.max_wait {
        true => Err(PreflightError::TooLate {
            limit: HOURLY,
            which: match queries {
                1 => "next",
                _ => "last",
            },
            until: now + wait,
            wait,
        }),
        false => Ok(()),
    }
}

async fn take_turn(
    inquiry: &mut Inquiry<'_>,
    asked: usize,
    waits: &mut Waits,
) -> Result<(), PreflightError> {
    loop {
        let now = inquiry.clock.now();
        let wait = match inquiry.ledger.record_query(&inquiry.lane, now)? {
            Slot::Yours => return Ok(()),
            Slot::Wait(wait) => wait,
        };
        waits.time += wait;
        if waits.time > inquiry.max_wait {
            return Err(PreflightError::TooLate {
                limit: match waits.said_429 {
                    true => "Mixpanel's query limit is used up (429)",
                    false => HOURLY,
                },
                which: "next",
                until: now + wait,
                wait: waits.time,
            });
        }
        (inquiry.on_wait)(wait, asked);
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            signal = inquiry.interrupt.raised() => return Err(PreflightError::Interrupted(signal)),
        }
    }
}

async fn ask(
    inquiry: &mut Inquiry<'_>,
    profiles: &mut Profiles,
    waits: &mut Waits,
) -> Result<(), PreflightError> {
    let answer = tokio::select! {
        answer = inquiry.client.engage_query(inquiry.project, profiles) => answer,
        signal = inquiry.interrupt.raised() => return Err(PreflightError::Interrupted(signal)),
    };
    match answer {
        QueryAnswer::Page(page) => Ok(profiles.take(&page)?),
        QueryAnswer::Deferred { retry_after } => {
            let wait = retry_after.unwrap_or(AFTER_LIMIT);
            let now = inquiry.clock.now();
            let until = now + wait;
            inquiry
                .ledger
                .record_query_block(&inquiry.lane, until, now)?;
            waits.said_429 = true;
            Ok(())
        }
        QueryAnswer::NotAllowed { http_status } => Err(PreflightError::NotAllowed {
            account: inquiry.client.account().description(),
            http_status,
        }),
        QueryAnswer::Refused {
            http_status,
            message,
        } => Err(PreflightError::Refused {
            http_status,
            message,
        }),
        QueryAnswer::Unclear { reason } => Err(PreflightError::Unclear { reason }),
    }
}

/// Asks for one list of the project's copies; `None` if a signal came first.
pub async fn list_copies(
    client: &QueryClient,
    project: ProjectId,
    kind: CopyKind,
    interrupt: &Interrupt,
) -> Option<CopiesAnswer> {
    tokio::select! {
        answer = client.list_copies(project, kind) => Some(answer),
        _ = interrupt.raised() => None,
    }
}

/// Asks who the account is; `None` if a signal came first.
pub async fn check_account(client: &QueryClient, interrupt: &Interrupt) -> Option<AccountAnswer> {
    tokio::select! {
        answer = client.check_account() => Some(answer),
        _ = interrupt.raised() => None,
    }
}
