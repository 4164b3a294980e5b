//! Detects packed and binary files by their first bytes, whatever their name. Unpacks gzip and zstd
//! in bounded memory.

use std::io::{self, BufReader, Cursor, Read};

use flate2::bufread::MultiGzDecoder;

use crate::intake::problem::Fault;

/// How much of the beginning is examined, in bytes; tar is known by its 258th byte.
const HEAD_BYTES: u64 = 512;
/// zstd's default. A larger window would let a small file claim gigabytes of memory.
const ZSTD_WINDOW_LOG: u32 = 27;
const CHUNK_BYTES: usize = 64 << 10;

/// How a source is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    None,
    Gzip,
    Zstd,
}

impl Packing {
    /// `None` if the source is not packed.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
        }
    }
}

pub(super) type Bytes<'a> = Box<dyn Read + 'a>;

/// Unpacks packed bytes, sets `packing`, and refuses what is not text. Reads all members of a gzip
/// file and all frames of a zstd file, and verifies their checksums.
pub(crate) fn unpack<'a>(bytes: Bytes<'a>, packing: &mut Packing) -> Result<Bytes<'a>, Fault> {
    let (head, bytes) = peek(bytes)?;
    let chunks = BufReader::with_capacity(CHUNK_BYTES, bytes);
    let unpacked: Bytes<'a> = match packing_of(&head) {
        Packing::None => {
            refuse_binary(&head)?;
            return Ok(Box::new(chunks));
        }
        Packing::Gzip => Box::new(MultiGzDecoder::new(chunks)),
        Packing::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(chunks)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG)?;
            Box::new(decoder)
        }
    };
    *packing = packing_of(&head);
    let (head, unpacked) = peek(unpacked)?;
    refuse_binary(&head)?;
    match packing_of(&head) {
        Packing::None => Ok(unpacked),
        Packing::Gzip => Err(Fault::NotText("a gzip file packed once more")),
        Packing::Zstd => Err(Fault::NotText("a zstd file packed once more")),
    }
}

/// The first bytes of a stream, and the whole stream. A pipe may yield one byte at a time.
pub(crate) fn peek(mut bytes: Bytes<'_>) -> io::Result<(Vec<u8>, Bytes<'_>)> {
    let mut head = Vec::new();
    bytes.by_ref().take(HEAD_BYTES).read_to_end(&mut head)?;
    Ok((head.clone(), Box::new(Cursor::new(head).chain(bytes))))
}

fn packing_of(head: &[u8]) -> Packing {
    // A zstd file may begin with a skippable frame.
    let is_skippable = matches!(head, [first, 0x2a, 0x4d, 0x18, ..] if first >> 4 == 5);
    if head.starts_with(b"\x1f\x8b") {
        Packing::Gzip
    } else if head.starts_with(b"\x28\xb5\x2f\xfd") || is_skippable {
        Packing::Zstd
    } else {
        Packing::None
    }
}

/// Git LFS leaves this in place of the real file.
const GIT_LFS: &str = "a pointer of Git LFS";

fn refuse_binary(head: &[u8]) -> Result<(), Fault> {
    let kinds: [(&[u8], &str); 14] = [
        (b"PK\x03\x04", "a zip archive or a spreadsheet file"),
        (b"PK\x05\x06", "an empty zip archive"),
        (b"\xd0\xcf\x11\xe0", "an old spreadsheet file"),
        (b"PAR1", "a Parquet file"),
        (b"Obj\x01", "an Avro file"),
        (b"ORC", "an ORC file"),
        (b"SQLite format 3\0", "an SQLite database"),
        (b"BZh", "a bzip2 file"),
        (b"\xfd7zXZ\0", "an xz file"),
        (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
        (b"\x04\x22\x4d\x18", "an lz4 file"),
        (b"%PDF-", "a PDF file"),
        (b"{\\rtf", "an RTF document"),
        (b"version https://git-lfs", GIT_LFS),
    ];
    let known = kinds.iter().find(|(magic, _)| head.starts_with(magic));
    let is_tar = head.get(257..262) == Some(b"ustar");
    let what = match known {
        Some((_, what)) => what,
        None if is_tar => "a tar archive",
        None if is_web_page(head) => "a web page or XML",
        None => return Ok(()),
    };
    Err(Fault::NotText(what))
}

/// A download that needed a login is often a web page.
fn is_web_page(head: &[u8]) -> bool {
    let beginning = head.trim_ascii_start();
    let begins_with = |text: &str| {
        let found = beginning.get(..text.len());
        found.is_some_and(|found| found.eq_ignore_ascii_case(text.as_bytes()))
    };
    ["<!doctype", "<html", "<?xml", "<table", "<div", "<!--"]
        .into_iter()
        .any(begins_with)
}
