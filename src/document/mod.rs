//! Shared by all documents for people: values that hide nothing, CSV cells that are not formulas,
//! pages that load nothing.
//!
//! Pure; knows no person, no request and no file.

pub mod chart;
pub mod rows;
pub mod text;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

/// Puts a `'` before a CSV field that a spreadsheet would run as a formula.
pub fn defused(field: &str) -> String {
    match field.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{field}"),
        false => field.to_owned(),
    }
}

/// The beginning of a page, up to the open body tag. The page may use only these inline styles and
/// scripts, and load nothing.
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

/// The content security policy for inline styles or scripts, each by its hash.
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
    fn a_field_that_looks_like_a_formula_begins_with_a_quote() {
        for formula in ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(defused(formula), format!("'{formula}"));
        }
        for plain in ["", "T-1234", "a=b", "'=x", " =1"] {
            assert_eq!(defused(plain), plain);
        }
    }
}
