//! The command line: global flags, dispatch, and the one place where a failure becomes a status.

mod misread;
mod usage;
mod version;

use std::cell::{LazyCell, RefCell};
use std::ffi::OsString;
use std::time::Duration;

use anstyle::AnsiColor;
use chrono::{DateTime, Local, NaiveDate, Utc};
use clap::builder::Styles;
use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

use crate::commands::{COMPLETE, Command, Context, complete, topics};
use crate::config::{Environment, Home, Mode, ProjectsFile, find_actor, keep_files_private};
use crate::credentials::forbid_core_dumps;
use crate::domain::{Clock, ExitStatus, JobId, ProjectName, looks_like_secret};
use crate::ledger::ServerClock;
use crate::sandbox;
use crate::ui::{
    Color, Failure, HelpPage, Input, OutputFormat, Talk, Ui, duration, for_the_screen, guard,
};
use crate::workflow::{GRACE, Interrupt};

const EXAMPLES: &str = "\
Examples:
  dsr --sandbox export --gdpr ids.csv --wait  a rehearsal: nothing real
  dsr init                                    set up token and project
  dsr delete --gdpr ids.csv                   erase people; asks first
  dsr status                                  the state of all open requests
  dsr cancel q7tz0xma                         cancel what has not started
  dsr report q7tz0xma --output report.html    one request's evidence
  dsr doctor                                  what is wrong, what to run
  dsr guide opt-out                           stop the SDKs from collecting";

/// clap's own, except yellow, which nobody can read on white.
const STYLES: Styles = Styles::styled().invalid(AnsiColor::Magenta.on_default().bold());

/// Submit, follow and prove GDPR and CCPA data-subject requests on Mixpanel
#[derive(Parser, Debug)]
#[command(
    name = "dsr",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    styles = STYLES,
    after_help = EXAMPLES
)]
struct Cli {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Global options")]
struct GlobalArgs {
    /// Print JSON: one object on stdout, an error as one object on stderr
    #[arg(long, global = true)]
    json: bool,
    /// Print only the result, warnings and errors
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Print more on stderr: -v each step, -vv each call, -vvv everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Never ask; fail instead
    #[arg(long, global = true)]
    no_input: bool,
    /// When to use color
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: Color,
    /// One fact a line, as `name: value`, for screen readers: no columns, no color, no redrawing
    #[arg(long, global = true)]
    plain: bool,
    /// The project to work on; repeat it to work on several at once
    #[arg(long, global = true, value_name = "NAME", value_parser = project_name)]
    project: Vec<String>,
    /// Rehearse against the built-in sandbox: no account, no network, nothing real
    #[arg(long, global = true)]
    sandbox: bool,
    /// How long to wait for another dsr that holds the ledger
    #[arg(long, global = true, value_name = "DURATION", default_value = "30s", value_parser = humantime::parse_duration)]
    lock_timeout: Duration,
}

/// The clock of a shared ledger's server once it is open, or else this machine's.
#[derive(Default)]
struct SystemClock {
    server: ServerClock,
}

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place where the clock is read"
        )]
        self.server.now().unwrap_or_else(Utc::now)
    }

    fn today(&self) -> NaiveDate {
        self.now().with_timezone(&Local).date_naive()
    }
}

/// Every command shows a project's name, so a secret must not become one.
fn project_name(text: &str) -> Result<String, String> {
    if looks_like_secret(text) {
        return Err("it looks like a token or a password; give the project's name".to_owned());
    }
    match ProjectName::new(text) {
        Some(_) => Ok(text.to_owned()),
        None => Err("a project's name has only letters, digits, `-`, `_` and `.`".to_owned()),
    }
}

/// Returns the whole tree of commands, for help, completions and documents.
pub fn tree() -> clap::Command {
    let topics = topics::titles().map(|(name, title)| format!("  {name}  {title}"));
    let topics: Vec<String> = topics.collect();
    let topics = topics.join("\n");
    Cli::command()
        .after_help(format!(
            "{EXAMPLES}\n\nTopics; read one with `dsr help TOPIC`:\n{topics}"
        ))
        // `dsr help` covers the commands below as well.
        .mut_subcommands(|command| command.disable_help_subcommand(true))
}

