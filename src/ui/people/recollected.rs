//! Shows erased people found in events, by hash and place, never by id.

use serde_json::{Value, json};

use crate::intake::{EventsRead, Problem};
use crate::ui::drawing::json::time;
use crate::ui::drawing::paper::Paper;
use crate::ui::drawing::table::{Column, draw};
use crate::ui::drawing::view::View;
use crate::ui::drawing::words::{number, plural, printable};
use crate::workflow::{Arrivals, Recollected, SeenEvent};

use super::sources;

/// How many people are named on the screen.
const MAX_NAMED: usize = 20;

/// How many damaged lines of a file are named on the screen.
const MAX_PLACES: usize = 3;

/// The result of looking for erased people in events.
pub struct RecollectedView<'a> {
    /// How many people the ledger knows whose deletion was sent.
    pub erased: usize,
    pub read: &'a [EventsRead],
    pub people: &'a [Recollected],
    /// Whether the hashes are the ones that other commands show.
    pub has_key: bool,
}

impl RecollectedView<'_> {
    fn sum(&self) -> Arrivals {
        let mut sum = Arrivals::default();
        for Recollected { events, .. } in self.people {
            sum.after += events.after;
            sum.during += events.during;
            sum.before += events.before;
            sum.undated += events.undated;
        }
        sum
    }

    fn again(&self) -> impl Iterator<Item = &Recollected> {
        self.people
            .iter()
            .filter(|person| person.events.again() > 0)
    }

    fn count_events(&self) -> usize {
        self.read.iter().map(|read| read.reading.values).sum()
    }

    fn findings(&self) -> Vec<String> {
        let sum = self.sum();
        let mut lines = Vec::new();
        match self.again().count() {
            0 => lines.push("Nobody on the suppression list was collected again.".to_owned()),
            count => {
                let people = plural(count, "erased person was", "erased people were");
                let kinds = [
                    (sum.after, "after the deletion was done"),
                    (
                        sum.during,
                        "while it ran (Mixpanel may or may not erase these)",
                    ),
                    (sum.undated, "without a time"),
                ];
                let kinds = kinds.into_iter().filter(|(count, _)| *count > 0);
                let kinds: Vec<String> = kinds
                    .map(|(count, when)| format!("{} {when}", number(count)))
                    .collect();
                let events = plural(sum.again(), "event", "events");
                lines.push(format!(
                    "{people} collected again, in {events}: {}.",
                    kinds.join(", ")
                ));
            }
        }
        if sum.before > 0 {
            let events = plural(sum.before, "event is", "events are");
            lines.push(format!(
                "{events} from before a deletion. The file is a copy: a deletion at Mixpanel does not reach it."
            ));
        }
        let from_device: usize = self.people.iter().map(|person| person.from_device).sum();
        if from_device > 0 {
            let events = plural(from_device, "event", "events");
            lines.push(format!(
                "{events} of other people came from a device of an erased person."
            ));
        }
        lines
    }

    fn table(&self, paper: &Paper) -> String {
        use Column::Text;
        let leading = [
            Text("HASH"),
            Text("REQUEST"),
            Text("PROJECT"),
            Text("ERASED"),
        ];
        let folds = ["BEFORE", "NO TIME", "WHILE RUNNING", "LINE", "PROJECT"];
        let rows = self.people.iter();
        let mut rows = rows.map(|person| (self.row(person), Some(person)));
        people_table(&leading, &folds, &mut rows, paper)
    }

    fn row(&self, person: &Recollected) -> Vec<String> {
        let done = person.deletion.period.done;
        let erased = done.map(|done| done.format("%Y-%m-%d %H:%M").to_string());
        let erasure = person.deletion.erasure.as_str().replace('_', " ");
        vec![
            self.hash(person).unwrap_or_else(|| "-".to_owned()),
            person.deletion.job.request.short().to_owned(),
            person.deletion.project.to_string(),
            erased.unwrap_or(erasure),
        ]
    }

    fn hash(&self, person: &Recollected) -> Option<String> {
        self.has_key.then(|| person.hash.short())
    }

    fn person(&self, person: &Recollected) -> Value {
        json!({
            "hash": self.hash(person),
            "request_id": person.deletion.job.request.as_str(),
            "job_id": person.deletion.job.to_string(),
            "project": person.deletion.project.as_str(),
            "erasure": person.deletion.erasure,
            "sent_at": time(person.deletion.period.begun),
            "done_at": person.deletion.period.done.map(time),
            "events": person.events,
            "from_device": person.from_device,
            "first": person.first,
            "last_at": person.last_at.map(time),
        })
    }
}

