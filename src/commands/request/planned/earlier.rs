//! What earlier requests did with the ids of a plan, as the ledger knows it.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Days, Utc};

use crate::commands::context::Context;
use crate::commands::people::minimise;
use crate::domain::{CarriedOut, RequestId};
use crate::ledger::{Ledger, WantedPeople};
use crate::ui::{Failure, number};
use crate::workflow::{Earlier, Plan};

const DAYS: Days = Days::new(366);
/// Of more ids the plan does not say it: they would fill the memory.
const MOST_IDS: usize = 1_000_000;

fn since(ctx: &Context) -> DateTime<Utc> {
    let now = ctx.clock.now();
    now.checked_sub_days(DAYS).unwrap_or(now)
}

/// Whether the ledger has requests to compare a plan with. A dry run keeps ids only for that.
pub(in crate::commands::request) fn may_be_compared(ctx: &Context) -> bool {
    let ledger = ctx.ledger_to_ask();
    ledger.is_ok_and(|ledger| ledger.has_requests_since(since(ctx)).unwrap_or(false))
}

/// Adds to each plan who of its people is in a request of the last year. What prevents that does not
/// prevent the plan, and is named.
pub(in crate::commands::request) fn add_earlier(ctx: &Context, plans: &mut [Plan]) {
    let Ok(ledger) = ctx.ledger_to_ask() else {
        // The comparison with open requests names it.
        return;
    };
    for plan in plans {
        match find(ctx, &ledger, plan) {
            Ok(earlier) => plan.earlier = earlier,
            Err(failure) => {
                let why = format!("not compared with earlier requests: {}", failure.message);
                return ctx.ui.warn_once("ledger", &why);
            }
        }
    }
}

fn find(ctx: &Context, ledger: &Ledger, plan: &Plan) -> Result<Vec<Earlier>, Failure> {
    let since = since(ctx);
    let Ok(ids) = plan.ids() else {
        return Ok(Vec::new());
    };
    if !ledger.has_requests_since(since)? {
        return Ok(Vec::new());
    }
    if ids.count() > MOST_IDS {
        let most = number(MOST_IDS);
        ctx.ui.note(&format!(
            "Not compared with earlier requests: there are more than {most} ids."
        ));
        return Ok(Vec::new());
    }
    let key = match ledger.find_people_key()? {
        Some(_) => Some(minimise::people_key(ctx, ledger)?),
        None => None,
    };
    let mut wanted = WantedPeople::new(key.as_ref());
    for batch in ids.batches(plan.limit()) {
        for id in batch?.ids() {
            // The ids are unique, so none is there already.
            wanted.add(id).ok();
        }
    }
    let mut people: BTreeMap<(RequestId, u8), (Earlier, HashSet<u32>)> = BTreeMap::new();
    for found in ledger.find_people_since(&plan.project.key(), since, &wanted)? {
        let Some(request) = ledger.find_request(&found.job.request)? else {
            continue;
        };
        let job = ledger.find_job(&found.job)?;
        let carried_out = job.carried_out();
        if carried_out == CarriedOut::No && !job.state.is_sendable() {
            continue;
        }
        let day = ledger.find_ended(&found.job)?.unwrap_or(request.created);
        let day = day.date_naive();
        let (earlier, seen) = people
            .entry((found.job.request.clone(), carried_out as u8))
            .or_insert_with(|| {
                let earlier = Earlier {
                    request: found.job.request.clone(),
                    kind: request.asked.operation.kind(),
                    carried_out,
                    people: 0,
                    day,
                };
                (earlier, HashSet::new())
            });
        seen.insert(found.person);
        earlier.people = seen.len();
        earlier.day = earlier.day.max(day);
    }
    let mut earlier: Vec<Earlier> = people.into_values().map(|(earlier, _)| earlier).collect();
    earlier.sort_by_key(|one| std::cmp::Reverse(one.day));
    Ok(earlier)
}
