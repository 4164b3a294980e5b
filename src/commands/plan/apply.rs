//! `dsr apply`: checks a plan file, and carries it out.

use std::path::PathBuf;

use crate::commands::context::Context;
use crate::commands::failures::{local_io, usage};
use crate::commands::request::args::SendingArgs;
use crate::commands::request::planned::{applied_before, approve_command, note_open_request};
use crate::commands::request::{delete, export};
use crate::commands::status::deadlines;
use crate::config::Resolved;
use crate::domain::{ExitStatus, IdsDigest, Kind, LedgerKey, Operation, YesFlag};
use crate::ledger::Ledger;
use crate::plan_file::{PlanFile, PlanFileError};
use crate::ui::{Checked, DatesShown, Failure, PlanFileView, number, plural};
use crate::workflow::{self, Outdated, Plan};

use super::file::{PlanFileArgs, find_key};

/// Send a plan, as it was made and approved
///
/// dsr checks that the plan is unchanged, approved, still valid and not applied before. Then it
/// sends, as `dsr delete` or `dsr export` does; a deletion asks for the number of ids first. With
/// `--dry-run` dsr only shows the plan.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr apply erase.plan --dry-run                look at a plan; needs no key and no token
  dsr apply erase.plan                          asks before it sends
  dsr apply erase.plan --yes --expect 1234      in a script
  dsr apply ids.plan --wait --download exports/
  dsr --sandbox apply erase.plan --wait         a rehearsal: nothing real")]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    plan: PlanFileArgs,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
    /// Show the plan, and send nothing
    #[arg(long, conflicts_with_all = ["wait", "timeout"])]
    dry_run: bool,
    #[command(flatten)]
    sending: SendingArgs,
    /// Wait, and fetch each finished export into this folder, as `dsr download --to DIR` does
    #[arg(long, value_name = "DIR", conflicts_with = "dry_run")]
    download: Option<PathBuf>,
}

pub(crate) async fn run(ctx: &mut Context, mut args: ApplyArgs) -> Result<ExitStatus, Failure> {
    args.sending.wait.wait |= args.download.is_some();
    let file = args.plan.open()?;
    if args.dry_run {
        return look_at(ctx, &file);
    }
    let kind = file.header().operation.kind();
    if kind == Kind::Delete && args.download.is_some() {
        return Err(
            usage("a deletion has nothing to download; nothing was sent")
                .hint("leave `--download` out"),
        );
    }
    let key = find_key(ctx, &file)?;
    file.check_approvals(&key)?;
    let found = find_project(ctx, &file)?;
    let needed = found.approvals as usize;
    check_fit(ctx, &file, &found)?;
    let ledger = ctx.ledger_or_empty()?;
    if let Some(request) = ledger.find_applied(file.digest())? {
        return Err(applied_before(&request));
    }
    if let Some(failure) = applied_in_lost_time(&ledger, &file)?
        && !args.sending.new
    {
        return Err(failure);
    }
    let plan = restore(ctx, &ledger, &file, found, &key)?;
    drop(ledger);
    ctx.ui.show(&PlanFileView {
        file: &file,
        approvals: Checked::Genuine,
        needed: Some(needed).filter(|_| kind == Kind::Delete),
        today: ctx.clock.today(),
    });
    deadlines::warn_of_plan(ctx, &plan);
    let plans = vec![plan];
    let status = match file.header().operation {
        Operation::Export(_) => {
            let folder = args.download.as_deref();
            export::carry_out(ctx, plans, &args.sending, folder).await?
        }
        Operation::Delete(_) => {
            let flag = YesFlag::of(args.yes);
            let confirmed = delete::confirm(ctx, plans, flag, DatesShown::Already)?;
            delete::carry_out(ctx, confirmed, &args.sending).await?
        }
    };
    ctx.ui
        .note("The plan file holds the ids, encrypted. Delete it when you no longer need it.");
    Ok(status)
}

