//! The review as one page that loads nothing: for the person who decides whether to send.

use std::io::{self, Write};

use chrono::DateTime;
use maud::{Markup, PreEscaped, html};

use super::finding::{FindingSet, ReviewFinding};
use super::review::{KeptProperty, SanitizeReview};
use crate::document::beginning;
use crate::document::text::{Visible, grouped};

const STYLE: &str = include_str!("style.css");

impl SanitizeReview {
    /// Writes the page part by part, so that many days need no memory.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn write_page(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut part = |markup: Markup| out.write_all(markup.into_string().as_bytes());
        part(html! {
            (beginning("Review of anonymous events", &[STYLE], &[]))
            h1 { "Review of anonymous events" }
            p { strong { "This file may hold personal data." } " Keep it private, and delete it when the events are imported." }
        })?;
        part(self.counts())?;
        part(self.kept_table())?;
        part(self.dropped_table())?;
        part(self.event_table())?;
        part(html! {
            h2 { "Events by day" }
            (PreEscaped("<table>"))
            caption { "By the project’s clock; repeats are not in “After”. Compare these numbers with Mixpanel after the import." }
            tr { th { "Day" } th { "Event" } th.n { "Before" } th.n { "After" } }
        })?;
        for (day, name, before, after) in self.days() {
            let day = DateTime::from_timestamp(day * 86_400, 0).map(|day| day.date_naive());
            part(html! {
                tr {
                    td { @if let Some(day) = day { (day) } }
                    td { (Visible(name)) }
                    td.n { (grouped(before)) }
                    td.n { (grouped(after)) }
                }
            })?;
        }
        part(html! {
            (PreEscaped("</table>"))
            @if self.more_days > 0 { p { (grouped(self.more_days)) " more events are not in this table." } }
            (PreEscaped("</body></html>\n"))
        })
    }

    fn counts(&self) -> Markup {
        let left_out = &self.left_out;
        let rows = [
            ("Events in the source", self.read),
            ("Events written", self.written),
            ("Written twice or more: Mixpanel counts one", self.repeats),
            ("People", self.people),
            ("Ids of the source", self.ids),
            (
                "Devices of several people, each a person of its own",
                self.shared_devices,
            ),
            ("Left out: events that only join ids", self.identity_events),
            ("Left out: not in the list of events", self.not_listed),
            ("Left out: parts that cannot be read", left_out.unreadable),
            ("Left out: events that name nobody", left_out.nobody),
            (
                "Left out: events that contradict themselves",
                left_out.several,
            ),
            ("Left out: events without a time", left_out.no_time),
            (
                "Not read: files that the packages hold back",
                left_out.held_back,
            ),
            ("Not read: copies of other sources", self.copies),
            (
                "Written, but older than five years: Mixpanel may refuse them",
                self.too_old,
            ),
        ];
        html! {
            table {
                @for (label, count) in rows {
                    tr { th scope="row" { (label) } td.n { (grouped(count)) } }
                }
            }
            @if self.is_search_partial {
                p.odd { "The profiles have too many values: dsr did not search for all of them." }
            }
        }
    }

    fn kept_table(&self) -> Markup {
        html! {
            h2 { "Properties kept" }
            table {
                tr { th { "Property" } th.n { "Events" } th { "Findings" } th { "Samples" } }
                @for kept in self.kept.iter().filter(|kept| kept.events > 0) { (kept_row(kept)) }
            }
            @let absent = self.absent_lines().len() as u64;
            @if absent > 0 { p { "Names of the list that no event has: " (grouped(absent)) } }
        }
    }

    fn dropped_table(&self) -> Markup {
        html! {
            h2 { "Properties dropped" }
            table {
                tr { th { "Property" } th.n { "Events" } }
                @for (name, events) in self.dropped() {
                    tr { td { (Visible(name)) } td.n { (grouped(events)) } }
                }
            }
        }
    }

    fn event_table(&self) -> Markup {
        html! {
            h2 { "Events by name" }
            table {
                tr { th { "Event" } th.n { "Before" } th.n { "After" } th { "Findings" } }
                @for event in &self.events {
                    tr {
                        td { (Visible(&event.name)) }
                        td.n { (grouped(event.before)) }
                        td.n { (grouped(event.after)) }
                        td.odd { (words(event.found)) }
                    }
                }
            }
        }
    }
}

fn kept_row(kept: &KeptProperty) -> Markup {
    html! {
        tr {
            td { (Visible(&kept.name)) }
            td.n { (grouped(kept.events)) }
            td.odd {
                @for (finding, count) in kept.findings.iter() {
                    (finding.words()) ": " (grouped(count)) br;
                }
            }
            td {
                ul {
                    @for (sample, found) in &kept.samples {
                        li {
                            (Visible(sample))
                            @if !found.is_empty() { " " span.odd { "(" (words(*found)) ")" } }
                        }
                    }
                }
            }
        }
    }
}

fn words(found: FindingSet) -> String {
    let words: Vec<&str> = found.iter().map(ReviewFinding::words).collect();
    words.join(", ")
}
