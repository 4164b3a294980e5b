//! What documents that people are handed have in common: values that hide nothing, cells that are no
//! formulas, pages that load nothing.
//!
//! Pure. Knows no person, no request and no file.

pub mod text;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// A field of a CSV file that a spreadsheet would take for a formula, with a `'` before it.
pub fn defused(field: &str) -> String {
    match field.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{field}"),
        false => field.to_owned(),
    }
}

/// How a content security policy names an inline style or script.
pub fn hash_source(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_begins_with_a_quote() {
        for formula in ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(defused(formula), format!("'{formula}"));
        }
        for plain in ["", "T-1234", "a=b", "'=x", " =1"] {
            assert_eq!(defused(plain), plain);
        }
    }
}
