//! Undoes nested encodings of a text: escapes, percent-encoding, HTML entities, quoted-printable,
//! base64 and hex.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The most encodings inside one another.
const DEPTH: usize = 3;
/// The most bytes of readings to search. A few thousand bytes of ordinary words use a tenth.
const BUDGET: usize = 4 * 1024 * 1024;

/// The text has more readings than dsr can search.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooMany;

/// Whether `is_wanted` accepts the text or any reading of it.
pub(super) fn any_reading(text: &str, is_wanted: &dyn Fn(&str) -> bool) -> Result<bool, TooMany> {
    let mut seen = HashSet::new();
    let mut left = BUDGET;
    let mut readings = vec![text.to_owned()];
    for depth in 0..=DEPTH {
        let mut deeper = Vec::new();
        for reading in readings {
            left = left.checked_sub(reading.len()).ok_or(TooMany)?;
            if is_wanted(&reading) {
                return Ok(true);
            }
            if depth < DEPTH {
                let decoded = decodings(&reading).into_iter();
                deeper.extend(decoded.filter(|text| seen.insert(hash(text))));
            }
        }
        readings = deeper;
    }
    Ok(false)
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// The text with one encoding undone, once for each encoding. Invisible characters may be inside an
/// encoding, so it is also read without them.
fn decodings(text: &str) -> Vec<String> {
    let squeezed: String = text.nfkd().filter(|c| !is_unseen(*c)).collect();
    let forms = [text, &squeezed];
    let forms = &forms[..if squeezed == text { 1 } else { 2 }];
    let mut decoded = Vec::new();
    for form in forms {
        decoded.extend(undo_escapes(form));
        decoded.extend(undo_quoted_printable(form));
        for offset in 0..4 {
            decoded.extend(undo_runs(form, offset, 4, is_base64, decode_base64));
        }
        for offset in 0..2 {
            decoded.extend(undo_runs(
                form,
                offset,
                2,
                |c| c.is_ascii_hexdigit(),
                decode_hex,
            ));
        }
    }
    decoded
}

/// Characters that are invisible, or only change the look of the previous one.
pub(super) fn is_unseen(c: char) -> bool {
    is_invisible(c) || c.is_whitespace() || is_combining_mark(c)
}

/// Characters without width, or that change the order of others.
pub(super) fn is_invisible(c: char) -> bool {
    c.is_control()
        // Unicode's Default_Ignorable_Code_Point.
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{e0000}'..='\u{e0fff}')
}

/// Bytes as UTF-8, with invalid bytes as Latin-1.
pub(super) fn to_text(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| char::from(*byte)));
    }
    text
}

