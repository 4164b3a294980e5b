//! `dsr profiles expire`: a retention window for profiles.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::log::RunLog;
use super::sending::{self, ProfilePlan};
use super::{only_project, select};
use crate::commands::context::Context;
use crate::commands::failures::{local_io, usage};
use crate::commands::import::sending::IngestionArgs;
use crate::commands::people::quoted_field;
use crate::domain::{
    AliasRule, ExitStatus, MostSelected, Project, RetentionWindow, YesFlag, id_names,
    timestamp::stamp,
};
use crate::intake::DatedProperties;
use crate::ledger::ProfilesSelected;
use crate::ui::{
    Confirmable, DeletionEnds, ExpiryEnd, ExpiryOrigin, ExpiryView, Failure, ListedPlaces, number,
    plural,
};
use crate::workflow::{Expired, ExpiryCounts, ExpiryRule, NewFile};

/// Delete the profiles of people who were not seen for some time
///
/// dsr selects the profiles whose time lies before today minus the window, by the calendar and in
/// the project's time zone. Profiles of the limit's day itself stay. dsr asks Mixpanel for all
/// profiles with a service account (see `dsr auth`), within the hour's queries, or reads an export
/// of the users (`--profiles`). It compares every time and value itself, and then deletes as `dsr
/// profiles delete` does. Profiles only; events stay: this is not an erasure.
///
/// dsr never selects a profile without the property, with a time it cannot read, before 2000 or in
/// the future, with an id that `dsr delete` would refuse, or with the id of another profile. It
/// counts them. A file that is damaged or cut off selects nobody.
///
/// A wrong property could select everybody. So dsr refuses (5) to select more than 5% of all
/// profiles; `--at-most` sets another limit.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr profiles expire --not-seen-for 24months --dry-run      what would be deleted
  dsr profiles expire --not-seen-for 24months --dry-run --profiles users.csv -o list.csv
  dsr profiles expire --not-seen-for 2years --where plan=free --at-most 20%
  dsr profiles expire --not-seen-for 24months --yes --log retention.jsonl   from cron
  dsr --sandbox profiles expire --not-seen-for 24months      a rehearsal: nothing real")]
pub(crate) struct ExpireArgs {
    /// Select profiles last seen longer ago than this: days, months or years, such as `24months`
    #[arg(long, value_name = "TIME")]
    not_seen_for: RetentionWindow,
    /// The property with the time, as Mixpanel names it
    #[arg(long, value_name = "PROPERTY", default_value = "$last_seen")]
    by: String,
    /// Only profiles whose property is written like this: `n=3` is the number 3 and the text 3; may
    /// be given several times, and all must fit
    #[arg(long = "where", value_name = "PROPERTY=VALUE", value_parser = parse_equality)]
    equal: Vec<(String, String)>,
    /// Never select the ids in this file, such as those under legal hold; equal byte for byte
    #[arg(long, value_name = "PATH")]
    exclude: Vec<PathBuf>,
    /// If an id is an alias, delete the original profile
    #[arg(long)]
    follow_alias: bool,
    /// Refuse to select more: a share of all profiles such as `20%`, or a number; 5% if left out
    #[arg(long, value_name = "SHARE | N")]
    at_most: Option<MostSelected>,
    /// Read these files of profiles, not Mixpanel; `-` is standard input; may be given several times
    #[arg(long, value_name = "FILE")]
    profiles: Vec<PathBuf>,
    /// Write the selected ids to this new file; only you can read it
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Append a line about this run to this file, as JSON without any id
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    #[command(flatten)]
    sending: IngestionArgs,
}

fn parse_equality(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((property, value)) if !property.is_empty() => {
            Ok((property.to_owned(), value.to_owned()))
        }
        Some(_) | None => Err("give a property and its value, such as plan=free"),
    }
}

