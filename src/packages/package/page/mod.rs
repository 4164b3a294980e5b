//! `index.html`: one person's data on one page that loads nothing.
//!
//! Written for the requester: plain words, readable without a script, on a phone, on paper and by a
//! screen reader. Every value goes through `text::Visible`.

mod chart;
mod fields;
mod names;
mod records;
mod rights;

use std::io::{self, Write};
use std::path::Path;

use maud::{Markup, PreEscaped, html};

use super::contents::{CATEGORIES, PackageContents};
use super::manifest::MANIFEST;
use crate::document::beginning;
use crate::document::text::{Visible, counted, day, grouped, moment, size};
use crate::domain::{Operation, ProjectZone};
use crate::packages::sorter::newest::EventSpot;
use crate::packages::sorter::spool::{EVENTS, OTHERS, PROFILE, PackageFile};
use crate::packages::{Provenance, Review};

pub(crate) const PAGE: &str = "index.html";

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
/// How many kinds of event are listed; the others are summed up.
const MOST_KINDS: usize = 100;

pub(crate) struct PersonPage<'a> {
    pub(crate) about: &'a Provenance,
    pub(crate) contents: &'a PackageContents<'a>,
    pub(crate) files: &'a [PackageFile],
    pub(crate) newest: &'a [EventSpot],
    pub(crate) folder: &'a Path,
}

impl PersonPage<'_> {
    /// Writes the page part by part, so that a long page needs no memory.
    pub(crate) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut part = |markup: Markup| out.write_all(markup.into_string().as_bytes());
        part(self.beginning())?;
        part(self.header())?;
        part(PreEscaped("<main id=\"main\">".into()))?;
        part(self.draft())?;
        part(rights::introduction(self.about, self.contents))?;
        part(self.over_time())?;
        part(self.by_kind())?;
        if !self.contents.is_empty() {
            let zone = self.about.zone;
            records::profile(self.folder, self.contents, zone, &mut part)?;
            records::events(self.folder, self.contents, self.newest, zone, &mut part)?;
        }
        part(names::names(self.about.scope, self.contents))?;
        part(self.package())?;
        part(rights::company(self.about))?;
        part(rights::your_rights(self.about))?;
        part(PreEscaped("</main>".into()))?;
        part(self.footer())?;
        part(html! { script { (PreEscaped(SCRIPT)) } (PreEscaped("</body></html>\n")) })
    }

    fn beginning(&self) -> Markup {
        html! {
            (beginning("Your data in Mixpanel", &[STYLE], &[SCRIPT]))
            a.skip href="#main" { "Skip to the data" }
            @if self.about.sandbox {
                p.draft role="note" { strong { "A rehearsal." } " dsr made this page in its sandbox: its data is invented." }
            }
        }
    }

    /// A warning for the operator until somebody has checked the unassigned data.
    fn draft(&self) -> Markup {
        let unclear = self.contents.unassigned.unclear();
        html! {
            @if self.about.review == Review::Open && unclear > 0 {
                p.draft role="note" {
                    strong { "Draft: do not send this page yet." } " "
                    (rights::unclear_parts(unclear)) ". Look through the folder "
                    code { "unassigned" } ", then make the packages again with " code { "--checked" } "."
                }
            }
        }
    }

    fn header(&self) -> Markup {
        let contents = self.contents;
        let number = |names: &[&str]| grouped(names.len() as u64);
        html! {
            header {
                p.kicker { "Answer to your request under the " (rights::law_name(self.about)) }
                h1 { "Your data in Mixpanel" }
                dl.facts {
                    div.wide { dt { "Your identifier" } dd.id { (Visible(contents.id)) } }
                    @if contents.of_categories {
                        div { dt { "Names of events" } dd { (number(&contents.names.events)) } }
                        div { dt { "Properties of events" } dd { (number(&contents.names.event_properties)) } }
                        div { dt { "Properties of the profile" } dd { (number(&contents.names.profile_properties)) } }
                    } @else {
                        div { dt { "Period" } dd { (period(contents)) } }
                        div { dt { "Events" } dd { (events(contents)) } }
                        div { dt { "Profile" } dd { (profiles(contents)) } }
                    }
                    div { dt { "Fetched" } dd { (day(self.about.fetched.date_naive())) } }
                }
            }
        }
    }

    fn over_time(&self) -> Markup {
        let Some(chart) = chart::chart(&self.contents.tally.days) else {
            return html! {};
        };
        let timeless = self.contents.tally.timeless;
        html! {
            section aria-labelledby="time" {
                h2 #time { "When it was recorded" }
                (chart)
                @if timeless > 0 {
                    p.note { (counted(timeless, "event has", "events have")) " no time that could be read." }
                }
            }
        }
    }

    fn by_kind(&self) -> Markup {
        let contents = self.contents;
        let Some(most) = contents.kinds.first().map(|(_, count)| *count) else {
            return html! {};
        };
        let hidden = contents.kinds.iter().skip(MOST_KINDS);
        let rest = contents.tally.further + hidden.map(|(_, count)| count).sum::<u64>();
        html! {
            section aria-labelledby="kinds" {
                h2 #kinds { "What was recorded" }
                table.kinds {
                    thead { tr {
                        th scope="col" { "Event" }
                        th.number scope="col" { "How often" }
                        th.share scope="col" aria-hidden="true" {}
                    } }
                    tbody {
                        @for (name, count) in contents.kinds.iter().take(MOST_KINDS) {
                            tr {
                                th scope="row" { (records::event_name(name)) }
                                td.number { (grouped(*count)) }
                                td.share aria-hidden="true" { (share(*count, most)) }
                            }
                        }
                        @if rest > 0 {
                            tr {
                                th scope="row" { "Other kinds, in " code { (EVENTS) } }
                                td.number { (grouped(rest)) }
                                td.share {}
                            }
                        }
                    }
                }
            }
        }
    }

    fn package(&self) -> Markup {
        let what = |name: &str| match name {
            EVENTS => "Every event, one a line, with the values Mixpanel delivered",
            PROFILE => "Your profile, with the values Mixpanel delivered",
            OTHERS => "Records that are neither event nor profile",
            CATEGORIES => "The names on this page",
            _ => "",
        };
        let unclear = self.contents.unassigned.unclear();
        html! {
            section aria-labelledby="files" {
                h2 #files { "The files beside this page" }
                @if !self.contents.is_empty() {
                    p { "They hold all of the data, for programs. You can keep them or take them to another service." }
                }
                table.files {
                    thead { tr {
                        th scope="col" { "File" }
                        th scope="col" { "What it is" }
                        th.number scope="col" { "Size" }
                    } }
                    tbody {
                        @for file in self.files {
                            tr {
                                th scope="row" { a href=(file.name) { (file.name) } }
                                td {
                                    (what(file.name))
                                    @if self.contents.tally.reduced.contains(&file.name) { ", less what was removed" }
                                    @if file.name != PAGE { " (JSON)" }
                                }
                                td.number { (size(file.bytes)) }
                            }
                        }
                        tr {
                            th scope="row" { a href=(MANIFEST) { (MANIFEST) } }
                            td { "What this package holds, where it came from, and checksums" }
                            td {}
                        }
                    }
                }
                @if self.contents.others > 0 {
                    p { (counted(self.contents.others, "record is", "records are")) " neither event nor profile: see " code { (OTHERS) } "." }
                }
                @if self.contents.tally.taken_out > 0 {
                    p.note {
                        (counted(self.contents.tally.taken_out, "part", "parts")) " of your records may be about other people, so the company removed "
                        (if self.contents.tally.taken_out == 1 { "it. A note marks its place." } else { "them. A note marks each place." })
                    }
                }
                @if unclear > 0 {
                    p.note {
                        (rights::unclear_parts(unclear)) ", and "
                        (if unclear == 1 { "is" } else { "are" }) " in no package. "
                        (match self.about.review {
                            Review::Open => "The company still has to check this.",
                            Review::Done => "The company has checked this.",
                        })
                    }
                }
            }
        }
    }

    fn footer(&self) -> Markup {
        let about = self.about;
        let operation = Operation::Export(about.scope);
        html! {
            footer {
                dl {
                    div { dt { "Request" } dd { (about.request) } }
                    div { dt { "Mixpanel’s task" } dd { (Visible(about.task.as_str())) } }
                    div { dt { "Law" } dd { (operation.law().title()) } }
                    div { dt { "Page made" } dd { (moment(about.made)) " UTC" } }
                    div.wide { dt { "Checksum of Mixpanel’s delivery (SHA-256)" } dd.id { (about.sha256) } }
                }
                p { "This page loads nothing from the internet and sends nothing. " (clock_text(about.zone)) " It is a copy of data, not legal advice." }
            }
        }
    }
}

