//! Shows an import: what would be sent, and what became of it. Names lines, never an event.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::config::Mode;
use crate::domain::{BatchState, Project, RequestId};
use crate::intake::ImportFile;
use crate::ledger::IngestionRecord;
use crate::ui::drawing::json::time;
use crate::ui::drawing::paper::Paper;
use crate::ui::drawing::view::View;
use crate::ui::drawing::words::{number, plural, printable};

/// How many lines are named on the screen for one field.
const NAMED: usize = 10;

/// An import, or the plan of one.
pub struct ImportView<'a> {
    pub project: &'a Project,
    pub file: &'a ImportFile,
    pub after: Option<&'a RequestId>,
    /// In how many calls the file would go out.
    pub batches: usize,
    /// `None` before it is recorded.
    pub ingestion: Option<&'a IngestionRecord>,
    pub refused_file: Option<&'a Path>,
}

impl ImportView<'_> {
    /// What the operator must read before confirming it.
    pub fn question(&self, mode: &Mode) -> String {
        let mut text = format!(
            "This imports {} into project {} ({}), in {}.\n",
            self.events(),
            self.project.name,
            self.project.region.as_str(),
            plural(self.batches, "batch", "batches"),
        );
        if let Some(begun) = self.ingestion {
            text.push_str(&format!(
                "The import began on {}: {} of {} are done.\n",
                begun.created.date_naive(),
                number(begun.count_in(BatchState::Done)),
                plural(begun.batches.len(), "batch", "batches"),
            ));
        }
        text.push_str(&match self.after {
            Some(deletion) => format!("Deletion {} is done.\n", deletion.short()),
            None => "No deletion is named (`--after`): one that still runs also erases imported events with its ids.\n".to_owned(),
        });
        text.push_str(match mode {
            Mode::Sandbox { .. } => "It is the sandbox: nothing real is imported.",
            Mode::Real => "Mixpanel may bill imported events. Only a deletion takes them back.",
        });
        text
    }

    /// For example `2,345 events of 31 days (2026-09-01 to 2026-10-14)`.
    fn events(&self) -> String {
        let (first, last) = self.file.days;
        let days = match self.file.day_count {
            1 => format!("1 day ({first})"),
            count => format!("{} days ({first} to {last})", number(count)),
        };
        format!("{} of {days}", plural(self.file.count(), "event", "events"))
    }

    /// The lines that Mixpanel refused, from 1, by the field that is wrong.
    fn refused(&self) -> BTreeMap<&'static str, Vec<usize>> {
        let mut refused: BTreeMap<&'static str, Vec<usize>> = BTreeMap::new();
        for (place, field) in self
            .ingestion
            .into_iter()
            .flat_map(IngestionRecord::refused)
        {
            refused.entry(field.as_str()).or_default().push(place + 1);
        }
        refused
    }

    fn count_in(&self, state: BatchState) -> usize {
        match self.ingestion {
            Some(ingestion) => ingestion.count_in(state),
            None if state == BatchState::Planned => self.batches,
            None => 0,
        }
    }

    /// For example `3 done, 1 unknown`.
    fn batches_text(&self) -> String {
        let counts = BatchState::ALL.map(|state| (self.count_in(state), state.as_str()));
        let counts = counts.into_iter().filter(|(count, _)| *count > 0);
        let counts: Vec<String> = counts
            .map(|(count, state)| format!("{} {state}", number(count)))
            .collect();
        counts.join(", ")
    }
}

impl View for ImportView<'_> {
    fn human(&self, paper: &Paper) -> String {
        let mut facts = paper.facts(0, 8);
        if let Some(ingestion) = self.ingestion {
            facts.add("Import", ingestion.id.as_str());
        }
        facts.add("File", &printable(&self.file.label()));
        facts.add("Events", &self.events());
        facts.add("Project", self.project.name.as_str());
        if let Some(deletion) = self.after {
            facts.add("After", &format!("deletion {deletion}, which is done"));
        }
        facts.add("Batches", &self.batches_text());
        let Some(ingestion) = self.ingestion else {
            facts.add("Sent", "nothing");
            return facts.into_text();
        };
        let taken = plural(ingestion.taken(), "event", "events");
        facts.add("Imported", &taken);
        for (field, lines) in self.refused() {
            let named: Vec<String> = lines.iter().take(NAMED).map(usize::to_string).collect();
            let more = match lines.len() - named.len() {
                0 => String::new(),
                more => format!(" and {} more", number(more)),
            };
            facts.add(
                "Refused",
                &format!(
                    "{} for `{field}` (lines {}{more})",
                    plural(lines.len(), "event", "events"),
                    named.join(", ")
                ),
            );
        }
        if let Some(path) = self.refused_file {
            facts.add_below("File", &printable(&path.display().to_string()));
        }
        facts.into_text()
    }

    fn json(&self) -> Value {
        let (first, last) = self.file.days;
        let ingestion = self.ingestion;
        let state = match ingestion {
            None => "planned",
            Some(ingestion) if ingestion.is_done() => "done",
            Some(_) => "open",
        };
        let mut batches = json!({ "total": ingestion.map_or(self.batches, |i| i.batches.len()) });
        for state in BatchState::ALL {
            batches[state.as_str()] = self.count_in(state).into();
        }
        let refused = self.refused();
        let by_line = refused.iter();
        let by_line =
            by_line.flat_map(|(field, lines)| lines.iter().map(move |line| (line, field)));
        let by_line: BTreeMap<_, _> = by_line.collect();
        let by_line = by_line.into_iter();
        let by_line = by_line.map(|(line, field)| json!({ "line": line, "field": field }));
        json!({ "import": {
            "id": ingestion.map(|ingestion| ingestion.id.as_str()),
            "state": state,
            "project": self.project.name.as_str(),
            "after": self.after.map(RequestId::as_str),
            "source": self.file.label(),
            "sha256": self.file.sha256,
            "created": ingestion.map(|ingestion| time(ingestion.created)),
            "by": ingestion.map(|ingestion| ingestion.by.as_str()),
            "events": self.file.count(),
            "people": self.file.people.len(),
            "repeated": self.file.repeated.count,
            "days": {
                "first": first.to_string(),
                "last": last.to_string(),
                "count": self.file.day_count,
            },
            "batches": batches,
            "imported": ingestion.map_or(0, IngestionRecord::taken),
            "refused": by_line.collect::<Vec<_>>(),
            "refused_file": self.refused_file.map(|path| path.display().to_string()),
        } })
    }
}
