//! The page of a period: unfinished requests, the figures, and the log of requests.

use std::io::{self, Write};

use chrono::{Datelike, NaiveDate};
use maud::{Markup, PreEscaped, html};

use crate::document::text::{Visible, counted, day};
use crate::domain::{Kind, Law};

use super::super::evidence::About;
use super::super::facts::{Made, PeriodFacts, RowFacts};
use super::super::figures::{Figures, Group, RequestTally};
use super::super::shown::RowsShown;
use super::super::table::reasons_text;
use super::super::words;
use super::{
    ReportPage, bars, changed, count, date, limits, lost_time, nature_badge, prepared, timing_badge,
};

/// How many lines of the log are collected before they are written.
const LINES: usize = 100;

/// Writes the page of a period.
pub fn period_page(
    out: &mut dyn Write,
    period: &PeriodFacts,
    figures: &Figures,
    shown: &RowsShown,
    about: &About,
) -> io::Result<()> {
    let name = format!("dsr requests {} to {}", period.from, period.to);
    let title = format!("Requests received from {} to {}", period.from, period.to);
    let mut page = ReportPage::begin(out, &title, &name, about)?;
    page.write(header(period, figures.all(), &about.made))?;
    page.write(PreEscaped("<main id=\"main\">".into()))?;
    page.write(pressing(shown))?;
    if figures.received() > 0 {
        page.write(charts(period, figures))?;
        page.write(yearly(period, figures))?;
        log(&mut page, shown)?;
    } else {
        page.write(html! { p.note { "No request of this period is in the ledger." } })?;
    }
    page.write(elsewhere(period))?;
    page.write(limits(period.limits))?;
    page.write(html! { p.note { (words::SHARING_RULE) } })?;
    page.end(&name, about)
}

fn header(period: &PeriodFacts, all: &RequestTally, made: &Made) -> Markup {
    let days = all.days();
    let in_time = all.in_time.count();
    html! {
        header {
            p.kicker { "Log of data-subject requests, and figures" }
            h1 { "Requests received" br; (day(period.from)) " to " (day(period.to)) }
            p.lead { @match &period.projects {
                None => "All projects in this ledger",
                Some(names) => { "Project " @for (place, name) in names.iter().enumerate() { @if place > 0 { ", " } (Visible(name)) } },
            } }
            p.summary { (summary(all)) }
            (prepared(made))
            @if all.contradictory > 0 {
                p.note { (counted(all.contradictory as u64, "request has", "requests have")) " an answer dated before the receipt. These dates contradict each other, so they count neither as in time nor as late. " (changed(made)) }
            }
            dl.facts {
                div { dt { "Received" } dd { (count(all.received)) } }
                div { dt { "Carried out" } dd { (count(all.carried_out())) @if all.part > 0 { small { ", " (count(all.part)) " in part" } } } }
                div { dt { "Not carried out" } dd { (count(all.not_carried_out)) } }
                div { dt { "Unknown" } dd { (count(all.unknown)) } }
                div { dt { "Open" } dd { (count(all.open)) } }
                div { dt { "Answered in time" } dd { (count(in_time)) @if all.late.count() > 0 { small { ", " (count(all.late.count())) " late" } } } }
                div { dt { "Answer not recorded" } dd { (count(all.not_recorded)) } }
                div { dt { "Median days to answer" } dd { (days_text(days.median())) } }
                div { dt { "Ids" } dd { (count(all.ids.received)) } }
            }
        }
    }
}

/// What was asked, for how many ids, the outcome, and whether the answers were in time.
fn summary(all: &RequestTally) -> String {
    let parts = |counts: &[(usize, &str)]| {
        let there = counts.iter().filter(|(number, _)| *number > 0);
        let texts = there.map(|(number, what)| format!("{} {what}", count(*number)));
        texts.collect::<Vec<_>>().join(", ")
    };
    if all.received == 0 {
        return "No request was received.".to_owned();
    }
    let outcomes = parts(&[
        (all.whole, "carried out in whole"),
        (all.part, "carried out in part"),
        (all.not_carried_out, "not carried out"),
        (all.unknown, "of unknown outcome"),
        (all.open, "not finished"),
    ]);
    let answers = parts(&[
        (all.in_time.count(), "in time"),
        (all.late.count(), "late"),
        (all.not_recorded, "finished without a recorded answer"),
        (all.contradictory, "with dates that contradict each other"),
    ]);
    let answers = match answers.is_empty() {
        true => "none recorded".to_owned(),
        false => answers,
    };
    format!(
        "{} for {} in all: {outcomes}. Answers: {answers}.",
        counted(
            all.received as u64,
            "request was received",
            "requests were received"
        ),
        counted(all.ids.received as u64, "id", "ids"),
    )
}

