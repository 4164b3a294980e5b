//! `--preflight`: asks Mixpanel who of the plan's people has a profile, before anything is sent.

use crate::commands::context::Context;
use crate::commands::failures::{NO_PREFLIGHT, profiles_failure};
use crate::config::Resolved;
use crate::domain::{Project, ProjectName};
use crate::mixpanel::Timeouts;
use crate::ui::{Failure, number, plural, profiles_text};
use crate::workflow::{self, Plan, Preflight};

use super::same_request;
use crate::commands::people::minimise;
use crate::commands::request::args::RequestArgs;

/// Demands what the queries need, before a large source is read.
pub(in crate::commands::request) fn demand_account(
    ctx: &Context,
    resolved: &[Resolved],
    request: &RequestArgs,
) -> Result<(), Failure> {
    if !request.preflight {
        return Ok(());
    }
    for project in resolved.iter().map(|resolved| &resolved.project) {
        ctx.demand_project_id(project)?;
        ctx.account_of(project)?;
    }
    Ok(())
}

/// Asks about each plan's people, if the operator wants that.
pub(in crate::commands::request) async fn ask_first(
    ctx: &mut Context,
    plans: &mut [Plan],
    request: &RequestArgs,
) -> Result<(), Failure> {
    if !request.preflight {
        return Ok(());
    }
    demand_the_rest(ctx, plans, request)?;
    for plan in plans {
        let id = ctx.demand_project_id(&plan.project)?;
        let client = ctx.query_client(&plan.project, Timeouts::default())?;
        let ids = plan.ids()?;
        let mut ledger = ctx.ledger_to_fill()?;
        let queries = workflow::count_queries(ids.count());
        let planned = ctx.planned_queries(&mut ledger, (&plan.project, id), queries)?;
        ctx.ui.note(&format!(
            "Preflight: asking Mixpanel for the profiles of {} in project {}: {planned}.",
            plural(ids.count(), "id", "ids"),
            plan.project.name,
        ));
        ctx.interrupt.begin();
        let max_wait = request.sending.max_wait;
        let mut queries = ctx.queries(&mut ledger, (&plan.project, id), max_wait);
        let found = workflow::find_profiles(&mut queries, (&client, id), &ids).await;
        ctx.interrupt.pause();
        let found = found.map_err(|error| profiles_failure(error, NO_PREFLIGHT))?;
        let is_shown = request.is_only_shown() || request.plan.is_some();
        match found.without.is_empty() {
            true if !is_shown => {
                let (name, profiles) = (&plan.project.name, profiles_text(&found));
                ctx.ui.note(&format!("Project {name}: {profiles}"));
            }
            false if !is_shown || found.with_profile == 0 => {
                warn_of_missing(ctx, &plan.project.name, &found);
            }
            _ => {}
        }
        plan.preflight = Some(found);
    }
    Ok(())
}

/// Demands what else the command needs, so that none of the hour's queries is spent in vain.
fn demand_the_rest(
    ctx: &mut Context,
    plans: &[Plan],
    request: &RequestArgs,
) -> Result<(), Failure> {
    if request.plan.is_some() {
        minimise::ledger_key(ctx, ctx.ledger_or_empty()?.if_no_key()?)?;
    }
    if !request.is_sent() {
        return Ok(());
    }
    let projects: Vec<Project> = plans.iter().map(|plan| plan.project.clone()).collect();
    ctx.clients_within(&projects, Timeouts::default())?;
    let ledger = ctx.ledger_to_fill()?;
    for plan in plans.iter().filter(|_| !request.sending.new) {
        let (operation, key) = (plan.order.operation, plan.project.key());
        if let Some(digest) = plan.ids_digest()?
            && let Some(id) = ledger.find_repeated(operation, &key, &digest)?
        {
            return Err(same_request(&ledger, &id)?);
        }
    }
    Ok(())
}

/// Warns of ids without a profile. If none has one, the project's number may be wrong.
fn warn_of_missing(ctx: &Context, project: &ProjectName, found: &Preflight) {
    let asked = plural(found.asked, "id", "ids");
    let none = number(found.without.len());
    let have = match found.without.len() {
        1 => "has",
        _ => "have",
    };
    let counted = format!("{none} of {asked} {have} no profile in project {project}");
    let advice = match found.with_profile {
        0 => format!(
            "Check `project_id` with `dsr project show {project}`: in another project, the ids have no profile either."
        ),
        _ => "A person without a profile may still have events.".to_owned(),
    };
    ctx.ui
        .warn_of_places("no_profile", &counted, &found.without, &advice);
}
