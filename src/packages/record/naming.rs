//! Finds fields and texts that name a person, however they are written.

use std::borrow::Cow;

use crate::domain::id_form::{in_one_form, is_unseen};
use crate::domain::id_names;

/// How often a text is decoded, for example if it is percent-encoded twice.
const MOST_ROUNDS: usize = 16;

/// The text is encoded too deeply, or names somebody where nothing can be cut out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unsure;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdField {
    Person,
    User,
    Device,
    Several,
}

/// Fields with a `$` in front. `distinct_id` has many spellings, so it is not in this list.
const FIELDS: [(&str, IdField); 5] = [
    ("$user_id", IdField::User),
    ("$identified_id", IdField::User),
    ("$device_id", IdField::Device),
    ("$anon_id", IdField::Device),
    ("$anon_distinct_id", IdField::Device),
];

/// The longest key that can name an id, in characters.
const LONGEST_KEY: usize = 40;

/// Fields, folded, that hold another id of the same person.
const TIES: [&str; 9] = [
    "deviceid",
    "identifiedid",
    "anonid",
    "anondistinctid",
    "distinctids",
    "distinctidbeforeidentity",
    "alias",
    "email",
    "phone",
];

/// The id that a key or a heading with this name holds, if it holds one. Without a `$`, `device_id`
/// and the like are often about something else.
pub(crate) fn id_field(name: &str) -> Option<IdField> {
    let lower = in_one_form(name.trim().chars()).collect::<String>();
    let lower = lower.to_ascii_lowercase();
    let folded = id_names::fold(&lower);
    if let Some(place) = lower.rfind("distinct") {
        let (before, own) = lower.split_at(place);
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '$' | '_' | '-' | '.');
        let field = beginning_field(own).filter(|(_, length)| *length == own.len());
        if let Some((field, _)) = field.filter(|_| before.chars().all(is_name)) {
            let is_device = folded == "anondistinctid";
            return Some(if is_device { IdField::Device } else { field });
        }
    }
    let listed = FIELDS.into_iter().find(|(known, _)| *known == lower);
    let known = || match &*folded {
        "userid" => Some(IdField::User),
        known => id_names::KNOWN.contains(&known).then_some(IdField::Person),
    };
    listed.map(|(_, field)| field).or_else(known)
}

/// Whether a field with this name ties the record to an id, beside its `distinct_id`.
pub(crate) fn ties_ids(name: &str) -> bool {
    let [.., first, last] = name.as_bytes() else {
        return false;
    };
    // Rules out most names.
    let end = [first, last].map(u8::to_ascii_lowercase);
    matches!(&end, b"id" | b"ds" | b"ty" | b"as" | b"il" | b"ne") && {
        let folded = id_names::fold(name);
        let folded = folded.strip_prefix("properties").unwrap_or(&folded);
        let is_known = id_names::KNOWN.contains(&folded) && folded != "distinctid";
        is_known || TIES.contains(&folded)
    }
}

/// Whether `lower` begins with `distinct_id` in any spelling, and the length of that name.
fn beginning_field(lower: &str) -> Option<(IdField, usize)> {
    let rest = lower.strip_prefix("distinct")?;
    let rest = rest.strip_prefix(['_', ' ', '-']).unwrap_or(rest);
    let rest = rest.strip_prefix("id")?;
    let (field, rest) = match rest.strip_prefix('s') {
        Some(rest) => (IdField::Several, rest),
        None => (IdField::Person, rest),
    };
    Some((field, lower.len() - rest.len()))
}

/// Whether a text or a JSON text mentions a field of an id.
pub(crate) fn names_a_field(text: &str) -> bool {
    may_name_a_field(text.as_bytes())
        && decoded(text).map_or(true, |text| !fields_in(&text).is_empty())
}

/// Whether a name contains a field of an id but is not one itself.
pub(crate) fn names_more_than_a_field(name: &str) -> bool {
    names_a_field(name) && id_field(name).is_none()
}

