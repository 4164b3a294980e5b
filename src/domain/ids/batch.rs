use std::collections::HashSet;
use std::fmt;

use crate::domain::DistinctId;

/// The ids of one job: never empty, no id twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch(Vec<DistinctId>);

/// Why ids cannot be one batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    #[error("a batch cannot be empty")]
    Empty,
    #[error("a batch holds an id twice")]
    Repeated,
}

impl Batch {
    /// # Errors
    /// When `ids` is empty, or holds an id twice.
    pub fn restore(ids: Vec<DistinctId>) -> Result<Self, BatchError> {
        if ids.is_empty() {
            return Err(BatchError::Empty);
        }
        let distinct: HashSet<&DistinctId> = ids.iter().collect();
        if distinct.len() != ids.len() {
            return Err(BatchError::Repeated);
        }
        Ok(Self(ids))
    }

    pub fn ids(&self) -> &[DistinctId] {
        &self.0
    }

    /// At least 1.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// The ids of one job on their way from a source to the ledger, one a line: never empty.
///
/// The intake has removed repeated ids. One text saves an allocation for each id.
///
/// Personal data: `Debug` shows their number only.
#[derive(Clone, PartialEq, Eq)]
pub struct IdLines {
    text: String,
    count: usize,
}

impl IdLines {
    /// Takes ids that each end with a line break.
    ///
    /// # Errors
    /// When there is no id.
    pub fn new(text: String) -> Result<Self, BatchError> {
        let count = text.bytes().filter(|byte| *byte == b'\n').count();
        match count {
            0 => Err(BatchError::Empty),
            _ => Ok(Self { text, count }),
        }
    }

    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.text.split_terminator('\n')
    }

    /// At least 1.
    pub fn count(&self) -> usize {
        self.count
    }

    /// All ids, each followed by a line break, for the ledger only.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl From<&Batch> for IdLines {
    fn from(batch: &Batch) -> Self {
        let lines = batch.ids().iter().flat_map(|id| [id.expose(), "\n"]);
        Self {
            text: lines.collect(),
            count: batch.count(),
        }
    }
}

impl fmt::Debug for IdLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdLines({} ids)", self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_batch_is_not_restored() {
        assert_eq!(Batch::restore(vec![]), Err(BatchError::Empty));
        let id = DistinctId::new("user-17").unwrap();
        assert_eq!(
            Batch::restore(vec![id.clone(), id]),
            Err(BatchError::Repeated)
        );
    }

    #[test]
    fn lines_are_the_ids_of_a_batch_in_their_order() {
        let ids: Vec<DistinctId> = ["b", "a c", "Ünï"]
            .map(|id| DistinctId::new(id).unwrap())
            .into();
        let lines = IdLines::from(&Batch::restore(ids).unwrap());
        assert_eq!(lines.ids().collect::<Vec<_>>(), ["b", "a c", "Ünï"]);
        assert_eq!((lines.count(), lines.expose()), (3, "b\na c\nÜnï\n"));
        assert_eq!(IdLines::new(lines.expose().to_owned()), Ok(lines));
        assert_eq!(IdLines::new(String::new()), Err(BatchError::Empty));
    }
}
