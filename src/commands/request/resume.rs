//! `dsr resume`: sends the remaining jobs, and settles unknown ones.

use std::time::Duration;

use crate::commands::context::Context;
use crate::commands::context::ledger::vanished;
use crate::commands::context::named::find_meant;
use crate::commands::failures::usage;
use crate::commands::people::minimise;
use crate::commands::status::deadlines;
use crate::commands::status::outcome::{self, FollowEnd};
use crate::domain::{ExitStatus, JobId, JobState, TaskId};
use crate::ledger::{
    AuditEvent, JobGroup, Ledger, RequestRecord, Scope, Settling, Standing, Which,
};
use crate::ui::{Failure, Phase, Progress, Shown};
use crate::workflow::{self, Adopted, Run, Settle};

use super::sending::recorded;
use super::waiting::{self, WaitArgs};

/// Send unsent jobs, and resolve unknown jobs
///
/// dsr sends planned and deferred jobs. If the outcome of a deletion is unknown and the attempt is
/// less than 15 minutes old, dsr sends the same deletion again, up to three times in each run. While
/// the first task is active, Mixpanel names that task, and dsr adopts it. If there was no task, or
/// the task has ended, Mixpanel makes a new task. The job then says "possible duplicate".
///
/// After 15 minutes you must decide: `--task`, `--send-again` or `--abandon`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr resume                            all open requests
  dsr resume q7tz0xma                   one request
  dsr resume q7tz0xma --wait            one request, and follow it to its end
  dsr resume q7tz0xma --task 3e0b7f52…  the unknown job is this task
  dsr resume q7tz0xma --send-again      send the unknown jobs again, even if Mixpanel has them
  dsr resume q7tz0xma --abandon         give up on the unknown jobs; they stay unknown")]
pub(crate) struct ResumeArgs {
    /// A request; at least four characters of its id [default: all open ones]
    #[arg(value_name = "REQUEST")]
    name: Option<String>,
    /// How long to wait out Mixpanel's rate limit before leaving the rest for `dsr resume`; if
    /// Mixpanel cannot be reached, dsr tries five more times, whatever DURATION says
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = humantime::parse_duration)]
    max_wait: Duration,
    #[command(flatten)]
    wait: WaitArgs,
    #[command(flatten)]
    word: WordArgs,
    /// The number of the unknown job, if there are several
    #[arg(long, value_name = "N", requires = "word")]
    job: Option<u32>,
}

/// The operator's word on jobs of unknown outcome.
#[derive(clap::Args, Debug)]
#[group(id = "word", multiple = false, requires = "name")]
struct WordArgs {
    /// The unknown job is this task; dsr asks Mixpanel about it
    #[arg(long, value_name = "TASK_ID")]
    task: Option<String>,
    /// Send the unknown jobs again, even though Mixpanel may have accepted them
    #[arg(long)]
    send_again: bool,
    /// Give up on the unknown jobs: dsr never sends them again, and they stay unknown
    #[arg(long)]
    abandon: bool,
}

pub(crate) async fn run(ctx: &mut Context, args: ResumeArgs) -> Result<ExitStatus, Failure> {
    let ledger = ctx.ledger()?;
    resume(ctx, ledger, args).await.map_err(recorded)
}

async fn resume(
    ctx: &mut Context,
    mut ledger: Ledger,
    args: ResumeArgs,
) -> Result<ExitStatus, Failure> {
    ledger.demand_all_rows()?;
    let mut requests = match &args.name {
        Some(name) => vec![find_meant(ctx, &ledger, name)?],
        None => ledger.list_requests(Which::Open)?,
    };
    requests.retain(|request| ctx.means(&request.asked.project));
    let meant = meant_jobs(&ledger, &requests, &args)?;
    if args.word.abandon {
        for job in &meant {
            if let Settling::Taken(state) = ledger.record_abandoned(job, ctx.clock.now())? {
                ctx.ui.warn("settled_meanwhile", &settled_text(job, state));
            }
        }
        requests = waiting::renew(&ledger, &requests)?;
    }
    if args.word.send_again {
        let event = AuditEvent::SendAgainAsked;
        ledger.record_job_events(event, &meant, ctx.clock.now())?;
    }
    let settle = match args.word.send_again {
        true => Settle::Chosen(meant.clone()),
        false => Settle::Recent,
    };
    let waiting = requests.iter().filter(|request| request.needs_resume());
    let waiting: Vec<_> = waiting.cloned().collect();
    let asked = match args.wait.wait {
        true => &requests,
        false => &waiting,
    };
    let projects = ctx.projects_of(asked)?;
    let clients = ctx.clients(&projects)?;
    ctx.interrupt.begin();
    let total = waiting.iter();
    let total = total.map(|request| request.count_jobs(JobGroup::needs_resume));
    let report = {
        let lines = args.wait.lines();
        let progress = Progress::start(&ctx.ui, Phase::Submitting, total.sum(), lines);
        let mut run = ctx.run(&mut ledger, &clients, &progress);
        if let (Some(task), [job]) = (&args.word.task, meant.as_slice()) {
            adopt(ctx, &mut run, job, &requests, task).await?;
        }
        // Only these: another dsr answers for the jobs that it is sending now.
        let ids: Vec<_> = waiting.iter().map(|request| request.id.clone()).collect();
        let mut report = workflow::submit(&mut run, &ids, &settle, args.max_wait).await?;
        report.requests = waiting::renew(run.ledger, &requests)?;
        report
    };
    let (scope, shown) = match args.name {
        Some(_) => {
            let ids = requests.iter().map(|request| request.id.clone());
            (Scope::Requests(ids.collect()), Shown::Jobs)
        }
        None if ctx.projects.is_empty() => (Scope::All, Shown::List),
        None => (Scope::Projects(ctx.projects.clone()), Shown::List),
    };
    let (mut report, troubles) = args
        .wait
        .follow(ctx, &mut ledger, &clients, &scope, report)
        .await?;
    deadlines::warn_of_token_for(ctx, &ledger, &report.requests)?;
    // A dsr that seemed to be sending at first may have been killed since, or be known as dead by now.
    ctx.record_left(&mut ledger)?;
    minimise::sweep(ctx, &mut ledger);
    ledger.in_one_view(|ledger| {
        report.requests = waiting::renew(ledger, &report.requests)?;
        let (requests, clock) = (&report.requests, ctx.clock.as_ref());
        ctx.ui.print_requests(ledger, requests, shown, clock)?;
        Ok::<_, Failure>(())
    })?;
    // Their calls may still arrive, so nobody can settle them yet.
    if let Some((jobs, until)) = ledger.find_vanished()?
        && report.exit_status() == ExitStatus::Done
    {
        ctx.ui.fail(
            &Failure::new(ExitStatus::Temporary, "temporary", vanished(jobs, until))
                .hint("nothing else is left to send"),
        );
        return Ok(ExitStatus::Temporary);
    }
    if report.requests.is_empty() {
        return Ok(ExitStatus::Done);
    }
    let followed = match args.wait.wait {
        true => FollowEnd::ToTheEnd,
        false => FollowEnd::No,
    };
    Ok(outcome::tell(ctx, &report, &troubles, followed))
}

