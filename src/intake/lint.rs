//! What the form of one value says: which kind of id it is, and what has damaged it.
//!
//! Knows nothing of the values beside it. Runs ten million times: one pass over the bytes sorts
//! out the ordinary ids, and only what is left is compared with anything.

use std::fmt;

use super::problem::Damage;
use super::spreadsheet::{
    PLACEHOLDERS, has_grouped_digits, has_zero_fraction, is_date, is_formula, is_scientific,
    is_spreadsheet_error,
};
use super::warning::{LONG_ID_BYTES, WarningKind};

/// Which system such an id usually comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IdKind {
    Uuid,
    CapitalUuid,
    Email,
    Number,
    Device,
    Hex32,
    Hex40,
    Hex64,
    Other,
}

impl IdKind {
    pub(super) const ALL: [Self; 9] = [
        Self::Uuid,
        Self::CapitalUuid,
        Self::Email,
        Self::Number,
        Self::Device,
        Self::Hex32,
        Self::Hex40,
        Self::Hex64,
        Self::Other,
    ];
}

impl fmt::Display for IdKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Uuid => "a UUID",
            Self::CapitalUuid => "a UUID in capital letters",
            Self::Email => "an e-mail address",
            Self::Number => "a number",
            Self::Device => "a `$device:` id",
            Self::Hex32 => "32 hex digits",
            Self::Hex40 => "40 hex digits",
            Self::Hex64 => "64 hex digits",
            Self::Other => "none of the usual ids",
        })
    }
}

const DIGIT: u16 = 1;
/// `a` to `f`
const HEX_SMALL: u16 = 2;
/// `A` to `F`
const HEX_CAPITAL: u16 = 4;
const LETTER: u16 = 8;
const CAPITAL: u16 = 16;
const DASH: u16 = 32;
const AT: u16 = 64;
/// What numbers, dates and formulas are written with.
const SEPARATOR: u16 = 128;
const CONTROL: u16 = 256;
const BEYOND_ASCII: u16 = 512;
const MARK: u16 = 1024;

static CLASSES: [u16; 256] = {
    let mut table = [MARK; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'0'..=b'9' => DIGIT,
            b'a'..=b'f' => HEX_SMALL,
            b'A'..=b'F' => HEX_CAPITAL,
            b'g'..=b'z' => LETTER,
            b'G'..=b'Z' => CAPITAL,
            b'-' => DASH,
            b'@' => AT,
            b'.' | b',' | b'+' | b'/' | b':' | b'\'' | b' ' => SEPARATOR,
            0..=31 | 127 => CONTROL,
            128.. => BEYOND_ASCII,
            _ => MARK,
        };
        byte += 1;
    }
    table
};

/// What every Mixpanel SDK puts before the id of a device it does not know the user of.
const DEVICE_PREFIX: &[u8] = b"$device:";

/// What a pass over a value's bytes has found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    seen: u16,
    kind: IdKind,
}

impl Shape {
    pub(super) fn of(value: &[u8]) -> Self {
        let class_of = |byte: &u8| CLASSES[usize::from(*byte)];
        let seen = value.iter().fold(0, |seen, byte| seen | class_of(byte));
        let kind = kind_of(value, seen);
        Self { seen, kind }
    }
}

/// One value and its shape.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form<'a> {
    text: &'a str,
    seen: u16,
    pub(super) kind: IdKind,
}

impl<'a> Form<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self::new(text, Shape::of(text.as_bytes()))
    }

    /// `shape` is that of `text`.
    pub(super) fn new(text: &'a str, Shape { seen, kind }: Shape) -> Self {
        Self { text, seen, kind }
    }

    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    fn has(&self, classes: u16) -> bool {
        self.seen & classes != 0
    }

    /// Whether nothing but digits and hex letters in their places was found: no damage looks so.
    fn is_plain(&self) -> bool {
        match self.kind {
            IdKind::Email | IdKind::Device | IdKind::Other => false,
            IdKind::Uuid | IdKind::CapitalUuid | IdKind::Number => true,
            IdKind::Hex32 | IdKind::Hex40 | IdKind::Hex64 => true,
        }
    }

    pub(super) fn has_capitals(&self) -> bool {
        self.has(HEX_CAPITAL | CAPITAL)
            || (self.has(BEYOND_ASCII) && self.text.chars().any(char::is_uppercase))
    }

    /// Whether its capital letters, if any, are of the kind on which all programs agree.
    pub(super) fn has_plain_case(&self) -> bool {
        !self.has(BEYOND_ASCII) || self.text.to_lowercase() == self.text.to_ascii_lowercase()
    }

    /// Whether it begins or ends with what nobody sees.
    pub(super) fn is_blank_outside(&self) -> bool {
        // A space is among the separators.
        self.has(BEYOND_ASCII | SEPARATOR | CONTROL)
            && (self.text.starts_with(is_blank) || self.text.ends_with(is_blank))
    }

    /// What makes it certain that Mixpanel has no such id.
    pub(super) fn damage(&self) -> Option<Damage> {
        if self.is_plain() {
            return None;
        }
        if self.has(CONTROL) {
            return Some(Damage::Control);
        }
        if self.has(BEYOND_ASCII) {
            return damage_beyond_ascii(self.text);
        }
        match *self.text.as_bytes().first()? {
            b'#' | b'E' if is_spreadsheet_error(self.text) => Some(Damage::SpreadsheetError),
            b'=' if is_formula(self.text) => Some(Damage::Formula),
            b'0'..=b'9' | b'-' | b'+' if self.may_be_written_number() => {
                is_scientific(self.text).then_some(Damage::Scientific)
            }
            b'n' | b'N' | b'<' | b'\\' | b'(' | b'[' if PLACEHOLDERS.contains(&self.text) => {
                Some(Damage::Placeholder)
            }
            _ => None,
        }
    }

    /// Tells of each thing that may be wrong, and may be right as well.
    pub(super) fn doubts(&self, tell: &mut dyn FnMut(WarningKind)) {
        if self.text.len() > LONG_ID_BYTES {
            tell(WarningKind::TooLong);
        }
        if self.is_plain() {
            return;
        }
        if self.has(BEYOND_ASCII) {
            doubts_beyond_ascii(self.text, tell);
        }
        let text = self.text;
        let (Some(&first), Some(&last)) = (text.as_bytes().first(), text.as_bytes().last()) else {
            return;
        };
        let has_name = || last == b'>' || (first | 32 == b'm' && has_mailto(text));
        if self.kind == IdKind::Email && has_name() {
            tell(WarningKind::AddressBook);
        }
        match first {
            b'=' => tell(WarningKind::EqualsSign),
            b'\'' => tell(WarningKind::Quoted),
            b'"' if last == b'"' && text.len() > 1 => tell(WarningKind::Quoted),
            b'0'..=b'9' | b'-' if self.may_be_written_number() => {
                if has_grouped_digits(text) {
                    tell(WarningKind::GroupedDigits);
                } else if has_zero_fraction(text) {
                    tell(WarningKind::ZeroFraction);
                } else if is_date(text) {
                    tell(WarningKind::Date);
                }
            }
            b'A'..=b'S' if self.has(DASH) && is_date(text) => tell(WarningKind::Date),
            _ => {}
        }
    }

    fn may_be_written_number(&self) -> bool {
        self.kind == IdKind::Other && self.text.len() <= 40 && self.has(SEPARATOR | DASH)
    }
}

