//! Values by the folded forms of ids. Most forms that are asked for are not in the map.

use std::collections::hash_map::Entry;

use super::id_form::each_word;
use crate::domain::{HashedMap, IdHasher};

/// The number of bits of a sieve as a power of two: 64 KiB.
const SIEVE_BITS: u32 = 19;

/// A map by folded forms. Keeps only hashes of them.
#[derive(Debug)]
pub struct FormMap<V> {
    hasher: IdHasher,
    forms: HashedMap<V>,
    /// A bit for each form, by a weak hash that takes a fraction of the time. Most absent forms have
    /// no bit.
    sieve: Box<[u64]>,
}

impl<V> FormMap<V> {
    pub fn new(hasher: IdHasher) -> Self {
        Self {
            hasher,
            forms: HashedMap::default(),
            sieve: vec![0; 1 << (SIEVE_BITS - 6)].into(),
        }
    }

    /// How many forms are known.
    pub fn count(&self) -> usize {
        self.forms.len()
    }

    pub fn get(&self, form: &str) -> Option<&V> {
        let (word, bit) = bit_of(form);
        match self.sieve[word] & bit {
            0 => None,
            _ => self.forms.get(&self.hasher.hash(form.as_bytes())),
        }
    }

    /// The place of a form, which the caller fills.
    pub fn entry(&mut self, form: &str) -> Entry<'_, u128, V> {
        let (word, bit) = bit_of(form);
        self.sieve[word] |= bit;
        self.forms.entry(self.hasher.hash(form.as_bytes()))
    }
}

/// The word of the sieve and the bit in it.
fn bit_of(form: &str) -> (usize, u64) {
    /// An odd number without a pattern: the golden ratio.
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut hash = form.len() as u64;
    each_word(form, |word| {
        hash = (hash.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    });
    let place = hash >> (64 - SIEVE_BITS);
    ((place >> 6) as usize, 1 << (place & 63))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_that_was_added_is_found_and_most_others_end_in_the_sieve() {
        let mut map = FormMap::new(IdHasher::random());
        let form = |number: u32| format!("user{number}@example.test");
        for number in 0..10_000 {
            map.entry(&form(number)).insert_entry(number);
        }
        let mut passed = 0;
        for number in 0..20_000 {
            let known = (number < 10_000).then_some(&number);
            assert_eq!(map.get(&form(number)), known);
            let (word, bit) = bit_of(&form(number));
            passed += usize::from(known.is_none() && map.sieve[word] & bit != 0);
        }
        assert!(passed < 1000, "{passed} of 10,000");
        assert_eq!(map.get(""), None);
        assert_eq!(map.count(), 10_000);
    }
}
