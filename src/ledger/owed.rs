//! The receipt of an answer that is on its way into the ledger.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::config::sync_file;

/// Returns the place of the line.
pub(crate) fn append(file: &mut File, line: &str) -> io::Result<u64> {
    let place = file.stream_position()?;
    let written = writeln!(file, "{line}").and_then(|()| sync_file(file));
    if written.is_err() {
        file.seek(SeekFrom::Start(place))?;
    }
    written.map(|()| place)
}

/// The receipt of a task that is on its way into the ledger. A wait for the ledger writes it first,
/// since the process may be killed while it waits.
#[derive(Debug, Clone, Default)]
pub struct OwedReceipt(Arc<Mutex<Option<Owed>>>);

#[derive(Debug)]
pub(crate) struct Owed {
    pub(crate) file: File,
    pub(crate) line: String,
    /// Where it is, once it is written.
    pub(crate) place: Option<u64>,
}

impl OwedReceipt {
    pub(crate) fn owed(&self) -> MutexGuard<'_, Option<Owed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_written(&self) -> bool {
        self.owed()
            .as_ref()
            .is_some_and(|owed| owed.place.is_some())
    }

    /// Call this before each wait for the ledger.
    pub(crate) fn write(&self) {
        if let Some(owed) = self.owed().as_mut().filter(|owed| owed.place.is_none()) {
            match append(&mut owed.file, &owed.line) {
                Ok(place) => owed.place = Some(place),
                Err(error) => tracing::error!(%error, "no receipt could be kept"),
            }
        }
    }

    /// The ledger has the task now: blanks its receipt.
    pub(crate) fn settle(&self) -> io::Result<()> {
        let Some(mut owed) = self.owed().take() else {
            return Ok(());
        };
        let Some(place) = owed.place else {
            return Ok(());
        };
        owed.file.seek(SeekFrom::Start(place))?;
        owed.file.write_all(&vec![b'\n'; owed.line.len()])?;
        owed.file.seek(SeekFrom::Start(place))?;
        Ok(())
    }
}
