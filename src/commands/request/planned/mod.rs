//! Commands that end with a plan: shown by `--dry-run`, or written to a file for approval.

mod earlier;
mod preflight;

use std::path::Path;

use crate::commands::context::Context;
use crate::commands::failures::{local_io, quoted, usage};
use crate::commands::people::minimise;
use crate::config::Resolved;
use crate::domain::{Actor, ExitStatus, Kind, Operation, ProjectKey, RequestId};
use crate::ledger::Ledger;
use crate::plan_file::{PlanFile, PlanFileError};
use crate::ui::{Checked, Failure, PlanFileView, PlanView, WrittenView};
use crate::workflow::{self, Plan};

use super::args::RequestArgs;

pub(super) use earlier::{add_earlier, may_be_compared};
pub(super) use preflight::{ask_first, demand_account};

/// Demands a plan file for a deletion in a project that needs approvals. Fails if the plan is for
/// several projects, or its file exists.
pub(super) fn demand_a_plan(
    operation: Operation,
    resolved: &[Resolved],
    request: &RequestArgs,
) -> Result<(), Failure> {
    if let Some(path) = &request.plan {
        if resolved.len() > 1 {
            return Err(usage("a plan file is for one project").hint(
                "nothing was written; name one with `--project`, and plan the others separately",
            ));
        }
        // Checked before a large source is read. The writing does not overwrite a file either.
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
            .hint("run the same command with `--plan FILE`; then another person runs `dsr approve FILE`, and you run `dsr apply FILE`"))
        }
    }
}

/// Shows the plan or writes its file, if the operator asked for that. Nothing is sent then.
pub(super) fn end_with_plan(
    ctx: &Context,
    plans: &mut [Plan],
    request: &RequestArgs,
) -> Result<Option<ExitStatus>, Failure> {
    match &request.plan {
        _ if request.is_only_shown() => Ok(Some(show(ctx, plans)?)),
        Some(path) => Ok(Some(write(ctx, plans, path)?)),
        None => Ok(None),
    }
}

fn show(ctx: &Context, plans: &mut [Plan]) -> Result<ExitStatus, Failure> {
    add_earlier(ctx, plans);
    let plans = &*plans;
    let now = ctx.clock.now();
    let today = ctx.clock.today();
    let view = PlanView { plans, now, today };
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    note_approvals(ctx, plans)?;
    note_open_requests(ctx, plans);
    Ok(ExitStatus::Done)
}

/// Names open requests that have the same ids. A ledger that cannot be read does not prevent a plan,
/// and is named.
fn note_open_requests(ctx: &Context, plans: &[Plan]) {
    let ledger = ctx.ledger_to_ask();
    let ledger = ledger.and_then(|ledger| {
        ledger.demand_not_set_back()?;
        ledger.demand_all_rows()?;
        Ok(ledger)
    });
    let ledger = match ledger {
        Ok(ledger) => ledger,
        Err(failure) => {
            let why = format!("not compared with open requests: {}", failure.message);
            return ctx.ui.warn("ledger", &why);
        }
    };
    for plan in plans {
        let Ok(Some(digest)) = plan.ids_digest() else {
            return;
        };
        let project = plan.project.key();
        note_open_request(ctx, &ledger, plan.order.operation, &project, &digest);
    }
}

/// Names an open request that has the ids with this digest.
pub(crate) fn note_open_request(
    ctx: &Context,
    ledger: &Ledger,
    operation: Operation,
    project: &ProjectKey,
    digest: &str,
) {
    if let Ok(Some(request)) = ledger.find_repeated(operation, project, digest) {
        ctx.ui.note(&format!(
            "Request {} is open and has exactly these ids. dsr sends them again only with `--new`.",
            request.short()
        ));
    }
}

/// Says which of these deletions dsr sends only with a plan file that others have approved.
fn note_approvals(ctx: &Context, plans: &[Plan]) -> Result<(), Failure> {
    let is_deleted = |name: &str| {
        plans.iter().any(|plan| {
            plan.project.name.to_string() == name && plan.order.operation.kind() == Kind::Delete
        })
    };
    for one in ctx.resolve()? {
        let name = one.project.name.to_string();
        if one.approvals > 0 && is_deleted(&name) {
            let approvals = one.approvals;
            ctx.ui.note(&format!(
                "Approvals: project `{name}` needs {approvals}. Write the plan to a file with `--plan FILE`; without it, dsr sends nothing."
            ));
        }
    }
    Ok(())
}

fn write(ctx: &Context, plans: &mut [Plan], path: &Path) -> Result<ExitStatus, Failure> {
    add_earlier(ctx, plans);
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
    let (key, _) = minimise::ledger_key(ctx, ledger.if_no_key()?)?;
    drop(ledger);
    let own = ctx.actor();
    let creator = match ctx.is_sandbox() && !own.is_somebody() {
        // A container has no user name, and a rehearsal still needs several people.
        true => Actor::new("you", own.host()),
        false => own.clone(),
    };
    workflow::write_plan(path, &plan, &key, &creator, now)?;
    let file = PlanFile::open(path)?;
    if ctx.is_sandbox() {
        ctx.ui.warn(
            "sandbox_plan",
            "the sandbox's key is not secret: anyone with this file can read its ids",
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
    note_open_requests(ctx, std::slice::from_ref(&plan));
    let apply = format!("`dsr apply {}`", quoted(path));
    ctx.ui.note(&match kind {
        Kind::Delete => {
            let approve = approve_command(ctx, path);
            format!("Next: have another person run {approve}. Then run {apply}.")
        }
        Kind::Export => format!("Next: run {apply}."),
    });
    Ok(ExitStatus::Done)
}

/// The command that approves a plan. In a rehearsal the operator plays another person.
pub(crate) fn approve_command(ctx: &Context, path: &Path) -> String {
    let part = match ctx.is_sandbox() {
        true => " --as NAME",
        false => "",
    };
    format!("`dsr approve {}{part}`", quoted(path))
}

pub(crate) fn applied_before(id: &RequestId) -> Failure {
    let short = id.short();
    Failure::new(
        ExitStatus::Usage,
        "already_applied",
        format!("the plan was already applied, as request {short}; nothing was sent"),
    )
    .hint(format!("see it with `dsr status {short}`"))
}

/// The failure of a request while an open one asks for the same ids.
pub(super) fn same_request(ledger: &Ledger, id: &RequestId) -> Result<Failure, Failure> {
    let short = id.short();
    let found = ledger.find_request(id)?;
    let next = match found.is_some_and(|request| request.needs_resume()) {
        true => format!("continue it with `dsr resume {short}`"),
        false => format!("see it with `dsr status {short}`"),
    };
    let failure = Failure::new(
        ExitStatus::Usage,
        "same_request",
        format!("request {short} is open and asks for the same ids; nothing was sent"),
    )
    .hint(format!("{next}; or make a new request with `--new`"));
    Ok(failure)
}
