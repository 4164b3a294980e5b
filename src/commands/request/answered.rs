//! `dsr answered`: records that the person was told, and which copies of the data were dealt with.

use chrono::NaiveDate;

use crate::commands::context::Context;
use crate::commands::context::named::find_meant;
use crate::commands::failures::usage;
use crate::commands::people::minimise;
use crate::credentials::IfNone;
use crate::domain::{CopyName, ExitStatus, JobState, Kind, RequestId};
use crate::ledger::{AnswerChange, Ledger, RequestRecord, WantedPeople};
use crate::packages::PackageForm;
use crate::ui::{Failure, Shown, path_word, plural, printable};
use crate::workflow;

/// The trail never forgets a name.
const AN_ID: &str = "an id of this request";

/// In characters. A shorter id may be part of any word.
const SHORTEST_ANYWHERE: usize = 4;

const NAME_HINT: &str = "name the copy by its place, such as `warehouse`, and never by a person";

/// Record when the person was told
///
/// dsr tells nobody: you do. dsr knows when Mixpanel finished, not when you told the person. Until
/// you record the day, reports and `dsr status` say "answer not recorded". Both laws count the days
/// to that answer: GDPR Art. 12(3), 11 CCR §7021(b).
///
/// Run the command again with `--on` to correct the day. The audit trail keeps both days, and says
/// whether the manner changed. Without `--on` the recorded day stays; without `--manner` the
/// recorded manner stays. After the first answer in a ledger, dsr expects an answer for each
/// request recorded since, and reminds you.
///
/// `--copy` records for a deletion which copies of the data you dealt with, and no answer to the
/// person. Mixpanel's deletion does not reach copies: `dsr guide copies`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr answered q7tz0xma                                        told today
  dsr answered q7tz0xma --on 2026-11-28 --manner 'by e-mail'   told on another day
  dsr answered q7tz0xma --on 2026-11-27 --json                 a correction, in a script
  dsr answered q7tz0xma --copy warehouse --copy braze          two copies are dealt with")]
pub(crate) struct AnsweredArgs {
    /// A request (at least four characters of its id) or a task id
    #[arg(value_name = "REQUEST | TASK_ID")]
    name: String,
    /// The day you told the person [default: the day recorded before, or today]
    #[arg(long, value_name = "DATE")]
    on: Option<NaiveDate>,
    /// How you told the person, such as `by e-mail`; the ledger keeps it, so write no personal data
    #[arg(long, value_name = "TEXT")]
    manner: Option<String>,
    /// A copy of the data that you dealt with, such as `warehouse`; may be given several times.
    /// The audit trail and reports keep the name for ever, so it must not be or hold an id
    #[arg(long = "copy", value_name = "NAME", conflicts_with_all = ["on", "manner"])]
    copies: Vec<String>,
    /// Withdraw a copy that was recorded by mistake; the audit trail keeps both
    #[arg(long = "withdraw-copy", value_name = "NAME", conflicts_with_all = ["on", "manner"])]
    withdrawn: Vec<String>,
}

pub(crate) fn run(ctx: &Context, args: &AnsweredArgs) -> Result<ExitStatus, Failure> {
    if !args.copies.is_empty() || !args.withdrawn.is_empty() {
        return record_copies(ctx, args);
    }
    let manner = args.manner.as_deref().map(str::trim);
    if manner == Some("") {
        return Err(usage("`--manner` is empty; nothing was recorded")
            .hint("say how you told the person, such as `by e-mail`, or leave it out"));
    }
    let mut ledger = ctx.ledger()?;
    let request = find_meant(ctx, &ledger, &args.name)?;
    let clock = ctx.clock.as_ref();
    let recorded = manner.map(str::to_owned);
    let change = workflow::record_answer(&mut ledger, &request, args.on, recorded, clock)?;
    if let Some(what) = manner
        .map(|manner| find_personal_data(ctx, &ledger, &request.id, manner))
        .transpose()?
        .flatten()
    {
        ctx.ui.warn(
            "personal_data",
            &format!(
                "`--manner` contains {what}: that is personal data, and the ledger and reports keep it; run the command again with other words"
            ),
        );
    }
    if request.is_open() {
        ctx.ui.warn(
            "still_open",
            "Mixpanel has not finished this request. Your answer is recorded. The report will show both",
        );
    }
    warn_of_check(ctx, &ledger, &request.id)?;
    warn_of_archives(ctx, &ledger, &request)?;
    if let Some(done) = find_later_end(&ledger, &request, change.day)? {
        ctx.ui.warn(
            "early_answer",
            &format!(
                "dsr saw Mixpanel finish this deletion on {done} (UTC), after the answer of {}; check the day",
                change.day
            ),
        );
    }
    let answered = ledger.find_request(&request.id)?;
    ctx.ui
        .print_requests(&ledger, answered.as_slice(), Shown::Jobs, clock)?;
    if let Some(said) = change_text(&change) {
        ctx.ui.note(&said);
    }
    if change.is_first {
        ctx.ui.note(
            "From now on, dsr reminds you if a new request has no answer. If one is overdue, `dsr status --exit-status` gives status 9.",
        );
    }
    Ok(ExitStatus::Done)
}

