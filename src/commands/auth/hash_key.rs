//! `dsr auth hash-key`: the key of hashed ids in the keyring.

use std::path::PathBuf;

use secrecy::ExposeSecret;

use crate::commands::context::Context;
use crate::commands::failures::local_io;
use crate::credentials::{HashKey, HashKeyError, Keyring};
use crate::domain::ExitStatus;
use crate::ui::{Change, Failure, KeptSecret};

/// Keep the key of `--hash hmac-sha256` in the keyring
///
/// The new key replaces the earlier one. Your product makes distinct_ids with this key; it is not a
/// Mixpanel token. Without a keyring, name a file each time: `--hash-key-file PATH`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr auth hash-key                                asks for the key; does not show it
  pass mixpanel/hash-key | dsr auth hash-key --with-key
  dsr auth hash-key --file key.bin                 a key of any bytes, from a file
  dsr auth hash-key --remove")]
#[group(multiple = false)]
pub(crate) struct HashKeyArgs {
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

pub(crate) fn run(ctx: &mut Context, args: &HashKeyArgs) -> Result<ExitStatus, Failure> {
    ctx.refuse_key_of_sandbox()?;
    let change = if args.remove {
        let was_there = Keyring::forget_hash_key().map_err(HashKeyError::Keyring)?;
        Change::Removed { was_there }
    } else {
        let key = match &args.file {
            Some(path) => HashKey::read(path)?,
            None => typed_key(ctx, args)?,
        };
        Keyring::record_hash_key(&key).map_err(HashKeyError::Keyring)?;
        Change::Recorded
    };
    let what = "key";
    let kept = KeptSecret { what, change };
    ctx.ui.print(&kept).map_err(|error| local_io(&error))?;
    Ok(ExitStatus::Done)
}

fn typed_key(ctx: &Context, args: &HashKeyArgs) -> Result<HashKey, Failure> {
    let text = match args.with_key {
        true => ctx.ui.read_secret()?,
        false => ctx
            .ui
            .ask_secret("Key (not shown): ", "dsr asks for the key")
            .map_err(|error| {
                Failure::from(error).or_hint("pipe the key in: `… | dsr auth hash-key --with-key`")
            })?,
    };
    let bytes = text.expose_secret().as_bytes().to_vec();
    Ok(HashKey::from_text_or_bytes(bytes).ok_or(HashKeyError::NothingGiven)?)
}
