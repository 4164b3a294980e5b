//! Plan files: what is to be done, for others to look at and approve before it is done.
//!
//! A file is a row of JSON values: the readable part; then the ids, sealed, a text a line; the digest
//! of both; and approvals, an object a line. Knows no ledger, no source and no HTTP, and decides
//! nothing about who may do what.

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

/// The only version there is so far.
const VERSION: u64 = 1;

/// A readable part that is longer was not written by us, nor is one written.
const MAX_HEADER_BYTES: usize = 1024 * 1024;

#[cfg(test)]
mod tests;
