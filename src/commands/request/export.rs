use std::path::PathBuf;

use crate::commands::context::Context;
use crate::commands::failures::usage;
use crate::commands::plan::file;
use crate::domain::{Disclosure, ExitStatus, Law, Operation, RetrievalScope};
use crate::ui::Failure;

use super::submission::{self, LawArgs, RequestArgs, SourceArgs};

/// Export what Mixpanel holds on the listed people
///
/// Reads every source to its end, removes repeated ids, cuts the rest into jobs of at most
/// 2,000 ids and submits them at the project's rate. Mixpanel then needs up to 30 days. A CCPA
/// export holds the last year only, a GDPR export everything: say which one is meant.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr export --gdpr ids.csv                     everyone in a file
  dsr export --gdpr --dry-run ids.csv           what would be sent
  dsr export --ccpa --disclosure sources user-17
  dsr export --gdpr --project shop --project app ids.csv --ref T-1234
  psql -Atc 'select id from leaving' | dsr export --gdpr --no-header -
  dsr export --gdpr ids.csv --wait --download exports/
  dsr export --gdpr ids.csv --plan ids.plan     for `dsr apply` to carry out
  dsr --sandbox export --gdpr ids.csv --wait    a rehearsal: nothing real")]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    law: LawArgs,
    /// What a CCPA export discloses [default: data]
    #[arg(long, value_name = "WHAT")]
    disclosure: Option<Disclosure>,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    request: RequestArgs,
    /// With --wait, fetch each finished export into this folder, as `dsr download --to DIR` does
    #[arg(long, value_name = "DIR", requires = "wait")]
    download: Option<PathBuf>,
}

pub(crate) async fn run(ctx: &mut Context, args: ExportArgs) -> Result<ExitStatus, Failure> {
    let scope = match (args.law.law(), args.disclosure) {
        (Law::Ccpa, disclosure) => RetrievalScope::Ccpa(disclosure.unwrap_or(Disclosure::Data)),
        (Law::Gdpr, None) => RetrievalScope::Gdpr,
        (Law::Gdpr, Some(_)) => {
            return Err(usage("`--disclosure` exists under the CCPA only")
                .hint("leave it out: a GDPR export holds everything"));
        }
    };
    let plans = submission::plan(ctx, Operation::Export(scope), &args.source, &args.request)?;
    if let Some(status) = submission::show_only(ctx, &plans, &args.request)? {
        return Ok(status);
    }
    if let Some(path) = &args.request.plan {
        return file::write(ctx, &plans, path);
    }
    let projects = plans.iter().map(|plan| plan.project.clone()).collect();
    let approved = plans.into_iter().map(|plan| plan.approve(None));
    let approved = approved.collect::<Result<_, _>>()?;
    let folder = args.download.as_deref();
    submission::carry_out(ctx, approved, projects, &args.request.sending, folder).await
}