/// Undoes `%41`, `%u0041`, `\u0041`, `\x41`, `\n` and their like, and `&#65;`, `&#x41;`, `&amp;`.
fn undo_escapes(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    let mut any = false;
    // The first half of a UTF-16 pair.
    let mut high = None;
    while let Some(start) = rest.find(['%', '\\', '&']) {
        bytes.extend_from_slice(&rest.as_bytes()[..start]);
        if start > 0 {
            high = None;
        }
        rest = &rest[start..];
        let Some((piece, length)) = undo_one(rest) else {
            bytes.push(rest.as_bytes()[0]);
            rest = &rest[1..];
            continue;
        };
        any = true;
        rest = &rest[length..];
        match (piece, high.take()) {
            (Piece::Byte(byte), _) => bytes.push(byte),
            (Piece::Text(text), _) => bytes.extend_from_slice(text.as_bytes()),
            (Piece::Code(code @ 0xd800..=0xdbff), _) => high = Some(code),
            (Piece::Code(low @ 0xdc00..=0xdfff), Some(high)) => {
                push(
                    &mut bytes,
                    0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00),
                );
            }
            (Piece::Code(code), _) => push(&mut bytes, code),
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    any.then(|| to_text(&bytes))
}

fn push(bytes: &mut Vec<u8>, code: u32) {
    let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

enum Piece {
    Byte(u8),
    Code(u32),
    Text(String),
}

/// The meaning and length of the escape at the start.
fn undo_one(text: &str) -> Option<(Piece, usize)> {
    let bytes = text.as_bytes();
    match (bytes[0], bytes.get(1)?.to_ascii_lowercase()) {
        (b'&', b'#') => {
            let end = text.bytes().take(12).position(|byte| byte == b';')?;
            let digits = &text[2..end];
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => digits.parse(),
            };
            Some((Piece::Code(code.ok()?), end + 1))
        }
        (b'&', _) => {
            let end = text.bytes().take(12).position(|byte| byte == b';')?;
            Some((Piece::Text(named_entity(&text[1..end])?), end + 1))
        }
        (_, b'u') if bytes.get(2) == Some(&b'{') => {
            let end = text.bytes().take(12).position(|byte| byte == b'}')?;
            let code = u32::from_str_radix(&text[3..end], 16).ok()?;
            Some((Piece::Code(code), end + 1))
        }
        (_, b'u') => {
            let code = |length: usize| u32::from_str_radix(text.get(2..2 + length)?, 16).ok();
            // Python's escape has eight digits that start with zeros.
            let long = code(8).filter(|_| text[2..].starts_with("000"));
            let (code, length) = match long {
                Some(code) => (code, 10),
                None => (code(4)?, 6),
            };
            Some((Piece::Code(code), length))
        }
        (b'\\', b'x') => Some((Piece::Byte(hex_byte(bytes.get(2..4)?)?), 4)),
        (b'\\', letter) => {
            let piece = match letter {
                b'n' | b'r' | b't' | b'b' | b'f' => b' ',
                _ if !letter.is_ascii_alphanumeric() && letter.is_ascii() => letter,
                _ => return None,
            };
            Some((Piece::Byte(piece), 2))
        }
        _ => Some((Piece::Byte(hex_byte(bytes.get(1..3)?)?), 3)),
    }
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let value = digit(digits[0])? << 4 | digit(digits[1])?;
    u8::try_from(value).ok()
}

/// HTML's names of ASCII punctuation and of letters with marks: `uuml` becomes `u` and its dots.
fn named_entity(name: &str) -> Option<String> {
    let folded = name.to_ascii_lowercase();
    let plain = match folded.as_str() {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        "nbsp" | "tab" | "newline" => " ",
        "shy" | "zwj" | "zwnj" => "",
        "commat" => "@",
        "period" => ".",
        "lowbar" => "_",
        "hyphen" | "dash" => "-",
        "plus" => "+",
        "num" => "#",
        "dollar" => "$",
        "percnt" => "%",
        "equals" => "=",
        "colon" => ":",
        "semi" => ";",
        "comma" => ",",
        "sol" => "/",
        "bsol" => "\\",
        "vert" | "verbar" | "vbar" => "|",
        "lpar" => "(",
        "rpar" => ")",
        "szlig" => "ß",
        "aelig" => "æ",
        "oslash" => "ø",
        _ => {
            let letter = name.get(..1)?;
            let mark = match folded.get(1..)? {
                "uml" => '\u{308}',
                "acute" => '\u{301}',
                "grave" => '\u{300}',
                "circ" => '\u{302}',
                "tilde" => '\u{303}',
                "cedil" => '\u{327}',
                "ring" => '\u{30a}',
                "caron" => '\u{30c}',
                _ => return None,
            };
            return Some(format!("{letter}{mark}"));
        }
    };
    Some(plain.to_owned())
}

/// Undoes `=41`, and `=` before a line break.
fn undo_quoted_printable(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    let mut any = false;
    while let Some((first, behind)) = rest.split_first() {
        let undone = match first {
            b'=' if behind.starts_with(b"\r\n") => Some((None, 2)),
            b'=' if behind.starts_with(b"\n") => Some((None, 1)),
            b'=' => behind
                .get(..2)
                .and_then(hex_byte)
                .map(|byte| (Some(byte), 2)),
            _ => None,
        };
        match undone {
            Some((byte, length)) => {
                any = true;
                bytes.extend(byte);
                rest = &behind[length..];
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    any.then(|| to_text(&bytes))
}

/// Decodes each run of an alphabet from its character `offset`: a run may start inside a word.
/// Drops what is not text.
fn undo_runs(
    text: &str,
    offset: usize,
    shortest: usize,
    is_digit: fn(char) -> bool,
    decode: fn(&[u8]) -> Vec<u8>,
) -> Option<String> {
    let mut decoded = String::new();
    for run in text.split(|c| !is_digit(c)) {
        // Shorter runs cannot hold an id or token.
        let Some(run) = run.get(offset..).filter(|run| run.len() >= shortest) else {
            continue;
        };
        for chunk in decode(run.as_bytes()).utf8_chunks() {
            if chunk.valid().len() >= 3 {
                decoded.push_str(chunk.valid());
            }
            decoded.push('\n');
        }
    }
    let is_any = decoded.contains(|c| c != '\n');
    is_any.then_some(decoded)
}

fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_')
}

/// Base64 in either alphabet. An incomplete end gives its complete bytes.
fn decode_base64(run: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(run.len() / 4 * 3 + 2);
    let (mut bits, mut count) = (0_u32, 0);
    for digit in run {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' | b'-' => 62,
            _ => 63,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    bytes
}

fn decode_hex(run: &[u8]) -> Vec<u8> {
    run.chunks_exact(2).filter_map(hex_byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn can_be_read_as(text: &str, wanted: &str) -> bool {
        any_reading(text, &|reading| reading.contains(wanted)).unwrap()
    }

    #[test]
    fn each_encoding_is_undone_and_one_in_the_other() {
        for text in [
            "no user-17 here",
            "no user%2D17",
            "no user%252D17",
            r"no user\u002d17",
            r"no user\\u002d17",
            r"no \x75ser-17",
            r"no \u{75}ser-17",
            "no %u0075ser-17",
            "no user&#45;17",
            "no user&#x2D;17",
            "no user&hyphen;17",
            "no user&amp;hyphen;17",
            "no user=2D17",
            "no us=\r\ner-17",
            "no dXNlci0xNw== here",
            "no dXNlci0xNw here",
            "xdXNlci0xNw",
            "no 757365722d3137",
            "no 757365722D3137",
            "no f757365722D3137",
            // Base64 of base64, of percent-encoding and of hex.
            "ZFhObGNpMHhOdz09",
            "dXNlciUyRDE3",
            "NzU3MzY1NzIyZDMxMzc=",
            "%64XNlci0xNw",
            "d\u{200b}XN\u{1}lci0x Nw",
        ] {
            assert!(can_be_read_as(text, "user-17"), "{text}");
        }
        assert!(can_be_read_as(r"\ud83d\ude00", "😀"));
        assert!(can_be_read_as("%DC%FC", "Üü"));
        assert!(can_be_read_as("%C3%9C", "Ü"));
        assert!(can_be_read_as("&Uuml;", "U\u{308}"));
        assert!(!can_be_read_as("no user-18 here", "user-17"));
    }

    #[test]
    fn no_words_break_it() {
        for text in [
            "",
            "%",
            "\\",
            "&",
            "=",
            "%4",
            "\\u12",
            "\\u{",
            "&#;",
            "&#99999999;",
            "%é",
        ] {
            assert!(!can_be_read_as(text, "user-17"), "{text}");
        }
    }
}
