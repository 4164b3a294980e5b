//! Splits text into lines (LF, CRLF or lone CR) in bounded memory.
//!
//! The functions called per line are marked `#[inline]`: without it, several codegen units make
//! reading twice as slow.

use std::io::{self, Cursor, ErrorKind, Read};

use crate::intake::damage::{Damage, MAX_LINE_BYTES};

/// How much of the beginning decides the format, in bytes.
const BEGINNING_BYTES: usize = 64 << 10;
const BUFFER_BYTES: usize = 256 << 10;
const MARK: &[u8] = b"\xef\xbb\xbf";

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LineStep {
    Line,
    Damaged(Damage),
    /// The line does not fit into memory; nothing after it can be read.
    TooLong,
    End,
}

pub(crate) struct TextLines<R> {
    inner: R,
    encoding: &'static str,
    buffer: Vec<u8>,
    /// The bytes that are read but not yet handed out.
    start: usize,
    end: usize,
    /// The current line, as offsets in the buffer.
    line: (usize, usize),
    number: u64,
    /// The previous line ended in CR, so an LF right after it belongs to that line.
    after_cr: bool,
    unended: bool,
    /// Everything before this offset is valid.
    checked: usize,
    /// The first quote from some line on, or the end of the buffer; `None` if nothing was searched.
    quote: Option<usize>,
    /// There may be damage: from now on every line is checked.
    may_be_damaged: bool,
}

impl<R: Read> TextLines<R> {
    /// `encoding` names the text's original encoding in messages.
    pub(crate) fn new(inner: R, encoding: &'static str) -> Self {
        Self {
            inner,
            encoding,
            buffer: vec![0; BUFFER_BYTES],
            start: 0,
            end: 0,
            line: (0, 0),
            number: 0,
            after_cr: false,
            unended: false,
            checked: 0,
            quote: None,
            may_be_damaged: false,
        }
    }

    /// The text that is not yet handed out: the first 64 KiB, or all there is.
    pub(crate) fn beginning(&mut self) -> io::Result<&[u8]> {
        while self.end - self.start < BEGINNING_BYTES && self.fill()? {}
        Ok(&self.buffer[self.start..self.end])
    }

    #[inline]
    pub(crate) fn advance(&mut self) -> io::Result<LineStep> {
        self.skip_second_half()?;
        let mut searched = 0;
        loop {
            let rest = &self.buffer[self.start + searched..self.end];
            if let Some(place) = memchr::memchr2(b'\n', b'\r', rest) {
                let end = self.start + searched + place;
                self.after_cr = self.buffer[end] == b'\r';
                return Ok(self.hand_out(end, end + 1));
            }
            searched = self.end - self.start;
            if searched > MAX_LINE_BYTES {
                self.number += 1;
                return Ok(LineStep::TooLong);
            }
            if !self.fill()? {
                return Ok(match searched {
                    0 => LineStep::End,
                    _ => {
                        self.unended = true;
                        self.hand_out(self.end, self.end)
                    }
                });
            }
        }
    }

    /// The current line, without its line end.
    #[inline]
    pub(crate) fn line(&self) -> &[u8] {
        &self.buffer[self.line.0..self.line.1]
    }

    #[inline]
    pub(crate) fn has_quote(&mut self) -> bool {
        let (start, end) = self.line;
        let quote = self.quote.filter(|quote| *quote >= start);
        let quote = quote.unwrap_or_else(|| {
            let place = memchr::memchr(b'"', &self.buffer[start..self.end]);
            place.map_or(self.end, |place| start + place)
        });
        self.quote = Some(quote);
        quote < end
    }

    /// The number of the current line, from 1.
    #[inline]
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Whether the text has ended without a line end.
    pub(crate) fn is_unended(&self) -> bool {
        self.unended
    }

    /// The text that is not yet handed out.
    pub(crate) fn into_rest(self) -> impl Read {
        let mut buffer = self.buffer;
        buffer.truncate(self.end);
        buffer.drain(..self.start);
        Cursor::new(buffer).chain(self.inner)
    }

    #[inline]
    fn skip_second_half(&mut self) -> io::Result<()> {
        if self.after_cr {
            if self.start == self.end {
                self.fill()?;
            }
            if self.buffer[self.start..self.end].first() == Some(&b'\n') {
                self.start += 1;
            }
            self.after_cr = false;
        }
        Ok(())
    }

    #[inline]
    fn hand_out(&mut self, end: usize, next: usize) -> LineStep {
        self.line = (self.start, end);
        self.start = next;
        self.number += 1;
        let damage = match self.may_be_damaged {
            true => damage_of(self.line(), self.encoding),
            false => None,
        };
        damage.map_or(LineStep::Line, LineStep::Damaged)
    }

    /// Reads more; returns `false` at the end.
    fn fill(&mut self) -> io::Result<bool> {
        self.quote = None;
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.checked = self.checked.saturating_sub(self.start);
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(self.end * 2, 0);
        }
        let count = loop {
            match self.inner.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        self.end += count;
        self.check(count);
        Ok(count > 0)
    }

    /// Checks the new bytes as a whole, which is faster than line by line.
    fn check(&mut self, count: usize) {
        let fresh = &self.buffer[self.checked..self.end];
        let sound = match std::str::from_utf8(fresh) {
            Ok(_) => fresh.len(),
            // A cut-off character is checked again with the bytes that follow.
            Err(error) if error.error_len().is_none() && count > 0 => error.valid_up_to(),
            Err(_) => {
                self.may_be_damaged = true;
                fresh.len()
            }
        };
        self.may_be_damaged |= memchr::memchr2(0, MARK[0], fresh).is_some();
        self.checked += sound;
    }
}

