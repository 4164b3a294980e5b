//! Decodes the text of a member: UTF-8, or UTF-16 with or without a byte order mark.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read};

/// Replaces what cannot be decoded. This byte is never valid UTF-8, so the record around it is kept
/// as unreadable and never mistaken for another text.
const UNDECODABLE: u8 = 0xff;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ByteOrder {
    Little,
    Big,
}

/// The encoding, and the length of the byte order mark in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf8 { mark: usize },
    Utf16 { order: ByteOrder, mark: usize },
}

impl Encoding {
    /// Detects the encoding from a member's beginning. JSON and tables begin with ASCII, so zeros
    /// reveal UTF-16 without a mark.
    pub(crate) fn of(window: &[u8]) -> Self {
        match window {
            [0xef, 0xbb, 0xbf, ..] => Self::Utf8 { mark: 3 },
            // UTF-32, which nobody sends, stays as it is.
            [0xff, 0xfe, 0, 0, ..] => Self::Utf8 { mark: 0 },
            [0xff, 0xfe, ..] => Self::utf16(ByteOrder::Little, 2),
            [0xfe, 0xff, ..] => Self::utf16(ByteOrder::Big, 2),
            [1..=127, 0, 1..=127, 0, ..] => Self::utf16(ByteOrder::Little, 0),
            [0, 1..=127, 0, 1..=127, ..] => Self::utf16(ByteOrder::Big, 0),
            _ => Self::Utf8 { mark: 0 },
        }
    }

    fn utf16(order: ByteOrder, mark: usize) -> Self {
        Self::Utf16 { order, mark }
    }

    /// The text of `window`, without a mark.
    pub(crate) fn decoded(self, window: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::Utf8 { mark } => Cow::Borrowed(&window[mark..]),
            Self::Utf16 { order, mark } => {
                let mut text = Vec::new();
                decode(&window[mark..], order, &mut text);
                Cow::Owned(text)
            }
        }
    }

    /// The text of all of `bytes`, without a mark.
    pub(crate) fn reader<'r>(
        self,
        bytes: &'r mut (impl BufRead + 'r),
    ) -> io::Result<Box<dyn BufRead + 'r>> {
        let (Self::Utf8 { mark } | Self::Utf16 { mark, .. }) = self;
        io::copy(&mut bytes.by_ref().take(mark as u64), &mut io::sink())?;
        Ok(match self {
            Self::Utf8 { .. } => Box::new(bytes),
            Self::Utf16 { order, .. } => Box::new(BufReader::new(Utf16 {
                bytes,
                order,
                held: Vec::new(),
                text: Vec::new(),
                given: 0,
            })),
        })
    }
}

struct Utf16<R> {
    bytes: R,
    order: ByteOrder,
    /// The first bytes of an unfinished character.
    held: Vec<u8>,
    text: Vec<u8>,
    given: usize,
}

impl<R: BufRead> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() {
            self.text.clear();
            self.given = 0;
            let chunk = self.bytes.fill_buf()?;
            let count = chunk.len();
            if count == 0 {
                if self.held.is_empty() {
                    return Ok(0);
                }
                self.held.clear();
                self.text.push(UNDECODABLE);
                break;
            }
            self.held.extend_from_slice(chunk);
            self.bytes.consume(count);
            let used = decode(&self.held, self.order, &mut self.text);
            self.held.drain(..used);
        }
        let rest = &self.text[self.given..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.given += count;
        Ok(count)
    }
}

/// Decodes the whole characters at the beginning of `bytes`, and returns their length in bytes.
fn decode(bytes: &[u8], order: ByteOrder, text: &mut Vec<u8>) -> usize {
    let unit = |at: usize| -> Option<u16> {
        let pair = [*bytes.get(at)?, *bytes.get(at + 1)?];
        Some(match order {
            ByteOrder::Little => u16::from_le_bytes(pair),
            ByteOrder::Big => u16::from_be_bytes(pair),
        })
    };
    let mut at = 0;
    while let Some(first) = unit(at) {
        let second = unit(at + 2);
        if (0xd800..0xdc00).contains(&first) && second.is_none() {
            break;
        }
        match char::decode_utf16([first].into_iter().chain(second)).next() {
            Some(Ok(character)) => {
                let mut room = [0; 4];
                text.extend_from_slice(character.encode_utf8(&mut room).as_bytes());
                at += character.len_utf16() * 2;
            }
            Some(Err(_)) | None => {
                text.push(UNDECODABLE);
                at += 2;
            }
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Vec<u8> {
        let mut bytes = BufReader::with_capacity(3, bytes);
        let encoding = Encoding::of(bytes.get_ref());
        let mut text = Vec::new();
        let mut reader = encoding.reader(&mut bytes).unwrap();
        reader.read_to_end(&mut text).unwrap();
        text
    }

    fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    }

    #[test]
    fn utf16_is_read_with_and_without_its_mark() {
        let text = "{\"a\":\"ä 😀 שרה\"}\n";
        for unit in [u16::to_le_bytes, u16::to_be_bytes] {
            for text in [format!("\u{feff}{text}"), text.to_owned()] {
                let decoded = read(&utf16(&text, unit));
                let text = text.trim_start_matches('\u{feff}');
                assert_eq!(String::from_utf8(decoded).unwrap(), text);
            }
        }
        assert_eq!(read("\u{feff}{}".as_bytes()), b"{}");
    }

    #[test]
    fn undecodable_bytes_stay_invalid() {
        let lone = [b"{\0\"\0".as_slice(), &[0x00, 0xd8], b"x\0"].concat();
        assert_eq!(read(&lone), b"{\"\xffx");
        assert_eq!(read(b"{\0\"\0x"), b"{\"\xff");
        assert_eq!(read(&[b'{', 0, b'"', 0, 0x00, 0xd8]), b"{\"\xff");
    }
}
