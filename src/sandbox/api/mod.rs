//! The HTTP side: routes, callers, bodies and replies.

pub(super) mod body;
pub(super) mod caller;
pub(super) mod creation;
pub(super) mod replies;
pub(super) mod routes;
pub(super) mod server;
