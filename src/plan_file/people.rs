use std::fmt;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::domain::LedgerKey;

/// A keyed digest of a set of ids. It shows only whether two plans are about the same people.
///
/// Under one ledger key the same people have the same digest, in any order. Without the key nobody
/// can test a guess.
#[derive(Clone)]
pub struct PeopleDigest {
    keyed: Hmac<Sha256>,
    sum: u128,
    count: u64,
}

impl PeopleDigest {
    /// The number of hex digits in its text.
    pub(super) const DIGITS: usize = 32;

    pub fn new(key: &LedgerKey) -> Self {
        let mut derived = [0; 32];
        Hkdf::<Sha256>::new(None, key.expose())
            .expand(b"dsr plan: people", &mut derived)
            .expect("HKDF gives 32 bytes");
        let keyed = Hmac::new_from_slice(&derived);
        Self {
            keyed: keyed.expect("an HMAC takes any key"),
            sum: 0,
            count: 0,
        }
    }

    /// Adds an id; each id must be added only once.
    pub fn add(&mut self, id: &str) {
        let hash = self.first_half(&[id.as_bytes()]);
        self.sum = self.sum.wrapping_add(u128::from_be_bytes(hash));
        self.count += 1;
    }

    fn first_half(&self, parts: &[&[u8]]) -> [u8; 16] {
        let mut keyed = self.keyed.clone();
        for part in parts {
            keyed.update(part);
        }
        let whole: [u8; 32] = keyed.finalize().into_bytes().into();
        std::array::from_fn(|place| whole[place])
    }
}

impl fmt::Display for PeopleDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No id begins with NUL, so this input cannot be an id.
        let (sum, count) = (self.sum.to_be_bytes(), self.count.to_be_bytes());
        let digest = self.first_half(&[b"\0", &sum, &count]);
        write!(f, "{:032x}", u128::from_be_bytes(digest))
    }
}

impl fmt::Debug for PeopleDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PeopleDigest")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(key: u8, ids: &[&str]) -> String {
        let mut digest = PeopleDigest::new(&LedgerKey::restore([key; 32]));
        ids.iter().for_each(|id| digest.add(id));
        digest.to_string()
    }

    #[test]
    fn the_same_people_have_one_digest_in_any_order_and_under_one_key_only() {
        let all = digest(1, &["ann", "bob", "cem"]);
        assert_eq!(all, digest(1, &["cem", "ann", "bob"]));
        assert_eq!(all.len(), PeopleDigest::DIGITS);
        for other in [
            digest(2, &["ann", "bob", "cem"]),
            digest(1, &["ann", "bob"]),
            digest(1, &["ann", "bob", "Cem"]),
            digest(1, &["annbob", "cem"]),
            digest(1, &[]),
        ] {
            assert_ne!(all, other);
        }
    }
}