fn days_text(days: Option<f64>) -> String {
    days.map_or_else(|| "–".to_owned(), |days| format!("{days}"))
}

/// Requests that are open and unanswered, or of unknown outcome: what to look at first.
fn pressing(shown: &RowsShown) -> Markup {
    if shown.pressing.is_empty() {
        return html! {};
    }
    html! {
        section aria-labelledby="pressing" {
            h2 #pressing { "Not finished, or of unknown outcome" }
            table.cards {
                thead { tr { th scope="col" { "Request" } th scope="col" { "Received" } th scope="col" { "Due" } th scope="col" { "Why" } } }
                tbody { @for row in &shown.pressing {
                    tr {
                        th scope="row" { code { (row.id) } }
                        td.time data-label="Received" { (date(row.asked.received)) }
                        td.time data-label="Due" { (date(row.asked.due)) }
                        td data-label="Why" { (nature_badge(&row.answer)) " "
                            @if row.ids.unsettled + row.ids.given_up > 0 { "the outcome of " (counted((row.ids.unsettled + row.ids.given_up) as u64, "id", "ids")) " is unknown" } }
                    }
                } }
            }
            @if shown.more_pressing > 0 { p.note { "The table (CSV) of this report has " (counted(shown.more_pressing as u64, "more request", "more requests")) "." } }
        }
    }
}

fn charts(period: &PeriodFacts, figures: &Figures) -> Markup {
    html! {
        (bars::textures())
        section aria-labelledby="months" {
            h2 #months { "By month" }
            (bars::months(figures, period.from, period.to))
        }
        section aria-labelledby="days" {
            h2 #days { "Days to answer" }
            @for law in [Law::Gdpr, Law::Ccpa] {
                @if figures.years().any(|(_, group, _)| group.law == law) {
                    h3 { (law.title()) }
                    (bars::days(figures, law))
                }
            }
        }
    }
}

fn yearly(period: &PeriodFacts, figures: &Figures) -> Markup {
    html! {
        section aria-labelledby="figures" {
            h2 #figures { "Figures by calendar year" }
            table.figures.cards {
                thead { tr {
                    th scope="col" { "Year, law and kind" }
                    th.number scope="col" { "Received" } th.number scope="col" { "Complied with in whole" } th.number scope="col" { "Complied with in part" }
                    th.number scope="col" { "Not carried out" } th.number scope="col" { "Unknown" } th.number scope="col" { "Open" }
                    th.number scope="col" { "Median days" } th.number scope="col" { "Mean days" }
                    th.number scope="col" { "In time" } th.number scope="col" { "Late" } th.number scope="col" { "Answer not recorded" }
                } }
                tbody { @for (year, group, tally) in figures.years() { (figure(period, year, group, tally)) } }
            }
            p.after { small { "Days count only requests with a recorded answer. “Not carried out” means refused by Mixpanel, failed or cancelled." } }
            h3 { "The same by ids" }
            table.figures.cards {
                thead { tr {
                    th scope="col" { "Year, law and kind" }
                    th.number scope="col" { "Asked for" } th.number scope="col" { "Carried out" } th.number scope="col" { "Not carried out" }
                    th.number scope="col" { "Unknown" } th.number scope="col" { "Open" }
                } }
                tbody { @for (year, group, tally) in figures.years() {
                    tr {
                        th scope="row" { (year) " " (group.title()) }
                        td.number data-label="Asked for" { (count(tally.ids.received)) }
                        td.number data-label="Carried out" { (count(tally.ids.carried_out)) }
                        td.number data-label="Not carried out" { (count(tally.ids.not_carried_out)) }
                        td.number data-label="Unknown" { (count(tally.ids.unknown)) }
                        td.number data-label="Open" { (count(tally.ids.open)) }
                    }
                } }
            }
            p.after { small { "“Asked for” includes ids that the operator excluded. They count as not carried out." } }
            p { small { (words::FIGURES_RULE) } }
        }
    }
}

fn figure(period: &PeriodFacts, year: i32, group: Group, tally: &RequestTally) -> Markup {
    let days = tally.days();
    let is_part =
        |day: NaiveDate, edge: (u32, u32)| day.year() == year && (day.month(), day.day()) != edge;
    let begins =
        is_part(period.from, (1, 1)).then(|| format!("from {}", period.from.format("%-d %B")));
    let ends = is_part(period.to, (12, 31)).then(|| format!("to {}", period.to.format("%-d %B")));
    let part: Vec<String> = begins.into_iter().chain(ends).collect();
    html! {
        tr {
            th scope="row" { (year) " " (group.title()) @if !part.is_empty() { br; small { (part.join(" ")) } } }
            td.number data-label="Received" { (count(tally.received)) }
            td.number data-label="In whole" { (count(tally.whole)) }
            td.number data-label="In part" { (count(tally.part)) }
            td.number data-label="Not carried out" { (count(tally.not_carried_out)) }
            td.number data-label="Unknown" { (count(tally.unknown)) }
            td.number data-label="Open" { (count(tally.open)) }
            td.number data-label="Median days" { (days_text(days.median())) }
            td.number data-label="Mean days" { (days_text(days.mean())) }
            td.number data-label="In time" { (count(tally.in_time.count())) }
            td.number data-label="Late" { (count(tally.late.count())) }
            td.number data-label="Answer not recorded" { (count(tally.not_recorded)) }
        }
    }
}