pub(crate) async fn run(ctx: &mut Context, args: &ExpireArgs) -> Result<ExitStatus, Failure> {
    ctx.follow_servers_clock()?;
    let project = only_project(ctx, &args.sending)?;
    let rule = args.rule(ctx, &project)?;
    if args.output.as_deref() == Some(Path::new("-")) {
        return Err(usage("`--output -` would show ids; nothing was read")
            .hint("name a file: `--output ids.csv`"));
    }
    let log = args.log.as_deref().map(RunLog::open).transpose()?;
    let mut line = json!({
        "schema": 1,
        "at": stamp(rule.now),
        "project": project.name.as_str(),
        "window": rule.window.to_string(),
        "by": rule.properties.by,
        "where": rule.properties.equal.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        "limit": rule.limit.to_string(),
        "time_zone": rule.zone.as_str(),
        "at_most": args.at_most().to_string(),
        "profiles": null, "selected": null, "not_judged": null,
        "deleted": 0, "failed": 0, "unknown": 0,
        "deletion": null, "trail_entry": null,
    });
    let ended = expire(ctx, args, &project, &rule, &mut line).await;
    line["outcome"] = match &ended {
        Ok((_, outcome)) => json!(outcome.as_str()),
        Err(failure) => json!(failure.kind),
    };
    if let Some(log) = log
        && let Err(error) = log.append(&line)
    {
        let message = format!("the log `{}` lacks this run: {error}", log.path().display());
        return Err(Failure {
            message,
            ..local_io(&error).hint("see `dsr audit log` for what was done")
        });
    }
    ended.map(|(status, _)| status)
}

async fn expire(
    ctx: &mut Context,
    args: &ExpireArgs,
    project: &Project,
    rule: &ExpiryRule,
    line: &mut Value,
) -> Result<(ExitStatus, ExpiryEnd), Failure> {
    args.sending
        .demand_answer(&ctx.ui, Confirmable::ProfileDeletion)?;
    // Fails now rather than after all the reading; no id is in the file.
    drop(args.output.as_deref().map(NewFile::create).transpose()?);
    let (expired, origin) = find(ctx, args, project, rule).await?;
    let counts = expired.counts;
    line["profiles"] = counts.profiles.into();
    line["selected"] = counts.selected.into();
    line["not_judged"] = counts.not_judged().into();
    if !args.sending.dry_run {
        line["trail_entry"] = record(ctx, project, rule, counts)?.into();
    }
    if !args.at_most().allows(counts.selected, counts.profiles) {
        return Err(too_many(args, rule, counts));
    }
    let list = match &args.output {
        // A list of nobody would look like a list.
        Some(path) if counts.selected > 0 => Some(write_list(ctx, &expired, path)?),
        Some(_) | None => None,
    };
    let mut view = ExpiryView {
        project,
        rule,
        counts,
        origin: &origin,
        at_most: args.at_most(),
        list,
        alias: args.alias(),
        deletion: None,
    };
    let mut status = ExitStatus::Done;
    if !args.sending.dry_run && counts.selected > 0 {
        let source = format!(
            "profiles with `{}` before {}",
            rule.properties.by, rule.limit
        );
        let (ids, alias) = (expired.ids, args.alias());
        let plan = ProfilePlan::new(project.clone(), source, ids, alias)?;
        let confirmed = plan.confirm(ctx, &view.summary(), YesFlag::of(args.sending.yes))?;
        let sent = sending::send(ctx, confirmed, args.sending.max_wait).await?;
        let ends = DeletionEnds::of(&sent.record);
        line["deletion"] = sent.record.id.as_str().into();
        line["deleted"] = ends.deleted.into();
        line["failed"] = ends.failed().into();
        line["unknown"] = ends.unknown().into();
        status = sent.status;
        view.deletion = Some(sent.record);
    }
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    Ok((status, view.end()))
}

/// Looks at every profile, and warns of what may make the selection wrong.
async fn find(
    ctx: &mut Context,
    args: &ExpireArgs,
    project: &Project,
    rule: &ExpiryRule,
) -> Result<(Expired, ExpiryOrigin), Failure> {
    let held = select::held(ctx, &args.exclude)?;
    let (expired, origin) = match args.profiles.as_slice() {
        [] => {
            let id = select::demand_account(ctx, project)?;
            select::at_mixpanel(ctx, rule, held, (project, id), args.sending.max_wait).await?
        }
        paths => select::in_files(ctx, rule, held, paths)?,
    };
    ctx.ui.warn_of_ids(&expired.warnings, ListedPlaces::First);
    if !args.exclude.is_empty() && expired.counts.excluded == 0 {
        ctx.ui.warn(
            "hold_not_found",
            "`--exclude` excludes nobody who would be selected; check that the file writes ids as Mixpanel does",
        );
    }
    Ok((expired, origin))
}

