//! Shows tokens and keys, and changes to them.

pub(super) mod accounts;
pub(super) mod kept;
pub(super) mod ledger_key;
pub(super) mod tokens;
