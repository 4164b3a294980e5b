//! Held ids: how many of each file were found in the list, and which listed ids are nearly one.
//!
//! An exclusion is byte for byte, so a held id in other letters spares nobody: whoever is nearly
//! held stops everything. Memory grows with the held ids only, and each listed one is looked at
//! once: it is folded only where it is not held exactly.

use std::collections::{HashMap, HashSet};
use std::fmt;

use unicode_normalization::UnicodeNormalization;

use crate::domain::{Exclusion, IdHasher};

use super::judge::form::is_unseen;
use super::place::{At, Place};

mod difference;

/// How many pairs are named; the rest are counted.
const KEPT: usize = 50;
/// How many parts of one value are looked at, so that memory follows the number of held ids.
const MOST_PARTS: usize = 16;

/// The ids of the files that are excluded.
#[derive(Debug)]
pub(crate) struct Held {
    hasher: IdHasher,
    /// By the hash of each id: whether the list has it.
    exact: HashMap<u128, bool>,
    /// By the hash of what is left of an id or of a part of it.
    folded: HashMap<u128, Folded>,
    /// What messages call each file, and the hashes of its ids.
    files: Vec<(String, Vec<u128>)>,
    near: NearIds,
    buffer: Buffer,
}

/// The first held id that is folded so.
#[derive(Debug, Clone)]
struct Folded {
    /// In the file with this number.
    place: At<usize>,
    extent: Extent,
    /// To name the difference by. Empty for a part.
    text: Box<str>,
    form: IdForm,
}

/// Whether a text is the value itself or the hash that was made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IdForm {
    Value,
    Hash,
}

/// Whether all of an id was folded, or what stands between two separators in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    Part,
}

/// Listed ids, each with the held one that it nearly is. Never holds a value.
#[derive(Debug, Default)]
pub struct NearIds {
    kept: Vec<Pair>,
    count: usize,
}

#[derive(Debug)]
struct Pair {
    listed: At<String>,
    held: At<String>,
    /// In what the two differ.
    difference: String,
}

impl Held {
    /// `labels` are those of the excluded files.
    pub(crate) fn new(hasher: IdHasher, labels: Vec<String>) -> Self {
        Self {
            hasher,
            exact: HashMap::new(),
            folded: HashMap::new(),
            files: labels
                .into_iter()
                .map(|label| (label, Vec::new()))
                .collect(),
            near: NearIds::default(),
            buffer: Buffer::default(),
        }
    }

    /// Takes an id of an excluded file: the value, the id that was made of it, and its hash.
    pub(crate) fn take(&mut self, place: At<usize>, texts: [&str; 2], hash: u128) {
        self.files[place.label].1.push(hash);
        if self.exact.insert(hash, false).is_some() {
            return;
        }
        for (text, form) in each_once(texts) {
            self.buffer.fold(text, &mut |folded, extent| {
                let new = || Folded {
                    place,
                    extent,
                    text: match extent {
                        Extent::Whole => text.into(),
                        Extent::Part => "".into(),
                    },
                    form,
                };
                let first = self.folded.entry(self.hasher.hash(folded.as_bytes()));
                let first = first.or_insert_with(new);
                if (first.extent, extent) == (Extent::Part, Extent::Whole) {
                    *first = new();
                }
            });
        }
    }

    /// Looks whether a listed id is a held one, or nearly one that `allowed` does not name.
    pub(crate) fn compare(
        &mut self,
        place: Place<'_>,
        texts: [&str; 2],
        hash: u128,
        allowed: &HashSet<String>,
    ) {
        if let Some(is_found) = self.exact.get_mut(&hash) {
            *is_found = true;
            return;
        }
        let mut near = None;
        for (text, form) in each_once(texts) {
            self.buffer.fold(text, &mut |folded, extent| {
                let held = self.folded.get(&self.hasher.hash(folded.as_bytes()));
                // Two parts that are equal make no two ids of it: `Jo Hill` and `Jo Dale`.
                let is_near = |held: &&Folded| [held.extent, extent].contains(&Extent::Whole);
                let found = held.filter(is_near);
                near = near
                    .take()
                    .or_else(|| found.map(|held| (held, text, form, extent)));
            });
        }
        if let Some((held, text, form, extent)) = near
            && !allowed.contains(texts[0])
        {
            self.near.count += 1;
            if self.near.kept.len() < KEPT {
                let difference = match (held.extent, extent) {
                    (Extent::Whole, Extent::Whole) if held.form != form => {
                        "one is the hash of the other".to_owned()
                    }
                    (Extent::Whole, Extent::Whole) => difference::between(&held.text, text),
                    (Extent::Part, _) | (_, Extent::Part) => {
                        "one line holds several ids".to_owned()
                    }
                };
                self.near.kept.push(Pair {
                    listed: place.labelled(place.label.to_owned()),
                    held: held.place.labelled(self.files[held.place.label].0.clone()),
                    difference,
                });
            }
        }
    }

