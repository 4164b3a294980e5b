//! Sends the planned jobs of a run and settles what became unclear.

pub(super) mod queue;
pub(super) mod run;
pub(super) mod settle;
pub(super) mod submitted;
pub(super) mod verdict;
pub(super) mod waiting;