/// Draws the first people: these columns and cells, then the events of each by time.
pub(super) fn people_table(
    leading: &[Column],
    folds: &[&str],
    people: &mut dyn ExactSizeIterator<Item = (Vec<String>, Option<&Recollected>)>,
    paper: &Paper,
) -> String {
    use Column::{Number, Text};
    let by_time = [
        Number("AFTER DONE"),
        Number("WHILE RUNNING"),
        Number("NO TIME"),
        Number("BEFORE"),
        Text("LINE"),
    ];
    let more = people.len().saturating_sub(MAX_NAMED);
    let rows = people.take(MAX_NAMED).map(|(mut row, person)| {
        let events = person.map(|person| person.events).unwrap_or_default();
        let Arrivals {
            after,
            during,
            before,
            undated,
        } = events;
        row.extend([after, during, undated, before].map(number));
        row.push(person.map_or_else(|| "-".to_owned(), |person| person.first.text()));
        row
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let mut text = draw(&[leading, &by_time].concat(), folds, &rows, paper);
    let legend = "Events by time: after the deletion was done, while it ran, or before. Line: the first event.";
    text.push_str(&paper.wrapped("", legend));
    if more > 0 {
        let more = number(more);
        text.push_str(&format!("and {more} more; `--json` has all of them\n"));
    }
    text
}

impl SeenEvent {
    fn place(&self) -> (Option<u64>, Option<u64>) {
        (self.line, self.element)
    }

    /// The file and the line or element.
    pub(super) fn text(&self) -> String {
        printable(&place_text(&self.label, &self.place()))
    }
}

fn place_text(label: &str, place: &(Option<u64>, Option<u64>)) -> String {
    match place {
        (_, Some(element)) => format!("{label}, element {element}"),
        (Some(line), None) => format!("{label}, line {line}"),
        (None, None) => label.to_owned(),
    }
}

impl View for RecollectedView<'_> {
    fn human(&self, paper: &Paper) -> String {
        let mut text = String::new();
        for line in self.findings() {
            text.push_str(&paper.wrapped("", &line));
        }
        if !self.people.is_empty() {
            text.push('\n');
            text.push_str(&self.table(paper));
            text.push_str("Times are UTC.\n");
        }
        let nameless: usize = self.read.iter().map(|read| read.nameless).sum();
        let line = format!(
            "Checked {} in {} for {} whose deletion was sent; {} nobody.",
            plural(self.count_events(), "event", "events"),
            plural(self.read.len(), "file", "files"),
            plural(self.erased, "person", "people"),
            plural(nameless, "event names", "events name"),
        );
        text.push('\n');
        text.push_str(&paper.wrapped("", &line));
        text
    }

    fn json(&self) -> Value {
        let sum = self.sum();
        json!({
            "erased": self.erased,
            "collected_again": self.again().count(),
            "events": {
                "read": self.count_events(),
                "nameless": self.read.iter().map(|read| read.nameless).sum::<usize>(),
                "damaged": self.read.iter().map(|read| read.problems.count()).sum::<usize>(),
                "after": sum.after,
                "during": sum.during,
                "before": sum.before,
                "undated": sum.undated,
                "from_device": self.people.iter().map(|person| person.from_device).sum::<usize>(),
            },
            "people": self.people.iter().map(|person| self.person(person)).collect::<Vec<_>>(),
            "sources": self.read.iter().map(source).collect::<Vec<_>>(),
        })
    }
}

pub(super) fn source(read: &EventsRead) -> Value {
    let mut object = sources::object(&read.reading);
    let damaged = read.problems.kept().iter();
    object["nameless"] = read.nameless.into();
    object["damaged"] = read.problems.count().into();
    object["damage"] = damaged
        .map(|problem| {
            json!({
                "line": problem.place.line,
                "element": problem.place.element,
                "what": problem.damage.to_string(),
            })
        })
        .collect();
    object
}

/// Describes the damage of a file; `None` if all of it was read.
pub fn damage_text(read: &EventsRead) -> Option<String> {
    let count = read.problems.count();
    let place = |problem: &Problem| {
        let place = place_text("", &(problem.place.line, problem.place.element));
        format!("{}: {}", place.trim_start_matches(", "), problem.damage)
    };
    let kept = read.problems.kept().iter().take(MAX_PLACES);
    let mut places: Vec<String> = kept.map(place).collect();
    let more = count.saturating_sub(places.len());
    if more > 0 {
        places.push(format!("and {} more", number(more)));
    }
    let lines = plural(count, "line or element", "lines or elements");
    let label = &read.reading.label;
    (count > 0).then(|| {
        format!(
            "dsr could not read {lines} of {label}, and skipped them: {}",
            places.join("; ")
        )
    })
}
