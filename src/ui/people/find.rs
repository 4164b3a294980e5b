//! Shows who was found in the ledger. Names people by place and hash, never by id.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::domain::{CarriedOut, Erasure, JobState, Kind, PersonHash};
use crate::ledger::{JobRecord, RequestRecord, StillSuppressed};
use crate::ui::drawing::json::time;
use crate::ui::drawing::paper::{Layout, Paper};
use crate::ui::drawing::table::{Column, draw, state_cell};
use crate::ui::drawing::view::View;
use crate::ui::drawing::words::{number, plural, printable};

const MAX_NAMED: usize = 20;

/// A person who was looked for.
#[derive(Debug)]
pub struct Sought {
    /// The source's name in messages; never an id.
    pub source: String,
    /// Which id on the command line, counted from 1.
    pub argument: Option<usize>,
    pub line: Option<u64>,
    pub element: Option<u64>,
    /// `None` without a key.
    pub hash: Option<PersonHash>,
    pub involved: Vec<Involvement>,
    /// Deletions of this person whose records were purged.
    pub suppressed: Vec<StillSuppressed>,
}

/// A job with this person.
#[derive(Debug, Clone)]
pub struct Involvement {
    pub request: Rc<RequestRecord>,
    pub job: Rc<JobRecord>,
    pub ended: Option<DateTime<Utc>>,
    /// Why it is unknown whether the job was carried out.
    pub doubt: Option<&'static str>,
}

/// Everybody who was looked for.
#[derive(Debug)]
pub struct FindView<'a> {
    pub people: &'a [Sought],
}

/// What happened to a person; the order is the most telling first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Erased,
    PossiblyErased,
    UnderWay,
    NotSent,
    Failed,
    Refused,
    Revoked,
    OnlyExported,
}

impl Fate {
    fn of_deletion(job: &JobRecord) -> Self {
        match (job.carried_out(), job.state) {
            (CarriedOut::Yes, _) => Self::Erased,
            (CarriedOut::Possibly, _) => Self::PossiblyErased,
            (CarriedOut::UnderWay, _) => Self::UnderWay,
            (CarriedOut::No, JobState::Failed) => Self::Failed,
            (CarriedOut::No, JobState::Refused) => Self::Refused,
            (CarriedOut::No, JobState::Revoked) => Self::Revoked,
            (CarriedOut::No, _) => Self::NotSent,
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Erased => "erased",
            Self::PossiblyErased => "possibly erased",
            Self::UnderWay => "not erased yet",
            Self::NotSent => "not sent",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Revoked => "revoked",
            Self::OnlyExported => "only in exports",
        }
    }
}

impl Sought {
    /// Whether the ledger knows this person.
    pub fn is_found(&self) -> bool {
        !self.involved.is_empty() || !self.suppressed.is_empty()
    }

    fn fate(&self) -> Option<Fate> {
        let deletions = self.involved.iter().filter(|found| {
            let operation = found.request.asked.operation;
            operation.kind() == Kind::Delete
        });
        let jobs = deletions.map(|found| Fate::of_deletion(&found.job));
        let purged = self.suppressed.iter().map(|found| match found.erasure {
            Erasure::Done => Fate::Erased,
            Erasure::Unknown => Fate::PossiblyErased,
            Erasure::UnderWay => Fate::UnderWay,
        });
        let exported = self.is_found().then_some(Fate::OnlyExported);
        jobs.chain(purged).min().or(exported)
    }

    fn verdict(&self) -> &'static str {
        self.fate().map_or("not found", Fate::label)
    }

    fn place(&self) -> String {
        match (self.argument, self.line, self.element) {
            (Some(argument), ..) => format!("id {argument} on the command line"),
            (None, _, Some(element)) => format!("{}, element {element}", self.source),
            (None, Some(line), None) => format!("{}, line {line}", self.source),
            (None, None, None) => self.source.clone(),
        }
    }

    /// Whether a job of theirs may have been carried out, unknown for this reason.
    fn is_possibly(&self, doubt: &str) -> bool {
        let mut involved = self.involved.iter();
        involved.any(|found| found.doubt == Some(doubt))
    }

    /// Whether Mixpanel may have made two tasks with their id.
    fn is_possible_duplicate(&self) -> bool {
        let mut jobs = self.involved.iter().map(|found| &found.job);
        jobs.any(|job| job.is_possible_duplicate())
    }

    fn short_hash(&self) -> String {
        let hash = self.hash.as_ref();
        hash.map_or_else(|| "-".to_owned(), PersonHash::short)
    }
}

