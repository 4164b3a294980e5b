//! Shows whether the people of deletions are gone, by hash and place, never by id.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::domain::{CheckedPeople, ExportWindow, ProjectName};
use crate::intake::EventsRead;
use crate::ui::drawing::json::time;
use crate::ui::drawing::paper::Paper;
use crate::ui::drawing::table::{Column, draw};
use crate::ui::drawing::view::View;
use crate::ui::drawing::words::{number, plural};
use crate::workflow::{ErasureFindings, FoundPerson, Remains, Searched};

use super::recollected::{people_table, source};

/// The result of looking for the people of deletions.
pub struct VerifyView<'a> {
    pub verified: Verified,
    pub project: &'a ProjectName,
    /// The deletions and their findings.
    pub checks: &'a [ErasureFindings<'a>],
    pub searched: &'a Searched,
    /// The days that Mixpanel was asked for; `None` if the events were in files.
    pub window: Option<ExportWindow>,
    /// The days that the files cover, as the operator says.
    pub covers: Option<ExportWindow>,
    /// Whether the hashes are the ones that other commands show.
    pub has_key: bool,
}

/// Which deletions were to be verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    One,
    /// All that were done in the last days, so many.
    Since(i64),
}

/// The results, as headings have them.
const RESULTS: [&str; 6] = [
    "PRESENT",
    "RE-COLLECTED",
    "NOT YET",
    "ABSENT",
    "NOT CHECKABLE",
    "NOT DONE",
];

fn results(counts: &CheckedPeople) -> [usize; 6] {
    [
        counts.present,
        counts.recollected,
        counts.not_yet,
        counts.absent,
        counts.not_checkable,
        counts.not_done,
    ]
}

fn sentences(counts: &CheckedPeople) -> Vec<String> {
    let meanings = [
        "present: events from before the deletion, undated events or a profile are there",
        "re-collected: events came after the deletion was sent",
        "not yet gone: events from before the deletion, which raw exports may show for 30 days after it; check again later",
        "absent: no event",
        "not checkable: no event, but some may be missing",
        "not checked: the deletion is not done",
    ];
    let kinds = results(counts).into_iter().zip(meanings);
    let kinds = kinds.filter(|(count, _)| *count > 0);
    kinds
        .map(|(count, what)| format!("{} {what}.", plural(count, "person is", "people are")))
        .collect()
}

fn profiles_sentence(counts: &CheckedPeople) -> String {
    let (with, without) = (counts.with_profile, counts.without_profile);
    if with + without == 0 {
        return "Profiles were not checked.".to_owned();
    }
    let not_asked = match counts.profile_not_asked() {
        0 => String::new(),
        count => format!(
            "; dsr does not know the ids of {}, and did not ask",
            plural(count, "person", "people")
        ),
    };
    format!(
        "Profiles: {} one, {} none{not_asked}.",
        plural(with, "person has", "people have"),
        plural(without, "has", "have"),
    )
}

/// What an earlier check found, and why this one does not settle it: the trail has counts only.
fn found_before(counts: &CheckedPeople) -> Option<String> {
    let found = counts.found_before?;
    let asked = match (
        counts.profile_not_asked(),
        counts.with_profile + counts.without_profile,
    ) {
        (0, _) => "it saw no event, so it may have asked another project".to_owned(),
        (_, 0) => "it asked for no profile".to_owned(),
        (_, asked) => format!(
            "it asked for the profiles of {} of {}",
            number(asked),
            plural(counts.done(), "person", "people")
        ),
    };
    Some(format!(
        "{} a profile on {}, and dsr does not keep whose. This check does not settle that: {asked}. Check again with `--ids FILE`, a list of everyone in the deletion.",
        plural(found.count, "person had", "people had"),
        found.at.date_naive()
    ))
}

