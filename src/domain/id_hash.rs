use std::fmt;

use siphasher::sip128::SipHasher24;
use uuid::Uuid;

/// Tells ids apart by 128 bits each, under a key that nobody knows and that ends with the process.
///
/// `SipHash` is a pseudo-random function: whoever does not know the key can do no better than chance
/// at finding two ids of one hash, whatever ids they choose. Among n ids the chance is under
/// n²/2¹²⁹: for ten million under 1 in 10²⁴, for all the 2³² that one reading can hold under 1 in
/// 10¹⁹.
#[derive(Clone)]
pub struct IdHasher(SipHasher24);

impl IdHasher {
    /// One with a key from the operating system's random numbers.
    pub fn random() -> Self {
        let mut key = [0; 16];
        // Six bits of a UUID are fixed; a second one covers them.
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

/// A digest of a set of ids: the same in whatever order they come, and from one machine to the next.
///
/// A sum of hashes under a key that is no secret. It recognises that the same people are asked for
/// again; it is no proof against someone who makes up ids in order to mislead it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IdsDigest {
    sum: u128,
    count: u64,
}

/// ASCII for `dsr ids, digest 2`: the one before was a SHA-256 over the sorted ids.
const DIGEST_KEY: &[u8; 16] = b"dsr ids,digest 2";

impl IdsDigest {
    /// Adds an id that was not added before.
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
