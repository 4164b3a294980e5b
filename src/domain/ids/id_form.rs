//! Folds an id to the form that ignores case, Unicode form, surrounding characters and zeros. Two
//! ids with one form may belong to one person.

use unicode_normalization::UnicodeNormalization;

/// The most parts of one value that are folded, so that memory grows with the number of ids.
const MOST_PARTS: usize = 16;

/// Mixpanel cuts longer texts in some places.
const KEPT_BYTES: usize = 255;

/// Whether the whole id was folded, or a part between two separators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    Whole,
    Part,
}

/// Buffers that are used again for each value.
#[derive(Debug, Default)]
pub struct Folder {
    letters: String,
    digits: String,
}

/// Prefixes that other systems put before the same id. Folding has already removed a `$`.
pub const PREFIXES: [&str; 3] = ["device:", "mailto:", "urn:uuid:"];

impl Folder {
    /// The folded text.
    pub fn fold_whole<'t>(&'t mut self, text: &'t str) -> &'t str {
        let letters = in_small_letters(text, &Contents::of(text), &mut self.letters);
        core(letters, &mut self.digits)
    }

    /// Passes the folded text to `hear`, then its folded parts if it may hold a list.
    pub fn fold(&mut self, text: &str, hear: &mut impl FnMut(&str, Extent)) {
        let Self { letters, digits } = self;
        let has = Contents::of(text);
        let letters = in_small_letters(text, &has, letters);
        hear(core(letters, digits), Extent::Whole);
        // Most ids end here.
        if has.beyond_ascii || has.separators {
            let separates = |c: char| c.is_whitespace() || matches!(c, ',' | ';');
            let is_part = |part: &&str| !part.is_empty() && part.len() < letters.len();
            let parts = letters.split(separates).filter(is_part);
            for part in parts.take(MOST_PARTS) {
                hear(core(part, digits), Extent::Part);
            }
        }
    }

    /// The same for an id in what Mixpanel delivers. A program may also have cut it off, read it as
    /// a number, or shown it in letters that look alike.
    pub fn fold_delivered(&mut self, text: &str, hear: &mut impl FnMut(&str, Extent)) {
        self.fold(text, hear);
        if text.len() > KEPT_BYTES {
            let ends = (0..=KEPT_BYTES)
                .rev()
                .find(|end| text.is_char_boundary(*end));
            hear(self.fold_whole(&text[..ends.unwrap_or(0)]), Extent::Whole);
        }
        if !text.is_ascii() {
            hear(self.fold_whole(&in_plain_letters(text)), Extent::Whole);
        }
        if let Some(number) = number_form(text) {
            hear(&number, Extent::Whole);
        }
    }
}

/// The text in one form and in lower case. Most ids need no copy in `buffer`.
fn in_small_letters<'t>(text: &'t str, has: &Contents, buffer: &'t mut String) -> &'t str {
    if !has.beyond_ascii && !has.upper_case {
        return text;
    }
    buffer.clear();
    if has.beyond_ascii {
        buffer.extend(in_lower_case(in_one_form(text.chars())).nfkc());
    } else {
        buffer.push_str(text);
        buffer.make_ascii_lowercase();
    }
    buffer
}

/// What a text has, found eight bytes at a time: each value of large files is folded.
struct Contents {
    beyond_ascii: bool,
    /// Letters that [`str::make_ascii_lowercase`] changes, if all is ASCII.
    upper_case: bool,
    /// Bytes that may separate parts, if all is ASCII.
    separators: bool,
}

impl Contents {
    fn of(text: &str) -> Self {
        const EACH: u64 = 0x0101_0101_0101_0101;
        const TOPS: u64 = 0x80 * EACH;
        let (mut beyond_ascii, mut upper_case, mut separators) = (0, 0, 0);
        each_word(text, |word| {
            let low = word & !TOPS;
            // Both set the top bit of the bytes that fit, and carry nothing to the next byte.
            let is_from = |least: u8| low + u64::from(0x80 - least) * EACH;
            let is = |byte: u8| TOPS - (low ^ (u64::from(byte) * EACH));
            beyond_ascii |= word;
            upper_case |= is_from(b'A') & !is_from(b'Z' + 1);
            separators |= !is_from(b' ' + 1) | is(b',') | is(b';');
        });
        Self {
            beyond_ascii: beyond_ascii & TOPS != 0,
            upper_case: upper_case & TOPS != 0,
            separators: separators & TOPS != 0,
        }
    }
}

/// Passes eight bytes at a time, and the last eight, which may overlap with the others. A shorter
/// text ends in `a`.
#[inline(always)]
pub(super) fn each_word(text: &str, mut hear: impl FnMut(u64)) {
    let bytes = text.as_bytes();
    let last = bytes.last_chunk().copied().unwrap_or_else(|| {
        let mut short = [b'a'; 8];
        short[..bytes.len()].copy_from_slice(bytes);
        short
    });
    let (words, _) = bytes.as_chunks();
    for word in words.iter().chain([&last]) {
        hear(u64::from_le_bytes(*word));
    }
}

