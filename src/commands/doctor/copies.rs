//! Lists the copies of each project's data that Mixpanel knows of: where it goes, and what comes
//! in. What cannot be read is a problem, and never "no copies".

use crate::commands::context::Context;
use crate::config::Resolved;
use crate::domain::{ExitStatus, Project};
use crate::mixpanel::{CopiesAnswer, CopyKind, ListedCopy};
use crate::ui::{Check, Failure, ProjectCopies, plural};
use crate::workflow;

use super::projects::TIMEOUTS;

const WHAT: &str = "copies";
const LOOK: &str =
    "look in Mixpanel itself, then run `dsr doctor --copies` again: `dsr guide copies`";

/// Asks for both lists of each project. That changes nothing, and is no query.
pub(super) async fn ask_each(
    ctx: &mut Context,
    resolved: &[Resolved],
    checks: &mut Vec<Check>,
) -> Vec<ProjectCopies> {
    let mut found = Vec::new();
    for project in resolved.iter().map(|resolved| &resolved.project) {
        let mut copies = ProjectCopies::unknown(&project.name);
        let mut told = Vec::new();
        if let Err(failure) = ask(ctx, project, &mut copies, &mut told).await {
            told.push(Check::of_failure(WHAT, &failure));
        }
        let of_project = |check: Check| check.of(project.name.as_str());
        checks.extend(told.into_iter().map(of_project));
        found.push(copies);
    }
    found
}

/// # Errors
/// When there is no account or no `project_id`.
async fn ask(
    ctx: &mut Context,
    project: &Project,
    copies: &mut ProjectCopies,
    told: &mut Vec<Check>,
) -> Result<(), Failure> {
    let name = &project.name;
    let client = ctx.query_client(project, TIMEOUTS)?;
    let Some(id) = ctx.project_id(project) else {
        let fix = format!("run `dsr project set {name} --project-id N`");
        let message = "not asked: the project has no `project_id`";
        told.push(Check::problem(WHAT, ExitStatus::Usage, message, fix));
        return Ok(());
    };
    for (kind, list) in [
        (CopyKind::Pipeline, &mut copies.pipelines),
        (CopyKind::WarehouseImport, &mut copies.warehouse_imports),
    ] {
        let Some(answer) = workflow::list_copies(&client, id, kind, &ctx.interrupt).await else {
            return Ok(());
        };
        told.extend(of_answer(kind, &answer));
        if let CopiesAnswer::Listed {
            copies: listed,
            is_whole,
        } = answer
        {
            copies.is_complete &= is_whole;
            *list = Some(listed);
        }
    }
    Ok(())
}

fn of_answer(kind: CopyKind, answer: &CopiesAnswer) -> Vec<Check> {
    let lists = match kind {
        CopyKind::Pipeline => "pipelines",
        CopyKind::WarehouseImport => "warehouse imports",
    };
    let unchecked = |status, why: &str, fix: &str| {
        let message = format!("could not check the {lists}: {why}");
        vec![Check::problem(WHAT, status, message, fix)]
    };
    match answer {
        CopiesAnswer::Listed { copies, is_whole } => {
            let found = Check::fine(WHAT, found_text(kind, copies));
            let gap = (!is_whole).then(|| {
                let message = format!(
                    "the list of {lists} may lack some: Mixpanel's answer has parts that dsr does not know"
                );
                Check::warning(WHAT, message, LOOK)
            });
            std::iter::once(found).chain(gap).collect()
        }
        CopiesAnswer::NotAllowed { http_status } => unchecked(
            ExitStatus::Auth,
            &format!("Mixpanel refuses the service account ({http_status})"),
            "check `project_id`, the region, and that the account is an admin or owner of the project",
        ),
        CopiesAnswer::Deferred => unchecked(
            ExitStatus::Temporary,
            "Mixpanel's rate limit (429)",
            "run `dsr doctor --copies` again later",
        ),
        CopiesAnswer::Unclear { reason } => unchecked(ExitStatus::Temporary, reason.as_str(), LOOK),
    }
}

/// An empty list does not mean that there are no copies.
fn found_text(kind: CopyKind, copies: &[ListedCopy]) -> String {
    match (kind, copies.len()) {
        (CopyKind::Pipeline, 0) => {
            "Mixpanel lists no pipeline; it may list only those made with its API".to_owned()
        }
        (CopyKind::WarehouseImport, 0) => "Mixpanel lists no warehouse import".to_owned(),
        (CopyKind::Pipeline, count) => plural(count, "pipeline", "pipelines"),
        (CopyKind::WarehouseImport, count) => {
            plural(count, "warehouse import", "warehouse imports")
        }
    }
}
