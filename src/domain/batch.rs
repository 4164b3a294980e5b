use std::num::NonZeroUsize;

use indexmap::IndexSet;

use super::DistinctId;

/// The ids of one job: never empty, never over its limit, no id twice.
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
    /// Takes ids that were stored as one batch before.
    ///
    /// # Errors
    /// When they are none, or one of them comes twice: the record is damaged.
    pub fn restore(ids: Vec<DistinctId>) -> Result<Self, BatchError> {
        if ids.is_empty() {
            return Err(BatchError::Empty);
        }
        let distinct: IndexSet<&DistinctId> = ids.iter().collect();
        if distinct.len() != ids.len() {
            return Err(BatchError::Repeated);
        }
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

/// Cuts unique ids into batches of at most `limit`, in the order given; each id goes into exactly one.
pub fn cut(ids: IndexSet<DistinctId>, limit: NonZeroUsize) -> Vec<Batch> {
    let mut batches = Vec::with_capacity(ids.len().div_ceil(limit.get()));
    let mut rest = ids.into_iter().peekable();
    while rest.peek().is_some() {
        batches.push(Batch(rest.by_ref().take(limit.get()).collect()));
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ids(count: usize) -> IndexSet<DistinctId> {
        (0..count)
            .map(|n| DistinctId::new(&format!("user-{n}")).unwrap())
            .collect()
    }

    proptest! {
        #[test]
        fn each_id_is_in_exactly_one_batch(count in 0usize..3000, limit in 1usize..2100) {
            let all = ids(count);
            let batches = cut(all.clone(), NonZeroUsize::new(limit).unwrap());
            prop_assert_eq!(batches.len(), count.div_ceil(limit));
            prop_assert!(batches.iter().all(|batch| (1..=limit).contains(&batch.count())));
            let back: Vec<_> = batches.iter().flat_map(|batch| batch.ids().to_vec()).collect();
            prop_assert_eq!(back, all.into_iter().collect::<Vec<_>>());
        }
    }

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
