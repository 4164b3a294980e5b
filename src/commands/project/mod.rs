//! `dsr project`: the projects of the config file.

pub(super) mod secret;

use std::collections::HashMap;

use chrono::NaiveDate;
use secrecy::{ExposeSecret, SecretString};

use crate::commands::context::Context;
use crate::commands::context::tokens::parse_token_name;
use crate::commands::failures::{local_io, usage};
use crate::config::{Day, ProjectEntry, ProjectsFile, ResolveError, Resolved, resolve};
use crate::credentials::{SecretOrigin, find_project_secret};
use crate::domain::{
    BatchLimits, ExitStatus, Kind, LimitsError, ProjectId, ProjectKey, ProjectName, ProjectToken,
    ProjectZone, Rate, Region, TokenName, looks_like_secret,
};
use crate::ledger::LearnedLimit;
use crate::sandbox;
use crate::ui::{Failure, ProjectView, ProjectsView, SecretPlace};

use secret::SecretArgs;

/// Set up the Mixpanel projects to work on
///
/// dsr keeps the projects in a TOML file, which you may edit. Without the file, set
/// DSR_PROJECT_TOKEN and DSR_REGION.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr project add shop --region eu
  dsr project list
  dsr project use shop")]
pub(crate) struct ProjectArgs {
    #[command(subcommand)]
    command: ProjectCommand,
}

#[derive(clap::Subcommand, Debug)]
enum ProjectCommand {
    Add(AddArgs),
    List(ListArgs),
    Show(ShowArgs),
    Set(SetArgs),
    Use(UseArgs),
    Secret(SecretArgs),
    Remove(RemoveArgs),
}

/// Add a project
///
/// dsr asks for the project token (32 hex digits, in Mixpanel's project settings), or reads it from
/// standard input. With `--sandbox` dsr makes up a token. The first project becomes the default.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr project add shop --region eu
  dsr project add app --region us --data-groups 2
  dsr project add shop --region eu --holiday 2026-12-25 --holiday 2027-01-01
  dsr project add shop --region eu --approvals 1   two people for each deletion; see `dsr approve`
  dsr project add acme --region us --auth acme     with another person's OAuth token
  pass mixpanel/shop | dsr project add shop --region eu --with-token")]
struct AddArgs {
    /// The project's name: letters, digits, `-`, `_`, `.`
    name: String,
    /// Where Mixpanel stores the project's data
    #[arg(long, ignore_case = true)]
    region: Region,
    /// Read the project token from standard input
    #[arg(long)]
    with_token: bool,
    /// How many data groups (group keys) the project has: with more of them, deletions are smaller
    #[arg(long, value_name = "N")]
    data_groups: Option<u32>,
    /// Ids in one deletion at most, 1 to 2000 [default: 500]
    #[arg(long, value_name = "N")]
    delete_batch: Option<usize>,
    /// Ids in one export at most, 1 to 2000 [default: 2000]
    #[arg(long, value_name = "N")]
    export_batch: Option<usize>,
    /// Requests a second that Mixpanel allows [default: 1]
    #[arg(long, value_name = "N")]
    rate: Option<f64>,
    /// The project's number in Mixpanel's project settings; for `--preflight` and `dsr verify`
    #[arg(long, value_name = "N")]
    project_id: Option<ProjectId>,
    /// A public holiday: no GDPR period ends on it; may be repeated
    ///
    /// The config file lists them as `holidays`. Add each year's holidays there.
    #[arg(long, value_name = "DATE")]
    holiday: Vec<NaiveDate>,
    /// The project's time zone, such as Europe/Berlin; for projects made before 2023, which record
    /// events in local time [default: UTC]
    #[arg(long, value_name = "ZONE", value_parser = parse_zone)]
    time_zone: Option<ProjectZone>,
    /// How many other people must approve a deletion before dsr sends it; see `dsr approve`
    /// [default: 0]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, value_parser = clap::value_parser!(u32).range(..=9))]
    approvals: u32,
    /// The OAuth token for the project, by its name from `dsr auth login --name` [default: the
    /// default token]
    #[arg(long, value_name = "NAME", value_parser = parse_token_name)]
    auth: Option<TokenName>,
    /// Keep the ids of a deletion until `dsr verify` asked for profiles, at most 10 days after it is
    /// done [default: off]
    #[arg(long, value_enum, value_name = "SWITCH")]
    verify: Option<Switch>,
}

