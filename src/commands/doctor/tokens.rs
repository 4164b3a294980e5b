//! Checks the OAuth tokens and the keyring.

use chrono::NaiveDate;

use crate::commands::auth::status::{list_states, trouble};
use crate::commands::context::Context;
use crate::commands::failures::{login_command, renewal};
use crate::config::Resolved;
use crate::credentials::{Keyring, TokenAge, TokenOrigin, WARN_DAYS};
use crate::domain::{ExitStatus, TokenName};
use crate::ui::{Check, TokenState, day_count};

pub(crate) fn check(ctx: &Context, resolved: &[Resolved]) -> Vec<Check> {
    let mut checks = Vec::new();
    // The ledger's own check reports what is wrong with it.
    let rejections = ctx.rejections().unwrap_or_default();
    let states = match list_states(ctx, &rejections) {
        Ok(states) => states,
        Err(failure) => return vec![Check::of_failure("token", &failure)],
    };
    let is_from_keyring = |state: &TokenState| state.token.origin() == TokenOrigin::Keyring;
    if states.iter().any(is_from_keyring) {
        checks.push(Check::fine("keyring", "answers"));
    } else if !ctx.is_sandbox() {
        checks.push(unneeded_keyring());
    }
    checks.extend(states.iter().map(|state| of_state(ctx, state)));
    if states.iter().any(is_from_keyring) {
        checks.extend(list_missing(ctx, resolved, &states));
    }
    checks
}

/// Reports tokens that projects name and the keyring lacks.
fn list_missing(ctx: &Context, resolved: &[Resolved], states: &[TokenState]) -> Vec<Check> {
    let default = ctx
        .default_token_name()
        .unwrap_or_else(|_| TokenName::main());
    let auths = resolved.iter().map(|one| one.project.auth.as_ref());
    let mut needed: Vec<&TokenName> = auths.map(|auth| auth.unwrap_or(&default)).collect();
    needed.sort_unstable();
    needed.dedup();
    needed.retain(|name| !states.iter().any(|state| state.token.name() == Some(name)));
    let missing = |name: &TokenName| {
        let fix = format!("run `{}`", login_command(Some(name)));
        let message = "it is not in the keyring, and a project needs it";
        Check::problem("token", ExitStatus::Auth, message, fix).of(name.as_str())
    };
    needed.into_iter().map(missing).collect()
}

/// Not a warning: the keyring may still be needed for the key of hashed ids.
fn unneeded_keyring() -> Check {
    let message = match Keyring::find(&TokenName::main()) {
        Ok(_) => "answers; not needed, since the token is in the environment".to_owned(),
        Err(error) => format!("not needed, since the token is in the environment ({error})"),
    };
    Check::fine("keyring", message)
}

fn of_state(ctx: &Context, state: &TokenState) -> Check {
    let token = &state.token;
    let today = ctx.clock.today();
    let check = match trouble(state, today, WARN_DAYS) {
        None => Check::fine("token", fine_text(state, today)),
        Some(message) => {
            let renew = renewal(token.origin(), token.name());
            match (state.is_usable(today), token.issued()) {
                (false, _) => Check::problem("token", ExitStatus::Auth, message, renew),
                (true, Some(_)) => Check::warning("token", message, renew),
                (true, None) => {
                    let message =
                        format!("the expiry date of {} is not known", token.description());
                    let fix =
                        "set DSR_TOKEN_ISSUED to the day the token was made, such as 2026-05-31";
                    Check::warning("token", message, fix)
                }
            }
        }
    };
    match token.name() {
        Some(name) => check.of(name.as_str()),
        None => check,
    }
}

pub(crate) fn fine_text(state: &TokenState, today: NaiveDate) -> String {
    let token = &state.token;
    let (which, fingerprint) = (token.description(), token.fingerprint());
    match token.age(today) {
        TokenAge::Good { expires, days_left } => format!(
            "{which} ({fingerprint}) is valid until {expires} ({})",
            day_count(days_left)
        ),
        _ => format!("{which} ({fingerprint})"),
    }
}
