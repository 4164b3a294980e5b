//! Checks this machine: the program, its files, the ledger.

use std::path::{Path, PathBuf};

use crate::commands::context::{Context, holders};
use crate::commands::failures::{OTHER_KEY, ledger_key_hint, on_a_volume, quoted};
use crate::commands::people::minimise;
use crate::config::{NotPrivate, group_with_access, is_open_to_others, volume_group};
use crate::credentials::{IfNone, read_ledger_key};
use crate::domain::ExitStatus;
use crate::ledger::{self, Glance, Health, LedgerError, LostTime, Seen, SetBack};
use crate::ui::{Check, Failure, interrupted_text, plural};

/// In bytes. dsr lets the log grow to 64 MiB; a log this long means that something keeps the ledger
/// open.
const LONG_LOG: u64 = 256 * 1024 * 1024;
/// In bytes. Above this size, examining the ledger takes a while.
const LARGE: u64 = 512 * 1024 * 1024;

pub(crate) fn version() -> Check {
    let (system, machine) = (std::env::consts::OS, std::env::consts::ARCH);
    let version = env!("CARGO_PKG_VERSION");
    Check::fine(
        "version",
        format!("dsr {version} for {system} on {machine}"),
    )
}

pub(crate) fn check_files(ctx: &Context) -> Vec<Check> {
    let mut checks = Vec::new();
    let config = ctx.home.config_file();
    // It holds project tokens, which every web page of the product shows, too.
    if is_open(&config) {
        let message = format!("others can read the config file `{}`", config.display());
        checks.push(Check::warning("files", message, close(&config)));
    }
    let data = ctx.home.data();
    if is_open(data) {
        let message = format!("others can look into dsr's folder `{}`", data.display());
        checks.push(Check::warning("files", message, close(data)));
    }
    for path in ledger::list_files(&ctx.home.ledger()) {
        if is_plain(&path) && is_open(&path) {
            let message = format!(
                "others can read `{}`, which has people's ids",
                path.display()
            );
            let fix = close(&path);
            checks.push(Check::problem("files", ExitStatus::LocalIo, message, fix));
        }
    }
    if checks.is_empty() {
        checks.push(match volume_group() {
            _ if cfg!(not(unix)) => Check::skipped("files", of_inherited_permissions(data)),
            Some(group) => Check::fine(
                "files",
                format!("only you and group {group} (DSR_FS_GROUP) can read dsr's files"),
            ),
            None => Check::fine("files", "only you can read dsr's files"),
        });
    }
    checks
}

/// Windows gives new files the permissions of their folder.
fn of_inherited_permissions(data: &Path) -> String {
    format!(
        "not checked: everyone who can read `{}` can read dsr's files; `icacls {}` lists them",
        data.display(),
        quoted(data)
    )
}

/// Neither a link nor a pipe: the check of the ledger refuses those.
fn is_plain(path: &Path) -> bool {
    let metadata = std::fs::symlink_metadata(path);
    metadata.is_ok_and(|metadata| metadata.is_file() || metadata.is_dir())
}

fn is_open(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| is_open_to_others(&metadata))
}

fn close(path: &Path) -> String {
    let mode = if path.is_dir() { "700" } else { "600" };
    let group = std::fs::metadata(path).ok();
    let group = group.as_ref().and_then(group_with_access);
    format!("run `chmod {mode} {}`{}", quoted(path), on_a_volume(group))
}

/// What needs the operator, then the trail.
pub(super) fn of_whole(place: &str, health: &Health) -> Vec<Check> {
    let trail = health.trail.as_ref().map(of_trail);
    let to_review = health.lost.iter().filter(|lost| lost.review.is_none());
    let accepted = to_review.map(of_lost);
    let checks = [of_health(place, health)].into_iter();
    checks.chain(accepted).chain(trail).collect()
}

/// Whether the ledger in a file is whole, and whether something in it needs the operator.
pub(super) fn check_ledger(ctx: &Context, path: PathBuf) -> Vec<Check> {
    match std::fs::metadata(&path) {
        Ok(metadata) if metadata.len() > LARGE => {
            ctx.ui
                .note("Checking the whole ledger; this takes a while.");
        }
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return vec![of_no_ledger(&path)];
        }
        Err(error) => {
            let error = LedgerError::Open {
                path,
                source: error,
            };
            return vec![Check::of_failure("ledger", &Failure::from(error))];
        }
    }
    match ledger::examine(&path, ctx.lock_timeout, ctx.clock.now()) {
        Ok(health) => {
            let mut checks = of_whole(&path.display().to_string(), &health);
            checks.extend(of_key(ctx, health.key.as_deref()));
            checks
        }
        // `check_files` reports it.
        Err(LedgerError::NotPrivate(NotPrivate::OpenFile { .. })) => {
            let message = "not checked while others can read it";
            let fix = "close it, then run `dsr doctor` again";
            vec![Check::warning("ledger", message, fix)]
        }
        Err(error) => {
            let failure = holders::name(ctx, Failure::from(error));
            vec![Check::of_failure("ledger", &failure)]
        }
    }
}

