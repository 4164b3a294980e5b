//! The part of Mixpanel that a service account uses: queries of profiles and events, and what copies
//! a project's data. Reads the state, and writes nothing but the count of queries.

pub(super) mod account;
pub(super) mod copies;
pub(super) mod events;
pub(super) mod expression;
pub(super) mod parameters;
pub(super) mod profiles;
pub(super) mod turns;
