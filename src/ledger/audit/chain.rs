//! Computes an entry's hash, byte for byte; docs/design/audit-trail.md says the same for auditors.

use sha2::{Digest, Sha256};

use crate::domain::to_hex;
use crate::ledger::engine::{Row, ValueRef};

/// The first bytes of the hash input, so that no other hash of ours can pass for an entry's.
const MAGIC: &str = "dsr audit 1\n";

/// Replaces the previous hash for the first entry.
pub(crate) const NOTHING_BEFORE: &str =
    "0000000000000000000000000000000000000000000000000000000000000000";

/// The columns of [`Raw`], in hash order, and the hash at the end.
pub(crate) const COLUMNS: &str =
    "seq, at, actor_user, actor_host, command, version, event, request, job, details, hash";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawEntry {
    pub(crate) seq: i64,
    /// RFC 3339 in UTC, with milliseconds.
    pub(crate) at: String,
    pub(crate) user: String,
    pub(crate) host: String,
    pub(crate) command: String,
    pub(crate) version: String,
    pub(crate) event: String,
    pub(crate) request: Option<String>,
    pub(crate) job: Option<i64>,
    /// A JSON object.
    pub(crate) details: String,
}

impl RawEntry {
    /// The entry and stored hash in a row of [`COLUMNS`]; `None` if a column holds what dsr never
    /// writes.
    pub(crate) fn read(row: &Row<'_>) -> Option<(Self, String)> {
        let raw = Self {
            seq: integer(row, 0)??,
            at: text(row, 1)??,
            user: text(row, 2)??,
            host: text(row, 3)??,
            command: text(row, 4)??,
            version: text(row, 5)??,
            event: text(row, 6)??,
            request: text(row, 7)?,
            job: integer(row, 8)?,
            details: text(row, 9)??,
        };
        Some((raw, text(row, 10)??))
    }

    /// The hash of this entry after the entry with the hash `before`: 64 lower-case hex digits.
    pub(crate) fn hash(&self, before: &str) -> String {
        let (seq, job) = (self.seq.to_string(), self.job.map(|job| job.to_string()));
        let mut bytes = MAGIC.as_bytes().to_vec();
        for field in [
            Some(before),
            Some(&seq),
            Some(&self.at),
            Some(&self.user),
            Some(&self.host),
            Some(&self.command),
            Some(&self.version),
            Some(&self.event),
            self.request.as_deref(),
            job.as_deref(),
            Some(&self.details),
        ] {
            add_field(&mut bytes, field);
        }
        hex(&bytes)
    }
}

/// Adds `5:hello` and a line break (the length is in bytes), or `-` and a line break for `None`.
pub(crate) fn add_field(bytes: &mut Vec<u8>, field: Option<&str>) {
    match field {
        Some(text) => {
            bytes.extend_from_slice(text.len().to_string().as_bytes());
            bytes.push(b':');
            bytes.extend_from_slice(text.as_bytes());
        }
        None => bytes.push(b'-'),
    }
    bytes.push(b'\n');
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    to_hex(&Sha256::digest(bytes))
}

/// The outer `None` means that the column holds neither text nor NULL.
fn text(row: &Row<'_>, place: usize) -> Option<Option<String>> {
    match row.get_ref(place).ok()? {
        ValueRef::Null => Some(None),
        ValueRef::Text(bytes) => Some(Some(String::from_utf8(bytes.to_vec()).ok()?)),
        ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Blob(_) => None,
    }
}

fn integer(row: &Row<'_>, place: usize) -> Option<Option<i64>> {
    match row.get_ref(place).ok()? {
        ValueRef::Null => Some(None),
        ValueRef::Integer(number) => Some(Some(number)),
        ValueRef::Text(_) | ValueRef::Real(_) | ValueRef::Blob(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> RawEntry {
        RawEntry {
            seq: 7,
            at: "2026-11-22T12:00:00.000Z".to_owned(),
            user: "anna".to_owned(),
            host: "ops-1".to_owned(),
            command: "dsr delete".to_owned(),
            version: "0.1.0".to_owned(),
            event: "job_moved".to_owned(),
            request: Some("q7tz0xmapwk3nd5h".to_owned()),
            job: Some(2),
            details: r#"{"state":"sending"}"#.to_owned(),
        }
    }

    /// Computed with Python's `hashlib` from docs/design/audit-trail.md.
    #[test]
    fn a_hash_is_computed_from_the_documented_bytes() {
        let hash = entry().hash(NOTHING_BEFORE);
        assert_eq!(
            hash,
            "13bf7ee611da79f94652181f4557caf65fc46a7f6d13f2f09bb9efb4716d87d4"
        );
    }

    #[test]
    fn no_field_can_be_shifted_into_another() {
        let shifted = RawEntry {
            user: "annaops".to_owned(),
            host: "-1".to_owned(),
            ..entry()
        };
        let absent = RawEntry {
            request: None,
            job: None,
            ..entry()
        };
        let empty = RawEntry {
            request: Some(String::new()),
            job: None,
            ..entry()
        };
        let hashes = [entry(), shifted, absent, empty].map(|raw| raw.hash(NOTHING_BEFORE));
        for (place, hash) in hashes.iter().enumerate() {
            assert!(!hashes[..place].contains(hash), "{place}");
        }
        assert_ne!(entry().hash(NOTHING_BEFORE), entry().hash(&hashes[0]));
    }
}