fn record_copies(ctx: &Context, args: &AnsweredArgs) -> Result<ExitStatus, Failure> {
    let done = copy_names("--copy", &args.copies)?;
    let withdrawn = copy_names("--withdraw-copy", &args.withdrawn)?;
    let mut ledger = ctx.ledger()?;
    let request = find_meant(ctx, &ledger, &args.name)?;
    if request.asked.operation.kind() != Kind::Delete {
        let message = "this request is an export, which erases nothing; nothing was recorded";
        return Err(usage(message).hint("list the deletions with `dsr status --all --cached`"));
    }
    for name in &done {
        if names_person(ctx, &ledger, &request.id, &parts_of(name.as_str()))? {
            let message = format!("the name of `--copy` contains {AN_ID}; nothing was recorded");
            return Err(usage(message).hint(NAME_HINT));
        }
    }
    let short = request.id.short();
    let is_known = |name: &CopyName| request.copies.iter().any(|tick| tick.name == *name);
    if !withdrawn.iter().all(is_known) {
        let message = "`--withdraw-copy` names a copy that is not recorded; nothing was recorded";
        return Err(usage(message).hint(format!("see `dsr status {short} --cached`")));
    }
    let is_new = |name: &CopyName| !is_known(name) || withdrawn.contains(name);
    let done: Vec<CopyName> = done.into_iter().filter(is_new).collect();
    match done.is_empty() && withdrawn.is_empty() {
        true => ctx.ui.note("This is already recorded. Nothing changed."),
        false => ledger.record_copies(&request.id, &done, &withdrawn, ctx.clock.now())?,
    }
    let recorded = ledger.find_request(&request.id)?;
    let clock = ctx.clock.as_ref();
    ctx.ui
        .print_requests(&ledger, recorded.as_slice(), Shown::Jobs, clock)?;
    if request.answer.is_none() {
        ctx.ui.note(&format!(
            "No answer to the person is recorded. When you have told the person, run `dsr answered {short}`."
        ));
    }
    Ok(ExitStatus::Done)
}