impl FindView<'_> {
    fn count_found(&self) -> usize {
        let people = self.people.iter();
        people.filter(|sought| sought.is_found()).count()
    }

    /// Counts who is in requests and what happened: being in a request is not being erased.
    fn outcome_text(&self) -> String {
        let (all, found) = (self.people.len(), self.count_found());
        let of = plural(all, "person", "people");
        let mut text = match found {
            0 => format!("Found none of {of}"),
            found => format!("Found {} of {of}", number(found)),
        };
        if found > 0 {
            let mut counts = BTreeMap::from([(Fate::Erased, 0)]);
            let fates = self.people.iter().filter_map(Sought::fate);
            fates.for_each(|fate| *counts.entry(fate).or_default() += 1);
            let counts = counts.iter();
            let counts = counts.map(|(fate, count)| format!("{} {}", number(*count), fate.label()));
            text.push_str(&format!(": {}", counts.collect::<Vec<_>>().join(", ")));
        }
        text + "."
    }

    /// The places of the people who match, up to `MAX_NAMED`.
    fn places_text(&self, which: impl Fn(&Sought) -> bool) -> Option<String> {
        let meant = self.people.iter().filter(|one| which(one));
        let mut named: Vec<String> = meant.map(Sought::place).collect();
        let more = named.len().saturating_sub(MAX_NAMED);
        named.truncate(MAX_NAMED);
        if more > 0 {
            named.push(format!("and {} more", number(more)));
        }
        (!named.is_empty()).then(|| printable(&named.join("; ")))
    }
}

impl View for FindView<'_> {
    fn human(&self, paper: &Paper) -> String {
        let mut text = paper.wrapped("", &self.outcome_text());
        if let Some(missing) = self.places_text(|one| !one.is_found()) {
            text.push_str(&paper.wrapped("Not found: ", &missing));
        }
        let involved = self.people.iter().flat_map(|one| &one.involved);
        let doubts: BTreeSet<&str> = involved.filter_map(|found| found.doubt).collect();
        for doubt in doubts {
            if let Some(possibly) = self.places_text(|one| one.is_possibly(doubt)) {
                let line = format!("Possibly carried out ({doubt}): {possibly}");
                text.push_str(&paper.wrapped("", &line));
            }
        }
        if let Some(doubled) = self.places_text(Sought::is_possible_duplicate) {
            let label = "Possible duplicate (sent twice): ";
            text.push_str(&paper.wrapped(label, &doubled));
        }
        let people = self.people.iter();
        let rows: Vec<Vec<String>> = people.flat_map(|one| rows(one, paper.layout)).collect();
        if !rows.is_empty() {
            let columns = [
                "WHO",
                "VERDICT",
                "STATE",
                "KIND",
                "REQUEST",
                "ENDED",
                "SUBMITTED",
                "PROJECT",
                "HASH",
                "TASK",
            ];
            let folds = ["TASK", "HASH", "PROJECT", "SUBMITTED", "ENDED"];
            text.push('\n');
            text.push_str(&draw(&columns.map(Column::Text), &folds, &rows, paper));
            if paper.layout == Layout::Plain {
                text.push('\n');
            }
            text.push_str("Times are UTC.\n");
        }
        let purged = self.people.iter().flat_map(|sought| {
            let found = sought.suppressed.iter();
            found.map(|found| printable(&purged_text(sought, found)))
        });
        let purged: Vec<String> = purged.collect();
        if !purged.is_empty() {
            text.push_str("\nDeletions whose records were purged:\n");
            let lines = purged.iter();
            lines.for_each(|line| text.push_str(&paper.wrapped("- ", line.trim_end())));
        }
        text
    }

    fn json(&self) -> Value {
        let found = self.count_found();
        json!({
            "found": found,
            "not_found": self.people.len() - found,
            "people": self.people.iter().map(person).collect::<Vec<_>>(),
        })
    }
}

