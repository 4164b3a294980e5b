//! Reads JSON documents: arrays of records, objects of such arrays, or single records, in any
//! layout and sequence.
//!
//! Finds the records by their brackets alone; whether a record is valid JSON is for its reader to
//! say. So a damaged record affects only itself, stays unchanged, and a member of any size needs
//! the memory of one record.

use std::io::BufRead;

use serde_json::{Map, Value};

use crate::packages::archive::sink::{MemberFault, PiecePlace, RecordSink};

/// Keys that only a record has; an object with one of them is not a wrapper.
const RECORD_KEYS: [&[u8]; 5] = [
    b"event",
    b"properties",
    b"$properties",
    b"distinct_id",
    b"$distinct_id",
];

/// Reads every record of `text`. A record over `limit` bytes is passed on in pieces, unread.
pub(crate) fn read(
    text: &mut dyn BufRead,
    limit: usize,
    sink: &mut dyn RecordSink,
) -> Result<(), MemberFault> {
    let mut document = MemberDocument {
        text,
        limit,
        sink,
        held: Vec::new(),
        spilled: false,
    };
    match document.read_values()? {
        StretchEnd::Closed => Ok(()),
        StretchEnd::Broken => document.give_up(),
    }
}

struct MemberDocument<'t, 's> {
    text: &'t mut dyn BufRead,
    limit: usize,
    sink: &'s mut dyn RecordSink,
    /// Taken from `text` but not yet passed on.
    held: Vec<u8>,
    /// Whether the beginning of the held value exceeded the limit and was passed on.
    spilled: bool,
}

/// How many objects may surround an array of records, as in `{"results":{"events":[…]}}`.
const MOST_LEVELS: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StretchEnd {
    Closed,
    /// The member ended early, or a byte is where it must not be.
    Broken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Undecided,
    Record,
    Wrapper,
}

/// Whether white space and commas between two values are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gap {
    Hold,
    Skip,
}

struct Scan {
    depth: usize,
    in_string: bool,
}

impl MemberDocument<'_, '_> {
    fn read_values(&mut self) -> Result<StretchEnd, MemberFault> {
        while let Some(first) = self.next_mark(Gap::Skip)? {
            self.held.push(first);
            let end = match first {
                b'[' => {
                    self.held.clear();
                    self.read_array()?
                }
                b'{' => self.read_object(0)?.0,
                _ => StretchEnd::Broken,
            };
            if end == StretchEnd::Broken {
                return Ok(StretchEnd::Broken);
            }
        }
        Ok(StretchEnd::Closed)
    }

    /// Reads the elements of an array up to its end; the opening bracket is already taken.
    fn read_array(&mut self) -> Result<StretchEnd, MemberFault> {
        loop {
            match self.next_mark(Gap::Skip)? {
                None => return Ok(StretchEnd::Broken),
                Some(b']') => return Ok(StretchEnd::Closed),
                Some(first) => {
                    self.held.push(first);
                    if self.hold_value(first)? == StretchEnd::Broken {
                        return Ok(StretchEnd::Broken);
                    }
                    self.hand_on()?;
                }
            }
        }
    }

    /// Reads an object whose opening bracket is held: a record, or a wrapper around arrays of
    /// records. Wrappers may be nested. An inner object (`level` over 0) stays held unless it is a
    /// wrapper.
    fn read_object(&mut self, level: usize) -> Result<(StretchEnd, Role), MemberFault> {
        let mut role = Role::Undecided;
        loop {
            let Some(mark) = self.next_mark(Gap::Hold)? else {
                return Ok((StretchEnd::Broken, role));
            };
            if mark == b'}' {
                self.end_object(role, level)?;
                return Ok((StretchEnd::Closed, role));
            }
            let key_start = self.held.len();
            self.held.push(mark);
            let Some(first) = self.read_key(key_start, &mut role)? else {
                return Ok((StretchEnd::Broken, role));
            };
            let begins_records =
                role != Role::Record && first == b'[' && self.peek_mark(Gap::Hold)? == Some(b'{');
            let end = if begins_records {
                if !self.spilled {
                    self.held.truncate(key_start);
                }
                self.hand_on_aside()?;
                role = Role::Wrapper;
                self.read_array()?
            } else if role != Role::Record && first == b'{' && level < MOST_LEVELS {
                let (end, inner) = self.read_object(level + 1)?;
                if inner == Role::Wrapper {
                    role = Role::Wrapper;
                }
                end
            } else {
                self.hold_value(first)?
            };
            if end == StretchEnd::Broken {
                return Ok((StretchEnd::Broken, role));
            }
        }
    }

    /// Holds the rest of the key that begins at `start`, its colon, and the first byte of its
    /// value.
    fn read_key(&mut self, start: usize, role: &mut Role) -> Result<Option<u8>, MemberFault> {
        let in_key = Scan {
            depth: 0,
            in_string: true,
        };
        if self.held.last() != Some(&b'"') || self.hold_until_closed(in_key)? == StretchEnd::Broken
        {
            return Ok(None);
        }
        let of_record = self.spilled || self.held.get(start..).is_some_and(is_of_record);
        if *role == Role::Undecided && of_record {
            *role = Role::Record;
        }
        let colon = self.next_mark(Gap::Hold)?;
        self.held.extend(colon);
        if colon != Some(b':') {
            return Ok(None);
        }
        let first = self.next_mark(Gap::Hold)?;
        self.held.extend(first);
        Ok(first)
    }