/// A quick check that rules out most values.
fn may_name_a_field(text: &[u8]) -> bool {
    text.iter().enumerate().any(|(place, byte)| match byte {
        b'%' | b'&' | b'\\' | 0x80.. => true,
        b'i' | b'I' => {
            let rest = &text[place..];
            let is_distinct = rest.len() >= 7 && rest[..7].eq_ignore_ascii_case(b"istinct");
            // `user_id`, `user id`, `userId` and `mixpanelId`.
            let before = place.checked_sub(1).map(|place| text[place]);
            let may_end = matches!(before, Some(b'_' | b'-' | b' ' | b'r' | b'R' | b'l' | b'L'));
            is_distinct || may_end && matches!(rest.get(1), Some(b'd' | b'D'))
        }
        _ => false,
    })
}

/// Whether every id after a field name in `text` is one that `own` gives for that field. Fails when
/// the text is encoded too often to be sure.
pub(crate) fn names_only<'i>(
    text: &str,
    own: impl Fn(IdField) -> Vec<&'i str>,
) -> Result<bool, Unsure> {
    let text = decoded(text)?;
    for (field, rest) in fields_in(&text) {
        let is_empty = !rest.contains(char::is_alphanumeric);
        if is_empty {
            continue;
        }
        let mut own = own(field).into_iter();
        if !own.any(|id| decoded(id).is_ok_and(|id| begins_with_id(rest, &id))) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The fields that a decoded text names, each with the text after it.
fn fields_in(text: &str) -> Vec<(IdField, &str)> {
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    let distinct = lower.match_indices("distinct").filter_map(|(place, _)| {
        let (field, length) = beginning_field(&lower[place..])?;
        Some((field, place + length))
    });
    found.extend(distinct);
    for (name, field) in FIELDS {
        let places = lower.match_indices(name);
        found.extend(places.map(|(place, _)| (field, place + name.len())));
    }
    let rest = found.into_iter().map(|(field, end)| (field, &text[end..]));
    // `distinct_id_before_identity` is another name.
    let goes_on = |c: char| c.is_alphanumeric() || c == '_';
    rest.filter(|(_, rest)| !rest.starts_with(goes_on))
        .chain(keys_in(text))
        .collect()
}

/// The keys in quotes that name an id. Without quotes, only the names above do: `user_id=4711` is in
/// many addresses.
fn keys_in(text: &str) -> impl Iterator<Item = (IdField, &str)> {
    text.match_indices(['"', '\''])
        .filter_map(|(place, quote)| {
            let inside = &text[place + 1..];
            let mut near = inside.char_indices().take(LONGEST_KEY + 1);
            let (end, _) = near.find(|(_, c)| quote.starts_with(*c))?;
            let behind = &inside[end + 1..];
            let is_key = behind.trim_start().starts_with(':');
            Some((id_field(&inside[..end]).filter(|_| is_key)?, behind))
        })
}

/// Whether the first word of `rest` is exactly this id, and no list of several ids begins there.
fn begins_with_id(rest: &str, id: &str) -> bool {
    let stands_before = |c: char| c.is_whitespace() || "\"'`:=,;>|([{&#".contains(c);
    let mut rest = rest;
    loop {
        if let Some(behind) = rest.strip_prefix(id)
            && (behind.is_empty() || behind.starts_with(ends_word))
        {
            return !lists_another(behind, id);
        }
        match rest.chars().next() {
            Some(first) if stands_before(first) => rest = &rest[first.len_utf8()..],
            Some(_) | None => return false,
        }
    }
}

fn ends_word(c: char) -> bool {
    c.is_whitespace() || "\"'`,;&|<>()[]{}".contains(c)
}

/// Whether another word follows the id in a list, as in `anna,bob`, that is not the name of a field.
fn lists_another(behind: &str, id: &str) -> bool {
    let is_around = |c: char| c.is_whitespace() || "\"'`".contains(c);
    let Some(next) = behind
        .trim_start_matches(is_around)
        .strip_prefix([',', ';', '|'])
    else {
        return false;
    };
    let next = next.trim_start_matches(is_around);
    let end = next.find(|c| ends_word(c) || "=:".contains(c));
    let (word, behind) = next.split_at(end.unwrap_or(next.len()));
    let is_device = next.starts_with("$device:");
    let is_key = behind.trim_start_matches(is_around).starts_with(['=', ':']);
    let is_field = beginning_field(&next.to_ascii_lowercase()).is_some();
    match word {
        "" => false,
        _ if is_device => true,
        _ if is_key || is_field => false,
        word => word != id || lists_another(behind, id),
    }
}

/// The text without escapes, percent encoding, entities and invisible characters.
pub(crate) fn decoded(text: &str) -> Result<Cow<'_, str>, Unsure> {
    let mut text = Cow::Borrowed(text);
    for _ in 0..MOST_ROUNDS {
        match decode_once(&text) {
            Some(next) => text = Cow::Owned(next),
            None => return Ok(text),
        }
    }
    Err(Unsure)
}

/// `None` if there is nothing to decode.
fn decode_once(text: &str) -> Option<String> {
    let is_plain = |c: char| !matches!(c, '%' | '&' | '\\') && !is_unseen(c);
    let mut left = Vec::with_capacity(text.len());
    let formed = (!text.is_ascii()).then(|| in_one_form(text.chars()).collect::<String>());
    let mut rest = formed.as_deref().unwrap_or(text);
    let mut is_changed = rest != text;
    while !rest.is_empty() {
        let plain = rest.find(|c| !is_plain(c)).unwrap_or(rest.len());
        left.extend_from_slice(&rest.as_bytes()[..plain]);
        rest = &rest[plain..];
        let Some(first) = rest.chars().next() else {
            break;
        };
        let token = match first {
            '%' => percent(rest),
            '&' => entity(rest),
            '\\' => Some(escape(rest)),
            _ => Some((Vec::new(), first.len_utf8())),
        };
        match token {
            Some((bytes, length)) => {
                is_changed = true;
                left.extend(bytes);
                rest = &rest[length..];
            }
            None => {
                left.push(first as u8);
                rest = &rest[1..];
            }
        }
    }
    is_changed.then(|| String::from_utf8_lossy(&left).into_owned())
}

/// The decoded bytes of a text's beginning, and how long the encoded beginning is.
type Token = (Vec<u8>, usize);

fn percent(text: &str) -> Option<Token> {
    let digits = text.get(1..3)?;
    Some((vec![hex(digits)?.try_into().ok()?], 3))
}

fn entity(text: &str) -> Option<Token> {
    if let Some(number) = text.strip_prefix("&#") {
        return numeric_entity(number);
    }
    let end = text.bytes().take(12).position(|byte| byte == b';')?;
    let name = &text[1..end];
    let sign = match name {
        "quot" => '"',
        "apos" => '\'',
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "nbsp" => ' ',
        "commat" => '@',
        "period" => '.',
        "dollar" => '$',
        "lowbar" => '_',
        _ => return None,
    };
    Some((sign.to_string().into_bytes(), end + 1))
}

/// Decodes what is behind `&#`. Browsers do not need the `;` at its end.
fn numeric_entity(number: &str) -> Option<Token> {
    let of_hex = number.strip_prefix(['x', 'X']);
    let (digits, radix) = of_hex.map_or((number, 10), |digits| (digits, 16));
    let is_digit = |c: char| c.is_digit(radix);
    let end = digits.find(|c| !is_digit(c)).unwrap_or(digits.len());
    let sign = char::from_u32(u32::from_str_radix(&digits[..end], radix).ok()?)?;
    let is_ended = digits[end..].starts_with(';');
    let before = "&#".len() + number.len() - digits.len();
    Some((
        sign.to_string().into_bytes(),
        before + end + usize::from(is_ended),
    ))
}

/// Decodes a backslash and the next character.
fn escape(text: &str) -> Token {
    let of_hex = |digits: usize| {
        let number = hex(text.get(2..2 + digits)?)?;
        let sign = char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER);
        Some((sign.to_string().into_bytes(), 2 + digits))
    };
    let braced = || {
        let end = text.bytes().take(12).position(|byte| byte == b'}')?;
        let digits = text[..end].strip_prefix("\\u{")?;
        let sign = char::from_u32(hex(digits)?)?;
        Some((sign.to_string().into_bytes(), end + 1))
    };
    let plain = (Vec::new(), 1);
    match text.as_bytes().get(1) {
        Some(b'u') => of_hex(4).or_else(braced).unwrap_or(plain),
        Some(b'x') => of_hex(2).unwrap_or(plain),
        Some(b'n' | b'r' | b't') => (b"\n".to_vec(), 2),
        Some(b'\\') => (b"\\".to_vec(), 2),
        _ => plain,
    }
}