/// Returns the pages of `dsr help` topics, as they are on any machine.
pub fn pages() -> Vec<HelpPage> {
    let pages = topics::titles().map(|(name, _)| topics::find(name, None));
    pages.flatten().collect()
}

/// Runs the command line and returns its exit status.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitStatus {
    forbid_core_dumps();
    keep_files_private();
    let args: Vec<OsString> = args.into_iter().collect();
    if let [_, first, words @ ..] = args.as_slice()
        && first == COMPLETE
    {
        complete(tree(), words, &mut std::io::stdout());
        return ExitStatus::Done;
    }
    let format = match args.iter().any(|arg| arg == "--json") {
        true => OutputFormat::Json,
        false => OutputFormat::Human,
    };
    let screen = move || Ui::new(format, Talk::Normal, Input::Never, Color::Never);
    guard(screen, || parse_and_start(args, format))
}

fn parse_and_start(args: Vec<OsString>, format: OutputFormat) -> ExitStatus {
    let mut command = tree();
    let parsed = match command.try_get_matches_from_mut(&args) {
        Ok(matches) => match misread::check(&command, &matches) {
            Ok(()) => Cli::from_arg_matches(&matches),
            Err(failure) => return refuse(&failure, &args, format),
        },
        Err(error) => Err(error),
    };
    let error = match parsed {
        Ok(cli) => return start(cli),
        Err(error) => error,
    };
    match error.kind() {
        ErrorKind::DisplayVersion if version::is_verbose(&args) => {
            let name = error.to_string();
            match version::print(&name) {
                Ok(()) => ExitStatus::Done,
                Err(_) => ExitStatus::LocalIo,
            }
        }
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            print_help(&args, error);
            ExitStatus::Done
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand if format == OutputFormat::Human => {
            print_help(&args, error);
            ExitStatus::Usage
        }
        _ => {
            let mut tree = tree();
            tree.build();
            refuse(&usage::failure(&error, &tree, &args), &args, format)
        }
    }
}

/// Prints the help, laid out for the screen. Laying it out takes time, so only help does it.
fn print_help(args: &[OsString], help: clap::Error) {
    let laid_out = for_the_screen(tree()).try_get_matches_from(args);
    drop(laid_out.err().unwrap_or(help).print());
}

/// Prints why dsr does not carry out a command line.
fn refuse(failure: &Failure, args: &[OsString], format: OutputFormat) -> ExitStatus {
    let environment = Environment::from_process().ok();
    let color = color_in(environment.as_ref(), Color::Auto);
    let ui = Ui::new(format, Talk::Quiet, Input::Never, color);
    match args.iter().any(|arg| arg == "--sandbox") {
        true => ui.rehearsing().fail(failure),
        false => ui.fail(failure),
    }
    failure.status
}

/// The environment may forbid color, unless a flag asks for it.
fn color_in(environment: Option<&Environment>, asked: Color) -> Color {
    let forbids = environment.is_some_and(|found| found.no_color || found.dumb_terminal);
    match asked {
        Color::Auto if forbids => Color::Never,
        asked => asked,
    }
}

fn screen(global: &GlobalArgs, environment: Option<&Environment>) -> Ui {
    let format = match global.json {
        true => OutputFormat::Json,
        false => OutputFormat::Human,
    };
    let talk = match global.quiet {
        true => Talk::Quiet,
        false => Talk::Normal,
    };
    let input = match global.no_input {
        true => Input::Never,
        false => Input::Allowed,
    };
    let is_dumb = environment.is_some_and(|environment| environment.dumb_terminal);
    let ui = Ui::new(format, talk, input, color_in(environment, global.color));
    match (global.plain, is_dumb) {
        (true, _) => ui.plain(),
        (false, true) => ui.without_drawing(),
        (false, false) => ui,
    }
}

