//! What documents that people are handed have in common: values that hide nothing, cells that are no
//! formulas, pages that load nothing.
//!
//! Pure. Knows no person, no request and no file.

pub mod chart;
pub mod rows;
pub mod text;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

/// A field of a CSV file that a spreadsheet would take for a formula, with a `'` before it.
pub fn defused(field: &str) -> String {
    match field.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{field}"),
        false => field.to_owned(),
    }
}

/// How a page begins, up to and with its open body: it may use these styles, run these scripts, which
/// stand in the page, and load nothing at all.
pub fn beginning(title: &str, styles: &[&str], scripts: &[&str]) -> Markup {
    let policy = format!(
        "default-src 'none'{}{}; base-uri 'none'; form-action 'none'",
        allowed("style-src", styles),
        allowed("script-src", scripts),
    );
    html! {
        (DOCTYPE)
        (PreEscaped("<html lang=\"en\">"))
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(policy);
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="referrer" content="no-referrer";
            meta name="robots" content="noindex, nofollow";
            meta name="color-scheme" content="light dark";
            title { (title) }
            @for style in styles { style { (PreEscaped(style)) } }
        }
        (PreEscaped("<body>"))
    }
}

/// What a content security policy says of inline styles or scripts: each by its hash.
fn allowed(directive: &str, texts: &[&str]) -> String {
    if texts.is_empty() {
        return String::new();
    }
    let hash = |text: &&str| format!(" 'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    format!(
        "; {directive}{}",
        texts.iter().map(hash).collect::<String>()
    )
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
