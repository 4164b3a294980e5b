//! The ledger's file: its schema, its holder, the last head this host has seen, and its mark after a move.

pub(super) mod accept;
pub(super) mod health;
pub(super) mod holder;
pub(super) mod migrations;
pub(super) mod moved;
pub(super) mod presence;
pub(super) mod seen;
pub(super) mod sender;
pub(super) mod set_back;
pub(super) mod shared;
pub(super) mod steady;
