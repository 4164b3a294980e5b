//! The sealed part: ids, one per line, compressed with zstd and padded to whole blocks. They are
//! encrypted in chunks under a key of this plan only.
//!
//! The key comes from the ledger key and the plan's random salt (HKDF-SHA-256, RFC 5869). No two
//! plans share a key, so a chunk's number can be its nonce. Chunks are encrypted as in STREAM
//! (Hoang, Reyhanitabar, Rogaway and Vizár, 2015), like age: ChaCha20-Poly1305 (RFC 8439). The
//! nonce holds the chunk's number and whether it is the last, so no chunk can be changed, removed,
//! added or moved. The hash of the readable part binds each chunk to it.

use std::io::{self, BufRead, BufReader, Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit, Nonce};
use hkdf::Hkdf;
use sha2::{Digest, Sha256};

use crate::domain::{LedgerKey, MAX_ID_BYTES};

use super::error::Flaw;

/// Bytes of a chunk before encryption.
pub(super) const CHUNK: usize = 48 * 1024;
/// Bytes that encryption adds to a chunk.
const TAG: usize = 16;
/// The longest line of the sealed part, in bytes: base64 in quotes, and the line end.
pub(super) const MAX_LINE: usize = (CHUNK + TAG).div_ceil(3) * 4 + 3;
/// Padding to a multiple of this hides the length of an id.
const BLOCK: usize = 1024;
/// zstd's fastest level that still needs fewer than eight bits per letter.
const LEVEL: i32 = 1;

/// The most chunks that this many ids can need.
pub(super) fn most_chunks(ids: usize) -> u64 {
    let bytes = (ids as u64).saturating_mul(MAX_ID_BYTES as u64 + 1);
    // Data that zstd cannot compress grows by under 1/128, plus a little per frame.
    let packed = bytes.saturating_add(bytes / 128 + 2 * BLOCK as u64);
    packed / CHUNK as u64 + 1
}

/// Derives a key of this plan for one purpose.
pub(super) fn derive(key: &LedgerKey, salt: &[u8; 32], purpose: &[u8]) -> [u8; 32] {
    let mut derived = [0; 32];
    Hkdf::<Sha256>::new(Some(salt), key.expose())
        .expand(purpose, &mut derived)
        .expect("HKDF gives 32 bytes");
    derived
}

/// Encrypts or decrypts the chunks of one plan, in order.
struct Chunks {
    cipher: ChaCha20Poly1305,
    /// The hash of the readable part.
    bound_to: [u8; 32],
    next: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ChunkPlace {
    Inner,
    Last,
}

impl Chunks {
    fn new(key: &LedgerKey, salt: &[u8; 32], readable: &[u8]) -> Self {
        let derived = derive(key, salt, b"dsr plan: ids");
        Self {
            cipher: ChaCha20Poly1305::new(&derived.into()),
            bound_to: Sha256::digest(readable).into(),
            next: 0,
        }
    }

    fn nonce(&mut self, place: ChunkPlace) -> Nonce {
        let mut nonce = [0; 12];
        nonce[3..11].copy_from_slice(&self.next.to_be_bytes());
        nonce[11] = u8::from(place == ChunkPlace::Last);
        self.next += 1;
        nonce.into()
    }

    fn seal(&mut self, chunk: &[u8], place: ChunkPlace) -> io::Result<Vec<u8>> {
        let nonce = self.nonce(place);
        let aad = &self.bound_to;
        let sealed = self.cipher.encrypt(&nonce, Payload { msg: chunk, aad });
        sealed.map_err(|_| io::Error::other("a chunk cannot be encrypted"))
    }

    fn open(&mut self, chunk: &[u8], place: ChunkPlace) -> Option<Vec<u8>> {
        let nonce = self.nonce(place);
        let aad = &self.bound_to;
        let opened = self.cipher.decrypt(&nonce, Payload { msg: chunk, aad });
        opened.ok()
    }
}

/// Writes ids as the lines of the sealed part.
pub(super) struct Sealer<W: Write> {
    packing: zstd::Encoder<'static, Sealing<W>>,
}

struct Sealing<W> {
    chunks: Chunks,
    chunk: Vec<u8>,
    lines: W,
}

impl<W: Write> Sealer<W> {
    pub(super) fn new(
        lines: W,
        key: &LedgerKey,
        salt: &[u8; 32],
        readable: &[u8],
    ) -> io::Result<Self> {
        let sealing = Sealing {
            chunks: Chunks::new(key, salt, readable),
            chunk: Vec::with_capacity(CHUNK),
            lines,
        };
        let packing = zstd::Encoder::new(sealing, LEVEL)?;
        Ok(Self { packing })
    }

    /// Adds ids; each must end with a line break.
    pub(super) fn put(&mut self, ids: &str) -> io::Result<()> {
        self.packing.write_all(ids.as_bytes())
    }

