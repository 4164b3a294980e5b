//! The rule for an id: one token of letters, digits and the usual joints, in one script. The joints
//! are `- _ . : @ + $ | / = ~ #`. Anything else is refused, and this module says what it looks like.
//!
//! Judges one value at a time; `census.rs` judges the list.

use unicode_normalization::char::is_combining_mark;
use unicode_security::{RestrictionLevel, RestrictionLevelDetection};

use super::form::{
    AT, BEYOND_ASCII, CONTROL, DASH, DIGIT, IdKind, MARK, NAMESPACE, POINT, ValueForm,
};
use super::look::Look;
use super::numbers::{has_grouped_digits, has_zero_fraction, is_date, is_scientific};
use super::program;
use super::words;
use crate::domain::id_form::is_unseen;

/// The longest date that begins with a month, in bytes: `août-2024`.
const LONGEST_MONTH: usize = 10;

impl ValueForm<'_> {
    /// What the value looks like, if it is not an id.
    pub(crate) fn look(&self) -> Option<Look> {
        match self.kind {
            IdKind::Uuid | IdKind::CapitalUuid | IdKind::Number => return None,
            IdKind::Hex32 | IdKind::Hex40 | IdKind::Hex64 => return None,
            IdKind::Email | IdKind::Device | IdKind::Other => {}
        }
        let text = self.text();
        if self.has(CONTROL) {
            return Some(Look::Control);
        }
        if self.has(MARK) {
            return Some(look_of_marks(text));
        }
        if self.has(BEYOND_ASCII)
            && let Some(look) = look_beyond_ascii(text)
        {
            return Some(look);
        }
        let (first, last) = (text.as_bytes().first()?, text.as_bytes().last()?);
        if matches!(first, b'#' | b'=' | b'|') || matches!(last, b'.' | b':' | b'|') {
            return Some(look_of_ends(text));
        }
        match self.kind {
            IdKind::Email if !self.has(NAMESPACE) => None,
            IdKind::Device => None,
            _ => self.look_of_token(*first),
        }
    }

    /// What a token of letters, digits and joints looks like, if it is still not an id.
    fn look_of_token(&self, first: u8) -> Option<Look> {
        let text = self.text();
        if self.has(NAMESPACE)
            && let Some(look) = look_of_namespace(text)
        {
            return Some(look);
        }
        if !self.has(DIGIT | AT) {
            if !text.contains(char::is_alphanumeric) {
                return Some(program::of(text).unwrap_or(Look::Ruler));
            }
            if let Some(look) = words::look_of(text) {
                return Some(look);
            }
        }
        if text.len() <= 40 && self.has(POINT | DASH | NAMESPACE) && self.has(DIGIT) {
            let may_be_number = matches!(first, b'0'..=b'9' | b'-' | b'+');
            return match () {
                () if may_be_number && is_scientific(text) => Some(Look::Scientific),
                () if may_be_number && has_zero_fraction(text) => Some(Look::ZeroFraction),
                () if may_be_number && has_grouped_digits(text) => Some(Look::GroupedDigits),
                () if (may_be_number || text.len() <= LONGEST_MONTH) && is_date(text) => {
                    Some(Look::Date)
                }
                () => None,
            };
        }
        None
    }
}

fn look_of_namespace(text: &str) -> Option<Look> {
    // A number may be a tenant, or a user within one.
    let of_a_system = |part: &&str| {
        let form = ValueForm::of(part);
        form.is_of_a_system() && form.kind != IdKind::Number
    };
    if let Some((number, rest)) = text.split_once(':') {
        if number.bytes().all(|byte| byte.is_ascii_digit()) && of_a_system(&rest) {
            return Some(Look::Grep);
        }
        if number == "Err" {
            return Some(Look::SpreadsheetError);
        }
        if matches!(number, "mailto" | "tel" | "sms") || rest.starts_with("//") {
            return Some(Look::Link);
        }
        if crate::intake::source::has_known_extension(number) {
            return Some(Look::Grep);
        }
    }
    let parts = text.split(['|', '/']).filter(of_a_system);
    (parts.count() > 1).then_some(Look::Several)
}

fn look_of_ends(text: &str) -> Look {
    if let Some(look) = program::of(text) {
        return look;
    }
    if !text.contains(char::is_alphanumeric) {
        return Look::Ruler;
    }
    match text.as_bytes() {
        [b'#', name @ ..] if is_name_of_error(name) => Look::SpreadsheetError,
        [b'#', ..] => Look::Comment,
        [b'=', ..] => Look::Formula,
        _ => words::look_of(text).unwrap_or(Look::OuterJoint),
    }
}

