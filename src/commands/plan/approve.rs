//! `dsr approve`: adds the operator's approval to a plan file.

use crate::commands::context::Context;
use crate::commands::failures::{local_io, quoted, usage};
use crate::domain::{Actor, ExitStatus, YesFlag};
use chrono::NaiveDate;

use crate::plan_file::{PlanFile, PlanFileError};
use crate::ui::{Checked, Confirmable, Failure, PlanFileView, plural};

use super::file::{PlanFileArgs, find_key};
use crate::commands::request::planned::approve_command;

/// Approve a plan that another person has made
///
/// dsr shows the plan, asks for the number of ids, and adds your approval to the file: your
/// account's name, the host, the time and the plan's digest, under the team's ledger key. The
/// person who made the plan cannot approve it, and nobody can approve twice. One account name is
/// one person, on every host. dsr sends nothing and needs no token.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr apply erase.plan --dry-run                look at a plan; needs no key and no token
  dsr approve erase.plan                        asks before it approves
  dsr approve erase.plan --yes --expect 1234    in a script
  dsr --sandbox approve erase.plan --as ben     a rehearsal: you play another person")]
pub(crate) struct ApproveArgs {
    #[command(flatten)]
    plan: PlanFileArgs,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
    /// In the sandbox only: approve as this made-up person
    #[arg(long = "as", value_name = "NAME")]
    name: Option<String>,
}

fn view(file: &PlanFile, today: NaiveDate) -> PlanFileView<'_> {
    PlanFileView {
        file,
        approvals: Checked::Genuine,
        needed: None,
        today,
    }
}

pub(crate) fn run(ctx: &mut Context, args: &ApproveArgs) -> Result<ExitStatus, Failure> {
    let by = approver(ctx, args.name.as_deref())?;
    let file = args.plan.open()?;
    let key = find_key(ctx, &file)?;
    file.check_approvals(&key)?;
    file.demand_another(&by)
        .map_err(|error| refusal(ctx, &file, error))?;
    // Trust the header only after the ids match it.
    file.read_ids(&key, &mut |_| Ok::<_, PlanFileError>(()))?;
    let today = ctx.clock.today();
    let flag = YesFlag::of(args.yes);
    if flag == YesFlag::Absent {
        ctx.ui.show(&view(&file, today));
    }
    let ids = file.header().unique;
    ctx.ui
        .confirm(
            Confirmable::Approval,
            &file,
            &format!("You approve this plan as {by}."),
            ids,
            flag,
        )
        .map_err(|error| {
            Failure::from(error).or_hint("nothing was approved; add `--yes --expect N`")
        })?;
    let (path, digest) = (file.path().to_owned(), *file.digest());
    drop(file);
    let approved = PlanFile::approve(&path, &digest, &by, &key, ctx.clock.now())?;
    let result = view(&approved, today);
    ctx.ui.print(&result).map_err(|error| local_io(&error))?;
    let given = plural(approved.approvals().len(), "approval", "approvals");
    let name = quoted(approved.path());
    ctx.ui.note(&format!(
        "The plan has {given}. Next: run `dsr apply {name}`."
    ));
    Ok(ExitStatus::Done)
}

/// In a rehearsal one operator plays all parts, so the hint names the next part.
fn refusal(ctx: &Context, file: &PlanFile, error: PlanFileError) -> Failure {
    let failure = Failure::from(error);
    match ctx.is_sandbox() {
        false => failure,
        true => {
            let command = approve_command(ctx, file.path());
            failure.hint(format!(
                "nothing was approved; play another person: {command}"
            ))
        }
    }
}

fn approver(ctx: &Context, name: Option<&str>) -> Result<Actor, Failure> {
    match name {
        None => Ok(ctx.actor().clone()),
        Some(name) if ctx.is_sandbox() => Ok(Actor::new(name, ctx.actor().host())),
        Some(_) => Err(usage("`--as` is for rehearsals only; nothing was approved")
            .hint("approve as who you are: leave `--as` out, or rehearse with `dsr --sandbox approve`")),
    }
}
