//! What the export says of its people: ids, and values of profiles. Finds them in kept values,
//! however they are spelled.

use std::collections::{BTreeSet, HashMap, HashSet};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::domain::id_form::{in_lower_case, in_one_form};
use crate::domain::{id_names, to_hex};
use crate::packages::record::naming;
use crate::packages::sanitize::finding::{FindingSet, ReviewFinding};
use crate::packages::sanitize::record::{is_device, without_mark};

/// More profile values than the people of one request have; the rest is not searched for.
pub(crate) const MOST_VALUES: usize = 200_000;
/// Bytes by which needles are found.
const START: usize = 4;
/// Shorter texts are searched for as whole words only.
const WORD_BYTES: usize = 8;
/// Shorter texts are in too many others by chance, once they are encoded.
const ENCODED_BYTES: usize = 6;
/// Digits of the shortest phone number.
const PHONE_DIGITS: usize = 7;
/// Characters of the shortest encoded form.
const SHORTEST_FORM: usize = 8;

#[derive(Default)]
pub(crate) struct PersonTexts {
    /// Texts that are searched for in any text, by their first bytes.
    starts: HashMap<[u8; START], AlikeTexts>,
    /// Texts that a value must equal. For each, the folded names of the properties that hold it.
    whole: HashMap<Box<str>, WholeValue>,
    known: HashSet<Box<str>>,
    /// Not all values were taken.
    pub(crate) is_full: bool,
}

/// Texts that begin alike: ids often do, so no search may look at each of them.
#[derive(Default)]
struct AlikeTexts {
    lengths: BTreeSet<usize>,
    needles: HashMap<Box<str>, Needle>,
}

struct Needle {
    finding: ReviewFinding,
    word_only: bool,
}

struct WholeValue {
    finding: ReviewFinding,
    names: Vec<Box<str>>,
}

impl PersonTexts {
    pub(crate) fn add_id(&mut self, id: &str) {
        self.add_text(without_mark(id), ReviewFinding::PersonId);
        if is_device(id) {
            for hash in hashes(id) {
                self.add_needle(&hash, ReviewFinding::PersonId, false);
            }
        }
    }

    /// Adds a value of the person's profile. `name` is its property, which may be a telling one.
    pub(crate) fn add_value(&mut self, (name, is_telling): (&str, bool), value: &str) {
        let letters = value.chars().filter(|c| c.is_alphabetic()).count();
        let digits = value.bytes().filter(u8::is_ascii_digit).count();
        if is_telling && letters + digits > 1 {
            let number: String = value.chars().filter(char::is_ascii_digit).collect();
            // A phone number has many spellings, and may be a number.
            if letters == 0 && digits >= PHONE_DIGITS && number != value {
                self.add_text(&number, ReviewFinding::ProfileValue);
            }
            return self.add_text(value, ReviewFinding::ProfileValue);
        }
        let is_rare = letters > 2 || letters + digits > 4;
        if let Some(value) = searched(value).filter(|_| is_rare) {
            self.add_whole(&value, ReviewFinding::ProfileValue, &folded_name(name));
        }
    }

    fn add_whole(&mut self, value: &str, finding: ReviewFinding, name: &str) {
        self.is_full |= self.whole.len() >= MOST_VALUES;
        if self.is_full {
            return;
        }
        let known = self.whole.entry(value.into());
        let known = known.or_insert_with(|| WholeValue {
            finding,
            names: Vec::new(),
        });
        if !name.is_empty() && !known.names.iter().any(|known| **known == *name) {
            known.names.push(name.into());
        }
    }

    /// Adds a text that no value may contain, with its encoded forms.
    fn add_text(&mut self, text: &str, finding: ReviewFinding) {
        let Some(plain) = searched(text) else {
            return;
        };
        if !self.known.insert(plain.as_str().into()) {
            return;
        }
        if plain.len() < START {
            return self.add_whole(&plain, finding, "");
        }
        self.is_full |= self.known.len() >= MOST_VALUES;
        if self.is_full {
            return;
        }
        // Not all scripts put spaces between words.
        let word_only = plain.len() < WORD_BYTES && plain.is_ascii();
        self.add_needle(&plain, finding, word_only);
        if plain.len() >= ENCODED_BYTES {
            let reversed: String = plain.chars().rev().collect();
            self.add_needle(&reversed, finding, word_only);
            for form in [text, &plain] {
                for encoded in encoded(form) {
                    self.add_needle(&encoded, finding, false);
                }
            }
        }
    }

    fn add_needle(&mut self, text: &str, finding: ReviewFinding, word_only: bool) {
        let Some(start) = text.as_bytes().first_chunk::<START>() else {
            return;
        };
        let alike = self.starts.entry(*start).or_default();
        alike.lengths.insert(text.len());
        let needle = Needle { finding, word_only };
        alike.needles.entry(text.into()).or_insert(needle);
    }