fn start(cli: Cli) -> ExitStatus {
    let global = &cli.global;
    let environment = Environment::from_process();
    let screen = || screen(global, environment.as_ref().ok());
    let (early, ui) = match global.sandbox {
        true => (screen().rehearsing(), screen().rehearsing()),
        false => (screen(), screen()),
    };
    let mut ctx = match environment
        .map_err(Failure::from)
        .and_then(|environment| context(global, cli.command.name(), environment, ui))
    {
        Ok(ctx) => ctx,
        Err(failure) => {
            early.fail(&failure);
            return failure.status;
        }
    };
    if cli.command.tells_only_changes() {
        ctx.ui.hold_warnings();
    }
    // The doctor reports it among its checks.
    if !matches!(cli.command, Command::Doctor(_)) {
        ctx.warn_of_environments_token();
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(cli.command.run(&mut ctx, tree)),
        Err(error) => Err(Failure::from_error(ExitStatus::LocalIo, "local_io", &error)),
    };
    let status = result.unwrap_or_else(|failure| {
        ctx.ui.fail(&failure);
        failure.status
    });
    ctx.ui.end();
    status
}

fn context(
    global: &GlobalArgs,
    command: &'static str,
    environment: Environment,
    ui: Ui,
) -> Result<Context, Failure> {
    start_log(global.verbose, environment.log.as_deref())?;
    let home = Home::locate(environment.home.as_deref()).map_err(|error| {
        Failure::from_error(ExitStatus::LocalIo, "local_io", &error)
            .hint("set DSR_HOME to a folder for dsr")
    })?;
    let (home, mode) = if global.sandbox {
        let project_token = sandbox::project_token as fn(&str) -> String;
        // A broken config file outside must not keep anyone from a rehearsal.
        let file = ProjectsFile::load(home.config_file()).ok();
        let names = file.iter().flat_map(ProjectsFile::list);
        let real_projects = names.map(|(name, _)| name.to_owned()).collect();
        let mode = Mode::Sandbox {
            project_token,
            real_projects,
        };
        (home.sandbox(), mode)
    } else {
        (home, Mode::Real)
    };
    let (terminal, aside, fail) = (ui.terminal(), ui.aside(), ui.failing());
    let wait = move |job: &JobId| aside.note(&waits_for_answer(job));
    let interrupt = Interrupt::listen(wait, move |signal, posting| {
        // The next dsr finds in the ledger what was under way, and marks it unknown.
        terminal.leave();
        let status = signal.exit_status();
        if let Some(job) = posting {
            fail(&left_unknown(status, job));
        }
        std::process::exit(i32::from(status.code()))
    })
    .map_err(|error| Failure::from_error(ExitStatus::LocalIo, "local_io", &error))?;
    let server_clock = ServerClock::default();
    Ok(Context {
        ui,
        interrupt,
        environment,
        home,
        mode,
        clock: Box::new(SystemClock {
            server: server_clock.clone(),
        }),
        host_clock: Box::new(SystemClock::default()),
        server_clock,
        command,
        actor: LazyCell::new(find_actor),
        projects: global.project.clone(),
        lock_timeout: global.lock_timeout,
        sandbox: None,
        token_ends: RefCell::default(),
    })
}

fn waits_for_answer(job: &JobId) -> String {
    let (number, request) = (job.number, job.request.short());
    format!(
        "Stopping: dsr waits up to {} for Mixpanel's answer to job {number} of request {request}. A second Ctrl-C or SIGTERM stops at once, and leaves its outcome unknown.",
        duration(GRACE)
    )
}

fn left_unknown(status: ExitStatus, job: &JobId) -> Failure {
    let (number, request) = (job.number, job.request.short());
    let message = format!(
        "interrupted; the outcome of job {number} of request {request} is unknown: Mixpanel may or may not have it"
    );
    Failure::new(status, "interrupted", message)
        .hint(format!("settle it with `dsr resume {request}`"))
}

/// Logs to stderr, and only dsr's own messages: other crates may log addresses with tokens.
fn start_log(verbose: u8, level: Option<&str>) -> Result<(), Failure> {
    let level = match (verbose, level) {
        (0, None) => LevelFilter::OFF,
        (0, Some(text)) => text.parse().map_err(|_| {
            Failure::new(
                ExitStatus::Usage,
                "usage",
                "DSR_LOG must be error, warn, info, debug or trace",
            )
        })?,
        (1, _) => LevelFilter::INFO,
        (2, _) => LevelFilter::DEBUG,
        (_, _) => LevelFilter::TRACE,
    };
    let ours = Targets::new().with_target(env!("CARGO_CRATE_NAME"), level);
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    // Fails only if this process has set up a log before.
    drop(
        tracing_subscriber::registry()
            .with(layer.with_ansi(false).with_filter(ours))
            .try_init(),
    );
    Ok(())
}
