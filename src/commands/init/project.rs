//! The step of the project, and of the default one.

use std::fs::File;
use std::io::Read;

use secrecy::ExposeSecret;

use crate::commands::context::Context;
use crate::commands::failures::usage;
use crate::commands::project::{self, parse_name, parse_project_token};
use crate::config::{ProjectEntry, ProjectsFile};
use crate::domain::{ExitStatus, ProjectName, ProjectToken, Region};
use crate::ui::Failure;

use super::token::refuse;
use super::{Saved, SetUpArgs, SetUpStep};

/// In bytes; a project token has 32.
const MAX_FILE: u64 = 1024;

/// What is to be saved of a project.
pub(super) struct PlannedProject {
    name: ProjectName,
    /// `None` if the project is set up already.
    new: Option<(Region, ProjectToken)>,
    becomes_default: bool,
}

pub(super) fn save(ctx: &Context, planned: &PlannedProject) -> Result<(), Failure> {
    let mut file = ctx.projects_file()?;
    if let Some((region, token)) = &planned.new {
        let entry = ProjectEntry {
            region: Some(*region),
            ..ProjectEntry::default()
        };
        project::save(ctx, &mut file, &planned.name, token, &entry)?;
    }
    if planned.becomes_default && file.default_project() != Some(planned.name.as_str()) {
        file.set_default(&planned.name)?;
    }
    Ok(())
}

/// Reads the project that the options name. Adds the options that are missing.
pub(super) fn named(
    ctx: &Context,
    args: &SetUpArgs,
    missing: &mut Vec<&'static str>,
) -> Result<Option<PlannedProject>, Failure> {
    if args.skips(SetUpStep::Project) {
        return Ok(None);
    }
    let file = ctx.projects_file()?;
    let name = named_one(ctx)?;
    let is_set_up = file.list().len() > 0 || ctx.environment.project_token.is_some();
    let asks_for_more = args.default || args.region.is_some() || args.project_token_file.is_some();
    let Some(name) = name else {
        if !is_set_up || asks_for_more {
            missing.push("`--project`");
        }
        if !is_set_up {
            missing.extend(args.region.is_none().then_some("`--region`"));
            let without_file = args.project_token_file.is_none();
            missing.extend(without_file.then_some("`--project-token-file`"));
        }
        return Ok(None);
    };
    let token = read_token(args)?;
    let becomes_default = args.default;
    if let Some(entry) = file.find(name.as_str()) {
        let is_same = args
            .region
            .is_none_or(|region| entry.region == Some(region))
            && token
                .as_ref()
                .is_none_or(|token| entry.token.as_deref() == Some(token.expose()));
        return match is_same {
            true => Ok(Some(PlannedProject {
                name,
                new: None,
                becomes_default,
            })),
            false => Err(usage(format!(
                "project `{name}` is set up with another region or token; nothing was saved"
            ))
            .hint(format!("change it in {}", file.path().display()))),
        };
    }
    let (Some(region), Some(token)) = (args.region, token) else {
        missing.extend(args.region.is_none().then_some("`--region`"));
        let without_file = args.project_token_file.is_none();
        missing.extend(without_file.then_some("`--project-token-file`"));
        return Ok(None);
    };
    Ok(Some(PlannedProject {
        name,
        new: Some((region, token)),
        becomes_default,
    }))
}

/// The one project that `--project` names, if any.
fn named_one(ctx: &Context) -> Result<Option<ProjectName>, Failure> {
    match ctx.projects.as_slice() {
        [] => Ok(None),
        [name] => parse_name(name).map(Some),
        _ => Err(
            usage("`dsr init` sets up one project at a time; nothing was saved")
                .hint("name one with `--project NAME`"),
        ),
    }
}

fn read_token(args: &SetUpArgs) -> Result<Option<ProjectToken>, Failure> {
    let Some(path) = &args.project_token_file else {
        return Ok(None);
    };
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(MAX_FILE).read_to_string(&mut text))
        .map_err(|error| {
            let message = format!("cannot read `{}`; nothing was saved", path.display());
            let mut failure = Failure::new(ExitStatus::Usage, "usage", message);
            failure.causes.push(error.to_string());
            failure.hint("name a file that holds the project token")
        })?;
    parse_project_token(&text).map(Some)
}

