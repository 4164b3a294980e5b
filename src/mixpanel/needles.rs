//! Looks for ids and tokens in a text, however each of the two is written.

use std::collections::{BTreeSet, HashSet};

use unicode_normalization::UnicodeNormalization;

use crate::domain::DistinctId;

use super::spelling::{TooMany, any_reading, is_unseen};

/// A part of so many letters gives away what it is a part of.
const TELLING: usize = 12;
/// The most letters of an id that are compared.
const COMPARED: usize = 48;

/// A text as it is compared: its letters and digits in one case and without marks. What stands
/// between them is left out, so that nothing put between hides anything.
struct Letters {
    letters: Vec<char>,
    /// Of each letter, and of the end, whether a word may begin or end before it.
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
            // Scripts such as Japanese have no gaps between words.
            let joins = |other: &char| other.is_ascii() && c.is_ascii();
            is_edge.push(after_gap || !letters.last().is_some_and(joins));
            letters.push(c);
            after_gap = false;
        }
        is_edge.push(true);
        Self { letters, is_edge }
    }
}

/// What is looked for, by hashes of its letters.
#[derive(Default)]
pub(super) struct Needles {
    /// Found anywhere.
    parts: HashSet<u64>,
    part_lengths: BTreeSet<usize>,
    /// Found only between the edges of words.
    wholes: HashSet<u64>,
    whole_lengths: BTreeSet<usize>,
}

impl Needles {
    /// Any telling part of it.
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

    /// The whole of it, and of a longer one three quarters from either end.
    ///
    /// Nothing is looked for that would be found in ordinary words and names nobody by itself: one
    /// or two letters, a number of three digits, and [`ORDINARY`] words.
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

    /// A long one as a whole, a short one where it is all there is.
    pub(super) fn add_exactly(&mut self, id: &DistinctId) {
        let letters = Letters::of(id.expose()).letters;
        match letters.len() {
            0 => {}
            1..TELLING => self.add_whole(&letters),
            _ => self.add_part(&letters),
        }
    }

    /// Whether any reading of the text has any of them.
    pub(super) fn are_in(&self, text: &str) -> Result<bool, TooMany> {
        self.find(text, Self::have_whole_in)
    }

    /// The same, where short ones count only if they are all of a reading.
    pub(super) fn are_all_of(&self, text: &str) -> Result<bool, TooMany> {
        self.find(text, Self::are_whole)
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

/// Hashes of all beginnings of a text, from which that of any part follows at once. A part that has
/// another's hash by chance is withheld without need, no more.
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

    /// Of each part of this length: where it begins, and its hash.
    fn windows(&self, length: usize) -> impl Iterator<Item = (usize, u64)> {
        let starts = 0..self.sums.len().saturating_sub(length);
        starts.map(move |start| {
            let before = self.sums[start].wrapping_mul(self.powers[length]);
            (start, self.sums[start + length].wrapping_sub(before))
        })
    }
}

/// Words of API messages, as [`Letters`] has them. An id that is one of them names nobody.
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
