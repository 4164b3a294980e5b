//! Plan files: what dsr will do, for others to review and approve first.
//!
//! A file holds JSON values: the readable part, the sealed ids (one string per line), the digest of
//! both, and one approval per line. Knows no ledger, no source and no HTTP, and does not decide who
//! may do what.

mod approval;
mod error;
mod header;
mod people;
mod read;
mod seal;
mod write;

pub use approval::Approval;
pub use error::{Flaw, PlanFileError};
pub use header::{Header, HowHashed, Warned};
pub use people::PeopleDigest;
pub use read::PlanFile;
pub use write::write;

const VERSION: u64 = 1;

/// The most bytes of a readable part that dsr writes or reads.
const MAX_HEADER_BYTES: usize = 1024 * 1024;

#[cfg(test)]
mod tests;
