//! Tokens, service accounts and keys: `dsr auth`.

mod account;
pub(super) mod hash_key;
pub(super) mod ledger_key;
pub(super) mod status;

use chrono::NaiveDate;
use secrecy::ExposeSecret;

use crate::commands::context::tokens::parse_token_name;
use crate::commands::context::{Context, holders};
use crate::commands::failures::{local_io, usage};
use crate::credentials::{CredentialError, Keyring, KeyringError, OauthToken, TokenOrigin};
use crate::domain::{ExitStatus, Project, TokenName};
use crate::ledger::{RequestRecord, Which};
use crate::ui::{Failure, LoggedOut, plural};

use hash_key::HashKeyArgs;
use ledger_key::LedgerKeyArgs;
use status::AuthStatusArgs;

/// Keep, show or forget OAuth tokens, and the keys for hashing ids
///
/// You make a token in Mixpanel under Profile & Preferences → Data & Privacy. It belongs to the
/// person who made it and is valid for one year. dsr keeps it in the operating system's keyring.
/// Without a keyring, set DSR_TOKEN_FILE or DSR_TOKEN.
///
/// If you have tokens of several people or organizations, give each a name. A project names its
/// token with `auth` in the config file; the other projects use the default token.
///
/// A service account lets dsr ask Mixpanel for profiles (`dsr lookup`, `--preflight`), which the token cannot. dsr
/// keeps it beside the token of the same name. Without a keyring, set DSR_SERVICE_ACCOUNT_FILE.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr auth login
  dsr auth login --name acme     a second token
  dsr auth use acme              for all projects that name no token
  dsr auth login --service-account
  dsr auth status
  DSR_TOKEN_FILE=/run/secrets/mixpanel DSR_TOKEN_ISSUED=2026-05-31 dsr auth status")]
pub(crate) struct AuthArgs {
    #[command(subcommand)]
    command: AuthCommand,
}

#[derive(clap::Subcommand, Debug)]
enum AuthCommand {
    Login(LoginArgs),
    Status(AuthStatusArgs),
    Use(UseArgs),
    Logout(LogoutArgs),
    HashKey(HashKeyArgs),
    LedgerKey(LedgerKeyArgs),
}

/// Keep a token or a service account in the keyring, in place of an earlier one
///
/// Open requests then use the new token. A dsr that is running keeps the token it started with.
/// Revoke the old token in Mixpanel after that dsr has ended.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr auth login                                   asks for the token; does not show it
  dsr auth login --issued 2026-05-31               the token was made on that day
  dsr auth login --name acme                       a second token
  pass mixpanel/gdpr | dsr auth login --with-token
  dsr auth login --service-account                 for `--preflight`")]
struct LoginArgs {
    /// The token's name, if there are several: letters, digits, `-`, `_`, `.` [default: main]
    #[arg(long, value_name = "NAME", value_parser = parse_token_name)]
    name: Option<TokenName>,
    /// Read the token, or the service account as `USERNAME:SECRET`, from standard input
    #[arg(long)]
    with_token: bool,
    /// Keep a service account, which may ask Mixpanel for profiles
    #[arg(long)]
    service_account: bool,
    /// The day the token was made; it is valid for a year from then [default: today]
    #[arg(long, value_name = "DATE", conflicts_with = "service_account")]
    issued: Option<NaiveDate>,
}

/// Use a token for all projects that name no token
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  dsr auth use acme")]
struct UseArgs {
    /// The token's name; a token without a name is `main`
    #[arg(value_parser = parse_token_name)]
    name: TokenName,
}

/// Forget a token or a service account in the keyring
///
/// It stays valid at Mixpanel until you revoke it there.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr auth logout
  dsr auth logout --name acme
  dsr auth logout --service-account")]
struct LogoutArgs {
    /// The token's name, if there are several
    #[arg(long, value_name = "NAME", value_parser = parse_token_name)]
    name: Option<TokenName>,
    /// Forget a service account instead of a token
    #[arg(long)]
    service_account: bool,
}

