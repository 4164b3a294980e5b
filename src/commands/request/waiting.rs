//! `--wait`: follows the jobs that were sent to their end.

use std::collections::HashMap;
use std::time::Duration;

use clap::builder::ArgPredicate;

use crate::commands::context::Context;
use crate::domain::ProjectKey;
use crate::ledger::{Ledger, RequestRecord, Scope};
use crate::mixpanel::Client;
use crate::ui::{Failure, Phase, Progress, ResultLines};
use crate::workflow::{self, RefreshTrouble, SubmitReport};

/// Whether and how long the jobs are followed.
#[derive(clap::Args, Debug)]
pub(crate) struct WaitArgs {
    /// Follow the jobs to their end
    ///
    /// If a job cannot be sent, or its outcome is unknown, dsr reports this and does not wait.
    #[arg(long, default_value_if("timeout", ArgPredicate::IsPresent, "true"))]
    pub(crate) wait: bool,
    /// Wait, and give up after this long, such as `90s`, `2h` or `3days`
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    timeout: Option<Duration>,
}

impl WaitArgs {
    /// What a run prints as lines of the result.
    pub(crate) fn lines(&self) -> ResultLines {
        match self.wait {
            true => ResultLines::Changes,
            false => ResultLines::None,
        }
    }

    /// Follows the jobs if asked to and if all of them were sent. Returns the new report, and the
    /// troubles of asking.
    pub(crate) async fn follow(
        &self,
        ctx: &Context,
        ledger: &mut Ledger,
        clients: &HashMap<ProjectKey, Client>,
        scope: &Scope,
        report: SubmitReport,
    ) -> Result<(SubmitReport, Vec<RefreshTrouble>), Failure> {
        // Jobs take weeks, so report first what the operator can still settle now.
        let all_sent = !report.requests.iter().any(RequestRecord::needs_resume);
        if !self.wait || !all_sent {
            return Ok((report, Vec::new()));
        }
        let followed = report.requests.iter();
        let followed = followed.map(|r| r.count_jobs(|group| group.state.is_followed()));
        let troubles = {
            let progress = Progress::start(&ctx.ui, Phase::Waiting, followed.sum(), self.lines());
            let mut run = ctx.run(ledger, clients, &progress);
            workflow::wait(&mut run, scope, self.timeout).await?
        };
        let report = SubmitReport {
            requests: renew(ledger, &report.requests)?,
            stops: report.stops,
            waiting: report.waiting,
            settling: report.settling,
            tally: report.tally,
            signal: ctx.interrupt.signal(),
        };
        Ok((report, troubles))
    }
}

pub(crate) fn renew(
    ledger: &Ledger,
    requests: &[RequestRecord],
) -> Result<Vec<RequestRecord>, Failure> {
    let mut renewed = Vec::new();
    for request in requests {
        renewed.extend(ledger.find_request(&request.id)?);
    }
    Ok(renewed)
}