/// Why a plan that is older than the end of a lost time may have been applied before, until the
/// operator has reviewed that time.
fn applied_in_lost_time(ledger: &Ledger, file: &PlanFile) -> Result<Option<Failure>, Failure> {
    let mut lost = ledger.list_lost_times()?.into_iter();
    let created = file.header().created;
    let lost = lost.find(|lost| lost.review.is_none() && created <= lost.accepted_at);
    Ok(lost.map(|lost| {
        Failure::new(
            ExitStatus::Usage,
            "already_applied",
            format!("the plan may have been applied before; nothing was sent: {lost}"),
        )
        .hint("look for its task in Mixpanel; to apply the plan all the same, add `--new`")
    }))
}

fn find_project(ctx: &Context, file: &PlanFile) -> Result<Resolved, Failure> {
    let name = &file.header().project;
    if !ctx.means(name) {
        return Err(usage(format!(
            "the plan is for project `{name}`, and `--project` names another; nothing was sent"
        ))
        .hint("leave `--project` out"));
    }
    ctx.resolve_named(name)
}

/// Checks that the plan still fits its project, and has the approvals it needs.
fn check_fit(ctx: &Context, file: &PlanFile, found: &Resolved) -> Result<(), Failure> {
    let needed = found.approvals as usize;
    let fits = workflow::check_fit(file, &found.project, needed, ctx.clock.now());
    fits.map_err(|error| {
        let command = approve_command(ctx, file.path());
        match error {
            Outdated::NotEnoughApprovals { .. } => Failure::from(error).hint(format!(
                "nothing was sent; have another person run {command}"
            )),
            error => error.into(),
        }
    })
}

/// Takes the ids out of the file, and warns if jobs are smaller than planned.
fn restore(
    ctx: &Context,
    ledger: &Ledger,
    file: &PlanFile,
    found: Resolved,
    key: &LedgerKey,
) -> Result<Plan, Failure> {
    let project = found.project;
    ctx.warn_of_odd_token(&project);
    let kind = file.header().operation.kind();
    let learned = ledger.find_learned_limit(&project.key(), kind, ctx.clock.now())?;
    let learned = learned.map(|learned| learned.limit);
    let allowed = project.limits.for_kind(kind);
    let plan = workflow::restore_plan(file, project, key, learned, ctx.home.data())?;
    let (limit, planned) = (plan.limit(), file.header().batch);
    if limit < planned {
        let why = match limit < allowed {
            true => "Mixpanel has refused larger jobs since",
            false => "the project's settings have changed",
        };
        ctx.ui.warn(
            "smaller_jobs",
            &format!(
                "jobs have at most {}, not {} as planned: {why}",
                plural(limit.get(), "id", "ids"),
                number(planned.get())
            ),
        );
    }
    Ok(plan)
}

/// Shows a plan as far as this host can check it, and reports what would stop it.
fn look_at(ctx: &Context, file: &PlanFile) -> Result<ExitStatus, Failure> {
    let key = find_key(ctx, file);
    let mut digest = IdsDigest::default();
    let approvals = match &key {
        // A forged or changed plan is not worth a look.
        Ok(key) => {
            file.check_approvals(key)?;
            file.read_ids(key, &mut |id| {
                digest.add(id);
                Ok::<_, PlanFileError>(())
            })?;
            Checked::Genuine
        }
        Err(_) => Checked::No,
    };
    let found = find_project(ctx, file);
    let mut against = Vec::new();
    let needed = found.as_ref().ok().map(|found| found.approvals as usize);
    match &found {
        Ok(found) => {
            against.extend(check_fit(ctx, file, found).err());
        }
        Err(failure) => against.push(failure.clone()),
    }
    let ledger = ctx.ledger_or_empty()?;
    let applied = ledger.find_applied(file.digest())?;
    against.extend(applied.map(|request| applied_before(&request)));
    against.extend(applied_in_lost_time(&ledger, file)?);
    for failure in against {
        ctx.ui.warn(
            "not_applicable",
            &format!("dsr cannot apply this plan: {}", failure.message),
        );
    }
    let is_deletion = file.header().operation.kind() == Kind::Delete;
    let view = PlanFileView {
        file,
        approvals,
        needed: needed.filter(|_| is_deletion),
        today: ctx.clock.today(),
    };
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    if let (Ok(_), Ok(found)) = (&key, &found) {
        let (operation, digest) = (file.header().operation, digest.to_string());
        note_open_request(ctx, &ledger, operation, &found.project.key(), &digest);
    }
    Ok(ExitStatus::Done)
}
