//! Recognizes what spreadsheets and scripts make of numbers and codes.

use std::net::Ipv4Addr;

/// `1.23E+12`, `1,23e+12`, `1.0E9`. Needs a fraction or a sign, because `1E5` may be an id.
pub(crate) fn is_scientific(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let Some((mantissa, exponent)) = unsigned.split_once(['e', 'E']) else {
        return false;
    };
    let (whole, fraction) = match mantissa.split_once(['.', ',']) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    (fraction.is_some() || exponent.starts_with('+'))
        && (1..=3).contains(&whole.len())
        && is_number(whole)
        && fraction.is_none_or(is_number)
        && (1..=3).contains(&digits.len())
        && is_number(digits)
}

/// `1,234`, `1.234.567`, `12'345'678` and `1 234 567`, with or without a fraction. A single dot may
/// be a decimal point, and four groups an IP address.
pub(crate) fn has_grouped_digits(text: &str) -> bool {
    let Some(separator) = text.chars().find(|c| !c.is_ascii_digit() && *c != '-') else {
        return false;
    };
    if !matches!(separator, ',' | '.' | '\'' | ' ') || text.parse::<Ipv4Addr>().is_ok() {
        return false;
    }
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let point = if separator == '.' { ',' } else { '.' };
    let (whole, fraction) = match unsigned.split_once(point) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (unsigned, None),
    };
    let mut groups = whole.split(separator);
    let is_first = |group: &str| (1..=3).contains(&group.len()) && is_number(group);
    let first = groups.next().is_some_and(is_first);
    let lengths: Vec<bool> = groups.map(|g| g.len() == 3 && is_number(g)).collect();
    let least = if separator == ',' { 1 } else { 2 };
    first
        && lengths.len() >= least
        && lengths.into_iter().all(|is_group| is_group)
        && fraction.is_none_or(is_number)
}

/// `1234.0`, which pandas makes of integers in a column with gaps.
pub(crate) fn has_zero_fraction(text: &str) -> bool {
    let parts = text.split_once(['.', ',']);
    parts.is_some_and(|(whole, fraction)| {
        is_number(whole) && !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0')
    })
}

/// `2024-05-31`, `5/31/24`, `31.05.2024`, `31-May`, `May-24`, the first three also with a time.
pub(crate) fn is_date(text: &str) -> bool {
    let date = match text.split_once([' ', 'T']) {
        Some((date, time)) if time.contains(':') => date,
        Some(_) | None => text,
    };
    let Some(separator) = date.chars().find(|c| matches!(c, '-' | '/' | '.')) else {
        return false;
    };
    let within = |part: &str, most: u32| {
        (1..=2).contains(&part.len())
            && is_number(part)
            && part.parse().is_ok_and(|n: u32| (1..=most).contains(&n))
    };
    let is_year = |part: &str| is_number(part) && matches!(part.as_bytes(), [b'1' | b'2', _, _, _]);
    let is_short = |part: &str| is_number(part) && part.len() == 2;
    let mut parts = date.split(separator);
    match [parts.next(), parts.next(), parts.next(), parts.next()] {
        [Some(year), Some(month), Some(day), None] if is_year(year) => {
            within(month, 12) && within(day, 31)
        }
        [Some(day), Some(month), Some(year), None] if is_month(month) => {
            separator == '-' && within(day, 31) && (is_year(year) || is_short(year))
        }
        [Some(one), Some(other), Some(year), None] => {
            (is_year(year) || (separator == '/' && is_short(year)))
                && within(one, 31)
                && within(other, 31)
                && (within(one, 12) || within(other, 12))
        }
        [Some(day), Some(month), None, None] if is_month(month) => {
            separator == '-' && within(day, 31)
        }
        [Some(month), Some(rest), None, None] if is_month(month) => {
            separator == '-' && (is_short(rest) || is_year(rest) || within(rest, 31))
        }
        _ => false,
    }
}

/// The month names that spreadsheets write in common languages.
fn is_month(text: &str) -> bool {
    const MONTHS: &str = "jan feb mar apr may jun jul aug sep sept oct nov dec mär mrz mai okt dez \
        janv févr fév mars avr juin juil août déc ene abr ago dic gen mag giu lug set ott mrt mei \
        fev out maj sty lut kwi cze lip sie wrz paź lis gru";
    let text = text.trim_end_matches('.');
    if text.len() > 5 || text.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let name = text.to_lowercase();
    MONTHS.split(' ').any(|month| month == name)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
