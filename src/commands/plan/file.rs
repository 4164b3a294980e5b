//! The plan file of `dsr approve` and `dsr apply`, and its key.

use std::path::PathBuf;

use crate::commands::context::Context;
use crate::commands::failures::no_key_for_plans;
use crate::config::Mode;
use crate::credentials::{IfNone, find_ledger_key};
use crate::domain::{ExitStatus, LedgerKey, PlanDigest};
use crate::plan_file::PlanFile;
use crate::sandbox;
use crate::ui::{Failure, number};

/// Which plan file, and what it is expected to be.
#[derive(clap::Args, Debug)]
pub(crate) struct PlanFileArgs {
    /// A plan file, from `--plan` of `dsr delete` or `dsr export`
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Refuse unless the plan has this digest (all 64 digits)
    #[arg(long, value_name = "HEX", value_parser = parse_digest)]
    digest: Option<PlanDigest>,
    /// Refuse unless the plan has exactly N unique ids
    #[arg(long, value_name = "N")]
    expect: Option<usize>,
}

fn parse_digest(text: &str) -> Result<PlanDigest, String> {
    PlanDigest::parse(text)
        .ok_or_else(|| "all 64 hex digits that `dsr apply FILE --dry-run` shows".to_owned())
}

impl PlanFileArgs {
    /// Opens the file and checks it against `--digest` and `--expect`.
    pub(crate) fn open(&self) -> Result<PlanFile, Failure> {
        let file = PlanFile::open(&self.file)?;
        let unexpected = |message: String| {
            Failure::new(ExitStatus::Input, "unexpected_plan", message)
                .hint("nothing was done; check that it is the right file")
        };
        if let Some(expected) = self.digest
            && expected != *file.digest()
        {
            let (expected, found) = (expected.short(), file.digest().short());
            return Err(unexpected(format!(
                "the file has plan {found}, not plan {expected}"
            )));
        }
        let unique = file.header().unique;
        match self.expect {
            Some(expected) if expected != unique => Err(unexpected(format!(
                "the plan has {1} unique ids, not {0}",
                number(expected),
                number(unique)
            ))),
            Some(_) | None => Ok(file),
        }
    }
}

/// Finds the key that sealed a plan. Never makes one.
pub(crate) fn find_key(ctx: &Context, file: &PlanFile) -> Result<LedgerKey, Failure> {
    let key = match ctx.mode {
        Mode::Sandbox { .. } => LedgerKey::restore(sandbox::LEDGER_KEY),
        Mode::Real => {
            let found = find_ledger_key(&ctx.environment, ctx.home.data(), IfNone::Leave);
            found.map_err(|error| no_key_for_plans(&error))?.0
        }
    };
    file.demand_key(&key).map_err(|error| {
        let failure = Failure::from(error);
        let rehearsed = LedgerKey::restore(sandbox::LEDGER_KEY).fingerprint();
        match ctx.mode {
            Mode::Sandbox { .. } => failure.hint(
                "nothing was done; a rehearsal takes only plans that were made with `--sandbox`",
            ),
            Mode::Real if file.ledger_key() == rehearsed => {
                failure.hint("nothing was done; the plan is from a rehearsal: add `--sandbox`")
            }
            Mode::Real => failure,
        }
    })?;
    Ok(key)
}