fn damage_of(line: &[u8], encoding: &'static str) -> Option<Damage> {
    // The byte order mark at the beginning of a source is already removed.
    if line.starts_with(MARK) {
        return Some(Damage::InnerMark);
    }
    if memchr::memchr(0, line).is_some() {
        return Some(Damage::Nul);
    }
    match std::str::from_utf8(line) {
        Ok(_) => None,
        Err(_) => Some(Damage::Undecodable { encoding }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Yields this many bytes per read.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(self.1).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn lines(text: &[u8], step: usize) -> Vec<(u64, Vec<u8>)> {
        let mut lines = TextLines::new(Drip(text, step), "UTF-8");
        let mut all = Vec::new();
        while lines.advance().unwrap() == LineStep::Line {
            all.push((lines.number(), lines.line().to_owned()));
        }
        all
    }

    #[test]
    fn every_line_end_ends_one_line_however_the_bytes_arrive() {
        let text = b"a\r\nb\rc\n\r\n\n\rd\r";
        let wanted: Vec<(u64, Vec<u8>)> = ["a", "b", "c", "", "", "", "d"]
            .iter()
            .zip(1..)
            .map(|(line, number)| (number, line.as_bytes().to_owned()))
            .collect();
        for step in 1..text.len() {
            assert_eq!(lines(text, step), wanted, "{step} bytes at a time");
        }
        assert_eq!(lines(b"a\nb", 1).len(), 2, "the last end may be missing");
        assert!(lines(b"", 1).is_empty());
    }

    #[test]
    fn a_quote_is_seen_on_its_line_however_the_bytes_arrive() {
        let text = b"a\n\"b\"\nc\"\nd\n\n\"\ne\nf";
        for step in 1..text.len() {
            let mut lines = TextLines::new(Drip(text, step), "UTF-8");
            while lines.advance().unwrap() == LineStep::Line {
                let has = lines.line().contains(&b'"');
                assert_eq!(lines.has_quote(), has, "{step} bytes at a time");
                assert_eq!(lines.has_quote(), has, "asked again");
            }
        }
    }

    #[test]
    fn a_line_may_be_longer_than_the_buffer() {
        let long = vec![b'x'; 3 * BUFFER_BYTES];
        let text = [b"a\n", long.as_slice(), b"\nb\n"].concat();
        let found = lines(&text, 10_000);
        let sizes: Vec<usize> = found.iter().map(|(_, line)| line.len()).collect();
        assert_eq!(sizes, [1, 3 * BUFFER_BYTES, 1]);
    }

    #[test]
    fn an_endless_line_is_refused_in_bounded_memory() {
        let mut endless = TextLines::new(io::repeat(b'x'), "UTF-8");
        assert_eq!(endless.advance().unwrap(), LineStep::TooLong);
        assert!(endless.buffer.len() <= 2 * MAX_LINE_BYTES + BUFFER_BYTES);
    }

    #[test]
    fn what_is_no_text_is_named_and_the_lines_around_it_are_read() {
        let undecodable = Damage::Undecodable { encoding: "UTF-8" };
        for (text, damage) in [
            (b"a\nb\0\nc\n".as_slice(), Damage::Nul),
            (b"a\nb\xff\nc\n", undecodable),
            (b"a\n\xef\xbb\xbfb\nc\n", Damage::InnerMark),
        ] {
            let mut lines = TextLines::new(text, "UTF-8");
            assert_eq!(lines.advance().unwrap(), LineStep::Line);
            assert_eq!(lines.advance().unwrap(), LineStep::Damaged(damage));
            assert_eq!(lines.number(), 2);
            assert_eq!(lines.advance().unwrap(), LineStep::Line);
            assert_eq!(lines.advance().unwrap(), LineStep::End);
        }
    }

    #[test]
    fn damage_is_found_and_nothing_else_however_the_bytes_arrive() {
        let undecodable = LineStep::Damaged(Damage::Undecodable { encoding: "UTF-8" });
        // Without U+FEFF's first byte, which would make every line be checked.
        let sound = "aü\n€\n😀\nb\n";
        for step in 1..sound.len() {
            assert_eq!(
                lines(sound.as_bytes(), step).len(),
                4,
                "{step} bytes at a time"
            );
            for cut in [&b"\xf0\x9f\x98"[..], b"\xe2\x82\nx", b"\xff\nx"] {
                let text = [sound.as_bytes(), cut].concat();
                let mut lines = TextLines::new(Drip(&text, step), "UTF-8");
                for _ in 0..4 {
                    assert_eq!(lines.advance().unwrap(), LineStep::Line);
                }
                assert_eq!(lines.advance().unwrap(), undecodable, "{step}: {cut:?}");
            }
        }
    }

    #[test]
    fn the_beginning_is_looked_at_and_not_taken() {
        let mut lines = TextLines::new(Drip(b"ab\ncd\n", 1), "UTF-8");
        assert_eq!(lines.beginning().unwrap(), b"ab\ncd\n");
        assert_eq!(lines.advance().unwrap(), LineStep::Line);
        assert_eq!(lines.line(), b"ab");
        let mut rest = Vec::new();
        lines.into_rest().read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"cd\n");
    }
}
