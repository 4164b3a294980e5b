//! The form of one value: its characters and its kind. One pass over the bytes, because this runs
//! ten million times.

use crate::domain::id_form::is_waste;

use super::look::spoken;

spoken! {
    /// The kind of an id, by its form.
    IdKind {
        Uuid => "a UUID",
        CapitalUuid => "a UUID in capital letters",
        Email => "an e-mail address",
        Number => "a number",
        Device => "a `$device:` id",
        Hex32 => "32 hex digits",
        Hex40 => "40 hex digits",
        Hex64 => "64 hex digits",
        Other => "none of the usual ids",
    }
}

impl IdKind {
    pub(crate) const ALL: [Self; 9] = {
        use IdKind::{CapitalUuid, Device, Email, Hex32, Hex40, Hex64, Number, Other, Uuid};
        [
            Uuid,
            CapitalUuid,
            Email,
            Number,
            Device,
            Hex32,
            Hex40,
            Hex64,
            Other,
        ]
    };
}

pub(crate) const DIGIT: u16 = 1;
/// `a` to `f`
const HEX_SMALL: u16 = 2;
/// `A` to `F`
const HEX_CAPITAL: u16 = 4;
const LETTER: u16 = 8;
const CAPITAL: u16 = 16;
pub(crate) const DASH: u16 = 32;
pub(crate) const AT: u16 = 64;
/// Joints that also occur in numbers and dates.
pub(crate) const POINT: u16 = 128;
/// Joints between a namespace and a name.
pub(crate) const NAMESPACE: u16 = 256;
const JOINT: u16 = 512;
/// ASCII that no id holds: white space, separators, quotes, brackets and the like.
pub(crate) const MARK: u16 = 1024;
pub(crate) const CONTROL: u16 = 2048;
pub(crate) const BEYOND_ASCII: u16 = 4096;

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
            b'.' | b'+' => POINT,
            b':' | b'|' | b'/' => NAMESPACE,
            b'_' | b'$' | b'=' | b'~' | b'#' => JOINT,
            0..=31 | 127 => CONTROL,
            128.. => BEYOND_ASCII,
            _ => MARK,
        };
        byte += 1;
    }
    table
};

/// The prefix that every Mixpanel SDK puts before an anonymous device id.
const DEVICE_PREFIX: &[u8] = b"$device:";

/// What one pass over the bytes of a value found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ValueShape {
    seen: u16,
    kind: IdKind,
}

impl ValueShape {
    pub(crate) fn of(value: &[u8]) -> Self {
        let class_of = |byte: &u8| CLASSES[usize::from(*byte)];
        let seen = value.iter().fold(0, |seen, byte| seen | class_of(byte));
        let kind = kind_of(value, seen);
        Self { seen, kind }
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct ValueForm<'a> {
    text: &'a str,
    seen: u16,
    pub(crate) kind: IdKind,
}

impl<'a> ValueForm<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        Self::new(text, ValueShape::of(text.as_bytes()))
    }

    /// `shape` must be the shape of `text`.
    pub(crate) fn new(text: &'a str, ValueShape { seen, kind }: ValueShape) -> Self {
        Self { text, seen, kind }
    }

    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    pub(crate) fn has(&self, classes: u16) -> bool {
        self.seen & classes != 0
    }

    /// Whether the value looks made by a system, unlike a word or a short number.
    pub(crate) fn is_of_a_system(&self) -> bool {
        match self.kind {
            IdKind::Other => false,
            IdKind::Number => self.text.len() > 6,
            _ => true,
        }
    }

    pub(crate) fn has_capitals(&self) -> bool {
        self.has(HEX_CAPITAL | CAPITAL)
            || (self.has(BEYOND_ASCII) && self.text.chars().any(char::is_uppercase))
    }

    /// Whether all programs lowercase the value the same way.
    pub(crate) fn has_plain_case(&self) -> bool {
        !self.has(BEYOND_ASCII) || self.text.to_lowercase() == self.text.to_ascii_lowercase()
    }

    /// Whether the value begins or ends with white space or an invisible character.
    pub(crate) fn is_blank_outside(&self) -> bool {
        // MARK includes the space.
        self.has(BEYOND_ASCII | MARK | CONTROL)
            && (self.text.starts_with(is_blank) || self.text.ends_with(is_blank))
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

/// One `@` with text before it and a dot somewhere after it.
fn is_email(bytes: &[u8]) -> bool {
    let Some(at) = bytes.iter().position(|byte| *byte == b'@') else {
        return false;
    };
    let domain = &bytes[at + 1..];
    at > 0 && domain.contains(&b'.') && !domain.contains(&b'@')
}

/// White space, or an invisible character that is as good as white space around an id.
pub(crate) fn is_blank(c: char) -> bool {
    c.is_whitespace() || is_waste(c)
}
