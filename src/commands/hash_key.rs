use std::path::PathBuf;

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::credentials::{HashKey, HashKeyError, Keyring};
use crate::domain::ExitStatus;
use crate::ui::{Failure, Paper, View};

use super::auth::refuse_in_sandbox;
use super::context::Context;
use super::failures::local_io;

/// Keep the key of `--hash hmac-sha256` in the keyring
///
/// In place of the one before. It is the key with which your product makes distinct_ids, not a
/// token of Mixpanel's. Without a keyring, name a file each time: `--hash-key-file PATH`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr auth hash-key                                asks for it without showing it
  pass mixpanel/hash-key | dsr auth hash-key --with-key
  dsr auth hash-key --file key.bin                 a key of any bytes
  dsr auth hash-key --remove")]
#[group(multiple = false)]
pub(super) struct HashKeyArgs {
    /// Read the key, a line of text, from standard input
    #[arg(long)]
    with_key: bool,
    /// Read the key from a file that only its owner can read
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
    /// Forget the key
    #[arg(long)]
    remove: bool,
}

pub(super) fn run(ctx: &mut Context, args: &HashKeyArgs) -> Result<ExitStatus, Failure> {
    refuse_in_sandbox(ctx)?;
    let kept = if args.remove {
        let was_there = Keyring::forget_hash_key().map_err(HashKeyError::Keyring)?;
        Kept::Removed { was_there }
    } else {
        let key = match &args.file {
            Some(path) => HashKey::read(path)?,
            None => typed_key(ctx, args)?,
        };
        Keyring::record_hash_key(key).map_err(HashKeyError::Keyring)?;
        Kept::Recorded
    };
    ctx.ui.print(&kept).map_err(|error| local_io(&error))?;
    Ok(ExitStatus::Done)
}

fn typed_key(ctx: &Context, args: &HashKeyArgs) -> Result<HashKey, Failure> {
    let text = match args.with_key {
        true => ctx.ui.read_secret()?,
        false => ctx
            .ui
            .ask_secret("Key (not shown): ", "the key must be typed")
            .map_err(|error| {
                Failure::from(error).or_hint("pipe it in: `… | dsr auth hash-key --with-key`")
            })?,
    };
    let bytes = text.expose_secret().as_bytes().to_vec();
    Ok(HashKey::from_text_or_bytes(bytes).ok_or(HashKeyError::NothingGiven)?)
}

enum Kept {
    Recorded,
    Removed { was_there: bool },
}

impl View for Kept {
    fn human(&self, _: &Paper) -> String {
        match self {
            Self::Recorded => "The key is in the keyring.\n".to_owned(),
            Self::Removed { was_there: true } => "The key is out of the keyring.\n".to_owned(),
            Self::Removed { was_there: false } => "There was no key in the keyring.\n".to_owned(),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Recorded => json!({ "recorded": true }),
            Self::Removed { was_there } => json!({ "removed": was_there }),
        }
    }
}
