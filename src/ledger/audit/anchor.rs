use std::fmt;
use std::str::FromStr;

/// A head as it was kept elsewhere: `COUNT:HASH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    pub count: u64,
    /// 64 lower-case hex digits.
    pub hash: String,
}

/// Not how a head is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a head is written as its number, `:` and 64 hex digits")]
pub struct AnchorError;

impl FromStr for Anchor {
    type Err = AnchorError;

    fn from_str(text: &str) -> Result<Self, AnchorError> {
        let (count, hash) = text.split_once(':').ok_or(AnchorError)?;
        let count: u64 = count.parse().map_err(|_| AnchorError)?;
        let is_hex = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        match is_hex && count > 0 {
            true => Ok(Self {
                count,
                hash: hash.to_ascii_lowercase(),
            }),
            false => Err(AnchorError),
        }
    }
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.count, self.hash)
    }
}