    pub(super) fn finish(self) -> io::Result<W> {
        let mut sealing = self.packing.finish()?;
        let length = sealing.chunk.len().next_multiple_of(BLOCK);
        sealing.chunk.resize(length, 0);
        sealing.write_chunk(ChunkPlace::Last)?;
        Ok(sealing.lines)
    }
}

impl<W: Write> Sealing<W> {
    fn write_chunk(&mut self, place: ChunkPlace) -> io::Result<()> {
        let sealed = self.chunks.seal(&self.chunk, place)?;
        self.chunk.clear();
        writeln!(self.lines, "\"{}\"", STANDARD.encode(sealed))
    }
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full chunk may be the last one, so it waits for more data.
        if self.chunk.len() == CHUNK && !bytes.is_empty() {
            self.write_chunk(ChunkPlace::Inner)?;
        }
        let count = bytes.len().min(CHUNK - self.chunk.len());
        self.chunk.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads the ids of a sealed part.
pub(super) struct Unsealer<R: BufRead> {
    unpacking: BufReader<zstd::Decoder<'static, BufReader<OpeningReader<R>>>>,
}

impl<R: BufRead> Unsealer<R> {
    /// `lines` must hold only the lines of the sealed part.
    pub(super) fn new(
        lines: R,
        key: &LedgerKey,
        salt: &[u8; 32],
        readable: &[u8],
    ) -> Result<Self, Flaw> {
        let opening = OpeningReader {
            chunks: Chunks::new(key, salt, readable),
            lines,
            chunk: Vec::new(),
            taken: 0,
            is_over: false,
        };
        let packed = BufReader::with_capacity(CHUNK, opening);
        let unpacking = zstd::Decoder::with_buffer(packed)?.single_frame();
        Ok(Self {
            unpacking: BufReader::with_capacity(CHUNK, unpacking),
        })
    }

    /// Reads the next id without its line break; `false` at the end.
    pub(super) fn next(&mut self, id: &mut Vec<u8>) -> Result<bool, Flaw> {
        id.clear();
        let mut limited = (&mut self.unpacking).take(MAX_ID_BYTES as u64 + 1);
        limited.read_until(b'\n', id).map_err(sealed_flaw)?;
        match id.pop() {
            None => Ok(false),
            Some(b'\n') => Ok(true),
            Some(_) => Err(Flaw::Damaged("an id in its sealed part")),
        }
    }

    /// Checks that only the padding follows the last id.
    pub(super) fn finish(self) -> Result<(), Flaw> {
        let mut rest = Vec::new();
        let mut packed = self.unpacking.into_inner().finish();
        let mut filling = (&mut packed).take(BLOCK as u64);
        filling.read_to_end(&mut rest).map_err(sealed_flaw)?;
        match rest.len() < BLOCK && rest.iter().all(|byte| *byte == 0) {
            true => Ok(()),
            false => Err(Flaw::Damaged("the end of its sealed part")),
        }
    }
}

/// Decrypts lines of the sealed part into compressed bytes.
struct OpeningReader<R> {
    chunks: Chunks,
    lines: R,
    chunk: Vec<u8>,
    taken: usize,
    is_over: bool,
}

impl<R: BufRead> OpeningReader<R> {
    fn open_next(&mut self) -> io::Result<()> {
        let mut line = Vec::new();
        (&mut self.lines)
            .take(MAX_LINE as u64)
            .read_until(b'\n', &mut line)?;
        let sealed = decode(&line).ok_or_else(broken)?;
        let is_last = self.lines.fill_buf()?.is_empty();
        let place = match is_last {
            true => ChunkPlace::Last,
            false => ChunkPlace::Inner,
        };
        self.chunk = self.chunks.open(&sealed, place).ok_or_else(broken)?;
        if place == ChunkPlace::Inner && self.chunk.len() != CHUNK {
            return Err(broken());
        }
        self.taken = 0;
        self.is_over = is_last;
        Ok(())
    }
}

impl<R: BufRead> Read for OpeningReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.chunk.len() {
            if self.is_over {
                return Ok(0);
            }
            self.open_next()?;
        }
        let count = buffer.len().min(self.chunk.len() - self.taken);
        buffer[..count].copy_from_slice(&self.chunk[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }
}

/// The bytes of a line such as `"SGVsbG8="`; `None` for any other line.
pub(super) fn decode(line: &[u8]) -> Option<Vec<u8>> {
    let text = line.strip_prefix(b"\"")?.strip_suffix(b"\"\n")?;
    let bytes = STANDARD.decode(text).ok()?;
    (TAG..=CHUNK + TAG).contains(&bytes.len()).then_some(bytes)
}

/// The error for a chunk that was changed, or sealed under another key.
fn broken() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

/// Separates damage of the sealed part from a failing disk.
fn sealed_flaw(error: io::Error) -> Flaw {
    match error.raw_os_error() {
        Some(_) => Flaw::Unreadable(error),
        None => Flaw::Damaged("its sealed part"),
    }
}
