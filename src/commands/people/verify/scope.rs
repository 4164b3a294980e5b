//! The deletions to check: one, or all of a project that were done since a day.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};

use crate::commands::context::Context;
use crate::commands::context::named::find_meant;
use crate::commands::failures::usage;
use crate::domain::{JobState, Kind, LedgerKey, ProjectName, RequestId};
use crate::ledger::{ErasedBy, Ledger, LedgerError, RequestRecord, Spared, Standing, Which};
use crate::ui::Failure;
use crate::workflow::SuppressedIndex;

pub(super) struct ToVerify {
    pub(super) project: ProjectName,
    pub(super) requests: Vec<RequestRecord>,
    /// Those of the last days whose every job failed or was refused: they erased nobody.
    pub(super) failed: Vec<RequestRecord>,
}

impl ToVerify {
    pub(super) fn find(
        ctx: &Context,
        (ledger, key): (&Ledger, &LedgerKey),
        name: Option<&str>,
        since: Option<i64>,
    ) -> Result<Self, Failure> {
        match name {
            Some(name) => Self::one(ctx, ledger, name),
            None => Self::since(ctx, (ledger, key), since.unwrap_or_default()),
        }
    }

    fn one(ctx: &Context, ledger: &Ledger, name: &str) -> Result<Self, Failure> {
        let request = find_meant(ctx, ledger, name)?;
        if request.asked.operation.kind() != Kind::Delete {
            return Err(usage(
                "this request is an export: nothing of it should be gone; nothing was checked",
            )
            .hint("list the deletions with `dsr status --all --cached`"));
        }
        Ok(Self {
            project: request.asked.project.clone(),
            requests: vec![request],
            failed: Vec::new(),
        })
    }

    fn since(
        ctx: &Context,
        (ledger, key): (&Ledger, &LedgerKey),
        days: i64,
    ) -> Result<Self, Failure> {
        let mut resolved = ctx.resolve()?;
        if resolved.len() > 1 {
            return Err(usage("an export is of one project; nothing was checked")
                .hint("name one project: `--project NAME`"));
        }
        let project = resolved.remove(0).project;
        let by = ErasedBy {
            project: &|name| *name == project.name,
            since: None,
        };
        let from = ctx.clock.now() - TimeDelta::days(days);
        let erased = ledger.erased(key, &by)?;
        let jobs = erased.jobs().iter();
        let done = jobs.filter(|job| job.period.done.is_some_and(|done| done >= from));
        let done: HashSet<RequestId> = done.map(|job| job.job.request.clone()).collect();
        drop(erased);
        // Under the same name there may have been another project.
        let key = project.key();
        let mut all = ledger.list_requests(Which::All)?;
        all.retain(|request| request.asked.project_key == key);
        let (requests, others): (Vec<_>, _) = all
            .into_iter()
            .partition(|request| done.contains(&request.id));
        let mut failed = Vec::new();
        for request in others {
            if has_failed(ledger, &request, from)? {
                failed.push(request);
            }
        }
        Ok(Self {
            requests,
            failed,
            project: project.name.clone(),
        })
    }

    /// Their people, each with all deletions of the project; and of each request the people whom it
    /// did not erase.
    pub(super) fn index(
        &self,
        ledger: &Ledger,
        key: &LedgerKey,
    ) -> Result<(SuppressedIndex, HashMap<RequestId, Spared>), LedgerError> {
        let by = ErasedBy {
            project: &|name| *name == self.project,
            since: None,
        };
        let erased = ledger.erased(key, &by)?;
        let ids = self.ids();
        let index = SuppressedIndex::read_of(&erased, |request| ids.contains(request))?;
        let all = self.requests.iter().chain(&self.failed);
        let all: HashSet<&RequestId> = all.map(|request| &request.id).collect();
        let spared = erased.count_spared(&|request| all.contains(request))?;
        Ok((index, spared))
    }

    pub(super) fn ids(&self) -> HashSet<&RequestId> {
        self.requests.iter().map(|request| &request.id).collect()
    }
}

/// Whether a deletion ended since `from` and erased nobody, because Mixpanel failed or refused it. One
/// that the operator cancelled is not meant.
fn has_failed(
    ledger: &Ledger,
    request: &RequestRecord,
    from: DateTime<Utc>,
) -> Result<bool, LedgerError> {
    let has = |state| request.jobs_in(state) > 0;
    if request.asked.operation.kind() != Kind::Delete
        || request.is_open()
        || has(JobState::Done)
        || !(has(JobState::Failed) || has(JobState::Refused))
    {
        return Ok(false);
    }
    for job in ledger.jobs(&request.id, Standing::Any) {
        if ledger.find_ended(&job?.id)?.is_some_and(|at| at >= from) {
            return Ok(true);
        }
    }
    Ok(false)
}
