//! The deletions to check: one, or all of a project that were done since a day.

use std::collections::HashSet;

use chrono::TimeDelta;

use crate::commands::context::Context;
use crate::commands::context::named::find_meant;
use crate::commands::failures::usage;
use crate::domain::{Kind, LedgerKey, ProjectName, RequestId};
use crate::ledger::{ErasedBy, Ledger, LedgerError, RequestRecord, Which};
use crate::ui::Failure;
use crate::workflow::SuppressedIndex;

pub(super) struct ToVerify {
    pub(super) project: ProjectName,
    pub(super) requests: Vec<RequestRecord>,
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
        let done: HashSet<&RequestId> = done.map(|job| &job.job.request).collect();
        // Under the same name there may have been another project.
        let key = project.key();
        let requests = ledger.list_requests(Which::All)?.into_iter();
        let requests = requests
            .filter(|request| done.contains(&request.id) && request.asked.project_key == key);
        Ok(Self {
            requests: requests.collect(),
            project: project.name.clone(),
        })
    }

    /// Their people, each with all deletions of the project.
    pub(super) fn index(
        &self,
        ledger: &Ledger,
        key: &LedgerKey,
    ) -> Result<SuppressedIndex, LedgerError> {
        let ids = self.ids();
        let by = ErasedBy {
            project: &|name| *name == self.project,
            since: None,
        };
        SuppressedIndex::read_of(&ledger.erased(key, &by)?, |request| ids.contains(request))
    }

    pub(super) fn ids(&self) -> HashSet<&RequestId> {
        self.requests.iter().map(|request| &request.id).collect()
    }
}
