use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::domain::DistinctIdError;

use super::lines::MAX_LINE_BYTES;
use super::near::NearIds;
use super::program::Program;
use super::rule::Look;
use super::warning::Warnings;

/// How many problems are kept; the rest are counted.
const KEPT: usize = 50;

/// Why nothing of a source can be used.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    #[error("cannot read `{path}`")]
    Open { path: PathBuf, source: io::Error },
    #[error("cannot read {label} to its end")]
    Read { label: String, source: io::Error },
    #[error("cannot unpack {label} to its end: it is cut off or damaged")]
    Unpack { label: String, source: io::Error },
    #[error("`{path}` is a folder{}", in_folder(*readable))]
    Folder {
        path: PathBuf,
        /// How many files in it have an extension of a kind that can be read.
        readable: usize,
        /// The commonest of those extensions.
        extension: Option<String>,
    },
    #[error("{label} is {what}, not text")]
    NotText { label: String, what: &'static str },
    #[error("cannot read {label} as a spreadsheet: {fault}")]
    Workbook { label: String, fault: &'static str },
    #[error("{label} has several sheets: {}", in_backticks(sheets))]
    SeveralSheets { label: String, sheets: Vec<String> },
    #[error("{label} is in {encoding}, which cannot be read")]
    UnreadableEncoding {
        label: String,
        encoding: &'static str,
    },
    #[error("{label} looks like {encoding} and has no byte order mark that says so")]
    UnmarkedEncoding {
        label: String,
        encoding: &'static str,
    },
    #[error(
        "{label} has no known header: its first line is neither `distinct_id` nor another known name"
    )]
    NoHeader {
        label: String,
        /// Whether the first line may be an id.
        may_be_id: bool,
    },
    #[error("the first line of {label} has an id in that column, not a heading")]
    IdInHeading { label: String },
    #[error("{label} has {count} columns with the name `{column}`")]
    RepeatedColumn {
        label: String,
        column: String,
        count: usize,
    },
    #[error("{label}, line {line}: {program}")]
    Drawn {
        label: String,
        line: usize,
        program: Program,
    },
    #[error("{label} has {count} columns, and none has a known name such as `distinct_id`")]
    NoKnownColumn { label: String, count: usize },
    #[error("{label} has several columns that could hold the ids: {}", columns.join(", "))]
    SeveralColumns { label: String, columns: Vec<String> },
    #[error("{label} has no column `{column}`")]
    MissingColumn { label: String, column: String },
    #[error("{label} has {count} columns and no header")]
    WhichColumn { label: String, count: usize },
    #[error("{label} may be a list of ids or a table: its first line could be either")]
    ListOrTable { label: String },
    #[error("{label} is to be read as a list of ids, and its first line is a heading")]
    HeadingInList { label: String },
    #[error("the first object of {label} has no key of a known name such as `distinct_id`")]
    NoKnownKey { label: String },
    #[error("the objects of {label} have several keys that could hold the ids: {}", keys.join(", "))]
    SeveralKeys { label: String, keys: Vec<String> },
    #[error("the first object of {label} has no key `{key}`")]
    MissingKey { label: String, key: String },
    #[error("{problems}")]
    Damaged {
        problems: Problems,
        /// What looks suspicious beside what is damaged.
        warnings: Warnings,
    },
    #[error("{0}")]
    NearHeld(NearIds),
    #[error("there is no id in {label}")]
    NoIds { label: String },
    #[error("{label} holds no events: neither JSON objects nor a table with a heading")]
    NoEvents { label: String },
    #[error("no event in {label} names anybody: none has `distinct_id` or another known name")]
    Nameless { label: String },
    #[error("each id in {label} is excluded by {by}")]
    AllExcluded { label: String, by: String },
    #[error("there are more than {} values in the sources", u32::MAX)]
    TooMany,
    #[error("the ids could not be kept until they are in the ledger")]
    Spool(#[source] io::Error),
}

