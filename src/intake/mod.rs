//! Sources into validated, unique ids. The whole of every source is read before anything is sent.
//!
//! Error messages name places and kinds of damage, never a value: values are personal data.

mod census;
mod check;
mod columns;
mod hash;
mod lines;
mod lint;
mod problem;
mod source;
mod spreadsheet;
mod table;
mod warning;

use indexmap::IndexSet;

use crate::domain::{DistinctId, Leniency};

use check::Checker;

pub use check::{CheckOptions, OuterSpace, Pattern, PatternError};
pub use columns::Header;
pub use hash::{HashExample, HashWith, Hashed, Hashing, HashingError, LetterCase};
pub use problem::{IntakeError, Problem, Problems, Remedy};
pub use source::{Source, SourceError};
pub use warning::{Warning, WarningKind, Warnings};

/// How sources are read; the same for each of a command.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// The column that holds the ids: its name in the header, or its number counted from 1.
    pub column: Option<String>,
    pub header: Header,
    /// The byte between two fields; recognised from the first line if not given.
    pub delimiter: Option<u8>,
    pub check: CheckOptions,
}

/// What was read: unique ids in their first order, and how many values there were.
#[derive(Debug, Default)]
pub struct Intake {
    pub ids: IndexSet<DistinctId>,
    /// Values read, repeated ones included.
    pub read: usize,
    /// What looks suspicious, and is sent all the same.
    pub warnings: Warnings,
    /// How the ids were made of the values, if they were hashed.
    pub hashed: Option<Hashed>,
}

impl Intake {
    pub fn duplicates(&self) -> usize {
        self.read - self.ids.len()
    }
}

/// Reads every source to its end. `on_value` hears how many values have been read so far.
///
/// # Errors
/// When a source cannot be read, any value in any of them is damaged (each is listed with its
/// line), or there is no id at all.
pub fn read(
    sources: &[Source],
    options: &ReadOptions,
    on_value: &mut dyn FnMut(usize),
) -> Result<Intake, IntakeError> {
    let mut intake = Intake::default();
    let mut problems = Problems::default();
    let mut checker = Checker::new(&options.check);
    for source in sources {
        let mut take = |place: problem::Place<'_>, value: &[u8]| {
            // The checker has judged it: this only makes sure that no id breaks the type's promise.
            let id = checker.check(place, value);
            match id.map(|id| DistinctId::new_with(&id, Leniency::Named)) {
                Some(Ok(id)) => {
                    intake.ids.insert(id);
                    intake.read += 1;
                }
                Some(Err(error)) => problems.note(place, error.into()),
                None => {}
            }
            on_value(intake.read);
        };
        match source {
            Source::Id(text) => take(problem::Place::argument(), text.as_bytes()),
            Source::File(_) | Source::Stdin => {
                let damage = table::read(source, options, &mut take)?;
                problems.extend(damage);
            }
        }
    }
    intake.hashed = checker.hashed();
    let (found, warnings) = checker.finish();
    problems.extend(found);
    intake.warnings = problems.into_result(warnings)?;
    if intake.ids.is_empty() {
        let labels: Vec<String> = sources.iter().map(Source::label).collect();
        let label = labels.join(", ");
        return Err(IntakeError::NoIds { label });
    }
    Ok(intake)
}

#[cfg(test)]
mod tests;
