//! `dsr auth login --service-account` and its logout.

use secrecy::{ExposeSecret, SecretString};

use crate::commands::context::Context;
use crate::commands::context::tokens::sandbox_account;
use crate::commands::failures::{local_io, usage};
use crate::credentials::{
    AccountOrigin, Keyring, ServiceAccount, ServiceAccountError, find_environments_account,
};
use crate::domain::{ExitStatus, TokenName};
use crate::ui::{AccountsView, Change, Failure, KeptSecret, LoggedOut};

use super::LoginArgs;

const HOW: &str = "make one in Mixpanel's organization settings under Service Accounts";

pub(super) fn login(ctx: &mut Context, args: &LoginArgs) -> Result<ExitStatus, Failure> {
    ctx.refuse_in_sandbox()?;
    let name = args.name.clone().unwrap_or_else(TokenName::main);
    let account = match args.with_token {
        true => {
            let line = ctx.ui.read_secret()?;
            ServiceAccount::parse(line.expose_secret(), AccountOrigin::Keyring)
        }
        false => {
            let user = ask(ctx, "Service account's user name (not shown): ")?;
            let secret = ask(ctx, "Its secret (not shown): ")?;
            let (user, secret) = (user.expose_secret(), secret.expose_secret());
            ServiceAccount::new(user, secret, AccountOrigin::Keyring)
        }
    };
    let account = account.ok_or_else(|| {
        usage("this is not a service account: it is one line `USERNAME:SECRET` of printable ASCII without spaces").hint(HOW)
    })?;
    Keyring::record_account(&name, &account).map_err(ServiceAccountError::Keyring)?;
    if ctx.environment.service_account_file.is_some() {
        ctx.ui.warn(
            "environment_token",
            "DSR_SERVICE_ACCOUNT_FILE is set, and dsr uses it instead of the keyring",
        );
    }
    let view = KeptSecret {
        what: "service account",
        change: Change::Recorded,
    };
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    Ok(ExitStatus::Done)
}

fn ask(ctx: &Context, prompt: &str) -> Result<SecretString, Failure> {
    let asked = ctx
        .ui
        .ask_secret(prompt, "dsr asks for the service account");
    asked.map_err(|error| {
        Failure::from(error).or_hint(
            "pipe it in as `USERNAME:SECRET`: `… | dsr auth login --service-account --with-token`",
        )
    })
}

pub(super) fn logout(ctx: &mut Context, name: Option<TokenName>) -> Result<ExitStatus, Failure> {
    ctx.refuse_in_sandbox()?;
    let name = name.unwrap_or_else(TokenName::main);
    let was_there = Keyring::forget_account(&name).map_err(ServiceAccountError::Keyring)?;
    let view = LoggedOut {
        what: "service account",
        name,
        was_there,
    };
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    Ok(ExitStatus::Done)
}

/// Lists the service accounts that dsr would use.
pub(super) fn list(ctx: &Context) -> Result<AccountsView, ServiceAccountError> {
    let accounts = match ctx.is_sandbox() {
        true => vec![sandbox_account()],
        false => match find_environments_account(&ctx.environment)? {
            Some(account) => vec![account],
            // Nobody needs an account. If the keyring is needed, the tokens report its trouble.
            None => Keyring::list_accounts().unwrap_or_default(),
        },
    };
    Ok(AccountsView { accounts })
}
