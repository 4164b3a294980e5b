//! Shows whether the people of a deletion are gone, by hash and place, never by id.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::intake::EventsRead;
use crate::ledger::RequestRecord;
use crate::ui::drawing::json::time;
use crate::ui::drawing::paper::Paper;
use crate::ui::drawing::table::{Column, draw};
use crate::ui::drawing::view::View;
use crate::ui::drawing::words::{number, plural};
use crate::workflow::{Arrivals, ErasureFindings, Recollected, Remains};

use super::recollected::{MAX_NAMED, source};

/// The result of looking for a deletion's people in events.
pub struct VerifyView<'a> {
    pub request: &'a RequestRecord,
    pub findings: &'a ErasureFindings,
    pub read: &'a [EventsRead],
    /// Whether the hashes are the ones that other commands show.
    pub has_key: bool,
}

impl VerifyView<'_> {
    fn findings(&self) -> Vec<String> {
        let counts = &self.findings.counts;
        let kinds = [
            (
                counts.present,
                "present: events from before the deletion are still there",
            ),
            (
                counts.recollected,
                "re-collected: events came after the deletion was sent",
            ),
            (
                counts.not_yet,
                "not yet gone: events from before the deletion, which raw exports may show for 30 days after it; check again later",
            ),
            (counts.absent, "absent: no event"),
            (
                counts.not_checkable,
                "not checkable: no event, but the files may lack some",
            ),
            (counts.not_done, "not checked: the deletion is not done"),
        ];
        let kinds = kinds.into_iter().filter(|(count, _)| *count > 0);
        kinds
            .map(|(count, what)| format!("{} {what}.", plural(count, "person is", "people are")))
            .collect()
    }

    /// What the days of the events do not show.
    fn gaps(&self) -> Option<&'static str> {
        let counts = &self.findings.counts;
        let (sent, done) = self.findings.period?;
        let day = |at: DateTime<Utc>| at.date_naive();
        match (counts.from? <= day(sent), counts.to? >= day(done)) {
            (true, true) => None,
            (false, true) => Some(
                "No event is from before the deletion: this only shows who was collected again.",
            ),
            (true, false) => Some(
                "No event is from after the deletion: this does not show who was collected again.",
            ),
            (false, false) => {
                Some("No event is from before or after the deletion: this shows nothing.")
            }
        }
    }

    fn table(&self, paper: &Paper) -> String {
        use Column::{Number, Text};
        let columns = [
            Text("HASH"),
            Text("RESULT"),
            Number("AFTER DONE"),
            Number("WHILE RUNNING"),
            Number("NO TIME"),
            Number("BEFORE"),
            Text("LINE"),
        ];
        let folds = ["NO TIME", "WHILE RUNNING", "LINE"];
        let people = &self.findings.people;
        let named = people.iter().take(MAX_NAMED);
        let rows: Vec<Vec<String>> = named.map(|found| self.row(found)).collect();
        let mut text = draw(&columns, &folds, &rows, paper);
        let legend = "Events by time: after the deletion was done, while it ran, or before. Line: the first event.";
        text.push_str(&paper.wrapped("", legend));
        let more = people.len().saturating_sub(MAX_NAMED);
        if more > 0 {
            let more = number(more);
            text.push_str(&format!("and {more} more; `--json` has all of them\n"));
        }
        text
    }

    fn row(&self, (remains, person): &(Remains, Recollected)) -> Vec<String> {
        let result = match remains {
            Remains::Recollected => "re-collected".to_owned(),
            other => other.as_str().replace('_', " "),
        };
        let Arrivals {
            after,
            during,
            before,
            undated,
        } = person.events;
        let mut row = vec![self.hash(person).unwrap_or_else(|| "-".to_owned()), result];
        row.extend([after, during, undated, before].map(number));
        row.push(person.first.text());
        row
    }

    fn hash(&self, person: &Recollected) -> Option<String> {
        self.has_key.then(|| person.hash.short())
    }
}

impl View for VerifyView<'_> {
    fn human(&self, paper: &Paper) -> String {
        let mut text = String::new();
        for line in self.findings() {
            text.push_str(&paper.wrapped("", &line));
        }
        if let Some(gaps) = self.gaps() {
            text.push_str(&paper.wrapped("", gaps));
        }
        if !self.findings.people.is_empty() {
            text.push('\n');
            text.push_str(&self.table(paper));
        }
        let counts = &self.findings.counts;
        let days = match (counts.from, counts.to) {
            (Some(from), Some(to)) => format!(", from {from} to {to} (UTC)"),
            _ => String::new(),
        };
        let line = format!(
            "Checked {} in {}{days}. Profiles were not checked. The ledger keeps the counts: `dsr report {}`.",
            plural(counts.events, "event", "events"),
            plural(self.read.len(), "file", "files"),
            self.request.id.short(),
        );
        text.push('\n');
        text.push_str(&paper.wrapped("", &line));
        text
    }

    fn json(&self) -> Value {
        let counts = &self.findings.counts;
        let found = self.findings.people.iter().map(|(remains, person)| {
            json!({
                "hash": self.hash(person),
                "result": remains.as_str(),
                "events": person.events,
                "first": person.first,
                "last_at": person.last_at.map(time),
            })
        });
        json!({
            "request_id": self.request.id.as_str(),
            "project": self.request.asked.project.as_str(),
            "sent_at": self.findings.period.map(|(sent, _)| time(sent)),
            "done_at": self.findings.period.map(|(_, done)| time(done)),
            "people": {
                "absent": counts.absent,
                "not_yet": counts.not_yet,
                "present": counts.present,
                "recollected": counts.recollected,
                "not_checkable": counts.not_checkable,
                "not_done": counts.not_done,
            },
            "events": {
                "read": counts.events,
                "foreign": self.findings.foreign,
                "damaged": self.read.iter().map(|read| read.problems.count()).sum::<usize>(),
                "from": counts.from,
                "to": counts.to,
            },
            "found": found.collect::<Vec<_>>(),
            "sources": self.read.iter().map(source).collect::<Vec<_>>(),
        })
    }
}
