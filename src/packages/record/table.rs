//! Reads tables: each row becomes a JSON object of its fields.

use std::io::{self, BufRead, Read};

use csv::ByteRecord;

use super::RecordFacts;
use super::columns::RecordColumns;
use crate::domain::ProjectZone;
use crate::packages::archive::documented::MemberForm;
use crate::packages::archive::sink::{MemberFault, PiecePlace, RecordRow, RecordSink};

/// Reads a table with a heading. A row that does not fit the heading is passed on unchanged.
pub(crate) fn read(
    text: &mut dyn BufRead,
    delimiter: u8,
    form: MemberForm,
    limit: usize,
    sink: &mut dyn RecordSink,
) -> Result<(), MemberFault> {
    let mut rows = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(KeptBytes::new(text, limit));
    let mut heading: Option<Heading> = None;
    let mut row = ByteRecord::new();
    loop {
        match rows.read_byte_record(&mut row) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(_) if rows.get_ref().full => return pass_rest(rows.into_inner(), sink),
            Err(error) => return Err(MemberFault::Read(error.into())),
        }
        let next = rows.position().byte();
        let text = rows.get_ref().before(next);
        let quoting = quoting_of(text, delimiter);
        match (&heading, quoting) {
            (None, Quoting::Broken) => return pass_rest(rows.into_inner(), sink),
            (None, Quoting::Sound) => heading = Some(Heading::of(&row, form)),
            (Some(heading), Quoting::Sound) => match heading.read(&row, sink.zone()) {
                Some((facts, json)) => sink.row(RecordRow { facts, json: &json })?,
                None => sink.broken(text.trim_ascii(), PiecePlace::Whole)?,
            },
            (Some(_), Quoting::Broken) => sink.broken(text.trim_ascii(), PiecePlace::Whole)?,
        }
        rows.get_mut().forget_before(next);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quoting {
    Sound,
    Broken,
}

/// Whether all quotes of a row are well placed.
///
/// The csv parser is lenient: after an open quote it merges the following rows into one field.
/// Another person's data would slip in.
fn quoting_of(row: &[u8], delimiter: u8) -> Quoting {
    let is_end = |byte: &u8| *byte == delimiter || matches!(byte, b'\n' | b'\r');
    let mut rest = row;
    while !rest.is_empty() {
        let field = match rest.strip_prefix(b"\"") {
            Some(mut inside) => loop {
                let Some(place) = inside.iter().position(|byte| *byte == b'"') else {
                    return Quoting::Broken;
                };
                inside = &inside[place + 1..];
                match inside.strip_prefix(b"\"") {
                    Some(after) => inside = after,
                    None => break inside,
                }
            },
            None => rest,
        };
        let end = field.iter().position(is_end).unwrap_or(field.len());
        let is_quoted = rest.len() != field.len();
        if field[..end].contains(&b'"') || (is_quoted && end > 0) {
            return Quoting::Broken;
        }
        rest = field.get(end + 1..).unwrap_or_default();
    }
    Quoting::Sound
}

/// Passes on unchanged what can no longer be split into rows.
fn pass_rest(kept: KeptBytes<'_>, sink: &mut dyn RecordSink) -> Result<(), MemberFault> {
    sink.broken(&kept.bytes, PiecePlace::First)?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match kept.text.read(&mut buffer)? {
            0 => return Ok(sink.broken(b"", PiecePlace::Last)?),
            count => sink.broken(&buffer[..count], PiecePlace::Middle)?,
        }
    }
}

struct Heading {
    /// Each name as a JSON key; repeated names get a number.
    keys: Vec<String>,
    columns: RecordColumns,
}

impl Heading {
    fn of(row: &ByteRecord, form: MemberForm) -> Self {
        let mut names: Vec<String> = Vec::new();
        for field in row {
            let name = String::from_utf8_lossy(field).into_owned();
            let taken = |text: &String| names.contains(text);
            let numbered = (2..).map(|number| format!("{name} ({number})"));
            let free = std::iter::once(name.clone())
                .chain(numbered)
                .find(|text| !taken(text));
            names.push(free.unwrap_or(name));
        }
        Self {
            keys: names.iter().map(|name| json_text(name)).collect(),
            columns: RecordColumns::of(row.iter(), form),
        }
    }

    /// The row as JSON; `None` if the number of fields differs or a field is not UTF-8.
    fn read<'r>(
        &self,
        row: &'r ByteRecord,
        zone: ProjectZone,
    ) -> Option<(RecordFacts<'r>, Vec<u8>)> {
        if row.len() != self.keys.len() {
            return None;
        }
        let fields: Vec<&str> = row
            .iter()
            .map(std::str::from_utf8)
            .collect::<Result<_, _>>()
            .ok()?;
        let mut json = Vec::with_capacity(row.as_slice().len() * 2);
        let carried = self
            .keys
            .iter()
            .zip(&fields)
            .filter(|(_, field)| !field.is_empty());
        for (key, field) in carried {
            json.push(if json.is_empty() { b'{' } else { b',' });
            json.extend_from_slice(key.as_bytes());
            json.push(b':');
            json.extend_from_slice(json_text(field).as_bytes());
        }
        json.extend_from_slice(if json.is_empty() { b"{}" } else { b"}" });
        Some((self.columns.facts(&fields, zone), json))
    }
}

/// A heading's name without the number that made it unique.
pub(crate) fn without_number(name: &str) -> &str {
    let numbered = name
        .strip_suffix(')')
        .and_then(|name| name.rsplit_once(" ("));
    let is_number = |number: &str| number.bytes().all(|byte| byte.is_ascii_digit());
    match numbered {
        Some((name, number)) if is_number(number) => name,
        Some(_) | None => name,
    }
}

fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Keeps the bytes it passes on, so that an unreadable row is still available unchanged.
struct KeptBytes<'t> {
    text: &'t mut dyn BufRead,
    bytes: Vec<u8>,
    /// The positions of the first byte kept and the first byte still needed.
    start: u64,
    wanted: u64,
    limit: usize,
    full: bool,
}

impl<'t> KeptBytes<'t> {
    fn new(text: &'t mut dyn BufRead, limit: usize) -> Self {
        Self {
            text,
            bytes: Vec::new(),
            start: 0,
            wanted: 0,
            limit,
            full: false,
        }
    }

    /// The bytes still needed, up to `place`.
    fn before(&self, place: u64) -> &[u8] {
        &self.bytes[(self.wanted - self.start) as usize..(place - self.start) as usize]
    }

    fn forget_before(&mut self, place: u64) {
        self.wanted = place;
    }
}

impl Read for KeptBytes<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.bytes.drain(..(self.wanted - self.start) as usize);
        self.start = self.wanted;
        if self.bytes.len() > self.limit {
            self.full = true;
            return Err(io::Error::other("a row is too long"));
        }
        let count = self.text.read(buffer)?;
        self.bytes.extend_from_slice(&buffer[..count]);
        Ok(count)
    }
}
