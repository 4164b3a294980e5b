//! Shows what became of events that were made anonymous: counts and names of the operator's own
//! list, never a value, an id or the name of an event.

use serde_json::{Value, json};

use crate::domain::{ProjectName, ProjectZone};
use crate::packages::{KeptProperty, SanitizeReview, TimeStep};
use crate::ui::drawing::paper::Paper;
use crate::ui::drawing::view::View;
use crate::ui::drawing::words::{number, plural, printable};

/// The result of making events anonymous.
pub struct SanitizeView<'a> {
    pub review: &'a SanitizeReview,
    pub project: &'a ProjectName,
    pub zone: ProjectZone,
    pub time: TimeStep,
    pub file: String,
    pub page: String,
    pub key: String,
    pub is_key_new: bool,
}

/// Lines of the list that are shown.
const MOST_LINES: usize = 10;

fn count(number: u64, one: &str, many: &str) -> String {
    plural(number as usize, one, many)
}

/// For example `lines 2, 5` or `lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 4 more`.
pub fn lines_text(lines: &[usize]) -> String {
    let line = if lines.len() == 1 { "line" } else { "lines" };
    let shown: Vec<String> = lines
        .iter()
        .take(MOST_LINES)
        .map(|line| number(*line))
        .collect();
    let more = match lines.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {} more", number(more)),
    };
    format!("{line} {}{more}", shown.join(", "))
}

impl SanitizeView<'_> {
    fn left_out(&self) -> Vec<String> {
        let review = self.review;
        let left_out = &review.left_out;
        [
            (
                review.identity_events,
                "event only joins ids",
                "events only join ids",
            ),
            (
                review.not_listed,
                "event is not in the list of events",
                "events are not in the list of events",
            ),
            (
                left_out.unreadable,
                "part cannot be read",
                "parts cannot be read",
            ),
            (left_out.nobody, "event names nobody", "events name nobody"),
            (
                left_out.several,
                "event contradicts itself",
                "events contradict themselves",
            ),
            (left_out.no_time, "event has no time", "events have no time"),
            (
                left_out.held_back,
                "file of `unassigned/` was not read",
                "files of `unassigned/` were not read",
            ),
        ]
        .into_iter()
        .filter(|(number, ..)| *number > 0)
        .map(|(number, one, many)| count(number, one, many))
        .collect()
    }

    fn properties(&self) -> String {
        let kept = self.review.kept.len();
        let absent = self.review.absent_lines();
        let dropped = number(self.review.dropped().len());
        let mut text = format!("{} kept, {dropped} dropped", number(kept - absent.len()));
        if absent.is_empty() {
            return text;
        }
        let names = plural(absent.len(), "name", "names");
        if absent.len() == kept {
            return text
                + &format!(". No event has any of the {names} in the list: is it another list?");
        }
        let lines = lines_text(&absent);
        text += &format!(". No event has {names} of the list: {lines}");
        text
    }

    fn time(&self) -> String {
        let how = match self.time {
            TimeStep::Exact => "exact",
            TimeStep::Hour => "the hour",
            TimeStep::Day => "the day",
        };
        let zone = self.zone.as_str();
        match self.zone == ProjectZone::default() {
            // The sandbox's own project has no settings to change.
            true if self.project.as_str() == "sandbox" => format!("{how}; read as UTC"),
            true => format!(
                "{how}; read as UTC, which holds for projects made since 2023. For an older one, set its time zone: `dsr project set {} --time-zone ZONE`",
                self.project
            ),
            false => format!("{how}; read in {zone}, and written in UTC"),
        }
    }

    fn key_text(&self) -> String {
        let state = match self.is_key_new {
            true => "made now",
            false => "used again",
        };
        format!(
            "`{}`, {state}. It links the new ids to the old ones: delete it after the import, and the events are linked no more",
            printable(&self.key)
        )
    }
}

