//! Looks values up in Mixpanel: its profile query, asked with the service account.

use crate::commands::context::Context;
use crate::commands::failures::{NO_LOOKUP, profiles_failure, usage};
use crate::domain::{Project, ProjectId};
use crate::mixpanel::{Timeouts, can_be_asked};
use crate::ui::{Failure, LookupOrigin, plural};
use crate::workflow::{self, Lookup, ValueBatches};

use super::LookupArgs;
use super::files::{LookupFiles, warn_of_unended};

/// Demands what the queries need, before anything is read.
pub(super) fn demand_project(
    ctx: &Context,
    args: &LookupArgs,
) -> Result<(Project, ProjectId), Failure> {
    if !can_be_asked(&args.by) {
        return Err(usage("the property's name has a quote, a backslash or a control character, and Mixpanel documents no way to ask for these; nothing was asked")
            .hint("look the values up in an export of the users: `--profiles FILE`"));
    }
    ctx.follow_servers_clock()?;
    let mut resolved = ctx.resolve().map_err(or_offline)?;
    if resolved.len() > 1 {
        return Err(usage("dsr asks one project at a time; nothing was asked")
            .hint("name one with `--project`"));
    }
    let project = resolved.remove(0).project;
    let id = ctx.demand_project_id(&project).map_err(or_offline)?;
    ctx.account_of(&project).map_err(or_offline)?;
    Ok((project, id))
}

fn or_offline(failure: Failure) -> Failure {
    let hint = failure.hint.clone().unwrap_or_default();
    failure.hint(format!(
        "{hint}; or look in an export of the users: `--profiles FILE`"
    ))
}

/// Asks for the profiles of every value, and then which of the other ids of these people have a
/// profile of their own. Every other check has passed.
pub(super) async fn find(
    ctx: &mut Context,
    (project, id): (&Project, ProjectId),
    (args, files): (&LookupArgs, &LookupFiles),
    lookup: &mut Lookup,
) -> Result<LookupOrigin, Failure> {
    files.demand_identities(ctx)?;
    let client = ctx.query_client(project, Timeouts::default())?;
    let mut ledger = ctx.ledger_to_fill()?;
    let batches = ValueBatches::of(lookup, &args.by);
    let planned = ctx.planned_queries(&mut ledger, (project, id), batches.count())?;
    ctx.ui.note(&format!(
        "Asking Mixpanel for {} in project {}: {planned}.",
        plural(lookup.count_values(), "value", "values"),
        project.name,
    ));
    ctx.interrupt.begin();
    let mut queries = ctx.queries(&mut ledger, (project, id), args.max_wait);
    let found = workflow::find_holders(&mut queries, (&client, id), &batches, lookup).await;
    ctx.interrupt.pause();
    let mut asked = found.map_err(|error| profiles_failure(error, NO_LOOKUP))?;
    if asked.profiles == 0 {
        let name = &project.name;
        ctx.ui.warn(
            "no_profile",
            &format!(
                "no profile in project {name} has one of the values. Check `--by` and, with `dsr project show {name}`, `project_id`: with another property or project, nobody is found either"
            ),
        );
    }
    let identities = files.join(ctx, lookup)?;
    warn_of_unended(ctx, identities.as_ref());
    let joined = lookup.joined_ids().len();
    if joined > 0 {
        let needed = workflow::count_queries(joined);
        let planned = ctx.planned_queries(queries.ledger, (project, id), needed)?;
        ctx.ui.note(&format!(
            "Asking Mixpanel which of {} have a profile: {planned}.",
            plural(joined, "id", "ids"),
        ));
        ctx.interrupt.begin();
        let found = workflow::find_joined_profiles(&mut queries, (&client, id), lookup).await;
        ctx.interrupt.pause();
        asked.queries += found.map_err(|error| profiles_failure(error, NO_LOOKUP))?;
    }
    Ok(LookupOrigin::Mixpanel {
        project: project.name.clone(),
        asked,
        identities,
    })
}
