//! The step of the OAuth token.

use chrono::NaiveDate;
use secrecy::ExposeSecret;

use crate::commands::auth::{self, status::trouble};
use crate::commands::context::Context;
use crate::commands::doctor::fine_text;
use crate::credentials::{
    CredentialError, Keyring, KeyringError, OauthToken, WARN_DAYS, find_environments_token,
};
use crate::ui::{Failure, TokenState, capital};

use super::{Saved, SetUpArgs, SetUpStep};

/// Where the token is.
enum TokenPlace {
    /// The environment's token serves all projects, and dsr cannot change it.
    Environment(OauthToken),
    Keyring(OauthToken),
    Nowhere,
    /// The keyring cannot be used.
    Unusable(KeyringError),
}

fn find(ctx: &Context) -> Result<TokenPlace, Failure> {
    if let Some(token) = find_environments_token(&ctx.environment)? {
        return Ok(TokenPlace::Environment(token));
    }
    Ok(match Keyring::find(&ctx.default_token_name()?) {
        Ok(Some(token)) => TokenPlace::Keyring(token),
        Ok(None) => TokenPlace::Nowhere,
        Err(error) => TokenPlace::Unusable(error),
    })
}

/// Reads the token that the options name. Adds the option that is missing.
pub(super) fn named(
    ctx: &Context,
    args: &SetUpArgs,
    missing: &mut Vec<&'static str>,
) -> Result<Option<OauthToken>, Failure> {
    if args.skips(SetUpStep::Token) {
        return Ok(None);
    }
    if args.with_token {
        let issued = args.issued.unwrap_or_else(|| ctx.clock.today());
        let text = ctx.ui.read_secret()?;
        auth::refuse_future(ctx, issued)?;
        let name = ctx.default_token_name()?;
        return auth::parse(text.expose_secret(), issued, &name).map(Some);
    }
    match find(ctx)? {
        TokenPlace::Environment(_) | TokenPlace::Keyring(_) => {}
        TokenPlace::Nowhere => missing.push("`--with-token`"),
        TokenPlace::Unusable(error) => return Err(CredentialError::Keyring(error).into()),
    }
    Ok(None)
}

/// Keeps the token as the default one.
pub(super) fn save(ctx: &Context, token: &OauthToken) -> Result<(), Failure> {
    let issued = token.issued().unwrap_or_else(|| ctx.clock.today());
    auth::keep(ctx, token, issued, &ctx.default_token_name()?)
}

/// Asks for the token and the day it was made, and keeps it.
pub(super) fn ask(ctx: &mut Context, args: &SetUpArgs, saved: &mut Saved) -> Result<(), Failure> {
    if args.skips(SetUpStep::Token) {
        return Ok(());
    }
    if let Some(issued) = args.issued {
        auth::refuse_future(ctx, issued)?;
    }
    ctx.ui.note("\nStep 1 of 4: OAuth token");
    let enter = match find(ctx)? {
        TokenPlace::Environment(token) => {
            ctx.ui.note(&describe(ctx, token));
            return Ok(());
        }
        TokenPlace::Unusable(error) => {
            let failure = Failure::from(CredentialError::Keyring(error));
            ctx.ui.note(&format!("{}.", capital(&failure.message)));
            let hint = failure.hint.unwrap_or_default();
            ctx.ui.note(&format!("Go on without it: {hint}."));
            return Ok(());
        }
        TokenPlace::Keyring(token) => {
            ctx.ui.note(&describe(ctx, token));
            "Enter keeps the present one"
        }
        TokenPlace::Nowhere => "Enter skips this step",
    };
    ctx.ui.note(
        "Make it in Mixpanel, under Profile & Preferences → Data & Privacy. It is valid for one year.",
    );
    let name = ctx.default_token_name()?;
    let token = loop {
        let question = format!("OAuth token (not shown; {enter}): ");
        let text = ctx.ui.ask_hidden(&question, &saved.words())?;
        if text.expose_secret().trim().is_empty() {
            return Ok(());
        }
        let today = ctx.clock.today();
        match auth::parse(text.expose_secret(), today, &name) {
            Ok(_) => break text,
            Err(failure) => refuse(ctx, &failure),
        }
    };
    let issued = match args.issued {
        Some(issued) => issued,
        None => ask_day(ctx, saved)?,
    };
    save(ctx, &auth::parse(token.expose_secret(), issued, &name)?)?;
    saved.token = true;
    Ok(())
}

fn ask_day(ctx: &Context, saved: &Saved) -> Result<NaiveDate, Failure> {
    let today = ctx.clock.today();
    loop {
        let question = format!("Day the token was made [{today}]: ");
        let answer = ctx.ui.ask(&question, &saved.words())?;
        match answer.parse::<NaiveDate>() {
            _ if answer.is_empty() => return Ok(today),
            Ok(day) if day <= today => return Ok(day),
            Ok(_) => ctx.ui.note("That day is in the future."),
            Err(_) => ctx.ui.note("Write the day as YYYY-MM-DD."),
        }
    }
}

/// Says why an answer does not do, and what would.
pub(super) fn refuse(ctx: &Context, failure: &Failure) {
    let hint = failure.hint.as_deref().unwrap_or_default();
    let message = format!("{}; {hint}.", capital(&failure.message));
    ctx.ui.note(&message);
}

fn describe(ctx: &Context, token: OauthToken) -> String {
    let state = TokenState {
        is_default: true,
        rejected_at: None,
        projects: Vec::new(),
        token,
    };
    let today = ctx.clock.today();
    let text = trouble(&state, today, WARN_DAYS);
    let text = text.unwrap_or_else(|| fine_text(&state, today));
    format!("{}.", capital(&text))
}
