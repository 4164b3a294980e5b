//! `dsr init`: asks for what dsr needs, keeps it, then checks the set-up. May end with a rehearsal.

mod project;
mod token;

use std::path::PathBuf;
use std::process::Command;

use chrono::NaiveDate;

use crate::commands::context::Context;
use crate::commands::doctor::{self, DoctorArgs};
use crate::commands::failures::{local_io, usage};
use crate::domain::{ExitStatus, ProjectName, Region};
use crate::ui::{Failure, OutputFormat};

/// What the rehearsal exports: two people that the sandbox makes up.
const REHEARSAL: [&str; 8] = [
    "--sandbox",
    "export",
    "--gdpr",
    "--id",
    "user-1001",
    "--id",
    "user-2001",
    "--wait",
];

/// Set dsr up: token, project, check, rehearsal
///
/// dsr asks step by step and saves each answer. Enter keeps what is set, or skips the step. You can
/// run it again at any time. The check is that of `dsr doctor`, and so is the exit status.
///
/// Without a terminal, and with `--json` or `--no-input`, dsr asks nothing. Then name in options
/// what is not set yet. If something is missing, dsr saves nothing.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr init                           asks for everything
  dsr init --skip token              a project only
  pass mixpanel/gdpr | dsr init --with-token --issued 2026-05-31 \\
    --project shop --region eu --project-token-file shop.token")]
pub(crate) struct SetUpArgs {
    /// Read the OAuth token from standard input
    #[arg(long)]
    with_token: bool,
    /// The day the token was made; it is valid for a year from then [default: today]
    #[arg(long, value_name = "DATE")]
    issued: Option<NaiveDate>,
    /// Where Mixpanel stores the data of the new project; `--project` names it
    #[arg(long, ignore_case = true)]
    region: Option<Region>,
    /// File that holds the project token
    #[arg(long, value_name = "PATH")]
    project_token_file: Option<PathBuf>,
    /// Make the project the default
    #[arg(long)]
    default: bool,
    /// Leave out a step; may be repeated
    #[arg(long, value_enum, value_name = "STEP")]
    skip: Vec<SetUpStep>,
    /// Check this machine only: make no call
    #[arg(long)]
    offline: bool,
    /// Rehearse an export on the sandbox at the end
    #[arg(long)]
    rehearse: bool,
}

#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum SetUpStep {
    Token,
    Project,
    Rehearsal,
}

impl SetUpArgs {
    fn skips(&self, step: SetUpStep) -> bool {
        self.skip.contains(&step)
    }
}

/// What this run has saved so far, for whoever stops it.
#[derive(Default)]
struct Saved {
    token: bool,
    project: Option<ProjectName>,
    /// The new default project.
    default: Option<ProjectName>,
}

impl Saved {
    fn words(&self) -> String {
        let words = match (self.token, &self.project) {
            (false, None) if self.default.is_some() => {
                "No token and no project was saved.".to_owned()
            }
            (false, None) => "Nothing was saved.".to_owned(),
            (true, None) => "The token is saved. No project was saved.".to_owned(),
            (false, Some(name)) => format!("Project `{name}` is saved. No token was saved."),
            (true, Some(name)) => format!("The token and project `{name}` are saved."),
        };
        match &self.default {
            Some(name) => format!("{words} The default project is now `{name}`."),
            None => words,
        }
    }
}

pub(super) async fn run(ctx: &mut Context, args: SetUpArgs) -> Result<ExitStatus, Failure> {
    ctx.refuse_in_sandbox()?;
    if args.rehearse && ctx.ui.format() == OutputFormat::Json {
        return Err(
            usage("`--rehearse` prints a result of its own; nothing was saved")
                .hint("leave `--json` or `--rehearse` out"),
        );
    }
    let asks = ctx.ui.can_talk();
    let mut saved = Saved::default();
    match asks {
        true => {
            ctx.ui.note(
                "dsr asks for a token and a project, then checks both. Enter keeps what is set, or skips the step. What you have answered is saved, and Ctrl-C stops.",
            );
            token::ask(ctx, &args, &mut saved)?;
            project::ask(ctx, &args, &mut saved)?;
        }
        false => save_named(ctx, &args)?,
    }
    let offline = args.offline
        || asks
            && !yes(
                ctx,
                "\nStep 3 of 4: check\nCheck at Mixpanel, too? dsr sends one GET for each project, which changes nothing. [Y/n] ",
                &saved,
            )?;
    let checked = doctor::run(ctx, DoctorArgs::after_set_up(offline)).await?;
    let rehearses = args.rehearse
        || asks
            && !args.skips(SetUpStep::Rehearsal)
            && yes(
                ctx,
                "\nStep 4 of 4: rehearsal\nRehearse an export on the sandbox? It needs no account, and nothing real happens. [Y/n] ",
                &saved,
            )?;
    if !rehearses {
        ctx.ui.note(
            "To rehearse a deletion, add `--sandbox`: `dsr --sandbox delete --gdpr ids.csv`.",
        );
        return Ok(checked);
    }
    let rehearsed = rehearse(ctx)?;
    Ok(match checked {
        ExitStatus::Done => rehearsed,
        wrong => wrong,
    })
}

/// Saves what the options name. Reads and checks all of it first, so that nothing is half done.
fn save_named(ctx: &mut Context, args: &SetUpArgs) -> Result<(), Failure> {
    let mut missing = Vec::new();
    let token = token::named(ctx, args, &mut missing)?;
    let project = project::named(ctx, args, &mut missing)?;
    if !missing.is_empty() {
        let missing = missing.join(", ");
        let message = format!("dsr cannot ask here, and needs {missing}; nothing was saved");
        return Err(usage(message)
            .hint("add these options, or leave a step out: `--skip token`, `--skip project`"));
    }
    if let Some(token) = token {
        token::save(ctx, &token)?;
    }
    project.map_or(Ok(()), |project| project::save(ctx, &project))
}

/// Asks until the answer is yes, no, or Enter for yes.
fn yes(ctx: &Context, question: &str, saved: &Saved) -> Result<bool, Failure> {
    loop {
        match ctx
            .ui
            .ask(question, &saved.words())?
            .to_lowercase()
            .as_str()
        {
            "" | "y" | "yes" => return Ok(true),
            "n" | "no" => return Ok(false),
            _ => ctx.ui.note("Type y or n."),
        }
    }
}

/// Runs dsr once more, as the operator would, with the words that README.md begins with.
fn rehearse(ctx: &Context) -> Result<ExitStatus, Failure> {
    ctx.ui.note(&format!("\n$ dsr {}", REHEARSAL.join(" ")));
    // A signal reaches both processes. The rehearsal reports how far it came.
    ctx.interrupt.begin();
    let program = std::env::current_exe().map_err(|error| local_io(&error))?;
    let status = Command::new(program)
        .args(ctx.ui.own_flags())
        .args(REHEARSAL)
        .status()
        .map_err(|error| local_io(&error))?;
    let mut known = ExitStatus::ALL.into_iter();
    let ended = known.find(|known| status.code() == Some(i32::from(known.code())));
    Ok(ended.unwrap_or(ExitStatus::Bug))
}
