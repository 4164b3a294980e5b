//! `dsr audit`: verifies the audit trail, lists it, and compares saved heads.

use std::io::Read;
use std::path::Path;

use crate::commands::context::{Context, named};
use crate::commands::failures::{local_io, usage};
use crate::domain::{ExitStatus, RequestId};
use crate::ledger::{Audit, Chosen, Finding, Found, KeptHead, Ledger, Seen, SetBack};
use crate::ui::{AuditHeadView, AuditLogView, AuditView, Failure, number, plural, verifying};

/// Read and verify the audit trail: who did what, and when
///
/// The ledger keeps an entry for each step of each request. Each entry has a hash of itself and of
/// the entry before. Every change shows. But anyone who can change the ledger file can replace the
/// whole trail. So save its head now and then, in a place where they cannot write.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr audit verify
  dsr audit head >> /mnt/worm/dsr-heads    save it where nobody can change it
  dsr audit verify --head /mnt/worm/dsr-heads
  dsr audit log q7tz0xma")]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(clap::Subcommand, Debug)]
enum AuditCommand {
    Verify(VerifyArgs),
    Head(HeadArgs),
    Log(LogArgs),
}

/// Read the whole trail, and report what does not match
///
/// dsr compares every entry with its hash, saved heads with the trail, and the ledger with the
/// trail. If anything does not match, dsr says where, and exits with status 74. It changes nothing.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr audit verify
  dsr audit verify --head /mnt/worm/dsr-heads          a file of saved heads
  ssh vault cat dsr-heads | dsr audit verify --head -
  dsr audit verify --json")]
struct VerifyArgs {
    /// A saved head, or a file with one head a line, or `-`; may be given several times
    #[arg(long, value_name = "COUNT:HASH | FILE")]
    head: Vec<String>,
}

/// Print the head of the trail: one line to save elsewhere
///
/// The head is the number of the last entry, its hash and its time. With this line, `dsr audit
/// verify --head` can show later whether the trail up to that entry is unchanged.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr audit head
  dsr audit head | mail -s 'dsr audit head' auditor@example.com
  dsr audit head --json")]
struct HeadArgs {}

/// Show entries of the trail: all of one request, or the last ones
///
/// The trail also has the entries of requests whose records were purged.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr audit log                 the last 50 entries
  dsr audit log q7tz0xma        all of one request
  dsr audit log --last 1000000 --json > trail.json")]
struct LogArgs {
    /// A request (the beginning of its id is enough) or a task id
    #[arg(value_name = "REQUEST | TASK_ID")]
    name: Option<String>,
    /// How many of the last entries to show
    #[arg(long, value_name = "N", default_value_t = 50, conflicts_with = "name")]
    last: usize,
}

pub(crate) fn run(ctx: &Context, args: &AuditArgs) -> Result<ExitStatus, Failure> {
    match &args.command {
        AuditCommand::Verify(args) => verify(ctx, args),
        AuditCommand::Head(HeadArgs {}) => {
            let ledger = ctx.open_ledger()?;
            ctx.warn_of_set_back(&ledger)?;
            let head = ledger.audit_head()?;
            let view = AuditHeadView { head: &head };
            ctx.ui.print(&view).map_err(|error| local_io(&error))?;
            Ok(ExitStatus::Done)
        }
        AuditCommand::Log(args) => log(ctx, args),
    }
}

fn verify(ctx: &Context, args: &VerifyArgs) -> Result<ExitStatus, Failure> {
    let mut anchors = Vec::new();
    for given in &args.head {
        anchors.extend(read_anchors(given)?);
    }
    let ledger = ctx.open_ledger()?;
    ctx.warn_of_set_back(&ledger)?;
    // A copy may be verified on a host that has seen no ledger.
    let set_back = ledger.find_set_back()?;
    let set_back = set_back.filter(|set_back| set_back.seen != Seen::Nothing);
    let audit = ledger.verify_audit(&anchors, &mut verifying(&ctx.ui))?;
    let view = AuditView {
        audit: &audit,
        set_back: set_back.as_ref(),
        lost: ledger.list_lost_times()?,
    };
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    if audit.is_whole() {
        if anchors.is_empty() {
            ctx.ui.note(
                "Not compared with a saved head. Only a saved head shows that the whole ledger was replaced: `dsr audit head --help`.",
            );
        }
        return Ok(match set_back {
            Some(_) => ExitStatus::LocalIo,
            None => ExitStatus::Done,
        });
    }
    if set_back.is_none()
        && let Some(failure) = only_lost_heads(&audit)
    {
        ctx.ui.fail(&failure);
        return Ok(failure.status);
    }
    let more = usize::try_from(audit.more).unwrap_or(usize::MAX);
    let count = number(audit.findings.len().saturating_add(more));
    let only_heads = audit.disagrees_only_with_heads();
    let with = match only_heads {
        true => "saved heads",
        false => "ledger",
    };
    let message = format!("the audit trail and the {with} disagree: {count} found");
    let is_older = set_back.is_some_and(|set_back| only_newer_heads(&audit, &anchors, &set_back));
    let failure = Failure::new(ExitStatus::LocalIo, "audit", message).hint(match is_older {
        true => {
            "this ledger looks older than your head: was it restored from a copy? See “Restore a ledger” in `dsr help runbooks`; if not, find out who could write to it"
        }
        false if only_heads => {
            "keep this ledger unchanged; compare the saved head with another copy of it; find out who could write to either, and compare backups with `dsr audit log`"
        }
        false => {
            "keep this ledger unchanged; find out who could write to it, and compare backups with `dsr audit log`"
        }
    });
    ctx.ui.fail(&failure);
    Ok(failure.status)
}