#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Switch {
    On,
    Off,
}

/// List the projects
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  dsr project list --json")]
struct ListArgs {}

/// Show a project's settings and where each comes from
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  dsr project show shop")]
struct ShowArgs {
    /// The project [default: the project that commands would use]
    name: Option<String>,
}

/// Change a setting of a project, or reset what dsr has learned about it
///
/// Mixpanel may refuse a job because it has too many ids. Then dsr sends smaller jobs for 30 days;
/// `dsr project show` shows since when. You change the other settings in the config file.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr project set shop --time-zone Europe/Berlin
  dsr project set shop --project-id 4242
  dsr project set shop --verify on
  dsr project set shop --forget-limits")]
#[command(group = clap::ArgGroup::new("setting")
    .args(["time_zone", "project_id", "verify", "forget_limits"]).required(true).multiple(true))]
struct SetArgs {
    /// The project
    name: String,
    /// The project's time zone, such as Europe/Berlin; for projects made before 2023, which record
    /// events in local time
    #[arg(long, value_name = "ZONE", value_parser = parse_zone)]
    time_zone: Option<ProjectZone>,
    /// The project's number in Mixpanel's project settings; for `--preflight` and `dsr verify`
    #[arg(long, value_name = "N")]
    project_id: Option<ProjectId>,
    /// Keep the ids of new deletions until `dsr verify` asked for profiles, at most 10 days after
    /// they are done
    #[arg(long, value_enum, value_name = "SWITCH")]
    verify: Option<Switch>,
    /// Forget the batch limits that dsr has learned
    #[arg(long)]
    forget_limits: bool,
}

/// Make a project the default
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  dsr project use shop")]
struct UseArgs {
    /// The project
    name: String,
}

/// Remove a project from the config file, and its API secret from the keyring
///
/// The requests of the project stay in the ledger.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  dsr project remove shop")]
struct RemoveArgs {
    /// The project
    name: String,
}

pub(crate) fn run(ctx: &mut Context, args: ProjectArgs) -> Result<ExitStatus, Failure> {
    let mut file = ctx.projects_file()?;
    match args.command {
        ProjectCommand::Add(args) => add(ctx, &mut file, &args)?,
        ProjectCommand::List(_) => list(ctx, &file)?,
        ProjectCommand::Show(args) => show(ctx, &file, args.name)?,
        ProjectCommand::Use(args) => {
            let name = parse_name(&args.name)?;
            file.set_default(&name)?;
            ctx.ui
                .note(&format!("`{name}` is the default project now."));
            show(ctx, &file, Some(args.name))?;
        }
        ProjectCommand::Set(args) => {
            if args.forget_limits {
                forget_limits(ctx, &file, &args.name)?;
            }
            if let Some(zone) = args.time_zone {
                file.set(&parse_name(&args.name)?, "time_zone", zone.as_str())?;
            }
            if let Some(id) = args.project_id {
                file.set(&parse_name(&args.name)?, "project_id", i64::from(id.get()))?;
            }
            if let Some(switch) = args.verify {
                file.set(&parse_name(&args.name)?, "verify", switch == Switch::On)?;
            }
            show(ctx, &file, Some(args.name))?;
        }
        ProjectCommand::Secret(args) => secret::run(ctx, &args)?,
        ProjectCommand::Remove(args) => {
            let name = parse_name(&args.name)?;
            let key = find_key(ctx, &file, args.name);
            file.remove(&name)?;
            if let Some(key) = key {
                secret::forget(ctx, &key);
            }
            ctx.ui.note(&format!(
                "`{name}` is removed; its requests stay in the ledger."
            ));
            list(ctx, &file)?;
        }
    }
    Ok(ExitStatus::Done)
}

