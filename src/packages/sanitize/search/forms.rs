//! The texts in a text: decoded, and out of base64 and hex, layer by layer.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::needles::is_plain;
use crate::packages::record::naming;

/// Layers of base64 or hex that are taken off.
const MOST_LAYERS: usize = 3;
/// Characters of the shortest base64 that holds an address, and of the shortest hex.
const BASE64_CHARS: usize = 8;
const HEX_CHARS: usize = 12;
/// Characters of the shortest word that is spelled out.
const SPELLED_CHARS: usize = 6;
/// Without padding, and with bits that a sloppy encoder left over.
const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The text is encoded too often to be searched.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooManyLayers;

/// Passes `text` to `take`, then the same decoded, and every text that is in it as base64 or hex.
pub(crate) fn each_form(text: &str, take: &mut dyn FnMut(&str)) -> Result<(), TooManyLayers> {
    each_layer(text, MOST_LAYERS, take)
}

fn each_layer(text: &str, layers: usize, take: &mut dyn FnMut(&str)) -> Result<(), TooManyLayers> {
    take(text);
    let mut decoded = Cow::Borrowed(text);
    if !text.bytes().all(is_plain) {
        decoded = naming::decoded(text).map_err(|_| TooManyLayers)?;
        if decoded != text {
            take(&decoded);
        }
    }
    for joined in spelled_out(&decoded) {
        take(&joined);
    }
    if decoded.len() < BASE64_CHARS {
        return Ok(());
    }
    let mut inner = |token: &str| match unpacked(token) {
        None => Ok(false),
        Some(_) if layers == 0 => Err(TooManyLayers),
        Some(text) => each_layer(&text, layers - 1, take).map(|()| true),
    };
    for joined in parted_hex(&decoded) {
        inner(&joined)?;
    }
    // Base64 in lines is one token; a line of text may be before it.
    for block in decoded.split(|c| !is_packed(c) && !matches!(c, '=' | '\n' | '\r')) {
        let lines: Vec<&str> = block.split_ascii_whitespace().collect();
        if lines.len() > 1 && !inner(lines.concat().trim_end_matches('='))? {
            inner(lines[1..].concat().trim_end_matches('='))?;
        }
    }
    for token in decoded.split(|c| !is_packed(c)) {
        // A path and a list of words have signs of base64 between their parts.
        if !inner(token)? && token.contains(is_sign) {
            for part in token.split(is_sign) {
                inner(part)?;
            }
        }
    }
    if let Some(spaced) = with_spaces(&decoded) {
        take(&spaced);
    }
    Ok(())
}

/// Hex whose bytes stand apart, as in `61:6e:6e:61`.
fn parted_hex(text: &str) -> Vec<String> {
    const SIGNS: [char; 3] = [':', ' ', '-'];
    let bytes = HEX_CHARS / 2;
    if text.matches(SIGNS).take(bytes - 1).count() < bytes - 1 {
        return Vec::new();
    }
    let is_byte = |word: &str| word.len() == 2 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let words: Vec<&str> = text.split(SIGNS).collect();
    let runs = words.split(|word| !is_byte(word));
    let runs = runs.filter(|run| run.len() >= bytes);
    runs.map(<[&str]>::concat).collect()
}

/// The text of a form, where `+` between two words is a space.
fn with_spaces(text: &str) -> Option<String> {
    let is_in = |c: char| c.is_alphanumeric();
    let joins = |(place, _): &(usize, &str)| {
        text[..*place].ends_with(is_in) && text[place + 1..].starts_with(is_in)
    };
    text.match_indices('+').find(joins)?;
    let mut spaced = String::with_capacity(text.len());
    let mut last = 0;
    for (place, _) in text.match_indices('+').filter(joins) {
        spaced.push_str(&text[last..place]);
        spaced.push(' ');
        last = place + 1;
    }
    spaced.push_str(&text[last..]);
    Some(spaced)
}

