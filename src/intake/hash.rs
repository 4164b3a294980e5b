//! Hashes plain values into the ids a product uses. Shows a value only masked.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use serde::Serialize;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::credentials::HashKey;
use crate::domain::to_hex;

use super::judge::form::{IdKind, ValueForm, is_blank};
use super::place::Place;
use super::warning::{LONG_ID_BYTES, WarningKind};

/// The hash function.
#[derive(Clone)]
pub enum HashWith {
    Sha256,
    Sha1,
    Md5,
    HmacSha256(Box<Hmac<Sha256>>),
}

/// Whether letters are lowercased before hashing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetterCase {
    AsWritten,
    /// By Unicode's rules, like `toLowerCase` in JavaScript and `lower` in Python.
    Lowered,
}

/// How an id is made from a value: the prefix, then the lower-case hex hash of its UTF-8.
#[derive(Clone)]
pub struct Hashing {
    function: HashWith,
    prefix: String,
    case: LetterCase,
}

/// Why values cannot be hashed with these settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashingError {
    #[error("with this prefix ids are longer than {LONG_ID_BYTES} bytes")]
    LongPrefix,
    #[error("the prefix begins with white space, or holds a control character")]
    BlankPrefix,
    #[error("the key cannot be used")]
    Key,
}

impl HashWith {
    /// Sets up HMAC-SHA-256 with `key`.
    ///
    /// # Errors
    /// When the key cannot be used.
    pub fn key(key: &HashKey) -> Result<Self, HashingError> {
        let keyed = Hmac::new_from_slice(key.expose()).map_err(|_| HashingError::Key)?;
        Ok(Self::HmacSha256(Box::new(keyed)))
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha1 => "sha1",
            Self::Md5 => "md5",
            Self::HmacSha256(_) => "hmac-sha256",
        }
    }

    fn digits(&self) -> usize {
        match self {
            Self::Sha256 | Self::HmacSha256(_) => 64,
            Self::Sha1 => 40,
            Self::Md5 => 32,
        }
    }
}

impl Hashing {
    /// Checks the prefix.
    ///
    /// # Errors
    /// When no id can begin with `prefix`, or the ids would be longer than 255 bytes.
    pub fn new(
        function: HashWith,
        prefix: impl Into<String>,
        case: LetterCase,
    ) -> Result<Self, HashingError> {
        let prefix = prefix.into();
        if prefix.len() + function.digits() > LONG_ID_BYTES {
            return Err(HashingError::LongPrefix);
        }
        if prefix.starts_with(is_blank) || prefix.contains(char::is_control) {
            return Err(HashingError::BlankPrefix);
        }
        Ok(Self {
            function,
            prefix,
            case,
        })
    }

    pub(super) fn hash(&self, value: &str) -> String {
        let lowered;
        let value = match self.case {
            LetterCase::AsWritten => value,
            LetterCase::Lowered => {
                lowered = value.to_lowercase();
                &lowered
            }
        };
        let hash = match &self.function {
            HashWith::Sha256 => to_hex(&Sha256::digest(value)),
            HashWith::Sha1 => to_hex(&Sha1::digest(value)),
            HashWith::Md5 => to_hex(&Md5::digest(value)),
            HashWith::HmacSha256(keyed) => {
                let keyed = Hmac::clone(keyed).chain_update(value);
                to_hex(&keyed.finalize().into_bytes())
            }
        };
        format!("{}{hash}", self.prefix)
    }

    /// Warns when `form` is already a hash, or when its letter case makes the hash unreliable.
    pub(super) fn doubts(&self, form: &ValueForm<'_>, tell: &mut dyn FnMut(WarningKind)) {
        let bare = form.text().strip_prefix(self.prefix.as_str());
        let kind = bare.map_or(form.kind, |bare| ValueForm::of(bare).kind);
        match kind {
            IdKind::Hex64 | IdKind::Hex40 => tell(WarningKind::LooksHashed),
            // With the other functions, 32 digits may be a UUID without dashes.
            IdKind::Hex32 if self.function.digits() == 32 => tell(WarningKind::LooksHashed),
            _ => {}
        }
        match self.case {
            LetterCase::AsWritten if kind == IdKind::Email && form.has_capitals() => {
                tell(WarningKind::HashedCapitals);
            }
            LetterCase::Lowered if !form.has_plain_case() => tell(WarningKind::UnicodeCase),
            LetterCase::AsWritten | LetterCase::Lowered => {}
        }
    }

    pub(super) fn describe(&self) -> Hashed {
        Hashed {
            function: self.function.word(),
            prefix: self.prefix.clone(),
            case: self.case,
            example: None,
        }
    }
}

impl fmt::Debug for Hashing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hashing({})", self.function.word())
    }
}

/// How the ids were hashed, for comparison with the ids in Mixpanel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hashed {
    /// The word that `--hash` accepts.
    pub function: &'static str,
    pub prefix: String,
    pub case: LetterCase,
    pub example: Option<HashExample>,
}

/// The first hashed value: enough to find it in the source and check its id, too little to identify
/// the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HashExample {
    pub source: String,
    pub line: Option<u64>,
    /// Masked: `a***e@e***.com`.
    pub value: String,
    /// The prefix and 6 of the hex digits: `5f1d…9c`.
    pub id: String,
}

impl Hashed {
    pub(super) fn show_first(&mut self, place: Place<'_>, value: &str, id: &str) {
        if self.example.is_none() {
            let hash = &id[self.prefix.len()..];
            let shown = format!("{}{}…{}", self.prefix, &hash[..4], &hash[hash.len() - 2..]);
            self.example = Some(HashExample {
                source: place.label.to_owned(),
                line: place.line,
                value: mask(value),
                id: shown,
            });
        }
    }
}

/// Keeps the first letter and, of longer words, the last: `a***e@e***.com`. The number of stars is
/// constant, so it hides the length. A host keeps only a possible top-level domain.
fn mask(value: &str) -> String {
    let Some((local, host)) = value.rsplit_once('@') else {
        return mask_word(value, 8);
    };
    let (domain, end) = host.rsplit_once('.').unwrap_or((host, ""));
    let first = domain.chars().next().map_or(String::new(), String::from);
    let is_top_level = (2..=6).contains(&end.len()) && end.bytes().all(|b| b.is_ascii_lowercase());
    let dot_end = if is_top_level {
        &host[domain.len()..]
    } else {
        ""
    };
    format!("{}@{first}***{dot_end}", mask_word(local, 4))
}

fn mask_word(word: &str, least_for_last: usize) -> String {
    let length = word.chars().count();
    let mut letters = word.chars();
    let first = letters.next().filter(|_| length > 1);
    let last = letters.next_back().filter(|_| length >= least_for_last);
    [first, Some('*'), Some('*'), Some('*'), last]
        .into_iter()
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests;
