//! Replaces the ids of jobs that have ended by keyed hashes, and warns if it cannot.

use crate::commands::context::Context;
use crate::commands::failures::ledger_key_hint;
use crate::config::Mode;
use crate::credentials::{IfNone, KeyOrigin, LedgerKeyError, find_ledger_key};
use crate::domain::LedgerKey;
use crate::ledger::Ledger;
use crate::sandbox;
use crate::ui::{Failure, plural};

/// In jobs. Hashing more than this takes a while.
const MANY: usize = 2000;

/// Returns the ledger's key for hashing people; see [`Ledger::if_no_key`].
pub(crate) fn ledger_key(
    ctx: &Context,
    if_none: IfNone,
) -> Result<(LedgerKey, KeyOrigin), LedgerKeyError> {
    if let Mode::Sandbox { .. } = ctx.mode {
        return Ok((LedgerKey::restore(sandbox::LEDGER_KEY), KeyOrigin::Sandbox));
    }
    find_ledger_key(&ctx.environment, ctx.home.data(), if_none)
}

/// Like `ledger_key`, but fails if the key is not the one that the ledger was hashed under.
pub(crate) fn people_key(ctx: &Context, ledger: &Ledger) -> Result<LedgerKey, Failure> {
    let (key, _) = ledger_key(ctx, ledger.if_no_key()?)?;
    ledger.demand_people_key(&key)?;
    Ok(key)
}

/// Returns the ledger's key, or any key if no one was hashed yet: then the ledger has the ids.
pub(crate) fn key_or_any(ctx: &Context, ledger: &Ledger) -> Result<(LedgerKey, bool), Failure> {
    match people_key(ctx, ledger) {
        Ok(key) => Ok((key, true)),
        Err(_) if ledger.find_people_key()?.is_none() => Ok((LedgerKey::random(), false)),
        Err(failure) => Err(failure),
    }
}

/// Like `sweep`, but only if ids that were kept to be verified are there for longer than they may.
pub(crate) fn sweep_overdue(ctx: &Context, ledger: &mut Ledger) -> Result<(), Failure> {
    if !ledger.is_copy_of_a_server() && !ledger.list_overdue_ids()?.is_empty() {
        sweep(ctx, ledger);
    }
    Ok(())
}

/// Removes the ids of jobs that have ended from the ledger, and warns if some stay. A failure does
/// not fail the command: the next one tries again.
pub(crate) fn sweep(ctx: &Context, ledger: &mut Ledger) {
    let now = ctx.clock.now();
    let waiting = match blank(ledger).and_then(|()| Ok(ledger.count_ids_to_hash(now)?)) {
        Ok(0) => return,
        Ok(waiting) => waiting,
        Err(failure) => return warn(ctx, &failure.message, failure.hint.as_deref()),
    };
    let key = match ledger.if_no_key() {
        Ok(if_none) => ledger_key(ctx, if_none),
        Err(error) => {
            let failure = Failure::from(error);
            return warn(ctx, &failure.message, failure.hint.as_deref());
        }
    };
    let stay = plural(
        waiting,
        "job that has ended stay",
        "jobs that have ended stay",
    );
    let key = match key {
        Ok((key, _)) => key,
        Err(error) => {
            let why = format!("the ids of {stay} in the ledger: {error}");
            return warn(ctx, &why, Some(&ledger_key_hint(&error)));
        }
    };
    if waiting > MANY {
        ctx.ui.note(&format!(
            "Hashing the ids of {}. This happens once and takes a moment.",
            plural(waiting, "job that has ended", "jobs that have ended")
        ));
    }
    match ledger.record_hashed(&key, now) {
        Ok(swept) if swept.unreadable > 0 => {
            let jobs = plural(swept.unreadable, "job", "jobs");
            let why = format!("the ids of {jobs} are damaged and stay as they are");
            warn(ctx, &why, None);
        }
        Ok(_) => {
            // Blanks the ids that were replaced just now.
            if let Err(failure) = blank(ledger) {
                warn(ctx, &failure.message, failure.hint.as_deref());
            }
        }
        Err(error) => {
            let failure = Failure::from(error);
            let why = format!("the ids of {stay} in the ledger: {}", failure.message);
            warn(ctx, &why, failure.hint.as_deref());
        }
    }
}

/// Finishes what needs no key, and what a killed dsr left to do.
fn blank(ledger: &mut Ledger) -> Result<(), Failure> {
    ledger.record_digests_blank()?;
    Ok(ledger.record_clean()?)
}

fn warn(ctx: &Context, why: &str, hint: Option<&str>) {
    let text = match hint {
        Some(hint) => format!("{why}; {hint}"),
        None => why.to_owned(),
    };
    ctx.ui.warn_once("ids_kept", &text);
}
