//! The page of one request.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use maud::{Markup, PreEscaped, html};

use crate::document::text::{Visible, counted, day, moment};
use crate::domain::{CONFIRMATION_RULE, Kind, Law};
use crate::guide::Topic;

use super::super::answer::{Nature, Timing};
use super::super::evidence::{About, PersonalData};
use super::super::facts::{AccountFact, IdCounts, RequestFacts};
use super::super::shown::JobsShown;
use super::super::words;
use super::{Page, bars, count, date, jobs, limits, nature_badge, timeline, timing_badge};

/// Writes the page of a request.
///
/// # Errors
/// When it cannot be written.
pub fn request_page(
    out: &mut dyn Write,
    request: &RequestFacts,
    shown: &JobsShown,
    about: About<'_>,
) -> io::Result<()> {
    let name = format!("dsr request {}", request.id);
    let title = format!("Request {}: evidence", request.id);
    let mut page = Page::begin(out, &title, &name, about)?;
    page.write(header(request))?;
    page.write(PreEscaped("<main id=\"main\">".into()))?;
    page.write(timeline::section(request))?;
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
        page.write(after_deletion())?;
    }
    page.write(limits(request.limits))?;
    if request.asked.law == Law::Ccpa {
        page.write(html! { p.note { (words::SHARING_RULE) } })?;
    }
    page.end(&name, about)
}

fn header(request: &RequestFacts) -> Markup {
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
                (nature_badge(answer))
                (timing_badge(answer))
                span { (standing(request)) }
            }
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

/// One sentence that says it all, and no more than is known.
fn standing(request: &RequestFacts) -> String {
    let (ids, answer) = (&request.ids, &request.answer);
    let of = |number: usize| counted(number as u64, "id", "ids");
    match answer.nature {
        Nature::Whole => match request.asked.kind {
            Kind::Delete => format!("Mixpanel reports the deletion of all {}.", of(ids.unique)),
            Kind::Export => format!("The data of all {} was fetched.", of(ids.unique)),
        },
        Nature::Part => {
            let rest = ids.unique + ids.excluded - ids.carried_out;
            let unknown = match ids.given_up {
                0 => String::new(),
                given_up => format!("; of {} nobody knows what became", of(given_up)),
            };
            format!(
                "Carried out for {} of {}{unknown}. Not, or not known to be, for {}.",
                count(ids.carried_out),
                of(ids.unique + ids.excluded),
                count(rest)
            )
        }
        Nature::NotCarriedOut => "Nothing was carried out; the reasons are below.".to_owned(),
        Nature::Unknown => {
            "Nobody knows what became of it, and the operator gave up: it is not proof of anything."
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
        parts.push(format!("{} still to be ended", of(waiting)));
    }
    if ids.not_fetched > 0 {
        parts.push(format!("{} finished and not fetched", of(ids.not_fetched)));
    }
    format!("It has not ended: {}.", parts.join("; "))
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
                dt { "Received" } dd { (day(asked.received)) ", as the operator said" }
                dt { "Recorded" } dd { (moment(asked.created)) " UTC, from " (Visible(&asked.source)) }
                @if let Some(plan) = &request.plan {
                    dt { "Planned" } dd { (signed(&plan.created_by, plan.created)) br; small { "Digest of the plan: " (plan.digest) } }
                    dt { "Approved" } dd {
                        @for approval in &plan.approvals { (signed(&approval.by, approval.at)) br; }
                        @if plan.approvals.is_empty() { "by nobody; the project demanded none" br; }
                        small { "By the accounts that the operating system named; an approval is no signature." }
                    }
                }
                dt { "Due" } dd { (day(asked.due)) br; small { (asked.due_rule) } }
                @if let Some(confirm_by) = asked.confirm_by {
                    dt { "Receipt to be confirmed by" } dd { (day(confirm_by)) br; small { (CONFIRMATION_RULE) ". Whether it was, dsr does not know." } }
                }
                @if let Some(answered) = request.answer.day {
                    dt { "Answered" } dd { "on " (day(answered)) @if let Some(manner) = &request.answer.manner { ": " (Visible(manner)) } br; small { "By the operator’s word." } }
                }
                @if let Some(extension) = &asked.extension {
                    dt { "Extended" } dd {
                        "on " (day(extension.day)) ", from " (day(extension.due_before)) " to " (day(extension.due_after))
                        br; "Reason: " (Visible(&extension.reason))
                        br; small { (extension.rule) ". Whether they were, dsr does not know." }
                    }
                }
            }
        }
    }
}

/// `by anna@ops-1, 22 November 2026, 18:50:07 UTC`
fn signed(by: &AccountFact, at: DateTime<Utc>) -> Markup {
    html! { "by " (Visible(&by.user)) "@" (Visible(&by.host)) ", " (moment(at)) " UTC" }
}

/// Where each id is: the counts add up.
fn people(ids: &IdCounts) -> Markup {
    let rows = [
        ("Carried out", ids.carried_out, "good"),
        ("Finished by Mixpanel, not fetched", ids.not_fetched, "some"),
        ("Open", ids.open - ids.unsettled, "open"),
        ("Of unknown outcome, to be settled", ids.unsettled, "bad"),
        ("Of unknown outcome, given up", ids.given_up, "bad"),
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
                @if ids.excluded > 0 { ", " (counted(ids.excluded as u64, "id", "ids")) " left out by the operator (" code { "--exclude" } ")" }
                "."
            }
            table.shares {
                thead { tr { th scope="col" { "Ids" } th.number scope="col" { "How many" } th.share scope="col" aria-hidden="true" {} } }
                tbody {
                    @for (what, number, class) in rows.into_iter().filter(|(_, number, _)| *number > 0) {
                        tr { th scope="row" { (what) } td.number { (count(number)) } td.share aria-hidden="true" { (bars::share(number, ids.unique, class)) } }
                    }
                    tr.sum { th scope="row" { "All that were asked for" } td.number { (count(ids.unique)) } td.share {} }
                }
            }
            @if ids.linked > 0 {
                p.note { "Of these, " (counted(ids.linked as u64, "id was", "ids were")) " in another deletion already: they are followed as part of that one’s task, which their jobs name, and were not sent a second time." }
            }
        }
    }
}

fn after_deletion() -> Markup {
    html! {
        section aria-labelledby="after" {
            h2 #after { "What the deletion does not do" }
            @for paragraph in Topic::AfterDeletion.paragraphs() { p { (Prose(paragraph)) } }
        }
    }
}

/// A text in which code stands between backticks.
struct Prose<'a>(&'a str);

impl maud::Render for Prose<'_> {
    fn render_to(&self, out: &mut String) {
        for (place, part) in self.0.split('`').enumerate() {
            match place % 2 {
                0 => part.render_to(out),
                _ => html! { code { (part) } }.render_to(out),
            }
        }
    }
}
