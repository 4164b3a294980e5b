//! Finds the requests that the operator names: by the beginning of an id, a task, or `--ref`.

use crate::commands::failures::usage;
use crate::domain::{BatchState, IngestionKind, Kind, RequestId};
use crate::ledger::{Found, IngestionRecord, Ledger, RequestRecord};
use crate::ui::{Failure, number, plural};

use super::Context;

pub(crate) fn find(ledger: &Ledger, name: &str) -> Result<RequestRecord, Failure> {
    let mut found = find_all(ledger, name)?;
    match found.len() {
        1 => Ok(found.remove(0)),
        _ => Err(several(name, found.iter().map(|request| &request.id))),
    }
}

/// Finds the requests that a name matches: one by its id or task, or all with this `--ref`.
pub(crate) fn find_all(ledger: &Ledger, name: &str) -> Result<Vec<RequestRecord>, Failure> {
    let referred = ledger.list_by_reference(name)?;
    match ledger.find_named(name)? {
        Found::Nothing if referred.is_empty() => Err(nothing(ledger, name)?),
        Found::Nothing => Ok(referred),
        // Only the beginning of an id may also be the reference of another request.
        Found::One(request)
            if !request.id.as_str().starts_with(name)
                || request.id.as_str() == name
                || referred.iter().all(|other| other.id == request.id) =>
        {
            Ok(vec![*request])
        }
        Found::One(request) => {
            let referred = referred.iter().map(|request| &request.id);
            let others = referred.filter(|id| **id != request.id);
            Err(several(name, std::iter::once(&request.id).chain(others)))
        }
        Found::Several(found) => Err(several(name, found.iter().map(|request| &request.id))),
        Found::Linked(found) => Ok(found),
    }
}

fn several<'a>(name: &str, ids: impl Iterator<Item = &'a RequestId>) -> Failure {
    let ids: Vec<&str> = ids.map(RequestId::as_str).collect();
    let ids = ids.join(", ");
    usage(format!("`{name}` matches several requests: {ids}"))
        .hint("type the whole id of one request")
}

fn nothing(ledger: &Ledger, name: &str) -> Result<Failure, Failure> {
    if name.len() >= RequestId::ENOUGH {
        for kind in IngestionKind::ALL {
            let found = ledger.list_ingestions(kind)?.into_iter();
            let found = found.rev().find(|one| one.id.as_str().starts_with(name));
            if let Some(ingestion) = found {
                return Ok(no_request(&ingestion));
            }
        }
    }
    let lost = ledger.list_lost_times()?;
    let lost: Vec<String> = lost.iter().map(ToString::to_string).collect();
    let why = match lost.is_empty() {
        true => String::new(),
        false => format!(
            ". The request may be from the lost time: {}",
            lost.join("; ")
        ),
    };
    let failure = usage(format!(
        "there is no request, task or reference `{name}`{why}"
    ));
    Ok(failure.hint("list all requests with `dsr status --all --cached`"))
}

/// An import or a deletion of profiles has an id like that of a request.
fn no_request(ingestion: &IngestionRecord) -> Failure {
    let day = ingestion.created.date_naive();
    let (done, all) = (
        number(ingestion.count_in(BatchState::Done)),
        plural(ingestion.batches.len(), "batch", "batches"),
    );
    let (what, hint) = match ingestion.asked.kind {
        IngestionKind::Import => (
            "an import",
            "run `dsr import` with the same file again: it shows what became of it",
        ),
        IngestionKind::ProfileDeletion => (
            "a deletion of profiles",
            "see its entries with `dsr audit log`",
        ),
    };
    let id = ingestion.id.as_str();
    usage(format!(
        "`{id}` is no request: it is {what}, begun on {day}, with {done} of {all} done"
    ))
    .hint(hint)
}

/// Like `find`, for commands that change something: demands enough of the id, and a project that
/// the operator means.
pub(crate) fn find_meant(
    ctx: &Context,
    ledger: &Ledger,
    name: &str,
) -> Result<RequestRecord, Failure> {
    let request = match ledger.find_named(name)? {
        Found::One(request) => request,
        Found::Nothing => return Err(only_referred(&find(ledger, name)?)),
        Found::Several(_) | Found::Linked(_) => Box::new(find(ledger, name)?),
    };
    // A task id is complete, however short it is.
    if name.len() < RequestId::ENOUGH && request.id.as_str().starts_with(name) {
        return Err(too_short(&request));
    }
    let project = &request.asked.project;
    match ctx.means(project) {
        true => Ok(*request),
        false => Err(usage(format!(
            "`{name}` is in project `{project}`, not in the one named with `--project`"
        ))),
    }
}

/// Several requests may have one reference, so a command that changes a request needs its id.
fn only_referred(request: &RequestRecord) -> Failure {
    let reference = request.asked.reference.as_deref().unwrap_or_default();
    usage(format!(
        "`{reference}` is a reference, and this command needs the request's id; nothing was changed"
    ))
    .hint(meant(request))
}

fn too_short(request: &RequestRecord) -> Failure {
    let least = RequestId::ENOUGH;
    usage(format!(
        "this command needs at least {least} characters of the request's id; nothing was changed"
    ))
    .hint(meant(request))
}

/// Describes the request that the operator may mean, and what to type for it.
fn meant(request: &RequestRecord) -> String {
    let (short, asked) = (request.id.short(), &request.asked);
    let kind = match asked.operation.kind() {
        Kind::Export => "export",
        Kind::Delete => "deletion",
    };
    let ids = plural(asked.unique, "id", "ids");
    let reference = asked.reference.as_deref();
    let reference = reference.map_or_else(String::new, |text| format!(", ref {text}"));
    let project = &asked.project;
    format!("if you mean the {kind} of {ids} in project `{project}`{reference}, type `{short}`")
}
