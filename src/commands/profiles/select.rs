//! Selects the profiles of a retention window: from files, or from Mixpanel's own answers.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use crate::commands::context::Context;
use crate::commands::failures::{NO_EXPIRY, hold_failure, lookup_failure, profiles_failure};
use crate::domain::{ExitStatus, Project, ProjectId};
use crate::intake::{self, DatedProfile, Keep, Place, ReadOptions, Source, read_dated_profiles};
use crate::mixpanel::Timeouts;
use crate::ui::{ExpiryOrigin, Failure, plural, reading};
use crate::workflow::{self, Expired, Expiry, ExpiryRule};

/// The ids that are never selected, such as those under legal hold.
pub(super) fn held(ctx: &Context, paths: &[PathBuf]) -> Result<HashSet<String>, Failure> {
    let mut held = HashSet::new();
    if paths.is_empty() {
        return Ok(held);
    }
    let sources: Vec<Source> = paths.iter().map(|path| Source::from_path(path)).collect();
    let mut hear = |_: Place<'_>, id: &str| {
        held.insert(id.to_owned());
    };
    let mut progress = reading(&ctx.ui);
    let (options, keep) = (ReadOptions::default(), Keep::Heard(&mut hear));
    let read = intake::read(&sources, &[], &options, keep, &mut progress);
    drop(progress);
    read.map_err(hold_failure)?;
    Ok(held)
}

/// Reads every file to its end.
pub(super) fn in_files(
    ctx: &Context,
    rule: &ExpiryRule,
    held: HashSet<String>,
    paths: &[PathBuf],
) -> Result<(Expired, ExpiryOrigin), Failure> {
    let sources: Vec<Source> = paths.iter().map(|path| Source::from_path(path)).collect();
    for label in Source::find_repeated(&sources)? {
        let message = format!("{label} is named twice, so dsr keeps each of its profiles");
        ctx.ui.warn("repeated_source", &message);
    }
    let mut expiry = Expiry::new(rule, held, ctx.home.data());
    let mut progress = reading(&ctx.ui);
    let mut take = |profile: &DatedProfile<'_>| expiry.take(profile);
    let read = read_dated_profiles(&sources, &rule.properties, &mut take, &mut progress);
    drop(progress);
    let read = read.map_err(lookup_failure)?;
    for label in &read.unended {
        ctx.ui.warn(
            "no_line_end",
            &format!(
                "the last line of {label} has no line end: make sure that the file is not cut off"
            ),
        );
    }
    Ok((expiry.finish()?, ExpiryOrigin::Files(read)))
}

/// What the queries need, before anything is asked.
pub(super) fn demand_account(ctx: &Context, project: &Project) -> Result<ProjectId, Failure> {
    let id = ctx.demand_project_id(project).map_err(or_offline)?;
    ctx.account_of(project).map_err(or_offline)?;
    Ok(id)
}

fn or_offline(failure: Failure) -> Failure {
    let hint = failure.hint.clone().unwrap_or_default();
    failure.hint(format!(
        "{hint}; or read an export of the users: `--profiles FILE`"
    ))
}

/// Asks Mixpanel for every profile, within the hour's queries.
pub(super) async fn at_mixpanel(
    ctx: &mut Context,
    rule: &ExpiryRule,
    held: HashSet<String>,
    (project, id): (&Project, ProjectId),
    max_wait: Duration,
) -> Result<(Expired, ExpiryOrigin), Failure> {
    let client = ctx.query_client(project, Timeouts::default())?;
    let mut ledger = ctx.ledger_to_fill()?;
    ctx.ui.note(&format!(
        "Asking Mixpanel for all profiles of project {}: one query for each page, at most {} an hour.",
        project.name,
        project.queries.per_hour(),
    ));
    let mut expiry = Expiry::new(rule, held, ctx.home.data());
    ctx.interrupt.begin();
    let mut queries = ctx.queries(&mut ledger, (project, id), max_wait);
    let found = workflow::find_expired(&mut queries, (&client, id), &mut expiry).await;
    ctx.interrupt.pause();
    let queries = found.map_err(|error| profiles_failure(error, NO_EXPIRY))?;
    if let (profiles, false) = expiry.looked_at() {
        return Err(nobody_has_it(rule, (profiles, queries)));
    }
    Ok((expiry.finish()?, ExpiryOrigin::Mixpanel { queries }))
}

/// A wrong property would look like a project in which nobody is late.
fn nobody_has_it(rule: &ExpiryRule, (profiles, queries): (usize, usize)) -> Failure {
    let by = &rule.properties.by;
    let (message, next) = match profiles {
        0 => (
            "Mixpanel's answer has no profiles".to_owned(),
            "check `project_id` and the region",
        ),
        _ => (
            format!("Mixpanel has no profile with the property `{by}`"),
            "name the property as Mixpanel does: `--by PROPERTY`",
        ),
    };
    let spent = plural(queries, "query", "queries");
    Failure::new(ExitStatus::Input, "bad_input", message).hint(format!(
        "{}; {next}. This run took {spent}; `--profiles FILE` takes none",
        NO_EXPIRY.undone
    ))
}
