//! The course of a request: what is asked, what was confirmed, which states and doubts its jobs
//! have.

pub(super) mod confirmation;
pub(super) mod copies;
pub(super) mod doubt;
pub(super) mod erasure;
pub(super) mod history;
pub(super) mod identifiers;
pub(super) mod ingestion;
pub(super) mod operation;
pub(super) mod plan_digest;
pub(super) mod polling;
pub(super) mod states;
