//! What the ledger must not know of a file before it is imported.

use std::collections::HashSet;

use crate::commands::context::{Context, named};
use crate::commands::failures::usage;
use crate::commands::people::minimise::key_or_any;
use crate::domain::{
    ExitStatus, IngestionKind, JobState, Kind, Project, ProjectKey, ProjectName, RequestId,
};
use crate::intake::ImportFile;
use crate::ledger::{ErasedBy, Ledger};
use crate::ui::{Failure, number, plural};
use crate::workflow::SuppressedIndex;

/// The deletion of this name, each of whose jobs is done.
pub(super) fn demand_deletion_done(
    ctx: &Context,
    ledger: &Ledger,
    name: &str,
    project: &Project,
) -> Result<RequestId, Failure> {
    let request = named::find_meant(ctx, ledger, name)?;
    let (short, asked) = (request.id.short(), &request.asked);
    if asked.operation.kind() != Kind::Delete {
        return Err(usage(format!(
            "request {short} is not a deletion; nothing was sent"
        ))
        .hint("name the deletion of the same people: `--after REQUEST`"));
    }
    if asked.project_key != project.key() {
        let other = &asked.project;
        return Err(usage(format!(
            "deletion {short} is in project `{other}`, and the import is for `{}`; nothing was sent",
            project.name
        ))
        .hint(format!("add `--project {other}`")));
    }
    let (done, all) = (
        request.jobs_in(JobState::Done),
        request.count_jobs(|_| true),
    );
    if done == all {
        return Ok(request.id);
    }
    let jobs = format!("{} of {}", number(done), plural(all, "job", "jobs"));
    Err(match request.is_open() {
        true => Failure::new(
            ExitStatus::Running,
            "running",
            format!("deletion {short} is not done: {jobs}; nothing was sent"),
        )
        .hint(format!("run `dsr status {short}`")),
        false => Failure::new(
            ExitStatus::Failed,
            "failed",
            format!("deletion {short} ended with {jobs} done, and the rest will not be; nothing was sent"),
        )
        .hint(format!(
            "see `dsr status {short}`; delete these people again with `dsr delete`, and name the new deletion with `--after`"
        )),
    })
}

/// Refuses a file while one of the same name with other contents is not imported to its end.
pub(super) fn refuse_changed(
    ledger: &Ledger,
    key: &ProjectKey,
    file: &ImportFile,
) -> Result<(), Failure> {
    let label = file.label();
    let found = ledger.find_unfinished_ingestion(IngestionKind::Import, key, &label)?;
    let Some(begun) = found else {
        return Ok(());
    };
    Err(Failure::new(
        ExitStatus::Input,
        "bad_input",
        format!(
            "`{label}` is not the file whose import began on {}: {} of {} are done; nothing was sent",
            begun.created.date_naive(),
            number(begun.count_in(crate::domain::BatchState::Done)),
            plural(begun.batches.len(), "batch", "batches"),
        ),
    )
    .hint("put the unchanged file back; or add `--new` if this is another file"))
}

/// Refuses events of people who were erased: they would be back.
pub(super) fn refuse_suppressed(
    ctx: &Context,
    ledger: &Ledger,
    project: &Project,
    file: &ImportFile,
) -> Result<(), Failure> {
    let (key, _) = key_or_any(ctx, ledger)?;
    let by = ErasedBy {
        project: &|name: &ProjectName| *name == project.name,
        since: None,
    };
    let index = SuppressedIndex::read(&ledger.erased(&key, &by)?)?;
    let hasher = key.hasher();
    let named = file.named.iter();
    let erased = named.filter_map(|id| index.find(&hasher.hash(id)).map(|_| id));
    let erased: HashSet<&str> = erased
        .map(|id| id.strip_prefix("$device:").unwrap_or(id))
        .collect();
    let erased = erased.len();
    match erased {
        0 => Ok(()),
        _ => Err(Failure::new(
            ExitStatus::Input,
            "bad_input",
            format!(
                "the file has events of {}, who would be back; nothing was sent",
                plural(erased, "erased person", "erased people")
            ),
        )
        .hint("import events under new ids only: `dsr sanitize` writes them")),
    }
}
