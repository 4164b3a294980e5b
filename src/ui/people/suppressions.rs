//! Writes the suppression list for servers. Reads people while it writes: there may be millions.

use std::cell::RefCell;
use std::io::{self, Write};

use chrono::{DateTime, Utc};
use serde::ser::{Error as _, SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::domain::{Erasure, ProjectName};
use crate::ledger::{Erased, ErasedJob, LedgerError, NotErased};
use crate::ui::console::{OutputFormat, Ui};
use crate::ui::drawing::json::SCHEMA;
use crate::ui::drawing::json::{self as lines, time};
use crate::ui::drawing::paper::Paper;
use crate::ui::drawing::view::View;
use crate::ui::drawing::words::{number, plural, printable};
use crate::ui::failures::print::PrintError;
use crate::workflow::{HashShare, HeldIds, Suppressed};

/// The format of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListFormat {
    /// A hash a line; facts follow `#`. Has no ids: nobody could tell them from hashes.
    Text,
    /// A table whose rows name their key. Has no ids: one that looks like a formula to a
    /// spreadsheet would have to be changed.
    Csv,
    /// JSON lines: one person each, with facts about the list in the first and last line.
    JsonLines,
}

/// A list, with the facts about it.
pub struct SuppressionList<'a> {
    pub erased: &'a Erased<'a>,
    /// The fingerprint of the ledger key.
    pub key: String,
    pub made: DateTime<Utc>,
    pub since: Option<DateTime<Utc>>,
    pub projects: Vec<ProjectName>,
    pub ids: HeldIds,
    pub not_listed: Vec<NotErased>,
}

/// How many people are on a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ListCounts {
    /// One entry for each person in each project.
    #[serde(rename = "people")]
    pub entries: usize,
    pub done: usize,
    pub under_way: usize,
    pub unknown: usize,
    /// Unknown entries whose jobs the operator abandoned.
    #[serde(skip)]
    pub given_up: usize,
    /// Entries with an id beside the hash.
    pub with_ids: usize,
}

impl ListCounts {
    fn add(&mut self, job: &ErasedJob, person: &Suppressed) {
        let erasure = job.erasure;
        self.entries += 1;
        self.given_up += usize::from(erasure == Erasure::Unknown && job.is_given_up);
        *match erasure {
            Erasure::Done => &mut self.done,
            Erasure::UnderWay => &mut self.under_way,
            Erasure::Unknown => &mut self.unknown,
        } += 1;
        self.with_ids += usize::from(person.id.is_some());
    }
}

impl SuppressionList<'_> {
    /// Calls back for each person, in the order of the hashes.
    fn each(
        &self,
        hear: &mut dyn FnMut(&Suppressed, &ProjectName, Erasure) -> io::Result<()>,
    ) -> Result<ListCounts, PrintError> {
        let mut counts = ListCounts::default();
        for part in HashShare::all_of(self.erased) {
            for person in part.read(self.erased, self.ids)? {
                let job = &self.erased.jobs()[person.job as usize];
                counts.add(job, &person);
                hear(&person, &job.project, job.erasure)?;
            }
        }
        Ok(counts)
    }

    /// Whether any entry has an id.
    pub fn has_ids(&self) -> Result<bool, LedgerError> {
        for part in HashShare::all_of(self.erased) {
            let people = part.read(self.erased, self.ids)?;
            if people.iter().any(|person| person.id.is_some()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Writes the list in this format.
    pub fn write(&self, format: ListFormat, out: &mut dyn Write) -> Result<ListCounts, PrintError> {
        match format {
            ListFormat::Text => self.write_text(out),
            ListFormat::Csv => self.write_csv(out),
            ListFormat::JsonLines => self.write_json_lines(out),
        }
    }

    fn write_text(&self, out: &mut dyn Write) -> Result<ListCounts, PrintError> {
        // The documented programs refuse a list without this line, such as a list of plain ids.
        writeln!(out, "# dsr suppressions: format 1")?;
        writeln!(out, "# key: {}", self.key)?;
        writeln!(out, "# made: {}", time(self.made))?;
        writeln!(out, "# projects: {}", self.project_names().join(", "))?;
        if let Some(since) = self.since {
            writeln!(out, "# since: {}", time(since))?;
        }
        let (mut people, mut last) = (0, None);
        let counts = self.each(&mut |person, _, _| {
            // A person in two projects has one line.
            if last.replace(person.hash) == Some(person.hash) {
                return Ok(());
            }
            people += 1;
            writeln!(out, "{}", person.hash.hex())
        })?;
        // At the end, so that a list without it is known to be cut off.
        writeln!(out, "# people: {people}")?;
        Ok(counts)
    }

    fn write_csv(&self, out: &mut dyn Write) -> Result<ListCounts, PrintError> {
        writeln!(out, "person_hash,project,erasure,key")?;
        self.each(&mut |person, project, erasure| {
            let (hash, erasure) = (person.hash.hex(), erasure.as_str());
            writeln!(out, "{hash},{project},{erasure},{}", self.key)
        })
    }

    fn write_json_lines(&self, out: &mut dyn Write) -> Result<ListCounts, PrintError> {
        let mut object = |value: &Value| -> io::Result<()> {
            lines::write(&mut *out, value)?;
            writeln!(out)
        };
        object(&json!({ "schema": SCHEMA, "suppressions": self.head() }))?;
        let counts =
            self.each(&mut |person, project, erasure| object(&entry(person, project, erasure)))?;
        object(&json!({ "schema": SCHEMA, "end": self.end(counts) }))?;
        Ok(counts)
    }

    /// The facts known before anybody is read.
    fn head(&self) -> Value {
        json!({
            "made_at": time(self.made),
            "key": self.key,
            "projects": self.project_names(),
            "since": self.since.map(time),
        })
    }

    fn end(&self, counts: ListCounts) -> Value {
        let not_listed = self.not_listed.iter();
        let states = not_listed.map(|left| (left.state.as_str().to_owned(), left.people.into()));
        json!({
            "counts": counts,
            "not_listed_ids": states.collect::<Map<_, _>>(),
        })
    }

    fn project_names(&self) -> Vec<&str> {
        self.projects.iter().map(ProjectName::as_str).collect()
    }
}

fn entry(person: &Suppressed, project: &ProjectName, erasure: Erasure) -> Value {
    let mut object = json!({
        "person_hash": person.hash.hex(),
        "project": project.as_str(),
        "erasure": erasure,
    });
    if let Some(id) = &person.id {
        object["distinct_id"] = Value::from(&**id);
    }
    object
}

impl Ui {
    /// Writes a list as the result: with `--json` as one object, else in `format`. A reader that
    /// went away is not an error.
    pub fn print_suppressions(
        &self,
        list: &SuppressionList<'_>,
        format: ListFormat,
    ) -> Result<ListCounts, PrintError> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        let written = match self.format() {
            OutputFormat::Json => self.write_suppressions_object(list, &mut out),
            OutputFormat::Human => list.write(format, &mut out),
        };
        let flushed = written.and_then(|counts| {
            out.flush()?;
            Ok(counts)
        });
        match flushed {
            Err(PrintError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                Ok(ListCounts::default())
            }
            other => other,
        }
    }

    fn write_suppressions_object(
        &self,
        list: &SuppressionList<'_>,
        out: &mut impl Write,
    ) -> Result<ListCounts, PrintError> {
        let document = SuppressionsDocument {
            people: PeopleRows {
                list,
                came_to: RefCell::new(None),
            },
            warnings: self.warnings.take(),
        };
        let written = lines::write(&mut *out, &document);
        match document.people.came_to.take() {
            Some(Ok(counts)) => {
                written?;
                writeln!(out)?;
                Ok(counts)
            }
            Some(Err(error)) => Err(error.into()),
            None => Err(written
                .err()
                .unwrap_or_else(|| io::ErrorKind::Other.into())
                .into()),
        }
    }
}

struct SuppressionsDocument<'a> {
    people: PeopleRows<'a>,
    warnings: Vec<Value>,
}

