//! Asks Mixpanel for the profiles that have the values of a lookup: query after query, within the
//! hour's budget. Takes a profile only after it was compared byte for byte.

use std::ops::Range;
use std::rc::Rc;

use crate::domain::{DistinctId, ProjectId};
use crate::intake::{Identity, MainId, Profile};
use crate::mixpanel::query::{
    COMPARISONS, EXPRESSION_BYTES, Holder, MOST_ASKED, PageFault, comparison,
};
use crate::mixpanel::{Holders, QueryClient};

use super::lookup::{Likeness, Lookup};
use super::profiles::{PreflightError, ask};
use super::queries::Queries;

const HOLDERS: &str = "profiles";

/// What was asked, and how many profiles came back.
#[derive(Debug, Clone, Copy)]
pub struct QueriedValues {
    pub values: usize,
    pub queries: usize,
    pub profiles: usize,
}

/// The values of a lookup in queries, each small enough: their places.
pub struct ValueBatches<'p> {
    property: &'p str,
    places: Vec<Range<usize>>,
}

impl<'p> ValueBatches<'p> {
    pub fn of(lookup: &mut Lookup, property: &'p str) -> Self {
        let mut places: Vec<Range<usize>> = Vec::new();
        let (mut comparisons, mut bytes) = (0, 0);
        for place in 0..lookup.count_values() {
            let forms = lookup.forms_of(place);
            let needed: usize = forms.iter().map(|form| comparison(property, form)).sum();
            let fits =
                comparisons + forms.len() <= COMPARISONS && bytes + needed <= EXPRESSION_BYTES;
            match places.last_mut() {
                Some(last) if fits => last.end = place + 1,
                Some(_) | None => {
                    places.push(place..place + 1);
                    (comparisons, bytes) = (0, 0);
                }
            }
            comparisons += forms.len();
            bytes += needed;
        }
        Self { property, places }
    }

    /// How many queries there are, if the profiles of each fit on one page.
    pub fn count(&self) -> usize {
        self.places.len()
    }
}

/// Asks for the profiles of every value, and passes them to the lookup.
///
/// # Errors
/// See [`PreflightError`]. The lookup is not usable then.
pub async fn find_holders(
    queries: &mut Queries<'_>,
    (client, project): (&QueryClient, ProjectId),
    batches: &ValueBatches<'_>,
    lookup: &mut Lookup,
) -> Result<QueriedValues, PreflightError> {
    queries.demand_time(batches.count()).await?;
    let mut asked = QueriedValues {
        values: lookup.count_values(),
        queries: 0,
        profiles: 0,
    };
    let mut left = batches.count();
    for places in &batches.places {
        let mut texts: Vec<String> = places
            .clone()
            .flat_map(|place| lookup.forms_of(place))
            .collect();
        texts.sort_unstable();
        texts.dedup();
        let mut holders = Holders::of(batches.property, texts);
        left -= 1;
        while !holders.is_whole() {
            let planned = (asked.values, batches.count());
            let turn = queries
                .take_turn(|ledger, lane, now| ledger.record_values_asked(lane, planned, now));
            let place = turn.await?;
            let call = client.engage_query_where(project, &holders);
            if let Some(page) = queries.ask(HOLDERS, client, call).await? {
                drop(place);
                holders.take(&page)?;
                // Very many profiles may have a value: that may take longer than was said.
                if holders.pages_left() > 0 {
                    queries.demand_time(holders.pages_left() + left).await?;
                }
            }
        }
        for holder in holders.into_found() {
            take(lookup, &holder, places)?;
            asked.profiles += 1;
        }
    }
    asked.queries = queries.course.sent;
    Ok(asked)
}

/// Asks which of the ids that identities join have a profile of their own, and notes these profiles:
/// an id of another person's profile joins two people. Returns the number of queries.
///
/// Mixpanel answers for an alias with the profile of its main id. If no id of that person was in the
/// query, dsr asks for ever smaller parts of it, until it is clear whose alias leads there.
///
/// # Errors
/// See [`PreflightError`]. The lookup is not usable then.
pub async fn find_joined_profiles(
    queries: &mut Queries<'_>,
    target: (&QueryClient, ProjectId),
    lookup: &mut Lookup,
) -> Result<usize, PreflightError> {
    let joined = lookup.joined_ids();
    let mut left: Vec<&[Rc<str>]> = joined.chunks(MOST_ASKED).rev().collect();
    let mut planned = (joined.len(), left.len());
    queries.demand_time(left.len()).await?;
    // This question has an entry of its own in the trail.
    queries.course.sent = 0;
    let mut sent = 0;
    while let Some(ids) = left.pop() {
        let asked = ids.iter().filter_map(|id| DistinctId::restore(id));
        let found = ask(queries, target, asked.collect(), planned).await?;
        let found = found.into_found();
        let is_strange = |id: &&String| !lookup.is_person_among(id, ids);
        let strange: Vec<&String> = found.iter().filter(is_strange).collect();
        match (strange.is_empty(), ids) {
            (false, [alias]) => strange.iter().for_each(|main| {
                lookup.join(&Identity {
                    ids: vec![(*main).clone(), alias.to_string()],
                    main: MainId::Profile,
                });
            }),
            (false, _) => {
                let (one, other) = ids.split_at(ids.len() / 2);
                left.extend([other, one]);
                queries.demand_time(left.len()).await?;
                // These queries are more than the trail's entry has.
                sent += std::mem::take(&mut queries.course.sent);
                planned = (ids.len(), 2);
            }
            (true, _) => {}
        }
        found.iter().for_each(|id| lookup.note_profile(id));
    }
    Ok(sent + queries.course.sent)
}

/// Takes a profile that has a value of this query, and notes one that nearly has. Anything else was
/// not asked for: then the answer is of another question.
fn take(lookup: &mut Lookup, holder: &Holder, places: &Range<usize>) -> Result<(), PageFault> {
    let likeness = Profile::with_json(&holder.id, &holder.json, |profile| {
        lookup.take_among(profile, places)
    });
    match likeness.unwrap_or(Likeness::Other) {
        Likeness::Equal | Likeness::Near => Ok(()),
        Likeness::Other => Err(PageFault::NotAHolder),
    }
}