/// Whether all findings are heads newer than a set-back ledger, or the head this host has seen.
fn only_newer_heads(audit: &Audit, heads: &[KeptHead], set_back: &SetBack) -> bool {
    let is_seen = |entry: u64| {
        let mut there = heads.iter().filter(|kept| kept.head.count == entry);
        there.all(|kept| Some(&kept.head) == set_back.seen.head())
    };
    audit.more == 0
        && audit.findings.iter().all(|finding| match finding {
            Finding::AnchorMissing { .. } => true,
            Finding::AnchorDiffers { count, .. } => is_seen(*count),
            _ => false,
        })
}

/// Returns the failure if the only findings are heads of a time that the ledger lacks.
fn only_lost_heads(audit: &Audit) -> Option<Failure> {
    let is_lost = |finding: &Finding| matches!(finding, Finding::AnchorLost { .. });
    let is_only = audit.more == 0 && audit.findings.iter().all(is_lost);
    is_only.then(|| {
        let heads = plural(audit.findings.len(), "saved head", "saved heads");
        let message =
            format!("dsr cannot check {heads} from the lost time; everything else matches");
        Failure::new(ExitStatus::LocalIo, "audit", message)
            .hint("check a copy of the ledger from that time: set `DSR_HOME` to its folder")
    })
}

/// Reads one head, or a file or standard input with one head a line.
fn read_anchors(given: &str) -> Result<Vec<KeptHead>, Failure> {
    if let Ok(anchor) = given.parse() {
        return Ok(vec![anchor]);
    }
    let mut text = String::new();
    let read = match given {
        "-" => std::io::stdin().read_to_string(&mut text).map(drop),
        path => std::fs::read_to_string(Path::new(path)).map(|read| text = read),
    };
    read.map_err(|error| {
        usage(format!(
            "`--head {given}` is neither a head nor a readable file: {error}"
        ))
        .hint("give a line as `dsr audit head` prints it, or a file of such lines")
    })?;
    let mut anchors = Vec::new();
    for (place, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let mut anchor = line.parse::<KeptHead>().map_err(|error| {
            usage(format!("line {place} of `--head {given}`: {error}"))
                .hint("give lines as `dsr audit head` prints them")
        })?;
        let source = match given {
            "-" => "standard input",
            path => path,
        };
        anchor.place = Some(format!("{source}, line {place}"));
        anchors.push(anchor);
    }
    match anchors.is_empty() {
        true => Err(usage(format!("`--head {given}` has no head in it"))
            .hint("give lines as `dsr audit head` prints them")),
        false => Ok(anchors),
    }
}

fn log(ctx: &Context, args: &LogArgs) -> Result<ExitStatus, Failure> {
    let ledger = ctx.open_ledger()?;
    ctx.warn_of_set_back(&ledger)?;
    let request = args.name.as_deref().map(|name| find(&ledger, name));
    let request = request.transpose()?;
    let chosen = match &request {
        Some(request) => Chosen::Of(request),
        None => Chosen::Last(args.last),
    };
    let entries = ledger.list_entries(chosen)?;
    let view = AuditLogView { entries: &entries };
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    Ok(ExitStatus::Done)
}

/// Finds a request in the ledger, or, if it was purged, in the trail.
fn find(ledger: &Ledger, name: &str) -> Result<RequestId, Failure> {
    if let Found::Nothing = ledger.find_named(name)?
        && let [purged] = ledger.list_audited(name)?.as_slice()
    {
        return Ok(purged.clone());
    }
    Ok(named::find(ledger, name)?.id)
}
