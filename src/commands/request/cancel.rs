//! `dsr cancel`: cancels deletions that Mixpanel has not started.

use crate::commands::context::Context;
use crate::commands::context::named::find_meant;
use crate::commands::failures::usage;
use crate::commands::people::minimise;
use crate::commands::status::deadlines::some_of;
use crate::commands::status::outcome::{
    by_word, given_up, other_token, trouble_failure, trouble_status,
};
use crate::domain::{ExitStatus, JobState, Kind, TaskId, YesFlag};
use crate::ledger::{Found, JobGroup, JobRecord, Ledger};
use crate::ui::{
    Confirmable, Failure, Phase, Progress, QuestionError, ResultLines, Shown, Ui, plural,
};
use crate::workflow::{self, CancelOutcome, CancelReport, RefreshTrouble, Signal, Strangers};

/// Cancel deletions that Mixpanel has not started
///
/// dsr cancels a request with all its jobs, or one task. Mixpanel cannot cancel exports. Mixpanel's
/// later report counts: dsr shows a job that it
/// had sent as revoked only if Mixpanel says so.
///
/// A task may have ids of other requests, or ids that this ledger does not know. Then dsr shows or
/// counts them, and asks you.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr cancel q7tz0xma             every job of a request
  dsr cancel 3e0b7f52-77aa-…      the one job with this task id")]
pub(crate) struct CancelArgs {
    /// A request (at least four characters of its id) or a task id
    #[arg(value_name = "REQUEST | TASK_ID")]
    name: String,
    /// Cancel even if the task also has ids of other requests
    #[arg(short, long)]
    yes: bool,
}

pub(crate) async fn run(ctx: &mut Context, args: CancelArgs) -> Result<ExitStatus, Failure> {
    let mut ledger = ctx.ledger()?;
    let request = match ledger.find_named(&args.name)? {
        // Cancelling the task cancels it for all of them. The question names the others.
        Found::Linked(mut all) if all.iter().all(|one| ctx.means(&one.asked.project)) => {
            all.remove(0)
        }
        _ => find_meant(ctx, &ledger, &args.name)?,
    };
    if request.asked.operation.kind() == Kind::Export {
        return Err(usage(format!(
            "`{}` is an export, and Mixpanel cannot cancel exports",
            args.name
        ))
        .hint(format!(
            "follow it with `dsr status {}`",
            request.id.short()
        )));
    }
    let of_task = ledger.list_jobs_of_task(&request.id, &args.name)?;
    let only = (!of_task.is_empty()).then_some(args.name.as_str());

    let cancellable = workflow::list_cancellable(&ledger, &request, only)?;
    let along = workflow::list_taken_along(&ledger, &cancellable)?;
    let count = cancellable.len();
    // Such a job may get a task meanwhile.
    let is_sending = request.count_jobs(|group| group.state == JobState::Sending) > 0;
    let projects = match count {
        0 if !is_sending => Vec::new(),
        _ => ctx.projects_of(std::slice::from_ref(&request))?,
    };
    let clients = ctx.clients(&projects)?;
    ctx.interrupt.begin();
    let strangers = match args.yes {
        true => Vec::new(),
        false => {
            let progress = Progress::start(&ctx.ui, Phase::Asking, count, ResultLines::None);
            let mut run = ctx.run(&mut ledger, &clients, &progress);
            let asked = workflow::list_strangers(&mut run, &cancellable).await;
            workflow::apart(asked)?.map_err(|trouble| trouble_failure(ctx, &trouble))?
        }
    };
    ctx.interrupt.pause();
    confirm(&ctx.ui, &along, &strangers, YesFlag::of(args.yes))?;
    ctx.interrupt.begin();
    let report = {
        let progress = Progress::start(&ctx.ui, Phase::Cancelling, count, ResultLines::None);
        let mut run = ctx.run(&mut ledger, &clients, &progress);
        workflow::cancel(&mut run, &request, only).await?
    };
    warn_of_each(&ctx.ui, &ledger, &report)?;
    minimise::sweep(ctx, &mut ledger);
    let requests = std::slice::from_ref(&report.request);
    ctx.ui
        .print_requests(&ledger, requests, Shown::Jobs, ctx.clock.as_ref())?;
    Ok(tell(ctx, &report))
}

