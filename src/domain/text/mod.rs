//! How the terms are written: words for enums, hex, JSON values, and what a misspelled word
//! probably meant.

pub(super) mod enums;
pub(super) mod hex;
pub(super) mod json_object;
pub(super) mod similar;
