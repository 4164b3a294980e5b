use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretBox};
use sha2::Sha256;

use crate::domain::random_bytes;
use crate::domain::text::hex::{from_hex, to_hex};

/// The input of the fingerprint. It is never an id, since an id holds no NUL.
const FINGERPRINT_OF: &[u8] = b"dsr ledger key\0fingerprint";

/// The secret key that hashes people once their ids are gone. Keep it apart from the ledger: with
/// both, anyone can guess who is in the ledger.
pub struct LedgerKey(SecretBox<[u8; LedgerKey::BYTES]>);

impl LedgerKey {
    pub const BYTES: usize = 32;

    /// A new key.
    pub fn random() -> Self {
        Self::restore(random_bytes())
    }

    /// A stored key.
    pub fn restore(bytes: [u8; Self::BYTES]) -> Self {
        Self(SecretBox::new(Box::new(bytes)))
    }

    /// Reads 64 hex digits; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        from_hex(text).map(Self::restore)
    }

    /// The key itself, for the keyring and its own file only.
    pub fn expose(&self) -> &[u8; Self::BYTES] {
        self.0.expose_secret()
    }

    /// Sets up the hash once for many ids.
    pub fn hasher(&self) -> PersonHasher {
        let keyed = Hmac::new_from_slice(self.expose());
        PersonHasher(keyed.expect("an HMAC takes any key"))
    }

    /// 16 hex digits that identify the key and reveal nothing of it.
    pub fn fingerprint(&self) -> String {
        let bytes = self.hasher().digest(FINGERPRINT_OF);
        to_hex(&bytes[..8])
    }
}

impl fmt::Debug for LedgerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LedgerKey")
    }
}

/// Makes the hashes of people under one key.
#[derive(Clone)]
pub struct PersonHasher(Hmac<Sha256>);

impl PersonHasher {
    /// The hash of the person with this id.
    pub fn hash(&self, id: &str) -> PersonHash {
        self.hash_bytes(id.as_bytes())
    }

    /// The hash of what is not an id, or not text.
    pub fn hash_bytes(&self, bytes: &[u8]) -> PersonHash {
        let digest = self.digest(bytes);
        let mut bytes = [0; PersonHash::BYTES];
        bytes.copy_from_slice(&digest[..PersonHash::BYTES]);
        PersonHash(bytes)
    }

    fn digest(&self, bytes: &[u8]) -> [u8; 32] {
        let mut keyed = self.0.clone();
        keyed.update(bytes);
        keyed.finalize().into_bytes().into()
    }
}

impl fmt::Debug for PersonHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonHasher")
    }
}

/// A person in the ledger without the id: the first half of an HMAC-SHA-256 of the id's bytes.
///
/// RFC 2104, section 5, asks for at least half of the hash and at least 80 bits; this is 128.
/// Without the key nobody can tell or guess an id. Among ten million people two share a hash with a
/// chance under 1 in 10²⁴.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PersonHash([u8; PersonHash::BYTES]);

impl PersonHash {
    pub const BYTES: usize = 16;

    /// A stored hash.
    pub fn restore(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// All 32 lower-case hex digits.
    pub fn hex(&self) -> String {
        to_hex(&self.0)
    }

    /// The first 8 hex digits, for the screen.
    pub fn short(&self) -> String {
        to_hex(&self.0[..4])
    }
}

impl fmt::Debug for PersonHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PersonHash({})", self.short())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> LedgerKey {
        LedgerKey::restore([byte; 32])
    }

    #[test]
    fn a_person_is_the_first_half_of_an_hmac_of_their_id() {
        // RFC 4231, test case 2, cut. HMAC pads its shorter key with zeros.
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(b"Jefe");
        let hash = LedgerKey::restore(bytes)
            .hasher()
            .hash("what do ya want for nothing?");
        assert_eq!(hash.hex(), "5bdcc146bf60754e6a042426089575c7");
        assert_eq!(hash.short(), "5bdcc146");
        assert_eq!(PersonHash::restore(*hash.as_bytes()), hash);
    }

    #[test]
    fn each_key_makes_other_hashes_and_has_another_fingerprint() {
        let (one, other) = (key(1), key(2));
        assert_eq!(one.hasher().hash("a"), key(1).hasher().hash("a"));
        assert_ne!(one.hasher().hash("a"), other.hasher().hash("a"));
        assert_ne!(one.hasher().hash("a"), one.hasher().hash("A"));
        assert_ne!(one.fingerprint(), other.fingerprint());
        assert_eq!(one.fingerprint().len(), 16);
        assert_ne!(
            LedgerKey::random().fingerprint(),
            LedgerKey::random().fingerprint()
        );
    }

    #[test]
    fn a_key_is_read_from_64_hex_digits_and_nothing_else() {
        let text = "0a".repeat(32);
        assert_eq!(LedgerKey::parse(&text).unwrap().expose(), &[10; 32]);
        assert_eq!(
            LedgerKey::parse(&text.to_uppercase()).unwrap().expose(),
            &[10; 32]
        );
        for bad in ["", "0a", &text[1..], &format!("{text}0"), &"g0".repeat(32)] {
            assert!(LedgerKey::parse(bad).is_none(), "{bad}");
        }
        assert!(LedgerKey::parse(&"ä".repeat(32)).is_none());
    }

    #[test]
    fn neither_key_nor_person_shows_itself() {
        let key = LedgerKey::restore([0xab; 32]);
        let hash = key.hasher().hash("alice@example.test");
        let shown = format!("{key:?} {:?} {hash:?}", key.hasher());
        assert_eq!(
            shown,
            format!("LedgerKey PersonHasher PersonHash({})", hash.short())
        );
    }
}