fn add(ctx: &mut Context, file: &mut ProjectsFile, args: &AddArgs) -> Result<(), Failure> {
    let name = parse_name(&args.name)?;
    if file.find(name.as_str()).is_some() {
        return Err(crate::config::ProjectsFileError::Exists(name).into());
    }
    let entry = ProjectEntry {
        region: Some(args.region),
        data_groups: args.data_groups,
        delete_batch: args.delete_batch,
        export_batch: args.export_batch,
        rate: args.rate,
        project_id: args.project_id.map(ProjectId::get),
        approvals: args.approvals,
        holidays: args.holiday.iter().copied().map(Day).collect(),
        time_zone: args.time_zone.map(|zone| zone.as_str().to_owned()),
        auth: args.auth.clone(),
        verify: args.verify.map(|switch| switch == Switch::On),
        ..ProjectEntry::default()
    };
    check(&entry).map_err(|error| usage(error.to_string()))?;
    let text = read_token(ctx, args)?;
    let token = parse_project_token(text.expose_secret())?;
    save(ctx, file, &name, &token, &entry)?;
    show(ctx, file, Some(args.name.clone()))
}

/// Adds a project to the config file, and warns if its token does not look like one.
pub(super) fn save(
    ctx: &Context,
    file: &mut ProjectsFile,
    name: &ProjectName,
    token: &ProjectToken,
    entry: &ProjectEntry,
) -> Result<(), Failure> {
    file.add(name, token, entry)?;
    ctx.ui
        .note(&format!("`{name}` is in {}.", file.path().display()));
    let named = [name.to_string()];
    for resolved in resolve(&named, &ctx.environment, file, &ctx.mode)? {
        ctx.warn_of_odd_token(&resolved.project);
    }
    Ok(())
}

/// Reads a project token that was typed or piped in.
pub(super) fn parse_project_token(text: &str) -> Result<ProjectToken, Failure> {
    let token = ProjectToken::new(text).ok_or_else(|| {
        usage("this cannot be a project token").hint("copy its 32 hex digits from Mixpanel")
    })?;
    match token.looks_like_project_id() {
        true => Err(usage("this is a numeric project id, not the project token")
            .hint("copy the project token (32 hex digits) from Mixpanel's project settings")),
        false => Ok(token),
    }
}

fn check(entry: &ProjectEntry) -> Result<(), LimitsError> {
    BatchLimits::new(entry.delete_batch, entry.export_batch, entry.data_groups)?;
    entry.rate.map_or(Ok(Rate::default()), Rate::new)?;
    Ok(())
}

fn read_token(ctx: &Context, args: &AddArgs) -> Result<SecretString, Failure> {
    // The sandbox makes up a token for any name; a real one does not belong there.
    if ctx.is_sandbox() && !args.with_token {
        return Ok(sandbox::project_token(&args.name).into());
    }
    if args.with_token || !ctx.ui.stdin_is_terminal() {
        return Ok(ctx.ui.read_secret()?);
    }
    let asked = ctx.ui.ask_secret(
        "Project token (not shown): ",
        "dsr asks for the project token",
    );
    asked.map_err(|error| {
        Failure::from(error)
            .or_hint("pipe the project token in: `… | dsr project add NAME --with-token`")
    })
}

fn list(ctx: &Context, file: &ProjectsFile) -> Result<(), Failure> {
    let projects = file.list().map(|(name, entry)| {
        let is_default = file.default_project() == Some(name);
        let region = entry.region.map(Region::as_str);
        (name.to_owned(), region, is_default)
    });
    let view = ProjectsView {
        projects: projects.collect(),
    };
    ctx.ui.print(&view).map_err(|error| local_io(&error))
}

