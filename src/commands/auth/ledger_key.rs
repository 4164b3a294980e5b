//! `dsr auth ledger-key`: where the ledger key is, a copy of it, another place for it.

use std::path::{Path, PathBuf};

use crate::commands::context::Context;
use crate::commands::failures::local_io;
use crate::commands::people::minimise;
use crate::credentials::{
    IfNone, KeyOrigin, Keyring, LedgerKeyError, read_ledger_key, write_ledger_key,
};
use crate::domain::{ExitStatus, LedgerKey};
use crate::ui::{Failure, LedgerKeyView};

/// Show where the key for the ledger's hashed ids is, or copy it
///
/// When a job has ended, the ledger keeps keyed hashes instead of its ids. `dsr find` needs the
/// same key to find a person among them. dsr makes the key when it first needs one, and keeps it in
/// the keyring. Without a keyring, make a file with `--to`, and set DSR_LEDGER_KEY_FILE to that
/// same file every time.
///
/// Keep a copy of the key apart from the ledger's backups. Without the key, `dsr find` finds
/// nobody. With the key and the ledger, anyone can test guesses.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr auth ledger-key                     where the key is, and whether it is this ledger's
  dsr auth ledger-key --to ledger.key     a copy for another machine, or a new key
  dsr auth ledger-key --from ledger.key   into the keyring")]
#[group(multiple = false)]
pub(crate) struct LedgerKeyArgs {
    /// Write the key to a new file that only you can read; if there is no key, make one
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Keep the key from this file in the keyring, instead of the earlier key
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
}

pub(crate) fn run(ctx: &mut Context, args: &LedgerKeyArgs) -> Result<ExitStatus, Failure> {
    let ledger = ctx.ledger_or_empty()?;
    let (remembered, if_none) = (ledger.find_people_key()?, ledger.if_no_key()?);
    drop(ledger);
    let remembered = remembered.as_deref();
    let shown = match (&args.to, &args.from) {
        (Some(path), _) => write(ctx, remembered, path)?,
        (None, Some(path)) => {
            ctx.refuse_key_of_sandbox()?;
            let key = read_ledger_key(path)?;
            demand_same(remembered, &key)?;
            Keyring::record_ledger_key(&key).map_err(LedgerKeyError::Keyring)?;
            LedgerKeyView::new(&key, KeyOrigin::Keyring, remembered)
        }
        (None, None) => {
            let (key, origin) = minimise::ledger_key(ctx, if_none)?;
            LedgerKeyView::new(&key, origin, remembered)
        }
    };
    ctx.ui.print(&shown).map_err(|error| local_io(&error))?;
    Ok(ExitStatus::Done)
}

fn write(ctx: &Context, remembered: Option<&str>, path: &Path) -> Result<LedgerKeyView, Failure> {
    ctx.refuse_key_of_sandbox()?;
    // The operator asks for a key, so also a server's ledger may get its first one.
    let if_none = match remembered {
        None => IfNone::Make,
        Some(_) => IfNone::Leave,
    };
    let key = match minimise::ledger_key(ctx, if_none) {
        Ok((key, _)) => key,
        // The ledger remembers nobody yet, and without a keyring there is no place for a key.
        Err(LedgerKeyError::Keyring(_)) if remembered.is_none() => LedgerKey::random(),
        Err(error) => return Err(error.into()),
    };
    demand_same(remembered, &key)?;
    write_ledger_key(path, &key)?;
    ctx.ui
        .note("On another host, copy this file and set DSR_LEDGER_KEY_FILE to the copy's path.");
    Ok(LedgerKeyView::new(
        &key,
        KeyOrigin::File(path.to_owned()),
        remembered,
    ))
}

/// Another key than the ledger's would find nobody.
fn demand_same(remembered: Option<&str>, key: &LedgerKey) -> Result<(), Failure> {
    let given = key.fingerprint();
    match remembered {
        Some(known) if known != given => Err(crate::ledger::LedgerError::OtherKey {
            known: known.to_owned(),
            given,
        }
        .into()),
        Some(_) | None => Ok(()),
    }
}
