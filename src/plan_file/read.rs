use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::domain::{DistinctId, LedgerKey, Leniency, PlanDigest};

use super::approval::{self, Approval};
use super::error::Flaw;
use super::header::{self, Header, Lock};
use super::seal::{self, Unsealer};
use super::{MAX_HEADER_BYTES, PeopleDigest, PlanFileError};

const BEGINNING: &[u8] = b"{\n";
const END: &[u8] = b"}\n";

/// A plan file whose digest matches its content. Only the ledger key can prove its ids and
/// approvals.
#[derive(Debug)]
pub struct PlanFile {
    path: PathBuf,
    file: File,
    parts: PlanParts,
}

#[derive(Debug)]
struct PlanParts {
    header: Header,
    lock: Lock,
    /// The readable part, byte for byte.
    readable: Vec<u8>,
    /// The offset and length of the sealed part, in bytes.
    sealed: (u64, u64),
    digest: PlanDigest,
    approvals: Vec<Approval>,
}

impl PlanFile {
    /// Reads a plan file and checks its digest; needs no key.
    ///
    /// # Errors
    /// When the file cannot be read, is not a plan file, has a newer version, or was changed.
    pub fn open(path: &Path) -> Result<Self, PlanFileError> {
        let read = || {
            // Opening a pipe would block.
            if !fs::metadata(path)?.is_file() {
                return Err(Flaw::NotAPlan);
            }
            let file = File::open(path)?;
            let parts = read_parts(&file)?;
            Ok(Self {
                path: path.to_owned(),
                file,
                parts,
            })
        };
        read().map_err(|flaw: Flaw| flaw.of(path))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn header(&self) -> &Header {
        &self.parts.header
    }

    pub fn digest(&self) -> &PlanDigest {
        &self.parts.digest
    }

    /// The fingerprint of the ledger key that sealed it.
    pub fn ledger_key(&self) -> &str {
        &self.parts.lock.key
    }

    /// The [`PeopleDigest`] of its ids.
    pub fn people(&self) -> &str {
        &self.parts.lock.people
    }

    /// The approvals in the file, unchecked; see [`Self::check_approvals`].
    pub fn approvals(&self) -> &[Approval] {
        &self.parts.approvals
    }

    pub(super) fn salt(&self) -> &[u8; 32] {
        &self.parts.lock.salt
    }

    /// Checks that `key` sealed the file.
    ///
    /// # Errors
    /// When another key did.
    pub fn demand_key(&self, key: &LedgerKey) -> Result<(), PlanFileError> {
        let (sealed, given) = (self.parts.lock.key.clone(), key.fingerprint());
        match sealed == given {
            true => Ok(()),
            false => Err(PlanFileError::OtherKey { sealed, given }),
        }
    }

    /// Checks that dsr made each approval under the ledger key, for this plan. Each must come from
    /// another person than the creator and the earlier approvers.
    ///
    /// # Errors
    /// When an approval fails a check, or `key` is another one.
    pub fn check_approvals(&self, key: &LedgerKey) -> Result<(), PlanFileError> {
        self.demand_key(key)?;
        let creator = &self.parts.header.created_by;
        let (digest, salt) = (&self.parts.digest, &self.parts.lock.salt);
        approval::check(&self.parts.approvals, creator, digest, key, salt)
    }

    /// Decrypts the sealed part and passes each id to `take`, in order. Use no id before this
    /// returns `Ok`.
    ///
    /// # Errors
    /// When `key` is another one, the sealed part was changed or contradicts the readable part, or
    /// `take` fails.
    pub fn read_ids<E: From<PlanFileError>>(
        &self,
        key: &LedgerKey,
        take: &mut dyn FnMut(&str) -> Result<(), E>,
    ) -> Result<(), E> {
        self.demand_key(key)?;
        let flawed = |flaw: Flaw| flaw.of(&self.path);
        let mut unsealer = self.unseal(key).map_err(flawed)?;
        let mut people = PeopleDigest::new(key);
        let mut line = Vec::new();
        for _ in 0..self.parts.header.unique {
            let id = match unsealer.next(&mut line).map_err(flawed)? {
                true => understand(&line),
                false => Err(Flaw::Damaged("its sealed part has too few ids")),
            };
            let id = id.map_err(flawed)?;
            people.add(id);
            take(id)?;
        }
        if unsealer.next(&mut line).map_err(flawed)? {
            return Err(flawed(Flaw::Damaged("its sealed part has too many ids")).into());
        }
        unsealer.finish().map_err(flawed)?;
        match people.to_string() == self.parts.lock.people {
            true => Ok(()),
            false => Err(flawed(Flaw::Damaged("its ids differ from its description")).into()),
        }
    }

    fn unseal(&self, key: &LedgerKey) -> Result<Unsealer<impl BufRead + '_>, Flaw> {
        let (start, length) = self.parts.sealed;
        (&self.file).seek(SeekFrom::Start(start))?;
        let lines = BufReader::new((&self.file).take(length));
        Unsealer::new(lines, key, &self.parts.lock.salt, &self.parts.readable)
    }
}

