//! Checks the service accounts, if there are any: only questions about profiles need one.

use crate::commands::context::Context;
use crate::config::Resolved;
use crate::domain::{ExitStatus, Project};
use crate::mixpanel::AccountAnswer;
use crate::ui::{Check, Failure};
use crate::workflow;

use super::projects::TIMEOUTS;

const WHAT: &str = "service account";

/// Asks Mixpanel who each project's account is. That changes nothing, and is no query.
pub(super) async fn ask_each(ctx: &mut Context, resolved: &[Resolved], checks: &mut Vec<Check>) {
    for project in resolved.iter().map(|resolved| &resolved.project) {
        if ctx.interrupt.signal().is_some() {
            return;
        }
        let found = ask(ctx, project).await;
        checks.extend(found.map(|check| check.of(project.name.as_str())));
    }
}

/// Reports what [`ask_each`] would have asked.
pub(super) fn skip_each(ctx: &Context, resolved: &[Resolved], checks: &mut Vec<Check>) {
    for project in resolved.iter().map(|resolved| &resolved.project) {
        let found = match ctx.account_of(project) {
            Ok(_) => Some(Check::skipped(WHAT, "not asked: `--offline`")),
            Err(failure) => of_failure(ctx, &failure),
        };
        checks.extend(found.map(|check| check.of(project.name.as_str())));
    }
}

async fn ask(ctx: &mut Context, project: &Project) -> Option<Check> {
    let client = match ctx.query_client(project, TIMEOUTS) {
        Ok(client) => client,
        Err(failure) => return of_failure(ctx, &failure),
    };
    let answer = workflow::check_account(&client, &ctx.interrupt).await?;
    let (which, name) = (client.account().description(), &project.name);
    Some(match answer {
        AccountAnswer::Accepted if ctx.project_id(project).is_none() => Check::skipped(
            WHAT,
            format!(
                "Mixpanel accepts it; `--preflight` also needs `dsr project set {name} --project-id N`"
            ),
        ),
        AccountAnswer::Accepted => Check::fine(WHAT, "Mixpanel accepts it"),
        AccountAnswer::NotAllowed { http_status } => Check::problem(
            WHAT,
            ExitStatus::Auth,
            format!("Mixpanel refuses {which} ({http_status})"),
            "make a new one in Mixpanel, then run `dsr auth login --service-account`",
        ),
        AccountAnswer::Deferred => Check::warning(
            WHAT,
            "not checked: Mixpanel's rate limit (429)",
            "run `dsr doctor` again later",
        ),
        AccountAnswer::Unclear { reason } => Check::warning(
            WHAT,
            format!("not checked: {reason}"),
            "check the network, then run `dsr doctor` again",
        ),
    })
}

/// Nobody must have an account, and the tokens' checks report a keyring that cannot be used.
fn of_failure(ctx: &Context, failure: &Failure) -> Option<Check> {
    let is_named = ctx.environment.service_account_file.is_some();
    is_named.then(|| Check::of_failure(WHAT, failure))
}