/// Checks the file of the ledger key, if one is named. Without the key, ids stay in the ledger and
/// `dsr find` finds nobody.
pub(crate) fn check_ledger_key(ctx: &Context) -> Option<Check> {
    let path = ctx.environment.ledger_key_file.as_ref();
    let path = path.filter(|_| !ctx.is_sandbox())?;
    let error = read_ledger_key(path).err()?;
    Some(Check::of_failure("ledger key", &Failure::from(error)))
}

/// Warns if ids are hashed with a ledger key that this host lacks. `check_ledger_key` reports a bad
/// file.
fn of_key(ctx: &Context, known: Option<&str>) -> Option<Check> {
    let known = known.filter(|_| check_ledger_key(ctx).is_none())?;
    let (why, fix) = match minimise::ledger_key(ctx, IfNone::Leave) {
        Ok((key, _)) if key.fingerprint() == known => return None,
        Ok((key, _)) => (
            format!("this host has the key {}", key.fingerprint()),
            OTHER_KEY.to_owned(),
        ),
        Err(error) => (error.to_string(), ledger_key_hint(&error)),
    };
    let message = format!(
        "the ledger's ids are hashed with the key {known}, so `dsr find` fails here: {why}"
    );
    Some(Check::warning("ledger key", message, fix))
}

/// Tells a ledger that was never made from one that is gone.
fn of_no_ledger(path: &Path) -> Check {
    let seen = match ledger::find_seen(path) {
        Ok(Seen::Nothing) => {
            let path = path.display();
            let message = format!("there is no ledger at `{path}`; the first request makes one");
            return Check::fine("ledger", message);
        }
        Ok(seen @ (Seen::Head(_) | Seen::Unreadable)) => seen,
        Err(error) => return Check::of_failure("ledger", &Failure::from(error)),
    };
    of_set_back(&SetBack {
        seen,
        head: None,
        known_since: None,
    })
}

fn of_set_back(set_back: &SetBack) -> Check {
    let fix = "restore the newest ledger, or run `dsr ledger accept`";
    Check::problem("ledger", ExitStatus::LocalIo, set_back.to_string(), fix)
}

fn of_lost(lost: &LostTime) -> Check {
    let message = format!("{lost}; its suppression list lacks people deleted in that time");
    let fix = "keep the last suppression list that your servers have; see “Restore a ledger” in the runbooks";
    Check::warning("ledger", message, fix)
}

/// The end of the audit trail, where a killed dsr would leave damage.
fn of_trail(glance: &Glance) -> Check {
    match &glance.finding {
        None => Check::fine(
            "audit",
            format!(
                "the last entries of the audit trail are in order ({} in all)",
                plural(
                    usize::try_from(glance.entries).unwrap_or(usize::MAX),
                    "entry",
                    "entries"
                )
            ),
        ),
        Some(finding) => {
            let message = format!("the audit trail has a problem: {finding}");
            let fix = "run `dsr audit verify`, and do not change the ledger";
            Check::problem("audit", ExitStatus::LocalIo, message, fix)
        }
    }
}

fn of_health(place: &str, health: &Health) -> Check {
    if !health.damage.is_empty() {
        let damage = health.damage.join("; ");
        let message = format!("the ledger `{place}` is damaged: {damage}");
        let fix = "keep this file, and follow “Restore a ledger” in `dsr help runbooks`";
        return Check::problem("ledger", ExitStatus::LocalIo, message, fix);
    }
    if let Some(set_back) = &health.set_back {
        return of_set_back(set_back);
    }
    if health.receipts > 0 {
        let files = plural(
            health.receipts,
            "receipt of an accepted job is",
            "receipts of accepted jobs are",
        );
        let message = format!("{files} not recorded yet");
        return Check::warning("ledger", message, "run `dsr status`");
    }
    if health.interrupted > 0 {
        let message = interrupted_text(health.interrupted);
        return Check::warning("ledger", message, "run `dsr resume`");
    }
    if health.unsettled > 0 {
        let jobs = plural(health.unsettled, "job is", "jobs are");
        let message = format!("{jobs} unknown");
        return Check::warning("ledger", message, "run `dsr resume`");
    }
    if health.ids_to_hash > 0 {
        let jobs = plural(health.ids_to_hash, "job", "jobs");
        let message = format!("{jobs} ended, and the ledger still has their ids in plain text");
        let fix = "run `dsr status`: it replaces the ids with hashes, or says why it cannot";
        return Check::warning("ledger", message, fix);
    }
    if health.log_bytes > LONG_LOG {
        let message = format!(
            "{} of the ledger are still in its log: some program keeps the ledger open",
            size(health.log_bytes)
        );
        let fix = "end that program; the next dsr writes the log back";
        return Check::warning("ledger", message, fix);
    }
    let mut message = format!("whole, {}", size(health.bytes + health.log_bytes));
    for sender in &health.senders {
        message.push_str(&format!("; sending now: {}", holders::describe(sender)));
    }
    Check::fine("ledger", message)
}

/// `48 KiB`, `1.2 GiB`
fn size(bytes: u64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut place = 0;
    while value >= 1024.0 && place + 1 < units.len() {
        value /= 1024.0;
        place += 1;
    }
    match value < 10.0 && place > 0 {
        true => format!("{value:.1} {}", units[place]),
        false => format!("{value:.0} {}", units[place]),
    }
}
