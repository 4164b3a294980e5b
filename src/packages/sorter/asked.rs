//! The people of all jobs of a request, and which other ids nearly match theirs.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::value::RawValue;

use crate::domain::DistinctId;
use crate::domain::id_form::{Extent, Folder};
use crate::packages::record::fields_of;

/// The folded forms of the requested ids, without case, decoration, leading zeros and so on.
/// `--exclude` compares ids in the same way.
#[derive(Debug, Default)]
pub(crate) struct AskedForms {
    forms: HashMap<String, Extent>,
    folder: Folder,
}

impl AskedForms {
    pub(crate) fn new<'i>(ids: impl Iterator<Item = &'i DistinctId>) -> Self {
        let mut asked = Self::default();
        for id in ids {
            let forms = &mut asked.forms;
            each_form(&mut asked.folder, id.expose(), |form, extent| {
                let known = forms.entry(form.to_owned()).or_insert(extent);
                if extent == Extent::Whole {
                    *known = extent;
                }
            });
        }
        asked
    }

    /// Whether any id field of a record names one of these people, exactly or nearly.
    pub(crate) fn are_named_in(&mut self, record: &str) -> bool {
        let fields = fields_of(record).unwrap_or_default().0;
        let mut fields = fields.into_iter();
        fields.any(|(name, value)| match &*name {
            "properties" | "$properties" => {
                let inner = serde_json::from_str::<String>(value.get());
                inner.is_ok_and(|inner| self.are_named_in(&inner))
            }
            name => holds_an_id(name) && self.are_in(value),
        })
    }

    fn are_in(&mut self, value: &RawValue) -> bool {
        let text = value.get();
        match text.as_bytes() {
            [b'"', ..] => serde_json::from_str::<Cow<'_, str>>(text).is_ok_and(|id| self.have(&id)),
            [b'[', ..] => {
                let list = serde_json::from_str::<Vec<&RawValue>>(text).unwrap_or_default();
                list.into_iter().any(|inner| self.are_in(inner))
            }
            _ => self.have(text),
        }
    }

    fn have(&mut self, id: &str) -> bool {
        let (forms, mut found) = (&self.forms, false);
        each_form(&mut self.folder, id, |form, extent| {
            // Two ids that share only a part are different people: `Jo Hill` and `Jo Dale`.
            let is_near = |known: &Extent| [*known, extent].contains(&Extent::Whole);
            found |= forms.get(form).is_some_and(is_near);
        });
        found
    }
}

fn each_form(folder: &mut Folder, id: &str, mut hear: impl FnMut(&str, Extent)) {
    folder.fold(id, &mut hear);
    if let Some(number) = number_form(id) {
        hear(&number, Extent::Whole);
    }
}

/// The digits of a number and its power of ten, without rounding: `123`, `123.0` and `1.23e2` are
/// equal.
fn number_form(text: &str) -> Option<String> {
    let (sign, number) = match text.strip_prefix('-') {
        Some(number) => ("-", number),
        None => ("", text),
    };
    let (mantissa, power) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    if whole.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let significant = digits.trim_end_matches('0');
    let zeros = i64::try_from(digits.len() - significant.len()).ok()?;
    let power = power.parse::<i64>().ok()?.checked_add(zeros)?;
    let power = power.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    // No id holds a NUL, so this cannot collide with another form.
    Some(match significant.trim_start_matches('0') {
        "" => "\0".to_owned(),
        significant => format!("\0{sign}{significant}e{power}"),
    })
}

/// Whether SDKs or Mixpanel use this name for an id field, in any spelling.
fn holds_an_id(name: &str) -> bool {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    let name: String = letters.flat_map(char::to_lowercase).collect();
    matches!(
        name.strip_prefix("properties").unwrap_or(&name),
        "distinctid"
            | "distinctids"
            | "userid"
            | "deviceid"
            | "identifiedid"
            | "anonid"
            | "anondistinctid"
            | "alias"
    )
}

#[cfg(test)]
mod tests {
    use super::number_form;

    #[test]
    fn equal_numbers_have_one_form() {
        for same in [
            &["123", "123.0", "1.23e2", "1.23E+2", "0.123e3", "00123"][..],
            &["1000", "1e3", "10.00e2"],
            &["0", "0.0", "0e7", "-0"],
            &["-5", "-5.0"],
        ] {
            for text in same {
                assert!(number_form(text).is_some(), "{text}");
                assert_eq!(number_form(text), number_form(same[0]), "{text}");
            }
        }
        assert_ne!(number_form("5"), number_form("-5"));
        assert_ne!(
            number_form("12345678901234567890123"),
            number_form("12345678901234567890124")
        );
        for text in [
            "",
            ".5",
            "e3",
            "1e",
            "1e3e4",
            "1.2.3",
            "0x10",
            "1 2",
            "1e99999999999999999999",
        ] {
            assert_eq!(number_form(text), None, "{text}");
        }
    }
}
