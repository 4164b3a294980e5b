//! The ledger's file: its schema, its holder, the last head this host has seen, and backups.

pub(super) mod accept;
pub(super) mod backup;
pub(super) mod health;
pub(super) mod holder;
pub(super) mod migrations;
pub(super) mod presence;
pub(super) mod seen;
pub(super) mod sender;
pub(super) mod set_back;
pub(super) mod shared;
pub(super) mod steady;
