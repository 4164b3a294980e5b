//! Asks Mixpanel which ids have a profile: query after query, within the hour's budget. Whoever has
//! none may still have events. Also asks who a service account is, and which copies it may see.

use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::domain::{DistinctId, ProjectId};
use crate::intake::{At, IntakeError, UniqueIds};
use crate::mixpanel::query::{MOST_ASKED, PageFault};
use crate::mixpanel::{AccountAnswer, CopiesAnswer, CopyKind, Profiles, QueryClient};
use crate::workflow::Interrupt;

use super::queries::{Queries, QueryError};

/// The ids of one query.
const AT_ONCE: NonZeroUsize = NonZeroUsize::new(MOST_ASKED).expect("not zero");
const PROFILES: &str = "profiles";

/// Which ids of a list have a profile.
#[derive(Debug, Clone)]
pub struct Preflight {
    pub asked: usize,
    pub with_profile: usize,
    pub queries: usize,
    /// The places of the ids without one, in order.
    pub without: Vec<At<Arc<str>>>,
}

/// Why it is not known who has a profile. Quotes no id.
#[derive(Debug, thiserror::Error)]
pub enum PreflightError {
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error(transparent)]
    Ids(IntakeError),
    #[error("Mixpanel's answer about profiles cannot be relied on")]
    Fault(#[from] PageFault),
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
    queries: &mut Queries<'_>,
    (client, project): (&QueryClient, ProjectId),
    ids: &UniqueIds,
) -> Result<Preflight, PreflightError> {
    queries.demand_time(count_queries(ids.count())).await?;
    let mut preflight = Preflight {
        asked: ids.count(),
        with_profile: 0,
        queries: 0,
        without: Vec::new(),
    };
    let mut places = ids.places();
    for batch in ids.batches(AT_ONCE) {
        let batch = batch.map_err(PreflightError::Ids)?;
        let asked = batch.ids().filter_map(DistinctId::restore).collect();
        let planned = (ids.count(), count_queries(ids.count()));
        let profiles = ask(queries, (client, project), asked, planned).await?;
        for (has_profile, place) in profiles.into_answer()?.into_iter().zip(&mut places) {
            match has_profile {
                true => preflight.with_profile += 1,
                false => preflight.without.push(place.clone()),
            }
        }
    }
    preflight.queries = queries.course.sent;
    Ok(preflight)
}

/// Asks which of these ids have a profile. `planned` is how many ids and queries the trail's entry
/// has, if this is the first query.
///
/// # Errors
/// See [`PreflightError`].
pub(super) async fn ask(
    queries: &mut Queries<'_>,
    (client, project): (&QueryClient, ProjectId),
    ids: Vec<DistinctId>,
    planned: (usize, usize),
) -> Result<Profiles, PreflightError> {
    let mut profiles = Profiles::of(ids);
    while !profiles.is_whole() {
        let turn =
            queries.take_turn(|ledger, lane, now| ledger.record_profiles_asked(lane, planned, now));
        let _place = turn.await?;
        let call = client.engage_query(project, &profiles);
        if let Some(page) = queries.ask(PROFILES, client, call).await? {
            profiles.take(&page)?;
        }
    }
    Ok(profiles)
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
