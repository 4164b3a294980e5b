//! Decodes bytes into UTF-8 by their byte order mark or the operator's choice; never guesses.

use std::io::{self, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::unpack::{Bytes, peek};
use crate::intake::problem::Fault;

const CHUNK_BYTES: usize = 64 << 10;
/// Replaces what cannot be decoded. This byte is never valid UTF-8, so its line is reported.
const UNDECODABLE: u8 = 0xff;

/// Decodes `bytes` to UTF-8 without a byte order mark, and returns the original encoding. A byte
/// order mark beats `asked`, because no text in another encoding begins with one.
pub(crate) fn decode<'a>(
    bytes: Bytes<'a>,
    asked: Option<&'static Encoding>,
) -> Result<(Bytes<'a>, &'static str), Fault> {
    let (head, mut bytes) = peek(bytes)?;
    // The little-endian mark of UTF-32 begins like that of UTF-16.
    if head.starts_with(b"\xff\xfe\0\0") || head.starts_with(b"\0\0\xfe\xff") {
        return Err(Fault::UnreadableEncoding("UTF-32"));
    }
    let marked = Encoding::for_bom(&head);
    if marked.is_none() && asked.is_none() {
        refuse_unmarked_utf16(&head)?;
    }
    let mark_bytes = marked.map_or(0, |(_, length)| length);
    bytes.read_exact(&mut [0; 3][..mark_bytes])?;
    let encoding = marked.map_or(asked.unwrap_or(UTF_8), |(encoding, _)| encoding);
    if encoding == UTF_8 {
        return Ok((bytes, encoding.name()));
    }
    let transcoder = Transcoder {
        inner: bytes,
        decoder: encoding.new_decoder_without_bom_handling(),
        raw: vec![0; CHUNK_BYTES],
        text: Vec::new(),
        given: 0,
        is_over: false,
    };
    Ok((Box::new(transcoder), encoding.name()))
}

/// Finds an encoding by any of its WHATWG names.
///
/// # Errors
/// When there is no encoding of that name.
pub fn parse_encoding(label: &str) -> Result<&'static Encoding, String> {
    let found = Encoding::for_label_no_replacement(label.as_bytes());
    found.ok_or_else(|| {
        "no known encoding; try utf-8, utf-16le, windows-1252 or shift_jis".to_owned()
    })
}

/// UTF-16 of mostly ASCII text has a zero in every second byte, on one side only.
fn refuse_unmarked_utf16(head: &[u8]) -> Result<(), Fault> {
    let zeros_from = |first: usize| head[first.min(head.len())..].iter().step_by(2);
    let count = |first: usize| zeros_from(first).filter(|byte| **byte == 0).count();
    let encoding = match (count(0), count(1)) {
        (0, odd) if odd > head.len() / 4 => UTF_16LE,
        (even, 0) if even > head.len() / 4 => UTF_16BE,
        _ => return Ok(()),
    };
    Err(Fault::UnmarkedEncoding(encoding.name()))
}

struct Transcoder<R> {
    inner: R,
    decoder: Decoder,
    raw: Vec<u8>,
    /// Decoded text, and how much of it is handed out.
    text: Vec<u8>,
    given: usize,
    is_over: bool,
}

impl<R: Read> Transcoder<R> {
    fn decode_chunk(&mut self) -> io::Result<()> {
        let count = self.inner.read(&mut self.raw)?;
        let is_last = count == 0;
        let mut rest = &self.raw[..count];
        self.given = 0;
        self.text.clear();
        loop {
            let most = self
                .decoder
                .max_utf8_buffer_length_without_replacement(rest.len());
            let start = self.text.len();
            self.text.resize(start + most.unwrap_or(CHUNK_BYTES), 0);
            let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(
                rest,
                &mut self.text[start..],
                is_last,
            );
            self.text.truncate(start + written);
            rest = &rest[read..];
            match result {
                DecoderResult::Malformed(..) => self.text.push(UNDECODABLE),
                DecoderResult::OutputFull => {}
                DecoderResult::InputEmpty if is_last => {
                    self.is_over = true;
                    return Ok(());
                }
                DecoderResult::InputEmpty => return Ok(()),
            }
        }
    }
}

impl<R: Read> Read for Transcoder<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() && !self.is_over {
            self.decode_chunk()?;
        }
        let count = (&self.text[self.given..]).read(out)?;
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8], asked: Option<&'static Encoding>) -> (Vec<u8>, &'static str) {
        let (mut text, name) = decode(Box::new(bytes), asked).unwrap();
        let mut all = Vec::new();
        text.read_to_end(&mut all).unwrap();
        (all, name)
    }

    fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    }

    #[test]
    fn a_byte_order_mark_tells_the_encoding_and_is_dropped_once() {
        let text = "\u{feff}ä😀\n".repeat(40_000);
        let wanted = text.strip_prefix('\u{feff}').unwrap().as_bytes().to_owned();
        for (bytes, name) in [
            (text.as_bytes().to_owned(), "UTF-8"),
            (utf16(&text, u16::to_le_bytes), "UTF-16LE"),
            (utf16(&text, u16::to_be_bytes), "UTF-16BE"),
        ] {
            assert_eq!(decoded(&bytes, None), (wanted.clone(), name));
            let other = Encoding::for_label(b"windows-1252");
            assert_eq!(decoded(&bytes, other), (wanted.clone(), name));
        }
    }

    #[test]
    fn without_a_mark_the_operator_may_name_any_encoding() {
        let latin = Encoding::for_label(b"windows-1252");
        assert_eq!(decoded(b"M\xfcller", latin).0, "Müller".as_bytes());
        let japanese = Encoding::for_label(b"shift_jis");
        assert_eq!(decoded(b"\x83\x65", japanese).0, "テ".as_bytes());
        let le = utf16("a\nü", u16::to_le_bytes);
        assert_eq!(decoded(&le, Some(UTF_16LE)).0, "a\nü".as_bytes());
    }

    #[test]
    fn what_cannot_be_decoded_becomes_a_byte_that_no_text_holds() {
        let lone = b"\xff\xfea\0\x00\xd8b\0c";
        assert_eq!(decoded(lone, None).0, b"a\xffb\xff");
        let japanese = Encoding::for_label(b"shift_jis");
        assert_eq!(decoded(b"a\xffb", japanese).0, b"a\xffb");
    }

    #[test]
    fn utf_32_and_unmarked_utf_16_are_refused() {
        let error = |bytes: &[u8]| match decode(Box::new(bytes), None) {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        };
        assert!(error(b"\xff\xfe\0\0a\0\0\0").contains("UTF-32"));
        assert!(error(b"\0\0\xfe\xff\0\0\0a").contains("UTF-32"));
        assert!(error(&utf16("distinct_id\na\n", u16::to_le_bytes)).contains("UTF-16LE"));
        assert!(error(&utf16("distinct_id\nä\n", u16::to_be_bytes)).contains("UTF-16BE"));
        assert_eq!(error(b"distinct_id\n\0\0\0\n"), "");
        assert_eq!(error(b""), "");
    }
}
