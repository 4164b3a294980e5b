use std::fmt;

use serde::{Serialize, Serializer};

use crate::domain::text::hex::{from_hex, to_hex};

/// Identifies a plan file: SHA-256 of the file without its approvals.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PlanDigest([u8; PlanDigest::BYTES]);

impl PlanDigest {
    pub const BYTES: usize = 32;
    /// Hex digits that people compare; programs compare all of them.
    const SHORT: usize = 16;

    pub fn new(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// Reads 64 lower-case hex digits; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let digest = Self(from_hex(text)?);
        (digest.to_string() == text).then_some(digest)
    }

    pub fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// The first 16 hex digits.
    pub fn short(&self) -> String {
        to_hex(&self.0[..Self::SHORT / 2])
    }
}

impl fmt::Display for PlanDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

impl Serialize for PlanDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Debug for PlanDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PlanDigest({})", self.short())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_64_small_hex_digits_and_nothing_else() {
        let digest = PlanDigest::new([0xab; 32]);
        assert_eq!(digest.to_string(), "ab".repeat(32));
        assert_eq!(digest.short(), "ab".repeat(8));
        assert_eq!(PlanDigest::parse(&"ab".repeat(32)), Some(digest));
        for bad in ["", &"AB".repeat(32), &"ab".repeat(31), &"g0".repeat(32)] {
            assert_eq!(PlanDigest::parse(bad), None, "{bad}");
        }
    }
}
