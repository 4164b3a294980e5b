//! What spreadsheets and scripts make of values: the forms of it, in ASCII.

use std::net::Ipv4Addr;

/// What other programs write where there is no value; Mixpanel's own list is the domain's.
pub(super) const PLACEHOLDERS: [&str; 12] = [
    "nan",
    "NaN",
    "NaT",
    "<NA>",
    "\\N",
    "(null)",
    "<null>",
    "[null]",
    "(none)",
    "(not set)",
    "[object Object]",
    "[object Undefined]",
];

/// `#N/A`, `#REF!`, `#NAME?` and their kin in any language, `Err:502`, and the `###` of a column
/// that was too narrow.
pub(super) fn is_spreadsheet_error(text: &str) -> bool {
    if let Some(number) = text.strip_prefix("Err:") {
        return number.len() == 3 && is_number(number);
    }
    let Some(word) = text.strip_prefix('#') else {
        return false;
    };
    let name = word.strip_suffix(['!', '?']);
    let is_name = |name: &str| {
        let is_part = |byte| matches!(byte, b'A'..=b'Z' | b'/' | b'0' | b'_');
        (2..=20).contains(&name.len()) && name.bytes().all(is_part)
    };
    matches!(word, "N/A" | "NV" | "N/D" | "GETTING_DATA")
        || name.is_some_and(is_name)
        || (word.len() >= 2 && word.bytes().all(|byte| byte == b'#'))
}

/// `="00123"`, `=SUM(A1:A9)`, `=$A$1`: what no system gives out as an id.
pub(super) fn is_formula(text: &str) -> bool {
    let body = text.strip_prefix('=').unwrap_or(text);
    if body.len() > 1 && body.starts_with('"') && body.ends_with('"') {
        return true;
    }
    let rest = body.trim_start_matches(|c: char| c.is_ascii_uppercase() || c == '$' || c == '.');
    let name = body.len() - rest.len();
    let behind = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '$');
    let is_cell = (1..=5).contains(&name)
        && behind.len() < rest.len()
        && (behind.is_empty() || behind.starts_with(['+', '-', '*', '/', '&', ':', '!', ',']));
    (name > 0 && behind.starts_with('(')) || is_cell
}

/// `1.23E+12`, `1,23e+12`, `1.0E9`: at least a fraction or a sign, so `1E5` may be an id.
pub(super) fn is_scientific(text: &str) -> bool {
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

/// `1,234`, `1.234.567`, `12'345'678` and `1 234 567`, each with or without a fraction; one dot
/// alone may part a fraction, and four groups may be an address.
pub(super) fn has_grouped_digits(text: &str) -> bool {
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

/// `1234.0`, as a table of numbers with gaps becomes in pandas.
pub(super) fn has_zero_fraction(text: &str) -> bool {
    let parts = text.split_once(['.', ',']);
    parts.is_some_and(|(whole, fraction)| {
        is_number(whole) && !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0')
    })
}

/// `2024-05-31`, `5/31/24`, `31.05.2024`, `31-May`, `May-24`, the first three also with a time.
pub(super) fn is_date(text: &str) -> bool {
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

/// As spreadsheets write them.
fn is_month(text: &str) -> bool {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    MONTHS.contains(&text)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
