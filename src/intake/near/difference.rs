//! Words for the difference between a listed id and a held id that it nearly equals. Never shows a
//! value.

use crate::domain::id_form::{PREFIXES, bare, behind_number, in_lower_case, in_one_form, is_uuid};

/// The parts of a value that folding removes, and the core that is left.
struct ValueParts {
    around: [String; 2],
    has_number: bool,
    prefixes: Vec<&'static str>,
    has_dashes: bool,
    leading_zeros: usize,
    zeros_behind: usize,
    core: String,
}

impl ValueParts {
    fn of(text: &str) -> Self {
        let mut core = bare(text);
        let (before, behind) = text.split_once(core).unwrap_or_default();
        let mut around = [before, behind].map(str::to_owned);
        let in_list = behind_number(core);
        core = in_list.map_or(core, bare);
        let mut prefixes = Vec::new();
        for prefix in PREFIXES {
            let start = core.get(..prefix.len());
            if start.is_some_and(|start| start.eq_ignore_ascii_case(prefix)) {
                core = bare(&core[prefix.len()..]);
                prefixes.push(prefix);
            }
        }
        if prefixes.contains(&"device:") && around[0].ends_with('$') {
            around[0].pop();
        }
        let (whole, fraction) = core.split_once('.').unwrap_or((core, ""));
        let is_number = !whole.is_empty()
            && whole.bytes().all(|byte| byte.is_ascii_digit())
            && fraction.bytes().all(|byte| byte == b'0');
        let number = whole.trim_start_matches('0');
        let has_dashes = is_uuid(core);
        Self {
            around,
            has_number: in_list.is_some(),
            prefixes,
            has_dashes,
            leading_zeros: if is_number {
                whole.len() - number.len()
            } else {
                0
            },
            zeros_behind: if is_number { fraction.len() } else { 0 },
            core: match (is_number, has_dashes) {
                (true, _) => number.to_owned(),
                (false, true) => core.replace('-', ""),
                (false, false) => core.to_owned(),
            },
        }
    }
}

/// For example ``one has `$device:` in front; differ in case``.
pub(super) fn between(held: &str, listed: &str) -> String {
    let texts = [held, listed];
    let formed = texts.map(|text| in_one_form(text.chars()).collect::<String>());
    let lowered = texts.map(|text| in_lower_case(text.chars()).collect::<String>());
    let [one, other] = formed.each_ref().map(|text| ValueParts::of(text));
    let [lower, other_lower] = lowered.map(|text| ValueParts::of(&text).core);
    let mut words = Vec::new();
    for prefix in PREFIXES {
        if one.prefixes.contains(&prefix) != other.prefixes.contains(&prefix) {
            // The `$` before `device:` is not part of the prefix constant.
            let sign = if prefix == "device:" { "$" } else { "" };
            words.push(format!("one has `{sign}{prefix}` in front"));
        }
    }
    if one.has_number != other.has_number {
        words.push("one has a list number in front".to_owned());
    }
    let mut differ_in = Vec::new();
    for (differs, what) in [
        (one.leading_zeros != other.leading_zeros, "leading zeros"),
        (
            one.zeros_behind != other.zeros_behind,
            "zeros after the point",
        ),
        (one.has_dashes != other.has_dashes, "the dashes of a UUID"),
        (one.around != other.around, "the characters around them"),
        (one.core != other.core, "case"),
        (formed != texts && lower != other_lower, "Unicode form"),
    ] {
        if differs {
            differ_in.push(what);
        }
    }
    if words.is_empty() && differ_in.is_empty() {
        // The case of a prefix, or an invisible character around the id.
        differ_in.push(match formed == texts {
            true => "case",
            false => "Unicode form",
        });
    }
    if !differ_in.is_empty() {
        words.push(format!("differ in {}", differ_in.join(", ")));
    }
    words.join("; ")
}

#[cfg(test)]
mod tests {
    use super::between;

    #[test]
    fn what_no_listed_id_can_have_is_named_too() {
        assert_eq!(between("99.0", "99"), "differ in zeros after the point");
        assert_eq!(between("$Device:ab", "$device:ab"), "differ in case");
        assert_eq!(between("\u{feff}ab", "ab"), "differ in Unicode form");
        assert_eq!(
            between("u\u{200b}ser17", "user17"),
            "differ in Unicode form"
        );
        assert_eq!(between("12. ab", "ab"), "one has a list number in front");
        assert_eq!(between("mailto:ab", "ab"), "one has `mailto:` in front");
        assert_eq!(between("straße", "STRASSE"), "differ in case");
        assert_eq!(
            between("０１7", "17"),
            "differ in leading zeros, Unicode form"
        );
        assert_eq!(
            between("\"001\"", "1"),
            "differ in leading zeros, the characters around them"
        );
    }
}