/// For a value with white space, separators, quotes, brackets or the like.
fn look_of_marks(text: &str) -> Look {
    if let Some(look) = program::of(text) {
        return look;
    }
    let bytes = text.as_bytes();
    let has = |marks: &[u8]| bytes.iter().any(|byte| marks.contains(byte));
    let words = || text.split_whitespace();
    let is_bare = !has(b"#{}[]()<>\"'");
    match words::look_of(text) {
        Some(look) if is_bare || look == Look::Placeholder => return look,
        _ => {}
    }
    if let Some(look) = text.chars().find_map(look_of_stranger) {
        return look;
    }
    match bytes {
        [b'#', name @ ..] if is_name_of_error(name) => Look::SpreadsheetError,
        [b'#', ..] => Look::Comment,
        [b'/', b'/', b' ', ..] | [b'-', b'-', b' ', ..] => Look::Comment,
        [b'=', ..] => Look::Formula,
        [b'<', b'<', b'<', ..] | [b'>', b'>', b'>', ..] => Look::Conflict,
        [b'\\', b'N'] | [b'(' | b'[' | b'<', .., b')' | b']' | b'>'] if is_placeholder(text) => {
            Look::Placeholder
        }
        [b'<', ..] => Look::Markup,
        [b'[', b'"' | b'\'', ..] | [b'{', b'"' | b'\'', ..] => Look::List,
        [b'-' | b'*' | b'>', b' ', ..] => Look::ListMarker,
        _ if is_numbered(text) => Look::ListMarker,
        _ if words().count() == 2 && words().next().is_some_and(is_number) => Look::Uniq,
        _ if has(b"<>") => Look::Markup,
        _ if has(b"&;") && text.contains('&') && text.contains(';') => Look::Escape,
        _ if is_digits_with_groups(text) => Look::GroupedDigits,
        _ if is_scientific(text) => Look::Scientific,
        _ if has_zero_fraction(text) => Look::ZeroFraction,
        _ if is_date(text) => Look::Date,
        _ if has(b",;") => Look::Separator,
        _ if has(b"\"'`") => Look::Quote,
        _ if has(b"()[]{}") => Look::Bracket,
        _ if has(b"%\\") => Look::Escape,
        _ if has(b"*") => Look::Masked,
        _ if words().any(|word| words::look_of(word) == Some(Look::Total)) => Look::Total,
        _ if has(b" ") => Look::WhiteSpace,
        _ => Look::OtherCharacter,
    }
}

/// `N/A`, `REF!`, `NAME?` and the like in any language, and the `###` of a narrow column.
fn is_name_of_error(name: &[u8]) -> bool {
    let is_part =
        |byte: &u8| matches!(byte, b'A'..=b'Z' | b'/' | b'0' | b'_' | b'!' | b'?' | 128..);
    name.len() > 1 && name.iter().all(is_part)
}

fn is_digits_with_groups(text: &str) -> bool {
    let is_first = |byte: &u8| byte.is_ascii_digit() || *byte == b'-';
    text.as_bytes().first().is_some_and(is_first) && has_grouped_digits(text)
}

/// `1. u-17`, `2) u-17`
fn is_numbered(text: &str) -> bool {
    let number = text.split(' ').next().unwrap_or_default();
    let digits = number.strip_suffix(['.', ')']);
    digits.is_some_and(is_number) && text.contains(' ')
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_placeholder(text: &str) -> bool {
    let inner = text.trim_matches(|c: char| !c.is_alphanumeric());
    matches!(
        inner.to_ascii_lowercase().as_str(),
        "n" | "na" | "not set" | "object object" | "object undefined" | "not provided"
    )
}

/// Refuses all but joints and letters and digits of one script.
fn look_beyond_ascii(text: &str) -> Option<Look> {
    if is_mojibake(text) {
        return Some(Look::Mojibake);
    }
    let mut beyond = text.chars().filter(|c| !c.is_ascii());
    if let Some(look) = beyond.find_map(look_of_character) {
        return Some(look);
    }
    // A name may differ in script from its namespace or host, but must itself have one script.
    let mut parts = text.split(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric() && c != '-');
    let of_one_script = |part: &str| {
        let letters: String = part.chars().filter(|c| *c != '-').collect();
        letters.check_restriction_level(RestrictionLevel::HighlyRestrictive)
    };
    parts
        .any(|part| !of_one_script(part))
        .then_some(Look::MixedScripts)
}

/// For a character beyond ASCII that says more than the marks beside it.
fn look_of_stranger(c: char) -> Option<Look> {
    look_of_character(c).filter(|look| !c.is_ascii() && *look != Look::WhiteSpace)
}

fn look_of_character(c: char) -> Option<Look> {
    Some(match c {
        char::REPLACEMENT_CHARACTER => Look::Replaced,
        // U+0080 to U+009F; the caller has already ruled out ASCII control characters.
        c if c.is_control() => Look::Control,
        c if is_unseen(c) => Look::Invisible,
        c if c.is_whitespace() => Look::WhiteSpace,
        '\u{2022}' | '\u{2023}' => Look::ListMarker,
        '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}' | '\u{2212}' | '\u{ab}' | '\u{bb}' => {
            Look::Typographic
        }
        '\u{b4}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' => Look::Typographic,
        '\u{b7}' | '\u{25a0}'..='\u{25ff}' => Look::ListMarker,
        '\u{2500}'..='\u{259f}' => Look::Drawn,
        '\u{3001}' | '\u{ff0c}' | '\u{ff1b}' | '\u{ff64}' | '\u{61b}' | '\u{60c}' => {
            Look::Separator
        }
        c if !c.is_alphanumeric() && !is_combining_mark(c) => Look::OtherCharacter,
        c if !unicode_security::GeneralSecurityProfile::identifier_allowed(c) => Look::Imitation,
        _ => return None,
    })
}

/// UTF-8 read as Windows-1252 turns `é` and the like into such pairs.
fn is_mojibake(text: &str) -> bool {
    const SECOND: &str = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ";
    let is_second = |c| matches!(c, '\u{a0}'..='\u{bf}') || SECOND.contains(c);
    let mut pairs = text.chars().zip(text.chars().skip(1));
    pairs.any(|(first, second)| matches!(first, 'Â' | 'Ã') && is_second(second))
}

#[cfg(test)]
mod tests;
