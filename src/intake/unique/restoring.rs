//! Brings ids from a plan file back, to be sent as they were planned.

use std::io;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use crate::domain::IdHasher;

use super::spool::{IN_MEMORY, SpoolWriter};
use super::{Gathering, UniqueIds};
use crate::intake::place::{At, Place};
use crate::intake::problem::IntakeError;
use crate::intake::warning::Warnings;

/// How many ids are taken between two searches for duplicates.
const LOOK: usize = 4096;

/// Passes ids from a plan file to the ledger; they were judged when the plan was made.
pub struct Restoring {
    gathering: Gathering,
    spool: SpoolWriter,
}

impl Restoring {
    /// Ids that do not fit into memory go to an unnamed file in `folder`.
    pub fn new(folder: &Path) -> Self {
        let mut gathering = Gathering::new(IdHasher::random());
        gathering.end_excluded();
        Self {
            gathering,
            spool: SpoolWriter::new(folder, IN_MEMORY),
        }
    }

    /// Takes an id; it must not hold a line break.
    ///
    /// # Errors
    /// When the disk is full, or there are more than `u32::MAX` ids.
    pub fn put(&mut self, id: &str) -> Result<(), IntakeError> {
        self.gathering.take(Place::nowhere_in(""), id, None)?;
        if self.gathering.taken().is_multiple_of(LOOK) {
            self.gathering.relieve();
        }
        self.spool.put(id).map_err(IntakeError::Spool)
    }

    /// The ids in order; the place of each is its number, counted from 1.
    ///
    /// # Errors
    /// The same as [`Self::finish`].
    pub fn finish_numbered(self) -> Result<UniqueIds, IntakeError> {
        let label: Arc<str> = Arc::from("");
        let count = self.gathering.taken() as u64;
        let ids = Rc::into_inner(self.finish()?).expect("nobody else has it yet");
        let places = (1..=count).map(|number| At::on_line(Arc::clone(&label), number));
        Ok(ids.with_places(places.collect()))
    }

    /// The ids in order.
    ///
    /// # Errors
    /// When the disk is full, or an id occurs twice: then the ids are not those of the plan.
    pub fn finish(self) -> Result<Rc<UniqueIds>, IntakeError> {
        let (counts, order) = self.gathering.finish(&mut Warnings::default());
        if counts.duplicates() > 0 {
            return Err(IntakeError::Spool(io::ErrorKind::InvalidData.into()));
        }
        let spool = self.spool.finish().map_err(IntakeError::Spool)?;
        Ok(Rc::new(UniqueIds::new(spool, order, counts.unique)))
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;

    #[test]
    fn ids_come_back_in_their_order_and_none_may_come_twice() {
        let mut restoring = Restoring::new(Path::new("/nowhere"));
        let ids: Vec<String> = (0..10_000).map(|n| format!("user-{n}")).collect();
        ids.iter().for_each(|id| restoring.put(id).unwrap());
        let unique = restoring.finish().unwrap();
        assert_eq!(unique.count(), 10_000);
        let batches = unique.batches(NonZeroUsize::new(500).unwrap());
        let batches: Vec<_> = batches.map(Result::unwrap).collect();
        assert_eq!(batches.len(), 20);
        let back: Vec<&str> = batches.iter().flat_map(|batch| batch.ids()).collect();
        assert_eq!(back, ids);
        let mut restoring = Restoring::new(Path::new("/nowhere"));
        for id in ["a", "b", "a"] {
            restoring.put(id).unwrap();
        }
        assert!(restoring.finish().is_err());
    }
}
