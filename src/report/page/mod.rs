//! A report as one page that loads nothing and runs no script, for a screen, a phone or paper.
//! Every value goes through `Visible`.

mod bars;
mod jobs;
mod period;
mod request;
mod timeline;

use std::io::{self, Write};

use chrono::{Datelike, NaiveDate};
use maud::{Markup, PreEscaped, html};

use crate::document::beginning;
use crate::document::text::{Visible, day, grouped, moment};

use super::answer::{Answer, Nature, Timing};
use super::evidence::{About, PersonalData};
use super::facts::{AuditFact, Made, SetBackFact};
use super::words;

pub use period::period_page;
pub use request::request_page;

const STYLE: &str = include_str!("style.css");

/// What to do about dates that contradict each other.
fn changed(made: &Made) -> String {
    let program = if made.sandbox { "dsr --sandbox" } else { "dsr" };
    format!(
        "dsr never records dates like these. Run {program} audit verify to find what was changed."
    )
}

/// Writes the page part by part, so that a long page needs no memory.
struct ReportPage<'a> {
    out: &'a mut dyn Write,
}

impl<'a> ReportPage<'a> {
    /// Begins a page. `name` is printed at the foot of every sheet. It must hold only letters,
    /// digits, spaces and hyphens.
    fn begin(out: &'a mut dyn Write, title: &str, name: &str, about: &About) -> io::Result<Self> {
        let sheets = sheets(name, about);
        let mut page = Self { out };
        page.write(html! {
            (beginning(title, &[STYLE, &sheets], &[]))
            a.skip href="#main" { "Skip to the report" }
            @if about.personal_data == PersonalData::Ids {
                p.alarm { strong { "This file holds personal data:" } " the ids of people. Keep it private, and delete it when you no longer need it." }
            }
            @if about.made.sandbox {
                p.alarm { strong { "A rehearsal." } " This was made in the sandbox; nothing in it is real." }
            }
        })?;
        Ok(page)
    }

    fn write(&mut self, markup: Markup) -> io::Result<()> {
        self.out.write_all(markup.into_string().as_bytes())
    }

    fn end(mut self, name: &str, about: &About) -> io::Result<()> {
        let made = &about.made;
        self.write(html! {
            (PreEscaped("</main>"))
            footer {
                dl {
                    div { dt { "Report" } dd { (name) } }
                    div { dt { "Made" } dd { (moment(made.at)) " UTC" } }
                    div { dt { "By" } dd { (Visible(&made.by)) } }
                    div { dt { "With" } dd { "dsr " (made.dsr) } }
                    div.wide { dt { "Digest of the facts (SHA-256)" } dd.id { (about.digest.as_str()) } }
                    @match &about.audit {
                        AuditFact::Head { entries, hash, at } => div.wide {
                            dt { "Head of the audit trail: entry " (grouped(*entries)) ", of " (moment(*at)) " UTC" }
                            dd.id { (hash) }
                        },
                        AuditFact::Damaged { what } => div.wide { dt { "Audit trail" } dd { strong { "Damaged: " (what) } } },
                    }
                }
                p { "The digest is the SHA-256 of " code { "report.evidence" } " in this report’s JSON form, written as compact JSON. Reports of the same facts have the same digest." }
                p { "Times are in UTC. " (words::NOT_ADVICE) " This page loads nothing and sends nothing." }
            }
            (PreEscaped("</body></html>\n"))
        })
    }
}

/// Text on every printed sheet, if the browser supports it.
fn sheets(name: &str, about: &About) -> String {
    let digest = about.digest.as_str().get(..16).unwrap_or_default();
    format!(
        "@page{{@bottom-left{{content:\"{name}\"}}@bottom-center{{content:\"digest {digest}\"}}@bottom-right{{content:counter(page) \" / \" counter(pages)}}}}"
    )
}

fn nature_badge(answer: &Answer) -> Markup {
    let class = match answer.nature {
        Nature::Whole => "badge good",
        Nature::Part => "badge some",
        Nature::NotCarriedOut => "badge none",
        Nature::Unknown => "badge bad",
        Nature::Open => "badge open",
    };
    html! { span class=(class) { (answer.nature_words()) } }
}

/// Whether the person was answered in time; empty while the request is open and unanswered.
fn timing_badge(answer: &Answer) -> Markup {
    let timing = answer.timing;
    if (answer.nature, timing) == (Nature::Open, Timing::NoAnswer) {
        return html! {};
    }
    let class = match timing {
        Timing::InTime => "badge good",
        Timing::Late | Timing::DatesContradict => "badge bad",
        Timing::NoAnswer => "badge none",
    };
    let what = match timing {
        Timing::NoAnswer | Timing::DatesContradict => "",
        Timing::InTime | Timing::Late => "answered ",
    };
    html! { span class=(class) { (what) (timing.words()) } }
}

fn prepared(made: &Made) -> Markup {
    html! {
        p.prepared {
            "Prepared by " (Visible(&made.by)) " on " (day(made.day)) "."
            @match made.overdue {
                0 => {}
                1 => " On that day 1 open request was overdue.",
                many => { " On that day " (count(many)) " open requests were overdue." },
            }
        }
    }
}

fn limits(limits: &[&str]) -> Markup {
    html! {
        section aria-labelledby="limits" {
            h2 #limits { "What this report cannot say" }
            ul { @for limit in limits { li { (limit) } } }
        }
    }
}

/// `3 Mar 2026` with no-break spaces, for tables and small screens.
fn date(day: NaiveDate) -> String {
    format!("{}\u{a0}{}", day.day(), day.format("%b\u{a0}%Y"))
}

fn count(number: usize) -> String {
    grouped(number as u64)
}

/// A period whose records the ledger has lost, and who continued without them.
fn lost_time(set_back: &SetBackFact) -> Markup {
    let accepted = set_back.accepted_at;
    html! {
        "This ledger was set back to an older copy. It lacks what was recorded "
        @match set_back.since {
            Some(since) => { "between " (moment(since)) " and " (moment(accepted)) " UTC." }
            None => { "before " (moment(accepted)) " UTC." }
        }
        " " (Visible(&set_back.accepted_by)) " accepted this on " (day(accepted.date_naive())) "."
        @if let Some(review) = &set_back.reviewed {
            " On " (day(review.at.date_naive())) " " (Visible(&review.by)) " noted: " (Visible(&review.note)) "."
        }
    }
}