    /// Adds what is in `text`, a value of the property with this folded name.
    pub(crate) fn search(&self, text: &str, folded_name: &str, found: &mut FindingSet) {
        let Some(text) = searched(text) else {
            return found.add(ReviewFinding::Encoded);
        };
        // The operator has decided on a property of the same name.
        let is_other = |whole: &&WholeValue| !whole.names.iter().any(|name| **name == *folded_name);
        if let Some(whole) = self.whole.get(text.trim()).filter(is_other) {
            found.add(whole.finding);
        }
        for (place, window) in text.as_bytes().windows(START).enumerate() {
            let start = window.first_chunk::<START>();
            let Some(alike) = start.and_then(|start| self.starts.get(start)) else {
                continue;
            };
            for length in &alike.lengths {
                let part = text.get(place..place + length);
                let needle = part.and_then(|part| alike.needles.get(part));
                if let Some(needle) = needle
                    && (!needle.word_only || is_word(&text, place, *length))
                {
                    found.add(needle.finding);
                }
            }
        }
    }
}

/// Whether the text around these bytes neither ends nor begins with a letter or a digit.
fn is_word(text: &str, start: usize, length: usize) -> bool {
    let joins = |c: char| c.is_alphanumeric();
    !text[..start].ends_with(joins) && !text[start + length..].starts_with(joins)
}

/// Whether nothing that begins with this byte is to be decoded.
pub(super) fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'%' | b'&' | b'\\')
}

/// Texts in one form: decoded, without invisible characters, in lower case. `None` if it is encoded
/// too often.
fn searched(text: &str) -> Option<String> {
    if text.bytes().all(is_plain) {
        return Some(text.to_ascii_lowercase());
    }
    let decoded = naming::decoded(text).ok()?;
    let formed = in_one_form(decoded.chars());
    let seen = in_lower_case(formed).filter(|c| !c.is_control() || c.is_whitespace());
    Some(seen.collect())
}

/// The hash that is shared in place of an address, as in a text in one form.
fn hashes(text: &str) -> [String; 3] {
    let hash = Sha256::digest(text);
    let base64 = [STANDARD_NO_PAD.encode(hash), URL_SAFE_NO_PAD.encode(hash)];
    let [standard, url_safe] = base64.map(|hash| hash.to_ascii_lowercase());
    [to_hex(&hash), standard, url_safe]
}

/// Hex, hashes, and base64 at each of three positions.
fn encoded(text: &str) -> Vec<String> {
    let mut forms = vec![to_hex(text.as_bytes())];
    forms.extend(hashes(text));
    for shift in 0..3 {
        let shifted = [vec![0; shift], text.as_bytes().to_vec()].concat();
        // Whole groups only: the bytes around it change the others.
        let (from, to) = (if shift == 0 { 0 } else { 4 }, shifted.len() / 3 * 4);
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let encoded = engine.encode(&shifted).to_ascii_lowercase();
            if let Some(form) = encoded.get(from..to).filter(|f| f.len() >= SHORTEST_FORM) {
                forms.push(form.to_owned());
            }
        }
    }
    forms
}

/// Whether a property with this name holds the name, an address, a phone number or an id of a
/// person. Also with a number behind it, and as a plural.
pub(crate) fn is_telling(name: &str) -> bool {
    const NAMES: [&str; 3] = ["name", "displayname", "dob"];
    const ENDS: [&str; 28] = [
        "firstname",
        "lastname",
        "fullname",
        "middlename",
        "givenname",
        "familyname",
        "surname",
        "maidenname",
        "nickname",
        "username",
        "customername",
        "clientname",
        "contactname",
        "recipientname",
        "sendername",
        "holdername",
        "email",
        "phone",
        "phonenumber",
        "mobile",
        "mobilenumber",
        "address",
        "street",
        "birthday",
        "birthdate",
        "dateofbirth",
        "iban",
        "ssn",
    ];
    let folded = id_names::fold(name);
    let one = folded.trim_end_matches(|c: char| c.is_ascii_digit());
    let singular = |plural: &str| one.strip_suffix(plural).unwrap_or(one);
    let is_known = |name: &str| {
        NAMES.contains(&name)
            || ENDS.iter().any(|end| name.ends_with(end))
            || naming::id_field(name).is_some()
            || naming::ties_ids(name)
    };
    [name, &folded, one, singular("s"), singular("es")]
        .into_iter()
        .any(is_known)
}

/// The same for a key inside a value. There, `name` and `alias` are of things as a rule.
pub(crate) fn tells_inside(key: &str) -> bool {
    is_telling(key) && !["name", "displayname", "alias"].contains(&&*id_names::fold(key))
}

/// The name without what Mixpanel puts in front: `$city` and `mp_city` are about the same.
pub(crate) fn folded_name(name: &str) -> String {
    let name = name.strip_prefix('$').unwrap_or(name);
    id_names::fold(name.strip_prefix("mp_").unwrap_or(name))
}
