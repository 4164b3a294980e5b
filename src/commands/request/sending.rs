//! What export, delete and apply share: record, submit, follow, report.

use std::collections::HashMap;

use crate::commands::context::Context;
use crate::commands::people::minimise;
use crate::commands::status::deadlines;
use crate::commands::status::outcome::{self, FollowEnd};
use crate::domain::{ExitStatus, ProjectKey};
use crate::ledger::{Ledger, Recorded, RequestRecord, Scope};
use crate::mixpanel::Client;
use crate::ui::{Failure, Phase, Progress, Shown};
use crate::workflow::{self, ReadyPlan, RefreshTrouble, Settle, SubmitReport};

use super::args::SendingArgs;
use super::planned::{applied_before, same_request};
use super::waiting::{self, WaitArgs};

/// Requests that were recorded and submitted, with their present state.
pub(super) struct SentRequests {
    pub(super) ledger: Ledger,
    clients: HashMap<ProjectKey, Client>,
    pub(super) report: SubmitReport,
    troubles: Vec<RefreshTrouble>,
    pub(super) followed: FollowEnd,
}

pub(super) async fn submit(
    ctx: &mut Context,
    ready: &[ReadyPlan],
    sending: &SendingArgs,
) -> Result<SentRequests, Failure> {
    let preparing = ctx.ui.preparing();
    let plans = ready.iter().map(ReadyPlan::plan);
    let projects: Vec<_> = plans.clone().map(|plan| plan.project.clone()).collect();
    let clients = ctx.clients(&projects)?;
    plans.for_each(|plan| deadlines::warn_of_token(ctx, plan));
    let mut ledger = ctx.ledger_to_fill()?;
    drop(preparing);
    let total = ready.iter().map(ReadyPlan::job_count).sum();
    let report = {
        let lines = sending.wait.lines();
        let progress = Progress::start(&ctx.ui, Phase::Submitting, total, lines);
        let mut run = ctx.run(&mut ledger, &clients, &progress);
        let record = || workflow::record(&mut run, ready, sending.again());
        let ids = match ctx.ui.recording(record)? {
            Recorded::New(ids) => ids,
            Recorded::There(id) => return Err(same_request(&ledger, &id)?),
            Recorded::Applied(id) => return Err(applied_before(&id)),
        };
        ctx.interrupt.begin();
        let sent = workflow::submit(&mut run, &ids, &Settle::Recent, sending.max_wait).await;
        sent.map_err(recorded)?
    };
    Ok(SentRequests {
        ledger,
        clients,
        report,
        troubles: Vec::new(),
        followed: FollowEnd::No,
    })
}

/// A ledger that is gone or held now has the request: only the rest of it is left to send.
pub(super) fn recorded(error: impl Into<Failure>) -> Failure {
    let mut failure = error.into();
    failure.goes_on = Some("dsr resume");
    match failure.kind {
        "ledger_unreachable" => Failure {
            status: ExitStatus::Temporary,
            ..failure
                .hint("the request is recorded; when the server answers again, run `dsr resume`")
        },
        _ => failure,
    }
}

impl SentRequests {
    pub(super) fn is_all_sent(&self) -> bool {
        !self.report.requests.iter().any(RequestRecord::needs_resume)
    }

    /// Follows the jobs to their end, if asked to and if all of them were sent.
    pub(super) async fn follow(self, ctx: &Context, wait: &WaitArgs) -> Result<Self, Failure> {
        let (mut ledger, clients) = (self.ledger, self.clients);
        let ids = self
            .report
            .requests
            .iter()
            .map(|request| request.id.clone());
        let scope = Scope::Requests(ids.collect());
        let followed = wait.follow(ctx, &mut ledger, &clients, &scope, self.report);
        let (report, troubles) = followed.await.map_err(recorded)?;
        Ok(Self {
            ledger,
            clients,
            report,
            troubles,
            followed: match wait.wait {
                true => FollowEnd::ToTheEnd,
                false => FollowEnd::No,
            },
        })
    }

    pub(super) fn renew(&mut self, ctx: &Context) -> Result<(), Failure> {
        self.report.requests = waiting::renew(&self.ledger, &self.report.requests)?;
        self.report.signal = ctx.interrupt.signal();
        Ok(())
    }

    /// Hashes the ids of jobs that have ended, then prints the requests.
    pub(super) fn print(&mut self, ctx: &Context) -> Result<(), Failure> {
        minimise::sweep(ctx, &mut self.ledger);
        // One view: the status must match what is printed, whatever another dsr does.
        let report = &mut self.report;
        self.ledger.in_one_view(|ledger| {
            report.requests = waiting::renew(ledger, &report.requests)?;
            let (requests, clock) = (&report.requests, ctx.clock.as_ref());
            ctx.ui
                .print_requests(ledger, requests, Shown::Jobs, clock)?;
            Ok(())
        })
    }

    /// Reports what went wrong or comes next, and returns the exit status.
    pub(super) fn tell(&self, ctx: &Context) -> ExitStatus {
        outcome::tell(ctx, &self.report, &self.troubles, self.followed)
    }
}
