use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};

use siphasher::sip128::SipHasher24;
use uuid::Uuid;

/// Tells ids apart by 128 bits each, under a random key that ends with the process.
///
/// `SipHash` is a pseudo-random function: without the key, nobody can choose two ids with one hash.
/// For n ids the chance of a collision is under n²/2¹²⁹: under 1 in 10²⁴ for ten million, under 1
/// in 10¹⁹ for the 2³² that one reading can hold.
#[derive(Clone)]
pub struct IdHasher(SipHasher24);

impl IdHasher {
    /// A hasher with a new random key.
    pub fn random() -> Self {
        let mut key = [0; 16];
        // Six bits of a UUID are fixed; the second UUID covers them.
        let (first, second) = (Uuid::new_v4(), Uuid::new_v4());
        let halves = first.as_bytes().iter().zip(second.as_bytes().iter().rev());
        for (byte, (one, other)) in key.iter_mut().zip(halves) {
            *byte = one ^ other;
        }
        Self(SipHasher24::new_with_key(&key))
    }

    pub fn hash(&self, id: &[u8]) -> u128 {
        self.0.hash(id).into()
    }
}

impl fmt::Debug for IdHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdHasher")
    }
}

/// A map by the hashes of an [`IdHasher`], which are random already: no second hash is made of them.
pub type HashedMap<V> = HashMap<u128, V, BuildHasherDefault<AsItIs>>;

/// Takes half of a hash as it is.
#[derive(Debug, Default, Clone, Copy)]
pub struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u128(&mut self, hash: u128) {
        self.0 = u64::try_from(hash >> 64).expect("64 bits are left");
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("its keys are hashes of 128 bits");
    }
}

/// A digest of a set of ids, the same in any order and on any machine.
///
/// It is a sum of hashes under a public key. It recognizes that a request repeats the same people.
/// Someone who invents ids can defeat it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IdsDigest {
    sum: u128,
    count: u64,
}

/// The version. Digest 1 was a SHA-256 of the sorted ids.
const DIGEST_KEY: &[u8; 16] = b"dsr ids,digest 2";

impl IdsDigest {
    /// Adds an id. The caller adds each id once.
    pub fn add(&mut self, id: &str) {
        let hash: u128 = SipHasher24::new_with_key(DIGEST_KEY)
            .hash(id.as_bytes())
            .into();
        self.sum = self.sum.wrapping_add(hash);
        self.count += 1;
    }
}

impl fmt::Display for IdsDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}-{}", self.sum, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(ids: &[&str]) -> String {
        let mut digest = IdsDigest::default();
        for id in ids {
            digest.add(id);
        }
        digest.to_string()
    }

    #[test]
    fn a_digest_depends_on_the_set_and_not_on_its_order() {
        assert_eq!(digest(&["a", "b", "c"]), digest(&["c", "a", "b"]));
        assert_ne!(digest(&["a", "b"]), digest(&["a", "c"]));
        assert_ne!(digest(&["a", "b"]), digest(&["ab"]));
        assert_ne!(digest(&["a"]), digest(&["a", "b"]));
    }

    #[test]
    fn a_digest_stays_the_same_from_version_to_version() {
        assert_eq!(
            digest(&["user-17", "Ünï@x.test"]),
            "2e89e70111a4f0a60557b187655f3207-2"
        );
    }

    #[test]
    fn two_hashers_do_not_agree() {
        let (one, other) = (IdHasher::random(), IdHasher::random());
        assert_eq!(one.hash(b"user-17"), one.clone().hash(b"user-17"));
        assert_ne!(one.hash(b"user-17"), other.hash(b"user-17"));
        assert_ne!(one.hash(b"user-17"), one.hash(b"user-18"));
    }
}