/// The person and the verdict once, then the jobs. A list names the person with each job.
fn rows(sought: &Sought, layout: Layout) -> Vec<Vec<String>> {
    let argument = sought.argument;
    let who = argument.map(|argument| format!("id {argument}"));
    let who = who.unwrap_or_else(|| printable(&sought.place()));
    let verdict = sought.verdict();
    let mut rows = Vec::new();
    for found in &sought.involved {
        let mut cells = match rows.is_empty() || layout == Layout::Plain {
            true => vec![who.clone(), verdict.to_owned()],
            false => vec![String::new(), String::new()],
        };
        cells.extend(job_cells(sought, found));
        rows.push(cells);
    }
    rows
}

fn job_cells(sought: &Sought, found: &Involvement) -> Vec<String> {
    let Involvement {
        request,
        job,
        ended,
        ..
    } = found;
    let dash = || "-".to_owned();
    let day = |time: Option<DateTime<Utc>>| {
        time.map_or_else(dash, |time| time.format("%Y-%m-%d %H:%M").to_string())
    };
    let operation = request.asked.operation;
    vec![
        state_cell(job.state),
        format!("{} {}", operation.kind().as_str(), operation.law().title()),
        request.id.short().to_owned(),
        day(*ended),
        day(job.submitted_at),
        request.asked.project.to_string(),
        sought.short_hash(),
        job.task
            .as_ref()
            .map_or_else(dash, |task| printable(task.as_str())),
    ]
}

fn person(sought: &Sought) -> Value {
    json!({
        "source": sought.source,
        "argument": sought.argument,
        "line": sought.line,
        "element": sought.element,
        "hash": sought.hash.as_ref().map(PersonHash::short),
        "found": sought.is_found(),
        "verdict": sought.verdict().replace(' ', "_"),
        "jobs": sought.involved.iter().map(involvement).collect::<Vec<_>>(),
        "purged": sought.suppressed.iter().map(purged).collect::<Vec<_>>(),
    })
}

fn purged(found: &StillSuppressed) -> Value {
    json!({
        "project": found.project.as_str(),
        "erasure": found.erasure,
        "begun_at": time(found.period.begun),
        "done_at": found.period.done.map(time),
    })
}

fn purged_text(sought: &Sought, found: &StillSuppressed) -> String {
    let day = |time: DateTime<Utc>| time.date_naive();
    let StillSuppressed {
        project,
        erasure,
        period,
        ..
    } = found;
    let how = match (erasure, period.done) {
        (Erasure::Done, Some(done)) => format!("erased, done {}", day(done)),
        (Erasure::Done, None) => "erased".to_owned(),
        (Erasure::UnderWay, _) => "deletion accepted, not reported as done".to_owned(),
        (Erasure::Unknown, _) => "possibly erased: the outcome is unknown".to_owned(),
    };
    let sent = day(period.begun);
    format!(
        "{}: project {project}, sent {sent}, {how}\n",
        sought.place()
    )
}

fn involvement(found: &Involvement) -> Value {
    let Involvement {
        request,
        job,
        ended,
        ..
    } = found;
    let operation = request.asked.operation;
    json!({
        "request_id": request.id.as_str(),
        "job_id": job.id.to_string(),
        "kind": operation.kind(),
        "law": operation.law(),
        "disclosure": operation.disclosure(),
        "project": request.asked.project.as_str(),
        "ref": request.asked.reference,
        "received": request.asked.received.to_string(),
        "created": time(request.created),
        "state": job.state,
        "carried_out": job.carried_out().as_str(),
        "task_id": job.task.as_ref().map(|task| task.as_str()),
        "linked": job.is_linked,
        "possible_duplicate": job.is_possible_duplicate(),
        "mixpanel_status": job.mixpanel_status,
        "submitted_at": job.submitted_at.map(time),
        "ended_at": ended.map(time),
    })
}