/// Asks before ids of other requests are cancelled, too.
fn confirm(
    ui: &Ui,
    along: &[JobRecord],
    strangers: &[Strangers],
    flag: YesFlag,
) -> Result<(), Failure> {
    if along.is_empty() && strangers.is_empty() {
        return Ok(());
    }
    let ids: usize = along.iter().map(|job| job.ids).sum();
    let unknown: usize = strangers.iter().filter_map(|task| task.ids).sum();
    let jobs = along.iter().map(|job| {
        let ids = plural(job.ids, "id", "ids");
        let task = job.task.as_ref().map_or("-", TaskId::as_str);
        let (number, request) = (job.id.number, job.id.request.short());
        format!("{ids} of request {request}, job {number} (task {task})")
    });
    let jobs = jobs.collect::<Vec<_>>().join("; ");
    let mut lines = Vec::new();
    if !along.is_empty() {
        lines.push(format!("This also cancels {jobs}."));
    }
    lines.extend(strangers.iter().map(stranger_text));
    let what = lines.join("\n");
    let all = (along, strangers);
    let confirmed = ui.confirm(Confirmable::Cancellation, all, &what, ids + unknown, flag);
    confirmed.map(drop).map_err(|error| {
        // The question has shown it already.
        if matches!(error, QuestionError::NoTerminal { .. }) {
            ui.warn("taken_along", &what);
        }
        Failure::from(error).or_hint("nothing was cancelled; add `--yes` to cancel them, too")
    })
}

fn stranger_text(strangers: &Strangers) -> String {
    let task = &strangers.task;
    match strangers.ids {
        Some(ids) => format!(
            "Task {task} has {} that this ledger does not know. This also cancels their deletion.",
            plural(ids, "more id", "more ids")
        ),
        None => format!(
            "No request of this ledger made task {task}, and Mixpanel does not say which ids it has. This may also cancel the deletion of other people."
        ),
    }
}

/// Reports why each job that is not revoked was not cancelled.
fn warn_of_each(ui: &Ui, ledger: &Ledger, report: &CancelReport) -> Result<(), Failure> {
    for (job, outcome) in &report.jobs {
        let number = job.id.number;
        let (kind, text) = match outcome {
            CancelOutcome::Revoked => continue,
            CancelOutcome::Started => (
                "started",
                format!(
                    "Mixpanel has already {} it: it is too late to cancel",
                    begun(job)
                ),
            ),
            CancelOutcome::Failed => ("failed", "Mixpanel reports that it failed".to_owned()),
            CancelOutcome::NotFound => (
                "not_found",
                "Mixpanel knows no such task in this project; check its region and token"
                    .to_owned(),
            ),
            CancelOutcome::Unconfirmed { reason } => (
                "unconfirmed",
                format!("it may or may not have been cancelled: {reason}"),
            ),
            CancelOutcome::NotCancelled { reason } => {
                ("not_cancelled", format!("it was not cancelled: {reason}"))
            }
            CancelOutcome::Linked => ("linked", linked_text(ledger, job)?),
            CancelOutcome::Sending => ("sending", sending_text(ledger, job)?),
            CancelOutcome::Unknown if job.abandoned_at.is_some() => (
                "unknown_outcome",
                "it is abandoned, and dsr cannot cancel it without its task id".to_owned(),
            ),
            CancelOutcome::Unknown => (
                "unknown_outcome",
                "its outcome is unknown, and dsr cannot cancel it without its task id".to_owned(),
            ),
            CancelOutcome::InDoubt => (
                "unknown_outcome",
                "cancelled, but an earlier attempt to delete its ids may have been carried out"
                    .to_owned(),
            ),
            CancelOutcome::NothingCreated => (
                "refused",
                "Mixpanel refused it, so there is nothing to cancel".to_owned(),
            ),
        };
        let task = job.task.as_ref();
        let task = task.map_or_else(String::new, |task| format!(" (task {task})"));
        ui.warn(kind, &format!("job {number}{task}: {text}"));
    }
    Ok(())
}