    /// How many ids each file has and how many of them were found, in the order of the files.
    ///
    /// # Errors
    /// The listed ids that are nearly held ones, if there are any.
    pub(crate) fn finish(self) -> Result<Vec<Exclusion>, NearIds> {
        if self.near.count > 0 {
            return Err(self.near);
        }
        let exclusions = self.files.into_iter().map(|(source, mut ids)| {
            ids.sort_unstable();
            ids.dedup();
            let found = ids.iter().filter(|id| self.exact.get(id) == Some(&true));
            Exclusion {
                source,
                ids: ids.len(),
                found: found.count(),
            }
        });
        Ok(exclusions.collect())
    }
}

/// What is compared: the value, and where it was hashed its hash, too, since one of the two files may
/// list hashes already.
fn each_once([value, id]: [&str; 2]) -> impl Iterator<Item = (&str, IdForm)> {
    let made = (id != value).then_some((id, IdForm::Hash));
    [(value, IdForm::Value)].into_iter().chain(made)
}

impl fmt::Display for NearIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let equal = match self.count {
            1 => "id nearly equals a held id",
            _ => "ids nearly equal held ids",
        };
        write!(
            f,
            "{} listed {equal}, and `--exclude` compares byte for byte",
            self.count
        )?;
        for pair in &self.kept {
            let Pair {
                listed,
                held,
                difference,
            } = pair;
            write!(f, "\n  {listed} and {held}: {difference}")?;
        }
        match self.count - self.kept.len() {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

/// What one value is folded in, used again for the next.
#[derive(Debug, Default)]
struct Buffer {
    letters: String,
    digits: String,
}

/// What stands before an id and is left out where the same id is written elsewhere. A `$` is no
/// letter, so it is gone already.
const PREFIXES: [&str; 3] = ["device:", "mailto:", "urn:uuid:"];

impl Buffer {
    /// Hands out what is left of a text, and of its parts where a list may be inside, when case,
    /// Unicode form, decoration, zeros and prefixes are taken away.
    fn fold(&mut self, text: &str, hear: &mut impl FnMut(&str, Extent)) {
        let Self { letters, digits } = self;
        letters.clear();
        let is_ascii = text.is_ascii();
        if is_ascii {
            letters.push_str(text);
            letters.make_ascii_lowercase();
        } else {
            letters.extend(in_lower_case(in_one_form(text.chars())).nfkc());
        }
        hear(core(letters, digits), Extent::Whole);
        // Without a way out of the loop it runs over many bytes at once; most ids end here.
        let may_separate = |found, byte| found | matches!(byte, b'\t'..=b' ' | b',' | b';');
        if !is_ascii || letters.bytes().fold(false, may_separate) {
            let separates = |c: char| c.is_whitespace() || matches!(c, ',' | ';');
            let is_part = |part: &&str| !part.is_empty() && part.len() < letters.len();
            let parts = letters.split(separates).filter(is_part);
            for part in parts.take(MOST_PARTS) {
                hear(core(part, digits), Extent::Part);
            }
        }
    }
}

/// Without what Unicode writes in several ways, or shows to nobody.
fn in_one_form(text: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
    text.nfkc().filter(|c| !is_unseen(*c)).map(plain_dash)
}

/// Twice, so that `ß`, `ẞ` and `SS` are the same, and each sigma.
fn in_lower_case(text: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
    let lower = text.flat_map(char::to_lowercase);
    let lower = lower.flat_map(char::to_uppercase);
    lower.flat_map(char::to_lowercase)
}

/// What is left inside of what stands around an id. Dashes of a UUID go by way of `digits`.
fn core<'t>(text: &'t str, digits: &'t mut String) -> &'t str {
    let mut core = bare(text);
    if let Some(rest) = behind_number(core) {
        core = bare(rest);
    }
    for prefix in PREFIXES {
        core = core.strip_prefix(prefix).map_or(core, bare);
    }
    if core.is_empty() {
        return text;
    }
    if is_uuid(core) {
        digits.clear();
        digits.extend(core.split('-'));
        return digits;
    }
    without_zeros(core)
}

/// From the first letter or digit to the last: quotes, brackets, bullets and commas are around it.
fn bare(text: &str) -> &str {
    text.trim_matches(|c: char| !c.is_alphanumeric())
}

/// What follows the number of a line in a list, such as `12.` or `12)`.
fn behind_number(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let behind = rest.strip_prefix(['.', ')'])?;
    // `1.5` is a number itself.
    let is_number = behind.starts_with(|c: char| c.is_ascii_digit());
    (rest.len() < text.len() && !is_number).then_some(behind)
}

/// `001` and `1.0` are written for `1`; in other ids a zero means something.
fn without_zeros(text: &str) -> &str {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || !fraction.bytes().all(|byte| byte == b'0') {
        return text;
    }
    match whole.trim_start_matches('0') {
        "" => "0",
        number => number,
    }
}

fn is_uuid(text: &str) -> bool {
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
        Buffer::default().fold(text, &mut |folded, extent| {
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
        ] {
            for text in same {
                assert_eq!(whole(text), whole(same[0]), "{text}");
            }
        }
    }

    #[test]
    fn what_means_another_id_stays() {
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
}
