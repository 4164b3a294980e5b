//! The page of one request.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use maud::{Markup, PreEscaped, html};

use crate::document::text::{Visible, counted, day, grouped, moment};
use crate::domain::{Actor, CONFIRMATION_RULE, CopyTick, ErasureCheck, Kind, Law};

use super::super::answer::IdCounts;
use super::super::answer::{Nature, Timing};
use super::super::evidence::{About, PersonalData};
use super::super::facts::{ExtensionFact, ImportFact, Made, RequestFacts};
use super::super::shown::JobsShown;
use super::super::words;
use super::{
    ReportPage, bars, count, date, jobs, limits, lost_time, nature_badge, prepared, timeline,
    timing_badge,
};

/// Writes the page of a request.
pub fn request_page(
    out: &mut dyn Write,
    request: &RequestFacts,
    shown: &JobsShown,
    about: &About,
) -> io::Result<()> {
    let name = format!("dsr request {}", request.id);
    let title = format!("Request {}: evidence", request.id);
    let mut page = ReportPage::begin(out, &title, &name, about)?;
    page.write(header(request, &about.made))?;
    page.write(PreEscaped("<main id=\"main\">".into()))?;
    page.write(timeline::section(request, &about.made))?;
    page.write(asked(request))?;
    page.write(people(&request.ids))?;
    page.write(jobs::standing(request))?;
    page.write(jobs::listing(request, shown))?;
    page.write(jobs::archives(request, shown))?;
    page.write(jobs::histories(shown))?;
    page.write(jobs::deeds(request))?;
    if about.personal_data != PersonalData::None {
        page.write(jobs::ids(shown))?;
    }
    if request.asked.kind == Kind::Delete {
        if let Some(check) = &request.erasure_check {
            page.write(checked(check))?;
        }
        page.write(copies(&request.copies))?;
        if !request.imports.is_empty() {
            page.write(imports(&request.imports))?;
        }
        page.write(after_deletion())?;
    }
    page.write(limits(request.limits))?;
    if request.asked.law == Law::Ccpa {
        page.write(html! { p.note { (words::SHARING_RULE) } })?;
    }
    page.end(&name, about)
}

fn header(request: &RequestFacts, made: &Made) -> Markup {
    let (asked, answer) = (&request.asked, &request.answer);
    let kind = match asked.kind {
        Kind::Export => "Export",
        Kind::Delete => "Deletion",
    };
    html! {
        header {
            p.kicker { "Evidence of a data-subject request" }
            h1 { (kind) " under the " (asked.law.title()) }
            p.lead { "Request " code { (request.id) }
                @if let Some(reference) = &asked.reference { ", reference " (Visible(reference)) }
            }
            p.standing {
                @for concern in request.concerns() { span class="badge bad" { (concern) } }
                (nature_badge(answer))
                (timing_badge(answer))
            }
            p.summary { (summary(request)) }
            @for set_back in &request.set_backs {
                p.alarm { (lost_time(set_back)) " This report may lack an answer, an extension or a cancellation from that time." }
            }
            (prepared(made))
            dl.facts {
                div { dt { "Received" } dd { (date(asked.received)) } }
                div { dt { "Due" } dd { (date(asked.due)) } }
                div { dt { "Answered" } dd { @match (answer.nature, answer.day) {
                    (_, Some(answered)) => (date(answered)),
                    (Nature::Open, None) => "–",
                    (_, None) => "not recorded",
                } } }
                div { dt { "Days to answer" } dd { @match (answer.timing, answer.days) {
                    (Timing::DatesContradict, _) => "the dates contradict each other",
                    (_, Some(days)) => (days),
                    (_, None) => "–",
                } } }
                div { dt { "Ids" } dd { (count(request.ids.unique)) } }
                div { dt { "Jobs" } dd { (count(request.jobs_count)) } }
                div { dt { "Project" } dd { (Visible(&asked.project)) } }
                div { dt { "Region" } dd { (asked.region.to_uppercase()) } }
            }
        }
    }
}

