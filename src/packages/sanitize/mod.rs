//! Makes events anonymous: what identifies their people goes, and what stays is reviewed.
//!
//! Reads every source twice. The first reading finds the ids, what joins them, and the values of
//! profiles; the second writes the events. Keeps no record in memory, and calls nobody.

mod census;
mod coarse;
mod fields;
mod finding;
mod identities;
mod names;
mod page;
mod record;
mod review;
mod rewriter;
mod search;
mod source;

use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use secrecy::SecretString;

use super::{SplitError, SplitObserver, SplitProgress};
use crate::config::folder_of;
use crate::domain::{LedgerKey, ProjectZone};
use census::ExportCensus;
use record::ExportRecord;
use rewriter::Rewriter;
use source::ExportFiles;

pub use coarse::TimeStep;
pub use finding::{FindingCounts, ReviewFinding};
pub use names::{NameList, NameListError};
pub use review::{EventCounts, KeptProperty, NotWritten, SanitizeReview};

use names::LONGEST_NAME;

/// What to make anonymous, and how.
pub struct SanitizeOrder<'a> {
    /// Archives, packages, files of JSON, and folders of these.
    pub sources: &'a [PathBuf],
    /// The project's API secret; used only if an archive is encrypted.
    pub password: Option<&'a SecretString>,
    /// The properties that survive.
    pub keep: &'a NameList,
    /// The events that survive; all, if not given.
    pub events: Option<&'a NameList>,
    pub time: TimeStep,
    /// The clock of the events' times.
    pub zone: ProjectZone,
    /// Makes the new ids. Whoever has it can link them to the old ones.
    pub key: &'a LedgerKey,
    pub now: DateTime<Utc>,
    /// The name of the output in errors.
    pub output: &'a Path,
}

/// Why no events were written.
#[derive(Debug, thiserror::Error)]
pub enum SanitizeError {
    #[error(transparent)]
    Source(#[from] SplitError),
    #[error("the sources hold no event")]
    NoEvents,
    #[error(
        "a source is a table (CSV): its values have lost their types, and it holds one year only"
    )]
    Table,
    #[error(
        "the sources name more than {} ids: this is not an export of a few known people",
        identities::MOST_IDS
    )]
    TooManyIds,
    #[error("a source has changed while dsr read it")]
    Changed,
}

/// Whether an archive among the sources needs the project's API secret.
///
/// # Errors
/// When a folder cannot be read.
pub fn are_locked(sources: &[PathBuf]) -> Result<bool, SplitError> {
    Ok(ExportFiles::find(sources, None)?.are_locked())
}

/// Writes the events of the sources to `out`, one JSON object a line, as Mixpanel's import takes
/// them.
///
/// # Errors
/// When a source cannot be read to its end, holds no event or too many ids, or has changed between
/// the two readings; or when `out` fails, or `observer` stops.
pub fn sanitize(
    order: &SanitizeOrder<'_>,
    out: &mut dyn Write,
    observer: SplitObserver<'_>,
) -> Result<SanitizeReview, SanitizeError> {
    let mut files = ExportFiles::find(order.sources, order.password)?;
    files.leave_out_copies()?;
    let folder = folder_of(order.output);
    // The two readings are one progress.
    let mut half = |progress: SplitProgress, before: u64| match progress {
        SplitProgress::Reading { done, of } => observer(SplitProgress::Reading {
            done: before * of + done,
            of: 2 * of,
        }),
        other => observer(other),
    };
    let mut census = ExportCensus::default();
    let mut count = |record: ExportRecord<'_>| {
        census.record(&record);
        Ok(())
    };
    files.read(folder, &mut count, &mut |progress| half(progress, 0))?;
    if census.rows > 0 {
        return Err(SanitizeError::Table);
    }
    if census.events == 0 {
        return Err(SanitizeError::NoEvents);
    }
    if census.identities.is_full() {
        return Err(SanitizeError::TooManyIds);
    }
    let needles = census.needles();
    let new_ids = census.identities.into_new(&order.key.hasher());
    let mut rewriter = Rewriter::new(order, out, (&new_ids, &needles));
    rewriter.review.left_out.held_back = files.held_back;
    rewriter.review.copies = files.copies;
    let mut rewrite = |record: ExportRecord<'_>| rewriter.record(&record);
    files.read(folder, &mut rewrite, &mut |progress| half(progress, 1))?;
    if rewriter.strangers > 0 || rewriter.review.read != census.events {
        return Err(SanitizeError::Changed);
    }
    Ok(rewriter.review)
}

#[cfg(test)]
mod tests;
