use std::collections::HashSet;

use super::DistinctId;

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
    /// Takes ids as one batch.
    ///
    /// # Errors
    /// When they are none, or one of them comes twice.
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

    /// Takes ids that are known to be distinct from each other as one batch.
    ///
    /// # Errors
    /// When they are none.
    pub fn of_distinct(ids: Vec<DistinctId>) -> Result<Self, BatchError> {
        if ids.is_empty() {
            return Err(BatchError::Empty);
        }
        debug_assert!(Self::restore(ids.clone()).is_ok(), "an id comes twice");
        Ok(Self(ids))
    }

    pub fn ids(&self) -> &[DistinctId] {
        &self.0
    }

    /// How many ids; at least 1.
    pub fn count(&self) -> usize {
        self.0.len()
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
}
