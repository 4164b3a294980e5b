//! Why Mixpanel refused a record, in words that quote nothing. Mixpanel's own words may quote any
//! value of the record in any spelling, so no part of them leaves this module.

use crate::mixpanel::words::Words;

/// A piece of Mixpanel's words in lower case, and what it means. The first that fits counts. The
/// pieces are from the answers of the OpenAPI description and the import reference.
const KNOWN: [(&str, &str); 12] = [
    (
        "seconds since epoch",
        "the time is not one that Mixpanel takes",
    ),
    ("in the past", "the time is too early"),
    ("in the future", "the time is too late"),
    ("must not be missing", "the field is missing"),
    ("cannot be blank", "the field is empty"),
    ("must not be empty", "the field is empty"),
    ("is required", "the field is missing"),
    ("too long", "it is too long"),
    ("too large", "it is too large"),
    ("exceeds", "it is over a limit"),
    ("failed validation", "records do not have the right form"),
    ("is invalid", "the value does not have the right form"),
];

/// The meaning of Mixpanel's words, if they are known.
pub(super) fn known(said: &str) -> Words {
    let said = said.to_lowercase();
    let found = KNOWN.iter().find(|(piece, _)| said.contains(piece));
    let unknown = "Mixpanel's words are not shown, since they may quote a value";
    Words::ours(found.map_or(unknown, |(_, meaning)| *meaning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_the_words_is_shown() {
        for (said, meaning) in [
            (
                "'properties.time' is invalid: must be specified as seconds since epoch",
                "the time is not one that Mixpanel takes",
            ),
            (
                "primary key is required and cannot be blank",
                "the field is empty",
            ),
            (
                "tel 491701234567 is INVALID",
                "the value does not have the right form",
            ),
            (
                "name M\u{fc}ller",
                "Mixpanel's words are not shown, since they may quote a value",
            ),
        ] {
            assert_eq!(known(said).as_str(), meaning, "{said}");
        }
    }
}