/// The nearest double, which all spellings of a number have in common: `123`, `123.0` and `1.23e2`,
/// or a long number before and after it was rounded.
fn number_form(text: &str) -> Option<String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = digits.starts_with(|c: char| c.is_ascii_digit());
    let number = text.parse::<f64>().ok()?;
    // No id holds a NUL, so this cannot collide with another form. `-0.0` becomes `0.0`.
    (is_number && number.is_finite()).then(|| format!("\0{:e}", number + 0.0))
}

/// Each letter beyond ASCII as the ASCII letter that looks like it, if there is one.
fn in_plain_letters(text: &str) -> String {
    let lower = in_lower_case(in_one_form(text.chars()));
    let mut plain = String::with_capacity(text.len());
    for c in lower {
        match c.is_ascii() {
            true => plain.push(c),
            false => plain.extend(unicode_security::skeleton(c.encode_utf8(&mut [0; 4]))),
        }
    }
    plain
}

/// Invisible characters that come with copied text and mean nothing at the end of an id.
pub fn is_waste(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// All invisible characters: also joiners, variation selectors and tags.
pub fn is_unseen(c: char) -> bool {
    is_waste(c)
        || matches!(c, '\u{34f}' | '\u{200c}' | '\u{200d}' | '\u{206a}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}')
}

/// NFKC, without invisible characters, with plain dashes.
pub fn in_one_form(text: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
    text.nfkc().filter(|c| !is_unseen(*c)).map(plain_dash)
}

/// Lower case by way of upper case, so that `ß`, `ẞ` and `SS` are equal, and all sigmas. Without the
/// dot that the lower case of `İ` has above its own.
pub fn in_lower_case(text: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
    let lower = text.flat_map(char::to_lowercase);
    let lower = lower.flat_map(char::to_uppercase);
    lower
        .flat_map(char::to_lowercase)
        .filter(|c| *c != '\u{307}')
}

/// The id inside its surroundings. `digits` is the buffer for a UUID without its dashes.
fn core<'t>(text: &'t str, digits: &'t mut String) -> &'t str {
    let mut core = bare(text);
    if let Some(rest) = behind_number(core) {
        core = bare(rest);
    }
    for prefix in PREFIXES {
        // Looks at one byte before it compares all.
        if core.as_bytes().get(prefix.len() - 1) == Some(&b':') {
            core = core.strip_prefix(prefix).map_or(core, bare);
        }
    }
    if core.is_empty() {
        // Only punctuation.
        return match text.trim() {
            "" => text,
            trimmed => trimmed,
        };
    }
    if is_uuid(core) {
        digits.clear();
        digits.extend(core.split('-'));
        return digits;
    }
    without_zeros(core)
}

/// The forms of a text that programs usually make: without outer white space, composed (NFC), in
/// lower case.
pub fn usual_forms(text: &str) -> [String; 3] {
    let trimmed = text.trim().to_owned();
    let composed: String = trimmed.nfc().collect();
    let lower = composed.to_lowercase();
    [trimmed, composed, lower]
}

/// From the first letter or digit to the last: drops quotes, brackets, bullets and commas.
pub fn bare(text: &str) -> &str {
    match text.as_bytes() {
        [first, .., last] if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() => text,
        _ => text.trim_matches(|c: char| !c.is_alphanumeric()),
    }
}

/// The text after a list number such as `12.` or `12)`.
pub fn behind_number(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let behind = rest.strip_prefix(['.', ')'])?;
    // `1.5` is a number itself.
    let is_number = behind.starts_with(|c: char| c.is_ascii_digit());
    (rest.len() < text.len() && !is_number).then_some(behind)
}

/// `001` and `1.0` become `1`. Zeros of ids that are not numbers stay.
fn without_zeros(text: &str) -> &str {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return text;
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = whole.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || !fraction.bytes().all(|byte| byte == b'0') {
        return text;
    }
    match whole.trim_start_matches('0') {
        "" => "0",
        number => number,
    }
}

pub fn is_uuid(text: &str) -> bool {
    let is_dash = |place| matches!(place, 8 | 13 | 18 | 23);
    let fits = |(place, byte): (usize, u8)| match is_dash(place) {
        true => byte == b'-',
        false => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.bytes().enumerate().all(fits)
}

fn plain_dash(c: char) -> char {
    match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' => '-',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> Vec<(String, Extent)> {
        let mut all = Vec::new();
        Folder::default().fold(text, &mut |folded, extent| {
            all.push((folded.to_owned(), extent));
        });
        all
    }

    fn whole(text: &str) -> String {
        folded(text).remove(0).0
    }

    #[test]
    fn what_people_and_programs_change_is_folded_away() {
        for same in [
            &[
                "user-17",
                "User-17",
                " user-17\t",
                "“USER-17”",
                "- user-17",
                "• user-17",
            ][..],
            &[
                "user-17",
                "1. user-17",
                "12) User-17",
                "{user-17},",
                "| user-17 |",
                "'user-17",
            ],
            &[
                "user-17",
                "\u{feff}user-17",
                "u\u{ad}ser\u{2011}17",
                "ｕｓｅｒ－17",
                "<user-17>",
            ],
            &[
                "zoë@x.test",
                "zoe\u{308}@X.test",
                "mailto:ZOË@x.test",
                "\"zoë@x.test\";",
            ],
            &["straße", "STRASSE", "STRAẞE", "strasse"],
            &["ὀδυσσεύς", "ὈΔΥΣΣΕΎΣ"],
            &["i@x.test", "I@x.test", "İ@x.test", "ı@x.test"],
            &["1001", "001001", "1001.0", "1001.000", "0001001.0", "'1001"],
            &["0", "000", "0.0"],
            &[
                "1b4e28ba2fa111d2883f0016d3cca427",
                "1B4E28BA-2FA1-11D2-883F-0016D3CCA427",
            ],
            &[
                "1b4e28ba2fa111d2883f0016d3cca427",
                "{1B4E28BA-2FA1-11D2-883F-0016D3CCA427}",
            ],
            &[
                "1b4e28ba2fa111d2883f0016d3cca427",
                "$device:1b4e28ba-2fa1-11d2-883f-0016d3cca427",
            ],
            &["abc", "$device:abc", "$Device:ABC"],
            &["--", " --\t", "\u{2014}-", "\u{ff0d}\u{ff0d}"],
        ] {
            for text in same {
                assert_eq!(whole(text), whole(same[0]), "{text}");
            }
        }
    }

    #[test]
    fn a_different_id_keeps_its_own_form() {
        let texts = [
            "user-17", "user17", "user-1", "user-017", "1001", "1001.5", "1.5", "5", "10.10",
            "a.0", "auth0|1", "auth0|2", "v1.2", "zoe", "zoë", "---", "***", "a@x.test",
            "b@x.test",
        ];
        for (place, one) in texts.iter().enumerate() {
            for other in &texts[..place] {
                assert_ne!(whole(one), whole(other), "{one} {other}");
            }
        }
    }

    #[test]
    fn what_a_text_has_is_found_at_every_place() {
        let characters = (0..=0x7f_u8).map(char::from).chain(['\u{80}', 'é', '😀']);
        for (c, place) in characters.flat_map(|c| (0..20).map(move |place| (c, place))) {
            let text = format!("{}{c}{}", "z".repeat(place), "@".repeat(19 - place));
            let has = Contents::of(&text);
            assert_eq!(has.beyond_ascii, !c.is_ascii(), "{text:?}");
            if c.is_ascii() {
                assert_eq!(has.upper_case, c.is_ascii_uppercase(), "{text:?}");
                let separates = c <= ' ' || matches!(c, ',' | ';');
                assert_eq!(has.separators, separates, "{text:?}");
            }
        }
    }

    #[test]
    fn several_ids_in_one_value_are_folded_one_by_one() {
        let parts = |text| {
            let all = folded(text).into_iter();
            let parts = all.filter(|(_, extent)| *extent == Extent::Part);
            parts.map(|(text, _)| text).collect::<Vec<_>>()
        };
        assert_eq!(parts("A@x.test;b@x.test"), ["a@x.test", "b@x.test"]);
        assert_eq!(parts("7 ids: {a},  [b]"), ["7", "ids", "a", "b"]);
        assert_eq!(parts("auth0|5f7c8e"), [""; 0]);
    }

    #[test]
    fn a_number_has_one_form_however_it_is_written_or_rounded() {
        for same in [
            &["123", "123.0", "1.23e2", "1.23E+2", "0.123e3", "00123"][..],
            &["1000", "1e3", "10.00e2"],
            &["0", "0.0", "0e7", "-0"],
            &["-5", "-5.0"],
            &[
                "12345678901234567",
                "12345678901234568",
                "1.2345678901234568e16",
            ],
            &["12345678901234567890123", "12345678901234567890124"],
        ] {
            for text in same {
                assert!(number_form(text).is_some(), "{text}");
                assert_eq!(number_form(text), number_form(same[0]), "{text}");
            }
        }
        assert_ne!(number_form("5"), number_form("-5"));
        assert_ne!(
            number_form("9007199254740990"),
            number_form("9007199254740991")
        );
        for text in [
            "", ".5", "e3", "1e", "1e3e4", "1.2.3", "0x10", "1 2", "1e999", "inf", "NaN",
        ] {
            assert_eq!(number_form(text), None, "{text}");
        }
    }

    #[test]
    fn letters_that_look_alike_are_one_form() {
        assert_eq!(in_plain_letters("\u{430}nn\u{430}"), "anna");
        assert_eq!(in_plain_letters("\u{391}nna"), "anna");
        assert_eq!(in_plain_letters("user-1l0O"), "user-1l0o");
    }
}
