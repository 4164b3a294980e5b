//! Searches a text for ids and tokens, in any spelling of either.

use std::collections::{BTreeSet, HashSet};

use unicode_normalization::UnicodeNormalization;

use crate::domain::DistinctId;

use super::spelling::{TooMany, any_reading, is_unseen};

/// A part of this many letters reveals the whole.
const TELLING: usize = 12;
/// The most letters of an id to compare.
const COMPARED: usize = 48;

/// A text for comparison: its letters and digits in one case, without marks. Other characters are
/// dropped, so that inserting them hides nothing.
struct Letters {
    letters: Vec<char>,
    /// For each letter and the end: whether a word may begin or end before it.
    is_edge: Vec<bool>,
}

impl Letters {
    fn of(text: &str) -> Self {
        let mut letters: Vec<char> = Vec::with_capacity(text.len());
        let mut is_edge = Vec::with_capacity(text.len() + 1);
        let mut after_gap = true;
        let lower = text
            .nfkd()
            .flat_map(char::to_uppercase)
            .flat_map(char::to_lowercase);
        for c in lower {
            if is_unseen(c) || c.is_ascii_punctuation() || c == char::REPLACEMENT_CHARACTER {
                after_gap = true;
                continue;
            }
            // Scripts such as Japanese have no spaces between words.
            let joins = |other: &char| other.is_ascii() && c.is_ascii();
            is_edge.push(after_gap || !letters.last().is_some_and(joins));
            letters.push(c);
            after_gap = false;
        }
        is_edge.push(true);
        Self { letters, is_edge }
    }
}

/// What to search for, as hashes of letters.
#[derive(Default)]
pub(super) struct Needles {
    /// Match anywhere.
    parts: HashSet<u64>,
    part_lengths: BTreeSet<usize>,
    /// Match only at the edges of words.
    wholes: HashSet<u64>,
    whole_lengths: BTreeSet<usize>,
}

impl Needles {
    /// Adds every revealing part of a secret.
    pub(super) fn add_secret(&mut self, secret: &str) {
        let letters = Letters::of(secret).letters;
        match letters.len() {
            0..4 => {}
            4..TELLING => self.add_whole(&letters),
            _ => letters
                .windows(TELLING)
                .for_each(|part| self.add_part(part)),
        }
    }

    /// Adds the whole id, and of a longer id three quarters from either end. Skips ids that
    /// ordinary text contains and that name no one: one or two letters, three-digit numbers, and
    /// [`ORDINARY`] words.
    pub(super) fn add_id(&mut self, id: &DistinctId) {
        let letters = Letters::of(id.expose()).letters;
        let is_number = letters.iter().all(char::is_ascii_digit);
        let word: String = letters.iter().take(TELLING).collect();
        match letters.len() {
            0..3 => {}
            3 if is_number => {}
            3..TELLING if ORDINARY.split_whitespace().any(|one| one == word) => {}
            3..TELLING => self.add_whole(&letters),
            length => {
                let part = (length * 3).div_ceil(4).max(length.min(16)).min(COMPARED);
                self.add_part(&letters[..part]);
                self.add_part(&letters[length - part..]);
            }
        }
    }

    fn add_part(&mut self, letters: &[char]) {
        self.parts.insert(Hashes::of(letters).whole());
        self.part_lengths.insert(letters.len());
    }

    fn add_whole(&mut self, letters: &[char]) {
        self.wholes.insert(Hashes::of(letters).whole());
        self.whole_lengths.insert(letters.len());
    }

    /// Adds a long id as a whole; a short id must be a whole reading.
    pub(super) fn add_exactly(&mut self, id: &DistinctId) {
        let letters = Letters::of(id.expose()).letters;
        match letters.len() {
            0 => {}
            1..TELLING => self.add_whole(&letters),
            _ => self.add_part(&letters),
        }
    }

    /// Whether any reading of the text contains any of them.
    pub(super) fn are_in(&self, text: &str) -> Result<bool, TooMany> {
        self.find(text, Self::have_whole_in)
    }

    /// The same, but a short id must be the whole reading.
    pub(super) fn are_all_of(&self, text: &str) -> Result<bool, TooMany> {
        self.find(text, Self::are_whole)
    }

    /// The same for a text that is not encoded.
    pub(super) fn are_all_of_plain(&self, text: &str) -> bool {
        let letters = Letters::of(text);
        self.have_part_in(&letters) || self.are_whole(&letters)
    }

    fn find(&self, text: &str, has_whole: fn(&Self, &Letters) -> bool) -> Result<bool, TooMany> {
        if self.parts.is_empty() && self.wholes.is_empty() {
            return Ok(false);
        }
        any_reading(text, &|reading| {
            let letters = Letters::of(reading);
            self.have_part_in(&letters) || has_whole(self, &letters)
        })
    }

    fn have_part_in(&self, text: &Letters) -> bool {
        let hashes = Hashes::of(&text.letters);
        let is_part = |(_, hash)| self.parts.contains(&hash);
        let mut lengths = self.part_lengths.iter();
        lengths.any(|length| hashes.windows(*length).any(is_part))
    }

    fn have_whole_in(&self, text: &Letters) -> bool {
        let hashes = Hashes::of(&text.letters);
        let mut lengths = self.whole_lengths.iter();
        lengths.any(|length| {
            hashes.windows(*length).any(|(start, hash)| {
                text.is_edge[start] && text.is_edge[start + length] && self.wholes.contains(&hash)
            })
        })
    }

    fn are_whole(&self, text: &Letters) -> bool {
        self.wholes.contains(&Hashes::of(&text.letters).whole())
    }
}

/// Hashes of all prefixes of a text, which give the hash of any part at once. A chance match only
/// withholds a message needlessly.
struct Hashes {
    sums: Vec<u64>,
    powers: Vec<u64>,
}

impl Hashes {
    const BASE: u64 = 0x9e37_79b9_7f4a_7c15;

    fn of(letters: &[char]) -> Self {
        let (mut sums, mut powers) = (vec![0_u64], vec![1_u64]);
        for (place, c) in letters.iter().enumerate() {
            let code = u64::from(u32::from(*c)) + 1;
            sums.push(sums[place].wrapping_mul(Self::BASE).wrapping_add(code));
            powers.push(powers[place].wrapping_mul(Self::BASE));
        }
        Self { sums, powers }
    }

    fn whole(&self) -> u64 {
        self.sums.last().copied().unwrap_or_default()
    }

    /// The start and hash of each part of this length.
    fn windows(&self, length: usize) -> impl Iterator<Item = (usize, u64)> {
        let starts = 0..self.sums.len().saturating_sub(length);
        starts.map(move |start| {
            let before = self.sums[start].wrapping_mul(self.powers[length]);
            (start, self.sums[start + length].wrapping_sub(before))
        })
    }
}

/// Words of API messages, folded like [`Letters`]. An id that is one of them names no one.
const ORDINARY: &str = "
    access account active allowed already and any anonymous api are array bad batch been
    body both call cannot ccpa code conflict contain contains count data delete deleted deletion
    device digits disclosure distinct distinctid distinctids does down each email empty error exceed
    exceeds exist exists expired export fail failed false field fields for forbidden format found from
    gateway gdpr get given guest has have header html http https identity ids internal invalid its
    json key large later length like limit list long many max maximum message method missing
    mixpanel more must name names nil none not null number object only parameter per please post
    profile project query quota rate reason region request requests required result results retrieval
    retry running send server service should size started status string success support task tasks
    than that the their then there this time title token tokens too true try type undefined unique
    unknown url use used user userid users valid value values wait was were with wrong yes you your
";
