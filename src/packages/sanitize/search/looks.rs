//! What looks like personal data, whoever it is about.

use std::net::IpAddr;

use crate::packages::sanitize::finding::{FindingSet, ReviewFinding};

/// Digits of a phone number in the international form (ITU-T E.164 allows 15).
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;
/// Shorter numbers are prices, counts and times. An id of a network has 15 or more, a card 16.
const LONG_DIGITS: usize = 15;
/// Digits of a payment card.
const CARD_DIGITS: std::ops::RangeInclusive<usize> = 13..=19;

/// Adds what `text` looks like, or what is in it.
pub(crate) fn add_looks(text: &str, found: &mut FindingSet) {
    let mut digits = 0;
    let mut longest = 0;
    let (mut has_at, mut has_colons, mut has_dots, mut has_query) = (false, 0, 0, false);
    for byte in text.bytes() {
        digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
        longest = longest.max(digits);
        match byte {
            b'@' => has_at = true,
            b':' => has_colons += 1,
            b'.' => has_dots += 1,
            b'?' => has_query = true,
            _ => {}
        }
    }
    if longest >= LONG_DIGITS || longest >= 3 && (has_card(text) || has_iban(text)) {
        found.add(ReviewFinding::LongNumber);
    }
    let is_email = || has_email(text) || has_email_backwards(text);
    if has_at && is_email() {
        found.add(ReviewFinding::Email);
    }
    if longest >= 1 && (has_dots >= 3 || has_colons >= 2) && has_ip_address(text) {
        found.add(ReviewFinding::IpAddress);
    }
    if has_query && has_query_of_address(text) {
        found.add(ReviewFinding::Query);
    }
    if longest >= 2 && (has_phone(text) || has_phone_of_america(text)) {
        found.add(ReviewFinding::Phone);
    }
}

fn has_email(text: &str) -> bool {
    text.match_indices('@').any(|(place, _)| {
        let before = text[..place].chars().next_back();
        let is_local = before.is_some_and(|c| c.is_alphanumeric() || "._%+-\"".contains(c));
        let is_domain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-');
        let rest = &text[place + 1..];
        let domain = &rest[..rest.find(|c| !is_domain(c)).unwrap_or(rest.len())];
        let domain = domain.trim_end_matches(['.', '-']);
        let last = domain.rsplit_once('.').map_or("", |(_, last)| last);
        is_local && last.chars().count() >= 2
    })
}

/// An address that is written from its end: its last letters come first.
fn has_email_backwards(text: &str) -> bool {
    let begins = text.split_once('@').map_or("", |(before, _)| before);
    let word = begins.rsplit(char::is_whitespace).next();
    let first = word.and_then(|word| word.split_once('.'));
    first.is_some_and(|(first, _)| first.chars().all(char::is_alphabetic))
        && has_email(&text.chars().rev().collect::<String>())
}

/// A number of a payment card in groups, as it is printed on the card (ISO/IEC 7812).
fn has_card(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '-');
    text.split(|c| !is_part(c)).any(|run| {
        let run = run.trim_matches([' ', '-']);
        let groups = || run.split([' ', '-']);
        let digits: Vec<u32> = run.chars().filter_map(|c| c.to_digit(10)).collect();
        CARD_DIGITS.contains(&digits.len())
            && groups().all(|group| (3..=7).contains(&group.len()))
            && has_check_digit(&digits)
    })
}

/// The countries with an IBAN, each with its length (ISO 13616, SWIFT's registry).
const IBANS: &str = "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 \
    DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 \
    JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 \
    PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 \
    VA22 VG24 XK20 YE30";

/// A number of a bank account, also in groups, whose check digits fit (ISO 7064, MOD 97-10).
fn has_iban(text: &str) -> bool {
    let begins_word = |place: usize| !text[..place].ends_with(|c: char| c.is_alphanumeric());
    let mut places = text.char_indices().filter(|(_, c)| c.is_ascii_alphabetic());
    places.any(|(place, _)| begins_word(place) && begins_with_iban(&text[place..]))
}