fn understand(line: &[u8]) -> Result<&str, Flaw> {
    let id = std::str::from_utf8(line).ok();
    id.filter(|id| DistinctId::judge(id, Leniency::Named).is_ok())
        .ok_or(Flaw::Damaged("an id in its sealed part"))
}

fn read_parts(file: &File) -> Result<PlanParts, Flaw> {
    let mut lines = PlanLines {
        bytes: BufReader::new(file),
        line: Vec::new(),
    };
    let readable = lines.read_readable()?;
    let (header, lock) = header::from_bytes(&readable)?;
    let mut hash = Sha256::new_with_prefix(&readable);
    let start = readable.len() as u64;
    let length = lines.read_sealed(&mut hash, seal::most_chunks(header.unique))?;
    let digest = PlanDigest::new(hash.finalize().into());
    // `read_sealed` stopped at this line.
    if lines.line != digest_line(&digest).as_bytes() {
        return Err(Flaw::Damaged(
            "its digest is not that of its content, or it is cut off",
        ));
    }
    let approvals = lines.read_approvals()?;
    Ok(PlanParts {
        header,
        lock,
        sealed: (start, length),
        readable,
        digest,
        approvals,
    })
}

/// The line that ends the part nobody may change.
pub(super) fn digest_line(digest: &PlanDigest) -> String {
    format!("{{\"digest\":\"{digest}\"}}\n")
}

struct PlanLines<R> {
    bytes: R,
    line: Vec<u8>,
}

impl<R: BufRead> PlanLines<R> {
    /// Reads the next line, including its end, of at most `limit` bytes; `false` at the end.
    fn next(&mut self, limit: usize) -> Result<bool, Flaw> {
        self.line.clear();
        let mut limited = (&mut self.bytes).take(limit as u64);
        limited.read_until(b'\n', &mut self.line)?;
        Ok(!self.line.is_empty())
    }

    fn read_readable(&mut self) -> Result<Vec<u8>, Flaw> {
        let mut readable = Vec::new();
        while self.next(MAX_HEADER_BYTES)? {
            readable.extend_from_slice(&self.line);
            if readable == b"{\r\n" {
                return Err(Flaw::Damaged("its line ends were changed on the way"));
            }
            if !readable.starts_with(BEGINNING) || readable.len() > MAX_HEADER_BYTES {
                return Err(Flaw::NotAPlan);
            }
            if self.line == END {
                return Ok(readable);
            }
        }
        Err(match readable.starts_with(b"{\n  \"dsr_plan\": ") {
            true => Flaw::Damaged("it is cut off"),
            false => Flaw::NotAPlan,
        })
    }

    /// Reads the sealed part and the line after it; returns the part's length in bytes.
    fn read_sealed(&mut self, hash: &mut Sha256, most: u64) -> Result<u64, Flaw> {
        let mut length = 0;
        let mut chunks = 0;
        while self.next(seal::MAX_LINE)? && self.line.starts_with(b"\"") {
            chunks += 1;
            if seal::decode(&self.line).is_none() || chunks > most {
                return Err(Flaw::Damaged("its sealed part"));
            }
            hash.update(&self.line);
            length += self.line.len() as u64;
        }
        Ok(length)
    }

    fn read_approvals(&mut self) -> Result<Vec<Approval>, Flaw> {
        let mut approvals = Vec::new();
        while self.next(approval::MAX_LINE)? {
            if approvals.len() == approval::MOST {
                return Err(Flaw::Damaged("more approvals than anybody needs"));
            }
            approvals.push(Approval::from_line(&self.line)?);
        }
        Ok(approvals)
    }
}