fn sending_text(ledger: &Ledger, job: &JobRecord) -> Result<String, Failure> {
    let request = job.id.request.short();
    let vanished = ledger.list_vanished()?;
    let vanished = vanished.iter().find(|(vanished, _)| *vanished == job.id);
    Ok(match vanished {
        Some((_, until)) => format!(
            "the dsr on another host that was sending it vanished, and its call may still arrive. dsr does not send it again. After {}, run `dsr cancel {request}` again",
            until.format("%H:%M:%S UTC")
        ),
        None => format!(
            "another dsr is sending it now, and will not send it again. When it has its answer, run `dsr cancel {request}` for the task"
        ),
    })
}

fn linked_text(ledger: &Ledger, job: &JobRecord) -> Result<String, Failure> {
    let Some(task) = &job.task else {
        return Ok("it has no task of its own".to_owned());
    };
    let sharing = ledger.list_sharing(task, &job.id)?.into_iter();
    let mut others: Vec<String> = sharing
        .filter(|other| other.id.request != job.id.request)
        .map(|other| other.id.request.short().to_owned())
        .collect();
    others.dedup();
    let whose = match others.as_slice() {
        [] => "its task was not made for this request".to_owned(),
        [one] => format!("it shares its task with request {one}"),
        many => format!("it shares its task with requests {}", some_of(many)),
    };
    Ok(format!("{whose}. To cancel that task: `dsr cancel {task}`"))
}

/// Reports what went wrong, if anything did, and returns the exit status.
fn tell(ctx: &Context, report: &CancelReport) -> ExitStatus {
    let jobs = report.jobs.iter().map(|(_, outcome)| outcome.exit_status());
    let trouble = report.trouble.as_ref().and_then(trouble_status);
    let signal = report.signal.map(Signal::exit_status);
    let status = ExitStatus::most_pressing(jobs.chain(trouble).chain(signal));
    match failure(ctx, status, report) {
        Some(failure) => ctx.ui.fail(&failure),
        None => ctx.ui.note("Cancelled: Mixpanel will not carry it out."),
    }
    status
}

fn failure(ctx: &Context, status: ExitStatus, report: &CancelReport) -> Option<Failure> {
    let name = report.request.id.short();
    let again = format!("try again with `dsr cancel {name}`");
    let count = |wanted: ExitStatus| {
        let outcomes = report.jobs.iter().map(|(_, outcome)| outcome);
        let count = outcomes.filter(|o| o.exit_status() == wanted).count();
        plural(count, "job", "jobs")
    };
    let fail = |kind, message: String| Failure::new(status, kind, message);
    match status {
        ExitStatus::Done => None,
        ExitStatus::Refused => Some(
            fail("started", too_late(report))
                .hint(format!("follow the request with `dsr status {name}`")),
        ),
        ExitStatus::Unknown => Some(
            fail(
                "unknown_outcome",
                format!(
                    "dsr does not know whether Mixpanel will carry out {}",
                    count(status)
                ),
            )
            .hint(unknown_hint(report)),
        ),
        ExitStatus::Failed => Some(
            fail(
                "failed",
                format!("Mixpanel reports {} as failed or not found", count(status)),
            )
            .hint(format!("see which with `dsr status {name} --cached`")),
        ),
        ExitStatus::HungUp | ExitStatus::Interrupted | ExitStatus::Terminated => Some(
            fail(
                "interrupted",
                "interrupted; not every job was cancelled".to_owned(),
            )
            .hint(again),
        ),
        ExitStatus::Auth | ExitStatus::Usage => {
            report.trouble.as_ref().map(|trouble| match trouble {
                RefreshTrouble::NotAllowed { http_status } => refused(ctx, *http_status, &again),
                _ => trouble_failure(ctx, trouble),
            })
        }
        ExitStatus::Temporary => Some(temporary(report, &again, &count(status))),
        ExitStatus::Bug
        | ExitStatus::Input
        | ExitStatus::Running
        | ExitStatus::Overdue
        | ExitStatus::Locked
        | ExitStatus::LocalIo => None,
    }
}