fn in_backticks(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

fn in_folder(readable: usize) -> String {
    match readable {
        0 => ", and no file in it has an extension that dsr knows".to_owned(),
        1 => " with one file that dsr may read".to_owned(),
        count => format!(" with {count} files that dsr may read"),
    }
}

/// What is wrong with one value or line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    Id(DistinctIdError),
    NotUtf8,
    /// Outer characters that nobody sees, and that are no white space.
    OuterInvisible,
    /// It is not an id, and looks like something else.
    Look(Look),
    /// Not as the operator expects all ids to be.
    Pattern,
    HashedDevice,
    /// The line as such.
    Line(LineDamage),
}

/// Why no value can be taken from a line or an element, whatever the value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LineDamage {
    #[error("{found} fields where the first line has {expected}")]
    Ragged { expected: usize, found: usize },
    #[error("a quote is opened and never closed")]
    OpenQuote,
    #[error("text follows a closing quote; a quote inside quotes must be doubled")]
    TextAfterQuote,
    #[error("it is longer than {} MiB; a line end or a closing quote may be missing", MAX_LINE_BYTES >> 20)]
    TooLong,
    #[error("the line holds a NUL")]
    Nul,
    #[error("the line is not valid {encoding}")]
    Undecodable { encoding: &'static str },
    #[error("a byte order mark stands inside the text; files may have been joined")]
    InnerMark,
    #[error("the heading is repeated; files may have been joined")]
    RepeatedHeading,
    #[error("it is not valid JSON at column {column}")]
    BrokenJson { column: usize },
    #[error("the id holds an escape that stands for no character")]
    BadEscape,
    #[error("its JSON ends too early: the end may be missing")]
    UnfinishedJson,
    #[error("the list is not closed; the end may be missing")]
    UnfinishedList,
    #[error("text follows the end of the list")]
    TextAfterList,
    #[error("a key occurs twice in the object")]
    RepeatedKey,
    #[error("the object has no id: its key is missing")]
    NoKey,
    #[error("it is no event: no JSON object")]
    NoEvent,
    #[error("objects and bare values are mixed")]
    Mixed,
    #[error("the id is {0}, not a text or a whole number")]
    NotAnId(&'static str),
}

/// What the operator can do about problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Say what becomes of white space around the ids.
    Trim,
    /// Correct the file or the pattern.
    Pattern,
    /// Name the encoding, or correct the file.
    Encoding,
    /// Have the program write a bare list.
    Program(Program),
    /// Say that the one value on the first line is a heading.
    Title,
    /// Let the heading be one.
    Heading,
    /// Correct the file, or name the values that are ids all the same.
    Allow,
    /// Correct the file.
    Correct,
}

impl From<DistinctIdError> for Damage {
    fn from(error: DistinctIdError) -> Self {
        Self::Id(error)
    }
}

impl Damage {
    /// Whether the operator may know better, for one value.
    fn is_arguable(self) -> bool {
        match self {
            Self::Id(DistinctIdError::Forbidden | DistinctIdError::OuterWhiteSpace) => true,
            Self::Id(
                DistinctIdError::Empty | DistinctIdError::TooLong | DistinctIdError::LineBreak,
            ) => false,
            Self::OuterInvisible | Self::Look(_) | Self::Pattern | Self::HashedDevice => true,
            Self::NotUtf8 | Self::Line(_) => false,
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(DistinctIdError::LineBreak) => f.write_str(
                "the id holds a line break or a NUL; a quote may have been left open above it",
            ),
            Self::Id(error) => error.fmt(f),
            Self::NotUtf8 => f.write_str("the id is not valid UTF-8"),
            Self::OuterInvisible => f.write_str("the id begins or ends with an invisible character"),
            Self::Pattern => f.write_str("the id does not match `--expect-pattern`"),
            Self::HashedDevice => f.write_str("the id is a device's (`$device:`), which Mixpanel knows as it is: its hash is nobody's"),
            Self::Look(look) => look.fmt(f),
            Self::Line(damage) => damage.fmt(f),
        }
    }
}

/// Where a value stands. Lines and elements are counted from 1.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// What messages call the source; never an id.
    pub label: &'a str,
    pub line: Option<u64>,
    /// Which element of a JSON array it is: such a file may be one line.
    pub element: Option<u64>,
}

impl Place<'_> {
    pub(super) fn argument() -> Self {
        Self {
            label: "the id on the command line",
            line: None,
            element: None,
        }
    }
}

