//! `dsr project secret`: the API secret of a project in the keyring.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use crate::commands::context::Context;
use crate::commands::failures::{local_io, usage};
use crate::config::resolve;
use crate::credentials::{HashKey, Keyring, KeyringError, ProjectSecret, SecretOrigin};
use crate::domain::ProjectKey;
use crate::ui::{Change, Failure, KeptSecret};

/// Keep a project's API secret in the keyring
///
/// Mixpanel locks exports with the API secret, so `dsr download --split` needs it. You find it in
/// Mixpanel's project settings. Without a keyring, put the secret into a file that only the job can
/// read, and set DSR_PROJECT_SECRET_FILE.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr project secret shop                          asks for the secret; does not show it
  pass mixpanel/shop-secret | dsr project secret shop --with-secret
  dsr project secret shop --file secret.txt
  dsr project secret shop --remove")]
pub(crate) struct SecretArgs {
    /// The project
    name: String,
    /// Read the secret from standard input
    #[arg(long, conflicts_with_all = ["file", "remove"])]
    with_secret: bool,
    /// Read the secret from a file that only its owner can read
    #[arg(long, value_name = "PATH", conflicts_with = "remove")]
    file: Option<PathBuf>,
    /// Forget the secret
    #[arg(long)]
    remove: bool,
}

pub(crate) fn run(ctx: &Context, args: &SecretArgs) -> Result<(), Failure> {
    if ctx.is_sandbox() {
        return Err(
            usage("the sandbox has a fixed API secret of its own; nothing was changed")
                .hint("leave `--sandbox` out"),
        );
    }
    let file = ctx.projects_file()?;
    let names = [args.name.clone()];
    let resolved = resolve(&names, &ctx.environment, &file, &ctx.mode)?;
    let keys = resolved.iter().map(|resolved| resolved.project.key());
    for key in keys {
        let change = match args.remove {
            true => Change::Removed {
                was_there: Keyring::forget_project_secret(&key).map_err(keyring_failure)?,
            },
            false => record(ctx, args, &key)?,
        };
        let what = "API secret";
        let kept = KeptSecret { what, change };
        ctx.ui.print(&kept).map_err(|error| local_io(&error))?;
    }
    Ok(())
}

fn record(ctx: &Context, args: &SecretArgs, key: &ProjectKey) -> Result<Change, Failure> {
    let text = read_secret(ctx, args)?;
    let secret = ProjectSecret::new(text.expose_secret(), SecretOrigin::Keyring);
    let secret = secret.ok_or_else(|| {
        usage("this is not an API secret").hint("copy it from Mixpanel's project settings")
    })?;
    Keyring::record_project_secret(key, &secret).map_err(keyring_failure)?;
    if ctx.environment.project_secret_file.is_some() {
        ctx.ui.warn(
            "environment_secret",
            "DSR_PROJECT_SECRET_FILE is set, and dsr uses it instead of the keyring",
        );
    }
    Ok(Change::Recorded)
}

fn read_secret(ctx: &Context, args: &SecretArgs) -> Result<SecretString, Failure> {
    if let Some(path) = &args.file {
        let key = HashKey::read(path)?;
        let text = String::from_utf8(key.expose().to_vec());
        // Bytes that are not text become an empty text, which is refused.
        return Ok(text.unwrap_or_default().into());
    }
    if args.with_secret {
        return Ok(ctx.ui.read_secret()?);
    }
    let asked = ctx.ui.ask_secret(
        "API secret (not shown): ",
        "dsr asks for the project's API secret",
    );
    asked.map_err(|error| {
        Failure::from(error)
            .or_hint("pipe the secret in: `… | dsr project secret NAME --with-secret`")
    })
}

fn keyring_failure(error: KeyringError) -> Failure {
    let mut failure = Failure::from(error);
    failure.hint = Some(
        "unlock it and try again, or set DSR_PROJECT_SECRET_FILE to a file that holds the secret"
            .to_owned(),
    );
    failure
}

/// Removes the API secret of a project that is being removed.
pub(crate) fn forget(ctx: &Context, key: &ProjectKey) {
    match Keyring::forget_project_secret(key) {
        Ok(true) => ctx.ui.note("Its API secret is removed from the keyring."),
        // Without a keyring there is no secret.
        Ok(false) | Err(KeyringError::Absent) => {}
        Err(error) => ctx.ui.warn(
            "keyring",
            &format!("the keyring may still hold the project's API secret: {error}"),
        ),
    }
}