fn hex(digits: &str) -> Option<u32> {
    let are_digits = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u32::from_str_radix(digits, 16).ok().filter(|_| are_digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_known_however_people_write_it() {
        for name in [
            "distinct_id",
            "$distinct_id",
            "Distinct ID",
            "distinctId",
            " DISTINCT-ID ",
        ] {
            assert_eq!(id_field(name), Some(IdField::Person), "{name}");
        }
        assert_eq!(id_field("$User_Id"), Some(IdField::User));
        assert_eq!(id_field("$device_id"), Some(IdField::Device));
        assert_eq!(id_field("$distinct_ids"), Some(IdField::Several));
        assert_eq!(id_field("$anon_distinct_id"), Some(IdField::Device));
        assert_eq!(id_field("user_id"), Some(IdField::User));
        assert_eq!(id_field("userId"), Some(IdField::User));
        for name in [
            "ref_distinct_id",
            "mp_distinct_id",
            "mixpanelId",
            "\u{ff44}istinct_id",
        ] {
            assert_eq!(id_field(name), Some(IdField::Person), "{name}");
        }
        for name in [
            "",
            "$",
            "order_user_id",
            "device_id",
            "distinct",
            "distinct_id_2",
            "a distinct_id",
            "id",
        ] {
            assert_eq!(id_field(name), None, "{name}");
        }
    }

    #[test]
    fn an_id_that_follows_is_own_only_where_it_is_whole() {
        let only = |text: &str, id: &'static str| names_only(text, |_| vec![id]);
        for (text, id) in [
            ("distinct_id: 17, plan: x", "17"),
            ("distinct_id=17,'17'", "17"),
            ("distinct_id=>$device:a", "$device:a"),
            ("distinct_id=-5", "-5"),
            ("%24distinct_id%3Da%2520b", "a%20b"),
            ("distinct_id 17; Distinct ID 17", "17"),
            ("no name of it, 18", "17"),
        ] {
            assert_eq!(only(text, id), Ok(true), "{text}");
        }
        for (text, id) in [
            ("distinct_id: 17.5", "17"),
            ("distinct_id: -17", "17"),
            ("distinct_id: x17", "17"),
            ("distinct_id: 17 distinct_id: 18", "17"),
            ("distinct_id is missing", "17"),
            ("distinct_id: 17, x", "17"),
            ("distinct_id=17|18", "17"),
            ("distinct_id=[\"17\", \"18\"]", "17"),
            ("distinct_id=17,$device:18", "17"),
            ("{\"user_id\":18", "17"),
        ] {
            assert_eq!(only(text, id), Ok(false), "{text}");
        }
        assert_eq!(only(&format!("%{}41", "25".repeat(20)), "17"), Err(Unsure));
    }
}
