//! Tokens and keys: which there are, what was kept and what was removed.

pub(super) mod kept;
pub(super) mod ledger_key;
pub(super) mod tokens;
