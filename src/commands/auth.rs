use chrono::NaiveDate;
use secrecy::ExposeSecret;

use crate::credentials::{Keyring, OauthToken, TokenAge, TokenOrigin, find_token};
use crate::domain::ExitStatus;
use crate::ui::{AuthView, Failure};

use super::context::{Context, sandbox_token};
use super::failures::{local_io, usage};
use super::hash_key::{self, HashKeyArgs};

/// Keep, show or forget the OAuth token, or the key of hashed ids
///
/// The token is made in Mixpanel under Profile & Preferences → Data & Privacy, belongs to the
/// person who made it and is good for one year. It is kept in the operating system's keyring.
/// Where there is none (a container, cron), DSR_TOKEN_FILE or DSR_TOKEN serve.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr auth login
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
    Logout(LogoutArgs),
    HashKey(HashKeyArgs),
}

/// Keep a token in the keyring, in place of the one before
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr auth login                                   asks for it without showing it
  dsr auth login --issued 2026-05-31               made on another day than today
  pass mixpanel/gdpr | dsr auth login --with-token")]
struct LoginArgs {
    /// Read the token from standard input
    #[arg(long)]
    with_token: bool,
    /// The day the token was made; it is good for a year from then [default: today]
    #[arg(long, value_name = "DATE")]
    issued: Option<NaiveDate>,
}

/// Show where the token comes from and how long it is good for
///
/// Ends with status 4 when there is no token or its year is over.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr auth status
  dsr auth status --json")]
struct AuthStatusArgs {}

/// Forget the token in the keyring
///
/// It stays valid at Mixpanel until it is revoked there.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  dsr auth logout")]
struct LogoutArgs {}

pub(super) fn run(ctx: &mut Context, args: AuthArgs) -> Result<ExitStatus, Failure> {
    match args.command {
        AuthCommand::Login(args) => login(ctx, &args),
        AuthCommand::Status(_) => status(ctx),
        AuthCommand::Logout(_) => logout(ctx),
        AuthCommand::HashKey(args) => hash_key::run(ctx, &args),
    }
}

fn login(ctx: &mut Context, args: &LoginArgs) -> Result<ExitStatus, Failure> {
    refuse_in_sandbox(ctx)?;
    let today = ctx.clock.today();
    let issued = args.issued.unwrap_or(today);
    if issued > today {
        return Err(usage(format!("`--issued {issued}` lies in the future"))
            .hint("give the day the token was made"));
    }
    let text = match args.with_token {
        true => ctx.ui.read_secret()?,
        false => ctx
            .ui
            .ask_secret("OAuth token (not shown): ", "the token must be typed")
            .map_err(|error| {
                Failure::from(error).or_hint("pipe it in: `… | dsr auth login --with-token`")
            })?,
    };
    let token = OauthToken::new(text.expose_secret(), Some(issued), TokenOrigin::Keyring).map_err(
        |error| {
            usage(format!("this cannot be a token: {error}")).hint("copy it again from Mixpanel")
        },
    )?;
    Keyring::record(&token, issued)?;
    if ctx.environment.token.is_some() || ctx.environment.token_file.is_some() {
        ctx.ui.warn(
            "environment_token",
            "DSR_TOKEN or DSR_TOKEN_FILE is set and is used instead of the keyring's",
        );
    }
    ctx.ui.note("The token is in the keyring.");
    show(ctx, &token)
}

fn status(ctx: &mut Context) -> Result<ExitStatus, Failure> {
    let token = match ctx.is_sandbox() {
        true => sandbox_token()?,
        false => find_token(&ctx.environment)?,
    };
    show(ctx, &token)
}

fn show(ctx: &mut Context, token: &OauthToken) -> Result<ExitStatus, Failure> {
    let today = ctx.clock.today();
    ctx.warn_of_age(token);
    let view = AuthView { token, today };
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    Ok(match token.age(today) {
        TokenAge::Expired { .. } => ExitStatus::Auth,
        TokenAge::Good { .. } | TokenAge::NotKnown => ExitStatus::Done,
    })
}

fn logout(ctx: &mut Context) -> Result<ExitStatus, Failure> {
    refuse_in_sandbox(ctx)?;
    let was_there = Keyring::forget()?;
    let view = LoggedOut { was_there };
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    Ok(ExitStatus::Done)
}

pub(super) fn refuse_in_sandbox(ctx: &Context) -> Result<(), Failure> {
    if ctx.is_sandbox() {
        return Err(
            usage("the sandbox has a fixed token of its own; nothing was changed")
                .hint("leave `--sandbox` out"),
        );
    }
    Ok(())
}

struct LoggedOut {
    was_there: bool,
}

impl crate::ui::View for LoggedOut {
    fn human(&self, _: &crate::ui::Paper) -> String {
        match self.was_there {
            true => "The token is out of the keyring; revoke it in Mixpanel, too.\n".to_owned(),
            false => "There was no token in the keyring.\n".to_owned(),
        }
    }

    fn json(&self) -> serde_json::Value {
        serde_json::json!({ "removed": self.was_there })
    }
}