/// Reads the names of copies, each once. Quotes none: it may be a person's id.
fn copy_names(flag: &str, texts: &[String]) -> Result<Vec<CopyName>, Failure> {
    let mut names = Vec::new();
    for text in texts {
        let name = CopyName::new(text).map_err(|error| {
            let message = format!("the name of `{flag}` {error}; nothing was recorded");
            usage(message).hint(NAME_HINT)
        })?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

fn change_text(change: &AnswerChange) -> Option<String> {
    let before = change.day_before?;
    Some(if change.is_repeated {
        format!(
            "The answer of {before} is already recorded. Nothing changed; for another day, add `--on DATE`."
        )
    } else if before == change.day {
        format!("The day stays {before}. For another day, add `--on DATE`.")
    } else {
        format!("This corrects the answer of {before}; the audit trail keeps both.")
    })
}

/// Warns if the last check found somebody who should be gone.
fn warn_of_check(ctx: &Context, ledger: &Ledger, request: &RequestId) -> Result<(), Failure> {
    let check = ledger.find_erasure_check(request)?;
    if let Some(check) = check.filter(|check| check.found.has_found()) {
        let concerns = check.found.concerns();
        let concerns = concerns.map(|(count, one, many)| plural(count, one, many));
        ctx.ui.warn(
            "not_absent",
            &format!(
                "the check of {} (UTC) found: {}; check what you told the person, and look again with `dsr verify {}`",
                check.at.date_naive(),
                concerns.collect::<Vec<_>>().join("; "),
                request.short(),
            ),
        );
    }
    Ok(())
}

/// Warns if an export was not fetched, or packages were not released.
fn warn_of_archives(
    ctx: &Context,
    ledger: &Ledger,
    request: &RequestRecord,
) -> Result<(), Failure> {
    let short = request.id.short();
    if let Some(unfetched) = &request.unfetched {
        let exports = plural(unfetched.jobs, "finished export", "finished exports");
        ctx.ui.warn(
            "unfetched",
            &format!(
                "dsr has not fetched {exports} of request {short}: check what you told the person, and fetch the data with `dsr download {short}`"
            ),
        );
    }
    for (folder, form) in workflow::list_drafts(ledger, request)? {
        let zip = match form {
            PackageForm::Folders => "",
            PackageForm::Zips => " --zip",
        };
        let to = folder.parent().unwrap_or(&folder).display().to_string();
        ctx.ui.warn(
            "to_check",
            &format!(
                "the packages in {} are drafts that nobody has released: check what you sent. Look through `unassigned/` there, then run `dsr download {short} --to {} --split{zip} --checked`",
                printable(&folder.display().to_string()),
                path_word(&to),
            ),
        );
    }
    Ok(())
}

/// Returns the day when a deletion was done, if the person was told before it.
fn find_later_end(
    ledger: &Ledger,
    request: &RequestRecord,
    told: NaiveDate,
) -> Result<Option<NaiveDate>, Failure> {
    if request.asked.operation.kind() != Kind::Delete {
        return Ok(None);
    }
    let passages = ledger.list_passages(&request.id)?.into_iter();
    let mut done = passages.filter(|passage| passage.to == JobState::Done);
    let day = done.next().map(|passage| passage.last.date_naive());
    Ok(day.filter(|day| told < *day))
}

/// Returns what in `manner` may name a person. The words themselves are never shown.
fn find_personal_data(
    ctx: &Context,
    ledger: &Ledger,
    request: &RequestId,
    manner: &str,
) -> Result<Option<&'static str>, Failure> {
    let joints = |c: char| !c.is_alphanumeric();
    let words = || manner.split_whitespace();
    let is_address = |word: &str| {
        let parts = word.trim_matches(joints).split_once('@');
        parts.is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
    };
    if words().any(is_address) {
        return Ok(Some("an e-mail address"));
    }
    let all = words().flat_map(|word| [word, word.trim_matches(joints)]);
    let all: Vec<String> = all.chain([manner]).map(str::to_owned).collect();
    Ok(names_person(ctx, ledger, request, &all)?.then_some(AN_ID))
}

/// What may be an id in the name of a copy: what is between two separators, and from four
/// characters on any part. A hash of an id tells nothing of its case, so the usual cases are tried.
fn parts_of(name: &str) -> Vec<String> {
    let is_edge = |at: usize| {
        let mut beside = name.as_bytes()[at.saturating_sub(1)..].iter().take(2);
        at == 0 || at == name.len() || beside.any(|b| !b.is_ascii_alphanumeric())
    };
    let mut parts = Vec::new();
    for from in 0..name.len() {
        for to in from + 1..=name.len() {
            if to - from >= SHORTEST_ANYWHERE || (is_edge(from) && is_edge(to)) {
                let (first, rest) = name[from..to].split_at(1);
                let title = first.to_ascii_uppercase() + &rest.to_ascii_lowercase();
                let part = &name[from..to];
                let (lower, upper) = (part.to_ascii_lowercase(), part.to_ascii_uppercase());
                parts.extend([part.to_owned(), lower, upper, title]);
            }
        }
    }
    parts
}

/// Whether one of the texts is an id of the request.
fn names_person(
    ctx: &Context,
    ledger: &Ledger,
    request: &RequestId,
    texts: &[String],
) -> Result<bool, Failure> {
    // Without the key, dsr still finds ids that are not hashed yet.
    let remembered = ledger.find_people_key()?;
    let key = remembered.and_then(|_| minimise::ledger_key(ctx, IfNone::Leave).ok());
    let key = key.map(|(key, _)| key);
    let mut wanted = WantedPeople::new(key.as_ref());
    for text in texts.iter().filter(|text| !text.is_empty()) {
        // A text that is wanted already is no error.
        let (Ok(_) | Err(_)) = wanted.add(text);
    }
    Ok(!ledger.find_people_of(request, &wanted)?.is_empty())
}