fn share(count: u64, most: u64) -> Markup {
    let width = format!("{:.1}%", count as f64 / most.max(1) as f64 * 100.0);
    html! { svg width="100%" height="10" { rect.bar x="0" y="0" rx="2" width=(width) height="10" {} } }
}

fn period(contents: &PackageContents<'_>) -> String {
    let date = |seconds| chrono::DateTime::from_timestamp(seconds, 0).map(|time| time.date_naive());
    let ends = contents
        .tally
        .period
        .map(|(first, last)| (date(first), date(last)));
    match ends {
        Some((Some(first), Some(last))) if first == last => day(first),
        Some((Some(first), Some(last))) => format!("{} to {}", day(first), day(last)),
        _ => "No dated event".to_owned(),
    }
}

fn events(contents: &PackageContents<'_>) -> String {
    match contents.events {
        0 if contents.is_doubtful() => "None matched".to_owned(),
        count => grouped(count),
    }
}

fn profiles(contents: &PackageContents<'_>) -> String {
    match contents.profiles {
        0 if contents.is_doubtful() => "None matched".to_owned(),
        0 => "None".to_owned(),
        1 => "One".to_owned(),
        many => grouped(many),
    }
}

/// The name of the project's time zone; `None` for UTC, which is assumed if nobody set one.
fn clock_name(zone: ProjectZone) -> Option<&'static str> {
    (zone != ProjectZone::default()).then(|| zone.as_str())
}

fn clock_text(zone: ProjectZone) -> String {
    match clock_name(zone) {
        Some(name) => format!(
            "Times of events are in the time zone of the project, {name}, as Mixpanel recorded them."
        ),
        None => "Times of events are in UTC if the company’s Mixpanel project is from 2023 or later. In an older project, they may be in the project’s time zone.".to_owned(),
    }
}