fn kind_of(bytes: &[u8], seen: u16) -> IdKind {
    const HEX: u16 = DIGIT | HEX_SMALL | HEX_CAPITAL;
    if seen == DIGIT {
        return IdKind::Number;
    }
    match bytes.len() {
        36 if seen & !(HEX | DASH) == 0 && has_dashes_of_uuid(bytes) => {
            return match seen & HEX_CAPITAL {
                0 => IdKind::Uuid,
                _ => IdKind::CapitalUuid,
            };
        }
        32 if seen & !HEX == 0 => return IdKind::Hex32,
        40 if seen & !HEX == 0 => return IdKind::Hex40,
        64 if seen & !HEX == 0 => return IdKind::Hex64,
        _ => {}
    }
    if bytes.first() == Some(&b'$') && bytes.starts_with(DEVICE_PREFIX) {
        return IdKind::Device;
    }
    if seen & AT != 0 && is_email(bytes) {
        return IdKind::Email;
    }
    IdKind::Other
}

fn has_dashes_of_uuid(bytes: &[u8]) -> bool {
    let at = |place: usize| bytes[place] == b'-';
    let dashes = bytes.iter().filter(|byte| **byte == b'-').count();
    dashes == 4 && at(8) && at(13) && at(18) && at(23)
}

/// One `@` with something before it and a dot somewhere behind it.
fn is_email(bytes: &[u8]) -> bool {
    let Some(at) = bytes.iter().position(|byte| *byte == b'@') else {
        return false;
    };
    let domain = &bytes[at + 1..];
    at > 0 && domain.contains(&b'.') && !domain.contains(&b'@')
}

fn has_mailto(text: &str) -> bool {
    let scheme = text.as_bytes().get(..7);
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"mailto:"))
}

fn damage_beyond_ascii(text: &str) -> Option<Damage> {
    text.chars().find_map(|c| match c {
        char::REPLACEMENT_CHARACTER => Some(Damage::Replaced),
        // Of the kind U+0080 to U+009F; ASCII's own are known already.
        c if c.is_control() => Some(Damage::Control),
        _ => None,
    })
}

fn doubts_beyond_ascii(text: &str, tell: &mut dyn FnMut(WarningKind)) {
    if text.chars().any(is_invisible) {
        tell(WarningKind::Invisible);
    }
    if text.trim().chars().any(|c| c.is_whitespace() && c != ' ') {
        tell(WarningKind::UnusualSpace);
    }
    // What the two bytes of `é` and its kin become in Windows' Latin encoding.
    const SECOND: &str = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ";
    let is_second = |c| matches!(c, '\u{a0}'..='\u{bf}') || SECOND.contains(c);
    let mut pairs = text.chars().zip(text.chars().skip(1));
    if pairs.any(|(first, second)| matches!(first, 'Â' | 'Ã') && is_second(second)) {
        tell(WarningKind::Mojibake);
    }
}

/// Characters of no width, and those that turn the direction of writing.
fn is_invisible(c: char) -> bool {
    // Some scripts need the joiners, some emoji the tags, even at their end.
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{e0001}'..='\u{e007f}') || is_waste(c)
}

/// White space, and what is as good as white space at either end of an id.
pub(super) fn is_blank(c: char) -> bool {
    c.is_whitespace() || is_waste(c)
}

/// Those of the invisible that mean nothing at either end of an id, and come with copied text.
fn is_waste(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
    )
}

#[cfg(test)]
mod tests;