/// For example `an e-mail address (3), a phone number (1)`.
fn findings(kept: &KeptProperty) -> String {
    let found = kept.findings.iter();
    let found =
        found.map(|(finding, count)| format!("{} ({})", finding.words(), number(count as usize)));
    found.collect::<Vec<_>>().join(", ")
}

impl View for SanitizeView<'_> {
    fn human(&self, paper: &Paper) -> String {
        let review = self.review;
        let mut text = paper.wrapped(
            "",
            &format!(
                "{} of {} written to `{}`, for {}. Only you can read the file.",
                number(review.written as usize),
                count(review.read, "event", "events"),
                printable(&self.file),
                count(review.people, "person", "people"),
            ),
        );
        text.push('\n');
        let mut facts = paper.facts(2, 10);
        let mut left_out = self.left_out().into_iter();
        if let Some(first) = left_out.next() {
            facts.add("Left out", &first);
            left_out.for_each(|more| facts.add_below("Left out", &more));
        }
        if review.repeats > 0 {
            let repeats = count(review.repeats, "event is a repeat", "events are repeats");
            let counted = number((review.written - review.repeats) as usize);
            facts.add(
                "Repeats",
                &format!("{repeats} of another: Mixpanel will count {counted}"),
            );
        }
        if review.copies > 0 {
            let copies = count(review.copies, "source was", "sources were");
            facts.add(
                "Copies",
                &format!("{copies} not read: another source has the same events"),
            );
        }
        facts.add("Properties", &self.properties());
        let odd = review.kept.iter().filter(|kept| !kept.findings.is_empty());
        for kept in odd {
            facts.add(
                "Look at",
                &format!("{}: {}", printable(&kept.name), findings(kept)),
            );
        }
        if review.odd_events() > 0 {
            let names = count(review.odd_events(), "event name", "event names");
            facts.add("Look at", &format!("{names}, listed in the review"));
        }
        if review.shared_devices > 0 {
            let devices = count(review.shared_devices, "device", "devices");
            facts.add(
                "Shared",
                &format!("{devices} of several people: each device is a person of its own"),
            );
        }
        facts.add("Time", &self.time());
        facts.add("Key", &self.key_text());
        facts.add(
            "Review",
            &format!(
                "`{}`. It has samples of values: keep it private",
                printable(&self.page)
            ),
        );
        text + &facts.into_text()
    }

    fn json(&self) -> Value {
        let review = self.review;
        let left_out = &review.left_out;
        let absent = review.absent_lines();
        let kept = review
            .kept
            .iter()
            .filter(|kept| kept.events > 0)
            .map(|kept| {
                let found = kept.findings.iter();
                let found = found
                    .map(|(finding, count)| json!({ "kind": finding.as_str(), "events": count }));
                json!({
                    "name": kept.name,
                    "events": kept.events,
                    "findings": found.collect::<Vec<_>>(),
                })
            });
        json!({
            "file": self.file,
            "review": self.page,
            "key": self.key,
            "key_made": self.is_key_new,
            "project": self.project.as_str(),
            "time": self.time.as_str(),
            "time_zone": self.zone.as_str(),
            "events": {
                "read": review.read,
                "written": review.written,
                "repeats": review.repeats,
                "identity": review.identity_events,
                "not_listed": review.not_listed,
                "too_old": review.too_old,
                "odd_names": review.odd_events(),
            },
            "left_out": {
                "unreadable": left_out.unreadable,
                "nobody": left_out.nobody,
                "several": left_out.several,
                "no_time": left_out.no_time,
                "held_back": left_out.held_back,
            },
            "copies": review.copies,
            "people": review.people,
            "ids": review.ids,
            "shared_devices": review.shared_devices,
            "kept": kept.collect::<Vec<_>>(),
            "absent": { "names": absent.len(), "lines": absent },
            "dropped": review.dropped().len(),
            "to_check": review.has_findings(),
        })
    }
}