pub(crate) fn run(ctx: &mut Context, args: AuthArgs) -> Result<ExitStatus, Failure> {
    match args.command {
        AuthCommand::Login(args) if args.service_account => account::login(ctx, &args),
        AuthCommand::Login(args) => login(ctx, &args),
        AuthCommand::Status(args) => status::run(ctx, &args),
        AuthCommand::Use(args) => use_token(ctx, &args.name),
        AuthCommand::Logout(args) if args.service_account => account::logout(ctx, args.name),
        AuthCommand::Logout(args) => logout(ctx, args.name),
        AuthCommand::HashKey(args) => hash_key::run(ctx, &args),
        AuthCommand::LedgerKey(args) => ledger_key::run(ctx, &args),
    }
}

fn login(ctx: &mut Context, args: &LoginArgs) -> Result<ExitStatus, Failure> {
    ctx.refuse_in_sandbox()?;
    let issued = args.issued.unwrap_or_else(|| ctx.clock.today());
    refuse_future(ctx, issued)?;
    let name = args.name.clone().unwrap_or_else(TokenName::main);
    let text = match args.with_token {
        true => ctx.ui.read_secret()?,
        false => ctx
            .ui
            .ask_secret("OAuth token (not shown): ", "dsr asks for the token")
            .map_err(|error| {
                Failure::from(error).or_hint("pipe the token in: `… | dsr auth login --with-token`")
            })?,
    };
    let token = parse(text.expose_secret(), issued, &name)?;
    keep(ctx, &token, issued, &name)?;
    status::show_one(ctx, token)
}

/// Refuses a day on which no token can have been made yet.
pub(super) fn refuse_future(ctx: &Context, issued: NaiveDate) -> Result<(), Failure> {
    match issued > ctx.clock.today() {
        true => Err(usage(format!("`--issued {issued}` is in the future"))
            .hint("give the day the token was made")),
        false => Ok(()),
    }
}

/// Reads a token that was typed or piped in.
pub(super) fn parse(
    text: &str,
    issued: NaiveDate,
    name: &TokenName,
) -> Result<OauthToken, Failure> {
    let token = OauthToken::new(text, Some(issued), TokenOrigin::Keyring).map_err(|error| {
        usage(format!("this is not a token: {error}")).hint("copy it again from Mixpanel")
    })?;
    Ok(token.named(name.clone()))
}

/// Keeps a token in the keyring, in place of an earlier one of this name.
pub(super) fn keep(
    ctx: &Context,
    token: &OauthToken,
    issued: NaiveDate,
    name: &TokenName,
) -> Result<(), Failure> {
    // A damaged entry is also an entry: this token is not the first then.
    let is_first = Keyring::list(&[]).is_ok_and(|kept| kept.is_empty());
    Keyring::record(name, token, issued)?;
    if is_first {
        make_default(ctx, name)?;
    }
    warn_of_environment(ctx);
    ctx.ui.note(&match name.is_main() {
        true => "The token is in the keyring.".to_owned(),
        false => format!("The token `{name}` is in the keyring."),
    });
    if !is_used(ctx, name)? {
        ctx.ui.note(&format!(
            "No project uses it yet. Add `auth = \"{name}\"` to a project in the config file, or run `dsr auth use {name}` for all projects that name no token."
        ));
    }
    // The token is kept even if this fails.
    if let Err(failure) = go_on_with(ctx, name) {
        ctx.ui.warn("ledger", &failure.message);
    }
    Ok(())
}