/// What the days of the events do not show.
fn gaps(found: &ErasureFindings<'_>) -> Option<&'static str> {
    let counts = &found.counts;
    let (sent, done) = found.period?;
    let day = |at: DateTime<Utc>| at.date_naive();
    match (counts.from? <= day(sent), counts.to? >= day(done)) {
        (true, true) => None,
        (false, true) => {
            Some("No event is from before the deletion: this only shows who was collected again.")
        }
        (true, false) => {
            Some("No event is from after the deletion: this does not show who was collected again.")
        }
        (false, false) => {
            Some("No event is from before or after the deletion: this shows nothing.")
        }
    }
}

impl VerifyView<'_> {
    fn people(&self, people: &[FoundPerson<'_>], paper: &Paper) -> String {
        use Column::Text;
        let leading = [Text("HASH"), Text("RESULT"), Text("PROFILE")];
        let folds = ["NO TIME", "WHILE RUNNING", "LINE", "PROFILE"];
        let mut rows = people.iter().map(|person| {
            let result = match person.remains {
                Remains::Recollected => "re-collected".to_owned(),
                other => other.as_str().replace('_', " "),
            };
            let profile = match person.has_profile {
                Some(true) => "yes",
                Some(false) => "no",
                None => "-",
            };
            let hash = self.hash(person).unwrap_or_else(|| "-".to_owned());
            (vec![hash, result, profile.to_owned()], person.events)
        });
        people_table(&leading, &folds, &mut rows, paper)
    }

    fn hash(&self, person: &FoundPerson<'_>) -> Option<String> {
        self.has_key.then(|| person.hash.short())
    }

    fn one(&self, found: &ErasureFindings<'_>, paper: &Paper) -> String {
        let mut text = String::new();
        for line in sentences(&found.counts) {
            text.push_str(&paper.wrapped("", &line));
        }
        if found.spared.erased_later > 0 {
            let people = plural(found.spared.erased_later, "person was", "people were");
            let line = format!(
                "Of those whose deletion is not done, {people} erased by a later one: check that one."
            );
            text.push_str(&paper.wrapped("", &line));
        }
        if let Some(before) = found_before(&found.counts) {
            text.push_str(&paper.wrapped("", &before));
        }
        if let Some(gaps) = gaps(found) {
            text.push_str(&paper.wrapped("", gaps));
        }
        if !found.people.is_empty() {
            text.push('\n');
            text.push_str(&self.people(&found.people, paper));
        }
        let line = format!(
            "{} {} The ledger keeps the counts: `dsr report {}`.",
            self.checked(),
            profiles_sentence(&found.counts),
            found.request.id.short(),
        );
        text.push('\n');
        text.push_str(&paper.wrapped("", &line));
        text
    }

    fn several(&self, days: i64, paper: &Paper) -> String {
        use Column::{Number, Text};
        let days = plural(usize::try_from(days).unwrap_or(usize::MAX), "day", "days");
        let failed = self.checks.iter().filter(|found| found.period.is_none());
        let failed = match failed.count() {
            0 => String::new(),
            count => format!(
                " {} erased nobody: every job failed or was refused.",
                plural(count, "deletion", "deletions")
            ),
        };
        let done = self.checks.iter().filter(|found| found.period.is_some());
        let done = done.count();
        if done == 0 {
            let project = self.project;
            let line =
                format!("No deletion of project {project} was done in the last {days}.{failed}");
            return paper.wrapped("", &line);
        }
        let leading = [Text("REQUEST"), Text("DONE")].into_iter();
        let columns: Vec<Column> = leading.chain(RESULTS.map(Number)).collect();
        let columns = [
            &columns[..],
            &[Number("WITH PROFILE"), Number("NO PROFILE")],
        ]
        .concat();
        let folds = ["NO PROFILE", "WITH PROFILE", "NOT DONE", "NOT CHECKABLE"];
        let rows = self.checks.iter().map(|found| {
            let done = found.period.map(|(_, done)| done.date_naive().to_string());
            let counts = &found.counts;
            let mut row = vec![
                found.request.id.short().to_owned(),
                done.unwrap_or_else(|| "-".to_owned()),
            ];
            let [rest @ .., not_checkable, not_done] = results(counts);
            row.extend(rest.map(number));
            let rare = [
                not_checkable,
                not_done,
                counts.with_profile,
                counts.without_profile,
            ];
            row.extend(rare.map(|count| match count {
                0 => "-".to_owned(),
                count => number(count),
            }));
            row
        });
        let rows: Vec<Vec<String>> = rows.collect();
        let mut text = draw(&columns, &folds, &rows, paper);
        let has_people =
            |found: &&ErasureFindings<'_>| found.counts.present + found.counts.recollected > 0;
        let before = self.checks.iter().filter_map(|found| {
            let (id, before) = (found.request.id.short(), found_before(&found.counts)?);
            Some(format!("{id}: {before}"))
        });
        let before: Vec<String> = before.collect();
        let mut sum = CheckedPeople::default();
        for counts in self.checks.iter().map(|found| &found.counts) {
            sum.not_checkable += counts.not_checkable;
            sum.absent += counts.done() - counts.not_checkable;
            sum.with_profile += counts.with_profile;
            sum.without_profile += counts.without_profile;
        }
        let mut still = match self.checks.iter().filter(has_people).count() {
            0 if before.is_empty() => "Nobody was found present or re-collected".to_owned(),
            0 => "Nobody else was found present or re-collected".to_owned(),
            count => plural(
                count,
                "deletion has people who are present or re-collected",
                "deletions have people who are present or re-collected",
            ),
        };
        if sum.not_checkable > 0 {
            let people = plural(sum.not_checkable, "person is", "people are");
            still = format!("{still}, but {people} not checkable");
        }
        let line = format!(
            "{} done in the last {days}.{failed} {still}. {} {} Look at one deletion with `dsr verify REQUEST`. The ledger keeps the counts: `dsr report REQUEST`.",
            plural(done, "deletion was", "deletions were"),
            self.checked(),
            profiles_sentence(&sum),
        );
        text.push('\n');
        for line in before.iter().chain([&line]) {
            text.push_str(&paper.wrapped("", line));
        }
        text
    }

    /// Which events were looked through.
    fn checked(&self) -> String {
        let events = plural(self.searched.events, "event", "events");
        if let Some(ExportWindow { from, to }) = self.window {
            return format!(
                "Checked the {events} that Mixpanel has from {from} to {to}, and none of other days."
            );
        }
        let days = self.searched.days();
        let days = days.map(|(from, to)| format!(", from {from} to {to} (UTC)"));
        format!(
            "Checked {events} in {}{}.",
            plural(self.searched.read.len(), "file", "files"),
            days.unwrap_or_default()
        ) + &self
            .covers
            .map_or_else(String::new, |ExportWindow { from, to }| {
                format!(" You say that all events of {from} to {to} are there.")
            })
    }

    fn object(&self, found: &ErasureFindings<'_>) -> Value {
        let counts = &found.counts;
        let people = found.people.iter().map(|person| {
            let events = person.events;
            json!({
                "hash": self.hash(person),
                "result": person.remains.as_str(),
                "profile": person.has_profile,
                "events": events.map(|found| found.events),
                "first": events.map(|found| &found.first),
                "last_at": events.and_then(|found| found.last_at).map(time),
            })
        });
        json!({
            "request_id": found.request.id.as_str(),
            "sent_at": found.period.map(|(sent, _)| time(sent)),
            "done_at": found.period.map(|(_, done)| time(done)),
            "people": {
                "absent": counts.absent,
                "not_yet": counts.not_yet,
                "present": counts.present,
                "recollected": counts.recollected,
                "not_checkable": counts.not_checkable,
                "not_done": counts.not_done,
            },
            "profiles": {
                "with": counts.with_profile,
                "without": counts.without_profile,
                "not_asked": counts.profile_not_asked(),
                "found_before": counts.found_before,
            },
            "found": people.collect::<Vec<_>>(),
        })
    }
}

impl View for VerifyView<'_> {
    fn human(&self, paper: &Paper) -> String {
        match (self.verified, self.checks) {
            (Verified::One, [found]) => self.one(found, paper),
            (Verified::One, _) => String::new(),
            (Verified::Since(days), _) => self.several(days, paper),
        }
    }

    fn json(&self) -> Value {
        let searched = self.searched;
        let (from, to) = searched.days().unzip();
        let damaged = |read: &EventsRead| read.problems.count();
        let mut whole = json!({
            "project": self.project.as_str(),
            "window": self.window,
            "covers": self.covers,
            "events": {
                "read": searched.events,
                "foreign": searched.foreign,
                "damaged": searched.read.iter().map(damaged).sum::<usize>(),
                "from": from,
                "to": to,
            },
            "sources": searched.read.iter().map(source).collect::<Vec<_>>(),
        });
        let objects = self.checks.iter().map(|found| self.object(found));
        match self.verified {
            Verified::One => {
                for object in objects {
                    if let (Value::Object(whole), Value::Object(object)) = (&mut whole, object) {
                        whole.extend(object);
                    }
                }
            }
            Verified::Since(_) => whole["requests"] = objects.collect(),
        }
        whole
    }
}