/// Asks for a project and for the default one, and saves both.
pub(super) fn ask(ctx: &Context, args: &SetUpArgs, saved: &mut Saved) -> Result<(), Failure> {
    if args.skips(SetUpStep::Project) {
        return Ok(());
    }
    ctx.ui.note("\nStep 2 of 4: project");
    let file = ctx.projects_file()?;
    for (name, entry) in file.list() {
        let region = entry.region.map_or("no region", Region::as_str);
        let default = match file.default_project() == Some(name) {
            true => ", the default",
            false => "",
        };
        ctx.ui.note(&format!("`{name}` ({region}{default})"));
    }
    if ctx.environment.project_token.is_some() {
        ctx.ui
            .note("DSR_PROJECT_TOKEN names a project for this run.");
    }
    let planned = |name, new| PlannedProject {
        name,
        new,
        becomes_default: args.default,
    };
    let planned = match ask_name(ctx, &file, saved)? {
        Some(name) => ask_new(ctx, args, saved)?.map(|new| planned(name, Some(new))),
        // `--project` names one that is set up.
        None => named_one(ctx)?.map(|name| planned(name, None)),
    };
    if let Some(planned) = planned {
        save(ctx, &planned)?;
        saved.default = planned.becomes_default.then(|| planned.name.clone());
        saved.project = planned.new.map(|_| planned.name);
    }
    match args.default {
        true => Ok(()),
        false => ask_default(ctx, saved),
    }
}

/// `None` if the operator adds no project.
fn ask_name(
    ctx: &Context,
    file: &ProjectsFile,
    saved: &Saved,
) -> Result<Option<ProjectName>, Failure> {
    let is_new = |name: &ProjectName| {
        let is_new = file.find(name.as_str()).is_none();
        if !is_new {
            let path = file.path().display();
            ctx.ui
                .note(&format!("`{name}` is set up. To change it, edit {path}."));
        }
        is_new
    };
    if let Some(name) = named_one(ctx)? {
        return Ok(is_new(&name).then_some(name));
    }
    let enter = match file.list().len() {
        0 => "Enter skips this step",
        _ => "Enter adds none",
    };
    let question = format!("Name of a new project, such as shop ({enter}): ");
    loop {
        let answer = ctx.ui.ask(&question, &saved.words())?;
        if answer.is_empty() {
            return Ok(None);
        }
        match parse_name(&answer) {
            Ok(name) if is_new(&name) => return Ok(Some(name)),
            Ok(_) => {}
            Err(failure) => refuse(ctx, &failure),
        }
    }
}

/// Asks for region and token; `None` if the operator skips them.
fn ask_new(
    ctx: &Context,
    args: &SetUpArgs,
    saved: &Saved,
) -> Result<Option<(Region, ProjectToken)>, Failure> {
    let region = match args.region {
        Some(region) => region,
        None => loop {
            let question = "Region where Mixpanel stores its data (us, eu or in): ";
            let answer = ctx.ui.ask(question, &saved.words())?;
            match Region::parse(&answer.to_lowercase()) {
                Some(region) => break region,
                None => ctx
                    .ui
                    .note("Type us, eu or in. Mixpanel's project settings show it."),
            }
        },
    };
    if let Some(token) = read_token(args)? {
        return Ok(Some((region, token)));
    }
    ctx.ui
        .note("The project token has 32 hex digits, and is in Mixpanel's project settings.");
    loop {
        let question = "Project token (not shown; Enter adds no project): ";
        let text = ctx.ui.ask_hidden(question, &saved.words())?;
        if text.expose_secret().trim().is_empty() {
            return Ok(None);
        }
        match parse_project_token(text.expose_secret()) {
            Ok(token) => return Ok(Some((region, token))),
            Err(failure) => refuse(ctx, &failure),
        }
    }
}

/// Asks which of several projects is the default.
fn ask_default(ctx: &Context, saved: &mut Saved) -> Result<(), Failure> {
    let mut file = ctx.projects_file()?;
    if file.list().len() < 2 {
        return Ok(());
    }
    let now = file.default_project().unwrap_or("none").to_owned();
    loop {
        let question = format!("Default project [{now}]: ");
        let answer = ctx.ui.ask(&question, &saved.words())?;
        if answer.is_empty() || answer == now {
            return Ok(());
        }
        let changed = parse_name(&answer).and_then(|name| {
            file.set_default(&name)?;
            Ok(name)
        });
        match changed {
            Ok(name) => {
                saved.default = Some(name);
                return Ok(());
            }
            Err(failure) => refuse(ctx, &failure),
        }
    }
}
