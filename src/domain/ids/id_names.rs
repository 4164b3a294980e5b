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
#[inline]
pub fn folds_to(name: &str, folded: &str) -> bool {
    // Each row of a table is asked whether it repeats the heading: most end at their first byte.
    match (name.as_bytes(), folded.as_bytes()) {
        ([first, ..], [wanted, ..]) if first.is_ascii_alphanumeric() => {
            first.eq_ignore_ascii_case(wanted) && folds_wholly_to(name, folded)
        }
        (_, []) => false,
        _ => folds_wholly_to(name, folded),
    }
}

fn folds_wholly_to(name: &str, folded: &str) -> bool {
    let kept = name.chars().filter(|c| c.is_alphanumeric());
    kept.flat_map(char::to_lowercase).eq(folded.chars())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_name_folds_to_what_fold_makes_of_it(
            name in "[$dDéİı_ 1]{0,4}",
            other in "[dé1i]{0,3}",
        ) {
            for folded in [fold(&name), other] {
                let is_it = !folded.is_empty() && fold(&name) == folded;
                prop_assert_eq!(folds_to(&name, &folded), is_it);
            }
        }
    }
}
