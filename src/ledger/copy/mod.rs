//! Copies of a whole ledger: a backup in a file, and the move from a file to a server.

pub(super) mod backup;
pub(super) mod moving;
pub(super) mod refusal;
pub(super) mod rows;
