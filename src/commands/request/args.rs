//! The flags that export and delete share.

use std::path::PathBuf;
use std::time::Duration;

use chrono::NaiveDate;

use crate::commands::people::sources::{GivenArgs, ReadArgs};
use crate::domain::Law;
use crate::ledger::Again;

use super::waiting::WaitArgs;

/// Where the ids come from, and how sources are read.
#[derive(clap::Args, Debug)]
pub(crate) struct SourceArgs {
    #[command(flatten)]
    pub(crate) given: GivenArgs,
    #[command(flatten)]
    pub(super) reading: ReadArgs,
    /// Leave out the ids in this file, such as those under legal hold; dsr reads it as it reads the
    /// sources
    #[arg(long, value_name = "PATH", help_heading = "Source")]
    pub(super) exclude: Vec<PathBuf>,
    /// Refuse unless there are exactly N unique ids, without the excluded ids
    #[arg(long, value_name = "N", help_heading = "Source")]
    pub(super) expect: Option<usize>,
}

/// The law the request is made under; there is no default.
#[derive(clap::Args, Debug)]
#[group(id = "law", required = true, multiple = false)]
pub(crate) struct LawArgs {
    /// Under the GDPR
    #[arg(long)]
    gdpr: bool,
    /// Under the CCPA
    #[arg(long)]
    ccpa: bool,
}

/// How the request is recorded and followed.
#[derive(clap::Args, Debug)]
pub(crate) struct RequestArgs {
    /// Show what would be done, and send nothing
    #[arg(long, conflicts_with_all = ["wait", "timeout"])]
    pub(super) dry_run: bool,
    /// First ask Mixpanel which of the ids have a profile, and wait at most `--max-wait` for the
    /// hour's queries; needs a service account, see `dsr auth`
    #[arg(long)]
    pub(super) preflight: bool,
    /// Write the plan to a new file for others to approve, and send nothing; see `dsr apply`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["wait", "timeout", "dry_run", "new"])]
    pub(crate) plan: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) sending: SendingArgs,
    /// Your own ticket number, recorded with the request
    #[arg(long = "ref", value_name = "TEXT")]
    pub(super) reference: Option<String>,
    /// The day the person asked; the legal clock starts that day [default: today]
    #[arg(long, value_name = "DATE")]
    pub(super) received: Option<NaiveDate>,
}

/// How a request is sent and followed.
#[derive(clap::Args, Debug)]
pub(crate) struct SendingArgs {
    #[command(flatten)]
    pub(crate) wait: WaitArgs,
    /// How long to wait out Mixpanel's rate limits before leaving the rest for `dsr resume`; if
    /// Mixpanel cannot be reached, dsr tries five more times to send, whatever DURATION says
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = humantime::parse_duration)]
    pub(super) max_wait: Duration,
    /// Start a new request even if an open one has the same ids
    #[arg(long)]
    pub(crate) new: bool,
}

impl LawArgs {
    pub(crate) fn law(&self) -> Law {
        // clap's group requires exactly one.
        if self.ccpa { Law::Ccpa } else { Law::Gdpr }
    }
}

impl RequestArgs {
    /// Whether the command must leave nothing behind, not even a file.
    pub(super) fn is_only_shown(&self) -> bool {
        self.dry_run
    }

    /// Whether the command sends the request itself.
    pub(super) fn is_sent(&self) -> bool {
        !self.dry_run && self.plan.is_none()
    }
}

impl SendingArgs {
    pub(super) fn again(&self) -> Again {
        match self.new {
            true => Again::Allow,
            false => Again::Refuse,
        }
    }
}
