//! The imports and deletions of profiles beside the requests: whoever lost the id of one finds it here.

use chrono::TimeDelta;

use crate::commands::context::Context;
use crate::domain::IngestionKind;
use crate::ledger::{IngestionRecord, Ledger, Which};
use crate::ui::{Failure, Shown};

use super::StatusView;

/// For how long one that is not done is listed. An older one is given up, or was done in another way.
const LISTED_FOR: TimeDelta = TimeDelta::days(30);

/// The newest first; `None` for a view of other than all requests.
pub(super) fn list(
    ctx: &Context,
    ledger: &Ledger,
    view: &StatusView,
) -> Result<Option<Vec<IngestionRecord>>, Failure> {
    if view.shown != Shown::List {
        return Ok(None);
    }
    let mut found = match view.which {
        Which::All => {
            let all = IngestionKind::ALL.map(|kind| ledger.list_ingestions(kind));
            let all: Result<Vec<_>, _> = all.into_iter().collect();
            all?.into_iter().flatten().collect()
        }
        _ => ledger.list_unfinished_ingestions(ctx.clock.now() - LISTED_FOR)?,
    };
    found.retain(|one: &IngestionRecord| ctx.means(&one.asked.project));
    found.sort_by_key(|one| std::cmp::Reverse(one.created));
    Ok(Some(found))
}

pub(super) fn advise(ctx: &Context, ingestions: &[IngestionRecord]) {
    let mut open = ingestions.iter().filter(|one| !one.is_done());
    if open
        .clone()
        .any(|one| one.asked.kind == IngestionKind::Import)
    {
        ctx.ui
            .note("To continue an import, run `dsr import` with the same file again.");
    }
    if open.any(|one| one.asked.kind == IngestionKind::ProfileDeletion) {
        ctx.ui
            .note("To continue a deletion of profiles, run the same command again.");
    }
}