/// The log, written a few lines at a time because it may be long.
fn log(page: &mut ReportPage<'_>, shown: &RowsShown) -> io::Result<()> {
    page.write(html! {
        (PreEscaped("<section aria-labelledby=\"log\">"))
        h2 #log { "The log" }
        p { (words::LOG_RULE) " Records are kept for at least 24 months (11 CCR §7101(a))." }
        @if shown.more() > 0 {
            p.note { "This page lists the latest " (count(shown.latest.len())) " requests. The table (CSV) of this report has " (count(shown.more())) " earlier ones." }
        }
        (PreEscaped("<table class=\"log cards\">"))
        thead { tr {
            th scope="col" { "Received" } th scope="col" { "Request" } th scope="col" { "Nature" } th.number scope="col" { "Ids" }
            th scope="col" { "Due" } th scope="col" { "Answer" } th scope="col" { "Answered" } th.number scope="col" { "Days" }
        } }
        (PreEscaped("<tbody>"))
    })?;
    let rows: Vec<&RowFacts> = shown.latest.iter().collect();
    for some in rows.chunks(LINES) {
        page.write(html! { @for row in some { (line(row)) } })?;
    }
    page.write(html! { (PreEscaped("</tbody></table></section>")) })
}

fn line(row: &RowFacts) -> Markup {
    let (asked, answer) = (&row.asked, &row.answer);
    let reasons = reasons_text(&row.setbacks, row.other_setbacks);
    let nature = match asked.kind {
        Kind::Export => "export",
        Kind::Delete => "deletion",
    };
    html! {
        tr {
            td.time data-label="Received" { (date(asked.received)) }
            th scope="row" { code { (row.id) } @if let Some(reference) = &asked.reference { br; small { (Visible(reference)) } } }
            td data-label="Nature" { (asked.law.title()) " " (nature) @if let Some(what) = asked.disclosure { " (" (what.as_str()) ")" } br; small { (Visible(&asked.project)) } }
            td.number data-label="Ids" { (count(row.ids.unique)) }
            td.time data-label="Due" { (date(asked.due)) @if asked.extension.is_some() { br; small { "extended" } } }
            td data-label="Answer" {
                (nature_badge(answer)) " " (timing_badge(answer))
                @if row.ids.excluded > 0 { br; small { (counted(row.ids.excluded as u64, "id", "ids")) " excluded by the operator" } }
                @if !reasons.is_empty() { br; small { (Visible(&reasons)) } }
            }
            td.time data-label="Answered" { @match answer.day { Some(answered) => (date(answered)), None => "–" } }
            td.number data-label="Days" { @match answer.days { Some(days) => (days), None => "–" } }
        }
    }
}

/// What is not in the period, so that nothing is left out silently.
fn elsewhere(period: &PeriodFacts) -> Markup {
    html! {
        section aria-labelledby="elsewhere" {
            h2 #elsewhere { "What this report leaves out" }
            ul {
                li { "Other requests in this ledger, of all projects: " (count(period.received_before)) " received before the period, " (count(period.received_after)) " after it." }
                @if period.purges.is_empty() { li { "No records have been removed from this ledger." } }
                @for purge in &period.purges {
                    li { "On " (day(purge.at.date_naive())) " the records of " (counted(purge.closed.requests as u64, "request", "requests")) " with " (counted(purge.closed.ids as u64, "id", "ids")) " were removed. These requests ended between " (day(purge.closed.first.date_naive())) " and " (day(purge.closed.last.date_naive())) ". The ledger no longer knows when they were received." }
                }
                @for one in &period.profile_deletions {
                    li { "On " (day(one.at.date_naive())) ", " (Visible(&one.by)) " deleted " (counted(one.deleted as u64, "profile", "profiles")) " of " (count(one.profiles)) " in project " (Visible(&one.project)) " (" (Visible(&one.source)) "). Profiles only; events stay: this is not an erasure." }
                }
                @for set_back in &period.set_backs {
                    li { (lost_time(set_back)) " Requests may be missing from this report." }
                }
                li { "Requests in other ledgers: each machine may have its own ledger." }
            }
        }
    }
}