/// Records the selection in the trail; returns its entry's number.
fn record(
    ctx: &Context,
    project: &Project,
    rule: &ExpiryRule,
    counts: ExpiryCounts,
) -> Result<u64, Failure> {
    let selected = ProfilesSelected {
        project: &project.name,
        window: rule.window,
        by: &rule.properties.by,
        limit: rule.limit,
        profiles: counts.profiles,
        selected: counts.selected,
        not_judged: counts.not_judged(),
    };
    let mut ledger = ctx.ledger_to_fill()?;
    Ok(ledger.record_profiles_selected(&selected, ctx.clock.now())?)
}

impl ExpireArgs {
    fn alias(&self) -> AliasRule {
        match self.follow_alias {
            true => AliasRule::Follow,
            false => AliasRule::Ignore,
        }
    }

    fn at_most(&self) -> MostSelected {
        self.at_most.unwrap_or(MostSelected::DEFAULT)
    }

    fn rule(&self, ctx: &Context, project: &Project) -> Result<ExpiryRule, Failure> {
        let names = std::iter::once(&self.by).chain(self.equal.iter().map(|(name, _)| name));
        let mut names: Vec<String> = names.map(|name| id_names::fold(name)).collect();
        if names
            .iter()
            .any(|name| name.is_empty() || name == "distinctid")
        {
            return Err(usage(
                "`--by` or `--where` names no property of a profile; nothing was read",
            )
            .hint("name it as Mixpanel does: `--by '$last_seen'`"));
        }
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(
                usage("`--by` and `--where` name a property twice; nothing was read")
                    .hint("name each property once"),
            );
        }
        let now = ctx.clock.now();
        let limit = self.not_seen_for.limit(project.zone.day(now));
        Ok(ExpiryRule {
            window: self.not_seen_for,
            properties: DatedProperties {
                by: self.by.clone(),
                equal: self.equal.clone(),
            },
            limit: limit.ok_or_else(|| {
                usage("`--not-seen-for` is longer than the calendar; nothing was read")
                    .hint("such as `--not-seen-for 24months`")
            })?,
            zone: project.zone,
            now,
        })
    }
}

fn too_many(args: &ExpireArgs, rule: &ExpiryRule, counts: ExpiryCounts) -> Failure {
    let ExpiryCounts {
        selected, profiles, ..
    } = counts;
    // Rounded up, so that it allows exactly this.
    let share = (selected * 10_000).div_ceil(profiles.max(1)).min(10_000);
    let share = MostSelected::Share(u32::try_from(share).unwrap_or(10_000));
    let by = &rule.properties.by;
    let message = format!(
        "{} of {} ({share}) have a `{by}` before {}, and dsr selects at most {}; nothing was sent",
        number(selected),
        plural(profiles, "profile", "profiles"),
        rule.limit,
        args.at_most(),
    );
    // An option that the command has already would be refused as given twice.
    let more = [
        (args.at_most.is_none(), format!("--at-most {share}")),
        (!args.sending.dry_run, "--dry-run".to_owned()),
        (args.output.is_none(), "--output FILE".to_owned()),
    ];
    let more = more
        .into_iter()
        .filter_map(|(lacks, option)| lacks.then_some(option));
    let more = more.collect::<Vec<_>>().join(" ");
    let next = match (args.at_most, more.as_str()) {
        (None, more) => format!("add `{more}` to the same command"),
        (Some(most), "") => format!("change `--at-most {most}` to `--at-most {share}`"),
        (Some(most), more) => {
            format!("change `--at-most {most}` to `--at-most {share}`, and add `{more}`")
        }
    };
    Failure::new(ExitStatus::Input, "too_many_selected", message).hint(format!(
        "check that `{by}` is the right property; to see who it is, {next}"
    ))
}

/// Writes a list that `dsr delete` reads.
fn write_list(ctx: &Context, expired: &Expired, path: &Path) -> Result<String, Failure> {
    // A signal must leave no half list behind.
    ctx.interrupt.begin();
    let mut list = NewFile::create(path)?;
    writeln!(list, "distinct_id").map_err(|error| local_io(&error))?;
    for batch in expired.ids.batches(super::AT_ONCE) {
        for id in batch?.ids() {
            writeln!(list, "{}", quoted_field(id)).map_err(|error| local_io(&error))?;
        }
        if let Some(signal) = ctx.interrupt.signal() {
            let failure = Failure::new(signal.exit_status(), "interrupted", "interrupted");
            return Err(failure.hint("the list was not written, and nothing was sent"));
        }
    }
    ctx.interrupt.pause();
    list.finish()?;
    Ok(path.display().to_string())
}