/// What was asked, for how many people, when it came and was done, and whether the answer was in
/// time. The same on every day the report is made.
fn summary(request: &RequestFacts) -> String {
    let (asked, answer) = (&request.asked, &request.answer);
    let what = match asked.kind {
        Kind::Delete => "to delete the data of",
        Kind::Export => "for a copy of the data of",
    };
    let done = match answer.ended_at {
        Some(ended) => format!(" Its last job ended on {}.", day(ended.date_naive())),
        None => String::new(),
    };
    let due = day(asked.due);
    let told = match (answer.timing, answer.day) {
        (Timing::InTime, Some(on)) => {
            format!(
                "It was answered on {}, in time: the last day was {due}.",
                day(on)
            )
        }
        (Timing::Late, Some(on)) => {
            format!(
                "It was answered on {}, late: the last day was {due}.",
                day(on)
            )
        }
        (Timing::NoAnswer, _) => {
            format!("No answer is recorded. The last day to answer is {due}.")
        }
        _ => format!("The last day to answer is {due}."),
    };
    format!(
        "{}A request {what} {} was received on {}. {}{done} {told}",
        checked_text(request),
        counted(request.ids.unique as u64, "id", "ids"),
        day(asked.received),
        standing(request),
    )
}

/// The last check, if it found anything but absent people.
fn checked_text(request: &RequestFacts) -> String {
    let concerns = request.concerns();
    match &request.erasure_check {
        Some(check) if !concerns.is_empty() => format!(
            "The last check, on {}, found: {}. ",
            day(check.at.date_naive()),
            concerns.join("; ")
        ),
        _ => String::new(),
    }
}

/// The state, and no more than is known.
fn standing(request: &RequestFacts) -> String {
    let (ids, answer) = (&request.ids, &request.answer);
    let of = |number: usize| counted(number as u64, "id", "ids");
    match answer.nature {
        Nature::Whole => match request.asked.kind {
            Kind::Delete => "Mixpanel reports that all of it is deleted.".to_owned(),
            Kind::Export => "Every export was fetched.".to_owned(),
        },
        Nature::Part => {
            let all = ids.unique + ids.excluded;
            let unknown = match ids.given_up {
                0 => String::new(),
                given_up => format!(" {}: the outcome is unknown.", of(given_up)),
            };
            let rest = match all - ids.carried_out - ids.given_up {
                0 => String::new(),
                rest => format!(" {}: not carried out.", of(rest)),
            };
            format!(
                "{} of {}: carried out.{unknown}{rest}",
                count(ids.carried_out),
                of(all)
            )
        }
        Nature::NotCarriedOut => "Nothing was carried out. The reasons are below.".to_owned(),
        Nature::Unknown => {
            "The outcome is unknown, and the operator abandoned the request. This report does not prove that it was carried out."
                .to_owned()
        }
        Nature::Open => open_text(ids),
    }
}

fn open_text(ids: &IdCounts) -> String {
    let of = |number: usize| counted(number as u64, "id", "ids");
    let mut parts = Vec::new();
    let waiting = ids.open - ids.unsettled;
    if ids.unsettled > 0 {
        parts.push(format!("the outcome of {} is unknown", of(ids.unsettled)));
    }
    if waiting > 0 {
        parts.push(format!("{} in progress", of(waiting)));
    }
    if ids.not_fetched > 0 {
        parts.push(format!("{} finished and not fetched", of(ids.not_fetched)));
    }
    format!("So far: {}.", parts.join("; "))
}

