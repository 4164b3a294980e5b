//! Seals the ids of a ledger on a server, since others read its files, logs and copies. Without the
//! ledger key nobody can read an id there, or test a guess.

use std::cell::{Cell, OnceCell};
use std::fmt;
use std::sync::Arc;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::credentials::LedgerKeyError;
use crate::domain::{IdsDigest, JobId, LedgerKey, random_bytes, to_hex};

/// Bytes. Random nonces of this length never meet, however many jobs a key seals.
const NONCE: usize = 24;
/// Bytes. Padding to a multiple of this hides how long a single id is.
const BLOCK: usize = 256;
/// The first byte of the padding; zeros follow.
const END: u8 = 1;

/// Where the ledger key comes from. Asked once, and only when ids are sealed, opened or compared.
#[derive(Clone)]
pub struct KeySource(Arc<dyn Fn() -> Result<LedgerKey, LedgerKeyError> + Send + Sync>);

impl KeySource {
    pub fn new(
        find: impl Fn() -> Result<LedgerKey, LedgerKeyError> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(find))
    }
}

/// No key; the key of the tests in tests.
impl Default for KeySource {
    fn default() -> Self {
        #[cfg(test)]
        return Self::new(|| Ok(LedgerKey::restore([7; 32])));
        #[cfg(not(test))]
        Self::new(|| Err(LedgerKeyError::Gone))
    }
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySource")
    }
}

/// The seal of one connection, made when it is first needed.
#[derive(Default)]
pub(crate) struct LazySeal {
    source: OnceCell<KeySource>,
    seal: OnceCell<Seal>,
    /// The ledger's fingerprint was seen to be this key's.
    pub(crate) fits: Cell<bool>,
}

impl LazySeal {
    pub(crate) fn set_source(&self, source: &KeySource) {
        // A connection is made ready once.
        let _ = self.source.set(source.clone());
    }

    /// The seal, of a key that may not be the ledger's.
    pub(crate) fn get(&self) -> Result<&Seal, LedgerKeyError> {
        if let Some(seal) = self.seal.get() {
            return Ok(seal);
        }
        let KeySource(find) = self.source.get().ok_or(LedgerKeyError::Gone)?;
        let key = find()?;
        Ok(self.seal.get_or_init(|| Seal::new(&key)))
    }
}

/// Seals and opens the ids of jobs, and keys the digests of requests.
pub(crate) struct Seal {
    pub(crate) fingerprint: String,
    cipher: XChaCha20Poly1305,
    digests: Hmac<Sha256>,
}

impl Seal {
    fn new(key: &LedgerKey) -> Self {
        let derive = |purpose: &[u8]| {
            let mut derived = [0; 32];
            Hkdf::<Sha256>::new(None, key.expose())
                .expand(purpose, &mut derived)
                .expect("HKDF gives 32 bytes");
            derived
        };
        let digests = Hmac::new_from_slice(&derive(b"dsr ledger: digests of ids"));
        Self {
            fingerprint: key.fingerprint(),
            cipher: XChaCha20Poly1305::new(&derive(b"dsr ledger: ids of jobs").into()),
            digests: digests.expect("an HMAC takes any key"),
        }
    }

    /// Nonce, sealed bytes, tag. They open only as the ids of this job.
    pub(crate) fn seal(&self, job: &JobId, mut packed: Vec<u8>) -> Vec<u8> {
        packed.push(END);
        packed.resize(packed.len().next_multiple_of(BLOCK), 0);
        let random = random_bytes();
        let nonce: [u8; NONCE] = std::array::from_fn(|place| random[place]);
        let place = job.to_string();
        let payload = Payload {
            msg: &packed,
            aad: place.as_bytes(),
        };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.expect("a job is shorter than 256 GB");
        [&nonce[..], &sealed].concat()
    }

    /// HMAC of a request's digest: 64 lower-case hex digits.
    pub(crate) fn keyed(&self, digest: &str) -> String {
        let mut keyed = self.digests.clone();
        keyed.update(digest.as_bytes());
        to_hex(&keyed.finalize().into_bytes())
    }

    /// `None` if another key sealed it, for another job, or it was changed.
    pub(crate) fn open(&self, job: &JobId, stored: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = stored.split_first_chunk::<NONCE>()?;
        let place = job.to_string();
        let payload = Payload {
            msg: sealed,
            aad: place.as_bytes(),
        };
        let mut packed = self.cipher.decrypt(&XNonce::from(*nonce), payload).ok()?;
        let end = packed.iter().rposition(|byte| *byte != 0)?;
        packed.truncate(end);
        Some(packed)
    }
}

/// Whether packed ids may have been sealed: by their length and their first bytes.
pub(crate) fn looks_sealed(packed: &[u8]) -> bool {
    const TAG: usize = 16;
    let is_whole = packed.len() > NONCE + TAG && (packed.len() - NONCE - TAG).is_multiple_of(BLOCK);
    is_whole && !packed.starts_with(&zstd::zstd_safe::MAGICNUMBER.to_le_bytes())
}

/// A request's digest as its row has it: 64 lower-case hex digits, keyed under a seal.
pub(crate) fn digest_in_row(seal: Option<&Seal>, digest: &IdsDigest) -> String {
    let digest = digest.to_string();
    seal.map_or(digest.clone(), |seal| seal.keyed(&digest))
}