/// The words whose characters stand apart, as in `a n n a @ x`. Numbers in a row are no word.
fn spelled_out(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split(char::is_whitespace).collect();
    let letters = |word: &str| word.chars().filter(|c| c.is_alphanumeric()).count();
    let is_one = |word: &&str| !word.is_empty() && letters(word) <= 1;
    let runs = words.split(|word| !is_one(word));
    let is_long = |run: &&[&str]| run.len() >= SPELLED_CHARS;
    let joined = runs.filter(is_long).map(<[&str]>::concat);
    joined
        .filter(|word| word.contains(char::is_alphabetic))
        .collect()
}

fn is_sign(c: char) -> bool {
    matches!(c, '+' | '/' | '-' | '_')
}

fn is_packed(c: char) -> bool {
    c.is_ascii_alphanumeric() || is_sign(c)
}

/// The text in base64 or hex; `None` if what comes out is not a text.
fn unpacked(token: &str) -> Option<String> {
    if token.len() < BASE64_CHARS {
        return None;
    }
    let is_hex = |byte: u8| byte.is_ascii_hexdigit();
    let digits = token.strip_prefix("0x").unwrap_or(token);
    if digits.len() >= HEX_CHARS && digits.len().is_multiple_of(2) && digits.bytes().all(is_hex) {
        let pairs = digits.as_bytes().chunks_exact(2);
        let bytes = pairs.map(|pair| {
            let pair = std::str::from_utf8(pair).ok()?;
            u8::from_str_radix(pair, 16).ok()
        });
        if let Some(text) = bytes.collect::<Option<Vec<u8>>>().and_then(as_text) {
            return Some(text);
        }
    }
    let standard = |byte: u8| match byte {
        b'-' => b'+',
        b'_' => b'/',
        byte => byte,
    };
    let mut head = [0; BASE64_CHARS];
    for (to, from) in head.iter_mut().zip(token.bytes()) {
        *to = standard(from);
    }
    // Rules out nearly all words and ids, which are in most values.
    let mut first = [0; BASE64_CHARS];
    let length = ENGINE.decode_slice(head, &mut first).ok()?;
    let first = &first[..length];
    let is_cut = |error: std::str::Utf8Error| error.error_len().is_none();
    if first.iter().any(is_control) || !std::str::from_utf8(first).map_or_else(is_cut, |_| true) {
        return None;
    }
    // One character more than whole groups says nothing.
    let end = token.len() - usize::from(token.len() % 4 == 1);
    let bytes: Vec<u8> = token.bytes().take(end).map(standard).collect();
    ENGINE.decode(bytes).ok().and_then(as_text)
}

fn is_control(byte: &u8) -> bool {
    byte.is_ascii_control() && !byte.is_ascii_whitespace()
}

fn as_text(bytes: Vec<u8>) -> Option<String> {
    let text = String::from_utf8(bytes).ok()?;
    (!text.bytes().any(|byte| is_control(&byte))).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD as BASE64;

    fn forms(text: &str) -> Vec<String> {
        let mut forms = Vec::new();
        let ended = each_form(text, &mut |form| forms.push(form.to_owned()));
        assert_eq!(ended, Ok(()), "{text}");
        forms
    }

    #[test]
    fn three_layers_are_taken_off_and_a_fourth_is_reported() {
        let mut text = "anna@x.example".to_owned();
        for _ in 0..MOST_LAYERS {
            text = BASE64.encode(text);
            assert!(forms(&text).contains(&"anna@x.example".to_owned()));
        }
        let ended = each_form(&BASE64.encode(text), &mut |_| {});
        assert_eq!(ended, Err(TooManyLayers));
    }

    #[test]
    fn ordinary_values_have_one_form() {
        for text in [
            "",
            "pro",
            "checkout_completed",
            "https://shop.example/products/blue-shirt",
            "5c0f2b3e-1d2c-4b5a-8f6e-7d8c9b0a1f2e",
            "1700000000000",
            "5 4 3 2 1 0 5 4 3 2",
            "a plan for all",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
        ] {
            assert_eq!(forms(text), [text]);
        }
    }
}