/// Serializes people while reading them, and keeps the counts or the error.
struct PeopleRows<'a> {
    list: &'a SuppressionList<'a>,
    came_to: RefCell<Option<Result<ListCounts, LedgerError>>>,
}

impl Serialize for SuppressionsDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let list = self.people.list;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema", &SCHEMA)?;
        map.serialize_entry("suppressions", &list.head())?;
        map.serialize_entry("people", &self.people)?;
        if let Some(Ok(counts)) = &*self.people.came_to.borrow() {
            map.serialize_entry("end", &list.end(*counts))?;
        }
        if !self.warnings.is_empty() {
            map.serialize_entry("warnings", &self.warnings)?;
        }
        map.end()
    }
}

impl Serialize for PeopleRows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut people = serializer.serialize_seq(None)?;
        let mut refused = None;
        let read = self.list.each(&mut |person, project, erasure| {
            let added = people.serialize_element(&entry(person, project, erasure));
            added.map_err(|error| {
                refused = Some(error);
                io::ErrorKind::Other.into()
            })
        });
        match (read, refused) {
            (_, Some(error)) => return Err(error),
            (Ok(counts), None) => drop(self.came_to.replace(Some(Ok(counts)))),
            (Err(PrintError::Ledger(error)), None) => {
                let message = S::Error::custom(&error);
                self.came_to.replace(Some(Err(error)));
                return Err(message);
            }
            (Err(PrintError::Io(error)), None) => return Err(S::Error::custom(error)),
        }
        people.end()
    }
}

/// A list that was written to a file.
pub struct ListWrittenView<'a> {
    pub list: &'a SuppressionList<'a>,
    pub counts: ListCounts,
    pub file: String,
}

impl View for ListWrittenView<'_> {
    fn human(&self, paper: &Paper) -> String {
        let people = plural(self.counts.entries, "person", "people");
        let kinds = self.by_erasure();
        let text = format!(
            "The list of {people} is in `{}`{kinds}.",
            printable(&self.file)
        );
        let key = format!("It was made with the ledger key {}.", self.list.key);
        [text, key].map(|text| paper.wrapped("", &text)).concat()
    }

    fn json(&self) -> Value {
        json!({
            "file": self.file,
            "suppressions": self.list.head(),
            "end": self.list.end(self.counts),
        })
    }
}

impl ListWrittenView<'_> {
    /// `: 3 erased, 1 accepted but not done`
    fn by_erasure(&self) -> String {
        let ListCounts {
            done,
            under_way,
            unknown,
            ..
        } = self.counts;
        let kinds = [
            (done, "erased"),
            (under_way, "accepted but not done"),
            (unknown, "unknown"),
        ];
        let kinds = kinds.into_iter().filter(|(count, _)| *count > 0);
        let kinds: Vec<String> = kinds
            .map(|(count, kind)| format!("{} {kind}", number(count)))
            .collect();
        match kinds.is_empty() {
            true => String::new(),
            false => format!(": {}", kinds.join(", ")),
        }
    }
}