/// One damaged value or line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub label: String,
    pub line: Option<u64>,
    pub element: Option<u64>,
    pub damage: Damage,
}

/// All that is wrong with the sources, in their order.
#[derive(Debug, Default)]
pub struct Problems {
    kept: Vec<Problem>,
    count: usize,
}

impl Problems {
    pub(super) fn note(&mut self, place: Place<'_>, damage: Damage) {
        self.count += 1;
        if self.kept.len() < KEPT {
            self.kept.push(Problem {
                label: place.label.to_owned(),
                line: place.line,
                element: place.element,
                damage,
            });
        }
    }

    pub(super) fn note_line(&mut self, place: Place<'_>, damage: LineDamage) {
        self.note(place, Damage::Line(damage));
    }

    pub(super) fn extend(&mut self, other: Self) {
        let hidden = other.count - other.kept.len();
        self.count += hidden;
        for problem in other.kept {
            self.count += 1;
            if self.kept.len() < KEPT {
                self.kept.push(problem);
            }
        }
    }

    /// The warnings, if nothing is damaged.
    pub(super) fn into_result(mut self, warnings: Warnings) -> Result<Warnings, IntakeError> {
        if self.count == 0 {
            return Ok(warnings);
        }
        self.kept
            .sort_by(|a, b| (&a.label, a.line, a.element).cmp(&(&b.label, b.line, b.element)));
        let problems = self;
        Err(IntakeError::Damaged { problems, warnings })
    }

    /// What may help, as far as all the problems that are listed have it in common.
    pub fn remedy(&self) -> Remedy {
        let all = |is: fn(&Damage) -> bool| self.kept.iter().all(|problem| is(&problem.damage));
        let looks = || {
            self.kept.iter().filter_map(|problem| match problem.damage {
                Damage::Look(look) => Some(look),
                _ => None,
            })
        };
        let programs = || {
            looks().filter_map(|look| match look {
                Look::Program(program) => Some(program),
                _ => None,
            })
        };
        let named = programs().find(|program| *program != Program::Table);
        let is_title = |problem: &Problem| {
            problem.line == Some(1) && problem.damage == Damage::Look(Look::WhiteSpace)
        };
        let is_outer = |damage: &Damage| {
            let outer = Damage::Id(DistinctIdError::OuterWhiteSpace);
            *damage == outer || *damage == Damage::OuterInvisible
        };
        let is_undecodable =
            |damage: &Damage| matches!(damage, Damage::Line(LineDamage::Undecodable { .. }));
        let any = |is: fn(&Damage) -> bool| self.kept.iter().any(|problem| is(&problem.damage));
        if all(is_outer) {
            Remedy::Trim
        } else if all(|damage| *damage == Damage::Pattern) {
            Remedy::Pattern
        } else if any(is_undecodable) {
            Remedy::Encoding
        } else if let Some(program) = named.or_else(|| programs().next()) {
            Remedy::Program(program)
        } else if matches!(self.kept.as_slice(), [problem] if is_title(problem)) {
            Remedy::Title
        } else if looks().next() == Some(Look::Ruler) {
            Remedy::Program(Program::Table)
        } else if all(|damage| *damage == Damage::Look(Look::Heading)) {
            Remedy::Heading
        } else if any(|damage| damage.is_arguable()) {
            Remedy::Allow
        } else {
            Remedy::Correct
        }
    }

    /// The first of them.
    pub fn kept(&self) -> &[Problem] {
        &self.kept
    }

    /// How many there are, the ones that were not kept included.
    pub fn count(&self) -> usize {
        self.count
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.count == 1 {
            "value is"
        } else {
            "values are"
        };
        write!(f, "{} {plural} damaged", self.count)?;
        for problem in &self.kept {
            write!(f, "\n  {}", problem.label)?;
            if let Some(line) = problem.line {
                write!(f, ", line {line}")?;
            }
            if let Some(element) = problem.element {
                write!(f, ", element {element}")?;
            }
            write!(f, ": {}", problem.damage)?;
        }
        if self.count > self.kept.len() {
            write!(f, "\n  and {} more", self.count - self.kept.len())?;
        }
        Ok(())
    }
}