/// How far Mixpanel is with a job that it no longer cancels.
fn begun(job: &JobRecord) -> &'static str {
    match job.state {
        JobState::Done => "finished",
        _ => "started",
    }
}

/// Such as `Too late: Mixpanel has already finished job 1 and started jobs 2, 3`.
fn too_late(report: &CancelReport) -> String {
    let jobs = |word: Option<&str>| {
        let is_meant = |(job, outcome): &&(JobRecord, CancelOutcome)| match outcome {
            CancelOutcome::Started => word == Some(begun(job)),
            CancelOutcome::Linked => word.is_none(),
            _ => false,
        };
        let numbers = report.jobs.iter().filter(is_meant);
        let numbers: Vec<String> = numbers.map(|(job, _)| job.id.number.to_string()).collect();
        match numbers.as_slice() {
            [] => None,
            [one] => Some(format!("job {one}")),
            many => Some(format!("jobs {}", some_of(many))),
        }
    };
    let begun = ["finished", "started"].into_iter();
    let begun = begun.filter_map(|word| Some(format!("{word} {}", jobs(Some(word))?)));
    let begun = begun.collect::<Vec<_>>().join(" and ");
    let late = (!begun.is_empty()).then(|| format!("Too late: Mixpanel has already {begun}"));
    let linked = jobs(None).map(|jobs| match jobs.starts_with("jobs") {
        true => format!("{jobs} are not cancelled: their tasks were not made for this request"),
        false => format!("{jobs} is not cancelled: its task was not made for this request"),
    });
    [late, linked]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("; ")
}

/// Mixpanel does not let this token cancel.
fn refused(ctx: &Context, http_status: u16, again: &str) -> Failure {
    let what = "Mixpanel refused to cancel";
    let message = format!("{what} ({http_status}); the deletion continues");
    let hint = format!("{}; then {again}", other_token(ctx, http_status));
    Failure::new(ExitStatus::Auth, "not_allowed", message).hint(hint)
}

/// dsr can ask about a known task; anything else only the operator can look up.
fn unknown_hint(report: &CancelReport) -> String {
    let name = report.request.id.short();
    let open = report.request.count_jobs(JobGroup::is_unsettled);
    let by_asking = report.jobs.iter().any(|(job, outcome)| {
        job.state.is_followed() && outcome.exit_status() == ExitStatus::Unknown
    });
    match (by_asking, open) {
        (true, _) => format!("ask Mixpanel again with `dsr status {name}`"),
        (false, 0) => given_up(&report.request),
        (false, open) => by_word(name, open),
    }
}

/// Jobs that Mixpanel did not cancel this time; trying again may help.
fn temporary(report: &CancelReport, again: &str, jobs: &str) -> Failure {
    let status = ExitStatus::Temporary;
    let reason = match &report.trouble {
        Some(RefreshTrouble::Unreachable { reason }) => reason.as_str(),
        Some(RefreshTrouble::RateLimited) => "Mixpanel's rate limit lasted too long",
        _ => "see above",
    };
    Failure::new(
        status,
        "temporary",
        format!("{jobs} could not be cancelled: {reason}"),
    )
    .hint(again)
}
