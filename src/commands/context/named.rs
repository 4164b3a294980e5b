//! Finds the request that the operator names by the beginning of its id, or by a task.

use crate::commands::failures::usage;
use crate::domain::{Kind, RequestId};
use crate::ledger::{Found, Ledger, RequestRecord};
use crate::ui::{Failure, plural};

use super::Context;

pub(crate) fn find(ledger: &Ledger, name: &str) -> Result<RequestRecord, Failure> {
    match ledger.find_named(name)? {
        Found::One(request) => Ok(*request),
        Found::Nothing => Err(nothing(ledger, name)?),
        Found::Several(ids) => {
            let names: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
            let names = names.join(", ");
            Err(
                usage(format!("`{name}` stands for several requests: {names}"))
                    .hint("type more of the id"),
            )
        }
    }
}

fn nothing(ledger: &Ledger, name: &str) -> Result<Failure, Failure> {
    let lost = ledger.list_lost_times()?;
    let lost: Vec<String> = lost.iter().map(ToString::to_string).collect();
    let why = match lost.is_empty() {
        true => String::new(),
        false => format!(". It may be of the time that is lost: {}", lost.join("; ")),
    };
    let failure = usage(format!("there is no request or task `{name}`{why}"));
    Ok(failure.hint("see what there is with `dsr status --all --cached`"))
}

/// Like `find`, for commands that change something: demands enough of the id, and a project that
/// the operator means.
pub(crate) fn find_meant(
    ctx: &Context,
    ledger: &Ledger,
    name: &str,
) -> Result<RequestRecord, Failure> {
    let request = find(ledger, name)?;
    // A task id is complete, however short it is.
    if name.len() < RequestId::ENOUGH && request.id.as_str().starts_with(name) {
        return Err(too_short(&request));
    }
    let project = &request.asked.project;
    match ctx.means(project) {
        true => Ok(request),
        false => Err(usage(format!(
            "`{name}` is in project `{project}`, not in the one named with `--project`"
        ))),
    }
}

fn too_short(request: &RequestRecord) -> Failure {
    let (short, asked) = (request.id.short(), &request.asked);
    let kind = match asked.operation.kind() {
        Kind::Export => "export",
        Kind::Delete => "deletion",
    };
    let ids = plural(asked.unique, "id", "ids");
    let reference = asked.reference.as_deref();
    let reference = reference.map_or_else(String::new, |text| format!(", ref {text}"));
    let least = RequestId::ENOUGH;
    usage(format!(
        "a command that changes a request takes at least {least} characters of its id; nothing was changed"
    ))
    .hint(format!(
        "`{short}` begins so ({kind} of {ids} in project `{project}`{reference}); if you mean it, type `{short}`",
        project = asked.project
    ))
}