fn show(ctx: &Context, file: &ProjectsFile, name: Option<String>) -> Result<(), Failure> {
    let names = name.map_or_else(|| ctx.projects.clone(), |name| vec![name]);
    let resolved = resolve(&names, &ctx.environment, file, &ctx.mode)?;
    let view = ProjectView {
        learned: learned_limits(ctx, &resolved)?,
        resolved: &resolved,
        secrets: secrets(ctx, &resolved),
        default: file.default_project(),
    };
    ctx.ui.print(&view).map_err(|error| local_io(&error))
}

/// Limits that Mixpanel has taught dsr; none without a ledger.
fn learned_limits(
    ctx: &Context,
    resolved: &[Resolved],
) -> Result<HashMap<ProjectKey, [Option<LearnedLimit>; 2]>, Failure> {
    let mut learned = HashMap::new();
    let ledger = ctx.ledger_or_empty()?;
    for project in resolved.iter().map(|resolved| &resolved.project) {
        let key = project.key();
        let limit = |kind| ledger.find_learned_limit(&key, kind, ctx.clock.now());
        let limits = [limit(Kind::Delete)?, limit(Kind::Export)?];
        learned.insert(key, limits);
    }
    Ok(learned)
}

fn forget_limits(ctx: &Context, file: &ProjectsFile, name: &str) -> Result<(), Failure> {
    let resolved = resolve(&[name.to_owned()], &ctx.environment, file, &ctx.mode)?;
    if ctx.has_ledger()? {
        let mut ledger = ctx.ledger()?;
        for resolved in &resolved {
            ledger.record_limits_forgotten(&resolved.project.key())?;
        }
    }
    Ok(())
}

/// Where each project's API secret is kept, if that can be found out.
fn secrets(ctx: &Context, resolved: &[Resolved]) -> HashMap<ProjectKey, SecretPlace> {
    let mut places = HashMap::new();
    for key in resolved.iter().map(|resolved| resolved.project.key()) {
        let place = match ctx.is_sandbox() {
            true => SecretPlace::Kept(SecretOrigin::Sandbox),
            false => match find_project_secret(&ctx.environment, &key) {
                Ok(Some(secret)) => SecretPlace::Kept(secret.origin()),
                Ok(None) => SecretPlace::Nowhere,
                Err(error) => SecretPlace::Unknown(error.to_string()),
            },
        };
        places.insert(key, place);
    }
    places
}

/// The keyring's name for the project; `None` if another name in the file shares it.
fn find_key(ctx: &Context, file: &ProjectsFile, name: String) -> Option<ProjectKey> {
    if ctx.is_sandbox() {
        return None;
    }
    let key_of = |name: String| -> Option<ProjectKey> {
        let found = resolve(&[name], &ctx.environment, file, &ctx.mode).ok()?;
        Some(found.first()?.project.key())
    };
    let key = key_of(name.clone())?;
    let mut others = file.list().filter(|(other, _)| *other != name);
    let is_shared = others.any(|(other, _)| key_of(other.to_owned()).as_ref() == Some(&key));
    (!is_shared).then_some(key)
}

fn parse_zone(text: &str) -> Result<ProjectZone, String> {
    let hint = "a time zone is written as Area/City, such as Europe/Berlin";
    ProjectZone::parse(text).ok_or_else(|| hint.to_owned())
}

pub(super) fn parse_name(text: &str) -> Result<ProjectName, Failure> {
    if looks_like_secret(text) {
        return Err(ResolveError::SecretName.into());
    }
    ProjectName::new(text).ok_or_else(|| {
        usage(format!("`{text}` cannot be the name of a project"))
            .hint("use letters, digits, `-`, `_` and `.`; begin with a letter or digit")
    })
}
