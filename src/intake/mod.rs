//! Sources into validated, unique ids. The whole of every source is read before anything is sent.
//!
//! Error messages name places and kinds of damage, never a value: values are personal data.

mod columns;
mod lines;
mod problem;
mod source;
mod table;

use indexmap::IndexSet;

use crate::domain::DistinctId;

pub use columns::Header;
pub use problem::{IntakeError, Problem, Problems};
pub use source::{Source, SourceError};

/// How tables are read; the same for each source of a command.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// The column that holds the ids: its name in the header, or its number counted from 1.
    pub column: Option<String>,
    pub header: Header,
    /// The byte between two fields; recognised from the first line if not given.
    pub delimiter: Option<u8>,
}

/// What was read: unique ids in their first order, and how many values there were.
#[derive(Debug)]
pub struct Intake {
    pub ids: IndexSet<DistinctId>,
    /// Values read, repeated ones included.
    pub read: usize,
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
    let mut intake = Intake {
        ids: IndexSet::new(),
        read: 0,
    };
    let mut problems = Problems::default();
    for source in sources {
        let mut take = |place: problem::Place<'_>, value: &[u8]| {
            match check(value) {
                Ok(id) => {
                    intake.ids.insert(id);
                    intake.read += 1;
                }
                Err(damage) => problems.note(place, damage),
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
    problems.into_result()?;
    if intake.ids.is_empty() {
        let labels: Vec<String> = sources.iter().map(Source::label).collect();
        let label = labels.join(", ");
        return Err(IntakeError::NoIds { label });
    }
    Ok(intake)
}

fn check(value: &[u8]) -> Result<DistinctId, problem::Damage> {
    let text = std::str::from_utf8(value).map_err(|_| problem::Damage::NotUtf8)?;
    if text.contains(char::REPLACEMENT_CHARACTER) {
        return Err(problem::Damage::Replaced);
    }
    DistinctId::new(text).map_err(problem::Damage::Id)
}

#[cfg(test)]
mod tests;
