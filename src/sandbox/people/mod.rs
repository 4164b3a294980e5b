//! Made-up people: who they are, and what the project still has of them.

pub(super) mod person;
pub(super) mod population;