fn asked(request: &RequestFacts) -> Markup {
    let asked = &request.asked;
    html! {
        section aria-labelledby="asked" {
            h2 #asked { "What was asked" }
            dl.pairs {
                dt { "Right" } dd { (asked.right) }
                @if let Some(disclosure) = asked.disclosure {
                    dt { "Disclosure" } dd { (disclosure.as_str()) }
                }
                dt { "Reference" } dd { @match &asked.reference {
                    Some(reference) => (Visible(reference)),
                    None => "none given",
                } }
                dt { "Received" } dd { (day(asked.received)) " (given by the operator, or else the day of the recording)" }
                dt { "Recorded" } dd { (moment(asked.created)) " UTC, from " (Visible(&asked.source)) }
                @if let Some(plan) = &request.plan {
                    dt { "Planned" } dd { (signed(&plan.created_by, plan.created)) br; small { "Digest of the plan: " (plan.digest) } }
                    dt { "Approved" } dd {
                        @for (by, at) in &plan.approvals { (signed(by, *at)) br; }
                        @if plan.approvals.is_empty() { "by nobody: the project required no approval" br; }
                        small { "The names are accounts of the operating system. An approval is not a signature." }
                    }
                }
                dt { "Due" } dd { (day(asked.due)) br; small { (asked.due_rule) } }
                @if let Some(confirm_by) = asked.confirm_by {
                    dt { "Confirm receipt by" } dd { (day(confirm_by)) br; small { (CONFIRMATION_RULE) ". dsr does not know whether it was confirmed." } }
                }
                @if let Some(answered) = request.answer.day {
                    dt { "Answered" } dd { "on " (day(answered)) @if let Some(manner) = &request.answer.manner { ": " (Visible(manner)) } br; small { "As the operator recorded it." } }
                }
                @if let Some(ExtensionFact { taken, rule }) = &asked.extension {
                    dt { "Extended" } dd {
                        "on " (day(taken.day)) ", from " (day(taken.due_before)) " to " (day(taken.due_after))
                        br; "Reason: " (Visible(&taken.reason))
                        br; small { (rule) ". dsr does not know whether they were informed." }
                    }
                }
            }
        }
    }
}

/// `by anna@ops-1, 22 November 2026, 18:50:07 UTC`
fn signed(by: &Actor, at: DateTime<Utc>) -> Markup {
    html! { "by " (Visible(by.user())) "@" (Visible(by.host())) ", " (moment(at)) " UTC" }
}

/// Where each id is; the counts add up.
fn people(ids: &IdCounts) -> Markup {
    let rows = [
        ("Carried out", ids.carried_out, "good"),
        ("Finished by Mixpanel, not fetched", ids.not_fetched, "some"),
        ("Open", ids.open - ids.unsettled, "open"),
        ("Outcome unknown, to be resolved", ids.unsettled, "bad"),
        ("Outcome unknown, abandoned", ids.given_up, "bad"),
        ("Refused by Mixpanel", ids.refused, "none"),
        ("Failed at Mixpanel", ids.failed, "none"),
        ("Cancelled", ids.revoked, "none"),
    ];
    html! {
        section aria-labelledby="people" {
            h2 #people { "Where each id is" }
            p {
                (counted(ids.read as u64, "value was", "values were")) " read: "
                (counted(ids.unique as u64, "id", "different ids"))
                @if ids.duplicates > 0 { ", " (counted(ids.duplicates as u64, "repeated one", "repeated ones")) " sent once" }
                @if ids.excluded > 0 { ", " (counted(ids.excluded as u64, "id", "ids")) " excluded by the operator" }
                "."
            }
            table.shares {
                thead { tr { th scope="col" { "Ids" } th.number scope="col" { "How many" } th.share scope="col" aria-hidden="true" {} } }
                tbody {
                    @for (what, number, class) in rows.into_iter().filter(|(_, number, _)| *number > 0) {
                        tr { th scope="row" { (what) } td.number { (count(number)) } td.share aria-hidden="true" { (bars::share(number, ids.unique, class)) } }
                    }
                    tr.sum { th scope="row" { "All requested ids" } td.number { (count(ids.unique)) } td.share {} }
                }
            }
            @if ids.linked > 0 {
                p.note { (counted(ids.linked as u64, "of these ids was", "of these ids were")) " already in another deletion. dsr does not send an id twice: it follows the task of that deletion, which the jobs name." }
            }
        }
    }
}

