//! Why sources cannot be used: all their problems, and what may help.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::damage::Damage;
use super::judge::look::Look;
use super::near::NearIds;
use super::place::{At, Place};
use super::warning::Warnings;

/// How many problems are kept; the rest are counted.
const KEPT: usize = 50;

/// Why intake failed.
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
        /// How many files in the folder have an extension that dsr reads.
        readable: usize,
        /// The most common of those extensions.
        extension: Option<String>,
    },
    #[error("{label}{fault}")]
    Source { label: String, fault: Fault },
    #[error("{problems}")]
    Damaged {
        problems: Problems,
        warnings: Warnings,
    },
    #[error("{0}")]
    NearHeld(NearIds),
    #[error("there is no {what} in {label}")]
    NoIds { label: String, what: &'static str },
    #[error("each id in {label} is excluded by {by}")]
    AllExcluded { label: String, by: String },
    #[error("there are more than {} values in the sources", u32::MAX)]
    TooMany,
    #[error("cannot store the ids until they are in the ledger")]
    Spool(#[source] io::Error),
}

/// Why a source cannot be read; the text follows the source's name.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error(" cannot be read to its end")]
    Io(#[from] io::Error),
    #[error(" is {0}, not text")]
    NotText(&'static str),
    #[error(" cannot be read as a spreadsheet: {0}")]
    Workbook(&'static str),
    #[error(" has several sheets: {}", in_backticks(.0))]
    SeveralSheets(Vec<String>),
    #[error(" is in {0}, which cannot be read")]
    UnreadableEncoding(&'static str),
    #[error(" looks like {0}, but has no byte order mark")]
    UnmarkedEncoding(&'static str),
    #[error(" has no known header: its first line is neither `{sought}` nor another known name")]
    NoHeader {
        /// Whether the first line may be an id.
        may_be_id: bool,
        sought: String,
    },
    #[error(" has an id in that column on its first line, not a heading")]
    IdInHeading,
    #[error(" has {count} columns with the name `{column}`")]
    RepeatedColumn { column: String, count: usize },
    #[error(", line {line}: {look}")]
    Drawn { line: usize, look: Look },
    #[error(" has {count} columns, and none has a known name such as `{sought}`")]
    NoKnownColumn {
        count: usize,
        sought: String,
        /// A column whose name says that it has e-mail addresses.
        email: Option<String>,
    },
    #[error(" has several columns that could hold the ids: {}", in_backticks(.0))]
    SeveralColumns(Vec<String>),
    #[error(" has several columns for one field: {}", in_backticks(.0))]
    RivalColumns(Vec<String>),
    #[error(" has no column `{column}`{}", those_there_are(.known))]
    MissingColumn {
        column: String,
        /// The existing names; empty unless the first row is certainly a heading.
        known: Vec<String>,
    },
    #[error(" has {count} columns and no header")]
    WhichColumn { count: usize },
    #[error(" may be a list of ids or a table: its first line could be either")]
    ListOrTable,
    #[error(" is read as a list of ids, but its first line is a heading")]
    HeadingInList,
    #[error(" has no known key such as `{0}` in its first object")]
    NoKnownKey(String),
    #[error(" has several keys that could hold the ids: {}", in_backticks(.0))]
    SeveralKeys(Vec<String>),
    #[error(" has no key `{0}` in its first object")]
    MissingKey(String),
    #[error(" holds no {0} in a form that dsr reads here")]
    NoRecords(&'static str),
    #[error(" {}", shown_of(*read, *total))]
    OtherPages { read: u64, total: Option<u64> },
    #[error(" has no profile with the property `{0}`")]
    NoProperty(String),
    #[error(
        " has neither `resolved_distinct_id` nor `$distinct_ids`: it says nothing about who has several ids"
    )]
    NoIdentities,
    #[error(" can be read only once, and `--identities` needs several passes")]
    ReadOnce,
    #[error(" is a list of ids, not of events: an event has a person and a time")]
    OnlyIds,
    #[error(" has no event that names a person: none has `distinct_id` or another known name")]
    Nameless,
}

impl Fault {
    pub(super) fn of(self, label: String) -> IntakeError {
        IntakeError::Source { label, fault: self }
    }
}

/// How many columns a message names.
const NAMED: usize = 5;

fn shown_of(read: u64, total: Option<u64>) -> String {
    match total {
        Some(total) if total > read => {
            format!("has {read} of {total} profiles: pages are missing, or one is there twice")
        }
        Some(total) if total < read => {
            format!(
                "has {read} profiles of a query that found {total}: pages of several queries may be mixed"
            )
        }
        Some(_) | None => "has not all pages of its query".to_owned(),
    }
}

fn those_there_are(names: &[String]) -> String {
    let more = names.len().saturating_sub(NAMED);
    let named = in_backticks(&names[..names.len() - more]);
    match (names.is_empty(), more) {
        (true, _) => String::new(),
        (false, 0) => format!(". It has: {named}"),
        (false, more) => format!(". It has: {named}, and {more} more"),
    }
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

/// What the operator can do about the problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Choose what happens to white space around the ids.
    Trim,
    /// Correct the file or the pattern.
    Pattern,
    /// Name the encoding, or correct the file.
    Encoding,
    /// Make the program write a bare list; the text says how.
    Program(&'static str),
    /// Name other pages of a query; the text says which.
    Page(&'static str),
    /// State whether the one value on the first line is a heading.
    Title,
    /// Let dsr read the heading as a heading.
    Heading,
    /// Correct the file, or allow the values that are ids.
    Allow,
    /// Look the values up in files instead.
    Offline,
    Correct,
}

/// One damaged value or line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub place: At<String>,
    pub damage: Damage,
}

/// All problems of the sources, in order.
#[derive(Debug, Default)]
pub struct Problems {
    kept: Vec<Problem>,
    count: usize,
}

impl Problems {
    pub(super) fn note(&mut self, place: Place<'_>, damage: Damage) {
        self.count += 1;
        if self.kept.len() < KEPT {
            let place = place.labelled(place.label.to_owned());
            self.kept.push(Problem { place, damage });
        }
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.count += other.count;
        let room = KEPT - self.kept.len();
        self.kept.extend(other.kept.into_iter().take(room));
    }

    pub(super) fn into_result(mut self, warnings: Warnings) -> Result<Warnings, IntakeError> {
        if self.count == 0 {
            return Ok(warnings);
        }
        self.kept.sort_by(|a, b| a.place.cmp(&b.place));
        let problems = self;
        Err(IntakeError::Damaged { problems, warnings })
    }

    /// The remedy that fits the first problem, and as many of the others as it can.
    pub fn remedy(&self) -> Remedy {
        let damages = || self.kept.iter().map(|problem| problem.damage);
        let first_is = |is: fn(&Damage) -> bool| damages().next().is_some_and(|first| is(&first));
        let all = |is: fn(&Damage) -> bool| damages().all(|damage| is(&damage));
        let looks = || {
            damages().filter_map(|damage| match damage {
                Damage::Look(look) => Some(look),
                _ => None,
            })
        };
        let is_outer =
            |damage: &Damage| matches!(*damage, Damage::OUTER_SPACE | Damage::OuterInvisible);
        let is_undecodable = |damage: &Damage| matches!(damage, Damage::Undecodable { .. });
        // For a drawn table, another line may name the program; a ruler fits several programs.
        let is_drawn = |look: &Look| *look == Look::Drawn;
        let programs = looks().filter(|look| look.way_out().is_some() && *look != Look::Ruler);
        let ruler = || looks().next().filter(|look| *look == Look::Ruler);
        let is_title = match self.kept.as_slice() {
            [problem] => {
                problem.place.line == Some(1) && all(|d| *d == Damage::Look(Look::WhiteSpace))
            }
            _ => false,
        };
        if damages().any(|damage| damage == Damage::NotAskable) {
            Remedy::Offline
        } else if let Some(way_out) = damages().next().and_then(Damage::of_page) {
            Remedy::Page(way_out)
        } else if first_is(is_outer) {
            Remedy::Trim
        } else if first_is(|damage| *damage == Damage::Pattern) {
            Remedy::Pattern
        } else if first_is(is_undecodable) {
            Remedy::Encoding
        } else if is_title {
            Remedy::Title
        } else if let Some(way_out) = programs
            .min_by_key(is_drawn)
            .or_else(ruler)
            .and_then(Look::way_out)
        {
            Remedy::Program(way_out)
        } else if all(|damage| *damage == Damage::Look(Look::Heading)) {
            Remedy::Heading
        } else if first_is(Damage::is_arguable) {
            Remedy::Allow
        } else {
            Remedy::Correct
        }
    }

    /// The first problems; the rest are only counted.
    pub fn kept(&self) -> &[Problem] {
        &self.kept
    }

    /// Whether each is an id that stands for no user or can be no id.
    pub fn are_unusable_ids(&self) -> bool {
        let mut damages = self.kept.iter().map(|problem| problem.damage);
        damages.all(|damage| matches!(damage, Damage::Id(_)))
    }

    /// The number of all problems.
    pub fn count(&self) -> usize {
        self.count
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_sound = |problem: &Problem| problem.damage == Damage::NotAskable;
        let what = match (self.kept.iter().all(is_sound), self.count) {
            (true, 1) => "value cannot be asked for",
            (true, _) => "values cannot be asked for",
            (false, 1) => "value is damaged",
            (false, _) => "values are damaged",
        };
        write!(f, "{} {what}", self.count)?;
        for Problem { place, damage } in &self.kept {
            write!(f, "\n  {place}: {damage}")?;
        }
        match self.count - self.kept.len() {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}