fn begins_with_iban(text: &str) -> bool {
    let country = text
        .get(..2)
        .map(str::to_ascii_uppercase)
        .unwrap_or_default();
    let mut known = IBANS.split_ascii_whitespace();
    let length = known.find_map(|known| known.strip_prefix(&*country)?.parse().ok());
    let (Some(length), 2) = (length, country.len()) else {
        return false;
    };
    let (mut number, mut rest) = (String::new(), text);
    while number.len() < length {
        // One sign between groups.
        let next = rest.strip_prefix([' ', '-']).unwrap_or(rest);
        let Some(c) = next.chars().next().filter(char::is_ascii_alphanumeric) else {
            return false;
        };
        number.push(c);
        rest = &next[1..];
    }
    let (head, own) = number.split_at(4);
    let digits = [own, head].concat().chars().fold(0, |sum, c| {
        let value = c.to_digit(36).unwrap_or_default();
        (sum * if value > 9 { 100 } else { 10 } + value) % 97
    });
    digits == 1 && !rest.starts_with(|c: char| c.is_alphanumeric())
}

/// The Luhn algorithm.
fn has_check_digit(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match place % 2 {
            0 => *digit,
            _ => digit * 2 / 10 + digit * 2 % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}

fn has_ip_address(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_hexdigit() || matches!(c, '.' | ':');
    let words = text.split(|c: char| !c.is_alphanumeric() && !is_part(c));
    words.into_iter().any(|word| {
        let word = word.trim_end_matches(['.', ':']);
        let without_port = word.rsplit_once(':').map_or(word, |(host, _)| host);
        let is_long = word.bytes().filter(|byte| *byte == b':').count() >= 2;
        let v6 = is_long && word.bytes().any(|byte| byte.is_ascii_digit());
        let v4 = |word: &str| word.parse::<std::net::Ipv4Addr>().is_ok();
        v6 && word.parse::<IpAddr>().is_ok() || v4(word) || v4(without_port)
    })
}

/// `https://…?…`, or a path with a query.
fn has_query_of_address(text: &str) -> bool {
    let is_end = |c: char| c.is_whitespace() || matches!(c, '"' | '<' | '>');
    text.split(is_end).any(|word| {
        let query = word.split_once('?');
        query.is_some_and(|(before, query)| {
            let is_address = before.contains("://") || before.starts_with('/');
            !query.is_empty() && (is_address || query.contains('=') && before.contains('/'))
        })
    })
}

/// A number with a `+`, or a text of digits and separators that begins with `0` or `(`.
fn has_phone(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_digit() || " -./()\u{a0}".contains(c);
    let count = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
    let begins = text.match_indices('+').any(|(place, _)| {
        let rest = &text[place + 1..];
        let number = &rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())];
        let is_first = rest.starts_with(|c: char| c.is_ascii_digit() || c == '(');
        let stands_alone = !text[..place].ends_with(|c: char| c.is_alphanumeric());
        is_first && stands_alone && PHONE_DIGITS.contains(&count(number))
    });
    let whole = text.trim();
    let is_number = whole.starts_with(['0', '('])
        && whole.chars().all(is_part)
        && whole.bytes().filter(|byte| *byte == b'.').count() != 1;
    begins || is_number && PHONE_DIGITS.contains(&count(whole))
}