/// What the last check of the events found, person by person.
fn checked(check: &ErasureCheck) -> Markup {
    let found = &check.found;
    let events = counted(found.events as u64, "event", "events");
    let rows = [
        ("Absent: no event", found.absent),
        (
            "Not yet: events from before the deletion, which exports may show for 30 days",
            found.not_yet,
        ),
        (
            "Present: events from before the deletion, undated events, or a profile",
            found.present,
        ),
        (
            "Collected again: events from after the deletion was sent",
            found.recollected,
        ),
        ("Not checkable: events may be missing", found.not_checkable),
        ("Not checked: the deletion was not done", found.not_done),
    ];
    html! {
        section aria-labelledby="gone" {
            h2 #gone { "Whether the people are gone" }
            p {
                "Verified on " (moment(check.at)) " UTC by " (Visible(&check.by)) ". "
                @match found.window {
                    Some(window) => { "dsr read all events that Mixpanel had of " (day(window.from)) " to " (day(window.to)) ", and of no other days: " (events) "." }
                    None => {
                        "dsr read " (events) " in files that the operator named"
                        @if let (Some(from), Some(to)) = (found.from, found.to) { ", from " (day(from)) " to " (day(to)) " (UTC)" }
                        "."
                        @if let Some(days) = found.covers { " The operator says that the files have all events of " (day(days.from)) " to " (day(days.to)) "." }
                    }
                }
                @if found.with_profile + found.without_profile == 0 { " Profiles were not checked." }
                @else {
                    " Profiles: " (counted(found.with_profile as u64, "person", "people")) " had one, "
                    (count(found.without_profile)) " had none, "
                    (counted(found.profile_not_asked() as u64, "was", "were")) " not asked about."
                }
                @if let Some(before) = found.found_before {
                    " " (counted(before.count as u64, "person", "people")) " had a profile on "
                    (day(before.at.date_naive())) ", and this check does not show that it is gone."
                }
            }
            table {
                thead { tr { th scope="col" { "People" } th.number scope="col" { "How many" } } }
                tbody { @for (what, number) in rows.into_iter().filter(|(_, number)| *number > 0) {
                    tr { th scope="row" { (what) } td.number { (count(number)) } }
                } }
            }
        }
    }
}

/// The copies that the operator dealt with, or that none is recorded.
fn copies(ticks: &[CopyTick]) -> Markup {
    html! {
        section aria-labelledby="copies" {
            h2 #copies { "Copies of the data" }
            @if ticks.is_empty() {
                p { "The operator has not recorded that any copy was dealt with." }
            } @else {
                table {
                    thead { tr { th scope="col" { "Dealt with" } th scope="col" { "Recorded" } } }
                    tbody { @for tick in ticks {
                        tr { th scope="row" { (Visible(tick.name.as_str())) } td { (moment(tick.at)) " UTC by " (Visible(&tick.by)) } }
                    } }
                }
            }
            p.note { "dsr did not look at any copy, and does not know whether there are others." }
        }
    }
}

/// The events that were imported after the deletion.
fn imports(imports: &[ImportFact]) -> Markup {
    html! {
        section aria-labelledby="imports" {
            h2 #imports { "Imported after the deletion" }
            ul { @for import in imports {
                li { "Imported " (counted(import.imported as u64, "event", "events")) " of "
                    (grouped(import.events as u64)) " on " (moment(import.at)) " UTC by " (Visible(&import.by))
                    ", from `" (Visible(&import.source)) "`"
                    @if import.refused > 0 { "; Mixpanel refused " (grouped(import.refused as u64)) }
                    @if !import.is_done { "; the import is not done" }
                    ". SHA-256 of the file: " code.id { (import.sha256) }
                }
            } }
            p.note { "The ledger has the hash of the file, and none of its events." }
        }
    }
}

fn after_deletion() -> Markup {
    html! {
        section aria-labelledby="after" {
            h2 #after { "What the deletion does not do" }
            ul { @for limit in words::AFTER_DELETION { li { (limit) } } }
        }
    }
}
