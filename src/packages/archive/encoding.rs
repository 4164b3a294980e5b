//! Decodes the text of a member: UTF-8, or UTF-16 with or without a byte order mark.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read};

use encoding_rs::{Decoder, DecoderResult, UTF_8, UTF_16BE, UTF_16LE};

/// Replaces what cannot be decoded. This byte is never valid UTF-8, so the record around it is kept
/// as unreadable and never mistaken for another text.
const UNDECODABLE: u8 = 0xff;

/// The encoding, and the length of the byte order mark in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Encoding {
    of: &'static encoding_rs::Encoding,
    mark: usize,
}

impl Encoding {
    /// Detects the encoding from a member's beginning. JSON and tables begin with ASCII, so zeros
    /// reveal UTF-16 without a mark.
    pub(crate) fn of(window: &[u8]) -> Self {
        let (of, mark) = match window {
            [0xef, 0xbb, 0xbf, ..] => (UTF_8, 3),
            // UTF-32, which nobody sends, stays as it is.
            [0xff, 0xfe, 0, 0, ..] => (UTF_8, 0),
            [0xff, 0xfe, ..] => (UTF_16LE, 2),
            [0xfe, 0xff, ..] => (UTF_16BE, 2),
            [1..=127, 0, 1..=127, 0, ..] => (UTF_16LE, 0),
            [0, 1..=127, 0, 1..=127, ..] => (UTF_16BE, 0),
            _ => (UTF_8, 0),
        };
        Self { of, mark }
    }

    /// The text of `window`, without a mark.
    pub(crate) fn decoded(self, window: &[u8]) -> Cow<'_, [u8]> {
        let window = &window[self.mark..];
        if self.of == UTF_8 {
            return Cow::Borrowed(window);
        }
        let mut decoder = self.of.new_decoder_without_bom_handling();
        let mut text = Vec::new();
        decode(&mut decoder, window, false, &mut text);
        // Half a character is not an empty member.
        if text.is_empty() && !window.is_empty() {
            text.push(UNDECODABLE);
        }
        Cow::Owned(text)
    }

    /// The text of all of `bytes`, without a mark.
    pub(crate) fn reader<'r>(
        self,
        bytes: &'r mut (impl BufRead + 'r),
    ) -> io::Result<Box<dyn BufRead + 'r>> {
        io::copy(&mut bytes.by_ref().take(self.mark as u64), &mut io::sink())?;
        if self.of == UTF_8 {
            return Ok(Box::new(bytes));
        }
        Ok(Box::new(BufReader::new(Utf16 {
            bytes,
            decoder: Some(self.of.new_decoder_without_bom_handling()),
            text: Vec::new(),
            given: 0,
        })))
    }
}

struct Utf16<R> {
    bytes: R,
    /// `None` at the end.
    decoder: Option<Decoder>,
    text: Vec<u8>,
    given: usize,
}

impl<R: BufRead> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len()
            && let Some(decoder) = &mut self.decoder
        {
            self.text.clear();
            self.given = 0;
            let chunk = self.bytes.fill_buf()?;
            let (count, is_last) = (chunk.len(), chunk.is_empty());
            decode(decoder, chunk, is_last, &mut self.text);
            self.bytes.consume(count);
            if is_last {
                self.decoder = None;
            }
        }
        let count = (&self.text[self.given..]).read(buffer)?;
        self.given += count;
        Ok(count)
    }
}

/// Appends the text of `bytes`, which is the last piece if `is_last`.
fn decode(decoder: &mut Decoder, mut bytes: &[u8], is_last: bool, text: &mut Vec<u8>) {
    loop {
        let start = text.len();
        // Three bytes of UTF-8 for two of UTF-16, and a character that was held.
        text.resize(start + bytes.len() / 2 * 3 + 8, 0);
        let (result, read, written) =
            decoder.decode_to_utf8_without_replacement(bytes, &mut text[start..], is_last);
        text.truncate(start + written);
        bytes = &bytes[read..];
        match result {
            DecoderResult::InputEmpty => return,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => text.push(UNDECODABLE),
        }
    }
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
    fn half_a_character_is_not_an_empty_member() {
        for member in [b"\xff\xfe{", b"\xfe\xff{"] {
            assert_eq!(&*Encoding::of(member).decoded(member), b"\xff");
            assert_eq!(read(member), b"\xff");
        }
        assert_eq!(&*Encoding::of(b"\xff\xfe").decoded(b"\xff\xfe"), b"");
    }

    #[test]
    fn undecodable_bytes_stay_invalid() {
        let lone = [b"{\0\"\0".as_slice(), &[0x00, 0xd8], b"x\0"].concat();
        assert_eq!(read(&lone), b"{\"\xffx");
        assert_eq!(read(b"{\0\"\0x"), b"{\"\xff");
        assert_eq!(read(&[b'{', 0, b'"', 0, 0x00, 0xd8]), b"{\"\xff");
    }
}
