//! How export and delete begin: read all sources, then plan for each project.

use chrono::Datelike;

use crate::commands::context::Context;
use crate::commands::failures::usage;
use crate::commands::status::deadlines;
use crate::config::Resolved;
use crate::domain::{DistinctId, ExitStatus, FIRST_YEAR, Operation};
use crate::intake::{self, Intake, Keep, Source};
use crate::ui::{Failure, hashing_text, number, reading};
use crate::workflow::{Plan, RequestTerms};

use super::args::{RequestArgs, SourceArgs};
use super::planned;

pub(super) struct ReadList {
    order: RequestTerms,
    intake: Intake,
    projects: Vec<Resolved>,
}

impl ReadList {
    pub(super) fn plan(self, ctx: &Context) -> Vec<Plan> {
        let projects = self.projects.into_iter();
        let plans = projects.map(|Resolved { project, .. }| {
            ctx.warn_of_odd_token(&project);
            let plan = Plan::new(self.order.clone(), project, &self.intake);
            deadlines::warn_of_plan(ctx, &plan);
            plan
        });
        plans.collect()
    }
}

/// Reads the sources, after every other check has passed.
pub(super) fn read(
    ctx: &Context,
    operation: Operation,
    source: &SourceArgs,
    request: &RequestArgs,
) -> Result<ReadList, Failure> {
    ctx.follow_servers_clock()?;
    let today = ctx.clock.today();
    let received = request.received.unwrap_or(today);
    if received > today {
        return Err(usage(format!(
            "`--received {received}` is in the future; nothing was sent"
        ))
        .hint("give the day the person asked"));
    }
    if received.year() < FIRST_YEAR {
        return Err(usage(format!(
            "`--received {received}` is before {FIRST_YEAR}-01-01, when neither law applied; nothing was sent"
        ))
        .hint("give the day the person asked, such as `--received 2026-11-29`"));
    }
    let resolved = ctx.resolve()?;
    planned::demand_a_plan(operation, &resolved, request)?;
    planned::demand_account(ctx, &resolved, request)?;
    let law = operation.law().as_str();
    let sources = source.given.sources(&format!("{} --{law}", ctx.command))?;
    let folder = ctx.home.data();
    let keep = match request.preflight {
        true => Keep::IdsAndPlaces(folder),
        false if request.is_only_shown() && !planned::may_be_compared(ctx) => Keep::Counts,
        false => Keep::Ids(folder),
    };
    let intake = read_all(ctx, source, &sources, keep)?;
    if let (Some(hashed), false) = (&intake.hashed, request.is_only_shown()) {
        ctx.ui.note(&format!("Hashed: {}", hashing_text(hashed)));
    }
    let labels: Vec<String> = sources.iter().map(Source::label).collect();
    let named_id = source.given.named_id(&sources);
    let order = RequestTerms {
        operation,
        reference: request.reference.clone(),
        received,
        source: labels.join(", "),
        named_id: named_id.and_then(DistinctId::restore),
    };
    Ok(ReadList {
        order,
        intake,
        projects: resolved,
    })
}

/// Reads the sources without the excluded ids; also for deletions of profiles.
pub(crate) fn read_all(
    ctx: &Context,
    args: &SourceArgs,
    sources: &[Source],
    keep: Keep<'_>,
) -> Result<Intake, Failure> {
    let options = args.reading.options()?;
    let excluded = args.exclude.iter().map(|path| Source::from_path(path));
    let excluded: Vec<Source> = excluded.collect();
    let all = [sources, &excluded].concat();
    for label in Source::find_repeated(&all)? {
        ctx.ui.warn(
            "repeated_source",
            &format!("{label} is named more than once"),
        );
    }
    let mut progress = reading(&ctx.ui);
    let read = intake::read(sources, &excluded, &options, keep, &mut progress);
    drop(progress);
    args.reading.checks.tell(&ctx.ui, &read);
    let intake = read?;
    for exclusion in intake.exclusions.iter().filter(|file| file.found == 0) {
        let source = &exclusion.source;
        let none = match exclusion.ids {
            1 => format!("the only id in {source} is not in the list"),
            ids => format!("none of the {} ids in {source} is in the list", number(ids)),
        };
        ctx.ui.warn(
            "hold_not_found",
            &format!(
                "{none}, so the file excludes nobody; check that both files write ids the same way"
            ),
        );
    }
    let unique = intake.counts.unique;
    match args.expect {
        Some(expected) if expected != unique => Err(Failure::new(
            ExitStatus::Input,
            "unexpected_count",
            format!("the source has {unique} unique ids, not {expected}"),
        )
        .hint("nothing was sent; check that it is the right file")),
        Some(_) | None => Ok(intake),
    }
}