    fn end_object(&mut self, role: Role, level: usize) -> Result<(), MemberFault> {
        if role == Role::Wrapper {
            return self.hand_on_aside();
        }
        self.held.push(b'}');
        if level > 0 {
            return self.spill();
        }
        if !self.spilled && role == Role::Undecided && holds_empty_lists_only(&self.held) {
            self.held.clear();
            return Ok(());
        }
        self.hand_on()
    }

    /// Holds the rest of the value that begins with `first`; `first` is already held.
    fn hold_value(&mut self, first: u8) -> Result<StretchEnd, MemberFault> {
        let (depth, in_string) = match first {
            b'{' | b'[' => (1, false),
            b'"' => (0, true),
            b'}' | b']' | b':' => return Ok(StretchEnd::Broken),
            _ => return self.hold_scalar(),
        };
        self.hold_until_closed(Scan { depth, in_string })
    }

    fn hold_until_closed(&mut self, mut scan: Scan) -> Result<StretchEnd, MemberFault> {
        let mut escaped = false;
        loop {
            let chunk = self.text.fill_buf()?;
            if chunk.is_empty() {
                return Ok(StretchEnd::Broken);
            }
            let mut used = chunk.len();
            for (place, byte) in chunk.iter().enumerate() {
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' if scan.in_string => escaped = true,
                    b'"' => scan.in_string = !scan.in_string,
                    b'{' | b'[' if !scan.in_string => scan.depth += 1,
                    b'}' | b']' if !scan.in_string => scan.depth -= 1,
                    _ => continue,
                }
                if scan.depth == 0 && !scan.in_string {
                    used = place + 1;
                    break;
                }
            }
            self.held.extend_from_slice(&chunk[..used]);
            self.text.consume(used);
            self.spill()?;
            if scan.depth == 0 && !scan.in_string {
                return Ok(StretchEnd::Closed);
            }
        }
    }

    fn hold_scalar(&mut self) -> Result<StretchEnd, MemberFault> {
        loop {
            match self.text.fill_buf()?.first().copied() {
                Some(byte) if !byte.is_ascii_whitespace() && !b",]}".contains(&byte) => {
                    self.held.push(byte);
                    self.text.consume(1);
                    self.spill()?;
                }
                Some(_) | None => return Ok(StretchEnd::Closed),
            }
        }
    }

    /// Takes the next byte that is neither white space nor a comma.
    fn next_mark(&mut self, gap: Gap) -> Result<Option<u8>, MemberFault> {
        let mark = self.peek_mark(gap)?;
        if mark.is_some() {
            self.text.consume(1);
        }
        Ok(mark)
    }

    fn peek_mark(&mut self, gap: Gap) -> Result<Option<u8>, MemberFault> {
        loop {
            match self.text.fill_buf()?.first().copied() {
                Some(byte) if byte.is_ascii_whitespace() || byte == b',' => {
                    if gap == Gap::Hold {
                        self.held.push(byte);
                        self.spill()?;
                    }
                    self.text.consume(1);
                }
                other => return Ok(other),
            }
        }
    }

    /// Passes on the held bytes if they exceed the limit.
    fn spill(&mut self) -> Result<(), MemberFault> {
        if self.held.len() > self.limit {
            let piece = match self.spilled {
                true => PiecePlace::Middle,
                false => PiecePlace::First,
            };
            self.sink.broken(&self.held, piece)?;
            self.held.clear();
            self.spilled = true;
        }
        Ok(())
    }

    fn hand_on(&mut self) -> Result<(), MemberFault> {
        match self.spilled {
            true => self.sink.broken(&self.held, PiecePlace::Last)?,
            false => self.sink.record(&self.held)?,
        }
        self.held.clear();
        self.spilled = false;
        Ok(())
    }

    /// Passes on what is between the arrays of a wrapper, unless it is empty.
    fn hand_on_aside(&mut self) -> Result<(), MemberFault> {
        if self.spilled {
            return self.hand_on();
        }
        let is_gap = |byte: &u8| byte.is_ascii_whitespace() || *byte == b',';
        let from = self
            .held
            .iter()
            .position(|byte| !is_gap(byte) && *byte != b'{');
        if let Some(from) = from {
            let to = self
                .held
                .iter()
                .rposition(|byte| !is_gap(byte))
                .unwrap_or(from);
            let text = &self.held[from..=to];
            if !holds_empty_lists_only(&[b"{", text, b"}"].concat()) {
                self.sink.aside(text)?;
            }
        }
        self.held.clear();
        Ok(())
    }

    /// Passes on the rest unchanged, because its brackets cannot be trusted.
    fn give_up(&mut self) -> Result<(), MemberFault> {
        let first = match self.spilled {
            true => PiecePlace::Middle,
            false => PiecePlace::First,
        };
        self.sink.broken(&self.held, first)?;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match self.text.read(&mut buffer)? {
                0 => return Ok(self.sink.broken(b"", PiecePlace::Last)?),
                count => self.sink.broken(&buffer[..count], PiecePlace::Middle)?,
            }
        }
    }
}

/// Whether only a record has this key, a JSON string: the same key has other spellings with escapes.
fn is_of_record(key: &[u8]) -> bool {
    if !key.contains(&b'\\') {
        return RECORD_KEYS.contains(&&key[1..key.len() - 1]);
    }
    let key = serde_json::from_slice::<String>(key);
    key.is_ok_and(|key| RECORD_KEYS.contains(&key.as_bytes()))
}

/// Whether `text` is an object of empty lists only, as in an empty export.
fn holds_empty_lists_only(text: &[u8]) -> bool {
    let empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
    let object = serde_json::from_slice::<Map<String, Value>>(text);
    object.is_ok_and(|object| object.values().all(empty))
}