/// Returns the unknown jobs that the operator decides about; none without a decision.
fn meant_jobs(
    ledger: &Ledger,
    requests: &[RequestRecord],
    args: &ResumeArgs,
) -> Result<Vec<JobId>, Failure> {
    if args.word.task.is_none() && !args.word.send_again && !args.word.abandon {
        return Ok(Vec::new());
    }
    let mut meant = Vec::new();
    for request in requests {
        for job in ledger.jobs(&request.id, Standing::Unsettled) {
            let id = job?.id;
            if args.job.is_none_or(|number| id.number == number) {
                meant.push(id);
            }
        }
    }
    match meant.len() {
        0 => Err(given_up(ledger, requests, args.job)?.unwrap_or_else(|| {
            usage("there is no unknown job to resolve")
                .hint("see the jobs with `dsr status REQUEST`")
        })),
        many @ 2.. if args.word.task.is_some() => Err(usage(format!(
            "{many} jobs are unknown; one task belongs to one job"
        ))
        .hint("name the job with `--job N`")),
        _ => Ok(meant),
    }
}

fn given_up(
    ledger: &Ledger,
    requests: &[RequestRecord],
    number: Option<u32>,
) -> Result<Option<Failure>, Failure> {
    let mut days = Vec::new();
    for request in requests {
        for job in ledger.jobs(&request.id, Standing::Any) {
            let job = job?;
            let is_meant = number.is_none_or(|number| job.id.number == number);
            days.extend(job.abandoned_at.filter(|_| is_meant));
        }
    }
    let Some(last) = days.iter().max() else {
        return Ok(None);
    };
    let jobs = match days.len() {
        1 => "this job was".to_owned(),
        many => format!("these {many} jobs were"),
    };
    let day = last.date_naive();
    let message = format!("{jobs} abandoned on {day}; nothing was sent");
    Ok(Some(usage(message).hint(
        "an abandoned job cannot be sent again: make a new request",
    )))
}

async fn adopt(
    ctx: &Context,
    run: &mut Run<'_>,
    job: &JobId,
    requests: &[RequestRecord],
    task: &str,
) -> Result<(), Failure> {
    let bad = |what: &str| {
        usage(format!("task `{task}` {what}; nothing was changed"))
            .hint("check the task id, the project and its region")
    };
    let Some(id) = TaskId::new(task) else {
        return Err(bad("is not a task id"));
    };
    let request = requests.iter().find(|request| request.id == job.request);
    let Some(request) = request else {
        return Ok(());
    };
    let kind = request.asked.operation.kind();
    let key = &request.asked.project_key;
    match workflow::apart(workflow::adopt(run, job, kind, key, &id).await)? {
        Ok(Adopted::Yes) => Ok(()),
        Ok(Adopted::NotFound) => Err(bad("is not known to Mixpanel in this project")),
        Ok(Adopted::NotSaid) => Err(bad("got no clear answer from Mixpanel")),
        Ok(Adopted::OtherTask) => Err(bad("got an answer about another task")),
        Ok(Adopted::TooOld(made)) => Err(bad(&format!(
            "was made on {made}, before job {} was sent",
            job.number
        ))),
        Ok(Adopted::OtherIds(difference)) if difference.is_all() => {
            Err(bad(&format!("has no id in common with job {}", job.number)))
        }
        Ok(Adopted::OtherIds(difference)) => Err(bad(&format!(
            "has other ids than job {}: {difference}",
            job.number
        ))),
        Ok(Adopted::OtherJob(other)) => Err(bad(&format!(
            "is the task of job {} of request {}",
            other.number,
            other.request.short()
        ))),
        Ok(Adopted::Taken(state)) => Err(usage(settled_text(job, state)).hint(format!(
            "see it with `dsr status {} --cached`",
            job.request.short()
        ))),
        Err(trouble) => Err(outcome::trouble_failure(ctx, &trouble)),
    }
}

fn settled_text(job: &JobId, state: JobState) -> String {
    let (number, state) = (job.number, state.as_str());
    format!("another dsr has resolved job {number}: it is {state}; nothing was changed")
}
