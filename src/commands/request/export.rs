//! `dsr export`, from its sources to its exit status.

use std::path::{Path, PathBuf};

use crate::commands::context::Context;
use crate::commands::download::{self, Splits};
use crate::commands::failures::usage;
use crate::commands::status::outcome::FollowEnd;
use crate::domain::{Disclosure, ExitStatus, Law, Operation, RetrievalScope};
use crate::ui::{Failure, path_word};
use crate::workflow::{DownloadReport, Fetching, Look, Plan, Refetch};

use super::args::{LawArgs, RequestArgs, SendingArgs, SourceArgs};
use super::planned::{ask_first, end_with_plan};
use super::read::read;
use super::sending::{SentRequests, recorded, submit};

/// Export the data of the listed people
///
/// dsr reads every source to its end and removes repeated ids. It makes jobs of at most 2,000 ids
/// and sends them at the project's rate. Mixpanel then needs up to 30 days. A CCPA export has the
/// last year only, a GDPR export everything, so you must name the law.
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
    /// Wait, and fetch each finished export into this folder, as `dsr download --to DIR` does
    #[arg(long, value_name = "DIR", conflicts_with_all = ["dry_run", "plan"])]
    download: Option<PathBuf>,
}

pub(crate) async fn run(ctx: &mut Context, mut args: ExportArgs) -> Result<ExitStatus, Failure> {
    args.request.sending.wait.wait |= args.download.is_some();
    let scope = match (args.law.law(), args.disclosure) {
        (Law::Ccpa, disclosure) => RetrievalScope::Ccpa(disclosure.unwrap_or(Disclosure::Data)),
        (Law::Gdpr, None) => RetrievalScope::Gdpr,
        (Law::Gdpr, Some(_)) => {
            return Err(usage("`--disclosure` is for CCPA exports only")
                .hint("leave `--disclosure` out: a GDPR export has everything"));
        }
    };
    let list = read(ctx, Operation::Export(scope), &args.source, &args.request)?;
    let mut plans = list.plan(ctx);
    ask_first(ctx, &mut plans, &args.request).await?;
    if let Some(status) = end_with_plan(ctx, &mut plans, &args.request)? {
        return Ok(status);
    }
    let folder = args.download.as_deref();
    carry_out(ctx, plans, &args.request.sending, folder).await
}

/// Submits the exports, follows and fetches them if asked to, and reports; also for `dsr apply`.
pub(crate) async fn carry_out(
    ctx: &mut Context,
    plans: Vec<Plan>,
    sending: &SendingArgs,
    folder: Option<&Path>,
) -> Result<ExitStatus, Failure> {
    let ready = plans.into_iter().map(Plan::export);
    let ready: Vec<_> = ready.collect::<Result<_, _>>()?;
    let sent = submit(ctx, &ready, sending).await?;
    let all_sent = sent.is_all_sent();
    let mut sent = sent.follow(ctx, &sending.wait).await?;
    let mut fetched = None;
    if sending.wait.wait && all_sent {
        fetched = fetch(ctx, &mut sent, folder).await;
        sent.renew(ctx).map_err(recorded)?;
    }
    if let Some(Ok(reports)) = &fetched {
        sent.followed = FollowEnd::AndFetched;
        download::print(ctx, reports, &Splits::new())?;
    }
    sent.print(ctx).map_err(recorded)?;
    let fetched = fetched.transpose()?;
    let status = sent.tell(ctx);
    Ok(fetched.map_or(status, |reports| end_of_fetching(ctx, status, &reports)))
}

/// Fetches finished exports, if a folder is given and no signal came.
async fn fetch(
    ctx: &mut Context,
    sent: &mut SentRequests,
    folder: Option<&Path>,
) -> Option<Result<Vec<DownloadReport>, Failure>> {
    let folder = folder.filter(|_| ctx.interrupt.signal().is_none())?;
    let (ledger, requests) = (&mut sent.ledger, &sent.report.requests);
    let how = Fetching {
        refetch: Refetch::No,
        look: Look::Sha256,
    };
    Some(download::fetch(ctx, ledger, requests, Some(folder), how).await)
}

/// Returns the final status. Reports a failure of fetching only if nothing else failed.
fn end_of_fetching(ctx: &Context, status: ExitStatus, reports: &[DownloadReport]) -> ExitStatus {
    match status {
        ExitStatus::Done => {
            let blocked = download::in_the_way_of(reports, |short, path| {
                let folder = path.parent().unwrap_or(path).display().to_string();
                format!("`dsr download {short} --to {}`", path_word(&folder))
            });
            download::tell(ctx, reports, &Splits::new(), blocked.into_iter())
        }
        status => ExitStatus::most_pressing([status, download::status(reports, &Splits::new())]),
    }
}
