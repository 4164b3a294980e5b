//! `dsr auth status`: the tokens, their age, and whether Mixpanel turned one away.

use super::account;
use crate::commands::context::Context;
use crate::commands::context::tokens::sandbox_token;
use crate::commands::failures::{local_io, renewal};
use crate::commands::status::deadlines::whole_days;
use crate::credentials::{
    CredentialError, Keyring, OauthToken, TokenAge, TokenOrigin, WARN_DAYS, find_environments_token,
};
use crate::domain::{ExitStatus, TokenName};
use crate::ledger::Rejection;
use crate::ui::{AccountsView, Failure, TokenState, TokensView, day_count};

/// Show tokens and service accounts: where they are, how long valid, whether refused
///
/// dsr reads only the keyring and the settings. It exits with status 4 if there is no token, if the
/// default token has expired, or if Mixpanel has refused it (401) since it last accepted it.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr auth status
  dsr auth status --json
  dsr auth status --exit-status --warn-days 14    in cron: 4 in time to make a new one")]
pub(crate) struct AuthStatusArgs {
    /// Exit with status 4 also if a token expires within `--warn-days`, or if its expiry date is
    /// not known
    #[arg(long)]
    exit_status: bool,
    /// How many days before its expiry dsr reports a token (`14` or `14d`)
    #[arg(long, value_name = "DAYS", default_value_t = WARN_DAYS, requires = "exit_status", value_parser = whole_days)]
    warn_days: i64,
}

pub(crate) fn run(ctx: &mut Context, args: &AuthStatusArgs) -> Result<ExitStatus, Failure> {
    let rejections = ctx.rejections().unwrap_or_else(|failure| {
        // This must not hide what is known without the ledger.
        let message = format!(
            "dsr cannot tell whether Mixpanel refused a token: {}",
            failure.message
        );
        ctx.ui.warn("ledger", &message);
        Vec::new()
    });
    let states = list_states(ctx, &rejections)?;
    let has_default = states.iter().any(|state| state.is_default);
    let standing = match has_default && !args.exit_status {
        true => warn_of_default(ctx, &states),
        false => ExitStatus::Done,
    };
    let accounts = account::list(ctx).unwrap_or_else(|error| {
        let failure = Failure::from(error);
        ctx.ui.warn("service_account", &failure.message);
        AccountsView::default()
    });
    print(ctx, &states, &accounts)?;
    if !has_default {
        return Err(missing(&ctx.default_token_name()?).into());
    }
    if !args.exit_status {
        return Ok(standing);
    }
    let today = ctx.clock.today();
    let (mut troubles, mut renewals) = (Vec::new(), Vec::new());
    for state in &states {
        if let Some(trouble) = trouble(state, today, args.warn_days) {
            troubles.push(trouble);
            renewals.push(renewal(state.token.origin(), state.token.name()));
        }
    }
    if troubles.is_empty() {
        return Ok(ExitStatus::Done);
    }
    let failure = Failure::new(ExitStatus::Auth, "token_expiry", troubles.join("; "));
    ctx.ui.fail(&failure.hint(renewals.join("; ")));
    Ok(ExitStatus::Auth)
}

pub(crate) fn show_one(ctx: &Context, token: OauthToken) -> Result<ExitStatus, Failure> {
    let default = ctx.default_token_name()?;
    let state = TokenState {
        is_default: token.name() == Some(&default),
        rejected_at: None,
        projects: Vec::new(),
        token,
    };
    ctx.warn_of_age(&state.token);
    let today = ctx.clock.today();
    print(ctx, std::slice::from_ref(&state), &AccountsView::default())?;
    Ok(match state.token.age(today) {
        TokenAge::Expired { .. } => ExitStatus::Auth,
        TokenAge::Good { .. } | TokenAge::NotKnown => ExitStatus::Done,
    })
}

fn print(ctx: &Context, states: &[TokenState], accounts: &AccountsView) -> Result<(), Failure> {
    let today = ctx.clock.today();
    let view = TokensView {
        tokens: states,
        accounts,
        today,
    };
    ctx.ui.print(&view).map_err(|error| local_io(&error))
}

/// Lists every token with what is known of it. Fails if there is none.
pub(crate) fn list_states(
    ctx: &Context,
    rejections: &[Rejection],
) -> Result<Vec<TokenState>, Failure> {
    let rejected_at = |token: &OauthToken| {
        let mut rejections = rejections.iter();
        rejections
            .find(|one: &&Rejection| one.is_of(token))
            .map(|one| one.at)
    };
    let only = match ctx.is_sandbox() {
        true => Some(sandbox_token()?),
        false => find_environments_token(&ctx.environment)?,
    };
    if let Some(token) = only {
        return Ok(vec![TokenState {
            rejected_at: rejected_at(&token),
            is_default: true,
            projects: Vec::new(),
            token,
        }]);
    }
    let file = ctx.projects_file()?;
    let default = ctx.default_token_name()?;
    let named = file.list().filter_map(|(_, entry)| entry.auth.clone());
    let named: Vec<TokenName> = named.chain([default.clone()]).collect();
    let tokens = Keyring::list(&named).map_err(CredentialError::Keyring)?;
    if tokens.is_empty() {
        return Err(missing(&default).into());
    }
    let state = |token: OauthToken| {
        let projects = file
            .list()
            .filter(|(_, entry)| entry.auth.as_ref() == token.name());
        TokenState {
            rejected_at: rejected_at(&token),
            is_default: token.name() == Some(&default),
            projects: projects
                .filter(|(_, entry)| entry.auth.is_some())
                .map(|(name, _)| name.to_owned())
                .collect(),
            token,
        }
    };
    Ok(tokens.into_iter().map(state).collect())
}

fn missing(name: &TokenName) -> CredentialError {
    match name.is_main() {
        true => CredentialError::NoToken,
        false => CredentialError::NoNamedToken { name: name.clone() },
    }
}

/// Warns of what is wrong with the default token. Returns status 4 if it cannot be used.
fn warn_of_default(ctx: &Context, states: &[TokenState]) -> ExitStatus {
    let mut status = ExitStatus::Done;
    for state in states {
        ctx.warn_of_age(&state.token);
        if let Some(at) = state.rejected_at {
            let token = &state.token;
            let renewal = renewal(token.origin(), token.name());
            ctx.warn_of_rejection(&token.description(), &renewal, at);
        }
        if state.is_default && !state.is_usable(ctx.clock.today()) {
            status = ExitStatus::Auth;
        }
    }
    status
}

/// Returns why a token must be renewed, if it must.
pub(crate) fn trouble(
    state: &TokenState,
    today: chrono::NaiveDate,
    warn_days: i64,
) -> Option<String> {
    let token = &state.token;
    let which = token.description();
    match (token.age(today), state.rejected_at) {
        (_, Some(at)) => Some(format!(
            "Mixpanel refused {which} on {} (401)",
            at.date_naive()
        )),
        (TokenAge::Expired { expired }, None) => Some(format!("{which} expired on {expired}")),
        (TokenAge::Good { expires, days_left }, None) if days_left <= warn_days => Some(format!(
            "{which} expires on {expires} ({})",
            day_count(days_left)
        )),
        (TokenAge::NotKnown, None) if token.origin() != TokenOrigin::Sandbox => Some(format!(
            "the expiry date of {which} is not known: set DSR_TOKEN_ISSUED to the day it was made"
        )),
        (TokenAge::Good { .. } | TokenAge::NotKnown, None) => None,
    }
}