/// Removes the ledger's note about the replaced token. Reports which requests use the new one.
fn go_on_with(ctx: &Context, name: &TokenName) -> Result<(), Failure> {
    if !ctx.has_ledger()? {
        return Ok(());
    }
    ctx.open_ledger()?.record_replaced(name)?;
    let ledger = ctx.ledger()?;
    let open = ledger.list_requests(Which::Open)?;
    let default = ctx.default_token_name()?;
    let mut projects = ctx.projects_of(&open)?;
    projects.retain(|project| project.auth.as_ref().unwrap_or(&default) == name);
    let uses_it = |request: &&RequestRecord| {
        let mut keys = projects.iter().map(Project::key);
        keys.any(|key| key == request.asked.project_key)
    };
    let count = open.iter().filter(uses_it).count();
    if count > 0 {
        let requests = plural(count, "open request now uses", "open requests now use");
        ctx.ui.note(&format!("{requests} it: see `dsr status`."));
    }
    for sender in ctx.list_senders()? {
        ctx.ui.note(&format!(
            "A dsr that is sending keeps its earlier token: {}. When it has ended, revoke that token in Mixpanel.",
            holders::describe(&sender)
        ));
    }
    Ok(())
}

fn is_used(ctx: &Context, name: &TokenName) -> Result<bool, Failure> {
    let file = ctx.projects_file()?;
    let is_named = file
        .list()
        .any(|(_, entry)| entry.auth.as_ref() == Some(name));
    Ok(is_named || ctx.default_token_name()? == *name)
}

fn use_token(ctx: &mut Context, name: &TokenName) -> Result<ExitStatus, Failure> {
    ctx.refuse_in_sandbox()?;
    let token =
        Keyring::find(name)?.ok_or_else(|| CredentialError::NoNamedToken { name: name.clone() })?;
    make_default(ctx, name)?;
    warn_of_environment(ctx);
    ctx.ui.note(&format!(
        "`{name}` is the token of all projects that name no token."
    ));
    status::show_one(ctx, token)
}

/// The main token needs no entry in the config file.
fn make_default(ctx: &Context, name: &TokenName) -> Result<(), Failure> {
    let mut file = ctx.projects_file()?;
    let wanted = (!name.is_main()).then_some(name);
    if file.default_auth() != wanted {
        file.set_default_auth(wanted)?;
    }
    Ok(())
}

fn warn_of_environment(ctx: &Context) {
    if ctx.environment.token.is_some() || ctx.environment.token_file.is_some() {
        ctx.ui.warn(
            "environment_token",
            "DSR_TOKEN or DSR_TOKEN_FILE is set, and dsr uses it instead of the keyring",
        );
    }
}

fn logout(ctx: &mut Context, name: Option<TokenName>) -> Result<ExitStatus, Failure> {
    ctx.refuse_in_sandbox()?;
    let name = match name {
        Some(name) => name,
        None => the_only_one()?,
    };
    let was_there = Keyring::forget(&name)?;
    if ctx.has_ledger()? {
        ctx.open_ledger()?.record_replaced(&name)?;
    }
    let mut file = ctx.projects_file()?;
    let was_default = ctx.default_token_name()? == name;
    if file.default_auth() == Some(&name) {
        file.set_default_auth(None)?;
    }
    if was_default && Keyring::list(&[]).is_ok_and(|left| !left.is_empty()) {
        ctx.ui
            .note("It was the default token; choose another with `dsr auth use NAME`.");
    }
    for (project, entry) in file.list() {
        if entry.auth.as_ref() == Some(&name) {
            let message = format!("project `{project}` names the token `{name}`");
            ctx.ui.warn("token_named", &message);
        }
    }
    let view = LoggedOut {
        what: "token",
        name,
        was_there,
    };
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    Ok(ExitStatus::Done)
}

/// Returns the token to use if the operator names none.
fn the_only_one() -> Result<TokenName, Failure> {
    let kept = match Keyring::list(&[]) {
        // dsr can remove a token that it cannot read.
        Err(KeyringError::Damaged) => return Ok(TokenName::main()),
        kept => kept?,
    };
    let mut names: Vec<TokenName> = kept
        .iter()
        .filter_map(|token| token.name().cloned())
        .collect();
    match names.len() {
        0 => Ok(TokenName::main()),
        1 => Ok(names.remove(0)),
        _ => {
            let names: Vec<&str> = names.iter().map(TokenName::as_str).collect();
            let message = format!("there are several tokens: {}", names.join(", "));
            Err(usage(message).hint("name one with `--name NAME`"))
        }
    }
}