/// `555-123-4567`, `(555) 123-4567` and the like, also behind a 1: three groups, whose first begins
/// with 2 to 9 (North American Numbering Plan).
fn has_phone_of_america(text: &str) -> bool {
    let is_digit = |c: char| c.is_ascii_digit();
    let is_part = |c: char| is_digit(c) || " -.()".contains(c);
    text.split(|c| !is_part(c)).any(|run| {
        let run = run.trim_matches([' ', '-', '.']);
        let run = run
            .strip_prefix('1')
            .map_or(run, |run| run.trim_start_matches([' ', '-', '.']));
        let signs: Vec<&str> = run
            .split(is_digit)
            .filter(|sign| !sign.is_empty())
            .collect();
        let groups: Vec<&str> = run
            .split(|c| !is_digit(c))
            .filter(|g| !g.is_empty())
            .collect();
        let lengths = groups.iter().map(|group| group.len());
        lengths.eq([3, 3, 4])
            && groups[0].starts_with(|c| c > '1')
            && matches!(
                &signs[..],
                ["-", "-"] | [".", "."] | ["(", ") " | ")", "-" | " " | "."]
            )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(text: &str) -> Vec<ReviewFinding> {
        let mut found = FindingSet::default();
        add_looks(text, &mut found);
        found.iter().collect()
    }

    #[test]
    fn personal_data_is_known_by_its_look() {
        for (text, finding) in [
            ("anna@shop.example", ReviewFinding::Email),
            ("write to <anna+x@shop.co.uk>, please", ReviewFinding::Email),
            ("änna@müller.example", ReviewFinding::Email),
            ("+49 151 2345678", ReviewFinding::Phone),
            ("call +4915123456789.", ReviewFinding::Phone),
            ("0151/234 56 78", ReviewFinding::Phone),
            ("(030) 1234-567", ReviewFinding::Phone),
            ("192.0.2.17", ReviewFinding::IpAddress),
            ("from 192.0.2.17:8080, twice", ReviewFinding::IpAddress),
            ("2001:db8::17", ReviewFinding::IpAddress),
            ("2001:db8:0:0:0:0:0:17", ReviewFinding::IpAddress),
            ("12345678901234567890", ReviewFinding::LongNumber),
            ("card 4111111111111111", ReviewFinding::LongNumber),
            ("card 4111 1111 1111 1111", ReviewFinding::LongNumber),
            ("3782-822463-10005", ReviewFinding::LongNumber),
            ("DE89 3704 0044 0532 0130 00", ReviewFinding::LongNumber),
            (
                "pay to GB82 WEST 1234 5698 7654 32.",
                ReviewFinding::LongNumber,
            ),
            ("GB82WEST12345698765432", ReviewFinding::LongNumber),
            ("nl91 abna 0417 1643 00", ReviewFinding::LongNumber),
            ("NO93-8601-1117-947", ReviewFinding::LongNumber),
            ("555-223-4567", ReviewFinding::Phone),
            ("555.123.4567", ReviewFinding::Phone),
            ("call 555-123-4567, now", ReviewFinding::Phone),
            ("1-555-123-4567", ReviewFinding::Phone),
            ("call (555) 123-4567, please", ReviewFinding::Phone),
            ("elpmaxe.pohs@anna", ReviewFinding::Email),
            ("https://shop.example/a?b=c", ReviewFinding::Query),
            ("see /reset?token=x here", ReviewFinding::Query),
        ] {
            assert_eq!(looks(text), [finding], "{text}");
        }
    }

    #[test]
    fn ordinary_values_are_not_personal_data() {
        for text in [
            "",
            "pro",
            "9.99",
            "0.1234567",
            "1700000000",
            "1700000000000",
            "4111 1111 1111 1112",
            "DE89 3704 0044 0532 0130 01",
            "GB82WEST12345698765433",
            "AB12 CDEF 3456",
            "SAVE20WITHCODE2026NOW",
            "123-4567",
            "2026-555-123-4567",
            "part 015-123-4567",
            "1-115-123-4567",
            "555-123-45678",
            "555-1234-567",
            "555-123.4567",
            "555 123 4567 89",
            "800 600 1920",
            "de12 ordinary words follow here",
            "de89370400440532a13000bcdeff0011",
            "2026-11-20T12:30:45.123Z",
            "2026-11-20",
            "12:30:45",
            "std::io::Error",
            "@home",
            "a@b",
            "10.4.2",
            "C++ 2026",
            "1+1234567",
            "https://shop.example/a/b",
            "really?",
            "what? no=yes",
            "DE",
            "5c0f2b3e-1d2c-4b5a-8f6e-7d8c9b0a1f2e",
        ] {
            assert_eq!(looks(text), [], "{text}");
        }
    }
}
