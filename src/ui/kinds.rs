//! The words by which scripts know failures and warnings. `docs/schemas` publishes them.

use crate::intake::WarningKind;

/// What a failure may be called.
pub const ERROR_KINDS: [&str; 37] = [
    "api_secret",
    "archive",
    "bad_input",
    "bug",
    "config",
    "confirmation",
    "exists",
    "extended",
    "failed",
    "hash_key",
    "ids_hashed",
    "interrupted",
    "keyring",
    "ledger_key",
    "local_io",
    "locked",
    "newer_ledger",
    "no_export",
    "no_ids",
    "no_link",
    "no_token",
    "not_allowed",
    "not_private",
    "not_recorded",
    "project",
    "refused",
    "running",
    "same_request",
    "sandbox",
    "started",
    "temporary",
    "token_expired",
    "token_expiry",
    "too_late",
    "unexpected_count",
    "unknown_outcome",
    "usage",
];

/// What a warning may be called that is not about ids in a source.
pub const WARNING_KINDS: [&str; 33] = [
    "clock_skew",
    "environment_secret",
    "environment_token",
    "failed",
    "ids_kept",
    "interrupted",
    "keyring",
    "last_safe_day",
    "ledger",
    "linked",
    "not_cancelled",
    "not_compact",
    "not_found",
    "old_holidays",
    "overdue",
    "personal_data",
    "project",
    "project_token",
    "purged",
    "receipt_left",
    "receipts",
    "received",
    "refused",
    "repeated_source",
    "sending",
    "started",
    "token_expiry",
    "token_named",
    "token_outlived",
    "token_rejected",
    "unconfirmed",
    "unfetched",
    "unknown_outcome",
];

/// Whether a word is one that scripts may have heard of.
pub(super) fn is_known_warning(kind: &str) -> bool {
    let mut of_ids = WarningKind::ALL.into_iter().map(WarningKind::word);
    WARNING_KINDS.contains(&kind) || of_ids.any(|word| word == kind)
}
