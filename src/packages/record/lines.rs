use std::io::{BufRead, Read};

use crate::packages::archive::sink::{MemberFault, PiecePlace, RecordSink};

/// Reads one record per line. A line over `limit` bytes is passed on in pieces, unread.
pub(crate) fn read(
    text: &mut dyn BufRead,
    limit: usize,
    sink: &mut dyn RecordSink,
) -> Result<(), MemberFault> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut start = text.take(limit as u64 + 1);
        if start.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if line.len() > limit && line.last() != Some(&b'\n') {
            pass_long_line(text, &mut line, limit, sink)?;
            continue;
        }
        let record = line.trim_ascii();
        if !record.is_empty() {
            sink.record(record)?;
        }
    }
}

fn pass_long_line(
    text: &mut dyn BufRead,
    line: &mut Vec<u8>,
    limit: usize,
    sink: &mut dyn RecordSink,
) -> Result<(), MemberFault> {
    let mut piece = PiecePlace::First;
    loop {
        sink.broken(line, piece)?;
        piece = PiecePlace::Middle;
        line.clear();
        text.take(limit as u64).read_until(b'\n', line)?;
        if line.last() == Some(&b'\n') {
            line.pop();
            return Ok(sink.broken(line, PiecePlace::Last)?);
        }
        if line.is_empty() {
            return Ok(sink.broken(line, PiecePlace::Last)?);
        }
    }
}
