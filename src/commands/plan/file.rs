//! Plan files: written by `dsr delete` and `dsr export`, looked at by `dsr approve` and `dsr apply`.

use std::path::{Path, PathBuf};

use crate::commands::context::Context;
use crate::commands::failures::{local_io, no_key_for_plans, quoted, usage};
use crate::commands::people::minimise;
use crate::commands::request::submission::RequestArgs;
use crate::config::{Mode, Resolved};
use crate::credentials::{IfNone, find_ledger_key};
use crate::domain::{Actor, ExitStatus, Kind, LedgerKey, Operation, PlanDigest, RequestId};
use crate::plan_file::{PlanFile, PlanFileError};
use crate::sandbox;
use crate::ui::{Checked, Failure, PlanFileView, PlanView, WrittenView, number};
use crate::workflow::{self, Plan};

/// Which plan file, and what it is expected to be.
#[derive(clap::Args, Debug)]
pub(crate) struct PlanFileArgs {
    /// A file that `--plan` of `dsr delete` or `dsr export` has written
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Refuse unless this is the digest of the plan, all 64 digits of it
    #[arg(long, value_name = "HEX", value_parser = parse_digest)]
    digest: Option<PlanDigest>,
    /// Refuse unless the plan is about exactly N unique ids
    #[arg(long, value_name = "N")]
    expect: Option<usize>,
}

fn parse_digest(text: &str) -> Result<PlanDigest, String> {
    PlanDigest::parse(text).ok_or_else(|| "64 hex digits, as `dsr apply` shows them".to_owned())
}

impl PlanFileArgs {
    /// Opens the file, if it is whole and what is expected.
    pub(crate) fn open(&self) -> Result<PlanFile, Failure> {
        let file = PlanFile::open(&self.file)?;
        let unexpected = |message: String| {
            Failure::new(ExitStatus::Input, "unexpected_plan", message)
                .hint("nothing was done; check that it is the right file")
        };
        if let Some(expected) = self.digest
            && expected != *file.digest()
        {
            let (expected, found) = (expected.short(), file.digest().short());
            return Err(unexpected(format!(
                "the file holds plan {found}, not plan {expected}"
            )));
        }
        let unique = file.header().unique;
        match self.expect {
            Some(expected) if expected != unique => Err(unexpected(format!(
                "{} unique ids were expected, and the plan is about {}",
                number(expected),
                number(unique)
            ))),
            Some(_) | None => Ok(file),
        }
    }
}

/// A deletion in a project that demands approvals is planned first, and applied when it has them.
///
/// # Errors
/// When it is to be sent at once; and when a plan would not be for one project, or something is in
/// its place.
pub(crate) fn demand_a_plan(
    operation: Operation,
    resolved: &[Resolved],
    request: &RequestArgs,
) -> Result<(), Failure> {
    if let Some(path) = &request.plan {
        if resolved.len() > 1 {
            return Err(usage("a plan file is for one project").hint(
                "nothing was written; name one with `--project`, and plan the others apart",
            ));
        }
        // Found out before a source of any size is read; nothing is overwritten later, either.
        if path.symlink_metadata().is_ok() {
            return Err(PlanFileError::Exists { path: path.clone() }.into());
        }
        return Ok(());
    }
    let is_sent = matches!(operation, Operation::Delete(_)) && !request.is_only_shown();
    match resolved.iter().find(|one| is_sent && one.approvals > 0) {
        None => Ok(()),
        Some(strict) => {
            let name = &strict.project.name;
            let approvals = strict.approvals;
            Err(Failure::new(
                ExitStatus::Usage,
                "approvals",
                format!("deletions in project `{name}` need a plan that others have approved (`approvals = {approvals}`); nothing was sent"),
            )
            .hint("plan it: the same command with `--plan FILE`; then another operator runs `dsr approve FILE`, and you `dsr apply FILE`"))
        }
    }
}

/// Writes the plan of a command to a new file, and shows it.
pub(crate) fn write(ctx: &Context, plans: &[Plan], path: &Path) -> Result<ExitStatus, Failure> {
    let [plan] = plans else {
        return Err(usage("a plan file is for one project"));
    };
    let ledger = ctx.ledger_or_empty()?;
    let mut plan = plan.clone();
    let kind = plan.order.operation.kind();
    let now = ctx.clock.now();
    if let Some(learned) = ledger.find_learned_limit(&plan.project.key(), kind, now)? {
        plan.allow_at_most(learned.limit);
    }
    let (key, _) = minimise::ledger_key(ctx, ledger.find_people_key()?.as_deref())?;
    drop(ledger);
    let own = ctx.actor();
    let creator = match ctx.is_sandbox() && !own.is_somebody() {
        // A rehearsal in a container has several people all the same.
        true => Actor::new("you", own.host()),
        false => own.clone(),
    };
    workflow::write_plan(path, &plan, &key, &creator, now)?;
    let file = PlanFile::open(path)?;
    if ctx.is_sandbox() {
        ctx.ui.warn(
            "sandbox_plan",
            "the sandbox's key is no secret: whoever has this file can read its ids",
        );
    }
    let today = ctx.clock.today();
    let view = WrittenView {
        plan: PlanView {
            plans: std::slice::from_ref(&plan),
            now,
            today,
        },
        file: PlanFileView {
            file: &file,
            approvals: Checked::Genuine,
            needed: None,
            today,
        },
    };
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    let apply = format!("`dsr apply {}`", quoted(path));
    ctx.ui.note(&match kind {
        Kind::Delete => {
            let approve = approve_command(ctx, path);
            format!("Have another operator run {approve}, which shows it; then run {apply}.")
        }
        Kind::Export => format!("Carry it out with {apply}."),
    });
    Ok(ExitStatus::Done)
}

/// The key that a plan was sealed with, wherever its operator keeps it. None is made.
pub(crate) fn find_key(ctx: &Context, file: &PlanFile) -> Result<LedgerKey, Failure> {
    let key = match ctx.mode {
        Mode::Sandbox { .. } => LedgerKey::restore(sandbox::LEDGER_KEY),
        Mode::Real => {
            let found = find_ledger_key(&ctx.environment, ctx.home.data(), IfNone::Leave);
            found.map_err(|error| no_key_for_plans(&error))?.0
        }
    };
    file.demand_key(&key)?;
    Ok(key)
}

/// What somebody else runs to approve a plan; in a rehearsal the operator plays that part, too.
pub(crate) fn approve_command(ctx: &Context, path: &Path) -> String {
    let part = match ctx.is_sandbox() {
        true => " --as NAME",
        false => "",
    };
    format!("`dsr approve {}{part}`", quoted(path))
}

/// The plan was applied before, as this request.
pub(crate) fn applied_before(id: &RequestId) -> Failure {
    let short = id.short();
    Failure::new(
        ExitStatus::Usage,
        "already_applied",
        format!("the plan was applied already, as request {short}; nothing was sent"),
    )
    .hint(format!("see how it stands with `dsr status {short}`"))
}
