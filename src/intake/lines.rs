use std::io::{self, Read};

/// The longest line, in bytes: an id has at most 4 KiB, and no table has hundreds of columns that long.
pub(super) const MAX_LINE_BYTES: usize = 1024 * 1024;

/// Hands on text with every line end (CRLF, lone CR) as one LF, so that lines can be counted, and
/// stops at a line that would not fit into memory.
pub(super) struct UniformLines<R> {
    inner: R,
    after_cr: bool,
    line_bytes: usize,
}

impl<R: Read> UniformLines<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner,
            after_cr: false,
            line_bytes: 0,
        }
    }

    /// Rewrites line ends in place; returns how many bytes are left.
    fn rewrite(&mut self, bytes: &mut [u8]) -> usize {
        if !self.after_cr && !bytes.contains(&b'\r') {
            return bytes.len();
        }
        let mut kept = 0;
        for place in 0..bytes.len() {
            let byte = bytes[place];
            let second_half = self.after_cr && byte == b'\n';
            self.after_cr = byte == b'\r';
            if !second_half {
                bytes[kept] = if byte == b'\r' { b'\n' } else { byte };
                kept += 1;
            }
        }
        kept
    }
}

impl<R: Read> Read for UniformLines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.inner.read(buffer)?;
            let kept = self.rewrite(&mut buffer[..count]);
            match buffer[..kept].iter().rposition(|byte| *byte == b'\n') {
                Some(place) => self.line_bytes = kept - place - 1,
                None => self.line_bytes += kept,
            }
            if self.line_bytes > MAX_LINE_BYTES {
                let message = format!("a line is longer than {MAX_LINE_BYTES} bytes");
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
            // A lone second half of CRLF leaves nothing, which must not look like the end.
            if kept > 0 || count == 0 {
                return Ok(kept);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_are_uniform_however_the_bytes_arrive() {
        let text = b"a\r\nb\rc\n\r\n\rd\r";
        for step in 1..text.len() {
            let mut reader = UniformLines::new(text.as_slice());
            let mut all = Vec::new();
            let mut buffer = vec![0; step];
            loop {
                let count = reader.read(&mut buffer).unwrap();
                if count == 0 {
                    break;
                }
                all.extend_from_slice(&buffer[..count]);
            }
            assert_eq!(all, b"a\nb\nc\n\n\nd\n", "{step} bytes at a time");
        }
    }

    #[test]
    fn an_endless_line_is_refused_in_bounded_memory() {
        let mut endless = UniformLines::new(io::repeat(b'x'));
        let mut total = 0;
        let mut buffer = [0; 4096];
        let error = loop {
            match endless.read(&mut buffer) {
                Ok(count) => total += count,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(total <= MAX_LINE_BYTES + buffer.len());
    }
}
