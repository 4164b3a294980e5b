//! The names of columns and fields that hold ids.

/// Folded names that hold ids wherever they are.
pub const KNOWN: [&str; 7] = [
    "distinctid",
    "distinctids",
    "userid",
    "mixpaneldistinctid",
    "mpdistinctid",
    "mixpaneluserid",
    "mixpanelid",
];

/// Drops case, white space and punctuation: `$distinct_id`, `Distinct ID` and `distinctId` are
/// equal.
pub fn fold(name: &str) -> String {
    let kept = name.chars().filter(|c| c.is_alphanumeric());
    kept.flat_map(char::to_lowercase).collect()
}

/// Whether [`fold`] makes `folded` of this name; an empty form fits no name.
pub fn folds_to(name: &str, folded: &str) -> bool {
    // Each row of a table is asked whether it repeats the heading, and nearly all are ASCII.
    if name.is_ascii() {
        let kept = name.bytes().filter(u8::is_ascii_alphanumeric);
        let lower = kept.map(|byte| byte.to_ascii_lowercase());
        return !folded.is_empty() && lower.eq(folded.bytes());
    }
    let kept = name.chars().filter(|c| c.is_alphanumeric());
    !folded.is_empty() && kept.flat_map(char::to_lowercase).eq(folded.chars())
}
