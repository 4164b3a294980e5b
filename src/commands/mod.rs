//! One file a command: its arguments, then read, confirm, delegate, print.

mod auth;
mod context;
mod doctor;
mod download;
mod failures;
mod help;
mod import;
mod init;
mod ledger;
mod people;
mod plan;
mod profiles;
mod project;
mod report;
mod request;
mod sandbox;
mod status;

pub(crate) use auth::AuthArgs;
pub(crate) use context::Context;
pub(crate) use doctor::DoctorArgs;
pub(crate) use download::DownloadArgs;
pub(crate) use help::HelpArgs;
pub(crate) use help::completions::{COMPLETE, CompletionsArgs, complete};
pub(crate) use help::guide::GuideArgs;
pub(crate) use help::{man::ManArgs, topics};
pub(crate) use import::ImportArgs;
pub(crate) use init::SetUpArgs;
pub(crate) use ledger::LedgerArgs;
pub(crate) use ledger::audit::AuditArgs;
pub(crate) use ledger::purge::PurgeArgs;
pub(crate) use people::find::FindArgs;
pub(crate) use people::lookup::LookupArgs;
pub(crate) use people::sanitize::SanitizeArgs;
pub(crate) use people::suppressions::SuppressionsArgs;
pub(crate) use people::verify::VerifyErasureArgs;
pub(crate) use plan::apply::ApplyArgs;
pub(crate) use plan::approve::ApproveArgs;
pub(crate) use profiles::ProfilesArgs;
pub(crate) use project::ProjectArgs;
pub(crate) use report::ReportArgs;
pub(crate) use request::answered::AnsweredArgs;
pub(crate) use request::cancel::CancelArgs;
pub(crate) use request::delete::DeleteArgs;
pub(crate) use request::export::ExportArgs;
pub(crate) use request::extend::ExtendArgs;
pub(crate) use request::resume::ResumeArgs;
pub(crate) use sandbox::SandboxArgs;
pub(crate) use status::StatusArgs;

use crate::domain::ExitStatus;
use crate::ui::Failure;

/// Every command, as `dsr --help` lists them.
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Command {
    Export(ExportArgs),
    Delete(DeleteArgs),
    Approve(ApproveArgs),
    Apply(ApplyArgs),
    Status(StatusArgs),
    Resume(ResumeArgs),
    Cancel(CancelArgs),
    Download(DownloadArgs),
    Extend(ExtendArgs),
    Answered(AnsweredArgs),
    Lookup(LookupArgs),
    Find(FindArgs),
    Verify(VerifyErasureArgs),
    Profiles(ProfilesArgs),
    Import(ImportArgs),
    Sanitize(SanitizeArgs),
    Report(ReportArgs),
    Audit(AuditArgs),
    Suppressions(SuppressionsArgs),
    Guide(GuideArgs),
    Init(SetUpArgs),
    Doctor(DoctorArgs),
    Project(ProjectArgs),
    Auth(AuthArgs),
    Purge(PurgeArgs),
    Ledger(LedgerArgs),
    Sandbox(SandboxArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
    Help(HelpArgs),
}

impl Command {
    pub(crate) async fn run(
        self,
        ctx: &mut Context,
        tree: fn() -> clap::Command,
    ) -> Result<ExitStatus, Failure> {
        let result = match self {
            Self::Export(args) => request::export::run(ctx, args).await,
            Self::Delete(args) => request::delete::run(ctx, args).await,
            Self::Approve(args) => plan::approve::run(ctx, &args),
            Self::Apply(args) => plan::apply::run(ctx, args).await,
            Self::Status(args) => status::run(ctx, args).await,
            Self::Resume(args) => request::resume::run(ctx, args).await,
            Self::Cancel(args) => request::cancel::run(ctx, args).await,
            Self::Extend(args) => request::extend::run(ctx, &args),
            Self::Answered(args) => request::answered::run(ctx, &args),
            Self::Download(args) => download::run(ctx, args).await,
            Self::Lookup(args) => people::lookup::run(ctx, &args).await,
            Self::Find(args) => people::find::run(ctx, &args),
            Self::Verify(args) => people::verify::run(ctx, args).await,
            Self::Profiles(args) => profiles::run(ctx, args).await,
            Self::Import(args) => import::run(ctx, &args).await,
            Self::Sanitize(args) => people::sanitize::run(ctx, &args),
            Self::Report(args) => report::run(ctx, &args),
            Self::Suppressions(args) => people::suppressions::run(ctx, &args),
            Self::Purge(args) => ledger::purge::run(ctx, &args),
            Self::Ledger(args) => ledger::run(ctx, &args),
            Self::Audit(args) => ledger::audit::run(ctx, &args),
            Self::Auth(args) => auth::run(ctx, args),
            Self::Project(args) => project::run(ctx, args),
            Self::Init(args) => init::run(ctx, args).await,
            Self::Doctor(args) => doctor::run(ctx, args).await,
            Self::Guide(args) => help::guide::run(ctx, &args),
            Self::Sandbox(args) => sandbox::run(ctx, args).await,
            Self::Completions(args) => help::completions::run(ctx, args, tree()),
            Self::Man(args) => help::man::run(ctx, &args, tree()),
            Self::Help(args) => help::run(ctx, &args, tree()),
        };
        result.map_err(|failure| context::holders::name(ctx, failure))
    }

    /// Whether it prints nothing if nothing has changed, so that cron sends no mail.
    pub(crate) fn tells_only_changes(&self) -> bool {
        matches!(self, Self::Status(args) if args.changes)
    }

    /// The command as it is typed, without arguments: they may be ids.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Export(_) => "dsr export",
            Self::Delete(_) => "dsr delete",
            Self::Approve(_) => "dsr approve",
            Self::Apply(_) => "dsr apply",
            Self::Status(_) => "dsr status",
            Self::Resume(_) => "dsr resume",
            Self::Cancel(_) => "dsr cancel",
            Self::Extend(_) => "dsr extend",
            Self::Answered(_) => "dsr answered",
            Self::Download(_) => "dsr download",
            Self::Lookup(_) => "dsr lookup",
            Self::Find(_) => "dsr find",
            Self::Verify(_) => "dsr verify",
            Self::Profiles(_) => "dsr profiles",
            Self::Import(_) => "dsr import",
            Self::Sanitize(_) => "dsr sanitize",
            Self::Report(_) => "dsr report",
            Self::Suppressions(_) => "dsr suppressions",
            Self::Purge(_) => "dsr purge",
            Self::Ledger(_) => "dsr ledger",
            Self::Audit(_) => "dsr audit",
            Self::Auth(_) => "dsr auth",
            Self::Project(_) => "dsr project",
            Self::Init(_) => "dsr init",
            Self::Doctor(_) => "dsr doctor",
            Self::Guide(_) => "dsr guide",
            Self::Sandbox(_) => "dsr sandbox",
            Self::Completions(_) => "dsr completions",
            Self::Man(_) => "dsr man",
            Self::Help(_) => "dsr help",
        }
    }
}
